//! A request that waits somewhere.

use std::ffi::c_int;
use std::sync::Arc;

use crate::request::{How, Req};
use crate::ring::Ring;

/// How jobs go on when what they wait for is there. Where they wait stands below what runs them.
pub struct Runner {
    pub resume: fn(Box<Job>, How),
    pub resume_all: fn(Vec<Box<Job>>, How),
    pub complete_all: fn(Vec<(Box<Job>, c_int)>),
}

/// A request that waits somewhere, with its ring.
pub struct Job {
    pub ring: Arc<Ring>,
    pub req: Req,
    pub runner: &'static Runner,
}

impl Job {
    /// Runs it.
    pub fn resume(self: Box<Job>, how: How) {
        (self.runner.resume)(self, how);
    }

    /// Its descriptors are others than before: who looks for it has to know. The caller may hold the poller's lock.
    pub fn enter_descriptors(&self) {
        if let Some(info) = self.ring.state.lock().pending.get_mut(self.req.id) {
            (info.file, info.fd) = (self.req.fd(), self.req.waits_for());
        }
    }

    /// Runs jobs that can go on together.
    pub fn resume_all(jobs: Vec<Box<Job>>, how: How) {
        if let Some(first) = jobs.first() {
            (first.runner.resume_all)(jobs, how);
        }
    }

    /// Completes jobs that ended together.
    pub fn complete_all(jobs: Vec<(Box<Job>, c_int)>) {
        if let Some((first, _)) = jobs.first() {
            (first.runner.complete_all)(jobs);
        }
    }
}
