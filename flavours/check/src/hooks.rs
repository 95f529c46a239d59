//! Functions that stand before libc's, in the shared library alone: those that give up memory or descriptors, or change
//! the user. Each does its look, then calls the next. `hook_free` is `free` in the library: the build renames it.

#![allow(
    clippy::missing_safety_doc,
    reason = "each asks of its caller what libc's function asks"
)]

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_ulong, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::place::{Place, place};
use crate::proxy::begin::has_proxies;
use crate::proxy::calls::waits_elsewhere;
use crate::proxy::used;
use crate::{freed, life, memory, process, program_memory};

/// The functions that the hooks stand before. They are looked up when the library is loaded: later, the dynamic linker may
/// be held by a thread that waits for this library.
macro_rules! nexts {
    ($($name:ident: $kind:ty;)*) => {
        #[allow(non_upper_case_globals, reason = "the names are C's")]
        mod at {
            use super::AtomicUsize;
            $(pub static $name: AtomicUsize = AtomicUsize::new(0);)*
        }

        mod next {
            use super::*;
            $(
                /// None if there is no such function.
                pub fn $name() -> Option<$kind> {
                    // Relaxed: whoever looks it up finds the same.
                    let mut found = at::$name.load(Ordering::Relaxed);
                    if found == 0 {
                        found = look_up(concat!(stringify!($name), "\0"));
                        at::$name.store(found, Ordering::Relaxed);
                    }
                    // SAFETY: null is `None`, anything else is libc's function of this name, which has this type.
                    unsafe {
                        std::mem::transmute::<*const c_void, Option<$kind>>(
                            std::ptr::with_exposed_provenance(found),
                        )
                    }
                }
            )*
        }

        /// Looks all of them up.
        pub fn prepare() {
            $(next::$name();)*
        }
    };
}

nexts! {
    free: unsafe extern "C" fn(*mut c_void);
    realloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
    munmap: unsafe extern "C" fn(*mut c_void, usize) -> c_int;
    close: extern "C" fn(c_int) -> c_int;
    dup2: extern "C" fn(c_int, c_int) -> c_int;
    dup3: extern "C" fn(c_int, c_int, c_int) -> c_int;
    close_range: extern "C" fn(c_uint, c_uint, c_int) -> c_int;
    setuid: extern "C" fn(c_uint) -> c_int;
    setgid: extern "C" fn(c_uint) -> c_int;
    seteuid: extern "C" fn(c_uint) -> c_int;
    setegid: extern "C" fn(c_uint) -> c_int;
    setreuid: extern "C" fn(c_uint, c_uint) -> c_int;
    setregid: extern "C" fn(c_uint, c_uint) -> c_int;
    setresuid: extern "C" fn(c_uint, c_uint, c_uint) -> c_int;
    setresgid: extern "C" fn(c_uint, c_uint, c_uint) -> c_int;
    exit: extern "C" fn(c_int) -> !;
    poll: unsafe extern "C" fn(*mut c_void, c_ulong, c_int) -> c_int;
    ppoll: unsafe extern "C" fn(*mut c_void, c_ulong, *const c_void, *const c_void) -> c_int;
    __poll_chk: unsafe extern "C" fn(*mut c_void, c_ulong, c_int, usize) -> c_int;
    __ppoll_chk: unsafe extern "C" fn(*mut c_void, c_ulong, *const c_void, *const c_void, usize) -> c_int;
    select: unsafe extern "C" fn(c_int, *mut c_void, *mut c_void, *mut c_void, *mut c_void) -> c_int;
    pselect: unsafe extern "C" fn(c_int, *mut c_void, *mut c_void, *mut c_void, *const c_void, *const c_void) -> c_int;
    epoll_wait: unsafe extern "C" fn(c_int, *mut c_void, c_int, c_int) -> c_int;
    epoll_pwait: unsafe extern "C" fn(c_int, *mut c_void, c_int, c_int, *const c_void) -> c_int;
    epoll_pwait2: unsafe extern "C" fn(c_int, *mut c_void, c_int, *const c_void, *const c_void) -> c_int;
}

thread_local! {
    static LOOKING_UP: Cell<bool> = const { Cell::new(false) };
}

/// 0 if there is none, or while the dynamic linker, asked for one, itself calls a hook. `name` has its end.
#[cold]
fn look_up(name: &str) -> usize {
    if LOOKING_UP.replace(true) {
        return 0;
    }
    // SAFETY: a string with its end.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr().cast()) }.expose_provenance();
    LOOKING_UP.set(false);
    found
}

/// libc has no such function: then nothing could have called it.
fn missing() -> c_int {
    // SAFETY: the address of this thread's errno is always valid.
    unsafe { *libc::__errno_location() = libc::ENOSYS };
    -1
}

/// `free`.
#[unsafe(export_name = "hook_free")]
pub unsafe extern "C" fn free(block: *mut c_void) {
    let place = place();
    used::address(block.addr(), "free()", place);
    if freed::is_used(block) {
        freed::given_up(block.addr(), freed::size_of_block(block), "free()", place);
    }
    if !block.is_null() && program_memory::is_used() {
        program_memory::unmapped(block.addr(), freed::size_of_block(block));
    }
    // A block that the linker frees while it is asked is lost: a few bytes, once.
    if let Some(next) = next::free() {
        // SAFETY: passed on to the caller.
        unsafe { next(block) }
    }
}

/// `realloc`. The old block is given up if the new one is elsewhere.
#[unsafe(export_name = "hook_realloc")]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    let place = place();
    let used = freed::is_used(block).then(|| (block.addr(), freed::size_of_block(block)));
    let Some(next) = next::realloc() else {
        return std::ptr::null_mut();
    };
    // SAFETY: passed on to the caller.
    let new = unsafe { next(block, size) };
    if let Some((at, len)) = used.filter(|(at, _)| new.addr() != *at && !new.is_null()) {
        freed::given_up(at, len, "realloc()", place);
    }
    new
}

/// `munmap`.
#[unsafe(export_name = "hook_munmap")]
pub unsafe extern "C" fn munmap(start: *mut c_void, len: usize) -> c_int {
    let place = place();
    if memory::any() && memory::may_be_used(start.addr() as u64, len as u64) {
        freed::given_up(start.addr(), len, "munmap()", place);
    }
    program_memory::unmapped(start.addr(), len);
    match next::munmap() {
        // SAFETY: passed on to the caller.
        Some(next) => unsafe { next(start, len) },
        None => missing(),
    }
}

/// `close`.
#[unsafe(export_name = "hook_close")]
pub extern "C" fn close(fd: c_int) -> c_int {
    let place = place();
    used::descriptor(fd, "close()", place);
    life::closing(fd, fd, place);
    match next::close() {
        Some(next) => next(fd),
        None => missing(),
    }
}

/// `new` is closed if it is open and another.
fn replaced(old: c_int, new: c_int, place: Place) {
    if old != new && process::is_open(old) && process::is_open(new) {
        life::closing(new, new, place);
    }
}

/// `dup2`, which closes `new`.
#[unsafe(export_name = "hook_dup2")]
pub extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    replaced(old, new, place());
    match next::dup2() {
        Some(next) => next(old, new),
        None => missing(),
    }
}

/// `dup3`, which closes `new`.
#[unsafe(export_name = "hook_dup3")]
pub extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    replaced(old, new, place());
    match next::dup3() {
        Some(next) => next(old, new, flags),
        None => missing(),
    }
}

/// `close_range`.
#[unsafe(export_name = "hook_close_range")]
pub extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    const CLOEXEC: c_int = 4;
    let place = place();
    if flags & CLOEXEC == 0 && first <= last {
        let bound = |fd: c_uint| fd.min(c_int::MAX as c_uint) as c_int;
        life::closing(bound(first), bound(last), place);
    }
    match next::close_range() {
        Some(next) => next(first, last, flags),
        None => missing(),
    }
}

macro_rules! users {
    ($($name:ident($($arg:ident),*);)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        #[unsafe(export_name = concat!("hook_", stringify!($name)))]
        pub extern "C" fn $name($($arg: c_uint),*) -> c_int {
            let place = place();
            let ret = match next::$name() {
                Some(next) => next($($arg),*),
                None => missing(),
            };
            if ret == 0 {
                life::user_changes(place);
            }
            ret
        }
    )*};
}

users! {
    setuid(id);
    setgid(id);
    seteuid(id);
    setegid(id);
    setreuid(real, effective);
    setregid(real, effective);
    setresuid(real, effective, saved);
    setresgid(real, effective, saved);
}

macro_rules! waits {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {$(
        #[doc = concat!("`", stringify!($name), "`, in which the program may wait for a ring.")]
        #[unsafe(export_name = concat!("hook_", stringify!($name)))]
        pub unsafe extern "C" fn $name($($arg: $kind),*) -> c_int {
            let place = place();
            if has_proxies() {
                waits_elsewhere(place);
            }
            match next::$name() {
                // SAFETY: passed on to the caller.
                Some(next) => unsafe { next($($arg),*) },
                None => missing(),
            }
        }
    )*};
}

waits! {
    poll(fds: *mut c_void, count: c_ulong, timeout: c_int);
    ppoll(fds: *mut c_void, count: c_ulong, timeout: *const c_void, mask: *const c_void);
    __poll_chk(fds: *mut c_void, count: c_ulong, timeout: c_int, size: usize);
    __ppoll_chk(fds: *mut c_void, count: c_ulong, timeout: *const c_void, mask: *const c_void, size: usize);
    select(count: c_int, reads: *mut c_void, writes: *mut c_void, errors: *mut c_void, timeout: *mut c_void);
    pselect(count: c_int, reads: *mut c_void, writes: *mut c_void, errors: *mut c_void, timeout: *const c_void, mask: *const c_void);
    epoll_wait(fd: c_int, events: *mut c_void, most: c_int, timeout: c_int);
    epoll_pwait(fd: c_int, events: *mut c_void, most: c_int, timeout: c_int, mask: *const c_void);
    epoll_pwait2(fd: c_int, events: *mut c_void, most: c_int, timeout: *const c_void, mask: *const c_void);
}

/// `exit`: the threads that end now end with the process.
#[unsafe(export_name = "hook_exit")]
pub extern "C" fn exit(status: c_int) -> ! {
    life::ending();
    if let Some(next) = next::exit() {
        next(status);
    }
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}
