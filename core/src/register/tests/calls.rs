//! Descriptor, opcode, argument and count of each call, and what becomes of the kernel's answer.

use super::*;
use crate::errno::{Errno, Ret};
use crate::kernel::sim::Sim;
use crate::register::{
    access, buf_ring, buffers, cancel, eventfd, files, napi, query, wait, workers, zcrx,
};

/// An address that is only passed on.
fn somewhere<T>(n: usize) -> *mut T {
    ptr::without_provenance_mut(n * 64)
}

type OnRing = fn(Ring<Sim>) -> Ret;
type OnNone = fn() -> Ret;
type WithFd = fn(Ring<Sim>, c_int) -> Ret;

/// A table of `function(arguments after the ring) => opcode, argument, count;`.
macro_rules! plain {
    ($($topic:ident::$name:ident($($given:expr),*) => $opcode:ident, $arg:expr, $nr_args:expr;)*) => {
        &[$((
            // SAFETY: the simulated kernel looks at no argument.
            #[allow(unused_unsafe, reason = "some of them are safe")]
            |ring| unsafe { $topic::$name(ring, $($given),*) },
            $opcode,
            $arg,
            $nr_args,
        )),*]
    };
}

/// Calls that pass on what they are given.
const PLAIN: &[(OnRing, io_uring_register_op, usize, c_uint)] = plain! {
    buffers::register(somewhere(1), 5) => IORING_REGISTER_BUFFERS, 1, 5;
    buffers::unregister() => IORING_UNREGISTER_BUFFERS, 0, 0;
    files::register(somewhere(2), 6) => IORING_REGISTER_FILES, 2, 6;
    files::unregister() => IORING_UNREGISTER_FILES, 0, 0;
    eventfd::unregister() => IORING_UNREGISTER_EVENTFD, 0, 0;
    query::probe(somewhere(3), 256) => IORING_REGISTER_PROBE, 3, 256;
    access::register_personality() => IORING_REGISTER_PERSONALITY, 0, 0;
    access::unregister_personality(9) => IORING_UNREGISTER_PERSONALITY, 0, 9;
    access::unregister_personality(-1) => IORING_UNREGISTER_PERSONALITY, 0, u32::MAX;
    access::register_restrictions(somewhere(4), 2) => IORING_REGISTER_RESTRICTIONS, 4, 2;
    access::enable() => IORING_REGISTER_ENABLE_RINGS, 0, 0;
    access::register_bpf_filter(somewhere(5)) => IORING_REGISTER_BPF_FILTER, 5, 1;
    workers::register_affinity(128, somewhere(6)) => IORING_REGISTER_IOWQ_AFF, 6, 128;
    workers::register_affinity(i32::MAX as usize, somewhere(6)) => IORING_REGISTER_IOWQ_AFF, 6, i32::MAX as u32;
    workers::unregister_affinity() => IORING_UNREGISTER_IOWQ_AFF, 0, 0;
    workers::set_max(somewhere(7)) => IORING_REGISTER_IOWQ_MAX_WORKERS, 7, 2;
    cancel::sync_cancel(somewhere(8)) => IORING_REGISTER_SYNC_CANCEL, 8, 1;
    napi::register(somewhere(9)) => IORING_REGISTER_NAPI, 9, 1;
    napi::unregister(somewhere(10)) => IORING_UNREGISTER_NAPI, 10, 1;
    wait::register_clock(somewhere(11)) => IORING_REGISTER_CLOCK, 11, 0;
    wait::register_region(somewhere(12)) => IORING_REGISTER_MEM_REGION, 12, 1;
    zcrx::register_ifq(somewhere(13)) => IORING_REGISTER_ZCRX_IFQ, 13, 1;
    zcrx::control(somewhere(14)) => IORING_REGISTER_ZCRX_CTRL, 14, 0;
};

#[test]
fn arguments_arrive_and_answers_come_back() {
    for (call, opcode, arg, nr_args) in PLAIN {
        for answer in [Ok(0), Ok(42), Err(Errno::EBUSY)] {
            let mut ring = ring();
            let before = ring.int_flags;
            let (calls, returned) = watch(answer, || call(on(&raw mut ring)).check());
            let expected = Arrived {
                fd: FD,
                opcode: *opcode as c_uint,
                arg: somewhere(*arg),
                nr_args: *nr_args,
            };
            assert_eq!(calls, [expected]);
            assert_eq!(returned, answer, "{opcode:?}");
            assert_eq!(ring.int_flags, before);
        }
    }
}

#[test]
fn a_registered_ring_is_named_by_its_index() {
    for (call, opcode, ..) in PLAIN {
        let mut ring = indexed_ring();
        let (calls, _) = watch(Ok(0), || call(on(&raw mut ring)));
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].fd, INDEX);
        assert_eq!(calls[0].opcode, *opcode as c_uint | 1 << 31);
    }
}

#[test]
fn an_index_that_only_enter_takes_is_not_used() {
    let mut ring = io_uring {
        int_flags: REG_RING,
        ..indexed_ring()
    };
    let (calls, _) = watch(Ok(0), || access::enable(on(&raw mut ring)));
    assert_eq!(calls[0].fd, FD);
    assert_eq!(calls[0].opcode, IORING_REGISTER_ENABLE_RINGS as c_uint);
}

#[test]
fn some_calls_need_no_ring() {
    // SAFETY: the simulated kernel looks at no argument.
    let calls: [(OnNone, _, _); 3] = unsafe {
        [
            (
                || cancel::sync_msg::<Sim>(somewhere(1)),
                IORING_REGISTER_SEND_MSG_RING,
                1,
            ),
            (
                || access::register_task_bpf_filter::<Sim>(somewhere(1)),
                IORING_REGISTER_BPF_FILTER,
                1,
            ),
            (
                || query::query::<Sim>(somewhere(1)),
                IORING_REGISTER_QUERY,
                0,
            ),
        ]
    };
    for (call, opcode, nr_args) in calls {
        let (calls, returned) = watch(Err(Errno::EFAULT), || call().check());
        let expected = Arrived {
            fd: -1,
            opcode: opcode as c_uint,
            arg: somewhere(1),
            nr_args,
        };
        assert_eq!(calls, [expected]);
        assert_eq!(returned, Err(Errno::EFAULT));
    }
}

#[test]
fn a_cpu_set_that_no_count_can_tell_is_refused() {
    for size in [1 << 31, usize::MAX] {
        let mut ring = ring();
        let (calls, returned) = watch(Ok(0), || {
            workers::register_affinity(on(&raw mut ring), size, somewhere(1)).check()
        });
        assert_eq!(calls, []);
        assert_eq!(returned, Err(Errno::EINVAL));
    }
}

#[test]
fn descriptors_are_passed_by_address() {
    let calls: [(WithFd, _); 2] = [
        (eventfd::register, IORING_REGISTER_EVENTFD),
        (eventfd::register_async, IORING_REGISTER_EVENTFD_ASYNC),
    ];
    for (call, opcode) in calls {
        let mut ring = ring();
        let (arrived, fd) = watch_struct::<c_int>(|| call(on(&raw mut ring), 11));
        assert_eq!(
            (arrived.opcode, arrived.nr_args, fd),
            (opcode as c_uint, 1, 11)
        );
    }
}

#[test]
fn tables_are_described() {
    let data = [1, 2, 3];
    let tags = [4u64, 5, 6];
    let (data, tags) = (data.as_ptr(), tags.as_ptr());
    let (data_addr, tags_addr) = (data.addr() as u64, tags.addr() as u64);
    let full = io_uring_rsrc_register {
        nr: 3,
        flags: 0,
        resv2: 0,
        data: data_addr,
        tags: tags_addr,
    };
    let sparse = io_uring_rsrc_register {
        nr: 3,
        flags: IORING_RSRC_REGISTER_SPARSE,
        ..Default::default()
    };
    let iovecs = data.cast();
    type Call<'a> = &'a dyn Fn(Ring<Sim>) -> Ret;
    let calls: [(Call, _, _); 4] = [
        (
            &|ring| buffers::register_tags(ring, iovecs, tags, 3),
            IORING_REGISTER_BUFFERS2,
            full,
        ),
        (
            &|ring| buffers::register_sparse(ring, 3),
            IORING_REGISTER_BUFFERS2,
            sparse,
        ),
        (
            &|ring| files::register_tags(ring, data, tags, 3),
            IORING_REGISTER_FILES2,
            full,
        ),
        (
            &|ring| files::register_sparse(ring, 3),
            IORING_REGISTER_FILES2,
            sparse,
        ),
    ];
    for (call, opcode, expected) in calls {
        let mut ring = ring();
        let (arrived, table) = watch_struct::<io_uring_rsrc_register>(|| call(on(&raw mut ring)));
        assert_eq!(table, expected);
        assert_eq!((arrived.opcode, arrived.nr_args), (opcode as c_uint, 32));
    }
}

#[test]
fn updates_are_described() {
    let data = [1, 2, 3];
    let tags = [4u64, 5, 6];
    let (data, tags) = (data.as_ptr(), tags.as_ptr());
    let expected = io_uring_rsrc_update2 {
        offset: 17,
        resv: 0,
        data: data.addr() as u64,
        tags: tags.addr() as u64,
        nr: 3,
        resv2: 0,
    };
    let mut ring = ring();
    let ring = on(&raw mut ring);
    let iovecs = data.cast();
    let (arrived, update): (_, io_uring_rsrc_update2) =
        watch_struct(|| buffers::update_tags(ring, 17, iovecs, tags, 3));
    assert_eq!(update, expected);
    assert_eq!(arrived.opcode, IORING_REGISTER_BUFFERS_UPDATE as c_uint);
    assert_eq!(arrived.nr_args, 32);

    let (arrived, update): (_, io_uring_rsrc_update2) =
        watch_struct(|| files::update_tags(ring, 17, data, tags, 3));
    assert_eq!(update, expected);
    assert_eq!(arrived.opcode, IORING_REGISTER_FILES_UPDATE2 as c_uint);
    assert_eq!(arrived.nr_args, 32);

    let (arrived, update): (_, io_uring_rsrc_update) =
        watch_struct(|| files::update(ring, 17, data, 3));
    let expected = io_uring_rsrc_update {
        offset: 17,
        resv: 0,
        data: data.addr() as u64,
    };
    assert_eq!(update, expected);
    assert_eq!(arrived.opcode, IORING_REGISTER_FILES_UPDATE as c_uint);
    assert_eq!(arrived.nr_args, 3);

    let (arrived, range): (_, io_uring_file_index_range) =
        watch_struct(|| files::set_alloc_range(ring, 5, 6));
    let expected = io_uring_file_index_range {
        off: 5,
        len: 6,
        resv: 0,
    };
    assert_eq!(range, expected);
    assert_eq!(arrived.opcode, IORING_REGISTER_FILE_ALLOC_RANGE as c_uint);
    assert_eq!(arrived.nr_args, 0);
}

#[test]
fn the_source_of_a_clone_is_named_as_asked() {
    const BY_INDEX: c_uint = IORING_REGISTER_SRC_REGISTERED as c_uint;
    const REPLACE: c_uint = IORING_REGISTER_DST_REPLACE as c_uint;
    for (mut src, flags, expected_fd, expected_flags) in [
        (ring(), 0, FD, 0),
        (ring(), BY_INDEX, FD, 0),
        (ring(), BY_INDEX | REPLACE, FD, REPLACE),
        (indexed_ring(), 0, FD, 0),
        (indexed_ring(), REPLACE, FD, REPLACE),
        (indexed_ring(), BY_INDEX, INDEX, BY_INDEX),
        (
            indexed_ring(),
            BY_INDEX | REPLACE,
            INDEX,
            BY_INDEX | REPLACE,
        ),
    ] {
        let mut dst = ring();
        dst.ring_fd = 99;
        let (arrived, range) = watch_struct::<io_uring_clone_buffers>(|| {
            buffers::clone(on(&raw mut dst), on(&raw mut src), 1, 2, 3, flags)
        });
        let expected = io_uring_clone_buffers {
            src_fd: expected_fd as u32,
            flags: expected_flags,
            src_off: 2,
            dst_off: 1,
            nr: 3,
            pad: [0; 3],
        };
        assert_eq!(range, expected);
        assert_eq!(arrived.fd, 99);
        assert_eq!(arrived.opcode, IORING_REGISTER_CLONE_BUFFERS as c_uint);
        assert_eq!(arrived.nr_args, 1);
    }
}

#[test]
fn flags_are_added_to_a_buffer_rings_own() {
    let mut ring = ring();
    let mut reg = io_uring_buf_reg {
        ring_addr: 4096,
        ring_entries: 8,
        bgid: 2,
        flags: 0x8000,
        min_left: 3,
        resv: [0; 5],
    };
    let reg = &raw mut reg;
    // SAFETY: the memory is not looked at.
    let (arrived, seen) = watch_struct::<io_uring_buf_reg>(|| unsafe {
        buf_ring::register(on(&raw mut ring), reg, 0x10002)
    });
    assert_eq!(arrived.opcode, IORING_REGISTER_PBUF_RING as c_uint);
    assert_eq!(arrived.nr_args, 1);
    assert_eq!((seen.flags, seen.min_left, seen.bgid), (0x8002, 3, 2));
}

#[test]
fn waiting_for_io_is_a_flag_of_every_enter() {
    use crate::ring::flags::NO_IOWAIT;
    let mut ring = ring();
    let returned = wait::set_iowait(whole(&raw mut ring), false);
    assert!(returned.is(Errno::EOPNOTSUPP));
    assert_eq!(ring.int_flags, 0);

    ring.features = IORING_FEAT_NO_IOWAIT;
    ring.int_flags = REG_RING;
    let whole = whole(&raw mut ring);
    assert_eq!(wait::set_iowait(whole, false), Ret::DONE);
    assert_eq!(whole.int_flags(), REG_RING | NO_IOWAIT);
    let expected = IORING_ENTER_NO_IOWAIT | IORING_ENTER_REGISTERED_RING;
    assert_eq!(whole.enter_flags(), expected);
    assert_eq!(wait::set_iowait(whole, true), Ret::DONE);
    assert_eq!(whole.int_flags(), REG_RING);
}
