//! Programs that make io_uring's calls with instructions of their own, past libc and its hooks.
//!
//! With `LIBURING_FALLBACK_SIGSYS=1` a filter of system calls answers these calls with SIGSYS, and a handler serves them.
//! A process keeps its filter, and so do its children and what they execute. A child that has not the library then ends
//! where it got an error before. So this is done only for those who ask for it.
//!
//! The handler runs at the instruction of the call, so the thread is where a function call could be: not in the allocator,
//! and under no lock of libc's, unless the program makes io_uring's calls there. The one other call that the filter may
//! stop is a mapping of a file that looks like a ring's. That one is passed on without memory and without a lock.

mod action;
mod filter;
mod handler;
mod registers;
mod unseen;

use std::ffi::c_void;

use crate::{mode, seam};

/// Runs when the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    if !mode::asks_for_sigsys() {
        return;
    }
    if !is_in_front() {
        // Another copy of the library serves the program, or hooks do not reach it.
        return;
    }
    let before = match action::take(handler::on_signal) {
        Ok(before) => before,
        Err(error) => return mode::complain("cannot handle SIGSYS", error),
    };
    // A parent's filter is in force here as well. A second one would do the same once more.
    if handler::is_filtered() {
        return;
    }
    if !seam::will_emulate() {
        return action::give_back(&before);
    }
    if let Err(error) = filter::install() {
        action::give_back(&before);
        mode::complain("no filter can be installed", error);
    }
}

/// Whether the hooks of this copy of the library stand before libc's functions: when two are loaded, as liburing and as
/// liburing-ffi, the first one's do.
fn is_in_front() -> bool {
    // SAFETY: a string with its end.
    let hook = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"syscall".as_ptr()) };
    let own = (&raw const START).cast::<c_void>();
    let base = object_of(hook);
    !base.is_null() && base == object_of(own)
}

/// Where the object lies that holds an address.
fn object_of(address: *const c_void) -> *mut c_void {
    // SAFETY: a structure of pointers, for which zero bytes are a value, and which libc fills in.
    unsafe {
        let mut found: libc::Dl_info = std::mem::zeroed();
        libc::dladdr(address, &raw mut found);
        found.dli_fbase
    }
}
