//! Requests that move files between descriptors and the registered files, and that make pipes.

use core::ffi::{c_int, c_uint};

use super::{address, fill, fill_flags, set_direct};
use crate::abi::op::*;
use crate::abi::sqe::{IOSQE_FIXED_FILE, io_uring_sqe};

/// Prepares to put descriptors into the registered files, from slot `offset` on.
///
/// `fds` holds `nr_fds` descriptors for the slots from `offset` on. -1 empties a slot, `IORING_REGISTER_FILES_SKIP`
/// leaves it as it is. With `offset` `IORING_FILE_INDEX_ALLOC` (Linux 5.19) each descriptor goes to a free slot, and
/// the slot's number takes its place in `fds`.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of slots dealt with, which is smaller than `nr_fds` if an error came after the
/// first; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: an element of `fds` is not an open descriptor.
/// * `-EFAULT`: `fds` is no valid address.
/// * `-EINVAL`: the slots are beyond the table.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: no files are registered.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_register_files(), io_uring_register_files_update().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The array stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_files_update(
    sqe: *mut io_uring_sqe,
    fds: *mut c_int,
    nr_fds: c_uint,
    offset: c_int,
) {
    unsafe {
        fill(
            sqe,
            IORING_OP_FILES_UPDATE,
            -1,
            offset as i64 as u64,
            address(fds),
            nr_fds,
        )
    }
}

/// Prepares to make an ordinary descriptor of a registered file.
///
/// `fd` is the slot. The file stays registered, and each of the two is closed by itself. The descriptor is
/// close-on-exec unless `flags` has `IORING_FIXED_FD_NO_CLOEXEC`. This sets the request's flags to `IOSQE_FIXED_FILE`:
/// set others afterwards, and that one with them.
///
/// # Return value
///
/// None. In `res` of the CQE: the new descriptor, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: the slot is empty, or `IOSQE_FIXED_FILE` was taken away.
/// * `-EINVAL`: unknown flags, or the kernel lacks this request.
/// * `-EMFILE`: no descriptor is free.
/// * `-EPERM`: the request acts under a personality.
///
/// # Kernel
///
/// 6.8.
///
/// # See also
///
/// io_uring_register_files(), io_uring_prep_openat_direct().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_fixed_fd_install(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    flags: c_uint,
) {
    unsafe {
        fill_flags(sqe, IORING_OP_FIXED_FD_INSTALL, fd, 0, 0, 0, flags);
        (*sqe).flags = IOSQE_FIXED_FILE as u8;
    }
}

/// Prepares to make a pipe, as `pipe2(2)` does.
///
/// `fds` receives two descriptors: the end to read from and the end to write to. `pipe_flags` are `O_*`.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `pipe2(2)`.
///
/// # Kernel
///
/// 6.16.
///
/// # See also
///
/// io_uring_prep_pipe_direct(), pipe2(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The array of two stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_pipe(
    sqe: *mut io_uring_sqe,
    fds: *mut c_int,
    pipe_flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_PIPE,
            0,
            0,
            address(fds),
            0,
            pipe_flags as u32,
        )
    }
}

/// Prepares to make a pipe straight in the registered files.
///
/// `fds` receives two slots instead of descriptors. The end to read from goes to slot `file_index` and the end to write
/// to goes to the one after; with `IORING_FILE_INDEX_ALLOC` both go to free slots.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EINVAL`: a slot is beyond the table, or the flags ask for close-on-exec.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: no files are registered.
/// * Those of `pipe2(2)`.
///
/// # Kernel
///
/// 6.16.
///
/// # See also
///
/// io_uring_prep_pipe(), io_uring_register_files_sparse().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The array of two stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_pipe_direct(
    sqe: *mut io_uring_sqe,
    fds: *mut c_int,
    pipe_flags: c_int,
    file_index: c_uint,
) {
    unsafe {
        io_uring_prep_pipe(sqe, fds, pipe_flags);
        set_direct(sqe, file_index);
    }
}
