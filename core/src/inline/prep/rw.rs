//! Requests that read and write files, pipes, sockets and devices.

use core::ffi::{c_int, c_uint, c_void};

use super::{address, fill, fill_flags, set_buffer};
use crate::abi::op::*;
use crate::abi::sqe::{IOSQE_BUFFER_SELECT, io_uring_sqe};
use crate::abi::types::*;

/// Prepares to read into a buffer, as `pread(2)` does.
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
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_write(), io_uring_prep_read_fixed(), io_uring_prep_readv(), io_uring_prep_read_multishot().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffer stays valid and is not touched until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_read(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *mut c_void,
    nbytes: c_uint,
    offset: __u64,
) {
    unsafe { fill(sqe, IORING_OP_READ, fd, offset, address(buf), nbytes) }
}

/// Prepares to write from a buffer, as `pwrite(2)` does.
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
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_prep_read(), io_uring_prep_write_fixed(), io_uring_prep_writev().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffer stays valid and unchanged until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_write(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    buf: *const c_void,
    nbytes: c_uint,
    offset: __u64,
) {
    unsafe { fill(sqe, IORING_OP_WRITE, fd, offset, address(buf), nbytes) }
}

/// Prepares to read into several buffers, as `preadv(2)` does.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// The array of iovecs may be changed after the request is submitted (kernels with `IORING_FEAT_SUBMIT_STABLE`); the
/// buffers may not.
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
/// * Those of `preadv(2)`.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_prep_readv2(), io_uring_prep_read(), io_uring_prep_writev().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers stay valid and are not touched until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_readv(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
) {
    unsafe { fill(sqe, IORING_OP_READV, fd, offset, address(iovecs), nr_vecs) }
}

/// Prepares to write from several buffers, as `pwritev(2)` does.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// The array of iovecs may be changed after the request is submitted (kernels with `IORING_FEAT_SUBMIT_STABLE`); the
/// buffers may not.
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
/// * Those of `pwritev(2)`.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_prep_writev2(), io_uring_prep_write(), io_uring_prep_readv().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers stay valid and unchanged until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_writev(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
) {
    unsafe { fill(sqe, IORING_OP_WRITEV, fd, offset, address(iovecs), nr_vecs) }
}

/// Prepares to read into several buffers with `RWF_*` flags, as `preadv2(2)` does.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// `flags` are `RWF_*`: `RWF_HIPRI`, `RWF_DSYNC`, `RWF_SYNC`, `RWF_NOWAIT`, `RWF_APPEND`.
///
/// The array of iovecs may be changed after the request is submitted (kernels with `IORING_FEAT_SUBMIT_STABLE`); the
/// buffers may not.
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
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_prep_readv(), io_uring_prep_writev2().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers stay valid and are not touched until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_readv2(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_READV,
            fd,
            offset,
            address(iovecs),
            nr_vecs,
            flags as u32,
        )
    }
}

/// Prepares to write from several buffers with `RWF_*` flags, as `pwritev2(2)` does.
///
/// `offset` is in bytes; -1 (all bits set) is the file's own position, which the request moves (kernels with
/// `IORING_FEAT_RW_CUR_POS`). For files without positions use 0 or -1.
///
/// `flags` are `RWF_*`: `RWF_HIPRI`, `RWF_DSYNC`, `RWF_SYNC`, `RWF_NOWAIT`, `RWF_APPEND`.
///
/// The array of iovecs may be changed after the request is submitted (kernels with `IORING_FEAT_SUBMIT_STABLE`); the
/// buffers may not.
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
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_prep_writev(), io_uring_prep_readv2().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers stay valid and unchanged until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_writev2(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    iovecs: *const iovec,
    nr_vecs: c_uint,
    offset: __u64,
    flags: c_int,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_WRITEV,
            fd,
            offset,
            address(iovecs),
            nr_vecs,
            flags as u32,
        )
    }
}

/// Prepares to read again and again, each time into a provided buffer.
///
/// For files that can be polled, such as pipes and terminals. Each read takes a buffer of group `buf_group` and posts a
/// CQE: its upper 16 bits of `flags` are the buffer's number. While `IORING_CQE_F_MORE` is set in a CQE's flags, more
/// will follow; after one without it the request is over and must be prepared anew.
///
/// `nbytes` limits each read; 0 is the size of the buffer. This sets the request's flags to `IOSQE_BUFFER_SELECT`: set
/// others afterwards, and that one with them.
///
/// # Return value
///
/// None. In `res` of each CQE: the number of bytes read, 0 at the end of the file; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: `fd` is not an open descriptor, or not a slot of the registered files with `IOSQE_FIXED_FILE`.
/// * `-EBADFD`: the file cannot be polled.
/// * `-ENOBUFS`: the group has no buffer left; provide some and prepare the request anew.
/// * `-EINVAL`: the kernel lacks this request or one of its flags, or a field that it does not use is not 0.
/// * Those of `read(2)`.
///
/// # Kernel
///
/// 6.7.
///
/// # See also
///
/// io_uring_prep_read(), io_uring_setup_buf_ring().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers of the group stay valid while the request is
/// active.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_read_multishot(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    nbytes: c_uint,
    offset: __u64,
    buf_group: c_int,
) {
    unsafe {
        fill(sqe, IORING_OP_READ_MULTISHOT, fd, offset, 0, nbytes);
        set_buffer(sqe, buf_group as u16);
        (*sqe).flags = IOSQE_BUFFER_SELECT as u8;
    }
}
