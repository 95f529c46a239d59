//! Giving back what a ring has in this process.

use core::sync::atomic::AtomicU32;

use uring_core::abi::register::io_uring_sync_cancel_reg;
use uring_core::abi::request::{IORING_ASYNC_CANCEL_ALL, IORING_ASYNC_CANCEL_ANY};
use uring_core::kernel::Native;
use uring_core::register::cancel;
use uring_core::ring::exit;
use uring_core::ring::handle::Ring as Kring;

use crate::ring::Ring;
use crate::sys::{files, process};
use crate::wakeup;

/// Gives back what a ring has in this process.
///
/// # Safety
///
/// The ring has no users any more, and is not used again.
pub unsafe fn tear_down(ring: *mut Ring, stop: &AtomicU32, tid_word: &AtomicU32) {
    // SAFETY: only the polling thread still uses the ring, and it is stopped first.
    unsafe {
        let is_own = (*ring).process == process::id();
        wakeup::stop(ring, stop, tid_word, is_own);
        let ring = &mut *ring;
        if ring.kring_fd.get().is_some() {
            cancel_if_gone(ring);
        } else if ring.kring_fd.is_some() {
            ring.kring.ring_fd = -1;
        }
        exit::exit::<Native>(&raw mut ring.kring);
        ring.anchor.close();
        ring.areas.unmap::<Native>(&ring.sizes);
    }
}

/// Cancels the requests of a ring that no process has open any more. A child that closed its copy of the program's
/// descriptor may still have one of the kernel ring, which keeps the requests alive.
///
/// # Safety
///
/// The kernel ring is set up.
unsafe fn cancel_if_gone(ring: &mut Ring) {
    let Some(anchor) = ring.anchor.get() else {
        return;
    };
    // The lock ends when the anchor is closed, which is next.
    if files::lock(anchor, false).is_ok() {
        // What cannot be cancelled ends by itself. Nothing waits for it.
        let all = io_uring_sync_cancel_reg {
            flags: IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
            ..io_uring_sync_cancel_reg::default()
        };
        // SAFETY: the caller promises that the kernel ring is set up.
        let kring = unsafe { Kring::<Native>::new(&raw mut ring.kring) };
        let _ = cancel::sync_cancel(kring, &raw const all);
    }
}
