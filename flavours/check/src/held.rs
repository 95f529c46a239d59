//! Memory that the kernel has: it may write there until a request ends, so a touch by the program is a race.
//!
//! AddressSanitizer, or memcheck, is told of such memory when the kernel has taken the request, and again when its CQE is
//! there. What it knew before comes back then.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::mode::mode;
use crate::ops::{self, Pointer};
use crate::request::{Range, Request};
use crate::rules::Rule;
use crate::{asan, memcheck, sanitizer};

/// Memory that one or several requests write to.
struct Segment {
    end: u64,
    requests: u32,
    /// What was known of it before, a note for each granule.
    before: Vec<u8>,
    handle: usize,
}

/// By their start. They do not meet.
type Segments = BTreeMap<u64, Segment>;

static SEGMENTS: Mutex<Segments> = Mutex::new(BTreeMap::new());

/// What is kept of held memory takes memory itself, so not of the widest.
const WIDEST: u64 = 64 << 20;

fn segments() -> MutexGuard<'static, Segments> {
    // Nothing unwinds while the lock is held.
    SEGMENTS.lock().unwrap_or_else(|broken| broken.into_inner())
}

fn owned(request: &Request) -> impl Iterator<Item = &Range> {
    request.ranges().filter(|range| range.owned)
}

/// The granules of a range of which no byte is anybody else's. Under memcheck the last byte stays open: see [`is_freed`].
fn granules(segments: &Segments, start: u64, len: u64) -> (u64, u64) {
    let size = sanitizer::granule();
    let end = start.saturating_add(len);
    if memcheck::is_there() {
        return (start, end - 1);
    }
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
    let count = ((at - start) / sanitizer::granule()) as usize;
    let behind = Segment {
        end: std::mem::replace(&mut segment.end, at),
        requests: segment.requests,
        before: segment.before.split_off(count.min(segment.before.len())),
        handle: segment.handle,
    };
    segments.insert(at, behind);
}

/// The kernel has taken the request: its memory is held.
#[cold]
pub fn taken(request: &mut Request) {
    // Of a multishot request the program reads what came with each CQE, while the request stays.
    let multishot = request.is_multishot();
    // Without hooks nobody says that memory is freed, and memcheck's own notes do not tell it from what is held.
    let hidden = memcheck::is_there() && cfg!(not(feature = "hooks"));
    if multishot || hidden || owned(request).any(|range| range.len > WIDEST) {
        return unknown(request);
    }
    let mut segments = segments();
    for range in owned(request) {
        let (at, end) = granules(&segments, range.start, range.len);
        if at < end {
            hold(&mut segments, at, end, &|| {
                format!(
                    "{} of {}, user_data {:#x}, in flight",
                    range.what,
                    ops::name(request.opcode()),
                    request.sqe.user_data
                )
            });
        }
    }
    drop(segments);
    request.held = true;
}

fn hold(segments: &mut Segments, mut at: u64, end: u64, name: &dyn Fn() -> String) {
    split(segments, at);
    split(segments, end);
    while at < end {
        if let Some(held) = segments.get_mut(&at) {
            held.requests += 1;
            at = held.end;
            continue;
        }
        let next = segments.range(at..end).next();
        let until = next.map_or(end, |(start, _)| *start);
        let before = sanitizer::notes(at, until - at);
        if !before.is_empty() {
            let new = Segment {
                end: until,
                requests: 1,
                before,
                handle: sanitizer::close(at, until - at, name),
            };
            segments.insert(at, new);
        }
        at = until;
    }
}

/// Whether a range was freed while it was held. Memcheck has a `free` of its own, which no hook sees, and closes what is
/// freed, as this library does. The last byte tells the two apart.
fn is_freed(segments: &Segments, range: &Range) -> bool {
    let last = range.start + range.len - 1;
    memcheck::is_there() && find(segments, last).is_none() && memcheck::bits_of(last, 1).is_none()
}

/// The request has ended, or nothing is known of it any more: what it held is the program's.
#[cold]
pub fn released(request: &mut Request) {
    request.held = false;
    let mut segments = segments();
    let mut freed = false;
    for range in owned(request) {
        let is_freed = is_freed(&segments, range);
        freed |= is_freed;
        let (start, end) = granules(&segments, range.start, range.len);
        let mut at = start;
        while let Some((held, segment)) = segments.range_mut(at..end).next() {
            let held = *held;
            at = segment.end;
            segment.requests = segment.requests.saturating_sub(1);
            if segment.requests == 0 {
                if let Some(segment) = segments.remove(&held).filter(|_| !is_freed) {
                    sanitizer::open(held, &segment.before, segment.handle);
                }
            }
        }
    }
    request.freed = freed;
}

/// It is not known, or will not be, when the kernel writes to the request's memory: memcheck takes it for written.
#[cold]
pub fn unknown(request: &Request) {
    if memcheck::is_there() {
        for range in request.ranges().filter(|range| range.written) {
            memcheck::written(range.start, range.len);
        }
    }
}

/// The kernel has ended a request with this result, and has written so much of its memory.
#[cold]
pub fn arrived(request: &Request, res: i32) {
    let Ok(mut left) = u64::try_from(res) else {
        return;
    };
    for range in request.ranges().filter(|range| range.written) {
        let count = if ops::DATA.contains(&range.what) {
            range.len.min(left)
        } else {
            range.len
        };
        if ops::DATA.contains(&range.what) {
            left -= count;
        }
        memcheck::written(range.start, count);
    }
}

/// What is wrong with memory that a request names.
pub struct Wrong {
    /// The first such byte.
    pub at: u64,
    /// It may be touched, but nothing was written there.
    pub undefined: bool,
}

/// What is wrong with memory that a request names, beyond that another request has it.
#[inline(always)]
pub fn wrong(pointer: &Pointer) -> Option<Wrong> {
    if sanitizer::is_there() {
        look(pointer)
    } else {
        None
    }
}

#[cold]
fn look(pointer: &Pointer) -> Option<Wrong> {
    let end = pointer.at.saturating_add(pointer.len);
    if asan::is_there() {
        return poisoned(pointer.at, end).map(|at| Wrong {
            at,
            undefined: false,
        });
    }
    let held = segments()
        .range(..end)
        .next_back()
        .is_some_and(|(_, segment)| segment.end > pointer.at);
    if held {
        return None;
    }
    // Other structures have gaps, which nobody writes to.
    let is_whole = ops::DATA.contains(&pointer.what) || ops::GAPLESS.contains(&pointer.what);
    let reads = is_whole && !pointer.written && mode().heeds(Rule::Undefined);
    if !reads && !mode().heeds(Rule::Poisoned) {
        return None;
    }
    let (at, touchable) = memcheck::check(pointer.at, pointer.len, reads)?;
    Some(Wrong {
        at,
        undefined: touchable,
    })
}

/// The first byte of a range that AddressSanitizer has poisoned, and this library has not.
fn poisoned(mut at: u64, end: u64) -> Option<u64> {
    let size = asan::granule();
    let mut held = None;
    while at < end {
        let byte = asan::poisoned(at, end - at)?;
        let segments = held.get_or_insert_with(segments);
        if find(segments, byte).is_none() || !asan::is_by_hand(byte) {
            return Some(byte);
        }
        at = (byte & !(size - 1)) + size;
    }
    None
}
