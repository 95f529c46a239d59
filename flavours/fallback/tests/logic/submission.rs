//! Taking SQEs in: how many, which are refused, those of two slots, and copies of what they point to.

use std::ptr;

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, nop, nop_with, poll, read, sqe, transfer, with_flags};
use super::{cases, kernel};

/// An SQE that no ring takes.
fn invalid(user_data: u64) -> io_uring_sqe {
    let mut sqe = nop(user_data);
    sqe.opcode = u8::MAX;
    sqe
}

proptest! {
    #![proptest_config(cases(200))]

    /// A submission ends after an SQE that is refused, unless it is to take all. Each that was taken completes once.
    #[test]
    fn as_many_are_taken_as_should_be(
        valid in proptest::collection::vec(any::<bool>(), 1..8),
        asked in 0..10u32,
        all in any::<bool>(),
        start in any::<u32>(),
    ) {
        let _world = World::new();
        let program = Program::new(8, if all { IORING_SETUP_SUBMIT_ALL } else { 0 });
        program.start_queues_at(start);
        for (data, valid) in (0..).zip(&valid) {
            program.push(if *valid { nop(data) } else { invalid(data) });
        }
        let limit = valid.len().min(asked as usize);
        let stop = valid.iter().take(limit).position(|valid| !valid).filter(|_| !all);
        let taken = stop.map_or(limit, |at| at + 1);
        prop_assert_eq!(program.enter(asked, 0, 0), taken as i32);
        prop_assert_eq!(program.sq_head().wrapping_sub(start), taken as u32);
        let results: Vec<_> = program.take().iter().map(|cqe| (cqe.user_data, cqe.res)).collect();
        let expected: Vec<_> = (0..)
            .zip(valid.iter().take(taken))
            .map(|(data, valid)| (data, if *valid { 0 } else { -libc::EINVAL }))
            .collect();
        prop_assert_eq!(results, expected);
    }
}

/// Where the kernel has a thread that submits, nothing stays in the queue. A chain ends where there is no SQE.
#[test]
fn a_thread_of_the_kernels_takes_all() {
    let _world = World::new();
    let program = Program::new(8, IORING_SETUP_SQPOLL);
    program.push(invalid(1));
    program.push(nop(2));
    program.push(with_flags(nop_with(3, -5), IOSQE_IO_LINK));
    program.name_slot(8);
    program.push(nop(4));
    program.enter(5, 0, 0);
    assert_eq!(program.dropped(), 1);
    assert_eq!(
        program.results(),
        [(1, -libc::EINVAL), (2, 0), (3, -5), (4, 0)]
    );
    assert_eq!(program.result_of(nop(5)), 0);
}

#[test]
fn what_no_request_may_have() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let refused = |sqe: io_uring_sqe| {
        program.push(sqe);
        assert_eq!(program.enter(1, 0, 0), 1);
        program.next().expect("a completion").res
    };
    assert_eq!(refused(with_flags(nop(1), 1 << 7)), -libc::EINVAL);
    assert_eq!(
        refused(with_flags(nop(1), IOSQE_BUFFER_SELECT)),
        -libc::EOPNOTSUPP
    );
    let both = IOSQE_CQE_SKIP_SUCCESS | IOSQE_IO_DRAIN;
    assert_eq!(refused(with_flags(nop(1), both)), -libc::EOPNOTSUPP);
    let mut other = nop(1);
    other.ioprio = 1;
    assert_eq!(refused(other), -libc::EINVAL);
    let mut other = nop(1);
    other.personality = 7;
    assert_eq!(refused(other), -libc::EINVAL);
    let mut other = nop(1);
    other.__anon3.nop_flags = 1 << 30;
    assert_eq!(refused(other), -libc::EINVAL);
    assert_eq!(
        refused(with_flags(poll(1, 3, libc::POLLIN), IOSQE_FIXED_FILE)),
        -libc::EBADF
    );
    assert_eq!(program.take(), []);
}

#[test]
fn a_successful_request_may_be_silent() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let silent = |sqe| with_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
    let results = program.results_of(&[
        silent(nop(1)),
        silent(nop_with(2, -5)),
        nop(3),
        silent(nop_with(4, 9)),
    ]);
    assert_eq!(results, [(2, -5), (3, 0)]);
}

#[test]
fn sqes_of_two_slots() {
    let _world = World::new();
    let double = |user_data| sqe(IORING_OP_NOP128, user_data);
    let program = Program::new(4, 0);
    program.push(double(1));
    program.enter(1, 0, 0);
    assert_eq!(
        program.next().map(|cqe| cqe.res),
        Some(-libc::EINVAL),
        "there are no such slots"
    );
    drop(program);
    let program = Program::new(4, IORING_SETUP_SQE128);
    assert_eq!(program.results_of(&[double(1), nop(2)]), [(1, 0), (2, 0)]);
    drop(program);
    let program = Program::new(4, IORING_SETUP_SQE_MIXED);
    // The second slot is passed over, whatever it holds.
    let hole = invalid(99);
    assert_eq!(
        program.results_of(&[double(1), hole, nop(2)]),
        [(1, 0), (2, 0)]
    );
    // It would be split: the second half is in the queue's first slot.
    program.push(double(3));
    program.push(nop(4));
    assert_eq!(program.enter(2, 0, 0), 1);
    assert_eq!(
        program
            .take()
            .iter()
            .map(|cqe| (cqe.user_data, cqe.res))
            .collect::<Vec<_>>(),
        [(3, -libc::EINVAL)]
    );
    assert_eq!(program.enter(1, 0, 0), 1);
    assert_eq!(program.results(), [(4, 0)]);
    // The second half was not submitted.
    program.push(double(5));
    assert_eq!(program.enter(1, 0, 0), 1);
    assert_eq!(program.results(), [(5, -libc::EINVAL)]);
}

#[test]
fn a_queue_that_rewinds_begins_anew() {
    let _world = World::new();
    let program = Program::new(4, IORING_SETUP_NO_SQARRAY | IORING_SETUP_SQ_REWIND);
    for round in 0..3 {
        program.write_sqe(0, &nop(round));
        program.write_sqe(1, &nop(round + 10));
        assert_eq!(program.enter(2, 0, 0), 2);
        assert_eq!(program.results(), [(round, 0), (round + 10, 0)]);
        assert_eq!(program.sq_head(), 0);
    }
}

#[test]
fn the_ring_is_entered_only_in_ways_that_there_are() {
    let _world = World::new();
    let program = Program::new(4, IORING_SETUP_R_DISABLED);
    assert_eq!(program.enter(0, 0, 0), -libc::EBADFD);
    let enable = || program.register(IORING_REGISTER_ENABLE_RINGS, ptr::null_mut::<u8>(), 0);
    assert_eq!(enable(), 0);
    assert_eq!(enable(), -libc::EBADFD);
    assert_eq!(program.enter(0, 0, 1 << 30), -libc::EINVAL);
    assert_eq!(program.enter(0, 0, 0), 0);
    // The one who enables it owns it.
    let program = Program::new(4, IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER);
    kernel::become_thread(300);
    assert_eq!(
        program.register(IORING_REGISTER_ENABLE_RINGS, ptr::null_mut::<u8>(), 0),
        0
    );
    program.submit(&[nop(1)]);
    kernel::become_thread(100);
    program.push(nop(2));
    assert_eq!(program.enter(1, 0, 0), -libc::EEXIST);
    assert_eq!(
        program.register(IORING_UNREGISTER_FILES, ptr::null_mut::<u8>(), 0),
        -libc::EEXIST
    );
    kernel::become_thread(300);
}

/// What a request points to may change once it is submitted.
#[test]
fn arguments_are_copied() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let (mut here, mut elsewhere) = ([0u8; 4], [0u8; 4]);
    let mut vector = [
        libc::iovec {
            iov_base: here.as_mut_ptr().cast(),
            iov_len: 2,
        },
        libc::iovec {
            iov_base: here.as_mut_ptr().wrapping_add(2).cast(),
            iov_len: 2,
        },
    ];
    let mut readv = transfer(IORING_OP_READV, 1, fd, vector.as_mut_ptr(), 2);
    readv.__anon1.off = u64::MAX;
    program.submit(&[readv]);
    assert_eq!(program.results(), []);
    for piece in &mut vector {
        *piece = libc::iovec {
            iov_base: elsewhere.as_mut_ptr().cast(),
            iov_len: 4,
        };
    }
    kernel::deliver(fd, b"abcd");
    assert_eq!(program.results(), [(1, 4)]);
    assert_eq!((&here, &elsewhere), (b"abcd", &[0; 4]));
    // A message's header and vector.
    let mut piece = libc::iovec {
        iov_base: here.as_mut_ptr().cast(),
        iov_len: 4,
    };
    // SAFETY: a structure of numbers and pointers, for which zero bytes are a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut piece, 1);
    program.submit(&[transfer(IORING_OP_RECVMSG, 2, fd, &raw mut message, 1)]);
    (message.msg_iov, message.msg_iovlen) = (ptr::null_mut(), 0);
    piece.iov_base = elsewhere.as_mut_ptr().cast();
    kernel::deliver(fd, b"efgh");
    assert_eq!(program.results(), [(2, 4)]);
    assert_eq!((&here, &elsewhere), (b"efgh", &[0; 4]));
    let _ = (message.msg_iovlen, piece.iov_len);
    // A time.
    let mut time = __kernel_timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    program.submit(&[transfer(IORING_OP_TIMEOUT, 3, -1, &raw mut time, 1)]);
    time.tv_sec = 1000;
    assert_eq!(program.results_after(1_000_000_000), [(3, -libc::ETIME)]);
    assert_eq!(time.tv_sec, 1000);
    // Of a member of a chain whose turn has not come, and of a request behind a drain.
    let mut byte = 0u8;
    time.tv_sec = 1;
    let wait = |data, time: &mut __kernel_timespec, flags| {
        with_flags(
            transfer(IORING_OP_TIMEOUT, data, -1, ptr::from_mut(time), 1),
            flags,
        )
    };
    let mut later = time;
    let first = with_flags(read(4, fd, &raw mut byte, 1), IOSQE_IO_LINK);
    program.submit(&[
        first,
        wait(5, &mut time, IOSQE_IO_HARDLINK),
        wait(6, &mut later, 0),
        wait(7, &mut time, IOSQE_IO_DRAIN),
    ]);
    (time.tv_sec, later.tv_sec) = (1000, 1000);
    kernel::deliver(fd, b"x");
    assert_eq!(program.results(), [(4, 1)]);
    for data in [5, 6, 7] {
        assert_eq!(program.results_after(1_000_000_000), [(data, -libc::ETIME)]);
    }
    assert_eq!((byte, time.tv_sec, later.tv_sec), (b'x', 1000, 1000));
}

/// A request that waits is on its file, not on the file's number.
#[test]
fn a_descriptor_that_is_closed_stays_open_for_requests() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, other) = kernel::stream();
    let mut byte = 0u8;
    program.submit(&[read(1, fd, &raw mut byte, 1)]);
    crate::life::before_close(fd, fd);
    kernel::close(fd);
    let again = kernel::any_file();
    assert_eq!(again, fd, "the number is another file's");
    let mut text = *b"y";
    let send = transfer(IORING_OP_SEND, 2, other, text.as_mut_ptr(), 1);
    assert_eq!(program.results_of(&[send]), [(2, 1), (1, 1)]);
    assert_eq!(byte, b'y');
    assert_eq!(kernel::names_of(again), 1);
}

/// All that a ring had goes with it, also what waits.
#[test]
fn a_ring_that_is_closed_leaves_nothing() {
    let _world = World::new();
    let (fd, _) = kernel::stream();
    let before = kernel::held();
    let mut time = __kernel_timespec {
        tv_sec: 1000,
        tv_nsec: 0,
    };
    let mut byte = 0u8;
    for round in 0..3 {
        let program = Program::new(8, 0);
        let requests = [
            read(1, fd, &raw mut byte, 1),
            poll(2, fd, libc::POLLIN),
            transfer(IORING_OP_TIMEOUT, 3, -1, &raw mut time, 1),
            with_flags(nop(4), IOSQE_IO_DRAIN),
        ];
        program.submit(&requests);
        assert_eq!(program.results(), [], "round {round}");
        let sets = kernel::held().0 - before.0;
        drop(program);
        // The three descriptors of the poller stay for the next ring.
        assert_eq!(kernel::held(), (before.0 + 3, before.1), "{sets} before");
        assert_eq!(kernel::names_of(fd), 1);
    }
}
