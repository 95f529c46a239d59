//! Every access to ring memory that the kernel shares, each with its ordering.
//!
//! Heads and tails are 32-bit counters with one writer each: the application moves the SQ tail and the CQ head, the
//! kernel the SQ head and the CQ tail. The tail of a provided buffer ring has 16 bits; the application moves it. Flags
//! words are written by the kernel, but for the CQ's, which the application writes. Plain accesses would let the compiler
//! repeat or merge them while the other side writes.

use core::ffi::c_uint;
#[cfg(not(uring_loom))]
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

// `c-tests/ordering` runs the ring logic on a model of weakly ordered memory.
#[cfg(uring_loom)]
use crate::atomic::{AtomicU16, AtomicU32, Ordering};

/// A word that the kernel and the program share.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Word(*mut c_uint);

impl Word {
    /// A shared word.
    ///
    /// # Safety
    ///
    /// `word` points into a ring's mapping, which lives as long as the word is used, and is aligned.
    #[inline(always)]
    pub const unsafe fn new(word: *const c_uint) -> Word {
        Word(word.cast_mut())
    }

    /// Loads a counter that the other side publishes, after everything that it did before: the CQ tail, before CQEs are
    /// read; and the SQ head of a ring with a submission thread, before an SQE that the thread has read is written again
    /// (on x86-64, where every load acquires, of any ring).
    #[inline(always)]
    pub fn load_acquire(self) -> c_uint {
        // SAFETY: the maker of the word vouched for it. All concurrent accesses are atomic, here and in the kernel.
        unsafe { AtomicU32::from_ptr(self.0) }.load(Ordering::Acquire)
    }

    /// Loads a word whose value is all that matters: one's own counter, a flags word, or the SQ head, where it is only
    /// counted with or where the kernel moves it inside this thread's system calls alone. `Ring::load_sq_head` chooses for
    /// the SQ head.
    #[inline(always)]
    pub fn load_relaxed(self) -> c_uint {
        // SAFETY: as for `load_acquire`.
        unsafe { AtomicU32::from_ptr(self.0) }.load(Ordering::Relaxed)
    }

    /// Loads a word in the one order in which all sequentially consistent accesses happen: the SQ flags after the SQ tail
    /// was stored with [`store_seq_cst`](Word::store_seq_cst).
    #[inline(always)]
    pub fn load_seq_cst(self) -> c_uint {
        // SAFETY: as for `load_acquire`.
        unsafe { AtomicU32::from_ptr(self.0) }.load(Ordering::SeqCst)
    }

    /// Stores a counter after everything that it hands over: the CQ head, once the CQEs before it have been read. Only
    /// one thread stores the word.
    #[inline(always)]
    pub fn store_release(self, value: c_uint) {
        // SAFETY: as for `load_acquire`.
        unsafe { AtomicU32::from_ptr(self.0) }.store(value, Ordering::Release)
    }

    /// Stores a word that the kernel reads only inside a system call of this thread, which orders it: the SQ tail without
    /// a submission thread, or an index of the SQ. Or a word whose value is all that matters: the CQ flags. Only one
    /// thread stores the word.
    #[inline(always)]
    pub fn store_relaxed(self, value: c_uint) {
        // SAFETY: as for `load_acquire`.
        unsafe { AtomicU32::from_ptr(self.0) }.store(value, Ordering::Relaxed)
    }

    /// Stores a counter so that no later sequentially consistent load is done before it: the SQ tail, when a kernel thread
    /// polls it and its flags are read next. Only one thread stores the word.
    #[inline(always)]
    pub fn store_seq_cst(self, value: c_uint) {
        // SAFETY: as for `load_acquire`.
        unsafe { AtomicU32::from_ptr(self.0) }.store(value, Ordering::SeqCst)
    }
}

/// [`Word::store_release`] of a 16-bit counter: the tail of a provided buffer ring, once the entries before it are filled
/// in.
///
/// # Safety
///
/// `word` points into a live buffer ring and is aligned.
#[inline(always)]
pub unsafe fn store_release_16(word: *mut u16, value: u16) {
    // SAFETY: the caller vouches for the pointer. The kernel only reads the word.
    unsafe { AtomicU16::from_ptr(word).store(value, Ordering::Release) }
}
