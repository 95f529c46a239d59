//! Provided buffers by request, the older kind. A buffer ring, io_uring_setup_buf_ring(), costs less.

use core::ffi::{c_int, c_void};

use super::{address, fill, set_buffer};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;

/// Prepares to give the kernel `nr` buffers of `len` bytes each to pick from.
///
/// `nr` buffers of `len` bytes each lie side by side from `addr` on. They join group `bgid` with the numbers `bid`,
/// `bid` + 1 and so on. A request with `IOSQE_BUFFER_SELECT` takes one out of its group, and the CQE's flags hold its
/// number; to be used again it must be provided again.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-E2BIG`: `nr` is above 65536, or the numbers go beyond 65535.
/// * `-EFAULT`: the buffers are no valid memory.
/// * `-EINVAL`: a field is out of range, or the group is a buffer ring.
/// * `-ENOMEM`: the kernel is out of memory.
/// * `-EOVERFLOW`: the buffers go beyond the end of memory.
///
/// # Kernel
///
/// 5.7.
///
/// # See also
///
/// io_uring_prep_remove_buffers(), io_uring_setup_buf_ring().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The buffers stay valid until they are removed or used.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_provide_buffers(
    sqe: *mut io_uring_sqe,
    addr: *mut c_void,
    len: c_int,
    nr: c_int,
    bgid: c_int,
    bid: c_int,
) {
    unsafe {
        fill(
            sqe,
            IORING_OP_PROVIDE_BUFFERS,
            nr,
            bid as i64 as u64,
            address(addr),
            len as u32,
        );
        set_buffer(sqe, bgid as u16);
    }
}

/// Prepares to take up to `nr` provided buffers back.
///
/// Up to `nr` buffers leave group `bgid`.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of buffers that left the group, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EINVAL`: a field is out of range, or the group is a buffer ring.
/// * `-ENOENT`: there is no such group.
///
/// # Kernel
///
/// 5.7.
///
/// # See also
///
/// io_uring_prep_provide_buffers().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_remove_buffers(
    sqe: *mut io_uring_sqe,
    nr: c_int,
    bgid: c_int,
) {
    unsafe {
        fill(sqe, IORING_OP_REMOVE_BUFFERS, nr, 0, 0, 0);
        set_buffer(sqe, bgid as u16);
    }
}
