//! What a thread of the program's goes on with when it comes into the library.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::batch::Batch;
use crate::completion::start_deferred;
use crate::request::How;
use crate::ring::Ring;
use crate::run;

/// Runs the requests that were left to it.
pub fn take_back(ring: &Arc<Ring>) {
    // SeqCst: set before the program is made to enter.
    if !ring.left_over.load(Ordering::SeqCst) {
        return;
    }
    // Once each: what this thread may not run either is left again.
    let taken = {
        let mut left = ring.handed_back.lock();
        ring.left_over.store(false, Ordering::SeqCst);
        std::mem::take(&mut *left)
    };
    for req in taken {
        let mut batch = Batch::new(true, Vec::new());
        run::run(ring, req, How::Try, &mut batch);
        run::end(&mut batch, ring);
    }
}

/// Starts the deferred requests whose turn has come because completions are kept back no more.
pub fn go_on(ring: &Arc<Ring>) {
    let mut next = Vec::new();
    start_deferred(&mut ring.state.lock(), &mut next);
    let mut batch = Batch::new(true, Vec::new());
    run::run_all(ring, next, &mut batch);
    run::end(&mut batch, ring);
    run::settle(ring);
}
