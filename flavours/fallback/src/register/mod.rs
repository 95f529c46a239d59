//! `io_uring_register` on an emulated ring.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use crate::ring::Ring;
use crate::sys;

pub mod args;
pub mod buffers;
pub mod files;
pub mod groups;
pub mod misc;
pub mod personality;
pub mod query;
pub mod region;
pub mod resize;
pub mod restrict;

use args::none;

/// # Safety
///
/// As for `Kernel::register`.
pub unsafe fn register(ring: &Arc<Ring>, opcode: u32, arg: *mut c_void, nr: u32) -> c_int {
    macro_rules! is {
        ($op:ident) => {
            io_uring_register_op::$op as u32
        };
    }
    let owner = ring.owner.load(Ordering::Relaxed);
    if owner != 0 && owner != sys::thread() {
        return -libc::EEXIST;
    }
    // Relaxed: who enables the ring at this moment may come after this call.
    if ring.restricted.load(Ordering::Relaxed)
        && !ring.state.lock().restrictions.allows_register(opcode)
    {
        return -libc::EACCES;
    }
    // SAFETY: `arg` is what the opcode takes, says the caller.
    unsafe {
        match opcode {
            n if n == is!(IORING_REGISTER_BUFFERS) => buffers::register(ring, arg, nr),
            n if n == is!(IORING_UNREGISTER_BUFFERS) => {
                none(arg, nr).unwrap_or_else(|| buffers::unregister(ring))
            }
            n if n == is!(IORING_REGISTER_BUFFERS2) => buffers::register2(ring, arg, nr),
            n if n == is!(IORING_REGISTER_BUFFERS_UPDATE) => buffers::update2(ring, arg, nr),
            n if n == is!(IORING_REGISTER_CLONE_BUFFERS) => buffers::clone(ring, arg, nr),
            n if n == is!(IORING_REGISTER_FILES) => files::register(ring, arg, nr),
            n if n == is!(IORING_UNREGISTER_FILES) => {
                none(arg, nr).unwrap_or_else(|| files::unregister(ring))
            }
            n if n == is!(IORING_REGISTER_FILES_UPDATE) => files::update1(ring, arg, nr),
            n if n == is!(IORING_REGISTER_FILES2) => files::register2(ring, arg, nr),
            n if n == is!(IORING_REGISTER_FILES_UPDATE2) => files::update2(ring, arg, nr),
            n if n == is!(IORING_REGISTER_FILE_ALLOC_RANGE) => files::alloc_range(ring, arg, nr),
            n if n == is!(IORING_REGISTER_EVENTFD) => misc::eventfd(ring, arg, nr, false),
            n if n == is!(IORING_REGISTER_EVENTFD_ASYNC) => misc::eventfd(ring, arg, nr, true),
            n if n == is!(IORING_UNREGISTER_EVENTFD) => {
                none(arg, nr).unwrap_or_else(|| misc::no_eventfd(ring))
            }
            n if n == is!(IORING_REGISTER_PROBE) => misc::probe(arg, nr),
            n if n == is!(IORING_REGISTER_RESTRICTIONS) => restrict::register(ring, arg, nr),
            n if n == is!(IORING_REGISTER_ENABLE_RINGS) => {
                none(arg, nr).unwrap_or_else(|| misc::enable(ring))
            }
            n if n == is!(IORING_REGISTER_RING_FDS) => misc::ring_fds(arg, nr),
            n if n == is!(IORING_UNREGISTER_RING_FDS) => misc::no_ring_fds(arg, nr),
            n if n == is!(IORING_REGISTER_PBUF_RING) => groups::register(ring, arg, nr),
            n if n == is!(IORING_UNREGISTER_PBUF_RING) => groups::unregister(ring, arg, nr),
            n if n == is!(IORING_REGISTER_PBUF_STATUS) => groups::status(ring, arg, nr),
            n if n == is!(IORING_REGISTER_SYNC_CANCEL) => misc::sync_cancel(ring, arg, nr),
            n if n == is!(IORING_REGISTER_IOWQ_MAX_WORKERS) => misc::max_workers(arg, nr),
            n if n == is!(IORING_REGISTER_IOWQ_AFF) => misc::affinity(arg, nr),
            n if n == is!(IORING_UNREGISTER_IOWQ_AFF) => none(arg, nr).unwrap_or(0),
            n if n == is!(IORING_REGISTER_PERSONALITY) => {
                none(arg, nr).unwrap_or_else(|| personality::register(ring))
            }
            n if n == is!(IORING_UNREGISTER_PERSONALITY) => {
                none(arg, 0).unwrap_or_else(|| personality::unregister(ring, nr))
            }
            n if n == is!(IORING_REGISTER_MEM_REGION) => region::register(ring, arg, nr),
            n if n == is!(IORING_REGISTER_RESIZE_RINGS) => resize::resize(ring, arg, nr),
            n if n == is!(IORING_REGISTER_QUERY) => query::query(arg, nr),
            n if n == is!(IORING_REGISTER_CLOCK) => misc::clock(ring, arg, nr),
            _ => -libc::EINVAL,
        }
    }
}
