//! What every request and every CQE has.

use core::ffi::{c_int, c_uint, c_void};

use uring_core::abi::cqe::io_uring_cqe;
use uring_core::abi::probe::io_uring_probe;
use uring_core::abi::sqe::io_uring_sqe;
use uring_core::abi::types::__u64;
use uring_core::inline::prep::sqe;

/// See [`uring_core::inline::prep::sqe::prep_rw`].
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

/// See [`uring_core::inline::prep::sqe::prep_nop`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_nop(sqe: *mut io_uring_sqe) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::prep_nop(sqe) }
}

/// See [`uring_core::inline::prep::sqe::prep_nop128`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_nop128(sqe: *mut io_uring_sqe) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::prep_nop128(sqe) }
}

/// See [`uring_core::inline::prep::sqe::sqe_set_data`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_data(sqe: *mut io_uring_sqe, data: *mut c_void) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_data(sqe, data) }
}

/// See [`uring_core::inline::prep::sqe::sqe_set_data64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_data64(sqe: *mut io_uring_sqe, data: __u64) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_data64(sqe, data) }
}

/// See [`uring_core::inline::prep::sqe::cqe_get_data`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_get_data(cqe: *const io_uring_cqe) -> *mut c_void {
    // SAFETY: passed on to the caller.
    unsafe { sqe::cqe_get_data(cqe) }
}

/// See [`uring_core::inline::prep::sqe::cqe_get_data64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_get_data64(cqe: *const io_uring_cqe) -> __u64 {
    // SAFETY: passed on to the caller.
    unsafe { sqe::cqe_get_data64(cqe) }
}

/// See [`uring_core::inline::prep::sqe::sqe_set_flags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_flags(sqe: *mut io_uring_sqe, flags: c_uint) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_flags(sqe, flags) }
}

/// See [`uring_core::inline::prep::sqe::sqe_set_buf_group`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqe_set_buf_group(sqe: *mut io_uring_sqe, bgid: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { sqe::sqe_set_buf_group(sqe, bgid) }
}

/// See [`uring_core::inline::prep::sqe::opcode_supported`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_opcode_supported(p: *const io_uring_probe, op: c_int) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { sqe::opcode_supported(p, op) }
}
