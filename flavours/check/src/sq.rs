//! Looking at SQEs.

use std::sync::OnceLock;

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::held::{self, Wrong};
use crate::inject;
use crate::leftovers;
use crate::memory;
use crate::mode::mode;
use crate::noted::{Slots, is_plain_request};
use crate::notes::Notes;
use crate::ops::{self, Inner, Pointer, Until};
use crate::place::Place;
use crate::proxy::{sent, used};
use crate::request::Request;
use crate::ring::{ProgramSide, Ring};
use crate::rules::Rule;
use crate::sanitizer;
use crate::single::{self, say};
use crate::stack::{self, Where};
use crate::trace;

/// How many elements of an array of iovecs are looked at.
const VECTORS: usize = 16;

/// Looks at the SQEs that were taken since the last look, and which the call under way submits.
///
/// # Safety
///
/// `ring` is set up.
pub unsafe fn look(shadow: &mut Ring, notes: &mut Notes, ring: &ProgramSide, place: Place) {
    let rewinds = shadow.has(IORING_SETUP_SQ_REWIND);
    let tail = ring.tail;
    let mut at = if rewinds {
        shadow.looked_to.min(tail)
    } else {
        shadow.looked_to
    };
    let count = tail.wrapping_sub(at);
    shadow.looked_to = tail;
    if count == 0 {
        return;
    }
    let taken = shadow.sq.head().wrapping_sub(at) as i32 > 0;
    if count > shadow.sq.entries || (taken && !rewinds) {
        // The program, or another copy of the ring, has published some: what lies there is unknown.
        shadow.leftovers.skipped();
        shadow.forget_all();
        return;
    }
    shadow.marks.sq = shadow
        .marks
        .sq
        .max(tail.wrapping_sub(shadow.sq.head()))
        .min(shadow.sq.entries);
    let shift = u32::from(shadow.has(IORING_SETUP_SQE128));
    let mut last = None;
    if shadow.plain_place != place.return_address {
        // SAFETY: passed on to the caller.
        unsafe { single::first_sight(shadow, notes, ring, (at, tail), place) };
    }
    while tail.wrapping_sub(at) as i32 > 0 {
        if shadow.flight.plain().is_some() {
            // SAFETY: passed on to the caller.
            let looked_at = unsafe { plain(shadow, ring, (at, tail), place, false) };
            if looked_at != 0 {
                at = at.wrapping_add(looked_at);
                last = None;
                continue;
            }
        }
        let slot = ((at & shadow.sq.mask) as usize) << shift;
        // SAFETY: the masked index lies within the ring's SQEs.
        let sqe = unsafe {
            let sqe = ring.sqes.add(slot);
            leftovers::restore(shadow, notes, sqe, slot >> shift, place)
        };
        let next = at.wrapping_add(1);
        if is_plain_request(&sqe)
            // SAFETY: as above.
            && unsafe { plain(shadow, ring, (at, next), place, true) } != 0
        {
            at = next;
            last = None;
            continue;
        }
        let wide = matches!(
            ops::opcode(sqe.opcode),
            Some(IORING_OP_NOP128 | IORING_OP_URING_CMD128)
        );
        at = at.wrapping_add(1 + u32::from(wide && shadow.has(IORING_SETUP_SQE_MIXED)));
        one(shadow, notes, &sqe, at, place);
        last = Some(links(sqe.flags).then_some(sqe));
        if inject::is_on() {
            let mut changed = sqe;
            if inject::request(&mut changed, wide && shadow.has(IORING_SETUP_SQE_MIXED)) {
                // SAFETY: as above.
                unsafe { ring.sqes.add(slot).write_volatile(changed) };
            }
        }
    }
    let slot = ((at.wrapping_sub(1) & shadow.sq.mask) as usize) << shift;
    let noted = ring.sqes.wrapping_add(slot);
    let linked = last.unwrap_or_else(|| {
        // SAFETY: the masked index lies within the ring's SQEs; a plain request is one entry long.
        let sqe = unsafe { noted.read() };
        links(sqe.flags).then_some(sqe)
    });
    if let Some(sqe) = linked {
        let request = Request::new(sqe, shadow.by(place), at);
        say(
            notes,
            Rule::Chain,
            "the last SQE submitted is linked to the next one: the chain ends here".into(),
            &request,
            place,
        );
    }
}

/// Looks at requests of which a note is enough, up to the first other one; returns how many. `restored`: marks are no
/// longer there.
///
/// # Safety
///
/// As for [`look`].
unsafe fn plain(
    shadow: &mut Ring,
    ring: &ProgramSide,
    between: (u32, u32),
    place: Place,
    restored: bool,
) -> u32 {
    /// Notes of so many times the SQ are kept.
    const TIMES: usize = 4;
    /// What a request with a buffer may need.
    const ENOUGH: u32 = IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_RW_CUR_POS;
    if shadow.has(IORING_SETUP_SQPOLL) || !notes_are_enough() {
        return 0;
    }
    let sqes = Slots {
        first: ring.sqes.cast_const(),
        mask: shadow.sq.mask,
        shift: u32::from(shadow.has(IORING_SETUP_SQE128)),
    };
    let most = shadow.sq.entries as usize * TIMES;
    let call = (shadow.by(place), shadow.marks.submitted);
    let marked = !restored && shadow.leftovers.may_mark(between.0);
    let features = shadow.features;
    let stack = || {
        let noted = features & ENOUGH == ENOUGH && notes_of_buffers_are_enough();
        noted.then(|| stack::of(place))
    };
    let Some(noted) = shadow.flight.plain() else {
        return 0;
    };
    // SAFETY: passed on to the caller.
    let new = unsafe {
        if marked {
            let whole = |sqe: &_| !leftovers::may_be_marked(sqe);
            noted.submitted(sqes, between, call, most, whole, stack)
        } else {
            noted.submitted(sqes, between, call, most, |_| true, stack)
        }
    };
    if !restored {
        shadow.leftovers.count_with_data(new);
    }
    shadow.marks.submitted += u64::from(new);
    shadow.marks.in_flight = shadow.marks.in_flight.max(shadow.flight.outstanding());
    new
}

/// Nothing is asked for that heeds each request: a trace, faults, or equal `user_data`.
fn notes_are_enough() -> bool {
    static ENOUGH: OnceLock<bool> = OnceLock::new();
    *ENOUGH.get_or_init(|| {
        !trace::is_on()
            && !inject::is_on()
            && !mode().proxy
            && !mode().heeds_any(&[Rule::Duplicate, Rule::Unused])
    })
}

/// Nothing asks for more of a buffer than where it is.
fn notes_of_buffers_are_enough() -> bool {
    !sanitizer::is_there() && !mode().heeds(Rule::Overlap)
}

fn links(flags: u8) -> bool {
    u32::from(flags) & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK) != 0
}

fn one(ring: &mut Ring, notes: &mut Notes, sqe: &io_uring_sqe, index: u32, place: Place) {
    let by = ring.by(place);
    let mut request = ring.flight.new_request(sqe, by, index);
    request.time = trace::now();
    let late = ring.has(IORING_SETUP_SQPOLL) || ring.features & IORING_FEAT_SUBMIT_STABLE == 0;
    ops::pointers(sqe, |pointer| {
        pointed(&mut request, notes, &pointer, place, late);
    });
    single::rules(ring, notes, &request, place);
    if ring.proxy.is_some() {
        used::in_request(ring, notes, &request, place);
        sent::begins(ring, &request);
    }
    ring.bundles |= request.is_bundle();
    if request.has(IOSQE_CQE_SKIP_SUCCESS) {
        // Nothing will say when it has ended.
        ring.silent = true;
        return ring.flight.done_with(request);
    }
    let entered = ring.flight.enter(&request);
    if entered.others != 0 {
        let cancelled = ring.last_cancel;
        let armed = ring.flight.twin(&entered).is_some_and(|other| {
            other.armed
                && request.is_multishot()
                && other.is_multishot()
                && other.opcode() == request.opcode()
                && other.sqe.fd == request.sqe.fd
                && other.number >= cancelled
        });
        same_user_data(notes, &request, armed, place);
    }
    ring.add(entered, request);
}

/// A request whose `user_data` another one in flight has.
#[cold]
fn same_user_data(notes: &mut Notes, request: &Request, armed: bool, place: Place) {
    if armed {
        let what = "the multishot request is armed already: its last CQE had IORING_CQE_F_MORE";
        say(notes, Rule::ArmedTwice, what.into(), request, place);
    } else {
        let what = "another request in flight has the same user_data";
        say(notes, Rule::Duplicate, what.into(), request, place);
    }
}

/// Memory that an SQE names, and what it names in turn.
fn pointed(request: &mut Request, notes: &mut Notes, pointer: &Pointer, place: Place, late: bool) {
    if pointer.at == 0 || pointer.len == 0 {
        return;
    }
    match stack::find(pointer.at, place) {
        Where::Returned => {
            let what = format!(
                "the {} of the request lies in a stack frame that has returned",
                pointer.what
            );
            say(notes, Rule::Frame, what, request, place);
            // What it holds now is anything.
            return;
        }
        Where::Live => request.on_stack |= late || pointer.until == Until::Completed,
        Where::Elsewhere => {}
    }
    if let Some(wrong) = held::wrong(pointer) {
        if !say_wrong(request, notes, pointer, &wrong, place) {
            return;
        }
    }
    request.add(pointer, late);
    match pointer.inner {
        Inner::Nothing => {}
        Inner::Vectors { count, written } => {
            vectors(request, notes, (pointer.at, count, written), place, late);
        }
        Inner::Message { written, selected } => {
            message(request, notes, (pointer.at, written, selected), place, late);
        }
    }
}

/// Memory that a request names, and that a tool knows something of. Returns whether it may be touched.
#[cold]
fn say_wrong(
    request: &Request,
    notes: &mut Notes,
    pointer: &Pointer,
    wrong: &Wrong,
    place: Place,
) -> bool {
    let (rule, what) = if wrong.undefined {
        (
            Rule::Undefined,
            "was never written: the kernel reads anything",
        )
    } else {
        (
            Rule::Poisoned,
            "is poisoned: freed, out of scope or out of bounds",
        )
    };
    let what = format!(
        "byte {} of the {} of the request {what}, as {} knows",
        wrong.at - pointer.at,
        pointer.what,
        sanitizer::name()
    );
    say(notes, rule, what, request, place);
    wrong.undefined
}

fn vectors(
    request: &mut Request,
    notes: &mut Notes,
    (at, count, written): (u64, u64, bool),
    place: Place,
    late: bool,
) {
    let mut found = [iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    }; VECTORS];
    let count = count.min(VECTORS as u64) as usize;
    let Some(found) = found.get_mut(..count) else {
        return;
    };
    // With a buffer of a group, only the length counts.
    if request.has(IOSQE_BUFFER_SELECT) || !memory::read(at, found) {
        return;
    }
    for vector in found {
        let pointer = Pointer {
            what: "buffer",
            at: vector.iov_base.addr() as u64,
            len: vector.iov_len as u64,
            written,
            owned: written,
            until: Until::Completed,
            inner: Inner::Nothing,
        };
        pointed(request, notes, &pointer, place, late);
    }
}

fn message(
    request: &mut Request,
    notes: &mut Notes,
    (at, written, selected): (u64, bool, bool),
    place: Place,
    late: bool,
) {
    let mut header = [msghdr {
        msg_name: std::ptr::null_mut(),
        msg_namelen: 0,
        msg_iov: std::ptr::null_mut(),
        msg_iovlen: 0,
        msg_control: std::ptr::null_mut(),
        msg_controllen: 0,
        msg_flags: 0,
    }];
    if selected || !memory::read(at, &mut header) {
        return;
    }
    let [header] = header;
    let until = if written {
        Until::Completed
    } else {
        Until::Submitted
    };
    let mut inner = |what, at: usize, len: usize, inner| {
        let pointer = Pointer {
            what,
            at: at as u64,
            len: len as u64,
            written,
            owned: written,
            until,
            inner,
        };
        pointed(request, notes, &pointer, place, late);
    };
    inner(
        "address",
        header.msg_name.addr(),
        header.msg_namelen as usize,
        Inner::Nothing,
    );
    inner(
        "control data",
        header.msg_control.addr(),
        header.msg_controllen,
        Inner::Nothing,
    );
    let array = Pointer {
        what: "iovec array",
        at: header.msg_iov.addr() as u64,
        len: (header.msg_iovlen as u64).saturating_mul(size_of::<iovec>() as u64),
        written: false,
        owned: false,
        until: Until::Submitted,
        inner: Inner::Vectors {
            count: header.msg_iovlen as u64,
            written,
        },
    };
    pointed(request, notes, &array, place, late);
}
