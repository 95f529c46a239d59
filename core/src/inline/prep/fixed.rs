//! Requests that read and write with registered buffers.

use core::ffi::{c_int, c_uint, c_void};

use super::{address, fill, fill_flags, set_buffer};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to read into registered buffer `buf_index`.
///
/// The range lies inside one of the buffers that io_uring_register_buffers() registered; the kernel does not have to
/// look its pages up for each request.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes read, which may be fewer than asked for and is 0 at the end of the
/// file; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EAGAIN`: the file has `O_NONBLOCK`, or the request `RWF_NOWAIT`, and it would have to wait.
/// * `-EOPNOTSUPP`: the file cannot do this; with `IORING_SETUP_IOPOLL`, its device has no polling or it was opened
///   without `O_DIRECT`.
/// * Those of `pread(2)`.
/// * `-EFAULT`: the range is not inside the registered buffer, or there is no buffer of that number.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_register_buffers(), io_uring_prep_write_fixed(), io_uring_prep_readv_fixed().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffer stays valid and is not touched until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_read_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *mut c_void,
    nbytes: c_uint,
    offset: __u64,
    buf_index: c_int,
) {
    unsafe {
        fill(sqe, IORING_OP_READ_FIXED, fd, offset, address(buf), nbytes);
        set_buffer(sqe, buf_index as u16);
    }
}

/// Prepares to write from registered buffer `buf_index`.
///
/// The range lies inside one of the buffers that io_uring_register_buffers() registered; the kernel does not have to
/// look its pages up for each request.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes written, which may be fewer than asked for; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EAGAIN`: the file has `O_NONBLOCK`, or the request `RWF_NOWAIT`, and it would have to wait.
/// * `-EOPNOTSUPP`: the file cannot do this; with `IORING_SETUP_IOPOLL`, its device has no polling or it was opened
///   without `O_DIRECT`.
/// * Those of `pwrite(2)`.
/// * `-EFAULT`: the range is not inside the registered buffer, or there is no buffer of that number.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_register_buffers(), io_uring_prep_read_fixed(), io_uring_prep_writev_fixed().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffer stays valid and unchanged until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_write_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *const c_void,
    nbytes: c_uint,
    offset: __u64,
    buf_index: c_int,
) {
    unsafe {
        fill(sqe, IORING_OP_WRITE_FIXED, fd, offset, address(buf), nbytes);
        set_buffer(sqe, buf_index as u16);
    }
}

/// Prepares to read into several parts of registered buffer `buf_index`.
///
/// The parts lie inside one of the buffers that io_uring_register_buffers() registered; the kernel does not have to
/// look its pages up for each request.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// `flags` are `RWF_*`: `RWF_HIPRI`, `RWF_DSYNC`, `RWF_SYNC`, `RWF_NOWAIT`, `RWF_APPEND`.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes read, which may be fewer than asked for and is 0 at the end of the
/// file; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EAGAIN`: the file has `O_NONBLOCK`, or the request `RWF_NOWAIT`, and it would have to wait.
/// * `-EOPNOTSUPP`: the file cannot do this; with `IORING_SETUP_IOPOLL`, its device has no polling or it was opened
///   without `O_DIRECT`.
/// * Those of `preadv2(2)`.
/// * `-EFAULT`: the range is not inside the registered buffer, or there is no buffer of that number.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
///
/// # Kernel
///
/// 6.15.
///
/// # See also
///
/// io_uring_register_buffers(), io_uring_prep_read_fixed(), io_uring_prep_writev_fixed().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffer stays valid and is not touched until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_readv_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
    buf_index: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_READV_FIXED,
            fd,
            offset,
            address(iovecs),
            nr_vecs,
            flags as u32,
        );
        set_buffer(sqe, buf_index as u16);
    }
}

/// Prepares to write from several parts of registered buffer `buf_index`.
///
/// The parts lie inside one of the buffers that io_uring_register_buffers() registered; the kernel does not have to
/// look its pages up for each request.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// `flags` are `RWF_*`: `RWF_HIPRI`, `RWF_DSYNC`, `RWF_SYNC`, `RWF_NOWAIT`, `RWF_APPEND`.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of bytes written, which may be fewer than asked for; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EAGAIN`: the file has `O_NONBLOCK`, or the request `RWF_NOWAIT`, and it would have to wait.
/// * `-EOPNOTSUPP`: the file cannot do this; with `IORING_SETUP_IOPOLL`, its device has no polling or it was opened
///   without `O_DIRECT`.
/// * Those of `pwritev2(2)`.
/// * `-EFAULT`: the range is not inside the registered buffer, or there is no buffer of that number.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
///
/// # Kernel
///
/// 6.15.
///
/// # See also
///
/// io_uring_register_buffers(), io_uring_prep_write_fixed(), io_uring_prep_readv_fixed().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffer stays valid and unchanged until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_writev_fixed(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
    buf_index: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_WRITEV_FIXED,
            fd,
            offset,
            address(iovecs),
            nr_vecs,
            flags as u32,
        );
        set_buffer(sqe, buf_index as u16);
    }
}
