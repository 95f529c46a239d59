//! Registered buffers: memory that the kernel maps once and requests name by index.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::call;
use super::resources::{self, table};
use crate::abi::*;
use crate::errno::{Errno, Result, to_ret};
use crate::kernel::Kernel;
use crate::ring::flags::REG_REG_RING;

/// Registers `nr` buffers.
///
/// # Safety
///
/// `ring` points to a ring, `iovecs` to `nr` elements. The buffers must stay mapped while requests use them.
pub unsafe fn register<K: Kernel>(
    ring: *mut io_uring,
    iovecs: *const iovec,
    nr: c_uint,
) -> Result<c_int> {
    unsafe { call::<K>(ring, IORING_REGISTER_BUFFERS, iovecs.cast(), nr) }
}

/// Registers `nr` buffers, each with the tag that is posted when the kernel lets go of it.
///
/// # Safety
///
/// As for [`register()`]; `tags` is null or points to `nr` elements.
pub unsafe fn register_tags<K: Kernel>(
    ring: *mut io_uring,
    iovecs: *const iovec,
    tags: *const __u64,
    nr: c_uint,
) -> Result<c_int> {
    let table = table(nr, 0, iovecs.cast(), tags);
    unsafe { resources::register::<K>(ring, IORING_REGISTER_BUFFERS2, &table) }
}

/// Registers a table of `nr` empty slots.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn register_sparse<K: Kernel>(ring: *mut io_uring, nr: c_uint) -> Result<c_int> {
    let table = table(nr, IORING_RSRC_REGISTER_SPARSE, ptr::null(), ptr::null());
    unsafe { resources::register::<K>(ring, IORING_REGISTER_BUFFERS2, &table) }
}

/// Replaces `nr` buffers from slot `off` on; returns how many were replaced.
///
/// # Safety
///
/// As for [`register_tags`].
pub unsafe fn update_tags<K: Kernel>(
    ring: *mut io_uring,
    off: c_uint,
    iovecs: *const iovec,
    tags: *const __u64,
    nr: c_uint,
) -> Result<c_int> {
    unsafe {
        resources::update_tags::<K>(
            ring,
            IORING_REGISTER_BUFFERS_UPDATE,
            off,
            iovecs.cast(),
            tags,
            nr,
        )
    }
}

/// Gives the table of buffers up.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn unregister<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    unsafe { call::<K>(ring, IORING_UNREGISTER_BUFFERS, ptr::null(), 0) }
}

/// Gives `dst` the buffers `src_off..src_off + nr` of `src` (all of them, if the three numbers are 0), from slot
/// `dst_off` on.
///
/// `IORING_REGISTER_SRC_REGISTERED` asks to name `src` by its registered index; it is dropped where there is none.
///
/// # Safety
///
/// `dst` and `src` point to rings.
pub unsafe fn clone<K: Kernel>(
    dst: *mut io_uring,
    src: *const io_uring,
    dst_off: c_uint,
    src_off: c_uint,
    nr: c_uint,
    flags: c_uint,
) -> Result<c_int> {
    Errno::check(unsafe { clone_shared::<K>(dst, src, dst_off, src_off, nr, flags) })
}

/// [`clone`], in one copy for C's four functions.
#[inline(never)]
unsafe fn clone_shared<K: Kernel>(
    dst: *mut io_uring,
    src: *const io_uring,
    dst_off: c_uint,
    src_off: c_uint,
    nr: c_uint,
    flags: c_uint,
) -> c_int {
    let by_index = IORING_REGISTER_SRC_REGISTERED as c_uint;
    let (src_fd, flags) = unsafe {
        if flags & by_index != 0 && (*src).int_flags & REG_REG_RING != 0 {
            ((*src).enter_ring_fd, flags)
        } else {
            ((*src).ring_fd, flags & !by_index)
        }
    };
    let range = io_uring_clone_buffers {
        src_fd: src_fd as __u32,
        flags,
        src_off,
        dst_off,
        nr,
        pad: [0; 3],
    };
    to_ret(unsafe {
        call::<K>(
            dst,
            IORING_REGISTER_CLONE_BUFFERS,
            (&raw const range).cast(),
            1,
        )
    })
}
