//! How many entries a ring gets, and how much memory that takes.

use core::ffi::{c_int, c_uint};

use crate::abi::cqe::io_uring_cqe;
use crate::abi::params::{
    IORING_FEAT_NATIVE_WORKERS, IORING_FEAT_RW_ATTR, IORING_SETUP_CLAMP, IORING_SETUP_CQE32,
    IORING_SETUP_CQSIZE, IORING_SETUP_NO_SQARRAY, IORING_SETUP_SQE128, io_uring_params,
};
use crate::abi::sqe::io_uring_sqe;
use crate::errno::{Errno, Result};
use crate::kernel::Kernel;

/// The kernel's limit on SQEs.
const MAX_SQ_ENTRIES: c_uint = 32768;
/// The kernel's limit on CQEs.
const MAX_CQ_ENTRIES: c_uint = 2 * MAX_SQ_ENTRIES;

/// SQEs of a ring that is made to ask the kernel something.
///
/// The first ring of a thread limits the thread's workers to the number of its SQEs for ever. So it has as many as fit
/// into two pages, which are the least that any ring takes.
pub const ASKING_ENTRIES: c_uint = 64;

/// Bytes that the kernel puts before the CQEs: counters and flags, then up to a cache line's boundary.
pub const RING_HEADER: usize = if cfg!(target_arch = "s390x") {
    256
} else if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) {
    128
} else {
    64
};

/// Numbers of entries, as the kernel rounds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries {
    /// SQEs.
    pub sq: c_uint,
    /// CQEs.
    pub cq: c_uint,
}

/// Works out the entries that the kernel gives a ring, by the kernel's rules.
///
/// # Errors
///
/// * `EINVAL`: no entries, or too many without `IORING_SETUP_CLAMP`, or fewer CQEs than SQEs.
#[inline(never)]
pub fn entries(entries: c_uint, p: &io_uring_params) -> Result<Entries> {
    let sq = rounded(entries, MAX_SQ_ENTRIES, p.flags)?;
    if p.flags & IORING_SETUP_CQSIZE == 0 {
        return Ok(Entries { sq, cq: 2 * sq });
    }
    let cq = rounded(p.cq_entries, MAX_CQ_ENTRIES, p.flags)?;
    if cq < sq {
        Err(Errno::EINVAL)
    } else {
        Ok(Entries { sq, cq })
    }
}

fn rounded(entries: c_uint, max: c_uint, flags: c_uint) -> Result<c_uint> {
    if entries == 0 || (entries > max && flags & IORING_SETUP_CLAMP == 0) {
        return Err(Errno::EINVAL);
    }
    // Limits are powers of two, so that this neither overflows nor exceeds them.
    Ok(entries.min(max).next_power_of_two())
}

/// Bytes of `nr` SQEs.
pub fn sqes_size(flags: c_uint, nr: c_uint) -> usize {
    let shift = (flags & IORING_SETUP_SQE128 != 0) as u32;
    (nr as usize * size_of::<io_uring_sqe>()) << shift
}

/// Bytes of `nr` CQEs.
pub fn cqes_size(flags: c_uint, nr: c_uint) -> usize {
    let shift = (flags & IORING_SETUP_CQE32 != 0) as u32;
    (nr as usize * size_of::<io_uring_cqe>()) << shift
}

/// Bytes of the rings themselves: header, CQEs and SQE indexes. Not rounded to pages.
pub fn rings_size(flags: c_uint, entries: Entries) -> usize {
    let array = if flags & IORING_SETUP_NO_SQARRAY == 0 {
        entries.sq as usize * size_of::<c_uint>()
    } else {
        0
    };
    RING_HEADER + cqes_size(flags, entries.cq) + array
}

/// Where the kernel puts the array of SQE numbers within the rings: behind the CQEs, on a cache line of its own.
pub fn array_offset(p: &io_uring_params) -> usize {
    let cqes_end = p.cq_off.cqes as usize + cqes_size(p.flags, p.cq_entries);
    page_aligned(cqes_end, RING_HEADER)
}

/// Rounds up to whole pages. `page` is a power of two.
pub fn page_aligned(bytes: usize, page: usize) -> usize {
    (bytes + (page - 1)) & !(page - 1)
}

/// Bytes of memory that a ring takes, in whole pages.
#[inline(never)]
pub fn memory_size<K: Kernel>(nr: c_uint, p: &io_uring_params) -> Result<usize> {
    let entries = entries(nr, p)?;
    let page = K::page_size();
    Ok(page_aligned(rings_size(p.flags, entries), page)
        + page_aligned(sqes_size(p.flags, entries.sq), page))
}

/// Bytes of the locked-memory limit that a ring takes on the kernel at hand.
#[inline(never)]
pub fn mlock_size<K: Kernel>(nr: c_uint, p: &io_uring_params) -> Result<usize> {
    let size = memory_size::<K>(nr, p)?;
    // Linux 5.12 (native workers) stopped charging rings to the limit, and 6.14 (attributes of reads and writes), where
    // rings became memory regions, charges them again.
    match features::<K>(nr) {
        Ok(features)
            if features & (IORING_FEAT_NATIVE_WORKERS | IORING_FEAT_RW_ATTR)
                == IORING_FEAT_NATIVE_WORKERS =>
        {
            Ok(0)
        }
        // The smallest ring was refused: that may be the limit itself, so the cautious answer is right.
        _ => Ok(size),
    }
}

/// The kernel's features, asked with a ring like the one that the answer is for.
fn features<K: Kernel>(nr: c_uint) -> Result<c_uint> {
    let mut p = io_uring_params::default();
    // SAFETY: `p` is a set of parameters of our own, and names no memory.
    let fd: c_int = unsafe { K::setup(nr.min(ASKING_ENTRIES), &raw mut p) }.check()?;
    // Nothing is in flight, so closing cannot fail in a way that matters.
    let _ = K::close(fd);
    Ok(p.features)
}
