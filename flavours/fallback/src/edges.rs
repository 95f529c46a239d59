//! Rings whose completions a program has watched in epoll by edges (`EPOLLET`).
//!
//! A ring's descriptor is made readable once, and stays so while there are completions. Who watches by edges is to hear of
//! each completion, also if the descriptor is readable still.

use std::ffi::c_int;

use crate::{sys, table};

/// The program is about to change what an epoll set waits for at a descriptor.
pub fn before_control(op: c_int, fd: c_int, events: u32) {
    if op == libc::EPOLL_CTL_DEL || !table::any() {
        return;
    }
    let by_edges = events & libc::EPOLLET as u32 != 0;
    if let Some(ring) = table::find(fd) {
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
