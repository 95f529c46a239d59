//! Where requests wait: putting them there, and taking them back.

use crate::job::Job;
use crate::request::{Info, Place};
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
