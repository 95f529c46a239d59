//! io_uring's system calls to the kernel, past the filter of [`crate::sigsys`].
//!
//! The filter hands the calls of the program's own instructions to this library. Its own calls carry a mark in the upper
//! half of an argument that the kernel takes for 32 bits wide. So a filter tells them apart in every process that inherits
//! it, wherever the library lies there.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::NonNull;

use uring_core::abi::io_uring_params;
use uring_core::errno::{Errno, Result, Ret};

use crate::sys::{self, sys};

/// What the filter lets pass, in the upper half of an argument.
pub const MARK: u32 = 0x7269_6e67;

/// The argument with the mark.
pub fn marked(argument: usize) -> usize {
    (MARK as usize) << 32 | argument & u32::MAX as usize
}

/// Whether an argument has the mark.
#[cfg(feature = "hooks")]
pub fn is_marked(argument: usize) -> bool {
    argument >> 32 == MARK as usize
}

/// `io_uring_setup`.
///
/// # Safety
///
/// As for `Kernel::setup`.
pub unsafe fn setup(entries: c_uint, params: *mut io_uring_params) -> Ret {
    // SAFETY: passed on to the caller.
    let ret = unsafe { sys!(SYS_io_uring_setup, marked(entries as usize), params) };
    Ret::from_c(ret as c_int)
}

/// `io_uring_enter`.
///
/// # Safety
///
/// As for `Kernel::enter`.
pub unsafe fn enter(
    fd: c_int,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
    arg: *const c_void,
    size: usize,
) -> Ret {
    let fd = marked(fd as usize);
    // SAFETY: passed on to the caller.
    let ret = unsafe {
        sys!(
            SYS_io_uring_enter,
            fd,
            to_submit,
            min_complete,
            flags,
            arg,
            size
        )
    };
    Ret::from_c(ret as c_int)
}

/// `io_uring_register`.
///
/// # Safety
///
/// As for `Kernel::register`.
pub unsafe fn register(fd: c_int, opcode: c_uint, arg: *const c_void, nr_args: c_uint) -> Ret {
    let fd = marked(fd as usize);
    // SAFETY: passed on to the caller.
    let ret = unsafe { sys!(SYS_io_uring_register, fd, opcode, arg, nr_args) };
    Ret::from_c(ret as c_int)
}

/// `mmap` with all its arguments. The kernel's return value.
///
/// # Safety
///
/// As for libc's.
pub unsafe fn mmap(mut args: [usize; 6]) -> isize {
    // Without a file the descriptor may be any number, and the filter does not ask.
    if args[4] as c_int >= 0 {
        args[4] = marked(args[4]);
    }
    // SAFETY: passed on to the caller.
    unsafe { sys::call(libc::SYS_mmap, args) }
}

/// `mmap` at an address of the kernel's choice.
///
/// # Safety
///
/// As for `Kernel::mmap`.
pub unsafe fn map(
    len: usize,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: u64,
) -> Result<NonNull<c_void>> {
    let [prot, flags, fd] = [prot, flags, fd].map(|word| word as usize);
    let args = [0, len, prot, flags, fd, offset as usize];
    // SAFETY: passed on to the caller.
    let ret = unsafe { mmap(args) };
    if (-4095..0).contains(&ret) {
        return Errno::check(ret as c_int).and(Err(Errno::ENOMEM));
    }
    NonNull::new(std::ptr::with_exposed_provenance_mut(ret as usize)).ok_or(Errno::ENOMEM)
}
