//! Requests on names in the file system.

use core::ffi::{c_char, c_int, c_uint};

use super::{AT_FDCWD, address, fill, fill_flags};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to ask what is known of a file, as `statx(2)` does.
///
/// `flags` are `AT_*`, `mask` is `STATX_*`. With `AT_EMPTY_PATH` and an empty path, `dfd` is the file.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `statx(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// statx(2), io_uring_prep_openat().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes. `statxbuf` stays valid until the
/// request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_statx(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
    mask: c_uint,
    statxbuf: *mut statx,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_STATX,
            dfd,
            address(statxbuf),
            address(path),
            mask,
            flags as u32,
        )
    }
}

/// Prepares to rename a file, as `renameat2(2)` does.
///
/// `flags` are `RENAME_*`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `renameat2(2)`.
///
/// # Kernel
///
/// 5.11.
///
/// # See also
///
/// io_uring_prep_rename(), renameat2(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The paths are strings that stay valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_renameat(
    sqe: *mut io_uring_sqe,
    olddfd: c_int,
    oldpath: *const c_char,
    newdfd: c_int,
    newpath: *const c_char,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_RENAMEAT,
            olddfd,
            address(newpath),
            address(oldpath),
            newdfd as u32,
            flags,
        )
    }
}

/// Prepares to rename a file, as `rename(2)` does.
///
/// io_uring_prep_renameat() from the working directory, without flags.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `rename(2)`.
///
/// # Kernel
///
/// 5.11.
///
/// # See also
///
/// io_uring_prep_renameat().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The paths are strings that stay valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_rename(
    sqe: *mut io_uring_sqe,
    oldpath: *const c_char,
    newpath: *const c_char,
) {
    unsafe { io_uring_prep_renameat(sqe, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0) }
}

/// Prepares to remove a name, as `unlinkat(2)` does.
///
/// `flags` is 0, or `AT_REMOVEDIR` for a directory.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `unlinkat(2)`.
///
/// # Kernel
///
/// 5.11.
///
/// # See also
///
/// io_uring_prep_unlink(), unlinkat(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_unlinkat(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_UNLINKAT,
            dfd,
            0,
            address(path),
            0,
            flags as u32,
        )
    }
}

/// Prepares to remove a name, as `unlink(2)` does.
///
/// io_uring_prep_unlinkat() from the working directory; with `AT_REMOVEDIR` in `flags`, as `rmdir(2)` does.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `unlink(2)`.
///
/// # Kernel
///
/// 5.11.
///
/// # See also
///
/// io_uring_prep_unlinkat().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_unlink(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    flags: c_int,
) {
    unsafe { io_uring_prep_unlinkat(sqe, AT_FDCWD, path, flags) }
}

/// Prepares to make a directory, as `mkdirat(2)` does.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `mkdirat(2)`.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_mkdir(), mkdirat(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_mkdirat(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    mode: mode_t,
) {
    unsafe { fill(sqe, IORING_OP_MKDIRAT, dfd, 0, address(path), mode) }
}

/// Prepares to make a directory, as `mkdir(2)` does.
///
/// io_uring_prep_mkdirat() from the working directory.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `mkdir(2)`.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_mkdirat().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_mkdir(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    mode: mode_t,
) {
    unsafe { io_uring_prep_mkdirat(sqe, AT_FDCWD, path, mode) }
}
