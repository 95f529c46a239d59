//! How the thread that looks for events is woken, whether there is one, and who does its work.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use crate::sys;

/// The eventfd that ends a sleep, once there is one.
pub static WAKER: AtomicI32 = AtomicI32::new(-1);
/// Jobs wait and the thread could not be made: the program's threads do its work when they enter.
pub static ORPHANED: AtomicBool = AtomicBool::new(false);

/// Threads that run jobs whose events came, or are about to.
static FIRING: AtomicU32 = AtomicU32::new(0);
/// Threads that look for events, or run the jobs whose events they found.
static ROUNDS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// This thread is one of those that run jobs.
    static FIRES: Cell<bool> = const { Cell::new(false) };
}

/// A thread that runs jobs whose events came, as long as this lives.
pub struct Firing {
    /// Whether the thread was one already.
    before: bool,
}

impl Firing {
    pub fn begin() -> Firing {
        // SeqCst, here and below: as all that is counted across threads here.
        FIRING.fetch_add(1, Ordering::SeqCst);
        Firing {
            before: FIRES.replace(true),
        }
    }
}

impl Drop for Firing {
    fn drop(&mut self) {
        FIRES.set(self.before);
        FIRING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether other threads run jobs whose events came.
pub fn others_fire() -> bool {
    FIRING.load(Ordering::SeqCst) != 0 && !FIRES.get()
}

/// Waits until no other thread runs jobs whose events came: none of them waits.
pub fn wait_for_firing() {
    while others_fire() {
        sys::give_way();
    }
}

/// The thread that looks for events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Leads,
    /// The poller's.
    Serves,
    /// Another one, which does not sleep: a wake is for one that does.
    Looks,
}

/// A thread that looks for events and runs their jobs, as long as this lives.
pub struct Round(());

impl Round {
    pub fn begin() -> Round {
        ROUNDS.fetch_add(1, Ordering::SeqCst);
        Round(())
    }

    /// Whether there is such a thread.
    pub fn is_on() -> bool {
        ROUNDS.load(Ordering::SeqCst) != 0
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        ROUNDS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// In the child of a fork: the thread that forked does none of it.
pub fn forget() {
    FIRING.store(0, Ordering::SeqCst);
    ROUNDS.store(0, Ordering::SeqCst);
    FIRES.set(false);
}

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
