//! Rings of another size, with all that is in them.

use super::*;
use crate::errno::Errno;
use crate::kernel::sim::{Call, Sim};
use crate::out::Room;
use crate::queue::{complete, sqe, submit};
use crate::register::resize;
use crate::ring::ring_fd;
use crate::ring::{exit, setup};

/// A ring with eight SQEs on a kernel that can resize it.
unsafe fn set_up(ring: *mut io_uring, config: Config, flags: u32) {
    sim::reset(config);
    sim::on_register(|fd, opcode, arg, nr_args| match opcode & !(1 << 31) {
        opcode if opcode == IORING_REGISTER_RESIZE_RINGS as c_uint => {
            assert_eq!(nr_args, 1);
            // SAFETY: this opcode passes this structure, to be written to.
            let p = unsafe { &mut *arg.cast_mut().cast::<io_uring_params>() };
            assert_eq!(p.sq_off, io_sqring_offsets::default());
            assert_eq!(p.cq_off, io_cqring_offsets::default());
            sim::resize(fd, p).map(|()| 0)
        }
        _ => Ok(1),
    });
    let mut p = io_uring_params {
        flags,
        ..Default::default()
    };
    // SAFETY: the callers pass a place for a ring.
    unsafe { setup::init::<Sim>(8, ring, &mut p, None) }.expect("a ring");
    sim::take_calls();
}

fn place() -> io_uring {
    // SAFETY: integers and raw pointers only.
    unsafe { core::mem::zeroed() }
}

fn size(sq_entries: u32) -> io_uring_params {
    io_uring_params {
        sq_entries,
        ..Default::default()
    }
}

/// Takes an SQE for a nop, in a ring of 128-byte ones with a mark in its second half.
unsafe fn take(ring: *mut io_uring, user_data: u64) {
    // SAFETY: the ring is set up.
    unsafe {
        let sqe = sqe::get(whole(ring).sq());
        assert!(!sqe.is_null());
        (*sqe).opcode = IORING_OP_NOP as u8;
        (*sqe).user_data = user_data;
        if (*ring).flags & IORING_SETUP_SQE128 != 0 {
            (*sqe.add(1)).user_data = !user_data;
        }
    }
}

unsafe fn reap(ring: *mut io_uring) -> Vec<u64> {
    let mut found = Vec::new();
    // SAFETY: the ring is set up.
    unsafe {
        loop {
            let mut cqe = ptr::null_mut();
            if complete::peek_batch(whole(ring).cq(), Room::new(&raw mut cqe, 1)) == 0 {
                return found;
            }
            found.push((*cqe).user_data);
            complete::advance(whole(ring).cq(), 1);
        }
    }
}

const LAYOUTS: [(Config, u32); 4] = [
    (Config::NEW, 0),
    (Config::NEW, IORING_SETUP_SQE128),
    (Config::NEW, IORING_SETUP_CQE32),
    (Config::OLD, 0),
];

#[test]
fn what_is_in_the_queues_stays() {
    for (config, flags) in LAYOUTS {
        for sq_entries in [4, 8, 64] {
            let mut ring = place();
            let ring = &raw mut ring;
            // SAFETY: the ring is set up, and left behind.
            unsafe {
                set_up(ring, config, flags);
                // Positions that are not those at the start, and completions that are not reaped.
                for user_data in 1..=6 {
                    take(ring, user_data);
                }
                assert_eq!(submit::submit(whole(ring).sq(), 0, false).check(), Ok(6));
                complete::advance(whole(ring).cq(), 3);
                // Two that are published and not consumed, two that are only taken.
                take(ring, 101);
                take(ring, 102);
                let _ = submit::flush(whole(ring).sq());
                take(ring, 103);
                take(ring, 104);

                let published = (*ring).sq.sqe_head;
                let mut p = size(sq_entries);
                // Left over from the last set-up or resize.
                (p.sq_off.user_addr, p.cq_off.user_addr) = (1, 1);
                assert_eq!(resize::resize(whole(ring), &raw mut p).check(), Ok(0));
                assert_eq!((*ring).sq.sqe_head, published);
                assert_eq!((p.sq_entries, p.cq_entries), (sq_entries, 2 * sq_entries));
                assert_eq!((p.flags, p.features), (0, 0));
                assert_eq!((*ring).sq.ring_entries, sq_entries);
                assert_eq!((*ring).sq.ring_mask, sq_entries - 1);
                assert_eq!((*ring).cq.ring_entries, 2 * sq_entries);
                assert_eq!((*ring).features, config.features);
                if flags & IORING_SETUP_SQE128 != 0 {
                    for position in 6..10u32 {
                        let slot = (position & (sq_entries - 1)) as usize;
                        let second = (*ring).sq.sqes.add(2 * slot + 1);
                        assert_eq!((*second).user_data, !u64::from(position + 95));
                    }
                }

                assert_eq!(submit::submit(whole(ring).sq(), 0, false).check(), Ok(4));
                assert_eq!(reap(ring), [4, 5, 6, 101, 102, 103, 104]);
                // Full use of the new size.
                for user_data in 0..sq_entries {
                    take(ring, u64::from(user_data));
                }
                assert!(sqe::get(whole(ring).sq()).is_null());
                let all = Ok(sq_entries as c_int);
                assert_eq!(submit::submit(whole(ring).sq(), 0, false).check(), all);
                assert_eq!(reap(ring).len(), sq_entries as usize);
                exit::exit::<Sim>(ring);
            }
            sim::assert_clean();
        }
    }
}

#[test]
fn positions_that_wrap_stay() {
    for flags in [0, IORING_SETUP_SQE128] {
        let mut ring = place();
        let ring = &raw mut ring;
        // SAFETY: the ring is set up, and left behind.
        unsafe {
            set_up(ring, Config::NEW, flags);
            sim::start_counters_at((*ring).ring_fd, u32::MAX - 1);
            (*ring).sq.sqe_head = u32::MAX - 1;
            (*ring).sq.sqe_tail = u32::MAX - 1;
            for user_data in 1..=4 {
                take(ring, user_data);
            }
            let mut p = size(16);
            assert_eq!(resize::resize(whole(ring), &raw mut p).check(), Ok(0));
            assert_eq!(submit::submit(whole(ring).sq(), 0, false).check(), Ok(4));
            assert_eq!(reap(ring), [1, 2, 3, 4]);
            exit::exit::<Sim>(ring);
        }
        sim::assert_clean();
    }
}

#[test]
fn requests_that_do_not_fit_are_not_lost() {
    let mut ring = place();
    let ring = &raw mut ring;
    // SAFETY: the ring is set up, and left behind.
    unsafe {
        set_up(ring, Config::NEW, 0);
        for user_data in 1..=5 {
            take(ring, user_data);
        }
        let mut p = size(3);
        let returned = resize::resize(whole(ring), &raw mut p).check();
        assert_eq!(returned, Err(Errno::EOVERFLOW));
        assert_eq!(p.flags, 0);
        assert_eq!(sim::take_calls(), []);
        // 5 is rounded up to 8, which is room enough.
        let mut p = size(5);
        assert_eq!(resize::resize(whole(ring), &raw mut p).check(), Ok(0));
        assert_eq!(submit::submit(whole(ring).sq(), 0, false).check(), Ok(5));

        // The kernel's own refusal, for completions.
        let mut p = size(2);
        let returned = resize::resize(whole(ring), &raw mut p).check();
        assert_eq!(returned, Err(Errno::EOVERFLOW));
        assert_eq!(p.flags, 0);
        assert_eq!(reap(ring), [1, 2, 3, 4, 5]);
        exit::exit::<Sim>(ring);
    }
    sim::assert_clean();
}

#[test]
fn rings_that_cannot_be_mapped_are_not_resized() {
    let mut ring = place();
    let ring = &raw mut ring;
    // SAFETY: the ring is set up, and left behind.
    unsafe {
        set_up(ring, Config::NEW, 0);
        let mut p = size(16);
        let fd = core::mem::replace(&mut (*ring).ring_fd, -1);
        let returned = resize::resize(whole(ring), &raw mut p).check();
        assert_eq!(returned, Err(Errno::EBADF));
        (*ring).ring_fd = fd;

        (*ring).flags |= IORING_SETUP_NO_MMAP;
        p.flags = IORING_SETUP_CLAMP;
        let returned = resize::resize(whole(ring), &raw mut p).check();
        assert_eq!(returned, Err(Errno::EINVAL));
        assert_eq!(p.flags, IORING_SETUP_CLAMP);
        (*ring).flags &= !IORING_SETUP_NO_MMAP;
        assert_eq!(sim::take_calls(), []);
        exit::exit::<Sim>(ring);
    }
    sim::assert_clean();
}

#[test]
fn a_resize_without_room_or_that_the_kernel_refuses_changes_nothing() {
    for step in 0..2 {
        let mut ring = place();
        let ring = &raw mut ring;
        // SAFETY: the ring is set up, and left behind.
        unsafe {
            set_up(ring, Config::NEW, IORING_SETUP_CQE32);
            take(ring, 1);
            sim::fail_after(step, Errno::ENOMEM);
            let mut p = size(16);
            let returned = resize::resize(whole(ring), &raw mut p).check();
            assert_eq!(returned, Err(Errno::ENOMEM));
            assert_eq!(p.flags, 0);
            let calls = sim::take_calls();
            // SQEs, and CQEs of 32 bytes with what lies before them.
            let room = 4096;
            assert!(matches!(calls[0], Call::Mmap { len, fd: -1, .. } if len == 2 * room));
            let resizes = calls
                .iter()
                .filter(|call| matches!(call, Call::Register { .. }));
            assert_eq!(resizes.count(), step);

            assert_eq!(submit::submit(whole(ring).sq(), 0, false).check(), Ok(1));
            assert_eq!(reap(ring), [1]);
            exit::exit::<Sim>(ring);
        }
        sim::assert_clean();
    }
}

#[test]
fn numbers_that_make_no_sense_are_left_to_the_kernel() {
    let mut ring = place();
    let ring = &raw mut ring;
    // SAFETY: the ring is set up, and left behind.
    unsafe {
        set_up(ring, Config::NEW, 0);
        for entries in [0, 32769, u32::MAX] {
            let mut p = size(entries);
            let returned = resize::resize(whole(ring), &raw mut p).check();
            assert_eq!(returned, Err(Errno::EINVAL));
            let calls = sim::take_calls();
            assert!(matches!(calls[..], [Call::Register { .. }]));
        }
        let mut p = size(u32::MAX);
        p.flags = IORING_SETUP_CLAMP;
        assert_eq!(resize::resize(whole(ring), &raw mut p).check(), Ok(0));
        assert_eq!((*ring).sq.ring_entries, 32768);
        exit::exit::<Sim>(ring);
    }
    sim::assert_clean();
}

#[test]
fn a_mapping_that_fails_leaves_a_ring_that_only_fails_until_the_next_resize() {
    for (config, maps) in [(Config::NEW, 2), (Config::OLD, 3)] {
        for failing in 0..maps {
            for registered in [false, true] {
                let mut ring = place();
                let ring = &raw mut ring;
                // SAFETY: the ring is set up, and left behind.
                unsafe {
                    set_up(ring, config, 0);
                    if registered {
                        assert_eq!(ring_fd::register(whole(ring)).check(), Ok(1));
                        // The kernel of this test names rings by their descriptor only.
                        (*ring).int_flags = REG_RING;
                    }
                    take(ring, 7);
                    sim::take_calls();
                    // After the area that holds the place, and the call itself.
                    sim::fail_after(2 + failing, Errno::ENOMEM);
                    let mut p = size(16);
                    let returned = resize::resize(whole(ring), &raw mut p).check();
                    assert_eq!(returned, Err(Errno::ENOMEM));
                    assert_eq!((p.flags, p.features), (0, 0));
                    let calls = sim::take_calls();
                    let mapped = |call: &&Call| matches!(call, Call::Mmap { .. });
                    let unmapped = |call: &&Call| matches!(call, Call::Munmap { .. });
                    assert_eq!(calls.iter().filter(mapped).count(), failing + 2);
                    assert_eq!(calls.iter().filter(unmapped).count(), failing + 1);
                    let gave_back = matches!(
                        calls.last(),
                        Some(Call::Register { opcode, .. })
                            if *opcode == IORING_UNREGISTER_RING_FDS as c_uint
                    );
                    assert_eq!(gave_back, registered);

                    // The old memory may be touched; the kernel is not entered for it.
                    assert_eq!((*ring).int_flags, 0);
                    take(ring, 8);
                    let returned = submit::submit(whole(ring).sq(), 1, false).check();
                    assert_eq!(returned, Err(Errno::EBADF));

                    let mut p = size(32);
                    assert_eq!(resize::resize(whole(ring), &raw mut p).check(), Ok(0));
                    assert_eq!((*ring).enter_ring_fd, (*ring).ring_fd);
                    assert_eq!(submit::submit(whole(ring).sq(), 0, false).check(), Ok(2));
                    assert_eq!(reap(ring), [7, 8]);
                    exit::exit::<Sim>(ring);
                }
                sim::assert_clean();
            }
        }
    }
}

#[test]
fn a_ring_whose_mapping_failed_can_be_left() {
    let mut ring = place();
    let ring = &raw mut ring;
    // SAFETY: the ring is set up, and left behind.
    unsafe {
        set_up(ring, Config::NEW, 0);
        sim::fail_after(2, Errno::ENOMEM);
        let mut p = size(16);
        let returned = resize::resize(whole(ring), &raw mut p).check();
        assert_eq!(returned, Err(Errno::ENOMEM));
        exit::exit::<Sim>(ring);
    }
    sim::assert_clean();
}
