//! System calls through the C library, for architectures without a file of their own.

/// System call numbers.
pub mod nr {
    use core::ffi::c_long;

    pub const CLOSE: c_long = libc::SYS_close;
    pub const MUNMAP: c_long = libc::SYS_munmap;
    pub const MADVISE: c_long = libc::SYS_madvise;
    pub const PRLIMIT64: c_long = libc::SYS_prlimit64;
    pub const IO_URING_SETUP: c_long = libc::SYS_io_uring_setup;
    pub const IO_URING_ENTER: c_long = libc::SYS_io_uring_enter;
    pub const IO_URING_REGISTER: c_long = libc::SYS_io_uring_register;
}

/// `syscall!(type; number, arguments...)`: the kernel's return value. `errno` is left as it was.
macro_rules! syscall {
    // The name of this one and the unit of its offset differ between architectures, and libc knows both.
    ($ret:ty; nr::MMAP, $addr:expr, $len:expr, $prot:expr, $flags:expr, $fd:expr, $offset:expr) => {
        arch::keeping_errno(|| {
            let addr = core::ptr::without_provenance_mut($addr);
            libc::mmap64(addr, $len, $prot, $flags, $fd, $offset as libc::off64_t) as isize
        })
    };
    ($ret:ty; $nr:expr $(, $arg:expr)*) => {
        arch::keeping_errno(|| libc::syscall($nr $(, $arg)*) as isize) as $ret
    };
}
pub(super) use syscall;

/// Makes a call in libc's manner (-1 and `errno`) one in the kernel's (a negative error number).
pub fn keeping_errno(call: impl FnOnce() -> isize) -> isize {
    // SAFETY: the address of this thread's `errno` is always valid.
    let errno = unsafe { &mut *libc::__errno_location() };
    let before = *errno;
    let ret = call();
    if ret != -1 {
        return ret;
    }
    let error = core::mem::replace(errno, before);
    -(error as isize)
}

/// The page size that libc was told by the kernel.
pub fn page_size() -> usize {
    // SAFETY: a look-up without side effects.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}
