//! `io_uring_register` on a ring: by its registered index where the kernel takes that, else by its descriptor.

use core::ffi::{c_int, c_uint, c_void};

use super::flags::REG_REG_RING;
use crate::abi::*;
use crate::errno::{Errno, Result, to_ret};
use crate::kernel::Kernel;

/// One `io_uring_register` on `ring`: by its registered index where the kernel takes that, else by its descriptor.
///
/// # Safety
///
/// `ring` points to a ring; `arg` is what `opcode` takes, with `nr_args` elements where it takes an array.
#[inline(always)]
pub unsafe fn call<K: Kernel>(
    ring: *const io_uring,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring` and `arg`. The ring's flags and descriptors change only in calls that the
    // program must not make at the same time as this one.
    unsafe {
        if (*ring).int_flags & REG_REG_RING == 0 {
            return K::register((*ring).ring_fd, opcode as c_uint, arg, nr_args);
        }
        let opcode = opcode as c_uint | IORING_REGISTER_USE_REGISTERED_RING as c_uint;
        let result = K::register((*ring).enter_ring_fd, opcode, arg, nr_args);
        // Keeps the two ways apart: merged, each would have the other's instructions to pass.
        core::hint::black_box(());
        result
    }
}

/// [`call`], in one copy that the many rarely made calls jump to. It hands on C's return value, which fits a register.
///
/// # Safety
///
/// As for [`call`].
#[inline(never)]
pub unsafe fn call_shared<K: Kernel>(
    ring: *const io_uring,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    to_ret(unsafe { call::<K>(ring, opcode, arg, nr_args) })
}

/// [`call`] for what programs do rarely: fewer bytes, a jump more.
///
/// # Safety
///
/// As for [`call`].
#[inline(always)]
pub unsafe fn call_cold<K: Kernel>(
    ring: *const io_uring,
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments.
    Errno::check(unsafe { call_shared::<K>(ring, opcode, arg, nr_args) })
}

/// An `io_uring_register` that concerns no ring.
///
/// # Safety
///
/// `arg` is what `opcode` takes.
#[inline(always)]
pub unsafe fn call_without_ring<K: Kernel>(
    opcode: io_uring_register_op,
    arg: *const c_void,
    nr_args: c_uint,
) -> Result<c_int> {
    // SAFETY: the caller vouches for `arg`.
    unsafe { K::register(-1, opcode as c_uint, arg, nr_args) }
}
