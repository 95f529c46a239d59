//! Requests that wait on futexes: a thread for each, as no descriptor stands for a futex.
//!
//! The thread sleeps on the program's words like any other waiter, so that whoever wakes these counts it. Whoever puts a
//! request here goes on once its thread sleeps: a wake that follows the submission finds it.
//!
//! `futex_waitv` lets the thread sleep on words of its own as well: one that ends the sleep when the request is taken back,
//! and one that shows that the thread sleeps, since a sleeper can be moved from it to a third. Masks are beyond
//! `futex_waitv`. A thread with a mask sleeps on a word of its own, is moved to the program's, and looks every moment
//! whether its request was taken back.

use std::collections::HashMap;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use crate::job::Job;
use crate::lock::Lock;
use crate::sys::{self, sys};
use crate::word::{MATCH_ANY, PRIVATE, SIZE_U32, Word};

/// How long a thread with a mask sleeps before it looks whether its request was taken back, in nanoseconds.
const LOOK: u64 = 250_000_000;
/// How often whoever puts a request looks for its thread before it sleeps between two looks, and how long then.
const LOOKS: u32 = 100;
const PAUSE: u64 = 50_000;
/// The most words that a request can name: the kernel's most, less the two of the thread's own.
pub const MOST: usize = 126;

/// A thread that sleeps.
struct Sleeper {
    /// Set, and woken, when the request is taken back.
    called: AtomicU32,
    /// Where the thread sleeps until it is seen, and where it is moved to.
    bed: AtomicU32,
    elsewhere: AtomicU32,
    /// The thread was moved from its bed. Locked while it is: one that wakes by itself meanwhile learns where it was.
    moved: Lock<bool>,
    /// The thread has ended.
    settled: AtomicU32,
    /// It sleeps with a mask, for a moment at a time.
    has_mask: bool,
}

/// Jobs by number, each with its thread. Who takes one out completes it.
type Jobs = HashMap<u64, (Box<Job>, Arc<Sleeper>)>;

/// Requests that wait.
pub struct Waiting {
    jobs: Option<Jobs>,
}

pub static WAITING: Lock<Waiting> = Lock::new(Waiting { jobs: None });

impl Waiting {
    /// In the child of a fork: the threads and their requests are the parent's.
    pub fn forget(&mut self) {
        std::mem::forget(self.jobs.take());
    }
}

/// Whether the kernel has `futex_waitv` (Linux 5.16) and lets it be called.
pub fn has_several() -> bool {
    /// 0: not known yet. 1: no. 2: yes.
    static KNOWN: AtomicI32 = AtomicI32::new(0);
    // Relaxed: every thread finds out the same.
    let mut known = KNOWN.load(Ordering::Relaxed);
    if known == 0 {
        // SAFETY: no memory is named. Without a word to sleep on, the call does not.
        let ret = unsafe { sys!(SYS_futex_waitv, 0, 0, 0, 0, 0) };
        known = 1 + c_int::from(ret == -libc::EINVAL as isize);
        KNOWN.store(known, Ordering::Relaxed);
    }
    known == 2
}

/// Whether requests can wait here: there may be threads.
pub fn is_served() -> bool {
    sys::can_spawn()
}

/// Lets a job wait on its words. Gives it back where no thread can be made, or where a word has another value.
pub fn put(mut job: Box<Job>) -> Option<Box<Job>> {
    let (id, words) = (job.req.id, job.req.stable().words.clone());
    let one = words.first().copied()?;
    let several = one.mask == MATCH_ANY && has_several();
    let sleeper = Arc::new(Sleeper {
        called: AtomicU32::new(0),
        bed: AtomicU32::new(0),
        elsewhere: AtomicU32::new(0),
        moved: Lock::new(false),
        settled: AtomicU32::new(0),
        has_mask: !several,
    });
    let entry = (job, sleeper.clone());
    WAITING
        .lock()
        .jobs
        .get_or_insert_default()
        .insert(id, entry);
    let own = sleeper.clone();
    let made = sys::spawn("iou-futex", move || {
        let woken = if several {
            sleep_on_all(&own, &words)
        } else {
            sleep_on_one(&own, one)
        };
        end(id, &words, woken);
        own.settled.store(1, Ordering::Release);
    });
    if !made {
        return take(id);
    }
    let moved = if several {
        see(&sleeper, sleeper.elsewhere.as_ptr(), true)
    } else {
        see(&sleeper, one.at(), one.is_private())
    };
    let failed = match moved {
        // It sleeps there whatever the word holds.
        1 if !several && one.value() != one.expected => -libc::EAGAIN,
        error if error < 0 => error,
        _ => return None,
    };
    let mut job = take(id)?;
    job.req.failed = failed;
    Some(job)
}

/// Takes a job back.
pub fn take(id: u64) -> Option<Box<Job>> {
    let (job, sleeper) = WAITING.lock().jobs.as_mut()?.remove(&id)?;
    // Release: pairs with nothing but the futex, which orders the store before the wake.
    sleeper.called.store(1, Ordering::Release);
    sys::futex_wake(&sleeper.called, false, 1);
    Some(job)
}

/// Waits until the thread sleeps, and moves it to another word. Returns 1, 0 if the thread has ended before, or a negative
/// error number.
fn see(sleeper: &Sleeper, to: *mut u32, private: bool) -> c_int {
    let op = libc::FUTEX_CMP_REQUEUE | if private { libc::FUTEX_PRIVATE_FLAG } else { 0 };
    let mut looks = 0;
    loop {
        let moved = {
            let mut moved = sleeper.moved.lock();
            // SAFETY: the kernel reads a word of the sleeper's, and takes the other one's address for a name.
            let count = unsafe { sys!(SYS_futex, sleeper.bed.as_ptr(), op, 0, 1, to, 0) as c_int };
            *moved = count == 1;
            count
        };
        // Acquire: what the thread did before it ended is done.
        if moved != 0 || sleeper.settled.load(Ordering::Acquire) != 0 {
            return moved;
        }
        pause(&mut looks);
    }
}

/// Lets other threads run between two looks at what they do.
fn pause(looks: &mut u32) {
    *looks += 1;
    if *looks < LOOKS {
        sys::give_way();
    } else {
        let soon = sys::timespec(sys::monotonic().saturating_add(PAUSE));
        sys::futex_wait(&AtomicU32::new(0), 0, false, Some((soon, false)));
    }
}

/// Wakes up to `count` that wait on a word. Returns how many, or a negative error number.
///
/// A thread with a mask that is between two sleeps is not found by the kernel, and neither is one that was woken and has not
/// ended its request yet. The former sleeps again soon, and is found then; the latter has been counted.
pub fn wake(word: &Word, count: c_int) -> c_int {
    let mut woken = 0;
    let mut looks = 0;
    loop {
        let more = word.wake(count - woken);
        if more < 0 {
            return if woken == 0 { more } else { woken };
        }
        woken += more;
        if woken >= count || !has_masked(word) {
            return woken;
        }
        pause(&mut looks);
    }
}

/// Whether a request with a mask waits that is woken with a word.
fn has_masked(word: &Word) -> bool {
    let waiting = WAITING.lock();
    waiting.jobs.iter().flatten().any(|(_, (job, sleeper))| {
        let words = job.req.stable.as_ref().map(|stable| &stable.words);
        let one = words.and_then(|words| words.first());
        sleeper.has_mask && one.is_some_and(|one| one.is_woken_with(word))
    })
}

/// What a thread does when it sleeps no more: `woken` is the number of the word that was woken, or the error.
fn end(id: u64, words: &[Word], woken: c_int) {
    let job = WAITING
        .lock()
        .jobs
        .as_mut()
        .and_then(|jobs| jobs.remove(&id));
    match job {
        Some((job, _)) => Job::complete_all(vec![(job, woken)]),
        None => {
            // Taken back: the wake is somebody else's.
            if let Some(word) = usize::try_from(woken).ok().and_then(|at| words.get(at)) {
                wake(word, 1);
            }
        }
    }
}

/// `struct futex_waitv`.
#[repr(C)]
struct Wait {
    expected: u64,
    at: u64,
    flags: u32,
    reserved: u32,
}

impl Wait {
    fn new(at: *mut u32, expected: u32, flags: u32) -> Wait {
        Wait {
            expected: expected.into(),
            at: at.expose_provenance() as u64,
            flags,
            reserved: 0,
        }
    }
}

/// Sleeps until one of the words is woken. Returns its number, or a negative error number: also if it was called.
fn sleep_on_all(sleeper: &Sleeper, words: &[Word]) -> c_int {
    let own = |word: &AtomicU32| Wait::new(word.as_ptr(), 0, SIZE_U32 | PRIVATE);
    // Of words that are woken together the kernel names the last: called, the thread still learns of the program's wake.
    let mut waits = vec![own(&sleeper.called)];
    waits.extend(
        words
            .iter()
            .map(|word| Wait::new(word.at(), word.expected, word.flags)),
    );
    // The kernel puts the thread into the queues in this order: who finds it in the last finds it in all.
    waits.push(own(&sleeper.bed));
    loop {
        // SAFETY: the kernel reads the list, and the words, which the program keeps until the request completes.
        let ret = unsafe { sys!(SYS_futex_waitv, waits.as_ptr(), waits.len(), 0, 0, 0) as c_int };
        match ret {
            0 => return -libc::ECANCELED,
            1.. => return ret - 1,
            _ if ret == -libc::EINTR => {}
            _ => return ret,
        }
    }
}

/// Sleeps until a word is woken with a mask that has a bit of this one's. Returns 0 or a negative error number.
fn sleep_on_one(sleeper: &Sleeper, word: Word) -> c_int {
    let mut at = sleeper.bed.as_ptr();
    let mut expected = 0;
    loop {
        let until = sys::timespec(sys::monotonic().saturating_add(LOOK));
        let op = libc::FUTEX_WAIT_BITSET | word.private_flag();
        // SAFETY: a word of the sleeper's or of the program's, which keeps it until the request completes; a time on this
        // stack.
        let ret =
            unsafe { sys!(SYS_futex, at, op, expected, &raw const until, 0, word.mask) as c_int };
        match -ret {
            libc::ETIMEDOUT | libc::EINTR => {
                if sleeper.called.load(Ordering::Acquire) != 0 {
                    return -libc::ECANCELED;
                }
                if *sleeper.moved.lock() {
                    (at, expected) = (word.at(), word.expected);
                }
            }
            // It changed between two sleeps, and was woken then.
            libc::EAGAIN => return 0,
            _ => return ret,
        }
    }
}
