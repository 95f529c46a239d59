//! Set-up, sizes, probe and exit on the simulated kernel.

mod memory;
mod ring_fd;

use core::ptr;

use super::memory::Buffer;
use super::{exit, flags, setup, sizes};
use crate::abi::params::*;
use crate::abi::probe::io_uring_probe;
use crate::abi::ring::io_uring;
use crate::errno::Errno;
use crate::kernel::sim::{self, Call, Config, Sim};
use crate::kernel::{Limit, MADV_DOFORK, MADV_DONTFORK};
use crate::mem::clear;
use crate::register::probe;

fn params(flags: u32) -> io_uring_params {
    io_uring_params {
        flags,
        ..Default::default()
    }
}

fn zeroed_ring() -> io_uring {
    // SAFETY: integers and raw pointers only.
    unsafe { core::mem::zeroed() }
}

fn is_zero(ring: &io_uring) -> bool {
    // SAFETY: the structure has no padding: 216 bytes of members.
    let words: &[u64; 27] = unsafe { &*ptr::from_ref(ring).cast() };
    words.iter().all(|word| *word == 0)
}

fn init(
    nr: u32,
    p: &mut io_uring_params,
    buffer: Option<Buffer>,
) -> (io_uring, Result<i32, Errno>) {
    let mut ring = zeroed_ring();
    // SAFETY: the ring is ours, and buffers in these tests outlive it.
    let result = unsafe { setup::init::<Sim>(nr, &raw mut ring, p, buffer) };
    (ring, result)
}

fn leave(mut ring: io_uring) {
    // SAFETY: nothing uses the ring any more. The second time is harmless by contract.
    unsafe {
        exit::exit::<Sim>(&raw mut ring);
        let calls = sim::take_calls().len();
        exit::exit::<Sim>(&raw mut ring);
        assert!(calls > 0);
        assert_eq!(sim::take_calls(), []);
    }
    sim::assert_clean();
}

#[test]
fn a_new_kernel_gives_a_ring_without_an_array() {
    sim::reset(Config::NEW);
    let mut p = params(0);
    let (ring, result) = init(5, &mut p, None);
    assert_eq!(result, Ok(0));
    assert_eq!(p.flags, IORING_SETUP_NO_SQARRAY);
    assert_eq!((ring.flags, ring.features), (p.flags, Config::NEW.features));
    assert_eq!((ring.sq.ring_entries, ring.sq.ring_mask), (8, 7));
    assert_eq!((ring.cq.ring_entries, ring.cq.ring_mask), (16, 15));
    assert!(ring.sq.array.is_null());
    assert_eq!(ring.ring_fd, ring.enter_ring_fd);
    assert_eq!(ring.int_flags, 0);
    let maps = sim::take_calls()
        .into_iter()
        .filter(|call| matches!(call, Call::Mmap { .. }));
    assert_eq!(maps.count(), 2);
    leave(ring);
}

#[test]
fn an_old_kernel_gives_a_ring_with_an_array() {
    sim::reset(Config::OLD);
    let mut p = params(0);
    let (ring, result) = init(4, &mut p, None);
    assert_eq!(result, Ok(0));
    assert_eq!(p.flags, 0);
    for index in 0..4 {
        // SAFETY: the array has four elements.
        assert_eq!(unsafe { ring.sq.array.add(index).read() }, index as u32);
    }
    assert_ne!(ring.sq.ring_ptr, ring.cq.ring_ptr);
    let calls = sim::take_calls();
    assert_eq!(
        calls[0],
        Call::Setup {
            entries: 4,
            flags: IORING_SETUP_NO_SQARRAY
        }
    );
    assert_eq!(
        calls[1],
        Call::Setup {
            entries: 4,
            flags: 0
        }
    );
    assert_eq!(calls.len(), 5, "{calls:?}");
    leave(ring);
}

#[test]
fn what_the_kernel_refuses_is_passed_on() {
    for config in [Config::NEW, Config::OLD] {
        for errno in [Errno::ENOSYS, Errno::EPERM, Errno::EMFILE, Errno::ENOMEM] {
            sim::reset(config);
            sim::fail_after(0, errno);
            let mut p = params(IORING_SETUP_CQSIZE);
            p.cq_entries = 64;
            let before = p;
            let (ring, result) = init(4, &mut p, None);
            assert_eq!(result, Err(errno));
            assert!(is_zero(&ring));
            assert_eq!(p, before);
            assert_eq!(sim::take_calls().len(), 1);
            sim::assert_clean();
        }
    }
}

#[test]
fn a_request_for_no_array_is_not_weakened() {
    sim::reset(Config::OLD);
    let (_, result) = init(4, &mut params(IORING_SETUP_NO_SQARRAY), None);
    assert_eq!(result, Err(Errno::EINVAL));
    assert_eq!(sim::take_calls().len(), 1);
}

#[test]
fn unknown_flags_and_bad_numbers_are_refused() {
    for (nr, flags, cq_entries) in [
        (0, 0, 0),
        (32769, 0, 0),
        (4, 1 << 31, 0),
        (4, IORING_SETUP_CQSIZE, 0),
        (4, IORING_SETUP_CQSIZE, 2),
        (4, IORING_SETUP_CQSIZE, 65537),
        (4, IORING_SETUP_REGISTERED_FD_ONLY, 0),
    ] {
        sim::reset(Config::NEW);
        let mut p = params(flags);
        p.cq_entries = cq_entries;
        let (ring, result) = init(nr, &mut p, None);
        assert_eq!(result, Err(Errno::EINVAL), "{nr} {flags:#x} {cq_entries}");
        assert!(is_zero(&ring));
        sim::assert_clean();
    }
}

/// Makes each step of set-up fail in turn, and looks for what is left.
fn fails_at_every_step(config: Config, nr: u32, flags: u32, steps: usize) {
    for after in 0.. {
        sim::reset(config);
        sim::fail_after(after, Errno::ENOMEM);
        let (mut ring, result) = init(nr, &mut params(flags), None);
        if sim::failure_pending() {
            assert_eq!(
                result,
                Ok(result.unwrap_or(-1)),
                "succeeds when nothing fails"
            );
            assert_eq!(after, steps, "steps of set-up");
            sim::reset_failure();
            leave(ring);
            return;
        }
        assert_eq!(result, Err(Errno::ENOMEM), "step {after}");
        assert!(is_zero(&ring), "step {after}");
        sim::assert_clean();
        sim::take_calls();
        // SAFETY: a ring that was not set up is left alone.
        unsafe { exit::exit::<Sim>(&raw mut ring) };
        assert_eq!(sim::take_calls(), []);
    }
}

#[test]
fn failing_steps_leave_nothing() {
    // Set-up, rings, SQEs.
    fails_at_every_step(Config::NEW, 8, 0, 3);
    // Set-up twice, SQ ring, CQ ring, SQEs. The first refusal is the flag's.
    fails_at_every_step(Config::OLD, 8, 0, 5);
    // One area for both, then set-up.
    fails_at_every_step(Config::NEW, 8, IORING_SETUP_NO_MMAP, 2);
}

#[test]
fn polled_rings_must_be_entered_for_completions() {
    for (setup, int_flags) in [
        (IORING_SETUP_IOPOLL, flags::CQ_ENTER),
        (IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL, 0),
        (IORING_SETUP_SQPOLL, 0),
    ] {
        sim::reset(Config::NEW);
        let (ring, result) = init(4, &mut params(setup), None);
        assert_eq!(result, Ok(0));
        assert_eq!(ring.int_flags, int_flags);
        leave(ring);
    }
}

#[test]
fn a_ring_is_kept_from_children_in_whole() {
    for (config, areas) in [(Config::NEW, 2), (Config::OLD, 3)] {
        sim::reset(config);
        let (mut ring, _) = init(4, &mut params(0), None);
        sim::take_calls();
        // SAFETY: the ring is set up.
        assert_eq!(unsafe { exit::dontfork::<Sim>(&raw mut ring) }, Ok(()));
        let calls = sim::take_calls();
        assert_eq!(calls.len(), areas);
        assert!(calls.iter().all(|call| matches!(
            call,
            Call::Madvise {
                advice: MADV_DONTFORK,
                ..
            }
        )));
        // If one area cannot be kept from them, none is.
        sim::fail_after(areas - 1, Errno::ENOMEM);
        // SAFETY: the ring is set up.
        let kept = unsafe { exit::dontfork::<Sim>(&raw mut ring) };
        assert_eq!(kept, Err(Errno::ENOMEM));
        let undone = |call: &Call| {
            matches!(
                call,
                Call::Madvise {
                    advice: MADV_DOFORK,
                    ..
                }
            )
        };
        assert_eq!(
            sim::take_calls().iter().filter(|call| undone(call)).count(),
            areas
        );
        leave(ring);
    }
    let mut ring = zeroed_ring();
    // SAFETY: all zeros is no ring.
    let kept = unsafe { exit::dontfork::<Sim>(&raw mut ring) };
    assert_eq!(kept, Err(Errno::EINVAL));
}

#[test]
fn entries_are_rounded_as_the_kernel_does() {
    let clamp = params(IORING_SETUP_CLAMP);
    let of =
        |nr, p: &io_uring_params| sizes::entries(nr, p).map(|entries| (entries.sq, entries.cq));
    assert_eq!(of(1, &params(0)), Ok((1, 2)));
    assert_eq!(of(3, &params(0)), Ok((4, 8)));
    assert_eq!(of(32768, &params(0)), Ok((32768, 65536)));
    assert_eq!(of(32769, &params(0)), Err(Errno::EINVAL));
    assert_eq!(of(u32::MAX, &clamp), Ok((32768, 65536)));
    assert_eq!(of(0, &clamp), Err(Errno::EINVAL));
    let mut p = params(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP);
    p.cq_entries = u32::MAX;
    assert_eq!(of(8, &p), Ok((8, 65536)));
    p.cq_entries = 9;
    assert_eq!(of(8, &p), Ok((8, 16)));
}

#[test]
fn sizes_grow_with_the_flags() {
    sim::reset(Config::NEW);
    let of = |nr, flags| sizes::memory_size::<Sim>(nr, &params(flags)).map(|size| size / 4096);
    // 64 bytes of header, 2 * 16 bytes and 4 bytes an entry; 64 bytes an SQE.
    assert_eq!(of(64, 0), Ok(1 + 1));
    assert_eq!(of(4096, 0), Ok(64 + 37));
    assert_eq!(of(4096, IORING_SETUP_NO_SQARRAY), Ok(64 + 33));
    assert_eq!(of(4096, IORING_SETUP_SQE128), Ok(128 + 37));
    assert_eq!(of(4096, IORING_SETUP_CQE32), Ok(64 + 69));
}

#[test]
fn locked_memory_is_told_as_the_kernel_charges_it() {
    let of = |features| {
        sim::reset(Config {
            features,
            ..Config::NEW
        });
        sizes::mlock_size::<Sim>(64, &params(0))
    };
    assert_eq!(of(IORING_FEAT_SINGLE_MMAP), Ok(8192));
    assert_eq!(of(IORING_FEAT_NATIVE_WORKERS), Ok(0));
    assert_eq!(
        of(IORING_FEAT_NATIVE_WORKERS | IORING_FEAT_RW_ATTR),
        Ok(8192)
    );

    sim::reset(Config {
        features: IORING_FEAT_NATIVE_WORKERS,
        ..Config::NEW
    });
    sim::fail_after(0, Errno::ENOMEM);
    assert_eq!(sizes::mlock_size::<Sim>(64, &params(0)), Ok(8192));
    assert_eq!(sizes::mlock_size::<Sim>(0, &params(0)), Err(Errno::EINVAL));
    sim::assert_clean();
}

/// The size of a thread's first ring is the limit of its workers.
#[test]
fn asking_for_locked_memory_limits_no_workers() {
    for (asked, made) in [(1, 1), (8, 8), (64, 64), (4096, 64)] {
        sim::reset(Config::NEW);
        assert!(sizes::mlock_size::<Sim>(asked, &params(0)).is_ok());
        assert!(sim::take_calls().contains(&sim::Call::Setup {
            entries: made,
            flags: 0
        }));
    }
}

#[test]
fn a_probe_leaves_no_ring() {
    let mut memory = vec![0u64; probe::PROBE_SIZE / 8];
    let asked = memory.as_mut_ptr().cast::<io_uring_probe>();
    for fail in [None, Some(0), Some(1)] {
        sim::reset(Config::NEW);
        sim::on_register(|_, _, arg, nr| {
            assert_eq!(nr, 256);
            // SAFETY: a probe is what is passed.
            unsafe { (*arg.cast_mut().cast::<io_uring_probe>()).last_op = 42 };
            Ok(0)
        });
        if let Some(after) = fail {
            sim::fail_after(after, Errno::EINVAL);
        }
        // SAFETY: the memory is as large as a probe, and zeroed.
        let result = unsafe {
            memory.fill(0);
            probe::ask::<Sim>(asked).check()
        };
        assert_eq!(result.is_ok(), fail.is_none());
        // SAFETY: as above.
        assert_eq!(unsafe { (*asked).last_op } == 42, fail.is_none());
        sim::assert_clean();
    }
}

#[test]
fn the_programs_own_ring_is_mapped() {
    sim::reset(Config::NEW);
    let mut p = params(0);
    // SAFETY: `p` names no memory.
    let fd = unsafe { <Sim as crate::kernel::Kernel>::setup(4, &raw mut p) }
        .check()
        .unwrap();
    let mut ring = zeroed_ring();
    sim::fail_after(1, Errno::ENOMEM);
    // SAFETY: the ring is ours.
    unsafe {
        assert_eq!(
            setup::mmap::<Sim>(fd, &p, &raw mut ring),
            Err(Errno::ENOMEM)
        );
        assert!(is_zero(&ring));
        assert_eq!(setup::mmap::<Sim>(fd, &p, &raw mut ring), Ok(()));
    }
    assert_eq!((ring.ring_fd, ring.sq.ring_entries), (fd, 4));
    leave(ring);
}

#[test]
fn the_programs_own_ring_is_as_ready_as_any() {
    for config in [Config::NEW, Config::OLD] {
        sim::reset(config);
        let mut p = params(IORING_SETUP_IOPOLL);
        let mut ring = zeroed_ring();
        // SAFETY: `p` names no memory, and the ring is ours.
        unsafe {
            let fd = <Sim as crate::kernel::Kernel>::setup(4, &raw mut p)
                .check()
                .unwrap();
            assert_eq!(setup::mmap::<Sim>(fd, &p, &raw mut ring), Ok(()));
            for index in 0..4 {
                assert_eq!(*ring.sq.array.add(index), index as u32);
            }
        }
        assert_eq!(ring.int_flags, flags::CQ_ENTER);
        leave(ring);
    }
}

#[test]
fn clearing_reaches_every_byte() {
    let mut limit = Limit {
        current: u64::MAX,
        maximum: u64::MAX,
    };
    // SAFETY: two words, for which zero is a value.
    unsafe { clear(&raw mut limit) };
    assert_eq!(limit, Limit::default());
}
