//! Requests on sockets.

use core::ffi::{c_int, c_uint, c_void};

use uring_core::abi::net::io_uring_recvmsg_out;
use uring_core::abi::sqe::io_uring_sqe;
use uring_core::abi::types::{__u16, cmsghdr, msghdr, sockaddr, socklen_t};
use uring_core::inline::prep::{accept, recv, recvmsg, send, socket};

/// See [`uring_core::inline::prep::socket::prep_socket`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_socket(
    sqe: *mut io_uring_sqe,
    domain: c_int,
    r#type: c_int,
    protocol: c_int,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { socket::prep_socket(sqe, domain, r#type, protocol, flags) }
}

/// See [`uring_core::inline::prep::socket::prep_socket_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_socket_direct(
    sqe: *mut io_uring_sqe,
    domain: c_int,
    r#type: c_int,
    protocol: c_int,
    file_index: c_uint,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { socket::prep_socket_direct(sqe, domain, r#type, protocol, file_index, flags) }
}

/// See [`uring_core::inline::prep::socket::prep_socket_direct_alloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_socket_direct_alloc(
    sqe: *mut io_uring_sqe,
    domain: c_int,
    r#type: c_int,
    protocol: c_int,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { socket::prep_socket_direct_alloc(sqe, domain, r#type, protocol, flags) }
}

/// See [`uring_core::inline::prep::socket::prep_bind`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_bind(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) {
    // SAFETY: passed on to the caller.
    unsafe { socket::prep_bind(sqe, fd, addr, addrlen) }
}

/// See [`uring_core::inline::prep::socket::prep_listen`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_listen(sqe: *mut io_uring_sqe, fd: c_int, backlog: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { socket::prep_listen(sqe, fd, backlog) }
}

/// See [`uring_core::inline::prep::socket::prep_connect`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_connect(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) {
    // SAFETY: passed on to the caller.
    unsafe { socket::prep_connect(sqe, fd, addr, addrlen) }
}

/// See [`uring_core::inline::prep::socket::prep_shutdown`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_shutdown(sqe: *mut io_uring_sqe, fd: c_int, how: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { socket::prep_shutdown(sqe, fd, how) }
}

/// See [`uring_core::inline::prep::accept::prep_accept`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_accept(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { accept::prep_accept(sqe, fd, addr, addrlen, flags) }
}

/// See [`uring_core::inline::prep::accept::prep_accept_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_accept_direct(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
    file_index: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { accept::prep_accept_direct(sqe, fd, addr, addrlen, flags, file_index) }
}

/// See [`uring_core::inline::prep::accept::prep_multishot_accept`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_multishot_accept(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { accept::prep_multishot_accept(sqe, fd, addr, addrlen, flags) }
}

/// See [`uring_core::inline::prep::accept::prep_multishot_accept_direct`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_multishot_accept_direct(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { accept::prep_multishot_accept_direct(sqe, fd, addr, addrlen, flags) }
}

/// See [`uring_core::inline::prep::send::prep_send`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_send(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_send(sqe, sockfd, buf, len, flags) }
}

/// See [`uring_core::inline::prep::send::prep_send_bundle`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_send_bundle(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    len: usize,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_send_bundle(sqe, sockfd, len, flags) }
}

/// See [`uring_core::inline::prep::send::prep_send_set_addr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_send_set_addr(
    sqe: *mut io_uring_sqe,
    dest_addr: *const sockaddr,
    addr_len: __u16,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_send_set_addr(sqe, dest_addr, addr_len) }
}

/// See [`uring_core::inline::prep::send::prep_sendto`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_sendto(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_sendto(sqe, sockfd, buf, len, flags, addr, addrlen) }
}

/// See [`uring_core::inline::prep::send::prep_send_zc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_send_zc(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    zc_flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_send_zc(sqe, sockfd, buf, len, flags, zc_flags) }
}

/// See [`uring_core::inline::prep::send::prep_send_zc_fixed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_send_zc_fixed(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    zc_flags: c_uint,
    buf_index: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_send_zc_fixed(sqe, sockfd, buf, len, flags, zc_flags, buf_index) }
}

/// See [`uring_core::inline::prep::send::prep_sendmsg`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_sendmsg(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *const msghdr,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_sendmsg(sqe, fd, msg, flags) }
}

/// See [`uring_core::inline::prep::send::prep_sendmsg_zc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_sendmsg_zc(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *const msghdr,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_sendmsg_zc(sqe, fd, msg, flags) }
}

/// See [`uring_core::inline::prep::send::prep_sendmsg_zc_fixed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_sendmsg_zc_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *const msghdr,
    flags: c_uint,
    buf_index: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { send::prep_sendmsg_zc_fixed(sqe, fd, msg, flags, buf_index) }
}

/// See [`uring_core::inline::prep::recv::prep_recv`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_recv(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { recv::prep_recv(sqe, sockfd, buf, len, flags) }
}

/// See [`uring_core::inline::prep::recv::prep_recv_multishot`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_recv_multishot(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { recv::prep_recv_multishot(sqe, sockfd, buf, len, flags) }
}

/// See [`uring_core::inline::prep::recv::prep_recvmsg`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_recvmsg(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *mut msghdr,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { recv::prep_recvmsg(sqe, fd, msg, flags) }
}

/// See [`uring_core::inline::prep::recv::prep_recvmsg_multishot`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_prep_recvmsg_multishot(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *mut msghdr,
    flags: c_uint,
) {
    // SAFETY: passed on to the caller.
    unsafe { recv::prep_recvmsg_multishot(sqe, fd, msg, flags) }
}

/// See [`uring_core::inline::prep::recvmsg::recvmsg_validate`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_recvmsg_validate(
    buf: *mut c_void,
    buf_len: c_int,
    msgh: *mut msghdr,
) -> *mut io_uring_recvmsg_out {
    // SAFETY: passed on to the caller.
    unsafe { recvmsg::recvmsg_validate(buf, buf_len, msgh) }
}

/// See [`uring_core::inline::prep::recvmsg::recvmsg_name`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_recvmsg_name(o: *mut io_uring_recvmsg_out) -> *mut c_void {
    // SAFETY: passed on to the caller.
    unsafe { recvmsg::recvmsg_name(o) }
}

/// See [`uring_core::inline::prep::recvmsg::recvmsg_cmsg_firsthdr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_recvmsg_cmsg_firsthdr(
    o: *mut io_uring_recvmsg_out,
    msgh: *mut msghdr,
) -> *mut cmsghdr {
    // SAFETY: passed on to the caller.
    unsafe { recvmsg::recvmsg_cmsg_firsthdr(o, msgh) }
}

/// See [`uring_core::inline::prep::recvmsg::recvmsg_cmsg_nexthdr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_recvmsg_cmsg_nexthdr(
    o: *mut io_uring_recvmsg_out,
    msgh: *mut msghdr,
    cmsg: *mut cmsghdr,
) -> *mut cmsghdr {
    // SAFETY: passed on to the caller.
    unsafe { recvmsg::recvmsg_cmsg_nexthdr(o, msgh, cmsg) }
}

/// See [`uring_core::inline::prep::recvmsg::recvmsg_payload`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_recvmsg_payload(
    o: *mut io_uring_recvmsg_out,
    msgh: *mut msghdr,
) -> *mut c_void {
    // SAFETY: passed on to the caller.
    unsafe { recvmsg::recvmsg_payload(o, msgh) }
}

/// See [`uring_core::inline::prep::recvmsg::recvmsg_payload_length`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_recvmsg_payload_length(
    o: *mut io_uring_recvmsg_out,
    buf_len: c_int,
    msgh: *mut msghdr,
) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe { recvmsg::recvmsg_payload_length(o, buf_len, msgh) }
}
