//! System calls on x86-64.

/// System call numbers, also those that only the interface of 2019 uses.
#[allow(missing_docs, reason = "the names are the calls'")]
pub mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const FSTAT: usize = 5;
    pub const LSEEK: usize = 8;
    pub const MMAP: usize = 9;
    pub const MUNMAP: usize = 11;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const IOCTL: usize = 16;
    pub const PREAD64: usize = 17;
    pub const SCHED_YIELD: usize = 24;
    pub const MADVISE: usize = 28;
    pub const DUP: usize = 32;
    pub const DUP2: usize = 33;
    pub const GETPID: usize = 39;
    pub const RECVMSG: usize = 47;
    pub const CLONE: usize = 56;
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
    pub const UNSHARE: usize = 272;
    pub const DUP3: usize = 292;
    pub const RECVMMSG: usize = 299;
    pub const PRLIMIT64: usize = 302;
    pub const PROCESS_VM_READV: usize = 310;
    pub const PROCESS_VM_WRITEV: usize = 311;
    pub const GETRANDOM: usize = 318;
    pub const MEMFD_CREATE: usize = 319;
    pub const PREADV2: usize = 327;
    pub const PWRITEV2: usize = 328;
    pub const IO_URING_SETUP: usize = 425;
    pub const IO_URING_ENTER: usize = 426;
    pub const IO_URING_REGISTER: usize = 427;
    pub const CLONE3: usize = 435;
    pub const CLOSE_RANGE: usize = 436;
    pub const PIDFD_GETFD: usize = 438;
}

/// `syscall!(type; number, arguments...)`: the kernel's return value. The type is `isize`, or `c_int` for a call whose
/// result fits: then nothing is converted afterwards.
///
/// Arguments are not extended to the width of a register: the kernel truncates those that it declares as 32 bits.
macro_rules! syscall {
    ($ret:ty; $nr:expr) => {{
        let ret: $ret;
        core::arch::asm!(
            "syscall",
            inlateout("rax") $nr as $ret => ret,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        ret
    }};
    ($ret:ty; $nr:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr, $f:expr)?)?)?)?) => {{
        let ret: $ret;
        core::arch::asm!(
            "syscall",
            inlateout("rax") $nr as $ret => ret,
            in("rdi") $a,
            $(in("rsi") $b,
            $(in("rdx") $c,
            $(in("r10") $d,
            $(in("r8") $e,
            in("r9") $f,)?)?)?)?
            // The instruction saves the return address and the flags in these registers.
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        ret
    }};
}
pub(super) use syscall;

/// The architecture has one page size.
#[inline]
pub fn page_size() -> usize {
    4096
}
