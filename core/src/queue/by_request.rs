//! Waits with a limit on kernels without `IORING_FEAT_EXT_ARG`, which is before Linux 5.11: a timeout request is submitted
//! behind the program's.

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::{complete, sqe, submit};
use crate::abi::cqe::io_uring_cqe;
use crate::abi::enter::{IORING_ENTER_GETEVENTS, IORING_ENTER_SQ_WAKEUP};
use crate::abi::op::IORING_OP_TIMEOUT;
use crate::abi::params::IORING_SETUP_SQPOLL;
use crate::abi::ring::{LIBURING_UDATA_TIMEOUT, io_uring};
use crate::abi::sqe::io_uring_sqe;
use crate::abi::types::{__kernel_timespec, KERNEL_SIGSET_SIZE, sigset_t};
use crate::errno::{Errno, to_ret};
use crate::kernel::Kernel;
use crate::ring::flags;
use crate::ring::order;

/// Submits all SQEs taken so far, waits for `wait_nr` completions until `ts` has passed, and looks at the first. Returns 0
/// or an error; or with `tells`, the number of the program's requests that were submitted, unless that is 0.
///
/// # Safety
///
/// `ring` is set up, no other thread uses it meanwhile, `cqe_ptr` is valid for writes, `ts` is valid and `sigmask` as well
/// or null, and what the requests name stays valid until they complete.
#[cold]
#[inline(never)]
pub(super) unsafe fn wait<K: Kernel>(
    ring: *mut io_uring,
    ts: *const __kernel_timespec,
    wait_nr: c_uint,
    cqe_ptr: *mut *mut io_uring_cqe,
    sigmask: *const sigset_t,
    tells: bool,
) -> c_int {
    // SAFETY: the caller's promises are those that the called functions ask for. `ts` outlives the wait, and the kernel
    // copies it on submission.
    unsafe {
        let first = sqe::load_head(ring);
        let mut timeout = ptr::null_mut();
        let mut nr = wait_nr;
        let mut error;
        loop {
            complete::peek(ring);
            let available = complete::available(ring);
            let is_limited = available < wait_nr;
            if is_limited {
                timeout = sqe::get(ring);
            }
            let is_full = is_limited && timeout.is_null();
            if is_full && nr == 0 {
                error = Errno::EAGAIN.as_ret();
                break;
            }
            if !timeout.is_null() {
                (*timeout).opcode = IORING_OP_TIMEOUT as u8;
                (*timeout).fd = -1;
                // It is over as well when so many completions have come after it.
                (*timeout).__anon1.off = u64::from(wait_nr - available);
                (*timeout).__anon2.addr = ts.expose_provenance() as u64;
                (*timeout).len = 1;
                (*timeout).user_data = LIBURING_UDATA_TIMEOUT;
            }
            // In a full queue there is room once what is there has been submitted.
            nr = if is_full { 0 } else { wait_nr };
            error = enter::<K>(ring, nr, sigmask);
            if error != 0 || !is_full {
                break;
            }
        }
        let (cqe, passed_over) = complete::peek(ring);
        *cqe_ptr = cqe;
        if error == 0 && cqe.is_null() {
            error = match passed_over {
                _ if timeout.is_null() => Errno::EAGAIN.as_ret(),
                // The completion of the timeout says why there is no other. If it was not there to pass over, a signal
                // came.
                complete::NOTHING => Errno::EINTR.as_ret(),
                error if error < 0 => error,
                _ => Errno::ETIME.as_ret(),
            };
        }
        let submitted = take_back::<K>(ring, timeout).wrapping_sub(first) as c_int;
        if tells && submitted != 0 {
            submitted
        } else {
            error
        }
    }
}

/// Submits all SQEs and waits. Returns 0 or an error.
#[inline(always)]
unsafe fn enter<K: Kernel>(
    ring: *mut io_uring,
    wait_nr: c_uint,
    sigmask: *const sigset_t,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe {
        let mut left = submit::flush_polled(ring);
        // As long as the kernel takes only a part of them it does not wait.
        while left != 0 {
            let taken = enter_waking::<K>(ring, left, wait_nr, sigmask);
            if taken <= 0 {
                return taken;
            }
            left = left.wrapping_sub(taken as c_uint);
        }
        0
    }
}

/// Enters the kernel with `submit` published requests. A submission thread is woken whether or not it sleeps.
#[inline(never)]
unsafe fn enter_waking<K: Kernel>(
    ring: *const io_uring,
    submit: c_uint,
    wait_nr: c_uint,
    sigmask: *const sigset_t,
) -> c_int {
    // SAFETY: passed on to the caller.
    to_ret(unsafe {
        let flags = flags::enter_flags(ring) | IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP;
        let (fd, arg) = ((*ring).enter_ring_fd, sigmask.cast());
        K::enter(fd, submit, wait_nr, flags, arg, KERNEL_SIGSET_SIZE)
    })
}

/// How often a submission thread is looked at that has not taken what is there.
const LOOKS: c_uint = 1 << 16;

/// Frees the slot of the timeout, unless that is null, from what would make the next request in it the library's own. If
/// the kernel has not taken it, it is not submitted any more: what it names goes with the call. Returns the end of the
/// program's requests that the kernel has taken, or its thread will take.
#[inline(always)]
unsafe fn take_back<K: Kernel>(ring: *mut io_uring, timeout: *mut io_uring_sqe) -> c_uint {
    // SAFETY: the caller's ring is set up and this thread's. Nothing is submitted.
    unsafe {
        let sq = &raw mut (*ring).sq;
        let is_polled = (*ring).flags & IORING_SETUP_SQPOLL != 0;
        let mut head = sqe::load_head(ring);
        if timeout.is_null() {
            return if is_polled { (*sq).sqe_tail } else { head };
        }
        let end = (*sq).sqe_tail.wrapping_sub(1);
        // A thread takes it at once, unless the CQ has overflowed.
        let mut looks = if is_polled { LOOKS } else { 0 };
        while looks != 0 && head != (*sq).sqe_tail {
            enter_waking::<K>(ring, 0, 0, ptr::null());
            head = sqe::load_head(ring);
            looks -= 1;
        }
        let is_taken = head == (*sq).sqe_tail;
        if is_taken || !is_polled {
            (*timeout).user_data = 0;
        }
        if is_taken || is_polled {
            return end;
        }
        (*sq).sqe_head = end;
        (*sq).sqe_tail = end;
        // No thread reads it.
        order::store_relaxed((*sq).ktail, end);
        head
    }
}
