//! The register calls on the simulated kernel: what arrives there, and what is undone when it refuses.

mod buf_ring;
mod calls;
mod files;
mod resize;
mod ring_fd;

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;
use std::cell::RefCell;
use std::rc::Rc;

use crate::abi::*;
use crate::errno::{Result, Ret};
use crate::kernel::Kernel;
use crate::kernel::sim::{self, Config};
use crate::ring::flags::{REG_REG_RING, REG_RING};
use crate::ring::handle::{Ring, Whole};

/// The descriptor and the registered index of rings that are not set up.
const FD: c_int = 7;
const INDEX: c_int = 3;

/// A ring that register calls can be made on, and nothing else.
fn ring() -> io_uring {
    // SAFETY: integers and raw pointers only.
    let mut ring: io_uring = unsafe { core::mem::zeroed() };
    ring.ring_fd = FD;
    ring.enter_ring_fd = FD;
    ring
}

/// The same with its descriptor registered, on a kernel that registers by index.
fn indexed_ring() -> io_uring {
    io_uring {
        enter_ring_fd: INDEX,
        int_flags: REG_RING | REG_REG_RING,
        pad2: <sim::Sim as Kernel>::thread_id(),
        ..ring()
    }
}

/// What register calls take. The tests use a ring in one thread.
fn on(ring: *mut io_uring) -> Ring<sim::Sim> {
    whole(ring).ring()
}

/// What the calls that change a ring take.
fn whole(ring: *mut io_uring) -> Whole<sim::Sim> {
    // SAFETY: the tests pass a ring that this thread alone uses.
    unsafe { Whole::new(ring) }
}

/// A register call as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrived {
    fd: c_int,
    opcode: c_uint,
    arg: *const c_void,
    nr_args: c_uint,
}

/// Runs `call` on a new kernel that answers `answer`; returns what arrived there, and what the call returned.
fn watch<R>(answer: Result<c_int>, call: impl FnOnce() -> R) -> (Vec<Arrived>, R) {
    sim::reset(Config::NEW);
    let log = Rc::new(RefCell::new(Vec::new()));
    let writer = log.clone();
    sim::on_register(move |fd, opcode, arg, nr_args| {
        writer.borrow_mut().push(Arrived {
            fd,
            opcode,
            arg,
            nr_args,
        });
        answer
    });
    let returned = call();
    (log.take(), returned)
}

/// Runs `call` on a new kernel; returns the one call that arrived there, and the structure that it was given.
fn watch_struct<T: 'static>(call: impl FnOnce() -> Ret) -> (Arrived, T) {
    sim::reset(Config::NEW);
    let log = Rc::new(RefCell::new(Vec::new()));
    let writer = log.clone();
    sim::on_register(move |fd, opcode, arg, nr_args| {
        let arrived = Arrived {
            fd,
            opcode,
            arg: ptr::null(),
            nr_args,
        };
        // SAFETY: the test names the structure that the opcode takes.
        writer
            .borrow_mut()
            .push((arrived, unsafe { arg.cast::<T>().read() }));
        Ok(0)
    });
    assert_eq!(call(), Ret::DONE);
    let mut calls = log.take();
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}
