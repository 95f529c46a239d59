//! Requests on files that may wait for a disk: they go to workers. And advice, which does not wait.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::common::unused;
use crate::batch::Batch;
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::{Class, Place, Req};
use crate::ring::Ring;
use crate::sys::sys;

fn addr(req: &Req) -> u64 {
    req.address::<u8>().addr() as u64
}

/// Runs a call in a worker.
fn in_worker(how: How, call: impl FnOnce() -> isize) -> Outcome {
    match how {
        How::Block => Outcome::Done(res(call()), 0),
        _ => Outcome::Park(Place::Worker(Class::Bounded)),
    }
}

pub fn check_fsync(_: &Ring, req: &Req) -> Result<(), c_int> {
    let negative = req.offset() >> 63;
    unused(&[
        addr(req),
        negative,
        req.buf_index().into(),
        req.file_index().into(),
    ])?;
    if req.op_flags() & !IORING_FSYNC_DATASYNC != 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

/// A range is a hint: all of the file is written, which holds for each of its parts.
pub fn fsync(_: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let fd = req.fd();
    let data_only = req.op_flags() & IORING_FSYNC_DATASYNC != 0;
    in_worker(how, || {
        // SAFETY: no memory is named.
        unsafe {
            if data_only {
                sys!(SYS_fdatasync, fd)
            } else {
                sys!(SYS_fsync, fd)
            }
        }
    })
}

pub fn check_range(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[addr(req), req.buf_index().into(), req.file_index().into()])
}

pub fn range(_: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let (fd, offset, length, flags) = (req.fd(), req.offset(), req.sqe.len, req.op_flags());
    in_worker(how, || {
        // SAFETY: no memory is named.
        unsafe { sys!(SYS_sync_file_range, fd, offset, length, flags) }
    })
}

pub fn check_fallocate(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])
}

pub fn fallocate(_: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let (fd, mode, offset, length) = (req.fd(), req.sqe.len, req.offset(), addr(req));
    in_worker(how, || {
        // SAFETY: no memory is named.
        unsafe { sys!(SYS_fallocate, fd, mode, offset, length) }
    })
}

pub fn check_ftruncate(_: &Ring, req: &Req) -> Result<(), c_int> {
    let fields = [
        addr(req),
        req.sqe.len.into(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
        req.addr3(),
    ];
    unused(&fields)
}

pub fn ftruncate(_: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let (fd, length) = (req.fd(), req.offset());
    in_worker(how, || {
        // SAFETY: no memory is named.
        unsafe { sys!(SYS_ftruncate, fd, length) }
    })
}

pub fn check_fadvise(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])
}

/// The length of an advice: in `addr` where it does not fit into `len`.
fn advised(req: &Req) -> u64 {
    match addr(req) {
        0 => req.sqe.len.into(),
        long => long,
    }
}

pub fn fadvise(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (fd, offset, length, advice) = (req.fd(), req.offset(), advised(req), req.op_flags());
    // SAFETY: no memory is named.
    Outcome::Done(
        res(unsafe { sys!(SYS_fadvise64, fd, offset, length, advice) }),
        0,
    )
}

pub fn check_madvise(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])
}

pub fn madvise(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let length = if req.offset() == 0 {
        req.sqe.len.into()
    } else {
        req.offset()
    };
    // SAFETY: the memory and what becomes of it are the program's.
    Outcome::Done(
        res(unsafe { sys!(SYS_madvise, addr(req), length, req.op_flags()) }),
        0,
    )
}
