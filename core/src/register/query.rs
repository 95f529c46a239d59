//! What this kernel can do.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_uint;

use super::{Ring, call_cold, call_without_ring};
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;

/// Fills in which of the first `nr_ops` request opcodes the kernel has.
///
/// # Safety
///
/// `probe` points to a zeroed head followed by `nr_ops` zeroed elements.
pub unsafe fn probe<K: Kernel>(ring: Ring<K>, probe: *mut io_uring_probe, nr_ops: c_uint) -> Ret {
    unsafe { call_cold(ring, IORING_REGISTER_PROBE, probe.cast(), nr_ops) }
}

/// Answers a chain of queries; needs no ring.
///
/// # Safety
///
/// `query` is null or points to a query; so does its `next_entry`, and so on. Each names memory of the size it says.
pub unsafe fn query<K: Kernel>(query: *mut io_uring_query_hdr) -> Ret {
    unsafe { call_without_ring::<K>(IORING_REGISTER_QUERY, query.cast(), 0) }
}
