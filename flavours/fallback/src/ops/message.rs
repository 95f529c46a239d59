//! Sending and receiving on sockets.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::rw::post_more;
use super::sync::unused;
use super::{Outcome, buffers, res};
use crate::memory::Completion;
use crate::request::{Place, Req};
use crate::ring::Ring;
use crate::run::{Batch, How};
use crate::sys::{self, sys};

const IN: u32 = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const MOST_VECTORS: usize = 1024;

/// A message header and what it names, copied.
pub struct Message {
    header: libc::msghdr,
    iovecs: Vec<libc::iovec>,
    name: Vec<u8>,
    control: Vec<u8>,
}

// SAFETY: the pointers are to the program's memory or to the vectors beside them, which nobody changes.
unsafe impl Send for Message {}
// SAFETY: as above.
unsafe impl Sync for Message {}

fn flags(req: &Req) -> u32 {
    req.sqe.ioprio.into()
}

fn multishot(req: &Req) -> bool {
    flags(req) & IORING_RECV_MULTISHOT != 0
}

pub fn check_send(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.addr3()])?;
    // Bundles, vectors and registered buffers are not there.
    if flags(req) & !IORING_RECVSEND_POLL_FIRST != 0 {
        return Err(-libc::EINVAL);
    }
    if req.op_flags() & libc::MSG_DONTWAIT as u32 != 0 || req.sqe.opcode == IORING_OP_SEND as u8 {
        return Ok(());
    }
    unused(&[req.offset(), req.file_index().into()])
}

pub fn check_recv(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.offset(), req.addr3()])?;
    if flags(req) & !(IORING_RECVSEND_POLL_FIRST | IORING_RECV_MULTISHOT) != 0 {
        return Err(-libc::EINVAL);
    }
    if multishot(req) {
        let waits_for_all = req.op_flags() & libc::MSG_WAITALL as u32 != 0;
        if !req.has(IOSQE_BUFFER_SELECT) || waits_for_all {
            return Err(-libc::EINVAL);
        }
    }
    unused(&[req.file_index().into()])
}

/// The header that a request names.
fn header(req: &Req) -> Result<libc::msghdr, c_int> {
    let at: *const libc::msghdr = req.address();
    if at.is_null() {
        return Err(-libc::EFAULT);
    }
    // SAFETY: the program vouches for a header until the request is submitted.
    let header = unsafe { at.read() };
    if header.msg_iovlen > MOST_VECTORS { Err(-libc::EMSGSIZE) } else { Ok(header) }
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
    let sends = [IORING_OP_SENDMSG, IORING_OP_SENDMSG_ZC].iter().any(|send| req.sqe.opcode == *send as u8);
    let (mut name, mut control) = (Vec::new(), Vec::new());
    if sends {
        name = bytes(header.msg_name.cast(), header.msg_namelen as usize);
        control = bytes(header.msg_control.cast(), header.msg_controllen as usize);
    }
    req.stable().message = Some(Message { header, iovecs, name, control });
    Ok(())
}

/// The address that a `SEND` may name.
pub fn copy_send(req: &mut Req) -> Result<(), c_int> {
    let address = bytes(req.address2(), req.file_index() as u16 as usize);
    req.stable().bytes = address;
    Ok(())
}

/// The header to work with, from what has been transferred on.
fn current(req: &Req, rest: &mut Vec<libc::iovec>) -> Result<libc::msghdr, c_int> {
    let mut message = match req.stable.as_ref().and_then(|stable| stable.message.as_ref()) {
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
            iov_base: std::ptr::with_exposed_provenance_mut(picked.address),
            iov_len: picked.length,
        });
        message.msg_iov = rest.as_mut_ptr();
        message.msg_iovlen = 1;
    } else if req.done > 0 && message.msg_iovlen > 0 {
        let mut skip = req.done;
        // SAFETY: the header's vector, by the program or the copy.
        let all = unsafe { std::slice::from_raw_parts(message.msg_iov, message.msg_iovlen as usize) };
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
    Ok(message)
}

fn length(message: &libc::msghdr) -> usize {
    if message.msg_iovlen == 0 || message.msg_iov.is_null() {
        return 0;
    }
    // SAFETY: a header of this file's making, with its vector.
    let all = unsafe { std::slice::from_raw_parts(message.msg_iov, message.msg_iovlen as usize) };
    all.iter().map(|vector| vector.iov_len).fold(0, usize::saturating_add)
}

pub fn send(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let (at, total) = (req.address::<u8>().addr(), req.sqe.len as usize);
    let (mut to, mut to_length) = (req.address2::<u8>().cast_const(), req.file_index() as u16 as usize);
    if let Some(stable) = req.stable.as_ref().filter(|stable| !stable.bytes.is_empty()) {
        (to, to_length) = (stable.bytes.as_ptr(), stable.bytes.len());
    }
    if to.is_null() {
        to_length = 0;
    }
    attempt(ring, req, how, OUT, total, |req, flags| {
        let at = at + req.done;
        // SAFETY: memory and address are the program's, or the address is the copy.
        unsafe { sys!(SYS_sendto, req.fd(), at, total - req.done, flags, to, to_length) }
    })
}

pub fn sendmsg(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let total = match current(req, &mut Vec::new()) {
        Ok(message) => length(&message) + req.done,
        Err(error) => return Outcome::Done(error, 0),
    };
    attempt(ring, req, how, OUT, total, |req, flags| {
        let mut rest = Vec::new();
        match current(req, &mut rest) {
            // SAFETY: the header names memory of the program's, of the copy or of this stack.
            Ok(message) => unsafe { sys!(SYS_sendmsg, req.fd(), &raw const message, flags) },
            Err(error) => error as isize,
        }
    })
}

/// Transfers until it is done or would wait.
fn attempt(
    ring: &Arc<Ring>,
    req: &mut Req,
    how: How,
    events: u32,
    total: usize,
    call: impl Fn(&Req, u32) -> isize,
) -> Outcome {
    if how == How::Try && flags(req) & IORING_RECVSEND_POLL_FIRST != 0 && req.stable.is_none() {
        return Outcome::Park(Place::Poll(events));
    }
    let asked = req.op_flags();
    let all = asked & libc::MSG_WAITALL as u32 != 0;
    let now = if how == How::Block { 0 } else { libc::MSG_DONTWAIT as u32 };
    // The kernel raises no SIGPIPE for these.
    let quiet = if events == OUT { libc::MSG_NOSIGNAL as u32 } else { 0 };
    loop {
        let ret = call(req, (asked | now | quiet) & !(if events == OUT { libc::MSG_WAITALL as u32 } else { 0 }));
        if ret == -libc::EAGAIN as isize && asked & libc::MSG_DONTWAIT as u32 == 0 {
            if how == How::Block {
                // Nobody to wait for it: here, then.
                wait_here(req.fd(), events);
                continue;
            }
            return Outcome::Park(Place::Poll(events));
        }
        if ret > 0 && all && req.done + (ret as usize) < total && req.picked.is_none() && is_stream(req.fd()) {
            req.done += ret as usize;
            continue;
        }
        let result = if ret < 0 && req.done > 0 { req.done as isize } else if ret < 0 { ret } else { ret + req.done as isize };
        let enough = if events == OUT || all { total as isize } else { 0 };
        req.short = req.link.is_some() && result >= 0 && result < enough;
        return Outcome::Done(res(result), 0).with_buffer(ring, req);
    }
}

fn wait_here(fd: c_int, events: u32) {
    let mut slot = libc::pollfd { fd, events: events as i16, revents: 0 };
    // SAFETY: one slot on this stack.
    unsafe { sys!(SYS_ppoll, &raw mut slot, 1, 0, 0, 0) };
}

/// Whether a socket delivers bytes, of which the rest may follow.
fn is_stream(fd: c_int) -> bool {
    let mut kind: c_int = 0;
    let mut size = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the kernel writes one number and its size.
    let ret =
        unsafe { sys!(SYS_getsockopt, fd, libc::SOL_SOCKET, libc::SO_TYPE, &raw mut kind, &raw mut size) };
    ret == 0 && kind == libc::SOCK_STREAM
}

/// Whether more may be in the socket: the completion's flag.
fn nonempty(fd: c_int) -> u32 {
    if sys::poll_now(fd, libc::POLLIN) & c_int::from(libc::POLLIN) != 0 { IORING_CQE_F_SOCK_NONEMPTY } else { 0 }
}

pub fn recv(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if multishot(req) {
        return recv_multishot(ring, req, how, batch);
    }
    if req.has(IOSQE_BUFFER_SELECT) && req.picked.is_none() {
        // A buffer is picked when there is something to put into it.
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 && req.op_flags() & libc::MSG_DONTWAIT as u32 == 0 {
            return Outcome::Park(Place::Poll(IN));
        }
        match buffers::pick(ring, req.buf_index(), req.sqe.len as usize) {
            Ok(picked) => req.picked = Some(picked),
            Err(error) => return Outcome::Done(error, 0),
        }
    }
    let (at, total) = match &req.picked {
        Some(picked) => (picked.address, picked.length),
        None => (req.address::<u8>().addr(), req.sqe.len as usize),
    };
    attempt(ring, req, how, IN, total, |req, flags| {
        // SAFETY: the memory is the program's.
        unsafe { sys!(SYS_recvfrom, req.fd(), at + req.done, total - req.done, flags, 0, 0) }
    })
}

fn recv_multishot(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if how == How::Try && flags(req) & IORING_RECVSEND_POLL_FIRST != 0 && req.id == 0 {
        return Outcome::Park(Place::Poll(IN));
    }
    loop {
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 {
            return Outcome::Park(Place::Poll(IN));
        }
        let picked = match buffers::pick(ring, req.buf_index(), req.sqe.len as usize) {
            Ok(picked) => picked,
            Err(error) => return Outcome::Done(error, 0),
        };
        let asked = req.op_flags() | libc::MSG_DONTWAIT as u32;
        // SAFETY: a buffer that the program provided.
        let ret = unsafe { sys!(SYS_recvfrom, req.fd(), picked.address, picked.length, asked, 0, 0) };
        let flags = picked.flags(ring, res(ret));
        if ret == -libc::EAGAIN as isize {
            return Outcome::Park(Place::Poll(IN));
        }
        if ret <= 0 {
            return Outcome::Done(res(ret), flags);
        }
        let flags = flags | nonempty(req.fd());
        if !post_more(ring, req, res(ret), flags, batch) {
            return Outcome::Done(res(ret), flags);
        }
    }
}

pub fn recvmsg(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if multishot(req) {
        return recvmsg_multishot(ring, req, how, batch);
    }
    if req.has(IOSQE_BUFFER_SELECT) && req.picked.is_none() {
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 && req.op_flags() & libc::MSG_DONTWAIT as u32 == 0 {
            return Outcome::Park(Place::Poll(IN));
        }
        let most = match current(req, &mut Vec::new()) {
            Ok(message) if message.msg_iovlen > 1 => return Outcome::Done(-libc::EINVAL, 0),
            Ok(message) => length(&message),
            Err(error) => return Outcome::Done(error, 0),
        };
        match buffers::pick(ring, req.buf_index(), most) {
            Ok(picked) => req.picked = Some(picked),
            Err(error) => return Outcome::Done(error, 0),
        }
    }
    let total = match current(req, &mut Vec::new()) {
        Ok(message) => length(&message) + req.done,
        Err(error) => return Outcome::Done(error, 0),
    };
    let program: *mut libc::msghdr = req.address();
    attempt(ring, req, how, IN, total, |req, flags| {
        let mut rest = Vec::new();
        match current(req, &mut rest) {
            Ok(mut message) => {
                // SAFETY: the header names memory of the program's.
                let ret = unsafe { sys!(SYS_recvmsg, req.fd(), &raw mut message, flags) };
                if ret >= 0 {
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
    })
}

/// Each message goes into a provided buffer: a header, the name, control data, and then the payload.
fn recvmsg_multishot(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if how == How::Try && flags(req) & IORING_RECVSEND_POLL_FIRST != 0 && req.id == 0 {
        return Outcome::Park(Place::Poll(IN));
    }
    let asked = match req.stable.as_ref().and_then(|stable| stable.message.as_ref()) {
        Some(copy) => copy.header,
        None => match header(req) {
            Ok(header) => header,
            Err(error) => return Outcome::Done(error, 0),
        },
    };
    let (names, controls) = (asked.msg_namelen as usize, asked.msg_controllen as usize);
    let front = size_of::<io_uring_recvmsg_out>() + names + controls;
    loop {
        if sys::poll_now(req.fd(), libc::POLLIN | libc::POLLRDHUP) == 0 {
            return Outcome::Park(Place::Poll(IN));
        }
        let picked = match buffers::pick(ring, req.buf_index(), 0) {
            Ok(picked) => picked,
            Err(error) => return Outcome::Done(error, 0),
        };
        if picked.length < front {
            picked.flags(ring, -libc::EFAULT);
            return Outcome::Done(-libc::EFAULT, 0);
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
            let flags = picked.flags(ring, res(ret));
            if ret == -libc::EAGAIN as isize {
                return Outcome::Park(Place::Poll(IN));
            }
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
        let flags = picked.flags(ring, result);
        if ret == 0 && is_stream(req.fd()) {
            return Outcome::Done(0, flags);
        }
        let flags = flags | nonempty(req.fd());
        if !post_more(ring, req, result, flags, batch) {
            return Outcome::Done(result, flags);
        }
    }
}

pub fn check_zc(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.addr3()])?;
    let known = IORING_RECVSEND_POLL_FIRST | IORING_RECVSEND_FIXED_BUF | IORING_SEND_ZC_REPORT_USAGE;
    if flags(req) & !known != 0 || req.has(IOSQE_CQE_SKIP_SUCCESS) {
        return Err(-libc::EINVAL);
    }
    if req.sqe.opcode == IORING_OP_SENDMSG_ZC as u8 { unused(&[req.offset(), req.file_index().into()]) } else { Ok(()) }
}

/// Data is copied, so the memory is free at once: the second completion follows the first.
fn zc(ring: &Arc<Ring>, req: &mut Req, outcome: Outcome, batch: &mut Batch) -> Outcome {
    const COPIED: u32 = 1 << 31;
    let Outcome::Done(res, _) = outcome else {
        return outcome;
    };
    batch.post(ring);
    let first = Completion { user_data: req.sqe.user_data, res, flags: IORING_CQE_F_MORE, ..Completion::default() };
    ring.post_alone(first, !batch.within_enter);
    req.short |= res < 0;
    let report = flags(req) & IORING_SEND_ZC_REPORT_USAGE != 0 && res >= 0;
    Outcome::Done(if report { COPIED as c_int } else { 0 }, IORING_CQE_F_NOTIF)
}

/// The registered buffer that a request sends from. `false`: it holds no such range.
fn find_fixed(ring: &Ring, req: &mut Req, start: usize, length: usize) -> bool {
    if flags(req) & IORING_RECVSEND_FIXED_BUF == 0 || req.buffer.is_some() {
        return true;
    }
    let state = ring.state.lock();
    let buffer = state.buffers.as_ref().and_then(|all| all.get(req.buf_index() as usize)).cloned().flatten();
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
    if flags(req) & IORING_RECVSEND_FIXED_BUF != 0 {
        let message = match current(req, &mut Vec::new()) {
            Ok(message) => message,
            Err(error) => return zc(ring, req, Outcome::Done(error, 0), batch),
        };
        // SAFETY: a header with its vector.
        let vectors = if message.msg_iovlen == 0 {
            Vec::new()
        } else {
            unsafe { std::slice::from_raw_parts(message.msg_iov, message.msg_iovlen as usize) }.to_vec()
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
