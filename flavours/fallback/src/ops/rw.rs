//! Reading and writing.
//!
//! What is in memory is read by the caller (`RWF_NOWAIT`). `O_DIRECT` goes to native AIO, streams wait in epoll, and
//! what else would wait goes to a worker.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use super::buffers;
use super::common::{unused, wait_for};
use crate::aio;
use crate::batch::Batch;
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::{Class, Place, Req};
use crate::resources::groups::Hold;
use crate::ring::Ring;
use crate::sys::{self, sys};
use crate::vectors::{is_part, program_vectors, wanted, with_vectors};

const MOST_VECTORS: u32 = 1024;
const CURRENT: u64 = u64::MAX;
const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;

fn is(req: &Req, opcode: io_uring_op) -> bool {
    req.sqe.opcode == opcode as u8
}

fn is_fixed_vector(req: &Req) -> bool {
    is(req, IORING_OP_READV_FIXED) || is(req, IORING_OP_WRITEV_FIXED)
}

fn is_fixed(req: &Req) -> bool {
    is(req, IORING_OP_READ_FIXED) || is(req, IORING_OP_WRITE_FIXED) || is_fixed_vector(req)
}

pub fn check(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.attributes()])?;
    check_priority(req.sqe.ioprio)
}

/// A priority of I/O: a class, and a level where there is a class. Hints may be between them.
fn check_priority(priority: u16) -> Result<(), c_int> {
    match (priority >> 13, priority & 7) {
        (0, 0) | (1..=3, _) => Ok(()),
        _ => Err(-libc::EINVAL),
    }
}

pub fn check_vector(ring: &Ring, req: &Req) -> Result<(), c_int> {
    check(ring, req)?;
    if req.sqe.len > MOST_VECTORS {
        return Err(-libc::EINVAL);
    }
    if req.has(IOSQE_BUFFER_SELECT) && req.sqe.len != 1 {
        return Err(-libc::EINVAL);
    }
    if req.sqe.len == 0 {
        return Ok(());
    }
    sys::not_null(req.address::<u8>())
}

/// Copies the vector.
pub fn copy_vector(req: &mut Req) -> Result<(), c_int> {
    let vectors = program_vectors(req).to_vec();
    req.stable().iovecs = vectors;
    Ok(())
}

/// Transfers once, with these flags.
pub fn transfer(req: &Req, write: bool, flags: c_int) -> isize {
    let (fd, mut offset) = (req.fd(), req.offset());
    if offset != CURRENT {
        offset = offset.wrapping_add(req.done as u64);
    }
    let flags = flags | req.op_flags() as c_int;
    with_vectors(req, |vectors| {
        let call = |offset: u64| {
            let number = if write {
                libc::SYS_pwritev2
            } else {
                libc::SYS_preadv2
            };
            let at = vectors.as_ptr() as usize;
            let args = [
                fd as usize,
                at,
                vectors.len(),
                offset as usize,
                0,
                flags as usize,
            ];
            // SAFETY: the memory is the program's, which vouches for it until the request completes.
            unsafe { sys::call(number, args) }
        };
        match call(offset) {
            // A stream has no position, so the offset is ignored.
            ret if ret == -libc::ESPIPE as isize && offset != CURRENT => call(CURRENT),
            // The older calls know whether it is the call or the file that is refused.
            ret if ret == -libc::ENOSYS as isize || ret == -libc::EPERM as isize => {
                match without_flags(fd, vectors, offset, write, flags) {
                    ret if ret == -libc::ESPIPE as isize => {
                        without_flags(fd, vectors, CURRENT, write, flags)
                    }
                    ret => ret,
                }
            }
            ret => ret,
        }
    })
}

/// The same where `preadv2` is refused, as by old kernels.
#[cold]
fn without_flags(
    fd: c_int,
    vectors: &[libc::iovec],
    offset: u64,
    write: bool,
    flags: c_int,
) -> isize {
    if flags != 0 {
        return -libc::EOPNOTSUPP as isize;
    }
    let (at, count) = (vectors.as_ptr(), vectors.len());
    // SAFETY: as in `transfer`.
    unsafe {
        match (write, offset) {
            (false, CURRENT) => sys!(SYS_readv, fd, at, count),
            (true, CURRENT) => sys!(SYS_writev, fd, at, count),
            (false, _) => sys!(SYS_preadv, fd, at, count, offset, 0),
            (true, _) => sys!(SYS_pwritev, fd, at, count, offset, 0),
        }
    }
}

/// The same without a wait for a socket whose kernel knows such only of messages, as before Linux 6.5.
#[cold]
fn over_socket(req: &Req, write: bool) -> isize {
    with_vectors(req, |vectors| {
        // SAFETY: a structure of numbers and pointers, for which zero bytes are a value.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = vectors.as_ptr().cast_mut();
        message.msg_iovlen = vectors.len() as _;
        let message = &raw mut message;
        // SAFETY: the header is ours, and the memory as in `transfer`.
        unsafe {
            if write {
                sys!(SYS_sendmsg, req.fd(), message, libc::MSG_DONTWAIT)
            } else {
                sys!(SYS_recvmsg, req.fd(), message, libc::MSG_DONTWAIT)
            }
        }
    })
}

pub fn on_disk(kind: c_int) -> bool {
    matches!(kind as libc::mode_t, libc::S_IFREG | libc::S_IFBLK)
}

/// Whether it may wait for what is not in memory.
fn is_patient(req: &Req) -> bool {
    req.op_flags() & libc::RWF_NOWAIT as u32 == 0
}

/// Registered and provided buffers: finds the memory. `Err` is a result.
fn prepare(ring: &Ring, req: &mut Req, how: How, batch: &mut Batch) -> Result<(), c_int> {
    if is_fixed(req) {
        if req.buffer.is_none() {
            let Some(buffer) = batch.fixed_buffer(ring, req.buf_index()) else {
                return Err(-libc::EFAULT);
            };
            let inside = with_vectors(req, |all| {
                let held = |part: &libc::iovec| buffer.holds(part.iov_base.addr(), part.iov_len);
                all.iter()
                    .all(|part| held(part) && (part.iov_len != 0 || !is_fixed_vector(req)))
            });
            if !inside {
                return Err(-libc::EFAULT);
            }
            req.buffer = Some(buffer);
        }
    } else if req.has(IOSQE_BUFFER_SELECT) && req.picked.is_none() {
        let most = if req.is_vector() {
            program_vectors(req).first().map_or(0, |v| v.iov_len)
        } else {
            req.sqe.len as usize
        };
        let disk = on_disk(batch.kind(req));
        let left = how != How::Block && req.has(IOSQE_ASYNC) && is_patient(req) && disk;
        if left && batch.open_flags(req) & libc::O_DIRECT == 0 {
            // The worker picks: one that is cancelled before has no buffer.
            return Ok(());
        }
        // The kernel has a worker try it first, which gives nothing back.
        let use_up = how == How::Block || disk || req.has(IOSQE_ASYNC);
        let mut picked = buffers::pick(ring, req, most, use_up)?;
        if picked.given.is_some() {
            // A read that fails keeps it.
            picked.hold = Hold::Used { more: false };
        }
        req.picked = Some(picked);
    }
    Ok(())
}

pub fn read(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    start(ring, req, how, batch, false)
}

pub fn write(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    start(ring, req, how, batch, true)
}

fn start(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch, write: bool) -> Outcome {
    if let Err(error) = prepare(ring, req, how, batch) {
        return Outcome::Done(error, 0);
    }
    let outcome = match how {
        How::Block => block(ring, req, write),
        How::Try | How::Ready => attempt(ring, req, how, batch, write),
    };
    if matches!(outcome, Outcome::Park(place) if place != Place::Aio) {
        buffers::put_back(ring, req);
    }
    outcome
}

/// A completion, with what a chain has to know of it.
fn done(ring: &Ring, req: &mut Req, ret: isize) -> Outcome {
    let total = match ret {
        ..0 if req.done == 0 => return Outcome::Done(res(ret), 0).with_buffer(ring, req),
        ..0 => req.done,
        more => req.done + more as usize,
    };
    req.short = is_part(req, total);
    // Of a file's end, too, the buffer tells.
    let flags = req.picked.take().map_or(0, |picked| {
        picked.used(&mut ring.state.lock().groups, total as u32)
    });
    Outcome::Done(total as c_int, flags)
}

impl Outcome {
    /// With the flags of the provided buffer, which goes back if nothing was put into it.
    pub fn with_buffer(self, ring: &Ring, req: &mut Req) -> Outcome {
        match (self, req.picked.take()) {
            (Outcome::Done(res, flags), Some(picked)) => {
                let more = picked.flags(&mut ring.state.lock().groups, res);
                Outcome::Done(res, flags | more)
            }
            (outcome, _) => outcome,
        }
    }
}

/// What is refused because of how the ring polls, on a file that is open so.
pub fn check_polled(ring: &Ring, req: &Req, open: c_int) -> Result<(), c_int> {
    if !ring.has(IORING_SETUP_IOPOLL) {
        return unused(&[(req.op_flags() & libc::RWF_HIPRI as u32).into()]);
    }
    // Only such files could be polled.
    if open & libc::O_DIRECT == 0 {
        return Err(-libc::EOPNOTSUPP);
    }
    Ok(())
}

/// In a thread that must not wait.
fn attempt(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch, write: bool) -> Outcome {
    let fd = req.fd();
    let open = batch.open_flags(req);
    if open < 0 {
        return Outcome::Done(open, 0).with_buffer(ring, req);
    }
    if let Err(error) = check_polled(ring, req, open) {
        return Outcome::Done(error, 0).with_buffer(ring, req);
    }
    let patient = is_patient(req);
    if patient && (open & libc::O_DIRECT != 0 || req.has(IOSQE_ASYNC)) && on_disk(batch.kind(req)) {
        // Relaxed: a program that reads right after it has asked to be told has seen itself ask.
        let watched = aio::WATCHED.load(Ordering::Relaxed);
        let direct =
            open & libc::O_DIRECT != 0 && req.offset() != CURRENT && wanted(req) != 0 && !watched;
        return Outcome::Park(if direct {
            Place::Aio
        } else {
            Place::Worker(Class::Bounded)
        });
    }
    let events = if write { OUT } else { IN };
    let mut ret = transfer(req, write, libc::RWF_NOWAIT);
    if ret == -libc::EOPNOTSUPP as isize
        && req.op_flags() & !(libc::RWF_NOWAIT as u32) == 0
        && batch.kind(req) as libc::mode_t == libc::S_IFSOCK
    {
        ret = over_socket(req, write);
    }
    match -(ret.min(0)) as c_int {
        0 if ret as usize >= wanted(req) || ret == 0 => done(ring, req, ret),
        0 => {
            // A part: the rest is not in memory, or there is no rest.
            if patient && on_disk(batch.kind(req)) {
                req.done += ret as usize;
                return Outcome::Park(Place::Worker(Class::Bounded));
            }
            done(ring, req, ret)
        }
        libc::EAGAIN if !patient => done(ring, req, ret),
        libc::EAGAIN if on_disk(batch.kind(req)) => Outcome::Park(Place::Worker(Class::Bounded)),
        libc::EAGAIN => wait_for(req, how, events),
        libc::EOPNOTSUPP if !patient && write && would_wait(req, batch) => {
            done(ring, req, -libc::EAGAIN as isize)
        }
        libc::EOPNOTSUPP if patient => {
            let kind = batch.kind(req);
            if on_disk(kind) {
                // A file in memory never blocks.
                if sys::in_memory(fd) {
                    block(ring, req, write)
                } else {
                    Outcome::Park(Place::Worker(Class::Bounded))
                }
            } else if how == How::Ready || sys::poll_now(fd, events as i16) & events as c_int != 0 {
                Outcome::Park(Place::Worker(Class::Unbounded))
            } else {
                Outcome::Park(Place::Poll(events))
            }
        }
        _ => done(ring, req, ret),
    }
}

/// Whether a write is refused because it might wait, and not because of its flags: some file systems say the same.
#[cold]
fn would_wait(req: &Req, batch: &mut Batch) -> bool {
    let known = libc::RWF_NOWAIT | libc::RWF_DSYNC | libc::RWF_SYNC | libc::RWF_APPEND;
    if req.op_flags() & !(known as u32) != 0 || !on_disk(batch.kind(req)) {
        return false;
    }
    let mut byte = 0u8;
    let one = libc::iovec {
        iov_base: (&raw mut byte).cast(),
        iov_len: 1,
    };
    // A file that knows of such reads knows of such writes.
    // SAFETY: room for one byte, on this stack.
    let read = unsafe {
        sys!(
            SYS_preadv2,
            req.fd(),
            &raw const one,
            1,
            0,
            0,
            libc::RWF_NOWAIT
        )
    };
    read != -libc::EOPNOTSUPP as isize
}

/// In a thread that may wait.
fn block(ring: &Arc<Ring>, req: &mut Req, write: bool) -> Outcome {
    loop {
        let left = wanted(req);
        let ret = transfer(req, write, 0);
        if ret == -libc::EAGAIN as isize {
            return Outcome::Park(Place::Poll(if write { OUT } else { IN }));
        }
        let partial = ret > 0 && (ret as usize) < left;
        if partial && on_disk(sys::file_type(req.fd())) {
            req.done += ret as usize;
            continue;
        }
        return done(ring, req, ret);
    }
}
