//! Requests that wait for a descriptor to become ready.

use core::ffi::{c_int, c_uint};

use super::{address, fill, fill_flags};
use crate::abi::op::*;
use crate::abi::request::IORING_POLL_ADD_MULTI;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Events in the form in which SQEs carry them: on big-endian machines the halves change places, so that kernels which
/// know 16 bits only find the lower ones.
#[inline]
const fn mask(poll_mask: c_uint) -> u32 {
    if cfg!(target_endian = "big") {
        poll_mask.rotate_left(16)
    } else {
        poll_mask
    }
}

/// Prepares to wait until a descriptor is ready, as `poll(2)` does.
///
/// `poll_mask` is `POLL*`, or `EPOLL*` of epoll_ctl(2) such as `EPOLLEXCLUSIVE` (kernels with
/// `IORING_FEAT_POLL_32BITS`). Completes once, and level-triggered: at once if it is ready already.
///
/// # Return value
///
/// None. In `res` of the CQE: the events that happened, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EBADFD`: the file cannot be polled.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_prep_poll_multishot(), io_uring_prep_poll_remove(), poll(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_poll_add(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    poll_mask: c_uint,
) {
    unsafe { fill_flags(sqe, IORING_OP_POLL_ADD, fd, 0, 0, 0, mask(poll_mask)) }
}

/// Prepares to be told each time that a descriptor becomes ready.
///
/// Each time posts a CQE, edge-triggered unless `IORING_POLL_ADD_LEVEL` is added to `len` of the SQE (Linux 6.0). While
/// `IORING_CQE_F_MORE` is set in a CQE's flags, more will follow; after one without it the request is over and must be
/// prepared anew.
///
/// # Return value
///
/// None. In `res` of each CQE: the events that happened, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EBADFD`: the file cannot be polled.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
///
/// # Kernel
///
/// 5.13.
///
/// # See also
///
/// io_uring_prep_poll_add(), io_uring_prep_poll_update(), io_uring_prep_poll_remove().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_poll_multishot(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    poll_mask: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_POLL_ADD,
            fd,
            0,
            0,
            IORING_POLL_ADD_MULTI,
            mask(poll_mask),
        )
    }
}

/// Prepares to cancel a poll request.
///
/// `user_data` is that of the poll request, which completes with `-ECANCELED`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EALREADY`: the poll request is completing just now.
/// * `-ENOENT`: there is no poll request with that user data.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_prep_poll_add(), io_uring_prep_poll_update(), io_uring_prep_cancel64().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_poll_remove(sqe: *mut io_uring_sqe, user_data: __u64) {
    unsafe { fill(sqe, IORING_OP_POLL_REMOVE, -1, 0, user_data, 0) }
}

/// Prepares to change the events or the user data of a poll request.
///
/// `old_user_data` is that of the poll request. `flags` say what to change:
///
/// * `IORING_POLL_UPDATE_EVENTS`: the events, to `poll_mask`. Only its lower 16 bits are used.
/// * `IORING_POLL_UPDATE_USER_DATA`: the user data, to `new_user_data`.
/// * `IORING_POLL_ADD_MULTI`, with the first: it becomes a multishot request.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EALREADY`: the poll request is completing just now.
/// * `-ECANCELED`: the poll request could not be armed with the new events; its own CQE has the reason.
/// * `-EINVAL`: unknown flags.
/// * `-ENOENT`: there is no poll request with that user data.
///
/// # Kernel
///
/// 5.13.
///
/// # See also
///
/// io_uring_prep_poll_add(), io_uring_prep_poll_multishot().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_poll_update(
    sqe: *mut io_uring_sqe,
    old_user_data: __u64,
    new_user_data: __u64,
    poll_mask: c_uint,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_POLL_REMOVE,
            -1,
            new_user_data,
            old_user_data,
            flags,
            mask(poll_mask),
        )
    }
}

/// Prepares to change what an epoll descriptor watches, as `epoll_ctl(2)` does.
///
/// `op` is `EPOLL_CTL_*`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: one of the descriptors is not open.
/// * Those of `epoll_ctl(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_epoll_wait(), epoll_ctl(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The event stays valid until the request is submitted.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_epoll_ctl(
    sqe: *mut io_uring_sqe,
    epfd: c_int,
    fd: c_int,
    op: c_int,
    ev: *const epoll_event,
) {
    unsafe {
        fill(
            sqe,
            IORING_OP_EPOLL_CTL,
            epfd,
            u64::from(fd as u32),
            address(ev),
            op as u32,
        )
    }
}

/// Prepares to collect events of an epoll descriptor, as `epoll_wait(2)` does.
///
/// `fd` is the epoll descriptor. `flags` is 0. A timeout can be linked.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of events in `events`, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `epoll_wait(2)`.
///
/// # Kernel
///
/// 6.15.
///
/// # See also
///
/// io_uring_prep_epoll_ctl(), io_uring_prep_link_timeout(), epoll_wait(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. `events` has room for `maxevents` and stays valid until the
/// request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_epoll_wait(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    events: *mut epoll_event,
    maxevents: c_int,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_EPOLL_WAIT,
            fd,
            0,
            address(events),
            maxevents as u32,
            flags,
        )
    }
}
