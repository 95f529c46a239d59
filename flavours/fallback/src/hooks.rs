//! Functions that replace libc's by symbol interposition, in the shared library only.
//!
//! * Polling: a ring's descriptor is readable while the CQ has completions. Programs take these without a call, so each
//!   poll first makes the descriptors of empty rings unreadable.
//! * Closing: a request in flight keeps the file, not the descriptor's number.
//! * Watching files: native AIO does not tell watchers.
//! * `syscall` and `mmap`: for programs that use io_uring without liburing.
//!
//! While there are no emulated rings, each hook only calls the function that it replaces.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment forwards what its caller promises under Safety"
)]

use std::ffi::{c_char, c_int, c_long, c_uint, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use uring_core::abi::io_uring_params;
use uring_core::errno::Ret;
use uring_core::kernel::{Kernel, Native};

use crate::aio::WATCHED;
use crate::inside::Inside;
use crate::seam::User;
use crate::{lead, life, make, poller, table};

/// The function that the hook replaces, looked up at the first call.
macro_rules! next {
    ($name:expr => $kind:ty) => {{
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        // Relaxed: every thread that looks it up finds the same address.
        let mut at = NEXT.load(Ordering::Relaxed);
        if at == 0 {
            let name: *const c_char = $name.as_ptr();
            // SAFETY: a string with its end.
            at = unsafe { libc::dlsym(libc::RTLD_NEXT, name) }.expose_provenance();
            NEXT.store(at, Ordering::Relaxed);
        }
        // SAFETY: null is `None`, anything else is libc's function of this name, which has this type.
        unsafe { std::mem::transmute::<*const c_void, Option<$kind>>(std::ptr::with_exposed_provenance(at)) }
    }};
}

fn set_errno(error: c_int) {
    // SAFETY: the address of this thread's errno is always valid.
    unsafe { *libc::__errno_location() = error };
}

/// A kernel's return value as libc returns it.
fn libc_ret(ret: isize) -> c_long {
    if (-4095..0).contains(&ret) {
        set_errno(-ret as c_int);
        return -1;
    }
    ret as c_long
}

/// libc has no such function, so no program could have called it.
fn missing() -> c_int {
    set_errno(libc::ENOSYS);
    -1
}

/// Makes the descriptors of rings without completions unreadable.
fn quiet_all() {
    if table::any() {
        let Some(_inside) = Inside::begin() else {
            return;
        };
        lead::hand_over();
        poller::attend(None);
        let mut from = 0;
        while let Some((ring, next)) = table::after(from) {
            ring.quiet();
            from = next;
        }
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
            const NAME: &std::ffi::CStr =
                match std::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => c"",
                };
            match next!(NAME => unsafe extern "C" fn($($kind),*) -> c_int) {
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

/// Called before a descriptor is closed. Returns the ring that it leads to.
fn closing(fd: c_int) {
    if table::any() {
        let Some(_inside) = Inside::begin() else {
            return;
        };
        if let Some(ring) = table::remove(fd) {
            make::closed(ring, false);
        }
        life::before_close(fd, fd);
    }
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

/// `dup2`, which closes `new`.
#[unsafe(no_mangle)]
pub extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    if old != new && crate::sys::open_flags(old) >= 0 {
        closing(new);
    }
    match next!(c"dup2" => extern "C" fn(c_int, c_int) -> c_int) {
        Some(next) => next(old, new),
        None => missing(),
    }
}

/// `dup3`, which closes `new`.
#[unsafe(no_mangle)]
pub extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    if old != new && crate::sys::open_flags(old) >= 0 {
        closing(new);
    }
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

fn closing_range(first: c_uint, last: c_uint) {
    const CLOSE_RANGE_LAST: c_uint = i32::MAX as c_uint;
    let (first, last) = (
        first.min(CLOSE_RANGE_LAST) as c_int,
        last.min(CLOSE_RANGE_LAST) as c_int,
    );
    if !table::any() {
        return;
    }
    for ring in table::all() {
        if (first..=last).contains(&ring.descriptor()) {
            closing(ring.descriptor());
        }
    }
    if let Some(_inside) = Inside::begin() {
        life::before_close(first, last);
    }
}

/// `close_range`.
#[unsafe(no_mangle)]
pub extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    const CLOEXEC: c_int = 4;
    if flags & CLOEXEC == 0 && first <= last {
        closing_range(first, last);
    }
    match next!(c"close_range" => extern "C" fn(c_uint, c_uint, c_int) -> c_int) {
        Some(next) => next(first, last, flags),
        None => missing(),
    }
}

/// `closefrom`.
#[unsafe(no_mangle)]
pub extern "C" fn closefrom(first: c_int) {
    closing_range(first.max(0) as c_uint, c_uint::MAX);
    if let Some(next) = next!(c"closefrom" => extern "C" fn(c_int)) {
        next(first);
    }
}

/// `syscall`: io_uring's three by number, all others as they are.
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
    let at = std::ptr::with_exposed_provenance_mut::<c_void>;
    let emulated = |ret: Ret| ret.as_c() as isize;
    let ret = unsafe {
        match number {
            libc::SYS_io_uring_setup => {
                emulated(User::setup(a as c_uint, at(b).cast::<io_uring_params>()))
            }
            libc::SYS_io_uring_enter => emulated(User::enter(
                a as c_int,
                b as c_uint,
                c as c_uint,
                d as c_uint,
                at(e),
                f,
            )),
            libc::SYS_io_uring_register => {
                emulated(User::register(a as c_int, b as c_uint, at(c), d as c_uint))
            }
            libc::SYS_close => {
                closing(a as c_int);
                Native::call(number as usize, [a, b, c, d, e, f])
            }
            _ => Native::call(number as usize, [a, b, c, d, e, f]),
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
    let ret = if fd >= 0 && table::is_ring(fd) {
        match unsafe { User::mmap(length, protection, flags, fd, offset as u64) } {
            Ok(area) => area.as_ptr().expose_provenance() as isize,
            Err(error) => error.as_ret() as isize,
        }
    } else {
        let args = [
            address.expose_provenance(),
            length,
            protection as usize,
            flags as usize,
            fd as usize,
            offset as usize,
        ];
        unsafe { Native::call(libc::SYS_mmap as usize, args) }
    };
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
