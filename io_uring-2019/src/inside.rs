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

use crate::pool::Held;
use crate::turn::Call;
use crate::{account, caller, sys, task};

/// The right to be inside.
pub struct Inside<'a> {
    ring: &'a Held,
    call: Call,
    /// For a call that has interrupted another one.
    below: Option<Below>,
    /// Where it was made.
    process: u32,
    lost: Cell<bool>,
}

/// What a nested call puts back.
#[derive(Clone, Copy)]
struct Below {
    /// The call that was interrupted in its translation, or just before or after it ([`Call::NONE`]).
    call: Call,
    /// `Turn::below`, which may be in the making.
    below: u64,
}

impl<'a> Inside<'a> {
    /// `EBUSY` if somebody is inside.
    #[inline(never)]
    pub fn take(ring: &'a Held) -> Result<Inside<'a>> {
        loop {
            let process = caller::process();
            let call = Call::here();
            let taken = change_owner(ring, 0, call.thread());
            if process != caller::process() {
                // A handler has forked, and this is the child. If the lock was taken, it was by the parent.
                continue;
            }
            let mut inside = match taken {
                Ok(_) => {
                    ring.turn().set(call);
                    Inside::new(ring, call, None)
                }
                Err(owner) => Inside::instead_of(ring, call, owner)?,
            };
            inside.process = process;
            return Ok(inside);
        }
    }

    #[inline(always)]
    fn new(ring: &'a Held, call: Call, below: Option<Below>) -> Inside<'a> {
        Inside {
            ring,
            call,
            below,
            process: 0,
            lost: Cell::new(false),
        }
    }

    /// [`take`](Self::take) when the thread `owner` seems to be inside.
    #[cold]
    fn instead_of(ring: &'a Held, call: Call, owner: u32) -> Result<Inside<'a>> {
        let there = ring.turn().call();
        let inside = if owner == call.thread() {
            Inside::beside_own(ring, there, call)
        } else if task::has_ended(owner) {
            Inside::after_end_of(ring, owner, call)
        } else if is_elsewhere(ring, there, owner)
            && change_owner(ring, owner, call.thread()).is_ok()
        {
            let inside = Inside::in_place_of(ring, there, call, None);
            if inside.is_none() {
                // It has come back, and may have gone out again.
                let _ = change_owner(ring, call.thread(), owner);
            }
            inside
        } else {
            None
        };
        let inside = inside.ok_or(Errno::EBUSY)?;
        inside.repair();
        Ok(inside)
    }

    /// When this very thread seems to be inside: a handler calls, or the thread has left its call with longjmp.
    fn beside_own(ring: &'a Held, there: Call, call: Call) -> Option<Inside<'a>> {
        if there.thread() != call.thread() {
            // Just before or after the interrupted call is noted; or another thread is taking its place.
            return if there == Call::NONE || !task::is_thread(there.thread()) {
                Inside::within(ring, there, call)
            } else {
                None
            };
        }
        if there.is_in_kernel() {
            Inside::in_place_of(ring, there, call, interrupted_by(ring, there, call))
        } else if may_return(there, call) {
            Inside::within(ring, there, call)
        } else {
            Inside::in_place_of(ring, there, call, None)
        }
    }

    /// Takes the place of a call in the kernel, or of one that was left for good. If that had interrupted another one
    /// that may return, it is `below`.
    fn in_place_of(
        ring: &'a Held,
        there: Call,
        call: Call,
        below: Option<Below>,
    ) -> Option<Inside<'a>> {
        let call = below.map_or(call, |_| call.nested());
        ring.turn().exchange(there, call).then(|| {
            end_uses(ring, below.is_some());
            Inside::new(ring, call, below)
        })
    }

    /// Goes in while this thread's own call translates, or is about to begin or to end that.
    fn within(ring: &'a Held, there: Call, call: Call) -> Option<Inside<'a>> {
        let (turn, call) = (ring.turn(), call.nested());
        let below = Below {
            call: there,
            below: turn.below.load(Ordering::Relaxed),
        };
        turn.exchange(there, call).then(|| {
            turn.visits.fetch_add(1, Ordering::Relaxed);
            turn.depth.fetch_add(1, Ordering::Relaxed);
            Inside::new(ring, call, Some(below))
        })
    }

    /// Takes the place of a thread that has ended, of whatever process.
    fn after_end_of(ring: &'a Held, owner: u32, call: Call) -> Option<Inside<'a>> {
        let there = ring.turn().call();
        // What that thread did is done: the kernel has said that it is gone.
        change_owner(ring, owner, call.thread()).ok()?;
        ring.turn().set(call);
        // It was this process's own, or its copy of the parent's, whose use of the ring was copied as well.
        if there.thread() == owner {
            end_uses(ring, false);
        }
        Some(Inside::new(ring, call, None))
    }

    /// Takes back what another call has published and not submitted: should it still get to its system call, it finds
    /// nothing there. And brings the head to where the account is, which that call may have left in between.
    fn repair(&self) {
        if !self.ring.is_polled_by_thread() {
            // SAFETY: the ring is set up, and this thread is inside. Relaxed: the call whose place was taken is this
            // thread's own, or found nothing to submit, or will never be made.
            unsafe {
                let sq = &self.ring.today.sq;
                order::store_relaxed(sq.ktail, order::load_relaxed(sq.khead));
                account::settle(self.ring);
                account::publish(self.ring);
            }
        }
    }

    /// How often handlers have come in so far.
    pub fn visits(&self) -> u32 {
        self.ring.turn().visits.load(Ordering::Acquire)
    }

    /// To be called before the system call: from now on this call's place can be taken. If it submits, `visits` is what
    /// they were before the translation. False if that is void.
    pub fn leave_translation(&self, visits: Option<u32>) -> bool {
        let turn = self.ring.turn();
        if !self.is_of_this_process() {
            self.lost.set(true);
            return false;
        }
        if let Some(below) = self.below {
            turn.below.store(below.call.0, Ordering::Relaxed);
        }
        turn.set(self.call.in_kernel());
        // A handler that comes after this look takes back what was published.
        if visits.is_none_or(|visits| visits == self.visits()) {
            return true;
        }
        if self.come_back() {
            self.repair();
        }
        false
    }

    /// To be called after the system call. False if this call's place was taken: who did that has accounted for what was
    /// submitted, and the ring may have gone.
    pub fn come_back(&self) -> bool {
        if self.is_of_this_process() && self.ring.turn().exchange(self.call.in_kernel(), self.call)
        {
            return true;
        }
        self.lost.set(true);
        false
    }

    /// Whether this call's place was taken, or it is the parent's.
    pub fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// Whether a lost call's use of the ring was ended by whoever took its place.
    pub fn is_use_ended(&self) -> bool {
        let there = self.ring.turn().call();
        self.is_of_this_process() || (there != self.call && there != self.call.in_kernel())
    }

    fn is_of_this_process(&self) -> bool {
        self.process == caller::process()
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            return;
        }
        let turn = self.ring.turn();
        match self.below {
            None => {
                turn.set(Call::NONE);
                // Release: what this thread did is done.
                self.ring.shared().owner.store(0, Ordering::Release);
            }
            Some(below) => {
                turn.depth.fetch_sub(1, Ordering::Relaxed);
                turn.below.store(below.below, Ordering::Relaxed);
                turn.set(below.call);
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
fn end_uses(ring: &Held, one: bool) {
    let depth = &ring.turn().depth;
    let below = if one {
        0
    } else {
        depth.swap(0, Ordering::Relaxed)
    };
    for _ in 0..=below {
        ring.end_another();
    }
}

/// What the call `there`, which is in the kernel, had interrupted, if that may return.
fn interrupted_by(ring: &Held, there: Call, now: Call) -> Option<Below> {
    let below = ring.turn().below.load(Ordering::Relaxed);
    (there.is_nested() && may_return(Call(below), now)).then_some(Below {
        call: Call(below),
        below,
    })
}

/// Whether a call that was interrupted or left may return, as seen from another one of the same thread.
fn may_return(then: Call, now: Call) -> bool {
    then == Call::NONE || caller::may_have_interrupted(now.frame(), then.frame())
}

/// Whether the call `there` of the thread `owner`, which was in the kernel, is not any more: a handler runs, or longjmp
/// was used, and the thread sleeps somewhere else; or it has ended. While it runs nobody can tell, so it is given some
/// time to fall asleep.
fn is_elsewhere(ring: &Held, there: Call, owner: u32) -> bool {
    const LOOKS: u32 = 10;
    const PAUSE_NS: u64 = 100_000;
    if there.thread() != owner || there.is_nested() || !task::is_thread(owner) {
        return false;
    }
    for _ in 0..LOOKS {
        if !there.is_in_kernel() || ring.turn().call() != there || has_published(ring) {
            return false;
        }
        if let Some(elsewhere) = task::sleeps_elsewhere(owner, ring.today.enter_ring_fd) {
            return elsewhere;
        }
        sys::nap(PAUSE_NS);
        if task::has_ended(owner) {
            return true;
        }
    }
    false
}

/// Whether today's SQ has what was not submitted yet: whoever published it is just before its system call.
fn has_published(ring: &Held) -> bool {
    // SAFETY: the ring is set up. Relaxed: a hint.
    unsafe {
        let sq = &ring.today.sq;
        !ring.is_polled_by_thread()
            && order::load_relaxed(sq.ktail) != order::load_relaxed(sq.khead)
    }
}

/// Ends a call on the ring that nobody will return from, if there is one: of this thread (if `here`), whose handler is
/// what runs or which has left it with longjmp, or of a thread that has ended or has left it.
pub fn end_left_behind(ring: &Held, here: bool) {
    let turn = ring.turn();
    // Acquire: what the owner did before it left is done.
    let owner = ring.shared().owner.load(Ordering::Acquire);
    let there = turn.call();
    if owner == 0 || there.thread() != owner {
        return;
    }
    let (mut is_left, mut below) = (false, None);
    if here && owner == caller::thread() {
        let now = Call::here();
        is_left = there.is_in_kernel() || !may_return(there, now);
        below = interrupted_by(ring, there, now).filter(|_| there.is_in_kernel());
    } else if task::has_ended(owner) || is_elsewhere(ring, there, owner) {
        is_left = true;
    }
    if is_left && turn.exchange(there, below.map_or(Call::NONE, |below| below.call)) {
        if below.is_none() {
            ring.shared().owner.store(0, Ordering::Release);
        } else {
            turn.depth.fetch_sub(1, Ordering::Relaxed);
        }
        end_uses(ring, below.is_some());
    }
}
