//! The ring's own descriptor.

use super::*;
use crate::errno::{Errno, Ret};
use crate::kernel::sim::Call;
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
        let ring = whole(&raw mut ring);
        assert_eq!(ring_fd::register(ring).check(), Ok(1));
        assert_eq!((ring.enter_fd(), ring.fd()), (INDEX, FD));
        assert_eq!(ring.int_flags(), flags);
        assert_eq!(ring_fd::register(ring).check(), Err(Errno::EEXIST));

        assert_eq!(ring_fd::unregister(ring).check(), Ok(1));
        assert_eq!(ring.enter_fd(), FD);
        assert_eq!(ring.int_flags(), 0);
        assert_eq!(ring_fd::unregister(ring).check(), Err(Errno::EINVAL));
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
    let ring = whole(&raw mut ring);
    assert_eq!(ring_fd::register(ring).check(), Ok(1));
    let all = APP_MEM | NO_IOWAIT | REG_RING | REG_REG_RING;
    assert_eq!(ring.int_flags(), all);
    assert_eq!(ring_fd::unregister(ring).check(), Ok(1));
    assert_eq!(ring.int_flags(), APP_MEM | NO_IOWAIT);
}

#[test]
fn what_the_kernel_did_not_do_has_not_happened() {
    for answer in [Ok(0), Err(Errno::EBUSY)] {
        kernel(answer);
        let mut plain = ring();
        plain.features = IORING_FEAT_REG_REG_RING;
        let returned = ring_fd::register(whole(&raw mut plain)).check();
        assert_eq!(returned, answer);
        assert_eq!((plain.enter_ring_fd, plain.int_flags), (FD, 0));

        let mut indexed = indexed_ring();
        let returned = ring_fd::unregister(whole(&raw mut indexed)).check();
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
    let ring = whole(&raw mut ring);
    assert_eq!(ring_fd::close(ring).check(), Ok(1));
    assert_eq!(sim::take_calls(), [Call::Close { fd: FD }]);
    assert_eq!((ring.fd(), ring.enter_fd()), (-1, INDEX));
    assert_eq!(ring_fd::close(ring).check(), Err(Errno::EBADF));

    assert_eq!(access::enable(ring.ring()), Ret::DONE);
    let expected = Call::Register {
        fd: INDEX,
        opcode: IORING_REGISTER_ENABLE_RINGS as c_uint | 1 << 31,
        nr_args: 0,
    };
    assert_eq!(sim::take_calls(), [expected]);
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
        let returned = ring_fd::close(whole(&raw mut ring)).check();
        assert_eq!(returned, Err(errno));
        assert_eq!(ring.ring_fd, FD);
    }
    assert_eq!(sim::take_calls(), []);
}
