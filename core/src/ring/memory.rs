//! Placing rings in ordinary memory, for `IORING_SETUP_NO_MMAP`.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr::NonNull;

use super::sizes::{self, RING_HEADER, page_aligned};
use crate::abi::params::io_uring_params;
use crate::abi::ring::{io_uring_cq, io_uring_sq};
use crate::errno::{Errno, Result};
use crate::kernel::{
    Kernel, MAP_ANONYMOUS, MAP_HUGE_SHIFT, MAP_HUGETLB, MAP_SHARED, PROT_READ_WRITE, huge_page_size,
};
use crate::mem;

/// Memory that the program gives for a ring.
#[derive(Clone, Copy)]
pub struct Buffer {
    start: NonNull<c_void>,
    size: usize,
}

impl Buffer {
    /// `size` bytes from `start` on, a page boundary, which are valid for writes. None if that is null.
    #[inline]
    pub fn new(start: *mut c_void, size: usize) -> Option<Buffer> {
        NonNull::new(start).map(|start| Buffer { start, size })
    }
}

/// Finds room for SQEs and rings, in `buffer` if given, and tells the kernel through `p` where that is. Sets `ring_ptr`,
/// `sqes` and what there is to unmap in `sq` and `cq`, all zeros before.
///
/// Returns the bytes used of `buffer`, 0 without one: SQEs, then rings, in whole pages.
///
/// # Errors
///
/// * `EINVAL`: the kernel would refuse the numbers of entries, or the buffer, which does not begin a page.
/// * `ENOMEM`: the buffer is too small; or without one, SQEs or rings exceed a huge page, or there is no memory.
///
/// # Safety
///
/// `buffer` is valid for writes.
pub unsafe fn place<K: Kernel>(
    nr: c_uint,
    p: &mut io_uring_params,
    buffer: Option<Buffer>,
    sq: &mut io_uring_sq,
    cq: &mut io_uring_cq,
) -> Result<c_int> {
    let entries = sizes::entries(nr, p)?;
    let page = K::page_size();
    let sqes_size = page_aligned(sizes::sqes_size(p.flags, entries.sq), page);
    let rings_size = page_aligned(sizes::rings_size(p.flags, entries), page);
    let used = sqes_size + rings_size;

    let (start, rings_at) = match buffer {
        Some(buffer) => {
            if used > buffer.size {
                return Err(Errno::ENOMEM);
            }
            let start = buffer.start.as_ptr();
            if start.addr() & (page - 1) != 0 {
                return Err(Errno::EINVAL);
            }
            // Kernels before 6.14 start from the counters and flags that they find, and this memory may have been a ring.
            // SAFETY: the caller vouches for the buffer, which reaches beyond, as `used` is at most its size.
            unsafe {
                let rings = start.byte_add(sqes_size);
                mem::clear_words(rings.cast(), RING_HEADER / size_of::<u64>());
            }
            (start, sqes_size)
        }
        None => {
            let area = allocate::<K>(sqes_size, rings_size, page)?;
            // Two huge pages at most, of which the largest have 512 MiB.
            sq.sqes_sz = area.size as c_uint;
            (area.start, area.rings_at)
        }
    };
    sq.sqes = start.cast();
    // One area holds both, so there is one mapping to undo.
    sq.ring_ptr = start.wrapping_byte_add(rings_at);
    cq.ring_ptr = sq.ring_ptr;
    p.sq_off.user_addr = sq.sqes.expose_provenance() as u64;
    p.cq_off.user_addr = sq.ring_ptr.expose_provenance() as u64;
    if buffer.is_none() {
        return Ok(0);
    }
    // The largest ring takes a few MiB.
    Ok(used as c_int)
}

/// A mapping that holds SQEs at its start and rings behind them.
struct Area {
    start: *mut c_void,
    size: usize,
    rings_at: usize,
}

/// Maps memory for SQEs and rings, whose sizes are whole pages.
///
/// Kernels before 6.10 want each of the two in physically contiguous memory. So what exceeds a page is put into a huge
/// page, as far as there are any. Newer kernels take ordinary pages as well, and get them where there is no huge page;
/// older ones then refuse the ring.
#[inline(never)]
fn allocate<K: Kernel>(sqes_size: usize, rings_size: usize, page: usize) -> Result<Area> {
    let huge_page = huge_page_size(page);
    if sqes_size > huge_page || rings_size > huge_page {
        return Err(Errno::ENOMEM);
    }
    let mut huge = 0;
    let (mut size, mut rings_at) = (sqes_size + rings_size, sqes_size);
    if sqes_size > page || rings_size > page {
        huge = MAP_HUGETLB | (huge_page.trailing_zeros() << MAP_HUGE_SHIFT) as c_int;
        if size > huge_page {
            rings_at = huge_page;
        }
        size = page_aligned(size, huge_page);
    }
    loop {
        let flags = MAP_SHARED | MAP_ANONYMOUS | huge;
        // SAFETY: new memory, placed by the kernel.
        match unsafe { K::mmap(size, PROT_READ_WRITE, flags, -1, 0) } {
            Ok(start) => {
                return Ok(Area {
                    start: start.as_ptr(),
                    size,
                    rings_at,
                });
            }
            Err(error) if huge == 0 => return Err(error),
            Err(_) => {
                huge = 0;
                (size, rings_at) = (sqes_size + rings_size, sqes_size);
            }
        }
    }
}
