//! Memory that the kernel has: it may write there until a request ends, so a touch by the program is a race.
//!
//! AddressSanitizer is told of such memory when the kernel has taken the request, and again when its CQE is there. What it
//! knew before comes back then.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::asan;
use crate::request::{Range, Request};

/// Memory that one or several requests write to.
struct Segment {
    end: u64,
    requests: u32,
    /// What was known of it before, a note for each granule.
    before: Vec<u8>,
}

/// By their start. They do not meet.
type Segments = BTreeMap<u64, Segment>;

static SEGMENTS: Mutex<Segments> = Mutex::new(BTreeMap::new());

fn segments() -> MutexGuard<'static, Segments> {
    // Nothing unwinds while the lock is held.
    SEGMENTS.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// The request's memory that is held. What is kept of it takes memory itself, so not of the widest.
fn owned(request: &Request) -> impl Iterator<Item = &Range> {
    const WIDEST: u64 = 64 << 20;
    request
        .ranges()
        .filter(|range| range.owned && range.len <= WIDEST)
}

/// Whether someone is there who can be told.
#[inline(always)]
pub fn is_possible() -> bool {
    asan::is_there()
}

/// The granules of a range of which no byte is anybody else's.
fn granules(segments: &Segments, start: u64, len: u64) -> (u64, u64) {
    let size = asan::granule();
    let end = start.saturating_add(len);
    let (first, last) = (start.next_multiple_of(size), end & !(size - 1));
    let rest = end - last;
    if rest == 0 || last < first {
        return (first, last);
    }
    // The last granule, of which the program has the first bytes alone.
    let note = find(segments, last).map_or_else(
        || asan::note(last),
        |(at, held)| {
            let index = ((last - at) / size) as usize;
            held.before.get(index).copied().unwrap_or(asan::CLEAN)
        },
    );
    let alone = note != asan::CLEAN && u64::from(note) <= rest;
    (first, if alone { last + size } else { last })
}

/// The segment in which an address lies, and its start.
fn find(segments: &Segments, at: u64) -> Option<(u64, &Segment)> {
    let (start, segment) = segments.range(..=at).next_back()?;
    (at < segment.end).then_some((*start, segment))
}

/// Makes a segment begin at `at`, if that lies within one.
fn split(segments: &mut Segments, at: u64) {
    let Some((start, segment)) = segments.range_mut(..at).next_back() else {
        return;
    };
    if at >= segment.end {
        return;
    }
    let count = ((at - start) / asan::granule()) as usize;
    let behind = Segment {
        end: std::mem::replace(&mut segment.end, at),
        requests: segment.requests,
        before: segment.before.split_off(count.min(segment.before.len())),
    };
    segments.insert(at, behind);
}

/// The kernel has taken the request.
#[cold]
pub fn taken(request: &Request) {
    if request.is_multishot() {
        // The program reads what came with each CQE, while the request stays.
        return;
    }
    let mut segments = segments();
    for range in owned(request) {
        let (mut at, end) = granules(&segments, range.start, range.len);
        if at >= end {
            continue;
        }
        split(&mut segments, at);
        split(&mut segments, end);
        while at < end {
            if let Some(held) = segments.get_mut(&at) {
                held.requests += 1;
                at = held.end;
                continue;
            }
            let next = segments.range(at..end).next();
            let until = next.map_or(end, |(start, _)| *start);
            let before = (at..until)
                .step_by(asan::granule() as usize)
                .map(asan::note)
                .collect();
            asan::poison(at, until - at);
            let new = Segment {
                end: until,
                requests: 1,
                before,
            };
            segments.insert(at, new);
            at = until;
        }
    }
}

/// The request has ended, or nothing is known of it any more.
#[cold]
pub fn released(request: &Request) {
    let mut segments = segments();
    for range in owned(request) {
        let (start, end) = granules(&segments, range.start, range.len);
        let mut at = start;
        while let Some((held, segment)) = segments.range_mut(at..end).next() {
            let held = *held;
            at = segment.end;
            segment.requests = segment.requests.saturating_sub(1);
            if segment.requests == 0 {
                if let Some(segment) = segments.remove(&held) {
                    restore(held, &segment.before);
                }
            }
        }
    }
}

/// Lets the program have the granules from `at` on as before, but for those of which something else is known meanwhile:
/// they were freed, or their frame has returned.
fn restore(mut at: u64, before: &[u8]) {
    let size = asan::granule();
    let mut clean = 0;
    for note in before {
        if !asan::is_by_hand(at) {
            asan::unpoison(at - clean, clean);
            clean = 0;
        } else if *note == asan::CLEAN {
            clean += size;
        } else {
            asan::unpoison(at - clean, clean + u64::from(*note));
            clean = 0;
        }
        at += size;
    }
    asan::unpoison(at - clean, clean);
}

/// The first byte of a range that the program may not touch, though no request has it.
#[inline(always)]
pub fn poisoned(at: u64, len: u64) -> Option<u64> {
    if is_possible() {
        first_poisoned(at, len)
    } else {
        None
    }
}

fn first_poisoned(mut at: u64, len: u64) -> Option<u64> {
    let end = at.saturating_add(len);
    let mut held = None;
    loop {
        let byte = asan::poisoned(at, end - at)?;
        let segments = held.get_or_insert_with(segments);
        if find(segments, byte).is_none() || !asan::is_by_hand(byte) {
            return Some(byte);
        }
        at = (byte & !(asan::granule() - 1)) + asan::granule();
        if at >= end {
            return None;
        }
    }
}
