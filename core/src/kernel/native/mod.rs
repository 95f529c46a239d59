//! The kernel this program runs on.
//!
//! Calls are made in place, without libc: the library then needs no `errno`, no thread-local storage and no other
//! library. An architecture is one file with a `syscall!` macro and its numbers; those without one go through libc, and
//! so does a library that was configured to (`uring_libc`).

use core::ffi::{c_int, c_uint, c_void};
use core::ptr::{self, NonNull};

use super::{Kernel, Limit};
use crate::abi::params::io_uring_params;
use crate::errno::{Errno, Result, Ret};

#[cfg_attr(all(target_arch = "x86_64", not(uring_libc)), path = "x86_64.rs")]
#[cfg_attr(all(target_arch = "aarch64", not(uring_libc)), path = "aarch64.rs")]
#[cfg_attr(all(target_arch = "riscv64", not(uring_libc)), path = "riscv64.rs")]
#[cfg_attr(
    any(
        uring_libc,
        not(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        ))
    ),
    path = "libc.rs"
)]
mod arch;

pub use arch::nr;
use arch::syscall;

/// The kernel this program runs on.
pub struct Native;

const RLIMIT_NOFILE: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) {
    5
} else if cfg!(target_arch = "sparc64") {
    6
} else {
    7
};

/// A call that returns nothing but an error.
#[inline]
fn done(ret: c_int) -> Result<()> {
    Errno::check(ret).map(drop)
}

/// The page size on architectures where the kernel chooses it: 4, 16 or 64 KiB.
///
/// The auxiliary vector of the process holds it, but reading that takes libc or `/proc`. Instead, this function uses
/// that every kernel refuses advice for an address that does not begin a page, even for no bytes. So the smallest size
/// that it accepts as the start of a page is the page size. `begins_a_page` asks the kernel. If it refuses all sizes,
/// something keeps it from answering, and the most common size is assumed.
#[cfg(any(all(target_arch = "aarch64", not(uring_libc)), test))]
fn page_size_by(begins_a_page: impl Fn(usize) -> bool) -> usize {
    const SIZES: [usize; 3] = [4 << 10, 16 << 10, 64 << 10];
    SIZES
        .into_iter()
        .find(|size| begins_a_page(*size))
        .unwrap_or(SIZES[0])
}

#[cfg(all(
    not(uring_libc),
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
impl Native {
    /// Any system call, for those that [`Kernel`] does not have.
    ///
    /// # Safety
    ///
    /// The arguments must be what the call asks for, and its effects must be sound.
    #[inline]
    pub unsafe fn call(number: usize, args: [usize; 6]) -> isize {
        let [a, b, c, d, e, f] = args;
        // SAFETY: passed on to the caller.
        unsafe { syscall!(isize; number, a, b, c, d, e, f) }
    }
}

impl Kernel for Native {
    #[inline]
    unsafe fn setup(entries: c_uint, params: *mut io_uring_params) -> Ret {
        // SAFETY: the caller vouches for `params`, the one thing the kernel reads and writes.
        let ret = unsafe { syscall!(c_int; nr::IO_URING_SETUP, entries, params) };
        Ret::from_c(ret)
    }

    #[inline]
    unsafe fn enter(
        fd: c_int,
        to_submit: c_uint,
        min_complete: c_uint,
        flags: c_uint,
        arg: *const c_void,
        size: usize,
    ) -> Ret {
        // SAFETY: the caller vouches for `arg` and for the memory that its requests name.
        let ret = unsafe {
            syscall!(c_int; nr::IO_URING_ENTER,
                fd,
                to_submit,
                min_complete,
                flags,
                arg,
                size
            )
        };
        Ret::from_c(ret)
    }

    #[inline]
    unsafe fn register(fd: c_int, opcode: c_uint, arg: *const c_void, nr_args: c_uint) -> Ret {
        // SAFETY: the caller vouches for `arg`.
        let ret = unsafe { syscall!(c_int; nr::IO_URING_REGISTER, fd, opcode, arg, nr_args) };
        Ret::from_c(ret)
    }

    #[inline]
    unsafe fn mmap(
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: u64,
    ) -> Result<NonNull<c_void>> {
        // SAFETY: no address is asked for, so the call replaces no mapping unless `flags` says so. The caller rules
        // that out. The kernel reads `prot` and `flags` as whole words, so they are extended here.
        let ret = unsafe {
            syscall!(isize; nr::MMAP, 0usize, len, prot as usize, flags as usize, fd, offset)
        };
        // The last page of the address space is never mapped: its addresses are error numbers.
        if ret as usize > -4096isize as usize {
            return Errno::check(ret as c_int).and(Err(Errno::ENOMEM));
        }
        // The kernel returns address 0 only to a call that asks for it.
        NonNull::new(ptr::with_exposed_provenance_mut(ret as usize)).ok_or(Errno::ENOMEM)
    }

    #[inline]
    unsafe fn munmap(addr: *mut c_void, len: usize) -> Result<()> {
        // SAFETY: the caller no longer uses the range.
        done(unsafe { syscall!(isize; nr::MUNMAP, addr, len) } as c_int)
    }

    #[inline]
    unsafe fn madvise(addr: *mut c_void, len: usize, advice: c_int) -> Result<()> {
        // SAFETY: the caller vouches that the advice loses nothing.
        done(unsafe { syscall!(isize; nr::MADVISE, addr, len, advice) } as c_int)
    }

    #[inline]
    fn close(fd: c_int) -> Result<()> {
        // SAFETY: closing a descriptor touches no memory.
        done(unsafe { syscall!(c_int; nr::CLOSE, fd) })
    }

    #[inline]
    fn page_size() -> usize {
        arch::page_size()
    }

    #[inline]
    fn thread_id() -> c_uint {
        // SAFETY: the call takes nothing and changes nothing.
        unsafe { syscall!(c_uint; nr::GETTID) }
    }

    fn nofile_limit() -> Result<Limit> {
        let mut limit = Limit::default();
        let new = ptr::null::<Limit>();
        // SAFETY: pid 0 is this process; nothing is set, and `limit` is laid out as the kernel's `struct rlimit64`.
        done(unsafe { syscall!(c_int; nr::PRLIMIT64, 0, RLIMIT_NOFILE, new, &raw mut limit) })?;
        Ok(limit)
    }

    fn set_nofile_limit(limit: Limit) -> Result<()> {
        let old = ptr::null_mut::<Limit>();
        // SAFETY: pid 0 is this process; `limit` is laid out as the kernel's `struct rlimit64` and only read.
        done(unsafe { syscall!(c_int; nr::PRLIMIT64, 0, RLIMIT_NOFILE, &raw const limit, old) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Kernel, Native, page_size_by};

    #[test]
    fn the_page_size_is_what_addresses_are_aligned_to() {
        for page in [4096, 16384, 65536] {
            assert_eq!(page_size_by(|address| address % page == 0), page);
        }
        assert_eq!(page_size_by(|_| false), 4096);
    }

    #[test]
    #[cfg_attr(miri, ignore = "a real kernel answers")]
    fn this_kernel_tells_pages_apart() {
        let asked = page_size_by(|address| {
            // SAFETY: advice for no bytes changes nothing.
            unsafe { Native::madvise(core::ptr::without_provenance_mut(address), 0, 0) }.is_ok()
        });
        assert_eq!(asked, Native::page_size());
        // SAFETY: as above.
        let between = unsafe { Native::madvise(core::ptr::without_provenance_mut(2048), 0, 0) };
        assert!(between.is_err());
    }
}
