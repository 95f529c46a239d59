//! What tables of buffers and of files have in common.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use super::call_cold;
use crate::abi::*;
use crate::errno::Result;
use crate::kernel::Kernel;

/// Describes a table of `nr` slots: empty ones, or filled from `data`, and `tags` unless that is null.
pub(super) fn table(
    nr: c_uint,
    flags: c_uint,
    data: *const c_void,
    tags: *const __u64,
) -> io_uring_rsrc_register {
    io_uring_rsrc_register {
        nr,
        flags,
        resv2: 0,
        data: data.expose_provenance() as __u64,
        tags: tags.expose_provenance() as __u64,
    }
}

/// Registers the table that `table` describes.
///
/// # Safety
///
/// `ring` points to a ring, and what `table` points to is what `opcode` takes, with as many elements as `table` says.
pub(super) unsafe fn register<K: Kernel>(
    ring: *mut io_uring,
    opcode: io_uring_register_op,
    table: &io_uring_rsrc_register,
) -> Result<c_int> {
    // These opcodes take the structure's size for a count.
    let size = size_of::<io_uring_rsrc_register>() as c_uint;
    // SAFETY: passed on to the caller; `table` is the structure.
    unsafe { call_cold::<K>(ring, opcode, ptr::from_ref(table).cast(), size) }
}

/// Replaces `nr` slots from `off` on; returns how many were replaced.
///
/// # Safety
///
/// `ring` points to a ring, `data` to `nr` elements as `opcode` takes them; `tags` is null or points to `nr` elements.
pub(super) unsafe fn update_tags<K: Kernel>(
    ring: *mut io_uring,
    opcode: io_uring_register_op,
    off: c_uint,
    data: *const c_void,
    tags: *const __u64,
    nr: c_uint,
) -> Result<c_int> {
    let update = io_uring_rsrc_update2 {
        offset: off,
        resv: 0,
        data: data.expose_provenance() as __u64,
        tags: tags.expose_provenance() as __u64,
        nr,
        resv2: 0,
    };
    let size = size_of::<io_uring_rsrc_update2>() as c_uint;
    // SAFETY: the caller vouches for the arguments; these opcodes take the structure's size.
    unsafe { call_cold::<K>(ring, opcode, (&raw const update).cast(), size) }
}
