//! Reading requests from the SQ.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use crate::batch::Batch;
use crate::memory::Completion;
use crate::op::{self, Op};
use crate::request::{How, Req};
use crate::ring::{Ring, Submission};
use crate::{run, untried};

/// Every flag that an SQE can have.
pub const SQE_FLAGS: u32 = IOSQE_FIXED_FILE
    | IOSQE_IO_DRAIN
    | IOSQE_IO_LINK
    | IOSQE_IO_HARDLINK
    | IOSQE_ASYNC
    | IOSQE_BUFFER_SELECT
    | IOSQE_CQE_SKIP_SUCCESS;
pub const ENTER_FLAGS: u32 = IORING_ENTER_GETEVENTS
    | IORING_ENTER_SQ_WAKEUP
    | IORING_ENTER_SQ_WAIT
    | IORING_ENTER_EXT_ARG
    | IORING_ENTER_REGISTERED_RING
    | IORING_ENTER_ABS_TIMER
    | IORING_ENTER_EXT_ARG_REG
    | IORING_ENTER_NO_IOWAIT;
const CHAINED: u32 = IOSQE_IO_LINK | IOSQE_IO_HARDLINK;
const ORDERED: u32 = CHAINED | IOSQE_IO_DRAIN;

/// A chain of requests that is not complete yet, the last one first.
type Chain = Vec<Req>;

/// Reads up to `count` SQEs and starts their requests. Returns how many.
pub fn submit(ring: &Arc<Ring>, count: u32) -> c_int {
    let mut submission = ring.submission.lock();
    let memory = ring.memory();
    // The queue begins with the first SQE at each call, and has no counters.
    let rewinds = ring.has(IORING_SETUP_SQ_REWIND);
    let (mut head, there) = if rewinds {
        (0, memory.sq_entries)
    } else {
        // Relaxed: only submitters move the head, and they hold the lock.
        let head = memory.sq_head().load(Ordering::Relaxed);
        // Acquire: the SQEs below the tail are complete.
        let tail = memory.sq_tail().load(Ordering::Acquire);
        (head, tail.wrapping_sub(head))
    };
    // Release: the program may use the slots again.
    let commit = |head| {
        if !rewinds {
            memory.sq_head().store(head, Ordering::Release);
        }
    };
    let count = count.min(there).min(memory.sq_entries);
    // A thread of the kernel's goes on in its next round.
    let rounds = ring.has(IORING_SETUP_SQPOLL);
    let all = rounds || ring.has(IORING_SETUP_SUBMIT_ALL);
    let mut batch = Batch::new(true, std::mem::take(&mut submission.room));
    // Not where completions come on request: those of requests that could be complete come then.
    batch.ends_by_looking = !ring.tells_work();
    let mut chain = Chain::new();
    let mut taken = 0;
    while taken < count {
        let sqe = memory.sqe(head);
        head = head.wrapping_add(1);
        let Some(mut sqe) = sqe else {
            memory.dropped().fetch_add(1, Ordering::Relaxed);
            if !rounds {
                break;
            }
            taken += 1;
            if !chain.is_empty() {
                // It ends with its round.
                start_chain(
                    ring,
                    &mut submission,
                    std::mem::take(&mut chain),
                    &mut batch,
                );
            }
            continue;
        };
        taken += 1;
        if op::is_double(sqe.opcode) && !ring.has(IORING_SETUP_SQE128) {
            if ring.has(IORING_SETUP_SQE_MIXED) && taken < count && memory.is_pair(head) {
                head = head.wrapping_add(1);
                taken += 1;
            } else {
                // Half of it is missing: an opcode that there is not.
                sqe.opcode = u8::MAX;
            }
        }
        // Here already, since requests that run now may take long.
        commit(head);
        if !take_in(ring, &mut submission, sqe, &mut chain, &mut batch) && !all {
            break;
        }
    }
    commit(head);
    if !chain.is_empty() {
        // The program ended it with a member that is linked to nothing.
        start_chain(ring, &mut submission, chain, &mut batch);
    }
    run::try_last(ring, &mut batch);
    run::end(&mut batch, ring);
    // Tags are posted as soon as nothing uses their resources.
    batch.forget_files();
    submission.room = std::mem::take(&mut batch.done);
    drop(submission);
    untried::look(ring, &mut batch);
    run::settle(ring);
    taken as c_int
}

/// Reads one SQE. `false`: it is invalid.
fn take_in(
    ring: &Arc<Ring>,
    submission: &mut Submission,
    sqe: io_uring_sqe,
    chain: &mut Chain,
    batch: &mut Batch,
) -> bool {
    let flags = u32::from(sqe.flags);
    let mut req = Req::new(sqe);
    submission.skips |= flags & IOSQE_CQE_SKIP_SUCCESS != 0;
    if flags & ORDERED == 0 && chain.is_empty() && !submission.drain_next && !submission.defers {
        // Most requests are neither linked nor drained.
        let op = match check(ring, &mut req) {
            Ok(op) => Some(op),
            Err(error) => {
                req.failed = error;
                None
            }
        };
        run::begin(ring, req, op, batch);
        // The timeout of a link follows nothing here.
        return op.is_some() && sqe.opcode != IORING_OP_LINK_TIMEOUT as u8;
    }
    let mut checked = check(ring, &mut req).map(drop);
    if flags & IOSQE_IO_DRAIN != 0 && submission.skips && flags & !SQE_FLAGS == 0 {
        // What completes without a CQE could not be waited for.
        checked = Err(-libc::EOPNOTSUPP);
    }
    if checked.is_ok() && req.is_link_timeout() && chain.last().is_none_or(Req::is_link_timeout) {
        // It follows nothing that could take long.
        checked = Err(-libc::EINVAL);
    }
    let wrong = checked.is_err();
    req.failed = checked.err().unwrap_or(0);
    if wrong {
        // The whole chain fails: its members before and after this one are cancelled.
        for member in chain.iter_mut() {
            if member.failed == 0 {
                member.failed = -libc::ECANCELED;
            }
        }
    } else if chain.iter().any(|member| member.failed != 0) {
        req.failed = -libc::ECANCELED;
    }
    let goes_on = flags & CHAINED != 0;
    if goes_on || !chain.is_empty() {
        chain.push(req);
        if !goes_on {
            start_chain(ring, submission, std::mem::take(chain), batch);
        }
        // A chain is taken in whole.
        return !wrong || goes_on;
    }
    start(ring, submission, req, batch);
    !wrong
}

/// Joins a chain and starts its first member.
fn start_chain(ring: &Arc<Ring>, submission: &mut Submission, mut chain: Chain, batch: &mut Batch) {
    if chain.iter().any(|member| member.failed != 0) {
        batch.post(ring);
        let mut state = ring.state.lock();
        batch.begin_to_post(&state);
        // Of a chain whose first member is to be silent the program hears once, wherever it is wrong.
        let silent = chain
            .first()
            .is_some_and(|first| first.has(IOSQE_CQE_SKIP_SUCCESS));
        let told = if silent { 1 } else { chain.len() };
        for member in chain.iter().take(told) {
            let completion = Completion {
                user_data: member.sqe.user_data,
                res: member.failed,
                ..Completion::default()
            };
            ring.post(&mut state, completion);
        }
        ring.notify(&state, false);
        return;
    }
    let drained = chain.iter().any(|member| member.has(IOSQE_IO_DRAIN));
    let mut following: Option<Box<Req>> = None;
    while let Some(mut member) = chain.pop() {
        member.link = following.take();
        following = Some(Box::new(member));
    }
    if let Some(mut first) = following {
        if drained {
            first.sqe.flags |= IOSQE_IO_DRAIN as u8;
        }
        start(ring, submission, *first, batch);
    }
}

/// Starts a request, or puts it behind those that it has to wait for.
fn start(ring: &Arc<Ring>, submission: &mut Submission, mut req: Req, batch: &mut Batch) {
    run::end_last(ring, batch);
    batch.post(ring);
    // One that is wrong completes at once, and holds up nothing.
    if req.failed == 0 {
        let drain = req.has(IOSQE_IO_DRAIN);
        req.drained = drain || submission.drain_next;
        submission.drain_next = drain;
        let mut state = ring.state.lock();
        submission.defers = !state.deferred.is_empty();
        if (req.drained && state.holds_drained()) || submission.defers {
            match op::stabilize_chain(&mut req) {
                Ok(()) => {
                    state.deferred.push_back(req);
                    submission.defers = true;
                }
                Err(error) => {
                    req.failed = error;
                    drop(state);
                    run::run(ring, req, How::Try, batch);
                }
            }
            return;
        }
        drop(state);
        if req.link.is_some() {
            // Its turn may come in another thread, after the program's memory has changed.
            if let Some(error) = req
                .link
                .as_mut()
                .and_then(|link| op::stabilize_chain(link).err())
            {
                req.failed = error;
            }
        }
    }
    run::run(ring, req, How::Try, batch);
}

/// Checks what does not depend on the opcode, and then what does.
#[inline]
fn check(ring: &Ring, req: &mut Req) -> Result<&'static Op, c_int> {
    let flags = u32::from(req.sqe.flags);
    if flags & !SQE_FLAGS != 0 {
        return Err(-libc::EINVAL);
    }
    // Relaxed: set before the ring was seen to be enabled, without which nothing is submitted.
    if ring.restricted.load(Ordering::Relaxed)
        && !ring.state.lock().restrictions.allows_request(&req.sqe)
    {
        return Err(-libc::EACCES);
    }
    if req.sqe.personality != 0 {
        let state = ring.state.lock();
        let lent = state.personalities.get(req.sqe.personality);
        req.personality = Some(lent.ok_or(-libc::EINVAL)?);
    }
    op::check(ring, req)
}
