//! How much memory a ring takes.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_uint;

use crate::Chosen;
use uring_core::abi::params::io_uring_params;
use uring_core::errno::Result;
use uring_core::ring::sizes;

/// `ssize_t`.
type ssize_t = isize;

fn to_ssize(size: Result<usize>) -> ssize_t {
    match size {
        Ok(size) => size as ssize_t,
        Err(error) => error.as_ret() as ssize_t,
    }
}

fn with_flags(flags: c_uint) -> io_uring_params {
    io_uring_params {
        flags,
        ..io_uring_params::default()
    }
}

/// Tells how many bytes of memory a ring takes, as whole pages.
///
/// This is what io_uring_queue_init() maps for `entries` and `flags`, and what a buffer for io_uring_queue_init_mem()
/// must have at least. Without `IORING_SETUP_NO_SQARRAY` in `flags` the array of SQE numbers is counted, which the
/// library leaves out where the kernel allows.
///
/// # Return value
///
/// Bytes, or a negative errno. No ring is made.
///
/// # Errors
///
/// * `-EINVAL`: `entries` is 0, or above 32768 without `IORING_SETUP_CLAMP` in `flags`.
///
/// # See also
///
/// io_uring_memory_size_params(), io_uring_mlock_size().
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_memory_size(entries: c_uint, flags: c_uint) -> ssize_t {
    to_ssize(sizes::memory_size::<Chosen>(entries, &with_flags(flags)))
}

/// Tells how many bytes of memory a ring takes, as whole pages.
///
/// As io_uring_memory_size(), but `IORING_SETUP_CQSIZE` and `cq_entries` count. `*p` is only read.
///
/// # Return value
///
/// Bytes, or a negative errno. No ring is made.
///
/// # Errors
///
/// * `-EINVAL`: as io_uring_memory_size(); or with `IORING_SETUP_CQSIZE` `cq_entries` is 0, below the number of SQEs,
///   or above 65536 without `IORING_SETUP_CLAMP`.
///
/// # See also
///
/// io_uring_memory_size(), io_uring_mlock_size_params().
///
/// # Safety
///
/// `p` is valid for reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_memory_size_params(
    entries: c_uint,
    p: *mut io_uring_params,
) -> ssize_t {
    to_ssize(sizes::memory_size::<Chosen>(entries, unsafe { &*p }))
}

/// Tells how many bytes of the locked-memory limit (`RLIMIT_MEMLOCK`) a ring takes.
///
/// Kernels before 5.12 charge rings to the limit of a process without `CAP_IPC_LOCK`; from 5.12 to 6.13 they do not;
/// from 6.14 on they do again. The kernel at hand is asked with a small ring. The original library answers 0
/// from 5.12 on, also where set-up then fails for want of locked memory. Here the answer is what is charged.
///
/// # Return value
///
/// Bytes, 0 if the kernel charges nothing, or a negative errno. If the kernel refuses a ring, which may be because the
/// limit is used up, the answer is that of a kernel that charges.
///
/// # Errors
///
/// * `-EINVAL`: as io_uring_memory_size().
///
/// # See also
///
/// io_uring_mlock_size_params(), io_uring_memory_size(), getrlimit(2).
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_mlock_size(entries: c_uint, flags: c_uint) -> ssize_t {
    to_ssize(sizes::mlock_size::<Chosen>(entries, &with_flags(flags)))
}

/// Tells how many bytes of the locked-memory limit (`RLIMIT_MEMLOCK`) a ring takes.
///
/// As io_uring_mlock_size(), but `IORING_SETUP_CQSIZE` and `cq_entries` count. `*p` is only read.
///
/// # Return value
///
/// As io_uring_mlock_size().
///
/// # Errors
///
/// * `-EINVAL`: as io_uring_memory_size_params().
///
/// # See also
///
/// io_uring_mlock_size(), io_uring_memory_size_params().
///
/// # Safety
///
/// `p` is valid for reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_mlock_size_params(
    entries: c_uint,
    p: *mut io_uring_params,
) -> ssize_t {
    to_ssize(sizes::mlock_size::<Chosen>(entries, unsafe { &*p }))
}
