//! Which call of this process is inside a ring, in one word.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::caller;

/// A call: the thread in the low bits, the frame in the upper half. No two calls that may still return are alike.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Call(pub u64);

impl Call {
    pub const THREAD: u64 = (1 << 30) - 1;
    /// It has left the translation and is in the kernel, or about to be, or just back.
    pub const IN_KERNEL: u64 = 1 << 30;
    /// It has interrupted another one, which translates.
    pub const NESTED: u64 = 1 << 31;
    /// No call.
    pub const NONE: Call = Call(0);

    pub fn here() -> Call {
        Call(u64::from(caller::frame()) << 32 | u64::from(caller::thread()))
    }

    pub fn thread(self) -> u32 {
        (self.0 & Call::THREAD) as u32
    }

    pub fn frame(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub fn is_in_kernel(self) -> bool {
        self.0 & Call::IN_KERNEL != 0
    }

    pub fn is_nested(self) -> bool {
        self.0 & Call::NESTED != 0
    }

    pub fn in_kernel(self) -> Call {
        Call(self.0 | Call::IN_KERNEL)
    }

    pub fn nested(self) -> Call {
        Call(self.0 | Call::NESTED)
    }
}

/// What a process knows of the calls on a ring. It stays in memory for good, so that a call whose ring has gone meanwhile
/// can look.
pub struct Calls {
    /// The call that is inside, if it is one of this process.
    pub current: AtomicU64,
    /// The call that a nested one has interrupted, while that is in the kernel.
    pub interrupted: AtomicU64,
    /// How many calls were interrupted by nested ones.
    pub depth: AtomicU32,
    /// How often a handler has come in during a translation.
    pub nested_entries: AtomicU32,
}

impl Calls {
    /// Nobody is inside.
    pub const fn new() -> Calls {
        Calls {
            current: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            depth: AtomicU32::new(0),
            nested_entries: AtomicU32::new(0),
        }
    }

    /// For a new ring.
    pub fn reset(&self) {
        self.current.store(0, Ordering::Relaxed);
        self.depth.store(0, Ordering::Relaxed);
    }

    // The words are ordered by the lock where threads meet, and where a handler does, by the order of instructions: the
    // compiler keeps that for release stores and acquire loads.
    pub fn current(&self) -> Call {
        Call(self.current.load(Ordering::Acquire))
    }

    pub fn set(&self, call: Call) {
        self.current.store(call.0, Ordering::Release);
    }

    /// Puts a call in another's place. False if that has come back or lost it to somebody else.
    pub fn exchange(&self, from: Call, to: Call) -> bool {
        // Acquire and release: what the one did is done before the other goes on.
        self.current
            .compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}
