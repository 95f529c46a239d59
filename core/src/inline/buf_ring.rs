//! Filling rings of provided buffers.

use core::ffi::{c_int, c_uint, c_void};

use super::peek::io_uring_cq_advance;
use crate::abi::provided::{io_uring_buf, io_uring_buf_ring};
use crate::abi::ring::io_uring;
use crate::abi::types::*;
use crate::kernel::Kernel;
use crate::register::buf_ring;
use crate::ring::handle::Ring;
use crate::ring::order;

/// The ring's tail.
///
/// # Safety
///
/// `br` points to a buffer ring.
#[inline]
unsafe fn tail(br: *mut io_uring_buf_ring) -> *mut u16 {
    // SAFETY: the caller vouches for `br`. The entry it lies in is not read: only its address is taken.
    unsafe { &raw mut (*br).__anon1.__anon1.tail }
}

/// The mask for a buffer ring of `ring_entries` entries, a power of two.
///
/// `ring_entries` is a power of two.
///
/// # Return value
///
/// The mask that io_uring_buf_ring_add() takes.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_buf_ring_add().
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub extern "C" fn io_uring_buf_ring_mask(ring_entries: __u32) -> c_int {
    ring_entries.wrapping_sub(1) as c_int
}

/// Makes a buffer ring empty.
///
/// To be called on memory that the program itself allocated, before it is registered. io_uring_setup_buf_ring() does
/// it.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_register_buf_ring(), io_uring_setup_buf_ring().
///
/// # Safety
///
/// `br` points to a buffer ring.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_buf_ring_init(br: *mut io_uring_buf_ring) {
    // SAFETY: the caller vouches for `br`; the kernel does not know of it yet.
    unsafe { *tail(br) = 0 }
}

/// Writes a buffer into a buffer ring, for io_uring_buf_ring_advance() to show it to the kernel.
///
/// `buf_offset` says how many entries beyond the last one that the kernel knows of: 0 for the first buffer that is
/// added, 1 for the second and so on, until io_uring_buf_ring_advance() shows them to the kernel. `bid` is the number
/// by which CQEs name the buffer, `mask` that of io_uring_buf_ring_mask().
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_buf_ring_advance(), io_uring_buf_ring_mask(), io_uring_setup_buf_ring().
///
/// # Safety
///
/// `br` points to a buffer ring. It has more than `mask` entries, and room for the buffer. The buffer stays valid until
/// the kernel has used it.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_buf_ring_add(
    br: *mut io_uring_buf_ring,
    addr: *mut c_void,
    len: c_uint,
    bid: u16,
    mask: c_int,
    buf_offset: c_int,
) {
    // SAFETY: the masked index lies within the ring. Not the whole entry is written: the reserved bytes of the first
    // are the tail.
    unsafe {
        let index = c_uint::from(*tail(br)).wrapping_add(buf_offset as c_uint) & mask as c_uint;
        let buf = br.cast::<io_uring_buf>().add(index as usize);
        (*buf).addr = addr.expose_provenance() as u64;
        (*buf).len = len;
        (*buf).bid = bid;
    }
}

/// Shows the kernel `count` buffers that were added.
///
/// After `count` calls of io_uring_buf_ring_add(). No system call is made.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_buf_ring_add(), io_uring_buf_ring_cq_advance().
///
/// # Safety
///
/// `br` points to a buffer ring. `count` entries after the tail are filled in.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_buf_ring_advance(br: *mut io_uring_buf_ring, count: c_int) {
    // SAFETY: the caller vouches for `br`; only the application writes the tail.
    unsafe {
        let tail = tail(br);
        order::store_release_16(tail, (*tail).wrapping_add(count as u16));
    }
}

/// Shows the kernel `buf_count` buffers and gives `cq_count` CQEs back.
///
/// io_uring_buf_ring_advance() with `buf_count` and io_uring_cq_advance() with `cq_count`, in this order.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_buf_ring_cq_advance().
///
/// # Safety
///
/// As for the two functions.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn __io_uring_buf_ring_cq_advance(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    cq_count: c_int,
    buf_count: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe {
        io_uring_buf_ring_advance(br, buf_count);
        io_uring_cq_advance(ring, cq_count as c_uint);
    }
}

/// Shows the kernel `count` buffers and gives as many CQEs back.
///
/// For programs that put a buffer back for each CQE. io_uring_buf_ring_advance() and io_uring_cq_advance() with
/// `count`, in this order.
///
/// # Return value
///
/// None.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_buf_ring_advance(), io_uring_cq_advance().
///
/// # Safety
///
/// As for the two functions.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_buf_ring_cq_advance(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    count: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { __io_uring_buf_ring_cq_advance(ring, br, count, count) }
}

/// How many buffers the kernel has not used yet.
///
/// # Safety
///
/// `ring` is set up, and `br` points to the buffer ring of group `bgid`.
#[inline]
pub unsafe fn buf_ring_available<K: Kernel>(
    ring: Ring<K>,
    br: *mut io_uring_buf_ring,
    bgid: u16,
) -> c_int {
    match buf_ring::head(ring, c_int::from(bgid)) {
        // SAFETY: the caller vouches for `br`; only the application writes the tail.
        Ok(head) => c_int::from(unsafe { *tail(br) }.wrapping_sub(head)),
        Err(errno) => errno.as_ret(),
    }
}
