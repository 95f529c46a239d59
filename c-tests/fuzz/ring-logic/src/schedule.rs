//! Random schedules: whatever the kernel refuses, falls short of or holds back, no SQE is lost or submitted twice, no
//! CQE is seen twice, and no counter passes another.

use core::ffi::c_uint;
use core::ptr;
use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::abi::enter::IORING_ENTER_GETEVENTS;
use crate::abi::op::IORING_OP_NOP;
use crate::abi::params::*;
use crate::abi::register::IORING_REGISTER_RESIZE_RINGS;
use crate::abi::ring::io_uring;
use crate::abi::types::__kernel_timespec;
use crate::errno::{Errno, Result};
use crate::kernel::sim::{self, Config, Sim};
use crate::out::{Out, Room};
use crate::queue::complete::{self, Cqe};
use crate::queue::enter::Batch;
use crate::queue::wait::{self, Limits};
use crate::queue::{sqe, submit};
use crate::register::resize;
use crate::ring::handle::Whole;
use crate::ring::{exit, setup};

/// What a program, or the kernel, does next.
#[derive(Clone, Debug)]
enum Step {
    Take(u8),
    Submit,
    SubmitAndWait(u8),
    SubmitAndGetEvents,
    GetEvents,
    WaitForRoom,
    GetCqe(u8),
    Wait {
        nr: u8,
        timed: bool,
    },
    SubmitAndWaitFor {
        nr: u8,
        timed: bool,
    },
    WaitAtLeast(u8),
    Next,
    Batch(u8),
    Resize {
        sq: u8,
        cq: u8,
    },
    /// The kernel fails a call after so many.
    Fail {
        after: u8,
        errno: u8,
    },
    /// It consumes so many requests a call at most. Of what is published it takes one or says why not.
    FallShort(u8),
    HoldBack(bool),
    RunThread,
    ThreadSleeps,
}

/// Errors that the kernel's calls return.
const ERRORS: [Errno; 12] = [
    Errno::EINTR,
    Errno::EAGAIN,
    Errno::EBUSY,
    Errno::ENOMEM,
    Errno::EFAULT,
    Errno::EBADF,
    Errno::EEXIST,
    Errno::ETIME,
    Errno::EINVAL,
    Errno::EOPNOTSUPP,
    Errno::EOVERFLOW,
    Errno::EMFILE,
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..6u8).prop_map(Step::Take),
        3 => Just(Step::Submit),
        2 => (0..4u8).prop_map(Step::SubmitAndWait),
        1 => Just(Step::SubmitAndGetEvents),
        1 => Just(Step::GetEvents),
        1 => Just(Step::WaitForRoom),
        2 => (0..3u8).prop_map(Step::GetCqe),
        2 => (0..4u8, any::<bool>()).prop_map(|(nr, timed)| Step::Wait { nr, timed }),
        2 => (0..4u8, any::<bool>()).prop_map(|(nr, timed)| Step::SubmitAndWaitFor { nr, timed }),
        1 => (0..4u8).prop_map(Step::WaitAtLeast),
        5 => Just(Step::Next),
        2 => (1..6u8).prop_map(Step::Batch),
        1 => (1..20u8, 1..40u8).prop_map(|(sq, cq)| Step::Resize { sq, cq }),
        2 => (0..3u8, 0..ERRORS.len() as u8).prop_map(|(after, errno)| Step::Fail { after, errno }),
        1 => (1..5u8).prop_map(Step::FallShort),
        1 => any::<bool>().prop_map(Step::HoldBack),
        2 => Just(Step::RunThread),
        1 => Just(Step::ThreadSleeps),
    ]
}

#[derive(Clone, Debug)]
struct Kind {
    old: bool,
    /// The kernel reads SQE numbers from an array.
    array: bool,
    flags: u32,
    entries: u32,
    /// Where counters start.
    start: u32,
}

fn kind() -> impl Strategy<Value = Kind> {
    let flags = prop_oneof![
        3 => Just(0),
        1 => Just(IORING_SETUP_SQE128),
        1 => Just(IORING_SETUP_CQE32),
        1 => Just(IORING_SETUP_NO_SQARRAY),
        2 => Just(IORING_SETUP_SQPOLL),
        1 => Just(IORING_SETUP_IOPOLL),
    ];
    let start = prop_oneof![
        Just(0),
        (0..8u32).prop_map(|n| 0u32.wrapping_sub(n)),
        any::<u32>()
    ];
    (any::<bool>(), any::<bool>(), flags, 1..9u32, start).prop_map(
        |(old, array, flags, entries, start)| Kind {
            // Kernels of the time know no other flags.
            old: old && flags & !(IORING_SETUP_SQPOLL | IORING_SETUP_IOPOLL) == 0,
            array: array && flags & IORING_SETUP_NO_SQARRAY == 0,
            flags,
            entries,
            start,
        },
    )
}

/// A ring, and what it owes: requests by their number, from when they are taken until they are seen.
struct Program {
    ring: Box<io_uring>,
    next: u64,
    owed: BTreeSet<u64>,
    kind: Kind,
}

impl Program {
    fn new(kind: Kind) -> Program {
        let mut config = if kind.old { Config::OLD } else { Config::NEW };
        if kind.array {
            config.setup_flags &= !IORING_SETUP_NO_SQARRAY;
        }
        sim::reset(config);
        // SAFETY: integers and raw pointers only.
        let ring = Box::new(unsafe { core::mem::zeroed() });
        let mut program = Program {
            ring,
            next: 1,
            owed: BTreeSet::new(),
            kind,
        };
        let mut p = io_uring_params {
            flags: program.kind.flags,
            ..Default::default()
        };
        // SAFETY: the ring is ours.
        unsafe { setup::init::<Sim>(program.kind.entries, program.ptr(), &mut p, None) }
            .expect("a ring");
        let fd = program.ring.ring_fd;
        sim::start_counters_at(fd, program.kind.start);
        program.ring.sq.sqe_head = program.kind.start;
        program.ring.sq.sqe_tail = program.kind.start;
        sim::on_register(|fd, opcode, arg, _| {
            assert_eq!(opcode, IORING_REGISTER_RESIZE_RINGS as c_uint);
            // SAFETY: that is what this opcode takes.
            sim::resize(fd, unsafe {
                &mut *arg.cast_mut().cast::<io_uring_params>()
            })
            .map(|()| 0)
        });
        program
    }

    fn ptr(&mut self) -> *mut io_uring {
        &raw mut *self.ring
    }

    fn whole(&mut self) -> Whole<Sim> {
        // SAFETY: the ring is set up and used by this thread alone.
        unsafe { Whole::new(self.ptr()) }
    }

    fn polled(&self) -> bool {
        self.kind.flags & IORING_SETUP_SQPOLL != 0
    }

    /// SQ head, CQ head and CQ tail.
    fn counters(&self) -> (u32, u32, u32) {
        // SAFETY: the ring is set up, and the simulated kernel runs in this thread only.
        unsafe {
            (
                *self.ring.sq.khead,
                *self.ring.cq.khead,
                *self.ring.cq.ktail,
            )
        }
    }

    fn take(&mut self, nr: u8) {
        for _ in 0..nr {
            let sqe = sqe::get(self.whole().sq());
            if sqe.is_null() {
                let used = self.ring.sq.sqe_tail.wrapping_sub(self.counters().0);
                assert_eq!(
                    used, self.ring.sq.ring_entries,
                    "no SQE though there is room"
                );
                return;
            }
            // SAFETY: the SQE was just taken.
            unsafe {
                sqe.write_bytes(0, 1);
                (*sqe).opcode = IORING_OP_NOP as u8;
                (*sqe).user_data = self.next;
            }
            self.owed.insert(self.next);
            self.next += 1;
        }
    }

    /// A submission tells how many requests the kernel has consumed, and an error that it has consumed none.
    fn submit(&mut self, wait_nr: u8, reap: bool) {
        let head = self.counters().0;
        let result = submit::submit(self.whole().sq(), wait_nr.into(), reap).check();
        let consumed = self.counters().0.wrapping_sub(head);
        match result {
            Ok(count) if self.polled() => assert!(count >= 0),
            Ok(count) => assert_eq!(consumed, count as u32, "consumed and told"),
            Err(_) => assert!(consumed == 0, "an error, though {consumed} were consumed"),
        }
    }

    fn seen(&mut self, user_data: u64) {
        assert!(
            self.owed.remove(&user_data),
            "CQE {user_data} is nobody's, or was seen before"
        );
    }

    fn next(&mut self) -> bool {
        let cq = self.whole().cq();
        let (cqe, _) = complete::peek(cq);
        if cqe.is_null() {
            return false;
        }
        assert!(complete::available(*cq) > 0);
        // SAFETY: the CQE is published, and is read before it is given back.
        let (user_data, slots) = unsafe { ((*cqe).user_data, Cqe::new(cqe).slots()) };
        complete::advance(cq, slots);
        self.seen(user_data);
        true
    }

    fn batch(&mut self, nr: u8) {
        if self.kind.old {
            // Timeouts of the library's own may be among them, which only a look at one takes away.
            self.next();
            return;
        }
        let mut cqes = vec![ptr::null_mut(); nr.into()];
        // SAFETY: there is room for `nr`.
        let room = unsafe { Room::new(cqes.as_mut_ptr(), nr.into()) };
        let found = complete::peek_batch(self.whole().cq(), room);
        assert!(found <= nr.into());
        for cqe in &cqes[..found as usize] {
            // SAFETY: a CQE that was found, and is not given back yet.
            self.seen(unsafe { (**cqe).user_data });
        }
        complete::advance(self.whole().cq(), found);
    }

    fn wait(&mut self, step: &Step) {
        let short = __kernel_timespec {
            tv_sec: 0,
            tv_nsec: 1000,
        };
        let limits = |timed| Limits {
            ts: if timed { &raw const short } else { ptr::null() },
            min_wait_usec: 0,
            sigmask: ptr::null(),
        };
        let mut cqe = ptr::dangling_mut();
        // SAFETY: the place outlives the wait.
        let place = unsafe { Out::new(&raw mut cqe) };
        let ring = self.whole();
        let _ = match *step {
            Step::GetCqe(nr) => {
                wait::get_cqe(ring.cq(), place, Batch::EMPTY, nr.into(), ptr::null())
            }
            // SAFETY: the ring is used by this thread alone.
            Step::Wait { nr, timed } => unsafe {
                wait::wait_cqes(ring.cq(), place, nr.into(), limits(timed))
            },
            Step::SubmitAndWaitFor { nr, timed } => {
                wait::submit_and_wait_timeout(ring, place, nr.into(), limits(timed))
            }
            Step::WaitAtLeast(nr) => {
                wait::wait_cqes_min_timeout(ring.cq(), place, nr.into(), limits(true))
            }
            _ => unreachable!(),
        };
        // SAFETY: null, or a CQE that is ready.
        if let Some(cqe) = (cqe != ptr::dangling_mut())
            .then_some(cqe)
            .filter(|cqe| !cqe.is_null())
        {
            let user_data = unsafe { (*cqe).user_data };
            assert!(
                self.owed.contains(&user_data),
                "CQE {user_data} is nobody's, or was seen before"
            );
        }
    }

    /// The rings could not be mapped after the kernel had exchanged them. Until that succeeds they are not to be used.
    fn is_shut(&self) -> bool {
        self.ring.enter_ring_fd == -1
    }

    fn run(&mut self, step: &Step) {
        let fd = self.ring.ring_fd;
        if self.is_shut() && !matches!(step, Step::Resize { .. }) {
            return;
        }
        match *step {
            Step::Take(nr) => self.take(nr),
            Step::Submit => self.submit(0, false),
            Step::SubmitAndWait(nr) => self.submit(nr, false),
            Step::SubmitAndGetEvents => self.submit(0, true),
            Step::GetEvents => {
                let _ = complete::get_events(self.whole().ring());
            }
            Step::WaitForRoom => {
                let _ = submit::wait_for_room(self.whole().ring());
            }
            Step::Next => drop(self.next()),
            Step::Batch(nr) => self.batch(nr),
            Step::Resize { sq, cq } if !self.polled() && !self.kind.old => {
                let mut p = io_uring_params {
                    flags: IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
                    sq_entries: sq.into(),
                    cq_entries: cq.into(),
                    ..Default::default()
                };
                // SAFETY: the parameters are this function's.
                let _ = unsafe { resize::resize(self.whole(), &mut p) };
            }
            Step::Resize { .. } => (),
            Step::Fail { after, errno } => sim::fail_after(after.into(), ERRORS[errno as usize]),
            Step::FallShort(limit) => sim::configure(|c| c.submit_limit = limit.into()),
            Step::HoldBack(yes) => sim::configure(|c| c.hold_back = yes),
            Step::RunThread if self.polled() => drop(sim::run_sq_thread(fd)),
            Step::ThreadSleeps if self.polled() => sim::set_sq_flags(fd, IORING_SQ_NEED_WAKEUP),
            Step::RunThread | Step::ThreadSleeps => (),
            _ => self.wait(step),
        }
        if !self.is_shut() {
            self.check_counters();
        }
    }

    fn check_counters(&self) {
        let (sq_head, cq_head, cq_tail) = self.counters();
        // SAFETY: as in `counters`.
        let sq_tail = unsafe { *self.ring.sq.ktail };
        let (sq, cq) = (&self.ring.sq, &self.ring.cq);
        let taken = sq.sqe_tail.wrapping_sub(sq_head);
        assert!(
            taken <= sq.ring_entries,
            "{taken} SQEs in use of {}",
            sq.ring_entries
        );
        assert!(
            sq_tail.wrapping_sub(sq_head) <= taken,
            "more published than taken"
        );
        let ready = cq_tail.wrapping_sub(cq_head);
        assert!(
            ready <= cq.ring_entries,
            "{ready} CQEs ready of {}",
            cq.ring_entries
        );
    }

    /// With a kernel that does as it is told, all that was taken is seen.
    fn finish(&mut self) {
        let fd = self.ring.ring_fd;
        sim::reset_failure();
        sim::configure(|c| (c.submit_limit, c.hold_back) = (u32::MAX, false));
        if self.is_shut() {
            self.run(&Step::Resize { sq: 64, cq: 128 });
        }
        for _ in 0..200 {
            self.run(&Step::Submit);
            if self.polled() {
                sim::run_sq_thread(fd);
            }
            // SAFETY: as above. What was held back is shown to those who wait.
            let _ = unsafe { Self::wait_for_all(fd) };
            self.run(&Step::GetEvents);
            while self.next() {}
            if self.owed.is_empty() {
                return;
            }
        }
        panic!("requests {:?} were lost", self.owed);
    }

    unsafe fn wait_for_all(fd: i32) -> Result<i32> {
        use crate::kernel::Kernel;
        // SAFETY: no argument is passed.
        unsafe { Sim::enter(fd, 0, c_uint::MAX, IORING_ENTER_GETEVENTS, ptr::null(), 0) }.check()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        sim::reset_failure();
        // SAFETY: nothing uses the ring any more.
        unsafe { exit::exit::<Sim>(self.ptr()) };
        if !std::thread::panicking() {
            sim::assert_clean();
        }
    }
}

fn cases() -> u32 {
    std::env::var("SCHEDULES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(20_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(kind in kind(), steps in prop::collection::vec(step(), 1..60)) {
        let mut program = Program::new(kind);
        for step in &steps {
            program.run(step);
        }
        program.finish();
    }
}
