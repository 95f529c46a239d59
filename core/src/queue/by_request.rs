//! Waits with a limit on kernels without `IORING_FEAT_EXT_ARG`, which is before Linux 5.11: a timeout request is submitted
//! behind the program's.

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::enter::{Batch, Until};
use super::{complete, enter, sqe, submit};
use crate::abi::cqe::io_uring_cqe;
use crate::abi::enter::{IORING_ENTER_GETEVENTS, IORING_ENTER_SQ_WAKEUP};
use crate::abi::op::IORING_OP_TIMEOUT;
use crate::abi::params::IORING_SETUP_SQPOLL;
use crate::abi::ring::LIBURING_UDATA_TIMEOUT;
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::{__kernel_timespec, sigset_t};
use crate::errno::{Errno, Ret};
use crate::kernel::Kernel;
use crate::out::Out;
use crate::ring::handle::{Ring, Sq, Whole};

/// Submits all SQEs taken so far, waits for `wait_nr` completions until `ts` has passed, and looks at the first. Returns 0
/// or an error. With `tells`, returns the number of the program's requests that were submitted, unless that is 0.
///
/// `ts` is the program's until this returns: the kernel copies it on submission.
#[cold]
#[inline(never)]
pub(super) fn wait<K: Kernel>(
    ring: Whole<K>,
    ts: *const __kernel_timespec,
    wait_nr: c_uint,
    cqe_ptr: Out<*mut io_uring_cqe>,
    sigmask: *const sigset_t,
    tells: bool,
) -> Ret {
    let (sq, cq) = (ring.sq(), ring.cq());
    let first = sq.load_sq_head();
    let mut timeout = ptr::null_mut();
    let mut nr = wait_nr;
    let mut ret;
    loop {
        complete::peek(cq);
        let available = complete::available(*cq);
        let is_limited = available < wait_nr;
        if is_limited {
            timeout = sqe::get(sq);
        }
        let is_full = is_limited && timeout.is_null();
        if is_full && nr == 0 {
            ret = Errno::EAGAIN.into();
            break;
        }
        if !timeout.is_null() {
            // SAFETY: the SQE was taken just now, or before in this loop and is not submitted.
            unsafe {
                (*timeout).opcode = IORING_OP_TIMEOUT as u8;
                (*timeout).fd = -1;
                // It is over as well when so many completions have come after it.
                (*timeout).__anon1.off = u64::from(wait_nr - available);
                (*timeout).__anon2.addr = ts.expose_provenance() as u64;
                (*timeout).len = 1;
                (*timeout).user_data = LIBURING_UDATA_TIMEOUT;
            }
        }
        // In a full queue there is room once what is there has been submitted.
        nr = if is_full { 0 } else { wait_nr };
        ret = submit_all(sq, nr, sigmask);
        if ret != Ret::DONE || !is_full {
            break;
        }
    }
    let (cqe, passed_over) = complete::peek(cq);
    cqe_ptr.set(cqe);
    if ret == Ret::DONE && cqe.is_null() {
        ret = match passed_over {
            _ if timeout.is_null() => Errno::EAGAIN.into(),
            // The completion of the timeout says why there is no other. If it was not there to pass over, a signal came.
            complete::NOTHING => Errno::EINTR.into(),
            error if error < 0 => Ret::from_c(error),
            _ => Errno::ETIME.into(),
        };
    }
    let submitted = take_back(sq, timeout).wrapping_sub(first) as c_int;
    if tells && submitted != 0 {
        Ret::from_c(submitted)
    } else {
        ret
    }
}

/// Submits all SQEs and waits. Returns 0 or an error.
#[inline(always)]
fn submit_all<K: Kernel>(sq: Sq<K>, wait_nr: c_uint, sigmask: *const sigset_t) -> Ret {
    let mut left = submit::flush_polled(sq);
    // As long as the kernel takes only a part of them it does not wait.
    while left.nr() != 0 {
        let taken = enter_waking(*sq, left, wait_nr, sigmask);
        if taken.as_c() <= 0 {
            return taken;
        }
        left = left.without(taken.as_c() as c_uint);
    }
    Ret::DONE
}

/// Enters the kernel with `batch`. A submission thread is woken whether or not it sleeps.
#[inline(never)]
fn enter_waking<K: Kernel>(
    ring: Ring<K>,
    batch: Batch,
    wait_nr: c_uint,
    sigmask: *const sigset_t,
) -> Ret {
    let flags = ring.enter_flags() | IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP;
    enter::enter(ring, batch, wait_nr, flags, Until::Signals(sigmask))
}

/// How often the SQ head is read until the submission thread has taken all SQEs.
const LOOKS: c_uint = 1 << 16;

/// Removes the library's mark from the slot of the timeout, unless that is null: the next request in the slot is the
/// program's. If the kernel has not taken the timeout, it is withdrawn, as the time that it names is valid only during
/// this call. Returns the position behind the program's requests that the kernel has taken, or its thread will take.
#[inline(always)]
fn take_back<K: Kernel>(sq: Sq<K>, timeout: *mut io_uring_sqe) -> c_uint {
    let is_polled = sq.has(IORING_SETUP_SQPOLL);
    let mut head = sq.load_sq_head();
    if timeout.is_null() {
        return if is_polled { sq.tail() } else { head };
    }
    let end = sq.tail().wrapping_sub(1);
    // A thread takes it at once, unless the CQ has overflowed.
    let mut looks = if is_polled { LOOKS } else { 0 };
    while looks != 0 && head != sq.tail() {
        let _ = enter_waking(*sq, Batch::EMPTY, 0, ptr::null());
        head = sq.load_sq_head();
        looks -= 1;
    }
    let is_taken = head == sq.tail();
    if is_taken || !is_polled {
        // SAFETY: the kernel has read the SQE, or it reads it only in a call of this thread.
        unsafe { (*timeout).user_data = 0 };
    }
    if is_taken || is_polled {
        return end;
    }
    sq.set_published(end);
    sq.set_tail(end);
    // Relaxed: no thread reads it.
    sq.kernel_tail().store_relaxed(end);
    head
}
