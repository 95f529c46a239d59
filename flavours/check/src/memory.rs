//! Ranges that requests in flight use, against memory that the program gives up.
//!
//! `free` is called far more often than requests are made. So ranges are counted by page, without a lock, and only a
//! block on such a page is looked for among the requests.

use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use crate::place::Place;
use crate::report::{Report, report};
use crate::request::Request;
use crate::rules::Rule;
use crate::state::{self, Notes};

const PAGE_SHIFT: u32 = 12;
const PAGES: usize = 1 << 12;
/// Ranges of more pages are counted by themselves.
const WIDE: u64 = 64;

static ON_PAGE: [AtomicU16; PAGES] = [const { AtomicU16::new(0) }; PAGES];
static WIDE_RANGES: AtomicU32 = AtomicU32::new(0);
static RANGES: AtomicU32 = AtomicU32::new(0);

fn pages(start: u64, len: u64) -> Option<impl Iterator<Item = &'static AtomicU16>> {
    let (first, last) = (
        start >> PAGE_SHIFT,
        start.saturating_add(len.saturating_sub(1)) >> PAGE_SHIFT,
    );
    (last - first < WIDE)
        .then(|| (first..=last).filter_map(|page| ON_PAGE.get(page as usize % PAGES)))
}

// Relaxed: a program that gives memory up in one thread and submits in another orders the two itself.

fn count(start: u64, len: u64, up: bool) {
    let step = |counter: &AtomicU16| {
        let add = if up { 1 } else { u16::MAX };
        counter.fetch_add(add, Ordering::Relaxed);
    };
    match pages(start, len) {
        Some(pages) => pages.for_each(step),
        None => {
            WIDE_RANGES.fetch_add(if up { 1 } else { u32::MAX }, Ordering::Relaxed);
        }
    }
    RANGES.fetch_add(if up { 1 } else { u32::MAX }, Ordering::Relaxed);
}

/// The request's memory is in use from now on.
pub fn taken(request: &Request) {
    for range in request.ranges() {
        count(range.start, range.len, true);
    }
}

/// And no longer.
pub fn released(request: &Request) {
    for range in request.ranges() {
        count(range.start, range.len, false);
    }
}

/// A ring of provided buffers is registered, or no longer.
pub fn registered(start: u64, len: u64, now: bool) {
    count(start, len, now);
}

/// Whether any request uses memory.
#[inline]
pub fn any() -> bool {
    RANGES.load(Ordering::Relaxed) != 0
}

/// Whether a request may use memory in this range.
pub fn may_be_used(start: u64, len: u64) -> bool {
    if WIDE_RANGES.load(Ordering::Relaxed) != 0 {
        return true;
    }
    pages(start, len).is_none_or(|mut pages| pages.any(|page| page.load(Ordering::Relaxed) != 0))
}

/// The program gives a range up, by the call `doing`. Says so if a request is in flight on it.
#[cold]
pub fn given_up(start: usize, len: usize, doing: &str, place: Place) {
    let (start, len) = (start as u64, len as u64);
    state::with(|state| {
        if crate::life::is_borrowed() {
            return;
        }
        let notes = &mut state.notes;
        for ring in state.rings.values_mut() {
            let freed = ring.groups.forget_at(start, len);
            if freed.is_some() {
                crate::cq::collect(ring, notes, place);
            }
            if let Some(group) = freed.filter(|group| ring.flight.selects(*group)) {
                let what = format!(
                    "{doing} of the ring of buffer group {group}, which requests in flight take from"
                );
                say(notes, what, None, place);
            }
            if ring.users_of(start, len).next().is_none() {
                continue;
            }
            // Its CQE may be there already.
            crate::cq::collect(ring, notes, place);
            let found = ring.users_of(start, len).next();
            let Some((user_data, used)) =
                found.map(|(request, range)| (request.sqe.user_data, *range))
            else {
                continue;
            };
            if let Some(request) = ring.flight.forget(user_data) {
                let uses = if used.written { "write" } else { "read" };
                let what = format!(
                    "{doing} of the {} of a request in flight: the kernel may still {uses} there",
                    used.what
                );
                say(notes, what, Some(&request), place);
            }
        }
    });
}

fn say(notes: &mut Notes, what: String, request: Option<&Request>, place: Place) {
    report(
        notes,
        &Report {
            rule: Rule::Free,
            what,
            request,
            place,
            doing: "given up",
        },
    );
}

/// Reads the program's memory, which need not be there.
pub fn read<T: Copy>(at: u64, to: &mut [T]) -> bool {
    let bytes = size_of_val(to);
    let local = libc::iovec {
        iov_base: to.as_mut_ptr().cast(),
        iov_len: bytes,
    };
    let remote = libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(at as usize),
        iov_len: bytes,
    };
    // SAFETY: the kernel writes `to` only, any bytes of which are values of the types that this is used for.
    let read = unsafe {
        libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0)
    };
    usize::try_from(read) == Ok(bytes)
}
