//! Whether this is the process whose rings the library remembers.
//!
//! A child of `vfork` has the memory of its parent and descriptors of its own. What it closes stays open in the parent, so
//! hooks that it calls must leave the parent's rings and requests alone.

use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use crate::sys::{self, NO_FILE, sys};

/// The number of the process, where no page of its own can be had for it.
static PLAIN: AtomicI32 = AtomicI32::new(0);
/// The same in a page that the kernel clears in every copy of the memory, also in one that is made past libc's `fork`.
static PAGE: AtomicPtr<AtomicI32> = AtomicPtr::new(ptr::null_mut());

/// Runs when the library is loaded, before there is a ring or a child.
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    let length = sys::page_size();
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let how = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, which replaces none.
    let page = unsafe { sys!(SYS_mmap, 0, length, access, how, NO_FILE, 0) };
    if page >= 0 {
        // SAFETY: the mapping that was just made, which nobody else knows.
        let cleared = unsafe { sys!(SYS_madvise, page, length, libc::MADV_WIPEONFORK) } == 0;
        if cleared {
            // Relaxed: there is one thread.
            PAGE.store(
                ptr::with_exposed_provenance_mut(page as usize),
                Ordering::Relaxed,
            );
        } else {
            // SAFETY: as above.
            unsafe { sys!(SYS_munmap, page, length) };
        }
    }
    renew();
}

fn word() -> &'static AtomicI32 {
    // Relaxed: stored when the library was loaded.
    // SAFETY: null, or a page that stays mapped and is at first and after a fork zeros, which are a number.
    unsafe { PAGE.load(Ordering::Relaxed).as_ref() }.unwrap_or(&PLAIN)
}

/// In the child of a fork: the copies of the rings are this process's.
pub fn renew() {
    // Relaxed: nothing is read on the strength of the number. Only this process's threads and children of `vfork` see it.
    word().store(sys::process(), Ordering::Relaxed);
}

/// Whose the memory is, with the rings in it.
pub enum Whose {
    /// This process's.
    Own,
    /// A parent's, from which a child of `vfork` borrows it.
    Borrowed,
    /// A copy that was made past libc's `fork`, until [`renew`].
    Copied,
}

/// A system call.
pub fn whose() -> Whose {
    let this = sys::process();
    // Relaxed: as in `renew`.
    match word().load(Ordering::Relaxed) {
        0 => Whose::Copied,
        known if known == this => Whose::Own,
        _ => Whose::Borrowed,
    }
}
