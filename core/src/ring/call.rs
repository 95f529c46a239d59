//! `io_uring_register` on a ring: by its registered index where the kernel takes that, else by its descriptor.

use core::ffi::{c_uint, c_void};
use core::ptr;

use super::flags::REG_REG_RING;
use super::handle::Ring;
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;

/// One `io_uring_register` on `ring`: by its registered index where the kernel takes that, else by its descriptor.
///
/// # Safety
///
/// `arg` is what `opcode` takes, with `nr_args` elements where it takes an array. What the kernel only reads need not be
/// valid: the call fails where an address leads nowhere. What it writes to is valid for writes.
#[inline(always)]
pub unsafe fn call<K: Kernel>(
    ring: Ring<K>,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
) -> Ret {
    // SAFETY: the caller vouches for `arg`.
    unsafe {
        if ring.int_flags() & REG_REG_RING == 0 {
            return K::register(ring.fd(), opcode as c_uint, arg, nr_args);
        }
        let opcode = opcode as c_uint | IORING_REGISTER_USE_REGISTERED_RING as c_uint;
        let ret = K::register(ring.enter_fd(), opcode, arg, nr_args);
        // Keeps the compiler from merging the two branches: each would execute instructions of the other.
        core::hint::black_box(());
        ret
    }
}

/// [`call`], in one copy for what programs do rarely: fewer bytes, a jump more.
///
/// # Safety
///
/// As for [`call`].
#[inline(never)]
pub unsafe fn call_cold<K: Kernel>(
    ring: Ring<K>,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
) -> Ret {
    // SAFETY: the caller vouches for the arguments.
    unsafe { call(ring, opcode, arg, nr_args) }
}

/// [`call`] of an opcode that takes no argument, or just a number.
#[inline(always)]
pub fn call_bare<K: Kernel>(ring: Ring<K>, opcode: io_uring_register_op, number: c_uint) -> Ret {
    // SAFETY: a kernel that takes an argument refuses a null pointer.
    unsafe { call(ring, opcode, ptr::null(), number) }
}

/// [`call_bare`] for what programs do rarely.
#[inline(always)]
pub fn call_bare_cold<K: Kernel>(
    ring: Ring<K>,
    opcode: io_uring_register_op,
    number: c_uint,
) -> Ret {
    // SAFETY: as in `call_bare`.
    unsafe { call_cold(ring, opcode, ptr::null(), number) }
}

/// An `io_uring_register` that concerns no ring.
///
/// # Safety
///
/// As for [`call`].
#[inline(always)]
pub unsafe fn call_without_ring<K: Kernel>(
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
) -> Ret {
    // SAFETY: the caller vouches for `arg`.
    unsafe { K::register(-1, opcode as c_uint, arg, nr_args) }
}
