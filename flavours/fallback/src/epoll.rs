//! Sets of descriptors that the kernel waits for.

use std::ffi::c_int;

use crate::sys::{self, sys};

/// Events that one call brings at most.
pub const AT_ONCE: usize = 128;
/// How often a thread that looks for events goes on while there are as many as one call brings: requests that receive
/// again and again may have events without end.
pub const LOOKS: u32 = 64;
/// Values of epoll's user data for descriptors that belong to no request.
pub const WAKE: u64 = 1 << 32;
pub const EDGE: u64 = 2 << 32;
pub const AIO: u64 = 3 << 32;
pub type Events = [libc::epoll_event; AT_ONCE];
pub const NO_EVENTS: Events = [libc::epoll_event { events: 0, u64: 0 }; AT_ONCE];

/// Waits for events at most so long. Returns how many there are, or a negative error number.
pub fn sleep(set: c_int, events: &mut Events, nanoseconds: u64) -> c_int {
    let time = sys::timespec(nanoseconds);
    let at = events.as_mut_ptr();
    // SAFETY: as many events as there is room for, and a time on this stack.
    let mut got = unsafe { sys!(SYS_epoll_pwait2, set, at, AT_ONCE, &raw const time, 0, 8) };
    if got == -libc::ENOSYS as isize || got == -libc::EPERM as isize {
        let milliseconds = nanoseconds.div_ceil(1_000_000).min(i32::MAX as u64);
        // SAFETY: as above.
        got = unsafe { sys!(SYS_epoll_pwait, set, at, AT_ONCE, milliseconds, 0, 8) };
    }
    got as c_int
}

/// Changes what a set waits for at a descriptor.
pub fn control(set: c_int, op: c_int, fd: c_int, events: u32, data: u64) -> c_int {
    let mut event = libc::epoll_event { events, u64: data };
    // SAFETY: the kernel reads the event.
    unsafe { sys!(SYS_epoll_ctl, set, op, fd, &raw mut event) as c_int }
}

/// Makes a set, a second one for edges, which is a member of the first, and an eventfd that ends a sleep.
pub fn make() -> Option<(c_int, c_int, c_int)> {
    // SAFETY: no memory is named.
    let (level, edge) = unsafe {
        let make = || sys::apart(sys!(SYS_epoll_create1, libc::EPOLL_CLOEXEC) as c_int);
        (make(), make())
    };
    let wake = sys::apart(sys::eventfd());
    let usable = level >= 0
        && edge >= 0
        && control(level, libc::EPOLL_CTL_ADD, wake, libc::EPOLLIN as u32, WAKE) == 0
        && control(level, libc::EPOLL_CTL_ADD, edge, libc::EPOLLIN as u32, EDGE) == 0;
    if usable {
        return Some((level, edge, wake));
    }
    for fd in [level, edge, wake] {
        if fd >= 0 {
            sys::close(fd);
        }
    }
    None
}
