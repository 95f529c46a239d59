//! The memory of a ring: its layout, CQEs of one and of two slots, SQEs by position and by index.

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, nop, set_up};
use super::{cases, kernel};
use crate::memory::Completion;

/// A page-aligned area of the program's.
#[repr(align(4096))]
struct Pages(#[allow(dead_code, reason = "reached by its address")] [u8; 8192]);

#[test]
fn parts_do_not_overlap() {
    let _world = World::new();
    for flags in [
        0,
        IORING_SETUP_CQE32,
        IORING_SETUP_SQE128,
        IORING_SETUP_NO_SQARRAY,
        IORING_SETUP_CQE_MIXED,
    ] {
        let program = Program::with_cq(8, 32, flags);
        let (sq, cq) = (&program.params.sq_off, &program.params.cq_off);
        let wide = if flags & IORING_SETUP_CQE32 != 0 {
            32
        } else {
            16
        };
        let mut parts = vec![(cq.cqes, 32 * wide)];
        if flags & IORING_SETUP_NO_SQARRAY == 0 {
            parts.push((sq.array, 8 * 4));
        } else {
            assert_eq!(sq.array, 0);
        }
        for word in [
            sq.head,
            sq.tail,
            sq.ring_mask,
            sq.ring_entries,
            sq.flags,
            sq.dropped,
            cq.head,
            cq.tail,
            cq.ring_mask,
            cq.ring_entries,
            cq.flags,
            cq.overflow,
        ] {
            parts.push((word, 4));
        }
        parts.sort_unstable();
        for pair in parts.windows(2) {
            assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{flags:#x}: {pair:?}");
        }
        assert!(parts.iter().all(|(offset, _)| offset % 4 == 0));
        assert_eq!(
            (program.params.sq_entries, program.params.cq_entries),
            (8, 32)
        );
    }
    drop(Program::new(4, 0));
    assert_eq!(kernel::held().1, 0, "mappings stay");
}

#[test]
fn memory_of_the_program_is_cleared_and_used() {
    let _world = World::new();
    let (mut rings, mut sqes) = (Box::new(Pages([7; 8192])), Box::new(Pages([7; 8192])));
    let mut params = io_uring_params {
        flags: IORING_SETUP_NO_MMAP,
        ..io_uring_params::default()
    };
    let (at_rings, at_sqes) = (
        (&raw mut *rings).expose_provenance(),
        (&raw mut *sqes).expose_provenance(),
    );
    params.cq_off.user_addr = at_rings as u64;
    assert_eq!(
        set_up(4, &mut { params }),
        Err(-libc::EFAULT),
        "no memory for the SQEs"
    );
    params.sq_off.user_addr = at_sqes as u64 + 64;
    assert_eq!(
        set_up(4, &mut { params }),
        Err(-libc::EINVAL),
        "not at a page"
    );
    params.sq_off.user_addr = at_sqes as u64;
    let program = Program::with(4, params);
    assert_eq!(program.params.sq_off.user_addr, at_sqes as u64);
    assert_eq!(
        (program.sq_head(), program.sq_flags(), program.ready()),
        (0, 0, 0)
    );
    assert_eq!(program.results_of(&[nop(1), nop(2)]), [(1, 0), (2, 0)]);
    drop(program);
}

proptest! {
    #![proptest_config(cases(300))]

    /// Beside a queue in which each completion takes one place or two, the second never at the array's start.
    #[test]
    fn cqes_come_out_as_they_went_in(
        kind in 0..3u32,
        start in any::<u32>(),
        steps in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<u64>()), 1..40),
    ) {
        let _world = World::new();
        let flags = [0, IORING_SETUP_CQE32, IORING_SETUP_CQE_MIXED][kind as usize];
        let program = Program::with_cq(2, 4, flags);
        program.start_queues_at(start);
        let ring = program.ring();
        let mut tail = start;
        let mut expected = std::collections::VecDeque::new();
        for (put, wide, user_data) in steps {
            if !put {
                let taken = program.next().map(|cqe| (cqe.user_data, cqe.res, cqe.big));
                prop_assert_eq!(taken, expected.pop_front());
                continue;
            }
            let two = kind == 2 && wide;
            let completion = Completion {
                user_data,
                res: user_data as i32,
                flags: if two { IORING_CQE_F_32 } else { 0 },
                big: [!user_data, user_data << 1],
            };
            let memory = ring.memory();
            let head = memory.cq_head().load(std::sync::atomic::Ordering::Relaxed);
            // One that takes two slots leaves the array's last one out.
            let slots = if !two { 1 } else if tail % 4 == 3 { 3 } else { 2 };
            let fits = tail.wrapping_sub(head) + slots <= 4;
            let end = memory.append_cqe(tail, head, &completion);
            prop_assert_eq!(end, fits.then(|| tail.wrapping_add(slots)));
            if let Some(end) = end {
                tail = end;
                memory.cq_tail().store(tail, std::sync::atomic::Ordering::Release);
                let big = if two || kind == 1 { completion.big } else { [0; 2] };
                expected.push_back((user_data, user_data as i32, big));
            }
        }
    }

    /// The array says in which order the slots are taken.
    #[test]
    fn sqes_are_found_by_the_array(slots in proptest::collection::vec(0..6u32, 1..20), start in any::<u32>()) {
        let _world = World::new();
        let program = Program::new(4, 0);
        program.start_queues_at(start);
        for slot in 0..4 {
            program.write_sqe(slot, &nop(slot.into()));
        }
        let mut dropped = 0;
        for slot in slots {
            program.name_slot(slot);
            let ret = program.enter(1, 0, 0);
            let completed = program.take();
            if slot < 4 {
                prop_assert_eq!((ret, completed.len()), (1, 1));
                prop_assert_eq!(completed[0].user_data, u64::from(slot));
            } else {
                dropped += 1;
                prop_assert_eq!((ret, completed.len()), (0, 0));
            }
            prop_assert_eq!(program.dropped(), dropped);
        }
    }
}

#[test]
fn without_an_array_slots_follow_each_other() {
    let _world = World::new();
    for start in [0, u32::MAX - 1] {
        for flags in [
            IORING_SETUP_NO_SQARRAY,
            IORING_SETUP_NO_SQARRAY | IORING_SETUP_SQE128,
        ] {
            let program = Program::new(4, flags);
            program.start_queues_at(start);
            for round in 0..3 {
                let data = [0, 1, 2].map(|index| round * 3 + index);
                assert_eq!(
                    program.results_of(&data.map(nop)),
                    data.map(|data| (data, 0))
                );
            }
        }
    }
}

#[test]
fn what_is_in_the_queues_survives_another_size() {
    let _world = World::new();
    let mut program = Program::with_cq(
        4,
        4,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    );
    program.start_queues_at(u32::MAX - 1);
    // Six completions, of which two found no room, and an SQE that was not submitted.
    program.submit(&[1, 2, 3, 4].map(nop));
    program.submit(&[5, 6].map(nop));
    program.push(nop(7));
    assert_ne!(program.sq_flags() & IORING_SQ_CQ_OVERFLOW, 0);
    let mut params = io_uring_params {
        sq_entries: 8,
        cq_entries: 2,
        flags: IORING_SETUP_CQSIZE,
        ..io_uring_params::default()
    };
    let resize = IORING_REGISTER_RESIZE_RINGS;
    assert_eq!(
        program.register(resize, &raw mut params, 1),
        -libc::EINVAL,
        "a CQ smaller than the SQ"
    );
    params.sq_entries = 2;
    assert_eq!(
        program.register(resize, &raw mut params, 1),
        -libc::EOVERFLOW
    );
    (params.sq_entries, params.cq_entries) = (8, 16);
    assert_eq!(program.register(resize, &raw mut params, 1), 0);
    let flags = program.params.flags;
    program.params = io_uring_params { flags, ..params };
    program.map();
    assert_eq!(program.enter(1, 0, 0), 1);
    let all = [1, 2, 3, 4, 5, 6, 7].map(|data| (data, 0));
    assert_eq!(program.results(), all);
    assert_eq!(program.sq_flags() & IORING_SQ_CQ_OVERFLOW, 0);
}
