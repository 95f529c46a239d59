//! The submission and completion queues, and rings of provided buffers.

use core::ffi::{c_int, c_uint, c_void};

use uring_core::abi::cqe::io_uring_cqe;
use uring_core::abi::provided::io_uring_buf_ring;
use uring_core::abi::ring::{io_uring, io_uring_cqe_iter};
use uring_core::abi::sqe::io_uring_sqe;
use uring_core::abi::types::__u32;
use uring_core::inline::{buf_ring, eventfd, peek, sq};
use uring_core::kernel::Native;

/// See [`uring_core::inline::sq::sq_ready`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sq_ready(ring: *const io_uring) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe { sq::sq_ready(ring) }
}

/// See [`uring_core::inline::sq::sq_space_left`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sq_space_left(ring: *const io_uring) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe { sq::sq_space_left(ring) }
}

/// See [`uring_core::inline::sq::sqring_wait`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqring_wait(ring: *mut io_uring) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { sq::sqring_wait::<Native>(ring) }
}

/// See [`uring_core::inline::sq::get_sqe128`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_sqe128(ring: *mut io_uring) -> *mut io_uring_sqe {
    // SAFETY: passed on to the caller.
    unsafe { sq::get_sqe128(ring) }
}

/// See [`uring_core::inline::peek::cq_ready`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cq_ready(ring: *const io_uring) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe { peek::cq_ready(ring) }
}

/// See [`uring_core::inline::peek::cq_has_overflow`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cq_has_overflow(ring: *const io_uring) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { peek::cq_has_overflow(ring) }
}

/// See [`uring_core::inline::peek::cq_advance`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cq_advance(ring: *mut io_uring, nr: c_uint) {
    // SAFETY: passed on to the caller.
    unsafe { peek::cq_advance(ring, nr) }
}

/// See [`uring_core::inline::peek::cqe_seen`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_seen(ring: *mut io_uring, cqe: *mut io_uring_cqe) {
    // SAFETY: passed on to the caller.
    unsafe { peek::cqe_seen(ring, cqe) }
}

/// See [`uring_core::inline::peek::cqe_nr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_nr(cqe: *const io_uring_cqe) -> c_uint {
    // SAFETY: passed on to the caller.
    unsafe { peek::cqe_nr(cqe) }
}

/// See [`uring_core::inline::peek::cqe_iter_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_iter_init(ring: *const io_uring) -> io_uring_cqe_iter {
    // SAFETY: passed on to the caller.
    unsafe { peek::cqe_iter_init(ring) }
}

/// See [`uring_core::inline::peek::cqe_iter_next`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cqe_iter_next(
    iter: *mut io_uring_cqe_iter,
    cqe: *mut *mut io_uring_cqe,
) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { peek::cqe_iter_next(iter, cqe) }
}

/// See [`uring_core::inline::peek::__peek_cqe`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __io_uring_peek_cqe(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    nr_available: *mut c_uint,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { peek::__peek_cqe(ring, cqe_ptr, nr_available) }
}

/// See [`uring_core::inline::peek::peek_cqe`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_peek_cqe(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { peek::peek_cqe::<Native>(ring, cqe_ptr) }
}

/// See [`uring_core::inline::peek::wait_cqe`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_cqe(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { peek::wait_cqe::<Native>(ring, cqe_ptr) }
}

/// See [`uring_core::inline::peek::wait_cqe_nr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_cqe_nr(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { peek::wait_cqe_nr::<Native>(ring, cqe_ptr, wait_nr) }
}

/// See [`uring_core::inline::eventfd::cq_eventfd_enabled`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cq_eventfd_enabled(ring: *const io_uring) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { eventfd::cq_eventfd_enabled(ring) }
}

/// See [`uring_core::inline::eventfd::cq_eventfd_toggle`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_cq_eventfd_toggle(ring: *mut io_uring, enabled: bool) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { eventfd::cq_eventfd_toggle(ring, enabled) }
}

/// See [`uring_core::inline::buf_ring::buf_ring_mask`].
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_buf_ring_mask(ring_entries: __u32) -> c_int {
    buf_ring::buf_ring_mask(ring_entries)
}

/// See [`uring_core::inline::buf_ring::buf_ring_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_buf_ring_init(br: *mut io_uring_buf_ring) {
    // SAFETY: passed on to the caller.
    unsafe { buf_ring::buf_ring_init(br) }
}

/// See [`uring_core::inline::buf_ring::buf_ring_add`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_buf_ring_add(
    br: *mut io_uring_buf_ring,
    addr: *mut c_void,
    len: c_uint,
    bid: u16,
    mask: c_int,
    buf_offset: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { buf_ring::buf_ring_add(br, addr, len, bid, mask, buf_offset) }
}

/// See [`uring_core::inline::buf_ring::buf_ring_advance`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_buf_ring_advance(br: *mut io_uring_buf_ring, count: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { buf_ring::buf_ring_advance(br, count) }
}

/// See [`uring_core::inline::buf_ring::__buf_ring_cq_advance`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __io_uring_buf_ring_cq_advance(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    cq_count: c_int,
    buf_count: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { buf_ring::__buf_ring_cq_advance(ring, br, cq_count, buf_count) }
}

/// See [`uring_core::inline::buf_ring::buf_ring_cq_advance`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_buf_ring_cq_advance(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    count: c_int,
) {
    // SAFETY: passed on to the caller.
    unsafe { buf_ring::buf_ring_cq_advance(ring, br, count) }
}

/// See [`uring_core::inline::buf_ring::buf_ring_available`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_buf_ring_available(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    bgid: u16,
) -> c_int {
    // SAFETY: passed on to the caller.
    unsafe { buf_ring::buf_ring_available::<Native>(ring, br, bgid) }
}
