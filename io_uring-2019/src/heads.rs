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
    pub kring: u32,
    /// The head of the SQ ring.
    pub program: u32,
}

impl Heads {
    fn of(word: u64) -> Heads {
        Heads {
            kring: word as u32,
            program: (word >> 32) as u32,
        }
    }

    fn word(self) -> u64 {
        u64::from(self.program) << 32 | u64::from(self.kring)
    }

    /// After so many requests were consumed.
    pub fn after(self, consumed: u32) -> Heads {
        Heads {
            kring: self.kring.wrapping_add(consumed),
            program: self.program.wrapping_add(consumed),
        }
    }

    /// After an index was dropped.
    pub fn after_drop(self) -> Heads {
        Heads {
            program: self.program.wrapping_add(1),
            ..self
        }
    }
}

/// What the account says.
pub fn load(ring: &Ring) -> Heads {
    // Relaxed: who is inside has it to itself, but for handlers on its own thread.
    Heads::of(ring.shared().heads.load(Ordering::Relaxed))
}

/// Accounts for what the kernel has consumed of today's SQ, by whatever call, and gives the entries back to the program.
///
/// # Safety
///
/// The ring is set up, this thread is inside, and no thread polls the SQ ring.
pub unsafe fn follow_kernel(ring: &Ring) -> Heads {
    loop {
        let heads = load(ring);
        // SAFETY: the ring is set up. Relaxed: the kernel moves it within this thread's calls.
        let kring = unsafe { order::load_relaxed(ring.kring.sq.khead) };
        let consumed = kring.wrapping_sub(heads.kring);
        if consumed == 0 {
            return heads;
        }
        advance(ring, heads, heads.after(consumed));
    }
}

/// Moves the account from one state to another, and the head with it. False if it has changed meanwhile.
pub fn advance(ring: &Ring, from: Heads, to: Heads) -> bool {
    let heads = &ring.shared().heads;
    let moved = heads
        .compare_exchange(from.word(), to.word(), Ordering::Relaxed, Ordering::Relaxed)
        .is_ok();
    publish(ring);
    moved
}

/// Moves the head to where the account is.
pub fn publish(ring: &Ring) {
    loop {
        let program = load(ring).program;
        // SAFETY: mapped while there is a `Ring`. Release: entries and iocbs have been read before the program may write
        // there again.
        unsafe { order::store_release(&raw mut (*ring.sq()).head, program) };
        // A handler that came in before the store has moved the head further.
        if load(ring).program == program {
            return;
        }
    }
}
