//! What every request has: its common fields, its flags, the data that comes back with it. And requests that do
//! nothing.

use core::ffi::{c_int, c_uint, c_void};

use super::{address, fill, set_buffer};
use crate::abi::cqe::io_uring_cqe;
use crate::abi::op::*;
use crate::abi::probe::{IO_URING_OP_SUPPORTED, io_uring_probe, io_uring_probe_op};
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::*;
use crate::queue::sqe::initialize;

/// Clears the fields of an SQE that no prep function is sure to write.
///
/// That is all but opcode, descriptor, offset, address, length and `user_data`. io_uring_get_sqe() has done it already;
/// a program needs it for an SQE that it gets elsewhere or uses anew.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// Any: no call is made.
///
/// # See also
///
/// io_uring_get_sqe(), io_uring_prep_rw().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_initialize_sqe(sqe: *mut io_uring_sqe) {
    // SAFETY: passed on to the caller.
    unsafe { initialize(sqe) }
}

/// Prepares the fields that most requests share; the rest is up to the caller.
///
/// Sets `opcode`, `fd`, `addr`, `len` and `off`. The other helpers are made of this; a program needs it for opcodes
/// that have no helper.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_get_sqe(), io_uring_initialize_sqe().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_rw(
    op: c_int,
    sqe: *mut io_uring_sqe,
    fd: c_int,
    addr: *const c_void,
    len: c_uint,
    offset: __u64,
) {
    // SAFETY: `sqe` is the caller's SQE. The opcode is any number, so it is not passed on as one of the known ones.
    unsafe {
        fill(sqe, IORING_OP_NOP, fd, offset, address(addr), len);
        (*sqe).opcode = op as u8;
    }
}

/// Prepares a request that does nothing.
///
/// It completes at once. Useful to wake a thread that waits for completions, and to measure the cost of a request.
/// `IORING_NOP_INJECT_RESULT` in `nop_flags` makes it complete with `len` as its result (Linux 6.10).
///
/// # Return value
///
/// None. In `res` of the CQE: 0.
///
/// # Errors
///
/// In `res` of the CQE:
///
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_get_sqe(), io_uring_submit().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_nop(sqe: *mut io_uring_sqe) {
    unsafe { fill(sqe, IORING_OP_NOP, -1, 0, 0, 0) }
}

/// Prepares a request that does nothing in an SQE of 128 bytes.
///
/// The SQE comes from io_uring_get_sqe128().
///
/// # Return value
///
/// None. In `res` of the CQE: 0.
///
/// # Errors
///
/// In `res` of the CQE:
///
/// * `-EINVAL`: the ring has neither `IORING_SETUP_SQE128` nor `IORING_SETUP_SQE_MIXED`, or the kernel lacks this
///   request.
///
/// # Kernel
///
/// 6.19.
///
/// # See also
///
/// io_uring_prep_nop(), io_uring_get_sqe128().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. It has 128 bytes.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_prep_nop128(sqe: *mut io_uring_sqe) {
    unsafe { fill(sqe, IORING_OP_NOP128, -1, 0, 0, 0) }
}

/// Sets the pointer that comes back in the request's CQE.
///
/// It and io_uring_sqe_set_data64() write the same field. A prep function leaves it alone, io_uring_get_sqe() too:
/// without a call it holds what an earlier request left there.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_cqe_get_data(), io_uring_sqe_set_data64().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in. The pointer is not followed.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_sqe_set_data(sqe: *mut io_uring_sqe, data: *mut c_void) {
    unsafe { (*sqe).user_data = address(data) }
}

/// Sets the number that comes back in the request's CQE.
///
/// It and io_uring_sqe_set_data() write the same field. The number 2^64 - 1 is the library's own on kernels before
/// 5.11: there a CQE with it is not shown to the program.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_cqe_get_data64(), io_uring_sqe_set_data().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_sqe_set_data64(sqe: *mut io_uring_sqe, data: __u64) {
    unsafe { (*sqe).user_data = data }
}

/// The pointer that a request was given by io_uring_sqe_set_data().
///
/// # Return value
///
/// The pointer.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_sqe_set_data(), io_uring_cqe_get_data64().
///
/// # Safety
///
/// `cqe` points to a CQE that has not been given back.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cqe_get_data(cqe: *const io_uring_cqe) -> *mut c_void {
    // SAFETY: the caller vouches for `cqe`.
    unsafe { core::ptr::with_exposed_provenance_mut((*cqe).user_data as usize) }
}

/// The number that a request was given by io_uring_sqe_set_data64().
///
/// # Return value
///
/// The number.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_sqe_set_data64(), io_uring_cqe_get_data().
///
/// # Safety
///
/// `cqe` points to a CQE that has not been given back.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cqe_get_data64(cqe: *const io_uring_cqe) -> __u64 {
    // SAFETY: the caller vouches for `cqe`.
    unsafe { (*cqe).user_data }
}

/// Sets a request's `IOSQE_*` flags, in place of those it had.
///
/// Call it after the prep function, since some of those set flags. The flags:
///
/// * `IOSQE_FIXED_FILE`: `fd` is a slot of the registered files.
/// * `IOSQE_IO_DRAIN`: start when all earlier requests have completed; later ones wait for this one (Linux 5.2).
/// * `IOSQE_IO_LINK`: the next request starts when this one has succeeded, and is cancelled if it has not (5.3).
/// * `IOSQE_IO_HARDLINK`: the next request starts when this one has completed, however (5.5).
/// * `IOSQE_ASYNC`: do not try to complete at once, hand the request to a worker (5.6).
/// * `IOSQE_BUFFER_SELECT`: take a buffer of the group in `buf_group` (5.7).
/// * `IOSQE_CQE_SKIP_SUCCESS`: post no CQE if the request succeeds (5.17).
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_get_sqe().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_sqe_set_flags(sqe: *mut io_uring_sqe, flags: c_uint) {
    unsafe { (*sqe).flags = flags as u8 }
}

/// Sets the group of provided buffers that a request takes its buffer from.
///
/// For requests with `IOSQE_BUFFER_SELECT`. Call it after the prep function: the field is shared with the number of a
/// registered buffer.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.7.
///
/// # See also
///
/// io_uring_setup_buf_ring(), io_uring_sqe_set_flags().
///
/// # Safety
///
/// `sqe` points to an SQE that the caller is filling in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_sqe_set_buf_group(sqe: *mut io_uring_sqe, bgid: c_int) {
    unsafe { set_buffer(sqe, bgid as u16) }
}

/// Whether the kernel knows an opcode, by what a probe found out.
///
/// # Return value
///
/// 1 if it does, 0 if it does not, also for numbers that are no opcode.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_get_probe(), io_uring_get_probe_ring().
///
/// # Safety
///
/// `p` points to a probe that the kernel has filled in, with all the elements it has room for.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_opcode_supported(p: *const io_uring_probe, op: c_int) -> c_int {
    // SAFETY: the caller vouches for the probe; it holds an element for each opcode up to `last_op`.
    unsafe {
        // As unsigned, a negative number is above every opcode.
        if op as c_uint > c_uint::from((*p).last_op) {
            return 0;
        }
        let ops = (&raw const (*p).ops).cast::<io_uring_probe_op>();
        c_int::from(u32::from((*ops.add(op as usize)).flags) & IO_URING_OP_SUPPORTED != 0)
    }
}
