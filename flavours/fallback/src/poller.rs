//! One thread that waits for descriptors, times and native AIO.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::job::Job;
use crate::lock::Lock;
use crate::op;
use crate::request::{Duplicate, How};
use crate::ring::Ring;
use crate::sys::{self, sys};
use crate::wake::{FIRING, ORPHANED, RINGS_POLLED, WAKER, is_orphaned};
use crate::{aio, lead, table};

const IDLE: u64 = 5_000_000_000;
const AT_ONCE: usize = 64;
/// How long one of the program's threads sleeps in the poller's place. It is short, as the thread may have other work.
const SLICE: u64 = 1_000_000;
/// Values of epoll's user data for descriptors that belong to no request.
const WAKE: u64 = 1 << 32;
const EDGE: u64 = 2 << 32;
const AIO: u64 = 3 << 32;
/// Events that epoll reports unasked.
const ALWAYS: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;

/// A job that waits for a descriptor.
struct Armed {
    id: u64,
    events: u32,
    edge: bool,
    job: Box<Job>,
}

/// What the thread waits for.
pub struct Poller {
    /// The epoll set: descriptors once (`EPOLLONESHOT`), and those below.
    level: c_int,
    /// The edge-triggered epoll set, which is a member of the other.
    edge: c_int,
    wake: c_int,
    runs: bool,
    aio: c_int,
    /// The descriptors in the set of edges.
    edges: BTreeSet<c_int>,
    fds: BTreeMap<c_int, Vec<Armed>>,
    timers: BTreeMap<(u64, u64), Box<Job>>,
    deadlines: Option<HashMap<u64, u64>>,
    /// Until when the thread sleeps.
    until: u64,
}

pub static POLLER: Lock<Poller> = Lock::new(Poller {
    level: -1,
    edge: -1,
    wake: -1,
    runs: false,
    aio: -1,
    edges: BTreeSet::new(),
    fds: BTreeMap::new(),
    timers: BTreeMap::new(),
    deadlines: None,
    until: 0,
});

fn control(set: c_int, op: c_int, fd: c_int, events: u32, data: u64) -> c_int {
    let mut event = libc::epoll_event { events, u64: data };
    // SAFETY: the kernel reads the event.
    unsafe { sys!(SYS_epoll_ctl, set, op, fd, &raw mut event) as c_int }
}

impl Poller {
    /// Makes the sets and the thread unless they exist. `false`: there are no sets.
    fn is_there(&mut self) -> bool {
        if self.level < 0 {
            // SAFETY: no memory is named.
            let (level, edge) = unsafe {
                let make = || sys!(SYS_epoll_create1, libc::EPOLL_CLOEXEC) as c_int;
                (make(), make())
            };
            let wake = sys::eventfd();
            let usable = level >= 0
                && edge >= 0
                && control(level, libc::EPOLL_CTL_ADD, wake, libc::EPOLLIN as u32, WAKE) == 0
                && control(level, libc::EPOLL_CTL_ADD, edge, libc::EPOLLIN as u32, EDGE) == 0;
            if !usable {
                for fd in [level, edge, wake] {
                    if fd >= 0 {
                        sys::close(fd);
                    }
                }
                return false;
            }
            (self.level, self.edge, self.wake) = (level, edge, wake);
            WAKER.store(wake, Ordering::Release);
        }
        if !self.runs {
            self.runs = sys::spawn("iou-poll", serve);
            self.until = 0;
            ORPHANED.store(!self.runs, Ordering::SeqCst);
        }
        true
    }

    /// Tells epoll which events the jobs of a descriptor wait for now.
    fn arm(&mut self, fd: c_int) -> c_int {
        let armed = self.fds.get(&fd).map(Vec::as_slice).unwrap_or_default();
        for (set, edge) in [(self.level, false), (self.edge, true)] {
            let wanted = armed.iter().filter(|armed| armed.edge == edge);
            let events = wanted.fold(0, |events, armed| events | armed.events);
            if events == 0 && !armed.iter().any(|armed| armed.edge == edge) {
                if edge && self.edges.remove(&fd) {
                    control(set, libc::EPOLL_CTL_DEL, fd, 0, 0);
                }
                continue;
            }
            let how = if edge {
                libc::EPOLLET
            } else {
                libc::EPOLLONESHOT
            } as u32;
            let mut ret = control(set, libc::EPOLL_CTL_MOD, fd, events | how, fd as u64);
            if ret == -libc::ENOENT {
                ret = control(set, libc::EPOLL_CTL_ADD, fd, events | how, fd as u64);
            }
            if ret < 0 {
                return ret;
            }
            if edge {
                self.edges.insert(fd);
            }
        }
        0
    }

    fn take(&mut self, fd: c_int, id: u64) -> Option<Box<Job>> {
        let armed = self.fds.get_mut(&fd)?;
        let at = armed.iter().position(|armed| armed.id == id)?;
        let taken = armed.swap_remove(at);
        if armed.is_empty() {
            self.fds.remove(&fd);
        }
        if taken.edge {
            self.arm(fd);
        }
        Some(taken.job)
    }

    /// In the child of a fork: all waiting jobs are the parent's.
    pub fn forget(&mut self) {
        std::mem::forget(std::mem::take(&mut self.fds));
        std::mem::forget(std::mem::take(&mut self.timers));
        self.edges.clear();
        self.deadlines = None;
        for fd in [self.level, self.edge, self.wake] {
            if fd >= 0 {
                sys::close(fd);
            }
        }
        (self.level, self.edge, self.wake, self.aio) = (-1, -1, -1, -1);
        WAKER.store(-1, Ordering::Release);
        self.runs = false;
        FIRING.store(0, Ordering::SeqCst);
        ORPHANED.store(false, Ordering::SeqCst);
    }
}

/// Lets a job wait for events on its descriptor, once or for each event. Gives it back where that is not possible.
pub fn put(job: Box<Job>, events: u32, edge: bool) -> Option<Box<Job>> {
    let mut poller = POLLER.lock();
    if !poller.is_there() {
        return Some(job);
    }
    let (fd, id, ring) = (job.req.fd(), job.req.id, job.ring.clone());
    if table::is_ring(fd) {
        // Relaxed: who completes something on that ring afterwards has been told of this by the program.
        RINGS_POLLED.store(true, Ordering::Relaxed);
    }
    poller.fds.entry(fd).or_default().push(Armed {
        id,
        events,
        edge,
        job,
    });
    if poller.arm(fd) < 0 {
        // A file that is always ready, or none at all.
        return poller.take(fd, id);
    }
    drop(poller);
    call_in(&ring);
    None
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
        if aio.is_idle() && poller.fds.is_empty() && poller.timers.is_empty() {
            ORPHANED.store(false, Ordering::SeqCst);
            return None;
        }
        if let Some((deadline, _)) = poller.timers.keys().next() {
            until = until.min(*deadline);
        }
    }
    Some(round_once(until.saturating_sub(now)))
}

/// Before a thread of the program's waits for events until a time: how many nanoseconds it may sleep. `None`: nothing is
/// waited for here.
pub fn begin_to_lead(until: Option<u64>) -> Option<u64> {
    let aio = aio::AIO.lock();
    let mut poller = POLLER.lock();
    if aio.is_idle() && poller.fds.is_empty() && poller.timers.is_empty() {
        return None;
    }
    let now = sys::monotonic();
    let first = poller.timers.keys().next().map(|(deadline, _)| *deadline);
    let idle = now.saturating_add(IDLE);
    poller.until = idle
        .min(until.unwrap_or(u64::MAX))
        .min(first.unwrap_or(u64::MAX));
    Some(poller.until.saturating_sub(now))
}

/// Waits for events once and goes on with what they bring. Returns 0 or `-EINTR`.
pub fn round_once(span: u64) -> c_int {
    let mut events = NO_EVENTS;
    let got = round(&mut events, span);
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
    let (id, ring) = (job.req.id, job.ring.clone());
    poller.timers.insert((deadline, id), job);
    poller
        .deadlines
        .get_or_insert_default()
        .insert(id, deadline);
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
    let mut poller = POLLER.lock();
    let deadline = poller.deadlines.as_mut()?.remove(&id)?;
    poller.timers.remove(&(deadline, id))
}

/// Adds the eventfd of native AIO to the set. `false`: there is no set.
pub fn watch_aio(eventfd: c_int) -> bool {
    let mut poller = POLLER.lock();
    if !poller.is_there() {
        return false;
    }
    if poller.aio != eventfd {
        if control(
            poller.level,
            libc::EPOLL_CTL_ADD,
            eventfd,
            // Each of its events counts, so that nobody has to read it.
            (libc::EPOLLIN | libc::EPOLLET) as u32,
            AIO,
        ) < 0
        {
            return false;
        }
        poller.aio = eventfd;
    }
    true
}

/// Drops the waiting jobs of a ring that ends.
pub fn forget(ring: &Arc<Ring>) {
    let mut poller = POLLER.lock();
    let fds: Vec<c_int> = poller.fds.keys().copied().collect();
    let mut dropped = Vec::new();
    for fd in fds {
        let armed = poller.fds.get(&fd).map(Vec::as_slice).unwrap_or_default();
        let ids: Vec<u64> = armed
            .iter()
            .filter(|armed| Arc::ptr_eq(&armed.job.ring, ring))
            .map(|armed| armed.id)
            .collect();
        for id in ids {
            dropped.extend(poller.take(fd, id));
        }
    }
    drop(poller);
    drop(dropped);
}

/// The program closes a descriptor. Jobs that wait on it continue with a duplicate, as the kernel would hold the file.
pub fn before_close(first: c_int, last: c_int) {
    let mut poller = POLLER.lock();
    let fds: Vec<c_int> = poller.fds.range(first..=last).map(|(fd, _)| *fd).collect();
    for fd in fds {
        let Some(armed) = poller.fds.remove(&fd) else {
            continue;
        };
        control(poller.level, libc::EPOLL_CTL_DEL, fd, 0, 0);
        if poller.edges.remove(&fd) {
            control(poller.edge, libc::EPOLL_CTL_DEL, fd, 0, 0);
        }
        for mut one in armed {
            let copy = match &one.job.req.file {
                // A registered file is a descriptor of this library, which the program does not close.
                Some(_) => -1,
                None => sys::duplicate(fd, 512),
            };
            if copy < 0 {
                continue;
            }
            one.job.req.duplicate = Some(Duplicate(copy));
            // Locked after the poller, as everywhere.
            if let Some(info) = one.job.ring.state.lock().pending.get_mut(one.id) {
                info.fd = copy;
            }
            poller.fds.entry(copy).or_default().push(one);
            poller.arm(copy);
        }
    }
}

type Events = [libc::epoll_event; AT_ONCE];
const NO_EVENTS: Events = [libc::epoll_event { events: 0, u64: 0 }; AT_ONCE];

/// Returns how many events there are, or a negative error number.
fn sleep(set: c_int, events: &mut Events, nanoseconds: u64) -> c_int {
    let time = sys::timespec(nanoseconds);
    let at = events.as_mut_ptr();
    // SAFETY: as many events as there is room for, and a time on this stack.
    let mut got = unsafe { sys!(SYS_epoll_pwait2, set, at, AT_ONCE, &raw const time, 0, 8) };
    if got == -libc::ENOSYS as isize || got == -libc::EPERM as isize {
        let milliseconds = nanoseconds.div_ceil(1_000_000).min(i32::MAX as u64);
        // SAFETY: as above.
        got = unsafe { sys!(SYS_epoll_pwait, set, at, AT_ONCE, milliseconds, 0, 8) };
    }
    got as c_int
}

/// Sleeps once and runs the jobs whose events came. Returns what [`sleep`] does.
fn round(events: &mut Events, span: u64) -> c_int {
    let (level, edge) = {
        let poller = POLLER.lock();
        (poller.level, poller.edge)
    };
    let got = sleep(level, events, span);
    for event in events.iter().take(usize::try_from(got).unwrap_or(0)) {
        match event.u64 {
            WAKE => sys::eventfd_read(POLLER.lock().wake),
            AIO => aio::reap(),
            EDGE => {
                let mut inner = NO_EVENTS;
                let got = sleep(edge, &mut inner, 0);
                for event in inner.iter().take(usize::try_from(got).unwrap_or(0)) {
                    fire(event.u64 as c_int, event.events, true);
                }
            }
            fd => fire(fd as c_int, event.events, false),
        }
    }
    fire_timers();
    got
}

/// The thread.
fn serve() {
    let mut events = NO_EVENTS;
    loop {
        while lead::stand_by() {}
        let mut poller = POLLER.lock();
        let now = sys::monotonic();
        let idle = now.saturating_add(IDLE);
        poller.until = poller
            .timers
            .first_key_value()
            .map_or(idle, |((deadline, _), _)| (*deadline).min(idle));
        let span = poller.until.saturating_sub(now);
        drop(poller);
        if round(&mut events, span) <= 0 {
            let aio = aio::AIO.lock().is_idle();
            let mut poller = POLLER.lock();
            if aio
                && poller.fds.is_empty()
                && poller.timers.is_empty()
                && poller.until <= sys::monotonic()
            {
                poller.runs = false;
                return;
            }
        }
    }
}

/// Runs the jobs that waited for these events.
pub fn fire(fd: c_int, events: u32, edge: bool) {
    let mut poller = POLLER.lock();
    let armed = poller.fds.get(&fd).map(Vec::as_slice).unwrap_or_default();
    let hit = |armed: &&Armed| armed.edge == edge && events & (armed.events | ALWAYS) != 0;
    let ids: Vec<u64> = armed.iter().filter(hit).map(|armed| armed.id).collect();
    let mut jobs = Vec::new();
    for id in ids {
        if edge {
            let Some(at) = poller.fds.get_mut(&fd) else {
                break;
            };
            let Some(armed) = at.iter_mut().find(|armed| armed.id == id) else {
                continue;
            };
            // Stays where it is, unless it ends with this.
            if op::event(&armed.job) {
                continue;
            }
        }
        jobs.extend(poller.take(fd, id));
    }
    if !edge {
        poller.arm(fd);
    }
    // Under the lock: who finds a job gone finds it counted. SeqCst: as all that is counted across threads here.
    FIRING.fetch_add(1, Ordering::SeqCst);
    drop(poller);
    for job in jobs {
        job.resume(How::Ready);
    }
    FIRING.fetch_sub(1, Ordering::SeqCst);
}

/// The descriptors on which jobs of a ring wait once.
pub fn waited_for(ring: &Arc<Ring>) -> Vec<libc::pollfd> {
    let poller = POLLER.lock();
    let of_ring = |armed: &&Armed| !armed.edge && Arc::ptr_eq(&armed.job.ring, ring);
    let fds = poller.fds.iter().filter_map(|(fd, armed)| {
        let events = armed.iter().filter(of_ring).map(|armed| armed.events);
        events
            .reduce(|all, events| all | events)
            .map(|all| libc::pollfd {
                fd: *fd,
                events: all as i16,
                revents: 0,
            })
    });
    fds.collect()
}

fn fire_timers() {
    loop {
        let mut poller = POLLER.lock();
        let now = sys::monotonic();
        let Some(((deadline, id), _)) = poller.timers.first_key_value() else {
            return;
        };
        if *deadline > now {
            return;
        }
        let key = (*deadline, *id);
        let job = poller.timers.remove(&key);
        if let Some(deadlines) = &mut poller.deadlines {
            deadlines.remove(&key.1);
        }
        drop(poller);
        if let Some(job) = job {
            job.resume(How::Ready);
        }
    }
}
