//! How waiting for completions goes: its clock, its registered arguments, its accounting.

use super::{Ring, Whole, call_cold};
use crate::abi::*;
use crate::errno::{Errno, Ret};
use crate::kernel::Kernel;
use crate::ring::flags::NO_IOWAIT;

/// Sets the clock of timed waits to that whose number `clock` points to.
pub fn register_clock<K: Kernel>(ring: Ring<K>, clock: *const io_uring_clock_register) -> Ret {
    // SAFETY: the kernel only reads the number. The opcode takes no count.
    unsafe { call_cold(ring, IORING_REGISTER_CLOCK, clock.cast(), 0) }
}

/// Registers memory that the ring and the program share beside the rings.
///
/// # Safety
///
/// `reg` points to a description, and so does its pointer; the kernel writes to the latter.
pub unsafe fn register_region<K: Kernel>(ring: Ring<K>, reg: *mut io_uring_mem_region_reg) -> Ret {
    // SAFETY: the caller vouches for both descriptions.
    unsafe { call_cold(ring, IORING_REGISTER_MEM_REGION, reg.cast(), 1) }
}

/// Whether waiting counts as waiting for I/O in the system's statistics. No system call: later enters carry the flag.
pub fn set_iowait<K>(whole: Whole<K>, enable: bool) -> Ret {
    if !whole.offers(IORING_FEAT_NO_IOWAIT) {
        return Errno::EOPNOTSUPP.into();
    }
    // SAFETY: no other thread uses the ring.
    let flags = unsafe { &mut (*whole.as_ptr()).int_flags };
    if enable {
        *flags &= !NO_IOWAIT;
    } else {
        *flags |= NO_IOWAIT;
    }
    Ret::DONE
}
