//! Sending on sockets, and what sending and receiving share.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::common::{
    ERRORS, OUT, excess, flags, goes_on, is_bundle, may_wait, poll_first, unused, wait_for,
    waits_for_all,
};
use super::{buffers, bundle};
use crate::batch::Batch;
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::{Message, Req};
use crate::ring::Ring;
use crate::sys::{self, sys};

const MOST_VECTORS: usize = 1024;

pub fn check_send(_: &Ring, req: &Req) -> Result<(), c_int> {
    let sends = req.is(IORING_OP_SEND);
    let extras = u64::from(flags(req)) | u64::from(req.file_index()) | excess(req.sqe.len);
    if sends && extras == 0 {
        return Ok(());
    }
    let known = IORING_RECVSEND_POLL_FIRST
        | IORING_SEND_VECTORIZED
        | if is_bundle(req) && sends {
            IORING_RECVSEND_BUNDLE
        } else {
            0
        };
    unused(&[excess(req.sqe.len)])?;
    check_sent(req, known)
}

/// What all requests that send are refused for.
pub(super) fn check_sent(req: &Req, known: u32) -> Result<(), c_int> {
    if flags(req) & !known != 0 {
        return Err(-libc::EINVAL);
    }
    if req.is(IORING_OP_SENDMSG) || req.is(IORING_OP_SENDMSG_ZC) {
        unused(&[req.offset(), req.file_index().into()])?;
        return sys::not_null(req.address::<u8>());
    }
    if flags(req) & IORING_SEND_VECTORIZED != 0 {
        if req.has(IOSQE_BUFFER_SELECT) || req.sqe.len as usize > MOST_VECTORS {
            return Err(-libc::EINVAL);
        }
        if req.sqe.len != 0 {
            sys::not_null(req.address::<u8>())?;
        }
    }
    // The upper half is no part of the length of the address that it sends to.
    let length = req.file_index() as usize;
    let wrong = length > usize::from(u16::MAX) || !req.address2::<u8>().is_null();
    if length > size_of::<libc::sockaddr_storage>() && wrong {
        return Err(-libc::EINVAL);
    }
    Ok(())
}

/// The header that a request names.
pub(super) fn header(req: &Req) -> Result<libc::msghdr, c_int> {
    let at: *const libc::msghdr = req.address();
    // SAFETY: the program vouches for a header until the request is submitted. It is not null, as such were refused.
    let header = unsafe { at.read() };
    if header.msg_iovlen > MOST_VECTORS {
        Err(-libc::EMSGSIZE)
    } else {
        Ok(header)
    }
}

fn bytes(at: *const u8, length: usize) -> Vec<u8> {
    if at.is_null() || length == 0 {
        return Vec::new();
    }
    // SAFETY: the program vouches for so many bytes.
    unsafe { std::slice::from_raw_parts(at, length) }.to_vec()
}

/// Copies a header. Of a message to be sent also its name and control data; to be received they are room for results.
pub fn copy(req: &mut Req) -> Result<(), c_int> {
    let header = header(req)?;
    let iovecs = if header.msg_iovlen == 0 || header.msg_iov.is_null() {
        Vec::new()
    } else {
        // SAFETY: the program vouches for the vector.
        unsafe { std::slice::from_raw_parts(header.msg_iov, header.msg_iovlen) }.to_vec()
    };
    let sends = [IORING_OP_SENDMSG, IORING_OP_SENDMSG_ZC]
        .iter()
        .any(|send| req.sqe.opcode == *send as u8);
    let (mut name, mut control) = (Vec::new(), Vec::new());
    if sends {
        name = bytes(header.msg_name.cast(), header.msg_namelen as usize);
        control = bytes(header.msg_control.cast(), header.msg_controllen as usize);
    }
    req.stable().message = Some(Message {
        header,
        iovecs,
        name,
        control,
    });
    Ok(())
}

/// The address that a `SEND` may name.
pub fn copy_send(req: &mut Req) -> Result<(), c_int> {
    let address = bytes(req.address2(), req.file_index() as u16 as usize);
    if flags(req) & IORING_SEND_VECTORIZED != 0 {
        let iovecs = vectors(req).to_vec();
        req.stable().iovecs = iovecs;
    }
    req.stable().bytes = address;
    Ok(())
}

/// The header to work with, from what has been transferred on.
pub(super) fn current(req: &Req, rest: &mut Vec<libc::iovec>) -> Result<libc::msghdr, c_int> {
    let mut message = match req
        .stable
        .as_ref()
        .and_then(|stable| stable.message.as_ref())
    {
        Some(copy) => {
            let mut message = copy.header;
            message.msg_iov = copy.iovecs.as_ptr().cast_mut();
            message.msg_iovlen = copy.iovecs.len() as _;
            if !copy.name.is_empty() {
                message.msg_name = copy.name.as_ptr().cast_mut().cast();
            }
            if !copy.control.is_empty() {
                message.msg_control = copy.control.as_ptr().cast_mut().cast();
            }
            message
        }
        None => header(req)?,
    };
    if let Some(picked) = &req.picked {
        rest.push(libc::iovec {
            iov_base: std::ptr::with_exposed_provenance_mut(picked.address + req.done),
            iov_len: picked.length - req.done,
        });
        message.msg_iov = rest.as_mut_ptr();
        message.msg_iovlen = 1;
    } else if req.done > 0 && message.msg_iovlen > 0 {
        let mut skip = req.done;
        // SAFETY: the header's vector, by the program or the copy.
        let all =
            unsafe { std::slice::from_raw_parts(message.msg_iov, message.msg_iovlen as usize) };
        for vector in all {
            let skipped = skip.min(vector.iov_len);
            skip -= skipped;
            rest.push(libc::iovec {
                iov_base: vector.iov_base.wrapping_byte_add(skipped),
                iov_len: vector.iov_len - skipped,
            });
        }
        message.msg_iov = rest.as_mut_ptr();
        message.msg_iovlen = rest.len() as _;
    }
    if req.done > 0 {
        // It went with the first part.
        message.msg_control = std::ptr::null_mut();
        message.msg_controllen = 0;
    }
    Ok(message)
}

pub(super) fn length(message: &libc::msghdr) -> usize {
    if message.msg_iovlen == 0 || message.msg_iov.is_null() {
        return 0;
    }
    // SAFETY: a header of this file's making, with its vector.
    let all = unsafe { std::slice::from_raw_parts(message.msg_iov, message.msg_iovlen as usize) };
    all.iter()
        .map(|vector| vector.iov_len)
        .fold(0, usize::saturating_add)
}

/// The vector of a vectored `SEND`.
fn vectors(req: &Req) -> &[libc::iovec] {
    if let Some(stable) = &req.stable {
        return &stable.iovecs;
    }
    let at: *const libc::iovec = req.address();
    if req.sqe.len == 0 {
        return &[];
    }
    // SAFETY: the program vouches for the vector until the request is submitted; afterwards there is the copy.
    unsafe { std::slice::from_raw_parts(at, req.sqe.len as usize) }
}

/// A `SEND` of several pieces.
fn send_vectors(ring: &Arc<Ring>, req: &mut Req, how: How) -> Outcome {
    let total = vectors(req)
        .iter()
        .map(|vector| vector.iov_len)
        .fold(0, usize::saturating_add);
    let (mut to, mut to_length) = (req.address2::<u8>(), req.file_index() as u16 as usize);
    if let Some(stable) = req
        .stable
        .as_ref()
        .filter(|stable| !stable.bytes.is_empty())
    {
        (to, to_length) = (stable.bytes.as_ptr().cast_mut(), stable.bytes.len());
    }
    if to.is_null() {
        to_length = 0;
    }
    let all = waits_for_all(req);
    attempt(ring, req, how, OUT, (total, all), |req, flags| {
        let mut skip = req.done;
        let rest: Vec<_> = vectors(req)
            .iter()
            .map(|vector| {
                let skipped = skip.min(vector.iov_len);
                skip -= skipped;
                libc::iovec {
                    iov_base: vector.iov_base.wrapping_byte_add(skipped),
                    iov_len: vector.iov_len - skipped,
                }
            })
            .collect();
        // SAFETY: a structure of numbers and pointers, for which zero bytes are a value.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_name = to.cast();
        message.msg_namelen = to_length as libc::socklen_t;
        message.msg_iov = rest.as_ptr().cast_mut();
        message.msg_iovlen = rest.len() as _;
        // SAFETY: the pieces and the address are the program's, or the address is the copy.
        unsafe { sys!(SYS_sendmsg, req.fd(), &raw const message, flags) }
    })
}

pub fn send(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if req.has(IOSQE_BUFFER_SELECT) {
        return bundle::transfer(ring, req, how, batch, true);
    }
    if flags(req) & IORING_SEND_VECTORIZED != 0 {
        return send_vectors(ring, req, how);
    }
    let (at, total) = (req.address::<u8>().addr(), req.sqe.len as usize);
    let (mut to, mut to_length) = (
        req.address2::<u8>().cast_const(),
        req.file_index() as u16 as usize,
    );
    if let Some(stable) = req
        .stable
        .as_ref()
        .filter(|stable| !stable.bytes.is_empty())
    {
        (to, to_length) = (stable.bytes.as_ptr(), stable.bytes.len());
    }
    if to.is_null() {
        to_length = 0;
    }
    let all = waits_for_all(req);
    attempt(ring, req, how, OUT, (total, all), |req, flags| {
        let at = at + req.done;
        // SAFETY: memory and address are the program's, or the address is the copy.
        unsafe {
            sys!(
                SYS_sendto,
                req.fd(),
                at,
                total - req.done,
                flags,
                to,
                to_length
            )
        }
    })
}

pub fn sendmsg(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let total = match current(req, &mut Vec::new()) {
        Ok(message) => length(&message) + req.done,
        Err(error) => return Outcome::Done(error, 0),
    };
    let all = waits_for_all(req);
    attempt(ring, req, how, OUT, (total, all), |req, flags| {
        let mut rest = Vec::new();
        match current(req, &mut rest) {
            // SAFETY: the header names memory of the program's, of the copy or of this stack.
            Ok(message) => unsafe { sys!(SYS_sendmsg, req.fd(), &raw const message, flags) },
            Err(error) => error as isize,
        }
    })
}

/// Transfers until it is done or would wait. The total is there with whether all of it is waited for.
pub(super) fn attempt(
    ring: &Arc<Ring>,
    req: &mut Req,
    how: How,
    events: u32,
    (total, all): (usize, bool),
    call: impl Fn(&Req, u32) -> isize,
) -> Outcome {
    if how == How::Try && flags(req) & IORING_RECVSEND_POLL_FIRST != 0 && req.id == 0 {
        return poll_first(events, may_wait(req));
    }
    let asked = req.op_flags();
    let now = if how == How::Block {
        0
    } else {
        libc::MSG_DONTWAIT as u32
    };
    // The kernel raises no SIGPIPE for these.
    let quiet = if events == OUT {
        libc::MSG_NOSIGNAL as u32
    } else {
        0
    };
    loop {
        let ret = call(
            req,
            (asked | now | quiet)
                & !(if events == OUT {
                    libc::MSG_WAITALL as u32
                } else {
                    0
                }),
        );
        if ret == -libc::EAGAIN as isize && asked & libc::MSG_DONTWAIT as u32 == 0 {
            if how == How::Block {
                // Nobody to wait for it: here, then.
                wait_here(req.fd(), events);
                continue;
            }
            if events == ERRORS && how == How::Try && sys::poll_now(req.fd(), libc::POLLIN) != 0 {
                // The kernel takes what is there for what was waited for, once.
                return Outcome::Done(-libc::EAGAIN, 0).with_buffer(ring, req);
            }
            buffers::put_back(ring, req);
            return wait_for(req, how, events);
        }
        if ret > 0 && all && req.done + (ret as usize) < total && goes_on(req.fd()) {
            req.done += ret as usize;
            continue;
        }
        let result = if ret < 0 && req.done > 0 {
            req.done as isize
        } else if ret < 0 {
            ret
        } else {
            ret + req.done as isize
        };
        req.short = all && req.minds_part() && result >= 0 && result < total as isize;
        return Outcome::Done(res(result), 0).with_buffer(ring, req);
    }
}

fn wait_here(fd: c_int, events: u32) {
    let mut slot = libc::pollfd {
        fd,
        events: events as i16,
        revents: 0,
    };
    // SAFETY: one slot on this stack.
    unsafe { sys!(SYS_ppoll, &raw mut slot, 1, 0, 0, 0) };
}
