//! A ring as one thread sees it, and whether that thread must enter the kernel for events to come.
//!
//! Two kinds of events do not come by themselves: those of a ring that polls for completions, and the backlog, for
//! which the CQ ring had no room.

use uring_core::abi::params::IORING_SQ_CQ_OVERFLOW;
use uring_core::abi::ring::io_uring;
use uring_core::queue::complete;
use uring_core::ring::handle::Ring as Kring;

use crate::hidden_fd::HiddenFd;
use crate::overflow;
use crate::ring::Ring;

/// A ring as one thread sees it.
pub struct View<'a> {
    ring: &'a Ring,
    /// The kernel ring, or the polling thread's copy of it.
    kring: Kring<()>,
}

impl<'a> View<'a> {
    /// `ring`, with `kring` as the description of the kernel ring.
    ///
    /// # Safety
    ///
    /// `kring` is set up, and describes the kernel ring of `ring`. It stays valid for reads while this value is used.
    pub unsafe fn new(ring: &'a Ring, kring: *mut io_uring) -> View<'a> {
        // SAFETY: the caller promises that `kring` is set up and stays so.
        let kring = unsafe { Kring::new(kring) };
        View { ring, kring }
    }

    /// The ring.
    #[inline(always)]
    pub fn ring(&self) -> &'a Ring {
        self.ring
    }

    /// The kernel ring. Its SQ side is the thread's that consumes the program's SQ ring.
    #[inline(always)]
    pub fn kring(&self) -> *mut io_uring {
        self.kring.as_ptr()
    }

    /// Whether the kernel keeps events for which the CQ ring had no room.
    pub fn has_backlog(&self) -> bool {
        // Relaxed: a hint, on whose strength nothing is read.
        self.kring.kernel_flags().load_relaxed() & IORING_SQ_CQ_OVERFLOW != 0
    }

    /// Adds new events of the backlog to the `overflow` counter of the CQ ring. `fdinfo` is the polling thread's open
    /// file; a call opens one.
    pub fn count_overflow(&self, fdinfo: Option<&HiddenFd>) {
        // SAFETY: `kring` is set up.
        unsafe { overflow::count(self.ring, self.kring.as_ptr(), fdinfo) };
    }

    /// Whether a thread must enter the kernel for events to come: they are polled for, or there is a backlog and room
    /// for some of it.
    pub fn needs_kernel(&self) -> bool {
        (self.ring.iopoll && !self.is_idle()) || (self.has_backlog() && self.has_room())
    }

    /// Whether the CQ ring has room for an event.
    pub fn has_room(&self) -> bool {
        complete::available(self.kring) < self.kring.cq_entries()
    }

    /// Whether more events are pending or in the CQ ring than it has entries.
    pub fn may_overflow(&self) -> bool {
        // Relaxed: the caller asks again and again, so a stale value does no harm. Each SQE gives one event.
        let taken = self.kring.cq_head().load_relaxed();
        let submitted = self.kring.sq_head().load_relaxed();
        submitted.wrapping_sub(taken) > self.kring.cq_entries()
    }

    /// Whether no request is under way whose completion has to be polled for.
    pub fn is_idle(&self) -> bool {
        // Relaxed: as in `may_overflow`.
        let posted = self.kring.cq_tail().load_relaxed();
        let without_event = self.kring.sq_head().load_relaxed().wrapping_sub(posted);
        // Each SQE gives one event. It may be in the backlog.
        !self.ring.iopoll || without_event == overflow::backlog(self.ring)
    }
}

/// Whether entering the kernel may bring events that do not come by themselves.
#[cfg(not(feature = "preload"))]
pub fn may_find_more(ring: &Ring) -> bool {
    // SAFETY: a `Ring` that others find is set up.
    let kring = unsafe { Kring::<()>::new((&raw const ring.kring).cast_mut()) };
    // Relaxed: a hint.
    let flags = kring.kernel_flags().load_relaxed();
    ring.iopoll || flags & IORING_SQ_CQ_OVERFLOW != 0
}
