//! System calls on x86-64.

/// System call numbers.
#[allow(missing_docs, reason = "the names are the calls'")]
pub mod nr {
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const MUNMAP: usize = 11;
    pub const MADVISE: usize = 28;
    pub const GETTID: usize = 186;
    pub const PRLIMIT64: usize = 302;
    pub const IO_URING_SETUP: usize = 425;
    pub const IO_URING_ENTER: usize = 426;
    pub const IO_URING_REGISTER: usize = 427;
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
