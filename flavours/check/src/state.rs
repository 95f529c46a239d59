//! Everything that is known, behind one lock.
//!
//! A thread that is inside is never let in again: hooks that the library's own work reaches, and signal handlers that
//! interrupt it, do their plain work without a look.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_int;
use std::sync::{Mutex, MutexGuard, Once};

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

/// Runs `look` with all that is known, unless this thread is inside already.
pub fn with<R>(look: impl FnOnce(&mut State) -> R) -> Option<R> {
    with_trail(None, |state, _| look(state))
}

/// The same with the trail of this thread's to a place. It is found while nothing is locked, if it was not found before.
#[inline]
pub fn with_trail<R>(place: Option<Place>, look: impl FnOnce(&mut State, Trail) -> R) -> Option<R> {
    let inside = Inside::enter()?;
    watch_forks();
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
    if state.notes.pending.is_empty() {
        drop(state);
    } else {
        let pending = std::mem::take(&mut state.notes.pending);
        drop(state);
        let _one = writing();
        report::write_all(pending);
    }
    drop(inside);
    Some(result)
}

/// One thread at a time writes reports. Whoever holds both locks took this one first.
fn writing() -> MutexGuard<'static, ()> {
    static WRITING: Mutex<()> = Mutex::new(());
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

fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: three functions that stay where they are, since the library is never unloaded.
        unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    });
}

extern "C" fn prepare() {
    let Some(inside) = Inside::enter() else {
        // A signal handler that interrupted a look forks: the lock is this thread's already, and stays so.
        return;
    };
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
    }
}

extern "C" fn child() {
    // SAFETY: as in `parent`; the child has this thread alone.
    if let Some(mut locks) = unsafe { (*HELD.0.get()).take() } {
        process::forked();
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
