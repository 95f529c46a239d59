//! Everything that is known, behind one lock.
//!
//! A thread that is inside is never let in again: hooks that the library's own work reaches, and signal handlers that
//! interrupt it, do their plain work without a look.

use std::cell::{Cell, UnsafeCell};
use std::collections::{HashMap, HashSet};
use std::ffi::c_int;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, Once};

use crate::report::{self, Pending};
use crate::rings::Rings;
use crate::rules::Rule;
use crate::trace::Trace;

/// A hash for addresses and numbers: one multiplication.
#[derive(Default)]
pub struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
}

pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;
pub type Set<K> = HashSet<K, BuildHasherDefault<Quick>>;

/// What is known of the process.
pub struct State {
    pub rings: Rings,
    pub notes: Notes,
}

/// What is known beside the rings.
pub struct Notes {
    /// Rules and places that have been reported.
    pub said: Set<(Rule, usize)>,
    /// How often each rule was broken, also where nothing was printed.
    pub counts: Map<Rule, u64>,
    /// A ring has been sent messages, or may have been: completions come that were not asked for there.
    pub messages: bool,
    /// Where descriptors were closed: the address to which the call returned.
    pub closed: Map<i32, usize>,
    pub trace: Trace,
    /// Reports that are to be written when the lock is free.
    pub pending: Vec<Pending>,
}

static STATE: Mutex<State> = Mutex::new(State {
    rings: Rings::new(),
    notes: Notes {
        said: HashSet::with_hasher(BuildHasherDefault::new()),
        counts: HashMap::with_hasher(BuildHasherDefault::new()),
        messages: false,
        closed: HashMap::with_hasher(BuildHasherDefault::new()),
        trace: Trace::new(),
        pending: Vec::new(),
    },
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
    errno: c_int,
}

impl Inside {
    /// None if this thread is inside already.
    pub fn enter() -> Option<Inside> {
        if INSIDE.replace(true) {
            return None;
        }
        // SAFETY: see `errno`.
        let errno = unsafe { *errno() };
        Some(Inside { errno })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // SAFETY: see `errno`.
        unsafe { *errno() = self.errno };
        INSIDE.set(false);
    }
}

fn lock() -> MutexGuard<'static, State> {
    // Nothing unwinds while the lock is held.
    STATE.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Runs `look` with all that is known, unless this thread is inside already.
pub fn with<R>(look: impl FnOnce(&mut State) -> R) -> Option<R> {
    let inside = Inside::enter()?;
    watch_forks();
    let mut state = lock();
    let result = look(&mut state);
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
        }
    }
}

extern "C" fn child() {
    // SAFETY: as in `parent`; the child has this thread alone.
    if let Some(mut locks) = unsafe { (*HELD.0.get()).take() } {
        crate::life::forked(&mut locks.state);
    }
}
