//! Where requests wait: putting them there, and taking them back.

use std::sync::atomic::Ordering;

use crate::job::Job;
use crate::request::{Info, Place};
use crate::ring::Ring;
use crate::watched::For;
use crate::{aio, futex, poller, workers};

/// Puts a job where it waits. Gives it back where no thread can be made for it.
pub fn put(job: Box<Job>, place: Place) -> Option<Box<Job>> {
    match place {
        Place::Worker(class) => workers::put(job, class),
        Place::Poll(events) => poller::put(job, events, For::Once),
        Place::Untried(events) => poller::put(job, events, For::Untried),
        Place::Edge(events) => poller::put(job, events, For::Each),
        Place::Timer(deadline) => poller::put_timer(job, deadline),
        Place::Aio => submit_aio(vec![job]).pop(),
        Place::Futex => futex::put(job),
    }
}

/// Submits jobs to native AIO. Returns those that it refuses.
pub fn submit_aio(jobs: Vec<Box<Job>>) -> Vec<Box<Job>> {
    match aio::eventfd() {
        Some(eventfd) if poller::watch_aio(eventfd) => aio::submit(jobs),
        _ => jobs,
    }
}

/// Takes a request from where it waits. `None`: it runs, or is complete.
pub fn take(id: u64, info: &Info) -> Option<Box<Job>> {
    match info.place {
        Place::Worker(class) => workers::take(id, class),
        Place::Poll(_) | Place::Untried(_) | Place::Edge(_) => poller::take(info.fd, id),
        Place::Timer(_) => poller::take_timer(id),
        Place::Aio => None,
        Place::Futex => futex::take(id),
    }
}

/// What a request that is cancelled was found to be.
pub enum Found {
    /// It waited, and was taken back.
    Waiting(Box<Job>),
    /// It runs, and ends where it would wait next.
    Marked,
    /// It runs, or waits, and cannot be cancelled.
    Running,
    /// It is complete.
    Gone,
}

/// Takes a request from where it waits in order to cancel it, or has it end where it would wait next.
pub fn cancel(ring: &Ring, id: u64, info: &Info) -> Found {
    if let Some(job) = take(id, info) {
        return Found::Waiting(job);
    }
    let now = {
        let mut state = ring.state.lock();
        let Some(now) = state.pending.get_mut(id) else {
            return Found::Gone;
        };
        if !now.can_be_marked() {
            return Found::Running;
        }
        if !std::mem::replace(&mut now.cancelled, true) {
            // SeqCst: see `take_late`.
            ring.marked.fetch_add(1, Ordering::SeqCst);
        }
        now.copy()
    };
    // It may have come to wait in between.
    match take(id, &now) {
        Some(job) => Found::Waiting(job),
        None => Found::Marked,
    }
}

/// Takes back a request that was put where it waits too late for who looked for it there: who cancelled it, or gave up
/// its ring.
pub fn take_late(ring: &Ring, id: u64) -> Option<Box<Job>> {
    // SeqCst: who looked has held the lock of the place after the store that is read here, and this thread has held that
    // lock since.
    let closed = ring.closed.load(Ordering::SeqCst);
    if !closed && ring.marked.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let late = ring.state.lock().pending.get(id).map(Info::copy)?;
    if closed || late.cancelled {
        take(id, &late)
    } else {
        None
    }
}
