//! What happens to the process: fork, threads that end, descriptors that are closed, changes of the user, its end.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

use uring_core::abi::{IORING_SETUP_SQPOLL, IORING_SQ_CQ_OVERFLOW};

use crate::cq;
use crate::inject;
use crate::mode::mode;
use crate::notes::{Notes, report};
use crate::ops;
use crate::place::Place;
use crate::process;
use crate::proxy::look;
use crate::report::{self, Report};
use crate::request::Request;
use crate::ring::Ring;
use crate::rules::Rule;
use crate::state;

/// The process ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// The program closes descriptors.
pub fn closing(first: c_int, last: c_int, place: Place) {
    /// More are not remembered.
    const MOST: usize = 1024;
    state::with_in_hook(|state| {
        if state.rings.is_empty() || process::is_borrowed() {
            return;
        }
        let closed = &mut state.notes.closed;
        if first == last && (closed.len() < MOST || closed.contains_key(&first)) {
            closed.insert(first, place.return_address);
        }
        let generation = process::generation();
        for ring in state.rings.values_mut() {
            ring.closes(first, last);
            if !ring.has(IORING_SETUP_SQPOLL) || ring.generation != generation {
                continue;
            }
            let head = ring.sq.head();
            let waiting = ring.flight.known().find(|request| {
                let open = request
                    .descriptor()
                    .is_some_and(|fd| (first..=last).contains(&fd));
                open && request.index.wrapping_sub(head) as i32 > 0
            });
            if let Some(request) = waiting {
                let what = "a descriptor is closed, and the kernel's submission thread has not taken a request on it yet";
                say(
                    &mut state.notes,
                    Rule::Closed,
                    what.into(),
                    Some(request),
                    place,
                );
            }
        }
    });
}

fn say(notes: &mut Notes, rule: Rule, what: String, request: Option<&Request>, place: Place) {
    let doing = match rule {
        Rule::Closed => "closed",
        Rule::ThreadExit => "noticed",
        Rule::Unsubmitted => "last called",
        _ => "called",
    };
    report(
        notes,
        &Report {
            rule,
            what,
            request,
            place,
            doing,
        },
    );
}

/// The program changes its user or group.
pub fn user_changes(place: Place) {
    state::with_in_hook(|state| {
        if process::is_borrowed() {
            return;
        }
        let generation = process::generation();
        let polled = |ring: &Ring| ring.has(IORING_SETUP_SQPOLL) && ring.generation == generation;
        if let Some(ring) = state.rings.values().find(|ring| polled(ring)) {
            let what = format!(
                "the user or group changes, and the submission thread of {} keeps the former one",
                ring.named()
            );
            say(&mut state.notes, Rule::User, what, None, place);
        }
    });
}

/// The process ends, by `exit`.
pub fn ending() {
    ENDING.store(true, Ordering::Relaxed);
}

/// Notes that this thread, `me`, has submitted, so that its end is heeded.
pub fn submits(me: u32) {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            thread_ends();
        }
    }
    thread_local! {
        static END: End = const { End };
    }
    // The main thread ends with the process.
    if !process::is_main(me) {
        let _ = END.try_with(|_| ());
    }
}

fn thread_ends() {
    if ENDING.load(Ordering::Relaxed) {
        return;
    }
    state::with(|state| {
        let (generation, thread) = (process::generation(), process::thread());
        let notes = &mut state.notes;
        for ring in state.rings.values_mut() {
            let others = ring.generation != generation || ring.raced;
            if others || ring.has(IORING_SETUP_SQPOLL) || ring.may_be_gone() {
                continue;
            }
            cq::collect(ring, notes, Place::default());
            let head = ring.sq.head();
            ring.flight.settle();
            let left = ring
                .flight
                .known()
                .find(|request| {
                    let taken = request.index.wrapping_sub(head) as i32 <= 0;
                    request.by.thread == thread && taken
                })
                .map(|request| request.sqe.user_data);
            if let Some(request) = left.and_then(|user_data| ring.flight.forget(user_data)) {
                let what = "the thread that submitted the request ends: the kernel cancels it";
                say(
                    notes,
                    Rule::ThreadExit,
                    what.into(),
                    Some(&request),
                    Place::default(),
                );
            }
        }
    });
}

/// A ring is given up, by `io_uring_queue_exit` or with the process.
pub fn given_up(ring: &mut Ring, notes: &mut Notes, place: Place) {
    cq::collect(ring, notes, place);
    lost(ring, notes, place);
    if ring.sq.flags() & IORING_SQ_CQ_OVERFLOW != 0 {
        let what = format!(
            "the ring is given up while completions wait that its CQ of {} had no room for: they are lost",
            ring.cq.entries
        );
        say(notes, Rule::Overflow, what, None, place);
    }
    notes.trace.flush();
    if mode().summary {
        report::summary(&figures(ring));
    }
}

/// Completions that the kernel had no memory for.
pub fn lost(ring: &mut Ring, notes: &mut Notes, place: Place) {
    let lost = ring.cq.lost();
    if u64::from(lost) > ring.marks.overflowed {
        ring.marks.overflowed = u64::from(lost);
        let what = format!("{lost} completions found no room in the CQ and are lost");
        say(notes, Rule::Overflow, what, None, place);
    }
}

fn figures(ring: &Ring) -> String {
    let m = &ring.marks;
    format!(
        "liburing-check: ring {}: {} requests, {} completions; most at once: {} of {} SQEs, {} of {} CQEs, {} in flight; \
         {} times no buffers, {} chains broken by short transfers, {} completions lost\n",
        ring.fd,
        m.submitted,
        m.completed,
        m.sq,
        ring.sq.entries,
        m.cq,
        ring.cq.entries,
        m.in_flight,
        m.no_buffers,
        m.broken_chains,
        m.overflowed,
    )
}

extern "C" fn process_ends() {
    state::with(|state| {
        let generation = process::generation();
        let notes = &mut state.notes;
        for ring in state.rings.values_mut() {
            if ring.generation == generation && !ring.raced && !ring.may_be_gone() {
                let (left, last) = (ring.unsubmitted(), ring.last);
                notes.past = Some((last, ring.trail));
                // While another thread runs, it may be about to submit.
                let by_another = || ring.only_thread != process::thread() && process::has_others();
                if left != 0 && !by_another() {
                    let what = format!("{left} SQEs were taken and never submitted");
                    say(notes, Rule::Unsubmitted, what, None, last);
                }
                if ring.only_thread == process::thread() {
                    look::leaves(ring, notes, last);
                }
                given_up(ring, notes, last);
            } else if mode().summary && ring.marks.submitted != 0 {
                // Set up before a fork: the ring goes on, what this process did with it is at its end.
                report::summary(&figures(ring));
            }
        }
        notes.past = None;
        notes.trace.flush();
        if mode().summary {
            report::summary(&inject::figures());
            let mut counts: Vec<_> = notes.counts.iter().collect();
            counts.sort();
            for (rule, count) in counts {
                report::summary(&format!("liburing-check: {}: {count} times\n", rule.name()));
            }
        }
    });
}

/// Called when the library's functions can be called no more.
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_THE_END: extern "C" fn() = process_ends;

/// Explains an error that a call returned.
pub fn explain(ring: &Ring, notes: &mut Notes, ret: c_int, place: Place) {
    let (rule, what) = match -ret {
        libc::EEXIST if ring.owner != process::thread() => (
            Rule::Issuer,
            format!(
                "thread {} uses a ring with IORING_SETUP_SINGLE_ISSUER, which belongs to thread {}: the kernel refuses with -EEXIST",
                process::thread(),
                ring.owner
            ),
        ),
        libc::EBADFD => (
            Rule::Disabled,
            "the ring was set up with IORING_SETUP_R_DISABLED and is not enabled: the kernel refuses with -EBADFD"
                .into(),
        ),
        _ => return,
    };
    say(notes, rule, what, None, place);
}

/// For texts: the opcode and `user_data` of a request.
pub fn named(opcode: u8, user_data: u64) -> String {
    format!("{}, user_data {user_data:#x}", ops::name(opcode))
}
