//! Requests that open and close files.

use core::ffi::{c_char, c_int, c_uint};

use super::{AT_FDCWD, address, fill, fill_flags, set_direct};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to open a file, as `openat(2)` does.
///
/// `flags` are `O_*`, `mode` the permissions of a file that is created.
///
/// # Return value
///
/// None. In `res` of the CQE: the new descriptor, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `openat(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_openat_direct(), io_uring_prep_openat2(), io_uring_prep_close().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_openat(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_OPENAT,
            dfd,
            0,
            address(path),
            mode,
            flags as u32,
        )
    }
}

/// Prepares to open a file straight into the registered files, as `openat(2)` does.
///
/// As io_uring_prep_openat(), but no descriptor is made. `file_index` is a slot of the registered files, from 0; a file
/// that is there is closed first. `IORING_FILE_INDEX_ALLOC` picks a free slot, within the range that
/// io_uring_register_file_alloc_range() set (Linux 5.19). Other requests use the file by its slot and
/// `IOSQE_FIXED_FILE`.
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
/// * Those of `openat(2)`.
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
/// io_uring_register_files_sparse(), io_uring_prep_openat(), io_uring_prep_close_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_openat_direct(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
    file_index: c_uint,
) {
    unsafe {
        io_uring_prep_openat(sqe, dfd, path, flags, mode);
        set_direct(sqe, file_index);
    }
}

/// Prepares to open a file, as `open(2)` does.
///
/// io_uring_prep_openat() from the working directory.
///
/// # Return value
///
/// None. In `res` of the CQE: the new descriptor, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `open(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_openat(), io_uring_prep_open_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_open(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) {
    unsafe { io_uring_prep_openat(sqe, AT_FDCWD, path, flags, mode) }
}

/// Prepares to open a file straight into the registered files, as `open(2)` does.
///
/// io_uring_prep_openat_direct() from the working directory.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or with `IORING_FILE_INDEX_ALLOC` the slot; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `open(2)`.
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
/// io_uring_prep_openat_direct(), io_uring_prep_open().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string that stays valid until the request is
/// submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_open_direct(
    sqe: *mut io_uring_sqe,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
    file_index: c_uint,
) {
    unsafe { io_uring_prep_openat_direct(sqe, AT_FDCWD, path, flags, mode, file_index) }
}

/// Prepares to open a file, as `openat2(2)` does.
///
/// `how` holds flags, permissions and how the path is resolved.
///
/// # Return value
///
/// None. In `res` of the CQE: the new descriptor, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `openat2(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_openat(), io_uring_prep_openat2_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string; it and `how` stay valid until the
/// request is submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_openat2(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    how: *const open_how,
) {
    unsafe {
        fill(
            sqe,
            IORING_OP_OPENAT2,
            dfd,
            address(how),
            address(path),
            size_of::<open_how>() as u32,
        )
    }
}

/// Prepares to open a file straight into the registered files, as `openat2(2)` does.
///
/// As io_uring_prep_openat2(), but no descriptor is made. `file_index` is a slot of the registered files, from 0; a
/// file that is there is closed first. `IORING_FILE_INDEX_ALLOC` picks a free slot, within the range that
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
/// * Those of `openat2(2)`.
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
/// io_uring_prep_openat2(), io_uring_prep_openat_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The path is a string; it and `how` stay valid until the
/// request is submitted; on kernels without `IORING_FEAT_SUBMIT_STABLE`, until it completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_openat2_direct(
    sqe: *mut io_uring_sqe,
    dfd: c_int,
    path: *const c_char,
    how: *const open_how,
    file_index: c_uint,
) {
    unsafe {
        io_uring_prep_openat2(sqe, dfd, path, how);
        set_direct(sqe, file_index);
    }
}

/// Prepares to close a descriptor, as `close(2)` does.
///
/// Requests that were submitted keep the file open until they complete. One that is only prepared does not: it
/// completes with `-EBADF`, or acts on the next file that gets this number.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not open, or is that of a ring.
/// * Those of `close(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_close_direct(), io_uring_prep_openat().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_close(sqe: *mut io_uring_sqe, fd: c_int) {
    unsafe { fill(sqe, IORING_OP_CLOSE, fd, 0, 0, 0) }
}

/// Prepares to empty a slot of the registered files.
///
/// The file is closed once nothing uses it.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: the slot is empty.
/// * `-EINVAL`: `file_index` is beyond the table.
/// * `-ENXIO`: no files are registered.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_prep_close(), io_uring_prep_openat_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_close_direct(sqe: *mut io_uring_sqe, file_index: c_uint) {
    unsafe {
        io_uring_prep_close(sqe, 0);
        // No slot is picked for closing: the number counts from 1, without exception.
        (*sqe).__anon5.file_index = file_index.wrapping_add(1);
    }
}
