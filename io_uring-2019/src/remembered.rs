//! What was found out about descriptors, in a table of single words: which ring one leads to, and how the file that it
//! leads to was opened. An entry holds until a descriptor may have changed, see [`changes`](crate::sys::changes).
//!
//! | bits of an entry | what |
//! | --- | --- |
//! | 0 to 10 | what the descriptor leads to |
//! | 11 to 22 | the descriptor, without the low bits, which are the entry's place |
//! | 23 to 63 | the moment at which this was so |
//!
//! A moment is never 0, and so an entry of all zeros says nothing.

use core::ffi::{c_int, c_uint};
use core::sync::atomic::{AtomicU64, Ordering};

use uring_core::errno::Result;

use crate::sys::changes::{LOW_BITS, Moment};
use crate::sys::memory;

const PLACES: usize = 256;
const PLACE_BITS: u32 = PLACES.trailing_zeros();
const WHAT_BITS: u32 = 11;
const WHAT: u64 = (1 << WHAT_BITS) - 1;
/// Descriptors from here on are not remembered.
const LIMIT: c_uint = 1 << (LOW_BITS - WHAT_BITS + PLACE_BITS);

/// Beside a ring's slot, which takes the bits below: it is a file.
const FILE: u64 = 1 << 10;
/// Of a file: its access mode is all that a request depends on, and stands in the bits below.
const MODE_IS_ENOUGH: u64 = 1 << 2;
/// Of a file: more than its access mode counts. Without this bit and the one before, it was only looked up once.
const MODE_IS_NOT_ENOUGH: u64 = 1 << 3;
/// Of a file: its access mode (`O_ACCMODE`).
const MODE: u64 = 3;

/// Memory that is cleared in a child of fork(2). Its descriptors may be older than its memory, if another thread of its
/// parent opened or closed some meanwhile.
#[repr(C, align(4096))]
struct Table {
    entries: [AtomicU64; PLACES],
}

static TABLE: Table = Table {
    entries: [const { AtomicU64::new(0) }; PLACES],
};

/// Called before there is a ring.
pub fn prepare() -> Result<()> {
    memory::clear_in_children((&raw const TABLE).addr(), size_of::<Table>())
}

#[inline(always)]
fn place(fd: c_int) -> &'static AtomicU64 {
    &TABLE.entries[fd as usize % PLACES]
}

/// An entry that says nothing yet. None if nothing can be remembered.
#[inline(always)]
fn key(fd: c_int, at: Moment) -> Option<u64> {
    let fd = fd as c_uint;
    if fd >= LIMIT {
        return None;
    }
    Some(at.stamp()? | u64::from(fd >> PLACE_BITS) << WHAT_BITS)
}

// Relaxed in both: the moment says whether an entry holds, and nothing is read on the strength of it.

#[inline(always)]
fn get(fd: c_int, at: Moment) -> Option<u64> {
    let entry = place(fd).load(Ordering::Relaxed);
    (entry & !WHAT == key(fd, at)?).then_some(entry & WHAT)
}

fn put(fd: c_int, at: Moment, what: u64) {
    if let Some(key) = key(fd, at) {
        place(fd).store(key | what, Ordering::Relaxed);
    }
}

/// The slot of the ring that a descriptor leads to.
#[inline(always)]
pub fn ring(fd: c_int, at: Moment) -> Option<usize> {
    get(fd, at)
        .filter(|what| what & FILE == 0)
        .map(|slot| slot as usize)
}

/// Remembers the slot of the ring that a descriptor led to.
pub fn put_ring(fd: c_int, at: Moment, slot: usize) {
    put(fd, at, slot as u64);
}

/// The access mode of the file that a descriptor leads to, as in its open flags.
#[inline(always)]
pub fn access_mode(fd: c_int, at: Moment) -> Option<c_uint> {
    get(fd, at)
        .filter(|what| what & (FILE | MODE_IS_ENOUGH) == FILE | MODE_IS_ENOUGH)
        .map(|what| (what & MODE) as c_uint)
}

/// Remembers the access mode of the file that a descriptor led to, if `is_enough` says that this is all that a request
/// depends on. That is asked when the descriptor comes a second time, as many files are used only once.
pub fn put_access_mode(fd: c_int, at: Moment, mode: c_uint, is_enough: impl FnOnce() -> bool) {
    match get(fd, at) {
        None => put(fd, at, FILE),
        Some(FILE) if is_enough() => put(fd, at, FILE | MODE_IS_ENOUGH | u64::from(mode) & MODE),
        Some(FILE) => put(fd, at, FILE | MODE_IS_NOT_ENOUGH),
        Some(_) => {}
    }
}
