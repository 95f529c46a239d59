//! A ring's memory file. The program maps it at the offsets at which it would map the posted kernel's descriptor.
//!
//! | offset in the file | what | mapped by |
//! | --- | --- | --- |
//! | 0 | the SQ ring: [`SqRing`], then the indexes | the program, and this library |
//! | after it | [`Shared`] | this library |
//! | before `IORING_OFF_CQ_RING` | the SQEs of the kernel ring | this library |
//! | `IORING_OFF_CQ_RING` | the rings of the kernel ring, with the CQ first | the program, and this library |
//! | after them | a page, for the event that was taken last | this library |
//! | `IORING_OFF_IOCB` | the iocbs | the program, and this library |
//! | after them | the pinned buffers, one iovec for each iocb, if there are any | this library |
//!
//! The kernel runs its ring in this memory (`IORING_SETUP_NO_MMAP`). So events appear where the program looks for them,
//! without a call.

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

/// The start of the SQ ring. Head and tail have a cache line each.
#[repr(C, align(64))]
pub struct SqRing {
    /// How far entries were consumed. It comes first, because programs unmap the ring by its address.
    pub head: c_uint,
    _apart: [c_uint; 15],
    /// How far the program has filled entries in.
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

/// The words that all processes with the ring share.
#[repr(C)]
pub struct Shared {
    /// How far both SQs were consumed, see [`heads`](crate::heads).
    pub heads: AtomicU64,
    /// The entry lock: the id of the thread in `io_uring_enter`, or 0.
    pub owner: AtomicU32,
    /// Counts wake-ups of the polling thread. The thread sleeps on this word.
    pub wakes: AtomicU32,
    /// The size of the backlog when it was last counted, and the CQ's tail at that time.
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
    /// The sizes for a ring of `entries`, rounded up to a power of two, with pinned buffers or without.
    ///
    /// # Errors
    ///
    /// * `EINVAL`: no entries, or more than the kernel accepts.
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

    /// The SQEs and rings of the kernel ring, and the page after them.
    fn kring(&self) -> usize {
        self.sqes + self.rings + self.page
    }

    /// The size of the file.
    pub fn file(&self) -> u64 {
        IORING_OFF_IOCB + (self.iocbs + self.buffers) as u64
    }
}

/// This library's mappings of one file.
#[derive(Clone, Copy)]
pub struct Areas {
    /// The SQ ring, then `Shared`.
    sq: *mut c_void,
    /// The SQEs and rings of the kernel ring.
    kring: *mut c_void,
    /// The iocbs, then the pinned buffers.
    iocbs: *mut c_void,
}

impl Areas {
    /// No mappings.
    pub const fn unmapped() -> Areas {
        Areas {
            sq: ptr::null_mut(),
            kring: ptr::null_mut(),
            iocbs: ptr::null_mut(),
        }
    }

    /// Maps the three areas of a file of the right size. On an error `self` contains what was mapped before it.
    pub fn map<K: Kernel>(&mut self, fd: c_int, sizes: &Sizes) -> Result<()> {
        let map = |len, offset| {
            // SAFETY: the kernel places the new mapping, so it replaces none.
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
    /// The areas are not used any more.
    pub unsafe fn unmap<K: Kernel>(&mut self, sizes: &Sizes) {
        let areas = [
            (self.sq, sizes.sq_area + sizes.page),
            (self.kring, sizes.kring()),
            (self.iocbs, sizes.iocbs + sizes.buffers),
        ];
        for (area, size) in areas {
            if !area.is_null() {
                // SAFETY: the caller promises that the areas are not used any more.
                let _ = unsafe { K::munmap(area, size) };
            }
        }
        *self = Areas::unmapped();
    }

    /// The start of the SQ ring.
    pub fn sq_ring(&self) -> *mut SqRing {
        self.sq.cast()
    }

    /// The indexes of the SQ ring.
    pub fn array(&self) -> *mut c_uint {
        self.sq.wrapping_byte_add(size_of::<SqRing>()).cast()
    }

    /// The words that all processes with the ring share.
    pub fn shared(&self, sizes: &Sizes) -> *mut Shared {
        self.sq.wrapping_byte_add(sizes.sq_area).cast()
    }

    /// The memory for the kernel ring.
    pub fn kring(&self, sizes: &Sizes) -> Option<Buffer> {
        Buffer::new(self.kring, sizes.sqes + sizes.rings)
    }

    /// The iocbs.
    pub fn iocbs(&self) -> *mut io_uring_iocb {
        self.iocbs.cast()
    }

    /// The pinned buffers, in a ring that has them.
    pub fn buffers(&self, sizes: &Sizes) -> *mut iovec {
        self.iocbs.wrapping_byte_add(sizes.iocbs).cast()
    }
}

/// The page after the rings of the kernel ring, found from `cq_head`, the address of the CQ's head in their first page.
/// `cq_size` is the size of the CQ. Kernels before 6.6 keep an array of `sqes` indexes after the CQ.
#[cfg(not(feature = "preload"))]
pub fn page_behind_rings(cq_head: *mut c_uint, cq_size: usize, sqes: c_uint) -> *mut c_void {
    const PAGE: usize = 4096;
    let start = cq_head.wrapping_byte_sub(cq_head.addr() % PAGE);
    let size = cq_size + sqes as usize * size_of::<c_uint>();
    start.wrapping_byte_add(page_aligned(size, PAGE)).cast()
}

const _: () = assert!(core::mem::offset_of!(SqRing, head) == 0);
