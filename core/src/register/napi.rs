//! Busy polling of network devices while waiting for completions.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use super::call_cold;
use crate::abi::*;
use crate::errno::Result;
use crate::kernel::Kernel;

/// Sets busy polling up; `napi` receives the settings that were in force before.
///
/// # Safety
///
/// `ring` points to a ring, `napi` to settings that the kernel may overwrite.
pub unsafe fn register<K: Kernel>(ring: *mut io_uring, napi: *mut io_uring_napi) -> Result<c_int> {
    unsafe { call_cold::<K>(ring, IORING_REGISTER_NAPI, napi.cast(), 1) }
}

/// Ends busy polling; `napi`, unless null, receives the settings that were in force.
///
/// # Safety
///
/// `ring` points to a ring, `napi` to settings that the kernel may overwrite, or is null.
pub unsafe fn unregister<K: Kernel>(
    ring: *mut io_uring,
    napi: *mut io_uring_napi,
) -> Result<c_int> {
    unsafe { call_cold::<K>(ring, IORING_UNREGISTER_NAPI, napi.cast(), 1) }
}
