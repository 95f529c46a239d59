//! The process and its threads.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use uring_core::kernel::{Kernel, Native};

/// Forks that lie between the first process that loaded the library and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);
/// The process, as it numbers itself; 0 before that was asked.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Forks that have begun, in this process and, before it was made, in its parents.
static FORKS: AtomicU32 = AtomicU32::new(0);

// Relaxed: these change where there is one thread, or say what a later call sees in any case.

pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

pub fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Before a fork: from now on it is known which process this is.
pub fn fork_begins() {
    used();
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// In the child of a fork.
pub fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    PROCESS.store(std::process::id(), Ordering::Relaxed);
}

/// A ring was set up: from now on it is known which process this is.
pub fn used() {
    if PROCESS.load(Ordering::Relaxed) == 0 {
        PROCESS.store(std::process::id(), Ordering::Relaxed);
    }
}

/// Whether this is the child of a `vfork`, which runs on its parent's memory: what it closes is its own.
pub fn is_borrowed() -> bool {
    PROCESS.load(Ordering::Relaxed) != std::process::id()
}

/// Whether this is a child that no function of `pthread_atfork` was called for: of `_Fork`, or of `vfork`.
pub fn is_unknown() -> bool {
    let known = PROCESS.load(Ordering::Relaxed);
    known != 0 && known != std::process::id()
}

/// The C library's word for whether there has been one thread alone: one byte.
static ALONE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// Looks for what is asked later, when the library is loaded.
pub fn prepare() {
    // SAFETY: a string with its end.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
    ALONE.store(found.cast(), Ordering::Relaxed);
}

/// Whether the process has had one thread alone. Where the C library does not tell, it has not.
pub fn is_single_threaded() -> bool {
    let told = ALONE.load(Ordering::Relaxed);
    // SAFETY: the C library's variable.
    !told.is_null() && unsafe { told.read_volatile() } != 0
}

pub fn is_open(fd: c_int) -> bool {
    // SAFETY: no memory is named.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// Whether `thread` is the main thread, which ends with the process.
pub fn is_main(thread: u32) -> bool {
    thread == PROCESS.load(Ordering::Relaxed)
}

/// Whether other threads run now. Where that is not told, they may.
#[cold]
pub fn has_others() -> bool {
    let _whole = Uncancelled::begin();
    std::fs::read_dir("/proc/self/task").map_or(true, |tasks| tasks.count() > 1)
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

/// As long as it lives, `pthread_cancel` does not end this thread.
///
/// The C library ends a cancelled thread where it sleeps, opens, reads or writes. The program's calls do none of that, so
/// they would end where they never do; and what the thread has locked would stay locked.
pub struct Uncancelled {
    before: c_int,
}

impl Uncancelled {
    pub fn begin() -> Uncancelled {
        /// The same in all C libraries.
        const DISABLE: c_int = 1;
        let mut before = DISABLE;
        // SAFETY: the former state is stored in `before`.
        unsafe { pthread_setcancelstate(DISABLE, &raw mut before) };
        Uncancelled { before }
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        // SAFETY: a state that was there before.
        unsafe { pthread_setcancelstate(self.before, std::ptr::null_mut()) };
    }
}

/// The calling thread, as the kernel numbers it.
pub fn thread() -> u32 {
    thread_local! {
        static KNOWN: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    }
    let generation = generation();
    match KNOWN.get() {
        (at, number) if at == generation && number != 0 => number,
        _ => {
            let number = Native::thread_id();
            KNOWN.set((generation, number));
            number
        }
    }
}
