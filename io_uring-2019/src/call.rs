//! Which calls of `io_uring_enter` this process makes on a ring.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::caller;

/// A call: the thread's id in the low bits, the stack frame in the upper half. Two calls that may both still return
/// differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Call(pub u64);

impl Call {
    pub const THREAD: u64 = (1 << 30) - 1;
    /// The call has ended its translation. It is in the kernel, or just before or after that.
    pub const IN_KERNEL: u64 = 1 << 30;
    /// The call is a signal handler's, and has interrupted the translation of another call.
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

/// The calls of this process on a ring. It is never freed, so a displaced call can still look after its ring has gone.
pub struct Calls {
    /// The call that holds the entry lock, if it is one of this process.
    pub current: AtomicU64,
    /// The call that a nested call has interrupted, while the nested one is in the kernel.
    pub interrupted: AtomicU64,
    /// How many calls are interrupted by nested ones.
    pub depth: AtomicU32,
    /// Counts the nested calls since the process started.
    pub nested_entries: AtomicU32,
}

impl Calls {
    /// No call.
    pub const fn new() -> Calls {
        Calls {
            current: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            depth: AtomicU32::new(0),
            nested_entries: AtomicU32::new(0),
        }
    }

    /// Resets it for a new ring.
    pub fn reset(&self) {
        self.current.store(0, Ordering::Relaxed);
        self.depth.store(0, Ordering::Relaxed);
    }

    // Between threads the entry lock orders these words. Between a call and a handler that interrupts it the order of
    // instructions does: for release stores and acquire loads the compiler keeps it.
    pub fn current(&self) -> Call {
        Call(self.current.load(Ordering::Acquire))
    }

    pub fn set(&self, call: Call) {
        self.current.store(call.0, Ordering::Release);
    }

    /// Replaces one call by another. False if the current call is not `from` any more.
    pub fn exchange(&self, from: Call, to: Call) -> bool {
        // Acquire and release: what the replaced call did comes before what the new one does.
        self.current
            .compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}
