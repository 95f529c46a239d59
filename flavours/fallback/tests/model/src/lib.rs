//! Who looks for events, under loom: the library's own thread beside threads of the program that wait.
//!
//! `lead.rs` is the library's, compiled once more on the atomics of [`atomic`] and the system calls of [`sys`]. Each
//! scenario is run in every order of the threads with at most [`PREEMPTIONS`]. loom stops where all threads sleep, and
//! where one never does.

#![cfg(test)]
#![allow(dead_code)]

mod atomic;
#[path = "../../../src/lead.rs"]
mod lead;
mod scenarios;
mod sys;

/// The sleep of a leader is not modelled: nothing is to be woken.
mod wake {
    pub fn wake() {}
}

/// How often a thread is interrupted in an execution at most.
const PREEMPTIONS: usize = 2;

/// Runs a scenario in every order of its threads.
fn model(scenario: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(move || {
        atomic::forget();
        sys::begin();
        // Each word has its value before there are threads.
        lead::forget();
        lead::prepare();
        scenario();
    });
}
