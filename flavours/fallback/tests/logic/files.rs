//! Registered files and buffers: tables, slots that are chosen, tags.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Program, World, nop, sqe, transfer, with_flags};
use super::{cases, kernel};

const NONE: *mut u8 = std::ptr::null_mut();

fn sparse(program: &Program, opcode: io_uring_register_op, nr: u32) -> i32 {
    let mut given = io_uring_rsrc_register {
        nr,
        flags: IORING_RSRC_REGISTER_SPARSE,
        ..io_uring_rsrc_register::default()
    };
    program.register(
        opcode,
        &raw mut given,
        size_of::<io_uring_rsrc_register>() as u32,
    )
}

/// A request that puts descriptors into slots.
fn update(offset: u64, fds: &mut [i32]) -> io_uring_sqe {
    let mut sqe = transfer(IORING_OP_FILES_UPDATE, 1, 0, fds.as_mut_ptr(), fds.len());
    sqe.__anon1.off = offset;
    sqe
}

/// Whether a slot holds a file: a no-op asks.
fn holds(program: &Program, slot: i32) -> bool {
    let mut sqe = nop(1);
    sqe.fd = slot;
    // A no-op on a file (1 << 1) that is registered (1 << 2).
    sqe.__anon3.nop_flags = 1 << 1 | 1 << 2;
    match program.result_of(sqe) {
        0 => true,
        error => {
            assert_eq!(error, -libc::EBADF);
            false
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u64, Vec<Option<bool>>),
    /// Chooses slots.
    Choose(usize),
    Clear(u32),
    Range(u32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let one = prop_oneof![Just(None), any::<bool>().prop_map(Some)];
    prop_oneof![
        (0..9u64, proptest::collection::vec(one, 1..4)).prop_map(|(at, all)| Step::Put(at, all)),
        (1..4usize).prop_map(Step::Choose),
        (0..9u32).prop_map(Step::Clear),
        (0..9u32, 0..9u32).prop_map(|(first, count)| Step::Range(first, count)),
    ]
}

proptest! {
    #![proptest_config(cases(200))]

    /// Beside a map from slots to files, and the range from which free ones are chosen.
    #[test]
    fn slots_hold_what_was_put_there(steps in proptest::collection::vec(step(), 1..20)) {
        let _world = World::new();
        let program = Program::new(8, 0);
        let file = kernel::any_file();
        let open = kernel::names_of(file);
        prop_assert_eq!(sparse(&program, IORING_REGISTER_FILES2, 8), 0);
        let mut model = BTreeMap::new();
        let mut range = 0..8u32;
        for step in steps {
            match step {
                // `Some(true)`: a file; `Some(false)`: none; `None`: as it is.
                Step::Put(at, all) => {
                    let mut fds: Vec<_> = all
                        .iter()
                        .map(|one| match one {
                            None => IORING_REGISTER_FILES_SKIP,
                            Some(true) => file,
                            Some(false) => -1,
                        })
                        .collect();
                    let fits = at as usize + all.len() <= 8;
                    let expected = if fits { all.len() as i32 } else { -libc::EINVAL };
                    prop_assert_eq!(program.result_of(update(at, &mut fds)), expected);
                    for (slot, one) in (at as u32..).zip(all).filter(|_| fits) {
                        match one {
                            None => {}
                            Some(true) => drop(model.insert(slot, ())),
                            Some(false) => drop(model.remove(&slot)),
                        }
                    }
                }
                Step::Choose(count) => {
                    let mut fds = vec![file; count];
                    let free: Vec<_> = range.clone().filter(|slot| !model.contains_key(slot)).take(count).collect();
                    let expected = if free.is_empty() { -libc::ENFILE } else { free.len() as i32 };
                    let done = program.result_of(update(u64::from(IORING_FILE_INDEX_ALLOC), &mut fds));
                    prop_assert_eq!(done, expected);
                    for (slot, told) in free.iter().zip(fds) {
                        prop_assert_eq!(*slot as i32, told);
                        model.insert(*slot, ());
                    }
                }
                Step::Clear(slot) => {
                    let mut close = sqe(IORING_OP_CLOSE, 1);
                    close.__anon5.file_index = slot + 1;
                    let expected = match model.remove(&slot) {
                        Some(()) => 0,
                        None if slot < 8 => -libc::EBADF,
                        None => -libc::EINVAL,
                    };
                    prop_assert_eq!(program.result_of(close), expected);
                }
                Step::Range(off, len) => {
                    let mut given = io_uring_file_index_range { off, len, resv: 0 };
                    let fits = off + len <= 8;
                    let ret = program.register(IORING_REGISTER_FILE_ALLOC_RANGE, &raw mut given, 0);
                    prop_assert_eq!(ret, if fits { 0 } else { -libc::EINVAL });
                    if fits {
                        range = off..off + len;
                    }
                }
            }
            for slot in 0..8 {
                prop_assert_eq!(holds(&program, slot), model.contains_key(&(slot as u32)), "slot {}", slot);
            }
            prop_assert_eq!(kernel::names_of(file), open + model.len());
        }
        prop_assert_eq!(program.register(IORING_UNREGISTER_FILES, NONE, 0), 0);
        prop_assert_eq!(kernel::names_of(file), open);
    }
}

#[test]
fn what_no_table_of_files_may_be() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let file = kernel::any_file();
    let mut fds = [file, -1, file];
    let register = |fds: &mut [i32]| {
        program.register(IORING_REGISTER_FILES, fds.as_mut_ptr(), fds.len() as u32)
    };
    assert_eq!(
        program.register(IORING_UNREGISTER_FILES, NONE, 0),
        -libc::ENXIO
    );
    assert_eq!(register(&mut []), -libc::EINVAL);
    assert_eq!(
        program.register(IORING_REGISTER_FILES, NONE, 1),
        -libc::EFAULT
    );
    assert_eq!(register(&mut [file, 999]), -libc::EBADF);
    assert_eq!(register(&mut [program.fd]), -libc::EBADF, "a ring");
    assert_eq!(
        kernel::names_of(file),
        1,
        "what was registered before the wrong one"
    );
    kernel::set_limit(2);
    assert_eq!(register(&mut fds), -libc::EMFILE);
    kernel::set_limit(1000);
    assert_eq!(register(&mut fds), 0);
    assert_eq!(register(&mut fds), -libc::EBUSY);
    assert_eq!(sparse(&program, IORING_REGISTER_FILES2, 8), -libc::EBUSY);
    assert_eq!(
        [0, 1, 2, 3].map(|slot| holds(&program, slot)),
        [true, false, true, false]
    );
    assert_eq!(
        program.register(IORING_UNREGISTER_FILES, &raw mut fds, 1),
        -libc::EINVAL
    );
    assert_eq!(program.register(IORING_UNREGISTER_FILES, NONE, 0), 0);
    assert_eq!(program.result_of(update(0, &mut fds)), -libc::ENXIO);
}

#[test]
fn tags_tell_when_a_file_is_not_used_any_more() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let (fd, _) = kernel::stream();
    let mut fds = [fd, fd];
    let mut tags = [11u64, 0];
    let mut given = io_uring_rsrc_register {
        nr: 2,
        data: fds.as_mut_ptr().expose_provenance() as u64,
        tags: tags.as_mut_ptr().expose_provenance() as u64,
        ..io_uring_rsrc_register::default()
    };
    let size = size_of::<io_uring_rsrc_register>() as u32;
    assert_eq!(
        program.register(IORING_REGISTER_FILES2, &raw mut given, size - 1),
        -libc::EINVAL
    );
    assert_eq!(
        program.register(IORING_REGISTER_FILES2, &raw mut given, size),
        0
    );
    let mut byte = 0u8;
    let receive = transfer(IORING_OP_RECV, 1, 0, &raw mut byte, 1);
    program.submit(&[with_flags(receive, IOSQE_FIXED_FILE)]);
    // A request has it still.
    assert_eq!(program.result_of(update(0, &mut [-1, -1])), 2);
    assert_eq!(program.results(), []);
    kernel::deliver(fd, b"a");
    assert_eq!(program.results(), [(1, 1), (11, 0)]);
}

#[test]
fn buffers_are_where_the_program_says() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let mut memory = [0u8; 16];
    let file = kernel::disk(b"0123456789");
    let start = memory.as_mut_ptr();
    let vector = |offset: usize, length| libc::iovec {
        iov_base: start.wrapping_add(offset).cast(),
        iov_len: length,
    };
    let empty = libc::iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    };
    let register = |all: &mut [libc::iovec]| {
        program.register(IORING_REGISTER_BUFFERS, all.as_mut_ptr(), all.len() as u32)
    };
    assert_eq!(register(&mut []), -libc::EINVAL);
    assert_eq!(register(&mut [vector(0, 0)]), -libc::EFAULT);
    assert_eq!(
        register(&mut [libc::iovec {
            iov_len: 1,
            ..empty
        }]),
        -libc::EFAULT
    );
    assert_eq!(register(&mut [vector(0, (1 << 30) + 1)]), -libc::EFAULT);
    assert_eq!(
        program.register(IORING_UNREGISTER_BUFFERS, NONE, 0),
        -libc::ENXIO
    );
    assert_eq!(register(&mut [vector(0, 8), empty]), 0);
    assert_eq!(register(&mut [vector(0, 8)]), -libc::EBUSY);
    let read = |slot: u16, offset: usize, length| {
        let mut sqe = transfer(
            IORING_OP_READ_FIXED,
            1,
            file,
            start.wrapping_add(offset),
            length,
        );
        sqe.__anon4.buf_index = slot;
        program.result_of(sqe)
    };
    assert_eq!(read(0, 0, 8), 8);
    assert_eq!(&memory[..9], b"01234567\0");
    assert_eq!(read(0, 2, 6), 6);
    for (slot, offset, length) in [(0, 2, 7), (0, 8, 1), (1, 0, 1), (2, 0, 1)] {
        assert_eq!(
            read(slot, offset, length),
            -libc::EFAULT,
            "{slot} {offset} {length}"
        );
    }
    let mut new = [vector(8, 8)];
    let mut tags = [5u64];
    let mut given = io_uring_rsrc_update2 {
        offset: 1,
        nr: 1,
        data: new.as_mut_ptr().expose_provenance() as u64,
        tags: tags.as_mut_ptr().expose_provenance() as u64,
        ..io_uring_rsrc_update2::default()
    };
    let size = size_of::<io_uring_rsrc_update2>() as u32;
    let update = |given: &mut io_uring_rsrc_update2| {
        program.register(IORING_REGISTER_BUFFERS_UPDATE, given, size)
    };
    assert_eq!(update(&mut given), 1);
    assert_eq!(read(1, 8, 8), 8);
    given.offset = 2;
    assert_eq!(update(&mut given), -libc::EINVAL);
    // Another ring takes them over.
    let other = Program::new(4, 0);
    let mut clone = io_uring_clone_buffers {
        src_fd: program.fd as u32,
        ..io_uring_clone_buffers::default()
    };
    assert_eq!(
        other.register(IORING_REGISTER_CLONE_BUFFERS, &raw mut clone, 1),
        0
    );
    assert_eq!(
        other.register(IORING_REGISTER_CLONE_BUFFERS, &raw mut clone, 1),
        -libc::EBUSY
    );
    assert_eq!(program.register(IORING_UNREGISTER_BUFFERS, NONE, 0), 0);
    // The tag is the first ring's, and the buffer is still the other's.
    assert_eq!(program.results(), [(5, 0)]);
    let mut fixed = transfer(IORING_OP_READ_FIXED, 1, file, start.wrapping_add(8), 8);
    fixed.__anon4.buf_index = 1;
    assert_eq!(other.result_of(fixed), 8);
    assert_eq!(other.register(IORING_UNREGISTER_BUFFERS, NONE, 0), 0);
    assert_eq!((program.results(), other.results()), (vec![], vec![]));
}
