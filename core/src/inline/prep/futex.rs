//! Requests that wait for threads and processes.

use core::ffi::{c_int, c_uint};

use super::{address, fill_flags, set_addr3};
use crate::abi::op::*;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;

/// Prepares to wait on a futex that holds `val`.
///
/// Completes when it is woken by someone whose mask shares a bit with `mask`, provided that it holds `val` when the
/// wait starts. `FUTEX_BITSET_MATCH_ANY` as mask is woken by all. `futex_flags` are `FUTEX2_SIZE_U32` and
/// `FUTEX2_PRIVATE` as of futex2; `flags` is 0. A timeout can be linked.
///
/// # Return value
///
/// None. In `res` of the CQE: 0, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EAGAIN`: the futex did not hold `val`.
/// * `-EFAULT`: the address is not valid.
/// * `-EINVAL`: unknown flags, a mask of 0, or an address that is no multiple of 4.
///
/// # Kernel
///
/// 6.7.
///
/// # See also
///
/// io_uring_prep_futex_wake(), io_uring_prep_futex_waitv(), io_uring_prep_link_timeout().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The futex stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_futex_wait(
    sqe: *mut io_uring_sqe,
    futex: *const u32,
    val: u64,
    mask: u64,
    futex_flags: u32,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_FUTEX_WAIT,
            futex_flags as c_int,
            val,
            address(futex),
            0,
            flags,
        );
        set_addr3(sqe, mask);
    }
}

/// Prepares to wake up to `val` waiters of a futex.
///
/// Wakes up to `val` waiters whose mask shares a bit with `mask`. `futex_flags` are `FUTEX2_SIZE_U32` and
/// `FUTEX2_PRIVATE` as of futex2; `flags` is 0.
///
/// # Return value
///
/// None. In `res` of the CQE: the number of waiters woken, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EFAULT`: the address is not valid.
/// * `-EINVAL`: unknown flags, a mask of 0, or an address that is no multiple of 4.
///
/// # Kernel
///
/// 6.7.
///
/// # See also
///
/// io_uring_prep_futex_wait().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The futex stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_futex_wake(
    sqe: *mut io_uring_sqe,
    futex: *const u32,
    val: u64,
    mask: u64,
    futex_flags: u32,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_FUTEX_WAKE,
            futex_flags as c_int,
            val,
            address(futex),
            0,
            flags,
        );
        set_addr3(sqe, mask);
    }
}

/// Prepares to wait on several futexes, for any of them.
///
/// `futex` is an array of `nr_futex` elements, at most 128. `flags` is 0.
///
/// # Return value
///
/// None. In `res` of the CQE: the index of the element that was woken, or a negative errno.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EAGAIN`: a futex did not hold the value it was expected to.
/// * `-EFAULT`: an address is not valid.
/// * `-EINVAL`: unknown flags, or `nr_futex` is 0 or above 128.
///
/// # Kernel
///
/// 6.7.
///
/// # See also
///
/// io_uring_prep_futex_wait().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The array and the futexes stay valid until the request
/// completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_futex_waitv(
    sqe: *mut io_uring_sqe,
    futex: *const futex_waitv,
    nr_futex: u32,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_FUTEX_WAITV,
            0,
            0,
            address(futex),
            nr_futex,
            flags,
        )
    }
}

/// Prepares to wait for a child process to change state, as `waitid(2)` does.
///
/// `idtype` is `P_*`, `options` are `WEXITED` and so on; `flags` is 0. `infop` may be NULL.
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
/// * Those of `waitid(2)`.
///
/// # Kernel
///
/// 6.7.
///
/// # See also
///
/// waitid(2).
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. `infop` stays valid until the request completes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_waitid(
    sqe: *mut io_uring_sqe,
    idtype: idtype_t,
    id: id_t,
    infop: *mut siginfo_t,
    options: c_int,
    flags: c_uint,
) {
    unsafe {
        fill_flags(
            sqe,
            IORING_OP_WAITID,
            id as c_int,
            address(infop),
            0,
            idtype,
            flags,
        );
        (*sqe).__anon5.file_index = options as u32;
    }
}
