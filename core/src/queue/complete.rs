//! Taking completions that are there.

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::enter::{Batch, Until, enter};
use crate::abi::cqe::{IORING_CQE_F_32, IORING_CQE_F_SKIP, io_uring_cqe};
use crate::abi::enter::IORING_ENTER_GETEVENTS;
use crate::abi::params::{
    IORING_FEAT_EXT_ARG, IORING_SETUP_CQE_MIXED, IORING_SQ_CQ_OVERFLOW, IORING_SQ_TASKRUN,
};
use crate::abi::ring::LIBURING_UDATA_TIMEOUT;
use crate::errno::Ret;
use crate::kernel::Kernel;
use crate::out::Room;
use crate::ring::handle::{Cq, Ring};

/// [`peek`] has passed nothing over. No request has this result.
pub const NOTHING: c_int = c_int::MAX;

/// A CQE that the kernel has published and the program has not given back.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Cqe(*mut io_uring_cqe);

impl Cqe {
    /// A CQE.
    ///
    /// # Safety
    ///
    /// The kernel has published it, and it is not given back while this is used.
    #[inline(always)]
    pub const unsafe fn new(cqe: *mut io_uring_cqe) -> Cqe {
        Cqe(cqe)
    }

    /// The CQE.
    #[inline(always)]
    pub fn as_ptr(self) -> *mut io_uring_cqe {
        self.0
    }

    #[inline(always)]
    fn flags(self) -> c_uint {
        // SAFETY: the CQE is published and not given back, so the kernel does not write it.
        unsafe { (*self.0).flags }
    }

    #[inline(always)]
    fn user_data(self) -> u64 {
        // SAFETY: as for `flags`.
        unsafe { (*self.0).user_data }
    }

    #[inline(always)]
    fn res(self) -> c_int {
        // SAFETY: as for `flags`.
        unsafe { (*self.0).res }
    }

    /// Number of CQ slots that it takes in a ring of mixed sizes.
    #[inline(always)]
    pub fn slots(self) -> c_uint {
        1 + c_uint::from(self.flags() & IORING_CQE_F_32 != 0)
    }

    /// Whether it only fills the place of one that does not fit before the ring's end.
    #[inline(always)]
    pub(crate) fn is_filler(self) -> bool {
        self.flags() & IORING_CQE_F_SKIP != 0
    }

    /// Whether it is none of the program's.
    #[inline(always)]
    pub(crate) fn is_internal<K>(self, ring: Ring<K>) -> bool {
        self.is_filler()
            || !ring.offers(IORING_FEAT_EXT_ARG) && self.user_data() == LIBURING_UDATA_TIMEOUT
    }
}

/// Gives `nr` CQ slots back to the kernel.
#[inline(always)]
pub fn advance<K>(cq: Cq<K>, nr: c_uint) {
    let head = cq.cq_head();
    // Release: the CQEs have been read before the kernel may write there again.
    head.store_release(head.load_relaxed().wrapping_add(nr));
}

/// How many CQ slots are filled. That stays so only for the thread that has the CQ side.
#[inline(always)]
pub fn available<K>(ring: Ring<K>) -> c_uint {
    // Acquire: a CQE is read only if the tail says it is there.
    let tail = ring.cq_tail().load_acquire();
    tail.wrapping_sub(ring.cq_head().load_relaxed())
}

/// The CQE at the head.
///
/// # Safety
///
/// A slot is [`available`].
#[inline(always)]
pub(crate) unsafe fn head<K>(cq: Cq<K>) -> Cqe {
    let index = ((cq.cq_head().load_relaxed() & cq.mask()) as usize) << cq.cqe_shift();
    // SAFETY: the masked index lies within the ring's CQEs. The caller has seen the tail behind this one.
    unsafe { Cqe::new(cq.cqes().add(index)) }
}

/// Looks at the first completion without taking it. Returns it, or null; and the result of the last entry that was passed
/// over on the way, or [`NOTHING`].
///
/// Filler entries of rings with mixed CQE sizes are passed over, and so are timeouts that the library itself queued on
/// kernels without `IORING_FEAT_EXT_ARG`.
#[inline(never)]
pub fn peek<K>(cq: Cq<K>) -> (*mut io_uring_cqe, c_int) {
    let mut passed_over = NOTHING;
    while available(*cq) != 0 {
        // SAFETY: a slot is available.
        let cqe = unsafe { head(cq) };
        if !cqe.is_internal(*cq) {
            return (cqe.as_ptr(), passed_over);
        }
        passed_over = take_internal(cq, cqe).as_c();
    }
    (ptr::null_mut(), passed_over)
}

/// Consumes `cqe`, the first of the CQEs, which is none of the program's. Returns its result.
#[cold]
pub(crate) fn take_internal<K>(cq: Cq<K>, cqe: Cqe) -> Ret {
    let result = if cqe.is_filler() { 0 } else { cqe.res() };
    advance(cq, cqe.slots());
    Ret::from_c(result)
}

/// Has the kernel run pending work and move held-back completions into the CQ.
#[inline(always)]
pub fn get_events<K: Kernel>(ring: Ring<K>) -> Ret {
    let flags = IORING_ENTER_GETEVENTS | ring.enter_flags();
    enter(ring, Batch::EMPTY, 0, flags, Until::AVAILABLE)
}

/// Writes pointers to the completions for which there is room to `cqes` without taking them, and returns their number. If
/// there is none, completions that the kernel holds back are fetched first.
#[inline(always)]
pub fn peek_batch<K: Kernel>(cq: Cq<K>, cqes: Room<*mut io_uring_cqe>) -> c_uint {
    let ready = available(*cq);
    if ready == 0 {
        if kernel_flags(*cq) & HELD_BACK == 0 {
            return 0;
        }
        fetch(cq, cqes)
    } else if !cq.has(IORING_SETUP_CQE_MIXED) {
        collect(cq, cqes.first(ready))
    } else {
        peek_batch_mixed(cq, cqes)
    }
}

/// [`peek_batch`] in a ring of mixed CQE sizes, with something in it.
#[inline(never)]
fn peek_batch_mixed<K: Kernel>(cq: Cq<K>, cqes: Room<*mut io_uring_cqe>) -> c_uint {
    let found = collect_mixed(cq, cqes);
    // There may have been nothing but fillers.
    if found == 0 && kernel_flags(*cq) & HELD_BACK != 0 {
        return fetch(cq, cqes);
    }
    found
}

/// [`peek_batch`] of completions that the kernel holds back, when there is nothing in the CQ.
#[inline(never)]
fn fetch<K: Kernel>(cq: Cq<K>, cqes: Room<*mut io_uring_cqe>) -> c_uint {
    // Whatever the call says, what counts is whether completions are there now.
    let _ = get_events(*cq);
    let ready = available(*cq);
    // Without room nothing is ever found in a CQ that is full, however often the kernel is asked.
    if ready == 0 || cqes.count() == 0 {
        0
    } else if !cq.has(IORING_SETUP_CQE_MIXED) {
        collect_in_two(cq, cqes.first(ready))
    } else {
        // Comes back here only if there were but fillers again.
        peek_batch_mixed(cq, cqes)
    }
}

/// Fills `cqes` with pointers to the first CQEs, which are there, in a ring of one CQE size.
#[inline(always)]
fn collect<K>(cq: Cq<K>, cqes: Room<*mut io_uring_cqe>) -> c_uint {
    let (start, before_end) = first_slot(cq);
    // CQEs lie one behind the other up to the ring's end, and go on at its start.
    if cqes.count() > before_end {
        return collect_in_two(cq, cqes);
    }
    cqes.fill(start, cqe_size(cq));
    cqes.count()
}

/// [`collect`] of any number of CQEs: those before the ring's end, then those at its start.
#[inline(never)]
fn collect_in_two<K>(cq: Cq<K>, cqes: Room<*mut io_uring_cqe>) -> c_uint {
    let (start, before_end) = first_slot(cq);
    let size = cqe_size(cq);
    cqes.first(before_end).fill(start, size);
    cqes.rest(before_end).fill(cq.cqes(), size);
    cqes.count()
}

/// The slot at the head, and how many there are from there to the ring's end.
#[inline(always)]
fn first_slot<K>(cq: Cq<K>) -> (*mut io_uring_cqe, c_uint) {
    let slot = cq.cq_head().load_relaxed() & cq.mask();
    let start = cq.cqes().wrapping_byte_add(slot as usize * cqe_size(cq));
    (start, cq.cq_entries() - slot)
}

/// Bytes from one CQE to the next.
#[inline(always)]
fn cqe_size<K>(ring: Cq<K>) -> usize {
    size_of::<io_uring_cqe>() << ring.cqe_shift()
}

/// [`collect`] in a ring whose CQEs have 16 or 32 bytes each, with filler entries where one would not fit at the end.
#[inline(always)]
fn collect_mixed<K>(cq: Cq<K>, cqes: Room<*mut io_uring_cqe>) -> c_uint {
    let mut found = 0;
    let mut head = cq.cq_head().load_relaxed();
    let tail = head.wrapping_add(available(*cq));
    while head != tail && found < cqes.count() {
        // SAFETY: the masked position lies within the ring's CQEs, and this one is before the tail.
        let cqe = unsafe { Cqe::new(cq.cqes().add((head & cq.mask()) as usize)) };
        if !cqe.is_filler() {
            // SAFETY: fewer have been found than there is room for.
            unsafe { cqes.set(found, cqe.as_ptr()) };
            found += 1;
            head = head.wrapping_add(cqe.slots());
        } else if found == 0 {
            advance(cq, 1);
            head = head.wrapping_add(1);
        } else {
            // The program gives back one slot for each CQE it got, so a filler can go only while it is first.
            break;
        }
    }
    found
}

/// Whether a system call would bring completions into the CQ.
#[inline(always)]
pub(crate) fn needs_enter<K>(ring: Ring<K>) -> bool {
    // The library's own flags are such that one test serves both words.
    (kernel_flags(ring) | c_uint::from(ring.int_flags())) & HELD_BACK != 0
}

/// The kernel has completions that are not in the CQ: it overflowed, or work is pending.
pub(crate) const HELD_BACK: c_uint = IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN;

#[inline(always)]
fn kernel_flags<K>(ring: Ring<K>) -> c_uint {
    // Relaxed: a hint, and what is missed now is seen at the next call.
    ring.kernel_flags().load_relaxed()
}
