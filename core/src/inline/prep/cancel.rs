//! Requests that cancel others.

use core::ffi::{c_int, c_uint, c_void};

use super::{address, fill_flags};
use crate::abi::op::*;
use crate::abi::request::IORING_ASYNC_CANCEL_FD;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to cancel requests by their user data.
///
/// Without flags, the first request with that user data is cancelled. Its own CQE has `-ECANCELED`, or `-EINTR` if it
/// was running; its memory is needed until then. `flags`:
///
/// * `IORING_ASYNC_CANCEL_ALL`: all that match, not only the first (Linux 5.19).
/// * `IORING_ASYNC_CANCEL_FD`: match by descriptor (5.19).
/// * `IORING_ASYNC_CANCEL_ANY`: match every request (5.19).
/// * `IORING_ASYNC_CANCEL_FD_FIXED`: the descriptor is a slot of the registered files (6.0).
/// * `IORING_ASYNC_CANCEL_USERDATA`: match by user data as well (6.6).
/// * `IORING_ASYNC_CANCEL_OP`: match by opcode, which is put into `len` of the SQE afterwards (6.6).
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or with `IORING_ASYNC_CANCEL_ALL` or `_ANY` the number of requests that were
/// cancelled; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EALREADY`: the request is being carried out and can only be interrupted; it completes soon, cancelled or not.
/// * `-EINVAL`: unknown flags, or flags that contradict each other.
/// * `-ENOENT`: no request matches.
///
/// # Kernel
///
/// 5.5.
///
/// # See also
///
/// io_uring_prep_cancel(), io_uring_prep_cancel_fd(), io_uring_register_sync_cancel().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_cancel64(
    sqe: *mut io_uring_sqe,
    user_data: __u64,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_ASYNC_CANCEL,
            -1,
            0,
            user_data,
            0,
            flags as u32,
        )
    }
}

/// Prepares to cancel requests whose user data is a pointer.
///
/// As io_uring_prep_cancel64().
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or with `IORING_ASYNC_CANCEL_ALL` or `_ANY` the number of requests that were
/// cancelled; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EALREADY`: the request is being carried out and can only be interrupted; it completes soon, cancelled or not.
/// * `-EINVAL`: unknown flags, or flags that contradict each other.
/// * `-ENOENT`: no request matches.
///
/// # Kernel
///
/// 5.5.
///
/// # See also
///
/// io_uring_prep_cancel64(), io_uring_sqe_set_data().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The pointer is not followed.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_cancel(
    sqe: *mut io_uring_sqe,
    user_data: *const c_void,
    flags: c_int,
) {
    unsafe { io_uring_prep_cancel64(sqe, address(user_data), flags) }
}

/// Prepares to cancel requests by the descriptor that they use.
///
/// `flags` are those of io_uring_prep_cancel64(); `IORING_ASYNC_CANCEL_FD` is added.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or with `IORING_ASYNC_CANCEL_ALL` or `_ANY` the number of requests that were
/// cancelled; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EALREADY`: the request is being carried out and can only be interrupted; it completes soon, cancelled or not.
/// * `-EINVAL`: unknown flags, or flags that contradict each other.
/// * `-ENOENT`: no request matches.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_cancel64().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_cancel_fd(sqe: *mut io_uring_sqe, fd: c_int, flags: c_uint) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_ASYNC_CANCEL,
            fd,
            0,
            0,
            0,
            flags | IORING_ASYNC_CANCEL_FD,
        )
    }
}
