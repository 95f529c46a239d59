//! Busy polling of network devices.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use crate::Chosen;
use uring_core::abi::{io_uring, io_uring_napi};
use uring_core::register::napi;
use uring_core::ring::handle::Ring;

/// Has waits poll the network devices.
///
/// While a thread waits for completions, the kernel polls the devices that the ring's sockets receive from, instead of
/// sleeping until they interrupt. That takes CPU time and shortens the way of a packet. `napi` has the settings:
///
/// * `busy_poll_to`: how long to poll at most, in microseconds.
/// * `prefer_busy_poll`: not 0 to ask devices to hold back interrupts while being polled, as the socket option
///   `SO_PREFER_BUSY_POLL` does.
///
/// `pad` and `resv` must be 0. On success the settings that were in force before are written back to `napi`. The
/// structure is not needed afterwards.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: the ring has `IORING_SETUP_IOPOLL`; `napi` is NULL; a member that must be 0 is not; or the kernel does
///   not know the operation.
/// * `-EOPNOTSUPP`: the kernel is built without busy polling.
/// * `-EFAULT`: `napi` cannot be read or written.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.9.
///
/// # See also
///
/// io_uring_unregister_napi(), socket(7).
///
/// # Safety
///
/// `ring` must be set up, and `napi` point to settings that may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_napi(
    ring: *mut io_uring,
    napi: *mut io_uring_napi,
) -> c_int {
    unsafe { napi::register(Ring::<Chosen>::new(ring), napi) }.as_c()
}

/// Ends the polling of network devices.
///
/// # Return value
///
/// 0, or a negative errno. On success the settings that were in force are written to `napi`, unless it is NULL.
///
/// # Errors
///
/// * `-EINVAL`: the kernel does not know the operation.
/// * `-EOPNOTSUPP`: the kernel is built without busy polling.
/// * `-EFAULT`: `napi` cannot be written.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.9.
///
/// # See also
///
/// io_uring_register_napi().
///
/// # Safety
///
/// `ring` must be set up, and `napi` be NULL or point to settings that may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_napi(
    ring: *mut io_uring,
    napi: *mut io_uring_napi,
) -> c_int {
    unsafe { napi::unregister(Ring::<Chosen>::new(ring), napi) }.as_c()
}
