//! The system calls that `lead.rs` makes: a futex, an eventfd, a set of descriptors that has events or not, and a clock.
//!
//! A sleep with a time ends when the clock has come there, which it does at once: a sleep that only its time ends is
//! none that loom would find.

use std::cell::RefCell;
use std::ffi::c_int;
use std::sync::Arc;

use loom::sync::{Condvar, Mutex, MutexGuard};

use crate::atomic::{AtomicU32, Ordering};

/// The set of descriptors.
pub const SET: c_int = 3;
const KICK: c_int = 4;

#[derive(Default)]
struct Modelled {
    kicks: u64,
    /// The set has an event.
    event: bool,
    /// Somebody has taken one.
    delivered: bool,
    /// The library's own thread is to end.
    over: bool,
    now: u64,
}

struct Kernel {
    state: Mutex<Modelled>,
    changed: Condvar,
}

// All threads of a model are coroutines of one thread.
thread_local! {
    static KERNEL: RefCell<Option<Arc<Kernel>>> = const { RefCell::new(None) };
}

/// Begins an execution.
pub fn begin() {
    let kernel = Kernel {
        state: Mutex::new(Modelled {
            now: 1,
            ..Modelled::default()
        }),
        changed: Condvar::new(),
    };
    KERNEL.replace(Some(Arc::new(kernel)));
}

fn kernel() -> Arc<Kernel> {
    KERNEL.with_borrow(|kernel| kernel.clone().unwrap())
}

fn change<T>(change: impl FnOnce(&mut Modelled) -> T) -> T {
    let kernel = kernel();
    let value = change(&mut kernel.state.lock().unwrap());
    kernel.changed.notify_all();
    value
}

fn sleep_while(awaited: impl Fn(&Modelled) -> bool) {
    let kernel = kernel();
    let mut state: MutexGuard<'_, _> = kernel.state.lock().unwrap();
    while awaited(&state) {
        state = kernel.changed.wait(state).unwrap();
    }
}

/// The set of descriptors gets an event.
pub fn event() {
    change(|state| state.event = true);
}

/// Takes the event of the set, if it has one.
pub fn take_event() {
    change(|state| state.delivered |= std::mem::take(&mut state.event));
}

/// Sleeps until the set has an event, or another thread has taken it.
pub fn wait_for_event() {
    sleep_while(|state| !state.event && !state.delivered);
}

/// Sleeps until somebody has taken the event.
pub fn wait_for_delivery() {
    sleep_while(|state| !state.delivered);
}

/// Ends the library's own thread, as soon as it looks.
pub fn end() {
    change(|state| (state.over, state.event) = (true, true));
}

pub fn is_over() -> bool {
    change(|state| state.over)
}

pub fn eventfd() -> c_int {
    KICK
}

pub fn apart(fd: c_int) -> c_int {
    fd
}

pub fn close(_: c_int) {}

pub fn eventfd_write(_: c_int) {
    change(|state| state.kicks += 1);
}

pub fn eventfd_read(_: c_int) {
    change(|state| state.kicks = 0);
}

pub fn poll(slots: &mut [libc::pollfd], _: u64) -> c_int {
    sleep_while(|state| !state.event && state.kicks == 0);
    let (event, kicked) = change(|state| (state.event, state.kicks != 0));
    for slot in slots.iter_mut() {
        let ready = if slot.fd == KICK { kicked } else { event };
        slot.revents = if ready { libc::POLLIN } else { 0 };
    }
    1
}

pub fn futex_wait(
    word: &AtomicU32,
    expected: u32,
    _: bool,
    until: Option<(libc::timespec, bool)>,
) -> c_int {
    if let Some((time, _)) = until {
        change(|state| state.now = state.now.max(time.tv_nsec as u64));
        return 0;
    }
    // Whoever wakes moves the word before.
    sleep_while(|_| word.load(Ordering::SeqCst) == expected);
    0
}

pub fn futex_wake(_: &AtomicU32, _: bool, _: c_int) {
    change(|_| ());
}

pub fn monotonic() -> u64 {
    change(|state| state.now)
}

pub fn timespec(nanoseconds: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: 0,
        tv_nsec: nanoseconds as libc::c_long,
    }
}
