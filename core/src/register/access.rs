//! Who may do what on a ring: credentials, restrictions, filters, and the start of a ring that was set up disabled.

use core::ffi::{c_int, c_uint};

use super::{Ring, call_bare_cold, call_cold, call_without_ring};
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;

/// Keeps the caller's credentials under a number that requests can name; returns the number.
pub fn register_personality<K: Kernel>(ring: Ring<K>) -> Ret {
    call_bare_cold(ring, IORING_REGISTER_PERSONALITY, 0)
}

/// Drops the credentials numbered `id`.
pub fn unregister_personality<K: Kernel>(ring: Ring<K>, id: c_int) -> Ret {
    call_bare_cold(ring, IORING_UNREGISTER_PERSONALITY, id as c_uint)
}

/// Says what may be done on the ring once it is enabled: the `nr` elements from `restrictions` on.
pub fn register_restrictions<K: Kernel>(
    ring: Ring<K>,
    restrictions: *const io_uring_restriction,
    nr: c_uint,
) -> Ret {
    // SAFETY: the kernel only reads the array.
    unsafe { call_cold(ring, IORING_REGISTER_RESTRICTIONS, restrictions.cast(), nr) }
}

/// Starts a ring that was set up disabled.
pub fn enable<K: Kernel>(ring: Ring<K>) -> Ret {
    call_bare_cold(ring, IORING_REGISTER_ENABLE_RINGS, 0)
}

/// Sets a BPF filter over the ring's requests.
///
/// # Safety
///
/// `bpf` points to a filter's description, which the kernel may write to.
pub unsafe fn register_bpf_filter<K: Kernel>(ring: Ring<K>, bpf: *mut io_uring_bpf) -> Ret {
    // SAFETY: the caller vouches for `bpf`.
    unsafe { call_cold(ring, IORING_REGISTER_BPF_FILTER, bpf.cast(), 1) }
}

/// Sets a BPF filter over the requests of every ring that this task makes from now on.
///
/// # Safety
///
/// `bpf` points to a filter's description, which the kernel may write to.
pub unsafe fn register_task_bpf_filter<K: Kernel>(bpf: *mut io_uring_bpf) -> Ret {
    // SAFETY: the caller vouches for `bpf`.
    unsafe { call_without_ring::<K>(IORING_REGISTER_BPF_FILTER, bpf.cast(), 1) }
}
