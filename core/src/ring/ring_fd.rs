//! The ring's own descriptor, registered with the thread: a call then need not look it up and hold it.
//!
//! The kernel keeps a table of registered rings for each thread. So an index means this ring in the thread that registered
//! it, and some other ring, or none, in every other thread. `io_uring.pad2` holds that thread's number.

use core::ffi::{c_int, c_uint};

use super::call::call;
use super::flags::{REG_REG_RING, REG_RING};
use crate::abi::*;
use crate::errno::{Errno, Result};
use crate::kernel::Kernel;

/// Registers the descriptor with the calling thread; returns 1.
///
/// # Safety
///
/// `ring` points to a ring that no other thread uses meanwhile.
pub unsafe fn register<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`, and that it is the only user.
    unsafe {
        if (*ring).int_flags & REG_RING != 0 {
            return Err(Errno::EEXIST);
        }
        let mut slot = io_uring_rsrc_update {
            // Any free index; the kernel writes back which.
            offset: u32::MAX,
            resv: 0,
            data: (*ring).ring_fd as __u64,
        };
        // By the descriptor: there is no index yet.
        let opcode = IORING_REGISTER_RING_FDS as c_uint;
        let registered = K::register((*ring).ring_fd, opcode, (&raw mut slot).cast(), 1);
        if registered == Ok(1) {
            (*ring).pad2 = K::thread_id();
            (*ring).enter_ring_fd = slot.offset as c_int;
            (*ring).int_flags |= if (*ring).features & IORING_FEAT_REG_REG_RING != 0 {
                REG_RING | REG_REG_RING
            } else {
                REG_RING
            };
        }
        registered
    }
}

/// Undoes [`register()`] when the ring is given up, by whatever thread that is.
///
/// # Safety
///
/// As for [`register()`].
#[inline(always)]
pub(crate) unsafe fn give_up<K: Kernel>(ring: *mut io_uring) {
    // SAFETY: the caller vouches for `ring`, and that it is the only user.
    unsafe {
        if (*ring).int_flags & REG_RING != 0 {
            // An error means that the index is free already, or that it is another thread's. The kernel drops what is
            // left in a table when its thread ends, and a child process begins with an empty one.
            let _ = unregister::<K>(ring);
        }
    }
}

/// Undoes [`register()`]; returns 1. Refuses in another thread: a thread cannot reach the table of another one, and the
/// index would be that of some other ring in its own.
///
/// # Safety
///
/// As for [`register()`].
#[inline(never)]
pub unsafe fn unregister<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`, and that it is the only user.
    unsafe {
        if (*ring).int_flags & REG_RING == 0 || (*ring).pad2 != K::thread_id() {
            return Err(Errno::EINVAL);
        }
        let slot = io_uring_rsrc_update {
            offset: (*ring).enter_ring_fd as u32,
            resv: 0,
            data: 0,
        };
        let removed = call::<K>(
            ring,
            IORING_UNREGISTER_RING_FDS,
            (&raw const slot).cast(),
            1,
        );
        if removed == Ok(1) {
            (*ring).enter_ring_fd = (*ring).ring_fd;
            (*ring).int_flags &= !(REG_RING | REG_REG_RING);
        }
        removed
    }
}

/// Closes the descriptor of a registered ring, which lives on under its index; returns 1.
///
/// # Safety
///
/// As for [`register()`].
pub unsafe fn close<K: Kernel>(ring: *mut io_uring) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`, and that it is the only user.
    unsafe {
        if (*ring).features & IORING_FEAT_REG_REG_RING == 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if (*ring).int_flags & REG_RING == 0 {
            return Err(Errno::EINVAL);
        }
        if (*ring).ring_fd == -1 {
            return Err(Errno::EBADF);
        }
        // The descriptor is free after the call, whatever it returns.
        let _ = K::close((*ring).ring_fd);
        (*ring).ring_fd = -1;
    }
    Ok(1)
}
