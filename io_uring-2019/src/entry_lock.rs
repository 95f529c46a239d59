//! Being inside `io_uring_enter` on a ring, which one thread can be at a time.
//!
//! A lock in the ring's memory holds between processes. It says which thread is inside. What that thread does is known
//! to its own process: it translates, or it is in the kernel. While it is in the kernel another call can take its place:
//! that of a signal's handler which interrupts the wait, for which nobody is inside then, or any other once the thread
//! has left the wait for good, with longjmp or by its end. The call whose place was taken touches nothing of the ring any
//! more. While a thread translates, only a handler on that very thread can come in; it leaves everything such that the
//! translation is done again.
//!
//! A child that is forked in a handler has a copy of the interrupted call, which is none of its own.

use core::cell::Cell;
use core::sync::atomic::Ordering;

use uring_core::errno::{Errno, Result};
use uring_core::ring::order;

use crate::call::Call;
use crate::pool::Held;
use crate::sys::time;
use crate::{caller, heads, other_threads};

/// The right to be inside.
pub struct Entry<'a> {
    ring: &'a Held,
    call: Call,
    /// For a call that has interrupted another one.
    interrupted: Option<Interrupted>,
    /// Where it was made.
    process: u32,
    displaced: Cell<bool>,
}

/// What a nested call puts back.
#[derive(Clone, Copy)]
struct Interrupted {
    /// The call that was interrupted in its translation, or just before or after it ([`Call::NONE`]).
    call: Call,
    /// `Turn::below`, which may be in the making.
    saved: u64,
}

impl<'a> Entry<'a> {
    /// `EBUSY` if somebody is inside.
    #[inline(never)]
    pub fn take(ring: &'a Held) -> Result<Entry<'a>> {
        loop {
            let process = caller::process();
            let call = Call::here();
            let taken = change_owner(ring, 0, call.thread());
            if process != caller::process() {
                // A handler has forked, and this is the child. If the lock was taken, it was by the parent.
                continue;
            }
            let mut entry = match taken {
                Ok(_) => {
                    ring.calls().set(call);
                    Entry::new(ring, call, None)
                }
                Err(owner) => Entry::take_busy(ring, call, owner)?,
            };
            entry.process = process;
            return Ok(entry);
        }
    }

    #[inline(always)]
    fn new(ring: &'a Held, call: Call, interrupted: Option<Interrupted>) -> Entry<'a> {
        Entry {
            ring,
            call,
            interrupted,
            process: 0,
            displaced: Cell::new(false),
        }
    }

    /// [`take`](Self::take) when the thread `owner` seems to be inside.
    #[cold]
    fn take_busy(ring: &'a Held, call: Call, owner: u32) -> Result<Entry<'a>> {
        let current = ring.calls().current();
        let entry = if owner == call.thread() {
            Entry::take_from_own_thread(ring, current, call)
        } else if other_threads::has_ended(owner) {
            Entry::take_from_ended(ring, owner, call)
        } else if has_left_kernel(ring, current, owner)
            && change_owner(ring, owner, call.thread()).is_ok()
        {
            let entry = Entry::displace(ring, current, call, None);
            if entry.is_none() {
                // It has come back, and may have gone out again.
                let _ = change_owner(ring, call.thread(), owner);
            }
            entry
        } else {
            None
        };
        let entry = entry.ok_or(Errno::EBUSY)?;
        entry.repair();
        Ok(entry)
    }

    /// When this very thread seems to be inside: a handler calls, or the thread has left its call with longjmp.
    fn take_from_own_thread(ring: &'a Held, current: Call, call: Call) -> Option<Entry<'a>> {
        if current.thread() != call.thread() {
            // Just before or after the interrupted call is noted; or another thread is taking its place.
            return if current == Call::NONE || !other_threads::is_thread(current.thread()) {
                Entry::nest(ring, current, call)
            } else {
                None
            };
        }
        if current.is_in_kernel() {
            Entry::displace(ring, current, call, interrupted_by(ring, current, call))
        } else if may_return(current, call) {
            Entry::nest(ring, current, call)
        } else {
            Entry::displace(ring, current, call, None)
        }
    }

    /// Takes the place of a call in the kernel, or of one that was left for good. If that had interrupted another one
    /// that may return, it is `below`.
    fn displace(
        ring: &'a Held,
        current: Call,
        call: Call,
        interrupted: Option<Interrupted>,
    ) -> Option<Entry<'a>> {
        let call = interrupted.map_or(call, |_| call.nested());
        ring.calls().exchange(current, call).then(|| {
            drop_uses(ring, interrupted.is_some());
            Entry::new(ring, call, interrupted)
        })
    }

    /// Goes in while this thread's own call translates, or is about to begin or to end that.
    fn nest(ring: &'a Held, current: Call, call: Call) -> Option<Entry<'a>> {
        let (calls, call) = (ring.calls(), call.nested());
        let interrupted = Interrupted {
            call: current,
            saved: calls.interrupted.load(Ordering::Relaxed),
        };
        calls.exchange(current, call).then(|| {
            calls.nested_entries.fetch_add(1, Ordering::Relaxed);
            calls.depth.fetch_add(1, Ordering::Relaxed);
            Entry::new(ring, call, Some(interrupted))
        })
    }

    /// Takes the place of a thread that has ended, of whatever process.
    fn take_from_ended(ring: &'a Held, owner: u32, call: Call) -> Option<Entry<'a>> {
        let current = ring.calls().current();
        // What that thread did is done: the kernel has said that it is gone.
        change_owner(ring, owner, call.thread()).ok()?;
        ring.calls().set(call);
        // It was this process's own, or its copy of the parent's, whose use of the ring was copied as well.
        if current.thread() == owner {
            drop_uses(ring, false);
        }
        Some(Entry::new(ring, call, None))
    }

    /// Takes back what another call has published and not submitted: should it still get to its system call, it finds
    /// nothing there. And brings the head to where the account is, which that call may have left in between.
    fn repair(&self) {
        if !self.ring.has_poller() {
            // SAFETY: the ring is set up, and this thread is inside. Relaxed: the call whose place was taken is this
            // thread's own, or found nothing to submit, or will never be made.
            unsafe {
                let sq = &self.ring.kring.sq;
                order::store_relaxed(sq.ktail, order::load_relaxed(sq.khead));
                heads::follow_kernel(self.ring);
                heads::publish(self.ring);
            }
        }
    }

    /// How often handlers have come in so far.
    pub fn nested_entries(&self) -> u32 {
        self.ring.calls().nested_entries.load(Ordering::Acquire)
    }

    /// To be called before the system call: from now on this call's place can be taken. If it submits, `visits` is what
    /// they were before the translation. False if that is void.
    pub fn before_syscall(&self, nested_before: Option<u32>) -> bool {
        let calls = self.ring.calls();
        if !self.is_of_this_process() {
            self.displaced.set(true);
            return false;
        }
        if let Some(interrupted) = self.interrupted {
            calls
                .interrupted
                .store(interrupted.call.0, Ordering::Relaxed);
        }
        calls.set(self.call.in_kernel());
        // A handler that comes after this look takes back what was published.
        if nested_before.is_none_or(|before| before == self.nested_entries()) {
            return true;
        }
        if self.after_syscall() {
            self.repair();
        }
        false
    }

    /// To be called after the system call. False if this call's place was taken: who did that has accounted for what was
    /// submitted, and the ring may have gone.
    pub fn after_syscall(&self) -> bool {
        if self.is_of_this_process() && self.ring.calls().exchange(self.call.in_kernel(), self.call)
        {
            return true;
        }
        self.displaced.set(true);
        false
    }

    /// Whether this call's place was taken, or it is the parent's.
    pub fn is_displaced(&self) -> bool {
        self.displaced.get()
    }

    /// Whether a lost call's use of the ring was ended by whoever took its place.
    pub fn is_use_dropped(&self) -> bool {
        let current = self.ring.calls().current();
        self.is_of_this_process() || (current != self.call && current != self.call.in_kernel())
    }

    fn is_of_this_process(&self) -> bool {
        self.process == caller::process()
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            return;
        }
        let calls = self.ring.calls();
        match self.interrupted {
            None => {
                calls.set(Call::NONE);
                // Release: what this thread did is done.
                self.ring.shared().owner.store(0, Ordering::Release);
            }
            Some(interrupted) => {
                calls.depth.fetch_sub(1, Ordering::Relaxed);
                calls
                    .interrupted
                    .store(interrupted.saved, Ordering::Relaxed);
                calls.set(interrupted.call);
            }
        }
    }
}

fn change_owner(ring: &Held, from: u32, to: u32) -> core::result::Result<u32, u32> {
    // Acquire and release: what the one did is done before the other begins.
    ring.shared()
        .owner
        .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
}

/// Ends the uses of the ring of a call that may not return by itself, and of those that it has interrupted, unless they
/// may.
fn drop_uses(ring: &Held, one: bool) {
    let depth = &ring.calls().depth;
    let nested = if one {
        0
    } else {
        depth.swap(0, Ordering::Relaxed)
    };
    for _ in 0..=nested {
        ring.drop_another_user();
    }
}

/// What the call `there`, which is in the kernel, had interrupted, if that may return.
fn interrupted_by(ring: &Held, current: Call, now: Call) -> Option<Interrupted> {
    let saved = ring.calls().interrupted.load(Ordering::Relaxed);
    (current.is_nested() && may_return(Call(saved), now)).then_some(Interrupted {
        call: Call(saved),
        saved,
    })
}

/// Whether a call that was interrupted or left may return, as seen from another one of the same thread.
fn may_return(then: Call, now: Call) -> bool {
    then == Call::NONE || caller::may_have_interrupted(now.frame(), then.frame())
}

/// Whether the call `there` of the thread `owner`, which was in the kernel, is not any more: a handler runs, or longjmp
/// was used, and the thread sleeps somewhere else; or it has ended. While it runs nobody can tell, so it is given some
/// time to fall asleep.
fn has_left_kernel(ring: &Held, current: Call, owner: u32) -> bool {
    const LOOKS: u32 = 10;
    const PAUSE_NS: u64 = 100_000;
    if current.thread() != owner || current.is_nested() || !other_threads::is_thread(owner) {
        return false;
    }
    for _ in 0..LOOKS {
        if !current.is_in_kernel() || ring.calls().current() != current || has_published(ring) {
            return false;
        }
        if let Some(elsewhere) = other_threads::sleeps_elsewhere(owner, ring.kring.enter_ring_fd) {
            return elsewhere;
        }
        time::nap(PAUSE_NS);
        if other_threads::has_ended(owner) {
            return true;
        }
    }
    false
}

/// Whether today's SQ has what was not submitted yet: whoever published it is just before its system call.
fn has_published(ring: &Held) -> bool {
    // SAFETY: the ring is set up. Relaxed: a hint.
    unsafe {
        let sq = &ring.kring.sq;
        !ring.has_poller() && order::load_relaxed(sq.ktail) != order::load_relaxed(sq.khead)
    }
}

/// Ends a call on the ring that nobody will return from, if there is one: of this thread (if `here`), whose handler is
/// what runs or which has left it with longjmp, or of a thread that has ended or has left it.
pub fn end_abandoned_call(ring: &Held, here: bool) {
    let calls = ring.calls();
    // Acquire: what the owner did before it left is done.
    let owner = ring.shared().owner.load(Ordering::Acquire);
    let current = calls.current();
    if owner == 0 || current.thread() != owner {
        return;
    }
    let (mut is_left, mut interrupted) = (false, None);
    if here && owner == caller::thread() {
        let now = Call::here();
        is_left = current.is_in_kernel() || !may_return(current, now);
        interrupted = interrupted_by(ring, current, now).filter(|_| current.is_in_kernel());
    } else if other_threads::has_ended(owner) || has_left_kernel(ring, current, owner) {
        is_left = true;
    }
    if is_left
        && calls.exchange(
            current,
            interrupted.map_or(Call::NONE, |interrupted| interrupted.call),
        )
    {
        if interrupted.is_none() {
            ring.shared().owner.store(0, Ordering::Release);
        } else {
            calls.depth.fetch_sub(1, Ordering::Relaxed);
        }
        drop_uses(ring, interrupted.is_some());
    }
}
