//! The end of rings that programs close with instructions of their own.
//!
//! To stop each such `close` would cost all of them, and end children that have not the library. But the last mapping of a
//! ring goes before the ring does, and rings are mapped where the library chooses: in a range of addresses of their own,
//! by which the filter knows them. A ring that is not mapped there keeps its eventfd under a second number, so that nothing
//! is written to the file that gets the first one.

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};

use uring_core::abi::{
    IORING_OFF_CQ_RING, IORING_OFF_SQ_RING, IORING_OFF_SQES, IORING_SETUP_NO_MMAP, io_uring_params,
};

use crate::inside::Inside;
use crate::sys::{self, NO_FILE, sys};
use crate::{make, real, table};

/// The upper half of the addresses where rings are mapped: within reach on every architecture, and far from where the
/// kernel puts mappings by itself.
pub const WINDOW: u32 = 0x1d;
const START: usize = (WINDOW as usize) << 32;
const SIZE: usize = 1 << 32;
/// So many places are tried for a mapping.
const TRIES: usize = 16;

/// Moves a mapping into the window. `None`: there is no room, and it stays where it is.
fn move_in(from: usize, length: usize) -> Option<usize> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let page = sys::page_size();
    let length = length.checked_next_multiple_of(page)?;
    for _ in 0..TRIES {
        // Relaxed: each mapping has a place of its own, whatever the order. One page stays free between two.
        let at = NEXT.fetch_add(length + page, Ordering::Relaxed) % SIZE;
        if at + length > SIZE {
            continue;
        }
        let how = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let wanted = START + at;
        // SAFETY: a new mapping, which replaces none, and holds the place.
        let held = unsafe {
            let how = how | libc::MAP_FIXED_NOREPLACE;
            sys!(SYS_mmap, wanted, length, libc::PROT_NONE, how, NO_FILE, 0)
        };
        if held < 0 {
            continue;
        }
        // SAFETY: `from` is a mapping that nobody knows of yet. It replaces the one that was just made, which goes if
        // an old kernel put it elsewhere.
        unsafe {
            if held as usize != wanted {
                sys!(SYS_munmap, held, length);
                continue;
            }
            let how = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            if sys!(SYS_mremap, from, length, length, how, wanted) as usize == wanted {
                return Some(wanted);
            }
            unmap(wanted, length);
        }
    }
    None
}

/// `munmap` past the filter.
///
/// # Safety
///
/// As for `munmap`.
pub unsafe fn unmap(start: usize, length: usize) -> isize {
    // The third argument is none that the kernel looks at.
    // SAFETY: passed on to the caller.
    unsafe { sys!(SYS_munmap, start, length, real::marked(0)) }
}

/// Ends rings whose numbers are no ring's any more. One that was never mapped has no other end.
fn sweep() {
    for ring in table::all() {
        if sys::file_type(ring.descriptor()) != 0 && table::remove_all(&ring) {
            make::closed(ring, false);
        }
    }
}

/// A ring was set up. Returns its descriptor, or an error number if the ring had to be given up again.
///
/// # Safety
///
/// `params` must be those of the set-up that returned `fd`.
pub unsafe fn set_up(fd: isize, params: *const io_uring_params) -> isize {
    if fd < 0 {
        return fd;
    }
    let Some(_inside) = Inside::begin() else {
        return fd;
    };
    sweep();
    // SAFETY: says the caller; set-up has written them.
    if unsafe { (*params).flags } & IORING_SETUP_NO_MMAP == 0 {
        return fd;
    }
    match table::find(fd as c_int) {
        Some(ring) if !ring.keep_event() => {
            table::remove(fd as c_int);
            make::closed(ring, true);
            -libc::EMFILE as isize
        }
        _ => fd,
    }
}

/// A ring was mapped. Returns where it is mapped now, or an error number.
pub fn mapped(fd: c_int, offset: u64, at: isize, length: usize) -> isize {
    let queues = [IORING_OFF_SQ_RING, IORING_OFF_CQ_RING, IORING_OFF_SQES];
    if (-4095..0).contains(&at) || !queues.contains(&offset) {
        return at;
    }
    let Some(_inside) = Inside::begin() else {
        return at;
    };
    let Some(ring) = table::find(fd) else {
        return at;
    };
    match move_in(at as usize, length) {
        Some(moved) => {
            ring.memory().moved(at as usize, moved);
            moved as isize
        }
        None if ring.keep_event() => at,
        None => {
            // SAFETY: the mapping was just made, and the program does not know of it.
            unsafe { unmap(at as usize, length) };
            -libc::ENOMEM as isize
        }
    }
}

/// The program has unmapped something in the window: a ring that it has no mapping of any more ends.
pub fn unmapped(start: usize, length: usize) {
    let Some(_inside) = Inside::begin() else {
        return;
    };
    for ring in table::all() {
        if ring.memory().hidden(start, length) && table::remove_all(&ring) {
            make::closed(ring, false);
        }
    }
}
