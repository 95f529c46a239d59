//! Waking and stopping the polling thread.

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::abi::IORING_SQ_NEED_WAKEUP;
use crate::ring::Ring;
use crate::sys::time;
use crate::thread;

/// Ends the polling thread of a ring, if there is one. In a child (`is_own` is false) the thread does not run, and only
/// its memory is given back.
///
/// # Safety
///
/// Only the polling thread uses the ring.
pub unsafe fn stop(ring: *mut Ring, stop: &AtomicU32, tid_word: &AtomicU32, is_own: bool) {
    // SAFETY: the caller tears the ring down later. The stack is unmapped after the thread has ended. In a child it is
    // a copy, on which no thread runs.
    unsafe {
        let stack = (*ring).poller.stack;
        if stack.is_null() {
            return;
        }
        if is_own {
            stop.store(1, Ordering::SeqCst);
            let wakes = &(*ring).shared().wakes;
            wakes.fetch_add(1, Ordering::SeqCst);
            time::wake(wakes);
            thread::join(tid_word, (*ring).poller.id);
        }
        (*ring).poller.fdinfo.close();
        thread::unmap_stack(stack);
        (*ring).poller.stack = ptr::null_mut();
    }
}

/// Wakes the polling thread if it sleeps.
pub fn wake(ring: &Ring) {
    let wakes = &ring.shared().wakes;
    // The thread reads the count, sets the flag, looks for work, and sleeps only if the count is unchanged. All these
    // accesses and those here are in one order. So the thread finds the work, or finds the count changed, or is woken.
    wakes.fetch_add(1, Ordering::SeqCst);
    if flags_word(ring).load(Ordering::SeqCst) & IORING_SQ_NEED_WAKEUP != 0 {
        time::wake(wakes);
    }
}

pub fn flags_word(ring: &Ring) -> &AtomicU32 {
    // SAFETY: the word is in the SQ ring, which is mapped while there is a `Ring`.
    unsafe { &(*ring.sq()).flags }
}
