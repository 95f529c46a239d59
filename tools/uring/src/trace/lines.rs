//! A line for each completion, and for what happens beside: text for people, objects for programs.

use std::collections::HashMap;

use serde_json::{Value, json};
use uring_core::abi::IORING_CQE_F_NOTIF;

use super::format::{Event, Kind};
use super::requests::{Done, Request};
use crate::output::duration;
use crate::sys::{errno, proc};
use crate::tables::{Group, op_name};

/// Names of threads and rings, which events have by number and address.
#[derive(Default)]
pub struct Names {
    threads: HashMap<i32, String>,
    rings: HashMap<u64, String>,
}

impl Names {
    /// `qemu-img/1234`. Asked for early: a thread that has gone has no name any more.
    pub fn thread(&mut self, tid: i32) -> &str {
        self.threads
            .entry(tid)
            .or_insert_with(|| match proc::comm(tid) {
                Some(comm) => format!("{comm}/{tid}"),
                None => tid.to_string(),
            })
    }

    pub fn name_thread(&mut self, tid: i32, comm: &str) {
        self.threads.insert(tid, format!("{comm}/{tid}"));
    }

    /// By its descriptor where that was seen, or by its turn.
    pub fn ring(&mut self, ctx: u64) -> &str {
        let count = self.rings.len();
        self.rings
            .entry(ctx)
            .or_insert_with(|| format!("ring#{}", count + 1))
    }

    pub fn created(&mut self, event: &Event) {
        self.rings
            .insert(event.ctx, format!("ring {}", event.extra[0]));
    }
}

/// Seconds since the beginning.
pub fn clock(time: u64, start: u64) -> String {
    let ns = time.saturating_sub(start);
    format!("{}.{:06}", ns / 1_000_000_000, ns % 1_000_000_000 / 1000)
}

/// What was remarkable about a request, in words.
fn remarks(done: &Done, request: &Request) -> Vec<&'static str> {
    let all = [
        (request.punted, "by a worker"),
        (request.polled > 0, "waited for readiness"),
        (request.deferred, "waited for earlier ones"),
        (request.sq_thread, "by the submission thread"),
        (request.refused, "refused at submission"),
        (request.broke_link, "broke its chain"),
        (done.overflowed, "CQ overflow"),
        (
            done.cqe_flags & IORING_CQE_F_NOTIF != 0,
            "memory is free again",
        ),
        (done.more, "more to come"),
    ];
    all.into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, text)| text)
        .collect()
}

/// `READ fd 5, user_data 0x7, IOSQE_ASYNC = 4096 <12.3 µs> by a worker`
pub fn completion(done: &Done, names: &mut Names, start: u64) -> String {
    let time = clock(done.time, start);
    let tid = done.request.map_or(done.tid, |request| request.tid);
    let thread = names.thread(tid).to_owned();
    let who = format!("{thread} {}", names.ring(done.ctx));
    let result = errno::result(done.result);
    let Some(request) = done.request else {
        return format!(
            "{time} {who} ? user_data {:#x} = {result} (submitted before)",
            done.user_data
        );
    };
    let mut line = format!("{time} {who} {}", op_name(request.opcode));
    if let Some(fd) = request.fd {
        line.push_str(&format!(" fd {fd},"));
    }
    line.push_str(&format!(" user_data {:#x}", request.user_data));
    if request.flags & 0xff != 0 {
        line.push_str(&format!(", {}", Group::Sqe.flags(request.flags & 0xff)));
    }
    line.push_str(&format!(" = {result}"));
    if let Some(latency) = done.latency {
        line.push_str(&format!(" <{}>", duration(latency)));
    }
    let remarks = remarks(done, request);
    if !remarks.is_empty() {
        line.push_str(&format!(" {}", remarks.join(", ")));
    }
    line
}

pub fn completion_json(done: &Done, start: u64) -> Value {
    let request = done.request;
    let of = |value: fn(&Request) -> Value| request.map_or(Value::Null, value);
    json!({
        "time_ns": done.time.saturating_sub(start),
        "tid": request.map_or(done.tid, |request| request.tid),
        "ring": format!("{:#x}", done.ctx),
        "op": of(|request| op_name(request.opcode).into()),
        "fd": of(|request| request.fd.into()),
        "user_data": done.user_data,
        "flags": of(|request| Group::Sqe.flags(request.flags & 0xff).into()),
        "result": done.result,
        "error": (done.result < 0).then(|| errno::name(-done.result as i32)),
        "cqe_flags": Group::Cqe.flags(u64::from(done.cqe_flags & 0xffff)),
        "latency_ns": done.latency,
        "remarks": request.map(|request| remarks(done, request)),
    })
}

/// A line for an event that is no completion. Those that show on the line of their request have none.
pub fn event(event: &Event, names: &mut Names, start: u64, all: bool) -> Option<String> {
    let x = event.extra;
    let what = match event.kind {
        Kind::Create => format!(
            "created: {} SQEs, {} CQEs, {}",
            x[1],
            x[2],
            Group::Setup.flags(event.flags)
        ),
        Kind::Register => {
            let code = u64::from(event.opcode & 0x7f);
            let name = Group::Register
                .name(code)
                .map_or_else(|| code.to_string(), |name| name.short().to_owned());
            format!("{name} = {}", errno::result(event.result))
        }
        Kind::ShortWrite => format!("short write at {}: {} of {} bytes", x[0], x[2], x[1]),
        Kind::Failed => format!(
            "{} refused: {} (len {}, addr {:#x}, off {}, op_flags {:#x})",
            op_name(event.opcode),
            errno::result(event.result),
            x[0],
            x[1],
            x[2],
            x[3]
        ),
        Kind::FailLink => format!(
            "{} user_data {:#x} breaks its chain",
            op_name(event.opcode),
            event.user_data
        ),
        Kind::Wait if all => format!("waits for {} completions", x[0]),
        Kind::QueueAsync if all => format!(
            "{} user_data {:#x} goes to a worker",
            op_name(event.opcode),
            event.user_data
        ),
        Kind::PollArm if all => format!(
            "{} user_data {:#x} waits for readiness",
            op_name(event.opcode),
            event.user_data
        ),
        Kind::TaskAdd if all => format!(
            "{} user_data {:#x} is woken",
            op_name(event.opcode),
            event.user_data
        ),
        Kind::Defer if all => format!(
            "{} user_data {:#x} waits for earlier ones",
            op_name(event.opcode),
            event.user_data
        ),
        Kind::Submit if all => format!(
            "{} user_data {:#x} is submitted",
            op_name(event.opcode),
            event.user_data
        ),
        Kind::TaskWork | Kind::LocalWork if all => format!("runs {} pieces of deferred work", x[0]),
        _ => return None,
    };
    let time = clock(event.time, start);
    let who = names.thread(event.tid).to_owned();
    let ring = if event.ctx == 0 || event.kind == Kind::TaskWork {
        ""
    } else {
        names.ring(event.ctx)
    };
    Some(format!("{time} {who} {ring} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all() {
        let request = Request {
            opcode: 22,
            user_data: 7,
            tid: -1,
            time: 1000,
            flags: 0x110,
            fd: Some(5),
            punted: true,
            ..Request::default()
        };
        let done = Done {
            request: Some(&request),
            ctx: 1,
            tid: 8,
            user_data: 7,
            time: 1_000_013_300,
            result: -5,
            cqe_flags: 0,
            overflowed: false,
            latency: Some(12_300),
            more: false,
        };
        let line = completion(&done, &mut Names::default(), 1000);
        assert_eq!(
            line,
            "1.000012 -1 ring#1 READ fd 5, user_data 0x7, IOSQE_ASYNC = -EIO <12.3 µs> by a worker"
        );
        assert_eq!(completion_json(&done, 1000)["error"], "EIO");
    }
}
