//! The interface to the kernel: every system call of the library goes through [`Kernel`].
//!
//! [`Kernel`] has associated functions and no state, so the choice of a kernel is made at compile time and costs
//! nothing at run time.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr::NonNull;

use crate::abi::params::io_uring_params;
use crate::errno::{Result, Ret};

mod native;
#[cfg(test)]
pub mod sim;

pub use native::Native;
#[cfg(target_arch = "x86_64")]
pub use native::nr;

const MIPS: bool = cfg!(any(target_arch = "mips", target_arch = "mips64"));

/// `MAP_ANONYMOUS`.
pub const MAP_ANONYMOUS: c_int = if MIPS { 0x800 } else { 0x20 };
/// `MAP_POPULATE`.
pub const MAP_POPULATE: c_int = if MIPS { 0x10000 } else { 0x8000 };
/// `MAP_HUGETLB`.
pub const MAP_HUGETLB: c_int = if MIPS { 0x80000 } else { 0x40000 };
/// `PROT_NONE`.
pub const PROT_NONE: c_int = 0;
/// `PROT_READ | PROT_WRITE`.
pub const PROT_READ_WRITE: c_int = 0x3;
/// `MAP_SHARED`.
pub const MAP_SHARED: c_int = 0x01;
/// `MAP_PRIVATE`.
pub const MAP_PRIVATE: c_int = 0x02;
/// The position of the binary logarithm of a huge page's size, beside [`MAP_HUGETLB`].
pub const MAP_HUGE_SHIFT: u32 = 26;
/// `MADV_DONTFORK`.
pub const MADV_DONTFORK: c_int = 10;
/// `MADV_DOFORK`, which undoes [`MADV_DONTFORK`].
pub const MADV_DOFORK: c_int = 11;

/// The size of a huge page, in bytes, on a machine with pages of `page` bytes.
///
/// One entry of the second level of page tables maps a huge page. A table fills a page, and an entry has eight bytes on
/// all architectures with huge pages, also 32-bit ones. Two architectures are different.
pub const fn huge_page_size(page: usize) -> usize {
    if cfg!(target_arch = "s390x") {
        1 << 20
    } else if cfg!(target_arch = "powerpc64") {
        // The size for radix tables. Machines with hashed tables have other sizes and refuse this one.
        2 << 20
    } else {
        page * (page / 8)
    }
}

/// A pair of limits, laid out as `struct rlimit64`. `prlimit64` takes this structure on every architecture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Limit {
    /// The limit in force.
    pub current: u64,
    /// How far it may be raised.
    pub maximum: u64,
}

/// The system calls that the library makes. They return the kernel's errors unchanged.
pub trait Kernel {
    /// `io_uring_setup`: makes a ring and returns its descriptor (or index, with `IORING_SETUP_REGISTERED_FD_ONLY`).
    ///
    /// # Safety
    ///
    /// `params` must be valid for reads and writes, and so must the memory it names under `IORING_SETUP_NO_MMAP`.
    unsafe fn setup(entries: c_uint, params: *mut io_uring_params) -> Ret;

    /// `io_uring_enter`: submits, waits, or both; returns the number of requests submitted.
    ///
    /// # Safety
    ///
    /// `arg` must be what `flags` says it is, `size` bytes long, or null. Every request in the submission queue must
    /// name memory that stays valid until it completes.
    unsafe fn enter(
        fd: c_int,
        to_submit: c_uint,
        min_complete: c_uint,
        flags: c_uint,
        arg: *const c_void,
        size: usize,
    ) -> Ret;

    /// `io_uring_register`.
    ///
    /// # Safety
    ///
    /// `arg` must be what `opcode` takes, with `nr_args` elements where it takes an array.
    unsafe fn register(fd: c_int, opcode: c_uint, arg: *const c_void, nr_args: c_uint) -> Ret;

    /// `mmap`, at an address of the kernel's choice.
    ///
    /// # Safety
    ///
    /// `flags` must not replace a mapping that is in use.
    unsafe fn mmap(
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: u64,
    ) -> Result<NonNull<c_void>>;

    /// `munmap`.
    ///
    /// # Safety
    ///
    /// Nothing may use the range any more.
    unsafe fn munmap(addr: *mut c_void, len: usize) -> Result<()>;

    /// `madvise`.
    ///
    /// # Safety
    ///
    /// The advice must not take away contents that are still needed.
    unsafe fn madvise(addr: *mut c_void, len: usize, advice: c_int) -> Result<()>;

    /// `close`.
    fn close(fd: c_int) -> Result<()>;

    /// The size of a page in bytes, a power of two.
    fn page_size() -> usize;

    /// `gettid`: the number of the calling thread. No other thread has it while this one lives.
    fn thread_id() -> c_uint;

    /// The limit on open descriptors (`RLIMIT_NOFILE`).
    fn nofile_limit() -> Result<Limit>;

    /// Sets the limit on open descriptors.
    fn set_nofile_limit(limit: Limit) -> Result<()>;
}
