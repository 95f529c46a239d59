//! Zero-copy sends. Here they copy.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::common::{flags, unused};
use super::message::{check_sent, current, send, sendmsg};
use crate::batch::Batch;
use crate::memory::Completion;
use crate::op::Outcome;
use crate::request::How;
use crate::request::Req;
use crate::ring::Ring;

pub fn check_zc(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.addr3(), req.attributes()])?;
    let registered_vector = IORING_SEND_VECTORIZED | IORING_RECVSEND_FIXED_BUF;
    let wrong = req.is(IORING_OP_SEND_ZC) && flags(req) & registered_vector == registered_vector;
    if wrong || req.has(IOSQE_CQE_SKIP_SUCCESS) {
        return Err(-libc::EINVAL);
    }
    let known = IORING_RECVSEND_POLL_FIRST
        | IORING_RECVSEND_FIXED_BUF
        | IORING_SEND_ZC_REPORT_USAGE
        | IORING_SEND_VECTORIZED;
    check_sent(req, known)
}

/// Data is copied, so the memory is free at once: the second completion follows the first.
fn zc(ring: &Arc<Ring>, req: &mut Req, outcome: Outcome, batch: &mut Batch) -> Outcome {
    const COPIED: u32 = 1 << 31;
    let Outcome::Done(res, _) = outcome else {
        return outcome;
    };
    batch.post(ring);
    let first = Completion {
        user_data: req.sqe.user_data,
        res,
        flags: IORING_CQE_F_MORE,
        ..Completion::default()
    };
    ring.post_alone(first, !batch.within_enter);
    req.short |= res < 0;
    let report = flags(req) & IORING_SEND_ZC_REPORT_USAGE != 0;
    Outcome::Done(if report { COPIED as c_int } else { 0 }, IORING_CQE_F_NOTIF)
}

/// The registered buffer that a request sends from. `false`: it holds no such range.
fn find_fixed(ring: &Ring, req: &mut Req, start: usize, length: usize) -> bool {
    if flags(req) & IORING_RECVSEND_FIXED_BUF == 0 || req.buffer.is_some() {
        return true;
    }
    let state = ring.state.lock();
    let buffer = state
        .buffers
        .as_ref()
        .and_then(|all| all.get(req.buf_index() as usize))
        .cloned()
        .flatten();
    drop(state);
    req.buffer = buffer.filter(|buffer| buffer.holds(start, length));
    req.buffer.is_some()
}

pub fn send_zc(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if !find_fixed(ring, req, req.address::<u8>().addr(), req.sqe.len as usize) {
        return zc(ring, req, Outcome::Done(-libc::EFAULT, 0), batch);
    }
    let outcome = send(ring, req, how, batch);
    zc(ring, req, outcome, batch)
}

pub fn sendmsg_zc(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if flags(req) & IORING_RECVSEND_FIXED_BUF != 0 && req.buffer.is_none() {
        let mut rest = Vec::new();
        let message = match current(req, &mut rest) {
            Ok(message) => message,
            Err(error) => return zc(ring, req, Outcome::Done(error, 0), batch),
        };
        let vectors = if message.msg_iovlen == 0 {
            Vec::new()
        } else {
            // SAFETY: a header with its vector, which is the program's, the copy's or `rest`.
            unsafe { std::slice::from_raw_parts(message.msg_iov, message.msg_iovlen as usize) }
                .to_vec()
        };
        for vector in vectors {
            req.buffer = None;
            if !find_fixed(ring, req, vector.iov_base.addr(), vector.iov_len) {
                return zc(ring, req, Outcome::Done(-libc::EFAULT, 0), batch);
            }
        }
    }
    let outcome = sendmsg(ring, req, how, batch);
    zc(ring, req, outcome, batch)
}
