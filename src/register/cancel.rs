//! Cancelling and messages without a request.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use crate::Chosen;
use uring_core::abi::{io_uring, io_uring_sqe, io_uring_sync_cancel_reg};
use uring_core::register::cancel;
use uring_core::ring::handle::Ring;

/// Cancels requests and waits until they are gone.
///
/// `reg` says which requests, as io_uring_prep_cancel() and its kin do: `addr` is their `user_data`, `fd` their file,
/// `opcode` their opcode, and `flags` (`IORING_ASYNC_CANCEL_*`) says which of these count. `timeout` says how long to
/// wait at most for requests that run and cannot be stopped at once; with -1 in both of its members, there is no limit.
/// `pad` and `pad2` must be 0. The structure is read during the call and not needed afterwards.
///
/// The cancelled requests complete with `-ECANCELED` as usual.
///
/// # Return value
///
/// With `IORING_ASYNC_CANCEL_ALL` or `IORING_ASYNC_CANCEL_ANY` the number of requests cancelled, which may be 0;
/// otherwise 0. After having had to wait, 0 in either case. Or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-ENOENT`: no request matches.
/// * `-ETIME`: the time was up before all were gone.
/// * `-EINTR`: a signal came while waiting.
/// * `-EBADF`: `fd` is not open or, with `IORING_ASYNC_CANCEL_FD_FIXED`, not a registered file; or the ring's
///   descriptor, or its registered index in this thread, is no open file.
/// * `-EINVAL`: a flag is unknown; `reg` is NULL; a member that must be 0 is not; or the kernel does not know the
///   operation.
/// * `-EFAULT`: `reg` cannot be read.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.0. The member `opcode` counts since 6.6.
///
/// # See also
///
/// io_uring_prep_cancel(), io_uring_prep_cancel_fd().
///
/// # Safety
///
/// `ring` must be set up, and `reg` point to a description.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_sync_cancel(
    ring: *mut io_uring,
    reg: *mut io_uring_sync_cancel_reg,
) -> c_int {
    cancel::sync_cancel(unsafe { Ring::<Chosen>::new(ring) }, reg).as_c()
}

/// Sends a message to a ring without having one.
///
/// `sqe` is a request in the program's own memory, not in a ring: cleared, then made by io_uring_prep_msg_ring() or
/// io_uring_prep_msg_ring_cqe_flags(). The call does what the request would do: it posts a completion to the ring
/// that the request names. Passing files (io_uring_prep_msg_ring_fd()) is not possible. The request is read during
/// the call and not needed afterwards.
///
/// # Return value
///
/// 0, or a negative errno. There is no completion on the sender's side.
///
/// # Errors
///
/// * `-EINVAL`: `sqe` is NULL, no message, one that passes a file, or has request flags; or the kernel does not know
///   the operation.
/// * `-EFAULT`: `sqe` cannot be read.
/// * `-EBADF`: the descriptor in `sqe` is not open.
/// * `-EBADFD`: the descriptor is not an `io_uring` ring, or the ring is disabled.
/// * `-EOVERFLOW`: the completion found no room, not even among those that overflow.
/// * `-EOWNERDEAD`: the ring belongs to a task that has ended.
/// * `-ENOMEM`: the kernel has no memory.
///
/// # Kernel
///
/// 6.13.
///
/// # See also
///
/// io_uring_prep_msg_ring(), io_uring_prep_msg_ring_cqe_flags().
///
/// # Safety
///
/// `sqe` must point to a request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_sync_msg(sqe: *mut io_uring_sqe) -> c_int {
    cancel::sync_msg::<Chosen>(sqe).as_c()
}
