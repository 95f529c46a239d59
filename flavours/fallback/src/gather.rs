//! Completing what can be complete: all that waits for descriptors which are ready.
//!
//! A program whose ring has completions on request alone must find them when it asks, however far the poller's thread is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::poller;
use crate::ring::Ring;
use crate::sys::{self, sys};
use crate::wake::FIRING;

/// Goes on with the requests of a ring whose descriptors are ready or whose time has come.
pub fn gather(ring: &Arc<Ring>) {
    if ring.state.lock().in_flight == 0 {
        return;
    }
    poller::round_once(0);
    // The poller's thread may have got an event and not come to its requests yet.
    let mut slots = poller::waited_for(ring);
    let none = sys::timespec(0);
    // SAFETY: the slots are there, and a time on this stack.
    let found = unsafe {
        sys!(
            SYS_ppoll,
            slots.as_mut_ptr(),
            slots.len(),
            &raw const none,
            0,
            0
        )
    };
    if found > 0 {
        for slot in slots.iter().filter(|slot| slot.revents != 0) {
            poller::fire(slot.fd, slot.revents as u16 as u32, false);
        }
    }
    // Or be at them: none of them waits.
    while FIRING.load(Ordering::SeqCst) != 0 {
        // SAFETY: no memory is named.
        unsafe { sys!(SYS_sched_yield) };
    }
}
