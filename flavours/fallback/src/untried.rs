//! Requests to receive that are not tried at their turn, since others found nothing on their descriptor.
//!
//! They come when all others of the round are taken in: these may bring what they wait for. Where that is not to be
//! expected, either, they wait for the descriptor without having been tried. Then the thread looks for events in the
//! end. As with the kernel, what can be complete is complete when the call returns.

use std::sync::Arc;

use crate::batch::Batch;
use crate::gather::gather;
use crate::op::Outcome;
use crate::ops::common::IN;
use crate::poller;
use crate::request::{Place, Req};
use crate::ring::Ring;
use crate::watched::Turn;

/// What becomes of a request that is not tried at its turn. `None`: it is.
pub fn turn(req: &Req, batch: &mut Batch) -> Option<Outcome> {
    if !batch.ends_by_looking || batch.ending {
        return None;
    }
    let fd = req.fd();
    match poller::turn(fd) {
        Turn::Last => Some(Outcome::Last),
        Turn::Behind => {
            batch.untried = true;
            Some(Outcome::Park(Place::Untried(IN)))
        }
        // Else another thread would wake with it.
        Turn::WhenReady if batch.is_alone() => {
            batch.untried = true;
            Some(Outcome::Park(Place::Untried(IN)))
        }
        // One that comes after another of these on its descriptor does so, too.
        _ => {
            let mut last = batch.last.iter();
            last.any(|other| other.req.fd() == fd)
                .then_some(Outcome::Last)
        }
    }
}

/// Completes the requests that wait without having been tried and can be complete.
pub fn look(ring: &Arc<Ring>, batch: &mut Batch) {
    if std::mem::take(&mut batch.untried) {
        batch.post(ring);
        gather(ring);
    }
}
