//! System calls on 64-bit ARM.

use core::ffi::c_int;

#[path = "generic_nr.rs"]
pub mod nr;

/// `syscall!(type; number, arguments...)`: the kernel's return value. The type is `isize`, or `c_int` for a call whose
/// result fits: then nothing is converted afterwards.
macro_rules! syscall {
    ($ret:ty; $nr:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr, $f:expr)?)?)?)?) => {{
        let ret: $ret;
        core::arch::asm!(
            "svc 0",
            in("x8") $nr,
            inlateout("x0") $a as $ret => ret,
            $(in("x1") $b,
            $(in("x2") $c,
            $(in("x3") $d,
            $(in("x4") $e,
            in("x5") $f,)?)?)?)?
            options(nostack),
        );
        ret
    }};
}
pub(super) use syscall;

/// The kernel chooses the page size (4, 16 or 64 KiB) and puts it into each process's auxiliary vector. Without libc,
/// this function reads the vector from `/proc`. If it cannot be read, the most common size is assumed.
#[cold]
pub fn page_size() -> usize {
    const OPENAT: usize = 56;
    const READ: usize = 63;
    const AT_FDCWD: c_int = -100;
    const O_RDONLY_CLOEXEC: c_int = 0o2000000;
    const AT_NULL: usize = 0;
    const AT_PAGESZ: usize = 6;
    const FALLBACK: usize = 4096;

    // SAFETY: the path is a string with its terminator, which the kernel only reads.
    let fd = unsafe {
        syscall!(isize; OPENAT,
            AT_FDCWD,
            c"/proc/self/auxv".as_ptr(),
            O_RDONLY_CLOEXEC,
            0
        )
    } as c_int;
    if fd < 0 {
        return FALLBACK;
    }
    let mut found = FALLBACK;
    let mut pair = [0usize; 2];
    loop {
        // SAFETY: the kernel writes at most the size of `pair` to it.
        let got = unsafe { syscall!(isize; READ, fd, &raw mut pair, size_of_val(&pair)) };
        if got != size_of_val(&pair) as isize || pair[0] == AT_NULL {
            break;
        }
        if pair[0] == AT_PAGESZ {
            found = pair[1];
            break;
        }
    }
    // SAFETY: closing a descriptor of our own touches no memory.
    unsafe { syscall!(isize; nr::CLOSE, fd) };
    found
}
