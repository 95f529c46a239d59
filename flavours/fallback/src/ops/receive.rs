//! Receiving on sockets.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::common::{
    ERRORS, IN, IN_A_ROW, excess, flags, is_bundle, is_stream, may_wait, nonempty, poll_first,
    unused, wait_for, waits_for_all,
};
use super::message::{attempt, current, header, length};
use super::{buffers, bundle};
use crate::batch::{Batch, post_more};
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::{Place, Req};
use crate::resources::groups::Picked;
use crate::ring::Ring;
use crate::sys::{self, sys};
use crate::untried;

/// What was received is not all of a message.
const CUT: c_int = libc::MSG_TRUNC | libc::MSG_CTRUNC;

/// The events that tell of what a request receives.
fn awaited(req: &Req) -> u32 {
    if req.op_flags() & libc::MSG_ERRQUEUE as u32 == 0 {
        IN
    } else {
        ERRORS
    }
}

fn multishot(req: &Req) -> bool {
    flags(req) & IORING_RECV_MULTISHOT != 0
}

pub fn check_recv(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.offset(), req.file_index().into(), excess(req.sqe.len)])?;
    let plain = req.is(IORING_OP_RECV);
    let known = IORING_RECVSEND_POLL_FIRST
        | IORING_RECV_MULTISHOT
        | if plain { IORING_RECVSEND_BUNDLE } else { 0 };
    if flags(req) & !known != 0 {
        return Err(-libc::EINVAL);
    }
    if multishot(req) && (!req.has(IOSQE_BUFFER_SELECT) || waits_for_all(req)) {
        return Err(-libc::EINVAL);
    }
    if plain {
        return Ok(());
    }
    sys::not_null(req.address::<u8>())
}

/// What becomes of a request that is not tried at its turn.
fn not_at_its_turn(ring: &Ring, req: &Req, how: How, batch: &mut Batch) -> Option<Outcome> {
    // What is out of band, or errors, is there or not.
    let at_once = libc::MSG_DONTWAIT | libc::MSG_OOB | libc::MSG_ERRQUEUE;
    let plain = flags(req) == 0 && req.op_flags() & at_once as u32 == 0;
    if how != How::Try || req.id != 0 || !plain {
        return None;
    }
    let outcome = untried::turn(req, batch)?;
    let refused = req.has(IOSQE_BUFFER_SELECT) && buffers::lacks(ring, req);
    (!refused).then_some(outcome)
}

/// A request waits for something to put into a buffer. `before`: how often it has just completed. It hears at once if it is
/// new and there is no buffer, and so it does after the last message that there was a buffer for.
fn wait_to_fill(ring: &Ring, req: &Req, how: How, before: u32) -> Outcome {
    let is_new = how == How::Try && req.id == 0 && before == 0;
    if (is_new || before > 0) && buffers::lacks(ring, req) && (is_new || !is_stream(req.fd())) {
        Outcome::Done(-libc::ENOBUFS, 0)
    } else {
        Outcome::Park(Place::Poll(IN))
    }
}

pub fn recv(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if is_bundle(req) {
        return bundle::transfer(ring, req, how, batch, false);
    }
    if multishot(req) {
        return recv_multishot(ring, req, how, batch);
    }
    if let Some(outcome) = not_at_its_turn(ring, req, how, batch) {
        return outcome;
    }
    if req.has(IOSQE_BUFFER_SELECT) && req.picked.is_none() {
        // A buffer is picked when there is something to put into it.
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 && may_wait(req) {
            return wait_to_fill(ring, req, how, 0);
        }
        match pick(ring, req, how, req.sqe.len as usize) {
            Ok(picked) => req.picked = Some(picked),
            Err(error) => return Outcome::Done(error, 0),
        }
    }
    let (at, total) = match &req.picked {
        Some(picked) => (picked.address, picked.length),
        None => (req.address::<u8>().addr(), req.sqe.len as usize),
    };
    let (all, cut) = (waits_for_all(req), Cell::new(false));
    let outcome = attempt(ring, req, how, awaited(req), (total, all), |req, flags| {
        if all {
            return receive_all(req, (at + req.done, total - req.done), flags, &cut);
        }
        // SAFETY: the memory is the program's.
        unsafe { sys!(SYS_recvfrom, req.fd(), at, total, flags, 0, 0) }
    });
    req.short |= cut.get();
    outcome
}

/// Receives into so many bytes there, and notes whether the kernel cut a message off.
fn receive_all(req: &Req, (at, length): (usize, usize), flags: u32, cut: &Cell<bool>) -> isize {
    let mut vector = libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(at),
        iov_len: length,
    };
    // SAFETY: a structure of numbers and pointers, for which zero bytes are a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    // SAFETY: the memory is the program's.
    let ret = unsafe { sys!(SYS_recvmsg, req.fd(), &raw mut message, flags) };
    cut.set(ret >= 0 && message.msg_flags & CUT != 0);
    ret
}

/// The buffer of a request that receives once.
fn pick(ring: &Ring, req: &mut Req, how: How, most: usize) -> Result<Picked, c_int> {
    // The kernel has a worker try such first, which gives nothing back.
    let use_up = how == How::Block || req.has(IOSQE_ASYNC);
    buffers::pick(ring, req, most, use_up)
}

/// The buffer of a multishot request's next round: one that it could not give back, or a new one.
fn next_buffer(ring: &Ring, req: &mut Req, most: usize) -> Result<Picked, c_int> {
    match req.picked.take() {
        Some(picked) => Ok(picked),
        None => buffers::pick(ring, req, most, false),
    }
}

fn recv_multishot(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if how == How::Try && flags(req) & IORING_RECVSEND_POLL_FIRST != 0 && req.id == 0 {
        return poll_first(IN, may_wait(req));
    }
    for before in 0..IN_A_ROW {
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 {
            return wait_to_fill(ring, req, how, before);
        }
        let picked = match next_buffer(ring, req, req.sqe.len as usize) {
            Ok(picked) => picked,
            Err(error) => return Outcome::Done(error, 0),
        };
        let asked = req.op_flags() | libc::MSG_DONTWAIT as u32;
        // SAFETY: a buffer that the program provided.
        let ret = unsafe {
            sys!(
                SYS_recvfrom,
                req.fd(),
                picked.address,
                picked.length,
                asked,
                0,
                0
            )
        };
        if ret == -libc::EAGAIN as isize {
            req.picked = Some(picked);
            buffers::put_back(ring, req);
            return wait_for(req, how, IN);
        }
        let flags = picked.flags(&mut ring.state.lock().groups, res(ret));
        if ret <= 0 {
            return Outcome::Done(res(ret), flags);
        }
        let flags = flags | nonempty(req.fd());
        if !post_more(ring, req, res(ret), flags, batch) {
            return Outcome::Done(res(ret), flags);
        }
    }
    Outcome::Park(Place::Poll(IN))
}

pub fn recvmsg(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if multishot(req) {
        return recvmsg_multishot(ring, req, how, batch);
    }
    if let Some(outcome) = not_at_its_turn(ring, req, how, batch) {
        return outcome;
    }
    if req.has(IOSQE_BUFFER_SELECT) && req.picked.is_none() {
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 && may_wait(req) {
            return wait_to_fill(ring, req, how, 0);
        }
        let most = match current(req, &mut Vec::new()) {
            Ok(message) if message.msg_iovlen > 1 => return Outcome::Done(-libc::EINVAL, 0),
            Ok(message) => length(&message),
            Err(error) => return Outcome::Done(error, 0),
        };
        match pick(ring, req, how, most) {
            Ok(picked) => req.picked = Some(picked),
            Err(error) => return Outcome::Done(error, 0),
        }
    }
    let (total, controls) = match current(req, &mut Vec::new()) {
        Ok(message) => (length(&message) + req.done, message.msg_controllen),
        Err(error) => return Outcome::Done(error, 0),
    };
    let program: *mut libc::msghdr = req.address();
    // With room for control data it ends with what comes first.
    let all = waits_for_all(req) && controls == 0;
    let cut = Cell::new(false);
    let outcome = attempt(ring, req, how, awaited(req), (total, all), |req, flags| {
        let mut rest = Vec::new();
        match current(req, &mut rest) {
            Ok(mut message) => {
                // SAFETY: the header names memory of the program's.
                let ret = unsafe { sys!(SYS_recvmsg, req.fd(), &raw mut message, flags) };
                if ret >= 0 {
                    cut.set(message.msg_flags & CUT != 0);
                    // SAFETY: the program's header stays until the request completes. What the kernel fills in.
                    unsafe {
                        (*program).msg_namelen = message.msg_namelen;
                        (*program).msg_controllen = message.msg_controllen;
                        (*program).msg_flags = message.msg_flags;
                    }
                }
                ret
            }
            Err(error) => error as isize,
        }
    });
    req.short |= waits_for_all(req) && cut.get();
    outcome
}

/// Each message goes into a provided buffer: a header, the name, control data, and then the payload.
fn recvmsg_multishot(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if how == How::Try && flags(req) & IORING_RECVSEND_POLL_FIRST != 0 && req.id == 0 {
        return poll_first(IN, may_wait(req));
    }
    let asked = match req
        .stable
        .as_ref()
        .and_then(|stable| stable.message.as_ref())
    {
        Some(copy) => copy.header,
        None => match header(req) {
            Ok(header) => header,
            Err(error) => return Outcome::Done(error, 0),
        },
    };
    let (names, controls) = (asked.msg_namelen as usize, asked.msg_controllen as usize);
    let front = size_of::<io_uring_recvmsg_out>() + names + controls;
    for before in 0..IN_A_ROW {
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 {
            return wait_to_fill(ring, req, how, before);
        }
        let picked = match next_buffer(ring, req, 0) {
            Ok(picked) => picked,
            Err(error) => return Outcome::Done(error, 0),
        };
        if picked.length < front {
            let flags = picked.flags(&mut ring.state.lock().groups, -libc::EFAULT);
            return Outcome::Done(-libc::EFAULT, flags);
        }
        let start: *mut u8 = std::ptr::with_exposed_provenance_mut(picked.address);
        let mut payload = libc::iovec {
            iov_base: std::ptr::with_exposed_provenance_mut(picked.address + front),
            iov_len: picked.length - front,
        };
        let mut message = asked;
        message.msg_iov = &raw mut payload;
        message.msg_iovlen = 1;
        let name_at = size_of::<io_uring_recvmsg_out>();
        message.msg_name = start.wrapping_add(name_at).cast();
        message.msg_control = start.wrapping_add(name_at + names).cast();
        if names == 0 {
            message.msg_name = std::ptr::null_mut();
        }
        if controls == 0 {
            message.msg_control = std::ptr::null_mut();
        }
        let flags = req.op_flags() | libc::MSG_DONTWAIT as u32;
        // SAFETY: all of it lies in the buffer that the program provided.
        let ret = unsafe { sys!(SYS_recvmsg, req.fd(), &raw mut message, flags) };
        if ret < 0 {
            if ret == -libc::EAGAIN as isize {
                req.picked = Some(picked);
                buffers::put_back(ring, req);
                return wait_for(req, how, IN);
            }
            let flags = picked.flags(&mut ring.state.lock().groups, res(ret));
            return Outcome::Done(res(ret), flags);
        }
        let out = io_uring_recvmsg_out {
            namelen: message.msg_namelen,
            controllen: message.msg_controllen as u32,
            payloadlen: ret as u32,
            flags: message.msg_flags as u32,
        };
        // SAFETY: the front of the buffer, which is long enough.
        unsafe { start.cast::<io_uring_recvmsg_out>().write_unaligned(out) };
        let result = (front + (ret as usize).min(payload.iov_len)) as c_int;
        let flags = picked.flags(&mut ring.state.lock().groups, result);
        if ret == 0 {
            return Outcome::Done(result, flags);
        }
        let flags = flags | nonempty(req.fd());
        if !post_more(ring, req, result, flags, batch) {
            return Outcome::Done(result, flags);
        }
    }
    Outcome::Park(Place::Poll(IN))
}
