//! What a completion tells the program, and what it does to requests that are linked to it or wait behind it.

use std::ffi::c_int;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use crate::memory::Completion;
use crate::request::Req;
use crate::ring::{Ring, State};

/// What the program is told of a request. `None`: nothing.
#[inline]
pub fn completion(ring: &Ring, req: &Req, res: c_int, flags: u32) -> Option<Completion> {
    // A link timeout is a success whatever became of it, once it was started.
    let started = req.is_link_timeout() && req.id != 0;
    if req.has(IOSQE_CQE_SKIP_SUCCESS) && (started || !req.breaks(res)) {
        return None;
    }
    let (flags, big) = wide(ring, req, flags);
    Some(Completion {
        user_data: req.sqe.user_data,
        res,
        flags,
        big,
    })
}

/// Whether a request may have to complete behind one that is kept back, or before others have their turn.
#[inline]
pub fn has_order(ring: &Ring, req: &Req) -> bool {
    // Relaxed: a transfer that ends now has no order with one that has ended here.
    req.turn.is_some() || ring.keeps_transfers.load(Ordering::Relaxed)
}

/// Moves the deferred requests whose turn has come to those that may be started.
pub fn start_deferred(state: &mut State, next: &mut Vec<Req>) {
    if state.deferred.is_empty() {
        return;
    }
    let mut turn = Vec::new();
    while let Some(front) = state.deferred.front() {
        if front.drained && state.holds_drained() {
            break;
        }
        if let Some(mut req) = state.deferred.pop_front() {
            req.counted = true;
            state.in_flight += 1;
            turn.push(req);
        }
    }
    // `next` is a stack.
    turn.reverse();
    next.splice(0..0, turn);
}

/// Posts that a link timeout was cancelled, unless the program does not want to know.
pub fn cancel_timeout(ring: &Ring, state: &mut State, timeout: &Req) {
    if !timeout.has(IOSQE_CQE_SKIP_SUCCESS) {
        let completion = Completion {
            user_data: timeout.sqe.user_data,
            res: -libc::ECANCELED,
            ..Completion::default()
        };
        ring.post_in_turn(state, completion);
    }
}

/// Completes a link timeout whose request was done before it was started. Returns what follows it.
pub fn drop_timeout(ring: &Ring, state: &mut State, mut timeout: Box<Req>) -> Option<Box<Req>> {
    cancel_timeout(ring, state, &timeout);
    timeout.link.take()
}

/// Completes the rest of a chain.
pub fn cancel_chain(ring: &Ring, state: &mut State, first: Box<Req>, silent: bool) {
    let mut link = Some(first);
    while let Some(mut req) = link {
        link = req.link.take();
        if !silent {
            let res = if req.failed != 0 {
                req.failed
            } else {
                -libc::ECANCELED
            };
            ring.post_in_turn(
                state,
                Completion {
                    user_data: req.sqe.user_data,
                    res,
                    ..Completion::default()
                },
            );
        }
    }
}

/// The flags of a completion and the second half that it has in a ring with such.
fn wide(ring: &Ring, req: &Req, flags: u32) -> (u32, [u64; 2]) {
    if !req.is_wide_nop() {
        return (flags, [0; 2]);
    }
    let mixed = ring.has(IORING_SETUP_CQE_MIXED);
    let extra = [req.offset(), req.address::<u8>().addr() as u64];
    (flags | if mixed { IORING_CQE_F_32 } else { 0 }, extra)
}

/// The result and the flags of a request that is cancelled. A part that was transferred before is not lost: the program
/// hears of it.
pub fn cancelled(ring: &Ring, req: &mut Req) -> (c_int, u32) {
    match req.done as c_int {
        part @ 1.. => {
            req.short = true;
            (part, flags_of(ring, req, part))
        }
        _ => (-libc::ECANCELED, flags_of(ring, req, -libc::ECANCELED)),
    }
}

/// The flags of a completion with this result: which provided buffer was used.
pub fn flags_of(ring: &Ring, req: &Req, res: c_int) -> u32 {
    req.picked
        .as_ref()
        .map_or(0, |picked| picked.flags(&mut ring.state.lock().groups, res))
}
