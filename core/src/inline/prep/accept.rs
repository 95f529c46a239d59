//! Requests that accept connections.

use core::ffi::{c_int, c_uint};

use super::{address, fill_flags, set_direct};
use crate::abi::op::*;
use crate::abi::request::IORING_ACCEPT_MULTISHOT;
use crate::abi::sqe::{IORING_FILE_INDEX_ALLOC, io_uring_sqe};
use crate::abi::types::*;

/// Prepares to accept a connection, as `accept4(2)` does.
///
/// `addr` and `addrlen` receive the peer's address, or are NULL. `*addrlen` must hold the size of the memory at `addr`
/// beforehand. A longer address is cut, and `*addrlen` is its full length afterwards. `flags` are `SOCK_NONBLOCK` and
/// `SOCK_CLOEXEC`.
///
/// In `ioprio` of the SQE, afterwards: `IORING_ACCEPT_DONTWAIT` fails with `-EAGAIN` rather than wait,
/// `IORING_ACCEPT_POLL_FIRST` does not try before the socket is ready (both Linux 6.10).
///
/// # Return value
///
/// None. In `res` of the CQE: the new descriptor, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EINVAL`: the socket does not listen, or unknown flags.
/// * Those of `accept4(2)`.
///
/// # Kernel
///
/// 5.5.
///
/// # See also
///
/// io_uring_prep_accept_direct(), io_uring_prep_multishot_accept(), accept4(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Address and length stay valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_accept(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_ACCEPT,
            fd,
            address(addrlen),
            address(addr),
            0,
            flags as u32,
        )
    }
}

/// Prepares to accept a connection straight into the registered files.
///
/// As io_uring_prep_accept(), but no descriptor is made. `file_index` is a slot of the registered files, from 0; a file
/// that is there is closed first. `IORING_FILE_INDEX_ALLOC` picks a free slot, within the range that
/// io_uring_register_file_alloc_range() set (Linux 5.19).
///
/// Kernels before 5.15 ignore the slot and make an ordinary descriptor.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or with `IORING_FILE_INDEX_ALLOC` the slot; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * Those of `accept4(2)`.
/// * `-EINVAL`: `file_index` is beyond the table; or the flags ask for close-on-exec, which such a file does not have.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: no files are registered.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_accept(), io_uring_prep_multishot_accept_direct(), io_uring_register_files_sparse().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Address and length stay valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_accept_direct(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
    file_index: c_uint,
) {
    unsafe {
        io_uring_prep_accept(sqe, fd, addr, addrlen, flags);
        set_direct(sqe, file_index);
    }
}

/// Prepares to accept connections again and again, each with a CQE of its own.
///
/// Each connection posts a CQE. While `IORING_CQE_F_MORE` is set in a CQE's flags, more will follow; after one without
/// it the request is over and must be prepared anew.
///
/// `addr` is the same for all connections, so a second one may overwrite it before it has been read: NULL is the usual
/// choice, and `getpeername(2)` tells the address.
///
/// The flag is added to `ioprio`, which must be 0 before, as io_uring_get_sqe() leaves it.
///
/// # Return value
///
/// None. In `res` of each CQE: a new descriptor, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `accept4(2)`.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_accept(), io_uring_prep_multishot_accept_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Address and length stay valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_multishot_accept(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) {
    unsafe {
        io_uring_prep_accept(sqe, fd, addr, addrlen, flags);
        (*sqe).ioprio |= IORING_ACCEPT_MULTISHOT as u16;
    }
}

/// Prepares to accept connections again and again, into free slots of the registered files.
///
/// As io_uring_prep_multishot_accept(), but no descriptors are made.
///
/// # Return value
///
/// None. In `res` of each CQE: a slot, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-ENOTSOCK`: the descriptor is not a socket.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: no files are registered.
/// * Those of `accept4(2)`.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_multishot_accept(), io_uring_prep_accept_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Address and length stay valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_multishot_accept_direct(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) {
    unsafe {
        io_uring_prep_multishot_accept(sqe, fd, addr, addrlen, flags);
        (*sqe).__anon5.file_index = IORING_FILE_INDEX_ALLOC;
    }
}
