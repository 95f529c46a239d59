//! Placing rings in ordinary memory, for `IORING_SETUP_NO_MMAP`.

use core::ffi::{c_int, c_uint, c_void};

use super::map::unmap;
use super::sizes::{self, RING_HEADER, page_aligned};
use super::zero;
use crate::abi::params::io_uring_params;
use crate::abi::ring::{io_uring_cq, io_uring_sq};
use crate::errno::{Errno, Result};
use crate::kernel::{
    Kernel, MAP_ANONYMOUS, MAP_HUGE_2MB, MAP_HUGETLB, MAP_SHARED, PROT_READ_WRITE,
};

const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// Memory that the program gives for a ring.
#[derive(Clone, Copy)]
pub struct Buffer {
    /// Its start, on a page boundary, valid for writes.
    pub start: *mut c_void,
    /// Its bytes.
    pub size: usize,
}

/// Finds room for SQEs and rings, in `buffer` if given, and tells the kernel through `p` where that is. Sets `ring_ptr`,
/// `sqes` and what there is to unmap in `sq` and `cq`, all zeros before.
///
/// Returns the bytes used of `buffer`: SQEs, then rings, in whole pages.
///
/// Older kernels want each of the two in physically contiguous memory, so what exceeds a page gets a huge page.
///
/// # Errors
///
/// * `EINVAL`: the kernel would refuse the numbers of entries, or the buffer, which does not begin a page.
/// * `ENOMEM`: the buffer is too small; or without one, SQEs or rings exceed a huge page, or there is none.
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
    let rings_size = sizes::rings_size(p.flags, entries);
    let used = page_aligned(sqes_size + rings_size, page);

    let room = match buffer {
        Some(buffer) => {
            sq.sqes = buffer.start.cast();
            buffer.size
        }
        None => {
            let (area, size) = allocate::<K>(sqes_size, page)?;
            sq.sqes = area.cast();
            sq.sqes_sz = size as c_uint;
            size
        }
    };
    if used <= room {
        // One area holds both: there is one mapping to undo at the most.
        sq.ring_ptr = sq.sqes.wrapping_byte_add(sqes_size).cast();
        if buffer.is_some() {
            if sq.sqes.addr() & (page - 1) != 0 {
                return Err(Errno::EINVAL);
            }
            // Kernels before 6.14 start from the counters and flags that they find, and this memory may have been a ring.
            // SAFETY: the caller vouches for the buffer, which reaches beyond, as `used` is at most its size.
            unsafe { zero::words(sq.ring_ptr.cast(), RING_HEADER / size_of::<u64>()) };
        }
    } else if buffer.is_some() {
        return Err(Errno::ENOMEM);
    } else {
        match allocate::<K>(rings_size, page) {
            Ok((area, size)) => (sq.ring_ptr, sq.ring_sz) = (area, size),
            Err(error) => {
                // SAFETY: the SQEs' area was made above and shown to no one.
                unsafe { unmap::<K>(sq, cq) };
                return Err(error);
            }
        }
    }
    cq.ring_ptr = sq.ring_ptr;
    p.sq_off.user_addr = sq.sqes.expose_provenance() as u64;
    p.cq_off.user_addr = sq.ring_ptr.expose_provenance() as u64;
    // The largest ring takes a few MiB.
    Ok(used as c_int)
}

/// A page or a huge page for `size` bytes, with its own size.
#[inline(never)]
fn allocate<K: Kernel>(size: usize, page: usize) -> Result<(*mut c_void, usize)> {
    let (size, huge) = match size {
        _ if size <= page => (page, 0),
        _ if size <= HUGE_PAGE => (HUGE_PAGE, MAP_HUGETLB | MAP_HUGE_2MB),
        _ => return Err(Errno::ENOMEM),
    };
    // SAFETY: new memory, placed by the kernel.
    let area = unsafe {
        K::mmap(
            size,
            PROT_READ_WRITE,
            MAP_SHARED | MAP_ANONYMOUS | huge,
            -1,
            0,
        )
    }?;
    Ok((area.as_ptr(), size))
}
