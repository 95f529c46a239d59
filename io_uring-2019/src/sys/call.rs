//! Making a system call: numbers, arguments, results.

use core::ffi::c_int;

use uring_core::errno::{Errno, Result};

/// Numbers of system calls.
pub mod nr {
    #[cfg(feature = "preload")]
    pub use uring_core::kernel::nr::CLOSE;
    pub use uring_core::kernel::nr::{IO_URING_ENTER, MADVISE, MUNMAP, PRLIMIT64};

    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const FSTAT: usize = 5;
    pub const LSEEK: usize = 8;
    pub const RT_SIGPROCMASK: usize = 14;
    #[cfg(feature = "preload")]
    pub const IOCTL: usize = 16;
    pub const PREAD64: usize = 17;
    pub const SCHED_YIELD: usize = 24;
    #[cfg(feature = "preload")]
    pub const DUP: usize = 32;
    #[cfg(feature = "preload")]
    pub const DUP2: usize = 33;
    pub const GETPID: usize = 39;
    #[cfg(feature = "preload")]
    pub const RECVMSG: usize = 47;
    pub const CLONE: usize = 56;
    #[cfg(feature = "preload")]
    pub const VFORK: usize = 58;
    pub const EXIT: usize = 60;
    pub const KILL: usize = 62;
    pub const FCNTL: usize = 72;
    pub const FLOCK: usize = 73;
    pub const FTRUNCATE: usize = 77;
    pub const SIGALTSTACK: usize = 131;
    pub const GETTID: usize = 186;
    pub const FUTEX: usize = 202;
    pub const SCHED_SETAFFINITY: usize = 203;
    pub const GETDENTS64: usize = 217;
    pub const CLOCK_GETTIME: usize = 228;
    pub const TGKILL: usize = 234;
    pub const OPENAT: usize = 257;
    #[cfg(feature = "preload")]
    pub const UNSHARE: usize = 272;
    #[cfg(feature = "preload")]
    pub const DUP3: usize = 292;
    #[cfg(feature = "preload")]
    pub const RECVMMSG: usize = 299;
    pub const PROCESS_VM_READV: usize = 310;
    pub const PROCESS_VM_WRITEV: usize = 311;
    pub const GETRANDOM: usize = 318;
    pub const MEMFD_CREATE: usize = 319;
    pub const PREADV2: usize = 327;
    pub const PWRITEV2: usize = 328;
    /// `io_uring_setup` of 2019.
    #[cfg(feature = "preload")]
    pub const SETUP_2019: usize = 335;
    /// `io_uring_enter` of 2019.
    #[cfg(feature = "preload")]
    pub const ENTER_2019: usize = 336;
    #[cfg(feature = "preload")]
    pub const CLONE3: usize = 435;
    #[cfg(feature = "preload")]
    pub const CLOSE_RANGE: usize = 436;
    #[cfg(feature = "preload")]
    pub const PIDFD_GETFD: usize = 438;
}

/// A pointer as an argument of a system call.
pub fn address<T>(pointer: *const T) -> usize {
    pointer.expose_provenance()
}

/// What a call returned, or its error.
pub fn check(ret: isize) -> Result<usize> {
    match c_int::try_from(ret) {
        Ok(small) => Errno::check(small).map(|value| value as usize),
        Err(_) => Ok(ret as usize),
    }
}

/// A `struct iovec`, for memory that is known by its address.
#[repr(C)]
pub struct Span {
    /// Where it starts.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
}
