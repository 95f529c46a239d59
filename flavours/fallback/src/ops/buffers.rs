//! Taking provided buffers, and giving them by requests.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::sync::Arc;

use super::common::unused;
use crate::batch::Batch;
use crate::lock::Guard;
use crate::op::Outcome;
use crate::request::How;
use crate::request::Req;
use crate::resources::groups::{Buffer, Group, Hold, Picked, Turn};
use crate::ring::{Ring, State};

/// The ring's state, with the turn on the request's group if its buffers are used up in turn. The request has the turn
/// until it completes or waits. `several`: it may use several buffers up at once, from now on in turn.
pub fn in_turn<'a>(ring: &'a Ring, req: &mut Req, several: bool) -> Guard<'a, State> {
    loop {
        let mut state = ring.state.lock();
        let turn = match state.groups.get_mut(&req.buf_index()) {
            Some(Group::Shared(shared)) => {
                shared.in_turn |= several;
                match &req.turn {
                    _ if !shared.in_turn => return state,
                    Some(turn) if turn.is_of(shared) => return state,
                    _ => shared.turn.clone(),
                }
            }
            _ => return state,
        };
        // Not under the state: who has the turn completes under it.
        drop(state);
        req.turn = None;
        req.turn = Some(Turn::take(turn));
    }
}

/// Whether a group has no buffer.
pub fn is_empty(state: &State, group: u16) -> bool {
    match state.groups.get(&group) {
        Some(Group::Given(buffers)) => buffers.is_empty(),
        Some(Group::Shared(shared)) => shared.buffer(shared.head).is_none(),
        None => true,
    }
}

/// Whether a request would find no buffer. The kernel looks for one before it waits for something to put into it.
pub fn lacks(ring: &Ring, req: &Req) -> bool {
    is_empty(&ring.state.lock(), req.buf_index())
}

/// Takes the next buffer of a request's group. `most`: how much of it may be used; 0 is all. `use_up`: so much is used up at
/// once, since others may pick before the request transfers. `Err`: the request's result.
pub fn pick(ring: &Ring, req: &mut Req, most: usize, use_up: bool) -> Result<Picked, c_int> {
    let group = req.buf_index();
    let mut state = in_turn(ring, req, false);
    if use_up {
        // It takes its part now, under the state.
        req.turn = None;
    }
    let limit = |length: u32| {
        if most == 0 {
            length as usize
        } else {
            most.min(length as usize)
        }
    };
    match state.groups.get_mut(&group) {
        Some(Group::Given(buffers)) => {
            let buffer = buffers.pop_front().ok_or(-libc::ENOBUFS)?;
            Ok(Picked {
                address: buffer.address as usize,
                length: limit(buffer.length),
                id: buffer.id,
                group,
                given: Some(buffer),
                hold: Hold::Taken,
            })
        }
        Some(Group::Shared(shared)) => {
            let buffer = shared.buffer(shared.head).ok_or(-libc::ENOBUFS)?;
            let length = limit(buffer.length);
            let hold = match (shared.incremental, use_up) {
                (true, true) => Hold::Used {
                    more: shared.cut(length as u32),
                },
                (true, false) => Hold::Left,
                (false, _) => {
                    // Taken at once: another request must not get the same.
                    shared.head = shared.head.wrapping_add(1);
                    if use_up {
                        Hold::Used { more: false }
                    } else {
                        Hold::Taken
                    }
                }
            };
            Ok(Picked {
                address: buffer.address as usize,
                length,
                id: buffer.id,
                group,
                given: None,
                hold,
            })
        }
        None => Err(-libc::ENOBUFS),
    }
}

/// A request that comes to wait gives its buffer back, for what comes before it. One that is used up, or that others were
/// picked behind, it keeps.
pub fn put_back(ring: &Ring, req: &mut Req) {
    if req.done == 0 {
        req.picked
            .take_if(|picked| picked.goes_back(&mut ring.state.lock().groups));
    } else if let Some(picked) = &mut req.picked {
        picked.use_up(&mut ring.state.lock().groups);
    }
}

fn count(req: &Req) -> usize {
    req.sqe.fd as usize
}

pub fn check_provide(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.op_flags().into(), req.file_index().into()])?;
    if !(1..=65536).contains(&req.sqe.fd) {
        return Err(-libc::E2BIG);
    }
    if req.sqe.len == 0 {
        return Err(-libc::EINVAL);
    }
    let size = u64::from(req.sqe.len) * count(req) as u64;
    let end = (req.address::<u8>().addr() as u64).checked_add(size);
    if end.ok_or(-libc::EOVERFLOW)? > i64::MAX as u64 {
        return Err(-libc::EFAULT);
    }
    if req.offset() > 65535 {
        return Err(-libc::E2BIG);
    }
    if req.offset() + count(req) as u64 > 65536 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn provide(ring: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (first, length) = (req.address::<u8>().addr() as u64, req.sqe.len);
    let mut state = ring.state.lock();
    let group = state
        .groups
        .entry(req.buf_index())
        .or_insert_with(|| Group::Given(VecDeque::new()));
    let Group::Given(buffers) = group else {
        return Outcome::Done(-libc::EINVAL, 0);
    };
    // More would be known by numbers that are taken.
    let room = usize::from(u16::MAX).saturating_sub(buffers.len());
    if room == 0 {
        return Outcome::Done(-libc::EOVERFLOW, 0);
    }
    for at in 0..count(req).min(room) as u64 {
        buffers.push_back(Buffer {
            address: first.wrapping_add(at * u64::from(length)),
            length,
            id: (req.offset() + at) as u16,
        });
    }
    Outcome::Done(0, 0)
}

pub fn check_remove(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[
        addr,
        req.sqe.len.into(),
        req.offset(),
        req.op_flags().into(),
        req.file_index().into(),
    ])?;
    if !(1..=65536).contains(&req.sqe.fd) {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn remove(ring: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let mut state = ring.state.lock();
    match state.groups.get_mut(&req.buf_index()) {
        None => Outcome::Done(-libc::ENOENT, 0),
        Some(Group::Shared(_)) => Outcome::Done(-libc::EINVAL, 0),
        Some(Group::Given(buffers)) => {
            let removed = count(req).min(buffers.len());
            buffers.drain(..removed);
            Outcome::Done(removed as c_int, 0)
        }
    }
}
