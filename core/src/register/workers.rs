//! The kernel threads that do what cannot be done at once: where they run, how many there may be.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::call_cold;
use crate::abi::*;
use crate::errno::{Errno, Result};
use crate::kernel::Kernel;

/// Lets workers run on the CPUs of `mask` only, which is `size` bytes long.
///
/// # Safety
///
/// `ring` points to a ring, `mask` to `size` bytes.
pub unsafe fn register_affinity<K: Kernel>(
    ring: *mut io_uring,
    size: usize,
    mask: *const cpu_set_t,
) -> Result<c_int> {
    // The call's count is a C int to the kernel; a larger size would arrive cut off.
    if size > c_int::MAX as usize {
        return Err(Errno::EINVAL);
    }
    unsafe { call_cold::<K>(ring, IORING_REGISTER_IOWQ_AFF, mask.cast(), size as c_uint) }
}

/// Lets workers run wherever the task that made them may.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn unregister_affinity<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    unsafe { call_cold::<K>(ring, IORING_UNREGISTER_IOWQ_AFF, ptr::null(), 0) }
}

/// Sets how many bounded and unbounded workers there may be; 0 leaves a number as it is. `counts` receives what was in
/// force before.
///
/// # Safety
///
/// `ring` points to a ring, `counts` to two elements.
pub unsafe fn set_max<K: Kernel>(ring: *mut io_uring, counts: *mut c_uint) -> Result<c_int> {
    unsafe { call_cold::<K>(ring, IORING_REGISTER_IOWQ_MAX_WORKERS, counts.cast(), 2) }
}
