//! Notification through an eventfd.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use crate::Chosen;
use uring_core::abi::io_uring;
use uring_core::register::eventfd;
use uring_core::ring::handle::Ring;

/// Has an eventfd signalled when completions arrive.
///
/// Whenever the kernel posts completions to the ring, it adds to the counter of the eventfd `fd`, which may be watched
/// with poll(2) and its kin. A ring has one eventfd at a time. The kernel keeps the eventfd open by itself.
///
/// The signal says only that it is worth looking at the completion queue. Several completions may come with one signal,
/// and a signal may come without a completion. io_uring_cq_eventfd_toggle() switches the signals off and on.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: the ring has an eventfd.
/// * `-EBADF`: `fd` is not open; or the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EINVAL`: `fd` is not an eventfd.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.2.
///
/// # See also
///
/// io_uring_register_eventfd_async(), io_uring_unregister_eventfd(), io_uring_cq_eventfd_toggle(),
/// eventfd(2).
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_eventfd(ring: *mut io_uring, fd: c_int) -> c_int {
    eventfd::register(unsafe { Ring::<Chosen>::new(ring) }, fd).as_c()
}

/// Has an eventfd signalled when completions arrive that were not posted while submitting.
///
/// Does what io_uring_register_eventfd() does, but completions that are posted inside the call that submits their
/// requests give no signal.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: the ring has an eventfd.
/// * `-EBADF`: `fd` is not open; or the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EINVAL`: `fd` is not an eventfd, or the kernel does not know the operation.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_register_eventfd(), io_uring_unregister_eventfd().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_eventfd_async(ring: *mut io_uring, fd: c_int) -> c_int {
    eventfd::register_async(unsafe { Ring::<Chosen>::new(ring) }, fd).as_c()
}

/// Ends the signals to the ring's eventfd.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-ENXIO`: the ring has no eventfd.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.2.
///
/// # See also
///
/// io_uring_register_eventfd().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_eventfd(ring: *mut io_uring) -> c_int {
    eventfd::unregister(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}
