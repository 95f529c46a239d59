//! The request helpers: each fills in an SQE for one kind of request.
//!
//! A helper writes the fields that its request needs and leaves the others as they are: after `io_uring_get_sqe()` they
//! are 0, and what the program has set before (`user_data`, flags) stays. Nothing is checked; a request that makes no
//! sense completes with an error. Memory that a request names must stay valid until the request completes, unless its
//! helper says otherwise.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment writes fields of the SQE that the caller is filling in, as Safety says"
)]

pub mod accept;
pub mod advise;
pub mod buf;
pub mod cancel;
pub mod cmd;
pub mod files;
pub mod fixed;
pub mod fs;
pub mod futex;
pub mod link;
pub mod msg_ring;
pub mod open;
pub mod poll;
pub mod recv;
pub mod recvmsg;
pub mod rw;
pub mod send;
pub mod socket;
pub mod splice;
pub mod sqe;
pub mod sync;
pub mod timeout;
pub mod xattr;

#[cfg(test)]
mod tests;

use core::ffi::c_int;

use crate::abi::op::io_uring_op;
use crate::abi::sqe::{IORING_FILE_INDEX_ALLOC, io_uring_sqe};

/// `openat(2)`'s name for the working directory.
const AT_FDCWD: c_int = -100;

/// An address in the form in which SQEs carry it. The kernel follows it, behind the compiler's back.
#[inline]
fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}

/// A length as requests to send and receive carry it.
///
/// The kernel transfers no more than this at once, and refuses requests with lengths beyond `INT_MAX`. The lower 32 bits
/// of a greater length would say something else: with 4 GiB nothing would be transferred, which looks like the end.
#[inline]
fn transfer_len(len: usize) -> u32 {
    len.min(0x7fff_f000) as u32
}

/// Writes the fields that every request has.
///
/// # Safety
///
/// `sqe` points to an SQE that no one else uses.
#[inline]
unsafe fn fill(sqe: *mut io_uring_sqe, op: io_uring_op, fd: c_int, off: u64, addr: u64, len: u32) {
    // SAFETY: the caller vouches for `sqe`. Its fields are written one by one and never read: a ring's memory holds
    // what the program or an earlier request left there.
    unsafe {
        (*sqe).opcode = op as u8;
        (*sqe).fd = fd;
        (*sqe).__anon1.off = off;
        (*sqe).__anon2.addr = addr;
        (*sqe).len = len;
    }
}

/// [`fill`], and the opcode's own flags.
///
/// # Safety
///
/// As for [`fill`].
#[inline]
unsafe fn fill_flags(
    sqe: *mut io_uring_sqe,
    op: io_uring_op,
    fd: c_int,
    off: u64,
    addr: u64,
    len: u32,
    op_flags: u32,
) {
    // SAFETY: as in `fill`.
    unsafe {
        fill(sqe, op, fd, off, addr, len);
        (*sqe).__anon3.msg_flags = op_flags;
    }
}

/// Names the slot of the registered files that a new file goes to. SQEs count slots from 1, since 0 stands for an
/// ordinary descriptor; `IORING_FILE_INDEX_ALLOC` is the highest number there is and stays as it is.
///
/// # Safety
///
/// As for [`fill`].
#[inline]
unsafe fn set_direct(sqe: *mut io_uring_sqe, slot: u32) {
    // SAFETY: as in `fill`.
    unsafe { (*sqe).__anon5.file_index = slot.checked_add(1).unwrap_or(IORING_FILE_INDEX_ALLOC) }
}

/// Names a registered buffer or a group of provided ones, which share a field.
///
/// # Safety
///
/// As for [`fill`].
#[inline]
unsafe fn set_buffer(sqe: *mut io_uring_sqe, number: u16) {
    // SAFETY: as in `fill`.
    unsafe { (*sqe).__anon4.buf_index = number }
}

/// Writes the third address.
///
/// # Safety
///
/// As for [`fill`].
#[inline]
unsafe fn set_addr3(sqe: *mut io_uring_sqe, value: u64) {
    // SAFETY: as in `fill`.
    unsafe { (*sqe).__anon6.__anon1.addr3 = value }
}
