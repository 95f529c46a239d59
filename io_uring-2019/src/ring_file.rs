//! The memory of a ring: one file in memory, which the program maps as it would map the posted kernel's descriptor.
//!
//! | offset in the file | what | who maps it |
//! | --- | --- | --- |
//! | 0 | the SQ ring: [`SqRing`], then the indexes | the program, and this library |
//! | behind it | [`Shared`] | this library |
//! | before `IORING_OFF_CQ_RING` | the SQEs of today's ring | this library |
//! | `IORING_OFF_CQ_RING` | the rings of today's ring, which begin with its CQ | the program, and this library |
//! | behind them | a page, for the event that was handed out last | this library |
//! | `IORING_OFF_IOCB` | the iocbs | the program, and this library |
//! | behind them | the pinned buffers, one iovec for each iocb, if there are | this library |
//!
//! The kernel runs today's ring in this memory (`IORING_SETUP_NO_MMAP`), so events appear where the program looks for
//! them without anybody's help.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64};

use uring_core::abi::iovec;
use uring_core::abi::params::io_uring_params;
use uring_core::errno::Result;
use uring_core::kernel::{Kernel, MAP_POPULATE, MAP_SHARED, PROT_READ_WRITE};
use uring_core::ring::memory::Buffer;
use uring_core::ring::sizes::{self, page_aligned};

use crate::abi::*;

/// The head of the SQ ring. Both sides' positions have a cache line of their own.
#[repr(C, align(64))]
pub struct SqRing {
    /// How far entries were consumed. First, because programs unmap the ring by this member's address.
    pub head: c_uint,
    _apart: [c_uint; 15],
    /// How far the program filled entries in.
    pub tail: c_uint,
    _apart_too: [c_uint; 15],
    /// Number of entries minus one.
    pub ring_mask: c_uint,
    /// Number of entries.
    pub ring_entries: c_uint,
    /// Indexes that named no iocb.
    pub dropped: AtomicU32,
    /// `IORING_SQ_*`.
    pub flags: AtomicU32,
}

/// What processes that share a ring must agree on.
#[repr(C)]
pub struct Shared {
    /// How far the SQ ring was consumed.
    pub heads: AtomicU64,
    /// Which thread is inside `io_uring_enter`; 0 is none.
    pub owner: AtomicU32,
    /// Counts the calls that wake the polling thread, which sleeps on it.
    pub wakes: AtomicU32,
    /// How many events the kernel held back when they were last counted, and the CQ's tail at that time.
    pub backlog: AtomicU64,
}

/// Sizes of the areas in bytes.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// The SQ ring with its indexes.
    sq_area: usize,
    sqes: usize,
    rings: usize,
    iocbs: usize,
    buffers: usize,
    page: usize,
}

impl Sizes {
    /// Those for a ring of so many entries, rounded up to a power of two, with pinned buffers or without.
    ///
    /// # Errors
    ///
    /// * `EINVAL`: more entries than the kernel accepts, or none.
    pub fn of<K: Kernel>(entries: c_uint, pins: bool) -> Result<Sizes> {
        let p = io_uring_params::default();
        let page = K::page_size();
        let counts = sizes::entries(entries, &p)?;
        let sq_ring = size_of::<SqRing>() + counts.sq as usize * size_of::<c_uint>();
        Ok(Sizes {
            sq_area: page_aligned(sq_ring, page),
            sqes: page_aligned(sizes::sqes_size(0, counts.sq), page),
            rings: page_aligned(sizes::rings_size(0, counts), page),
            iocbs: page_aligned(counts.sq as usize * size_of::<io_uring_iocb>(), page),
            buffers: if pins {
                page_aligned(counts.sq as usize * size_of::<iovec>(), page)
            } else {
                0
            },
            page,
        })
    }

    /// SQEs and rings of today's ring, and a page.
    fn kring(&self) -> usize {
        self.sqes + self.rings + self.page
    }

    /// Of the whole file.
    pub fn file(&self) -> u64 {
        IORING_OFF_IOCB + (self.iocbs + self.buffers) as u64
    }
}

/// This library's mappings of one file.
#[derive(Clone, Copy)]
pub struct Areas {
    /// The SQ ring, then `Shared`.
    sq: *mut c_void,
    /// SQEs and rings of today's ring.
    kring: *mut c_void,
    /// The iocbs, then the pinned buffers.
    iocbs: *mut c_void,
}

impl Areas {
    /// None.
    pub const fn unmapped() -> Areas {
        Areas {
            sq: ptr::null_mut(),
            kring: ptr::null_mut(),
            iocbs: ptr::null_mut(),
        }
    }

    /// Maps the three areas of a file that has the size. What was mapped before an error is in `self`.
    pub fn map<K: Kernel>(&mut self, fd: c_int, sizes: &Sizes) -> Result<()> {
        let map = |len, offset| {
            // SAFETY: a new mapping, placed by the kernel.
            unsafe { K::mmap(len, PROT_READ_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset) }
                .map(|area| area.as_ptr())
        };
        self.sq = map(sizes.sq_area + sizes.page, IORING_OFF_SQ_RING)?;
        self.kring = map(sizes.kring(), IORING_OFF_CQ_RING - sizes.sqes as u64)?;
        self.iocbs = map(sizes.iocbs + sizes.buffers, IORING_OFF_IOCB)?;
        Ok(())
    }

    /// Unmaps what is mapped.
    ///
    /// # Safety
    ///
    /// Nothing uses the areas any more.
    pub unsafe fn unmap<K: Kernel>(&mut self, sizes: &Sizes) {
        let areas = [
            (self.sq, sizes.sq_area + sizes.page),
            (self.kring, sizes.kring()),
            (self.iocbs, sizes.iocbs + sizes.buffers),
        ];
        for (area, size) in areas {
            if !area.is_null() {
                // SAFETY: the caller gives them up.
                let _ = unsafe { K::munmap(area, size) };
            }
        }
        *self = Areas::unmapped();
    }

    /// The head of the SQ ring.
    pub fn sq_ring(&self) -> *mut SqRing {
        self.sq.cast()
    }

    /// The indexes of the SQ ring.
    pub fn array(&self) -> *mut c_uint {
        self.sq.wrapping_byte_add(size_of::<SqRing>()).cast()
    }

    /// What processes agree on.
    pub fn shared(&self, sizes: &Sizes) -> *mut Shared {
        self.sq.wrapping_byte_add(sizes.sq_area).cast()
    }

    /// Where today's ring is to be set up.
    pub fn kring(&self, sizes: &Sizes) -> Buffer {
        Buffer {
            start: self.kring,
            size: sizes.sqes + sizes.rings,
        }
    }

    /// The iocbs.
    pub fn iocbs(&self) -> *mut io_uring_iocb {
        self.iocbs.cast()
    }

    /// The pinned buffers, of a ring that has them.
    pub fn buffers(&self, sizes: &Sizes) -> *mut iovec {
        self.iocbs.wrapping_byte_add(sizes.iocbs).cast()
    }
}

/// The page behind the rings of today's ring: by the address of the CQ's head, which lies in their first page, the bytes
/// up to the end of the CQ, and the number of SQEs, whose numbers kernels before 6.6 keep behind the CQ.
#[cfg(not(feature = "preload"))]
pub fn page_behind_rings(cq_head: *mut c_uint, cq_size: usize, sqes: c_uint) -> *mut c_void {
    const PAGE: usize = 4096;
    let start = cq_head.wrapping_byte_sub(cq_head.addr() % PAGE);
    let size = cq_size + sqes as usize * size_of::<c_uint>();
    start.wrapping_byte_add(page_aligned(size, PAGE)).cast()
}

const _: () = assert!(core::mem::offset_of!(SqRing, head) == 0);
