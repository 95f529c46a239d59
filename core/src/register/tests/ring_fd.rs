//! The ring's own descriptor.

use super::*;
use crate::errno::Errno;
use crate::kernel::sim::{Call, Sim};
use crate::register::access;
use crate::ring::ring_fd;

/// A kernel that gives out the index [`INDEX`].
fn kernel(answer: Result<c_int>) {
    sim::reset(Config::NEW);
    sim::on_register(move |_, _, arg, nr_args| {
        assert_eq!(nr_args, 1);
        let slot = arg.cast_mut().cast::<io_uring_rsrc_update>();
        // SAFETY: both opcodes pass this structure, to be written to in one case.
        unsafe {
            if (*slot).offset == u32::MAX {
                assert_eq!(((*slot).resv, (*slot).data), (0, FD as u64));
                (*slot).offset = INDEX as u32;
            } else {
                assert_eq!(((*slot).offset, (*slot).data), (INDEX as u32, 0));
            }
        }
        answer
    });
}

#[test]
fn registering_takes_an_index_and_unregistering_gives_it_back() {
    for (features, flags) in [
        (0, REG_RING),
        (IORING_FEAT_REG_REG_RING, REG_RING | REG_REG_RING),
    ] {
        kernel(Ok(1));
        let mut ring = ring();
        ring.features = features;
        let ring = &raw mut ring;
        // SAFETY: the ring is one.
        unsafe {
            assert_eq!(ring_fd::register::<Sim>(ring), Ok(1));
            assert_eq!((*ring).enter_ring_fd, INDEX);
            assert_eq!((*ring).ring_fd, FD);
            assert_eq!((*ring).int_flags, flags);
            assert_eq!(ring_fd::register::<Sim>(ring), Err(Errno::EEXIST));

            assert_eq!(ring_fd::unregister::<Sim>(ring), Ok(1));
            assert_eq!((*ring).enter_ring_fd, FD);
            assert_eq!((*ring).int_flags, 0);
            assert_eq!(ring_fd::unregister::<Sim>(ring), Err(Errno::EINVAL));
        }
        let by_index = if features == 0 { 0 } else { 1 << 31 };
        let call = |fd, opcode| Call::Register {
            fd,
            opcode,
            nr_args: 1,
        };
        let give_back = IORING_UNREGISTER_RING_FDS as c_uint | by_index;
        let expected = [
            call(FD, IORING_REGISTER_RING_FDS as c_uint),
            call(if features == 0 { FD } else { INDEX }, give_back),
        ];
        assert_eq!(sim::take_calls(), expected);
    }
}

#[test]
fn other_flags_of_the_ring_stay() {
    use crate::ring::flags::{APP_MEM, NO_IOWAIT};
    kernel(Ok(1));
    let mut ring = ring();
    ring.features = IORING_FEAT_REG_REG_RING;
    ring.int_flags = APP_MEM | NO_IOWAIT;
    // SAFETY: the ring is one.
    unsafe {
        ring_fd::register::<Sim>(&raw mut ring).expect("an index");
        let all = APP_MEM | NO_IOWAIT | REG_RING | REG_REG_RING;
        assert_eq!(ring.int_flags, all);
        ring_fd::unregister::<Sim>(&raw mut ring).expect("an index");
    }
    assert_eq!(ring.int_flags, APP_MEM | NO_IOWAIT);
}

#[test]
fn what_the_kernel_did_not_do_has_not_happened() {
    for answer in [Ok(0), Err(Errno::EBUSY)] {
        kernel(answer);
        let mut plain = ring();
        plain.features = IORING_FEAT_REG_REG_RING;
        // SAFETY: the ring is one.
        let returned = unsafe { ring_fd::register::<Sim>(&raw mut plain) };
        assert_eq!(returned, answer);
        assert_eq!((plain.enter_ring_fd, plain.int_flags), (FD, 0));

        let mut indexed = indexed_ring();
        // SAFETY: the ring is one.
        let returned = unsafe { ring_fd::unregister::<Sim>(&raw mut indexed) };
        assert_eq!(returned, answer);
        assert_eq!(indexed.enter_ring_fd, INDEX);
        assert_eq!(indexed.int_flags, REG_RING | REG_REG_RING);
    }
}

#[test]
fn a_registered_ring_lives_on_without_its_descriptor() {
    sim::reset(Config::NEW);
    let mut ring = indexed_ring();
    ring.features = IORING_FEAT_REG_REG_RING;
    let ring = &raw mut ring;
    // SAFETY: the ring is one.
    unsafe {
        assert_eq!(ring_fd::close::<Sim>(ring), Ok(1));
        assert_eq!(sim::take_calls(), [Call::Close { fd: FD }]);
        assert_eq!((*ring).ring_fd, -1);
        assert_eq!((*ring).enter_ring_fd, INDEX);
        assert_eq!(ring_fd::close::<Sim>(ring), Err(Errno::EBADF));

        assert_eq!(access::enable::<Sim>(ring), Ok(0));
        let expected = Call::Register {
            fd: INDEX,
            opcode: IORING_REGISTER_ENABLE_RINGS as c_uint | 1 << 31,
            nr_args: 0,
        };
        assert_eq!(sim::take_calls(), [expected]);
    }
}

#[test]
fn a_descriptor_that_is_needed_is_not_closed() {
    sim::reset(Config::NEW);
    let without_feature = indexed_ring();
    let unregistered = io_uring {
        features: IORING_FEAT_REG_REG_RING,
        ..ring()
    };
    for (mut ring, errno) in [
        (without_feature, Errno::EOPNOTSUPP),
        (unregistered, Errno::EINVAL),
    ] {
        // SAFETY: the ring is one.
        let returned = unsafe { ring_fd::close::<Sim>(&raw mut ring) };
        assert_eq!(returned, Err(errno));
        assert_eq!(ring.ring_fd, FD);
    }
    assert_eq!(sim::take_calls(), []);
}
