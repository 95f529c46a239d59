//! Noticing that a program has closed a ring's descriptor itself.
//!
//! A program that calls this library but `close()` of libc leaves the library with a ring that nobody uses. So the file
//! in memory is opened twice. The program gets one open file, which has a lock on it; a thread sleeps in a request for
//! the same lock through the other one. The kernel lets go of the lock when the program's open file goes: when its last
//! descriptor is closed, duplicates and those of children too, and its last mapping is gone. Just so long the posted
//! kernel kept a ring.

use core::ffi::{c_int, c_void};

use liburing::abi::register::io_uring_sync_cancel_reg;
use liburing::abi::request::{IORING_ASYNC_CANCEL_ALL, IORING_ASYNC_CANCEL_ANY};
use liburing::errno::{Errno, Result};
use liburing::kernel::{Kernel, Native};
use liburing::register::cancel;

use crate::path;
use crate::pool::{self, Ring};
use crate::sys;
use crate::thread::{self, Leaves};

/// What the thread needs, at the low end of its stack.
struct Watch {
    anchor: c_int,
    position: u64,
}

/// Makes a second open file of the one in memory that `anchor` leads to, and locks it.
///
/// # Errors
///
/// Those of opening a file below `/proc`.
pub fn reopen(anchor: c_int) -> Result<c_int> {
    let fd = path::open_numbered(b"/proc/thread-self/fd/", anchor as u32, true)?;
    match sys::lock(fd, false) {
        Ok(()) => Ok(fd),
        Err(error) => {
            let _ = Native::close(fd);
            Err(error)
        }
    }
}

/// Starts the thread that closes the ring at `position` when the open file of [`reopen`] has gone.
pub fn start(anchor: c_int, position: u64) -> Result<()> {
    let stack = thread::stack()?;
    // SAFETY: the stack is new, and the thread is far from its low end.
    unsafe {
        stack.cast::<Watch>().write(Watch { anchor, position });
        thread::start(stack, run, stack, None)
            .map(drop)
            .inspect_err(|_| thread::unmap_stack(stack))
    }
}

unsafe extern "C" fn run(stack: *mut c_void) -> Leaves {
    // SAFETY: written before the thread was started.
    let Watch { anchor, position } = unsafe { stack.cast::<Watch>().read() };
    // The call holds the file, whatever becomes of the descriptor.
    while sys::lock(anchor, true) == Err(Errno::EINTR) {}
    // Does nothing if the ring was given up in another way.
    pool::close(position, false);
    Leaves::stack(stack)
}

/// Cancels the requests of a ring whose open file has gone from all processes. A child that closed its copy of the
/// program's descriptor may still have one of today's, which keeps the ring alive.
///
/// # Safety
///
/// Today's ring is set up.
pub unsafe fn cancel_if_gone(ring: &mut Ring) {
    let Some(anchor) = ring.anchor.get() else {
        return;
    };
    // The lock stays with the anchor, which goes next.
    if sys::lock(anchor, false).is_ok() {
        // What cannot be cancelled ends by itself: it is not waited for.
        let mut all = io_uring_sync_cancel_reg {
            flags: IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
            ..io_uring_sync_cancel_reg::default()
        };
        // SAFETY: the caller vouches for the ring.
        let _ = unsafe { cancel::sync_cancel::<Native>(&raw mut ring.today, &raw mut all) };
    }
}
