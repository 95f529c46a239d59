//! Flags of `io_uring_enter`, and arguments of a wait.

use super::types::*;

/// Wait for completions. Since 5.1.
pub const IORING_ENTER_GETEVENTS: u32 = 1u32 << 0;
/// Wake the polling thread. Since 5.1.
pub const IORING_ENTER_SQ_WAKEUP: u32 = 1u32 << 1;
/// Wait until the submission ring has room. Since 5.10.
pub const IORING_ENTER_SQ_WAIT: u32 = 1u32 << 2;
/// The argument is a `struct io_uring_getevents_arg`. Since 5.11.
pub const IORING_ENTER_EXT_ARG: u32 = 1u32 << 3;
/// The ring is given by the index of its registration. Since 5.18.
pub const IORING_ENTER_REGISTERED_RING: u32 = 1u32 << 4;
/// The timeout is a point in time. Since 6.12.
pub const IORING_ENTER_ABS_TIMER: u32 = 1u32 << 5;
/// The argument is an offset into the registered wait region. Since 6.13.
pub const IORING_ENTER_EXT_ARG_REG: u32 = 1u32 << 6;
/// Do not count the wait as waiting for I/O. Since 6.15.
pub const IORING_ENTER_NO_IOWAIT: u32 = 1u32 << 7;

/// Flags of a registered wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum __anon_reg_wait_flags {
    /// `ts` is valid. Since 6.13.
    IORING_REG_WAIT_TS = 1 << 0,
}
pub use __anon_reg_wait_flags::*;

/// The arguments of one wait in the registered wait region, for `IORING_ENTER_EXT_ARG_REG`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_reg_wait {
    /// The longest time to wait, with `IORING_REG_WAIT_TS`.
    pub ts: __kernel_timespec,
    /// Microseconds after which a single completion is enough; 0 waits for all of them.
    pub min_wait_usec: __u32,
    /// `IORING_REG_WAIT_TS` or 0.
    pub flags: __u32,
    /// Address of the signals to block while waiting, or 0.
    pub sigmask: __u64,
    /// Bytes of the signal set.
    pub sigmask_sz: __u32,
    /// Zero.
    pub pad: [__u32; 3],
    /// Zero.
    pub pad2: [__u64; 2],
}

/// The arguments of a wait with a timeout, for `IORING_ENTER_EXT_ARG`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_getevents_arg {
    /// Address of the signals to block while waiting, or 0.
    pub sigmask: __u64,
    /// Bytes of the signal set.
    pub sigmask_sz: __u32,
    /// Microseconds after which a single completion is enough; 0 waits for all of them. Since 6.12.
    pub min_wait_usec: __u32,
    /// Address of a `struct __kernel_timespec`, the longest time to wait; 0 waits without limit.
    pub ts: __u64,
}
