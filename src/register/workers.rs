//! The kernel's workers.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};

use crate::Chosen;
use uring_core::abi::{cpu_set_t, io_uring};
use uring_core::register::workers;
use uring_core::ring::handle::Ring;

/// Says on which CPUs the kernel's workers may run.
///
/// Requests that cannot be done at once, and cannot be waited for otherwise, are done by kernel threads, which belong
/// to the thread that submits (with `IORING_SETUP_SQPOLL`, to the polling thread). At first they may run where that
/// thread may. After this call they run on the CPUs of `mask`, a set of `cpusz` bytes; workers that run elsewhere move
/// at their next chance. The set is read during the call and not needed afterwards.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `mask` is NULL; `cpusz` is 0 or 2^31 or more; the set has a CPU that the thread may not use; the
///   calling thread has never used a ring; or the kernel does not know the operation.
/// * `-EFAULT`: `mask` cannot be read.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.14.
///
/// # See also
///
/// io_uring_unregister_iowq_aff(), io_uring_register_iowq_max_workers(), sched_setaffinity(2).
///
/// # Safety
///
/// `ring` must be set up, and `mask` point to `cpusz` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_iowq_aff(
    ring: *mut io_uring,
    cpusz: usize,
    mask: *const cpu_set_t,
) -> c_int {
    workers::register_affinity(unsafe { Ring::<Chosen>::new(ring) }, cpusz, mask).as_c()
}

/// Lets the kernel's workers run wherever the submitting thread may.
///
/// Undoes io_uring_register_iowq_aff().
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: the calling thread has never used a ring, or the kernel does not know the operation.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.14.
///
/// # See also
///
/// io_uring_register_iowq_aff().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_iowq_aff(ring: *mut io_uring) -> c_int {
    workers::unregister_affinity(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}

/// Limits how many workers the kernel starts.
///
/// There are two kinds of workers. Bounded ones (`val[0]`) do what ends within a foreseeable time, such as reading a
/// file. Unbounded ones (`val[1]`) do what may take for ever, such as reading a pipe. At first there are at most as
/// many bounded ones as the ring has SQEs or four times the number of CPUs, whichever is less, and as many unbounded
/// ones as `RLIMIT_NPROC` allows. The limits are per NUMA node. Workers that have nothing to do end by themselves.
///
/// `val` has two elements, the new limits; 0 leaves one as it is. On success they hold the limits that were in force
/// before. The array is not needed afterwards.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `val` is NULL, a limit is 2^31 or more, or the kernel does not know the operation.
/// * `-EFAULT`: `val` cannot be read or written.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.15.
///
/// # See also
///
/// io_uring_register_iowq_aff(), getrlimit(2).
///
/// # Safety
///
/// `ring` must be set up, and `val` point to two elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_iowq_max_workers(
    ring: *mut io_uring,
    val: *mut c_uint,
) -> c_int {
    unsafe { workers::set_max(Ring::<Chosen>::new(ring), val) }.as_c()
}
