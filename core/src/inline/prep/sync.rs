//! Requests that bring a file to the disk, or change which part of it exists.

use core::ffi::{c_int, c_uint};

use super::{fill, fill_flags};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to bring a file to the disk, as `fsync(2)` does.
///
/// With `IORING_FSYNC_DATASYNC` in `fsync_flags`, as `fdatasync(2)` does. To sync a part of the file only, set `off`
/// and `len` of the SQE afterwards.
///
/// Requests run in no particular order: writes that must be on the disk as well have to have completed, or be linked
/// before this one, or this one has `IOSQE_IO_DRAIN`.
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
/// * `-EINVAL`: the file cannot be synced, or unknown flags.
/// * `-EIO`, `-ENOSPC`, `-EDQUOT`: data could not be written.
/// * Those of `fsync(2)`.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_prep_sync_file_range(), fsync(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_fsync(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    fsync_flags: c_uint,
) {
    unsafe { fill_flags(sqe, IORING_OP_FSYNC, fd, 0, 0, 0, fsync_flags) }
}

/// Prepares to bring a part of a file to the disk, as `sync_file_range(2)` does.
///
/// `offset` and `len` are in bytes; `len` 0 is the rest of the file. `flags` are `SYNC_FILE_RANGE_*`. Metadata are not
/// written.
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
/// * Those of `sync_file_range(2)`.
///
/// # Kernel
///
/// 5.2.
///
/// # See also
///
/// io_uring_prep_fsync(), sync_file_range(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_sync_file_range(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    len: c_uint,
    offset: __u64,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_SYNC_FILE_RANGE,
            fd,
            offset,
            0,
            len,
            flags as u32,
        )
    }
}

/// Prepares to allocate or free a part of a file, as `fallocate(2)` does.
///
/// `mode` is 0 or `FALLOC_FL_*`; `offset` and `len` are in bytes.
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
/// * Those of `fallocate(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_ftruncate(), fallocate(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_fallocate(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    mode: c_int,
    offset: __u64,
    len: __u64,
) {
    unsafe { fill(sqe, IORING_OP_FALLOCATE, fd, offset, len, mode as u32) }
}

/// Prepares to set the size of an open file, as `ftruncate(2)` does.
///
/// `len` is in bytes. What lies beyond is lost; what is new reads as zeros.
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
/// * `-EINVAL`: `len` is negative, the file is not open for writing or has no size, or the kernel lacks this request.
/// * Those of `ftruncate(2)`.
///
/// # Kernel
///
/// 6.9.
///
/// # See also
///
/// io_uring_prep_fallocate(), ftruncate(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_ftruncate(sqe: *mut io_uring_sqe, fd: c_int, len: loff_t) {
    unsafe { fill(sqe, IORING_OP_FTRUNCATE, fd, len as u64, 0, 0) }
}
