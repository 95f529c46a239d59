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

/// Loads a counter that the other side publishes, after everything that it did before: the CQ tail, before CQEs are read;
/// and the SQ head of a ring with a submission thread, before an SQE that the thread has read is written again (on
/// x86-64, where every load acquires, of any ring).
///
/// # Safety
///
/// `word` points into a ring's live mapping and is aligned.
#[inline(always)]
pub unsafe fn load_acquire(word: *const c_uint) -> c_uint {
    // SAFETY: the caller vouches for the pointer; all concurrent accesses to the word are atomic, here and in the kernel.
    unsafe { AtomicU32::from_ptr(word.cast_mut()).load(Ordering::Acquire) }
}

/// Loads a word whose value is all that matters: one's own counter, a flags word, or the SQ head, where it is only counted
/// with or where the kernel moves it inside this thread's system calls alone. `queue::sqe::load_head` chooses for the SQ
/// head.
///
/// # Safety
///
/// `word` points into a ring's live mapping and is aligned.
#[inline(always)]
pub unsafe fn load_relaxed(word: *const c_uint) -> c_uint {
    // SAFETY: as for `load_acquire`.
    unsafe { AtomicU32::from_ptr(word.cast_mut()).load(Ordering::Relaxed) }
}

/// Loads a word in the one order in which all sequentially consistent accesses happen: the SQ flags after the SQ tail
/// was stored with [`store_seq_cst`].
///
/// # Safety
///
/// `word` points into a ring's live mapping and is aligned.
#[inline(always)]
pub unsafe fn load_seq_cst(word: *const c_uint) -> c_uint {
    // SAFETY: as for `load_acquire`.
    unsafe { AtomicU32::from_ptr(word.cast_mut()).load(Ordering::SeqCst) }
}

/// Stores a counter after everything that it hands over: the CQ head, once the CQEs before it have been read.
///
/// # Safety
///
/// `word` points into a ring's live mapping, is aligned, and only this thread writes it.
#[inline(always)]
pub unsafe fn store_release(word: *mut c_uint, value: c_uint) {
    // SAFETY: as for `load_acquire`; the caller is the word's only writer.
    unsafe { AtomicU32::from_ptr(word).store(value, Ordering::Release) }
}

/// [`store_release`] of a 16-bit counter: the tail of a provided buffer ring, once the entries before it are filled in.
///
/// # Safety
///
/// As for [`store_release`], in a buffer ring.
#[inline(always)]
pub unsafe fn store_release_16(word: *mut u16, value: u16) {
    // SAFETY: as for `store_release`.
    unsafe { AtomicU16::from_ptr(word).store(value, Ordering::Release) }
}

/// Stores a word that the kernel reads only inside a system call of this thread, which orders it: the SQ tail without a
/// submission thread, or an index of the SQ. Or a word whose value is all that matters: the CQ flags.
///
/// # Safety
///
/// As for [`store_release`].
#[inline(always)]
pub unsafe fn store_relaxed(word: *mut c_uint, value: c_uint) {
    // SAFETY: as for `store_release`.
    unsafe { AtomicU32::from_ptr(word).store(value, Ordering::Relaxed) }
}

/// Stores a counter so that no later sequentially consistent load is done before it: the SQ tail, when a kernel thread
/// polls it and its flags are read next.
///
/// # Safety
///
/// As for [`store_release`].
#[inline(always)]
pub unsafe fn store_seq_cst(word: *mut c_uint, value: c_uint) {
    // SAFETY: as for `store_release`.
    unsafe { AtomicU32::from_ptr(word).store(value, Ordering::SeqCst) }
}
