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
