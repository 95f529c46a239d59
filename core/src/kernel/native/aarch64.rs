//! System calls on 64-bit ARM.

#[path = "generic_nr.rs"]
pub mod nr;

/// `syscall!(type; number, arguments...)`: the kernel's return value. The type is `isize`, or `c_int` for a call whose
/// result fits: then nothing is converted afterwards.
macro_rules! syscall {
    ($ret:ty; $nr:expr) => {{
        let ret: $ret;
        core::arch::asm!("svc 0", in("x8") $nr, lateout("x0") ret, options(nostack));
        ret
    }};
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

/// The page size is the kernel's choice.
#[cold]
pub fn page_size() -> usize {
    super::page_size_by(|address| {
        // SAFETY: advice for a range of no bytes changes nothing, regardless of the mapping at the address.
        unsafe { syscall!(isize; nr::MADVISE, address, 0, MADV_NORMAL) == 0 }
    })
}

const MADV_NORMAL: usize = 0;
