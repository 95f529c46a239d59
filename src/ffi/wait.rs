//! Requests that wait, and those that end others.

use core::ffi::{c_int, c_uint, c_void};

use uring_core::abi::sqe::io_uring_sqe;
use uring_core::abi::types::{
    __kernel_timespec, __u64, epoll_event, futex_waitv, id_t, idtype_t, siginfo_t,
};
use uring_core::inline::prep::{cancel, futex, poll, timeout};

/// See [`uring_core::inline::prep::poll::prep_poll_add`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_poll_add(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    poll_mask: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { poll::prep_poll_add(sqe, fd, poll_mask) }
}

/// See [`uring_core::inline::prep::poll::prep_poll_multishot`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_poll_multishot(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    poll_mask: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { poll::prep_poll_multishot(sqe, fd, poll_mask) }
}

/// See [`uring_core::inline::prep::poll::prep_poll_remove`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_poll_remove(sqe: *mut io_uring_sqe, user_data: __u64) {
    // SAFETY: passed on to the caller.
    unsafe { poll::prep_poll_remove(sqe, user_data) }
}

/// See [`uring_core::inline::prep::poll::prep_poll_update`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_poll_update(
    sqe: *mut io_uring_sqe,
    old_user_data: __u64,
    new_user_data: __u64,
    poll_mask: c_uint,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { poll::prep_poll_update(sqe, old_user_data, new_user_data, poll_mask, flags) }
}

/// See [`uring_core::inline::prep::poll::prep_epoll_ctl`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_epoll_ctl(
    sqe: *mut io_uring_sqe,
    epfd: c_int,
    fd: c_int,
    op: c_int,
    ev: *const epoll_event,
) {
    // SAFETY: passed on to the caller.
    unsafe { poll::prep_epoll_ctl(sqe, epfd, fd, op, ev) }
}

/// See [`uring_core::inline::prep::poll::prep_epoll_wait`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_epoll_wait(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    events: *mut epoll_event,
    maxevents: c_int,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { poll::prep_epoll_wait(sqe, fd, events, maxevents, flags) }
}

/// See [`uring_core::inline::prep::timeout::prep_timeout`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_timeout(
    sqe: *mut io_uring_sqe,
    ts: *const __kernel_timespec,
    count: c_uint,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { timeout::prep_timeout(sqe, ts, count, flags) }
}

/// See [`uring_core::inline::prep::timeout::prep_timeout_remove`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_timeout_remove(
    sqe: *mut io_uring_sqe,
    user_data: __u64,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { timeout::prep_timeout_remove(sqe, user_data, flags) }
}

/// See [`uring_core::inline::prep::timeout::prep_timeout_update`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_timeout_update(
    sqe: *mut io_uring_sqe,
    ts: *const __kernel_timespec,
    user_data: __u64,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { timeout::prep_timeout_update(sqe, ts, user_data, flags) }
}

/// See [`uring_core::inline::prep::timeout::prep_link_timeout`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_link_timeout(
    sqe: *mut io_uring_sqe,
    ts: *const __kernel_timespec,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { timeout::prep_link_timeout(sqe, ts, flags) }
}

/// See [`uring_core::inline::prep::cancel::prep_cancel64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_cancel64(
    sqe: *mut io_uring_sqe,
    user_data: __u64,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { cancel::prep_cancel64(sqe, user_data, flags) }
}

/// See [`uring_core::inline::prep::cancel::prep_cancel`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_cancel(
    sqe: *mut io_uring_sqe,
    user_data: *const c_void,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { cancel::prep_cancel(sqe, user_data, flags) }
}

/// See [`uring_core::inline::prep::cancel::prep_cancel_fd`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_cancel_fd(sqe: *mut io_uring_sqe, fd: c_int, flags: c_uint) {
    // SAFETY: passed on to the caller.
    unsafe { cancel::prep_cancel_fd(sqe, fd, flags) }
}

/// See [`uring_core::inline::prep::futex::prep_futex_wait`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_futex_wait(
    sqe: *mut io_uring_sqe,
    futex: *const u32,
    val: u64,
    mask: u64,
    futex_flags: u32,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { futex::prep_futex_wait(sqe, futex, val, mask, futex_flags, flags) }
}

/// See [`uring_core::inline::prep::futex::prep_futex_wake`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_futex_wake(
    sqe: *mut io_uring_sqe,
    futex: *const u32,
    val: u64,
    mask: u64,
    futex_flags: u32,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { futex::prep_futex_wake(sqe, futex, val, mask, futex_flags, flags) }
}

/// See [`uring_core::inline::prep::futex::prep_futex_waitv`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_futex_waitv(
    sqe: *mut io_uring_sqe,
    futex: *const futex_waitv,
    nr_futex: u32,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { futex::prep_futex_waitv(sqe, futex, nr_futex, flags) }
}

/// See [`uring_core::inline::prep::futex::prep_waitid`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_waitid(
    sqe: *mut io_uring_sqe,
    idtype: idtype_t,
    id: id_t,
    infop: *mut siginfo_t,
    options: c_int,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { futex::prep_waitid(sqe, idtype, id, infop, options, flags) }
}
