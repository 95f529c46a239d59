//! Set-up, restrictions, the probe, and arguments that are refused.

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, nop, set_up, with_flags};
use super::{cases, kernel};

const NONE: *mut u8 = std::ptr::null_mut();

#[test]
fn flags_that_do_not_go_together() {
    let _world = World::new();
    let refused = |flags| {
        set_up(
            4,
            &mut io_uring_params {
                flags,
                ..io_uring_params::default()
            },
        )
    };
    for flags in [
        1 << 31,
        IORING_SETUP_REGISTERED_FD_ONLY,
        IORING_SETUP_SQPOLL | IORING_SETUP_COOP_TASKRUN,
        IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_HYBRID_IOPOLL,
        IORING_SETUP_SQ_AFF,
        IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED,
        IORING_SETUP_SQE128 | IORING_SETUP_SQE_MIXED,
        IORING_SETUP_SQ_REWIND,
        IORING_SETUP_SQ_REWIND | IORING_SETUP_NO_SQARRAY | IORING_SETUP_SQPOLL,
        // With a CQ of no entries.
        IORING_SETUP_CQSIZE,
    ] {
        assert_eq!(refused(flags), Err(-libc::EINVAL), "{flags:#x}");
    }
    assert_eq!(
        set_up(0, &mut io_uring_params::default()),
        Err(-libc::EINVAL)
    );
    let mut params = io_uring_params {
        resv: [0, 1, 0],
        ..io_uring_params::default()
    };
    assert_eq!(set_up(4, &mut params), Err(-libc::EINVAL));
    assert_eq!(kernel::held(), (0, 0), "of what is refused nothing stays");
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn sizes_are_powers_of_two(entries in 1..70000u32, cq in 1..140000u32, cq_size in any::<bool>(), clamp in any::<bool>()) {
        let _world = World::new();
        // Miri would take long for the memory of large rings.
        prop_assume!(!cfg!(miri) || entries < 100 && cq < 200 || entries > 32768 && !clamp);
        let flags = if cq_size { IORING_SETUP_CQSIZE } else { 0 } | if clamp { IORING_SETUP_CLAMP } else { 0 };
        let mut params = io_uring_params { flags, cq_entries: cq, ..io_uring_params::default() };
        let limit = |asked: u32, most: u32| if clamp { asked.min(most) } else { asked };
        let sq = limit(entries, 32768).next_power_of_two();
        let wanted = if cq_size { limit(cq, 65536).next_power_of_two() } else { 2 * sq };
        match set_up(entries, &mut params) {
            Ok(fd) => {
                prop_assert!(entries <= 32768 || clamp);
                prop_assert_eq!((params.sq_entries, params.cq_entries), (sq, wanted));
                prop_assert!(wanted >= sq);
                let closed = <crate::seam::User as uring_core::kernel::Kernel>::close(fd);
                prop_assert!(closed.is_ok());
            }
            Err(error) => {
                prop_assert_eq!(error, -libc::EINVAL);
                prop_assert!(!clamp && (entries > 32768 || cq_size && cq > 65536) || cq_size && wanted < sq);
            }
        }
    }

    /// Beside the sets that were registered.
    #[test]
    fn a_restricted_ring_takes_what_is_allowed(
        nops in any::<bool>(),
        registrations in any::<bool>(),
        allowed in 0..64u8,
        required in 0..64u8,
        given in 0..64u8,
    ) {
        // Buffers to choose from, which no no-op takes, and members of chains are left out.
        let mask = !(IOSQE_BUFFER_SELECT | IOSQE_IO_LINK | IOSQE_IO_HARDLINK | IOSQE_IO_DRAIN | IOSQE_FIXED_FILE) as u8;
        let (allowed, required, given) = (allowed & mask, required & mask, given & mask);
        let _world = World::new();
        let program = Program::new(4, IORING_SETUP_R_DISABLED);
        // SAFETY: plain numbers, for which zero bytes are a value.
        let empty: io_uring_restriction = unsafe { std::mem::zeroed() };
        let one = |opcode: u32, value: u8| {
            let mut one = empty;
            one.opcode = opcode as u16;
            one.__anon1.sqe_op = value;
            one
        };
        let mut all = vec![
            one(IORING_RESTRICTION_SQE_FLAGS_ALLOWED as u32, allowed),
            one(IORING_RESTRICTION_SQE_FLAGS_REQUIRED as u32, required),
            one(IORING_RESTRICTION_REGISTER_OP as u32, IORING_REGISTER_ENABLE_RINGS as u8),
        ];
        if nops {
            all.push(one(IORING_RESTRICTION_SQE_OP as u32, IORING_OP_NOP as u8));
        }
        if registrations {
            all.push(one(IORING_RESTRICTION_REGISTER_OP as u32, IORING_UNREGISTER_FILES as u8));
        }
        let register = |all: &mut [io_uring_restriction]| {
            program.register(IORING_REGISTER_RESTRICTIONS, all.as_mut_ptr(), all.len() as u32)
        };
        prop_assert_eq!(register(&mut [one(99, 0)]), -libc::EINVAL);
        prop_assert_eq!(register(&mut [one(IORING_RESTRICTION_SQE_OP as u32, 255)]), -libc::EINVAL);
        prop_assert_eq!(register(&mut all), 0);
        prop_assert_eq!(register(&mut all), -libc::EBUSY);
        prop_assert_eq!(program.register(IORING_REGISTER_ENABLE_RINGS, NONE, 0), 0);
        prop_assert_eq!(register(&mut all), -libc::EACCES);
        let expected = if registrations { -libc::ENXIO } else { -libc::EACCES };
        prop_assert_eq!(program.register(IORING_UNREGISTER_FILES, NONE, 0), expected);
        program.push(with_flags(nop(1), given.into()));
        program.enter(1, 0, 0);
        program.look();
        let fits = nops && given & required == required && given & !(allowed | required) == 0;
        let result = program.next().map(|cqe| cqe.res);
        let silent = fits && u32::from(given) & IOSQE_CQE_SKIP_SUCCESS != 0;
        prop_assert_eq!(result, if silent { None } else { Some(if fits { 0 } else { -libc::EACCES }) });
    }
}

#[test]
fn the_probe_names_what_is_served() {
    let _world = World::new();
    let program = Program::new(4, 0);
    // A header of 16 bytes, and an entry of 8 for each opcode.
    let mut room = [0u64; 2 + 256];
    let probe =
        |room: &mut [u64], nr| program.register(IORING_REGISTER_PROBE, room.as_mut_ptr(), nr);
    assert_eq!(probe(&mut room, 257), -libc::EINVAL);
    room[5] = 1;
    assert_eq!(probe(&mut room, 256), -libc::EINVAL, "not empty");
    room[5] = 0;
    assert_eq!(probe(&mut room, 256), 0);
    let [last, count, ..] = room[0].to_ne_bytes();
    assert_eq!(count, last + 1);
    for (opcode, entry) in (0..=255u8).zip(&room[2..]) {
        let [op, _, low, high, ..] = entry.to_ne_bytes();
        let supported =
            u32::from(u16::from_ne_bytes([low, high])) & IO_URING_OP_SUPPORTED as u32 != 0;
        assert_eq!(op, if opcode <= last { opcode } else { 0 });
        // An opcode that is not named completes as one that there is not.
        let mut sqe = nop(1);
        sqe.opcode = opcode;
        (sqe.fd, sqe.ioprio) = (-1, u16::MAX);
        if !supported {
            program.push(sqe);
            program.enter(1, 0, 0);
            assert_eq!(
                program.next().map(|cqe| cqe.res),
                Some(-libc::EINVAL),
                "opcode {opcode}"
            );
        }
    }
    // Less room than there are opcodes.
    let mut little = [0u64; 2 + 3];
    assert_eq!(probe(&mut little, 3), 0);
    assert_eq!(little[0].to_ne_bytes()[..2], [last, 3]);
    assert_eq!(little[2..], room[2..5]);
}

#[test]
fn registrations_that_there_are_not() {
    let _world = World::new();
    let program = Program::new(4, 0);
    for opcode in [
        IORING_REGISTER_NAPI,
        IORING_REGISTER_ZCRX_IFQ,
        IORING_REGISTER_LAST,
    ] {
        assert_eq!(program.register(opcode, NONE, 0), -libc::EINVAL);
    }
    let mut words = [0u64; 64];
    kernel::unmap(words.as_ptr().addr());
    for opcode in [
        IORING_REGISTER_BUFFERS,
        IORING_REGISTER_FILES,
        IORING_REGISTER_PBUF_RING,
        IORING_UNREGISTER_PBUF_RING,
        IORING_REGISTER_PBUF_STATUS,
        IORING_REGISTER_SYNC_CANCEL,
        IORING_REGISTER_MEM_REGION,
        IORING_REGISTER_EVENTFD,
        IORING_REGISTER_PROBE,
        IORING_REGISTER_RING_FDS,
        IORING_UNREGISTER_RING_FDS,
    ] {
        let ret = program.register(opcode, words.as_mut_ptr(), 1);
        assert_eq!(ret, -libc::EFAULT, "{}: no memory there", opcode as u32);
    }
}

#[test]
fn rings_are_registered_by_thread() {
    let _world = World::new();
    let program = Program::new(4, 0);
    let request = |data: u64, offset| io_uring_rsrc_update {
        offset,
        resv: 0,
        data,
    };
    let register = |all: &mut [io_uring_rsrc_update]| {
        program.register(IORING_REGISTER_RING_FDS, all.as_mut_ptr(), all.len() as u32)
    };
    let free = u32::MAX;
    let fd = program.fd as u64;
    assert_eq!(register(&mut []), -libc::EINVAL);
    assert_eq!(register(&mut [request(999, free)]), -libc::EBADF);
    assert_eq!(
        register(&mut [request(kernel::any_file() as u64, free)]),
        -libc::EOPNOTSUPP
    );
    let mut two = [request(fd, free), request(fd, free)];
    assert_eq!(register(&mut two), 2);
    assert_ne!(two[0].offset, two[1].offset);
    let enter = |index: u32| {
        let flags = IORING_ENTER_REGISTERED_RING;
        // SAFETY: no argument.
        unsafe {
            <crate::seam::User as uring_core::kernel::Kernel>::enter(
                index as i32,
                0,
                0,
                flags,
                std::ptr::null(),
                0,
            )
        }
        .as_c()
    };
    assert_eq!((enter(two[0].offset), enter(two[1].offset)), (0, 0));
    kernel::become_thread(200);
    assert_eq!(enter(two[0].offset), -libc::EINVAL, "another thread's");
    kernel::become_thread(100);
    let unregister = |all: &mut [io_uring_rsrc_update]| {
        program.register(
            IORING_UNREGISTER_RING_FDS,
            all.as_mut_ptr(),
            all.len() as u32,
        )
    };
    let mut gone = [request(0, two[0].offset), request(0, two[1].offset)];
    assert_eq!(unregister(&mut gone), 2);
    assert_eq!(enter(two[0].offset), -libc::EINVAL);
}
