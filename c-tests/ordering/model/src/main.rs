//! The ring logic of the library under loom, beside a kernel in a second thread.
//!
//! The modules are those of `core/src/lib.rs`, compiled once more so that `ring/order.rs` takes its atomics from
//! [`atomic`]. Each scenario is run in every order of the threads with at most [`PREEMPTIONS`], and with every value that
//! C's memory model lets a load return. SQEs, CQEs and buffers have shadows in which loom sees accesses that nothing
//! orders.

#![allow(dead_code)]

#[path = "../../../../core/src/abi/mod.rs"]
pub mod abi;
pub mod atomic;
#[path = "../../../../core/src/errno.rs"]
pub mod errno;
#[path = "../../../../core/src/inline/mod.rs"]
pub mod inline;
#[path = "../../../../core/src/kernel/mod.rs"]
pub mod kernel;
#[path = "../../../../core/src/mem.rs"]
pub mod mem;
mod memory;
#[path = "../../../../core/src/out.rs"]
pub mod out;
#[path = "../../../../core/src/queue/mod.rs"]
pub mod queue;
#[path = "../../../../core/src/register/mod.rs"]
pub mod register;
#[path = "../../../../core/src/ring/mod.rs"]
pub mod ring;
mod scenarios;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often a thread is interrupted in an execution at most. Without a limit the longest scenario would take hours.
const PREEMPTIONS: usize = 3;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for (name, scenario) in scenarios::ALL {
        if !wanted.is_empty() && !wanted.iter().any(|one| one == name) {
            continue;
        }
        let executions = Arc::new(AtomicUsize::new(0));
        let count = executions.clone();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(PREEMPTIONS);
        builder.check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            scenario();
            atomic::forget();
        });
        println!("{name}: {} executions", executions.load(Ordering::Relaxed));
    }
}
