//! Requests that give files further names.

use core::ffi::{c_char, c_int};

use super::{AT_FDCWD, address, fill, fill_flags};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;

/// Prepares to make a symbolic link, as `symlinkat(2)` does.
///
/// `linkpath` is the link's name; `target` is what it leads to, which need not exist.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `symlinkat(2)`.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_symlink(), symlinkat(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The paths are strings that stay valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_symlinkat(
    sqe: *mut io_uring_sqe,
    target: *const c_char,
    newdirfd: c_int,
    linkpath: *const c_char,
) {
    unsafe {
        fill(
            sqe,
            IORING_OP_SYMLINKAT,
            newdirfd,
            address(linkpath),
            address(target),
            0,
        )
    }
}

/// Prepares to make a symbolic link, as `symlink(2)` does.
///
/// io_uring_prep_symlinkat() from the working directory.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `symlink(2)`.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_symlinkat().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The paths are strings that stay valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_symlink(
    sqe: *mut io_uring_sqe,
    target: *const c_char,
    linkpath: *const c_char,
) {
    unsafe { io_uring_prep_symlinkat(sqe, target, AT_FDCWD, linkpath) }
}

/// Prepares to give a file another name, as `linkat(2)` does.
///
/// `flags` are `AT_SYMLINK_FOLLOW` and `AT_EMPTY_PATH`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `linkat(2)`.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_link(), linkat(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The paths are strings that stay valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_linkat(
    sqe: *mut io_uring_sqe,
    olddfd: c_int,
    oldpath: *const c_char,
    newdfd: c_int,
    newpath: *const c_char,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_LINKAT,
            olddfd,
            address(newpath),
            address(oldpath),
            newdfd as u32,
            flags as u32,
        )
    }
}

/// Prepares to give a file another name, as `link(2)` does.
///
/// io_uring_prep_linkat() from the working directory.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `link(2)`.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_linkat().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The paths are strings that stay valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_link(
    sqe: *mut io_uring_sqe,
    oldpath: *const c_char,
    newpath: *const c_char,
    flags: c_int,
) {
    unsafe { io_uring_prep_linkat(sqe, AT_FDCWD, oldpath, AT_FDCWD, newpath, flags) }
}
