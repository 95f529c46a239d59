//! Plain requests: those that take no buffer of a group, complete once, and name one buffer that lies in no stack, or no memory.
//!
//! While only such are in flight, a request costs two words, or five if it names a buffer, and a CQE that ends the oldest of
//! them costs a comparison. The rest of what is known of a request is made when something else comes: see `Flight::settle`.

use std::mem::MaybeUninit;
use std::ops::Range;

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::memory;
use crate::ops;
use crate::request::{self, By, Request};

/// A plain request.
#[derive(Clone, Copy)]
struct Short {
    /// The first 8 bytes of its SQE, the lowest first: opcode, flags, priority, descriptor.
    start: u64,
    user_data: u64,
}

/// Requests that one call submitted.
struct Run {
    /// Where it ends among all requests.
    end: u32,
    /// How many had completed when it was submitted.
    done: u32,
    by: By,
    /// The SQ index of the first.
    index: u32,
    /// How many requests the ring had submitted before it.
    number: u64,
}

/// What else a request has that names a buffer.
#[derive(Clone, Copy, Default)]
struct Buffer {
    off: u64,
    addr: u64,
    /// The length, and the flags of the opcode, as they lie in the SQE.
    len_and_flags: u64,
}

/// Plain requests in the order in which they were submitted, since the last time when none was in flight.
#[derive(Default)]
pub struct Noted {
    requests: Vec<Short>,
    /// The buffers of those that have one, at the same indexes.
    buffers: Vec<Buffer>,
    /// So many have completed.
    done: usize,
    runs: Vec<Run>,
}

/// What happened, as [`Noted::replay`] tells it.
pub enum Event {
    Submitted(Request),
    Completed(u64),
}

/// Room for so many runs is made at first.
const RUNS: usize = 16;

/// Opcodes whose requests may be plain, one bit each.
const PLAIN: u64 = {
    const OPCODES: &[io_uring_op] = &[
        IORING_OP_NOP,
        IORING_OP_FSYNC,
        IORING_OP_SYNC_FILE_RANGE,
        IORING_OP_FALLOCATE,
        IORING_OP_CLOSE,
        IORING_OP_FADVISE,
        IORING_OP_MADVISE,
        IORING_OP_SPLICE,
        IORING_OP_TEE,
        IORING_OP_SHUTDOWN,
        IORING_OP_SOCKET,
        IORING_OP_FTRUNCATE,
        IORING_OP_LISTEN,
        IORING_OP_FUTEX_WAKE,
    ];
    let (mut plain, mut at) = (0, 0);
    while at < OPCODES.len() {
        plain |= 1 << OPCODES[at] as u32;
        at += 1;
    }
    plain
};

/// Opcodes whose requests may be plain and name a buffer.
const WITH_BUFFER: u64 = 1 << IORING_OP_READ as u32
    | 1 << IORING_OP_WRITE as u32
    | 1 << IORING_OP_SEND as u32
    | 1 << IORING_OP_RECV as u32;

/// What a plain request may have in the lower half of [`Short::start`]: an opcode below 64, and flags. No priority.
const ALLOWED: u32 = 63 | (0xff & !(IOSQE_CQE_SKIP_SUCCESS | IOSQE_BUFFER_SELECT)) << 8;
/// And one that names a buffer: in a chain its result matters.
const ALLOWED_WITH_BUFFER: u32 = ALLOWED & !((IOSQE_IO_LINK | IOSQE_IO_HARDLINK) << 8);

#[inline(always)]
fn is_plain(start: u64) -> bool {
    start as u32 & !ALLOWED == 0 && PLAIN >> (start & 63) & 1 != 0
}

#[inline(always)]
fn has_buffer(start: u64) -> bool {
    WITH_BUFFER >> (start & 63) & 1 != 0
}

#[inline(always)]
fn is_plain_with_buffer(start: u64) -> bool {
    start as u32 & !ALLOWED_WITH_BUFFER == 0 && has_buffer(start)
}

/// Whether a request may be plain, so far as its first fields tell.
pub fn is_plain_request(sqe: &io_uring_sqe) -> bool {
    // SAFETY: an SQE is aligned for numbers of 8 bytes.
    let start = u64::from_le(unsafe { (&raw const *sqe).cast::<u64>().read() });
    is_plain(start) || is_plain_with_buffer(start)
}

/// The SQEs or CQEs of a ring.
pub struct Slots<T> {
    pub first: *const T,
    pub mask: u32,
    /// By how many bits an index is shifted.
    pub shift: u32,
}

impl<T> Slots<T> {
    /// The entry at an index, and how many come before the end of the memory, up to index `tail`.
    #[inline(always)]
    fn at(&self, index: u32, tail: u32) -> (*const T, u32) {
        let slot = index & self.mask;
        let entry = self.first.wrapping_add((slot as usize) << self.shift);
        (entry, tail.wrapping_sub(index).min(self.mask - slot + 1))
    }
}

impl Noted {
    /// How many are in flight.
    #[inline]
    pub fn outstanding(&self) -> u32 {
        (self.requests.len() - self.done) as u32
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Notes requests from SQ index `at` up to `tail`, as many as are plain and `accepts` takes, at most to where the SQ's
    /// memory ends; returns how many. About `most` are kept. `stack` says where no buffer may lie, if buffers are noted.
    ///
    /// # Safety
    ///
    /// `sqes` are the ring's, and no other thread uses its SQ side.
    #[inline]
    pub unsafe fn submitted(
        &mut self,
        sqes: Slots<io_uring_sqe>,
        (at, tail): (u32, u32),
        (by, number): (By, u64),
        most: usize,
        accepts: impl Fn(&io_uring_sqe) -> bool + Copy,
        stack: impl Fn() -> Option<Range<u64>>,
    ) -> u32 {
        let before = self.requests.len();
        let (sqe, count) = sqes.at(at, tail);
        if self.requests.capacity() == 0 {
            self.requests.reserve_exact(most);
            self.runs.reserve(RUNS);
        }
        let free = self.requests.spare_capacity_mut();
        let room = free.len().min(count as usize);
        let Some(free) = free.get_mut(..room) else {
            return 0;
        };
        // SAFETY: not more than lie behind the first.
        let mut new = unsafe {
            if sqes.shift == 0 {
                fill::<1>(free, sqe, accepts)
            } else {
                fill::<2>(free, sqe, accepts)
            }
        };
        if new != room {
            if let (Some(stack), Some(free)) = (stack(), free.get_mut(new..)) {
                self.buffers
                    .reserve_exact(before + room - self.buffers.len());
                self.buffers.resize(before + new, Buffer::default());
                let sqe = sqe.wrapping_add(new << sqes.shift);
                let buffers = self.buffers.spare_capacity_mut();
                // SAFETY: as above.
                let more = unsafe {
                    if sqes.shift == 0 {
                        fill_with_buffers::<1>((free, buffers), sqe, &stack, accepts)
                    } else {
                        fill_with_buffers::<2>((free, buffers), sqe, &stack, accepts)
                    }
                };
                new += more;
                // SAFETY: so many were filled in.
                unsafe { self.buffers.set_len(before + new) };
                memory::count_ranges(more, true);
            }
        }
        if new != 0 {
            let end = before + new;
            // SAFETY: so many were filled in.
            unsafe { self.requests.set_len(end) };
            self.runs.push(Run {
                end: end as u32,
                done: self.done as u32,
                by,
                index: at,
                number,
            });
        }
        new as u32
    }

    /// Looks at CQEs from index `at` up to `tail`, as far as each ends the oldest request without an error and says
    /// nothing else, at most to where the CQ's memory ends. Returns how many.
    ///
    /// # Safety
    ///
    /// `cqes` are the ring's, and the kernel has published these.
    #[inline]
    pub unsafe fn completed(&mut self, cqes: Slots<io_uring_cqe>, (at, tail): (u32, u32)) -> u32 {
        let waiting = self.requests.get(self.done..).unwrap_or_default();
        let (cqe, count) = cqes.at(at, tail);
        let waiting = waiting.get(..count as usize).unwrap_or(waiting);
        // SAFETY: not more than lie behind the first.
        let ended = unsafe {
            if cqes.shift == 0 {
                matching::<1>(waiting, cqe)
            } else {
                matching::<2>(waiting, cqe)
            }
        };
        if !self.buffers.is_empty() {
            self.released(self.done + ended);
        }
        self.done += ended;
        if self.done == self.requests.len() {
            self.forget();
        }
        ended as u32
    }

    /// The requests in flight before index `end` use their buffers no longer.
    fn released(&mut self, end: usize) {
        let end = end.min(self.buffers.len());
        let requests = self.requests.get(self.done..end).unwrap_or_default();
        let buffers = self.buffers.get(self.done..end).unwrap_or_default();
        let mut count = 0;
        for (request, buffer) in requests.iter().zip(buffers) {
            if has_buffer(request.start) {
                memory::uncount_pages(buffer.addr, buffer.len());
                count += 1;
            }
        }
        memory::count_ranges(count, false);
    }

    /// Whether one of those in flight has a buffer in a range.
    pub fn uses(&self, start: u64, len: u64) -> bool {
        let requests = self.requests.get(self.done..).unwrap_or_default();
        let buffers = self.buffers.get(self.done..).unwrap_or_default();
        let mut both = requests.iter().zip(buffers);
        both.any(|(request, buffer)| {
            let range = (buffer.addr, buffer.len());
            has_buffer(request.start) && request::meet(range, (start, len))
        })
    }

    pub fn clear(&mut self) {
        self.released(self.requests.len());
        self.forget();
    }

    fn forget(&mut self) {
        self.requests.clear();
        self.buffers.clear();
        self.runs.clear();
        self.done = 0;
    }

    /// Tells everything that was noted, in its order.
    pub fn replay(&self, mut tell: impl FnMut(Event)) {
        let mut completions = self.requests.iter().take(self.done);
        let (mut start, mut done) = (0, 0);
        for run in &self.runs {
            let (run_end, run_done) = (run.end as usize, run.done as usize);
            for request in completions.by_ref().take(run_done - done) {
                tell(Event::Completed(request.user_data));
            }
            done = run_done;
            let of_run = self.requests.get(start..run_end).unwrap_or_default();
            for (request, step) in of_run.iter().zip(0u32..) {
                let index = run.index.wrapping_add(step).wrapping_add(1);
                let buffer = self.buffers.get(start + step as usize);
                let sqe = request.sqe(buffer.filter(|_| has_buffer(request.start)));
                let mut full = Request::new(sqe, run.by, index);
                ops::pointers(&sqe, |pointer| full.add(&pointer, false));
                full.number = run.number + u64::from(step);
                tell(Event::Submitted(full));
            }
            start = run_end;
        }
        for request in completions {
            tell(Event::Completed(request.user_data));
        }
    }
}

// The loops stand alone, for each of their instructions counts. So do those over several requests in them.
const AT_ONCE: usize = 4;

/// Fills in notes of plain SQEs, each `STEP` behind the one before; returns how many.
///
/// # Safety
///
/// There are as many SQEs as notes.
#[inline(never)]
unsafe fn fill<const STEP: usize>(
    free: &mut [MaybeUninit<Short>],
    mut sqe: *const io_uring_sqe,
    accepts: impl Fn(&io_uring_sqe) -> bool,
) -> usize {
    // SAFETY: the caller vouches for it; an SQE is aligned for numbers of 8 bytes.
    let at = |sqe: *const io_uring_sqe| unsafe { (u64::from_le(sqe.cast::<u64>().read()), &*sqe) };
    // Requests that begin like the one before need no second look. Zeros begin a no-op.
    let (mut before, mut new) = (0, 0);
    loop {
        // Several at once, as long as they do.
        while let Some(some) = free.get_mut(new..new + AT_ONCE) {
            let like_before = (0..AT_ONCE).all(|step| {
                let (start, full) = at(sqe.wrapping_add(step * STEP));
                start == before && accepts(full)
            });
            if !like_before {
                break;
            }
            for (free, step) in some.iter_mut().zip(0..) {
                let (_, full) = at(sqe.wrapping_add(step * STEP));
                free.write(Short {
                    start: before,
                    user_data: full.user_data,
                });
            }
            new += AT_ONCE;
            sqe = sqe.wrapping_add(AT_ONCE * STEP);
        }
        let Some(free) = free.get_mut(new) else {
            return new;
        };
        let (start, full) = at(sqe);
        if !is_plain(start) || !accepts(full) {
            return new;
        }
        before = start;
        free.write(Short {
            start,
            user_data: full.user_data,
        });
        new += 1;
        sqe = sqe.wrapping_add(STEP);
    }
}

/// Fills in notes of plain SQEs that name a buffer, each `STEP` behind the one before, and counts these; returns how many.
///
/// # Safety
///
/// There are as many SQEs as notes.
#[inline(never)]
unsafe fn fill_with_buffers<const STEP: usize>(
    (free, buffers): (&mut [MaybeUninit<Short>], &mut [MaybeUninit<Buffer>]),
    mut sqe: *const io_uring_sqe,
    stack: &Range<u64>,
    accepts: impl Fn(&io_uring_sqe) -> bool,
) -> usize {
    let mut new = 0;
    for (free, buffer) in free.iter_mut().zip(buffers) {
        // SAFETY: the caller vouches for it; an SQE is eight numbers of 8 bytes.
        let (words, full) = unsafe { (&*sqe.cast::<[u64; 8]>(), &*sqe) };
        let [start, off, addr, len_and_flags, user_data, more, addr3, _] = *words;
        let start = u64::from_le(start);
        let found = Buffer {
            off,
            addr,
            len_and_flags,
        };
        let plain = is_plain_with_buffer(start)
            // No registered buffer, no personality, no metadata.
            && more | addr3 == 0
            && addr != 0
            && found.len() != 0
            && addr.wrapping_sub(stack.start) >= stack.end - stack.start
            && accepts(full);
        if !plain || !memory::count_pages(addr, found.len()) {
            break;
        }
        free.write(Short { start, user_data });
        buffer.write(found);
        new += 1;
        sqe = sqe.wrapping_add(STEP);
    }
    new
}

/// What a CQE says: its `user_data`, and its result and flags as one number, the result lowest.
///
/// # Safety
///
/// The kernel has published it.
#[inline(always)]
unsafe fn says(cqe: *const io_uring_cqe) -> (u64, u64) {
    // SAFETY: the caller vouches for it. A result and flags are as long as a number of 8 bytes, and aligned for it.
    let (user_data, rest) = unsafe {
        (
            (&raw const (*cqe).user_data).read_volatile(),
            cqe.cast::<u64>().add(1).read_volatile(),
        )
    };
    let rest = if cfg!(target_endian = "big") {
        rest.rotate_left(32)
    } else {
        rest
    };
    (user_data, rest)
}

/// How many of the requests have ended by CQEs, each `STEP` behind the one before, that say nothing but that.
///
/// # Safety
///
/// There are as many CQEs as requests.
#[inline(never)]
unsafe fn matching<const STEP: usize>(requests: &[Short], mut cqe: *const io_uring_cqe) -> usize {
    let first = requests.as_ptr().addr();
    let mut rest = requests;
    while let Some((some, others)) = rest.split_at_checked(AT_ONCE) {
        let (mut differs, mut said) = (0, 0);
        for (request, step) in some.iter().zip(0..) {
            // SAFETY: the caller vouches for it.
            let (user_data, more) = unsafe { says(cqe.wrapping_add(step * STEP)) };
            differs |= request.user_data ^ user_data;
            said |= more;
        }
        // The flags, and the sign of the result.
        if differs | said >> 31 != 0 {
            break;
        }
        cqe = cqe.wrapping_add(AT_ONCE * STEP);
        rest = others;
    }
    for request in rest {
        // SAFETY: the caller vouches for it.
        let (user_data, more) = unsafe { says(cqe) };
        if request.user_data != user_data || more >> 31 != 0 {
            return ((&raw const *request).addr() - first) / size_of::<Short>();
        }
        cqe = cqe.wrapping_add(STEP);
    }
    requests.len()
}

impl Buffer {
    #[inline(always)]
    fn len(&self) -> u64 {
        let [a, b, c, d, ..] = self.len_and_flags.to_ne_bytes();
        u64::from(u32::from_ne_bytes([a, b, c, d]))
    }
}

impl Short {
    fn sqe(&self, buffer: Option<&Buffer>) -> io_uring_sqe {
        // SAFETY: a structure of numbers, for which zeros are a value.
        let mut sqe: io_uring_sqe = unsafe { std::mem::zeroed() };
        let [opcode, flags, _, _, fd @ ..] = self.start.to_le_bytes();
        (sqe.opcode, sqe.flags, sqe.fd) = (opcode, flags, i32::from_ne_bytes(fd));
        sqe.user_data = self.user_data;
        if let Some(buffer) = buffer {
            let [.., a, b, c, d] = buffer.len_and_flags.to_ne_bytes();
            sqe.__anon1.off = buffer.off;
            sqe.__anon2.addr = buffer.addr;
            sqe.len = buffer.len() as u32;
            sqe.__anon3.msg_flags = u32::from_ne_bytes([a, b, c, d]);
        }
        sqe
    }
}
