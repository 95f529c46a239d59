//! Giving a ring another size.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use uring_core::abi::*;
use uring_core::ring::sizes;

use super::args::{errno, one};
use crate::memory::Memory;
use crate::ring::Ring;

const ASKED: u32 = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
/// What stays as it is.
const KEPT: u32 = IORING_SETUP_NO_SQARRAY
    | IORING_SETUP_SQE128
    | IORING_SETUP_CQE32
    | IORING_SETUP_NO_MMAP
    | IORING_SETUP_CQE_MIXED
    | IORING_SETUP_SQE_MIXED;

/// # Safety
///
/// `arg` must be parameters, and under `IORING_SETUP_NO_MMAP` they must name memory for the new ring.
pub unsafe fn resize(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    if arg.is_null() || nr != 1 || !ring.has(IORING_SETUP_DEFER_TASKRUN) {
        return -libc::EINVAL;
    }
    // SAFETY: as above.
    errno(unsafe { one::<io_uring_params>(arg) }.and_then(|mut p| {
        if p.flags & !ASKED != 0 {
            return Err(-libc::EINVAL);
        }
        p.flags |= ring.flags & KEPT;
        let entries = sizes::entries(p.sq_entries, &p).map_err(|error| error.as_ret())?;
        // SAFETY: as above.
        let new = unsafe { Memory::new(&mut p, entries) }?;
        let _submission = ring.submission.lock();
        let mut state = ring.state.lock();
        new.take_over(ring.memory())?;
        // SAFETY: as above.
        unsafe { arg.cast::<io_uring_params>().write_unaligned(p) };
        ring.exchange(new);
        ring.flush_overflow(&mut state);
        Ok(0)
    }))
}
