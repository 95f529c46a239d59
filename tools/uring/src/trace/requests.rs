//! Assembles events into requests, from submission to completion.

use std::collections::{HashMap, HashSet};

use uring_core::abi::{IORING_CQE_F_MORE, IORING_CQE_F_NOTIF, IOSQE_CQE_SKIP_SUCCESS};

use super::format::{Event, Kind};

/// A request from its submission on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub opcode: u8,
    pub user_data: u64,
    pub ctx: u64,
    pub tid: i32,
    /// When it was submitted, in nanoseconds.
    pub time: u64,
    /// The low byte has the flags of the SQE.
    pub flags: u64,
    pub fd: Option<i32>,
    /// A worker took it.
    pub punted: bool,
    /// How often it began to wait for readiness.
    pub polled: u32,
    /// It had to wait for earlier ones (IOSQE_IO_DRAIN).
    pub deferred: bool,
    /// It ended a chain of links.
    pub broke_link: bool,
    /// The submission thread submitted it.
    pub sq_thread: bool,
    /// It was refused before it began.
    pub refused: bool,
    /// Completions so far.
    pub shots: u32,
}

/// A completion of a request.
#[derive(Clone, Debug)]
pub struct Done<'a> {
    /// `None` if its submission was not seen.
    pub request: Option<&'a Request>,
    pub ctx: u64,
    pub tid: i32,
    pub user_data: u64,
    pub time: u64,
    pub result: i64,
    pub cqe_flags: u32,
    /// It found no room in the CQ.
    pub overflowed: bool,
    /// Nanoseconds since the submission, or since the completion before.
    pub latency: Option<u64>,
    /// More completions follow.
    pub more: bool,
}

/// The receiver of completions and other events.
pub trait Sink {
    fn done(&mut self, done: &Done);
    /// Another event of a ring that is traced.
    fn event(&mut self, event: &Event);
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub requests: u64,
    pub completions: u64,
    /// Requests without a completion, because they asked for none.
    pub skipped: u64,
    /// Completions whose submission was not seen.
    pub unmatched: u64,
    pub overflows: u64,
    pub rings: u64,
}

/// Whose rings are traced.
pub enum Scope {
    All,
    /// Those of these threads, and of all that they make.
    Threads(HashSet<i32>),
}

pub struct Tracker {
    scope: Scope,
    rings: HashMap<u64, bool>,
    pending: HashMap<u64, (Request, u64)>,
    by_user_data: HashMap<(u64, u64), u64>,
    pub counts: Counts,
}

impl Tracker {
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            rings: HashMap::new(),
            pending: HashMap::new(),
            by_user_data: HashMap::new(),
            counts: Counts::default(),
        }
    }

    /// Requests that have not completed: all, and those that need not say so when they do.
    pub fn in_flight(&self) -> (u64, u64) {
        let silent = self
            .pending
            .values()
            .filter(|(request, _)| silent(request))
            .count() as u64;
        (self.pending.len() as u64, silent)
    }

    /// Takes an event in; they come in the order of time.
    pub fn take(&mut self, event: &Event, sink: &mut impl Sink) {
        if event.kind == Kind::Fork {
            if let Scope::Threads(threads) = &mut self.scope {
                if threads.contains(&(event.extra[0] as i32)) {
                    threads.insert(event.extra[1] as i32);
                }
            }
            return;
        }
        if !self.in_scope(event) {
            return;
        }
        match event.kind {
            Kind::Submit => self.submitted(event, sink),
            Kind::Failed => self.refused(event, sink),
            Kind::Complete => self.completed(event, false, sink),
            Kind::Overflow => self.completed(event, true, sink),
            _ => {
                if let Some((request, _)) = self.pending.get_mut(&event.req) {
                    note(request, event);
                }
                sink.event(event);
            }
        }
    }

    /// A ring is traced if one of the traced threads is seen using it.
    fn in_scope(&mut self, event: &Event) -> bool {
        let Scope::Threads(threads) = &self.scope else {
            self.counts.rings +=
                u64::from(event.ctx != 0 && self.rings.insert(event.ctx, true).is_none());
            return true;
        };
        let ours = threads.contains(&event.tid);
        if event.ctx == 0 {
            return ours;
        }
        if event.kind == Kind::Create
            || (ours && !matches!(event.kind, Kind::TaskAdd | Kind::Complete))
        {
            // A new ring may have the address of an old one.
            let before = self.rings.insert(event.ctx, ours);
            self.counts.rings +=
                u64::from(ours && (before != Some(true) || event.kind == Kind::Create));
        }
        self.rings.get(&event.ctx).copied().unwrap_or(ours)
    }

    fn submitted(&mut self, event: &Event, sink: &mut impl Sink) {
        let request = Request {
            opcode: event.opcode,
            user_data: event.user_data,
            ctx: event.ctx,
            tid: event.tid,
            time: event.time,
            flags: event.flags,
            sq_thread: event.extra[0] != 0,
            ..Request::default()
        };
        self.begin(event.req, request);
        sink.event(event);
    }

    /// A request that is wrong in itself is not submitted: it completes at once.
    fn refused(&mut self, event: &Event, sink: &mut impl Sink) {
        match self.pending.get_mut(&event.req) {
            Some((request, _)) if request.user_data == event.user_data => request.refused = true,
            _ => {
                let request = Request {
                    opcode: event.opcode,
                    user_data: event.user_data,
                    ctx: event.ctx,
                    tid: event.tid,
                    time: event.time,
                    flags: event.flags,
                    refused: true,
                    ..Request::default()
                };
                self.begin(event.req, request);
            }
        }
        sink.event(event);
    }

    fn begin(&mut self, req: u64, request: Request) {
        self.counts.requests += 1;
        self.by_user_data
            .insert((request.ctx, request.user_data), req);
        let time = request.time;
        if let Some((before, _)) = self.pending.insert(req, (request, time)) {
            // Its memory serves a new request, so the old one has ended without an event.
            self.counts.skipped += u64::from(silent(&before));
            self.forget(&before, req);
        }
    }

    fn forget(&mut self, request: &Request, req: u64) {
        let key = (request.ctx, request.user_data);
        let newer = self
            .pending
            .get(&req)
            .is_some_and(|(now, _)| (now.ctx, now.user_data) == key);
        if !newer && self.by_user_data.get(&key) == Some(&req) {
            self.by_user_data.remove(&key);
        }
    }

    fn completed(&mut self, event: &Event, overflowed: bool, sink: &mut impl Sink) {
        self.counts.completions += 1;
        self.counts.overflows += u64::from(overflowed);
        let known = |tracker: &Self, req: u64| {
            tracker
                .pending
                .get(&req)
                .is_some_and(|(request, _)| request.user_data == event.user_data)
        };
        // Completions that a request posts beside its last one come without the request.
        let req = if event.req != 0 && known(self, event.req) {
            Some(event.req)
        } else {
            self.by_user_data
                .get(&(event.ctx, event.user_data))
                .copied()
                .filter(|&req| known(self, req))
        };
        let more =
            event.cqe_flags & IORING_CQE_F_MORE != 0 && event.cqe_flags & IORING_CQE_F_NOTIF == 0;
        let mut done = Done {
            request: None,
            ctx: event.ctx,
            tid: event.tid,
            user_data: event.user_data,
            time: event.time,
            result: event.result,
            cqe_flags: event.cqe_flags,
            overflowed,
            latency: None,
            more,
        };
        let Some((mut request, last)) = req.and_then(|req| self.pending.remove(&req)) else {
            self.counts.unmatched += 1;
            sink.done(&done);
            return;
        };
        request.shots += 1;
        done.latency = Some(event.time.saturating_sub(last));
        done.request = Some(&request);
        sink.done(&done);
        if let Some(req) = req {
            if more {
                self.pending.insert(req, (request, event.time));
            } else {
                self.forget(&request, req);
            }
        }
    }
}

/// What happens to a request on its way.
fn note(request: &mut Request, event: &Event) {
    match event.kind {
        Kind::FileGet => request.fd = Some(event.extra[0] as i32),
        Kind::QueueAsync => request.punted = true,
        Kind::PollArm => request.polled += 1,
        Kind::Defer => request.deferred = true,
        Kind::FailLink => request.broke_link = true,
        _ => {}
    }
}

fn silent(request: &Request) -> bool {
    request.flags & u64::from(IOSQE_CQE_SKIP_SUCCESS) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<(i64, Option<u64>, bool)>);

    impl Sink for Seen {
        fn done(&mut self, done: &Done) {
            self.0
                .push((done.result, done.latency, done.request.is_some()));
        }
        fn event(&mut self, _: &Event) {}
    }

    fn event(kind: Kind, time: u64, tid: i32, req: u64, user_data: u64) -> Event {
        Event {
            time,
            kind,
            tid,
            ctx: 1,
            req,
            user_data,
            opcode: 0,
            flags: 0,
            result: 0,
            cqe_flags: 0,
            extra: [0; 4],
        }
    }

    fn run(scope: Scope, events: &[Event]) -> (Tracker, Seen) {
        let (mut tracker, mut seen) = (Tracker::new(scope), Seen::default());
        events
            .iter()
            .for_each(|event| tracker.take(event, &mut seen));
        (tracker, seen)
    }

    #[test]
    fn a_request_and_its_completion() {
        let (tracker, seen) = run(
            Scope::All,
            &[
                event(Kind::Submit, 10, 5, 7, 3),
                event(Kind::Complete, 25, 5, 7, 3),
            ],
        );
        assert_eq!(seen.0, [(0, Some(15), true)]);
        assert_eq!(tracker.in_flight(), (0, 0));
        assert!(tracker.by_user_data.is_empty());
    }

    #[test]
    fn a_multishot_request_completes_more_than_once() {
        let more = Event {
            cqe_flags: IORING_CQE_F_MORE,
            req: 0,
            ..event(Kind::Complete, 20, 5, 0, 3)
        };
        let last = event(Kind::Complete, 50, 5, 7, 3);
        let (tracker, seen) = run(Scope::All, &[event(Kind::Submit, 10, 5, 7, 3), more, last]);
        assert_eq!(seen.0, [(0, Some(10), true), (0, Some(30), true)]);
        assert_eq!(
            (tracker.counts.requests, tracker.counts.completions),
            (1, 2)
        );
    }

    #[test]
    fn completions_from_before_are_counted() {
        let (tracker, seen) = run(Scope::All, &[event(Kind::Complete, 25, 5, 7, 3)]);
        assert_eq!(seen.0, [(0, None, false)]);
        assert_eq!(tracker.counts.unmatched, 1);
    }

    #[test]
    fn silent_requests_end_when_their_memory_is_used_again() {
        let silent = Event {
            flags: u64::from(IOSQE_CQE_SKIP_SUCCESS),
            ..event(Kind::Submit, 10, 5, 7, 3)
        };
        let (tracker, _) = run(Scope::All, &[silent, event(Kind::Submit, 20, 5, 7, 4)]);
        assert_eq!(tracker.counts.skipped, 1);
        assert_eq!(tracker.in_flight(), (1, 0));
    }

    #[test]
    fn rings_of_others_are_left_out_and_children_followed() {
        let scope = Scope::Threads(HashSet::from([5]));
        let fork = Event {
            extra: [5, 6, 0, 0],
            ctx: 0,
            ..event(Kind::Fork, 1, 5, 0, 0)
        };
        let other = Event {
            ctx: 2,
            ..event(Kind::Submit, 2, 99, 70, 1)
        };
        // A worker that was never seen to be made completes what the child submitted.
        let events = [
            fork,
            other,
            event(Kind::Submit, 3, 6, 7, 3),
            event(Kind::Complete, 9, 42, 7, 3),
        ];
        let (tracker, seen) = run(scope, &events);
        assert_eq!(seen.0, [(0, Some(6), true)]);
        assert_eq!((tracker.counts.requests, tracker.counts.rings), (1, 1));
    }
}
