//! Memory that requests in flight read: whether the program has changed it.
//!
//! The contents are summed up when a request is submitted, and again in each call before it has completed. What the program
//! has not been told of cannot have completed for it, so a sum that differs then is a change too early. Of zero-copy sends
//! that is always asked, of other requests if `on=reused` is: a program may mean it.

use uring_core::abi::io_uring_op::*;

use crate::mode::mode;
use crate::notes::{Notes, report};
use crate::ops;
use crate::place::Place;
use crate::proxy::sum::{Sum, sum};
use crate::report::Report;
use crate::request::Request;
use crate::ring::Ring;
use crate::rules::Rule;

/// So many requests of a ring are.
const REQUESTS: usize = 64;

/// A request is about to be submitted.
pub fn begins(ring: &mut Ring, request: &Request) {
    let Some(kept) = &mut ring.proxy else { return };
    let zero_copy = matches!(
        ops::opcode(request.opcode()),
        Some(IORING_OP_SEND_ZC | IORING_OP_SENDMSG_ZC)
    );
    let wanted = mode().heeds(Rule::Reused) && (zero_copy || mode().asks(Rule::Reused));
    if !wanted || kept.sums.len() >= REQUESTS {
        return;
    }
    if let Some(sum) = sum(request) {
        kept.sums.push(Sum {
            user_data: request.sqe.user_data,
            number: ring.marks.submitted,
            sum,
        });
    }
}

/// Looks whether memory has changed, when the CQEs that are there were looked at.
pub fn look(ring: &mut Ring, notes: &mut Notes, place: Place) {
    let Some(kept) = ring.proxy.as_mut().filter(|kept| !kept.sums.is_empty()) else {
        return;
    };
    let mut sums = std::mem::take(&mut kept.sums);
    sums.retain(|before| {
        let Some(request) = ring
            .flight
            .find(before.user_data)
            .filter(|request| request.number == before.number)
        else {
            return false;
        };
        let now = sum(request);
        if now.is_none() || now == Some(before.sum) {
            return now.is_some();
        }
        if ring.cq.tail() != ring.collected_to {
            // It may have completed meanwhile.
            return true;
        }
        report(
            notes,
            &Report {
                rule: Rule::Reused,
                what: "the buffer of a request in flight has changed: what the kernel sends or writes is the one or the other"
                    .into(),
                request: Some(request),
                place,
                doing: "noticed",
            },
        );
        false
    });
    if let Some(kept) = &mut ring.proxy {
        kept.sums = sums;
    }
}
