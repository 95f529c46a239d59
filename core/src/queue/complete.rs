//! Taking completions that are there.

use core::ffi::{c_int, c_uint};
use core::ptr;

use crate::abi::cqe::{IORING_CQE_F_32, IORING_CQE_F_SKIP, io_uring_cqe};
use crate::abi::enter::IORING_ENTER_GETEVENTS;
use crate::abi::params::{
    IORING_FEAT_EXT_ARG, IORING_SETUP_CQE_MIXED, IORING_SETUP_CQE32, IORING_SQ_CQ_OVERFLOW,
    IORING_SQ_TASKRUN,
};
use crate::abi::ring::{LIBURING_UDATA_TIMEOUT, io_uring};
use crate::abi::types::KERNEL_SIGSET_SIZE;
use crate::errno::{Errno, Result, to_ret};
use crate::kernel::Kernel;
use crate::ring::flags;
use crate::ring::order;

/// [`peek`] has passed nothing over. No request has this result.
pub const NOTHING: c_int = c_int::MAX;

/// How far CQ slot numbers are shifted: 32-byte CQEs take two slots each.
///
/// # Safety
///
/// `ring` points to a ring.
#[inline(always)]
pub unsafe fn cqe_shift(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller vouches for `ring`.
    unsafe { ((*ring).flags & IORING_SETUP_CQE32 != 0) as c_uint }
}

/// Number of CQ slots that a CQE takes in a ring of mixed sizes.
///
/// # Safety
///
/// `cqe` points to a CQE that the kernel has published.
#[inline(always)]
pub unsafe fn cqe_nr(cqe: *const io_uring_cqe) -> c_uint {
    // SAFETY: the caller vouches for `cqe`.
    unsafe { 1 + ((*cqe).flags & IORING_CQE_F_32 != 0) as c_uint }
}

/// Gives `nr` CQ slots back to the kernel.
///
/// # Safety
///
/// `ring` is set up, no other thread uses its CQ side, and the CQEs in those slots are no longer needed.
#[inline(always)]
pub unsafe fn advance(ring: *mut io_uring, nr: c_uint) {
    // SAFETY: `ring` is set up, so `khead` points into its mapping; the CQ side is this thread's.
    unsafe {
        let khead = (*ring).cq.khead;
        // Release: the CQEs have been read before the kernel may write there again.
        order::store_release(khead, order::load_relaxed(khead).wrapping_add(nr));
    }
}

/// How many CQ slots are filled.
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side.
#[inline(always)]
pub unsafe fn available(ring: *const io_uring) -> c_uint {
    // SAFETY: `ring` is set up, so its counters lie in its mapping.
    unsafe {
        // Acquire: a CQE is read only if the tail says it is there.
        let tail = order::load_acquire((*ring).cq.ktail);
        tail.wrapping_sub(order::load_relaxed((*ring).cq.khead))
    }
}

/// The CQE at the head, which is one only if a slot is [`available`].
///
/// # Safety
///
/// As for [`available`].
#[inline(always)]
pub(crate) unsafe fn head(ring: *const io_uring) -> *mut io_uring_cqe {
    // SAFETY: `ring` is set up; the masked index lies within its CQEs.
    unsafe {
        let head = order::load_relaxed((*ring).cq.khead);
        let index = ((head & (*ring).cq.ring_mask) as usize) << cqe_shift(ring);
        (*ring).cq.cqes.add(index)
    }
}

/// Looks at the first completion without taking it. Returns it, or null; and the result of the last entry that was passed
/// over on the way, or [`NOTHING`].
///
/// Filler entries of rings with mixed CQE sizes are passed over, and so are timeouts that the library itself queued on
/// kernels without `IORING_FEAT_EXT_ARG`.
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side.
#[inline(never)]
pub unsafe fn peek(ring: *mut io_uring) -> (*mut io_uring_cqe, c_int) {
    let mut passed_over = NOTHING;
    // SAFETY: `ring` is set up, and a slot that is available holds a CQE.
    unsafe {
        while available(ring) != 0 {
            let cqe = head(ring);
            if !is_internal(ring, cqe) {
                return (cqe, passed_over);
            }
            passed_over = to_ret(take_internal(ring, cqe));
        }
    }
    (ptr::null_mut(), passed_over)
}

/// Whether a CQE only fills the place of one that does not fit before the ring's end.
///
/// # Safety
///
/// `cqe` points to a CQE that the kernel has published.
#[inline(always)]
pub(crate) unsafe fn is_filler(cqe: *const io_uring_cqe) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { (*cqe).flags & IORING_CQE_F_SKIP != 0 }
}

/// Whether a CQE is none of the program's.
///
/// # Safety
///
/// `ring` is set up, and `cqe` one of its CQEs that the kernel has published.
#[inline(always)]
pub(crate) unsafe fn is_internal(ring: *const io_uring, cqe: *const io_uring_cqe) -> bool {
    // SAFETY: passed on to the caller.
    unsafe {
        if is_filler(cqe) {
            return true;
        }
        (*ring).features & IORING_FEAT_EXT_ARG == 0 && (*cqe).user_data == LIBURING_UDATA_TIMEOUT
    }
}

/// Consumes a CQE that is none of the program's.
///
/// # Safety
///
/// `ring` is set up, and `cqe` is the first of its CQEs.
#[cold]
pub(crate) unsafe fn take_internal(ring: *mut io_uring, cqe: *const io_uring_cqe) -> Result<c_int> {
    // SAFETY: passed on to the caller; the CQE's contents are read before its slot is given back.
    unsafe {
        let result = if is_filler(cqe) { 0 } else { (*cqe).res };
        advance(ring, cqe_nr(cqe));
        Errno::check(result)
    }
}

/// Has the kernel run pending work and move held-back completions into the CQ.
///
/// # Safety
///
/// `ring` is set up.
#[inline(always)]
pub unsafe fn get_events<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: `ring` is set up; nothing is submitted and no argument passed.
    unsafe {
        let flags = IORING_ENTER_GETEVENTS | flags::enter_flags(ring);
        K::enter(
            (*ring).enter_ring_fd,
            0,
            0,
            flags,
            ptr::null(),
            KERNEL_SIGSET_SIZE,
        )
    }
}

/// Writes pointers to up to `count` completions to `cqes` without taking them, and returns their number. If there is
/// none, completions that the kernel holds back are fetched first.
///
/// # Safety
///
/// `ring` is set up, no other thread uses its CQ side, and `cqes` has room for `count` pointers.
#[inline(always)]
pub unsafe fn peek_batch<K: Kernel>(
    ring: *mut io_uring,
    cqes: *mut *mut io_uring_cqe,
    count: c_uint,
) -> c_uint {
    // SAFETY: the caller's promises are those that the called functions ask for.
    unsafe {
        let ready = available(ring);
        if ready == 0 {
            if kernel_flags(ring) & HELD_BACK == 0 {
                return 0;
            }
            fetch::<K>(ring, cqes, count)
        } else if (*ring).flags & IORING_SETUP_CQE_MIXED == 0 {
            collect(ring, cqes, count.min(ready))
        } else {
            peek_batch_mixed::<K>(ring, cqes, count)
        }
    }
}

/// [`peek_batch`] in a ring of mixed CQE sizes, with something in it.
#[inline(never)]
unsafe fn peek_batch_mixed<K: Kernel>(
    ring: *mut io_uring,
    cqes: *mut *mut io_uring_cqe,
    count: c_uint,
) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe {
        let found = collect_mixed(ring, cqes, count);
        // There may have been nothing but fillers.
        if found == 0 && kernel_flags(ring) & HELD_BACK != 0 {
            return fetch::<K>(ring, cqes, count);
        }
        found
    }
}

/// [`peek_batch`] of completions that the kernel holds back, when there is nothing in the CQ.
#[inline(never)]
unsafe fn fetch<K: Kernel>(
    ring: *mut io_uring,
    cqes: *mut *mut io_uring_cqe,
    count: c_uint,
) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe {
        // Whatever the call says, what counts is whether completions are there now.
        let _ = get_events::<K>(ring);
        let ready = available(ring);
        // With `count` 0 nothing is ever found in a CQ that is full, however often the kernel is asked.
        if ready == 0 || count == 0 {
            0
        } else if (*ring).flags & IORING_SETUP_CQE_MIXED == 0 {
            collect_in_two(ring, cqes, count.min(ready))
        } else {
            // Comes back here only if there were but fillers again.
            peek_batch_mixed::<K>(ring, cqes, count)
        }
    }
}

/// Writes pointers to the first `count` CQEs, which are there, in a ring of one CQE size.
#[inline(always)]
unsafe fn collect(ring: *mut io_uring, cqes: *mut *mut io_uring_cqe, count: c_uint) -> c_uint {
    // SAFETY: `ring` is set up, and the caller vouches for the CQEs and for room.
    unsafe {
        let (start, before_end) = run(ring);
        // CQEs lie one behind the other up to the ring's end, and go on at its start.
        if count > before_end {
            return collect_in_two(ring, cqes, count);
        }
        fill(cqes, start, cqe_size(ring), count);
        count
    }
}

/// [`collect`] of any number of CQEs: those before the ring's end, then those at its start.
#[inline(never)]
unsafe fn collect_in_two(
    ring: *mut io_uring,
    cqes: *mut *mut io_uring_cqe,
    count: c_uint,
) -> c_uint {
    // SAFETY: as in `collect`.
    unsafe {
        let (start, before_end) = run(ring);
        let first = before_end.min(count);
        let size = cqe_size(ring);
        fill(cqes, start, size, first);
        let rest = cqes.add(first as usize);
        fill(rest, (*ring).cq.cqes, size, count - first);
        count
    }
}

/// The slot at the head, and how many there are from there to the ring's end.
#[inline(always)]
unsafe fn run(ring: *const io_uring) -> (*mut io_uring_cqe, c_uint) {
    // SAFETY: `ring` is set up; the masked index lies within its CQEs.
    unsafe {
        let slot = order::load_relaxed((*ring).cq.khead) & (*ring).cq.ring_mask;
        let start = (*ring)
            .cq
            .cqes
            .wrapping_byte_add(slot as usize * cqe_size(ring));
        (start, (*ring).cq.ring_entries - slot)
    }
}

/// Bytes from one CQE to the next.
#[inline(always)]
unsafe fn cqe_size(ring: *const io_uring) -> usize {
    // SAFETY: the caller vouches for `ring`.
    size_of::<io_uring_cqe>() << unsafe { cqe_shift(ring) }
}

/// Writes pointers to `count` CQEs of `size` bytes that lie one behind the other.
#[inline(always)]
unsafe fn fill(
    mut cqes: *mut *mut io_uring_cqe,
    mut cqe: *mut io_uring_cqe,
    size: usize,
    count: c_uint,
) {
    let end = cqes.wrapping_add(count as usize);
    // SAFETY: the caller vouches for room and CQEs; behind the last one nothing is looked at.
    unsafe {
        if count % 2 != 0 {
            cqes.write(cqe);
            cqe = cqe.wrapping_byte_add(size);
            cqes = cqes.add(1);
        }
        // In pairs, as the loop itself costs as much as what it does.
        while cqes != end {
            cqes.write(cqe);
            cqe = cqe.wrapping_byte_add(size);
            cqes.add(1).write(cqe);
            cqe = cqe.wrapping_byte_add(size);
            cqes = cqes.add(2);
        }
    }
}

/// [`collect`] in a ring whose CQEs have 16 or 32 bytes each, with filler entries where one would not fit at the end.
#[inline(always)]
unsafe fn collect_mixed(
    ring: *mut io_uring,
    cqes: *mut *mut io_uring_cqe,
    count: c_uint,
) -> c_uint {
    let mut found = 0;
    // SAFETY: as in `collect`.
    unsafe {
        let mut head = order::load_relaxed((*ring).cq.khead);
        let tail = head.wrapping_add(available(ring));
        while head != tail && found < count {
            let cqe = (*ring).cq.cqes.add((head & (*ring).cq.ring_mask) as usize);
            if (*cqe).flags & IORING_CQE_F_SKIP == 0 {
                cqes.add(found as usize).write(cqe);
                found += 1;
                head = head.wrapping_add(cqe_nr(cqe));
            } else if found == 0 {
                advance(ring, 1);
                head = head.wrapping_add(1);
            } else {
                // The program gives back one slot for each CQE it got, so a filler can go only while it is first.
                break;
            }
        }
    }
    found
}

/// Whether a system call would bring completions into the CQ.
///
/// # Safety
///
/// `ring` is set up.
#[inline(always)]
pub(crate) unsafe fn needs_enter(ring: *const io_uring) -> bool {
    // SAFETY: `ring` is set up. Its own flags are such that one test serves both words.
    unsafe { (kernel_flags(ring) | c_uint::from((*ring).int_flags)) & HELD_BACK != 0 }
}

/// The kernel has completions that are not in the CQ: it overflowed, or work is pending.
pub(crate) const HELD_BACK: c_uint = IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN;

#[inline(always)]
unsafe fn kernel_flags(ring: *const io_uring) -> c_uint {
    // SAFETY: `ring` is set up, so `kflags` points into its mapping. Relaxed: a hint, and what is missed now is seen at
    // the next call.
    unsafe { order::load_relaxed((*ring).sq.kflags) }
}
