//! Taking SQEs, submitting them, and looking at completions.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};

use crate::Chosen;
use uring_core::abi::cqe::io_uring_cqe;
use uring_core::abi::ring::io_uring;
use uring_core::abi::sqe::io_uring_sqe;
use uring_core::out::Room;
use uring_core::queue::{complete, sqe, submit};
use uring_core::ring::handle::{Cq, Ring, Sq};

/// Takes a free SQE to fill in.
///
/// Programs get this as an inline function; the symbol is there for those compiled before it was one.
///
/// # Return value
///
/// An SQE of the ring, with all but opcode, descriptor, offset, address, length and `user_data` cleared; or NULL if
/// all SQEs are taken: submit first.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_submit().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its SQ side.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_sqe(ring: *mut io_uring) -> *mut io_uring_sqe {
    sqe::get(unsafe { Sq::<Chosen>::new(ring) })
}

/// Submits all SQEs taken so far.
///
/// With `IORING_SETUP_SQPOLL` a kernel thread takes them, and the call enters the kernel only to wake it.
/// Completions that the kernel holds back (because the CQ overflowed, or as pending work) are fetched along the way.
///
/// # Return value
///
/// The number of SQEs submitted, which may be fewer than were taken: the rest goes with the next call. Or a negative
/// errno; `errno` is not touched. Errors of requests come in their CQEs.
///
/// # Errors
///
/// * `-EAGAIN`: the kernel had no memory for a request; take completions and try again.
/// * `-EBADFD`: the ring was set up with `IORING_SETUP_R_DISABLED` and is not enabled.
/// * `-EBUSY`: completions are held back and must be taken first.
/// * `-EEXIST`: another thread submitted to a ring set up with `IORING_SETUP_SINGLE_ISSUER`.
/// * `-EINTR`: a signal came.
/// * `-ENXIO`: the ring is being torn down.
/// * `-EOWNERDEAD`: the ring's submission thread has ended.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_submit_and_wait(), io_uring_get_sqe(), io_uring_enter(2).
///
/// # Safety
///
/// `ring` is set up, no other thread uses its SQ side, and what the requests name stays valid until they complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit(ring: *mut io_uring) -> c_int {
    submit::submit(unsafe { Sq::<Chosen>::new(ring) }, 0, false).as_c()
}

/// Submits all SQEs taken so far and waits for completions.
///
/// Waits until `wait_nr` completions are in the CQ, earlier ones included, in the same system call as it submits. It
/// does not wait for them if fewer SQEs were submitted than taken.
///
/// # Return value
///
/// As io_uring_submit(): the number submitted, not the number of completions.
///
/// # Errors
///
/// As io_uring_submit(). `-EINTR` only if nothing was submitted.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_submit_and_wait_timeout(), io_uring_wait_cqe().
///
/// # Safety
///
/// As for io_uring_submit().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit_and_wait(ring: *mut io_uring, wait_nr: c_uint) -> c_int {
    submit::submit(unsafe { Sq::<Chosen>::new(ring) }, wait_nr, false).as_c()
}

/// Submits all SQEs taken so far and has the kernel post completions that are pending.
///
/// As io_uring_submit(), but always enters the kernel: with `IORING_SETUP_DEFER_TASKRUN` that is what runs the work
/// that posts completions. Does not wait.
///
/// # Return value
///
/// As io_uring_submit().
///
/// # Errors
///
/// As io_uring_submit().
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_get_events().
///
/// # Safety
///
/// As for io_uring_submit().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit_and_get_events(ring: *mut io_uring) -> c_int {
    submit::submit(unsafe { Sq::<Chosen>::new(ring) }, 0, true).as_c()
}

/// Has the kernel post completions that are pending, without submitting or waiting.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBADFD`: the ring was set up with `IORING_SETUP_R_DISABLED` and is not enabled.
/// * `-EBADR`: completions were lost because the kernel had no memory to keep them.
/// * `-EEXIST`: the ring was set up with `IORING_SETUP_SINGLE_ISSUER` for another thread.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_submit_and_get_events(), io_uring_cq_has_overflow().
///
/// # Safety
///
/// `ring` is set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_events(ring: *mut io_uring) -> c_int {
    complete::get_events(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}

/// Looks at up to `count` completions without waiting.
///
/// Writes pointers to the first completions in the CQ to `cqes`. They stay in the CQ, and the pointers stay valid,
/// until io_uring_cq_advance() is called. If the CQ is empty but the kernel holds completions back, they are fetched.
///
/// In a ring with `IORING_SETUP_CQE_MIXED` a completion may take two slots: advance by the sum of io_uring_cqe_nr()
/// over the batch.
///
/// # Return value
///
/// The number of pointers written, 0 if there is none.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_peek_cqe(), io_uring_for_each_cqe(), io_uring_cq_advance().
///
/// # Safety
///
/// `ring` is set up, no other thread uses its CQ side, and `cqes` has room for `count` pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_peek_batch_cqe(
    ring: *mut io_uring,
    cqes: *mut *mut io_uring_cqe,
    count: c_uint,
) -> c_uint {
    let (cq, cqes) = unsafe { (Cq::<Chosen>::new(ring), Room::new(cqes, count)) };
    complete::peek_batch(cq, cqes)
}

/// Waits until the submission thread has freed an SQ slot: what io_uring_sqring_wait() calls.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINTR`: a signal came.
/// * `-EINVAL`: the kernel does not know the operation.
/// * `-EOWNERDEAD`: the submission thread has ended.
///
/// # Kernel
///
/// 5.10.
///
/// # See also
///
/// io_uring_sqring_wait().
///
/// # Safety
///
/// `ring` is set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __io_uring_sqring_wait(ring: *mut io_uring) -> c_int {
    submit::wait_for_room(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}
