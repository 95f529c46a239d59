//! The first shape: descriptor and rings apart.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each function forwards its caller's promise, which stands under Safety"
)]

use core::ffi::{c_int, c_uint};

use uring_core::abi::iovec;

use super::queue::{self, event_to_ret, to_ret};
use crate::abi::*;
use crate::c_types::{io_uring_cq, io_uring_sq};

/// Sets a ring up.
///
/// As io_uring_setup(), with everything mapped: both sides are filled in, and their memory is the caller's.
///
/// # Return value
///
/// The ring's descriptor; or a negative errno, which `errno` has as well, and both sides are as they were.
///
/// # Errors
///
/// Those of io_uring_setup(), negative.
///
/// # Kernel
///
/// 6.5; 6.10 for more than 64 entries.
///
/// # See also
///
/// io_uring_queue_exit(), io_uring_setup().
///
/// # Safety
///
/// `sq` and `cq` are valid for writes, the rest as for io_uring_setup().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_init_split(
    entries: c_uint,
    p: *mut io_uring_params,
    iovecs: *mut iovec,
    sq: *mut io_uring_sq,
    cq: *mut io_uring_cq,
) -> c_int {
    to_ret(unsafe { queue::init(entries, p, iovecs, sq, cq) })
}

/// Closes a ring: its descriptor, its mappings and its thread.
///
/// A second call does nothing, if the structures were not written meanwhile.
///
/// # Kernel
///
/// 6.5.
///
/// # See also
///
/// io_uring_queue_init().
///
/// # Safety
///
/// io_uring_queue_init() gave `fd` and filled the others in. They are not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_exit_split(
    fd: c_int,
    sq: *mut io_uring_sq,
    cq: *mut io_uring_cq,
) {
    unsafe { queue::exit(fd, sq, cq) }
}

/// Takes an event off the ring, and waits if there is none.
///
/// The event can be read until the next call for this ring.
///
/// # Return value
///
/// 0 with the event in `*ev_ptr`; or a negative errno.
///
/// # Errors
///
/// Those of io_uring_enter(), negative.
///
/// # Kernel
///
/// 6.5.
///
/// # See also
///
/// io_uring_submit().
///
/// # Safety
///
/// The ring is set up and no other thread uses it meanwhile; `ev_ptr` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_completion_split(
    fd: c_int,
    cq: *mut io_uring_cq,
    ev_ptr: *mut *mut io_uring_event,
) -> c_int {
    unsafe { event_to_ret(queue::get_completion(fd, cq, true), ev_ptr) }
}

/// Submits the iocbs that were handed out. Those that an earlier call left in the ring come first.
///
/// # Return value
///
/// How many were submitted, 0 if there was nothing; or a negative errno.
///
/// # Errors
///
/// Those of io_uring_enter(), negative.
///
/// # Kernel
///
/// 6.5.
///
/// # See also
///
/// io_uring_get_iocb().
///
/// # Safety
///
/// The ring is set up and no other thread uses it meanwhile. The memory that the iocbs name stays valid until their
/// events are there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit_split(fd: c_int, sq: *mut io_uring_sq) -> c_int {
    to_ret(unsafe { queue::submit(fd, sq) })
}

/// Hands out an iocb to fill in.
///
/// Its members have the values of its last use. It may be handed out again as soon as it was submitted.
///
/// # Return value
///
/// The iocb; or NULL if all are handed out and not yet submitted.
///
/// # Kernel
///
/// 6.5.
///
/// # See also
///
/// io_uring_submit().
///
/// # Safety
///
/// `sq` is set up and no other thread uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_iocb_split(sq: *mut io_uring_sq) -> *mut io_uring_iocb {
    unsafe { queue::get_iocb(sq) }
}
