//! System calls on 64-bit RISC-V.

#[path = "generic_nr.rs"]
pub mod nr;

/// `syscall!(type; number, arguments...)`: the kernel's return value. The type is `isize`, or `c_int` for a call whose
/// result fits: then nothing is converted afterwards.
macro_rules! syscall {
    ($ret:ty; $nr:expr) => {{
        let ret: $ret;
        core::arch::asm!("ecall", in("a7") $nr, lateout("a0") ret, options(nostack));
        ret
    }};
    ($ret:ty; $nr:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr, $f:expr)?)?)?)?) => {{
        let ret: $ret;
        core::arch::asm!(
            "ecall",
            in("a7") $nr,
            inlateout("a0") $a as $ret => ret,
            $(in("a1") $b,
            $(in("a2") $c,
            $(in("a3") $d,
            $(in("a4") $e,
            in("a5") $f,)?)?)?)?
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
