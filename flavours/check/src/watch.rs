//! What happens around a call.

use std::ffi::c_int;

use uring_core::abi::*;

use crate::cq;
use crate::crash;
use crate::inject;
use crate::leftovers;
use crate::life;
use crate::mode::mode;
use crate::notes::{Notes, report};
use crate::place::Place;
use crate::process;
use crate::program_memory;
use crate::proxy::{begin, look, sent};
use crate::report::Report;
use crate::request::Request;
use crate::ring::{ProgramSide, Ring};
use crate::rules::Rule;
use crate::sq;
use crate::stack::{self, Where};
use crate::state::{self, State};
use crate::trace;
use crate::tsan;

/// What a call does.
#[derive(Clone, Copy)]
pub struct Call {
    /// It submits what was taken.
    pub submits: bool,
    /// It looks for a CQE without a wait.
    pub peeks: bool,
    /// It has the kernel finish completions.
    pub gets_events: bool,
    /// It submits what the program itself has published.
    pub by_hand: bool,
    /// It waits for so many CQEs.
    pub waits: u32,
    /// The wait ends by itself.
    pub timed: bool,
}

impl Call {
    fn runs_work(&self) -> bool {
        self.gets_events || self.waits != 0
    }
}

/// How often a wait may find enough CQEs that a wait before it has found already.
const PATIENCE: u32 = 8;

fn key(ring: &ProgramSide) -> usize {
    ring.sqes.addr()
}

fn say(notes: &mut Notes, rule: Rule, what: String, place: Place) {
    report(
        notes,
        &Report {
            rule,
            what,
            request: None,
            place,
            doing: "called",
        },
    );
}

/// Before a call.
///
/// # Safety
///
/// `ring` is set up.
#[inline(never)]
pub unsafe fn before(ring: *mut io_uring, call: Call, place: Place) {
    let at = ring;
    // SAFETY: passed on to the caller.
    let ring = &unsafe { ProgramSide::of(ring) };
    if ring.sqes.is_null() {
        return;
    }
    let mut me = 0;
    let kept = call.submits || call.waits != 0;
    let looked = state::with_trail(kept.then_some(place), |state, trail| {
        // Not before: while it waits, a signal handler may fork, and the child's thread has another number.
        me = process::thread();
        let key = key(ring);
        if state.rings.get_mut(key).is_none() {
            // SAFETY: as above.
            let shadow = unsafe { unknown(at) };
            state.rings.insert(key, Box::new(shadow));
        }
        let Some(shadow) = state.rings.get_mut(key) else {
            return;
        };
        let notes = &mut state.notes;
        if call.submits || call.by_hand {
            tsan::release(shadow.cq.published());
        }
        if shadow.only_thread != me {
            shadow.only_thread = 0;
        }
        shadow.caller = me;
        if shadow.raced {
            look::pass(shadow);
            return;
        }
        shadow.seen_at(at);
        (shadow.last, shadow.trail) = (place, trail);
        shadow.by_hand |= call.by_hand;
        cq::collect(shadow, notes, place);
        shadow.first_of_call = shadow.marks.submitted;
        look::seen(shadow, notes, place);
        sent::look(shadow, notes, place);
        if call.submits {
            submitting(shadow, notes, ring, call, place);
            if shadow.raced {
                return;
            }
            leftovers::changed(shadow, notes, ring, place);
            look::submits(shadow, notes, ring.tail, place);
            // SAFETY: as above; the SQ side is this thread's in a call that submits.
            unsafe {
                sq::look(shadow, notes, ring, place);
                leftovers::mark(shadow, ring);
            }
            shadow.groups.scan(notes, place);
        }
        if shadow.flight.uses_stack() {
            frames(shadow, notes, place);
        }
        if call.waits != 0 {
            waiting(shadow, notes, call, place);
        }
        look::poison(shadow);
        if call.peeks {
            peeking(shadow, notes, place);
        } else if call.runs_work() {
            shadow.fruitless = (0, 0);
        }
        if inject::is_on() {
            inject::calls_on(Some(shadow));
        }
        if !state.notes.sent_to.is_empty() {
            messages(state);
        }
    });
    if looked.is_none() {
        // SAFETY: passed on to the caller.
        unsafe { look::none(at) };
    } else if call.submits {
        life::submits(me);
    }
}

/// The call sends messages to rings: ThreadSanitizer takes each for a submission to that ring.
#[cold]
fn messages(state: &mut State) {
    for fd in std::mem::take(&mut state.notes.sent_to) {
        let targets = state.rings.values().filter(|to| fd < 0 || fd == to.fd);
        targets.for_each(|to| tsan::release(to.cq.published()));
    }
}

/// A ring that comes into sight after it was set up.
///
/// # Safety
///
/// `ring` is set up.
#[cold]
unsafe fn unknown(ring: *const io_uring) -> Ring {
    // SAFETY: passed on to the caller.
    let mut shadow = unsafe { Ring::new(&ring.read()) };
    shadow.lost = true;
    shadow
}

fn submitting(shadow: &mut Ring, notes: &mut Notes, ring: &ProgramSide, call: Call, place: Place) {
    let me = shadow.caller;
    if shadow.submitter != 0 && shadow.submitter != me {
        let what = format!(
            "threads {} and {me} submit to the same ring at the same time",
            shadow.submitter
        );
        say(notes, Rule::Threads, what, place);
        shadow.raced = true;
        shadow.forget_all();
    } else if call.waits == 0 {
        shadow.submitter = me;
    }
    let alone = !shadow.has(IORING_SETUP_SQ_REWIND) && !shadow.by_hand;
    if alone && ring.head != shadow.sq.tail() {
        let (rule, what) = if shadow.only_thread == 0 {
            (
                Rule::Threads,
                "the SQ has changed under this call: another thread submits to the same ring",
            )
        } else if shadow.generation == process::generation() {
            (
                Rule::Fork,
                "another process, or another copy of the struct io_uring, has submitted to this ring",
            )
        } else {
            (
                Rule::Fork,
                "the ring was set up before a fork, and another process has submitted to it",
            )
        };
        say(notes, rule, what.into(), place);
        look::astray(shadow, ring.tail);
        shadow.raced = rule == Rule::Threads;
        shadow.forget_all();
    }
}

/// Requests in flight on the memory of functions that have returned.
fn frames(shadow: &mut Ring, notes: &mut Notes, place: Place) {
    let me = shadow.caller;
    let head = shadow.sq.head();
    let gone = shadow.flight.known().find_map(|request| {
        if !request.on_stack || request.by.thread != me {
            return None;
        }
        let taken = request.index.wrapping_sub(head) as i32 <= 0;
        let dead = request.ranges().find(|range| {
            !(taken && range.until_taken) && stack::find(range.start, place) == Where::Returned
        })?;
        Some((request.sqe.user_data, dead.what))
    });
    let Some((user_data, what)) = gone else {
        return;
    };
    if let Some(request) = shadow.flight.forget(user_data) {
        report(
            notes,
            &Report {
                rule: Rule::FrameInFlight,
                what: format!(
                    "the {what} of a request in flight was in a stack frame that has returned"
                ),
                request: Some(&request),
                place,
                doing: "noticed",
            },
        );
    }
}

fn waiting(shadow: &mut Ring, notes: &mut Notes, call: Call, place: Place) {
    let head = shadow.cq.head();
    let filled = shadow.cq.tail().wrapping_sub(head);
    if filled >= call.waits {
        let times = if shadow.stale.0 == head && shadow.stale.1 != 0 {
            shadow.stale.1 + 1
        } else {
            1
        };
        shadow.stale = (head, times);
        if times == PATIENCE {
            let what = format!(
                "{filled} CQEs wait to be read, and {times} calls in a row have returned the first of them: it was not marked as seen"
            );
            say(notes, Rule::NotSeen, what, place);
        }
        return;
    }
    shadow.stale = (head, 0);
    let unknown = call.timed
        || call.by_hand
        || shadow.lost
        || shadow.silent
        || shadow.unasked
        || shadow.is_shared()
        || notes.messages
        || shadow.only_thread == 0
        || shadow.generation != process::generation();
    // A multishot request completes any number of times.
    let most = shadow.flight.outstanding() + filled;
    if unknown || most >= call.waits || shadow.flight.known().any(Request::is_multishot) {
        return;
    }
    // Another thread may submit later, and a signal may be what is waited for.
    if !process::is_single_threaded() || crash::handles_signals() {
        return;
    }
    let mut what = format!(
        "a wait for {} completions, where {filled} are there and {} requests are in flight: nothing can end it",
        call.waits,
        shadow.flight.outstanding()
    );
    if let Some((opcode, user_data)) = shadow.last_ended {
        what = format!(
            "{what} (the multishot request {} has ended)",
            life::named(opcode, user_data)
        );
    }
    say(notes, Rule::Endless, what, place);
}

/// A look for CQEs. With `IORING_SETUP_DEFER_TASKRUN` they come only when the program enters the kernel for them, and without
/// `IORING_SETUP_TASKRUN_FLAG` nothing says that there are some.
fn peeking(shadow: &mut Ring, notes: &mut Notes, place: Place) {
    const MANY: u32 = 10_000;
    const SECOND: u64 = 1_000_000_000;
    if !shadow.has(IORING_SETUP_DEFER_TASKRUN)
        || shadow.has(IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_IOPOLL)
        || shadow.flight.outstanding() == 0
        || shadow.lost
        || shadow.cq.tail() != shadow.cq.head()
    {
        shadow.fruitless = (0, 0);
        return;
    }
    let (times, since) = shadow.fruitless;
    shadow.fruitless.0 = times.saturating_add(1);
    if times == 0 {
        shadow.fruitless.1 = trace::clock();
    } else if times % MANY == 0 && trace::clock().saturating_sub(since) > SECOND {
        let what = format!(
            "{times} looks in a row have found no CQE, and none can come: the ring has IORING_SETUP_DEFER_TASKRUN, and no call lets the kernel finish completions"
        );
        say(notes, Rule::Deferred, what, place);
    }
}

/// After a call, which returned `ret`.
///
/// # Safety
///
/// As for [`before`].
#[inline(never)]
pub unsafe fn after(ring: *mut io_uring, call: Call, ret: c_int, place: Place) {
    // SAFETY: as in `before`.
    let ring = &unsafe { ProgramSide::of(ring) };
    state::with(|state| {
        let Some(shadow) = state.rings.get_mut(key(ring)) else {
            return;
        };
        let notes = &mut state.notes;
        if inject::is_on() {
            inject::calls_on(None);
        }
        if call.peeks || call.waits != 0 {
            tsan::acquire(shadow.cq.published());
        }
        if call.submits && shadow.submitter == process::thread() {
            shadow.submitter = 0;
        }
        if shadow.raced {
            return;
        }
        if shadow.has(IORING_SETUP_SQ_REWIND) {
            // What the kernel left has moved to the first slots.
            shadow.looked_to = ring.tail;
        }
        if ret < 0 {
            life::explain(shadow, notes, ret, place);
        }
        if call.submits {
            look::submitted(shadow, notes, place);
        }
        cq::collect(shadow, notes, place);
        shadow.first_of_call = u64::MAX;
        if shadow.flight.is_to_hold() {
            hold(shadow);
        }
        life::lost(shadow, notes, place);
    });
}

/// Has the memory held that the kernel has from now on.
///
/// The program may find CQEs by inline functions, of which this library hears nothing. It would be wrong to call what it
/// then does with the memory a fault. With `IORING_SETUP_DEFER_TASKRUN` CQEs come only in calls of this library.
#[cold]
fn hold(shadow: &mut Ring) {
    let wanted = mode().heeds(Rule::InFlight)
        && (mode().asks(Rule::InFlight) || shadow.has(IORING_SETUP_DEFER_TASKRUN));
    // When a ring rewinds, its head does not say what the kernel has taken.
    if !wanted || shadow.has(IORING_SETUP_SQ_REWIND) {
        shadow.flight.hold_none();
    } else if shadow.has(IORING_SETUP_SQPOLL) {
        // The submission thread may take any of them now.
        shadow.flight.hold(shadow.looked_to);
    } else {
        shadow.flight.hold(shadow.sq.head());
    }
}

/// A ring has been set up.
///
/// # Safety
///
/// `ring` is set up.
pub unsafe fn made(ring: *mut io_uring, place: Place) {
    process::used();
    crash::watch();
    state::with_trail(Some(place), |state, trail| {
        // SAFETY: passed on to the caller. Nobody else knows of the ring yet.
        let (side, mut shadow) = unsafe {
            begin::begin(&mut state.notes, ring);
            (ProgramSide::of(ring), Ring::new(&*ring))
        };
        shadow.seen_at(ring);
        (shadow.last, shadow.trail) = (place, trail);
        state.notes.refused_ring = None;
        if shadow.has(IORING_SETUP_NO_MMAP) {
            program_memory::used();
        }
        // SAFETY: as above.
        unsafe { leftovers::mark(&mut shadow, &side) };
        state.rings.insert(key(&side), Box::new(shadow));
    });
}

/// A ring is given up.
///
/// # Safety
///
/// `ring` is set up, or all zeros.
pub unsafe fn leaving(ring: *mut io_uring, place: Place) {
    // SAFETY: passed on to the caller.
    let ring = &unsafe { ProgramSide::of(ring) };
    if ring.sqes.is_null() {
        return;
    }
    state::with(|state| {
        let Some(mut shadow) = state.rings.remove(key(ring)) else {
            return;
        };
        if shadow.generation != process::generation() || shadow.raced {
            return;
        }
        let notes = &mut state.notes;
        let left = if shadow.has(IORING_SETUP_SQ_REWIND) {
            ring.tail
        } else {
            ring.tail.wrapping_sub(ring.head)
        };
        if left != 0 {
            let what = format!("{left} SQEs were taken and never submitted");
            say(notes, Rule::Unsubmitted, what, place);
        }
        look::leaves(&mut shadow, notes, place);
        life::given_up(&mut shadow, notes, place);
    });
}

/// Does something to the shadow of a ring, if there is one.
///
/// # Safety
///
/// `ring` is set up.
pub unsafe fn shadow(ring: *mut io_uring, change: impl FnOnce(&mut Ring, &ProgramSide)) {
    state::with(|state| {
        // SAFETY: passed on to the caller.
        let ring = &unsafe { ProgramSide::of(ring) };
        if let Some(shadow) = state.rings.get_mut(key(ring)) {
            change(shadow, ring);
        }
    });
}

/// A ring's memory has moved: it was known by `old`.
///
/// # Safety
///
/// `ring` is set up.
pub unsafe fn moved(old: usize, ring: *mut io_uring) {
    state::with(|state| {
        if let Some(mut shadow) = state.rings.remove(old) {
            // SAFETY: passed on to the caller.
            let side = unsafe {
                begin::begin(&mut state.notes, ring);
                shadow.moved(&ring.read());
                ProgramSide::of(ring)
            };
            state.rings.insert(key(&side), shadow);
        }
    });
}
