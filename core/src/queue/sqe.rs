//! Handing out SQEs.

use core::ptr;

use crate::abi::sqe::io_uring_sqe;
use crate::ring::handle::Sq;

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

/// The next free SQE, cleared, or null if all are taken.
#[inline(always)]
pub fn get<K>(sq: Sq<K>) -> *mut io_uring_sqe {
    let tail = sq.tail();
    if tail.wrapping_sub(sq.load_sq_head()) >= sq.entries() {
        return ptr::null_mut();
    }
    sq.set_tail(tail.wrapping_add(1));
    let index = ((tail & sq.mask()) as usize) << sq.sqe_shift();
    // SAFETY: the masked index lies within the ring's SQEs, of which each takes two slots in a ring with 128-byte SQEs.
    // The kernel has read what was there, and until it is submitted the SQE is the program's.
    unsafe {
        let sqe = sq.sqes().add(index);
        initialize(sqe);
        sqe
    }
}
