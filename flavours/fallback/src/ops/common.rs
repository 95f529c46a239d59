//! What requests of several topics share.

use std::ffi::c_int;
use std::sync::atomic::Ordering;

use uring_core::abi::{IORING_CQE_F_SOCK_NONEMPTY, IORING_RECVSEND_BUNDLE, IOSQE_BUFFER_SELECT};

use crate::duplicate::Duplicate;
use crate::op::Outcome;
use crate::request::{How, Place, Req};
use crate::ring::Ring;
use crate::sys::{self, sys};

pub const IN: u32 = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
pub const OUT: u32 = libc::EPOLLOUT as u32;
/// Errors, which epoll reports unasked.
pub const ERRORS: u32 = 0;
/// How often a multishot request completes before others have their turn.
pub const IN_A_ROW: u32 = 32;
/// After so many calls in a row that found nothing on a ready descriptor a request looks from time to time.
const FRUITLESS: u32 = 16;
/// How long it waits the first time, in nanoseconds. Later it is up to 16 times as long.
const SHORTEST: u64 = 1_000_000;
/// How long a worker waits for events before it looks whether it still has to, in nanoseconds.
const SLICE: u64 = 50_000_000;

/// The same refusal for all fields that the opcode has no use for.
pub fn unused(fields: &[u64]) -> Result<(), c_int> {
    if fields.iter().fold(0, |all, field| all | field) == 0 {
        Ok(())
    } else {
        Err(-libc::EINVAL)
    }
}

/// As a field for [`unused`]: the kernel takes a longer length for one below zero.
pub fn excess(length: u32) -> u64 {
    u64::from(length >> 31)
}

/// Where a request waits that found nothing.
///
/// A descriptor can be ready all the time and have nothing for it: a socket with errors that somebody else has to take, or
/// one whose messages go to a receiver that is full. It would be called again and again. After some calls it looks from time
/// to time, at a descriptor of its own: the program may close its.
pub fn wait_for(req: &mut Req, how: How, events: u32) -> Outcome {
    let fd = req.fd();
    req.fruitless = if how == How::Ready && sys::poll_now(fd, events as i16) != 0 {
        req.fruitless.saturating_add(1)
    } else {
        0
    };
    let Some(more) = req.fruitless.checked_sub(FRUITLESS) else {
        return Outcome::Park(Place::Poll(events));
    };
    if req.file.is_none() && req.duplicate.is_none() {
        let copy = sys::duplicate(fd, sys::APART);
        if copy < 0 {
            return Outcome::Park(Place::Poll(events));
        }
        req.duplicate = Some(Duplicate(copy));
    }
    let pause = (SHORTEST << more.min(4)).saturating_add(sys::monotonic());
    Outcome::Park(Place::Timer(pause))
}

/// Waits in a worker until there are events. `false`: the request was cancelled meanwhile, or its ring given up. From then
/// on it is held: no cancel brings its call back.
pub fn wait_in_worker(ring: &Ring, req: &Req, events: u32) -> bool {
    let mut slot = libc::pollfd {
        fd: req.fd(),
        events: events as i16,
        revents: 0,
    };
    loop {
        let there = sys::poll(std::slice::from_mut(&mut slot), SLICE) != 0;
        // Relaxed: seen in the next slice, if not in this one.
        let closed = ring.closed.load(Ordering::Relaxed);
        let mut state = ring.state.lock();
        let info = state.pending.get_mut(req.id);
        if closed || info.as_ref().is_some_and(|info| info.cancelled) {
            return false;
        }
        if there {
            info.into_iter().for_each(|info| info.held = true);
            return true;
        }
    }
}

/// A request that waits for its descriptor before it is tried. One that must not wait is over.
pub fn poll_first(events: u32, may_wait: bool) -> Outcome {
    if may_wait {
        Outcome::Park(Place::Poll(events))
    } else {
        Outcome::Done(-libc::EAGAIN, 0)
    }
}

/// Whether a request on a socket may wait.
pub fn may_wait(req: &Req) -> bool {
    req.op_flags() & libc::MSG_DONTWAIT as u32 == 0
}

/// Whether a request's call found its file: else the request failed before.
#[cold]
pub fn had_file(req: &Req, error: c_int) -> bool {
    let open = || sys::open_flags(req.fd());
    error != -libc::EBADF || matches!(open(), flags @ 0.. if flags & libc::O_PATH == 0)
}

/// The flags that a request on a socket has in `ioprio`.
pub fn flags(req: &Req) -> u32 {
    req.sqe.ioprio.into()
}

/// Whether a request takes as many buffers as there are. Without buffers to choose from the flag says nothing.
pub fn is_bundle(req: &Req) -> bool {
    flags(req) & IORING_RECVSEND_BUNDLE != 0 && req.has(IOSQE_BUFFER_SELECT)
}

/// Whether more bytes are in a socket: the completion's flag.
pub fn nonempty(fd: c_int) -> u32 {
    let mut left: c_int = 0;
    // SAFETY: the kernel writes one number.
    let ret = unsafe { sys!(SYS_ioctl, fd, libc::FIONREAD, &raw mut left) };
    if ret == 0 && left > 0 && is_stream(fd) {
        IORING_CQE_F_SOCK_NONEMPTY
    } else {
        0
    }
}

/// A number that a socket has as an option, or a negative error number.
pub fn socket_option(fd: c_int, option: c_int) -> Result<c_int, c_int> {
    let mut value: c_int = 0;
    let mut size = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the kernel writes one number and its size.
    let ret = unsafe {
        sys!(
            SYS_getsockopt,
            fd,
            libc::SOL_SOCKET,
            option,
            &raw mut value,
            &raw mut size
        )
    };
    if ret < 0 {
        Err(ret as c_int)
    } else {
        Ok(value)
    }
}

/// Whether a socket delivers bytes.
pub fn is_stream(fd: c_int) -> bool {
    socket_option(fd, libc::SO_TYPE) == Ok(libc::SOCK_STREAM)
}

/// Whether a request may go on with a socket until all is transferred.
pub fn goes_on(fd: c_int) -> bool {
    matches!(
        socket_option(fd, libc::SO_TYPE),
        Ok(libc::SOCK_STREAM | libc::SOCK_SEQPACKET)
    )
}

/// Whether a request asks for all that it names to be transferred.
pub fn waits_for_all(req: &Req) -> bool {
    req.op_flags() & libc::MSG_WAITALL as u32 != 0
}
