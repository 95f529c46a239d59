//! An eventfd that the kernel signals when completions are there.

use core::ffi::c_int;
use core::ptr;

use super::call_cold;
use crate::abi::*;
use crate::errno::Result;
use crate::kernel::Kernel;

/// Signals `fd` for every completion.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn register<K: Kernel>(ring: *mut io_uring, fd: c_int) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`.
    unsafe { set::<K>(ring, IORING_REGISTER_EVENTFD, fd) }
}

/// Signals `fd` for completions that the kernel's workers post.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn register_async<K: Kernel>(ring: *mut io_uring, fd: c_int) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`.
    unsafe { set::<K>(ring, IORING_REGISTER_EVENTFD_ASYNC, fd) }
}

unsafe fn set<K: Kernel>(
    ring: *mut io_uring,
    opcode: io_uring_register_op,
    fd: c_int,
) -> Result<c_int> {
    // SAFETY: the callers vouch for `ring`; both opcodes take an array of one descriptor.
    unsafe { call_cold::<K>(ring, opcode, (&raw const fd).cast(), 1) }
}

/// Ends the signalling.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn unregister<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`.
    unsafe { call_cold::<K>(ring, IORING_UNREGISTER_EVENTFD, ptr::null(), 0) }
}
