//! Mapping a ring's memory and finding its parts.

use core::ffi::{c_int, c_uint, c_void};

use super::order::Word;
use super::sizes;
use crate::abi::params::{
    IORING_FEAT_SINGLE_MMAP, IORING_OFF_CQ_RING, IORING_OFF_SQ_RING, IORING_OFF_SQES,
    IORING_SETUP_NO_SQARRAY, io_uring_params,
};
use crate::abi::ring::{io_uring_cq, io_uring_sq};
use crate::errno::{Errno, Result};
use crate::kernel::{Kernel, MAP_POPULATE, MAP_SHARED, PROT_READ_WRITE};

unsafe fn map_area<K: Kernel>(fd: c_int, len: usize, offset: u64) -> Result<*mut c_void> {
    // SAFETY: a new mapping, placed by the kernel.
    let area = unsafe { K::mmap(len, PROT_READ_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset) }?;
    Ok(area.as_ptr())
}

/// Maps the rings and SQEs of the ring behind `fd`, as `p` describes it, and fills `sq` and `cq` in, all zeros before.
///
/// On error nothing stays mapped, and what `sq` and `cq` hold means nothing.
pub fn map<K: Kernel>(
    fd: c_int,
    p: &io_uring_params,
    sq: &mut io_uring_sq,
    cq: &mut io_uring_cq,
) -> Result<()> {
    let single = p.features & IORING_FEAT_SINGLE_MMAP != 0;

    // The SQEs' size is kept in 32 bits.
    let sqes_size = sizes::sqes_size(p.flags, p.sq_entries);
    sq.sqes_sz = c_uint::try_from(sqes_size).map_err(|_| Errno::EINVAL)?;
    sq.ring_sz = p.sq_off.array as usize + p.sq_entries as usize * size_of::<c_uint>();
    cq.ring_sz = p.cq_off.cqes as usize + sizes::cqes_size(p.flags, p.cq_entries);
    if single {
        sq.ring_sz = sq.ring_sz.max(cq.ring_sz);
        cq.ring_sz = sq.ring_sz;
    }

    // SAFETY: the areas and sizes are those that the kernel gave for `fd`. What is unmapped on the way out has just
    // been mapped and was shown to no one.
    unsafe {
        sq.ring_ptr = map_area::<K>(fd, sq.ring_sz, IORING_OFF_SQ_RING)?;
        let rest = (|| {
            cq.ring_ptr = if single {
                sq.ring_ptr
            } else {
                map_area::<K>(fd, cq.ring_sz, IORING_OFF_CQ_RING)?
            };
            sq.sqes = map_area::<K>(fd, sqes_size, IORING_OFF_SQES)?.cast();
            Ok(())
        })();
        if rest.is_err() {
            unmap_rings::<K>(sq, cq);
            return rest;
        }
        locate(p, sq, cq);
    }
    Ok(())
}

/// Unmaps the rings, but not the SQEs.
///
/// # Safety
///
/// Pointers and sizes in `sq` and `cq` are those of mappings that nothing uses any more, or zero.
#[inline(never)]
pub unsafe fn unmap_rings<K: Kernel>(sq: &io_uring_sq, cq: &io_uring_cq) {
    // SAFETY: the caller gives the mappings up. An error would mean that there was no mapping; then nothing is to do.
    unsafe {
        if sq.ring_sz != 0 {
            let _ = K::munmap(sq.ring_ptr, sq.ring_sz);
        }
        if cq.ring_sz != 0 && !cq.ring_ptr.is_null() && cq.ring_ptr != sq.ring_ptr {
            let _ = K::munmap(cq.ring_ptr, cq.ring_sz);
        }
    }
}

/// Unmaps rings and SQEs.
///
/// # Safety
///
/// As for [`unmap_rings`].
#[inline(never)]
pub unsafe fn unmap<K: Kernel>(sq: &io_uring_sq, cq: &io_uring_cq) {
    // SAFETY: as in `unmap_rings`.
    unsafe {
        if sq.sqes_sz != 0 {
            let _ = K::munmap(sq.sqes.cast(), sq.sqes_sz as usize);
        }
        unmap_rings::<K>(sq, cq);
    }
}

/// Points `sq` and `cq` at the parts of the rings, which start at their `ring_ptr`, and copies the sizes out.
///
/// # Safety
///
/// The rings are mapped, and `p` is what the kernel filled in for them.
#[inline(never)]
pub unsafe fn locate(p: &io_uring_params, sq: &mut io_uring_sq, cq: &mut io_uring_cq) {
    // SAFETY: the kernel's offsets lie within the rings it mapped.
    unsafe {
        let at = |ring: *mut c_void, offset: u32| ring.byte_add(offset as usize).cast::<c_uint>();
        sq.khead = at(sq.ring_ptr, p.sq_off.head);
        sq.ktail = at(sq.ring_ptr, p.sq_off.tail);
        sq.kring_mask = at(sq.ring_ptr, p.sq_off.ring_mask);
        sq.kring_entries = at(sq.ring_ptr, p.sq_off.ring_entries);
        sq.kflags = at(sq.ring_ptr, p.sq_off.flags);
        sq.kdropped = at(sq.ring_ptr, p.sq_off.dropped);
        if p.flags & IORING_SETUP_NO_SQARRAY == 0 {
            sq.array = at(sq.ring_ptr, p.sq_off.array);
        }

        cq.khead = at(cq.ring_ptr, p.cq_off.head);
        cq.ktail = at(cq.ring_ptr, p.cq_off.tail);
        cq.kring_mask = at(cq.ring_ptr, p.cq_off.ring_mask);
        cq.kring_entries = at(cq.ring_ptr, p.cq_off.ring_entries);
        cq.koverflow = at(cq.ring_ptr, p.cq_off.overflow);
        cq.cqes = at(cq.ring_ptr, p.cq_off.cqes).cast();
        if p.cq_off.flags != 0 {
            cq.kflags = at(cq.ring_ptr, p.cq_off.flags);
        }

        // Relaxed: constants since before the mapping.
        sq.ring_mask = Word::new(sq.kring_mask).load_relaxed();
        sq.ring_entries = Word::new(sq.kring_entries).load_relaxed();
        cq.ring_mask = Word::new(cq.kring_mask).load_relaxed();
        cq.ring_entries = Word::new(cq.kring_entries).load_relaxed();
    }
}

/// Writes n as the number of SQE n into the array of SQE numbers, if the ring has one. It stays like that.
///
/// # Safety
///
/// `sq` is located, and its ring has been submitted to only through this library.
#[inline(never)]
pub unsafe fn fill_array(p: &io_uring_params, sq: &io_uring_sq) {
    if p.flags & IORING_SETUP_NO_SQARRAY != 0 {
        return;
    }
    for index in 0..sq.ring_entries {
        // SAFETY: the array has an element for each entry. Relaxed: the kernel reads it only below a tail that is
        // stored later.
        unsafe { Word::new(sq.array.add(index as usize)).store_relaxed(index) };
    }
}
