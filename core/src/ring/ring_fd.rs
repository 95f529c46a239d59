//! The ring's own descriptor, registered with the thread: a call then need not look it up and hold it.
//!
//! The kernel keeps a table of registered rings for each thread. So an index means this ring in the thread that registered
//! it, and some other ring, or none, in every other thread. `io_uring.pad2` holds that thread's number.

use core::ffi::{c_int, c_uint};

use super::call::call;
use super::flags::{REG_REG_RING, REG_RING};
use super::handle::Whole;
use crate::abi::*;
use crate::errno::{Errno, Ret};
use crate::kernel::Kernel;

/// Registers the descriptor with the calling thread; returns 1.
pub fn register<K: Kernel>(whole: Whole<K>) -> Ret {
    if whole.int_flags() & REG_RING != 0 {
        return Errno::EEXIST.into();
    }
    let mut slot = io_uring_rsrc_update {
        // Any free index; the kernel writes back which.
        offset: u32::MAX,
        resv: 0,
        data: whole.fd() as __u64,
    };
    // By the descriptor: there is no index yet.
    let opcode = IORING_REGISTER_RING_FDS as c_uint;
    // SAFETY: the opcode takes an array of such slots, here of one.
    let registered = unsafe { K::register(whole.fd(), opcode, (&raw mut slot).cast(), 1) };
    if registered.as_c() == 1 {
        let ring = whole.as_ptr();
        // SAFETY: no other thread uses the ring.
        unsafe {
            (*ring).pad2 = K::thread_id();
            (*ring).enter_ring_fd = slot.offset as c_int;
            (*ring).int_flags |= if whole.offers(IORING_FEAT_REG_REG_RING) {
                REG_RING | REG_REG_RING
            } else {
                REG_RING
            };
        }
    }
    registered
}

/// Undoes [`register()`] when the ring is given up, in any thread.
#[inline(always)]
pub(crate) fn give_up<K: Kernel>(whole: Whole<K>) {
    if whole.int_flags() & REG_RING != 0 {
        // An error means that the index is free already, or that it is another thread's. The kernel drops what is left
        // in a table when its thread ends, and a child process begins with an empty one.
        let _ = unregister(whole);
    }
}

/// Undoes [`register()`]; returns 1. Refuses in another thread: a thread cannot reach the table of another one, and the
/// index would be that of some other ring in its own.
#[inline(never)]
pub fn unregister<K: Kernel>(whole: Whole<K>) -> Ret {
    let ring = whole.as_ptr();
    // SAFETY: no other thread uses the ring. The opcode takes an array of such slots, here of one.
    unsafe {
        if (*ring).int_flags & REG_RING == 0 || (*ring).pad2 != K::thread_id() {
            return Errno::EINVAL.into();
        }
        let slot = io_uring_rsrc_update {
            offset: (*ring).enter_ring_fd as u32,
            resv: 0,
            data: 0,
        };
        let arg = (&raw const slot).cast();
        let removed = call(whole.ring(), IORING_UNREGISTER_RING_FDS, arg, 1);
        if removed.as_c() == 1 {
            (*ring).enter_ring_fd = (*ring).ring_fd;
            (*ring).int_flags &= !(REG_RING | REG_REG_RING);
        }
        removed
    }
}

/// Closes the descriptor of a registered ring, which lives on under its index; returns 1.
pub fn close<K: Kernel>(whole: Whole<K>) -> Ret {
    if !whole.offers(IORING_FEAT_REG_REG_RING) {
        return Errno::EOPNOTSUPP.into();
    }
    if whole.int_flags() & REG_RING == 0 {
        return Errno::EINVAL.into();
    }
    if whole.fd() == -1 {
        return Errno::EBADF.into();
    }
    // The descriptor is free after the call, whatever it returns.
    let _ = K::close(whole.fd());
    // SAFETY: no other thread uses the ring.
    unsafe { (*whole.as_ptr()).ring_fd = -1 };
    Ret::from_c(1)
}
