//! How waiting for completions goes: its clock, its registered arguments, its accounting.

use core::ffi::c_int;

use super::call_cold;
use crate::abi::*;
use crate::errno::{Errno, Result};
use crate::kernel::Kernel;
use crate::ring::flags::NO_IOWAIT;

/// Sets the clock of timed waits.
///
/// # Safety
///
/// `ring` points to a ring, `clock` to the clock's number.
pub unsafe fn register_clock<K: Kernel>(
    ring: *mut io_uring,
    clock: *mut io_uring_clock_register,
) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments; this opcode takes no count.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_CLOCK, clock.cast(), 0) }
}

/// Registers memory that the ring and the program share beside the rings.
///
/// # Safety
///
/// `ring` points to a ring, `reg` to a description, and so does its pointer; the kernel writes to the latter.
pub unsafe fn register_region<K: Kernel>(
    ring: *mut io_uring,
    reg: *mut io_uring_mem_region_reg,
) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments.
    unsafe { call_cold::<K>(ring, IORING_REGISTER_MEM_REGION, reg.cast(), 1) }
}

/// Whether waiting counts as waiting for I/O in the system's statistics. No call: it goes with every later enter.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn set_iowait(ring: *mut io_uring, enable: bool) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`, whose flags only register calls and this function change.
    unsafe {
        if (*ring).features & IORING_FEAT_NO_IOWAIT == 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if enable {
            (*ring).int_flags &= !NO_IOWAIT;
        } else {
            (*ring).int_flags |= NO_IOWAIT;
        }
    }
    Ok(0)
}
