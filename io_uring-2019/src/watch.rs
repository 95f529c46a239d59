//! Noticing that a program has closed a ring's descriptor itself.
//!
//! A program that calls this library but `close()` of libc leaves the library with a ring that nobody uses. So the file
//! in memory is opened twice. The program gets one open file, which has a lock on it; a thread sleeps in a request for
//! the same lock through the other one. The kernel lets go of the lock when the program's open file goes: when its last
//! descriptor is closed, duplicates and those of children too, and its last mapping is gone. Just so long the posted
//! kernel kept a ring.

use core::ffi::{c_int, c_void};

use uring_core::errno::{Errno, Result};
use uring_core::kernel::{Kernel, Native};

use crate::closing;
use crate::path;
use crate::sys::files;
use crate::thread::{self, Leftover};

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
    match files::lock(fd, false) {
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

unsafe extern "C" fn run(stack: *mut c_void) -> Leftover {
    // SAFETY: written before the thread was started.
    let Watch { anchor, position } = unsafe { stack.cast::<Watch>().read() };
    // The call holds the file, whatever becomes of the descriptor.
    while files::lock(anchor, true) == Err(Errno::EINTR) {}
    // Does nothing if the ring was given up in another way.
    closing::close(position, false);
    Leftover::stack(stack)
}
