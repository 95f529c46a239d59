//! Messages from one ring to another.

use core::ffi::{c_int, c_uint};

use super::{fill_flags, set_addr3, set_direct};
use crate::abi::op::*;
use crate::abi::request::*;
use crate::abi::sqe::{IORING_FILE_INDEX_ALLOC, io_uring_sqe};
use crate::abi::types::*;

/// Prepares to post a CQE in another ring.
///
/// `fd` is the other ring's descriptor; it may be the same ring. The CQE there has `data` as `user_data` and `len` as
/// `res`. `flags` is 0 or `IORING_MSG_RING_FLAGS_PASS`, see io_uring_prep_msg_ring_cqe_flags().
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADFD`: `fd` is no ring, or the ring is not enabled yet.
/// * `-EEXIST`: the other ring has `IORING_SETUP_SINGLE_ISSUER`, and the kernel can't reach its thread.
/// * `-EINVAL`: unknown flags, or a field that must be 0 is not.
/// * `-EOVERFLOW`: the other ring is full, and its CQE could not be kept for later.
/// * `-ENOMEM`: the kernel is out of memory.
///
/// # Kernel
///
/// 5.18.
///
/// # See also
///
/// io_uring_prep_msg_ring_cqe_flags(), io_uring_prep_msg_ring_fd(), io_uring_register_sync_msg().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_msg_ring(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    len: c_uint,
    data: __u64,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_MSG_RING,
            fd,
            data,
            IORING_MSG_DATA as u64,
            len,
            flags,
        )
    }
}

/// Prepares to post a CQE with flags in another ring.
///
/// As io_uring_prep_msg_ring(), and the CQE there has `cqe_flags` as `flags`; the kernel may add some.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADFD`: `fd` is no ring, or the ring is not enabled yet.
/// * `-EEXIST`: the other ring has `IORING_SETUP_SINGLE_ISSUER`, and the kernel can't reach its thread.
/// * `-EINVAL`: unknown flags, or a field that must be 0 is not.
/// * `-EOVERFLOW`: the other ring is full, and its CQE could not be kept for later.
/// * `-ENOMEM`: the kernel is out of memory.
///
/// # Kernel
///
/// 6.3.
///
/// # See also
///
/// io_uring_prep_msg_ring().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_msg_ring_cqe_flags(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    len: c_uint,
    data: __u64,
    flags: c_uint,
    cqe_flags: c_uint,
) {
    unsafe {
        io_uring_prep_msg_ring(sqe, fd, len, data, flags | IORING_MSG_RING_FLAGS_PASS);
        (*sqe).__anon5.file_index = cqe_flags;
    }
}

/// Prepares to send a registered file to another ring.
///
/// `source_fd` is a slot of this ring's registered files, `target_fd` one of the other ring's;
/// `IORING_FILE_INDEX_ALLOC` picks a free one there. A CQE there has `data` as `user_data` and, for a slot that was
/// picked, its number as `res`; `IORING_MSG_RING_CQE_SKIP` in `flags` leaves it out.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or the slot that was picked; or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: slot `source_fd` is empty.
/// * `-EBADFD`: `fd` is no ring, or the ring is not enabled yet.
/// * `-EEXIST`: the other ring has `IORING_SETUP_SINGLE_ISSUER`, and the kernel can't reach its thread.
/// * `-EINVAL`: unknown flags, or a field that must be 0 is not.
/// * `-EOVERFLOW`: the other ring is full, and its CQE could not be kept for later.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: the other ring has no registered files.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_prep_msg_ring_fd_alloc(), io_uring_prep_msg_ring(), io_uring_register_files().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_msg_ring_fd(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    source_fd: c_int,
    target_fd: c_int,
    data: __u64,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_MSG_RING,
            fd,
            data,
            IORING_MSG_SEND_FD as u64,
            0,
            flags,
        );
        set_direct(sqe, target_fd as u32);
        set_addr3(sqe, source_fd as i64 as u64);
    }
}

/// Prepares to send a registered file to a free slot of another ring.
///
/// As io_uring_prep_msg_ring_fd() with `IORING_FILE_INDEX_ALLOC`.
///
/// # Return value
///
/// None. In `res` of the CQE: the slot that was picked, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EBADF`: slot `source_fd` is empty.
/// * `-EBADFD`: `fd` is no ring, or the ring is not enabled yet.
/// * `-EEXIST`: the other ring has `IORING_SETUP_SINGLE_ISSUER`, and the kernel can't reach its thread.
/// * `-EINVAL`: unknown flags, or a field that must be 0 is not.
/// * `-EOVERFLOW`: the other ring is full, and its CQE could not be kept for later.
/// * `-ENFILE`: no slot is free.
/// * `-ENXIO`: the other ring has no registered files.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_prep_msg_ring_fd().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_msg_ring_fd_alloc(
    sqe: *mut io_uring_sqe,
    fd: c_int,
    source_fd: c_int,
    data: __u64,
    flags: c_uint,
) {
    unsafe {
        io_uring_prep_msg_ring_fd(
            sqe,
            fd,
            source_fd,
            IORING_FILE_INDEX_ALLOC as c_int,
            data,
            flags,
        )
    }
}
