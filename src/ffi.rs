//! The header's inline functions that may enter the kernel, for `liburing-ffi`. The others are in `uring_core::inline`.

use core::ffi::{c_int, c_uint};

use crate::Chosen;
use uring_core::abi::cqe::io_uring_cqe;
use uring_core::abi::provided::io_uring_buf_ring;
use uring_core::abi::ring::io_uring;
use uring_core::inline::{buf_ring, peek, sq};
use uring_core::out::Out;
use uring_core::ring::handle::{Cq, Ring, Sq};

/// Waits until an SQE can be taken, where a kernel thread submits.
///
/// For rings with `IORING_SETUP_SQPOLL`, whose SQEs become free when the thread has read them. Returns at once if there
/// is room, or on other rings.
///
/// # Return value
///
/// 0 if there was room, or what io_uring_enter(2) returned: not negative if there is room now.
///
/// # Errors
///
/// * `-EINVAL`: the kernel cannot wait for room.
/// * Those of io_uring_enter(2).
///
/// # Kernel
///
/// 5.10.
///
/// # See also
///
/// io_uring_sq_space_left(), io_uring_get_sqe().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_sqring_wait(ring: *mut io_uring) -> c_int {
    // SAFETY: the caller has the SQ side.
    sq::sqring_wait(unsafe { Sq::<Chosen>::new(ring) }).as_c()
}

/// Looks at the first CQE without waiting.
///
/// Enters the kernel only where that may turn up CQEs: if it holds some back, or has work pending, or if they are
/// polled for (`IORING_SETUP_IOPOLL`). The CQE stays in the queue until io_uring_cqe_seen().
///
/// # Return value
///
/// 0 with the CQE in `*cqe_ptr`, or a negative errno, and `*cqe_ptr` is NULL.
///
/// # Errors
///
/// * `-EAGAIN`: there is no CQE.
/// * Those of io_uring_enter(2).
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_wait_cqe(), io_uring_peek_batch_cqe(), io_uring_cqe_seen().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side. `cqe_ptr` points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_peek_cqe(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
) -> c_int {
    // SAFETY: the caller has the CQ side, and vouches for the place.
    let (cq, cqe_ptr) = unsafe { (Cq::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    peek::peek_cqe(cq, cqe_ptr).as_c()
}

/// Waits for a CQE.
///
/// Returns at once if there is one. Submits nothing. The CQE stays in the queue until io_uring_cqe_seen().
///
/// # Return value
///
/// 0 with the first CQE in `*cqe_ptr`, or a negative errno, and `*cqe_ptr` is NULL.
///
/// # Errors
///
/// * `-EINTR`: a signal came.
/// * Those of io_uring_enter(2).
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_wait_cqe_timeout(), io_uring_wait_cqe_nr(), io_uring_submit_and_wait(), io_uring_cqe_seen().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side. `cqe_ptr` points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_cqe(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
) -> c_int {
    // SAFETY: the caller has the CQ side, and vouches for the place.
    let (cq, cqe_ptr) = unsafe { (Cq::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    peek::wait_cqe(cq, cqe_ptr).as_c()
}

/// Waits until `wait_nr` CQEs are there.
///
/// Returns at once if they are. Submits nothing. The CQEs stay in the queue until io_uring_cq_advance().
///
/// # Return value
///
/// 0 with the first CQE in `*cqe_ptr`, or a negative errno, and `*cqe_ptr` is NULL.
///
/// # Errors
///
/// * `-EAGAIN`: `wait_nr` is 0 and there is no CQE.
/// * `-EINTR`: a signal came.
/// * Those of io_uring_enter(2).
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_wait_cqe(), io_uring_wait_cqes().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side. `cqe_ptr` points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_cqe_nr(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
) -> c_int {
    // SAFETY: the caller has the CQ side, and vouches for the place.
    let (cq, cqe_ptr) = unsafe { (Cq::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    peek::wait_cqe_nr(cq, cqe_ptr, wait_nr).as_c()
}

/// How many buffers the kernel has not used yet.
///
/// Asks the kernel for its position by io_uring_buf_ring_head(), so a system call is made. The kernel may be using
/// buffers meanwhile.
///
/// # Return value
///
/// The number, or a negative errno.
///
/// # Errors
///
/// * `-ENOENT`: there is no group `bgid`.
/// * `-EINVAL`: the group is not a buffer ring, or the kernel cannot tell.
///
/// # Kernel
///
/// 6.8.
///
/// # See also
///
/// io_uring_buf_ring_head().
///
/// # Safety
///
/// `ring` is set up, and `br` points to the buffer ring of group `bgid`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_buf_ring_available(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    bgid: u16,
) -> c_int {
    // SAFETY: the caller's ring is set up, and it vouches for `br`.
    unsafe { buf_ring::buf_ring_available(Ring::<Chosen>::new(ring), br, bgid) }
}
