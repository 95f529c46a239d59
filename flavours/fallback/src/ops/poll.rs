//! Waiting for events on a descriptor.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use super::cancel;
use super::common::{unused, wait_in_worker};
use crate::batch::Batch;
use crate::job::Job;
use crate::memory::Completion;
use crate::op::Outcome;
use crate::request::How;
use crate::request::{Place, Req};
use crate::ring::Ring;
use crate::run;
use crate::{edges, parked, poller, sys, table};

/// Events that are reported unasked.
const ALWAYS: u32 = (libc::POLLERR | libc::POLLHUP | libc::POLLRDHUP) as u32;
/// What `ppoll` can be asked for.
const PLAIN: u32 = 0xffff;
/// Bits that tell epoll how to watch, not for which events.
const EPOLL_OWN: u32 = 0xf800_0000;
const UPDATES: u32 = IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA;

/// The events that an SQE asks for. On big-endian machines the halves are swapped, as the kernel has it.
fn events(req: &Req) -> u32 {
    let word = req.op_flags();
    if cfg!(target_endian = "big") {
        word.rotate_left(16)
    } else {
        word
    }
}

pub fn check_add(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[req.buf_index().into(), req.offset(), addr])?;
    let flags = req.sqe.len;
    if flags & !IORING_POLL_ADD_MULTI != 0 {
        return Err(-libc::EINVAL);
    }
    if flags & IORING_POLL_ADD_MULTI != 0 && req.has(IOSQE_CQE_SKIP_SUCCESS) {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

/// The events that are there, of those asked for.
fn ready(req: &Req) -> c_int {
    edges::before_look(req.fd());
    reported(req)
}

/// The same, as the kernel reports them.
fn reported(req: &Req) -> c_int {
    let wanted = ((events(req) | ALWAYS) & PLAIN) as i16;
    let there = sys::poll_now(req.fd(), wanted);
    if there < 0 {
        there
    } else {
        there & ((events(req) | ALWAYS) & PLAIN) as c_int
    }
}

pub fn add(ring: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let there = ready(req);
    if there < 0 {
        return Outcome::Done(there, 0);
    }
    let multi = req.sqe.len & IORING_POLL_ADD_MULTI != 0;
    // One that asks for each event comes here ready where it ends.
    if there != 0 && (!multi || how != How::Try) {
        return Outcome::Done(there, 0);
    }
    if how == How::Block {
        return without_set(ring, req);
    }
    let asked = (events(req) | ALWAYS) & !EPOLL_OWN;
    if multi {
        // The set of edges reports what is there already as the first event.
        return Outcome::Park(Place::Edge(asked));
    }
    Outcome::Park(Place::Poll(asked))
}

/// A poll that no set of descriptors takes: of a file that has no events, or since there is none. Then a worker waits.
#[cold]
fn without_set(ring: &Ring, req: &Req) -> Outcome {
    if !poller::is_missing() {
        return Outcome::Done(-libc::EINVAL, 0);
    }
    if wait_in_worker(ring, req, (events(req) | ALWAYS) & PLAIN) {
        Outcome::Done(ready(req), 0)
    } else {
        Outcome::Done(-libc::ECANCELED, 0)
    }
}

/// An event of a multishot poll: posts it. `false`: the poll ends, and its last completion is to come.
pub fn post_event(job: &Job) -> bool {
    // A ring in a set may have made the event, and its completions may have been taken since: it was one all the same.
    edges::before_look_at_ring(job.req.fd());
    let there = reported(&job.req);
    if there == 0 {
        return true;
    }
    let ring = &job.ring;
    let mut state = ring.state.lock();
    // What it would post is its next event, without end.
    let own = state.eventfd.is_some_and(|told| {
        let fd = job.req.fd();
        // Where the kernel does not say, by the number, if it stands for such a file still.
        let by_number = || told.number == fd && sys::identity(told.copy) == sys::identity(fd);
        sys::are_one(told.copy, fd).unwrap_or_else(by_number)
    });
    if there < 0
        || own
        // Two rings that polled each other would do the same.
        || table::is_ring(job.req.fd())
        || ring.is_full(&state)
        || there as u32 & ALWAYS != 0 && events(&job.req) & PLAIN == 0
    {
        return false;
    }
    let user_data = state
        .pending
        .get(job.req.id)
        .map_or(job.req.sqe.user_data, |info| info.user_data);
    ring.post_in_turn(
        &mut state,
        Completion {
            user_data,
            res: there,
            flags: IORING_CQE_F_MORE,
            ..Completion::default()
        },
    );
    ring.notify(&state, true);
    true
}

pub fn check_remove(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.buf_index().into(), req.file_index().into()])?;
    let flags = req.sqe.len;
    if flags & !(UPDATES | IORING_POLL_ADD_MULTI) != 0 || flags == IORING_POLL_ADD_MULTI {
        return Err(-libc::EINVAL);
    }
    if flags & IORING_POLL_UPDATE_USER_DATA == 0 && req.offset() != 0 {
        return Err(-libc::EINVAL);
    }
    if flags & IORING_POLL_UPDATE_EVENTS == 0 && events(req) != 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn remove(ring: &Arc<Ring>, req: &mut Req, _: How, batch: &mut Batch) -> Outcome {
    let user_data = req.address::<u8>().addr() as u64;
    let found = {
        let state = ring.state.lock();
        let polls = |id: &u64| {
            state
                .pending
                .get(*id)
                .is_some_and(|info| info.opcode == IORING_OP_POLL_ADD as u8)
        };
        state
            .pending
            .named(user_data)
            .into_iter()
            .find(polls)
            .and_then(|id| state.pending.get(id).map(|i| (id, i.copy())))
    };
    let Some((id, info)) = found else {
        return Outcome::Done(-libc::ENOENT, 0);
    };
    let Some(mut job) = parked::take(id, &info) else {
        return Outcome::Done(-libc::EALREADY, 0);
    };
    batch.post(ring);
    let flags = req.sqe.len;
    if flags & IORING_POLL_UPDATE_EVENTS != 0 {
        // Once or for each event: that stays as it was.
        job.req.sqe.__anon3 = req.sqe.__anon3;
    }
    if flags & IORING_POLL_UPDATE_USER_DATA != 0 {
        job.req.sqe.user_data = req.offset();
        ring.state.lock().pending.rename(id, req.offset());
    }
    // The result comes first.
    let silent = req.has(IOSQE_CQE_SKIP_SUCCESS) || req.link.is_some();
    if !silent {
        ring.post_alone(
            Completion {
                user_data: req.sqe.user_data,
                ..Completion::default()
            },
            false,
        );
        req.sqe.flags |= IOSQE_CQE_SKIP_SUCCESS as u8;
    }
    if flags & UPDATES == 0 {
        cancel::complete(job);
    } else {
        run::resume(job, How::Try);
    }
    Outcome::Done(0, 0)
}
