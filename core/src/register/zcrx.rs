//! Zero-copy receive: a network device's queue fills the program's memory.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use super::{Ring, call_cold};
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;

/// Registers a device's receive queue.
///
/// # Safety
///
/// `reg` points to a description, and so do its pointers; the kernel writes to all of them.
pub unsafe fn register_ifq<K: Kernel>(ring: Ring<K>, reg: *mut io_uring_zcrx_ifq_reg) -> Ret {
    unsafe { call_cold(ring, IORING_REGISTER_ZCRX_IFQ, reg.cast(), 1) }
}

/// Does something with a registered queue.
///
/// # Safety
///
/// `ctrl` points to an operation, which the kernel may write to.
pub unsafe fn control<K: Kernel>(ring: Ring<K>, ctrl: *mut zcrx_ctrl) -> Ret {
    unsafe { call_cold(ring, IORING_REGISTER_ZCRX_CTRL, ctrl.cast(), 0) }
}
