//! Threads for requests that may wait: made on demand, ended when idle.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::job::Job;
use crate::lock::Lock;
use crate::numbers::Numbers;
use crate::request::{Class, How};
use crate::ring::Ring;
use crate::sys;

const IDLE: u64 = 5_000_000_000;
const CLASSES: usize = 2;
/// The most workers for requests that may wait for ever: many of these can be in flight.
const MOST_UNBOUNDED: usize = 1024;

/// A job that a worker runs.
#[derive(Clone, Copy)]
struct Mine {
    class: usize,
    ring: *const Ring,
    fds: [c_int; 2],
    file: Option<c_int>,
}

thread_local! {
    /// The job whose request this thread works on. What runs after it, such as the rest of its chain, is none.
    static MINE: Cell<Option<Mine>> = const { Cell::new(None) };
    /// It is a worker whose jobs the end of their ring waits for.
    static AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// The descriptors of a job that works on none any more.
const NONE: [c_int; 2] = [-1; 2];

/// One class of workers.
struct Pool {
    /// Numbers of jobs in the order they came. Jobs that were taken back are no longer in `jobs`.
    queue: VecDeque<u64>,
    jobs: Numbers<u64, Box<Job>>,
    /// Jobs behind another one on the same file.
    behind: Numbers<c_int, VecDeque<u64>>,
    /// The rings whose jobs run, and on which descriptors.
    running: Vec<(*const Ring, [c_int; 2])>,
    threads: usize,
    idle: usize,
    most: usize,
}

// SAFETY: the rings' addresses are compared, never followed.
unsafe impl Send for Pool {}

/// All workers.
pub struct Pools {
    pools: Option<[Pool; CLASSES]>,
}

pub static POOLS: Lock<Pools> = Lock::new(Pools { pools: None });
/// Moves when a job comes, for each class.
static COME: [AtomicU32; CLASSES] = [const { AtomicU32::new(0) }; CLASSES];
/// Moves when a job ends.
static ENDED: AtomicU32 = AtomicU32::new(0);

impl Pool {
    fn new(most: usize) -> Pool {
        Pool {
            queue: VecDeque::new(),
            jobs: Numbers::default(),
            behind: Numbers::default(),
            running: Vec::new(),
            threads: 0,
            idle: 0,
            most,
        }
    }

    /// Whether a job that was not taken back works on one of these descriptors.
    fn uses(&self, first: c_int, last: c_int) -> bool {
        let within = |fd: c_int| (first..=last).contains(&fd);
        let any = |fds: [c_int; 2]| fds.into_iter().any(within);
        self.running.iter().any(|(_, fds)| any(*fds))
            || self.jobs.values().any(|job| any(job.req.fds()))
    }
}

impl Pools {
    fn get(&mut self, class: usize) -> &mut Pool {
        let [bounded, unbounded] = self.pools.get_or_insert_with(|| {
            let bounded = (4 * sys::processors() as usize).clamp(8, 64);
            [Pool::new(bounded), Pool::new(MOST_UNBOUNDED)]
        });
        if class == 0 { bounded } else { unbounded }
    }

    /// In the child of a fork: the threads and their jobs are the parent's.
    pub fn forget(&mut self) {
        std::mem::forget(self.pools.take());
    }
}

fn number(class: Class) -> usize {
    usize::from(class == Class::Unbounded)
}

/// The most workers that there may be, of each class. 0 leaves a number as it is; what was is put in its place.
pub fn limit(most: &mut [u32; CLASSES]) {
    let mut pools = POOLS.lock();
    for (class, most) in most.iter_mut().enumerate() {
        let pool = pools.get(class);
        let before = pool.most;
        if *most != 0 {
            pool.most = *most as usize;
        }
        *most = before as u32;
    }
}

/// Gives a job to a worker. Gives it back where there is none and none can be made.
pub fn put(job: Box<Job>, class: Class) -> Option<Box<Job>> {
    let at = number(class);
    let mut pools = POOLS.lock();
    let pool = pools.get(at);
    if pool.idle <= pool.queue.len() && pool.threads < pool.most {
        pool.threads += 1;
        drop(pools);
        let made = sys::spawn("iou-wrk", move || work(at));
        pools = POOLS.lock();
        let pool = pools.get(at);
        if !made {
            pool.threads -= 1;
            if pool.threads == 0 {
                return Some(job);
            }
        }
    }
    let pool = pools.get(at);
    let id = job.req.id;
    let file = job.req.ordered_file();
    pool.jobs.insert(id, job);
    match file {
        Some(file) => match pool.behind.get_mut(&file) {
            Some(behind) => {
                behind.push_back(id);
                return None;
            }
            None => {
                pool.behind.insert(file, VecDeque::new());
                pool.queue.push_back(id);
            }
        },
        None => pool.queue.push_back(id),
    }
    let idle = pool.idle;
    drop(pools);
    wake(at, idle);
    None
}

fn wake(class: usize, idle: usize) {
    if let Some(come) = COME.get(class) {
        come.fetch_add(1, Ordering::Release);
        if idle > 0 {
            sys::futex_wake(come, false, 1);
        }
    }
}

/// Takes a job back that no worker has begun.
pub fn take(id: u64, class: Class) -> Option<Box<Job>> {
    let mut pools = POOLS.lock();
    let pool = pools.get(number(class));
    let job = pool.jobs.remove(&id)?;
    // Who waits behind it has its turn now, unless another one runs on the file: then that one calls it.
    if let Some(file) = job.req.ordered_file() {
        let queued = pool.queue.contains(&id);
        if queued {
            pool.queue.retain(|other| *other != id);
            next_on(pool, file);
        }
    }
    drop(pools);
    tell_of_end();
    Some(job)
}

/// Queues the next job on a file.
fn next_on(pool: &mut Pool, file: c_int) {
    while let Some(next) = pool.behind.get_mut(&file).and_then(VecDeque::pop_front) {
        if pool.jobs.contains_key(&next) {
            pool.queue.push_back(next);
            return;
        }
    }
    pool.behind.remove(&file);
}

/// Whether the end of a ring waits for what this thread does for it.
pub fn is_awaited() -> bool {
    AWAITED.get()
}

/// Waits until no job of a ring uses memory that the program may free.
pub fn wait_for(ring: &Arc<Ring>) {
    loop {
        let ended = ENDED.load(Ordering::Acquire);
        let runs = POOLS
            .lock()
            .get(0)
            .running
            .iter()
            .any(|(other, _)| *other == Arc::as_ptr(ring));
        if !runs {
            return;
        }
        sys::futex_wait(&ENDED, ended, false, None);
    }
}

fn work(class: usize) {
    let Some(come) = COME.get(class) else {
        return;
    };
    AWAITED.set(class == 0);
    loop {
        let seen = come.load(Ordering::Acquire);
        let mut pools = POOLS.lock();
        let pool = pools.get(class);
        let mut job = None;
        while job.is_none() {
            let Some(id) = pool.queue.pop_front() else {
                break;
            };
            job = pool.jobs.remove(&id);
        }
        if let Some(job) = job {
            let mine = Mine {
                class,
                ring: Arc::as_ptr(&job.ring),
                fds: job.req.fds(),
                file: job.req.ordered_file(),
            };
            pool.running.push((mine.ring, mine.fds));
            MINE.set(Some(mine));
            drop(pools);
            job.resume(How::Block);
            // Without the file, if it was left already.
            end(
                MINE.take().unwrap_or(Mine {
                    fds: NONE,
                    file: None,
                    ..mine
                }),
                false,
            );
            continue;
        }
        pool.idle += 1;
        drop(pools);
        let until = sys::timespec(sys::monotonic().saturating_add(IDLE));
        let slept = sys::futex_wait(come, seen, false, Some((until, false)));
        let mut pools = POOLS.lock();
        let pool = pools.get(class);
        pool.idle -= 1;
        if slept == -libc::ETIMEDOUT && pool.queue.is_empty() {
            pool.threads -= 1;
            return;
        }
    }
}

/// A job works on its file no more. Others on it, and those who wait for the file, go on.
fn end(mine: Mine, stays: bool) {
    let mut pools = POOLS.lock();
    let pool = pools.get(mine.class);
    let mut running = pool.running.iter();
    if let Some(at) = running.position(|(ring, fds)| *fds == mine.fds && *ring == mine.ring) {
        if !stays {
            pool.running.swap_remove(at);
        } else if let Some((_, fds)) = pool.running.get_mut(at) {
            *fds = NONE;
        }
    }
    if let Some(file) = mine.file {
        next_on(pool, file);
    }
    drop(pools);
    tell_of_end();
}

/// A job has ended, or does not begin.
fn tell_of_end() {
    ENDED.fetch_add(1, Ordering::Release);
    sys::futex_wake(&ENDED, false, i32::MAX);
}

/// Before this thread asks who uses a file: the job that it ran does no more, as it runs something else now. The end of
/// the job's ring waits for this thread all the same.
fn leave_file() {
    if let Some(mine) = MINE.take() {
        end(mine, true);
    }
}

/// Whether a worker uses one of these descriptors.
pub fn uses(first: c_int, last: c_int) -> bool {
    leave_file();
    POOLS.lock().get(0).uses(first, last)
}

/// A number that moves when a job ends.
pub fn ended() -> u32 {
    ENDED.load(Ordering::Acquire)
}

/// Waits until a job has ended since [`ended`] gave this number, or until a time.
pub fn wait_for_end(since: u32, until: u64) -> c_int {
    sys::futex_wait(&ENDED, since, false, Some((sys::timespec(until), false)))
}

/// Waits until none of these descriptors is used by a worker.
pub fn wait_for_files(first: c_int, last: c_int) {
    loop {
        let since = ended();
        if !uses(first, last) {
            return;
        }
        sys::futex_wait(&ENDED, since, false, None);
    }
}
