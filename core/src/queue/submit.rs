//! Giving requests to the kernel.

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::{complete, sqe};
use crate::abi::enter::{IORING_ENTER_GETEVENTS, IORING_ENTER_SQ_WAIT, IORING_ENTER_SQ_WAKEUP};
use crate::abi::params::{IORING_SETUP_SQ_REWIND, IORING_SETUP_SQPOLL, IORING_SQ_NEED_WAKEUP};
use crate::abi::ring::io_uring;
use crate::abi::types::KERNEL_SIGSET_SIZE;
use crate::errno::{Errno, Result, to_ret};
use crate::kernel::Kernel;
use crate::ring::flags;
use crate::ring::order;

/// Publishes the SQEs taken so far and returns how many the kernel has yet to consume. For a ring that does not rewind.
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[inline(always)]
pub unsafe fn flush(ring: *mut io_uring) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe {
        if is_plain(ring) {
            flush_plain(ring)
        } else {
            flush_polled(ring)
        }
    }
}

/// Whether requests are given to the kernel by system call and by head and tail, as in nearly all rings: there is no
/// submission thread, and the ring does not rewind.
///
/// # Safety
///
/// `ring` points to a ring.
#[inline(always)]
pub(super) unsafe fn is_plain(ring: *const io_uring) -> bool {
    // SAFETY: the caller vouches for `ring`.
    unsafe { (*ring).flags & (IORING_SETUP_SQPOLL | IORING_SETUP_SQ_REWIND) == 0 }
}

/// [`flush`] for rings that are submitted to by system call.
///
/// # Safety
///
/// As for [`flush`].
#[inline(always)]
pub(super) unsafe fn flush_plain(ring: *mut io_uring) -> c_uint {
    // SAFETY: `ring` is set up, so its counters lie in its mapping; the SQ side is this thread's.
    unsafe {
        let sq = &raw mut (*ring).sq;
        let tail = (*sq).sqe_tail;
        (*sq).sqe_head = tail;
        // The system call that follows is what makes the kernel look.
        order::store_relaxed((*sq).ktail, tail);
        tail.wrapping_sub(order::load_relaxed((*sq).khead))
    }
}

/// [`flush`] for rings with a submission thread, which serves for plain ones as well.
///
/// # Safety
///
/// As for [`flush`].
#[inline(always)]
pub(super) unsafe fn flush_polled(ring: *mut io_uring) -> c_uint {
    // SAFETY: as in `flush_plain`.
    unsafe {
        let sq = &raw mut (*ring).sq;
        let tail = (*sq).sqe_tail;
        if (*sq).sqe_head != tail {
            (*sq).sqe_head = tail;
            // The thread may consume the SQEs at once, so they must be there before the tail. And the flags are read
            // next: were that done first, thread and program could miss each other, one asleep, one waiting.
            order::store_seq_cst((*sq).ktail, tail);
        }
        tail.wrapping_sub(order::load_relaxed((*sq).khead))
    }
}

/// Notes that the kernel has taken `taken` SQEs, at least one, in a ring with `IORING_SETUP_SQ_REWIND`.
///
/// There each call takes a batch that begins at the first slot, and heeds neither head nor tail. So the tail counts the
/// SQEs that are taken from the ring, nothing is published, and what the kernel left is moved to the first slots.
///
/// # Safety
///
/// `ring` is set up and rewinds, no other thread uses its SQ side, and `taken` is at most its tail.
#[cold]
pub(super) unsafe fn rewind(ring: *mut io_uring, taken: c_uint) {
    // SAFETY: the SQEs up to the tail lie within the ring's, in units of 64 bytes as the shift has it.
    unsafe {
        let sq = &raw mut (*ring).sq;
        let left = (*sq).sqe_tail.wrapping_sub(taken);
        (*sq).sqe_tail = left;
        let shift = sqe::shift(ring);
        let from = (*sq).sqes.add((taken as usize) << shift);
        for unit in 0..(left as usize) << shift {
            (*sq).sqes.add(unit).write(from.add(unit).read());
        }
    }
}

/// The `io_uring_enter` flags that `pending` requests ask for, or `None` if a submission thread is awake and will see
/// them by itself.
///
/// # Safety
///
/// `ring` is set up.
#[inline(always)]
pub(crate) unsafe fn sq_needs_enter(ring: *const io_uring, pending: c_uint) -> Option<c_uint> {
    if pending == 0 {
        return None;
    }
    // SAFETY: `ring` is set up, so `kflags` points into its mapping.
    unsafe {
        if (*ring).flags & IORING_SETUP_SQPOLL == 0 {
            return Some(0);
        }
        // After the tail's store: see `flush`.
        let asleep = order::load_seq_cst((*ring).sq.kflags) & IORING_SQ_NEED_WAKEUP != 0;
        asleep.then_some(IORING_ENTER_SQ_WAKEUP)
    }
}

/// Submits all SQEs taken so far and waits for `wait_nr` completions; with `reap`, enters the kernel even if there is
/// nothing to submit or wait for. Returns the number submitted.
///
/// # Safety
///
/// `ring` is set up, no other thread uses its SQ side, and what its requests name stays valid until they complete.
#[inline(always)]
pub unsafe fn submit<K: Kernel>(ring: *mut io_uring, wait_nr: c_uint, reap: bool) -> Result<c_int> {
    // SAFETY: the caller's promises are those that the called functions ask for.
    unsafe {
        if !is_plain(ring) {
            let asked = complete::HELD_BACK * c_uint::from(wait_nr != 0 || reap);
            return Errno::check(submit_special::<K>(ring, wait_nr, asked));
        }
        let pending = flush_plain(ring);
        submit_pending::<K>(ring, pending, wait_nr, reap)
    }
}

/// [`submit`] once `pending` requests are published, in a ring without a submission thread.
#[inline(always)]
unsafe fn submit_pending<K: Kernel>(
    ring: *mut io_uring,
    pending: c_uint,
    wait_nr: c_uint,
    reap: bool,
) -> Result<c_int> {
    // SAFETY: passed on to the caller.
    unsafe {
        let mut flags = flags::enter_flags(ring);
        if reap || wait_nr != 0 || complete::needs_enter(ring) {
            flags |= IORING_ENTER_GETEVENTS;
        } else if pending == 0 {
            return Ok(0);
        }
        enter::<K>(ring, pending, wait_nr, flags)
    }
}

/// [`submit`] for rings with a submission thread, and for those that rewind. `asked` is
/// [`complete::HELD_BACK`] if there is something to wait for or to reap, else 0. Returns what C gets.
#[inline(never)]
unsafe fn submit_special<K: Kernel>(ring: *mut io_uring, wait_nr: c_uint, asked: c_uint) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe {
        if (*ring).flags & IORING_SETUP_SQPOLL == 0 {
            return submit_rewinding::<K>(ring, wait_nr, asked != 0);
        }
        let pending = flush_polled(ring);
        // After the tail's store: see `flush_polled`.
        let kernel_flags = order::load_seq_cst((*ring).sq.kflags);
        // With a submission thread, completions are never left for the program to find. And a thread that has nothing
        // to do may sleep on.
        let heeded = complete::HELD_BACK | (IORING_SQ_NEED_WAKEUP * c_uint::from(pending != 0));
        let reasons = asked | (kernel_flags & heeded);
        if reasons == 0 {
            return pending as c_int;
        }
        let wake = (reasons & IORING_SQ_NEED_WAKEUP) * IORING_ENTER_SQ_WAKEUP;
        let mut flags = flags::enter_flags(ring) | wake;
        if reasons & complete::HELD_BACK != 0 {
            flags |= IORING_ENTER_GETEVENTS;
        }
        to_ret(enter::<K>(ring, pending, wait_nr, flags))
    }
}

const _: () =
    assert!(IORING_SQ_NEED_WAKEUP == 1 && complete::HELD_BACK & IORING_SQ_NEED_WAKEUP == 0);

#[inline(never)]
unsafe fn submit_rewinding<K: Kernel>(ring: *mut io_uring, wait_nr: c_uint, reap: bool) -> c_int {
    // SAFETY: passed on to the caller. The kernel takes at most what it is given.
    unsafe {
        let pending = (*ring).sq.sqe_tail;
        let submitted = submit_pending::<K>(ring, pending, wait_nr, reap);
        if let Ok(count @ 1..) = submitted {
            rewind(ring, count as c_uint);
        }
        to_ret(submitted)
    }
}

/// Gives `submit` requests that are already published to the kernel, without waiting although `wait_nr` are asked for,
/// for that many completions are there. Returns 0 or an error, as C gets it.
///
/// # Safety
///
/// As for [`submit`].
#[inline(never)]
pub(crate) unsafe fn submit_published<K: Kernel>(
    ring: *mut io_uring,
    submit: c_uint,
    wait_nr: c_uint,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe {
        match sq_needs_enter(ring, submit) {
            Some(wake) => to_ret(
                enter::<K>(ring, submit, wait_nr, flags::enter_flags(ring) | wake).map(|_| 0),
            ),
            None => 0,
        }
    }
}

#[inline(always)]
unsafe fn enter<K: Kernel>(
    ring: *const io_uring,
    pending: c_uint,
    wait_nr: c_uint,
    flags: c_uint,
) -> Result<c_int> {
    // SAFETY: passed on to the caller; without an argument there is none to be wrong.
    unsafe {
        K::enter(
            (*ring).enter_ring_fd,
            pending,
            wait_nr,
            flags,
            ptr::null(),
            KERNEL_SIGSET_SIZE,
        )
    }
}

/// Waits until the submission thread has freed an SQ slot.
///
/// # Safety
///
/// `ring` is set up.
#[inline]
pub unsafe fn wait_for_room<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: `ring` is set up; nothing is submitted and no argument passed.
    unsafe {
        let flags = IORING_ENTER_SQ_WAIT | flags::enter_flags(ring);
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
