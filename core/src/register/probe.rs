//! Asking the kernel which requests it knows.

use core::ffi::{c_uint, c_void};

use super::{Ring, query};
use crate::abi::params::io_uring_params;
use crate::abi::probe::{io_uring_probe, io_uring_probe_op};
use crate::abi::register::IORING_REGISTER_PROBE;
use crate::errno::Ret;
use crate::kernel::Kernel;
use crate::ring::sizes::ASKING_ENTRIES;

/// Requests that a probe asks about: all that an opcode's eight bits can name.
pub const PROBE_OPS: usize = 256;
/// Bytes of a probe with room for [`PROBE_OPS`].
pub const PROBE_SIZE: usize =
    size_of::<io_uring_probe>() + PROBE_OPS * size_of::<io_uring_probe_op>();

/// Fills `probe` in with the help of a ring made for the purpose.
///
/// # Safety
///
/// `probe` is valid for writes of [`PROBE_SIZE`] bytes, all zeros.
pub unsafe fn ask<K: Kernel>(probe: *mut io_uring_probe) -> Ret {
    let mut p = io_uring_params::default();
    // SAFETY: `p` names no memory; the caller vouches for `probe`. The ring needs no mapping: nothing is submitted.
    unsafe {
        let fd = match K::setup(ASKING_ENTRIES, &raw mut p).check() {
            Ok(fd) => fd,
            Err(error) => return error.into(),
        };
        let opcode = IORING_REGISTER_PROBE as c_uint;
        let asked = K::register(fd, opcode, probe.cast::<c_void>(), PROBE_OPS as c_uint);
        let _ = K::close(fd);
        asked
    }
}

/// Fills `probe` in through an existing ring.
///
/// # Safety
///
/// As for [`ask`].
pub unsafe fn ask_ring<K: Kernel>(ring: Ring<K>, probe: *mut io_uring_probe) -> Ret {
    // SAFETY: the caller vouches for `probe`, which has room for that many.
    unsafe { query::probe(ring, probe, PROBE_OPS as c_uint) }
}
