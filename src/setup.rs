//! Setting rings up and giving them up.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint, c_void};

use crate::Chosen;
use uring_core::abi::params::io_uring_params;
use uring_core::abi::ring::io_uring;
use uring_core::errno::Ret;
use uring_core::ring::exit;
use uring_core::ring::memory::Buffer;
use uring_core::ring::setup;

/// Sets a ring up.
///
/// `entries` is the number of SQEs wanted, which the kernel rounds up to a power of two; there are twice as many CQEs.
/// `flags` are `IORING_SETUP_*`. On success `*ring`, whose memory is the caller's, holds a ring with its memory mapped,
/// until io_uring_queue_exit().
///
/// The library asks for `IORING_SETUP_NO_SQARRAY` as well, and does without on kernels that do not know it.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched. On failure nothing is left open or mapped, and `*ring` is all
/// zeros, which io_uring_queue_exit() takes for no ring.
///
/// # Errors
///
/// * `-EINVAL`: `entries` is 0, or above 32768 without `IORING_SETUP_CLAMP`; flags are unknown to the kernel or
///   contradict each other.
/// * `-EMFILE`, `-ENFILE`: the process's or the system's descriptors are used up.
/// * `-ENOMEM`: no memory; or the locked-memory limit is reached, for which see io_uring_mlock_size().
/// * `-EPERM`: io_uring is disabled (`kernel.io_uring_disabled`) or forbidden by a security module.
/// * `-ENOSYS`: the kernel has no io_uring, or a seccomp filter hides it.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_queue_init_params(), io_uring_queue_exit(), io_uring_setup(2).
///
/// # Safety
///
/// `ring` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_init(
    entries: c_uint,
    ring: *mut io_uring,
    flags: c_uint,
) -> c_int {
    let mut p = io_uring_params {
        flags,
        ..io_uring_params::default()
    };
    Ret::from(unsafe { setup::init::<Chosen>(entries, ring, &mut p, None) }).as_c()
}

/// Sets a ring up with parameters.
///
/// As io_uring_queue_init(), with what else `*p` says: `flags`, `cq_entries` (with `IORING_SETUP_CQSIZE`),
/// `sq_thread_cpu`, `sq_thread_idle` (milliseconds), `wq_fd` (with `IORING_SETUP_ATTACH_WQ`). The rest must be zero.
/// Afterwards `*p` holds what the kernel made of it: sizes, features, offsets, and in `flags` perhaps
/// `IORING_SETUP_NO_SQARRAY`.
///
/// With `IORING_SETUP_NO_MMAP` the library allocates the rings' memory: a page each for SQEs and rings where that
/// suffices, else huge pages, or ordinary ones if there is no huge page.
///
/// # Return value
///
/// 0, or a negative errno, as io_uring_queue_init().
///
/// # Errors
///
/// As io_uring_queue_init(), and:
///
/// * `-EINVAL`: reserved fields are not zero; fewer CQEs than SQEs; `IORING_SETUP_REGISTERED_FD_ONLY` without
///   `IORING_SETUP_NO_MMAP`; with that flag on kernels before 6.10, a huge page is needed and there is none.
/// * `-EBADF`: `wq_fd` is not open.
/// * `-ENOMEM`: with `IORING_SETUP_NO_MMAP`, SQEs or rings exceed a huge page.
///
/// # Kernel
///
/// 5.1; each flag has its own version.
///
/// # See also
///
/// io_uring_queue_init_mem(), io_uring_setup(2).
///
/// # Safety
///
/// `ring` is valid for writes, `p` for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_init_params(
    entries: c_uint,
    ring: *mut io_uring,
    p: *mut io_uring_params,
) -> c_int {
    Ret::from(unsafe { setup::init::<Chosen>(entries, ring, &mut *p, None) }).as_c()
}

/// Sets a ring up in memory of the caller's.
///
/// As io_uring_queue_init_params() with `IORING_SETUP_NO_MMAP`, which is set in `p->flags`. SQEs and rings are placed
/// at `buf`, which starts on a page boundary and must stay until the ring has been exited; kernels before 6.10 want it
/// to be physically contiguous, as a huge page is. What it held before does not matter. Several rings fit in one buffer,
/// one behind the other: the return value says where the next one may start.
///
/// # Return value
///
/// The number of bytes used of the buffer, in whole pages, or a negative errno. On failure nothing is left behind.
///
/// # Errors
///
/// As io_uring_queue_init_params(), and:
///
/// * `-ENOMEM`: `buf_size` is too small; io_uring_memory_size_params() tells what is needed. Nothing was written.
/// * `-EFAULT`, `-EINVAL`: the kernel cannot use the memory at `buf`.
///
/// # Kernel
///
/// 6.5.
///
/// # See also
///
/// io_uring_memory_size_params(), io_uring_setup(2).
///
/// # Safety
///
/// `ring` is valid for writes, `p` for reads and writes, and `buf` for both, over `buf_size` bytes, until the ring has
/// been exited.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_init_mem(
    entries: c_uint,
    ring: *mut io_uring,
    p: *mut io_uring_params,
    buf: *mut c_void,
    buf_size: usize,
) -> c_int {
    Ret::from(unsafe {
        setup::init_in_memory::<Chosen>(entries, ring, &mut *p, Buffer::new(buf, buf_size))
    })
    .as_c()
}

/// Maps a ring that the caller has set up with io_uring_setup().
///
/// `fd` is the ring's descriptor and `*p` what the kernel filled in. On success `*ring` holds the ring, and the
/// descriptor belongs to it: io_uring_queue_exit() closes it. The ring is as ready for use as one of
/// io_uring_queue_init(); the original library leaves the array of SQE numbers to the program, unless the ring has
/// `IORING_SETUP_NO_SQARRAY`.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched. On failure nothing is left mapped, `*ring` is all zeros, and the
/// descriptor stays open.
///
/// # Errors
///
/// * `-EINVAL`: `*p` does not fit the ring.
/// * `-EBADF`: `fd` is not open.
/// * `-ENOMEM`: no memory or no room in the address space.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_setup(), io_uring_queue_exit().
///
/// # Safety
///
/// `ring` is valid for writes, `p` for reads, and nothing has been submitted to the ring but through this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_mmap(
    fd: c_int,
    p: *mut io_uring_params,
    ring: *mut io_uring,
) -> c_int {
    Ret::from(unsafe { setup::mmap::<Chosen>(fd, &*p, ring) }).as_c()
}

/// Gives a ring up: unmaps its memory and closes its descriptor.
///
/// Requests still in flight are cancelled by the kernel some time later, so their memory must stay valid until they
/// have completed; cancel them and take their completions first.
///
/// A ring that is all zeros, as failed set-up leaves it, and one that has been exited are left alone.
///
/// A registered descriptor is unregistered if the calling thread is the one that registered it. The kernel does it for any
/// other when that one ends, and keeps the ring until then.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_queue_init(), io_uring_register_sync_cancel().
///
/// # Safety
///
/// `ring` is set up and nothing uses it any more, or it is one of those that are left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_exit(ring: *mut io_uring) {
    unsafe { exit::exit::<Chosen>(ring) }
}

/// Keeps a ring's memory from children that are forked later.
///
/// Without it a child shares the rings, and one that writes there confuses parent and kernel.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: the ring is not set up; or its memory is the caller's and not in whole pages of its own.
/// * `-ENOMEM`: the ring's memory is not mapped.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// madvise(2) (`MADV_DONTFORK`).
///
/// # Safety
///
/// `ring` is set up, or all zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_ring_dontfork(ring: *mut io_uring) -> c_int {
    Ret::from(unsafe { exit::dontfork::<Chosen>(ring) }).as_c()
}
