//! Reads that complete each time that there is something.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::buffers;
use super::common::wait_for;
use super::rw::{check, check_polled, on_disk, transfer};
use crate::batch::{Batch, post_more};
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::{Class, Place, Req};
use crate::ring::Ring;
use crate::sys;

const IN: u32 = libc::EPOLLIN as u32;

pub fn check_multishot(ring: &Ring, req: &Req) -> Result<(), c_int> {
    let named = !req.address::<u8>().is_null() || req.sqe.len != 0;
    if !req.has(IOSQE_BUFFER_SELECT) || named {
        return Err(-libc::EINVAL);
    }
    check(ring, req)
}

/// What a file is refused with that cannot be read from again and again. As it is refused first, no buffer is used.
fn check_stream(ring: &Ring, req: &Req) -> Result<(), c_int> {
    let (fd, flags) = (req.fd(), req.op_flags() as c_int);
    let kind = sys::file_type(fd);
    if kind < 0 {
        return Err(kind);
    }
    if on_disk(kind) || kind as libc::mode_t == libc::S_IFDIR {
        return Err(-libc::EBADFD);
    }
    let open = sys::open_flags(fd);
    if open & libc::O_ACCMODE == libc::O_WRONLY {
        return Err(-libc::EBADF);
    }
    let known = libc::RWF_HIPRI | libc::RWF_NOWAIT | libc::RWF_DSYNC | libc::RWF_SYNC;
    if flags & !(known | libc::RWF_APPEND | libc::RWF_NOAPPEND) != 0 {
        return Err(-libc::EOPNOTSUPP);
    }
    check_polled(ring, req, open)
}

/// A read for each time that there is something, each into a provided buffer.
pub fn read_multishot(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if let Err(error) = check_stream(ring, req) {
        return Outcome::Done(error, 0);
    }
    let fd = req.fd();
    let mut is_new = how == How::Try && req.id == 0;
    loop {
        if sys::poll_now(fd, libc::POLLIN) == 0 {
            if is_new && buffers::lacks(ring, req) {
                return Outcome::Done(-libc::ENOBUFS, 0);
            }
            return Outcome::Park(Place::Poll(IN));
        }
        if req.picked.is_none() {
            match buffers::pick(ring, req, 0, how == How::Block) {
                Ok(picked) => req.picked = Some(picked),
                Err(error) => return Outcome::Done(error, 0),
            }
        }
        let flags = if how == How::Block {
            0
        } else {
            libc::RWF_NOWAIT
        };
        let ret = transfer(req, false, flags);
        let parked = match -(ret.min(0)) as c_int {
            libc::EAGAIN => Some(wait_for(req, how, IN)),
            // Another reader may take what is there: then this one waits.
            libc::EOPNOTSUPP if flags != 0 => Some(Outcome::Park(Place::Worker(Class::Unbounded))),
            _ => None,
        };
        if let Some(parked) = parked {
            buffers::put_back(ring, req);
            return parked;
        }
        let flags = req.picked.take().map_or(0, |picked| {
            picked.flags(&mut ring.state.lock().groups, res(ret))
        });
        if ret <= 0 || !post_more(ring, req, res(ret), flags, batch) {
            return Outcome::Done(res(ret), flags);
        }
        is_new = false;
    }
}
