//! An eventfd that the kernel signals when completions are there.

use core::ffi::c_int;

use super::{Ring, call_bare_cold, call_cold};
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;

/// Signals `fd` for every completion.
pub fn register<K: Kernel>(ring: Ring<K>, fd: c_int) -> Ret {
    set(ring, IORING_REGISTER_EVENTFD, fd)
}

/// Signals `fd` for completions that the kernel's workers post.
pub fn register_async<K: Kernel>(ring: Ring<K>, fd: c_int) -> Ret {
    set(ring, IORING_REGISTER_EVENTFD_ASYNC, fd)
}

fn set<K: Kernel>(ring: Ring<K>, opcode: io_uring_register_op, fd: c_int) -> Ret {
    // SAFETY: both opcodes read an array of one descriptor.
    unsafe { call_cold(ring, opcode, (&raw const fd).cast(), 1) }
}

/// Ends the signalling.
pub fn unregister<K: Kernel>(ring: Ring<K>) -> Ret {
    call_bare_cold(ring, IORING_UNREGISTER_EVENTFD, 0)
}
