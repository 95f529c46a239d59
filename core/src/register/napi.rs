//! Busy polling of network devices while waiting for completions.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use super::{Ring, call_cold};
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;

/// Sets busy polling up; `napi` receives the settings that were in force before.
///
/// # Safety
///
/// `napi` points to settings that the kernel may overwrite.
pub unsafe fn register<K: Kernel>(ring: Ring<K>, napi: *mut io_uring_napi) -> Ret {
    unsafe { call_cold(ring, IORING_REGISTER_NAPI, napi.cast(), 1) }
}

/// Ends busy polling; `napi`, unless null, receives the settings that were in force.
///
/// # Safety
///
/// `napi` points to settings that the kernel may overwrite, or is null.
pub unsafe fn unregister<K: Kernel>(ring: Ring<K>, napi: *mut io_uring_napi) -> Ret {
    unsafe { call_cold(ring, IORING_UNREGISTER_NAPI, napi.cast(), 1) }
}
