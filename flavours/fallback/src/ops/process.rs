//! Waiting for processes.

use std::ffi::c_int;
use std::sync::Arc;

use super::common::unused;
use crate::batch::Batch;
use crate::duplicate::Duplicate;
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::{Place, Req};
use crate::ring::Ring;
use crate::sys::{self, sys};

/// How often to look for a child that no descriptor stands for, in nanoseconds.
const LOOK: u64 = 5_000_000;

pub fn check_waitid(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.address::<u8>().addr() as u64,
        req.buf_index().into(),
        req.op_flags().into(),
        req.addr3(),
    ])
}

fn options(req: &Req) -> c_int {
    req.file_index() as c_int
}

/// Looks for a child, and waits for one only if it may. `Some`: the result.
fn look(req: &Req, waits: bool) -> Option<c_int> {
    // SAFETY: a structure of plain numbers, for which zero bytes are a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let (which, id) = (req.sqe.len, req.sqe.fd);
    let asked = options(req);
    let flags = if waits { asked } else { asked | libc::WNOHANG };
    // SAFETY: the kernel writes `info`.
    let ret = unsafe { sys!(SYS_waitid, which, id, &raw mut info, flags, 0) };
    // SAFETY: the call filled it in, or it is zeros.
    let found = unsafe { info.si_pid() } != 0;
    if ret == 0 && !found && asked & libc::WNOHANG == 0 {
        return None;
    }
    let out: *mut libc::siginfo_t = req.address2();
    // The kernel tells that way, too, that there is no child.
    if (ret == 0 || ret == -libc::ECHILD as isize) && !out.is_null() {
        if !sys::is_mapped(out.addr(), size_of::<libc::siginfo_t>()) {
            return Some(-libc::EFAULT);
        }
        // SAFETY: the program vouches for room until the request completes.
        unsafe { out.write_unaligned(info) };
    }
    Some(res(ret))
}

/// A descriptor that becomes readable when the child ends. `None`: none stands for what is waited for.
fn descriptor(req: &Req) -> Option<c_int> {
    if options(req) & (libc::WSTOPPED | libc::WCONTINUED) != 0 {
        return None;
    }
    match req.sqe.len {
        libc::P_PIDFD => Some(sys::duplicate(req.sqe.fd, 0)),
        // SAFETY: no memory is named.
        libc::P_PID => Some(unsafe { sys!(SYS_pidfd_open, req.sqe.fd, 0) as c_int }),
        _ => None,
    }
    .filter(|fd| *fd >= 0)
}

pub fn waitid(_: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    if let Some(result) = look(req, how == How::Block) {
        return Outcome::Done(result, 0);
    }
    if req.duplicate.is_none() {
        req.duplicate = descriptor(req).map(Duplicate);
    }
    Outcome::Park(if req.duplicate.is_some() {
        Place::Poll(libc::EPOLLIN as u32)
    } else {
        Place::Timer(sys::monotonic().saturating_add(LOOK))
    })
}
