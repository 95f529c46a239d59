//! What calls do for rings with a proxy.

use std::ffi::{c_int, c_uint};

use uring_core::abi::*;

use crate::memory;
use crate::place::Place;
use crate::process;
use crate::proxy::{area::Area, look};
use crate::ring::Ring;
use crate::state;
use crate::watch::Call;

fn is_named(ring: &Ring, fd: c_int, registered: bool) -> bool {
    if !registered {
        return fd >= 0 && ring.fd == fd;
    }
    let at = (ring.at() + std::mem::offset_of!(io_uring, enter_ring_fd)) as u64;
    let mut index = [0];
    ring.at() != 0 && memory::read(at, &mut index) && index == [fd]
}

/// Before `io_uring_enter`: what the program has published goes to the kernel's memory. Returns the ring's memory, if it has
/// a proxy.
pub fn enters(fd: c_uint, flags: c_uint, submits: bool, place: Place) -> Option<Area> {
    let registered = flags & IORING_ENTER_REGISTERED_RING != 0;
    let look = |state: &mut state::State| {
        let ring = state
            .rings
            .values_mut()
            .find(|ring| ring.proxy.is_some() && is_named(ring, fd as c_int, registered))?;
        look::seen(ring, &mut state.notes, place);
        ring.by_hand = true;
        let area = ring.proxy.as_ref()?.area;
        if submits {
            let end = area.published_to();
            look::submits(ring, &mut state.notes, end, place);
            area.copy_to(end);
        }
        Some(area)
    };
    state::with(look).flatten()
}

/// Before the kernel is entered, when the SQEs were looked at: in proxy mode it gets them now. Returns the ring's memory.
///
/// # Safety
///
/// `ring` is set up.
#[inline]
pub unsafe fn hand_over(ring: *mut io_uring, call: Call) -> Option<Area> {
    if !call.submits && !call.by_hand {
        return None;
    }
    // SAFETY: passed on to the caller, whose call has the SQ side.
    unsafe {
        let area = Area::of(ring)?;
        area.copy_to(if call.submits {
            (&raw const (*ring).sq.sqe_tail).read()
        } else {
            area.published_to()
        });
        Some(area)
    }
}

/// All that the program has marked as seen is the kernel's: the program is about to wait for a ring's descriptor, which is
/// ready as long as there are CQEs.
#[cold]
pub fn waits_elsewhere(place: Place) {
    state::with(|state| {
        let generation = process::generation();
        for ring in state.rings.values_mut() {
            if ring.generation == generation {
                look::seen(ring, &mut state.notes, place);
            }
        }
    });
}
