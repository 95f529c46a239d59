//! The second shape: one `struct io_uring`.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each function forwards its caller's promise, which stands under Safety"
)]

use core::ffi::{c_int, c_uint};

use uring_core::abi::iovec;

use super::queue::{self, event_to_ret, to_ret};
use crate::abi::*;
use crate::c_types::io_uring;

/// Sets a ring up.
///
/// As io_uring_setup(), with everything mapped: `*ring` is filled in, and its memory is the caller's.
///
/// # Return value
///
/// 0; or a negative errno, which `errno` has as well, and `*ring` is as it was.
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
/// `ring` is valid for writes, the rest as for io_uring_setup().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_init(
    entries: c_uint,
    p: *mut io_uring_params,
    iovecs: *mut iovec,
    ring: *mut io_uring,
) -> c_int {
    to_ret(unsafe {
        queue::init(entries, p, iovecs, &raw mut (*ring).sq, &raw mut (*ring).cq).map(|fd| {
            (*ring).ring_fd = fd;
            0
        })
    })
}

/// Closes a ring: its descriptor, its mappings and its thread.
///
/// A second call does nothing, if the structure was not written meanwhile.
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
/// `ring` was filled in by io_uring_queue_init(), and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_queue_exit(ring: *mut io_uring) {
    unsafe { queue::exit((*ring).ring_fd, &raw mut (*ring).sq, &raw mut (*ring).cq) }
}

/// Takes an event off the ring, if there is one.
///
/// The event can be read until the next call for this ring.
///
/// # Return value
///
/// 0 with the event in `*ev_ptr`, which is NULL if there is none; or a negative errno.
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
/// io_uring_wait_completion(), io_uring_iocb_from_ev().
///
/// # Safety
///
/// `ring` is set up and no other thread uses it meanwhile; `ev_ptr` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_completion(
    ring: *mut io_uring,
    ev_ptr: *mut *mut io_uring_event,
) -> c_int {
    unsafe {
        let event = queue::get_completion((*ring).ring_fd, &raw mut (*ring).cq, false);
        event_to_ret(event, ev_ptr)
    }
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
/// io_uring_get_completion(), io_uring_iocb_from_ev().
///
/// # Safety
///
/// As for io_uring_get_completion().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_wait_completion(
    ring: *mut io_uring,
    ev_ptr: *mut *mut io_uring_event,
) -> c_int {
    unsafe {
        let event = queue::get_completion((*ring).ring_fd, &raw mut (*ring).cq, true);
        event_to_ret(event, ev_ptr)
    }
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
/// `ring` is set up and no other thread uses it meanwhile. The memory that the iocbs name stays valid until their
/// events are there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_submit(ring: *mut io_uring) -> c_int {
    to_ret(unsafe { queue::submit((*ring).ring_fd, &raw mut (*ring).sq) })
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
/// `ring` is set up and no other thread uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_get_iocb(ring: *mut io_uring) -> *mut io_uring_iocb {
    unsafe { queue::get_iocb(&raw mut (*ring).sq) }
}
