//! One thread that waits for descriptors, times and native AIO.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::aio::Aio;
use crate::epoll::{self, AIO, AT_ONCE, EDGE, Events, LOOKS, NO_EVENTS, WAKE, control, sleep};
use crate::job::Job;
use crate::lock::{Guard, Lock};
use crate::op;
use crate::request::How;
use crate::ring::Ring;
use crate::sys;
use crate::timers::Timers;
use crate::wake::{Firing, ORPHANED, RINGS_POLLED, Round, WAKER, Who, is_orphaned};
use crate::watched::{Armed, For, Turn, Watched};
use crate::{aio, due, lead, table, wake};

const IDLE: u64 = 5_000_000_000;
/// How long one of the program's threads sleeps in the poller's place. It is short, as the thread may have other work.
const SLICE: u64 = 1_000_000;
/// What the thread waits for.
pub struct Poller {
    /// The epoll set: descriptors once (`EPOLLONESHOT`), and those below.
    pub level: c_int,
    /// The edge-triggered epoll set, which is a member of the other.
    pub edge: c_int,
    wake: c_int,
    runs: bool,
    aio: c_int,
    pub fds: Watched,
    /// How often a thread has looked for events of requests that were not tried.
    looks: u64,
    timers: Timers,
    /// Until when the thread sleeps.
    until: u64,
}

pub static POLLER: Lock<Poller> = Lock::new(Poller {
    level: -1,
    edge: -1,
    wake: -1,
    runs: false,
    aio: -1,
    fds: Watched::new(),
    looks: 1,
    timers: Timers::new(),
    until: 0,
});

impl Poller {
    /// Makes the sets and the thread unless they exist. `false`: there are no sets.
    fn is_there(&mut self) -> bool {
        due::something_waits();
        if self.level < 0 {
            let Some((level, edge, wake)) = epoll::make() else {
                return false;
            };
            (self.level, self.edge, self.wake) = (level, edge, wake);
            lead::prepare();
            WAKER.store(wake, Ordering::Release);
        }
        if !self.runs {
            self.runs = sys::spawn("iou-poll", serve);
            self.until = 0;
            ORPHANED.store(!self.runs, Ordering::SeqCst);
        }
        true
    }

    /// Whether nothing waits here, and nothing for native AIO.
    fn is_idle(&self, aio: &Aio) -> bool {
        aio.is_idle() && self.fds.is_empty() && self.timers.is_empty()
    }

    /// Has epoll report the next of these events on a descriptor.
    pub fn arm(&mut self, fd: c_int, events: u32) -> c_int {
        let ret = self.arm_again(fd, events);
        if ret != -libc::ENOENT {
            return ret;
        }
        self.fds.begin_anew(fd);
        let events = events | libc::EPOLLONESHOT as u32;
        control(self.level, libc::EPOLL_CTL_ADD, fd, events, fd as u64)
    }

    /// The same while the number stands for the file that it stood for before, which the set knows.
    fn arm_again(&mut self, fd: c_int, events: u32) -> c_int {
        let events = events | libc::EPOLLONESHOT as u32;
        control(self.level, libc::EPOLL_CTL_MOD, fd, events, fd as u64)
    }

    /// Has epoll report each of the events on a descriptor that jobs wait for in this way, and those that are there as the
    /// first. `EEXIST`: it reports each of them already, and none anew.
    pub fn arm_edges(&mut self, fd: c_int) -> c_int {
        let (edge, wanted) = (self.edge, self.fds.wanted_each(fd).unwrap_or(0));
        let Some(edges) = self.fds.edges(fd) else {
            return 0;
        };
        let set = |op| control(edge, op, fd, wanted | libc::EPOLLET as u32, fd as u64);
        let mut ret = set(libc::EPOLL_CTL_ADD);
        // Who is told already would hear of what it has heard of.
        if ret == -libc::EEXIST && wanted & !*edges != 0 {
            ret = set(libc::EPOLL_CTL_MOD);
        }
        if ret >= 0 {
            *edges = wanted;
        }
        ret.min(0)
    }

    pub fn take(&mut self, fd: c_int, id: u64) -> Option<Box<Job>> {
        let taken = self.fds.take(fd, id)?;
        // With others left the set stays as it is: a change would report to them anew.
        if taken.edge && self.fds.wanted_each(fd).is_none() {
            let edges = self.fds.edges(fd).map_or(0, std::mem::take);
            if edges != 0 {
                control(self.edge, libc::EPOLL_CTL_DEL, fd, 0, 0);
            }
        }
        Some(taken.job)
    }

    /// Posts an event of a job that waits for each. Returns the job if it ends with this.
    fn post_event(&mut self, fd: c_int, id: u64) -> Option<Box<Job>> {
        match self.fds.job(fd, id) {
            Some(job) if !op::event(job) => self.take(fd, id),
            _ => None,
        }
    }

    /// Posts the events that came of jobs that wait for each. Returns the jobs that end with this.
    ///
    /// They are taken from the set and posted under the lock: another thread that looks, and does not find one any more,
    /// takes the lock and then finds it posted.
    fn post_events(&mut self) -> Vec<Box<Job>> {
        let mut ended = Vec::new();
        let mut events = NO_EVENTS;
        let got = sleep(self.edge, &mut events, 0);
        for event in events.iter().take(usize::try_from(got).unwrap_or(0)) {
            let fd = event.u64 as c_int;
            for id in self.fds.at_edges(fd, event.events) {
                ended.extend(self.post_event(fd, id));
            }
        }
        ended
    }

    /// In the child of a fork: all waiting jobs are the parent's.
    pub fn forget(&mut self) {
        std::mem::forget(std::mem::replace(&mut self.fds, Watched::new()));
        std::mem::forget(std::mem::replace(&mut self.timers, Timers::new()));
        for fd in [self.level, self.edge, self.wake] {
            if fd >= 0 {
                sys::close(fd);
            }
        }
        (self.level, self.edge, self.wake, self.aio) = (-1, -1, -1, -1);
        WAKER.store(-1, Ordering::Release);
        self.runs = false;
        wake::forget();
        ORPHANED.store(false, Ordering::SeqCst);
    }
}

/// When a request to receive is tried.
pub fn turn(fd: c_int) -> Turn {
    POLLER.lock().fds.turn(fd)
}

/// Lets a job wait for events on its descriptor. Gives it back where that is not possible.
pub fn put(job: Box<Job>, events: u32, how: For) -> Option<Box<Job>> {
    let mut poller = POLLER.lock();
    if !poller.is_there() {
        return Some(job);
    }
    let (fd, id) = (job.req.waits_for(), job.req.id);
    let ring = is_orphaned().then(|| job.ring.clone());
    if table::is_ring(fd) {
        // Relaxed: who completes something on that ring afterwards has been told of this by the program.
        RINGS_POLLED.store(true, Ordering::Relaxed);
    }
    let each = how == For::Each;
    let mut ended = Vec::new();
    if each && poller.fds.edges(fd).is_some_and(|edges| *edges != 0) {
        // What came before is for the others.
        ended = poller.post_events();
    }
    let armed = Armed {
        id,
        events,
        edge: each,
        untried: if how == For::Untried {
            poller.looks + 1
        } else {
            0
        },
        job,
    };
    let events = poller.fds.put(fd, armed);
    let ret = match how {
        For::Once => poller.arm(fd, events),
        For::Untried => poller.arm_again(fd, events),
        For::Each => poller.arm_edges(fd),
    };
    let mut back = None;
    if each && ret == -libc::EEXIST {
        // What is there is its first event.
        ended.extend(poller.post_event(fd, id));
    } else if ret < 0 {
        // A file that is always ready, or none at all.
        back = poller.take(fd, id);
    }
    run(poller, ended);
    if back.is_none() {
        ring.inspect(|ring| call_in(ring));
    }
    back
}

/// Whether there are no descriptors to wait for events with.
pub fn is_missing() -> bool {
    POLLER.lock().level < 0
}

/// Without a thread: makes the program enter, by keeping the ring's descriptor readable.
pub fn call_in(ring: &Ring) {
    if is_orphaned() {
        let _state = ring.state.lock();
        ring.signal();
    }
}

/// Without a thread: does the poller's work for a moment, at most until a time. `None`: there is a thread.
pub fn attend(until: Option<u64>) -> Option<c_int> {
    if !is_orphaned() {
        return None;
    }
    let now = sys::monotonic();
    let mut until = until.unwrap_or(u64::MAX).min(now.saturating_add(SLICE));
    {
        let aio = aio::AIO.lock();
        let poller = POLLER.lock();
        if poller.is_idle(&aio) {
            ORPHANED.store(false, Ordering::SeqCst);
            return None;
        }
        until = until.min(poller.timers.first().unwrap_or(u64::MAX));
    }
    Some(round_once(until.saturating_sub(now)))
}

/// Before a thread of the program's waits for events until a time: how many nanoseconds it may sleep. `None`: nothing is
/// waited for here.
pub fn begin_to_lead(until: Option<u64>) -> Option<u64> {
    let aio = aio::AIO.lock();
    let mut poller = POLLER.lock();
    if poller.is_idle(&aio) {
        return None;
    }
    let now = sys::monotonic();
    let first = poller.timers.first();
    let idle = now.saturating_add(IDLE);
    poller.until = idle
        .min(until.unwrap_or(u64::MAX))
        .min(first.unwrap_or(u64::MAX));
    Some(poller.until.saturating_sub(now))
}

/// Waits for events once and goes on with what they bring. Returns 0 or `-EINTR`.
pub fn round_once(span: u64) -> c_int {
    let got = round(&mut { NO_EVENTS }, span, Who::Leads);
    if got == -libc::EINTR { got } else { 0 }
}

/// Takes a job back.
pub fn take(fd: c_int, id: u64) -> Option<Box<Job>> {
    POLLER.lock().take(fd, id)
}

/// Lets a job wait until a time. Gives it back where that is not possible.
pub fn put_timer(job: Box<Job>, deadline: u64) -> Option<Box<Job>> {
    let mut poller = POLLER.lock();
    if !poller.is_there() {
        return Some(job);
    }
    let ring = job.ring.clone();
    poller.timers.put(job, deadline);
    if deadline < poller.until {
        poller.until = deadline;
        sys::eventfd_write(poller.wake);
    }
    drop(poller);
    call_in(&ring);
    None
}

/// Takes a job back that waits for a time.
pub fn take_timer(id: u64) -> Option<Box<Job>> {
    POLLER.lock().timers.take(id)
}

/// Adds the eventfd of native AIO to the set. `false`: there is no set.
pub fn watch_aio(eventfd: c_int) -> bool {
    let mut poller = POLLER.lock();
    if !poller.is_there() {
        return false;
    }
    if poller.aio != eventfd {
        // Each of its events counts, so that nobody has to read it.
        let events = (libc::EPOLLIN | libc::EPOLLET) as u32;
        if control(poller.level, libc::EPOLL_CTL_ADD, eventfd, events, AIO) < 0 {
            return false;
        }
        poller.aio = eventfd;
    }
    true
}

/// Drops the waiting jobs of a ring that ends.
pub fn forget(ring: &Arc<Ring>) {
    let mut poller = POLLER.lock();
    let ids: Vec<_> = poller
        .fds
        .of_ring(ring)
        .map(|(fd, armed)| (fd, armed.id))
        .collect();
    let mut dropped = Vec::new();
    for (fd, id) in ids {
        dropped.extend(poller.take(fd, id));
    }
    drop(poller);
    drop(dropped);
}

/// Sleeps once and runs the jobs whose events came. Returns what [`sleep`] does.
fn round(events: &mut Events, span: u64, who: Who) -> c_int {
    let level = POLLER.lock().level;
    let _round = Round::begin();
    let got = sleep(level, events, span);
    let came = events.iter().take(usize::try_from(got).unwrap_or(0));
    fire_all(came.clone().filter(|event| event.u64 < WAKE));
    for event in came {
        match event.u64 {
            WAKE if who == Who::Looks => {}
            WAKE => {
                sys::eventfd_read(POLLER.lock().wake);
                if who == Who::Serves {
                    lead::pass_on_wake();
                }
            }
            AIO => aio::reap(),
            EDGE => fire_edges(),
            _ => {}
        }
    }
    fire_timers();
    got
}

/// Runs the jobs whose events are there, as many as there are.
pub fn look() {
    POLLER.lock().looks += 1;
    let mut events = NO_EVENTS;
    for _ in 0..LOOKS {
        if round(&mut events, 0, Who::Looks) != AT_ONCE as c_int {
            return;
        }
    }
}

/// In a call of the program's at a time: looks, if something waits and nobody has looked for a moment.
pub fn look_if_due(now: u64) {
    if !due::is_due(now) {
        return;
    }
    {
        let aio = aio::AIO.lock();
        if POLLER.lock().is_idle(&aio) {
            due::nothing_waits();
            return;
        }
    }
    look();
}

/// The thread.
fn serve() {
    let mut events = NO_EVENTS;
    loop {
        while lead::stand_by() {}
        let mut poller = POLLER.lock();
        let now = sys::monotonic();
        let idle = now.saturating_add(IDLE);
        poller.until = poller.timers.first().unwrap_or(idle).min(idle);
        let (span, level) = (poller.until.saturating_sub(now), poller.level);
        drop(poller);
        lead::nap(level, span);
        if lead::is_led() {
            continue;
        }
        if round(&mut events, 0, Who::Serves) <= 0 {
            let aio = aio::AIO.lock();
            let mut poller = POLLER.lock();
            if poller.is_idle(&aio) && poller.until <= sys::monotonic() {
                poller.runs = false;
                return;
            }
        }
    }
}

/// Runs the jobs that waited once for these events on a descriptor.
pub fn fire(fd: c_int, events: u32) {
    let event = libc::epoll_event {
        events,
        u64: fd as u64,
    };
    fire_all(std::iter::once(&event));
}

/// The same for several descriptors.
fn fire_all<'a>(events: impl Iterator<Item = &'a libc::epoll_event>) {
    let mut jobs = Vec::new();
    let mut poller = POLLER.lock();
    for event in events {
        let fd = event.u64 as c_int;
        let look = poller.looks;
        if let Some(others) = poller.fds.take_ready(fd, event.events, look, &mut jobs) {
            poller.arm(fd, others);
        }
    }
    run(poller, jobs);
}

/// Runs the jobs that wait for each event on a descriptor whose events came.
fn fire_edges() {
    let mut poller = POLLER.lock();
    let ended = poller.post_events();
    run(poller, ended);
}

/// Runs jobs that were taken while the lock was held.
fn run(poller: Guard<'_, Poller>, jobs: Vec<Box<Job>>) {
    if jobs.is_empty() {
        return;
    }
    // Under the lock: who finds a job gone finds it counted.
    let firing = Firing::begin();
    drop(poller);
    Job::resume_all(jobs, How::Ready);
    drop(firing);
}

/// The descriptors on which jobs of a ring wait once.
pub fn waited_for(ring: &Arc<Ring>) -> Vec<libc::pollfd> {
    let poller = POLLER.lock();
    let once = poller.fds.of_ring(ring).filter(|(_, armed)| !armed.edge);
    once.map(|(fd, armed)| libc::pollfd {
        fd,
        events: armed.events as i16,
        revents: 0,
    })
    .collect()
}

fn fire_timers() {
    loop {
        let now = sys::monotonic();
        due::looked(now);
        // Not under the lock from here on.
        let job = POLLER.lock().timers.take_due(now);
        match job {
            Some(job) => job.resume(How::Ready),
            None => return,
        }
    }
}
