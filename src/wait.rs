//! Waiting for completions, with and without submitting first.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};
use core::ptr;

use crate::Chosen;
use uring_core::abi::cqe::io_uring_cqe;
use uring_core::abi::ring::io_uring;
use uring_core::abi::types::{__kernel_timespec, sigset_t};
use uring_core::out::Out;
use uring_core::queue::enter::Batch;
use uring_core::queue::wait::{self, Limits};
use uring_core::ring::handle::{Cq, Whole};

/// Submits, waits, and looks at the first completion: what the inline functions that wait are made of.
///
/// `submit` SQEs go to the kernel. They must be published: the program has stored the SQ's tail behind them. The kernel
/// waits until `wait_nr` completions are in the CQ, with the signals in `sigmask` blocked meanwhile unless it is NULL.
/// With `IORING_SETUP_SQPOLL` the program that publishes SQEs itself needs a full barrier (io_uring_smp_mb()) after it
/// has stored the tail, or it may miss that the submission thread has gone to sleep.
///
/// # Return value
///
/// The number submitted, or a negative errno; `errno` is not touched. If enough completions are there beforehand, and
/// at least one, the number is not known: 0 is returned. `*cqe_ptr` is the first completion, or NULL.
///
/// # Errors
///
/// As io_uring_submit(), and:
///
/// * `-EAGAIN`: nothing to submit or wait for, and no completion is there.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_wait_cqe(), io_uring_wait_cqe_nr(), io_uring_peek_cqe(): use these instead.
///
/// # Safety
///
/// As for io_uring_submit_and_wait_timeout(); the SQ side is used only if `submit` is not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __io_uring_get_cqe(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    submit: c_uint,
    wait_nr: c_uint,
    sigmask: *mut sigset_t,
) -> c_int {
    let (cq, cqe_ptr) = unsafe { (Cq::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    let batch = unsafe { Batch::published_by_program(submit) };
    wait::get_cqe(cq, cqe_ptr, batch, wait_nr, sigmask).as_c()
}

/// Waits for completions, for a limited time.
///
/// Waits until `wait_nr` completions are in the CQ, until `ts` has passed (NULL: for ever), or until a signal comes
/// that `sigmask` does not block (NULL: the thread's mask stays).
///
/// Kernels before 5.11 lack `IORING_FEAT_EXT_ARG`. There the library queues a timeout request and submits it, and with
/// it all SQEs taken before. The SQ side must then not be in use by another thread, and no request of the program's
/// may have `LIBURING_UDATA_TIMEOUT` as its `user_data`. Elsewhere nothing is submitted.
///
/// # Return value
///
/// 0, with the first completion in `*cqe_ptr`, or a negative errno; `errno` is not touched. The completion stays in the
/// CQ until io_uring_cqe_seen().
///
/// After an error that the wait gave, `*cqe_ptr` is NULL, or the first of the fewer completions that are there. It stays
/// as it was if there was no wait.
///
/// # Errors
///
/// * `-ETIME`: the time has passed.
/// * `-EINTR`: a signal came. On a ring with `IORING_SETUP_IOPOLL` also if for some seconds there was nothing to poll.
/// * `-EAGAIN`: `wait_nr` is 0 and no completion is there; or no SQE was free for the timeout request.
/// * `-EFAULT`, `-EINVAL`: `ts` or `sigmask` is not valid.
///
/// # Kernel
///
/// 5.1; timeouts 5.4.
///
/// # See also
///
/// io_uring_wait_cqe_timeout(), io_uring_submit_and_wait_timeout(), io_uring_wait_cqes_min_timeout().
///
/// # Safety
///
/// `ring` is set up, no other thread uses its CQ side, `cqe_ptr` is valid for writes, and `ts` and `sigmask` are NULL
/// or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_cqes(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    ts: *mut __kernel_timespec,
    sigmask: *mut sigset_t,
) -> c_int {
    let limits = Limits {
        ts,
        min_wait_usec: 0,
        sigmask,
    };
    unsafe { wait::wait_cqes(Cq::<Chosen>::new(ring), Out::new(cqe_ptr), wait_nr, limits) }.as_c()
}

/// Waits for a completion, for a limited time.
///
/// io_uring_wait_cqes() for one completion, with the thread's signal mask.
///
/// # Return value
///
/// As io_uring_wait_cqes().
///
/// # Errors
///
/// As io_uring_wait_cqes().
///
/// # Kernel
///
/// 5.1; timeouts 5.4.
///
/// # See also
///
/// io_uring_wait_cqes(), io_uring_wait_cqe().
///
/// # Safety
///
/// As for io_uring_wait_cqes().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_cqe_timeout(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    ts: *mut __kernel_timespec,
) -> c_int {
    let limits = Limits {
        ts,
        min_wait_usec: 0,
        sigmask: ptr::null(),
    };
    unsafe { wait::wait_cqes(Cq::<Chosen>::new(ring), Out::new(cqe_ptr), 1, limits) }.as_c()
}

/// Waits for completions, and after a shorter time for fewer of them.
///
/// As io_uring_wait_cqes(), but once `min_wait_usec` microseconds have passed, one completion is enough.
///
/// # Return value
///
/// As io_uring_wait_cqes().
///
/// # Errors
///
/// As io_uring_wait_cqes(), and:
///
/// * `-EINVAL`: the kernel lacks `IORING_FEAT_MIN_TIMEOUT`.
///
/// # Kernel
///
/// 6.12.
///
/// # See also
///
/// io_uring_submit_and_wait_min_timeout().
///
/// # Safety
///
/// As for io_uring_wait_cqes().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_cqes_min_timeout(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    ts: *mut __kernel_timespec,
    min_wait_usec: c_uint,
    sigmask: *mut sigset_t,
) -> c_int {
    let limits = Limits {
        ts,
        min_wait_usec,
        sigmask,
    };
    let (cq, cqe_ptr) = unsafe { (Cq::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    wait::wait_cqes_min_timeout(cq, cqe_ptr, wait_nr, limits).as_c()
}

/// Submits all SQEs taken so far and waits for completions, for a limited time.
///
/// io_uring_submit() and io_uring_wait_cqes() in one system call. On kernels before 5.11 a timeout request is queued
/// behind the others, as there.
///
/// # Return value
///
/// The number submitted, or a negative errno; `errno` is not touched. If enough completions are there beforehand, and
/// at least one, the number is not known: 0 is returned. `*cqe_ptr` is the first completion, or NULL. If something was
/// submitted and the time has passed or a signal came, the number is returned, not an error, and `*cqe_ptr` is NULL. On
/// kernels before 5.11 the library's own timeout request is not counted.
///
/// # Errors
///
/// As io_uring_submit(), and:
///
/// * `-ETIME`: the time has passed, and nothing was submitted.
/// * `-EINTR`: a signal came, and nothing was submitted.
/// * `-EAGAIN`: nothing to submit or wait for, and no completion is there.
///
/// # Kernel
///
/// 5.1; timeouts 5.4.
///
/// # See also
///
/// io_uring_submit_and_wait(), io_uring_submit_and_wait_min_timeout(), io_uring_submit_and_wait_reg().
///
/// # Safety
///
/// `ring` is set up, no other thread uses it meanwhile, `cqe_ptr` is valid for writes, `ts` and `sigmask` are NULL or
/// valid, and what the requests name stays valid until they complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit_and_wait_timeout(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    ts: *mut __kernel_timespec,
    sigmask: *mut sigset_t,
) -> c_int {
    let limits = Limits {
        ts,
        min_wait_usec: 0,
        sigmask,
    };
    let (ring, cqe_ptr) = unsafe { (Whole::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    wait::submit_and_wait_timeout(ring, cqe_ptr, wait_nr, limits).as_c()
}

/// Submits all SQEs taken so far and waits for completions, and after a shorter time for fewer of them.
///
/// As io_uring_submit_and_wait_timeout(), but once `min_wait` microseconds have passed, one completion is enough.
/// Without `ts`, the wait goes on until there is one.
///
/// # Return value
///
/// As io_uring_submit_and_wait_timeout().
///
/// # Errors
///
/// As io_uring_submit_and_wait_timeout(), and:
///
/// * `-EINVAL`: the kernel lacks `IORING_FEAT_MIN_TIMEOUT`.
///
/// # Kernel
///
/// 6.12.
///
/// # See also
///
/// io_uring_wait_cqes_min_timeout().
///
/// # Safety
///
/// As for io_uring_submit_and_wait_timeout().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit_and_wait_min_timeout(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    ts: *mut __kernel_timespec,
    min_wait: c_uint,
    sigmask: *mut sigset_t,
) -> c_int {
    let limits = Limits {
        ts,
        min_wait_usec: min_wait,
        sigmask,
    };
    let (ring, cqe_ptr) = unsafe { (Whole::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    wait::submit_and_wait_min_timeout(ring, cqe_ptr, wait_nr, limits).as_c()
}

/// Submits all SQEs taken so far and waits as a registered argument says.
///
/// `reg_index` is the number of a `struct io_uring_reg_wait` in the wait region that was registered with
/// io_uring_register_region(): time, minimum wait and signal mask stand there, and the kernel need not copy them.
///
/// # Return value
///
/// As io_uring_submit_and_wait_timeout().
///
/// # Errors
///
/// As io_uring_submit_and_wait_timeout(), and:
///
/// * `-EINVAL`: the kernel lacks `IORING_FEAT_EXT_ARG`, or does not know registered waits.
/// * `-EFAULT`: `reg_index` lies outside the region, or there is none.
///
/// # Kernel
///
/// 6.13.
///
/// # See also
///
/// io_uring_register_region().
///
/// # Safety
///
/// As for io_uring_submit_and_wait_timeout().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit_and_wait_reg(
    ring: *mut io_uring,
    cqe_ptr: *mut *mut io_uring_cqe,
    wait_nr: c_uint,
    reg_index: c_int,
) -> c_int {
    let (ring, cqe_ptr) = unsafe { (Whole::<Chosen>::new(ring), Out::new(cqe_ptr)) };
    wait::submit_and_wait_reg(ring, cqe_ptr, wait_nr, reg_index).as_c()
}
