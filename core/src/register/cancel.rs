//! What is otherwise a request, done inside the call: cancelling, and messages to other rings.

use super::{Ring, call_cold, call_without_ring};
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;

/// Cancels the requests that `reg` describes and waits until they are gone.
pub fn sync_cancel<K: Kernel>(ring: Ring<K>, reg: *const io_uring_sync_cancel_reg) -> Ret {
    // SAFETY: the kernel only reads the description.
    unsafe { call_cold(ring, IORING_REGISTER_SYNC_CANCEL, reg.cast(), 1) }
}

/// Posts the completion that `sqe` describes to another ring, without having one.
pub fn sync_msg<K: Kernel>(sqe: *const io_uring_sqe) -> Ret {
    // SAFETY: the kernel only reads the SQE, and takes none but a message's.
    unsafe { call_without_ring::<K>(IORING_REGISTER_SEND_MSG_RING, sqe.cast(), 1) }
}
