//! What every request and every CQE has.

use core::ffi::{c_int, c_uint, c_void};

use liburing::abi::cqe::io_uring_cqe;
use liburing::abi::probe::io_uring_probe;
use liburing::abi::sqe::io_uring_sqe;
use liburing::abi::types::__u64;
use liburing::prep::sqe;

/// See [`liburing::prep::sqe::prep_rw`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_rw(
    op: c_int,
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *const c_void,
    len: c_uint,
    offset: __u64,
) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::prep_rw(op, sqe, fd, addr, len, offset) }
}

/// See [`liburing::prep::sqe::prep_nop`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_nop(sqe: *mut io_uring_sqe) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::prep_nop(sqe) }
}

/// See [`liburing::prep::sqe::prep_nop128`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_nop128(sqe: *mut io_uring_sqe) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::prep_nop128(sqe) }
}

/// See [`liburing::prep::sqe::sqe_set_data`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_data(sqe: *mut io_uring_sqe, data: *mut c_void) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_data(sqe, data) }
}

/// See [`liburing::prep::sqe::sqe_set_data64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_data64(sqe: *mut io_uring_sqe, data: __u64) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_data64(sqe, data) }
}

/// See [`liburing::prep::sqe::cqe_get_data`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_get_data(cqe: *const io_uring_cqe) -> *mut c_void {
    // SAFETY: passed on to the caller.
    unsafe { sqe::cqe_get_data(cqe) }
}

/// See [`liburing::prep::sqe::cqe_get_data64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_get_data64(cqe: *const io_uring_cqe) -> __u64 {
    // SAFETY: passed on to the caller.
    unsafe { sqe::cqe_get_data64(cqe) }
}

/// See [`liburing::prep::sqe::sqe_set_flags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_flags(sqe: *mut io_uring_sqe, flags: c_uint) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_flags(sqe, flags) }
}

/// See [`liburing::prep::sqe::sqe_set_buf_group`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_buf_group(sqe: *mut io_uring_sqe, bgid: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_buf_group(sqe, bgid) }
}

/// See [`liburing::prep::sqe::opcode_supported`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_opcode_supported(p: *const io_uring_probe, op: c_int) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { sqe::opcode_supported(p, op) }
}
