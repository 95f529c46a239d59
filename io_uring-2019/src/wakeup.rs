//! Waking and stopping the thread that polls the SQ ring.

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::abi::IORING_SQ_NEED_WAKEUP;
use crate::ring::Ring;
use crate::sys::time;
use crate::thread;

/// Ends the thread of the ring in `slot`, if there is one. In another process than its own (`ours` is false) just its
/// memory is given back.
///
/// # Safety
///
/// Nobody but the thread uses the ring.
pub unsafe fn stop(ring: *mut Ring, stop: &AtomicU32, tid_word: &AtomicU32, is_own: bool) {
    // SAFETY: the ring is there until the caller tears it down; the thread has ended when its stack goes, or runs on the
    // parent's, of which this process has a copy.
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

/// Wakes the thread, should it sleep.
pub fn wake(ring: &Ring) {
    let wakes = &ring.shared().wakes;
    // The thread reads the number, says that it will sleep, looks for work, and then sleeps only if the number is still
    // the same. All of that is in one order with what is done here, so it either finds the work, or the number changed,
    // or it is woken.
    wakes.fetch_add(1, Ordering::SeqCst);
    if flags_word(ring).load(Ordering::SeqCst) & IORING_SQ_NEED_WAKEUP != 0 {
        time::wake(wakes);
    }
}

pub fn flags_word(ring: &Ring) -> &AtomicU32 {
    // SAFETY: in the SQ ring, which is mapped while there is a `Ring`.
    unsafe { &(*ring.sq()).flags }
}
