//! What one round of running requests collects.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::IORING_CQE_F_MORE;

use crate::job::Job;
use crate::memory::Completion;
use crate::request::Req;
use crate::ring::Ring;

/// Completions and requests, collected so that locks are taken and threads woken once for many requests.
pub struct Batch {
    pub done: Vec<Completion>,
    pub aio: Vec<Box<Job>>,
    /// Completions have been posted, and their waiters are not woken yet.
    pub untold: bool,
    /// The thread is the program's own, inside `io_uring_enter`.
    pub within_enter: bool,
}

impl Batch {
    /// With room for completions.
    pub fn new(within_enter: bool, room: Vec<Completion>) -> Batch {
        Batch {
            done: room,
            aio: Vec::new(),
            untold: false,
            within_enter,
        }
    }

    /// Posts the collected completions, and wakes the waiters of these and of those posted before.
    pub fn post(&mut self, ring: &Ring) {
        if self.done.is_empty() && !self.untold {
            return;
        }
        self.untold = false;
        let mut state = ring.state.lock();
        ring.post_all(&mut state, &mut self.done, !self.within_enter);
    }
}

/// Posts one of several completions of a request. `false`: there is no room, so the request ends.
pub fn post_more(ring: &Arc<Ring>, req: &Req, res: c_int, flags: u32, batch: &mut Batch) -> bool {
    batch.post(ring);
    let mut state = ring.state.lock();
    if ring.is_full(&state) {
        return false;
    }
    let flags = flags | IORING_CQE_F_MORE;
    ring.post_in_turn(
        &mut state,
        Completion {
            user_data: req.sqe.user_data,
            res,
            flags,
            ..Completion::default()
        },
    );
    ring.notify(&state, !batch.within_enter);
    true
}
