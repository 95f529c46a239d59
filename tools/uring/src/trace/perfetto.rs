//! Requests as slices on a time line, in the trace event format that Perfetto and Chrome read.

use serde_json::{Value, json};

use super::requests::Done;
use crate::sys::errno;
use crate::tables::{Group, op_name};

/// A slice from submission to completion. Requests of a ring overlap, so that each is an asynchronous pair.
pub fn slices(done: &Done, number: u64, ring: &str) -> Option<[Value; 2]> {
    let request = done.request?;
    let begin = done.time - done.latency?;
    let us = |ns: u64| ns as f64 / 1000.0;
    let common = |phase: &str, time: u64| {
        json!({
            "ph": phase, "cat": "io_uring", "name": op_name(request.opcode), "id": number, "ts": us(time),
            "pid": request.tid, "tid": ring,
        })
    };
    let mut end = common("e", done.time);
    end["args"] = json!({
        "user_data": format!("{:#x}", request.user_data),
        "result": errno::result(done.result),
        "fd": request.fd,
        "flags": Group::Sqe.flags(request.flags & 0xff),
        "worker": request.punted,
    });
    Some([common("b", begin), end])
}
