//! The memory of a ring: counters, flags, CQEs and SQEs, laid out as the kernel lays them out.
//!
//! It is mapped twice, once for the program and once for this library. A program unmaps its rings before it closes them,
//! and threads of this library may still post then. Under `IORING_SETUP_NO_MMAP` there is only the program's memory.

use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64};

use uring_core::abi::*;
use uring_core::ring::sizes::{self, Entries, RING_HEADER};

use crate::lock::Lock;
use crate::mapping::Mapping;
use crate::sys::page_size;

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
/// Sixteen bytes that the kernel leaves unused. They are in the ring's memory, so processes that share it see them too.
const WAITERS: u32 = 48;
const SIGNALLED: u32 = 56;

/// A ring's memory.
pub struct Memory {
    rings: *mut u8,
    sqes: *mut u8,
    array: *mut u32,
    cqes: *mut u64,
    pub sq_entries: u32,
    pub cq_entries: u32,
    sqe_shift: u32,
    cqe_shift: u32,
    /// Some CQEs take two slots (`IORING_SETUP_CQE_MIXED`).
    mixed: bool,
    mapped: Option<(Mapping, Mapping)>,
    /// The addresses of the program's mappings.
    shown: Lock<Vec<usize>>,
}

// SAFETY: the pointers are to shared memory, which is accessed with atomics or under the ring's locks.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Makes the memory that `p` asks for and fills in the offsets.
    ///
    /// # Safety
    ///
    /// Under `IORING_SETUP_NO_MMAP` the addresses in `p` must be memory large enough for the ring.
    pub unsafe fn new(p: &mut io_uring_params, entries: Entries) -> Result<Memory, c_int> {
        let with_array = p.flags & IORING_SETUP_NO_SQARRAY == 0;
        let cqes_size = sizes::cqes_size(p.flags, entries.cq);
        let (rings, sqes, mapped);
        if p.flags & IORING_SETUP_NO_MMAP != 0 {
            let (at_rings, at_sqes) = (p.cq_off.user_addr as usize, p.sq_off.user_addr as usize);
            if at_rings == 0 || at_sqes == 0 {
                return Err(-libc::EFAULT);
            }
            if (at_rings | at_sqes) & (page_size() - 1) != 0 {
                return Err(-libc::EINVAL);
            }
            rings = ptr::with_exposed_provenance_mut::<u8>(at_rings);
            sqes = ptr::with_exposed_provenance_mut::<u8>(at_sqes);
            mapped = None;
        } else {
            let first = Mapping::new(sizes::rings_size(p.flags, entries))?;
            let second = Mapping::new(sizes::sqes_size(p.flags, entries.sq))?;
            rings = first.start();
            sqes = second.start();
            mapped = Some((first, second));
        }
        let array_offset = RING_HEADER + cqes_size;
        let memory = Memory {
            rings,
            sqes,
            array: if with_array {
                // SAFETY: it lies within the rings, of the size that `rings_size` says.
                unsafe { rings.add(array_offset).cast() }
            } else {
                ptr::null_mut()
            },
            // SAFETY: as above.
            cqes: unsafe { rings.add(RING_HEADER).cast() },
            sq_entries: entries.sq,
            cq_entries: entries.cq,
            sqe_shift: u32::from(p.flags & IORING_SETUP_SQE128 != 0),
            cqe_shift: u32::from(p.flags & IORING_SETUP_CQE32 != 0),
            mixed: p.flags & IORING_SETUP_CQE_MIXED != 0,
            mapped,
            shown: Lock::new(Vec::new()),
        };
        // SAFETY: the header lies within the rings, and nobody else knows of them yet. Under NO_MMAP it may hold what
        // was there before.
        unsafe { rings.write_bytes(0, RING_HEADER) };
        // Relaxed: the program learns of the ring when set-up returns.
        let relaxed = std::sync::atomic::Ordering::Relaxed;
        for (at, value) in [
            (SQ_MASK, entries.sq - 1),
            (CQ_MASK, entries.cq - 1),
            (SQ_ENTRIES, entries.sq),
            (CQ_ENTRIES, entries.cq),
        ] {
            memory.word(at).store(value, relaxed);
        }
        p.sq_entries = entries.sq;
        p.cq_entries = entries.cq;
        p.sq_off = io_sqring_offsets {
            head: SQ_HEAD,
            tail: SQ_TAIL,
            ring_mask: SQ_MASK,
            ring_entries: SQ_ENTRIES,
            flags: SQ_FLAGS,
            dropped: SQ_DROPPED,
            array: if with_array { array_offset as u32 } else { 0 },
            resv1: 0,
            user_addr: if memory.mapped.is_some() {
                0
            } else {
                p.sq_off.user_addr
            },
        };
        p.cq_off = io_cqring_offsets {
            head: CQ_HEAD,
            tail: CQ_TAIL,
            ring_mask: CQ_MASK,
            ring_entries: CQ_ENTRIES,
            overflow: CQ_OVERFLOW,
            cqes: RING_HEADER as u32,
            flags: CQ_FLAGS,
            resv1: 0,
            user_addr: if memory.mapped.is_some() {
                0
            } else {
                p.cq_off.user_addr
            },
        };
        Ok(memory)
    }

    /// Maps one of the areas for the program, as `mmap` of the ring's descriptor does.
    pub fn map(&self, length: usize, offset: u64) -> isize {
        let Some((rings, sqes)) = &self.mapped else {
            return -libc::EINVAL as isize;
        };
        let area = match offset {
            IORING_OFF_SQ_RING | IORING_OFF_CQ_RING => rings,
            IORING_OFF_SQES => sqes,
            _ => return -libc::EINVAL as isize,
        };
        let at = area.for_program(length);
        if at > 0 {
            self.shown.lock().push(at as usize);
        }
        at
    }

    /// Copies the entries of an old memory. `Err`: they do not fit. The caller keeps all other threads from both.
    pub fn take_over(&self, old: &Memory) -> Result<(), c_int> {
        // Relaxed: the program's own thread is in this call, and posters are kept out by the ring's state.
        let relaxed = std::sync::atomic::Ordering::Relaxed;
        let (sq, cq) = (old.sq_head().load(relaxed), old.cq_head().load(relaxed));
        let (sq_end, cq_end) = (old.sq_tail().load(relaxed), old.cq_tail().load(relaxed));
        if sq_end.wrapping_sub(sq) > self.sq_entries || cq_end.wrapping_sub(cq) > self.cq_entries {
            return Err(-libc::EOVERFLOW);
        }
        let mut at = sq;
        while at != sq_end {
            let words = 8usize << self.sqe_shift;
            let slot = |memory: &Memory| (at & (memory.sq_entries - 1)) as usize * words;
            // SAFETY: masked, so within the SQEs of each, which are different memory.
            unsafe {
                let from = old.sqes.cast::<u64>().add(slot(old));
                let to = self.sqes.cast::<u64>().add(slot(self));
                to.copy_from_nonoverlapping(from, words);
            }
            at = at.wrapping_add(1);
        }
        at = cq;
        while at != cq_end {
            let words = 2usize << self.cqe_shift;
            let slot = |memory: &Memory| (at & (memory.cq_entries - 1)) as usize * words;
            // SAFETY: masked, so within the CQEs of each, which are different memory.
            unsafe {
                let (from, to) = (old.cqes.add(slot(old)), self.cqes.add(slot(self)));
                to.copy_from_nonoverlapping(from, words);
            }
            at = at.wrapping_add(1);
        }
        const KEPT: [u32; 9] = [
            SQ_HEAD,
            SQ_TAIL,
            CQ_HEAD,
            CQ_TAIL,
            SQ_DROPPED,
            SQ_FLAGS,
            CQ_FLAGS,
            CQ_OVERFLOW,
            SIGNALLED,
        ];
        for word in KEPT {
            self.word(word).store(old.word(word).load(relaxed), relaxed);
        }
        Ok(())
    }

    /// Frees the pages and keeps the addresses: a thread that still has the old address reads zeros.
    pub fn blank(&self) {
        if let Some((rings, sqes)) = &self.mapped {
            for area in [rings, sqes] {
                area.blank();
            }
        }
    }

    /// Whether the program has a mapping of the ring there.
    pub fn is_shown_at(&self, address: usize) -> bool {
        self.shown.lock().contains(&address)
    }

    /// One of the program's mappings lies elsewhere.
    #[cfg(feature = "hooks")]
    pub fn moved(&self, from: usize, to: usize) {
        for shown in self.shown.lock().iter_mut().filter(|at| **at == from) {
            *shown = to;
        }
    }

    /// The program has unmapped these addresses. Returns whether its last mapping of the ring was there.
    #[cfg(feature = "hooks")]
    pub fn hidden(&self, start: usize, length: usize) -> bool {
        let mut shown = self.shown.lock();
        let before = shown.len();
        shown.retain(|at| at.wrapping_sub(start) >= length);
        shown.len() < before && shown.is_empty()
    }

    /// Repeats an advice for the library's own mappings. Otherwise a child would get through these what the program
    /// excluded.
    pub fn advise(&self, advice: c_int) {
        if let Some((rings, sqes)) = &self.mapped {
            for area in [rings, sqes] {
                area.advise(advice);
            }
        }
    }

    #[inline]
    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: a word of the header, aligned; everybody accesses it atomically. The memory outlives `self`: it is
        // mapped, or the program vouched for it.
        unsafe { AtomicU32::from_ptr(self.rings.add(offset as usize).cast()) }
    }

    pub fn sq_head(&self) -> &AtomicU32 {
        self.word(SQ_HEAD)
    }
    pub fn sq_tail(&self) -> &AtomicU32 {
        self.word(SQ_TAIL)
    }
    pub fn cq_head(&self) -> &AtomicU32 {
        self.word(CQ_HEAD)
    }
    pub fn cq_tail(&self) -> &AtomicU32 {
        self.word(CQ_TAIL)
    }
    pub fn dropped(&self) -> &AtomicU32 {
        self.word(SQ_DROPPED)
    }
    pub fn sq_flags(&self) -> &AtomicU32 {
        self.word(SQ_FLAGS)
    }
    pub fn cq_flags(&self) -> &AtomicU32 {
        self.word(CQ_FLAGS)
    }
    /// 1 while the ring's descriptor is readable.
    pub fn signalled(&self) -> &AtomicU32 {
        self.word(SIGNALLED)
    }
    /// How many threads wait (low half), and for how many completions at least (high half).
    pub fn waiters(&self) -> &AtomicU64 {
        // SAFETY: as in `word`; the offset is a multiple of eight.
        unsafe { AtomicU64::from_ptr(self.rings.add(WAITERS as usize).cast()) }
    }

    /// Which SQE the program put at a position of the queue. `None`: the array names none that there is.
    #[inline]
    fn index(&self, position: u32) -> Option<u32> {
        let mut index = position & (self.sq_entries - 1);
        if !self.array.is_null() {
            // SAFETY: the array has an element for each entry. The program wrote it before it moved the tail.
            index = unsafe { self.array.add(index as usize).read_volatile() };
        }
        (index < self.sq_entries).then_some(index)
    }

    /// Whether the SQE at a position and the one before it are neighbours, so that one request can take both.
    pub fn is_pair(&self, position: u32) -> bool {
        let before = self.index(position.wrapping_sub(1));
        position & (self.sq_entries - 1) != 0 && before.is_some_and(|at| at + 1 < self.sq_entries)
    }

    /// The SQE at a position of the queue. `None`: the array has no valid index there.
    #[inline]
    pub fn sqe(&self, position: u32) -> Option<io_uring_sqe> {
        let index = self.index(position)?;
        // SAFETY: within the SQEs. Read once, so that what was checked is what is used.
        Some(unsafe {
            self.sqes
                .cast::<io_uring_sqe>()
                .add((index as usize) << self.sqe_shift)
                .read_volatile()
        })
    }

    /// How many slots a CQE takes.
    #[inline]
    pub fn slots(&self, cqe: &Completion) -> u32 {
        1 + u32::from(self.mixed && cqe.flags & IORING_CQE_F_32 != 0)
    }

    /// Writes a CQE at the queue's end, and a filler before it where it would be split. Returns the new end. `None`:
    /// there is no room.
    #[inline]
    pub fn append_cqe(&self, tail: u32, head: u32, cqe: &Completion) -> Option<u32> {
        let slots = self.slots(cqe);
        let last = self.cq_entries - 1;
        let filler = u32::from(slots == 2 && tail & last == last);
        if tail.wrapping_sub(head) + filler + slots > self.cq_entries {
            return None;
        }
        if filler != 0 {
            let nothing = Completion {
                flags: IORING_CQE_F_SKIP,
                ..Completion::default()
            };
            self.write_cqe(tail, &nothing);
        }
        self.write_cqe(tail.wrapping_add(filler), cqe);
        Some(tail.wrapping_add(filler + slots))
    }

    /// Writes a CQE. The caller holds the ring's state and moves the tail afterwards.
    #[inline]
    fn write_cqe(&self, position: u32, cqe: &Completion) {
        let index = (position & (self.cq_entries - 1)) as usize;
        // SAFETY: within the CQEs; the program reads there only below the tail, which is stored afterwards.
        unsafe {
            let at = self.cqes.add((index << self.cqe_shift) * 2);
            at.write(cqe.user_data);
            at.add(1).cast::<i32>().write(cqe.res);
            at.add(1).cast::<u32>().add(1).write(cqe.flags);
            if self.cqe_shift != 0 || self.slots(cqe) == 2 {
                at.add(2).write(cqe.big[0]);
                at.add(3).write(cqe.big[1]);
            }
        }
    }
}

/// A completion.
#[derive(Clone, Copy, Default)]
pub struct Completion {
    pub user_data: u64,
    pub res: i32,
    pub flags: u32,
    pub big: [u64; 2],
}
