//! Functions that replace libc's by symbol interposition, in the shared library only.
//!
//! * Polling: a ring's descriptor is readable while the CQ has completions. Programs take these without a call, so each
//!   poll first makes the descriptors of empty rings unreadable.
//! * Closing: a request in flight keeps the file, not the descriptor's number.
//! * Watching files: native AIO does not tell watchers.
//! * `syscall` and `mmap`: for programs that use io_uring without liburing.
//!
//! While there are no emulated rings, each hook only calls the function that it replaces. So it does in a child of `vfork`,
//! whose descriptors are not those of the rings.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment forwards what its caller promises under Safety"
)]

mod streams;

use std::ffi::{c_char, c_int, c_long, c_uint, c_void};
use std::sync::atomic::Ordering;

use uring_core::kernel::Native;

use crate::aio::WATCHED;
use crate::inside::Inside;
use crate::next::{c_name, missing, next, set_errno};
use crate::{edges, lead, life, make, poller, serve, sys, table, wake};

/// A kernel's return value as libc returns it.
fn libc_ret(ret: isize) -> c_long {
    if (-4095..0).contains(&ret) {
        set_errno(-ret as c_int);
        return -1;
    }
    ret as c_long
}

/// `None`: there are no rings that a hook could affect, or this thread is in the library already.
fn concerned() -> Option<Inside> {
    if !table::any() {
        return None;
    }
    Inside::begin().filter(life::is_own)
}

/// Makes the descriptors of rings without completions unreadable. Programs poll often: whose rings they are is asked only
/// where something is to be done, as it is a system call.
fn quiet_all() {
    if !table::any() {
        return;
    }
    let Some(inside) = Inside::begin() else {
        return;
    };
    let mut known = None;
    let mut is_own = || *known.get_or_insert_with(|| life::is_own(&inside));
    lead::hand_over_if(&mut is_own);
    if wake::is_orphaned() && is_own() {
        poller::attend(None);
    }
    let mut from = 0;
    while let Some((ring, next)) = table::after(from) {
        if ring.is_loud() && is_own() {
            ring.quiet();
        }
        from = next;
    }
}

macro_rules! polls {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        ///
        /// # Safety
        ///
        /// As for libc's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $kind),*) -> c_int {
            quiet_all();
            match next!(c_name!($name) => unsafe extern "C" fn($($kind),*) -> c_int) {
                Some(next) => unsafe { next($($arg),*) },
                None => missing(),
            }
        }
    )*};
}

polls! {
    poll(fds: *mut c_void, count: usize, timeout: c_int);
    __poll_chk(fds: *mut c_void, count: usize, timeout: c_int, size: usize);
    ppoll(fds: *mut c_void, count: usize, timeout: *const c_void, mask: *const c_void);
    __ppoll_chk(fds: *mut c_void, count: usize, timeout: *const c_void, mask: *const c_void, size: usize);
    select(count: c_int, read: *mut c_void, write: *mut c_void, except: *mut c_void, timeout: *mut c_void);
    pselect(count: c_int, read: *mut c_void, write: *mut c_void, except: *mut c_void, timeout: *const c_void, mask: *const c_void);
    epoll_wait(set: c_int, events: *mut c_void, most: c_int, timeout: c_int);
    epoll_pwait(set: c_int, events: *mut c_void, most: c_int, timeout: c_int, mask: *const c_void);
    epoll_pwait2(set: c_int, events: *mut c_void, most: c_int, timeout: *const c_void, mask: *const c_void);
}

/// Called before an epoll set changes.
///
/// # Safety
///
/// The address must be 0 or an event's.
unsafe fn controlling(op: c_int, fd: c_int, event: *const u32) {
    if event.is_null() {
        return;
    }
    if let Some(_inside) = concerned() {
        edges::before_control(op, fd, unsafe { event.read_unaligned() });
    }
}

/// `epoll_ctl`: an event begins with its bits.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn epoll_ctl(set: c_int, op: c_int, fd: c_int, event: *mut c_void) -> c_int {
    unsafe { controlling(op, fd, event.cast()) };
    type Control = unsafe extern "C" fn(c_int, c_int, c_int, *mut c_void) -> c_int;
    match next!(c"epoll_ctl" => Control) {
        Some(next) => unsafe { next(set, op, fd, event) },
        None => missing(),
    }
}

/// Called before a descriptor is closed.
fn closing(fd: c_int) {
    if let Some(inside) = concerned() {
        end_and_keep(fd, &inside);
    }
}

/// Called before `old` becomes `new`, too, which closes `new`.
fn replacing(old: c_int, new: c_int) {
    if old == new {
        return;
    }
    if let Some(inside) = concerned().filter(|_| sys::open_flags(old) >= 0) {
        end_and_keep(new, &inside);
    }
}

/// Ends the ring that a descriptor leads to, or has requests keep its file.
fn end_and_keep(fd: c_int, _: &Inside) {
    // What has no file is not closed, and is in no request's way.
    if fd < 0 {
        return;
    }
    if let Some(ring) = table::remove(fd) {
        make::closed(ring, false);
    }
    life::before_close(fd, fd);
}

/// `close`.
#[unsafe(no_mangle)]
pub extern "C" fn close(fd: c_int) -> c_int {
    closing(fd);
    match next!(c"close" => extern "C" fn(c_int) -> c_int) {
        Some(next) => next(fd),
        None => missing(),
    }
}

/// The other name that glibc has for it.
#[unsafe(no_mangle)]
pub extern "C" fn __close(fd: c_int) -> c_int {
    close(fd)
}

/// `dup2`, which closes `new`.
#[unsafe(no_mangle)]
pub extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    replacing(old, new);
    match next!(c"dup2" => extern "C" fn(c_int, c_int) -> c_int) {
        Some(next) => next(old, new),
        None => missing(),
    }
}

/// The other name that glibc has for it.
#[unsafe(no_mangle)]
pub extern "C" fn __dup2(old: c_int, new: c_int) -> c_int {
    dup2(old, new)
}

/// `dup3`, which closes `new`.
#[unsafe(no_mangle)]
pub extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    replacing(old, new);
    match next!(c"dup3" => extern "C" fn(c_int, c_int, c_int) -> c_int) {
        Some(next) => next(old, new, flags),
        None => missing(),
    }
}

/// Native AIO raises no events of files that it reads and writes: a program that asks for them is served without.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inotify_add_watch(fd: c_int, path: *const c_char, mask: u32) -> c_int {
    WATCHED.store(true, Ordering::Relaxed);
    match next!(c"inotify_add_watch" => unsafe extern "C" fn(c_int, *const c_char, u32) -> c_int) {
        Some(next) => unsafe { next(fd, path, mask) },
        None => missing(),
    }
}

/// The same for `fanotify_mark`.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fanotify_mark(
    fd: c_int,
    flags: c_uint,
    mask: u64,
    directory: c_int,
    path: *const c_char,
) -> c_int {
    WATCHED.store(true, Ordering::Relaxed);
    type Mark = unsafe extern "C" fn(c_int, c_uint, u64, c_int, *const c_char) -> c_int;
    match next!(c"fanotify_mark" => Mark) {
        Some(next) => unsafe { next(fd, flags, mask, directory, path) },
        None => missing(),
    }
}

fn closing_range(first: c_uint, last: c_uint, flags: c_int) {
    const CLOEXEC: c_int = 4;
    if flags & CLOEXEC != 0 || first > last {
        return;
    }
    const CLOSE_RANGE_LAST: c_uint = i32::MAX as c_uint;
    let (first, last) = (
        first.min(CLOSE_RANGE_LAST) as c_int,
        last.min(CLOSE_RANGE_LAST) as c_int,
    );
    let Some(inside) = concerned() else {
        return;
    };
    for ring in table::all() {
        if (first..=last).contains(&ring.descriptor()) {
            end_and_keep(ring.descriptor(), &inside);
        }
    }
    life::before_close(first, last);
}

/// `close_range`.
#[unsafe(no_mangle)]
pub extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    closing_range(first, last, flags);
    match next!(c"close_range" => extern "C" fn(c_uint, c_uint, c_int) -> c_int) {
        Some(next) => next(first, last, flags),
        None => missing(),
    }
}

/// `closefrom`.
#[unsafe(no_mangle)]
pub extern "C" fn closefrom(first: c_int) {
    closing_range(first.max(0) as c_uint, c_uint::MAX, 0);
    if let Some(next) = next!(c"closefrom" => extern "C" fn(c_int)) {
        next(first);
    }
}

/// `syscall`: io_uring's three and mappings by number, all others as they are.
///
/// C's function is variadic. This one always takes six arguments: those that were not passed have whatever values
/// their registers hold, and the kernel ignores them.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    let args = [a, b, c, d, e, f];
    let ret = match unsafe { serve::call(number as c_int, args) } {
        Some(ret) => ret,
        None => {
            match number {
                libc::SYS_close => closing(a as c_int),
                #[cfg(target_arch = "x86_64")]
                libc::SYS_dup2 => replacing(a as c_int, b as c_int),
                libc::SYS_dup3 => replacing(a as c_int, b as c_int),
                libc::SYS_close_range => closing_range(a as c_uint, b as c_uint, c as c_int),
                libc::SYS_epoll_ctl => {
                    let event = std::ptr::with_exposed_provenance::<u32>(d);
                    unsafe { controlling(b as c_int, c as c_int, event) };
                }
                _ => {}
            }
            unsafe { Native::call(number as usize, args) }
        }
    };
    libc_ret(ret)
}

/// `mmap` of a ring's descriptor maps the ring's memory.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap(
    address: *mut c_void,
    length: usize,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    offset: i64,
) -> *mut c_void {
    let args = [
        address.expose_provenance(),
        length,
        protection as usize,
        flags as usize,
        fd as usize,
        offset as usize,
    ];
    let ret = unsafe { serve::map(args) };
    std::ptr::with_exposed_provenance_mut(libc_ret(ret) as usize)
}

/// `mmap64`: offsets have 64 bits in either.
///
/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap64(
    address: *mut c_void,
    length: usize,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    offset: i64,
) -> *mut c_void {
    unsafe { mmap(address, length, protection, flags, fd, offset) }
}
