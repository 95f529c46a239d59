//! Timeouts: on their own, and for the request before.

use core::ffi::c_uint;

use super::{address, fill_flags};
use crate::abi::op::*;
use crate::abi::request::IORING_TIMEOUT_UPDATE;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to complete after a time, or after a number of completions.
///
/// Completes when `ts` is over, or once `count` other requests have completed after it was submitted; `count` 0 waits
/// for the time alone. `flags`:
///
/// * `IORING_TIMEOUT_ABS`: the time is a point in time, not a distance from now.
/// * `IORING_TIMEOUT_BOOTTIME`, `IORING_TIMEOUT_REALTIME`: by that clock instead of `CLOCK_MONOTONIC` (Linux 5.15).
/// * `IORING_TIMEOUT_IMMEDIATE_ARG`: `ts` is no pointer but the nanoseconds themselves (7.1).
/// * `IORING_TIMEOUT_ETIME_SUCCESS`: running out of time is no failure, so that linked requests go on (5.16).
/// * `IORING_TIMEOUT_MULTISHOT`: a CQE each time that the time is over, `count` times or, with 0, until it is cancelled
///   (6.4).
///
/// # Return value
///
/// None. In `res` of the CQE: `-ETIME` when the time was over, 0 when the number of completions was reached; or another
/// negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-ETIME`: the time was over.
/// * `-ECANCELED`: it was removed, or cancelled.
/// * `-EINVAL`: unknown flags, two clocks, or a time that is negative or has too many nanoseconds.
/// * `-EFAULT`: `ts` is no valid address.
///
/// # Kernel
///
/// 5.4.
///
/// # See also
///
/// io_uring_prep_timeout_remove(), io_uring_prep_timeout_update(), io_uring_prep_link_timeout().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The time stays valid until the request is submitted; on
/// kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_timeout(
    sqe: *mut io_uring_sqe,
    ts: *const __kernel_timespec,
    count: c_uint,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_TIMEOUT,
            -1,
            u64::from(count),
            address(ts),
            1,
            flags,
        )
    }
}

/// Prepares to cancel a timeout.
///
/// `user_data` is that of the timeout, which completes with `-ECANCELED`. `flags` is 0.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EALREADY`: the timeout is completing just now.
/// * `-EINVAL`: unknown flags.
/// * `-ENOENT`: there is no timeout with that user data.
///
/// # Kernel
///
/// 5.5.
///
/// # See also
///
/// io_uring_prep_timeout(), io_uring_prep_timeout_update().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_timeout_remove(
    sqe: *mut io_uring_sqe,
    user_data: __u64,
    flags: c_uint,
) {
    unsafe { fill_flags(sqe, IORING_OP_TIMEOUT_REMOVE, -1, 0, user_data, 0, flags) }
}

/// Prepares to give a timeout another time.
///
/// `user_data` is that of the timeout. Its count stays. `flags`:
///
/// * `IORING_TIMEOUT_ABS`: the time is a point in time, not a distance from now.
/// * `IORING_TIMEOUT_BOOTTIME`, `IORING_TIMEOUT_REALTIME`: by that clock instead of `CLOCK_MONOTONIC` (Linux 5.15).
/// * `IORING_TIMEOUT_IMMEDIATE_ARG`: `ts` is no pointer but the nanoseconds themselves (7.1).
/// * `IORING_LINK_TIMEOUT_UPDATE`: it is one of io_uring_prep_link_timeout() (5.14).
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EALREADY`: the timeout is completing just now.
/// * `-EINVAL`: unknown flags, two clocks, or a time that is negative or has too many nanoseconds.
/// * `-EFAULT`: `ts` is no valid address.
/// * `-ENOENT`: there is no timeout with that user data.
///
/// # Kernel
///
/// 5.11.
///
/// # See also
///
/// io_uring_prep_timeout(), io_uring_prep_link_timeout().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The time stays valid until the request is submitted; on
/// kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_timeout_update(
    sqe: *mut io_uring_sqe,
    ts: *const __kernel_timespec,
    user_data: __u64,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_TIMEOUT_REMOVE,
            -1,
            address(ts),
            user_data,
            0,
            flags | IORING_TIMEOUT_UPDATE,
        )
    }
}

/// Prepares to cancel the request before if it takes too long.
///
/// The request before has `IOSQE_IO_LINK` or `IOSQE_IO_HARDLINK` and is submitted in the same call. If it has not
/// completed when `ts` is over, it is cancelled. The time begins when that request starts. Both post a CQE. `flags`:
///
/// * `IORING_TIMEOUT_ABS`: the time is a point in time, not a distance from now.
/// * `IORING_TIMEOUT_BOOTTIME`, `IORING_TIMEOUT_REALTIME`: by that clock instead of `CLOCK_MONOTONIC` (Linux 5.15).
/// * `IORING_TIMEOUT_IMMEDIATE_ARG`: `ts` is no pointer but the nanoseconds themselves (7.1).
///
/// # Return value
///
/// None. In `res` of the CQE: `-ECANCELED` when the request before completed in time, `-ETIME` when it was cancelled;
/// or another negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-ETIME`: the time was over and the request before was cancelled.
/// * `-EALREADY`: the time was over, but the request before could no longer be cancelled.
/// * `-ECANCELED`: the request before completed in time.
/// * `-ENOENT`: the request before was gone when the time was over.
/// * `-EINVAL`: unknown flags, two clocks, or a time that is negative or has too many nanoseconds.
/// * `-EFAULT`: `ts` is no valid address.
///
/// # Kernel
///
/// 5.5.
///
/// # See also
///
/// io_uring_prep_timeout(), io_uring_sqe_set_flags().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The time stays valid until the request is submitted; on
/// kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_link_timeout(
    sqe: *mut io_uring_sqe,
    ts: *const __kernel_timespec,
    flags: c_uint,
) {
    unsafe { fill_flags(sqe, IORING_OP_LINK_TIMEOUT, -1, 0, address(ts), 1, flags) }
}
