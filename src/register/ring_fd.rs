//! The registered ring descriptor.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use crate::Chosen;
use uring_core::abi::io_uring;
use uring_core::ring::handle::Whole;
use uring_core::ring::ring_fd;

/// Registers the ring's descriptor with the calling thread.
///
/// In a program with threads, each system call on a descriptor takes and drops a reference to the file. Once the
/// descriptor is registered, the library enters the kernel by an index instead (and registers by it, on Linux 6.3 and
/// later), which saves that.
///
/// The index is kept in `ring` and belongs to the calling thread: from then on only this thread may use the ring. A
/// thread has 16 such indexes. io_uring_queue_exit() gives the index back if this thread calls it, and so does the end of
/// the thread.
///
/// # Return value
///
/// 1, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EEXIST`: the ring's descriptor is registered; or the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to
///   another thread.
/// * `-EBUSY`: all indexes of the thread are taken.
/// * `-EINVAL`: the kernel does not know the operation.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the ring's descriptor is not open.
/// * `-EACCES`: the ring's restrictions forbid it.
///
/// # Kernel
///
/// 5.18.
///
/// # See also
///
/// io_uring_unregister_ring_fd(), io_uring_close_ring_fd().
///
/// # Safety
///
/// `ring` must be set up, and no other thread use it, now or while it is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_ring_fd(ring: *mut io_uring) -> c_int {
    ring_fd::register(unsafe { Whole::<Chosen>::new(ring) }).as_c()
}

/// Gives the registered index of a ring back. To be called in the thread that has registered it.
///
/// From then on the library uses the descriptor again. If that has been closed (io_uring_close_ring_fd()) or never
/// existed (`IORING_SETUP_REGISTERED_FD_ONLY`), nothing but io_uring_queue_exit() can be done with the ring
/// afterwards.
///
/// # Return value
///
/// 1, or a negative errno.
///
/// # Errors
///
/// * `-EINVAL`: the ring's descriptor is not registered, or another thread has registered it.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.18.
///
/// # See also
///
/// io_uring_register_ring_fd().
///
/// # Safety
///
/// `ring` must be set up, no other thread use it, and this thread have registered it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_ring_fd(ring: *mut io_uring) -> c_int {
    ring_fd::unregister(unsafe { Whole::<Chosen>::new(ring) }).as_c()
}

/// Closes the descriptor of a registered ring.
///
/// The ring lives on under its registered index, and all later calls work as before, except those that map memory from
/// the descriptor (io_uring_resize_rings()) or pass it on. A library may thus use a ring without showing up among the
/// program's descriptors.
///
/// # Return value
///
/// 1, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EOPNOTSUPP`: the kernel does not have `IORING_FEAT_REG_REG_RING`.
/// * `-EINVAL`: the ring's descriptor is not registered.
/// * `-EBADF`: it is closed.
///
/// # Kernel
///
/// 6.3.
///
/// # See also
///
/// io_uring_register_ring_fd().
///
/// # Safety
///
/// `ring` must be set up, and no other thread use it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_close_ring_fd(ring: *mut io_uring) -> c_int {
    ring_fd::close(unsafe { Whole::<Chosen>::new(ring) }).as_c()
}
