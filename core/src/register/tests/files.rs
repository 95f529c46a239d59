//! The limit on open descriptors, when it is in the way of a table of files.

use super::*;
use crate::errno::{Errno, Ret};
use crate::kernel::sim::{Call, Sim};
use crate::kernel::{Kernel, Limit};
use crate::register::files;

/// The kernel's own maximum in these tests.
const TABLE: c_uint = 1000;

const BY_ARRAY: c_uint = IORING_REGISTER_FILES as c_uint;

/// Registers `nr` files by `call`, on a kernel that compares `nr` with limit and maximum, as Linux does. Returns what
/// the call returned, and the calls that were made.
fn register_under(
    before: Limit,
    nr: c_uint,
    call: fn(Ring<Sim>, c_uint) -> Ret,
) -> (Result<c_int>, Vec<Call>) {
    sim::reset(Config::NEW);
    Sim::set_nofile_limit(before).expect("a limit below its maximum");
    sim::take_calls();
    sim::on_register(|_, opcode, arg, nr_args| {
        let nr = if opcode == BY_ARRAY {
            nr_args
        } else {
            // SAFETY: all other calls in these tests pass this structure.
            unsafe { (*arg.cast::<io_uring_rsrc_register>()).nr }
        };
        if nr > TABLE || u64::from(nr) > sim::limit().current {
            return Err(Errno::EMFILE);
        }
        Ok(0)
    });
    let mut ring = ring();
    let returned = call(on(&raw mut ring), nr).check();
    (returned, sim::take_calls())
}

/// The three ways to register a table.
const CALLS: [fn(Ring<Sim>, c_uint) -> Ret; 3] = [
    |ring, nr| files::register(ring, ptr::dangling(), nr),
    |ring, nr| files::register_tags(ring, ptr::dangling(), ptr::null(), nr),
    files::register_sparse,
];

fn limit(current: u64, maximum: u64) -> Limit {
    Limit { current, maximum }
}

fn registrations(calls: &[Call]) -> usize {
    let register = |call: &&Call| matches!(call, Call::Register { .. });
    calls.iter().filter(register).count()
}

#[test]
fn a_limit_that_is_high_enough_is_left_alone() {
    for call in CALLS {
        let (returned, calls) = register_under(limit(64, 4096), 64, call);
        assert_eq!(returned, Ok(0));
        assert_eq!(calls.len(), 1);
    }
}

#[test]
fn a_limit_in_the_way_is_raised_and_stays() {
    for call in CALLS {
        let (returned, calls) = register_under(limit(64, 4096), 100, call);
        assert_eq!(returned, Ok(0));
        let raised = limit(164, 4096);
        assert!(matches!(
            calls[..],
            [Call::Register { .. }, Call::SetLimit(to), Call::Register { .. }] if to == raised
        ));
        assert_eq!(calls[0], calls[2]);
        assert_eq!(sim::limit(), raised);
    }
}

#[test]
fn the_limit_is_raised_as_far_as_it_may_be() {
    for call in CALLS {
        let (returned, _) = register_under(limit(64, 120), 100, call);
        assert_eq!(returned, Ok(0));
        assert_eq!(sim::limit(), limit(120, 120));
    }
}

#[test]
fn a_limit_that_was_raised_in_vain_is_put_back() {
    for call in CALLS {
        let before = limit(64, 4096);
        let (returned, calls) = register_under(before, TABLE + 1, call);
        assert_eq!(returned, Err(Errno::EMFILE));
        assert_eq!(registrations(&calls), 2);
        assert_eq!(sim::limit(), before);
    }
}

#[test]
fn a_limit_that_is_not_in_the_way_or_cannot_help_is_left_alone() {
    for call in CALLS {
        for (before, nr) in [
            (limit(4096, 4096), TABLE + 1),
            (limit(2000, 4096), 2000),
            (limit(u64::MAX, u64::MAX), TABLE + 1),
            (limit(64, 99), 100),
            (limit(64, 4096), u32::MAX),
        ] {
            let (returned, calls) = register_under(before, nr, call);
            assert_eq!(returned, Err(Errno::EMFILE));
            assert_eq!(calls.len(), 1, "{before:?} {nr}");
            assert_eq!(sim::limit(), before);
        }
    }
}

#[test]
fn a_limit_that_cannot_be_set_ends_the_attempt() {
    let mut ring = ring();
    let (arrived, returned) = watch(Err(Errno::EMFILE), || {
        sim::fail_after(1, Errno::EPERM);
        files::register_sparse(on(&raw mut ring), 2000).check()
    });
    assert_eq!(returned, Err(Errno::EMFILE));
    assert_eq!(arrived.len(), 1);
    assert!(!sim::failure_pending());
}

#[test]
fn only_that_error_is_answered_by_raising_the_limit() {
    for call in CALLS {
        for errno in [Errno::EBADF, Errno::EBUSY, Errno::ENOMEM] {
            let mut ring = ring();
            let (arrived, returned) =
                watch(Err(errno), || call(on(&raw mut ring), 1 << 20).check());
            assert_eq!(returned, Err(errno));
            assert_eq!(arrived.len(), 1);
            assert_eq!(sim::take_calls().len(), 1);
        }
    }
}

#[test]
fn the_error_of_the_second_attempt_is_reported() {
    sim::reset(Config::NEW);
    let before = sim::limit();
    let mut answers = [Errno::EMFILE, Errno::EBADF].into_iter();
    sim::on_register(move |_, _, _, _| Err(answers.next().expect("two attempts at the most")));
    let mut ring = ring();
    let returned = files::register(on(&raw mut ring), ptr::dangling(), 2000);
    assert!(returned.is(Errno::EBADF));
    assert_eq!(sim::limit(), before);
}
