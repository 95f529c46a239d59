//! Requests that send.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use super::{address, fill_flags, set_buffer, transfer_len};
use crate::abi::op::*;
use crate::abi::request::{IORING_RECVSEND_BUNDLE, IORING_RECVSEND_FIXED_BUF};
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to send, as `send(2)` does.
///
/// `flags` are `MSG_*`. A `len` of more than 0x7ffff000 bytes stands for that many: no request transfers more, as no
/// `send(2)` does.
///
/// With `MSG_WAITALL` the kernel itself sends the rest after a short send, on stream sockets (Linux 5.19).
/// `MSG_NOSIGNAL` is not needed: a request that sends raises no `SIGPIPE`. io_uring_prep_write() does.
///
/// Several sends to one socket may be carried out in any order. Have one in flight, or link them:
/// io_uring_linked_requests(7).
///
/// In `ioprio` of the SQE, afterwards: `IORING_RECVSEND_POLL_FIRST` does not try before the socket is ready (Linux
/// 5.19).
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent, which may be fewer than asked for unless `MSG_WAITALL` is among
/// the flags; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * Those of `send(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_sendto(), io_uring_prep_send_zc(), io_uring_prep_send_bundle(), send(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The data stay valid and unchanged until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_send(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_SEND,
            sockfd,
            0,
            address(buf),
            transfer_len(len),
            flags as u32,
        )
    }
}

/// Prepares to send several provided buffers at once.
///
/// Takes buffers of a buffer ring, one after the other, up to `len` bytes, or all that are there if `len` is 0. Set the
/// group by io_uring_sqe_set_buf_group() and the flag `IOSQE_BUFFER_SELECT` afterwards.
///
/// The CQE's flags hold the number of the first buffer; those after it are the ones that follow in the ring, as far as
/// the bytes in `res` reach. `IORING_CQE_F_MORE` says that another CQE will follow.
///
/// The flag is added to `ioprio`, which must be 0 before, as io_uring_get_sqe() leaves it.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent from all buffers together, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * `-ENOBUFS`: the group has no buffer.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `send(2)`.
///
/// # Kernel
///
/// 6.10, on rings with `IORING_FEAT_RECVSEND_BUNDLE`.
///
/// # See also
///
/// io_uring_setup_buf_ring(), io_uring_prep_send().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers of the group stay valid until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_send_bundle(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    len: usize,
    flags: c_int,
) {
    unsafe {
        io_uring_prep_send(sqe, sockfd, ptr::null(), len, flags);
        (*sqe).ioprio |= IORING_RECVSEND_BUNDLE as u16;
    }
}

/// Gives a send request a destination.
///
/// For requests prepared by io_uring_prep_send() (Linux 6.1) and io_uring_prep_send_zc() (6.0), after that call.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_prep_sendto(), io_uring_prep_send_zc().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The address stays valid until the request is submitted.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_send_set_addr(
    sqe: *mut io_uring_sqe,
    dest_addr: *const sockaddr,
    addr_len: __u16,
) {
    unsafe {
        (*sqe).__anon1.addr2 = address(dest_addr);
        (*sqe).__anon5.__anon1.addr_len = addr_len;
    }
}

/// Prepares to send to an address, as `sendto(2)` does.
///
/// As io_uring_prep_send() and io_uring_prep_send_set_addr(). Only the lower 16 bits of `addrlen` are used.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent, which may be fewer than asked for unless `MSG_WAITALL` is among
/// the flags; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * `-EINVAL`: the kernel is older than 6.1.
/// * Those of `sendto(2)`.
///
/// # Kernel
///
/// 6.1.
///
/// # See also
///
/// io_uring_prep_send(), io_uring_prep_send_set_addr(), sendto(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The data stay valid and unchanged until the request completes.
/// The address stays valid until the request is submitted.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_sendto(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) {
    unsafe {
        io_uring_prep_send(sqe, sockfd, buf, len, flags);
        io_uring_prep_send_set_addr(sqe, addr, addrlen as u16);
    }
}

/// Prepares to send without copying the data.
///
/// Two CQEs are posted. The first has the result; if `IORING_CQE_F_MORE` is set in its flags, a second one follows,
/// with `IORING_CQE_F_NOTIF` in its flags: until then the kernel reads the data, which must not change.
///
/// `flags` are `MSG_*`, and `len` is as for io_uring_prep_send(). `zc_flags` are `IORING_RECVSEND_POLL_FIRST`,
/// `IORING_RECVSEND_FIXED_BUF` and `IORING_SEND_ZC_REPORT_USAGE`: with the last, `res` of the second CQE is
/// `IORING_NOTIF_USAGE_ZC_COPIED` if the data were copied after all (Linux 6.2). They replace what `ioprio` held.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent, which may be fewer than asked for unless `MSG_WAITALL` is among
/// the flags; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * `-EOPNOTSUPP`: the protocol cannot send without copying.
/// * `-ENOMEM`: the kernel is out of memory, or `len` exceeds `RLIMIT_MEMLOCK` and the user lacks `CAP_IPC_LOCK`.
/// * Those of `send(2)`.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_prep_send_zc_fixed(), io_uring_prep_sendmsg_zc(), io_uring_prep_send_set_addr().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The data stay valid and unchanged until the CQE with
/// `IORING_CQE_F_NOTIF`, or the first one without `IORING_CQE_F_MORE`.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_send_zc(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    zc_flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_SEND_ZC,
            sockfd,
            0,
            address(buf),
            transfer_len(len),
            flags as u32,
        );
        (*sqe).ioprio = zc_flags as u16;
    }
}

/// Prepares to send from registered buffer `buf_index` without copying the data.
///
/// As io_uring_prep_send_zc(). The data lie inside the registered buffer.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent, which may be fewer than asked for unless `MSG_WAITALL` is among
/// the flags; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * `-EFAULT`: the range is not inside the registered buffer, or there is no buffer of that number.
/// * `-EOPNOTSUPP`: the protocol cannot send without copying.
/// * Those of `send(2)`.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_prep_send_zc(), io_uring_register_buffers().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The data stay valid and unchanged until the CQE with
/// `IORING_CQE_F_NOTIF`, or the first one without `IORING_CQE_F_MORE`.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_send_zc_fixed(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    zc_flags: c_uint,
    buf_index: c_uint,
) {
    unsafe {
        io_uring_prep_send_zc(
            sqe,
            sockfd,
            buf,
            len,
            flags,
            zc_flags | IORING_RECVSEND_FIXED_BUF,
        );
        set_buffer(sqe, buf_index as u16);
    }
}

/// Prepares to send a message, as `sendmsg(2)` does.
///
/// `flags` are `MSG_*`.
///
/// In `ioprio` of the SQE, afterwards: `IORING_RECVSEND_POLL_FIRST` does not try before the socket is ready (Linux
/// 5.19).
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent, which may be fewer than asked for unless `MSG_WAITALL` is among
/// the flags; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * Those of `sendmsg(2)`.
///
/// # Kernel
///
/// 5.3.
///
/// # See also
///
/// io_uring_prep_sendmsg_zc(), io_uring_prep_recvmsg(), sendmsg(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. `msg` and its parts stay valid until the request is submitted,
/// the data until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_sendmsg(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *const msghdr,
    flags: c_uint,
) {
    unsafe { fill_flags(sqe, IORING_OP_SENDMSG, fd, 0, address(msg), 1, flags) }
}

/// Prepares to send a message without copying the data.
///
/// Two CQEs are posted. The first has the result; if `IORING_CQE_F_MORE` is set in its flags, a second one follows,
/// with `IORING_CQE_F_NOTIF` in its flags: until then the kernel reads the data, which must not change.
///
/// `flags` are `MSG_*`. The flags that io_uring_prep_send_zc() takes can be set in `ioprio` afterwards.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent, which may be fewer than asked for unless `MSG_WAITALL` is among
/// the flags; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * `-EOPNOTSUPP`: the protocol cannot send without copying.
/// * `-ENOMEM`: the kernel is out of memory.
/// * Those of `sendmsg(2)`.
///
/// # Kernel
///
/// 6.1.
///
/// # See also
///
/// io_uring_prep_send_zc(), io_uring_prep_sendmsg().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The data stay valid and unchanged until the CQE with
/// `IORING_CQE_F_NOTIF`, or the first one without `IORING_CQE_F_MORE`. `msg` and its other parts stay valid until the
/// request is submitted.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_sendmsg_zc(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *const msghdr,
    flags: c_uint,
) {
    unsafe { fill_flags(sqe, IORING_OP_SENDMSG_ZC, fd, 0, address(msg), 1, flags) }
}

/// Prepares to send a message from registered buffer `buf_index` without copying the data.
///
/// As io_uring_prep_sendmsg_zc(). All parts of the data lie inside the registered buffer. The flag is added to
/// `ioprio`.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes sent, which may be fewer than asked for unless `MSG_WAITALL` is among
/// the flags; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EPIPE`: the connection has been closed.
/// * `-EFAULT`: a part is not inside the registered buffer, or there is no buffer of that number.
/// * `-EOPNOTSUPP`: the protocol cannot send without copying.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `sendmsg(2)`.
///
/// # Kernel
///
/// 6.15.
///
/// # See also
///
/// io_uring_prep_sendmsg_zc(), io_uring_register_buffers().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The data stay valid and unchanged until the CQE with
/// `IORING_CQE_F_NOTIF`, or the first one without `IORING_CQE_F_MORE`. `msg` and its other parts stay valid until the
/// request is submitted.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_sendmsg_zc_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *const msghdr,
    flags: c_uint,
    buf_index: c_uint,
) {
    unsafe {
        io_uring_prep_sendmsg_zc(sqe, fd, msg, flags);
        (*sqe).ioprio |= IORING_RECVSEND_FIXED_BUF as u16;
        set_buffer(sqe, buf_index as u16);
    }
}
