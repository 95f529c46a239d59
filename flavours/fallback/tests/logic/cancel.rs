//! Cancelling: which requests fit, how many of them, and what whoever cancels is told.

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, poll, read, sqe, transfer, with_flags};
use super::{cases, kernel};

/// A request that cancels.
fn cancel(user_data: u64, of: u64, fd: i32, opcode: u32, flags: u32) -> io_uring_sqe {
    let mut sqe = sqe(IORING_OP_ASYNC_CANCEL, user_data);
    sqe.__anon2.addr = of;
    sqe.fd = fd;
    sqe.len = opcode;
    sqe.__anon3.cancel_flags = flags;
    sqe
}

/// What waits: 0 is a poll, 1 a read, 2 a timeout. The descriptor, and what the program calls it.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    kind: u8,
    stream: usize,
    name: u64,
}

fn waiting() -> impl Strategy<Value = Waiting> {
    (0..3u8, 0..3usize, 0..4u64).prop_map(|(kind, stream, name)| Waiting { kind, stream, name })
}

proptest! {
    #![proptest_config(cases(400))]

    /// Beside a filter of the list of what waits.
    #[test]
    fn those_that_fit_are_cancelled(
        all in proptest::collection::vec(waiting(), 0..8),
        by in prop_oneof![
            Just(0),
            Just(IORING_ASYNC_CANCEL_FD),
            Just(IORING_ASYNC_CANCEL_OP),
            Just(IORING_ASYNC_CANCEL_ANY),
            Just(IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_USERDATA),
            Just(IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_OP),
            Just(IORING_ASYNC_CANCEL_OP | IORING_ASYNC_CANCEL_USERDATA),
        ],
        every in any::<bool>(),
        wanted in waiting(),
    ) {
        let _world = World::new();
        let program = Program::with_cq(16, 64, 0);
        let streams = [0, 1, 2].map(|_| kernel::stream().0);
        let mut bytes = [0u8; 8];
        let mut time = __kernel_timespec { tv_sec: 1000, tv_nsec: 0 };
        let opcodes = [IORING_OP_POLL_ADD, IORING_OP_READ, IORING_OP_TIMEOUT];
        for one in &all {
            let fd = streams[one.stream];
            program.submit(&[match one.kind {
                0 => poll(one.name, fd, libc::POLLIN),
                1 => read(one.name, fd, bytes.as_mut_ptr(), 1),
                _ => transfer(IORING_OP_TIMEOUT, one.name, -1, &raw mut time, 1),
            }]);
        }
        prop_assert_eq!(program.results(), []);
        let has = |flag| by & flag != 0;
        let by_data = has(IORING_ASYNC_CANCEL_USERDATA) || by == 0;
        let fits = |one: &&Waiting| {
            (!by_data || one.name == wanted.name)
                && (!has(IORING_ASYNC_CANCEL_FD) || one.kind != 2 && one.stream == wanted.stream)
                && (!has(IORING_ASYNC_CANCEL_OP) || one.kind == wanted.kind)
        };
        let several = every || has(IORING_ASYNC_CANCEL_ANY);
        let found: Vec<_> = all.iter().filter(fits).take(if several { 8 } else { 1 }).collect();
        let opcode = if has(IORING_ASYNC_CANCEL_OP) { opcodes[usize::from(wanted.kind)] as u32 } else { 0 };
        let flags = by | if every { IORING_ASYNC_CANCEL_ALL } else { 0 };
        let fd = if has(IORING_ASYNC_CANCEL_FD) { streams[wanted.stream] } else { -1 };
        let mut results = program.results_of(&[cancel(99, wanted.name, fd, opcode, flags)]);
        let told = match (found.len(), several) {
            (0, false) => -libc::ENOENT,
            (_, false) => 0,
            (count, true) => count as i32,
        };
        let own = results.iter().position(|(data, _)| *data == 99);
        prop_assert_eq!(own.map(|at| results.remove(at).1), Some(told));
        results.sort_unstable();
        let mut expected: Vec<_> = found.iter().map(|one| (one.name, -libc::ECANCELED)).collect();
        expected.sort_unstable();
        prop_assert_eq!(results, expected);
        // The others go on to wait, and are there to be cancelled.
        let rest = (all.len() - found.len()) as i32;
        let results = program.results_of(&[cancel(99, 0, -1, 0, IORING_ASYNC_CANCEL_ANY)]);
        prop_assert!(results.contains(&(99, rest)), "{rest} of {results:?}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (any, fd, op) = (
        IORING_ASYNC_CANCEL_ANY,
        IORING_ASYNC_CANCEL_FD,
        IORING_ASYNC_CANCEL_OP,
    );
    for flags in [any | fd, any | op, 1 << 20] {
        program.push(cancel(1, 0, 0, 0, flags));
        program.enter(1, 0, 0);
        assert_eq!(program.results(), [(1, -libc::EINVAL)], "{flags:#x}");
    }
    // An opcode counts where its flag says so.
    assert_eq!(program.result_of(cancel(1, 0, 0, 1, 0)), -libc::ENOENT);
    assert_eq!(program.result_of(cancel(1, 0, 77, 0, fd)), -libc::EBADF);
    assert_eq!(
        program.result_of(cancel(1, 0, 0, 0, fd | IORING_ASYNC_CANCEL_FD_FIXED)),
        -libc::EBADF
    );
}

#[test]
fn by_a_registered_file() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (one, other) = kernel::stream();
    let mut fds = [other, one];
    assert_eq!(
        program.register(IORING_REGISTER_FILES, fds.as_mut_ptr(), 2),
        0
    );
    let fixed = with_flags(poll(1, 1, libc::POLLIN), IOSQE_FIXED_FILE);
    program.submit(&[
        fixed,
        poll(2, one, libc::POLLIN),
        poll(3, other, libc::POLLIN),
    ]);
    let flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL;
    let mut results = program.results_of(&[cancel(9, 0, 1, 0, flags)]);
    results.sort_unstable();
    assert_eq!(
        results,
        [(1, -libc::ECANCELED), (2, -libc::ECANCELED), (9, 2)]
    );
    assert_eq!(
        program.results_of(&[cancel(9, 3, 0, 0, 0)]),
        [(3, -libc::ECANCELED), (9, 0)]
    );
}

/// All eventfds have one inode.
#[test]
fn files_with_one_inode_are_told_apart() {
    for compares in [true, false] {
        let _world = World::new();
        if !compares {
            kernel::refuse_comparison();
        }
        let program = Program::new(8, 0);
        let fds = [kernel::eventfd(), kernel::eventfd()];
        program.submit(&[poll(1, fds[0], libc::POLLIN), poll(2, fds[1], libc::POLLIN)]);
        let flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
        assert_eq!(
            program.results_of(&[cancel(9, 0, fds[1], 0, flags)]),
            [(2, -libc::ECANCELED), (9, 1)]
        );
        assert_eq!(
            program.results_of(&[cancel(9, 0, fds[0], 0, flags)]),
            [(1, -libc::ECANCELED), (9, 1)]
        );
    }
}

/// A request without a file may have any number where others have a descriptor.
#[test]
fn a_number_that_is_no_descriptor() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let mut time = __kernel_timespec {
        tv_sec: 1000,
        tv_nsec: 0,
    };
    program.submit(&[
        transfer(IORING_OP_TIMEOUT, 1, fd, &raw mut time, 1),
        poll(2, fd, libc::POLLIN),
    ]);
    let flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
    assert_eq!(
        program.results_of(&[cancel(9, 0, fd, 0, flags)]),
        [(2, -libc::ECANCELED), (9, 1)]
    );
}

#[test]
fn what_waits_behind_a_drained_request() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let drained = |data| with_flags(super::program::nop(data), IOSQE_IO_DRAIN);
    program.submit(&[poll(1, fd, libc::POLLIN), drained(2), drained(3)]);
    let mut given = io_uring_sync_cancel_reg {
        addr: 3,
        fd: -1,
        flags: 0,
        timeout: __kernel_timespec {
            tv_sec: -1,
            tv_nsec: -1,
        },
        opcode: 0,
        pad: [0; 7],
        pad2: [0; 3],
    };
    // It has not begun, and is not found.
    assert_eq!(
        program.register(IORING_REGISTER_SYNC_CANCEL, &raw mut given, 1),
        -libc::ENOENT
    );
    given.pad[3] = 1;
    assert_eq!(
        program.register(IORING_REGISTER_SYNC_CANCEL, &raw mut given, 1),
        -libc::EINVAL
    );
    given.pad[3] = 0;
    given.addr = 1;
    assert_eq!(
        program.register(IORING_REGISTER_SYNC_CANCEL, &raw mut given, 1),
        0
    );
    assert_eq!(program.results(), [(1, -libc::ECANCELED), (2, 0), (3, 0)]);
}
