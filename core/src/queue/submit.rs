//! Giving requests to the kernel.

use core::ffi::c_uint;

use super::complete;
use super::enter::{Batch, Until, enter};
use crate::abi::enter::{IORING_ENTER_GETEVENTS, IORING_ENTER_SQ_WAIT, IORING_ENTER_SQ_WAKEUP};
use crate::abi::params::{IORING_SETUP_SQ_REWIND, IORING_SETUP_SQPOLL, IORING_SQ_NEED_WAKEUP};
use crate::errno::Ret;
use crate::kernel::Kernel;
use crate::ring::handle::{Ring, Sq};

/// Publishes the SQEs taken so far and returns those that the kernel has yet to consume. For a ring that does not rewind.
#[inline(always)]
pub fn flush<K>(sq: Sq<K>) -> Batch {
    if is_plain(*sq) {
        flush_plain(sq)
    } else {
        flush_polled(sq)
    }
}

/// Whether requests are given to the kernel by system call and by head and tail, as in nearly all rings: there is no
/// submission thread, and the ring does not rewind.
#[inline(always)]
pub(super) fn is_plain<K>(ring: Ring<K>) -> bool {
    !ring.has(IORING_SETUP_SQPOLL | IORING_SETUP_SQ_REWIND)
}

/// [`flush`] for rings that are submitted to by system call.
#[inline(always)]
pub(super) fn flush_plain<K>(sq: Sq<K>) -> Batch {
    let tail = sq.tail();
    sq.set_published(tail);
    // Relaxed: the system call that follows is what makes the kernel look.
    sq.kernel_tail().store_relaxed(tail);
    Batch(tail.wrapping_sub(sq.sq_head().load_relaxed()))
}

/// [`flush`] for rings with a submission thread, which serves for plain ones as well.
#[inline(always)]
pub(super) fn flush_polled<K>(sq: Sq<K>) -> Batch {
    let tail = sq.tail();
    if sq.published() != tail {
        sq.set_published(tail);
        // The thread may consume the SQEs at once, so they must be there before the tail. And the flags are read next:
        // were that done first, thread and program could miss each other, one asleep, one waiting.
        sq.kernel_tail().store_seq_cst(tail);
    }
    Batch(tail.wrapping_sub(sq.sq_head().load_relaxed()))
}

/// Notes that the kernel has taken `taken` SQEs, at least one, in a ring with `IORING_SETUP_SQ_REWIND`.
///
/// In such a ring each call takes a batch that begins at the first slot. The kernel ignores head and tail. So nothing
/// is published, and the ring's own tail is the number of SQEs that were taken and not submitted. What the kernel left
/// is moved to the first slots.
#[cold]
pub(super) fn rewind<K>(sq: Sq<K>, taken: c_uint) {
    let left = sq.tail().wrapping_sub(taken);
    sq.set_tail(left);
    let (to, shift) = (sq.sqes(), sq.sqe_shift());
    // SAFETY: the kernel takes at most what the tail counts, so all of these SQEs lie within the ring's. Its slots have
    // 64 bytes each, and an SQE takes as many as the shift says.
    unsafe {
        let from = to.add((taken as usize) << shift);
        for unit in 0..(left as usize) << shift {
            to.add(unit).write(from.add(unit).read());
        }
    }
}

/// The `io_uring_enter` flags that `batch` asks for, or `None` if it is empty, or a submission thread is awake and will see
/// it by itself.
#[inline(always)]
pub(crate) fn sq_needs_enter<K>(ring: Ring<K>, batch: Batch) -> Option<c_uint> {
    if batch.nr() == 0 {
        return None;
    }
    if !ring.has(IORING_SETUP_SQPOLL) {
        return Some(0);
    }
    // After the tail's store: see `flush_polled`.
    let asleep = ring.kernel_flags().load_seq_cst() & IORING_SQ_NEED_WAKEUP != 0;
    asleep.then_some(IORING_ENTER_SQ_WAKEUP)
}

/// Submits all SQEs taken so far and waits for `wait_nr` completions; with `reap`, enters the kernel even if there is
/// nothing to submit or wait for. Returns the number submitted.
#[inline(always)]
pub fn submit<K: Kernel>(sq: Sq<K>, wait_nr: c_uint, reap: bool) -> Ret {
    if !is_plain(*sq) {
        let asked = complete::HELD_BACK * c_uint::from(wait_nr != 0 || reap);
        return submit_special(sq, wait_nr, asked);
    }
    submit_batch(*sq, flush_plain(sq), wait_nr, reap)
}

/// [`submit`] of `batch`, in a ring without a submission thread.
#[inline(always)]
fn submit_batch<K: Kernel>(ring: Ring<K>, batch: Batch, wait_nr: c_uint, reap: bool) -> Ret {
    let mut flags = ring.enter_flags();
    if reap || wait_nr != 0 || complete::needs_enter(ring) {
        flags |= IORING_ENTER_GETEVENTS;
    } else if batch.nr() == 0 {
        return Ret::DONE;
    }
    enter(ring, batch, wait_nr, flags, Until::AVAILABLE)
}

/// [`submit`] for rings with a submission thread, and for those that rewind. `asked` is [`complete::HELD_BACK`] if there is
/// something to wait for or to reap, else 0.
#[inline(never)]
fn submit_special<K: Kernel>(sq: Sq<K>, wait_nr: c_uint, asked: c_uint) -> Ret {
    if !sq.has(IORING_SETUP_SQPOLL) {
        return submit_rewinding(sq, wait_nr, asked != 0);
    }
    let batch = flush_polled(sq);
    // After the tail's store: see `flush_polled`.
    let kernel_flags = sq.kernel_flags().load_seq_cst();
    // With a submission thread, completions are never left for the program to find. And a thread that has nothing to do
    // may sleep on.
    let heeded = complete::HELD_BACK | (IORING_SQ_NEED_WAKEUP * c_uint::from(batch.nr() != 0));
    let reasons = asked | (kernel_flags & heeded);
    if reasons == 0 {
        return Ret::from_c(batch.nr() as i32);
    }
    let wake = (reasons & IORING_SQ_NEED_WAKEUP) * IORING_ENTER_SQ_WAKEUP;
    let mut flags = sq.enter_flags() | wake;
    if reasons & complete::HELD_BACK != 0 {
        flags |= IORING_ENTER_GETEVENTS;
    }
    enter(*sq, batch, wait_nr, flags, Until::AVAILABLE)
}

const _: () =
    assert!(IORING_SQ_NEED_WAKEUP == 1 && complete::HELD_BACK & IORING_SQ_NEED_WAKEUP == 0);

#[inline(never)]
fn submit_rewinding<K: Kernel>(sq: Sq<K>, wait_nr: c_uint, reap: bool) -> Ret {
    let submitted = submit_batch(*sq, taken(sq), wait_nr, reap);
    if let Ok(count @ 1..) = submitted.check() {
        rewind(sq, count as c_uint);
    }
    submitted
}

/// The SQEs taken so far, in a ring that rewinds. There is nothing to publish there.
#[inline(always)]
pub(super) fn taken<K>(sq: Sq<K>) -> Batch {
    Batch(sq.tail())
}

/// Gives `batch` to the kernel, without waiting although `wait_nr` are asked for, for that many completions are there.
/// Returns 0 or an error.
#[inline(never)]
pub(crate) fn submit_published<K: Kernel>(ring: Ring<K>, batch: Batch, wait_nr: c_uint) -> Ret {
    match sq_needs_enter(ring, batch) {
        Some(wake) => {
            let flags = ring.enter_flags() | wake;
            match enter(ring, batch, wait_nr, flags, Until::AVAILABLE).check() {
                Ok(_) => Ret::DONE,
                Err(error) => error.into(),
            }
        }
        None => Ret::DONE,
    }
}

/// Waits until the submission thread has freed an SQ slot.
#[inline]
pub fn wait_for_room<K: Kernel>(ring: Ring<K>) -> Ret {
    let flags = IORING_ENTER_SQ_WAIT | ring.enter_flags();
    enter(ring, Batch::EMPTY, 0, flags, Until::AVAILABLE)
}
