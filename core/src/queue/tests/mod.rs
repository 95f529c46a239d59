//! The queues on the simulated kernel.

mod by_request;
mod rewind;
mod signals;

use core::ptr;

use super::wait::{self, Limits};
use super::{complete, sqe, submit};
use crate::abi::cqe::*;
use crate::abi::enter::*;
use crate::abi::op::*;
use crate::abi::params::*;
use crate::abi::ring::{LIBURING_UDATA_TIMEOUT, io_uring};
use crate::abi::types::__kernel_timespec;
use crate::errno::{Errno, Result};
use crate::kernel::sim::{self, Call, Config, Sim};
use crate::ring::{exit, setup};

const SECOND: __kernel_timespec = __kernel_timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// A ring that gives itself up and must leave nothing.
pub(crate) struct Ring(Box<io_uring>);

impl Ring {
    pub(crate) fn new(config: Config, flags: u32) -> Ring {
        sim::reset(config);
        // SAFETY: integers and raw pointers only.
        let mut ring = Ring(Box::new(unsafe { core::mem::zeroed() }));
        let mut p = io_uring_params {
            flags,
            ..Default::default()
        };
        // SAFETY: the ring is ours.
        unsafe { setup::init::<Sim>(4, ring.ptr(), &mut p, None) }.expect("a ring");
        sim::take_calls();
        ring
    }

    pub(crate) fn ptr(&mut self) -> *mut io_uring {
        &raw mut *self.0
    }

    pub(crate) fn fd(&self) -> i32 {
        self.0.ring_fd
    }

    /// Takes an SQE for a request that moves `len` bytes.
    fn take(&mut self, user_data: u64, len: u32) -> bool {
        // SAFETY: the ring is set up and used by this thread alone.
        unsafe {
            let sqe = sqe::get(self.ptr());
            if sqe.is_null() {
                return false;
            }
            (*sqe).opcode = IORING_OP_READ as u8;
            (*sqe).len = len;
            (*sqe).user_data = user_data;
        }
        true
    }

    fn submit(&mut self) -> Result<i32> {
        // SAFETY: as above.
        unsafe { submit::submit::<Sim>(self.ptr(), 0, false) }
    }

    fn get(&mut self, to_submit: u32, wait_nr: u32) -> (Result<i32>, Option<(u64, i32)>) {
        let mut cqe = ptr::dangling_mut();
        // SAFETY: as above.
        let result = Errno::check(unsafe {
            wait::get_cqe::<Sim>(self.ptr(), &raw mut cqe, to_submit, wait_nr, ptr::null())
        });
        (result, seen(cqe))
    }

    /// The first completion, taken.
    fn next(&mut self) -> Option<(u64, i32)> {
        // SAFETY: as above; the CQE is read before it is given back.
        unsafe {
            let (cqe, _) = complete::peek(self.ptr());
            let found = seen(cqe);
            if found.is_some() {
                complete::advance(self.ptr(), complete::cqe_nr(cqe));
            }
            found
        }
    }

    fn batch(&mut self, count: usize) -> Vec<u64> {
        let mut cqes = vec![ptr::null_mut(); count];
        // SAFETY: as above; there is room for `count`, and what was written points to CQEs.
        unsafe {
            let found = complete::peek_batch::<Sim>(self.ptr(), cqes.as_mut_ptr(), count as u32);
            cqes[..found as usize]
                .iter()
                .map(|cqe| (**cqe).user_data)
                .collect()
        }
    }

    fn advance(&mut self, nr: u32) {
        // SAFETY: as above.
        unsafe { complete::advance(self.ptr(), nr) };
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: nothing uses the ring any more.
        unsafe { exit::exit::<Sim>(self.ptr()) };
        if !std::thread::panicking() {
            sim::assert_clean();
        }
    }
}

fn seen(cqe: *const io_uring_cqe) -> Option<(u64, i32)> {
    // SAFETY: null, or what a function here has found.
    (!cqe.is_null()).then(|| unsafe { ((*cqe).user_data, (*cqe).res) })
}

fn enters() -> Vec<(u32, u32, u32)> {
    let of = |call| match call {
        Call::Enter {
            to_submit,
            min_complete,
            flags,
            ..
        } => Some((to_submit, min_complete, flags)),
        _ => None,
    };
    sim::take_calls().into_iter().filter_map(of).collect()
}

fn within(ts: &__kernel_timespec) -> Limits {
    Limits {
        ts,
        min_wait_usec: 0,
        sigmask: ptr::null(),
    }
}

const FOR_EVER: Limits = Limits {
    ts: ptr::null(),
    min_wait_usec: 0,
    sigmask: ptr::null(),
};

#[test]
fn requests_go_and_completions_come_in_order() {
    for config in [Config::NEW, Config::OLD] {
        let mut ring = Ring::new(config, 0);
        for round in 0..10 {
            for n in 0..3 {
                assert!(ring.take(round * 3 + n, 100 + n as u32));
            }
            assert_eq!(ring.submit(), Ok(3));
            assert_eq!(enters(), [(3, 0, 0)]);
            for n in 0..3 {
                assert_eq!(ring.next(), Some((round * 3 + n, 100 + n as i32)));
            }
            assert_eq!(ring.next(), None);
        }
    }
}

#[test]
fn counters_wrap() {
    let mut ring = Ring::new(Config::NEW, 0);
    sim::start_counters_at(ring.fd(), u32::MAX - 1);
    (ring.0.sq.sqe_head, ring.0.sq.sqe_tail) = (u32::MAX - 1, u32::MAX - 1);
    for n in 0..8 {
        assert!(ring.take(n, 1) && ring.take(100 + n, 2));
        assert_eq!(ring.submit(), Ok(2));
        assert_eq!(ring.batch(8), [n, 100 + n]);
        ring.advance(2);
    }
}

#[test]
fn nothing_to_do_makes_no_call() {
    let mut ring = Ring::new(Config::NEW, 0);
    assert_eq!(ring.submit(), Ok(0));
    assert_eq!(ring.get(0, 0), (Err(Errno::EAGAIN), None));
    assert_eq!(ring.batch(4), []);
    assert_eq!(enters(), []);
}

#[test]
fn a_full_queue_gives_no_sqe_until_the_kernel_has_consumed() {
    let mut ring = Ring::new(Config::NEW, 0);
    sim::configure(|config| config.submit_limit = 3);
    for n in 0..4 {
        assert!(ring.take(n, 0));
    }
    assert!(!ring.take(4, 0));
    assert_eq!(ring.submit(), Ok(3));
    assert!(ring.take(4, 0) && ring.take(5, 0) && ring.take(6, 0));
    assert!(!ring.take(7, 0));
    // What an earlier call left goes first.
    assert_eq!(ring.submit(), Ok(3));
    assert_eq!(ring.submit(), Ok(1));
    assert_eq!(enters(), [(4, 0, 0), (4, 0, 0), (1, 0, 0)]);
    assert_eq!(ring.batch(8), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_refused_submission_is_not_lost() {
    let mut ring = Ring::new(Config::NEW, 0);
    assert!(ring.take(7, 70));
    sim::fail_after(0, Errno::EBUSY);
    assert_eq!(ring.submit(), Err(Errno::EBUSY));
    assert_eq!(ring.submit(), Ok(1));
    assert_eq!(ring.next(), Some((7, 70)));
    assert_eq!(ring.next(), None);
}

#[test]
fn a_submission_thread_is_called_only_when_asleep() {
    let mut ring = Ring::new(Config::NEW, IORING_SETUP_SQPOLL);
    assert!(ring.take(1, 10));
    assert_eq!(ring.submit(), Ok(1));
    assert_eq!(enters(), []);
    assert_eq!(sim::run_sq_thread(ring.fd()), 1);
    assert_eq!(ring.next(), Some((1, 10)));

    sim::set_sq_flags(ring.fd(), IORING_SQ_NEED_WAKEUP);
    assert_eq!(ring.submit(), Ok(0));
    assert_eq!(enters(), []);
    assert!(ring.take(2, 20));
    assert_eq!(ring.submit(), Ok(1));
    assert_eq!(enters(), [(1, 0, IORING_ENTER_SQ_WAKEUP)]);
    assert_eq!(ring.next(), Some((2, 20)));
}

#[test]
fn a_polled_ring_is_entered_for_completions() {
    let mut ring = Ring::new(Config::NEW, IORING_SETUP_IOPOLL);
    assert_eq!(ring.submit(), Ok(0));
    assert_eq!(ring.get(0, 0), (Err(Errno::EAGAIN), None));
    assert_eq!(enters(), [(0, 0, IORING_ENTER_GETEVENTS); 2]);
}

#[test]
fn overflown_completions_are_fetched() {
    let mut ring = Ring::new(Config::NEW, 0);
    for n in 0..10 {
        sim::post(ring.fd(), n, 0, 0);
    }
    assert_eq!(ring.batch(16), [0, 1, 2, 3, 4, 5, 6, 7]);
    ring.advance(8);
    assert_eq!(enters(), []);
    assert_eq!(ring.batch(16), [8, 9]);
    assert_eq!(enters(), [(0, 0, IORING_ENTER_GETEVENTS)]);
    ring.advance(2);
    assert_eq!(ring.batch(16), []);
    assert_eq!(enters(), []);

    for n in 0..9 {
        sim::post(ring.fd(), n, 0, 0);
    }
    ring.advance(8);
    assert_eq!(ring.submit(), Ok(0));
    assert_eq!(ring.next(), Some((8, 0)));
}

#[test]
fn pending_work_is_run_by_a_look() {
    let mut ring = Ring::new(
        Config::NEW,
        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_COOP_TASKRUN,
    );
    sim::set_sq_flags(ring.fd(), IORING_SQ_TASKRUN);
    assert_eq!(ring.get(0, 0), (Err(Errno::EAGAIN), None));
    assert_eq!(enters(), [(0, 0, IORING_ENTER_GETEVENTS)]);
    assert_eq!(ring.get(0, 0), (Err(Errno::EAGAIN), None));
    assert_eq!(enters(), []);
}

#[test]
fn waiting_submits_and_gets_the_first() {
    let mut ring = Ring::new(Config::NEW, 0);
    sim::configure(|config| config.hold_back = true);
    assert!(ring.take(1, 10) && ring.take(2, 20));
    // SAFETY: the ring is set up and used by this thread alone.
    let submitted = unsafe { submit::submit::<Sim>(ring.ptr(), 1, false) };
    assert_eq!(submitted, Ok(2));
    assert_eq!(enters(), [(2, 1, IORING_ENTER_GETEVENTS)]);
    // The simulated kernel completes the last one first.
    assert_eq!(ring.get(0, 2), (Ok(0), Some((2, 20))));
    assert_eq!(enters(), [(0, 2, IORING_ENTER_GETEVENTS)]);
    assert_eq!(ring.get(0, 2), (Ok(0), Some((2, 20))));
    assert_eq!(enters(), []);
    ring.advance(2);
    assert_eq!(ring.get(0, 1), (Err(Errno::EINTR), None));
}

#[test]
fn what_is_submitted_beside_enough_completions_is_not_counted() {
    let mut ring = Ring::new(Config::NEW, 0);
    assert!(ring.take(1, 10));
    assert_eq!(ring.submit(), Ok(1));
    assert!(ring.take(2, 20));
    enters();
    // SAFETY: the ring is set up and used by this thread alone.
    let pending = unsafe { submit::flush(ring.ptr()) };
    assert_eq!(ring.get(pending, 1), (Ok(0), Some((1, 10))));
    assert_eq!(enters(), [(1, 1, 0)]);
}

#[test]
fn time_passes() {
    let mut ring = Ring::new(Config::NEW, 0);
    let mut cqe = ptr::dangling_mut();
    // SAFETY: the ring is set up and used by this thread alone; the pointers are valid.
    let waited = Errno::check(unsafe {
        wait::wait_cqes::<Sim>(ring.ptr(), &raw mut cqe, 1, within(&SECOND))
    });
    assert_eq!((waited, seen(cqe)), (Err(Errno::ETIME), None));

    // What was submitted counts; that time has passed shows in there being no completion.
    sim::configure(|config| config.hold_back = true);
    assert!(ring.take(1, 10));
    // SAFETY: as above.
    let waited = Errno::check(unsafe {
        wait::submit_and_wait_timeout::<Sim>(ring.ptr(), &raw mut cqe, 2, within(&SECOND))
    });
    assert_eq!((waited, seen(cqe)), (Ok(1), Some((1, 10))));
    ring.advance(1);
    sim::take_calls();
    // SAFETY: as above.
    let waited = Errno::check(unsafe {
        wait::submit_and_wait_timeout::<Sim>(ring.ptr(), &raw mut cqe, 1, FOR_EVER)
    });
    assert_eq!((waited, seen(cqe)), (Err(Errno::EINTR), None));
    assert_eq!(enters(), [(0, 1, IORING_ENTER_GETEVENTS)]);
}

#[test]
fn limits_reach_the_kernel() {
    let mut ring = Ring::new(Config::NEW, 0);
    let mut cqe = ptr::null_mut();
    let limits = Limits {
        min_wait_usec: 50,
        ..within(&SECOND)
    };
    let ext = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    // SAFETY: the ring is set up and used by this thread alone; the pointers are valid.
    unsafe {
        let _ = wait::wait_cqes_min_timeout::<Sim>(ring.ptr(), &raw mut cqe, 3, limits);
        assert_eq!(enters(), [(0, 3, ext)]);
        let _ = wait::submit_and_wait_min_timeout::<Sim>(ring.ptr(), &raw mut cqe, 2, limits);
        assert_eq!(enters(), [(0, 2, ext)]);
        sim::fail_after(0, Errno::EFAULT);
        let waited = Errno::check(wait::submit_and_wait_reg::<Sim>(
            ring.ptr(),
            &raw mut cqe,
            1,
            5,
        ));
        assert_eq!(waited, Err(Errno::EFAULT));
    }
    let expected = Call::Enter {
        fd: ring.fd(),
        to_submit: 0,
        min_complete: 1,
        flags: ext | IORING_ENTER_EXT_ARG_REG,
        size: size_of::<io_uring_reg_wait>(),
    };
    assert_eq!(sim::take_calls(), [expected]);
}

#[test]
fn an_error_after_the_submission_does_not_hide_it() {
    let mut ring = Ring::new(Config::NEW, 0);
    sim::configure(|config| config.hold_back = true);
    assert!(ring.take(1, 10));
    // SAFETY: the ring is set up and used by this thread alone.
    let pending = unsafe { submit::flush(ring.ptr()) };
    sim::configure(|config| config.submit_limit = 1);
    sim::fail_after(1, Errno::EINTR);
    // One call submits and gets one completion of the two wanted; the next is interrupted.
    assert_eq!(ring.get(pending, 2).0, Ok(1));
    sim::reset_failure();
}

#[test]
fn large_completions_take_their_slots() {
    let mut ring = Ring::new(Config::NEW, IORING_SETUP_CQE32);
    for n in 0..20 {
        assert!(ring.take(n, n as u32));
        assert_eq!(ring.submit(), Ok(1));
        assert_eq!(ring.batch(4), [n]);
        assert_eq!(ring.next(), Some((n, n as i32)));
    }
}

#[test]
fn mixed_completions_and_fillers_are_told_apart() {
    let mut ring = Ring::new(Config::NEW, IORING_SETUP_CQE_MIXED);
    let fd = ring.fd();
    sim::post(fd, 1, 0, 0);
    sim::post(fd, 2, 0, IORING_CQE_F_32);
    sim::post(fd, 0, 0, IORING_CQE_F_SKIP);
    sim::post(fd, 3, 0, 0);
    // A filler goes only while it is first.
    assert_eq!(ring.batch(8), [1, 2]);
    ring.advance(3);
    assert_eq!(ring.batch(8), [3]);
    ring.advance(1);
    sim::post(fd, 0, 0, IORING_CQE_F_SKIP);
    sim::post(fd, 4, 40, IORING_CQE_F_32);
    assert_eq!(ring.next(), Some((4, 40)));
    assert_eq!(ring.next(), None);
}

#[test]
fn room_is_waited_for() {
    let mut ring = Ring::new(Config::NEW, IORING_SETUP_SQPOLL);
    // SAFETY: the ring is set up.
    assert_eq!(unsafe { submit::wait_for_room::<Sim>(ring.ptr()) }, Ok(0));
    // SAFETY: as above.
    assert_eq!(unsafe { complete::get_events::<Sim>(ring.ptr()) }, Ok(0));
    assert_eq!(
        enters(),
        [(0, 0, IORING_ENTER_SQ_WAIT), (0, 0, IORING_ENTER_GETEVENTS)]
    );
}
