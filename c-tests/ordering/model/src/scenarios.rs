//! What program and kernel do at the same time.

use core::ffi::c_uint;
use core::ptr;
use std::sync::Arc;

use loom::thread::{self, yield_now};

use crate::abi::cqe::io_uring_cqe;
use crate::abi::params::IORING_SETUP_SQPOLL;
use crate::abi::ring::io_uring;
use crate::abi::sqe::io_uring_sqe;
use crate::errno::Ret;
use crate::inline::{buf_ring, peek};
use crate::memory::{ENTRIES, Memory, Modelled, Shadow};
use crate::out::Out;
use crate::queue::enter::Batch;
use crate::queue::wait::{self, Limits};
use crate::queue::{complete, sqe, submit};
use crate::ring::handle::Whole;

pub const ALL: &[(&str, fn())] = &[
    ("reap", reap),
    ("walk", walk),
    ("submit", submit_to_thread),
    ("wake", wake),
    ("wake-and-wait", wake_and_wait),
    ("wait", wait_for_one),
    ("submit-and-wait", submit_and_wait),
    ("from-thread-to-thread", from_thread_to_thread),
    ("buffers", buffers),
];

/// One more than there are entries, so that one is used again.
const COUNT: c_uint = ENTRIES as c_uint + 1;

fn post_all(memory: &Arc<Memory>) -> thread::JoinHandle<()> {
    let kernel = memory.clone();
    thread::spawn(move || {
        for at in 0..COUNT {
            kernel.post(at, at.into());
        }
    })
}

/// CQEs are complete when they are found, and not overwritten before they are given back.
fn reap() {
    let memory = Memory::new();
    let mut ring = memory.ring(0);
    let kernel = post_all(&memory);
    for at in 0..COUNT {
        let cqe = first_cqe(&mut ring);
        assert_eq!(memory.look_at(cqe), at.into());
        // SAFETY: the ring is set up, and `cqe` is the oldest.
        unsafe { peek::io_uring_cqe_seen(&mut *ring, cqe) };
    }
    kernel.join().unwrap();
}

/// Both sides of a ring. Where two threads use one, each has a description of its own and keeps to a side.
fn whole(ring: &mut io_uring) -> Whole<Modelled> {
    // SAFETY: the ring is set up, and its SQEs name no memory.
    unsafe { Whole::new(ring) }
}

fn first_cqe(ring: &mut io_uring) -> *mut io_uring_cqe {
    loop {
        let (cqe, _) = complete::peek(whole(ring).cq());
        if !cqe.is_null() {
            return cqe;
        }
        yield_now();
    }
}

/// The same by a walk over all that are there.
fn walk() {
    let memory = Memory::new();
    let mut ring = memory.ring(0);
    let kernel = post_all(&memory);
    let mut seen = 0;
    while seen < COUNT {
        let mut found = 0;
        let mut cqe = ptr::null_mut();
        // SAFETY: the ring is set up, and its CQEs are given back after the walk.
        unsafe {
            let mut iter = peek::io_uring_cqe_iter_init(&*ring);
            while peek::io_uring_cqe_iter_next(&mut iter, &mut cqe) {
                assert_eq!(memory.look_at(cqe), u64::from(seen + found));
                found += 1;
            }
            complete::advance(whole(&mut ring).cq(), found);
        }
        seen += found;
        if found == 0 {
            yield_now();
        }
    }
    kernel.join().unwrap();
}

/// SQEs are complete when the kernel's thread finds them, and not written again before it has read them.
fn submit_to_thread() {
    let memory = Memory::new();
    let mut ring = memory.ring(IORING_SETUP_SQPOLL);
    let kernel = memory.clone();
    let thread = thread::spawn(move || {
        let (mut head, mut next) = (0, 0);
        while head != COUNT {
            let tail = kernel.consume(head, |data| {
                assert_eq!(data, next);
                next += 1;
            });
            if tail == head {
                yield_now();
            }
            head = tail;
        }
    });
    for at in 0..COUNT {
        memory.fill(next_sqe(&mut ring), at.into());
        assert!(!submit::submit(whole(&mut ring).sq(), 0, false).is_err());
    }
    thread.join().unwrap();
}

fn next_sqe(ring: &mut io_uring) -> *mut io_uring_sqe {
    loop {
        let sqe = sqe::get(whole(ring).sq());
        if !sqe.is_null() {
            return sqe;
        }
        yield_now();
    }
}

/// Either the kernel's thread sees a request before it sleeps, or the program wakes it.
fn wake() {
    check_wake(|ring| {
        assert!(!submit::submit(whole(ring).sq(), 0, false).is_err());
    });
}

/// The same where submitting and looking for completions are one call.
fn wake_and_wait() {
    check_wake(|ring| {
        let mut cqe = ptr::null_mut();
        // SAFETY: the place outlives the call.
        let place = unsafe { Out::new(&raw mut cqe) };
        let _ = wait::submit_and_wait_timeout(whole(ring), place, 0, UNLIMITED);
    });
}

const UNLIMITED: Limits = Limits {
    ts: ptr::null(),
    min_wait_usec: 0,
    sigmask: ptr::null(),
};

/// A wait that succeeds has a CQE to show, whenever it comes.
fn wait_for_one() {
    let memory = Memory::new();
    let mut ring = memory.ring(0);
    let kernel = memory.clone();
    let thread = thread::spawn(move || kernel.post(0, 7));
    let mut cqe = ptr::null_mut();
    // SAFETY: the place outlives the call.
    let place = unsafe { Out::new(&raw mut cqe) };
    let ret = wait::get_cqe(whole(&mut ring).cq(), place, Batch::EMPTY, 1, ptr::null());
    assert_eq!(ret, Ret::DONE);
    assert!(!cqe.is_null(), "a wait succeeds without a CQE");
    assert_eq!(memory.look_at(cqe), 7);
    thread.join().unwrap();
}

/// The same where the kernel's thread takes the request meanwhile.
fn submit_and_wait() {
    let memory = Memory::new();
    let mut ring = memory.ring(IORING_SETUP_SQPOLL);
    let kernel = memory.clone();
    let thread = thread::spawn(move || {
        while kernel.consume(0, |_| ()) == 0 {
            yield_now();
        }
        kernel.post(0, 7);
    });
    memory.fill(next_sqe(&mut ring), 0);
    let mut cqe = ptr::null_mut();
    // SAFETY: the place outlives the call.
    let place = unsafe { Out::new(&raw mut cqe) };
    let ret = wait::submit_and_wait_timeout(whole(&mut ring), place, 1, UNLIMITED);
    assert!(!ret.is_err());
    assert!(!cqe.is_null(), "a wait succeeds without a CQE");
    assert_eq!(memory.look_at(cqe), 7);
    thread.join().unwrap();
}

fn check_wake(submit: impl FnOnce(&mut io_uring)) {
    let memory = Memory::new();
    let mut ring = memory.ring(IORING_SETUP_SQPOLL);
    let kernel = memory.clone();
    let thread = thread::spawn(move || kernel.fall_asleep(0));
    memory.fill(next_sqe(&mut ring), 0);
    submit(&mut ring);
    let asleep = thread.join().unwrap();
    let woken = Modelled::was_to_wake();
    assert!(woken || !asleep, "the thread sleeps, and nobody wakes it");
}

/// One thread submits, another reaps. It finds what the first wrote before.
fn from_thread_to_thread() {
    let memory = Memory::new();
    let data = Arc::new(Shadow::new());
    let mut ring = memory.ring(IORING_SETUP_SQPOLL);
    let kernel = memory.clone();
    let polling = thread::spawn(move || {
        while kernel.consume(0, |_| ()) == 0 {
            yield_now();
        }
        kernel.post(0, 0);
    });
    // The SQ side is used by one thread alone, and so is the CQ side.
    let mut other = memory.ring(IORING_SETUP_SQPOLL);
    let (shown, written) = (memory.clone(), data.clone());
    let reaping = thread::spawn(move || {
        shown.look_at(first_cqe(&mut other));
        written.read();
    });
    data.write();
    memory.fill(next_sqe(&mut ring), 0);
    assert!(!submit::submit(whole(&mut ring).sq(), 0, false).is_err());
    polling.join().unwrap();
    reaping.join().unwrap();
}

/// Entries of a buffer ring are complete when the kernel finds them, and what it puts into a buffer is complete when the
/// program gets the buffer.
fn buffers() {
    let memory = Memory::new();
    let mut ring = memory.ring(0);
    let offered = memory.buffer_ring();
    let mask = buf_ring::io_uring_buf_ring_mask(ENTRIES as c_uint);
    let add = |slot: usize, bid: u16, offset| {
        memory.offer(slot);
        // SAFETY: the buffer ring has this many entries. The buffer is never looked at.
        unsafe {
            buf_ring::io_uring_buf_ring_add(offered, ptr::null_mut(), 0, bid, mask, offset);
        }
    };
    let kernel = memory.clone();
    let thread = thread::spawn(move || {
        for at in 0..COUNT {
            let bid = kernel.take_buffer(at as usize);
            kernel.buffers[bid].write();
            kernel.post(at, bid as u64);
        }
    });
    add(0, 0, 0);
    add(1, 1, 1);
    // SAFETY: two buffers were added.
    unsafe { buf_ring::io_uring_buf_ring_advance(offered, 2) };
    for at in 0..COUNT {
        let cqe = first_cqe(&mut ring);
        let bid = memory.look_at(cqe);
        memory.buffers[bid as usize].read();
        if at == 0 {
            add(ENTRIES, bid as u16, 0);
            // SAFETY: a buffer was added, and a CQE seen.
            unsafe { buf_ring::io_uring_buf_ring_cq_advance(&mut *ring, offered, 1) };
        } else {
            complete::advance(whole(&mut ring).cq(), 1);
        }
    }
    thread.join().unwrap();
}
