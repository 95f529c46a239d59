//! Running requests, and the requests and timeouts that depend on them.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use crate::batch::Batch;
use crate::completion::{
    cancel_chain, cancel_timeout, cancelled, completion, drop_timeout, flags_of, has_order,
    start_deferred,
};
use crate::job::{Job, Runner};
use crate::op::{self, Op, Outcome};
use crate::request::{Class, How, Info, Place, Req};
use crate::ring::Ring;
use crate::{deadline, parked, poller, untried, workers};

/// How jobs go on: by the functions below.
static RUNNER: Runner = Runner {
    resume,
    resume_all,
    complete_all,
};

/// A request that is to wait somewhere.
pub fn job(ring: &Arc<Ring>, req: Req) -> Box<Job> {
    Box::new(Job {
        ring: ring.clone(),
        req,
        runner: &RUNNER,
    })
}

/// Ends a round: posts the collected completions, and submits the collected requests to native AIO.
pub fn end(batch: &mut Batch, ring: &Arc<Ring>) {
    batch.post(ring);
    if !batch.aio.is_empty() {
        submit_aio(ring, batch);
    }
}

/// Submits the collected requests to native AIO. The first ones go early: the device works on them while others are
/// prepared.
fn submit_aio(ring: &Arc<Ring>, batch: &mut Batch) {
    // What has completed is posted before what may complete from now on.
    batch.post(ring);
    batch.aio_at_once *= 2;
    for job in parked::submit_aio(std::mem::take(&mut batch.aio)) {
        park_elsewhere(job, Place::Worker(Class::Bounded));
    }
    poller::call_in(ring);
}

/// Runs a request that was just taken in and is linked to nothing. Most complete at once, and stay where they are.
#[inline]
pub fn begin(ring: &Arc<Ring>, mut req: Req, op: Option<&'static Op>, batch: &mut Batch) {
    before(ring, &req, batch);
    let outcome = match op {
        Some(op) => op::issue_as(op, ring, &mut req, How::Try, batch),
        None => Outcome::Done(req.failed, 0),
    };
    match outcome {
        Outcome::Done(res, flags) if !req.counted && !has_order(ring, &req) => {
            batch.done.extend(completion(ring, &req, res, flags));
            batch.keep(req);
        }
        outcome => {
            let next = follow(ring, job(ring, req), outcome, batch);
            run_all(ring, next, batch);
        }
    }
}

/// Runs a request, and the requests that it lets start.
pub fn run(ring: &Arc<Ring>, req: Req, how: How, batch: &mut Batch) {
    let next = step(ring, req, how, batch);
    run_all(ring, next, batch);
}

/// Runs requests whose turn has come, the last one first, and those that they let start.
pub fn run_all(ring: &Arc<Ring>, mut next: Vec<Req>, batch: &mut Batch) {
    while let Some(req) = next.pop() {
        batch.follows = true;
        next.extend(step(ring, req, How::Try, batch));
    }
    batch.follows = false;
}

/// Runs a request of a job that was taken from where it waited.
pub fn resume(job: Box<Job>, how: How) {
    resume_all(vec![job], how);
}

/// The same for several jobs. Those of one ring after the other are told of together.
pub fn resume_all(jobs: Vec<Box<Job>>, how: How) {
    let mut jobs = jobs.into_iter().peekable();
    while let Some(job) = jobs.next() {
        let ring = job.ring.clone();
        let mut batch = Batch::new(false, Vec::new());
        run_job(&ring, job, how, &mut batch);
        while let Some(job) = jobs.next_if(|job| Arc::ptr_eq(&job.ring, &ring)) {
            run_job(&ring, job, how, &mut batch);
        }
        end(&mut batch, &ring);
        settle(&ring);
    }
}

/// Completes a request of a job that was taken from where it waited.
pub fn complete(mut job: Box<Job>, res: c_int, flags: u32) {
    let ring = job.ring.clone();
    let mut batch = Batch::new(false, Vec::new());
    let next = finish(&ring, &mut job.req, res, flags, &mut batch);
    drop(job);
    run_all(&ring, next, &mut batch);
    end(&mut batch, &ring);
    settle(&ring);
}

/// Completes jobs that ended together.
pub fn complete_all(jobs: Vec<(Box<Job>, c_int)>) {
    let mut jobs = jobs.into_iter().peekable();
    while let Some((mut job, res)) = jobs.next() {
        let ring = job.ring.clone();
        let mut batch = Batch::new(false, Vec::new());
        let flags = flags_of(&ring, &job.req, res);
        let mut next = finish(&ring, &mut job.req, res, flags, &mut batch);
        drop(job);
        while let Some((mut job, res)) = jobs.next_if(|(job, _)| Arc::ptr_eq(&job.ring, &ring)) {
            let flags = flags_of(&ring, &job.req, res);
            next.extend(finish(&ring, &mut job.req, res, flags, &mut batch));
        }
        run_all(&ring, next, &mut batch);
        end(&mut batch, &ring);
        settle(&ring);
    }
}

/// What has to be done before a request runs.
#[inline]
fn before(ring: &Arc<Ring>, req: &Req, batch: &mut Batch) {
    if batch.has_last() && op::minds_last(req) {
        end_last(ring, batch);
    }
    // Requests of native AIO have a descriptor's number alone until the kernel has taken them.
    if !batch.aio.is_empty() && op::closes(req.sqe.opcode) {
        submit_aio(ring, batch);
    }
}

/// Completes the requests that were not tried at their turn, as far as they can be complete, before others of the round
/// go on.
pub fn end_last(ring: &Arc<Ring>, batch: &mut Batch) {
    if batch.has_last() {
        try_last(ring, batch);
        // Also before those that the look completes: one may close a descriptor behind them.
        if !batch.aio.is_empty() {
            submit_aio(ring, batch);
        }
        untried::look(ring, batch);
    }
}

/// Runs the requests that come last.
pub fn try_last(ring: &Arc<Ring>, batch: &mut Batch) {
    if batch.last.is_empty() {
        return;
    }
    batch.ending = true;
    for job in std::mem::take(&mut batch.last) {
        run_job(ring, job, How::Try, batch);
    }
    batch.ending = false;
}

/// Runs one request. Returns those that may be started now.
fn step(ring: &Arc<Ring>, mut req: Req, how: How, batch: &mut Batch) -> Vec<Req> {
    match outcome(ring, &mut req, how, batch) {
        Outcome::Done(res, flags) => finish(ring, &mut req, res, flags, batch),
        outcome => follow(ring, job(ring, req), outcome, batch),
    }
}

/// Runs a job, which stays where it is, and the requests that it lets start.
fn run_job(ring: &Arc<Ring>, mut job: Box<Job>, how: How, batch: &mut Batch) {
    let outcome = outcome(ring, &mut job.req, how, batch);
    let next = follow(ring, job, outcome, batch);
    run_all(ring, next, batch);
}

/// Starts a request, or goes on with it.
fn outcome(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    before(ring, req, batch);
    if req.failed != 0 {
        return Outcome::Done(req.failed, 0);
    }
    op::issue(ring, req, how, batch)
}

/// Does what the outcome of a request asks for. Returns those that may be started now.
fn follow(ring: &Arc<Ring>, mut job: Box<Job>, outcome: Outcome, batch: &mut Batch) -> Vec<Req> {
    match outcome {
        Outcome::Done(res, flags) => finish(ring, &mut job.req, res, flags, batch),
        Outcome::HandBack => {
            batch.post(ring);
            hand_back(ring, job.req);
            Vec::new()
        }
        Outcome::Park(place) => park(ring, job, place, batch),
        Outcome::Last => {
            batch.last.push(job);
            Vec::new()
        }
    }
}

/// Leaves a request to the next thread of the program that enters, and makes the program enter.
fn hand_back(ring: &Arc<Ring>, req: Req) {
    let state = ring.state.lock();
    // Relaxed: set under the state.
    if ring.closed.load(Ordering::Relaxed) {
        return;
    }
    {
        let mut left = ring.handed_back.lock();
        left.push_back(req);
        // SeqCst: before the program is made to enter.
        ring.left_over.store(true, Ordering::SeqCst);
    }
    ring.notify(&state, true);
    ring.signal();
    drop(state);
    ring.call_back();
}

/// Puts a request where it waits. Returns those that may be started now: it was completed after all.
fn park(ring: &Arc<Ring>, mut job: Box<Job>, place: Place, batch: &mut Batch) -> Vec<Req> {
    let req = &mut job.req;
    req.turn = None;
    if let Err(error) = op::stabilize(req) {
        return finish(ring, req, error, 0, batch);
    }
    let mut timeout = None;
    if req.link.as_ref().is_some_and(|next| next.is_link_timeout()) {
        if let Some(mut next) = req.link.take() {
            req.link = next.link.take();
            timeout = Some(next);
        }
    }
    if req.id == 0 {
        req.id = Ring::next_id();
    }
    let id = req.id;
    let before;
    {
        let mut state = ring.state.lock();
        // Relaxed: set under the state.
        if ring.closed.load(Ordering::Relaxed) {
            drop(state);
            return go_on_without_ring(ring, job, place, batch);
        }
        if !req.counted {
            req.counted = true;
            state.in_flight += 1;
        }
        before = state.pending.get(id).map(|info| info.place);
        let info = Info::new(req, place);
        if !state.pending.insert(id, info) {
            drop(state);
            return finish_cancelled(ring, &mut job.req, batch);
        }
        ring.show_work(&state);
    }
    match place {
        Place::Aio => {
            batch.aio.push(job);
            if batch.aio.len() >= batch.aio_at_once {
                submit_aio(ring, batch);
            }
        }
        // Another thread may complete it before this one posts what has completed already. Or its first event is there.
        _ => {
            if !batch.is_alone() || matches!(place, Place::Edge(_)) {
                batch.post(ring);
            }
            if let Some(mut job) = parked::put(job, place) {
                // It does not wait yet, so its timeout is not started.
                if let Some(mut next) = timeout {
                    next.link = job.req.link.take();
                    job.req.link = Some(next);
                }
                if place.is_for_events() && poller::is_missing() {
                    // The program is not kept waiting: a worker does that, if the request lets it.
                    let waits = Place::Worker(Class::Unbounded);
                    if before == Some(waits) {
                        return finish(ring, &mut job.req, -libc::EMFILE, 0, batch);
                    }
                    park_elsewhere(job, waits);
                    return Vec::new();
                }
                let how = match place {
                    // The number stands for another file than before.
                    Place::Untried(_) => How::Try,
                    // No thread can be made: the caller does the work.
                    _ => How::Block,
                };
                let outcome = outcome(ring, &mut job.req, how, batch);
                return follow(ring, job, outcome, batch);
            }
        }
    }
    if let Some(timeout) = timeout {
        start_link_timeout(ring, id, *timeout, batch);
    }
    match parked::take_late(ring, id) {
        // Relaxed: if it is set, `take_late` has seen it.
        Some(job) if ring.closed.load(Ordering::Relaxed) => {
            go_on_without_ring(ring, job, place, batch)
        }
        Some(mut job) => finish_cancelled(ring, &mut job.req, batch),
        None => Vec::new(),
    }
}

/// A request is to wait whose ring has ended. As in the kernel it goes on where it waits for nothing but a worker.
fn go_on_without_ring(
    ring: &Arc<Ring>,
    job: Box<Job>,
    place: Place,
    batch: &mut Batch,
) -> Vec<Req> {
    let here = match place {
        // Others use its descriptor, and may be behind this thread.
        Place::Worker(_) if op::closes(job.req.sqe.opcode) => parked::put(job, place),
        Place::Worker(Class::Bounded) | Place::Aio if workers::is_awaited() => Some(job),
        _ => None,
    };
    let Some(mut job) = here else {
        return Vec::new();
    };
    let outcome = outcome(ring, &mut job.req, How::Block, batch);
    follow(ring, job, outcome, batch)
}

/// Puts a job that is already counted elsewhere.
pub fn park_elsewhere(job: Box<Job>, place: Place) {
    if let Some(info) = job.ring.state.lock().pending.get_mut(job.req.id) {
        info.place = place;
    }
    if let Some(job) = parked::put(job, place) {
        resume(job, How::Block);
    }
}

/// Starts the timeout of a request that waits now.
fn start_link_timeout(ring: &Arc<Ring>, of: u64, mut timeout: Req, batch: &mut Batch) {
    let deadline = match deadline::deadline(&timeout) {
        Ok(deadline) => deadline,
        Err(error) => {
            finish(ring, &mut timeout, error, 0, batch);
            return;
        }
    };
    timeout.id = Ring::next_id();
    let id = timeout.id;
    let mut state = ring.state.lock();
    let running = state
        .pending
        .get_mut(of)
        .map(|info| info.timeout = Some(id))
        .is_some();
    if !running {
        // It has been completed already.
        cancel_timeout(ring, &mut state, &timeout);
        ring.notify(&state, true);
        return;
    }
    timeout.counted = true;
    // Where a link timeout fires it looks for the request of this number.
    timeout.sqe.__anon1.off = of;
    state.in_flight += 1;
    let info = Info::new(&timeout, Place::Timer(deadline));
    state.pending.insert(id, info);
    drop(state);
    // Where no time can be waited for nobody ends the request's wait. Or the request was completed in between, by a thread
    // that did not find the timer yet.
    let useless = match poller::put_timer(job(ring, timeout), deadline) {
        None if ring.state.lock().pending.get(of).is_none() => poller::take_timer(id),
        back => back,
    };
    if let Some(mut job) = useless {
        let next = finish_cancelled(ring, &mut job.req, batch);
        run_all(ring, next, batch);
    }
}

/// Completes a request that is cancelled.
fn finish_cancelled(ring: &Arc<Ring>, req: &mut Req, batch: &mut Batch) -> Vec<Req> {
    let (res, flags) = cancelled(ring, req);
    finish(ring, req, res, flags, batch)
}

/// Completes a request. Returns those that may be started now.
fn finish(ring: &Arc<Ring>, req: &mut Req, res: c_int, flags: u32, batch: &mut Batch) -> Vec<Req> {
    let completion = completion(ring, req, res, flags);
    if !req.counted && req.link.is_none() && !has_order(ring, req) {
        batch.done.extend(completion);
        return Vec::new();
    }
    let mut next = Vec::new();
    let mut state = ring.state.lock();
    let info = if req.id == 0 {
        None
    } else {
        state.forget_counted(req);
        state.pending.remove(req.id)
    };
    if info.as_ref().is_some_and(|info| info.cancelled) {
        // Relaxed: under the state.
        ring.marked.fetch_sub(1, Ordering::Relaxed);
    }
    let mut timeout = None;
    if let Some(id) = info.and_then(|info| info.timeout) {
        // Not under the ring's state: where requests wait is locked first.
        drop(state);
        timeout = poller::take_timer(id);
        state = ring.state.lock();
    }
    batch.untold = true;
    batch.begin_to_post(&state);
    for earlier in batch.done.drain(..) {
        ring.post(&mut state, earlier);
    }
    if let Some(completion) = completion {
        ring.post_of(&mut state, req, completion);
    }
    req.turn = None;
    if let Some(timeout) = timeout {
        // One that is firing was not there any more, and completes itself.
        state.pending.remove(timeout.req.id);
        state.in_flight -= 1;
        cancel_timeout(ring, &mut state, &timeout.req);
    }
    let failed = req.breaks(res);
    let mut following = req.link.take();
    if let Some(timeout) = following.take_if(|link| link.is_link_timeout()) {
        following = drop_timeout(ring, &mut state, timeout);
    }
    // Relaxed: under the state.
    if ring.closed.load(Ordering::Relaxed) && !workers::is_awaited() {
        // The program may have taken back the memory that it would work on.
        following = None;
    }
    match following {
        Some(link) if failed && !req.has(IOSQE_IO_HARDLINK) => {
            cancel_chain(ring, &mut state, link, req.has(IOSQE_CQE_SKIP_SUCCESS));
        }
        Some(link) => next.push(*link),
        None => {}
    }
    if req.counted {
        match next.first_mut() {
            // What follows takes the place: in between nothing that waits for both may start.
            Some(following) => following.counted = true,
            None => state.in_flight -= 1,
        }
    }
    start_deferred(&mut state, &mut next);
    next
}

/// What is due after completions, outside of all locks: tags of resources, and timeouts that count completions.
pub fn settle(ring: &Arc<Ring>) {
    ring.post_released();
    end_counted(ring);
}

/// Ends the timeouts whose number of completions is reached. Not under any lock.
fn end_counted(ring: &Arc<Ring>) {
    // Relaxed: who has posted a completion that counts has held the state since it was set.
    while ring.counts.load(Ordering::Relaxed) {
        let Some(id) = ring.take_reached() else {
            return;
        };
        if let Some(job) = poller::take_timer(id) {
            complete(job, 0, 0);
        }
    }
}
