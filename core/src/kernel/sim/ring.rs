//! One ring of the simulated kernel.

use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};
use std::alloc::{Layout, dealloc};
use std::collections::VecDeque;

use super::{Config, allocate};
use crate::abi::cqe::{IORING_CQE_F_32, io_uring_cqe};
use crate::abi::enter::{IORING_ENTER_GETEVENTS, IORING_ENTER_SQ_WAKEUP};
use crate::abi::op::*;
use crate::abi::params::*;
use crate::abi::ring::LIBURING_UDATA_TIMEOUT;
use crate::abi::sqe::io_uring_sqe;
use crate::errno::{Errno, Result};
use crate::ring::sizes::{self, Entries};

// Offsets within the rings, of this kernel's own choice.
const SQ_HEAD: u32 = 0;
const SQ_TAIL: u32 = 4;
const CQ_HEAD: u32 = 8;
const CQ_TAIL: u32 = 12;
const SQ_MASK: u32 = 16;
const CQ_MASK: u32 = 20;
const SQ_ENTRIES: u32 = 24;
const CQ_ENTRIES: u32 = 28;
const SQ_DROPPED: u32 = 32;
const SQ_FLAGS: u32 = 36;
const CQ_FLAGS: u32 = 40;
const CQ_OVERFLOW: u32 = 44;
const CQES: u32 = 64;

/// Memory of a ring: the kernel's own, or lent by the program.
struct Area {
    start: NonNull<c_void>,
    layout: Option<Layout>,
}

impl Area {
    fn new(size: usize) -> Area {
        let (start, layout) = allocate(size);
        Area {
            start,
            layout: Some(layout),
        }
    }

    fn lent(user_addr: u64) -> Result<Area> {
        let start = NonNull::new(ptr::with_exposed_provenance_mut(user_addr as usize))
            .ok_or(Errno::EFAULT)?;
        Ok(Area {
            start,
            layout: None,
        })
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        if let Some(layout) = self.layout {
            // SAFETY: allocated with this layout; the ring was its owner.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) };
        }
    }
}

#[derive(Clone, Copy)]
struct Completion {
    user_data: u64,
    res: i32,
    flags: u32,
}

#[derive(Clone, Copy)]
struct Timeout {
    user_data: u64,
    /// The number of completions that ends it, if it has one.
    count: u64,
}

pub struct Ring {
    flags: u32,
    entries: Entries,
    rings: Area,
    sqes: Area,
    /// A stand-in for the second mapping of kernels without `IORING_FEAT_SINGLE_MMAP`.
    cq_ring: Option<Area>,
    array: u32,
    /// Done, but posted only during a wait.
    held: VecDeque<Completion>,
    /// Done, but the CQ was full.
    overflowed: VecDeque<Completion>,
    /// Timeouts that have not expired.
    timeouts: Vec<Timeout>,
    /// How often completions were polled for in vain.
    polls: u32,
    /// Memory from before a resize, and of buffer rings. It may stay mapped after the ring has stopped using it.
    others: Vec<(u64, Area)>,
}

impl Ring {
    pub fn new(nr: u32, p: &mut io_uring_params, config: &Config) -> Result<Ring> {
        let entries = sizes::entries(nr, p)?;
        let rings_size = sizes::rings_size(p.flags, entries);
        let cqes_end = CQES + sizes::cqes_size(p.flags, entries.cq) as u32;
        let array = cqes_end.next_multiple_of(sizes::RING_HEADER as u32);
        let single = config.features & IORING_FEAT_SINGLE_MMAP != 0;
        let (rings, sqes) = if p.flags & IORING_SETUP_NO_MMAP != 0 {
            (
                Area::lent(p.cq_off.user_addr)?,
                Area::lent(p.sq_off.user_addr)?,
            )
        } else {
            (
                Area::new(rings_size),
                Area::new(sizes::sqes_size(p.flags, entries.sq)),
            )
        };

        p.sq_entries = entries.sq;
        p.cq_entries = entries.cq;
        p.features = config.features;
        let (sq_user, cq_user) = (p.sq_off.user_addr, p.cq_off.user_addr);
        p.sq_off = io_sqring_offsets {
            head: SQ_HEAD,
            tail: SQ_TAIL,
            ring_mask: SQ_MASK,
            ring_entries: SQ_ENTRIES,
            flags: SQ_FLAGS,
            dropped: SQ_DROPPED,
            array: if p.flags & IORING_SETUP_NO_SQARRAY == 0 {
                array
            } else {
                0
            },
            resv1: 0,
            user_addr: sq_user,
        };
        p.cq_off = io_cqring_offsets {
            head: CQ_HEAD,
            tail: CQ_TAIL,
            ring_mask: CQ_MASK,
            ring_entries: CQ_ENTRIES,
            overflow: CQ_OVERFLOW,
            cqes: CQES,
            flags: CQ_FLAGS,
            resv1: 0,
            user_addr: cq_user,
        };

        let cq_ring = (!single).then(|| Area::new(rings_size));
        let ring = Ring {
            flags: p.flags,
            entries,
            rings,
            sqes,
            cq_ring,
            array,
            held: VecDeque::new(),
            overflowed: VecDeque::new(),
            timeouts: Vec::new(),
            polls: 0,
            others: Vec::new(),
        };
        ring.sq_word(SQ_MASK)
            .store(entries.sq - 1, Ordering::Relaxed);
        ring.sq_word(SQ_ENTRIES)
            .store(entries.sq, Ordering::Relaxed);
        ring.cq_word(CQ_MASK)
            .store(entries.cq - 1, Ordering::Relaxed);
        ring.cq_word(CQ_ENTRIES)
            .store(entries.cq, Ordering::Relaxed);
        Ok(ring)
    }

    /// The area that an mmap offset names.
    pub fn area(&mut self, offset: u64) -> Result<(NonNull<c_void>, Layout)> {
        let area = match offset {
            IORING_OFF_SQ_RING => &self.rings,
            IORING_OFF_CQ_RING => self.cq_ring.as_ref().ok_or(Errno::EINVAL)?,
            IORING_OFF_SQES => &self.sqes,
            _ => {
                let other = self.others.iter().find(|(at, _)| *at == offset);
                &other.ok_or(Errno::EINVAL)?.1
            }
        };
        Ok((area.start, area.layout.ok_or(Errno::EINVAL)?))
    }

    /// Allocates `size` bytes that can be mapped at `offset`.
    pub fn add_area(&mut self, offset: u64, size: usize) {
        self.others.push((offset, Area::new(size)));
    }

    /// Moves the published entries into rings of the size in `p`. The old memory stays valid while it is mapped.
    pub fn resize(&mut self, p: &mut io_uring_params, config: &Config) -> Result<()> {
        if p.flags & !(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP) != 0 {
            return Err(Errno::EINVAL);
        }
        p.flags |= self.flags & !(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP);
        let features = p.features;
        let new = Ring::new(p.sq_entries, p, config)?;
        p.features = features;
        // As kernels of the time do it: where the array is, they leave to be guessed.
        p.sq_off.array = 0;
        let (sq_head, sq_tail) = (self.sq_word(SQ_HEAD), self.sq_word(SQ_TAIL));
        let (cq_head, cq_tail) = (self.cq_word(CQ_HEAD), self.cq_word(CQ_TAIL));
        let span = |head: &AtomicU32, tail: &AtomicU32| {
            let (head, tail) = (head.load(Ordering::Relaxed), tail.load(Ordering::Relaxed));
            (head, tail.wrapping_sub(head))
        };
        let ((sq_head, sqes), (cq_head, cqes)) = (span(sq_head, sq_tail), span(cq_head, cq_tail));
        if sqes > new.entries.sq || cqes > new.entries.cq {
            return Err(Errno::EOVERFLOW);
        }
        // SAFETY: masked positions lie within the entries of each ring.
        unsafe {
            for position in (0..sqes).map(|n| sq_head.wrapping_add(n)) {
                // This is wrong for SQEs of 128 bytes, as in the kernels that this one models.
                let from = (position & (self.entries.sq - 1)) as usize;
                let to = (position & (new.entries.sq - 1)) as usize;
                let sqe = self.sqes.start.as_ptr().cast::<io_uring_sqe>().add(from);
                let place = new.sqes.start.as_ptr().cast::<io_uring_sqe>().add(to);
                place.write(sqe.read());
            }
            for position in (0..cqes).map(|n| cq_head.wrapping_add(n)) {
                let cqe = self.cqe(position);
                let slots = 1 + (self.flags & IORING_SETUP_CQE32 != 0) as usize;
                new.cqe(position).copy_from(cqe, slots);
            }
        }
        new.sq_word(SQ_HEAD).store(sq_head, Ordering::Relaxed);
        new.sq_word(SQ_TAIL)
            .store(sq_head.wrapping_add(sqes), Ordering::Relaxed);
        new.cq_word(CQ_HEAD).store(cq_head, Ordering::Relaxed);
        new.cq_word(CQ_TAIL)
            .store(cq_head.wrapping_add(cqes), Ordering::Relaxed);
        let mut old = std::mem::replace(self, new);
        self.held = std::mem::take(&mut old.held);
        self.overflowed = std::mem::take(&mut old.overflowed);
        self.timeouts = std::mem::take(&mut old.timeouts);
        self.others = std::mem::take(&mut old.others);
        let areas = [Some(old.rings), Some(old.sqes), old.cq_ring];
        let nowhere = areas.into_iter().flatten().map(|area| (u64::MAX, area));
        self.others.extend(nowhere);
        Ok(())
    }

    fn word_in(area: &Area, offset: u32) -> &AtomicU32 {
        // SAFETY: every offset asked for lies within the area and is aligned; both sides access the word atomically.
        unsafe { AtomicU32::from_ptr(area.start.as_ptr().byte_add(offset as usize).cast()) }
    }

    fn sq_word(&self, offset: u32) -> &AtomicU32 {
        Self::word_in(&self.rings, offset)
    }

    fn cq_word(&self, offset: u32) -> &AtomicU32 {
        Self::word_in(self.cq_ring.as_ref().unwrap_or(&self.rings), offset)
    }

    pub fn timeouts(&self) -> usize {
        self.timeouts.len()
    }

    pub fn set_sq_flags(&mut self, bits: u32) {
        self.sq_word(SQ_FLAGS).fetch_or(bits, Ordering::SeqCst);
    }

    pub fn start_counters_at(&mut self, count: u32) {
        for offset in [SQ_HEAD, SQ_TAIL] {
            self.sq_word(offset).store(count, Ordering::Relaxed);
        }
        for offset in [CQ_HEAD, CQ_TAIL] {
            self.cq_word(offset).store(count, Ordering::Relaxed);
        }
    }

    /// Consumes up to `to_submit` requests and completes them.
    pub fn submit(&mut self, to_submit: u32, config: &Config) -> u32 {
        let tail = self.sq_word(SQ_TAIL).load(Ordering::Acquire);
        let mut head = self.sq_word(SQ_HEAD).load(Ordering::Relaxed);
        let rewinds = self.flags & IORING_SETUP_SQ_REWIND != 0;
        let there = if rewinds {
            self.entries.sq
        } else {
            tail.wrapping_sub(head)
        };
        let count = there.min(to_submit).min(config.submit_limit);
        for _ in 0..count {
            let mut index = head & (self.entries.sq - 1);
            if self.flags & IORING_SETUP_NO_SQARRAY == 0 {
                index = self.sq_word(self.array + 4 * index).load(Ordering::Relaxed);
            }
            head = head.wrapping_add(1);
            let shift = (self.flags & IORING_SETUP_SQE128 != 0) as u32;
            // SAFETY: an index below the number of entries; the program has published this SQE.
            let sqe = unsafe {
                self.sqes
                    .start
                    .as_ptr()
                    .cast::<io_uring_sqe>()
                    .add((index as usize) << shift)
                    .read()
            };
            self.run(&sqe, config);
        }
        if !rewinds {
            self.sq_word(SQ_HEAD).store(head, Ordering::Release);
        }
        count
    }

    /// A nop succeeds, a timeout waits, and all else moves as many bytes as it asks for.
    fn run(&mut self, sqe: &io_uring_sqe, config: &Config) {
        let res = if sqe.opcode == IORING_OP_NOP as u8 {
            0
        } else if sqe.opcode == IORING_OP_TIMEOUT as u8 {
            if config.refuse_timeouts {
                return self.post(sqe.user_data, Errno::EINVAL.as_ret(), 0);
            }
            // SAFETY: the program has published this SQE, whose offset is plain data.
            let count = unsafe { sqe.__anon1.off };
            let user_data = sqe.user_data;
            self.timeouts.push(Timeout { user_data, count });
            return;
        } else {
            sqe.len as i32
        };
        let done = Completion {
            user_data: sqe.user_data,
            res,
            flags: 0,
        };
        if config.hold_back {
            self.held.push_front(done)
        } else {
            self.deliver(done)
        }
    }

    pub fn post(&mut self, user_data: u64, res: i32, flags: u32) {
        self.deliver(Completion {
            user_data,
            res,
            flags,
        });
    }

    /// The slot of a position in the CQ.
    fn cqe(&self, position: u32) -> *mut io_uring_cqe {
        let shift = (self.flags & IORING_SETUP_CQE32 != 0) as u32;
        let index = ((position & (self.entries.cq - 1)) as usize) << shift;
        let area = self.cq_ring.as_ref().unwrap_or(&self.rings);
        let cqes = area.start.as_ptr().wrapping_byte_add(CQES as usize);
        cqes.cast::<io_uring_cqe>().wrapping_add(index)
    }

    fn ready(&self) -> u32 {
        self.cq_word(CQ_TAIL)
            .load(Ordering::Relaxed)
            .wrapping_sub(self.cq_word(CQ_HEAD).load(Ordering::Acquire))
    }

    fn deliver(&mut self, done: Completion) {
        let slots = 1 + (done.flags & IORING_CQE_F_32 != 0) as u32;
        if self.entries.cq - self.ready() < slots {
            self.overflowed.push_back(done);
            self.set_sq_flags(IORING_SQ_CQ_OVERFLOW);
            return;
        }
        let tail = self.cq_word(CQ_TAIL).load(Ordering::Relaxed);
        // SAFETY: the slot lies within the CQEs, and the program has given it back.
        unsafe {
            let cqe = self.cqe(tail);
            (*cqe).user_data = done.user_data;
            (*cqe).res = done.res;
            (*cqe).flags = done.flags;
        }
        self.cq_word(CQ_TAIL)
            .store(tail.wrapping_add(slots), Ordering::Release);
        self.count_for_timeouts(done.user_data);
    }

    /// A completion ends the timeouts whose number it reaches, unless it is a timeout's own completion.
    fn count_for_timeouts(&mut self, user_data: u64) {
        if user_data == LIBURING_UDATA_TIMEOUT {
            return;
        }
        let mut over = Vec::new();
        self.timeouts.retain_mut(|timeout| {
            timeout.count = timeout.count.wrapping_sub(1);
            let ends = timeout.count == 0;
            over.extend(ends.then_some(timeout.user_data));
            !ends
        });
        over.into_iter()
            .for_each(|user_data| self.post(user_data, 0, 0));
    }

    fn flush_overflow(&mut self) {
        let kept = std::mem::take(&mut self.overflowed);
        self.sq_word(SQ_FLAGS).fetch_and(
            !(IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN),
            Ordering::SeqCst,
        );
        kept.into_iter().for_each(|done| self.deliver(done));
    }

    /// `timed`: the wait has a time limit. This kernel lets it expire as soon as nothing else is left to wait for.
    pub fn enter(
        &mut self,
        to_submit: u32,
        wait_nr: u32,
        flags: u32,
        timed: bool,
        config: &Config,
    ) -> Result<c_int> {
        let submitted = if self.flags & IORING_SETUP_SQPOLL == 0 {
            self.submit(to_submit, config)
        } else {
            // With `sq_thread_lags` the thread consumes nothing yet.
            if flags & IORING_ENTER_SQ_WAKEUP != 0 && config.sq_thread_lags == 0 {
                self.sq_word(SQ_FLAGS)
                    .fetch_and(!IORING_SQ_NEED_WAKEUP, Ordering::SeqCst);
                self.submit(u32::MAX, config);
            }
            to_submit
        };
        let waited = if flags & IORING_ENTER_GETEVENTS == 0 || submitted < to_submit {
            Ok(())
        } else {
            self.flush_overflow();
            self.wait(wait_nr, timed, config)
        };
        // A call that submitted something returns the number. It returns an error of the wait only if it submitted
        // nothing.
        if submitted > 0 {
            Ok(submitted as c_int)
        } else {
            waited.map(|()| 0)
        }
    }

    fn wait(&mut self, wait_nr: u32, timed: bool, config: &Config) -> Result<()> {
        if self.flags & (IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL) == IORING_SETUP_IOPOLL {
            return self.poll(wait_nr, config);
        }
        while self.ready() < wait_nr.min(self.entries.cq) {
            if config.interrupt {
                return self.unless_ready(Errno::EINTR);
            }
            if let Some(done) = self.held.pop_front() {
                self.deliver(done);
            } else if let Some(timeout) = self.timeouts.pop() {
                // A timeout ends any wait, not only that of the call that submitted it.
                self.post(timeout.user_data, Errno::ETIME.as_ret(), 0);
                return Ok(());
            } else {
                // Without a time limit only a signal can end this wait.
                return self.unless_ready(if timed { Errno::ETIME } else { Errno::EINTR });
            }
        }
        Ok(())
    }

    /// A wait returns its error only if there is no completion.
    fn unless_ready(&self, error: Errno) -> Result<()> {
        if self.ready() == 0 {
            Err(error)
        } else {
            Ok(())
        }
    }

    /// A wait in a polled ring polls for completions until there is one. It may return without one for another reason.
    fn poll(&mut self, wait_nr: u32, config: &Config) -> Result<()> {
        if self.ready() == 0 && wait_nr != 0 {
            self.polls += 1;
            if self.polls > config.polls_in_vain {
                let done = self.held.pop_front();
                done.into_iter().for_each(|done| self.deliver(done));
            }
        }
        Ok(())
    }
}
