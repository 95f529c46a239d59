//! What the kernel knows.

use core::ptr;

use crate::Chosen;
use uring_core::abi::probe::io_uring_probe;
use uring_core::abi::ring::io_uring;
use uring_core::register::probe::{self, PROBE_SIZE};
use uring_core::ring::handle::Ring;

use super::heap;

/// A probe that is filled in through `ring`, or without one if that is null; or null.
#[inline(never)]
unsafe fn filled(ring: *mut io_uring) -> *mut io_uring_probe {
    let probe = heap::allocate(PROBE_SIZE).cast::<io_uring_probe>();
    if probe.is_null() {
        return probe;
    }
    // SAFETY: `probe` is as large as `PROBE_OPS` entries take, and zeroed; the caller vouches for `ring`. What is given back
    // was allocated with this size and shown to no one.
    unsafe {
        let asked = if ring.is_null() {
            probe::ask::<Chosen>(probe)
        } else {
            probe::ask_ring(Ring::<Chosen>::new(ring), probe)
        };
        if asked.is_err() {
            heap::free(probe.cast(), PROBE_SIZE);
            return ptr::null_mut();
        }
    }
    probe
}

/// Asks the kernel which requests it knows, through an existing ring.
///
/// The answer has room for 256 operations, of which `ops_len` are filled in; `last_op` is the highest opcode that the
/// kernel knows. io_uring_opcode_supported() reads it.
///
/// # Return value
///
/// A probe that belongs to the caller, to be given back to io_uring_free_probe() or to free(). NULL if there is no memory,
/// if the kernel has no probes, or if the ring's restrictions forbid the call.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_get_probe(), io_uring_register_probe(), io_uring_register(2) (`IORING_REGISTER_PROBE`).
///
/// # Safety
///
/// `ring` is set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_probe_ring(ring: *mut io_uring) -> *mut io_uring_probe {
    // SAFETY: passed on to the caller.
    unsafe { filled(ring) }
}

/// Asks the kernel which requests it knows, without a ring of the caller's.
///
/// A ring is made for the question and closed again; nothing of it is mapped.
///
/// # Return value
///
/// As io_uring_get_probe_ring(). NULL also if the kernel refuses a ring.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_get_probe_ring(), io_uring_free_probe(), io_uring_opcode_supported().
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_get_probe() -> *mut io_uring_probe {
    // SAFETY: there is no ring to vouch for.
    unsafe { filled(ptr::null_mut()) }
}

/// Gives a probe back.
///
/// # See also
///
/// io_uring_get_probe(), io_uring_get_probe_ring().
///
/// # Safety
///
/// `probe` is NULL, or came from one of those two and has not been given back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_free_probe(probe: *mut io_uring_probe) {
    // SAFETY: every probe is allocated with this size; the caller gives it up.
    unsafe { heap::free(probe.cast(), PROBE_SIZE) }
}
