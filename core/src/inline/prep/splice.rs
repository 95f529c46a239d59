//! Requests that move data between descriptors inside the kernel.

use core::ffi::{c_int, c_uint};

use super::fill_flags;
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;

/// Prepares to move data from one descriptor to another, as `splice(2)` does.
///
/// At least one of the two is a pipe. An offset is in bytes; it is -1 for a pipe, and for a file whose own position is
/// to be used and moved.
///
/// `splice_flags` are `SPLICE_F_*`; with `SPLICE_F_FD_IN_FIXED`, `fd_in` is a slot of the registered files.
/// `IOSQE_FIXED_FILE` says the same of `fd_out`.
///
/// To send a file to a socket, splice it into a pipe and the pipe into the socket, linked by `IOSQE_IO_LINK`.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes moved, which may be fewer than asked for; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: one of the descriptors is not open.
/// * `-EINVAL`: neither is a pipe, one cannot be spliced, an offset was given for a pipe, or unknown flags.
/// * Those of `splice(2)`.
///
/// # Kernel
///
/// 5.7.
///
/// # See also
///
/// io_uring_prep_tee(), splice(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_splice(
    sqe: *mut io_uring_sqe,
    fd_in: c_int,
    off_in: i64,
    fd_out: c_int,
    off_out: i64,
    nbytes: c_uint,
    splice_flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_SPLICE,
            fd_out,
            off_out as u64,
            off_in as u64,
            nbytes,
            splice_flags,
        );
        (*sqe).__anon5.splice_fd_in = fd_in;
    }
}

/// Prepares to copy data from one pipe to another, as `tee(2)` does.
///
/// The data stay in the first pipe. `splice_flags` are as for io_uring_prep_splice().
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes copied, which may be fewer than asked for; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: one of the descriptors is not open.
/// * `-EINVAL`: one of them is no pipe, both are the same pipe, or unknown flags.
/// * Those of `tee(2)`.
///
/// # Kernel
///
/// 5.8.
///
/// # See also
///
/// io_uring_prep_splice(), tee(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_tee(
    sqe: *mut io_uring_sqe,
    fd_in: c_int,
    fd_out: c_int,
    nbytes: c_uint,
    splice_flags: c_uint,
) {
    unsafe {
        fill_flags(sqe, IORING_OP_TEE, fd_out, 0, 0, nbytes, splice_flags);
        (*sqe).__anon5.splice_fd_in = fd_in;
    }
}
