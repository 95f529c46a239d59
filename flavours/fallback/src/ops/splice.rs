//! Requests that move bytes from a pipe or into one.
//!
//! No worker waits for a pipe: it tries, and then the request waits for the pipe's events. A blocking socket or a device
//! may make its worker wait for ever. Such a request holds its files by duplicates, as nobody waits for that worker.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::common::{IN, OUT, unused};
use crate::batch::Batch;
use crate::op::{Outcome, res};
use crate::request::{Class, How, Place, Req};
use crate::ring::Ring;
use crate::sys::{self, sys};

pub fn check(_: &Ring, req: &Req) -> Result<(), c_int> {
    let known =
        libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MORE | libc::SPLICE_F_GIFT;
    if req.op_flags() & !(known | SPLICE_F_FD_IN_FIXED) != 0 {
        return Err(-libc::EINVAL);
    }
    if req.sqe.opcode == IORING_OP_TEE as u8 {
        unused(&[req.offset(), req.address::<u8>().addr() as u64])
    } else {
        Ok(())
    }
}

/// The descriptors that are read from and written to. The first may be a registered one as well.
fn sides(ring: &Ring, req: &mut Req) -> Result<[c_int; 2], c_int> {
    // With nothing to move the system calls do not look at their descriptors.
    if sys::open_flags(req.fd()) < 0 {
        return Err(-libc::EBADF);
    }
    if req.source().is_none() {
        let file = ring.fixed_file(req.file_index() as c_int);
        req.stable().source = Some(file.ok_or(-libc::EBADF)?);
    }
    let source = req.source().unwrap_or(-1);
    if sys::open_flags(source) < 0 {
        return Err(-libc::EBADF);
    }
    Ok([source, req.fd()])
}

/// A file's type, and the flags that it is open with.
#[derive(Clone, Copy)]
struct Side {
    fd: c_int,
    kind: libc::mode_t,
    flags: c_int,
}

impl Side {
    fn new(fd: c_int) -> Side {
        Side {
            fd,
            kind: sys::file_type(fd) as libc::mode_t,
            flags: sys::open_flags(fd),
        }
    }

    fn is_pipe(self) -> bool {
        self.kind == libc::S_IFIFO
    }

    /// Whether a call on it may wait for ever although it is told not to.
    fn may_block(self) -> bool {
        let ends = [libc::S_IFREG, libc::S_IFBLK, libc::S_IFIFO];
        !ends.contains(&self.kind)
    }

    fn never_waits(self) -> bool {
        self.flags & libc::O_NONBLOCK != 0
    }

    fn lacks(self, events: u32) -> bool {
        sys::poll_now(self.fd, events as i16) == 0
    }
}

/// Runs a call, which gets its flags, in a worker, and again when there is something for it.
fn moved(
    req: &mut Req,
    how: How,
    fds: [c_int; 2],
    is_splice: bool,
    mut call: impl FnMut(u32) -> isize,
) -> Outcome {
    let sides @ [from, to] = fds.map(Side::new);
    let blocks = sides.into_iter().any(Side::may_block);
    if how != How::Block {
        // At the first time all that it has are the program's numbers.
        if blocks && req.id == 0 && !req.keep(0, c_int::MAX) {
            return Outcome::Done(-libc::EMFILE, 0);
        }
        return Outcome::Park(Place::Worker(match blocks {
            true => Class::Unbounded,
            false => Class::Bounded,
        }));
    }
    let asked = req.op_flags() & !SPLICE_F_FD_IN_FIXED;
    let has_to_end = asked & libc::SPLICE_F_NONBLOCK != 0
        || sides
            .into_iter()
            .any(|side| side.is_pipe() && side.never_waits());
    let lacking = || {
        if from.lacks(IN) {
            Some((from, true))
        } else if to.lacks(OUT) {
            Some((to, false))
        } else {
            None
        }
    };
    // A socket that blocks does so whatever the call says. A wrong call is made, and fails.
    let early = if blocks && is_splice && !has_to_end && from.is_pipe() != to.is_pipe() {
        lacking().filter(|(side, _)| {
            let socket = side.kind == libc::S_IFSOCK;
            socket && !side.never_waits()
        })
    } else {
        None
    };
    let lacks = match early {
        Some(lacks) => Some(lacks),
        None => {
            let got = res(call(asked | libc::SPLICE_F_NONBLOCK));
            if got != -libc::EAGAIN || has_to_end {
                return done(req, got);
            }
            lacking()
        }
    };
    match lacks {
        Some((side, _)) if side.never_waits() => done(req, -libc::EAGAIN),
        None if blocks => done(req, res(call(asked))),
        lacks => {
            // What was not there may have come in between: then the event comes at once.
            let from = lacks.is_some_and(|(_, from)| from);
            req.stable().waits_for_source = from;
            Outcome::Park(Place::Poll(if from { IN } else { OUT }))
        }
    }
}

fn done(req: &mut Req, got: c_int) -> Outcome {
    req.short = got != req.sqe.len as c_int;
    Outcome::Done(got, 0)
}

pub fn splice(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let fds @ [from, to] = match sides(ring, req) {
        Ok(fds) => fds,
        Err(error) => return Outcome::Done(error, 0),
    };
    let length = req.sqe.len;
    let (mut from_at, mut to_at) = (req.address::<u8>().addr() as u64, req.offset());
    moved(req, how, fds, true, |flags| {
        let at = |offset: &mut u64| {
            if *offset == u64::MAX {
                std::ptr::null_mut()
            } else {
                std::ptr::from_mut(offset)
            }
        };
        // SAFETY: the offsets are on this stack.
        unsafe {
            sys!(
                SYS_splice,
                from,
                at(&mut from_at),
                to,
                at(&mut to_at),
                length,
                flags
            )
        }
    })
}

pub fn tee(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let fds @ [from, to] = match sides(ring, req) {
        Ok(fds) => fds,
        Err(error) => return Outcome::Done(error, 0),
    };
    let length = req.sqe.len;
    moved(req, how, fds, false, |flags| {
        // SAFETY: no memory is named.
        unsafe { sys!(SYS_tee, from, to, length, flags) }
    })
}
