//! Rings that a program has watched in epoll.
//!
//! A ring's descriptor is made readable once, and stays so while there are completions. Who watches by edges (`EPOLLET`)
//! is to hear of each completion, also if the descriptor is readable still.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{sys, table};

/// A ring has been put into a set: who polls the set polls the ring.
static IN_SETS: AtomicBool = AtomicBool::new(false);

/// A descriptor may be a ring's whose completions the program has taken without a call.
pub fn before_look_at_ring(fd: c_int) {
    if let Some(ring) = table::find(fd) {
        ring.quiet();
    }
}

/// The same, and it may be a set that holds such a ring.
pub fn before_look(fd: c_int) {
    before_look_at_ring(fd);
    // Relaxed: who polls the set has been told of it by who put the ring there.
    if !IN_SETS.load(Ordering::Relaxed) {
        return;
    }
    let mut from = 0;
    while let Some((ring, next)) = table::after(from) {
        ring.quiet();
        from = next;
    }
}

/// The program is about to change what an epoll set waits for at a descriptor.
pub fn before_control(op: c_int, fd: c_int, events: u32) {
    if op == libc::EPOLL_CTL_DEL || !table::any() {
        return;
    }
    let by_edges = events & libc::EPOLLET as u32 != 0;
    if let Some(ring) = table::find(fd) {
        IN_SETS.store(true, Ordering::Relaxed);
        if by_edges {
            ring.tell_each();
        }
        // The set looks whether it is readable now, and may wake a thread.
        ring.quiet();
        return;
    }
    // A ring's duplicate is an eventfd, which has no type.
    if !by_edges || sys::file_type(fd) != 0 {
        return;
    }
    let mut from = 0;
    while let Some((ring, next)) = table::after(from) {
        // Where the kernel does not say, each may be the one: a write too many wakes nobody else.
        if sys::are_one(fd, ring.descriptor()).unwrap_or(true) {
            ring.tell_each();
            ring.quiet();
        }
        from = next;
    }
}
