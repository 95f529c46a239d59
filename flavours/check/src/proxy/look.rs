//! Whether the program uses SQEs that it has submitted, and CQEs that it has marked as seen.

use uring_core::abi::*;

use crate::asan;
use crate::cq;
use crate::notes::{Notes, report};
use crate::place::Place;
use crate::proxy::area::Area;
use crate::proxy::kept::Seen;
use crate::proxy::mark;
use crate::report::Report;
use crate::request::Request;
use crate::ring::Ring;
use crate::rules::Rule;

/// So many of the SQEs that were taken last are looked at in each call; the others, when their slots are used again.
const EACH_CALL: u32 = 16;

/// Before a call that submits, with the SQ's tail: the program's SQEs are in their slots.
pub fn submits(ring: &mut Ring, notes: &mut Notes, tail: u32, place: Place) {
    let Some(kept) = &ring.proxy else { return };
    let area = kept.area;
    if area.taken_to() != area.window() {
        return astray(ring, tail);
    }
    let to = area.window();
    let recent = EACH_CALL
        .min(area.outside())
        .max(to.wrapping_sub(area.marked_to()));
    changed(ring, notes, to.wrapping_sub(recent), to, place);
    area.mark();
}

/// Another process, or another copy of the ring, has submitted: what lies in the slots is no longer known.
pub fn astray(ring: &mut Ring, tail: u32) {
    if let Some(kept) = &mut ring.proxy {
        kept.astray = true;
        kept.area.restart(tail);
    }
}

/// After a call that submits, before the window moves.
pub fn submitted(ring: &mut Ring, notes: &mut Notes, place: Place) {
    let Some(kept) = &ring.proxy else { return };
    let area = kept.area;
    let (from, to) = (area.window(), area.taken_to());
    let outside = area.outside();
    if to.wrapping_sub(from) > ring.sq.entries {
        return;
    }
    // Their slots enter the window.
    let first = from.wrapping_sub(outside);
    changed(ring, notes, first, to.wrapping_sub(outside), place);
    let by = ring.by(place);
    let mut at = from;
    while let Some(kept) = ring.proxy.as_mut().filter(|_| at != to) {
        let next = at.wrapping_add(1);
        let request = Request::new(area.taken(at), by, next);
        kept.taken.put(at, request);
        at = next;
    }
}

/// A ring is given up.
pub fn leaves(ring: &mut Ring, notes: &mut Notes, place: Place) {
    let Some(kept) = &ring.proxy else { return };
    let (area, to) = (kept.area, kept.area.window());
    changed(ring, notes, to.wrapping_sub(area.outside()), to, place);
}

/// SQEs from one index to another were submitted, and may not have changed since.
fn changed(ring: &mut Ring, notes: &mut Notes, from: u32, to: u32, place: Place) {
    let Some(kept) = ring.proxy.as_ref().filter(|kept| !kept.astray) else {
        return;
    };
    let mut at = from;
    while let Some(index) = kept.area.find_changed(at, to) {
        report(
            notes,
            &Report {
                rule: Rule::Changed,
                what: "an SQE was written to after it was submitted: the kernel has taken it as it was, and the slot is another request's next"
                    .into(),
                request: kept.taken.get(index),
                place,
                doing: "noticed",
            },
        );
        at = index.wrapping_add(1);
    }
}

/// Looks at the CQEs that have come, and marks those that the program has marked as seen. Then the kernel may have them.
pub fn seen(ring: &mut Ring, notes: &mut Notes, place: Place) {
    if ring.proxy.is_none() {
        return;
    }
    if ring.raced {
        return pass(ring);
    }
    cq::collect(ring, notes, place);
    let (tail, shared) = (ring.cq.tail(), ring.is_shared());
    let Some(kept) = &mut ring.proxy else { return };
    let (known, head) = kept.area.heads();
    let count = head.wrapping_sub(known);
    let beyond = head.wrapping_sub(tail) as i32 > 0;
    if count <= ring.cq.entries && !beyond && !shared {
        let shift = u32::from(ring.flags & IORING_SETUP_CQE32 != 0);
        let mut at = known;
        while at != head {
            let slot = ((at & ring.cq.mask) as usize) << shift;
            let cqe = ring.cqes.wrapping_add(slot).cast_mut();
            // SAFETY: the masked index lies within the ring's CQEs. The program is done with this one, and the kernel does
            // not write there before it knows the program's head.
            unsafe {
                let seen = Seen {
                    user_data: (&raw const (*cqe).user_data).read(),
                    res: (&raw const (*cqe).res).read(),
                    request: kept.ended.take(at),
                };
                kept.seen.put(at, seen);
                for unit in 0..1usize << shift {
                    mark::fill_cqe(cqe.wrapping_add(unit), kept.area.number(), at);
                }
            }
            at = at.wrapping_add(1);
        }
    }
    kept.area.forward();
}

/// There is no look at a ring.
///
/// # Safety
///
/// `ring` is set up.
#[cold]
pub unsafe fn none(ring: *const io_uring) {
    // SAFETY: passed on to the caller.
    if let Some(area) = unsafe { Area::of(ring) } {
        area.forward();
    }
}

/// A ring that is looked at no more: the kernel gets to know the program's head all the same.
pub fn pass(ring: &mut Ring) {
    if let Some(kept) = &ring.proxy {
        kept.area.forward();
    }
}

/// Before the kernel may post completions: AddressSanitizer gets to know which CQEs the program may not use. Of those that
/// were marked as seen, these are the ones that the requests in flight cannot fill before the next look.
pub fn poison(ring: &mut Ring) {
    if ring.proxy.is_none() || !asan::is_there() {
        return;
    }
    let tail = ring.cq.tail();
    let unsure = ring.lost
        || ring.silent
        || ring.unasked
        || ring.is_shared()
        || ring.raced
        || ring.flight.known().any(Request::is_multishot);
    // A zero-copy send completes twice.
    let most = ring.flight.outstanding().saturating_mul(2);
    let (entries, mask) = (ring.cq.entries, ring.cq.mask);
    let shift = u32::from(ring.flags & IORING_SETUP_CQE32 != 0);
    let cqes = ring.cqes;
    let Some(kept) = &mut ring.proxy else { return };
    let (_, head) = kept.area.heads();
    let from = if unsure || most >= entries {
        head
    } else {
        let reached = tail.wrapping_add(most).wrapping_sub(entries);
        // Before the first one there was none.
        let oldest = kept.poisoned.0;
        if (reached.wrapping_sub(oldest) as i32) < 0 {
            oldest
        } else {
            reached
        }
    };
    let from = if head.wrapping_sub(from) as i32 > 0 {
        from
    } else {
        head
    };
    let each = |mut at: u32, end: u32, change: fn(u64, u64)| {
        while end.wrapping_sub(at) as i32 > 0 {
            let slot = ((at & mask) as usize) << shift;
            let size = size_of::<io_uring_cqe>() << shift;
            change(cqes.wrapping_add(slot).addr() as u64, size as u64);
            at = at.wrapping_add(1);
        }
    };
    let (old, known) = kept.poisoned;
    let released = if from.wrapping_sub(known) as i32 > 0 {
        known
    } else {
        from
    };
    each(old, released, asan::unpoison);
    let new = if from.wrapping_sub(known) as i32 > 0 {
        from
    } else {
        known
    };
    each(new, head, asan::poison);
    kept.poisoned = (from, head);
}
