//! Provided buffers by request, messages between rings, commands.

use core::ffi::{c_int, c_uint, c_void};

use uring_core::abi::sqe::io_uring_sqe;
use uring_core::abi::types::{__u64, sockaddr, socklen_t};
use uring_core::inline::prep::{buf, cmd, msg_ring};

/// See [`uring_core::inline::prep::buf::prep_provide_buffers`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_provide_buffers(
    sqe: *mut io_uring_sqe,
    addr: *mut c_void,
    len: c_int,
    nr: c_int,
    bgid: c_int,
    bid: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { buf::prep_provide_buffers(sqe, addr, len, nr, bgid, bid) }
}

/// See [`uring_core::inline::prep::buf::prep_remove_buffers`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_remove_buffers(
    sqe: *mut io_uring_sqe,
    nr: c_int,
    bgid: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { buf::prep_remove_buffers(sqe, nr, bgid) }
}

/// See [`uring_core::inline::prep::msg_ring::prep_msg_ring`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_msg_ring(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    len: c_uint,
    data: __u64,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { msg_ring::prep_msg_ring(sqe, fd, len, data, flags) }
}

/// See [`uring_core::inline::prep::msg_ring::prep_msg_ring_cqe_flags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_msg_ring_cqe_flags(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    len: c_uint,
    data: __u64,
    flags: c_uint,
    cqe_flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { msg_ring::prep_msg_ring_cqe_flags(sqe, fd, len, data, flags, cqe_flags) }
}

/// See [`uring_core::inline::prep::msg_ring::prep_msg_ring_fd`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_msg_ring_fd(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    source_fd: c_int,
    target_fd: c_int,
    data: __u64,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { msg_ring::prep_msg_ring_fd(sqe, fd, source_fd, target_fd, data, flags) }
}

/// See [`uring_core::inline::prep::msg_ring::prep_msg_ring_fd_alloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_msg_ring_fd_alloc(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    source_fd: c_int,
    data: __u64,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { msg_ring::prep_msg_ring_fd_alloc(sqe, fd, source_fd, data, flags) }
}

/// See [`uring_core::inline::prep::cmd::prep_uring_cmd`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_uring_cmd(sqe: *mut io_uring_sqe, cmd_op: c_int, fd: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { cmd::prep_uring_cmd(sqe, cmd_op, fd) }
}

/// See [`uring_core::inline::prep::cmd::prep_uring_cmd128`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_uring_cmd128(
    sqe: *mut io_uring_sqe,
    cmd_op: c_int,
    fd: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { cmd::prep_uring_cmd128(sqe, cmd_op, fd) }
}

/// See [`uring_core::inline::prep::cmd::prep_cmd_sock`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_cmd_sock(
    sqe: *mut io_uring_sqe,
    cmd_op: c_int,
    fd: c_int,
    level: c_int,
    optname: c_int,
    optval: *mut c_void,
    optlen: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { cmd::prep_cmd_sock(sqe, cmd_op, fd, level, optname, optval, optlen) }
}

/// See [`uring_core::inline::prep::cmd::prep_cmd_getsockname`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_cmd_getsockname(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    sockaddr: *mut sockaddr,
    sockaddr_len: *mut socklen_t,
    peer: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { cmd::prep_cmd_getsockname(sqe, fd, sockaddr, sockaddr_len, peer) }
}

/// See [`uring_core::inline::prep::cmd::prep_cmd_discard`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_cmd_discard(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    offset: u64,
    nbytes: u64,
) {
    // SAFETY: passed on to the caller.
    unsafe { cmd::prep_cmd_discard(sqe, fd, offset, nbytes) }
}
