//! How far the SQ ring was consumed.
//!
//! The head of the SQ ring follows that of today's SQ, and gains on it with every index that is dropped. Both stand in one
//! word, so that a signal's handler which comes in at any instruction finds an account that holds, and whoever was
//! interrupted finds out that it has changed.

use core::sync::atomic::Ordering;

use uring_core::ring::order;

use crate::ring::Ring;

/// What the word says.
#[derive(Clone, Copy)]
pub struct Heads {
    /// The head of today's SQ.
    pub today: u32,
    /// The head of the SQ ring.
    pub ours: u32,
}

impl Heads {
    fn of(word: u64) -> Heads {
        Heads {
            today: word as u32,
            ours: (word >> 32) as u32,
        }
    }

    fn word(self) -> u64 {
        u64::from(self.ours) << 32 | u64::from(self.today)
    }

    /// After so many requests were consumed.
    pub fn after(self, consumed: u32) -> Heads {
        Heads {
            today: self.today.wrapping_add(consumed),
            ours: self.ours.wrapping_add(consumed),
        }
    }

    /// After an index was dropped.
    pub fn after_drop(self) -> Heads {
        Heads {
            ours: self.ours.wrapping_add(1),
            ..self
        }
    }
}

/// What the account says.
pub fn read(ring: &Ring) -> Heads {
    // Relaxed: who is inside has it to itself, but for handlers on its own thread.
    Heads::of(ring.shared().account.load(Ordering::Relaxed))
}

/// Accounts for what the kernel has consumed of today's SQ, by whatever call, and gives the entries back to the program.
///
/// # Safety
///
/// The ring is set up, this thread is inside, and no thread polls the SQ ring.
pub unsafe fn settle(ring: &Ring) -> Heads {
    loop {
        let heads = read(ring);
        // SAFETY: the ring is set up. Relaxed: the kernel moves it within this thread's calls.
        let today = unsafe { order::load_relaxed(ring.today.sq.khead) };
        let consumed = today.wrapping_sub(heads.today);
        if consumed == 0 {
            return heads;
        }
        advance(ring, heads, heads.after(consumed));
    }
}

/// Moves the account from one state to another, and the head with it. False if it has changed meanwhile.
pub fn advance(ring: &Ring, from: Heads, to: Heads) -> bool {
    let account = &ring.shared().account;
    let moved = account
        .compare_exchange(from.word(), to.word(), Ordering::Relaxed, Ordering::Relaxed)
        .is_ok();
    publish(ring);
    moved
}

/// Moves the head to where the account is.
pub fn publish(ring: &Ring) {
    loop {
        let ours = read(ring).ours;
        // SAFETY: mapped while there is a `Ring`. Release: entries and iocbs have been read before the program may write
        // there again.
        unsafe { order::store_release(&raw mut (*ring.sq()).head, ours) };
        // A handler that came in before the store has moved the head further.
        if read(ring).ours == ours {
            return;
        }
    }
}
