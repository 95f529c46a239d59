//! Provided buffers: given by requests, in rings, used up piece by piece, and several at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU16, Ordering};

use proptest::prelude::*;
use uring_core::abi::*;

use super::program::{Cqe, Program, World, sqe, transfer, with_flags};
use super::{cases, kernel};

const GROUP: u16 = 7;
const ENTRIES: u16 = 8;
const SIZE: usize = 4;

/// A ring of buffers in the program's memory, and the buffers.
#[repr(C, align(4096))]
struct Area {
    ring: [io_uring_buf; ENTRIES as usize],
    buffers: [[u8; SIZE]; ENTRIES as usize],
}

struct Buffers {
    area: *mut Area,
    tail: u16,
}

impl Buffers {
    fn new(program: &Program, flags: u32, least: u32) -> Buffers {
        // SAFETY: plain numbers, for which zero bytes are a value.
        let area = Box::into_raw(Box::<Area>::new(unsafe { std::mem::zeroed() }));
        let mut given = registration(area.expose_provenance() as u64);
        given.flags = flags as u16;
        given.min_left = least;
        assert_eq!(
            program.register(IORING_REGISTER_PBUF_RING, &raw mut given, 1),
            0
        );
        Buffers { area, tail: 0 }
    }

    fn buffer(&self, id: u16) -> *mut u8 {
        // SAFETY: within the area.
        unsafe { (&raw mut (*self.area).buffers[id as usize]).cast() }
    }

    fn add(&mut self, id: u16) {
        let at = (self.tail % ENTRIES) as usize;
        let buffer = self.buffer(id);
        // SAFETY: within the area, and above the tail. The tail lies in the first entry, so fields are written one by one.
        unsafe {
            let entry = &raw mut (*self.area).ring[at];
            (*entry).addr = buffer.expose_provenance() as u64;
            (*entry).len = SIZE as u32;
            (*entry).bid = id;
            self.tail = self.tail.wrapping_add(1);
            AtomicU16::from_ptr(self.area.cast::<u16>().add(7)).store(self.tail, Ordering::Release);
        }
    }

    fn bytes(&self, id: u16, from: usize, length: usize) -> Vec<u8> {
        // SAFETY: within the buffers.
        (from..from + length)
            .map(|at| unsafe { self.buffer(id).add(at).read() })
            .collect()
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and the ring is closed.
        drop(unsafe { Box::from_raw(self.area) });
    }
}

fn registration(address: u64) -> io_uring_buf_reg {
    // SAFETY: plain numbers, for which zero bytes are a value.
    let mut given: io_uring_buf_reg = unsafe { std::mem::zeroed() };
    given.ring_addr = address;
    given.ring_entries = ENTRIES.into();
    given.bgid = GROUP;
    given
}

fn receive(user_data: u64, fd: i32, length: usize, flags: u32) -> io_uring_sqe {
    let mut sqe = transfer(
        IORING_OP_RECV,
        user_data,
        fd,
        std::ptr::null_mut::<u8>(),
        length,
    );
    sqe.ioprio = flags as u16;
    sqe.__anon4.buf_group = GROUP;
    with_flags(sqe, IOSQE_BUFFER_SELECT)
}

fn id(cqe: &Cqe) -> Option<u16> {
    (cqe.flags & IORING_CQE_F_BUFFER != 0).then_some((cqe.flags >> IORING_CQE_BUFFER_SHIFT) as u16)
}

proptest! {
    #![proptest_config(cases(300))]

    /// Beside a queue of the buffers that the program has given.
    #[test]
    fn buffers_are_taken_in_their_order(
        shared in any::<bool>(),
        start in 0..3u16,
        steps in proptest::collection::vec(prop_oneof![Just(None), (1..9usize).prop_map(Some)], 1..30),
    ) {
        let _world = World::new();
        let program = Program::with_cq(8, 16, 0);
        let mut buffers = Buffers::new(&program, 0, 0);
        if !shared {
            assert_eq!(program.register(IORING_UNREGISTER_PBUF_RING, &mut registration_of_none(), 1), 0);
        }
        let (fd, _) = kernel::stream();
        let (mut there, mut away) = (VecDeque::new(), VecDeque::new());
        away.extend((0..ENTRIES).map(|index| (index + start) % ENTRIES));
        let mut next = 0u8;
        for step in steps {
            match step {
                None => {
                    let Some(id) = away.pop_front() else { continue };
                    there.push_back(id);
                    if shared {
                        buffers.add(id);
                    } else {
                        let mut provide = transfer(IORING_OP_PROVIDE_BUFFERS, 1, 1, buffers.buffer(id), SIZE);
                        provide.__anon1.off = id.into();
                        provide.__anon4.buf_group = GROUP;
                        prop_assert_eq!(program.result_of(provide), 0);
                    }
                }
                Some(count) => {
                    let sent: Vec<u8> = (0..count as u8).map(|at| next.wrapping_add(at)).collect();
                    kernel::deliver(fd, &sent);
                    program.submit(&[receive(2, fd, 0, 0)]);
                    let cqe = program.take();
                    prop_assert_eq!(cqe.len(), 1);
                    match there.pop_front() {
                        None => prop_assert_eq!(cqe[0].res, -libc::ENOBUFS),
                        Some(expected) => {
                            let length = count.min(SIZE);
                            prop_assert_eq!((cqe[0].res, id(&cqe[0])), (length as i32, Some(expected)));
                            prop_assert_eq!(buffers.bytes(expected, 0, length), &sent[..length]);
                            away.push_back(expected);
                        }
                    }
                    next = next.wrapping_add(1);
                    // What did not fit is still there.
                    let mut rest = [0u8; 16];
                    let mut drain = transfer(IORING_OP_RECV, 3, fd, rest.as_mut_ptr(), 16);
                    drain.__anon3.msg_flags = libc::MSG_DONTWAIT as u32;
                    program.submit(&[drain]);
                    program.take();
                }
            }
        }
    }

    /// Beside the bytes: each piece lies behind the one before, until too little of the buffer is left.
    #[test]
    fn buffers_are_used_up_piece_by_piece(
        least in 0..4u32,
        lengths in proptest::collection::vec(1..6usize, 1..12),
    ) {
        let _world = World::new();
        let program = Program::with_cq(8, 16, 0);
        let mut buffers = Buffers::new(&program, IOU_PBUF_RING_INC as u32, least);
        let (fd, _) = kernel::stream();
        (0..ENTRIES).for_each(|id| buffers.add(id));
        let mut place = (0u16, 0usize);
        for (round, length) in lengths.into_iter().enumerate() {
            if place.0 == ENTRIES {
                break;
            }
            let sent = vec![round as u8; length];
            kernel::deliver(fd, &sent);
            let mut left = length;
            while left > 0 && place.0 < ENTRIES {
                program.submit(&[receive(1, fd, 0, 0)]);
                let cqe = program.take();
                prop_assert_eq!(cqe.len(), 1);
                let count = left.min(SIZE - place.1);
                prop_assert_eq!((cqe[0].res, id(&cqe[0])), (count as i32, Some(place.0)));
                prop_assert_eq!(buffers.bytes(place.0, place.1, count), vec![round as u8; count]);
                left -= count;
                place.1 += count;
                let rest = SIZE - place.1;
                let more = rest > 0 && rest >= least as usize;
                prop_assert_eq!(cqe[0].flags & IORING_CQE_F_BUF_MORE != 0, more);
                if !more {
                    place = (place.0 + 1, 0);
                }
            }
        }
        // SAFETY: plain numbers, for which zero bytes are a value.
        let mut status: io_uring_buf_status = unsafe { std::mem::zeroed() };
        status.buf_group = GROUP.into();
        prop_assert_eq!(program.register(IORING_REGISTER_PBUF_STATUS, &raw mut status, 1), 0);
        prop_assert_eq!(status.head, u32::from(place.0));
    }

    /// A bundle fills buffers one after the other, and tells of the first.
    #[test]
    fn bundles_fill_several_buffers(
        there in 1..8u16,
        incremental in any::<bool>(),
        length in 1..40usize,
        most in 0..20usize,
    ) {
        let _world = World::new();
        let program = Program::with_cq(8, 16, 0);
        let mut buffers = Buffers::new(&program, if incremental { IOU_PBUF_RING_INC as u32 } else { 0 }, 0);
        let (fd, _) = kernel::stream();
        (0..there).for_each(|id| buffers.add(id));
        let sent: Vec<u8> = (0..length as u8).collect();
        kernel::deliver(fd, &sent);
        program.submit(&[receive(1, fd, most, IORING_RECVSEND_BUNDLE)]);
        let cqe = program.take();
        let room = usize::from(there) * SIZE;
        // Of several buffers none is cut but those that are used up piece by piece.
        let limit = match most {
            0 => usize::MAX,
            _ if incremental || most < SIZE => most,
            _ => most - most % SIZE,
        };
        let count = length.min(room).min(limit);
        prop_assert_eq!(cqe.len(), 1);
        prop_assert_eq!((cqe[0].res, id(&cqe[0])), (count as i32, Some(0)));
        let filled: Vec<u8> = (0..there).flat_map(|id| buffers.bytes(id, 0, SIZE)).take(count).collect();
        prop_assert_eq!(filled, &sent[..count]);
        // The next one goes on where this one ended.
        let partial = count % SIZE != 0;
        let next = if incremental { count / SIZE } else { count.div_ceil(SIZE) } as u16;
        prop_assert_eq!(cqe[0].flags & IORING_CQE_F_BUF_MORE != 0, incremental && partial);
        let left = length - count;
        if next < there && left > 0 {
            program.submit(&[receive(2, fd, 0, 0)]);
            prop_assert_eq!(program.take().first().and_then(id), Some(next));
        }
    }
}

fn registration_of_none() -> io_uring_buf_reg {
    let mut given = registration(0);
    given.ring_entries = 0;
    given
}

#[test]
fn a_bundle_is_sent_whole() {
    let _world = World::new();
    let program = Program::with_cq(8, 16, 0);
    let mut buffers = Buffers::new(&program, 0, 0);
    let (fd, other) = kernel::stream();
    for id in 0..4u16 {
        for at in 0..SIZE {
            // SAFETY: within the buffers.
            unsafe { buffers.buffer(id).add(at).write(id as u8 * 10 + at as u8) };
        }
        buffers.add(id);
    }
    // No more than ten bytes go at once.
    kernel::set_room(10);
    let mut send = receive(1, fd, 0, IORING_RECVSEND_BUNDLE);
    send.opcode = IORING_OP_SEND as u8;
    program.submit(&[send]);
    assert_eq!(program.take(), []);
    let mut all = kernel::collect(fd);
    let results = program.results();
    all.extend(kernel::collect(fd));
    assert_eq!(results, [(1, 16)]);
    let expected: Vec<u8> = (0..4)
        .flat_map(|id| (0..4).map(move |at| id * 10 + at))
        .collect();
    assert_eq!(all, expected);
    kernel::hang_up(other);
}

#[test]
fn an_empty_buffer_goes_back() {
    let _world = World::new();
    let program = Program::with_cq(8, 16, 0);
    let mut buffers = Buffers::new(&program, 0, 0);
    let (fd, _) = kernel::stream();
    buffers.add(3);
    program.submit(&[receive(1, fd, 0, IORING_RECV_MULTISHOT)]);
    kernel::hang_up(fd);
    program.look();
    let cqe = program.take();
    assert_eq!(cqe.len(), 1);
    assert_eq!(
        (cqe[0].res, id(&cqe[0]), cqe[0].flags & IORING_CQE_F_MORE),
        (0, None, 0)
    );
    // The next one gets it.
    let (fd, _) = kernel::stream();
    kernel::deliver(fd, b"a");
    program.submit(&[receive(2, fd, 0, 0)]);
    assert_eq!(program.take().first().and_then(id), Some(3));
}

#[test]
fn what_can_not_go_back_is_told_of() {
    let _world = World::new();
    let program = Program::with_cq(8, 16, 0);
    let mut buffers = Buffers::new(&program, 0, 0);
    (0..3).for_each(|id| buffers.add(id));
    let ring = program.ring();
    let pick = |use_up| {
        let mut req = crate::request::Req::new(receive(1, 0, 0, 0));
        crate::ops::buffers::pick(&ring, &mut req, 0, use_up).expect("a buffer")
    };
    let flags = |picked: &crate::resources::groups::Picked, res| {
        picked.flags(&mut ring.state.lock().groups, res)
    };
    let named = |id: u32| IORING_CQE_F_BUFFER | id << IORING_CQE_BUFFER_SHIFT;
    let (first, second, third) = (pick(false), pick(false), pick(true));
    // Others were picked behind them, and the last one is used up.
    for (id, picked) in [first, second, third].iter().enumerate() {
        assert_eq!(flags(picked, -libc::EIO), named(id as u32));
    }
    // The last one goes back.
    buffers.add(3);
    assert_eq!(flags(&pick(false), -libc::EIO), 0);
    assert_eq!(flags(&pick(false), 1), named(3));
}

#[test]
fn buffers_are_given_and_taken_back() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let mut memory = [0u8; 64];
    let start = memory.as_mut_ptr().expose_provenance() as u64;
    let request = |opcode, count: i32, first: u64| {
        let mut sqe = sqe(opcode, 1);
        sqe.fd = count;
        if opcode as u8 == IORING_OP_PROVIDE_BUFFERS as u8 {
            sqe.__anon2.addr = start;
            sqe.len = 4;
        }
        sqe.__anon1.off = first;
        sqe.__anon4.buf_group = GROUP;
        sqe
    };
    let (provide, remove) = (IORING_OP_PROVIDE_BUFFERS, IORING_OP_REMOVE_BUFFERS);
    let result = |sqe| {
        program.push(sqe);
        program.enter(1, 0, 0);
        program.next().expect("a completion").res
    };
    assert_eq!(result(request(remove, 1, 0)), -libc::ENOENT);
    for (count, first, expected) in [
        (0, 0, -libc::E2BIG),
        (65537, 0, -libc::E2BIG),
        (2, 65535, -libc::EINVAL),
        (1, 65536, -libc::E2BIG),
        (3, 65533, 0),
    ] {
        assert_eq!(
            result(request(provide, count, first)),
            expected,
            "{count} {first}"
        );
    }
    assert_eq!(result(request(remove, 2, 0)), 2);
    assert_eq!(result(request(remove, 2, 0)), 1);
    assert_eq!(result(request(remove, 2, 0)), 0);
    assert_eq!(result(request(remove, 0, 0)), -libc::EINVAL);
}

#[test]
fn what_no_ring_of_buffers_may_be() {
    let _world = World::new();
    let program = Program::new(8, 0);
    let buffers = Buffers::new(&program, 0, 0);
    let register =
        |given: io_uring_buf_reg| program.register(IORING_REGISTER_PBUF_RING, &mut { given }, 1);
    let plain = registration(buffers.area.expose_provenance() as u64);
    assert_eq!(register(plain), -libc::EEXIST);
    let wrong = |change: fn(&mut io_uring_buf_reg)| {
        let mut given = plain;
        given.bgid = 9;
        change(&mut given);
        register(given)
    };
    assert_eq!(wrong(|given| given.ring_entries = 3), -libc::EINVAL);
    assert_eq!(wrong(|given| given.ring_entries = 0), -libc::EINVAL);
    assert_eq!(wrong(|given| given.ring_entries = 65536), -libc::EINVAL);
    assert_eq!(wrong(|given| given.ring_addr += 8), -libc::EINVAL);
    assert_eq!(wrong(|given| given.ring_addr = 0), -libc::EFAULT);
    assert_eq!(wrong(|given| given.flags = 1 << 9), -libc::EINVAL);
    assert_eq!(
        wrong(|given| given.flags = IOU_PBUF_RING_MMAP as u16),
        -libc::EINVAL
    );
    assert_eq!(wrong(|given| given.resv[1] = 1), -libc::EINVAL);
    assert_eq!(wrong(|given| given.min_left = 1), -libc::EINVAL);
    kernel::unmap(buffers.area.addr());
    assert_eq!(wrong(|_| {}), -libc::EFAULT);
    let mut none = registration_of_none();
    let unregister =
        |given: &mut io_uring_buf_reg| program.register(IORING_UNREGISTER_PBUF_RING, given, 1);
    none.bgid = 8;
    assert_eq!(unregister(&mut none), -libc::ENOENT);
    none.bgid = GROUP;
    assert_eq!(unregister(&mut none), 0);
    assert_eq!(unregister(&mut none), -libc::ENOENT);
}
