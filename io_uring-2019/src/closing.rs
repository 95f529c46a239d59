//! Closing a ring when no descriptor leads to it any more.

use core::ffi::c_int;
#[cfg(feature = "preload")]
use core::ffi::c_uint;
#[cfg(feature = "preload")]
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU32, Ordering};

use uring_core::errno::Errno;
use uring_core::kernel::{Kernel, Native};
#[cfg(feature = "preload")]
use uring_core::ring::sizes::page_aligned;

#[cfg(feature = "preload")]
use crate::abi::IORING_OFF_CQ_RING;
#[cfg(feature = "preload")]
use crate::pool::slot_of;
use crate::pool::{Held, OPEN_RINGS, Slot, hold, leads_to};
use crate::sys::files::{self, Identity};
#[cfg(feature = "preload")]
use crate::sys::maps;
use crate::sys::process;
use crate::{entry_lock, other_threads, path, pool};

/// Closes a ring to new calls. It is torn down when the last call on it has returned. `here` says that a thread of the
/// program closes it, which may have left a call on the ring by longjmp.
pub fn close(position: u64, here: bool) {
    let Some(held) = hold(position) else { return };
    entry_lock::end_abandoned_call(&held, here);
    let closed =
        held.slot()
            .position
            .compare_exchange(position, 0, Ordering::AcqRel, Ordering::Relaxed);
    if closed.is_ok() {
        held.drop_another_user();
    }
}

/// Makes `call`, which closes a descriptor of the ring with this position, and then closes the ring if it is
/// unreachable.
#[cfg(feature = "preload")]
pub fn while_closing(position: u64, call: impl FnOnce() -> c_int) -> c_int {
    let Some(slot) = slot_of(position) else {
        return call();
    };
    // Sequentially consistent, as in `close_if_unreachable`: two threads that close agree on the order.
    slot.closes_running.fetch_add(1, Ordering::SeqCst);
    let ret = call();
    slot.closes_done.fetch_add(1, Ordering::SeqCst);
    slot.closes_running.fetch_sub(1, Ordering::SeqCst);
    close_if_unreachable(position, true);
    ret
}

/// Closes the ring unless some descriptor still leads to it. `seen` says that every close goes through this library.
fn close_if_unreachable(position: u64, seen: bool) {
    let Some(held) = hold(position) else { return };
    let hidden = [&held.kring_fd, &held.anchor, &held.poller.fdinfo];
    let in_child = held.process != process::id();
    if in_child && hidden.iter().all(|hidden| hidden.get().is_none()) {
        return;
    }
    let known = held.slot().descriptor.load(Ordering::Relaxed);
    if leads_to(known, position, held.identity) {
        return;
    }
    match find_duplicate(&held, position, seen) {
        Some(fd) => held.slot().descriptor.store(fd, Ordering::Relaxed),
        // After vfork(2) this memory is the parent's, so only the child's own descriptors can be closed. A child of
        // fork(2) keeps the mappings until it ends or executes a program.
        None if in_child => hidden.iter().for_each(|hidden| hidden.close()),
        None => close(position, true),
    }
}

/// A descriptor of the ring, if there is one besides the last one known.
///
/// A scan of `/proc` can miss a descriptor that is moved to another number meanwhile. One scan suffices only if every
/// close goes through this library (`seen`) and none ran during the scan. Otherwise this scans 64 times.
fn find_duplicate(held: &Held, position: u64, seen: bool) -> Option<c_int> {
    const SCANS: u32 = 64;
    // A scan takes a step for each descriptor of the process.
    if !held.slot().may_have_duplicates() {
        return None;
    }
    let (running, done) = (&held.slot().closes_running, &held.slot().closes_done);
    let before = done.load(Ordering::SeqCst);
    let scan = |_| find_descriptor(position, held.identity);
    scan(0).or_else(|| {
        // `running` may also count a call that was left by longjmp or by the end of its thread.
        let undisturbed =
            running.load(Ordering::SeqCst) == 0 && done.load(Ordering::SeqCst) == before;
        if seen && undisturbed {
            return None;
        }
        (1..SCANS).find_map(scan)
    })
}

/// How far before `address` a mapping starts, if the program means to unmap a CQ ring of `length` bytes by the address
/// of its head. Otherwise 0.
#[cfg(feature = "preload")]
pub fn cq_head_offset(address: usize, length: usize) -> usize {
    if OPEN_RINGS.load(Ordering::Relaxed) == 0 {
        return 0;
    }
    // The kernel puts the head at the same place in all rings.
    let any = pool::taken(0).find_map(|(_, slot)| hold(slot.position.load(Ordering::Relaxed)));
    let Some(held) = any else { return 0 };
    let cq = &held.kring.cq;
    let offset = cq.khead.addr().wrapping_sub(cq.ring_ptr.addr());
    // A mapping starts at a page. So an address within a page that fits a CQ ring can mean nothing else.
    let page = address.wrapping_sub(offset);
    if page % Native::page_size() != 0 {
        return 0;
    }
    match maps::at(page) {
        Some(mapping)
            if mapping.start == page
                && mapping.end.wrapping_sub(page) == page_aligned(length, Native::page_size())
                && mapping.offset == IORING_OFF_CQ_RING
                && mapping.device == held.identity.device =>
        {
            offset
        }
        _ => 0,
    }
}

/// Closes all rings that no descriptor leads to. Returns whether there was one.
pub fn close_unreachable_rings() -> bool {
    let before = OPEN_RINGS.load(Ordering::Relaxed);
    if before == 0 {
        return false;
    }
    let is_alone = other_threads::is_only_thread();
    for (_, slot) in pool::taken(0) {
        close_slot_if_unreachable(slot, is_alone);
    }
    OPEN_RINGS.load(Ordering::Relaxed) < before
}

/// Closes the rings that no descriptor leads to among the next few, so that the steps do not grow with the rings.
/// Repeated, it comes to all of them in turn.
pub fn close_some_unreachable_rings() {
    const A_FEW: usize = 4;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if OPEN_RINGS.load(Ordering::Relaxed) == 0 {
        return;
    }
    let is_alone = other_threads::is_only_thread();
    // Two threads may come to the same rings, and one pass may leave some to the next one.
    let first = NEXT.load(Ordering::Relaxed) as usize;
    let before = pool::taken(0).take_while(|(place, _)| *place < first);
    let mut next = first;
    for (place, slot) in pool::taken(first).chain(before).take(A_FEW) {
        close_slot_if_unreachable(slot, is_alone);
        next = place + 1;
    }
    NEXT.store(next as u32, Ordering::Relaxed);
}

fn close_slot_if_unreachable(slot: &'static Slot, is_alone: bool) {
    let position = slot.position.load(Ordering::Relaxed);
    let Some(held) = hold(position) else { return };
    // A ring with an anchor is watched, in the process that made it. In a child, other threads may move descriptors
    // unseen.
    let is_here = held.process == process::id();
    if !held.anchor.is_some() || (!is_here && is_alone) {
        close_if_unreachable(position, is_alone);
    }
}

/// Closes the rings whose descriptors were in a range that was closed, if no other descriptor leads to them.
#[cfg(feature = "preload")]
pub fn close_rings_in(closed: RangeInclusive<c_uint>) {
    if OPEN_RINGS.load(Ordering::Relaxed) == 0 {
        return;
    }
    let is_alone = other_threads::is_only_thread();
    for (_, slot) in pool::taken(0) {
        let known = slot.descriptor.load(Ordering::Relaxed);
        if slot.may_have_duplicates() || closed.contains(&(known as c_uint)) {
            close_slot_if_unreachable(slot, is_alone);
        }
    }
}

/// A descriptor that leads to the ring with this position and file.
fn find_descriptor(position: u64, file: Identity) -> Option<c_int> {
    let directory = match files::open(c"/proc/thread-self/fd") {
        Ok(directory) => directory,
        Err(error) => {
            let limit = Native::nofile_limit().map_or(1024, |limit| limit.current.min(1 << 20));
            let limit = match error {
                // There may be descriptors above a limit that was lowered.
                Errno::EMFILE => limit.max(1 << 16),
                // There is no `/proc`.
                _ => limit.min(1 << 16),
            };
            return (0..limit as c_int).find(|fd| leads_to(*fd, position, file));
        }
    };
    let mut found = None;
    path::find_name(directory, |name| {
        found = number(name).filter(|fd| leads_to(*fd, position, file));
        found.is_some()
    });
    files::close(directory);
    found
}

/// The number at the start of a name.
fn number(name: &[u8]) -> Option<c_int> {
    let mut value = None;
    for byte in name {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        let before = value.unwrap_or(0 as c_int);
        value = Some(before.wrapping_mul(10).wrapping_add(digit as c_int));
    }
    value
}
