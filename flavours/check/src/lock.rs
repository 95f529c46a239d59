//! Locks that a fork neither keeps nor waits for without end.
//!
//! The child of a fork has one thread. What another one was in the middle of stays half done there, and its locks stay taken. So
//! a thread that forks first waits until nobody is behind the locks, and marks them. Who comes then waits. But other libraries
//! do the same: the fork may wait for a lock of theirs whose owner submits. And a signal handler that comes here may have
//! interrupted `malloc`, for which the C library waits. No order of these functions suits all. Each such circle has a thread
//! in it that waits at a mark, or a fork that waits for a thread, and neither is patient for ever:
//!
//! * Who has waited at a mark for long takes the lock all the same. The mark is gone.
//! * A fork that has waited for long happens.
//!
//! Both are intrusions. The child of a fork that was intruded on learns of it, and does not trust what it has got. Nothing is
//! lost in the parent.

use std::cell::{Cell, UnsafeCell};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use crate::process::{self, Uncancelled};

/// What a thread is in the middle of.
pub struct Here {
    /// The bits below. 0 as long as there is nothing special.
    pub bits: Cell<u8>,
    /// Forks of this thread that have their marks: signal handlers may fork while their thread does.
    forks: Cell<u32>,
    /// The [`count`] when the first of them began.
    intrusions: Cell<u32>,
}

/// It works for the library.
pub const INSIDE: u8 = 1;
/// It forks: between the functions that the C library calls for that.
pub const FORKS: u8 = 2;

thread_local! {
    static HERE: Here = const {
        Here {
            bits: Cell::new(0),
            forks: Cell::new(0),
            intrusions: Cell::new(0),
        }
    };
}

/// The calling thread, which this is another address for than for any other thread.
#[derive(Clone, Copy)]
pub struct Me(*const Here);

impl Me {
    #[inline(always)]
    pub fn get() -> Me {
        Me(HERE.with(std::ptr::from_ref))
    }

    #[inline(always)]
    pub fn here(&self) -> &Here {
        // SAFETY: it stays as long as the thread, to which alone this is known: it has no destructor.
        unsafe { &*self.0 }
    }

    #[inline(always)]
    fn word(self) -> usize {
        self.0.addr()
    }

    /// A fork of this thread's has marked the locks. `intrusions` is what [`count`] said before that.
    pub fn begin_fork(self, intrusions: u32) {
        let here = self.here();
        if here.forks.get() == 0 {
            here.intrusions.set(intrusions);
        }
        here.forks.set(here.forks.get() + 1);
        here.bits.set(here.bits.get() | FORKS);
    }

    /// A fork of this thread's is over. Its marks are still there, or there are none.
    pub fn end_fork(self) {
        let here = self.here();
        here.forks.set(here.forks.get().saturating_sub(1));
        if here.forks.get() == 0 {
            here.bits.set(here.bits.get() & !FORKS);
        }
    }

    /// Whether a lock was taken or kept in spite of a fork since this thread's began.
    pub fn was_intruded_on(self) -> bool {
        self.here().intrusions.get() != count()
    }
}

/// Where it is counted how often a lock was taken or kept in spite of a fork. Shared with children: one may be made while it
/// happens, with some of its memory copied before and some after.
///
/// SeqCst, all of them: who forks reads it before it marks, who intrudes counts before it takes the lock.
static INTRUSIONS: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());

fn intrusions() -> &'static AtomicU32 {
    /// If there is no memory to share.
    static OWN: AtomicU32 = AtomicU32::new(0);
    // Relaxed: it is stored when the library is loaded.
    let shared = INTRUSIONS.load(Ordering::Relaxed);
    // SAFETY: null, or a mapping that stays.
    unsafe { shared.as_ref() }.unwrap_or(&OWN)
}

/// Takes the memory that children share, when the library is loaded.
pub fn prepare() {
    // SAFETY: new memory, placed by the kernel.
    let page = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size_of::<AtomicU32>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if page != libc::MAP_FAILED {
        INTRUSIONS.store(page.cast(), Ordering::Relaxed);
    }
}

/// How often a lock was taken or kept in spite of a fork.
pub fn count() -> u32 {
    intrusions().load(Ordering::SeqCst)
}

fn intrude() {
    intrusions().fetch_add(1, Ordering::SeqCst);
}

/// Nobody has the lock. Others are: the address of the owner's [`Here`]; an odd number, one more than twice how many forks
/// have marked it.
const FREE: usize = 0;
/// The lock is never had again.
const CLOSED: usize = 2;
const ONE_FORK: usize = 2;
/// One fork has marked it.
const THIS_FORK: usize = ONE_FORK | 1;

const fn is_mark(word: usize) -> bool {
    word & 1 != 0
}

/// Before a thread sleeps, it lets others run so many times.
const YIELDS: u32 = 100;
/// So many times a thread looks at a marked lock before it takes it: about 50 ms.
const AT_A_MARK: u32 = YIELDS + 500;
/// So many times a fork looks at a lock before it happens nevertheless: about half a second. A report may be written there.
const OF_A_FORK: u32 = YIELDS + 5000;

/// Waits a little, longer after many times. The owner of a lock may have a lower priority, and run only while this thread
/// sleeps.
fn pause(times: u32) {
    if times < YIELDS {
        std::thread::yield_now();
    } else {
        let _whole = Uncancelled::begin();
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// A lock. Nothing unwinds while it is held.
pub struct Lock<T> {
    word: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard alone, and there is one guard at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

/// What is behind a lock, for the one thread that has it.
pub struct Guard<T: 'static> {
    lock: &'static Lock<T>,
    /// What the lock's word becomes.
    after: usize,
}

impl<T> Lock<T> {
    pub const fn new(value: T) -> Lock<T> {
        Lock {
            word: AtomicUsize::new(FREE),
            value: UnsafeCell::new(value),
        }
    }

    /// Acquire: what was done behind the lock before is seen.
    #[inline(always)]
    fn take(&self, from: usize, me: Me) -> bool {
        self.word
            .compare_exchange(from, me.word(), Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Waits for the lock. None if it was closed, or its owner may not be in this process. This thread does not have it.
    #[inline(always)]
    pub fn lock(&'static self, me: Me) -> Option<Guard<T>> {
        let after = if self.take(FREE, me) {
            FREE
        } else {
            self.wait(me)?
        };
        Some(Guard { lock: self, after })
    }

    /// The lock, if it is free.
    pub fn try_lock(&'static self, me: Me) -> Option<Guard<T>> {
        self.take(FREE, me).then_some(Guard {
            lock: self,
            after: FREE,
        })
    }

    /// Takes the lock, and returns what its word becomes afterwards.
    #[cold]
    fn wait(&self, me: Me) -> Option<usize> {
        let (mut times, mut at_a_mark) = (0, 0);
        loop {
            // Relaxed: what counts is whether it can be taken.
            let word = self.word.load(Ordering::Relaxed);
            // A look that the thread makes while it forks itself, as another library has it do, is over before it does.
            let own_fork = is_mark(word) && me.here().forks.get() != 0;
            at_a_mark = if is_mark(word) { at_a_mark + 1 } else { 0 };
            if word == CLOSED {
                return None;
            } else if word == FREE || own_fork {
                // The other forks, if there are some, may happen now.
                if own_fork && (word != THIS_FORK || me.was_intruded_on()) {
                    intrude();
                }
                if self.take(word, me) {
                    return Some(word);
                }
            } else if at_a_mark > AT_A_MARK {
                intrude();
                if self.take(word, me) {
                    return Some(FREE);
                }
            }
            if times >= YIELDS && process::is_unknown() {
                return None;
            }
            pause(times);
            times = times.saturating_add(1);
        }
    }

    /// A fork by this thread begins: nobody is to have the lock, and nobody is to take it. This thread may have it, if a signal
    /// handler forks amid its work. Then there is no mark.
    pub fn mark(&self, me: Me) {
        for times in 0..OF_A_FORK {
            // Relaxed: see below.
            let word = self.word.load(Ordering::Relaxed);
            if word == me.word() || word == CLOSED {
                return;
            }
            let marked = match word {
                FREE => Some(THIS_FORK),
                mark if is_mark(mark) => Some(mark + ONE_FORK),
                _ => None,
            };
            // Acquire: what was done behind the lock is done before the fork.
            let done = marked.is_some_and(|marked| {
                self.word
                    .compare_exchange(word, marked, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            });
            if done {
                return;
            }
            pause(times);
        }
        intrude();
    }

    /// The fork is over. `intruded`: its mark may be gone, and this one be another fork's, whose child is told then.
    pub fn unmark(&self, intruded: bool) {
        if intruded && is_mark(self.word.load(Ordering::Relaxed)) {
            intrude();
        }
        // Release: as when a guard goes.
        let _ = self
            .word
            .fetch_update(Ordering::Release, Ordering::Relaxed, |word| {
                is_mark(word).then_some(if word == THIS_FORK {
                    FREE
                } else {
                    word - ONE_FORK
                })
            });
    }

    pub fn is_mine(&self, me: Me) -> bool {
        self.word.load(Ordering::Relaxed) == me.word()
    }

    /// Whether a thread other than this one has it. In a child, that is one that is not there.
    pub fn is_lost(&self, me: Me) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        !(word == FREE || word == CLOSED || is_mark(word) || word == me.word())
    }

    /// Takes all marks away, in a child.
    pub fn clear(&self) {
        // Relaxed: there is no other thread.
        if is_mark(self.word.load(Ordering::Relaxed)) {
            self.word.store(FREE, Ordering::Relaxed);
        }
    }

    /// Nobody gets the lock any more, in a child.
    pub fn close(&self) {
        // Relaxed: there is no other thread.
        self.word.store(CLOSED, Ordering::Relaxed);
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this thread has the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread has the lock.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // Release: what was done here is seen by who takes it next.
        self.lock.word.store(self.after, Ordering::Release);
    }
}
