//! The kernel threads that do what cannot be done at once: where they run, how many there may be.

use core::ffi::{c_int, c_uint};

use super::{Ring, call_bare_cold, call_cold};
use crate::abi::*;
use crate::errno::{Errno, Ret};
use crate::kernel::Kernel;

/// Lets workers run on the CPUs of `mask` only, which is `size` bytes long.
pub fn register_affinity<K: Kernel>(ring: Ring<K>, size: usize, mask: *const cpu_set_t) -> Ret {
    // The kernel takes the call's count as a C int, which would cut a larger size off.
    if size > c_int::MAX as usize {
        return Errno::EINVAL.into();
    }
    // SAFETY: the kernel only reads the mask.
    unsafe { call_cold(ring, IORING_REGISTER_IOWQ_AFF, mask.cast(), size as c_uint) }
}

/// Lets workers run wherever the task that made them may.
pub fn unregister_affinity<K: Kernel>(ring: Ring<K>) -> Ret {
    call_bare_cold(ring, IORING_UNREGISTER_IOWQ_AFF, 0)
}

/// Sets how many bounded and unbounded workers there may be; 0 leaves a number as it is. `counts` receives what was in
/// force before.
///
/// # Safety
///
/// `counts` points to two elements, which the kernel writes to.
pub unsafe fn set_max<K: Kernel>(ring: Ring<K>, counts: *mut c_uint) -> Ret {
    // SAFETY: the caller vouches for `counts`.
    unsafe { call_cold(ring, IORING_REGISTER_IOWQ_MAX_WORKERS, counts.cast(), 2) }
}
