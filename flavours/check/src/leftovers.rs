//! SQEs that hold what their last use left there.
//!
//! `io_uring_get_sqe()` clears most of an SQE and leaves the fields that each helper writes: opcode, descriptor, offset,
//! address, length, `user_data`. Once the kernel has taken an SQE, marks are put into these. A mark that is still there at
//! submission was never written over. Then the old value is put back, so the kernel gets what it would have got.

use uring_core::abi::*;

use crate::notes::{Notes, report};
use crate::ops;
use crate::place::Place;
use crate::report::Report;
use crate::request::Request;
use crate::ring::{ProgramSide, Ring};
use crate::rules::Rule;
use crate::slots::{OLD, Old};

/// No opcode, descriptor or length that a program gives.
const OPCODE: u8 = 0xa5;
const FD: i32 = 0xa5c3_96d1_u32 as i32;
const LEN: u32 = 0xa5c3_96d1;
/// No address of a program's: it is not canonical.
const WORD: u64 = 0xa5c3_96d1_78e2_4b5f;

/// Marks the SQEs that the kernel had taken at the last call, and that the program has not taken again.
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
pub unsafe fn mark(shadow: &mut Ring, ring: &ProgramSide) {
    if shadow.has(IORING_SETUP_SQ_REWIND | IORING_SETUP_SQE_MIXED) || shadow.by_hand {
        return;
    }
    let taken_to = shadow.sq.head().wrapping_add(shadow.sq.entries);
    let end = std::mem::replace(&mut shadow.leftovers.ready_to, taken_to);
    let tail = ring.tail;
    let mut at = shadow.leftovers.marked_to;
    if tail.wrapping_sub(at) as i32 > 0 {
        at = tail;
    }
    if end.wrapping_sub(at) as i32 <= 0 {
        return;
    }
    let shift = u32::from(shadow.has(IORING_SETUP_SQE128));
    if shadow.leftovers.old.is_empty() {
        shadow.leftovers.old = vec![[0; OLD]; shadow.sq.mask as usize + 1];
    }
    shadow.leftovers.marked_to = end;
    while at != end {
        let slot = (at & shadow.sq.mask) as usize;
        let old = shadow.leftovers.old.get_mut(slot..).unwrap_or_default();
        let count = old.len().min(end.wrapping_sub(at) as usize);
        let Some(old) = old.get_mut(..count).filter(|old| !old.is_empty()) else {
            return;
        };
        // SAFETY: the slots lie within the ring's SQEs, and these are nobody's now.
        unsafe { mark_slots(old, ring.sqes.add(slot << shift), 1 << shift) };
        at = at.wrapping_add(count as u32);
    }
}

/// Keeps what lies in SQEs, each `step` behind the one before, and marks them.
///
/// # Safety
///
/// There are as many SQEs, which nobody uses.
unsafe fn mark_slots(old: &mut [Old], mut sqe: *mut io_uring_sqe, step: usize) {
    for old in old {
        // SAFETY: the caller vouches for it. An SQE begins with as many numbers, and is aligned for them.
        unsafe {
            *old = sqe.cast::<Old>().read();
            (*sqe).opcode = OPCODE;
            (*sqe).fd = FD;
            (*sqe).__anon1.off = WORD;
            (*sqe).__anon2.addr = WORD;
            (*sqe).len = LEN;
            (*sqe).user_data = WORD;
        }
        sqe = sqe.wrapping_add(step);
    }
}

/// Whether a field holds a mark, so far as one SQE tells.
#[inline(always)]
pub fn may_be_marked(sqe: &io_uring_sqe) -> bool {
    // SAFETY: any bytes are a number.
    let (off, addr) = unsafe { (sqe.__anon1.off, sqe.__anon2.addr) };
    sqe.user_data == WORD || addr == WORD || sqe.fd == FD || off == WORD || sqe.len == LEN
}

/// An SQE as it was before its slot was marked, if it was.
pub fn before_marks(shadow: &Ring, sqe: &io_uring_sqe, slot: usize) -> io_uring_sqe {
    let mut sqe = *sqe;
    match shadow.leftovers.old.get(slot) {
        // SAFETY: an SQE begins with as many numbers, and is aligned for them.
        Some(old) if sqe.opcode == OPCODE => unsafe { (&raw mut sqe).cast::<Old>().write(*old) },
        _ => {}
    }
    sqe
}

/// Puts old values back where marks are left in a slot, and says so if they matter. Returns the SQE as the kernel gets it.
///
/// # Safety
///
/// As for [`mark`]; `sqe` is in slot `slot` of the ring.
pub unsafe fn restore(
    shadow: &mut Ring,
    notes: &mut Notes,
    sqe: *mut io_uring_sqe,
    slot: usize,
    place: Place,
) -> io_uring_sqe {
    // SAFETY: the caller vouches for `sqe`.
    let mut now = unsafe { sqe.read_volatile() };
    // SAFETY: any bytes are a number.
    let (off, addr) = unsafe { (now.__anon1.off, now.__anon2.addr) };
    if now.user_data == WORD {
        shadow.leftovers.without_data += 1;
    } else {
        shadow.leftovers.with_data += 1;
    }
    let marked = now.user_data == WORD || addr == WORD || now.fd == FD || off == WORD;
    let Some(old) = shadow
        .leftovers
        .old
        .get(slot)
        .filter(|_| marked || now.len == LEN)
    else {
        return now;
    };
    // SAFETY: a structure of numbers, for which zeros are a value; its start is as long as what was kept.
    let old = unsafe {
        let mut whole: io_uring_sqe = std::mem::zeroed();
        (&raw mut whole).cast::<Old>().write(*old);
        whole
    };
    let untouched = now.opcode == OPCODE;
    if untouched {
        now.opcode = old.opcode;
    }
    let mut left = Vec::new();
    if now.fd == FD {
        now.fd = old.fd;
        if ops::has_file(now.opcode) {
            left.push("descriptor");
        }
    }
    if addr == WORD {
        now.__anon2 = old.__anon2;
    }
    if off == WORD {
        now.__anon1 = old.__anon1;
    }
    if now.len == LEN {
        now.len = old.len;
    }
    // What the opcode takes from them.
    ops::pointers(&now, |pointer| {
        let named = if addr == WORD {
            "address"
        } else {
            "second address"
        };
        // SAFETY: any bytes are a number.
        let (first, second) = unsafe { (now.__anon2.addr, now.__anon1.addr2) };
        if pointer.at != 0
            && ((addr == WORD && pointer.at == first) || (off == WORD && pointer.at == second))
            && !left.contains(&named)
        {
            left.push(named);
        }
    });
    let no_data = now.user_data == WORD;
    if no_data {
        now.user_data = old.user_data;
    }
    // SAFETY: as above.
    unsafe { sqe.write(now) };
    let by = shadow.by(place);
    let mut say = |rule, what: String| {
        let request = Request::new(now, by, 0);
        report(
            notes,
            &Report {
                rule,
                what,
                request: Some(&request),
                place,
                doing: "submitted",
            },
        );
    };
    if untouched {
        say(
            Rule::Unprepared,
            "an SQE was taken and not filled in: it repeats what its slot held".into(),
        );
    } else if !left.is_empty() {
        let fields = left.join(" and ");
        say(
            Rule::Leftover,
            format!(
                "the {fields} of the request was not set: it is that of another request before"
            ),
        );
    } else if no_data
        && now.user_data != 0
        && shadow.flight.outstanding() != 0
        && shadow.leftovers.is_exception()
    {
        // A request that is alone is known without it, and some programs count completions only.
        say(
            Rule::UserData,
            "user_data of the request was not set: it is that of another request before".into(),
        );
    }
    now
}

/// Says so if an SQE is not what it was when it was submitted, although the submission thread has not taken it yet.
pub fn changed(shadow: &mut Ring, notes: &mut Notes, ring: &ProgramSide, place: Place) {
    let head = shadow.sq.head();
    if !shadow.has(IORING_SETUP_SQPOLL)
        || shadow.has(IORING_SETUP_SQE_MIXED)
        || head == shadow.sq.tail()
    {
        return;
    }
    let shift = u32::from(shadow.has(IORING_SETUP_SQE128));
    let mask = shadow.sq.mask;
    let found = shadow.flight.known().find_map(|request| {
        let slot = (request.index.wrapping_sub(1) & mask) as usize;
        // SAFETY: the masked index lies within the ring's SQEs.
        let now = unsafe { ring.sqes.add(slot << shift).read_volatile() };
        let same = bytes(&now) == bytes(&request.sqe);
        // Not taken meanwhile: then the slot may be another's.
        let waits = request.index.wrapping_sub(shadow.sq.head()) as i32 > 0;
        (waits && !same).then_some(request.sqe.user_data)
    });
    if let Some(request) = found.and_then(|user_data| shadow.flight.forget(user_data)) {
        report(
            notes,
            &Report {
                rule: Rule::Changed,
                what:
                    "an SQE was changed after it was submitted: the submission thread takes either"
                        .into(),
                request: Some(&request),
                place,
                doing: "noticed",
            },
        );
    }
}

fn bytes(sqe: &io_uring_sqe) -> [u64; 8] {
    // SAFETY: 64 bytes of numbers without padding.
    unsafe { std::mem::transmute_copy(sqe) }
}
