//! Everything that is known, behind one lock.
//!
//! A thread that is inside is never let in again: hooks that the library's own work reaches, and signal handlers that
//! interrupt it, do their plain work without a look.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use crate::notes::Notes;
use crate::place::Place;
use crate::process;
use crate::report;
use crate::rings::Rings;
use crate::trails::{self, Trail};
use crate::tsan::OwnWork;

/// What is known of the process.
pub struct State {
    pub rings: Rings,
    pub notes: Notes,
}

static STATE: Mutex<State> = Mutex::new(State {
    rings: Rings::new(),
    notes: Notes::new(),
});

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

fn errno() -> *mut c_int {
    // SAFETY: takes nothing; the address is this thread's and always valid.
    unsafe { libc::__errno_location() }
}

/// The right to work unobserved. What the work does to errno is undone.
pub struct Inside {
    /// Where errno is, and what it was.
    errno: (*mut c_int, c_int),
    _unseen: OwnWork,
}

impl Inside {
    /// None if this thread is inside already.
    pub fn enter() -> Option<Inside> {
        if INSIDE.replace(true) {
            return None;
        }
        let at = errno();
        Some(Inside {
            // SAFETY: see `errno`.
            errno: (at, unsafe { *at }),
            _unseen: OwnWork::begin(),
        })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let (at, value) = self.errno;
        // SAFETY: see `errno`.
        unsafe { *at = value };
        INSIDE.set(false);
    }
}

fn lock() -> MutexGuard<'static, State> {
    // Nothing unwinds while the lock is held.
    STATE.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Threads that fork, or are about to.
static FORKING: AtomicU32 = AtomicU32::new(0);

/// The lock, if no other thread forks. Whoever forks holds it while the C library waits for all who are inside `malloc`,
/// and a signal handler that has interrupted one of these may ask for it.
fn lock_unless_forking() -> Option<MutexGuard<'static, State>> {
    const PATIENT: u32 = 100;
    let mut tries = 0;
    loop {
        match STATE.try_lock() {
            Ok(state) => return Some(state),
            Err(TryLockError::Poisoned(broken)) => return Some(broken.into_inner()),
            // SeqCst: set before the lock is taken, so who finds it taken for a fork finds this.
            Err(TryLockError::WouldBlock) if FORKING.load(Ordering::SeqCst) != 0 => return None,
            // Its owner may have a lower priority, and run only while this thread sleeps.
            Err(TryLockError::WouldBlock) if tries == PATIENT => {
                std::thread::sleep(Duration::from_micros(50));
            }
            Err(TryLockError::WouldBlock) => {
                tries += 1;
                std::thread::yield_now();
            }
        }
    }
}

/// The same as [`with`] in a function that signal handlers may call. Not while another thread forks.
pub fn with_unless_forking<R>(look: impl FnOnce(&mut State) -> R) -> Option<R> {
    let inside = Inside::enter()?;
    let mut state = lock_unless_forking()?;
    let result = look(&mut state);
    // Who forks may have the right to write, and wait for this thread. Then the next look writes.
    match WRITING.try_lock() {
        Ok(_one) if !state.notes.pending.is_empty() => {
            let pending = std::mem::take(&mut state.notes.pending);
            drop(state);
            report::write_all(pending);
        }
        _ => drop(state),
    }
    drop(inside);
    Some(result)
}

/// Runs `look` with all that is known, unless this thread is inside already.
pub fn with<R>(look: impl FnOnce(&mut State) -> R) -> Option<R> {
    with_trail(None, |state, _| look(state))
}

/// The same with the trail of this thread's to a place. It is found while nothing is locked, if it was not found before.
#[inline]
pub fn with_trail<R>(place: Option<Place>, look: impl FnOnce(&mut State, Trail) -> R) -> Option<R> {
    let inside = Inside::enter()?;
    let mut state = lock();
    let mut trail = Trail::default();
    if let Some(place) = place {
        if let Some(known) = state.notes.trails.find(place) {
            trail = known;
        } else if state.notes.trails.may_walk(place) {
            drop(state);
            let walked = trails::walk(place);
            state = lock();
            trail = state.notes.trails.add(place, &walked);
        }
    }
    let result = look(&mut state, trail);
    end(state);
    drop(inside);
    Some(result)
}

/// Lets others look, and writes the reports that a look has brought.
#[inline(always)]
fn end(state: MutexGuard<'static, State>) {
    if state.notes.pending.is_empty() {
        drop(state);
    } else {
        write_pending(state);
    }
}

#[cold]
fn write_pending(mut state: MutexGuard<'static, State>) {
    let pending = std::mem::take(&mut state.notes.pending);
    drop(state);
    let _one = writing();
    report::write_all(pending);
}

/// One thread at a time writes reports. Whoever holds both locks took this one first.
static WRITING: Mutex<()> = Mutex::new(());

fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// The locks and the right, held by the thread that forks, over the fork.
struct Locks {
    state: MutexGuard<'static, State>,
    _writing: MutexGuard<'static, ()>,
    _inside: Inside,
}
struct Held(UnsafeCell<Option<Locks>>);
// SAFETY: only the thread that holds the locks touches it: it writes after taking them and empties it to free
// them. In the child of a fork that is the only thread.
unsafe impl Sync for Held {}
static HELD: Held = Held(UnsafeCell::new(None));

/// Has the locks held over forks. When the library is loaded: later another thread may fork in the middle of it.
pub fn watch_forks() {
    // SAFETY: three functions that stay where they are, since the library is never unloaded.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

extern "C" fn prepare() {
    let Some(inside) = Inside::enter() else {
        // A signal handler that interrupted a look forks: the lock is this thread's already, and stays so.
        return;
    };
    FORKING.fetch_add(1, Ordering::SeqCst);
    let writing = writing();
    let locks = Locks {
        state: lock(),
        _writing: writing,
        _inside: inside,
    };
    // SAFETY: see `Held`: this thread has the locks.
    unsafe { *HELD.0.get() = Some(locks) };
}

extern "C" fn parent() {
    // SAFETY: see `Held`: if `prepare` took the locks, they are this thread's.
    if let Some(mut locks) = unsafe { (*HELD.0.get()).take() } {
        for ring in locks.state.rings.values_mut() {
            // The child may submit to it, and its completions come here, too.
            ring.unasked = true;
            ring.is_shared();
        }
        FORKING.fetch_sub(1, Ordering::SeqCst);
    }
}

extern "C" fn child() {
    // SAFETY: as in `parent`; the child has this thread alone.
    if let Some(mut locks) = unsafe { (*HELD.0.get()).take() } {
        process::forked();
        FORKING.store(0, Ordering::SeqCst);
        let State { rings, notes } = &mut *locks.state;
        notes.trace.forget();
        // The parent's rings may not even be mapped here, so nothing of them is touched until the child uses one.
        for ring in rings.values_mut() {
            ring.forget_all();
            ring.submitter = 0;
            ring.marks.begin_anew();
            ring.is_shared();
        }
    }
}
