//! Requests that tell the kernel how a file or memory will be used.

use core::ffi::{c_int, c_void};

use super::{address, fill_flags};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to say how a part of a file will be used, as `posix_fadvise(2)` does.
///
/// `offset` and `len` are in bytes; `len` 0 is the rest of the file. `advice` is `POSIX_FADV_*`.
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
/// * Those of `posix_fadvise(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_fadvise64(), io_uring_prep_madvise().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_fadvise(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    offset: __u64,
    len: __u32,
    advice: c_int,
) {
    unsafe { fill_flags(sqe, IORING_OP_FADVISE, fd, offset, 0, len, advice as u32) }
}

/// Prepares to say how a part of a file will be used, whatever its length.
///
/// As io_uring_prep_fadvise(), with a length of 64 bits. Kernels before 6.11 take it for 0, the rest of the file.
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
/// * Those of `posix_fadvise(2)`.
///
/// # Kernel
///
/// 6.11.
///
/// # See also
///
/// io_uring_prep_fadvise().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_fadvise64(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    offset: __u64,
    len: off_t,
    advice: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_FADVISE,
            fd,
            offset,
            len as u64,
            0,
            advice as u32,
        )
    }
}

/// Prepares to say how a piece of memory will be used, as `madvise(2)` does.
///
/// `addr` is at the start of a page, `length` in bytes. `advice` is `MADV_*`; it may take contents away.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * Those of `madvise(2)`.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_madvise64(), io_uring_prep_fadvise().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The advice takes away no contents that are still needed.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_madvise(
    sqe: *mut io_uring_sqe,
    addr: *mut c_void,
    length: __u32,
    advice: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_MADVISE,
            -1,
            0,
            address(addr),
            length,
            advice as u32,
        )
    }
}

/// Prepares to say how a piece of memory will be used, whatever its length.
///
/// As io_uring_prep_madvise(), with a length of 64 bits. Kernels before 6.11 refuse it.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EINVAL`: the kernel is older than 6.11.
/// * Those of `madvise(2)`.
///
/// # Kernel
///
/// 6.11.
///
/// # See also
///
/// io_uring_prep_madvise().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The advice takes away no contents that are still needed.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_madvise64(
    sqe: *mut io_uring_sqe,
    addr: *mut c_void,
    length: off_t,
    advice: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_MADVISE,
            -1,
            length as u64,
            address(addr),
            0,
            advice as u32,
        )
    }
}
