//! Jobs that wait until a time.

use std::collections::BTreeMap;

use crate::job::Job;
use crate::numbers::Numbers;

/// Jobs by the time until which they wait, on the monotonic clock in nanoseconds, and by their numbers.
pub struct Timers {
    jobs: BTreeMap<(u64, u64), Box<Job>>,
    deadlines: Option<Numbers<u64, u64>>,
}

impl Timers {
    pub const fn new() -> Timers {
        Timers {
            jobs: BTreeMap::new(),
            deadlines: None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The first time.
    pub fn first(&self) -> Option<u64> {
        self.jobs
            .first_key_value()
            .map(|((deadline, _), _)| *deadline)
    }

    pub fn put(&mut self, job: Box<Job>, deadline: u64) {
        let id = job.req.id;
        self.jobs.insert((deadline, id), job);
        self.deadlines.get_or_insert_default().insert(id, deadline);
    }

    /// Takes a job back.
    pub fn take(&mut self, id: u64) -> Option<Box<Job>> {
        let deadline = self.deadlines.as_mut()?.remove(&id)?;
        self.jobs.remove(&(deadline, id))
    }

    /// Takes the first job if its time has come.
    pub fn take_due(&mut self, now: u64) -> Option<Box<Job>> {
        let ((deadline, id), _) = self.jobs.first_key_value()?;
        let (deadline, id) = (*deadline, *id);
        if deadline > now {
            return None;
        }
        self.take(id)
    }
}
