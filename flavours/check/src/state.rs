//! Everything that is known, behind one lock.
//!
//! A thread that is inside is never let in again: hooks that the library's own work reaches, and signal handlers that
//! interrupt it, do their plain work without a look.
//!
//! Children of forks begin anew, as soon as they can. One that has got something half done looks no more.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::lock::{self, FORKS, Guard, INSIDE, Lock, Me};
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

static STATE: Lock<State> = Lock::new(State {
    rings: Rings::new(),
    notes: Notes::new(),
});

/// One thread at a time writes reports. Whoever holds both locks took this one first, or does not wait for it.
static WRITING: Lock<()> = Lock::new(());

fn errno() -> *mut c_int {
    // SAFETY: takes nothing; the address is this thread's and always valid.
    unsafe { libc::__errno_location() }
}

/// The right to work unobserved. What the work does to errno is undone.
pub struct Inside {
    me: Me,
    /// Where errno is, and what it was.
    errno: (*mut c_int, c_int),
    _unseen: OwnWork,
}

impl Inside {
    /// None if this thread is inside already.
    #[inline(always)]
    pub fn enter() -> Option<Inside> {
        let me = Me::get();
        let bits = &me.here().bits;
        if bits.get() == 0 {
            bits.set(INSIDE);
        } else if !in_spite_of(me) {
            return None;
        }
        let at = errno();
        Some(Inside {
            me,
            // SAFETY: see `errno`.
            errno: (at, unsafe { *at }),
            _unseen: OwnWork::begin(),
        })
    }
}

impl Drop for Inside {
    #[inline(always)]
    fn drop(&mut self) {
        let (at, value) = self.errno;
        // SAFETY: see `errno`.
        unsafe { *at = value };
        let bits = &self.me.here().bits;
        bits.set(bits.get() & !INSIDE);
    }
}

/// The same as [`with`] in a function that is called where the dynamic linker is held, or that signal handlers may call. It
/// does not wait for another thread's reports: the next look writes its own.
pub fn with_in_hook<R>(look: impl FnOnce(&mut State) -> R) -> Option<R> {
    let inside = Inside::enter()?;
    let mut state = STATE.lock(inside.me)?;
    let result = look(&mut state);
    let due = !state.notes.pending.is_empty();
    if let Some(_one) = due.then(|| WRITING.try_lock(inside.me)).flatten() {
        let pending = std::mem::take(&mut state.notes.pending);
        drop(state);
        report::write_all(pending);
    }
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
    let Some(mut state) = STATE.lock(inside.me) else {
        if place.is_some() {
            say_unwatched();
        }
        return None;
    };
    let mut trail = Trail::default();
    if let Some(place) = place {
        if let Some(known) = state.notes.trails.find(place) {
            trail = known;
        } else if state.notes.trails.may_walk(place) {
            drop(state);
            let walked = trails::walk(place);
            state = STATE.lock(inside.me)?;
            trail = state.notes.trails.add(place, &walked);
        }
    }
    let result = look(&mut state, trail);
    end(state, inside.me);
    Some(result)
}

/// Lets others look, and writes the reports that a look has brought.
#[inline(always)]
fn end(state: Guard<State>, me: Me) {
    if state.notes.pending.is_empty() {
        drop(state);
    } else {
        write_pending(state, me);
    }
}

#[cold]
fn write_pending(mut state: Guard<State>, me: Me) {
    let pending = std::mem::take(&mut state.notes.pending);
    drop(state);
    if let Some(_one) = WRITING.lock(me) {
        report::write_all(pending);
    }
}

/// A child that does not look says so, when it first would.
#[cold]
fn say_unwatched() {
    static SAID: AtomicBool = AtomicBool::new(false);
    // Relaxed: nobody waits for it.
    if !SAID.swap(true, Ordering::Relaxed) {
        report::note_unwatched();
    }
}

/// This thread is a child's, and has not begun anew: it forked amid a look.
const ANEW: u8 = 4;
/// The same, and what it has got may be half done.
const LOST: u8 = 8;
/// The child has begun anew before it was told of the fork.
const BEGUN: u8 = 16;

/// Whether a thread may come in that is in the middle of something. If so, it does first what is due.
#[cold]
fn in_spite_of(me: Me) -> bool {
    let before = me.here().bits.get();
    if before & INSIDE != 0 {
        return false;
    }
    set(me, INSIDE);
    // Functions of other libraries that are told of forks come before this library's.
    if before & FORKS != 0 && process::is_borrowed() {
        begin_child(me);
        set(me, BEGUN);
    }
    if before & ANEW != 0 {
        begin_anew(me);
    } else if before & LOST != 0 {
        STATE.close();
    }
    clear(me, ANEW | LOST);
    true
}

fn set(me: Me, bit: u8) {
    let bits = &me.here().bits;
    bits.set(bits.get() | bit);
}

fn clear(me: Me, set: u8) {
    let bits = &me.here().bits;
    bits.set(bits.get() & !set);
}

/// Has forks told of. When the library is loaded: later another thread may fork in the middle of it.
pub fn watch_forks() {
    lock::prepare();
    // SAFETY: three functions that stay where they are, since the library is never unloaded.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

extern "C" fn prepare() {
    let me = Me::get();
    process::fork_begins();
    // Signal handlers may look and fork in between: they are to take none of these marks for their own.
    let intrusions = lock::count();
    WRITING.mark(me);
    STATE.mark(me);
    me.begin_fork(intrusions);
}

extern "C" fn parent() {
    let me = Me::get();
    let intruded = me.was_intruded_on();
    me.end_fork();
    STATE.unmark(intruded);
    WRITING.unmark(intruded);
}

extern "C" fn child() {
    let me = Me::get();
    let before = me.here().bits.get();
    if before & BEGUN == 0 {
        set(me, INSIDE);
        begin_child(me);
        clear(me, !before & INSIDE);
    }
    clear(me, BEGUN);
    me.end_fork();
}

/// This is the child of a fork.
fn begin_child(me: Me) {
    process::forked();
    let lost = me.was_intruded_on() || STATE.is_lost(me) || WRITING.is_lost(me);
    if WRITING.is_lost(me) {
        WRITING.close();
    }
    if STATE.is_mine(me) || WRITING.is_mine(me) {
        // A signal handler has forked. If it returns, the look that it has interrupted goes on.
        set(me, if lost { LOST } else { ANEW });
    } else if lost {
        STATE.close();
    } else {
        begin_anew(me);
    }
}

/// Forgets, in the child of a fork, what is the parent's.
fn begin_anew(me: Me) {
    WRITING.clear();
    STATE.clear();
    let Some(mut state) = STATE.lock(me) else {
        return;
    };
    let State { rings, notes } = &mut *state;
    notes.trace.forget();
    notes.pending.clear();
    // The parent's rings may not even be mapped here, so nothing of them is touched until the child uses one.
    for ring in rings.values_mut() {
        ring.forget_all();
        ring.submitter = 0;
        ring.marks.begin_anew();
    }
}
