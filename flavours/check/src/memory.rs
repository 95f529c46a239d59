//! Ranges that requests in flight use, counted by page.
//!
//! `free` is called far more often than requests are made. So ranges are counted without a lock, and only a block
//! on such a page is looked for among the requests.

use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use crate::request::Request;

const PAGE_SHIFT: u32 = 12;
const PAGES: usize = 1 << 12;
/// Ranges of more pages are counted by themselves.
const WIDE: u64 = 64;

static ON_PAGE: [AtomicU16; PAGES] = [const { AtomicU16::new(0) }; PAGES];
static WIDE_RANGES: AtomicU32 = AtomicU32::new(0);
static RANGES: AtomicU32 = AtomicU32::new(0);

/// Calls `each` with the counter of each page of a range. False, and nothing is done, if there are too many.
#[inline(always)]
fn pages(start: u64, len: u64, mut each: impl FnMut(&AtomicU16)) -> bool {
    let first = start >> PAGE_SHIFT;
    let last = start.saturating_add(len.saturating_sub(1)) >> PAGE_SHIFT;
    let counter = |page: u64| ON_PAGE.get(page as usize % PAGES);
    // Most lie on one.
    if first == last {
        if let Some(counter) = counter(first) {
            each(counter);
        }
        return true;
    }
    if last - first >= WIDE {
        return false;
    }
    (first..=last).filter_map(counter).for_each(each);
    true
}

// Relaxed: a program that gives memory up in one thread and submits in another orders the two itself.

/// Counts one range up, or down. Only under the lock on all that is known, so nobody else does at the same time.
#[inline(always)]
fn step(counter: &AtomicU16, up: bool) {
    let by = if up { 1 } else { u16::MAX };
    let now = counter.load(Ordering::Relaxed).wrapping_add(by);
    counter.store(now, Ordering::Relaxed);
}

/// The same for so many ranges.
fn steps(counter: &AtomicU32, count: u32, up: bool) {
    let by = if up { count } else { count.wrapping_neg() };
    let now = counter.load(Ordering::Relaxed).wrapping_add(by);
    counter.store(now, Ordering::Relaxed);
}

fn count(start: u64, len: u64, up: bool) {
    if !pages(start, len, |counter| step(counter, up)) {
        steps(&WIDE_RANGES, 1, up);
    }
    steps(&RANGES, 1, up);
}

/// Counts the pages of a range up, for a request of which only a note is kept. False, and nothing is done, if it has many.
/// The range itself counts with [`count_ranges`], once for several.
#[inline(always)]
pub fn count_pages(start: u64, len: u64) -> bool {
    pages(start, len, |counter| step(counter, true))
}

/// Counts down what [`count_pages`] has counted up.
#[inline(always)]
pub fn uncount_pages(start: u64, len: u64) {
    pages(start, len, |counter| step(counter, false));
}

/// Counts so many ranges up, or down, whose pages were counted by themselves.
pub fn count_ranges(count: usize, up: bool) {
    steps(&RANGES, count as u32, up);
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
    let mut used = false;
    let narrow = pages(start, len, |counter| {
        used |= counter.load(Ordering::Relaxed) != 0;
    });
    used || !narrow
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
