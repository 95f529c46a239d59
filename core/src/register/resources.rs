//! What tables of buffers and of files have in common.

use core::ffi::{c_uint, c_void};
use core::ptr;

use super::{Ring, call_cold};
use crate::abi::*;
use crate::errno::Ret;
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

/// Registers the table that `table` describes. `opcode` is one that takes it.
pub(super) fn register<K: Kernel>(
    ring: Ring<K>,
    opcode: io_uring_register_op,
    table: &io_uring_rsrc_register,
) -> Ret {
    // These opcodes take the structure's size for a count.
    let size = size_of::<io_uring_rsrc_register>() as c_uint;
    // SAFETY: the kernel only reads the structure and the arrays that it names.
    unsafe { call_cold(ring, opcode, ptr::from_ref(table).cast(), size) }
}

/// Replaces `nr` slots from `off` on; returns how many were replaced. `data` and `tags`, unless that is null, have as many
/// elements. `opcode` is one that takes `io_uring_rsrc_update2`.
pub(super) fn update_tags<K: Kernel>(
    ring: Ring<K>,
    opcode: io_uring_register_op,
    off: c_uint,
    data: *const c_void,
    tags: *const __u64,
    nr: c_uint,
) -> Ret {
    let update = io_uring_rsrc_update2 {
        offset: off,
        resv: 0,
        data: data.expose_provenance() as __u64,
        tags: tags.expose_provenance() as __u64,
        nr,
        resv2: 0,
    };
    let size = size_of::<io_uring_rsrc_update2>() as c_uint;
    // SAFETY: as in `register`. These opcodes take the structure's size, too.
    unsafe { call_cold(ring, opcode, (&raw const update).cast(), size) }
}
