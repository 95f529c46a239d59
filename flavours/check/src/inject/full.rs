//! A CQ without room.
//!
//! The kernel reads the CQ's head, which is the program's. While a call submits, the head is moved back by as much as
//! there is room, so that the kernel finds none: it keeps completions beside the CQ and sets `IORING_SQ_CQ_OVERFLOW`.
//! The program sees that when the call returns, and a call that fetches completions brings them in. The slots between
//! hold CQEs that the program has seen, and nobody writes to them.
//!
//! The kernel counts the room anew only when it has used up what it last found, so completions do not always overflow.

use std::cell::Cell;

use uring_core::abi::*;

use super::plan::{self, Kind};
use crate::process;
use crate::ring::{Counters, Ring};

/// A CQ that nobody but the thread under way reads.
#[derive(Clone, Copy)]
pub struct CqInUse(Counters);

thread_local! {
    static IN_USE: Cell<Option<CqInUse>> = const { Cell::new(None) };
}

/// The call under way is one on this ring, or there is none. Others that read the CQ meanwhile would read what they have
/// seen: other threads, and processes that have a copy of the ring. Then the ring is left alone, and in proxy mode, where
/// its head is not the kernel's.
pub fn calls_on(ring: Option<&Ring>) {
    let usable = ring.filter(|ring| {
        process::is_single_threaded()
            && ring.generation == process::generation()
            && ring.features & IORING_FEAT_NODROP != 0
            && !ring.has(IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL)
            && ring.proxy.is_none()
            && !ring.raced
    });
    IN_USE.set(usable.map(|ring| CqInUse(ring.cq)));
}

/// The CQ of the call under way, if it can be filled.
pub fn in_use() -> Option<CqInUse> {
    IN_USE.get()
}

/// Runs `submit` while the CQ has no room.
pub fn full<R>(cq: CqInUse, submit: impl FnOnce() -> R) -> R {
    let CqInUse(cq) = cq;
    let overflows = || cq.flags() & IORING_SQ_CQ_OVERFLOW != 0;
    let before = overflows();
    // A signal handler that reads CQEs would read old ones.
    let result = without_signals(|| {
        let head = cq.head();
        cq.move_head(cq.tail().wrapping_sub(cq.entries));
        let result = submit();
        cq.move_head(head);
        result
    });
    if overflows() && !before {
        plan::happened(Kind::Full);
    }
    result
}

fn without_signals<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: sets of signals, which zeros are, and which the C library fills in.
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) =
            (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let result = work();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        result
    }
}
