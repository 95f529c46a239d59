//! Requests that make sockets and connect them.

use core::ffi::{c_int, c_uint};

use super::{address, fill, fill_flags, set_direct};
use crate::abi::op::*;
use crate::abi::sqe::{IORING_FILE_INDEX_ALLOC, io_uring_sqe};
use crate::abi::types::*;

/// Prepares to make a socket, as `socket(2)` does.
///
/// `flags` has no meaning yet and is 0; `SOCK_CLOEXEC` and `SOCK_NONBLOCK` go with `type`.
///
/// # Return value
///
/// None. In `res` of the CQE: the new descriptor, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `socket(2)`.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_socket_direct(), socket(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_socket(
    sqe: *mut io_uring_sqe,
    domain: c_int,
    r#type: c_int,
    protocol: c_int,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_SOCKET,
            domain,
            r#type as i64 as u64,
            0,
            protocol as u32,
            flags,
        )
    }
}

/// Prepares to make a socket straight in the registered files.
///
/// As io_uring_prep_socket(), but no descriptor is made. `file_index` is a slot of the registered files, from 0; a file
/// that is there is closed first. `IORING_FILE_INDEX_ALLOC` picks a free slot, within the range that
/// io_uring_register_file_alloc_range() set (Linux 5.19).
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or with `IORING_FILE_INDEX_ALLOC` the slot; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `socket(2)`.
/// * `-EINVAL`: `file_index` is beyond the table; or the flags ask for close-on-exec, which such a file does not have.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: no files are registered.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_socket(), io_uring_prep_socket_direct_alloc().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_socket_direct(
    sqe: *mut io_uring_sqe,
    domain: c_int,
    r#type: c_int,
    protocol: c_int,
    file_index: c_uint,
    flags: c_uint,
) {
    unsafe {
        io_uring_prep_socket(sqe, domain, r#type, protocol, flags);
        set_direct(sqe, file_index);
    }
}

/// Prepares to make a socket in a free slot of the registered files.
///
/// As io_uring_prep_socket_direct() with `IORING_FILE_INDEX_ALLOC`.
///
/// # Return value
///
/// None. In `res` of the CQE: the slot, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `socket(2)`.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: no files are registered.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_socket_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_socket_direct_alloc(
    sqe: *mut io_uring_sqe,
    domain: c_int,
    r#type: c_int,
    protocol: c_int,
    flags: c_uint,
) {
    unsafe {
        io_uring_prep_socket_direct(
            sqe,
            domain,
            r#type,
            protocol,
            IORING_FILE_INDEX_ALLOC,
            flags,
        )
    }
}

/// Prepares to give a socket an address, as `bind(2)` does.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `bind(2)`.
///
/// # Kernel
///
/// 6.11.
///
/// # See also
///
/// io_uring_prep_listen(), bind(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The address stays valid until the request is submitted.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_bind(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) {
    unsafe {
        fill(
            sqe,
            IORING_OP_BIND,
            fd,
            u64::from(addrlen),
            address(addr),
            0,
        )
    }
}

/// Prepares to make a socket accept connections, as `listen(2)` does.
///
/// `backlog` is how many connections may wait to be accepted.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `listen(2)`.
///
/// # Kernel
///
/// 6.11.
///
/// # See also
///
/// io_uring_prep_bind(), io_uring_prep_accept(), listen(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_listen(sqe: *mut io_uring_sqe, fd: c_int, backlog: c_int) {
    unsafe { fill(sqe, IORING_OP_LISTEN, fd, 0, 0, backlog as u32) }
}

/// Prepares to connect a socket, as `connect(2)` does.
///
/// Completes when the connection is there or has failed, also on a socket with `O_NONBLOCK`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * Those of `connect(2)`.
///
/// # Kernel
///
/// 5.5.
///
/// # See also
///
/// io_uring_prep_socket(), connect(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The address stays valid until the request is submitted; on
/// kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_connect(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) {
    unsafe {
        fill(
            sqe,
            IORING_OP_CONNECT,
            fd,
            u64::from(addrlen),
            address(addr),
            0,
        )
    }
}

/// Prepares to end one or both directions of a connection, as `shutdown(2)` does.
///
/// `how` is `SHUT_RD`, `SHUT_WR` or `SHUT_RDWR`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * Those of `shutdown(2)`.
///
/// # Kernel
///
/// 5.11.
///
/// # See also
///
/// shutdown(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_shutdown(sqe: *mut io_uring_sqe, fd: c_int, how: c_int) {
    unsafe { fill(sqe, IORING_OP_SHUTDOWN, fd, 0, 0, how as u32) }
}
