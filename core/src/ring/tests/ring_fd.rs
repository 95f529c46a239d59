//! Registered rings and the thread whose table they are in.

use super::*;
use crate::abi::register::*;
use crate::ring::handle::Whole;
use crate::ring::ring_fd;

fn unregistered() -> usize {
    let of = |call: &Call| matches!(call, Call::Register { opcode, .. } if opcode & 0x7fffffff == IORING_UNREGISTER_RING_FDS as u32);
    sim::take_calls().iter().filter(|call| of(call)).count()
}

/// A ring whose descriptor thread 1 has registered.
fn registered() -> io_uring {
    sim::reset(Config::NEW);
    let (mut ring, result) = init(4, &mut params(0), None);
    assert_eq!(result, Ok(0));
    sim::on_register(|_, opcode, arg, _| {
        if opcode == IORING_REGISTER_RING_FDS as u32 {
            // SAFETY: what is passed has an offset first, which the kernel writes.
            unsafe { *arg.cast_mut().cast::<u32>() = 3 };
        }
        Ok(1)
    });
    // SAFETY: nobody else uses the ring.
    let whole = unsafe { Whole::<Sim>::new(&raw mut ring) };
    assert_eq!(ring_fd::register(whole).check(), Ok(1));
    assert_eq!(ring.enter_ring_fd, 3);
    sim::take_calls();
    ring
}

#[test]
fn the_thread_that_registered_a_ring_gives_its_index_back() {
    let mut ring = registered();
    // SAFETY: nothing uses the ring any more.
    unsafe { exit::exit::<Sim>(&raw mut ring) };
    assert_eq!(unregistered(), 1);
    sim::assert_clean();
}

#[test]
fn another_thread_leaves_its_own_index_of_that_number_alone() {
    let mut ring = registered();
    sim::run_as(2);
    // SAFETY: the ring is set up.
    let returned = ring_fd::unregister(unsafe { Whole::<Sim>::new(&raw mut ring) }).check();
    assert_eq!(returned, Err(Errno::EINVAL));
    // SAFETY: nothing uses the ring any more.
    unsafe { exit::exit::<Sim>(&raw mut ring) };
    assert_eq!(unregistered(), 0);
    sim::assert_clean();
}

#[test]
fn a_ring_that_is_only_registered_has_no_descriptor() {
    sim::reset(Config::NEW);
    let mut p = params(IORING_SETUP_REGISTERED_FD_ONLY | IORING_SETUP_NO_MMAP);
    let (mut ring, result) = init(4, &mut p, None);
    assert!(result.is_ok());
    assert_eq!(ring.ring_fd, -1);
    assert_eq!(ring.int_flags, flags::REG_RING | flags::REG_REG_RING);
    sim::take_calls();
    let index = ring.enter_ring_fd;
    sim::on_register(|fd, _, _, _| Sim::close_registered(fd));
    // SAFETY: nothing uses the ring any more.
    unsafe { exit::exit::<Sim>(&raw mut ring) };
    let calls = sim::take_calls();
    assert!(
        calls
            .iter()
            .any(|call| matches!(call, Call::Register { fd, .. } if *fd == index)),
        "{calls:?}"
    );
    assert!(
        !calls.iter().any(|call| matches!(call, Call::Close { .. })),
        "{calls:?}"
    );
    sim::assert_clean();
}
