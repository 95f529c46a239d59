//! What is otherwise a request, done inside the call: cancelling, and messages to other rings.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use super::{call_cold, call_without_ring};
use crate::abi::*;
use crate::errno::Result;
use crate::kernel::Kernel;

/// Cancels requests and waits until they are gone.
///
/// # Safety
///
/// `ring` points to a ring, `reg` to a description of the requests.
pub unsafe fn sync_cancel<K: Kernel>(
    ring: *mut io_uring,
    reg: *mut io_uring_sync_cancel_reg,
) -> Result<c_int> {
    unsafe { call_cold::<K>(ring, IORING_REGISTER_SYNC_CANCEL, reg.cast(), 1) }
}

/// Posts a completion to another ring without having one.
///
/// # Safety
///
/// `sqe` points to a message request.
pub unsafe fn sync_msg<K: Kernel>(sqe: *mut io_uring_sqe) -> Result<c_int> {
    unsafe { call_without_ring::<K>(IORING_REGISTER_SEND_MSG_RING, sqe.cast(), 1) }
}
