//! Who may do what on a ring: credentials, restrictions, filters, and the start of a ring that was set up disabled.

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::{call_cold, call_without_ring};
use crate::abi::*;
use crate::errno::Result;
use crate::kernel::Kernel;

/// Keeps the caller's credentials under a number that requests can name; returns the number.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn register_personality<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_PERSONALITY, ptr::null(), 0) }
}

/// Drops the credentials numbered `id`.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn unregister_personality<K: Kernel>(ring: *mut io_uring, id: c_int) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`; this opcode takes the number in place of a count.
    unsafe {
        call_cold::<K>(
            ring,
            IORING_UNREGISTER_PERSONALITY,
            ptr::null(),
            id as c_uint,
        )
    }
}

/// Says what may be done on the ring once it is enabled.
///
/// # Safety
///
/// `ring` points to a ring, `restrictions` to `nr` elements.
pub unsafe fn register_restrictions<K: Kernel>(
    ring: *mut io_uring,
    restrictions: *mut io_uring_restriction,
    nr: c_uint,
) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_RESTRICTIONS, restrictions.cast(), nr) }
}

/// Starts a ring that was set up disabled.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn enable<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_ENABLE_RINGS, ptr::null(), 0) }
}

/// Sets a BPF filter over the ring's requests.
///
/// # Safety
///
/// `ring` points to a ring, `bpf` to a filter's description, which the kernel may write to.
pub unsafe fn register_bpf_filter<K: Kernel>(
    ring: *mut io_uring,
    bpf: *mut io_uring_bpf,
) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_BPF_FILTER, bpf.cast(), 1) }
}

/// Sets a BPF filter over the requests of every ring that this task makes from now on.
///
/// # Safety
///
/// `bpf` points to a filter's description, which the kernel may write to.
pub unsafe fn register_task_bpf_filter<K: Kernel>(bpf: *mut io_uring_bpf) -> Result<c_int> {
    // SAFETY: the caller vouches for `bpf`.
    unsafe { call_without_ring::<K>(IORING_REGISTER_BPF_FILTER, bpf.cast(), 1) }
}
