//! The entry lock: one thread at a time is in `io_uring_enter` on a ring.
//!
//! The lock is a word in the ring's memory, so it holds between processes. It contains the id of the thread that holds
//! it. The thread's own process knows more: whether the call translates or is in the kernel.
//!
//! A call that waits in the kernel can be *displaced*: by a signal handler that interrupts it, or by any thread once
//! the waiter has left the wait for good (longjmp, thread exit). A displaced call must not touch the ring again.
//!
//! A call that translates can only be interrupted by a handler on the same thread. The handler's call is *nested*. It
//! leaves the ring in a state in which the interrupted call starts its translation again.
//!
//! A child that a handler forks has a copy of the interrupted call. The copy does not hold the lock.

use core::cell::Cell;
use core::sync::atomic::Ordering;

use uring_core::errno::{Errno, Result};
use uring_core::ring::order::Word;

use crate::call::Call;
use crate::pool::Held;
use crate::sys::time;
use crate::{caller, heads, other_threads};

/// The right of one call to use the ring, until it is dropped or displaced.
pub struct Entry<'a> {
    ring: &'a Held,
    call: Call,
    /// What this call has interrupted, if it is nested.
    interrupted: Option<Interrupted>,
    /// The process that made the call.
    process: u32,
    displaced: Cell<bool>,
}

/// What a nested call restores when it ends.
#[derive(Clone, Copy)]
struct Interrupted {
    /// The interrupted call, or [`Call::NONE`] if that was about to take the lock or to give it back.
    call: Call,
    /// The value of [`Calls::interrupted`](crate::call::Calls), which the interrupted call may have been about to set.
    saved: u64,
}

impl<'a> Entry<'a> {
    /// Takes the lock. `EBUSY` if another thread holds it.
    #[inline(never)]
    pub fn take(ring: &'a Held) -> Result<Entry<'a>> {
        loop {
            let process = caller::process();
            let call = Call::here();
            let taken = change_owner(ring, 0, call.thread());
            if process != caller::process() {
                // A handler has forked, and this is the child. If the lock was taken, the parent has it.
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

    /// [`take`](Self::take) when the lock names the thread `owner`.
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
                // The owner has come back, and may have left again.
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

    /// Takes the lock that this very thread holds: in a signal handler, or after it has left a call with longjmp.
    fn take_from_own_thread(ring: &'a Held, current: Call, call: Call) -> Option<Entry<'a>> {
        if current.thread() != call.thread() {
            // The interrupted call was about to note itself or to clear that note. Or another thread is displacing it.
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

    /// Displaces the call `current`, which is in the kernel or was left by longjmp. `interrupted` is what `current` had
    /// itself interrupted, if that may return.
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

    /// Enters while a call of this thread translates, or is about to take the lock or to give it back.
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

    /// Takes the lock from a thread that has ended, of any process.
    fn take_from_ended(ring: &'a Held, owner: u32, call: Call) -> Option<Entry<'a>> {
        let current = ring.calls().current();
        // The kernel has said that the thread is gone, so all it did is visible.
        change_owner(ring, owner, call.thread()).ok()?;
        ring.calls().set(call);
        // The call was one of this process, or this process has a copy of it from its parent. Its use of the ring
        // counts here.
        if current.thread() == owner {
            drop_uses(ring, false);
        }
        Some(Entry::new(ring, call, None))
    }

    /// Takes back requests that a displaced call has published and not submitted. Should that call still reach its
    /// system call, the kernel finds nothing to submit. Also publishes the head, which the displaced call may have
    /// moved and not published.
    fn repair(&self) {
        if !self.ring.has_poller() {
            // SAFETY: the ring is set up, and this thread holds the lock. Relaxed: the displaced call is this thread's
            // own, or found nothing to submit, or will never be made.
            unsafe {
                let sq = &self.ring.kring.sq;
                Word::new(sq.ktail).store_relaxed(Word::new(sq.khead).load_relaxed());
                heads::follow_kernel(self.ring);
                heads::publish(self.ring);
            }
        }
    }

    /// How many nested calls there have been.
    pub fn nested_entries(&self) -> u32 {
        self.ring.calls().nested_entries.load(Ordering::Acquire)
    }

    /// Called before the system call. From here on this call can be displaced. If the call submits, `nested_before` is
    /// the number of nested calls before its translation. False if the translation is void: a nested call has come in
    /// since.
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
        // A handler that runs after this check takes back what was published.
        if nested_before.is_none_or(|before| before == self.nested_entries()) {
            return true;
        }
        if self.after_syscall() {
            self.repair();
        }
        false
    }

    /// Called after the system call. False if this call was displaced: the displacing call has counted what was
    /// submitted, and the ring may have gone.
    pub fn after_syscall(&self) -> bool {
        if self.is_of_this_process() && self.ring.calls().exchange(self.call.in_kernel(), self.call)
        {
            return true;
        }
        self.displaced.set(true);
        false
    }

    /// Whether this call was displaced, or is a child's copy of its parent's.
    pub fn is_displaced(&self) -> bool {
        self.displaced.get()
    }

    /// Whether the displacing call has dropped this call's use of the ring.
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
                // Release: what this thread did comes before what the next holder does.
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
    // Acquire and release: what the last holder did comes before what the next one does.
    ring.shared()
        .owner
        .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
}

/// Drops the uses of the ring that a displaced call holds. With `one`, the calls that it had interrupted may still
/// return and keep theirs. Otherwise their uses are dropped as well.
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

/// What the call `current`, which is in the kernel, had interrupted, if that may return.
fn interrupted_by(ring: &Held, current: Call, now: Call) -> Option<Interrupted> {
    let saved = ring.calls().interrupted.load(Ordering::Relaxed);
    (current.is_nested() && may_return(Call(saved), now)).then_some(Interrupted {
        call: Call(saved),
        saved,
    })
}

/// Whether the call `then` may still return, as seen from the later call `now` of the same thread.
fn may_return(then: Call, now: Call) -> bool {
    then == Call::NONE || caller::may_have_interrupted(now.frame(), then.frame())
}

/// Whether the thread `owner` has left the kernel without ending its call `current`: a handler of it runs or it has
/// used longjmp, and now it sleeps somewhere else; or it has ended. A running thread shows nothing, so this gives it
/// some time to fall asleep.
fn has_left_kernel(ring: &Held, current: Call, owner: u32) -> bool {
    const TRIES: u32 = 10;
    const PAUSE_NS: u64 = 100_000;
    if current.thread() != owner || current.is_nested() || !other_threads::is_thread(owner) {
        return false;
    }
    for _ in 0..TRIES {
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

/// Whether the kernel ring's SQ holds requests that are not submitted: the thread that published them is about to
/// enter.
fn has_published(ring: &Held) -> bool {
    // SAFETY: the ring is set up, so its words are mapped. Relaxed: a hint.
    unsafe {
        let sq = &ring.kring.sq;
        !ring.has_poller()
            && Word::new(sq.ktail).load_relaxed() != Word::new(sq.khead).load_relaxed()
    }
}

/// Ends a call on the ring that will not return, if there is one. With `here`, that may be a call of this very thread,
/// which runs a handler now or has left the call with longjmp. It may also be a call of a thread that has ended or left
/// it.
pub fn end_abandoned_call(ring: &Held, here: bool) {
    let calls = ring.calls();
    // Acquire: what the owner did comes before what is done here.
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
