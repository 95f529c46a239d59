//! Zero-copy receive: a network device's queue fills the program's memory.

use core::ffi::c_int;

use super::call_cold;
use crate::abi::*;
use crate::errno::Result;
use crate::kernel::Kernel;

/// Registers a device's receive queue.
///
/// # Safety
///
/// `ring` points to a ring, `reg` to a description, and so do its pointers; the kernel writes to all of them.
pub unsafe fn register_ifq<K: Kernel>(
    ring: *mut io_uring,
    reg: *mut io_uring_zcrx_ifq_reg,
) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_ZCRX_IFQ, reg.cast(), 1) }
}

/// Does something with a registered queue.
///
/// # Safety
///
/// `ring` points to a ring, `ctrl` to an operation, which the kernel may write to.
pub unsafe fn control<K: Kernel>(ring: *mut io_uring, ctrl: *mut zcrx_ctrl) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments; this opcode takes no count.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_ZCRX_CTRL, ctrl.cast(), 0) }
}
