//! Completing what can be complete: all that waits for descriptors which are ready.
//!
//! A program whose ring has completions on request alone must find them when it asks, however far the poller's thread is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::ring::Ring;
use crate::sys;
use crate::wake::{RINGS_POLLED, Round, wait_for_firing};
use crate::{lead, poller};

/// Goes on with the requests of a ring whose descriptors are ready or whose time has come.
pub fn gather(ring: &Arc<Ring>) {
    if ring.state.lock().in_flight == 0 {
        return;
    }
    poller::look();
    if lead::is_led() && Round::is_on() {
        fire_waited_for(ring);
    }
    wait_for_others();
}

/// The same, without a walk through all that wait: requests whose event the leading thread has got may come later.
pub fn gather_most(ring: &Arc<Ring>) {
    if ring.state.lock().in_flight != 0 {
        poller::look();
        wait_for_others();
    }
}

/// Waits for threads that have got an event and may not have come to its requests yet. Not for the one that leads: it may
/// wait for events.
fn wait_for_others() {
    while Round::is_on() && !lead::is_led() {
        sys::give_way();
    }
    wait_for_firing();
}

/// Completes those whose descriptor is ready, whoever has got the event.
fn fire_waited_for(ring: &Arc<Ring>) {
    let mut slots = poller::waited_for(ring);
    if sys::poll(&mut slots, 0) > 0 {
        for slot in slots.iter().filter(|slot| slot.revents != 0) {
            poller::fire(slot.fd, slot.revents as u16 as u32);
        }
    }
}

/// Completes the requests that wait for the descriptor of a ring which has completions: a program may look for the ones
/// right after it has caused the others.
pub fn tell_polls(ring: &Ring) {
    // Relaxed: as where it is set. And a descriptor that another thread makes readable is that one's to tell of.
    let told = RINGS_POLLED.load(Ordering::Relaxed);
    let fd = ring.descriptor();
    if told && ring.ready() != 0 && fd >= 0 {
        poller::fire(fd, libc::EPOLLIN as u32);
        wait_for_firing();
    }
}
