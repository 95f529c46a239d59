//! When a thread of the program's looks for events although it does not wait.
//!
//! A program whose waits are all satisfied at once never leads, and the poller's thread stands by for one that is about
//! to. What waits for a descriptor or a time must be served all the same.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::sys;

/// How long nobody need have looked, in nanoseconds.
const MOMENT: u64 = 1_000_000;

/// Jobs may wait for events, times or native AIO. Set under the lock of what they wait in, and cleared under both.
static WAITS: AtomicBool = AtomicBool::new(false);
/// When a thread last looked.
static LOOKED: AtomicU64 = AtomicU64::new(0);

/// A job is about to wait. Under the lock of what it waits in.
#[inline]
pub fn something_waits() {
    // Relaxed, here and below: a thread sees what it has put itself, and of others' it may hear a moment later.
    if !WAITS.load(Ordering::Relaxed) {
        WAITS.store(true, Ordering::Relaxed);
    }
}

/// Nothing waits. Under all of these locks.
pub fn nothing_waits() {
    WAITS.store(false, Ordering::Relaxed);
}

/// A thread has looked at a time.
pub fn looked(now: u64) {
    // Relaxed: two threads may look at once.
    LOOKED.store(now, Ordering::Relaxed);
}

/// The time, if something may wait. The clock is not read for nothing.
#[inline]
pub fn time() -> Option<u64> {
    WAITS.load(Ordering::Relaxed).then(sys::monotonic)
}

/// Whether nobody has looked for a moment.
pub fn is_due(now: u64) -> bool {
    // A time that another thread has read later is ahead.
    now.saturating_sub(LOOKED.load(Ordering::Relaxed)) >= MOMENT
}
