//! Looking at CQEs.

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::flight::Ended;
use crate::held;
use crate::memcheck;
use crate::noted::Slots;
use crate::notes::{Notes, report};
use crate::ops::{self, Fields};
use crate::place::Place;
use crate::process;
use crate::report::Report;
use crate::request::Request;
use crate::ring::Ring;
use crate::rules::Rule;
use crate::why;

/// Looks at the CQEs that have come since the last look.
pub fn collect(ring: &mut Ring, notes: &mut Notes, place: Place) {
    let head = ring.cq.head();
    let tail = ring.cq.tail();
    let filled = tail.wrapping_sub(head);
    if (filled as i32) < 0 {
        seen_too_many(ring, notes, place, head.wrapping_sub(tail));
        return;
    }
    ring.marks.cq = ring.marks.cq.max(filled);
    let first = ring.collected_to;
    let count = tail.wrapping_sub(first);
    if count == 0 {
        return;
    }
    ring.collected_to = tail;
    if count > ring.cq.entries {
        // The kernel has written over some that this did not see.
        ring.forget_all();
        return;
    }
    let shift = u32::from(ring.has(IORING_SETUP_CQE32));
    let mut at = first;
    while let Some(noted) = ring.flight.plain() {
        let cqes = Slots {
            first: ring.cqes,
            mask: ring.cq.mask,
            shift,
        };
        // SAFETY: the kernel has published these.
        let ended = unsafe { noted.completed(cqes, (at, tail)) };
        ring.marks.completed += u64::from(ended);
        at = at.wrapping_add(ended);
        if ended == 0 || at == tail {
            break;
        }
    }
    while tail.wrapping_sub(at) as i32 > 0 {
        let slot = ((at & ring.cq.mask) as usize) << shift;
        // SAFETY: the masked index lies within the ring's CQEs, and the kernel has published this one.
        let cqe = unsafe {
            let cqe = ring.cqes.add(slot);
            (
                (&raw const (*cqe).user_data).read_volatile(),
                (&raw const (*cqe).res).read_volatile(),
                (&raw const (*cqe).flags).read_volatile(),
            )
        };
        let mixed = ring.has(IORING_SETUP_CQE_MIXED) && cqe.2 & IORING_CQE_F_32 != 0;
        let index = at;
        at = at.wrapping_add(1 + u32::from(mixed));
        if cqe.2 & IORING_CQE_F_SKIP == 0 {
            one(ring, notes, place, (index, cqe));
        }
    }
    if ring.cq.tail().wrapping_sub(first) > ring.cq.entries {
        // Written over meanwhile.
        ring.forget_all();
        ring.collected_to = ring.cq.tail();
    }
}

fn seen_too_many(ring: &mut Ring, notes: &mut Notes, place: Place, by: u32) {
    ring.forget_all();
    report(
        notes,
        &Report {
            rule: Rule::SeenTooMany,
            what: format!(
                "{by} more CQEs were marked as seen than there are: the next completions are lost"
            ),
            request: None,
            place,
            doing: "noticed",
        },
    );
}

/// One CQE, by its index: its `user_data`, result and flags.
fn one(ring: &mut Ring, notes: &mut Notes, place: Place, (index, cqe): (u32, (u64, i32, u32))) {
    let (user_data, res, flags) = cqe;
    let more = flags & IORING_CQE_F_MORE != 0;
    if !more {
        ring.marks.completed += 1;
    }
    let ended = if more {
        if let Some(request) = ring.flight.find(user_data) {
            request.armed = true;
        }
        Ended::Unknown
    } else {
        ring.flight.end(user_data)
    };
    let request = match &ended {
        Ended::Known(request) => Some(&**request),
        Ended::Unknown => ring.flight.find(user_data).map(|request| &*request),
    };
    notes.trace.completed(ring.fd, request, cqe);
    if flags & IORING_CQE_F_BUFFER != 0 {
        let known = request.map(|request| (request.group(), request.is_bundle()));
        // Where it is not known which request this is, the one group that there is will be its.
        let group = match known {
            Some((_, true)) => None,
            Some((group, false)) => group,
            None if ring.bundles => None,
            None => ring.groups.only(),
        };
        let number = (flags >> IORING_CQE_BUFFER_SHIFT) as u16;
        match group {
            Some(group) => ring.groups.used(group, number, res, flags),
            // It cannot be told which buffers.
            None => ring.groups.forget_numbers(),
        }
    }
    let Ended::Known(request) = ended else {
        return;
    };
    if request.has_memory() && memcheck::is_there() {
        held::arrived(&request, res);
        if request.freed {
            freed(notes, &request, place);
        }
    }
    if request.armed || request.is_multishot() {
        ring.last_ended = Some((request.opcode(), user_data));
    }
    if res < 0 {
        failed(ring, notes, &request, -res, place);
    }
    short(ring, notes, &request, res, place);
    if let Some(kept) = &mut ring.proxy {
        kept.ended.put(index, *request);
    } else {
        ring.flight.done_with(request);
    }
}

#[cold]
fn failed(ring: &mut Ring, notes: &mut Notes, request: &Request, error: i32, place: Place) {
    match error {
        libc::ENOBUFS => no_buffers(ring, notes, request, place),
        libc::EBADF => bad_descriptor(notes, request),
        _ => {}
    }
    why::look(ring, notes, request, error, place);
}

fn no_buffers(ring: &mut Ring, notes: &mut Notes, request: &Request, place: Place) {
    ring.marks.no_buffers += 1;
    let Some(group) = request.group() else { return };
    if !ring.groups.knows(group) {
        let (silent, what) = match ring.groups.given_up(group) {
            // The program knows that it has armed the request.
            Some(submitted) if request.number < submitted => (true, ""),
            Some(_) => (false, "was given up before the request"),
            None => (ring.lost, "has no buffers, and never had"),
        };
        if !silent {
            report(
                notes,
                &Report {
                    rule: Rule::BufferGroup,
                    what: format!("buffer group {group} {what}"),
                    request: Some(request),
                    place,
                    doing: "completed",
                },
            );
        }
        return;
    }
    ring.groups.scan(notes, place);
    if let Some(number) = ring.groups.lost(group) {
        report(
            notes,
            &Report {
                rule: Rule::BufferLost,
                what: format!(
                    "group {group} has no buffers left, and buffer {number} came back unused and was not given back"
                ),
                request: Some(request),
                place,
                doing: "completed",
            },
        );
    }
}

/// Memory that memcheck knows to be freed, and the kernel wrote to.
fn freed(notes: &mut Notes, request: &Request, place: Place) {
    report(
        notes,
        &Report {
            rule: Rule::Free,
            what: "memory of the request was freed before its CQE came: the kernel may have written there".into(),
            request: Some(request),
            place,
            doing: "noticed",
        },
    );
}

/// A request on a descriptor that the program has closed.
fn bad_descriptor(notes: &mut Notes, request: &Request) {
    let Some(fd) = request.descriptor() else {
        return;
    };
    let Some(closed) = notes.closed.get(&fd).copied() else {
        return;
    };
    if process::is_open(fd) {
        return;
    }
    report(
        notes,
        &Report {
            rule: Rule::Closed,
            what: format!("descriptor {fd} was closed before the kernel took the request"),
            request: Some(request),
            place: Place {
                return_address: closed,
                frame: 0,
            },
            doing: "closed",
        },
    );
}

/// A request in a chain that transferred less than it was to.
fn short(ring: &mut Ring, notes: &mut Notes, request: &Request, res: i32, place: Place) {
    const MSG_WAITALL: u32 = 0x100;
    if !request.has(IOSQE_IO_LINK) || res < 0 {
        return;
    }
    let f = Fields::of(&request.sqe);
    match ops::opcode(request.opcode()) {
        Some(IORING_OP_READ | IORING_OP_WRITE) if (res as u64) < f.len => {
            ring.marks.broken_chains += 1;
        }
        Some(IORING_OP_SEND | IORING_OP_SEND_ZC)
            if (res as u64) < f.len
                && f.op_flags & MSG_WAITALL == 0
                && f.flags & IOSQE_BUFFER_SELECT == 0
                && f.ioprio & IORING_SEND_VECTORIZED == 0 =>
        {
            report(
                notes,
                &Report {
                    rule: Rule::ShortLink,
                    what: format!(
                        "{res} of {} bytes were sent, and the chain went on as if that were all",
                        f.len
                    ),
                    request: Some(request),
                    place,
                    doing: "completed",
                },
            );
        }
        _ => {}
    }
}
