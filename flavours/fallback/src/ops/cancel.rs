//! Cancelling requests.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::common::unused;
use crate::batch::Batch;
use crate::completion;
use crate::job::Job;
use crate::op::{self, Outcome};
use crate::parked::{self, Found};
use crate::request::How;
use crate::request::{Info, Req};
use crate::ring::Ring;
use crate::run;
use crate::sys;

const FLAGS: u32 = IORING_ASYNC_CANCEL_ALL
    | IORING_ASYNC_CANCEL_FD
    | IORING_ASYNC_CANCEL_ANY
    | IORING_ASYNC_CANCEL_FD_FIXED
    | IORING_ASYNC_CANCEL_USERDATA
    | IORING_ASYNC_CANCEL_OP;

/// Which requests to cancel.
pub struct Which {
    pub user_data: u64,
    pub fd: c_int,
    pub opcode: u8,
    pub flags: u32,
}

pub fn check(_: &Ring, req: &Req) -> Result<(), c_int> {
    if req.has(IOSQE_BUFFER_SELECT) {
        return Err(-libc::EINVAL);
    }
    unused(&[req.offset(), req.file_index().into()])?;
    check_flags(req.op_flags())?;
    let narrow = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_OP;
    if req.op_flags() & IORING_ASYNC_CANCEL_ANY != 0 && req.op_flags() & narrow != 0 {
        return Err(-libc::EINVAL);
    }
    Ok(())
}

/// The refusal of unknown flags.
pub fn check_flags(flags: u32) -> Result<(), c_int> {
    if flags & !FLAGS != 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn cancel(ring: &Arc<Ring>, req: &mut Req, _: How, batch: &mut Batch) -> Outcome {
    batch.post(ring);
    let mut flags = req.op_flags();
    if req.has(IOSQE_FIXED_FILE) && flags & IORING_ASYNC_CANCEL_FD != 0 {
        flags |= IORING_ASYNC_CANCEL_FD_FIXED;
    }
    let which = Which {
        user_data: req.address::<u8>().addr() as u64,
        fd: req.sqe.fd,
        opcode: req.sqe.len as u8,
        flags,
    };
    Outcome::Done(run(ring, &which), 0)
}

/// Completes a request that is cancelled, and whose job was taken from where it waited.
pub fn complete(mut job: Box<Job>) {
    let ring = job.ring.clone();
    let (res, flags) = completion::cancelled(&ring, &mut job.req);
    run::complete(job, res, flags);
}

/// Cancels a request that waits, or has it end where it would wait next. `-EALREADY`: it runs, or waits, and cannot be
/// cancelled. `-ENOENT`: it is complete.
pub fn request(ring: &Ring, id: u64, info: &Info) -> Result<(), c_int> {
    take(ring, id, info).map(|job| job.into_iter().for_each(complete))
}

/// The same, but the job that waited is still to be completed.
fn take(ring: &Ring, id: u64, info: &Info) -> Result<Option<Box<Job>>, c_int> {
    match parked::cancel(ring, id, info) {
        Found::Waiting(job) => Ok(Some(job)),
        Found::Marked => Ok(None),
        Found::Running => Err(-libc::EALREADY),
        Found::Gone => Err(-libc::ENOENT),
    }
}

/// Cancels. A request that has not begun, as it waits for those before it, is not found. Returns how many there were with
/// `IORING_ASYNC_CANCEL_ALL` or `IORING_ASYNC_CANCEL_ANY`, else 0.
pub fn run(ring: &Arc<Ring>, which: &Which) -> c_int {
    let has = |flag| which.flags & flag != 0;
    let file = if !has(IORING_ASYNC_CANCEL_FD) {
        None
    } else if has(IORING_ASYNC_CANCEL_FD_FIXED) {
        match ring.fixed_file(which.fd) {
            Some(file) => Some(file.fd),
            None => return -libc::EBADF,
        }
    } else if sys::open_flags(which.fd) < 0 {
        return -libc::EBADF;
    } else {
        Some(which.fd)
    };
    let any = has(IORING_ASYNC_CANCEL_ANY);
    let file = file.filter(|_| !any);
    let by_op = has(IORING_ASYNC_CANCEL_OP) && !any;
    let by_data = !any && (has(IORING_ASYNC_CANCEL_USERDATA) || !(by_op || file.is_some()));
    let fits = |info: &Info| {
        (!by_op || info.opcode == which.opcode)
            && (!by_data || info.user_data == which.user_data)
            && info.opcode != IORING_OP_LINK_TIMEOUT as u8
    };
    let found: Vec<(u64, Info)> = {
        let state = ring.state.lock();
        let ids = if by_data {
            state.pending.named(which.user_data)
        } else {
            state.pending.matching(fits)
        };
        let known = ids
            .into_iter()
            .filter_map(|id| state.pending.get(id).map(|info| (id, info.copy())));
        known.filter(|(_, info)| fits(info)).collect()
    };
    // By the file, not by the number: requests on it may name it in another way.
    let identity = file.and_then(sys::identity);
    let is_on = |info: &Info, fd| {
        op::is_on_file(info.opcode)
            && sys::identity(info.file) == identity
            && sys::is_one_open_file(info.file, fd)
    };
    let found = found
        .into_iter()
        .filter(|(_, info)| file.is_none_or(|fd| is_on(info, fd)));
    let all = has(IORING_ASYNC_CANCEL_ALL) || has(IORING_ASYNC_CANCEL_ANY);
    let (mut cancelled, mut running) = (0, false);
    // None completes before all are taken: that could end others, as timeouts that count completions.
    let mut jobs = Vec::new();
    for (id, info) in found {
        match take(ring, id, &info) {
            Ok(job) => {
                jobs.extend(job);
                if !all {
                    jobs.into_iter().for_each(complete);
                    return success(info.opcode);
                }
                cancelled += 1;
            }
            Err(error) => running |= error == -libc::EALREADY,
        }
    }
    jobs.into_iter().for_each(complete);
    match (cancelled, running) {
        (0, true) => -libc::EALREADY,
        (0, false) if all => 0,
        (0, false) => -libc::ENOENT,
        (count, _) => {
            if all {
                count
            } else {
                0
            }
        }
    }
}

/// What whoever cancels a request completes with. Of those that wait without a descriptor the kernel says how many it
/// were.
pub fn success(opcode: u8) -> c_int {
    [
        IORING_OP_WAITID,
        IORING_OP_FUTEX_WAIT,
        IORING_OP_FUTEX_WAITV,
    ]
    .iter()
    .any(|counted| opcode == *counted as u8)
    .into()
}
