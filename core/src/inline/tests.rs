//! The functions that C has inline, on the simulated kernel.

use core::ptr;

use super::{buf_ring, eventfd, peek, sq};
use crate::abi::cqe::{IORING_CQE_F_32, io_uring_cqe};
use crate::abi::op::{IORING_OP_NOP, IORING_OP_NOP128, IORING_OP_URING_CMD};
use crate::abi::params::*;
use crate::abi::provided::{io_uring_buf, io_uring_buf_ring};
use crate::abi::sqe::{IOSQE_ASYNC, IOSQE_CQE_SKIP_SUCCESS};
use crate::errno::{Errno, Ret};
use crate::inline::prep::cmd::__io_uring_prep_uring_cmd;
use crate::inline::prep::sqe::{io_uring_initialize_sqe, io_uring_prep_nop128};
use crate::kernel::sim::{self, Config};
use crate::out::Out;
use crate::queue::sqe;
use crate::queue::tests::Ring;

fn peek(ring: &mut Ring) -> Result<*mut io_uring_cqe, i32> {
    let mut cqe = ptr::dangling_mut();
    // SAFETY: the place outlives the call.
    let place = unsafe { Out::new(&raw mut cqe) };
    match peek::peek_cqe(ring.cq(), place).as_c() {
        0 => Ok(cqe),
        error => {
            assert!(cqe.is_null());
            Err(error)
        }
    }
}

#[test]
fn an_empty_queue_is_told_without_a_call() {
    let mut ring = Ring::new(Config::NEW, 0);
    assert_eq!(peek(&mut ring), Err(Errno::EAGAIN.as_ret()));
    assert!(sim::take_calls().is_empty());
    sim::set_sq_flags(ring.fd(), IORING_SQ_TASKRUN);
    assert_eq!(peek(&mut ring), Err(Errno::EAGAIN.as_ret()));
    assert!(!sim::take_calls().is_empty());
}

#[test]
fn completions_are_seen_one_by_one_across_the_wrap() {
    let mut ring = Ring::new(Config::NEW, 0);
    sim::start_counters_at(ring.fd(), u32::MAX - 1);
    for user_data in 0..4 {
        sim::post(ring.fd(), user_data, 0, 0);
    }
    // SAFETY: the ring is set up and used by this thread alone; a CQE is read before it is given back.
    unsafe {
        let mut walk = peek::io_uring_cqe_iter_init(ring.ptr());
        let mut cqe = ptr::null_mut();
        for user_data in 0..4 {
            assert!(peek::io_uring_cqe_iter_next(&raw mut walk, &raw mut cqe));
            assert_eq!((*cqe).user_data, user_data);
        }
        assert!(!peek::io_uring_cqe_iter_next(&raw mut walk, &raw mut cqe));

        for user_data in 0..4 {
            assert_eq!(peek::io_uring_cq_ready(ring.ptr()), 4 - user_data as u32);
            let cqe = peek(&mut ring).expect("a CQE");
            assert_eq!((*cqe).user_data, user_data);
            peek::io_uring_cqe_seen(ring.ptr(), cqe);
        }
        peek::io_uring_cqe_seen(ring.ptr(), ptr::null_mut());
        assert_eq!(peek::io_uring_cq_ready(ring.ptr()), 0);
    }
}

#[test]
fn the_count_is_told_with_the_first_completion() {
    let mut ring = Ring::new(Config::NEW, 0);
    sim::post(ring.fd(), 7, 0, 0);
    sim::post(ring.fd(), 8, 0, 0);
    let (mut cqe, mut count) = (ptr::null_mut(), 0);
    // SAFETY: as above.
    unsafe {
        assert_eq!(
            peek::__io_uring_peek_cqe(ring.ptr(), &raw mut cqe, &raw mut count),
            0
        );
        assert_eq!(((*cqe).user_data, count), (7, 2));
        assert_eq!(peek::wait_cqe(ring.cq(), Out::new(&raw mut cqe)), Ret::DONE);
        assert_eq!((*cqe).user_data, 7);
    }
}

#[test]
fn sqes_of_128_bytes_do_not_wrap() {
    let mut ring = Ring::new(Config::NEW, 0);
    // SAFETY: as above. The ring has SQEs of 64 bytes; that it is one of both sizes matters to this function only.
    unsafe {
        let io = ring.ptr();
        assert!(sq::io_uring_get_sqe128(io).is_null());
        (*io).flags |= IORING_SETUP_SQE_MIXED;
        let first = (*io).sq.sqes;

        assert_eq!(sqe::get(ring.sq()), first);
        assert_eq!(sq::io_uring_get_sqe128(io), first.add(1));
        assert_eq!(sq::io_uring_sq_space_left(io), 1);
        assert!(sq::io_uring_get_sqe128(io).is_null());

        // The kernel has consumed them: one entry is left before the end, then two at the start.
        (*io).sq.khead.write(3);
        let big = sq::io_uring_get_sqe128(io);
        assert_eq!(big, first);
        io_uring_prep_nop128(big);
        assert_eq!((*big).opcode, IORING_OP_NOP128 as u8);
        let filler = first.add(3);
        assert_eq!((*filler).opcode, IORING_OP_NOP as u8);
        assert_eq!((*filler).flags, IOSQE_CQE_SKIP_SUCCESS as u8);
        assert_eq!(sq::io_uring_sq_ready(io), 3);

        // So that what follows finds a ring that it knows.
        (*io).sq.khead.write(0);
        (*io).sq.sqe_tail = 0;
        (*io).flags &= !IORING_SETUP_SQE_MIXED;
    }
}

#[test]
fn a_big_completion_counts_twice() {
    // SAFETY: all fields are integers.
    let mut cqe: io_uring_cqe = unsafe { core::mem::zeroed() };
    // SAFETY: the CQE is ours.
    assert_eq!(unsafe { peek::io_uring_cqe_nr(&raw const cqe) }, 1);
    cqe.flags = IORING_CQE_F_32;
    // SAFETY: as above.
    assert_eq!(unsafe { peek::io_uring_cqe_nr(&raw const cqe) }, 2);
}

#[test]
fn the_eventfd_can_be_silenced_where_the_kernel_can_be_told() {
    let mut ring = Ring::new(Config::NEW, 0);
    // SAFETY: the ring is set up and used by this thread alone.
    unsafe {
        let io = ring.ptr();
        assert!(eventfd::io_uring_cq_eventfd_enabled(io));
        assert_eq!(eventfd::io_uring_cq_eventfd_toggle(io, false), 0);
        assert!(!eventfd::io_uring_cq_eventfd_enabled(io));
        assert_eq!(eventfd::io_uring_cq_eventfd_toggle(io, true), 0);
        assert!(eventfd::io_uring_cq_eventfd_enabled(io));

        let word = (*io).cq.kflags;
        (*io).cq.kflags = ptr::null_mut();
        assert!(eventfd::io_uring_cq_eventfd_enabled(io));
        assert_eq!(eventfd::io_uring_cq_eventfd_toggle(io, true), 0);
        assert_eq!(
            eventfd::io_uring_cq_eventfd_toggle(io, false),
            Errno::EOPNOTSUPP.as_ret()
        );
        (*io).cq.kflags = word;
    }
}

#[test]
fn buffers_leave_the_tail_alone() {
    const ENTRIES: usize = 4;
    let mut bufs = [io_uring_buf::default(); ENTRIES];
    let ring: *mut io_uring_buf_ring = bufs.as_mut_ptr().cast();
    let mask = buf_ring::io_uring_buf_ring_mask(ENTRIES as u32);
    let mut memory = [0u8; 16];
    // SAFETY: the memory has room for a ring of that size.
    unsafe {
        buf_ring::io_uring_buf_ring_init(ring);
        (*ring).__anon1.__anon1.tail = 0xfffe;
        for bid in 0..ENTRIES as u16 {
            buf_ring::io_uring_buf_ring_add(
                ring,
                memory.as_mut_ptr().cast(),
                16,
                bid,
                mask,
                i32::from(bid),
            );
        }
        assert_eq!((*ring).__anon1.__anon1.tail, 0xfffe);
        buf_ring::io_uring_buf_ring_advance(ring, ENTRIES as i32);
        assert_eq!((*ring).__anon1.__anon1.tail, 2);
    }
    // The tail was two before the wrap: the first buffer went to the third entry.
    assert_eq!(bufs.map(|buf| buf.bid), [2, 3, 0, 1]);
    assert!(
        bufs.iter()
            .all(|buf| (buf.addr, buf.len) == (memory.as_ptr().addr() as u64, 16))
    );
}

/// Those that only the archive of liburing-ffi has as symbols, so that the comparison with C does not reach them.
#[test]
fn what_only_the_archive_has_does_as_the_header() {
    for (flags, sqe_shift, cqe_shift) in [
        (0, 0, 0),
        (IORING_SETUP_SQE128, 1, 0),
        (IORING_SETUP_CQE32, 0, 1),
    ] {
        let mut ring = Ring::new(Config::NEW, flags);
        assert_eq!(sq::io_uring_sqe_shift_from_flags(flags), sqe_shift);
        assert_eq!(peek::io_uring_cqe_shift_from_flags(flags), cqe_shift);
        // SAFETY: the ring is set up and used by this thread alone.
        unsafe {
            assert_eq!(sq::io_uring_sqe_shift(ring.ptr()), sqe_shift);
            assert_eq!(peek::io_uring_cqe_shift(ring.ptr()), cqe_shift);
            let first = sq::_io_uring_get_sqe(ring.ptr());
            let second = sq::_io_uring_get_sqe(ring.ptr());
            assert_eq!(second.offset_from(first), 1 << sqe_shift);
            assert_eq!(sq::io_uring_sq_ready(ring.ptr()), 2);

            __io_uring_prep_uring_cmd(first, 0x1ff, 0x8000_0001, 7);
            assert_eq!(((*first).opcode, (*first).fd), (0xff, 7));
            let command = (*first).__anon1.__anon1;
            assert_eq!((command.cmd_op, command.__pad1), (0x8000_0001, 0));
            __io_uring_prep_uring_cmd(first, IORING_OP_URING_CMD as i32, 0, 7);
            assert_eq!((*first).opcode, IORING_OP_URING_CMD as u8);

            (*first).flags = IOSQE_ASYNC as u8;
            (*first).__anon3.rw_flags = 3;
            (*first).user_data = 9;
            io_uring_initialize_sqe(first);
            assert_eq!(((*first).flags, (*first).__anon3.rw_flags), (0, 0));
            assert_eq!(((*first).fd, (*first).user_data), (7, 9));
        }
        sim::start_counters_at(ring.fd(), 5);
        // SAFETY: as above.
        assert_eq!(unsafe { sq::io_uring_load_sq_head(ring.ptr()) }, 5);
    }
}
