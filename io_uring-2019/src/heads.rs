//! How far both SQs have been consumed.
//!
//! The head of the program's SQ ring follows the head of the kernel ring's SQ. Each dropped index moves the former
//! alone.
//!
//! Both heads share one atomic word: a signal handler always sees a consistent pair, and the code it interrupted sees
//! that the pair has changed.

use core::sync::atomic::Ordering;

use uring_core::ring::order::Word;

use crate::ring::Ring;

/// Both heads.
#[derive(Clone, Copy)]
pub struct Heads {
    /// The head of the kernel ring's SQ.
    pub kring: u32,
    /// The head of the program's SQ ring.
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

    /// The heads after the kernel has consumed `consumed` requests.
    pub fn after(self, consumed: u32) -> Heads {
        Heads {
            kring: self.kring.wrapping_add(consumed),
            program: self.program.wrapping_add(consumed),
        }
    }

    /// The heads after an index was dropped.
    pub fn after_drop(self) -> Heads {
        Heads {
            program: self.program.wrapping_add(1),
            ..self
        }
    }
}

/// Both heads, as of now.
pub fn load(ring: &Ring) -> Heads {
    // Relaxed: only the holder of the entry lock writes the word, or handlers on its thread.
    Heads::of(ring.shared().heads.load(Ordering::Relaxed))
}

/// Adds what the kernel has consumed since the last look, and gives those entries back to the program.
///
/// # Safety
///
/// The ring is set up, this thread holds the entry lock, and no thread polls the SQ ring.
pub unsafe fn follow_kernel(ring: &Ring) -> Heads {
    loop {
        let heads = load(ring);
        // SAFETY: the ring is set up, so its words are mapped. Relaxed: the kernel moves the head within calls of this
        // thread.
        let kring = unsafe { Word::new(ring.kring.sq.khead).load_relaxed() };
        let consumed = kring.wrapping_sub(heads.kring);
        if consumed == 0 {
            return heads;
        }
        advance(ring, heads, heads.after(consumed));
    }
}

/// Moves both heads from `from` to `to`, and publishes the program's head. False if they were not `from` any more.
pub fn advance(ring: &Ring, from: Heads, to: Heads) -> bool {
    let heads = &ring.shared().heads;
    let moved = heads
        .compare_exchange(from.word(), to.word(), Ordering::Relaxed, Ordering::Relaxed)
        .is_ok();
    publish(ring);
    moved
}

/// Writes the program's head to the SQ ring.
pub fn publish(ring: &Ring) {
    loop {
        let program = load(ring).program;
        // SAFETY: the SQ ring is mapped while there is a `Ring`. Release: this thread has read the entries and iocbs
        // before the program may overwrite them.
        unsafe { Word::new(&raw mut (*ring.sq()).head).store_release(program) };
        // A handler that ran before the store has moved the head further.
        if load(ring).program == program {
            return;
        }
    }
}
