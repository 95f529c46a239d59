//! Noticing that a program has closed a ring's descriptor by a call that this library does not see.
//!
//! A program may link with this library and call `close()` of libc. So the memory file is opened twice. The program
//! gets one open file, which has a lock on it. A thread sleeps while it asks for the same lock through the other open
//! file, the anchor. The kernel releases the lock when the program's open file goes: when the last descriptor is
//! closed, duplicates and those of children too, and the last mapping is gone. The posted kernel kept a ring for as
//! long.

use core::ffi::{c_int, c_void};

use uring_core::errno::{Errno, Result};

use crate::closing;
use crate::path;
use crate::sys::files;
use crate::thread::{self, Leftover};

/// The thread's argument, at the low end of its stack.
struct Watch {
    anchor: c_int,
    position: u64,
}

/// Opens the memory file of `anchor` a second time, and locks that open file.
///
/// # Errors
///
/// Those of opening a file below `/proc`.
pub fn reopen(anchor: c_int) -> Result<c_int> {
    let fd = path::open_numbered(b"/proc/thread-self/fd/", anchor as u32, true)?;
    match files::lock(fd, false) {
        Ok(()) => Ok(fd),
        Err(error) => {
            files::close(fd);
            Err(error)
        }
    }
}

/// Starts the thread that closes the ring at `position` when the open file of [`reopen`] has gone.
pub fn start(anchor: c_int, position: u64) -> Result<()> {
    let stack = thread::stack()?;
    // SAFETY: the stack is new and large enough, and the thread does not get down to its low end.
    unsafe {
        stack.cast::<Watch>().write(Watch { anchor, position });
        thread::start(stack, run, stack, None)
            .map(drop)
            .inspect_err(|_| thread::unmap_stack(stack))
    }
}

unsafe extern "C" fn run(stack: *mut c_void) -> Leftover {
    // SAFETY: `start` wrote it before it started the thread.
    let Watch { anchor, position } = unsafe { stack.cast::<Watch>().read() };
    // The system call keeps the open file while it waits, even if the descriptor is closed.
    while files::lock(anchor, true) == Err(Errno::EINTR) {}
    // Does nothing if the ring was closed in another way.
    closing::close(position, false);
    Leftover::stack(stack)
}
