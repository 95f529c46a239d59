//! Timeouts.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use super::cancel;
use super::common::unused;
use crate::batch::{Batch, post_more};
use crate::deadline::{deadline, given, on_monotonic, time};
use crate::op::Outcome;
use crate::request::How;
use crate::request::{Place, Req};
use crate::ring::Ring;
use crate::run;
use crate::{poller, sys};

const FLAGS: u32 = IORING_TIMEOUT_ABS
    | IORING_TIMEOUT_BOOTTIME
    | IORING_TIMEOUT_REALTIME
    | IORING_TIMEOUT_ETIME_SUCCESS
    | IORING_TIMEOUT_MULTISHOT;

pub fn check(_: &Ring, req: &Req) -> Result<(), c_int> {
    let flags = req.op_flags();
    let both = |two| flags & two == two;
    unused(&[
        req.buf_index().into(),
        req.file_index().into(),
        req.addr3(),
        req.attributes(),
        (flags & !FLAGS).into(),
    ])?;
    if req.sqe.len != 1
        || both(IORING_TIMEOUT_CLOCK_MASK)
        || both(IORING_TIMEOUT_MULTISHOT | IORING_TIMEOUT_ABS)
        || req.is_link_timeout() && req.offset() != 0
    {
        return Err(-libc::EINVAL);
    }
    time(req).map(drop)
}

fn copy_at(req: &mut Req, at: *const u8) -> Result<(), c_int> {
    // SAFETY: the program vouches for a time.
    let bytes = unsafe { std::slice::from_raw_parts(at, size_of::<__kernel_timespec>()) }.to_vec();
    req.stable().bytes = bytes;
    Ok(())
}

pub fn copy(req: &mut Req) -> Result<(), c_int> {
    copy_at(req, req.address::<u8>())
}

pub fn copy_update(req: &mut Req) -> Result<(), c_int> {
    if req.op_flags() & IORING_TIMEOUT_UPDATE_MASK == 0 {
        return Ok(());
    }
    copy_at(req, req.address2::<u8>())
}

/// `How::Try`: starts it. `How::Ready`: its time has come. `How::Block`: there is no thread to wait for it.
pub fn timeout(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    let until = match deadline(req) {
        Ok(until) => until,
        Err(error) => return Outcome::Done(error, 0),
    };
    let multishot = req.op_flags() & IORING_TIMEOUT_MULTISHOT != 0;
    match how {
        How::Try => {
            let count = req.offset() as u32;
            if count != 0 && !multishot {
                if req.id == 0 {
                    req.id = Ring::next_id();
                }
                batch.post(ring);
                // In the kernel what a submission completes counts from its end on, also for a timeout that comes later.
                let before = batch.counted.filter(|_| !batch.follows);
                let mut state = ring.state.lock();
                let target = before.unwrap_or(state.counts()) + u64::from(count);
                state.counted.push((target, req.id));
                // Relaxed: who posts a completion that counts has held the state since.
                ring.counts.store(true, Ordering::Relaxed);
            }
            Outcome::Park(Place::Timer(until))
        }
        How::Ready => {
            // Relaxed: read by those who are woken for the completion.
            ring.timeouts.fetch_add(1, Ordering::Relaxed);
            ring.state.lock().timed_out += 1;
            let left = req.offset();
            if multishot && left != 1 && post_more(ring, req, -libc::ETIME, 0, batch) {
                if left != 0 {
                    req.sqe.__anon1.off = left - 1;
                }
                return Outcome::Park(Place::Timer(until));
            }
            Outcome::Done(-libc::ETIME, 0)
        }
        How::Block => {
            let time = sys::timespec(until);
            let word = std::sync::atomic::AtomicU32::new(0);
            while sys::monotonic() < until {
                sys::futex_wait(&word, 0, false, Some((time, false)));
            }
            Outcome::Done(-libc::ETIME, 0)
        }
    }
}

/// A link timeout: it is started by the request before it, so here its time has come. `off` is that request's number.
pub fn link(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    if how == How::Try {
        // It follows nothing.
        return Outcome::Done(-libc::EINVAL, 0);
    }
    let of = req.offset();
    let found = ring.state.lock().pending.get(of).map(|info| info.copy());
    let result = match found {
        None => -libc::ECANCELED,
        Some(info) => {
            let cancelled = cancel::request(ring, of, &info);
            match cancelled.map(|()| cancel::success(info.opcode)) {
                Ok(0) => -libc::ETIME,
                Ok(count) => count,
                Err(error) if error == -libc::ENOENT => -libc::ECANCELED,
                Err(error) => error,
            }
        }
    };
    Outcome::Done(result, 0)
}

pub fn check_remove(_: &Ring, req: &Req) -> Result<(), c_int> {
    if req.has(IOSQE_FIXED_FILE) || req.has(IOSQE_BUFFER_SELECT) {
        return Err(-libc::EINVAL);
    }
    unused(&[
        req.buf_index().into(),
        req.sqe.len.into(),
        req.file_index().into(),
        req.addr3(),
        req.attributes(),
    ])?;
    let flags = req.op_flags();
    if flags & IORING_TIMEOUT_UPDATE_MASK == 0 {
        return if flags != 0 {
            Err(-libc::EINVAL)
        } else {
            Ok(())
        };
    }
    let both = flags & IORING_TIMEOUT_CLOCK_MASK == IORING_TIMEOUT_CLOCK_MASK;
    if both || flags & !(IORING_TIMEOUT_UPDATE_MASK | IORING_TIMEOUT_ABS) != 0 {
        return Err(-libc::EINVAL);
    }
    given(req.address2()).map(drop)
}

pub fn remove(ring: &Arc<Ring>, req: &mut Req, _: How, batch: &mut Batch) -> Outcome {
    let user_data = req.address::<u8>().addr() as u64;
    let flags = req.op_flags();
    let opcode = if flags & IORING_LINK_TIMEOUT_UPDATE != 0 {
        IORING_OP_LINK_TIMEOUT
    } else {
        IORING_OP_TIMEOUT
    };
    batch.post(ring);
    let found = {
        let state = ring.state.lock();
        let fits = |id: &u64| {
            state
                .pending
                .get(*id)
                .is_some_and(|info| info.opcode == opcode as u8)
        };
        state.pending.named(user_data).into_iter().find(fits)
    };
    let Some(id) = found else {
        return Outcome::Done(-libc::ENOENT, 0);
    };
    let Some(mut job) = poller::take_timer(id) else {
        return Outcome::Done(-libc::EALREADY, 0);
    };
    if flags & IORING_TIMEOUT_UPDATE_MASK == 0 {
        cancel::complete(job);
        return Outcome::Done(0, 0);
    }
    let at = match req
        .stable
        .as_ref()
        .filter(|stable| !stable.bytes.is_empty())
    {
        Some(stable) => stable.bytes.as_ptr(),
        None => req.address2(),
    };
    let time = given(at);
    // With its new time it counts no completions.
    ring.state.lock().forget_counted(&job.req);
    let again = job.req.op_flags() & IORING_TIMEOUT_MULTISHOT != 0;
    if again && flags & IORING_TIMEOUT_ABS == 0 && copy_at(&mut job.req, at).is_ok() {
        // It comes at this pace from now on, and as in the kernel without end.
        job.req.sqe.__anon1.off = 0;
    }
    let clock = job.req.op_flags() & IORING_TIMEOUT_CLOCK_MASK;
    let (until, result) = match time {
        Ok(time) => (on_monotonic(&time, clock | flags & IORING_TIMEOUT_ABS), 0),
        Err(error) => (deadline(&job.req).unwrap_or(0), error),
    };
    run::park_elsewhere(job, Place::Timer(until));
    Outcome::Done(result, 0)
}
