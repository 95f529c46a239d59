//! Functions that the static library offers beyond the interface, because the original's does and programs link to
//! them. The shared library keeps them to itself.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint, c_void};

use crate::Chosen;
use uring_core::abi::params::io_uring_params;
use uring_core::abi::ring::{io_uring, io_uring_cq, io_uring_sq};
use uring_core::errno::Ret;
use uring_core::mem::clear;
use uring_core::ring::memory::Buffer;
use uring_core::ring::{map, setup};

/// Sets a ring up with just the flags in `*p`. Returns the bytes used of `buf`, or a negative errno.
///
/// # Safety
///
/// As for `io_uring_queue_init_mem`; `buf` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __io_uring_queue_init_params(
    entries: c_uint,
    ring: *mut io_uring,
    p: *mut io_uring_params,
    buf: *mut c_void,
    buf_size: usize,
) -> c_int {
    Ret::from(unsafe {
        setup::init_as_asked::<Chosen>(entries, ring, &mut *p, Buffer::new(buf, buf_size))
    })
    .as_c()
}

/// Maps a ring's memory into two structures. Returns 0 or a negative errno.
///
/// # Safety
///
/// `p` is valid for reads, `sq` and `cq` for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_mmap(
    fd: c_int,
    p: *mut io_uring_params,
    sq: *mut io_uring_sq,
    cq: *mut io_uring_cq,
) -> c_int {
    Ret::from(unsafe {
        clear(sq);
        clear(cq);
        map::map::<Chosen>(fd, &*p, &mut *sq, &mut *cq)
    })
    .as_c()
}

/// Points `*sq` and `*cq` at the parts of the rings at their `ring_ptr`.
///
/// # Safety
///
/// The rings are mapped, and `*p` is what the kernel filled in for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_setup_ring_pointers(
    p: *mut io_uring_params,
    sq: *mut io_uring_sq,
    cq: *mut io_uring_cq,
) {
    unsafe { map::locate(&*p, &mut *sq, &mut *cq) }
}

/// Unmaps the rings, but not the SQEs.
///
/// # Safety
///
/// `*sq` and `*cq` hold mappings that nothing uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unmap_rings(sq: *mut io_uring_sq, cq: *mut io_uring_cq) {
    unsafe { map::unmap_rings::<Chosen>(&*sq, &*cq) }
}
