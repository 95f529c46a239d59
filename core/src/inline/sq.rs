//! Taking SQEs: what C programs have as inline functions.

use core::ffi::c_uint;
use core::ptr;

use crate::abi::params::{IORING_SETUP_SQE_MIXED, IORING_SETUP_SQE128, IORING_SETUP_SQPOLL};
use crate::abi::ring::io_uring;
use crate::abi::sqe::{IOSQE_CQE_SKIP_SUCCESS, io_uring_sqe};
use crate::errno::Ret;
use crate::inline::prep::sqe::io_uring_prep_nop;
use crate::kernel::Kernel;
use crate::queue::sqe::{get, initialize};
use crate::queue::submit;
use crate::ring::handle::{Ring, Sq};

/// How far an SQE's index is shifted to index `sq.sqes`, by the flags of a ring.
///
/// # Return value
///
/// 1 with `IORING_SETUP_SQE128`, where each SQE takes two slots of 64 bytes; else 0.
///
/// # Kernel
///
/// Any: no call is made.
///
/// # See also
///
/// io_uring_sqe_shift(), io_uring_cqe_shift_from_flags().
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub extern "C" fn io_uring_sqe_shift_from_flags(flags: c_uint) -> c_uint {
    (flags & IORING_SETUP_SQE128 != 0) as c_uint
}

/// How far an SQE's index is shifted to index `sq.sqes` of a ring.
///
/// # Return value
///
/// 1 in a ring with `IORING_SETUP_SQE128`, where each SQE takes two slots of 64 bytes; else 0.
///
/// # Kernel
///
/// Any: no call is made.
///
/// # See also
///
/// io_uring_sqe_shift_from_flags(), io_uring_cqe_shift().
///
/// # Safety
///
/// `ring` is set up.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_sqe_shift(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller vouches for `ring`.
    io_uring_sqe_shift_from_flags(unsafe { (*ring).flags })
}

/// How far the kernel has come in the submission queue.
///
/// SQEs before this position may be filled in anew.
///
/// # Return value
///
/// The position, which counts all SQEs since the ring was set up and wraps at 2^32.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_sq_ready(), io_uring_sq_space_left().
///
/// # Safety
///
/// `ring` is set up.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_load_sq_head(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller's ring is set up.
    unsafe { Ring::<()>::new(ring.cast_mut()) }.load_sq_head()
}

/// Takes a free SQE to fill in, as io_uring_get_sqe() does.
///
/// # Return value
///
/// An SQE, cleared as by io_uring_get_sqe(), or NULL if all are taken.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_get_sqe().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn _io_uring_get_sqe(ring: *mut io_uring) -> *mut io_uring_sqe {
    // SAFETY: the caller has the SQ side.
    get(unsafe { Sq::<()>::new(ring) })
}

/// How many SQEs were taken and not consumed by the kernel.
///
/// With `IORING_SETUP_SQPOLL` these are SQEs that the kernel's thread has not read; otherwise those that
/// io_uring_submit() has not passed on.
///
/// # Return value
///
/// The number.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_sq_space_left(), io_uring_submit().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_sq_ready(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller has the SQ side.
    ready(unsafe { Sq::<()>::new(ring.cast_mut()) })
}

/// How many SQEs can still be taken.
///
/// # Return value
///
/// The number. While it is not 0, io_uring_get_sqe() yields an SQE.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_sq_ready(), io_uring_get_sqe(), io_uring_sqring_wait().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_sq_space_left(ring: *const io_uring) -> c_uint {
    // SAFETY: the caller has the SQ side.
    space_left(unsafe { Sq::<()>::new(ring.cast_mut()) })
}

#[inline(always)]
fn ready<K>(sq: Sq<K>) -> c_uint {
    sq.tail().wrapping_sub(sq.load_sq_head())
}

#[inline(always)]
fn space_left<K>(sq: Sq<K>) -> c_uint {
    sq.entries().wrapping_sub(ready(sq))
}

/// Waits until an SQE can be taken, where a kernel thread submits.
#[inline]
pub fn sqring_wait<K: Kernel>(sq: Sq<K>) -> Ret {
    if !sq.has(IORING_SETUP_SQPOLL) || space_left(sq) != 0 {
        return Ret::DONE;
    }
    submit::wait_for_room(*sq)
}

/// Takes a free SQE of 128 bytes to fill in.
///
/// On a ring with `IORING_SETUP_SQE128` all SQEs have that size, and this is io_uring_get_sqe(). On one with
/// `IORING_SETUP_SQE_MIXED` it takes two neighbouring entries; where only one is left before the end of the ring, a
/// request that does nothing and posts no CQE fills it, and the SQE is at the start. The program must give the request
/// one of the opcodes for 128 bytes, such as `IORING_OP_URING_CMD128`.
///
/// # Return value
///
/// An SQE, cleared as by io_uring_get_sqe() in its first 64 bytes; or NULL if there is no room, or the ring has no such
/// SQEs.
///
/// # Kernel
///
/// 6.19, for rings of both sizes.
///
/// # See also
///
/// io_uring_get_sqe(), io_uring_prep_uring_cmd128(), io_uring_prep_nop128().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_get_sqe128(ring: *mut io_uring) -> *mut io_uring_sqe {
    // SAFETY: the caller has the SQ side.
    let sq = unsafe { Sq::<()>::new(ring) };
    if sq.has(IORING_SETUP_SQE128) {
        return get(sq);
    }
    if !sq.has(IORING_SETUP_SQE_MIXED) {
        return ptr::null_mut();
    }
    let tail = sq.tail();
    let index = tail & sq.mask();
    let filler = c_uint::from(index == sq.mask());
    let last = tail.wrapping_add(filler + 1);
    if last.wrapping_sub(sq.load_sq_head()) >= sq.entries() {
        return ptr::null_mut();
    }
    // SAFETY: both entries lie within the ring's SQEs, the second one not beyond the end since the last entry is passed
    // over. The kernel has read what was there.
    unsafe {
        let mut sqe = sq.sqes().add(index as usize);
        if filler != 0 {
            initialize(sqe);
            io_uring_prep_nop(sqe);
            (*sqe).flags = IOSQE_CQE_SKIP_SUCCESS as u8;
            sqe = sq.sqes();
        }
        sq.set_tail(last.wrapping_add(1));
        initialize(sqe);
        sqe
    }
}
