//! Rules of single requests.

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::fields::{self, Refusal};
use crate::memcheck;
use crate::mode::mode;
use crate::noted::is_plain_request;
use crate::notes::{Notes, report};
use crate::ops::{self, Fields};
use crate::place::Place;
use crate::refusals;
use crate::report::Report;
use crate::request::Request;
use crate::ring::{ProgramSide, Ring};
use crate::rules::Rule;
use crate::tsan;

pub fn say(notes: &mut Notes, rule: Rule, what: String, request: &Request, place: Place) {
    report(
        notes,
        &Report {
            rule,
            what,
            request: Some(request),
            place,
            doing: "submitted",
        },
    );
}

/// Rules that need no more than the SQE, and how the ring was set up.
#[inline(always)]
fn by_itself(notes: &mut Notes, request: &Request, ring: &Ring, place: Place) {
    let sqe = &request.sqe;
    if let Some(field) = fields::not_taken(sqe) {
        ignored(notes, request, field, place);
    }
    if let Some(why) = fields::refused(sqe, ring.flags, ring.features) {
        refused(notes, request, &why, place);
    }
}

#[cold]
fn ignored(notes: &mut Notes, request: &Request, (field, name): (u8, &str), place: Place) {
    if !fields::speak_for(Rule::Ignored) {
        return;
    }
    let fate = refusals::fate(request.opcode(), field);
    let what = format!("the request sets {name}, which its opcode does not take{fate}");
    say(notes, Rule::Ignored, what, request, place);
}

#[cold]
fn refused(notes: &mut Notes, request: &Request, refusal: &Refusal, place: Place) {
    let sure = if refusal.tried {
        mode().asks(Rule::Refused)
    } else {
        fields::speak_for(Rule::Refused)
    };
    if !sure {
        return;
    }
    let what = format!("the request has {}: the kernel refuses it", refusal.why);
    say(notes, Rule::Refused, what, request, place);
}

fn unused(notes: &mut Notes, request: &Request, place: Place) {
    if let Some(fields) = refusals::unused(&request.sqe) {
        let what = format!(
            "the request has {fields}, which its opcode does not take: {} ignores it",
            fields::KERNEL
        );
        say(notes, Rule::Unused, what, request, place);
    }
}

/// Looks at plain requests that are submitted at a place for the first time: later only their notes are kept.
///
/// # Safety
///
/// `ring` is set up.
#[cold]
pub unsafe fn first_sight(
    shadow: &mut Ring,
    notes: &mut Notes,
    ring: &ProgramSide,
    (mut at, tail): (u32, u32),
    place: Place,
) {
    shadow.plain_place = place.return_address;
    if !shadow.plain_places.insert(place.return_address) {
        return;
    }
    let shift = u32::from(shadow.has(IORING_SETUP_SQE128));
    while at != tail {
        let slot = ((at & shadow.sq.mask) as usize) << shift;
        // SAFETY: the masked index lies within the ring's SQEs.
        let sqe = unsafe { ring.sqes.add(slot).read_volatile() };
        at = at.wrapping_add(1);
        // Marks are in other fields than those that are looked at.
        if is_plain_request(&sqe) {
            let request = Request::new(sqe, shadow.by(place), at);
            by_itself(notes, &request, shadow, place);
        }
    }
}

/// Looks at a request as it is submitted.
pub fn rules(ring: &mut Ring, notes: &mut Notes, request: &Request, place: Place) {
    const MSG_WAITALL: u32 = 0x100;
    let f = Fields::of(&request.sqe);
    let multishot = request.is_multishot();
    by_itself(notes, request, ring, place);
    match ops::opcode(request.opcode()) {
        Some(IORING_OP_RECV | IORING_OP_RECVMSG | IORING_OP_READ_MULTISHOT) if multishot => {
            let why = if f.flags & IOSQE_BUFFER_SELECT == 0 {
                Some("without IOSQE_BUFFER_SELECT")
            } else if request.opcode() != IORING_OP_READ_MULTISHOT as u8
                && f.op_flags & MSG_WAITALL != 0
            {
                Some("with MSG_WAITALL")
            } else {
                None
            };
            if let Some(why) = why {
                let what = format!("a multishot receive {why}, which the kernel refuses");
                say(notes, Rule::Multishot, what, request, place);
            }
        }
        Some(IORING_OP_MSG_RING) => {
            notes.messages = true;
            if tsan::is_there() {
                notes.sent_to.push(request.descriptor().unwrap_or(-1));
            }
        }
        Some(IORING_OP_ASYNC_CANCEL | IORING_OP_POLL_REMOVE | IORING_OP_TIMEOUT_REMOVE) => {
            ring.last_cancel = ring.marks.submitted;
        }
        Some(IORING_OP_PROVIDE_BUFFERS) => {
            if memcheck::is_there() {
                // They may be written to at any time from now on.
                memcheck::written(f.addr, f.len * u64::from(request.sqe.fd.unsigned_abs()));
            }
            // SAFETY: any bytes are a number.
            ring.groups
                .provided(unsafe { request.sqe.__anon4.buf_group });
        }
        _ => {}
    }
    if mode().heeds_any(&[Rule::Unused, Rule::Overlap]) {
        asked_for(ring, notes, request, place);
    }
}

/// Rules that are heeded only where they are asked for.
#[cold]
fn asked_for(ring: &Ring, notes: &mut Notes, request: &Request, place: Place) {
    unused(notes, request, place);
    if !mode().heeds(Rule::Overlap) {
        return;
    }
    let overlaps = request.ranges().find(|range| {
        range.written
            && ring
                .users_of(range.start, range.len)
                .any(|(_, other)| other.written)
    });
    if let Some(range) = overlaps {
        let what = format!("the {} is written by another request in flight", range.what);
        say(notes, Rule::Overlap, what, request, place);
    }
}
