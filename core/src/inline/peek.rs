//! Looking at completions and giving them back: what C programs have as inline functions.

use core::ffi::{c_int, c_uint};
use core::ptr;

use crate::abi::cqe::io_uring_cqe;
use crate::abi::params::{
    IORING_SETUP_CQE32, IORING_SETUP_IOPOLL, IORING_SQ_CQ_OVERFLOW, IORING_SQ_TASKRUN,
};
use crate::abi::ring::{io_uring, io_uring_cqe_iter};
use crate::errno::{Errno, Ret};
use crate::kernel::Kernel;
use crate::out::Out;
use crate::queue::complete::{self, Cqe};
use crate::queue::enter::Batch;
use crate::queue::wait;
use crate::ring::handle::{Cq, Ring};

/// How far a CQE's index is shifted to index `cq.cqes`, by the flags of a ring.
///
/// # Return value
///
/// 1 with `IORING_SETUP_CQE32`, where each CQE takes two slots of 16 bytes; else 0.
///
/// # Kernel
///
/// Any: no call is made.
///
/// # See also
///
/// io_uring_cqe_shift(), io_uring_sqe_shift_from_flags().
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub extern "C" fn io_uring_cqe_shift_from_flags(flags: c_uint) -> c_uint {
    (flags & IORING_SETUP_CQE32 != 0) as c_uint
}

/// How far a CQE's index is shifted to index `cq.cqes` of a ring.
///
/// # Return value
///
/// 1 in a ring with `IORING_SETUP_CQE32`, where each CQE takes two slots of 16 bytes; else 0.
///
/// # Kernel
///
/// Any: no call is made.
///
/// # See also
///
/// io_uring_cqe_shift_from_flags(), io_uring_sqe_shift().
///
/// # Safety
///
/// `ring` is set up.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cqe_shift(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller's ring is set up.
    unsafe { Ring::<()>::new(ring.cast_mut()) }.cqe_shift()
}

/// How many CQEs wait to be looked at.
///
/// CQEs that the kernel holds back are not counted, see io_uring_cq_has_overflow(). A CQE of 32 bytes in a ring of both
/// sizes counts twice.
///
/// # Return value
///
/// The number.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_peek_batch_cqe(), io_uring_for_each_cqe().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cq_ready(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller's ring is set up.
    complete::available(unsafe { Ring::<()>::new(ring.cast_mut()) })
}

/// Whether the kernel holds CQEs that found no room in the queue.
///
/// They are moved into the queue, as far as there is room, by the next call that enters the kernel for completions,
/// such as io_uring_get_events() or a wait.
///
/// # Return value
///
/// True if it does.
///
/// # Kernel
///
/// 5.8.
///
/// # See also
///
/// io_uring_get_events().
///
/// # Safety
///
/// `ring` is set up.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cq_has_overflow(ring: *const io_uring) -> bool {
    // SAFETY: the caller's ring is set up.
    let flags = unsafe { Ring::<()>::new(ring.cast_mut()) }.kernel_flags();
    flags.load_relaxed() & IORING_SQ_CQ_OVERFLOW != 0
}

/// Gives CQEs back to the kernel, the oldest first.
///
/// To be called after the CQEs have been read; their memory is the kernel's again. With `nr` 0 nothing happens. In a
/// ring of both sizes `nr` counts entries, not CQEs: the sum of io_uring_cqe_nr().
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_cqe_seen(), io_uring_for_each_cqe(), io_uring_peek_batch_cqe().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side. At least `nr` entries are in the queue.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cq_advance(ring: *mut io_uring, nr: c_uint) {
    if nr != 0 {
        // SAFETY: the caller has the CQ side.
        complete::advance(unsafe { Cq::<()>::new(ring) }, nr);
    }
}

/// Gives one CQE back to the kernel.
///
/// It is the oldest one that is given back, whichever is named: CQEs are returned in the order in which they came. With
/// NULL nothing happens.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_wait_cqe(), io_uring_peek_cqe(), io_uring_cq_advance().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side. `cqe` is NULL or the oldest CQE.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cqe_seen(ring: *mut io_uring, cqe: *mut io_uring_cqe) {
    if !cqe.is_null() {
        // SAFETY: the caller has the CQ side, and `cqe` is the first of its CQEs.
        let (cq, cqe) = unsafe { (Cq::<()>::new(ring), Cqe::new(cqe)) };
        complete::advance(cq, cqe.slots());
    }
}

/// How many entries of the queue a CQE takes.
///
/// # Return value
///
/// 2 for a CQE of 32 bytes in a ring with `IORING_SETUP_CQE_MIXED`, otherwise 1.
///
/// # Kernel
///
/// 6.18.
///
/// # See also
///
/// io_uring_cq_advance().
///
/// # Safety
///
/// `cqe` points to a CQE that has not been given back.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cqe_nr(cqe: *const io_uring_cqe) -> c_uint {
    // SAFETY: the kernel has published the caller's CQE, and it was not given back.
    unsafe { Cqe::new(cqe.cast_mut()) }.slots()
}

/// Starts a walk over the CQEs that are there.
///
/// io_uring_for_each_cqe() is made of this and io_uring_cqe_iter_next(). CQEs that come later are not part of the walk,
/// and none is given back.
///
/// # Return value
///
/// The walk, before its first CQE.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_cqe_iter_next(), io_uring_for_each_cqe(), io_uring_cq_advance().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cqe_iter_init(ring: *const io_uring) -> io_uring_cqe_iter {
    // SAFETY: the caller has the CQ side.
    let cq = unsafe { Cq::<()>::new(ring.cast_mut()) };
    io_uring_cqe_iter {
        cqes: cq.cqes(),
        mask: cq.mask(),
        shift: cq.cqe_shift(),
        head: cq.cq_head().load_relaxed(),
        // Acquire: the CQEs before the tail are complete.
        tail: cq.cq_tail().load_acquire(),
    }
}

/// The next CQE of a walk.
///
/// # Return value
///
/// True with the CQE in `*cqe`, or false at the end, where `*cqe` stays as it is.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_cqe_iter_init().
///
/// # Safety
///
/// `iter` points to a walk whose CQEs have not been given back, `cqe` to room for a pointer.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cqe_iter_next(
    iter: *mut io_uring_cqe_iter,
    cqe: *mut *mut io_uring_cqe,
) -> bool {
    // SAFETY: the walk was started on a ring whose CQEs up to `tail` are there; the masked index lies within them.
    unsafe {
        let head = (*iter).head;
        if head == (*iter).tail {
            return false;
        }
        let index = ((head & (*iter).mask) as usize) << (*iter).shift;
        let next = (*iter).cqes.add(index);
        (*iter).head = head.wrapping_add(Cqe::new(next).slots());
        *cqe = next;
        true
    }
}

/// Finds the first CQE without a system call.
///
/// What io_uring_peek_cqe() and io_uring_wait_cqe() begin with; programs use those.
///
/// # Return value
///
/// 0 with the CQE in `*cqe_ptr`, which is NULL if there is none. On kernels without `IORING_FEAT_EXT_ARG`, the error of
/// a timeout that the library itself had submitted. `*nr_available`, unless the pointer is NULL, is the number of
/// entries in the queue.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_peek_cqe().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side. `cqe_ptr` points to room for a pointer; `nr_available` is
/// NULL or points to room for a number.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn __io_uring_peek_cqe(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    nr_available: *mut c_uint,
) -> c_int {
    // SAFETY: the caller has the CQ side.
    let found = first(unsafe { Cq::<()>::new(ring) });
    // SAFETY: the caller vouches for both places.
    unsafe {
        *cqe_ptr = found.cqe;
        if !nr_available.is_null() {
            *nr_available = found.available;
        }
    }
    found.ret.as_c()
}

/// What [`first`] finds.
struct First {
    /// The CQE, or null.
    cqe: *mut io_uring_cqe,
    /// How many CQ slots are filled.
    available: c_uint,
    /// The error of a timeout that the library itself had submitted.
    ret: Ret,
}

/// The first CQE, without a system call.
#[inline(always)]
fn first<K>(cq: Cq<K>) -> First {
    let (mut cqe, mut ret) = (ptr::null_mut(), Ret::DONE);
    let available = loop {
        let available = complete::available(*cq);
        if available == 0 {
            break available;
        }
        // SAFETY: a slot is available.
        let first = unsafe { complete::head(cq) };
        if !first.is_internal(*cq) {
            cqe = first.as_ptr();
            break available;
        }
        let taken = complete::take_internal(cq, first);
        if taken.is_err() {
            ret = taken;
            break available;
        }
    };
    First {
        cqe,
        available,
        ret,
    }
}

/// Looks at the first CQE without waiting.
#[inline]
pub fn peek_cqe<K: Kernel>(cq: Cq<K>, cqe_ptr: Out<*mut io_uring_cqe>) -> Ret {
    let found = first(cq);
    cqe_ptr.set(found.cqe);
    if found.ret == Ret::DONE {
        if !found.cqe.is_null() {
            return Ret::DONE;
        }
        // The kernel is asked only where it may have CQEs that it does not post by itself.
        let pending = IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN;
        if !cq.has(IORING_SETUP_IOPOLL) && cq.kernel_flags().load_relaxed() & pending == 0 {
            return Errno::EAGAIN.into();
        }
    }
    wait_cqe_nr(cq, cqe_ptr, 0)
}

/// Waits for a CQE.
#[inline]
pub fn wait_cqe<K: Kernel>(cq: Cq<K>, cqe_ptr: Out<*mut io_uring_cqe>) -> Ret {
    let found = first(cq);
    cqe_ptr.set(found.cqe);
    if found.ret == Ret::DONE && !found.cqe.is_null() {
        return Ret::DONE;
    }
    wait_cqe_nr(cq, cqe_ptr, 1)
}

/// Waits until a number of CQEs are there.
#[inline]
pub fn wait_cqe_nr<K: Kernel>(cq: Cq<K>, cqe_ptr: Out<*mut io_uring_cqe>, wait_nr: c_uint) -> Ret {
    wait::get_cqe(cq, cqe_ptr, Batch::EMPTY, wait_nr, ptr::null())
}
