//! Giving a ring another size.

use core::ffi::c_uint;
use core::mem::{self, MaybeUninit};
use core::ptr;

use super::{Whole, call_cold};
use crate::abi::*;
use crate::errno::{Errno, Result, Ret};
use crate::kernel::{Kernel, MAP_ANONYMOUS, MAP_PRIVATE, PROT_NONE};
use crate::mem::clear;
use crate::ring::handle::Sq;
use crate::ring::{map, ring_fd, sizes};

/// Exchanges the rings for ones of the size in `p`; what is in them stays.
///
/// On an error the ring is as it was, but for one case: another thread takes the address space just before the new
/// rings are mapped. Then the ring points to the old ones, which the kernel has forgotten, and every enter fails, until
/// another call succeeds.
///
/// # Safety
///
/// `p` points to parameters.
pub unsafe fn resize<K: Kernel>(whole: Whole<K>, p: *mut io_uring_params) -> Ret {
    if whole.has(IORING_SETUP_NO_MMAP) {
        return Errno::EINVAL.into();
    }
    // SAFETY: the caller vouches for `p`.
    let p = unsafe { &mut *p };
    let exchanged = exchange(whole, p);
    // The kernel writes the ring's flags there and refuses them as input. They would make the caller's next call fail.
    p.flags = 0;
    exchanged.into()
}

fn exchange<K: Kernel>(whole: Whole<K>, p: &mut io_uring_params) -> Result<()> {
    if whole.fd() == -1 {
        // The new rings could not be mapped. The kernel would have replaced the old ones by then.
        return Err(Errno::EBADF);
    }
    // The kernel checks that the published SQEs fit; those taken and not yet published must fit, too.
    let first = first_pending(whole.sq());
    let pending = whole.sq().tail().wrapping_sub(first);
    let room = p.sq_entries.checked_next_power_of_two();
    if room.is_some_and(|room| pending > room) {
        return Err(Errno::EOVERFLOW);
    }

    let ring = whole.as_ptr();
    // SAFETY: no other thread uses the ring. Its old mappings stay until the new ones are complete. Integers and raw
    // pointers can be zero.
    unsafe {
        p.sq_off = io_sqring_offsets::default();
        p.cq_off = io_cqring_offsets::default();
        with_room::<K>(whole.flags(), p, |p| {
            let arg = (&raw mut *p).cast();
            call_cold(whole.ring(), IORING_REGISTER_RESIZE_RINGS, arg, 1)
        })?;
        if p.flags & IORING_SETUP_NO_SQARRAY == 0 && p.sq_off.array == 0 {
            // Some kernels read the array of SQE numbers but do not tell its offset. With offset 0 the library would
            // overwrite counters.
            p.sq_off.array = sizes::array_offset(p) as u32;
        }
        // How to map depends on the features, which only set-up reports.
        let features = mem::replace(&mut p.features, (*ring).features);
        let mut new = MaybeUninit::<(io_uring_sq, io_uring_cq)>::uninit();
        clear(new.as_mut_ptr());
        let (sq, cq) = new.assume_init_mut();
        let mapped = map::map::<K>((*ring).ring_fd, p, sq, cq);
        p.features = features;
        if let Err(errno) = mapped {
            shut(whole);
            return Err(errno);
        }
        map::fill_array(p, sq);
        move_sqes((*ring).flags, &(*ring).sq, sq, first);
        map::unmap::<K>(&(*ring).sq, &(*ring).cq);
        sq.sqe_head = (*ring).sq.sqe_head;
        sq.sqe_tail = (*ring).sq.sqe_tail;
        (&raw mut (*ring).sq).copy_from_nonoverlapping(sq, 1);
        (&raw mut (*ring).cq).copy_from_nonoverlapping(cq, 1);
        if (*ring).enter_ring_fd == -1 {
            (*ring).enter_ring_fd = (*ring).ring_fd;
        }
    }
    Ok(())
}

/// Makes the call that cannot be undone only if there is address space for what it makes: an area of that size is held
/// meanwhile.
fn with_room<K: Kernel>(
    ring_flags: c_uint,
    p: &mut io_uring_params,
    call: impl FnOnce(&mut io_uring_params) -> Ret,
) -> Result<()> {
    let asked = p.flags;
    p.flags |= ring_flags & !(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP);
    let size = sizes::memory_size::<K>(p.sq_entries, p);
    p.flags = asked;
    // For numbers that the library cannot compute a size of, nothing is held. The kernel decides.
    let size = size.unwrap_or(0);
    // SAFETY: a new mapping, which nothing uses and which is given back below.
    unsafe {
        let mut held = ptr::null_mut();
        if size != 0 {
            held = K::mmap(size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)?.as_ptr();
        }
        let made = call(p);
        if size != 0 {
            let _ = K::munmap(held, size);
        }
        made.check().map(drop)
    }
}

/// The position of the first SQE that the kernel has not consumed.
fn first_pending<K>(sq: Sq<K>) -> c_uint {
    if sq.has(IORING_SETUP_SQ_REWIND) {
        // Each batch starts at the first slot.
        0
    } else {
        // Relaxed: the kernel moves the head only inside a system call of this thread, as these rings have no submission
        // thread.
        sq.sq_head().load_relaxed()
    }
}

/// Copies the SQEs from position `first` to the tail. Of those not yet published the kernel knows nothing. It copies
/// the published ones itself, but some kernels get those of 128 bytes wrong.
unsafe fn move_sqes(ring_flags: c_uint, old: &io_uring_sq, new: &io_uring_sq, first: c_uint) {
    // In units of 64 bytes, so that each copy is of a fixed size. Positions and units wrap alike.
    let shift = (ring_flags & IORING_SETUP_SQE128 != 0) as u32;
    let mask = |ring_mask: c_uint| ring_mask << shift | shift;
    let mut unit = first << shift;
    while unit != old.sqe_tail << shift {
        // SAFETY: a masked position lies within its SQEs, which are mapped and not the same memory.
        unsafe {
            let from = old.sqes.add((unit & mask(old.ring_mask)) as usize);
            let to = new.sqes.add((unit & mask(new.ring_mask)) as usize);
            to.write(from.read());
        }
        unit = unit.wrapping_add(1);
    }
}

/// Makes every enter fail: waiting on memory that the kernel has forgotten would never end.
#[cold]
fn shut<K: Kernel>(whole: Whole<K>) {
    // The index would be lost with the number.
    ring_fd::give_up(whole);
    // SAFETY: no other thread uses the ring.
    unsafe { (*whole.as_ptr()).enter_ring_fd = -1 };
}
