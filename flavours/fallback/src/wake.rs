//! How the thread that looks for events is woken, and whether there is one.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use crate::sys;

/// The eventfd that ends a sleep, once there is one.
pub static WAKER: AtomicI32 = AtomicI32::new(-1);
/// Jobs wait and the thread could not be made: the program's threads do its work when they enter.
pub static ORPHANED: AtomicBool = AtomicBool::new(false);

/// Threads that run jobs whose events came, or are about to.
pub static FIRING: AtomicU32 = AtomicU32::new(0);

/// Requests have waited for the descriptor of a ring.
pub static RINGS_POLLED: AtomicBool = AtomicBool::new(false);

/// Whether threads of the program's have to do the poller's work.
pub fn is_orphaned() -> bool {
    // Relaxed: who waits for something has seen it set, or its own thread has.
    ORPHANED.load(Ordering::Relaxed)
}

/// Ends the sleep of whoever waits for events. Under any lock.
pub fn wake() {
    // Acquire: the descriptor is open for whoever sees its number.
    let wake = WAKER.load(Ordering::Acquire);
    if wake >= 0 {
        sys::eventfd_write(wake);
    }
}
