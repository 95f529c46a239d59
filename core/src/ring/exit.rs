//! Giving a ring up, and keeping it from child processes.

use super::flags::APP_MEM;
use super::handle::Whole;
use super::{map, ring_fd, sizes};
use crate::abi::ring::io_uring;
use crate::errno::{Errno, Result};
use crate::kernel::{Kernel, MADV_DOFORK, MADV_DONTFORK};
use crate::mem::clear;

/// Unmaps and closes a ring. Does nothing to one that is all zeros, as failed set-up leaves it, or exited.
///
/// # Safety
///
/// `ring` points to a ring that nothing uses any more, to one that has been exited, or to zeros.
pub unsafe fn exit<K: Kernel>(ring: *mut io_uring) {
    // SAFETY: the caller gives the ring up, so nothing uses what is unmapped and closed here. An error means that it is
    // released already.
    unsafe {
        if (*ring).sq.sqes.is_null() {
            return;
        }
        if (*ring).int_flags & APP_MEM == 0 {
            map::unmap::<K>(&(*ring).sq, &(*ring).cq);
        }
        // The thread's table would hold the ring until the thread ends.
        ring_fd::give_up(Whole::<K>::new(ring));
        if (*ring).ring_fd != -1 {
            let _ = K::close((*ring).ring_fd);
        }
        clear(ring);
        (*ring).ring_fd = -1;
        (*ring).enter_ring_fd = -1;
    }
}

/// Keeps a ring's memory from children that are forked later.
///
/// # Errors
///
/// * `EINVAL`: the ring is not set up.
///
/// # Safety
///
/// `ring` points to a ring or to zeros.
pub unsafe fn dontfork<K: Kernel>(ring: *mut io_uring) -> Result<()> {
    // SAFETY: the areas are the ring's own mappings, and the advice changes nothing for this process. No reference is
    // made: other threads may be using the ring, and what is read here does not change.
    unsafe {
        let (sq, cq) = (&raw const (*ring).sq, &raw const (*ring).cq);
        if (*sq).sqes.is_null() || (*sq).ring_ptr.is_null() || (*cq).ring_ptr.is_null() {
            return Err(Errno::EINVAL);
        }
        // In the program's memory the ring has no mapping of its own to give the size of.
        let sqes_size = match (*sq).sqes_sz {
            0 => sizes::sqes_size((*ring).flags, (*sq).ring_entries),
            size => size as usize,
        };
        let mut cq_size = (*cq).ring_sz;
        if (*cq).ring_ptr == (*sq).ring_ptr {
            cq_size = 0;
        }
        let areas = [
            ((*sq).sqes.cast(), sqes_size),
            ((*sq).ring_ptr, (*sq).ring_sz),
            ((*cq).ring_ptr, cq_size),
        ];
        let mut advice = MADV_DONTFORK;
        let mut kept = Ok(());
        let mut next = 0;
        while let Some(&(start, size)) = areas.get(next) {
            next += 1;
            if size == 0 {
                continue;
            }
            match K::madvise(start, size, advice) {
                Err(error) if kept.is_ok() => {
                    // All or none: from the first area on, the advice is taken back.
                    kept = Err(error);
                    advice = MADV_DOFORK;
                    next = 0;
                }
                _ => {}
            }
        }
        kept
    }
}
