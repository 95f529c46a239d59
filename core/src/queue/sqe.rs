//! Handing out SQEs.

use core::ffi::c_uint;
use core::ptr;

use crate::abi::params::{IORING_SETUP_SQE128, IORING_SETUP_SQPOLL};
use crate::abi::ring::io_uring;
use crate::abi::sqe::io_uring_sqe;
use crate::ring::order;

/// Clears what a request helper may leave unset: everything but opcode, descriptor, offset, address, length and
/// `user_data`.
///
/// # Safety
///
/// `sqe` points to an SQE of at least 64 bytes.
#[inline(always)]
pub unsafe fn initialize(sqe: *mut io_uring_sqe) {
    // SAFETY: the caller vouches for `sqe`.
    unsafe {
        (*sqe).flags = 0;
        (*sqe).ioprio = 0;
        (*sqe).__anon3.rw_flags = 0;
        (*sqe).__anon4.buf_index = 0;
        (*sqe).personality = 0;
        (*sqe).__anon5.file_index = 0;
        (*sqe).__anon6.__anon1.addr3 = 0;
        (*sqe).__anon6.__anon1.__pad2 = [0];
    }
}

/// The SQ head.
///
/// # Safety
///
/// `ring` is set up.
#[inline(always)]
pub unsafe fn load_head(ring: *const io_uring) -> u32 {
    // SAFETY: `ring` is set up, so `khead` points into its mapping.
    unsafe {
        // A submission thread reads SQEs at any time and then moves the head: its reads must be over before the SQE is
        // written again. Without one, the head moves inside this thread's system calls. On x86-64 every load acquires,
        // so there is nothing to choose.
        if cfg!(target_arch = "x86_64") || (*ring).flags & IORING_SETUP_SQPOLL != 0 {
            order::load_acquire((*ring).sq.khead)
        } else {
            order::load_relaxed((*ring).sq.khead)
        }
    }
}

/// How far SQ slot numbers are shifted: 128-byte SQEs take two slots each.
///
/// # Safety
///
/// `ring` points to a ring.
#[inline(always)]
pub(super) unsafe fn shift(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller vouches for `ring`.
    unsafe { ((*ring).flags & IORING_SETUP_SQE128 != 0) as c_uint }
}

/// The next free SQE, cleared, or null if all are taken.
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[inline(always)]
pub unsafe fn get(ring: *mut io_uring) -> *mut io_uring_sqe {
    // SAFETY: `ring` is set up; the masked index lies within its SQEs, of which each takes two slots in a ring with
    // 128-byte SQEs.
    unsafe {
        let tail = (*ring).sq.sqe_tail;
        if tail.wrapping_sub(load_head(ring)) >= (*ring).sq.ring_entries {
            return ptr::null_mut();
        }
        (*ring).sq.sqe_tail = tail.wrapping_add(1);
        let index = ((tail & (*ring).sq.ring_mask) as usize) << shift(ring);
        let sqe = (*ring).sq.sqes.add(index);
        initialize(sqe);
        sqe
    }
}
