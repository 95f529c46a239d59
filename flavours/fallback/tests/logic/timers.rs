//! Timeouts: their order, their clocks, changing them, and those that count completions.

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, nop, transfer, with_flags};
use super::{cases, kernel};

const SECOND: u64 = 1_000_000_000;

fn time(nanoseconds: u64) -> __kernel_timespec {
    __kernel_timespec {
        tv_sec: (nanoseconds / SECOND) as i64,
        tv_nsec: (nanoseconds % SECOND) as _,
    }
}

fn timeout(user_data: u64, time: &mut __kernel_timespec, count: u64, flags: u32) -> io_uring_sqe {
    let mut sqe = transfer(
        IORING_OP_TIMEOUT,
        user_data,
        -1,
        std::ptr::from_mut(time),
        1,
    );
    sqe.__anon1.off = count;
    sqe.__anon3.timeout_flags = flags;
    sqe
}

/// Changes or removes the timeout of this name.
fn change(
    user_data: u64,
    of: u64,
    time: Option<&mut __kernel_timespec>,
    flags: u32,
) -> io_uring_sqe {
    let mut sqe = transfer(
        IORING_OP_TIMEOUT_REMOVE,
        user_data,
        -1,
        std::ptr::null_mut::<u8>(),
        0,
    );
    sqe.__anon2.addr = of;
    sqe.__anon3.timeout_flags = flags;
    if let Some(time) = time {
        sqe.__anon1.addr2 = std::ptr::from_mut(time).expose_provenance() as u64;
        sqe.__anon3.timeout_flags = flags | IORING_TIMEOUT_UPDATE;
    }
    sqe
}

proptest! {
    #![proptest_config(cases(300))]

    /// Beside a list that is sorted by time: each ends when its time has come, and not before.
    #[test]
    fn in_the_order_of_their_times(
        spans in proptest::collection::vec((1..50u64, 0..4u8), 1..10),
        changes in proptest::collection::vec((0..12u64, proptest::option::of(1..50u64)), 0..5),
        steps in proptest::collection::vec(1..20u64, 1..8),
    ) {
        let _world = World::new();
        let program = Program::with_cq(16, 64, 0);
        let start = kernel::now();
        let mut model = Vec::new();
        for (data, (span, clock)) in (0..).zip(spans) {
            let (ahead, flags) = match clock {
                0 => (None, 0),
                1 => (Some(0), IORING_TIMEOUT_ABS),
                2 => (Some(kernel::BOOTTIME_AHEAD), IORING_TIMEOUT_ABS | IORING_TIMEOUT_BOOTTIME),
                _ => (Some(kernel::REALTIME_AHEAD), IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME),
            };
            let mut time = time(ahead.map_or(0, |ahead| start + ahead) + span);
            program.submit(&[timeout(data, &mut time, 0, flags)]);
            model.push((start + span, data));
        }
        for (data, span) in changes {
            let known = model.iter().position(|(_, name)| *name == data);
            let expected = if known.is_some() { 0 } else { -libc::ENOENT };
            let mut new = time(span.unwrap_or(0));
            let mut results = program.results_of(&[change(99, data, span.is_some().then_some(&mut new), 0)]);
            let own = results.iter().position(|(data, _)| *data == 99);
            prop_assert_eq!(own.map(|at| results.remove(at).1), Some(expected));
            match (known, span) {
                (Some(at), Some(span)) => model[at].0 = start + span,
                (Some(at), None) => {
                    prop_assert_eq!(&results, &[(data, -libc::ECANCELED)]);
                    model.remove(at);
                }
                _ => prop_assert_eq!(&results, &[]),
            }
        }
        model.sort_by_key(|(until, _)| *until);
        for step in steps {
            let results = program.results_after(step);
            let due = model.partition_point(|(until, _)| *until <= kernel::now());
            let expected: Vec<_> = model.drain(..due).collect();
            prop_assert_eq!(results.len(), expected.len());
            for ((data, res), (until, _)) in results.iter().zip(&expected) {
                prop_assert_eq!(*res, -libc::ETIME);
                // Of several at one time the order is open.
                prop_assert!(expected.contains(&(*until, *data)));
            }
        }
        let results = program.results_after(100);
        prop_assert_eq!(results.len(), model.len());
    }
}

#[test]
fn what_no_timeout_may_have() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let mut one = time(SECOND);
    let refused = |sqe| {
        program.push(sqe);
        program.enter(1, 0, 0);
        program.next().expect("a completion").res
    };
    let clocks = IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME;
    for flags in [
        clocks,
        IORING_TIMEOUT_UPDATE,
        1 << 20,
        IORING_TIMEOUT_MULTISHOT | IORING_TIMEOUT_ABS,
    ] {
        assert_eq!(
            refused(timeout(1, &mut one, 0, flags)),
            -libc::EINVAL,
            "{flags:#x}"
        );
    }
    let mut two = timeout(1, &mut one, 0, 0);
    two.len = 2;
    assert_eq!(refused(two), -libc::EINVAL);
    for (tv_sec, tv_nsec) in [(-1, 0), (0, -1)] {
        let mut wrong = __kernel_timespec { tv_sec, tv_nsec };
        assert_eq!(refused(timeout(1, &mut wrong, 0, 0)), -libc::EINVAL);
    }
    let mut nowhere = timeout(1, &mut one, 0, 0);
    nowhere.__anon2.addr = 0;
    assert_eq!(refused(nowhere), -libc::EFAULT);
    assert_eq!(
        refused(change(1, 5, None, IORING_TIMEOUT_ABS)),
        -libc::EINVAL
    );
}

#[test]
fn a_timeout_may_count_completions() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (mut long, mut short) = (time(100 * SECOND), time(SECOND));
    program.submit(&[timeout(1, &mut long, 2, 0), timeout(2, &mut short, 0, 0)]);
    assert_eq!(program.results_of(&[nop(3)]), [(3, 0)]);
    // The end of another timeout's time does not count.
    assert_eq!(program.results_after(SECOND), [(2, -libc::ETIME)]);
    assert_eq!(program.results_of(&[nop(4)]), [(4, 0), (1, 0)]);
    assert_eq!(program.results_after(200 * SECOND), []);
}

#[test]
fn a_timeout_may_come_several_times() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let mut span = time(SECOND);
    program.submit(&[timeout(1, &mut span, 3, IORING_TIMEOUT_MULTISHOT)]);
    for more in [true, true, false] {
        kernel::pass(SECOND - 1);
        program.look();
        assert_eq!(program.take(), []);
        kernel::pass(1);
        program.look();
        let all = program.take();
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].res, all[0].flags & IORING_CQE_F_MORE != 0),
            (-libc::ETIME, more)
        );
    }
    assert_eq!(program.results_after(10 * SECOND), []);
}

#[test]
fn the_end_of_a_time_may_be_a_success() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let mut span = time(SECOND);
    for (flags, next) in [(0, -libc::ECANCELED), (IORING_TIMEOUT_ETIME_SUCCESS, 0)] {
        program.submit(&[
            with_flags(timeout(1, &mut span, 0, flags), IOSQE_IO_LINK),
            nop(2),
        ]);
        assert_eq!(
            program.results_after(SECOND),
            [(1, -libc::ETIME), (2, next)]
        );
    }
}

/// Of a success that is to be silent the program does not hear.
#[test]
fn the_end_of_a_time_may_be_silent() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let mut span = time(SECOND);
    let told = [(1, -libc::ETIME)];
    for (flags, told) in [(0, &told[..]), (IORING_TIMEOUT_ETIME_SUCCESS, &[])] {
        let silent = with_flags(timeout(1, &mut span, 0, flags), IOSQE_CQE_SKIP_SUCCESS);
        program.submit(&[silent]);
        assert_eq!(program.results_after(SECOND), told);
    }
}

#[test]
fn the_timeout_of_a_link_is_changed() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let mut byte = 0u8;
    let mut span = time(SECOND);
    let receive = transfer(IORING_OP_RECV, 1, fd, &raw mut byte, 1);
    let mut limit = timeout(2, &mut span, 0, 0);
    limit.opcode = IORING_OP_LINK_TIMEOUT as u8;
    program.submit(&[with_flags(receive, IOSQE_IO_LINK), limit]);
    let mut later = time(5 * SECOND);
    assert_eq!(
        program.result_of(change(3, 2, Some(&mut later), 0)),
        -libc::ENOENT,
        "it is no plain one"
    );
    let mut update = change(3, 2, Some(&mut later), 0);
    update.__anon3.timeout_flags = IORING_LINK_TIMEOUT_UPDATE;
    assert_eq!(program.result_of(update), 0);
    assert_eq!(program.results_after(4 * SECOND), []);
    let mut results = program.results_after(SECOND);
    results.sort_unstable();
    assert_eq!(results, [(1, -libc::ECANCELED), (2, -libc::ETIME)]);
}

/// Nothing is kept of a timeout that counts completions once it is complete: by its time, cancelled, or by the count.
#[test]
fn counted_and_complete() {
    let _world = World::new();
    let program = Program::with_cq(16, 64, 0);
    let ring = program.ring();
    let mut soon = time(5);
    let mut late = time(SECOND);
    program.submit(&[
        timeout(1, &mut soon, 1000, 0),
        timeout(2, &mut late, 1000, 0),
        timeout(3, &mut late, 3, 0),
        timeout(4, &mut late, 1000, 0),
    ]);
    let kept = || ring.state.lock().counted.len();
    assert_eq!(kept(), 4);
    assert_eq!(program.results_after(10), [(1, -libc::ETIME)]);
    assert_eq!(kept(), 3);
    let mut results = program.results_of(&[change(5, 2, None, 0)]);
    results.sort_unstable();
    assert_eq!(results, [(2, -libc::ECANCELED), (5, 0)]);
    assert_eq!(kept(), 2);
    assert!(program.results_of(&[nop(6), nop(7)]).contains(&(3, 0)));
    assert_eq!(kept(), 1);
    // It ends by its time although another one before it has ended.
    assert_eq!(program.results_after(2 * SECOND), [(4, -libc::ETIME)]);
    assert_eq!(kept(), 0);
}
