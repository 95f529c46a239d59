//! `io_uring_enter`'s wait.
//!
//! The word that threads sleep on is the CQ tail itself, with a futex that processes share: a program reads the tail
//! without a call, and other processes may wait on the ring's memory.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use uring_core::abi::*;

use crate::gather::{gather, gather_most};
use crate::lead::{Follower, Leader};
use crate::register::region;
use crate::ring::Ring;
use crate::sys::{self, sys};
use crate::{entered, poller};

/// How long a wait sleeps before it looks at the CQ again, where no thread would wake it.
const SLICE: u64 = 1_000_000;

/// When a wait ends without enough completions.
#[derive(Clone, Copy, Default)]
pub struct Limits {
    /// Absolute, on the monotonic clock.
    deadline: Option<u64>,
    /// From then on, one completion is enough. On the monotonic clock.
    min_deadline: Option<u64>,
    sigmask: Option<u64>,
    /// Timeout requests that had ended when the wait began: one more ends it.
    timeouts: u32,
}

impl Limits {
    /// What `io_uring_enter` was given.
    ///
    /// # Safety
    ///
    /// `arg` must be what `flags` says it is.
    pub unsafe fn read(
        ring: &Ring,
        flags: u32,
        arg: *const c_void,
        size: usize,
    ) -> Result<Limits, c_int> {
        let mut limits = Limits::default();
        if flags & IORING_ENTER_EXT_ARG_REG != 0 {
            if flags & IORING_ENTER_EXT_ARG == 0 || size != size_of::<io_uring_reg_wait>() {
                return Err(-libc::EINVAL);
            }
            let given = region::wait_argument(ring, arg.addr())?;
            if given.flags & !(IORING_REG_WAIT_TS as u32) != 0 {
                return Err(-libc::EINVAL);
            }
            // SAFETY: passed on to the caller.
            unsafe { limits.set_mask(given.sigmask, given.sigmask_sz) }?;
            limits.set_least(given.min_wait_usec);
            if given.flags & IORING_REG_WAIT_TS as u32 != 0 {
                limits.set_time(ring, flags, &given.ts);
            }
            return Ok(limits);
        }
        if flags & IORING_ENTER_EXT_ARG == 0 {
            if !arg.is_null() {
                if size != size_of::<u64>() {
                    return Err(-libc::EINVAL);
                }
                // SAFETY: a signal set of the kernel's size, says the caller.
                limits.sigmask = Some(unsafe { arg.cast::<u64>().read_unaligned() });
            }
            return Ok(limits);
        }
        if size != size_of::<io_uring_getevents_arg>() {
            return Err(-libc::EINVAL);
        }
        if arg.is_null() {
            return Err(-libc::EFAULT);
        }
        // SAFETY: the structure that the flag says it is.
        let given = unsafe { arg.cast::<io_uring_getevents_arg>().read_unaligned() };
        // SAFETY: passed on to the caller.
        unsafe { limits.set_mask(given.sigmask, given.sigmask_sz) }?;
        limits.set_least(given.min_wait_usec);
        if given.ts != 0 {
            // SAFETY: the caller vouches for the address.
            let time = unsafe {
                std::ptr::with_exposed_provenance::<__kernel_timespec>(given.ts as usize)
                    .read_unaligned()
            };
            limits.set_time(ring, flags, &time);
        }
        Ok(limits)
    }

    /// # Safety
    ///
    /// The address must be 0 or a signal set's.
    unsafe fn set_mask(&mut self, address: u64, size: u32) -> Result<(), c_int> {
        if address == 0 {
            return Ok(());
        }
        if size as usize != size_of::<u64>() {
            return Err(-libc::EINVAL);
        }
        let at = std::ptr::with_exposed_provenance::<u64>(address as usize);
        // SAFETY: as above.
        self.sigmask = Some(unsafe { at.read_unaligned() });
        Ok(())
    }

    fn set_least(&mut self, microseconds: u32) {
        if microseconds != 0 {
            let span = u64::from(microseconds) * 1000;
            self.min_deadline = Some(sys::monotonic().saturating_add(span));
        }
    }

    /// As in the kernel the nanoseconds may be more than a second, and a time that is negative is over.
    fn set_time(&mut self, ring: &Ring, flags: u32, time: &__kernel_timespec) {
        let seconds = time.tv_sec.saturating_mul(1_000_000_000);
        let time = seconds.saturating_add(time.tv_nsec).max(0) as u64;
        let span = if flags & IORING_ENTER_ABS_TIMER != 0 {
            let clock = sys::nanoseconds(&sys::now(ring.clock.load(Ordering::Relaxed)));
            time.saturating_sub(clock)
        } else {
            time
        };
        self.deadline = Some(sys::monotonic().saturating_add(span));
    }
}

/// Waits until `wanted` completions are there. Returns 0 or a negative error number.
pub fn wait(ring: &Arc<Ring>, wanted: u32, limits: Limits) -> c_int {
    if !ring.tells_work() {
        // A program that asks for what has happened, without a wait for it, may go on to change it. The poller's thread
        // may not have run meanwhile.
        if wanted == 0 {
            gather_most(ring);
        }
        return wait_for(ring, wanted, limits);
    }
    // What has happened by now is to be seen, whether or not another thread has looked.
    gather(ring);
    let (keeps, defers) = {
        let mut state = ring.state.lock();
        let keeps = state.keeps;
        ring.keep_nothing(&mut state);
        (keeps, !state.deferred.is_empty())
    };
    if defers {
        entered::go_on(ring);
    }
    let ret = wait_for(ring, wanted, limits);
    ring.state.lock().keeps = keeps;
    ret
}

fn wait_for(ring: &Arc<Ring>, wanted: u32, mut limits: Limits) -> c_int {
    // Relaxed: a timeout that ends now ends this wait or has its completion seen.
    limits.timeouts = ring.timeouts.load(Ordering::Relaxed);
    let wanted = wanted.min(ring.memory().cq_entries);
    {
        let mut state = ring.state.lock();
        ring.flush_overflow(&mut state);
    }
    if ring.ready() >= wanted {
        return 0;
    }
    let ret = match limits.sigmask {
        Some(mask) => masked(ring, wanted, limits, mask),
        None => sleep(ring, wanted, limits),
    };
    // What has happened by the end of its time is to be seen, whether or not another thread has looked: the time may have
    // been none.
    if ret == -libc::ETIME {
        gather_most(ring);
    }
    // Completions that came meanwhile take precedence over the reason why the wait ended.
    if ring.ready() != 0 { 0 } else { ret }
}

/// How a wait goes on.
enum Step {
    Over(c_int),
    Sleep(Option<u64>),
}

/// Whether enough is there by now, and else until when to sleep.
fn step(ring: &Arc<Ring>, wanted: u32, limits: &Limits) -> Step {
    entered::take_back(ring);
    let ready = ring.ready();
    if ready >= wanted || ring.timeouts.load(Ordering::Relaxed) != limits.timeouts && ready > 0 {
        return Step::Over(0);
    }
    if limits.deadline.is_none() && limits.min_deadline.is_none() {
        return Step::Sleep(None);
    }
    let now = sys::monotonic();
    if let Some(least) = limits.min_deadline {
        if now >= least {
            if ready > 0 {
                return Step::Over(0);
            }
        } else {
            return Step::Sleep(Some(least));
        }
    }
    match limits.deadline {
        Some(deadline) if now >= deadline => Step::Over(-libc::ETIME),
        deadline => Step::Sleep(deadline),
    }
}

fn sleep(ring: &Arc<Ring>, wanted: u32, limits: Limits) -> c_int {
    // After the least time one completion ends the wait, so its poster must wake.
    ring.announce(if limits.min_deadline.is_some() {
        1
    } else {
        wanted
    });
    let ret = loop {
        // Acquire: completions below the tail are there.
        let tail = ring.memory().cq_tail().load(Ordering::Acquire);
        let until = match step(ring, wanted, &limits) {
            Step::Over(ret) => break ret,
            Step::Sleep(until) => until,
        };
        let least = match limits.min_deadline {
            Some(least) if sys::monotonic() >= least => 1,
            _ => wanted,
        };
        match poller::attend(until).or_else(|| lead(ring, least, until)) {
            Some(0) => continue,
            Some(error) => break error,
            None => {}
        }
        let until = until.map(|time| (sys::timespec(time), false));
        let _follower = Follower::new();
        if sys::futex_wait(ring.memory().cq_tail(), tail, true, until) == -libc::EINTR {
            break -libc::EINTR;
        }
    };
    ring.retract();
    ret
}

/// A wait with a signal mask: the mask must change and the wait begin in one step, which `ppoll` does and a futex cannot.
fn masked(ring: &Arc<Ring>, wanted: u32, limits: Limits, mask: u64) -> c_int {
    let _follower = Follower::new();
    let eventfd = {
        let _state = ring.state.lock();
        let mut eventfd = ring.masked_wait.load(Ordering::Relaxed);
        if eventfd < 0 {
            eventfd = sys::apart(sys::eventfd());
            if eventfd < 0 {
                return eventfd;
            }
            ring.masked_wait.store(eventfd, Ordering::Relaxed);
        }
        ring.masked_waiters.fetch_add(1, Ordering::SeqCst);
        eventfd
    };
    let ret = loop {
        sys::eventfd_read(eventfd);
        let until = match step(ring, wanted, &limits) {
            Step::Over(ret) => break ret,
            Step::Sleep(until) => until,
        };
        let attended = poller::attend(Some(0)).is_some();
        // Another thread in such a wait may have read the signal that was meant for both.
        let until = match ring.masked_waiters.load(Ordering::Relaxed) {
            0 | 1 if !attended => until,
            _ => Some(
                until
                    .unwrap_or(u64::MAX)
                    .min(sys::monotonic().saturating_add(SLICE)),
            ),
        };
        let time = until.map(|until| sys::timespec(until.saturating_sub(sys::monotonic())));
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let mut slot = libc::pollfd {
            fd: eventfd,
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one slot, a time and a signal set, all on this stack.
        let polled = unsafe { sys!(SYS_ppoll, &raw mut slot, 1, time, &raw const mask, 8) };
        if polled as c_int == -libc::EINTR {
            break -libc::EINTR;
        }
    };
    ring.masked_waiters.fetch_sub(1, Ordering::SeqCst);
    if ring.masked_waiters.load(Ordering::SeqCst) != 0 {
        // Others may have slept on what was read here.
        sys::eventfd_write(eventfd);
    }
    ret
}

/// Waits for events once, no longer than until a time, in place of the poller's thread: until `wanted` completions are
/// there. Returns 0 or a negative error number. `None`: the caller cannot lead.
fn lead(ring: &Ring, wanted: u32, until: Option<u64>) -> Option<c_int> {
    if ring.shared.load(Ordering::Relaxed) {
        return None;
    }
    let leader = Leader::begin()?;
    let span = poller::begin_to_lead(until)?;
    ring.leader.store(sys::thread(), Ordering::SeqCst);
    // A poster stores the tail and then looks for a leader; here it is the other way round.
    fence(Ordering::SeqCst);
    let ret = if ring.ready() >= wanted {
        0
    } else {
        poller::round_once(span)
    };
    ring.leader.store(0, Ordering::SeqCst);
    leader.has_waited();
    Some(ret)
}
