//! Why the kernel has refused a ring.

use std::ffi::c_uint;

use uring_core::abi::*;
use uring_core::ring::sizes;

use crate::mode::mode;
use crate::notes::report;
use crate::place::Place;
use crate::report::Report;
use crate::rules::Rule;
use crate::state;

/// What a ring was to be like.
pub struct Wanted {
    pub entries: c_uint,
    pub flags: c_uint,
    pub cq_entries: c_uint,
}

/// The kernel has refused to set up such a ring: says why, if none does.
///
/// Programs find out by trying what a kernel has: they ask for sizes beyond its limits, and leave out one flag after the
/// other. Such a try is no fault. A combination that no kernel takes is one, whatever the program does next: it goes
/// without what it has asked for, on each kernel.
#[cold]
pub fn not_made(wanted: &Wanted, place: Place) {
    state::with(|state| {
        let before = state.notes.refused_ring.replace(wanted.flags);
        let fewer =
            before.is_some_and(|before| wanted.flags != before && wanted.flags & !before == 0);
        let beyond = wanted.flags & !KNOWN_FLAGS != 0;
        let why = if (fewer || beyond) && !mode().asks(Rule::SetUp) {
            None
        } else {
            impossible(wanted)
        };
        let Some(why) = why else { return };
        report(
            &mut state.notes,
            &Report {
                rule: Rule::SetUp,
                what: format!("no kernel sets up {why}: -EINVAL"),
                request: None,
                place,
                doing: "called",
            },
        );
    });
}

/// The set-up flags that there are.
const KNOWN_FLAGS: u32 = (IORING_SETUP_SQ_REWIND << 1) - 1;

/// Why no kernel sets up such a ring, if that is so.
fn impossible(wanted: &Wanted) -> Option<&'static str> {
    let contradiction = excluded(wanted.flags);
    if contradiction.is_some() {
        return contradiction;
    }
    let params = |flags| io_uring_params {
        flags: wanted.flags | flags,
        cq_entries: wanted.cq_entries,
        ..io_uring_params::default()
    };
    let made = |flags| sizes::entries(wanted.entries, &params(flags)).is_ok();
    if wanted.entries != 0 && !made(IORING_SETUP_CLAMP) {
        return Some("IORING_SETUP_CQSIZE with fewer CQ entries than SQ entries");
    }
    // A program may look for a kernel's limits, or ask so whether there is io_uring.
    if !mode().asks(Rule::SetUp) || made(0) {
        return None;
    }
    Some(if wanted.entries == 0 {
        "a ring of 0 entries"
    } else {
        "more than 32768 SQ entries or 65536 CQ entries without IORING_SETUP_CLAMP"
    })
}

/// Set-up flags that exclude or lack each other.
fn excluded(flags: u32) -> Option<&'static str> {
    let has = |flag| flags & flag != 0;
    [
        (
            has(IORING_SETUP_DEFER_TASKRUN) && !has(IORING_SETUP_SINGLE_ISSUER),
            "a ring with IORING_SETUP_DEFER_TASKRUN and without IORING_SETUP_SINGLE_ISSUER",
        ),
        (
            has(IORING_SETUP_SQPOLL)
                && has(IORING_SETUP_DEFER_TASKRUN
                    | IORING_SETUP_COOP_TASKRUN
                    | IORING_SETUP_TASKRUN_FLAG),
            "a ring with IORING_SETUP_SQPOLL and flags of task work (IORING_SETUP_COOP_TASKRUN, IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_TASKRUN_FLAG)",
        ),
        (
            has(IORING_SETUP_TASKRUN_FLAG)
                && !has(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN),
            "a ring with IORING_SETUP_TASKRUN_FLAG and neither IORING_SETUP_COOP_TASKRUN nor IORING_SETUP_DEFER_TASKRUN",
        ),
        (
            has(IORING_SETUP_SQ_AFF) && !has(IORING_SETUP_SQPOLL),
            "a ring with IORING_SETUP_SQ_AFF and without IORING_SETUP_SQPOLL",
        ),
        (
            has(IORING_SETUP_REGISTERED_FD_ONLY) && !has(IORING_SETUP_NO_MMAP),
            "a ring with IORING_SETUP_REGISTERED_FD_ONLY and without IORING_SETUP_NO_MMAP",
        ),
        (
            has(IORING_SETUP_HYBRID_IOPOLL) && !has(IORING_SETUP_IOPOLL),
            "a ring with IORING_SETUP_HYBRID_IOPOLL and without IORING_SETUP_IOPOLL",
        ),
        (
            has(IORING_SETUP_CQE32) && has(IORING_SETUP_CQE_MIXED),
            "a ring with IORING_SETUP_CQE32 and IORING_SETUP_CQE_MIXED",
        ),
        (
            has(IORING_SETUP_SQE128) && has(IORING_SETUP_SQE_MIXED),
            "a ring with IORING_SETUP_SQE128 and IORING_SETUP_SQE_MIXED",
        ),
        (
            has(IORING_SETUP_SQ_REWIND) && has(IORING_SETUP_SQPOLL),
            "a ring with IORING_SETUP_SQ_REWIND and IORING_SETUP_SQPOLL",
        ),
    ]
    .into_iter()
    .find(|(wrong, _)| *wrong)
    .map(|(_, why)| why)
}
