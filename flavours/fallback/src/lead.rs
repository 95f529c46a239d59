//! A thread that waits on a ring does the poller's work meanwhile.
//!
//! What it waits for then comes without another thread between. One thread leads at a time, and only while no other one
//! of the program's waits: those sleep on their rings, and the poller's thread serves all. After a leader has left, the
//! poller's thread stands by for a moment before it looks for events itself: most leaders come back at once.

use crate::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::ffi::c_int;

use crate::sys;
use crate::wake;

/// How long the poller's thread stands by, in nanoseconds.
const MOMENT: u64 = 1_000_000;

/// A thread leads.
static LEADING: AtomicBool = AtomicBool::new(false);
/// When the last leader left. 0: the poller's thread is to look for events at once.
static LEFT: AtomicU64 = AtomicU64::new(0);
/// Threads of the program that wait and do not lead.
static FOLLOWERS: AtomicU32 = AtomicU32::new(0);
/// Moves when the poller's thread is to look about.
static CALLS: AtomicU32 = AtomicU32::new(0);
/// The poller's thread sleeps until a leader leaves.
static ASLEEP: AtomicBool = AtomicBool::new(false);
/// The poller's thread sleeps until there are events.
static NAPS: AtomicBool = AtomicBool::new(false);
/// The eventfd that ends such a sleep. -1: there is none.
static KICK: AtomicI32 = AtomicI32::new(-1);

/// In the child of a fork: there is one thread, and it does not wait.
pub fn forget() {
    LEADING.store(false, Ordering::SeqCst);
    LEFT.store(0, Ordering::SeqCst);
    FOLLOWERS.store(0, Ordering::SeqCst);
    ASLEEP.store(false, Ordering::SeqCst);
    NAPS.store(false, Ordering::SeqCst);
    let kick = KICK.swap(-1, Ordering::SeqCst);
    if kick >= 0 {
        sys::close(kick);
    }
}

/// A thread of the program's looks for events: the poller's thread need not wake with it.
fn relieve() {
    if NAPS.load(Ordering::SeqCst) && NAPS.swap(false, Ordering::SeqCst) {
        sys::eventfd_write(KICK.load(Ordering::SeqCst));
    }
}

/// Whether a thread leads.
pub fn is_led() -> bool {
    LEADING.load(Ordering::SeqCst)
}

/// The calling thread, which does not lead, has read a wake. It was meant for the one that leads, if there is one: who
/// wrote it had seen that there is.
pub fn pass_on_wake() {
    if is_led() {
        wake::wake();
    }
}

/// Whether the poller's thread wakes with the next event.
pub fn is_watched() -> bool {
    NAPS.load(Ordering::SeqCst)
}

/// Makes what ends such a sleep. In a thread of the program's, inside a call: a low number is in use for a moment.
pub fn prepare() {
    if KICK.load(Ordering::SeqCst) < 0 {
        KICK.store(sys::apart(sys::eventfd()), Ordering::SeqCst);
    }
}

/// The poller's thread sleeps until a set of descriptors has events, or somebody else looks for them.
pub fn nap(set: c_int, nanoseconds: u64) {
    let slot = |fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let kick = KICK.load(Ordering::SeqCst);
    let mut slots = [slot(set), slot(kick)];
    NAPS.store(true, Ordering::SeqCst);
    // A leader that came before it could see that is seen here.
    if !LEADING.load(Ordering::SeqCst) {
        // A descriptor of -1 is passed over.
        sys::poll(&mut slots, nanoseconds);
    }
    let kicked = !NAPS.swap(false, Ordering::SeqCst);
    // A kick for an earlier sleep may have come late.
    let [_, late] = slots;
    if kick >= 0 && (kicked || late.revents != 0) {
        sys::eventfd_read(kick);
    }
}

fn call() {
    CALLS.fetch_add(1, Ordering::SeqCst);
    sys::futex_wake(&CALLS, false, 1);
}

/// A thread is going to wait as soon as it has submitted: the poller's thread need not begin before. It may have read the
/// clock.
pub fn about_to_wait(now: Option<u64>) {
    if LEFT.load(Ordering::Relaxed) != 0 {
        let now = now.unwrap_or_else(sys::monotonic);
        LEFT.store(now, Ordering::SeqCst);
        relieve();
    }
}

/// Has the poller's thread look for events from now on.
pub fn hand_over() {
    hand_over_if(|| true);
}

/// The same if the caller may, which is asked only where it makes a difference.
pub fn hand_over_if(may: impl FnOnce() -> bool) {
    // SeqCst: 0 means that another thread has just handed over, and calls.
    if LEFT.load(Ordering::SeqCst) != 0 && may() && LEFT.swap(0, Ordering::SeqCst) != 0 {
        ASLEEP.store(false, Ordering::SeqCst);
        call();
    }
}

/// A thread that waits and does not lead, as long as this lives.
pub struct Follower;

impl Follower {
    pub fn new() -> Follower {
        FOLLOWERS.fetch_add(1, Ordering::SeqCst);
        if !LEADING.load(Ordering::SeqCst) {
            hand_over();
        }
        Follower
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        FOLLOWERS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The thread that leads, as long as this lives.
pub struct Leader;

impl Leader {
    /// `None`: another thread of the program's waits, or leads.
    pub fn begin() -> Option<Leader> {
        let alone = FOLLOWERS.load(Ordering::SeqCst) == 0;
        if !alone || LEADING.swap(true, Ordering::SeqCst) {
            return None;
        }
        relieve();
        Some(Leader)
    }

    /// It has waited for events: it may come back at once.
    pub fn has_waited(&self) {
        LEFT.store(sys::monotonic(), Ordering::SeqCst);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        LEADING.store(false, Ordering::SeqCst);
        let followed = FOLLOWERS.load(Ordering::SeqCst) != 0;
        if followed {
            LEFT.store(0, Ordering::SeqCst);
        }
        // Also after a leader that has not waited: it left no time.
        if ASLEEP.swap(false, Ordering::SeqCst) || followed {
            call();
        }
    }
}

/// The poller's thread stands by while somebody leads or has just led. Returns whether it did.
pub fn stand_by() -> bool {
    let seen = CALLS.load(Ordering::SeqCst);
    if FOLLOWERS.load(Ordering::SeqCst) != 0 && !LEADING.load(Ordering::SeqCst) {
        return false;
    }
    if LEADING.load(Ordering::SeqCst) {
        ASLEEP.store(true, Ordering::SeqCst);
        // A leader that left before it could see that has left its time.
        if LEADING.load(Ordering::SeqCst) {
            sys::futex_wait(&CALLS, seen, false, None);
        }
        ASLEEP.store(false, Ordering::SeqCst);
        return true;
    }
    let until = LEFT.load(Ordering::SeqCst).saturating_add(MOMENT);
    if until <= sys::monotonic() {
        return false;
    }
    sys::futex_wait(&CALLS, seen, false, Some((sys::timespec(until), false)));
    true
}
