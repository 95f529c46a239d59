//! What is known beside the rings, and the reports that are due.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use crate::map::{Map, Set, map};
use crate::mode::mode;
use crate::place::Place;
use crate::report::{Pending, Report};
use crate::rules::Rule;
use crate::trace::Trace;
use crate::trails::{Trail, Trails};

/// What is known beside the rings.
pub struct Notes {
    /// Rules and places that have been reported.
    pub said: Set<(Rule, usize)>,
    /// How often each rule was broken, also where nothing was printed.
    pub counts: Map<Rule, u64>,
    /// A ring has been sent messages, or may have been: completions come that were not asked for there.
    pub messages: bool,
    /// Descriptors of the rings that the call under way sends messages to, or -1, for ThreadSanitizer.
    pub sent_to: Vec<i32>,
    /// The calls that led to requests.
    pub trails: Trails,
    /// The call that reports are of, if it is not under way.
    pub past: Option<(Place, Trail)>,
    /// Where descriptors were closed: the address to which the call returned.
    pub closed: Map<i32, usize>,
    pub trace: Trace,
    /// The flags of the last ring that was refused, if none was made since.
    pub refused_ring: Option<u32>,
    /// Why rings have no proxy, as far as that was said.
    pub without_proxy: Vec<&'static str>,
    /// Reports that are to be written when the lock is free.
    pub pending: Vec<Pending>,
}

impl Notes {
    pub const fn new() -> Notes {
        Notes {
            said: HashSet::with_hasher(BuildHasherDefault::new()),
            counts: map(),
            messages: false,
            sent_to: Vec::new(),
            trails: Trails::new(),
            past: None,
            closed: map(),
            trace: Trace::new(),
            refused_ring: None,
            without_proxy: Vec::new(),
            pending: Vec::new(),
        }
    }
}

/// Notes that a rule is broken. It is said the first time at this place.
pub fn report(notes: &mut Notes, report: &Report) {
    let rule = report.rule;
    if !mode().heeds(rule) {
        return;
    }
    *notes.counts.entry(rule).or_default() += 1;
    // Two requests of one place are one fault; so is what a call shows of requests from several.
    let place = report
        .request
        .map_or(report.place.return_address, |request| request.by.place);
    if !notes.said.insert((rule, place)) {
        return;
    }
    let submitted = report.request.map_or_else(Vec::new, |request| {
        notes.trails.calls(request.by.place, request.by.trail)
    });
    let past = notes.past.filter(|(place, _)| *place == report.place);
    let at = past.map(|(place, trail)| notes.trails.calls(place.return_address, trail));
    notes.pending.push(Pending {
        rule,
        what: report.what.clone(),
        request: report.request.cloned(),
        submitted,
        at,
        place: report.place,
        doing: report.doing.into(),
    });
}
