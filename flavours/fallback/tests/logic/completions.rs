//! Posting: order, room, the overflow list, completions kept back, and who is woken.

use std::collections::VecDeque;

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, nop, read, sqe, with_flags};
use super::{cases, kernel};
use crate::memory::Completion;
use crate::ring::Registered;

/// What a program and the library do with a CQ.
#[derive(Clone, Debug)]
enum Step {
    /// Posts one, of two slots where there are such.
    Post(bool),
    Take(usize),
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(Step::Post),
        2 => (1..6usize).prop_map(Step::Take),
        1 => Just(Step::Flush),
    ]
}

proptest! {
    #![proptest_config(cases(300))]

    /// Beside a queue that is never full: none is lost, none comes twice, and the order stays.
    #[test]
    fn a_full_queue_loses_nothing(kind in 0..3u32, start in any::<u32>(), steps in proptest::collection::vec(step(), 1..60)) {
        let _world = World::new();
        let flags = [0, IORING_SETUP_CQE32, IORING_SETUP_CQE_MIXED][kind as usize];
        let program = Program::with_cq(2, 4, flags);
        program.start_queues_at(start);
        let ring = program.ring();
        let mut expected = VecDeque::new();
        let mut posted = 0;
        for step in steps {
            match step {
                Step::Post(wide) => {
                    posted += 1;
                    let two = kind == 2 && wide;
                    let completion = Completion {
                        user_data: posted,
                        res: -(posted as i32),
                        flags: if two { IORING_CQE_F_32 } else { 0 },
                        big: [posted, posted],
                    };
                    ring.post_alone(completion, true);
                    expected.push_back(posted);
                }
                Step::Take(count) => {
                    for _ in 0..count {
                        let Some(cqe) = program.next() else { break };
                        prop_assert_eq!(Some(cqe.user_data), expected.pop_front());
                        prop_assert_eq!(cqe.res, -(cqe.user_data as i32));
                        if kind == 1 || cqe.flags & IORING_CQE_F_32 != 0 {
                            prop_assert_eq!(cqe.big, [cqe.user_data; 2]);
                        }
                    }
                }
                Step::Flush => {
                    let before = program.ready();
                    program.look();
                    prop_assert!(program.ready() >= before);
                }
            }
            // The flag says that some are outside of the queue.
            let outside = !ring.state.lock().overflow.is_empty();
            prop_assert_eq!(program.sq_flags() & IORING_SQ_CQ_OVERFLOW != 0, outside);
            prop_assert!(program.ready() <= 4);
        }
        while !expected.is_empty() {
            program.look();
            prop_assert_ne!(program.ready(), 0);
            while let Some(cqe) = program.next() {
                prop_assert_eq!(Some(cqe.user_data), expected.pop_front());
            }
        }
        program.look();
        prop_assert_eq!(program.take().len(), 0);
        prop_assert_eq!(program.sq_flags() & IORING_SQ_CQ_OVERFLOW, 0);
    }

    /// Threads that come and go: the word holds how many there are, and wanted is what the least modest of them wants.
    #[test]
    fn waiters_are_counted(steps in proptest::collection::vec(proptest::option::of(1..9u32), 1..30)) {
        let _world = World::new();
        let program = Program::with_cq(4, 8, 0);
        let ring = program.ring();
        let mut waiting = 0u64;
        let mut least = 0;
        for step in steps {
            match step {
                Some(wanted) => {
                    ring.announce(wanted);
                    least = if waiting == 0 { wanted } else { least.min(wanted) };
                    waiting += 1;
                }
                None => {
                    ring.retract();
                    waiting = waiting.saturating_sub(1);
                }
            }
            let word = ring.memory().waiters().load(std::sync::atomic::Ordering::Relaxed);
            prop_assert_eq!(word & 0xffff_ffff, waiting);
            if waiting > 0 {
                prop_assert_eq!((word >> 32) as u32, least);
            }
        }
    }
}

#[test]
fn waiters_are_woken_when_there_is_enough() {
    let _world = World::new();
    let program = Program::with_cq(4, 8, 0);
    let ring = program.ring();
    let tail = ring.memory().cq_tail().as_ptr().expose_provenance();
    let post = || {
        ring.post_alone(Completion::default(), true);
        kernel::woken().contains(&tail)
    };
    assert!(!post(), "nobody waits");
    ring.announce(3);
    assert!(!post(), "two are there, three are wanted");
    assert!(post());
    ring.announce(1);
    program.take();
    assert!(post(), "another thread wants one");
    ring.retract();
    ring.retract();
    assert!(!post(), "nobody waits any more");
}

#[test]
fn the_descriptor_is_readable_as_long_as_there_is_something() {
    let _world = World::new();
    let program = Program::with_cq(4, 4, 0);
    let readable = || kernel::count_of(program.fd) != 0;
    assert!(!readable());
    program.submit(&[nop(1)]);
    assert!(readable());
    assert_ne!(
        program.sq_flags() & IORING_SQ_TASKRUN,
        0,
        "an empty CQ leads into the library"
    );
    program.look();
    assert!(readable(), "it was not taken");
    program.take();
    program.look();
    assert!(!readable());
    assert_eq!(program.sq_flags() & IORING_SQ_TASKRUN, 0);
    // What found no room counts as well.
    program.submit(&[1, 2, 3, 4].map(nop));
    program.submit(&[nop(5)]);
    program.take();
    program.ring().quiet();
    assert!(readable());
    assert_eq!(program.results(), [(5, 0)]);
    program.look();
    assert!(!readable());
    // One that is taken before it is told of is nothing to wake for.
    let ring = program.ring();
    ring.post(&mut ring.state.lock(), Completion::default());
    program.take();
    ring.notify(&ring.state.lock(), true);
    assert!(!readable());
}

#[test]
fn a_registered_eventfd_is_told() {
    let _world = World::new();
    let program = Program::new(4, 0);
    // As `eventfd(2)` makes it. The name of the file in /proc, which is looked at else, is not simulated.
    let mut eventfd = crate::sys::eventfd();
    let copy = crate::sys::duplicate(eventfd, 0);
    let registered = |only_aside| Registered {
        copy,
        number: eventfd,
        only_aside,
    };
    program.ring().state.lock().eventfd = Some(registered(true));
    program.submit(&[nop(1)]);
    assert_eq!(kernel::count_of(eventfd), 0, "it completed at once");
    program.ring().post_alone(Completion::default(), true);
    assert_eq!(kernel::count_of(eventfd), 1);
    program.ring().state.lock().eventfd = Some(registered(false));
    program.submit(&[nop(2)]);
    assert_eq!(kernel::count_of(eventfd), 2);
    program.take();
    let flags = program.ring();
    flags.memory().cq_flags().store(
        IORING_CQ_EVENTFD_DISABLED,
        std::sync::atomic::Ordering::Relaxed,
    );
    program.submit(&[nop(3)]);
    assert_eq!(kernel::count_of(eventfd), 2, "it is muted");
    drop(flags);
    assert_eq!(
        program.register(IORING_UNREGISTER_EVENTFD, std::ptr::null_mut::<u8>(), 0),
        0
    );
    assert_eq!(
        program.register(IORING_UNREGISTER_EVENTFD, std::ptr::null_mut::<u8>(), 0),
        -libc::ENXIO
    );
    assert!(!kernel::is_open(copy));
    kernel::close(std::mem::replace(&mut eventfd, -1));
}

#[test]
fn completions_are_kept_until_the_owner_asks() {
    let _world = World::new();
    let program = Program::with_cq(
        4,
        8,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    );
    let ring = program.ring();
    let post = |user_data| {
        ring.post_alone(
            Completion {
                user_data,
                ..Completion::default()
            },
            true,
        )
    };
    kernel::become_thread(200);
    post(1);
    post(2);
    assert_eq!(program.ready(), 0, "another thread's stay back");
    assert_eq!(program.enter(0, 0, IORING_ENTER_GETEVENTS), -libc::EEXIST);
    assert_eq!(program.enter(1, 0, 0), -libc::EEXIST);
    kernel::become_thread(100);
    assert_eq!(program.results(), [(1, 0), (2, 0)]);
    kernel::become_thread(200);
    post(3);
    assert_eq!(program.ready(), 0, "once more");
    kernel::become_thread(100);
    assert_eq!(program.results(), [(3, 0)]);
}

#[test]
fn a_second_half_is_where_it_belongs() {
    let _world = World::new();
    let wide = |user_data: u64| {
        let mut sqe = nop(user_data);
        sqe.__anon3.nop_flags = IORING_NOP_CQE32;
        sqe.__anon1.off = user_data + 1;
        sqe.__anon2.addr = user_data + 2;
        sqe
    };
    let plain = Program::new(4, 0);
    assert_eq!(plain.enter(0, 0, 0), 0);
    plain.push(wide(1));
    plain.enter(1, 0, 0);
    assert_eq!(plain.next().map(|cqe| cqe.res), Some(-libc::EINVAL));
    drop(plain);
    for (flags, told) in [
        (IORING_SETUP_CQE32, 0),
        (IORING_SETUP_CQE_MIXED, IORING_CQE_F_32),
    ] {
        let program = Program::new(4, flags);
        program.submit(&[wide(10), nop(20), wide(30)]);
        let all = program.take();
        let big: Vec<_> = all
            .iter()
            .map(|cqe| (cqe.user_data, cqe.flags, cqe.big))
            .collect();
        assert_eq!(
            big,
            [(10, told, [11, 12]), (20, 0, [0, 0]), (30, told, [31, 32])]
        );
    }
}

#[test]
fn a_wait_ends_when_it_should() {
    let _world = World::new();
    let program = Program::with_cq(4, 4, 0);
    assert_eq!(program.enter(0, 0, IORING_ENTER_GETEVENTS), 0);
    program.submit(&[1, 2].map(nop));
    assert_eq!(program.enter(0, 2, IORING_ENTER_GETEVENTS), 0);
    // Never more than the queue holds.
    program.submit(&[3, 4].map(nop));
    assert_eq!(program.enter(0, 100, IORING_ENTER_GETEVENTS), 0);
    program.take();
    // Until a time.
    let mut time = __kernel_timespec {
        tv_sec: 2,
        tv_nsec: 5,
    };
    let argument = io_uring_getevents_arg {
        sigmask: 0,
        sigmask_sz: 8,
        min_wait_usec: 0,
        ts: (&raw mut time).expose_provenance() as u64,
    };
    let enter = |wanted, size| {
        let flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
        let at = (&raw const argument).cast();
        // SAFETY: the argument that the flag says it is.
        unsafe {
            <crate::seam::User as uring_core::kernel::Kernel>::enter(
                program.fd, 0, wanted, flags, at, size,
            )
        }
        .as_c()
    };
    assert_eq!(enter(1, 3), -libc::EINVAL, "no such structure");
    let before = kernel::now();
    assert_eq!(enter(1, size_of_val(&argument)), -libc::ETIME);
    assert_eq!(kernel::now() - before, 2_000_000_005);
    // What is there ends it as a success.
    program.submit(&[nop(5)]);
    assert_eq!(enter(2, size_of_val(&argument)), 0);
}

#[test]
fn multishot_ends_where_there_is_no_room() {
    let _world = World::new();
    let program = Program::with_cq(2, 2, 0);
    let (fd, _) = kernel::stream();
    let mut buffers = [[0u8; 1]; 8];
    let mut provide = sqe(IORING_OP_PROVIDE_BUFFERS, 1);
    provide.fd = 8;
    provide.__anon2.addr = buffers.as_mut_ptr().expose_provenance() as u64;
    provide.len = 1;
    assert_eq!(program.result_of(provide), 0);
    let mut receive = with_flags(
        read(2, fd, std::ptr::null_mut::<u8>(), 0),
        IOSQE_BUFFER_SELECT,
    );
    receive.opcode = IORING_OP_RECV as u8;
    receive.__anon1.off = 0;
    receive.ioprio = IORING_RECV_MULTISHOT as u16;
    program.submit(&[receive]);
    kernel::deliver(fd, b"abcde");
    // Two go into the queue, and the third is the last, which waits outside of it.
    program.look();
    let first = program.take();
    assert_eq!(first.len(), 2);
    assert!(first.iter().all(|cqe| cqe.flags & IORING_CQE_F_MORE != 0));
    program.look();
    let last = program.take();
    assert_eq!(last.len(), 1);
    assert_eq!(last[0].flags & IORING_CQE_F_MORE, 0);
    assert_eq!(program.results(), [], "it has ended");
}
