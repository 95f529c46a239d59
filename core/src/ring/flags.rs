//! The library's own flags, in `io_uring.int_flags`.

use core::ffi::c_uint;

/// `enter_ring_fd` is an index into the thread's registered rings. Has the value of `IORING_ENTER_REGISTERED_RING`, so
/// that it goes into the call's flags as it is.
pub const REG_RING: u8 = 1 << 4;
/// Waiting does not count as waiting for I/O. Has the value of `IORING_ENTER_NO_IOWAIT`.
pub const NO_IOWAIT: u8 = 1 << 7;
/// `io_uring_register` takes the registered index too.
pub const REG_REG_RING: u8 = 1;
/// Completions are found only by entering the kernel (`IORING_SETUP_IOPOLL` without a submission thread). Has the value
/// of `IORING_SQ_TASKRUN`, and the value of `IORING_SQ_CQ_OVERFLOW` is left free, so that all reasons to enter are one
/// test.
pub const CQ_ENTER: u8 = 4;
/// The rings lie in memory that the program gave.
pub const APP_MEM: u8 = 8;

const _: () = {
    use crate::abi::params::{IORING_SQ_CQ_OVERFLOW, IORING_SQ_TASKRUN};
    let others = (REG_RING | NO_IOWAIT | REG_REG_RING | APP_MEM) as c_uint;
    assert!(CQ_ENTER as c_uint == IORING_SQ_TASKRUN);
    assert!(others & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW) == 0);
};
