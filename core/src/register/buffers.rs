//! Registered buffers: memory that the kernel maps once and requests name by index.
//!
//! The kernel only reads the arrays that these functions take. An address in them that leads nowhere makes the call fail.
//! What the kernel does to the buffers is up to the requests that name them.

use core::ffi::c_uint;
use core::ptr;

use super::resources::{self, table};
use super::{Ring, call, call_bare};
use crate::abi::*;
use crate::errno::Ret;
use crate::kernel::Kernel;
use crate::ring::flags::REG_REG_RING;

/// Registers `nr` buffers.
pub fn register<K: Kernel>(ring: Ring<K>, iovecs: *const iovec, nr: c_uint) -> Ret {
    // SAFETY: the kernel only reads the array.
    unsafe { call(ring, IORING_REGISTER_BUFFERS, iovecs.cast(), nr) }
}

/// Registers `nr` buffers, each with the tag that is posted when the kernel lets go of it. `tags` may be null.
pub fn register_tags<K: Kernel>(
    ring: Ring<K>,
    iovecs: *const iovec,
    tags: *const __u64,
    nr: c_uint,
) -> Ret {
    let table = table(nr, 0, iovecs.cast(), tags);
    resources::register(ring, IORING_REGISTER_BUFFERS2, &table)
}

/// Registers a table of `nr` empty slots.
pub fn register_sparse<K: Kernel>(ring: Ring<K>, nr: c_uint) -> Ret {
    let table = table(nr, IORING_RSRC_REGISTER_SPARSE, ptr::null(), ptr::null());
    resources::register(ring, IORING_REGISTER_BUFFERS2, &table)
}

/// Replaces `nr` buffers from slot `off` on; returns how many were replaced.
pub fn update_tags<K: Kernel>(
    ring: Ring<K>,
    off: c_uint,
    iovecs: *const iovec,
    tags: *const __u64,
    nr: c_uint,
) -> Ret {
    let opcode = IORING_REGISTER_BUFFERS_UPDATE;
    resources::update_tags(ring, opcode, off, iovecs.cast(), tags, nr)
}

/// Gives the table of buffers up.
pub fn unregister<K: Kernel>(ring: Ring<K>) -> Ret {
    call_bare(ring, IORING_UNREGISTER_BUFFERS, 0)
}

/// Gives `dst` the buffers `src_off..src_off + nr` of `src` (all of them, if the three numbers are 0), from slot
/// `dst_off` on. In one copy for C's four functions.
///
/// `IORING_REGISTER_SRC_REGISTERED` asks to name `src` by its registered index; it is dropped where there is none.
#[inline(never)]
pub fn clone<K: Kernel>(
    dst: Ring<K>,
    src: Ring<K>,
    dst_off: c_uint,
    src_off: c_uint,
    nr: c_uint,
    flags: c_uint,
) -> Ret {
    let by_index = IORING_REGISTER_SRC_REGISTERED as c_uint;
    let (src_fd, flags) = if flags & by_index != 0 && src.int_flags() & REG_REG_RING != 0 {
        (src.enter_fd(), flags)
    } else {
        (src.fd(), flags & !by_index)
    };
    let range = io_uring_clone_buffers {
        src_fd: src_fd as __u32,
        flags,
        src_off,
        dst_off,
        nr,
        pad: [0; 3],
    };
    let arg = (&raw const range).cast();
    // SAFETY: the opcode takes one such structure.
    unsafe { call(dst, IORING_REGISTER_CLONE_BUFFERS, arg, 1) }
}
