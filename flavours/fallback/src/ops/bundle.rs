//! Bundles: one call sends or fills several provided buffers, in their order.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::buffers;
use super::common::{
    IN, IN_A_ROW, OUT, flags, is_bundle, may_wait, nonempty, poll_first, wait_for, waits_for_all,
};
use crate::batch::{Batch, post_more};
use crate::op::{Outcome, res};
use crate::request::How;
use crate::request::{Place, Req, Sent};
use crate::resources::groups::{Buffer, Group, SharedRing};
use crate::ring::{Ring, State};
use crate::sys::sys;

/// The most buffers that one call takes.
const MOST: usize = 256;

/// The next buffers of a group, which stay in it until [`take`].
struct Next {
    vectors: Vec<libc::iovec>,
    first: u16,
    /// The group holds no others.
    all: bool,
}

/// What is left of some memory after so many bytes.
fn rest(vectors: &[libc::iovec], mut skip: usize) -> Vec<libc::iovec> {
    let mut left = Vec::new();
    for vector in vectors {
        let skipped = skip.min(vector.iov_len);
        skip -= skipped;
        if skipped < vector.iov_len {
            left.push(libc::iovec {
                iov_base: vector.iov_base.wrapping_byte_add(skipped),
                iov_len: vector.iov_len - skipped,
            });
        }
    }
    left
}

fn length(vectors: &[libc::iovec]) -> usize {
    vectors.iter().map(|vector| vector.iov_len).sum()
}

fn vector(buffer: &Buffer, most: usize) -> libc::iovec {
    libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(buffer.address as usize),
        iov_len: (buffer.length as usize).min(most),
    }
}

/// `most`: bytes in all; 0 is any number.
fn look(state: &State, req: &Req, most: usize) -> Result<Next, c_int> {
    let mut left = if most == 0 { usize::MAX } else { most };
    match state.groups.get(&req.buf_index()) {
        Some(Group::Given(buffers)) => {
            let buffer = buffers.front().ok_or(-libc::ENOBUFS)?;
            Ok(Next {
                vectors: vec![vector(buffer, left)],
                first: buffer.id,
                all: buffers.len() == 1,
            })
        }
        Some(Group::Shared(shared)) => {
            let wanted = if is_bundle(req) { MOST } else { 1 };
            let there = shared.tail().wrapping_sub(shared.head);
            let first = shared.buffer(shared.head).ok_or(-libc::ENOBUFS)?;
            let mut vectors = Vec::new();
            let mut position = shared.head;
            while let Some(buffer) = shared.buffer(position) {
                // Of a buffer that is cut the rest would be lost. The kernel cuts a bundle's first one alone.
                let cut = buffer.length as usize > left;
                if cut && !shared.incremental && !vectors.is_empty() {
                    break;
                }
                vectors.push(vector(&buffer, left));
                left = left.saturating_sub(buffer.length as usize);
                position = position.wrapping_add(1);
                if left == 0 || vectors.len() == wanted {
                    break;
                }
            }
            Ok(Next {
                all: vectors.len() == there as usize,
                vectors,
                first: first.id,
            })
        }
        None => Err(-libc::ENOENT),
    }
}

/// Takes the buffers out of their group that `count` bytes went into. Returns the completion's flags.
fn take(state: &mut State, group: u16, next: &Next, count: usize) -> u32 {
    let mut flags = IORING_CQE_F_BUFFER | u32::from(next.first) << IORING_CQE_BUFFER_SHIFT;
    match state.groups.get_mut(&group) {
        Some(Group::Given(buffers)) => drop(buffers.pop_front()),
        Some(Group::Shared(shared)) => {
            if shared.incremental {
                if use_up(shared, count) {
                    flags |= IORING_CQE_F_BUF_MORE;
                }
                return flags;
            }
            let mut left = count;
            for vector in &next.vectors {
                shared.head = shared.head.wrapping_add(1);
                left = left.saturating_sub(vector.iov_len);
                if left == 0 {
                    break;
                }
            }
        }
        None => {}
    }
    flags
}

/// Whether a call failed on a socket: else no buffer was looked for.
fn had_socket(error: isize) -> bool {
    let none = [libc::EBADF, libc::ENOTSOCK];
    none.iter().all(|none| error != -(*none as isize))
}

/// The flags of a send that failed. As in the kernel it uses its buffers up: but of one that is used up piece by piece
/// nothing is.
fn refused(state: &mut State, req: &Req, next: &Next, total: usize) -> u32 {
    let pieces = match state.groups.get(&req.buf_index()) {
        Some(Group::Shared(shared)) => shared.incremental && !is_bundle(req),
        _ => false,
    };
    take(state, req.buf_index(), next, if pieces { 0 } else { total })
}

/// Uses bytes of buffers up. Returns whether the last one has some left.
fn use_up(shared: &mut SharedRing, count: usize) -> bool {
    let mut left = count;
    while let Some(buffer) = shared.buffer(shared.head) {
        if left < buffer.length as usize {
            return shared.cut(left as u32);
        }
        left -= buffer.length as usize;
        shared.head = shared.head.wrapping_add(1);
        if left == 0 {
            break;
        }
    }
    false
}

/// Transfers without waiting.
fn call(req: &Req, vectors: &[libc::iovec], out: bool) -> isize {
    let asked = req.op_flags() & !(libc::MSG_WAITALL as u32) | libc::MSG_DONTWAIT as u32;
    // SAFETY: a structure of numbers and pointers, for which zero bytes are a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = vectors.as_ptr().cast_mut();
    message.msg_iovlen = vectors.len() as _;
    // SAFETY: the pieces are buffers that the program provided.
    unsafe {
        if out {
            let quiet = asked | libc::MSG_NOSIGNAL as u32;
            sys!(SYS_sendmsg, req.fd(), &raw const message, quiet)
        } else {
            sys!(SYS_recvmsg, req.fd(), &raw mut message, asked)
        }
    }
}

/// Sends the rest of a bundle. `None`: it waits for room.
fn send_rest(req: &mut Req) -> Option<isize> {
    loop {
        let left = req
            .stable
            .as_ref()
            .map_or(Vec::new(), |stable| stable.iovecs.clone());
        if left.is_empty() {
            return Some(req.done as isize);
        }
        match call(req, &left, true) {
            ret if ret == -libc::EAGAIN as isize => return None,
            // Of what went before the program has to hear.
            ret if ret <= 0 => {
                req.short = true;
                return Some(req.done as isize);
            }
            ret => {
                req.done += ret as usize;
                req.stable().iovecs = rest(&left, ret as usize);
            }
        }
    }
}

/// Sends from provided buffers, or receives into them: one, or a bundle, or bundle after bundle.
///
/// The ring's state is held while the call transfers, which does not wait: nobody else takes buffers between the look
/// and the taking.
pub fn transfer(
    ring: &Arc<Ring>,
    req: &mut Req,
    how: How,
    batch: &mut Batch,
    out: bool,
) -> Outcome {
    let events = if out { OUT } else { IN };
    let waits = may_wait(req);
    let first = flags(req) & IORING_RECVSEND_POLL_FIRST != 0 && how == How::Try && req.id == 0;
    if first {
        return poll_first(events, waits);
    }
    let goes_on = is_bundle(req) && (out || flags(req) & IORING_RECV_MULTISHOT != 0);
    // A bundle is sent whole.
    let whole = out && (is_bundle(req) || waits_for_all(req));
    batch.post(ring);
    for _ in 0..IN_A_ROW {
        let begun = req.stable.as_ref().and_then(|stable| stable.bundle);
        let (ret, Sent { mut flags, all }) = if let Some(sent) = begun {
            let Some(ret) = send_rest(req) else {
                return wait_for(req, how, events);
            };
            req.stable().bundle = None;
            req.done = 0;
            (ret, sent)
        } else {
            let mut state = buffers::in_turn(ring, req, is_bundle(req));
            let next = match look(&state, req, req.sqe.len as usize) {
                Ok(next) => next,
                Err(error) => return Outcome::Done(error, 0),
            };
            let ret = call(req, &next.vectors, out);
            if ret == -libc::EAGAIN as isize && waits {
                return wait_for(req, how, events);
            }
            let total = length(&next.vectors);
            if ret <= 0 {
                let uses = out && ret < 0 && had_socket(ret);
                let flags = if uses {
                    refused(&mut state, req, &next, total)
                } else {
                    0
                };
                return Outcome::Done(res(ret), flags);
            }
            let short = whole && waits && (ret as usize) < total;
            req.short |= whole && !waits && (ret as usize) < total;
            let used = if short { total } else { ret as usize };
            let group = req.buf_index();
            let sent = Sent {
                flags: take(&mut state, group, &next, used),
                all: if out {
                    next.all
                } else {
                    buffers::is_empty(&state, group)
                },
            };
            drop(state);
            if short {
                req.done = ret as usize;
                let stable = req.stable();
                stable.iovecs = rest(&next.vectors, ret as usize);
                stable.bundle = Some(sent);
                continue;
            }
            (ret, sent)
        };
        if !out {
            flags |= nonempty(req.fd());
        }
        let last = !goes_on || all;
        if last || !post_more(ring, req, res(ret), flags, batch) {
            return Outcome::Done(res(ret), flags);
        }
        if out {
            // The length was for what went first.
            req.sqe.len = 0;
        }
    }
    Outcome::Park(Place::Poll(events))
}
