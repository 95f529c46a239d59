//! Requests that receive.

use core::ffi::{c_int, c_uint, c_void};

use super::{address, fill_flags, transfer_len};
use crate::abi::op::*;
use crate::abi::request::IORING_RECV_MULTISHOT;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to receive, as `recv(2)` does.
///
/// `flags` are `MSG_*`. A `len` of more than 0x7ffff000 bytes stands for that many: no request transfers more, as no
/// `recv(2)` does. With `IOSQE_BUFFER_SELECT` and a group, both set afterwards, `buf` is NULL and the CQE's flags hold
/// the number of the buffer that was used. `len` then limits how much of the buffer is filled; 0 means all of it.
///
/// In `ioprio` of the SQE, afterwards: `IORING_RECVSEND_POLL_FIRST` does not try before the socket is ready (Linux
/// 5.19), `IORING_RECVSEND_BUNDLE` fills several provided buffers at once (6.10).
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes received, 0 when the peer has closed the connection; or a negative
/// errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-ENOBUFS`: the group has no buffer.
/// * Those of `recv(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_recv_multishot(), io_uring_prep_recvmsg(), recv(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffer stays valid and is not touched until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_recv(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_RECV,
            sockfd,
            0,
            address(buf),
            transfer_len(len),
            flags as u32,
        )
    }
}

/// Prepares to receive again and again, each time into a provided buffer.
///
/// `buf` is NULL; `len` is 0: kernels that take another number limit each receive by it, the others refuse it. Set the
/// group by io_uring_sqe_set_buf_group() and the flag `IOSQE_BUFFER_SELECT` afterwards.
///
/// Each piece of data posts a CQE, whose flags hold the number of its buffer. While `IORING_CQE_F_MORE` is set in a
/// CQE's flags, more will follow; after one without it the request is over and must be prepared anew.
/// `IORING_CQE_F_SOCK_NONEMPTY` says that more data were there already.
///
/// The flag is added to `ioprio`, which must be 0 before, as io_uring_get_sqe() leaves it.
///
/// # Return value
///
/// None. In `res` of each CQE: the number of bytes received, 0 when the peer has closed the connection; or a negative
/// errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-ENOBUFS`: the group has no buffer left; provide some and prepare the request anew.
/// * `-EINVAL`: no buffer group, `MSG_WAITALL` among the flags, or the kernel lacks this.
/// * Those of `recv(2)`.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_setup_buf_ring(), io_uring_prep_recv(), io_uring_prep_recvmsg_multishot().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers of the group stay valid while the request is
/// active.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_recv_multishot(
    sqe: *mut io_uring_sqe,
    sockfd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
) {
    unsafe {
        io_uring_prep_recv(sqe, sockfd, buf, len, flags);
        (*sqe).ioprio |= IORING_RECV_MULTISHOT as u16;
    }
}

/// Prepares to receive a message, as `recvmsg(2)` does.
///
/// `flags` are `MSG_*`. The lengths in `msg` and its flags are set when the request completes.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes received, 0 when the peer has closed the connection; or a negative
/// errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-ENOBUFS`: the group has no buffer.
/// * Those of `recvmsg(2)`.
///
/// # Kernel
///
/// 5.3.
///
/// # See also
///
/// io_uring_prep_recvmsg_multishot(), io_uring_prep_sendmsg(), recvmsg(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. `msg` and its parts stay valid and are not touched until the
/// request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_recvmsg(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *mut msghdr,
    flags: c_uint,
) {
    unsafe { fill_flags(sqe, IORING_OP_RECVMSG, fd, 0, address(msg), 1, flags) }
}

/// Prepares to receive messages again and again, each into a provided buffer.
///
/// Of `msg`, only `msg_namelen` and `msg_controllen` count: they say how much room each buffer keeps for the sender's
/// address and for control messages. A buffer then holds a `struct io_uring_recvmsg_out`, the address, the control
/// messages and the payload, which io_uring_recvmsg_validate() and its companions find. Set the group by
/// io_uring_sqe_set_buf_group() and the flag `IOSQE_BUFFER_SELECT` afterwards.
///
/// Each piece of data posts a CQE, whose flags hold the number of its buffer. While `IORING_CQE_F_MORE` is set in a
/// CQE's flags, more will follow; after one without it the request is over and must be prepared anew.
/// `IORING_CQE_F_SOCK_NONEMPTY` says that more data were there already.
///
/// The flag is added to `ioprio`, which must be 0 before, as io_uring_get_sqe() leaves it.
///
/// # Return value
///
/// None. In `res` of each CQE: the number of bytes that were written to the buffer, header and all; or a negative
/// errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EFAULT`: a buffer is too small for header, address and control messages.
/// * `-ENOBUFS`: the group has no buffer left; provide some and prepare the request anew.
/// * `-EINVAL`: no buffer group, `MSG_WAITALL` among the flags, or the kernel lacks this.
/// * Those of `recvmsg(2)`.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_recvmsg_validate(), io_uring_setup_buf_ring(), io_uring_prep_recvmsg().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers of the group stay valid while the request is
/// active, `msg` until it is submitted.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_recvmsg_multishot(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    msg: *mut msghdr,
    flags: c_uint,
) {
    unsafe {
        io_uring_prep_recvmsg(sqe, fd, msg, flags);
        (*sqe).ioprio |= IORING_RECV_MULTISHOT as u16;
    }
}
