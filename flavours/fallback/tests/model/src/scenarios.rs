//! Threads that wait beside the library's own.

use loom::thread;

use crate::lead::{self, Follower, Leader};
use crate::model;
use crate::sys;

/// The library's own thread.
fn serve() {
    while !sys::is_over() {
        while lead::stand_by() {}
        lead::nap(sys::SET, 0);
        if !lead::is_led() {
            sys::take_event();
        }
    }
}

/// A thread of the program's waits on a ring until the event has come.
fn wait() {
    match Leader::begin() {
        Some(leader) => {
            sys::wait_for_event();
            sys::take_event();
            leader.has_waited();
        }
        None => {
            let _follower = Follower::new();
            sys::wait_for_delivery();
        }
    }
}

/// Runs one thread beside the library's own while this one does something that ends when the event has come.
fn beside(other: fn(), this: fn()) {
    let own = thread::spawn(serve);
    let other = thread::spawn(other);
    this();
    other.join().unwrap();
    sys::end();
    own.join().unwrap();
}

/// A thread begins to wait and finds nothing to wait for. It sleeps for a moment beside the one that waits for the event.
#[test]
fn nothing_to_wait_for() {
    fn other() {
        drop(Leader::begin());
        drop(Follower::new());
        sys::event();
    }
    model(|| beside(other, wait));
}

/// A thread has waited for something else.
#[test]
fn has_waited() {
    fn other() {
        if let Some(leader) = Leader::begin() {
            leader.has_waited();
        }
        sys::event();
    }
    model(|| beside(other, wait));
}

/// Threads that begin to wait, one after the other.
#[test]
fn about_to_wait() {
    fn other() {
        lead::about_to_wait(None);
        if let Some(leader) = Leader::begin() {
            leader.has_waited();
        }
        sys::event();
    }
    fn this() {
        lead::about_to_wait(None);
        wait();
    }
    model(|| beside(other, this));
}

/// The program waits in a call of its own, in which it does not look for events.
#[test]
fn hand_over() {
    fn other() {
        if let Some(leader) = Leader::begin() {
            leader.has_waited();
        }
        sys::event();
    }
    fn this() {
        lead::hand_over();
        sys::wait_for_delivery();
    }
    model(|| beside(other, this));
}
