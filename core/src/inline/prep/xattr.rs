//! Requests on extended attributes of files.

use core::ffi::{c_char, c_int, c_uint};

use super::{address, fill_flags, set_addr3};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;

/// Prepares to read an extended attribute of the file at a path, as `getxattr(2)` does.
///
/// `value` has room for `len` bytes; with `len` 0 only the size is asked for.
///
/// # Return value
///
/// None. In `res` of the CQE: the size of the value in bytes, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `getxattr(2)`.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_fgetxattr(), io_uring_prep_setxattr().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Name and path are strings that stay valid until the request is
/// submitted. The value's memory stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_getxattr(
    sqe: *mut io_uring_sqe,
    name: *const c_char,
    value: *mut c_char,
    path: *const c_char,
    len: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_GETXATTR,
            0,
            address(value),
            address(name),
            len,
            0,
        );
        set_addr3(sqe, address(path));
    }
}

/// Prepares to set an extended attribute of the file at a path, as `setxattr(2)` does.
///
/// `value` has `len` bytes. `flags` are `XATTR_CREATE` or `XATTR_REPLACE`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `setxattr(2)`.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_fsetxattr(), io_uring_prep_getxattr().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Name, value and path stay valid until the request is
/// submitted; name and path are strings.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_setxattr(
    sqe: *mut io_uring_sqe,
    name: *const c_char,
    value: *const c_char,
    path: *const c_char,
    flags: c_int,
    len: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_SETXATTR,
            0,
            address(value),
            address(name),
            len,
            flags as u32,
        );
        set_addr3(sqe, address(path));
    }
}

/// Prepares to read an extended attribute of an open file, as `fgetxattr(2)` does.
///
/// As io_uring_prep_getxattr().
///
/// # Return value
///
/// None. In `res` of the CQE: the size of the value in bytes, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * Those of `fgetxattr(2)`.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_getxattr(), io_uring_prep_fsetxattr().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The name is a string that stays valid until the request is
/// submitted. The value's memory stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_fgetxattr(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    name: *const c_char,
    value: *mut c_char,
    len: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_FGETXATTR,
            fd,
            address(value),
            address(name),
            len,
            0,
        )
    }
}

/// Prepares to set an extended attribute of an open file, as `fsetxattr(2)` does.
///
/// As io_uring_prep_setxattr().
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
/// * Those of `fsetxattr(2)`.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_prep_setxattr(), io_uring_prep_fgetxattr().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. Name and value stay valid until the request is submitted; the
/// name is a string.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_fsetxattr(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    name: *const c_char,
    value: *const c_char,
    flags: c_int,
    len: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_FSETXATTR,
            fd,
            address(value),
            address(name),
            len,
            flags as u32,
        )
    }
}
