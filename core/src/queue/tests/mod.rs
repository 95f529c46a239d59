//! The queues on the simulated kernel.

mod by_request;
mod rewind;
mod signals;

use core::ptr;

use super::complete::{self, Cqe};
use super::enter::Batch;
use super::wait::{self, Limits};
use super::{sqe, submit};
use crate::abi::cqe::*;
use crate::abi::enter::*;
use crate::abi::op::*;
use crate::abi::params::*;
use crate::abi::ring::{LIBURING_UDATA_TIMEOUT, io_uring};
use crate::abi::types::__kernel_timespec;
use crate::errno::{Errno, Result, Ret};
use crate::kernel::sim::{self, Call, Config, Sim};
use crate::out::{Out, Room};
use crate::ring::handle::{Cq, Sq, Whole};
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

    pub(crate) fn whole(&mut self) -> Whole<Sim> {
        // SAFETY: the ring is set up and used by this thread alone, as long as this value is there.
        unsafe { Whole::new(self.ptr()) }
    }

    pub(crate) fn sq(&mut self) -> Sq<Sim> {
        self.whole().sq()
    }

    pub(crate) fn cq(&mut self) -> Cq<Sim> {
        self.whole().cq()
    }

    pub(crate) fn fd(&self) -> i32 {
        self.0.ring_fd
    }

    /// Takes an SQE for a request that moves `len` bytes.
    fn take(&mut self, user_data: u64, len: u32) -> bool {
        let sqe = sqe::get(self.sq());
        if sqe.is_null() {
            return false;
        }
        // SAFETY: the SQE was just taken.
        unsafe {
            (*sqe).opcode = IORING_OP_READ as u8;
            (*sqe).len = len;
            (*sqe).user_data = user_data;
        }
        true
    }

    fn submit(&mut self) -> Result<i32> {
        submit::submit(self.sq(), 0, false).check()
    }

    fn get(&mut self, batch: Batch, wait_nr: u32) -> (Result<i32>, Option<(u64, i32)>) {
        self.wait(|ring, cqe| wait::get_cqe(ring.cq(), cqe, batch, wait_nr, ptr::null()))
    }

    /// What a wait returns, and the completion that it finds.
    fn wait(
        &mut self,
        wait: impl FnOnce(Whole<Sim>, Out<*mut io_uring_cqe>) -> Ret,
    ) -> (Result<i32>, Option<(u64, i32)>) {
        let mut cqe = ptr::dangling_mut();
        // SAFETY: the place outlives the wait.
        let ret = wait(self.whole(), unsafe { Out::new(&raw mut cqe) });
        (ret.check(), seen(cqe))
    }

    /// The first completion, taken.
    fn next(&mut self) -> Option<(u64, i32)> {
        let (cqe, _) = complete::peek(self.cq());
        let found = seen(cqe);
        if found.is_some() {
            // SAFETY: the CQE was just found.
            let slots = unsafe { Cqe::new(cqe) }.slots();
            self.advance(slots);
        }
        found
    }

    fn batch(&mut self, count: usize) -> Vec<u64> {
        let mut cqes = vec![ptr::null_mut(); count];
        // SAFETY: there is room for `count`.
        let room = unsafe { Room::new(cqes.as_mut_ptr(), count as u32) };
        let found = complete::peek_batch(self.cq(), room);
        cqes[..found as usize]
            .iter()
            .map(|cqe| seen(*cqe).expect("a completion").0)
            .collect()
    }

    fn advance(&mut self, nr: u32) {
        complete::advance(self.cq(), nr);
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
    assert_eq!(ring.get(Batch::EMPTY, 0), (Err(Errno::EAGAIN), None));
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
    assert_eq!(ring.get(Batch::EMPTY, 0), (Err(Errno::EAGAIN), None));
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
    assert_eq!(ring.get(Batch::EMPTY, 0), (Err(Errno::EAGAIN), None));
    assert_eq!(enters(), [(0, 0, IORING_ENTER_GETEVENTS)]);
    assert_eq!(ring.get(Batch::EMPTY, 0), (Err(Errno::EAGAIN), None));
    assert_eq!(enters(), []);
}

#[test]
fn waiting_submits_and_gets_the_first() {
    let mut ring = Ring::new(Config::NEW, 0);
    sim::configure(|config| config.hold_back = true);
    assert!(ring.take(1, 10) && ring.take(2, 20));
    assert_eq!(submit::submit(ring.sq(), 1, false).check(), Ok(2));
    assert_eq!(enters(), [(2, 1, IORING_ENTER_GETEVENTS)]);
    // The simulated kernel completes the last one first.
    assert_eq!(ring.get(Batch::EMPTY, 2), (Ok(0), Some((2, 20))));
    assert_eq!(enters(), [(0, 2, IORING_ENTER_GETEVENTS)]);
    assert_eq!(ring.get(Batch::EMPTY, 2), (Ok(0), Some((2, 20))));
    assert_eq!(enters(), []);
    ring.advance(2);
    assert_eq!(ring.get(Batch::EMPTY, 1), (Err(Errno::EINTR), None));
}

#[test]
fn what_is_submitted_beside_enough_completions_is_not_counted() {
    let mut ring = Ring::new(Config::NEW, 0);
    assert!(ring.take(1, 10));
    assert_eq!(ring.submit(), Ok(1));
    assert!(ring.take(2, 20));
    enters();
    let batch = submit::flush(ring.sq());
    assert_eq!(ring.get(batch, 1), (Ok(0), Some((1, 10))));
    assert_eq!(enters(), [(1, 1, 0)]);
}

#[test]
fn time_passes() {
    let mut ring = Ring::new(Config::NEW, 0);
    // SAFETY: the ring is used by this thread alone.
    let waited =
        ring.wait(|ring, cqe| unsafe { wait::wait_cqes(ring.cq(), cqe, 1, within(&SECOND)) });
    assert_eq!(waited, (Err(Errno::ETIME), None));

    // What was submitted counts; that time has passed shows in there being no completion.
    sim::configure(|config| config.hold_back = true);
    assert!(ring.take(1, 10));
    let waited =
        ring.wait(|ring, cqe| wait::submit_and_wait_timeout(ring, cqe, 2, within(&SECOND)));
    assert_eq!(waited, (Ok(1), Some((1, 10))));
    ring.advance(1);
    sim::take_calls();
    let waited = ring.wait(|ring, cqe| wait::submit_and_wait_timeout(ring, cqe, 1, FOR_EVER));
    assert_eq!(waited, (Err(Errno::EINTR), None));
    assert_eq!(enters(), [(0, 1, IORING_ENTER_GETEVENTS)]);
}

#[test]
fn limits_reach_the_kernel() {
    let mut ring = Ring::new(Config::NEW, 0);
    let limits = Limits {
        min_wait_usec: 50,
        ..within(&SECOND)
    };
    let ext = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    let _ = ring.wait(|ring, cqe| wait::wait_cqes_min_timeout(ring.cq(), cqe, 3, limits));
    assert_eq!(enters(), [(0, 3, ext)]);
    let _ = ring.wait(|ring, cqe| wait::submit_and_wait_min_timeout(ring, cqe, 2, limits));
    assert_eq!(enters(), [(0, 2, ext)]);
    sim::fail_after(0, Errno::EFAULT);
    let (waited, _) = ring.wait(|ring, cqe| wait::submit_and_wait_reg(ring, cqe, 1, 5));
    assert_eq!(waited, Err(Errno::EFAULT));
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
    let batch = submit::flush(ring.sq());
    sim::configure(|config| config.submit_limit = 1);
    sim::fail_after(1, Errno::EINTR);
    // One call submits and gets one completion of the two wanted; the next is interrupted.
    assert_eq!(ring.get(batch, 2).0, Ok(1));
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
    assert_eq!(submit::wait_for_room(*ring.sq()), Ret::DONE);
    assert_eq!(complete::get_events(*ring.cq()), Ret::DONE);
    assert_eq!(
        enters(),
        [(0, 0, IORING_ENTER_SQ_WAIT), (0, 0, IORING_ENTER_GETEVENTS)]
    );
}
