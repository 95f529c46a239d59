//! Buffer rings that the library allocates.

use super::*;
use crate::errno::{Errno, Ret};
use crate::kernel::sim::{Call, Sim};
use crate::kernel::{MAP_ANONYMOUS, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED};
use crate::register::buf_ring;
use crate::ring::{exit, setup};

const MMAP: c_uint = IOU_PBUF_RING_MMAP as c_uint;

/// Notes what is registered, and answers `answer`.
fn note_registered(answer: Result<c_int>) -> Rc<RefCell<Vec<io_uring_buf_reg>>> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let writer = log.clone();
    sim::on_register(move |_, _, arg, nr_args| {
        assert_eq!(nr_args, 1);
        // SAFETY: the calls in these tests pass this structure.
        let reg = unsafe { arg.cast::<io_uring_buf_reg>().read() };
        writer.borrow_mut().push(reg);
        answer
    });
    log
}

fn register(fd: c_int, opcode: io_uring_register_op) -> Call {
    Call::Register {
        fd,
        opcode: opcode as c_uint,
        nr_args: 1,
    }
}

#[test]
fn memory_is_mapped_registered_and_freed() {
    sim::reset(Config::NEW);
    let log = note_registered(Ok(0));
    let mut ring = ring();
    let ring = &raw mut ring;
    // SAFETY: the ring is one; the buffer ring is used until it is freed.
    unsafe {
        let br = buf_ring::setup(on(ring), 8, 5, 2).expect("a buffer ring");
        assert_eq!((*br).__anon1.__anon1.tail, 0);
        (*br).__anon1.__anon1.tail = 1;
        let reg = log.borrow()[0];
        let expected = io_uring_buf_reg {
            ring_addr: br.addr() as u64,
            ring_entries: 8,
            bgid: 5,
            flags: 2,
            min_left: 0,
            resv: [0; 5],
        };
        assert_eq!(reg, expected);

        assert_eq!(buf_ring::free(on(ring), br, 8, 5), Ret::DONE);
        assert_eq!(log.borrow()[1].bgid, 5);
        assert_eq!(log.borrow()[1].ring_addr, 0);
    }
    let expected = [
        Call::Mmap {
            len: 128,
            flags: MAP_PRIVATE | MAP_ANONYMOUS,
            fd: -1,
            offset: 0,
        },
        register(FD, IORING_REGISTER_PBUF_RING),
        register(FD, IORING_UNREGISTER_PBUF_RING),
        Call::Munmap { len: 128 },
    ];
    assert_eq!(sim::take_calls(), expected);
    sim::assert_clean();
}

#[test]
fn what_is_refused_leaves_nothing() {
    for step in 0..2 {
        sim::reset(Config::NEW);
        sim::fail_after(step, Errno::ENOMEM);
        let mut ring = ring();
        let returned = buf_ring::setup(on(&raw mut ring), 8, 5, 0);
        assert_eq!(returned, Err(Errno::ENOMEM));
        assert!(!sim::failure_pending());
        sim::assert_clean();
    }
}

#[test]
fn the_kernels_memory_is_mapped_where_its_group_is() {
    sim::reset(Config::NEW);
    // SAFETY: the ring is set up, and left behind.
    unsafe {
        let mut ring: io_uring = core::mem::zeroed();
        let ring = &raw mut ring;
        let mut p = io_uring_params::default();
        setup::init::<Sim>(8, ring, &mut p, None).expect("a ring");
        let fd = (*ring).ring_fd;
        let offset = IORING_OFF_PBUF_RING | 5 << IORING_OFF_PBUF_SHIFT;
        sim::take_calls();

        let log = note_registered(Ok(0));
        sim::add_area(fd, offset, 128);
        let br = buf_ring::setup(on(ring), 8, 5, MMAP).expect("a buffer ring");
        let reg = log.borrow()[0];
        assert_eq!((reg.ring_addr, reg.ring_entries, reg.bgid), (0, 8, 5));
        assert_eq!(c_uint::from(reg.flags), MMAP);
        let expected = [
            register(fd, IORING_REGISTER_PBUF_RING),
            Call::Mmap {
                len: 128,
                flags: MAP_SHARED | MAP_POPULATE,
                fd,
                offset,
            },
        ];
        assert_eq!(sim::take_calls(), expected);
        assert_eq!(buf_ring::free(on(ring), br, 8, 5), Ret::DONE);
        sim::take_calls();

        // It cannot be mapped: the registration is undone. It cannot be registered: nothing is.
        sim::fail_after(1, Errno::ENOMEM);
        let returned = buf_ring::setup(on(ring), 8, 5, MMAP);
        assert_eq!(returned, Err(Errno::ENOMEM));
        let calls = sim::take_calls();
        assert_eq!(calls.len(), 3);
        assert_eq!(calls[2], register(fd, IORING_UNREGISTER_PBUF_RING));
        assert_eq!(log.borrow().last().map(|reg| reg.bgid), Some(5));

        sim::fail_after(0, Errno::EEXIST);
        let returned = buf_ring::setup(on(ring), 8, 5, MMAP);
        assert_eq!(returned, Err(Errno::EEXIST));
        assert_eq!(sim::take_calls().len(), 1);

        exit::exit::<Sim>(ring);
    }
    sim::assert_clean();
}

#[test]
fn memory_that_the_kernel_does_not_give_up_stays_mapped() {
    sim::reset(Config::NEW);
    let mut ring = ring();
    let ring = &raw mut ring;
    // SAFETY: the ring is one; the buffer ring is used until it is freed.
    unsafe {
        let br = buf_ring::setup(on(ring), 8, 5, 0).expect("a buffer ring");
        sim::on_register(|_, _, _, _| Err(Errno::EBADF));
        let returned = buf_ring::free(on(ring), br, 8, 5);
        assert!(returned.is(Errno::EBADF));
        (*br).__anon1.__anon1.tail = 1;

        sim::on_register(|_, _, _, _| Ok(0));
        assert_eq!(buf_ring::free(on(ring), br, 8, 5), Ret::DONE);
    }
    sim::assert_clean();
}

#[test]
fn groups_are_numbers_of_16_bits() {
    sim::reset(Config::NEW);
    let log = note_registered(Ok(0));
    let mut ring = ring();
    let returned = buf_ring::unregister(on(&raw mut ring), 0x12345);
    assert_eq!(returned, Ret::DONE);
    assert_eq!(log.borrow()[0].bgid, 0x2345);
}

#[test]
fn the_head_is_the_low_half_of_what_the_kernel_says() {
    sim::reset(Config::NEW);
    sim::on_register(|fd, opcode, arg, nr_args| {
        assert_eq!(fd, FD);
        assert_eq!(opcode, IORING_REGISTER_PBUF_STATUS as c_uint);
        assert_eq!(nr_args, 1);
        let status = arg.cast_mut().cast::<io_uring_buf_status>();
        // SAFETY: this opcode passes this structure, to be written to.
        unsafe {
            assert_eq!(((*status).buf_group, (*status).resv), (5, [0; 8]));
            (*status).head = 0x10007;
        }
        Ok(0)
    });
    let mut ring = ring();
    let ring = on(&raw mut ring);
    assert_eq!(buf_ring::head(ring, 5), Ok(7));
    sim::on_register(|_, _, _, _| Err(Errno::EBADF));
    assert_eq!(buf_ring::head(ring, 5), Err(Errno::EBADF));
}
