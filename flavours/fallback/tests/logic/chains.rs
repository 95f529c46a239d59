//! Links, chains that fail, draining, and the timeouts of links.

use std::ptr;

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, nop, nop_with, poll, read, transfer, with_flags};
use super::{cases, kernel};

/// A member of a chain: what it completes with, and how it is linked to the next.
#[derive(Clone, Copy, Debug)]
struct Member {
    res: i32,
    link: u32,
    silent: bool,
}

fn member() -> impl Strategy<Value = Member> {
    let link = prop_oneof![2 => Just(0), 4 => Just(IOSQE_IO_LINK), 2 => Just(IOSQE_IO_HARDLINK)];
    let res = prop_oneof![5 => Just(0), 2 => Just(7), 2 => Just(-5)];
    (res, link, proptest::bool::weighted(0.2)).prop_map(|(res, link, silent)| Member {
        res,
        link,
        silent,
    })
}

/// What the members complete with. One that fails ends its chain, unless it is linked hard.
fn expected(members: &[Member]) -> Vec<(u64, i32)> {
    let mut all = Vec::new();
    let (mut broken, mut quiet) = (false, false);
    for (data, member) in (0..).zip(members) {
        if broken {
            if !quiet {
                all.push((data, -libc::ECANCELED));
            }
        } else {
            if !(member.silent && member.res >= 0) {
                all.push((data, member.res));
            }
            // Whoever asked for silence of the one that broke it hears of that one alone.
            (broken, quiet) = (
                member.res < 0 && member.link != IOSQE_IO_HARDLINK,
                member.silent,
            );
        }
        if member.link == 0 {
            broken = false;
        }
    }
    all
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn chains_of_requests(members in proptest::collection::vec(member(), 1..12)) {
        let _world = World::new();
        let program = Program::with_cq(16, 64, 0);
        let requests: Vec<_> = (0..)
            .zip(&members)
            .map(|(data, member)| {
                let silent = if member.silent { IOSQE_CQE_SKIP_SUCCESS } else { 0 };
                with_flags(nop_with(data, member.res), member.link | silent)
            })
            .collect();
        prop_assert_eq!(program.results_of(&requests), expected(&members));
    }

    /// Requests that wait for bytes, one each, and some that wait for all before them. Beside a list that lets a request
    /// begin when the rule allows it.
    #[test]
    fn drained_requests_wait_for_all_before_them(
        kinds in proptest::collection::vec((any::<bool>(), proptest::bool::weighted(0.3)), 1..10),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 20),
    ) {
        let _world = World::new();
        let program = Program::with_cq(16, 64, 0);
        let streams: Vec<_> = kinds.iter().map(|_| kernel::stream().0).collect();
        let mut bytes = vec![0u8; kinds.len()];
        let at = bytes.as_mut_ptr();
        let requests: Vec<_> = (0..kinds.len())
            .map(|index| {
                let (waits, drained) = kinds[index];
                let data = index as u64;
                let sqe = if waits {
                    read(data, streams[index], at.wrapping_add(index), 1)
                } else {
                    nop(data)
                };
                with_flags(sqe, if drained { IOSQE_IO_DRAIN } else { 0 })
            })
            .collect();
        let mut results = program.results_of(&requests);
        let mut delivered = vec![false; kinds.len()];
        // Whether a request is complete: it has begun, and its byte is there.
        let model = |delivered: &[bool]| {
            let mut complete = vec![false; kinds.len()];
            for index in 0..kinds.len() {
                // One behind a drained one waits for that one, and so for all before it.
                let held = (0..=index).rev().find(|at| kinds[*at].1);
                let begun = held.is_none_or(|drained| {
                    (0..drained).all(|before| complete[before])
                        && (drained == index || complete[drained] || kinds[index].1)
                });
                let begun = begun && held.is_none_or(|drained| drained == index || complete[drained]);
                complete[index] = begun && (!kinds[index].0 || delivered[index]);
            }
            complete
        };
        let check = |results: &[(u64, i32)], delivered: &[bool]| {
            let mut seen = vec![false; kinds.len()];
            for (data, res) in results {
                assert!(!seen[*data as usize], "{data} twice");
                assert_eq!(*res, i32::from(kinds[*data as usize].0));
                seen[*data as usize] = true;
            }
            (seen, model(delivered))
        };
        let (seen, wanted) = check(&results, &delivered);
        prop_assert_eq!(seen, wanted);
        for index in order {
            let index = index.index(kinds.len());
            if kinds[index].0 && !delivered[index] {
                delivered[index] = true;
                kernel::deliver(streams[index], b"z");
                // What begins by this may have its byte already, and is looked at in the next round.
                for _ in 0..=kinds.len() {
                    results.extend(program.results());
                }
            }
            let (seen, wanted) = check(&results, &delivered);
            prop_assert_eq!(seen, wanted);
        }
    }
}

#[test]
fn a_wrong_member_cancels_the_whole_chain() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let mut wrong = with_flags(nop(3), IOSQE_IO_LINK);
    wrong.opcode = u8::MAX;
    let linked = |data| with_flags(nop(data), IOSQE_IO_LINK);
    for sqe in [linked(1), linked(2), wrong, nop(4), nop(5)] {
        program.push(sqe);
    }
    // Without the flag that says otherwise what comes after the chain is not taken.
    let taken = program.enter(5, 0, 0);
    let cancelled = -libc::ECANCELED;
    let mut results = program.results();
    if taken == 4 {
        assert_eq!(program.enter(1, 0, 0), 1);
        results.extend(program.results());
    }
    assert_eq!(
        results,
        [
            (1, cancelled),
            (2, cancelled),
            (3, -libc::EINVAL),
            (4, cancelled),
            (5, 0)
        ]
    );
}

/// Only the silence of the first member counts, and it is about the others.
#[test]
fn a_wrong_chain_may_be_silent() {
    let linked = |data| with_flags(nop(data), IOSQE_IO_LINK);
    for silent in 0..3 {
        let _world = World::new();
        let program = Program::new(8, 0);
        let mut chain = [linked(0), linked(1), nop(2)];
        chain[1].opcode = u8::MAX;
        chain[silent].flags |= IOSQE_CQE_SKIP_SUCCESS as u8;
        let told = [
            (0, -libc::ECANCELED),
            (1, -libc::EINVAL),
            (2, -libc::ECANCELED),
        ];
        let told = if silent == 0 { &told[..1] } else { &told[..] };
        assert_eq!(program.results_of(&chain), told, "{silent}");
    }
}

#[test]
fn a_short_read_breaks_a_chain() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let file = kernel::disk(b"abc");
    let mut bytes = [0u8; 4];
    let at = bytes.as_mut_ptr();
    let read = |data, length| {
        let mut sqe = transfer(IORING_OP_READ, data, file, at, length);
        sqe.flags = IOSQE_IO_LINK as u8;
        sqe
    };
    assert_eq!(program.results_of(&[read(1, 3), nop(2)]), [(1, 3), (2, 0)]);
    assert_eq!(
        program.results_of(&[read(3, 4), nop(4)]),
        [(3, 3), (4, -libc::ECANCELED)]
    );
    assert_eq!(&bytes[..3], b"abc");
}

#[test]
fn the_timeout_of_a_link() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let mut time = __kernel_timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    let mut byte = 0u8;
    let limit = |data, time: &mut __kernel_timespec| {
        let mut sqe = transfer(IORING_OP_LINK_TIMEOUT, data, -1, ptr::from_mut(time), 1);
        sqe.flags = 0;
        sqe
    };
    // It ends the request, which ends the chain.
    let chain = [
        with_flags(read(1, fd, &raw mut byte, 1), IOSQE_IO_LINK),
        with_flags(limit(2, &mut time), IOSQE_IO_LINK),
        nop(3),
    ];
    program.submit(&chain);
    assert_eq!(program.results_after(999_999_999), []);
    let mut results = program.results_after(1);
    results.sort_unstable();
    assert_eq!(
        results,
        [
            (1, -libc::ECANCELED),
            (2, -libc::ETIME),
            (3, -libc::ECANCELED)
        ]
    );
    // The request ends in time.
    program.submit(&chain);
    kernel::deliver(fd, b"a");
    let mut results = program.results();
    results.sort_unstable();
    assert_eq!(results, [(1, 1), (2, -libc::ECANCELED), (3, 0)]);
    // It ends at once: the timeout is not started.
    let mut results = program.results_of(&[with_flags(nop(4), IOSQE_IO_LINK), limit(5, &mut time)]);
    results.sort_unstable();
    assert_eq!(results, [(4, 0), (5, -libc::ECANCELED)]);
    // It follows nothing: that is wrong, and ends the submission.
    program.push(limit(6, &mut time));
    program.push(nop(7));
    assert_eq!(program.enter(2, 0, 0), 1);
    assert_eq!(program.results(), [(6, -libc::EINVAL)]);
    assert_eq!(program.enter(1, 0, 0), 1);
    assert_eq!(program.results(), [(7, 0)]);
    // It follows another one.
    let linked = |sqe| with_flags(sqe, IOSQE_IO_LINK);
    program.push(linked(nop(1)));
    program.push(linked(limit(2, &mut time)));
    program.push(limit(3, &mut time));
    program.enter(3, 0, 0);
    let cancelled = -libc::ECANCELED;
    assert_eq!(
        program.results(),
        [(1, cancelled), (2, cancelled), (3, -libc::EINVAL)]
    );
    assert_eq!(program.results_after(10_000_000_000), []);
}

#[test]
fn a_drained_request_lets_later_ones_wait() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let requests = [
        poll(1, fd, libc::POLLIN),
        with_flags(nop(2), IOSQE_IO_DRAIN),
        nop(3),
    ];
    assert_eq!(program.results_of(&requests), []);
    assert_eq!(
        program.results_of(&[nop(4)]),
        [],
        "the queue of those that wait has an order"
    );
    kernel::deliver(fd, b"a");
    let results = program.results();
    assert_eq!(
        results,
        [(1, i32::from(libc::POLLIN)), (2, 0), (3, 0), (4, 0)]
    );
    assert_eq!(program.results_of(&[nop(5)]), [(5, 0)]);
}

#[test]
fn nothing_is_drained_after_a_request_that_was_silent() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let drained = |data| with_flags(nop(data), IOSQE_IO_DRAIN);
    assert_eq!(program.result_of(drained(1)), 0);
    assert_eq!(
        program.results_of(&[with_flags(nop(2), IOSQE_CQE_SKIP_SUCCESS)]),
        []
    );
    assert_eq!(program.result_of(drained(3)), -libc::EOPNOTSUPP);
}

#[test]
fn a_drained_request_that_is_wrong_holds_up_nothing() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let mut wrong = with_flags(nop(2), IOSQE_IO_DRAIN);
    wrong.opcode = u8::MAX;
    let requests = [poll(1, fd, libc::POLLIN), wrong];
    assert_eq!(program.results_of(&requests), [(2, -libc::EINVAL)]);
    assert_eq!(program.results_of(&[nop(3)]), [(3, 0)]);
}
