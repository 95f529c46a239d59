//! Which jobs wait for which descriptors, and whether requests on these find them ready.

use std::collections::hash_map::Entry;
use std::ffi::c_int;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use uring_core::abi::*;

use crate::job::Job;
use crate::numbers::Numbers;
use crate::request::Req;
use crate::ring::Ring;

/// Events that epoll reports unasked.
const ALWAYS: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;

/// How a job waits for events on its descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    Once,
    /// The same, of a request that has not been tried.
    Untried,
    Each,
}

fn receives(req: &Req) -> bool {
    let opcode = u32::from(req.sqe.opcode);
    opcode == IORING_OP_RECV as u32 || opcode == IORING_OP_RECVMSG as u32
}

/// A job that waits for a descriptor.
pub struct Armed {
    pub id: u64,
    pub events: u32,
    /// For each event, not once.
    pub edge: bool,
    /// If not 0, its request has not been tried: others had to wait before. The number of the look that comes next.
    pub untried: u64,
    pub job: Box<Job>,
}

/// When a request to receive is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Now,
    /// When all others are taken in.
    Last,
    /// When the descriptor is ready.
    WhenReady,
    /// The same, since another one waits so.
    Behind,
}

/// A descriptor that jobs wait for, or have waited for.
#[derive(Default)]
struct Descriptor {
    armed: Vec<Armed>,
    /// The events for which it is in the set of edges. 0: it is not.
    edges: u32,
    history: History,
}

/// Whether requests to receive find something.
///
/// After one that did not, some are not tried at their turn, but when all others are taken in: twice as many each time.
struct History {
    /// How many are not tried at their turn after one that found nothing.
    pause: u8,
    /// How many of these are to come.
    left: u8,
    /// The last one was tried at its turn, and has not been put here since.
    tried: bool,
    /// The last one of the others was ready in the end: the ones beside it had made it so.
    ready: bool,
}

/// The most that are not tried at their turn, one after the other.
const MOST: u8 = 31;

impl Default for History {
    fn default() -> Self {
        History {
            pause: 0,
            left: 0,
            tried: false,
            ready: true,
        }
    }
}

impl History {
    fn found_nothing(&mut self) {
        self.ready = false;
        if self.tried {
            self.tried = false;
            self.pause = (2 * self.pause + 1).min(MOST);
            self.left = self.pause;
        }
    }

    fn expects_nothing(&mut self) -> bool {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return true;
        }
        if self.tried {
            self.pause = 0;
        }
        self.tried = true;
        false
    }
}

/// All descriptors, by their numbers.
pub struct Watched {
    all: Numbers<c_int, Descriptor>,
    waiting: usize,
    /// Jobs have waited that work on another descriptor as well.
    beside: bool,
}

impl Watched {
    pub const fn new() -> Watched {
        Watched {
            all: Numbers::with_hasher(BuildHasherDefault::new()),
            waiting: 0,
            beside: false,
        }
    }

    /// Whether no job waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Lets a job wait for a descriptor. Returns the events that are waited for in the same way.
    pub fn put(&mut self, fd: c_int, armed: Armed) -> u32 {
        let edge = armed.edge;
        self.beside |= armed.job.req.source().is_some();
        let descriptor = self.all.entry(fd).or_default();
        // Others, such as those that accept, tell nothing of what is there to receive.
        if armed.untried == 0 && receives(&armed.job.req) {
            descriptor.history.found_nothing();
        }
        descriptor.armed.push(armed);
        self.waiting += 1;
        let alike = descriptor.armed.iter().filter(|armed| armed.edge == edge);
        alike.fold(0, |all, armed| all | armed.events)
    }

    /// When a request to receive is tried.
    pub fn turn(&mut self, fd: c_int) -> Turn {
        let Some(descriptor) = self.all.get_mut(&fd) else {
            return Turn::Now;
        };
        if descriptor.armed.iter().any(|armed| armed.untried != 0) {
            return Turn::Behind;
        }
        match (
            descriptor.history.expects_nothing(),
            descriptor.history.ready,
        ) {
            (false, _) => Turn::Now,
            (true, true) => Turn::Last,
            (true, false) => Turn::WhenReady,
        }
    }

    /// The number stands for another file than before.
    pub fn begin_anew(&mut self, fd: c_int) {
        if let Some(descriptor) = self.all.get_mut(&fd) {
            descriptor.history = History::default();
        }
    }

    /// The jobs of a descriptor that wait for each event, and those events. `None`: there are none.
    pub fn wanted_each(&self, fd: c_int) -> Option<u32> {
        let armed = self.all.get(&fd)?.armed.iter();
        armed
            .filter(|armed| armed.edge)
            .map(|armed| armed.events)
            .reduce(|all, events| all | events)
    }

    /// The events for which a descriptor is in the set of edges.
    pub fn edges(&mut self, fd: c_int) -> Option<&mut u32> {
        Some(&mut self.all.get_mut(&fd)?.edges)
    }

    /// Takes a job back.
    pub fn take(&mut self, fd: c_int, id: u64) -> Option<Armed> {
        let armed = &mut self.all.get_mut(&fd)?.armed;
        let at = armed.iter().position(|armed| armed.id == id)?;
        self.waiting -= 1;
        Some(armed.remove(at))
    }

    /// Takes the jobs that wait once and for these events, in the order in which they came. `look`: the number of the
    /// last look at what was not tried. Returns the events that others wait for.
    pub fn take_ready(
        &mut self,
        fd: c_int,
        events: u32,
        look: u64,
        jobs: &mut Vec<Box<Job>>,
    ) -> Option<u32> {
        let descriptor = self.all.get_mut(&fd)?;
        let before = jobs.len();
        descriptor.history.ready |= descriptor.armed.iter().any(|armed| armed.untried == look);
        let hit = |armed: &Armed| !armed.edge && events & (armed.events | ALWAYS) != 0;
        if descriptor.armed.iter().all(hit) {
            jobs.extend(descriptor.armed.drain(..).map(|armed| armed.job));
        } else {
            let (ready, others) = descriptor.armed.drain(..).partition::<Vec<_>, _>(hit);
            descriptor.armed = others;
            jobs.extend(ready.into_iter().map(|armed| armed.job));
        }
        self.waiting -= jobs.len() - before;
        let others = descriptor.armed.iter().filter(|armed| !armed.edge);
        others
            .map(|armed| armed.events)
            .reduce(|all, events| all | events)
    }

    /// The jobs that wait for each event, and for these events.
    pub fn at_edges(&self, fd: c_int, events: u32) -> Vec<u64> {
        let armed = self.all.get(&fd).map(|descriptor| &descriptor.armed);
        let hit = |armed: &&Armed| armed.edge && events & (armed.events | ALWAYS) != 0;
        let ready = armed.into_iter().flatten().filter(hit);
        ready.map(|armed| armed.id).collect()
    }

    /// A job that waits.
    pub fn job(&self, fd: c_int, id: u64) -> Option<&Job> {
        let mut armed = self.all.get(&fd)?.armed.iter();
        Some(&armed.find(|armed| armed.id == id)?.job)
    }

    /// Descriptors within a range that have been waited for.
    pub fn within(&self, first: c_int, last: c_int) -> Vec<c_int> {
        if first == last {
            return self
                .all
                .contains_key(&first)
                .then_some(first)
                .into_iter()
                .collect();
        }
        let fds = self.all.keys().copied();
        fds.filter(|fd| (first..=last).contains(fd)).collect()
    }

    /// Descriptors within a range are closed. Jobs that work on one of them, and wait for another, go on with duplicates.
    /// Returns those for which there is no room.
    pub fn keep_beside(&mut self, first: c_int, last: c_int) -> Vec<(c_int, u64)> {
        let mut lost = Vec::new();
        if self.beside {
            let others = |fd: &c_int| !(first..=last).contains(fd);
            for (fd, descriptor) in self.all.iter_mut().filter(|(fd, _)| others(fd)) {
                for armed in &mut descriptor.armed {
                    let before = armed.job.req.fds();
                    if !armed.job.req.keep(first, last) {
                        lost.push((*fd, armed.id));
                    } else if armed.job.req.fds() != before {
                        armed.job.enter_descriptors();
                    }
                }
            }
        }
        lost
    }

    /// Forgets a descriptor. Returns its jobs, and whether it is in the set of edges.
    pub fn remove(&mut self, fd: c_int) -> (Vec<Armed>, bool) {
        let Entry::Occupied(descriptor) = self.all.entry(fd) else {
            return (Vec::new(), false);
        };
        let Descriptor { armed, edges, .. } = descriptor.remove();
        self.waiting -= armed.len();
        (armed, edges != 0)
    }

    /// The jobs of a ring, with their descriptors.
    pub fn of_ring<'a>(
        &'a self,
        ring: &'a Arc<Ring>,
    ) -> impl Iterator<Item = (c_int, &'a Armed)> + 'a {
        self.all.iter().flat_map(move |(fd, descriptor)| {
            let armed = descriptor.armed.iter();
            armed
                .filter(move |armed| Arc::ptr_eq(&armed.job.ring, ring))
                .map(move |armed| (*fd, armed))
        })
    }
}
