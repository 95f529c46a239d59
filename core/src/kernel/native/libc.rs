//! System calls through the C library, for architectures without a file of their own.
//!
//! Its functions are declared here, so that building the library takes nothing but Rust.

use core::ffi::{c_int, c_long, c_ulong, c_void};

use crate::kernel::Limit;

/// System call numbers, the same on all but MIPS.
#[allow(missing_docs, reason = "the names are the calls'")]
pub mod nr {
    use core::ffi::c_long;

    const FIRST: c_long = if cfg!(target_arch = "mips") {
        4000
    } else if cfg!(target_arch = "mips64") {
        5000
    } else {
        0
    };
    pub const IO_URING_SETUP: c_long = FIRST + 425;
    pub const IO_URING_ENTER: c_long = FIRST + 426;
    pub const IO_URING_REGISTER: c_long = FIRST + 427;
}

unsafe extern "C" {
    #[link_name = "syscall"]
    pub fn call(number: c_long, ...) -> c_long;
    pub fn munmap(addr: *mut c_void, len: usize) -> c_int;
    pub fn madvise(addr: *mut c_void, len: usize, advice: c_int) -> c_int;
    pub fn close(fd: c_int) -> c_int;
    pub fn gettid() -> c_int;
    // glibc has separate functions for 64-bit offsets and limits. Other C libraries have only 64-bit ones.
    #[cfg_attr(target_env = "gnu", link_name = "mmap64")]
    pub fn mmap(
        addr: usize,
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: u64,
    ) -> *mut c_void;
    #[cfg_attr(target_env = "gnu", link_name = "prlimit64")]
    pub fn prlimit(pid: c_int, resource: c_int, new: *const Limit, old: *mut Limit) -> c_int;
    safe fn __errno_location() -> *mut c_int;
    safe fn getauxval(kind: c_ulong) -> c_ulong;
}

/// `syscall!(type; number, arguments...)`: the kernel's return value. `errno` is left as it was.
macro_rules! syscall {
    // Names, numbers and units of these calls differ between architectures, so each goes through its libc function.
    ($ret:ty; nr::MMAP, $addr:expr, $len:expr, $prot:expr, $flags:expr, $($rest:expr),*) => {
        arch::keeping_errno(|| arch::mmap($addr, $len, $prot as c_int, $flags as c_int, $($rest),*) as isize)
    };
    ($ret:ty; nr::MUNMAP, $($arg:expr),*) => { arch::keeping_errno(|| arch::munmap($($arg),*) as isize) };
    ($ret:ty; nr::MADVISE, $($arg:expr),*) => { arch::keeping_errno(|| arch::madvise($($arg),*) as isize) };
    ($ret:ty; nr::GETTID) => { arch::gettid() as $ret };
    ($ret:ty; nr::CLOSE, $($arg:expr),*) => { arch::keeping_errno(|| arch::close($($arg),*) as isize) as $ret };
    ($ret:ty; nr::PRLIMIT64, $($arg:expr),*) => {
        arch::keeping_errno(|| arch::prlimit($($arg),*) as isize) as $ret
    };
    ($ret:ty; $nr:expr $(, $arg:expr)*) => {
        arch::keeping_errno(|| arch::call($nr $(, $arg)*) as isize) as $ret
    };
}
pub(super) use syscall;

/// Makes a call that reports errors as libc does (-1 and `errno`). Returns them as the kernel does (a negative number).
pub fn keeping_errno(call: impl FnOnce() -> isize) -> isize {
    let errno = __errno_location();
    // SAFETY: the address of this thread's `errno` is always valid, and no other thread writes there.
    let before = unsafe { *errno };
    let ret = call();
    if ret != -1 {
        return ret;
    }
    // SAFETY: as above.
    let error = unsafe { core::mem::replace(&mut *errno, before) };
    -(error as isize)
}

/// The page size that the kernel told this process at its start.
pub fn page_size() -> usize {
    const AT_PAGESZ: c_ulong = 6;
    getauxval(AT_PAGESZ) as usize
}
