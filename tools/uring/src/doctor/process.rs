//! `uring doctor --pid`: another process, seen from outside.

use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

use super::bpf;
use super::evidence::{self, Evidence};
use super::finding::{Finding, Level};
use super::trial::{self, Trial};
use crate::outcome::Failure;
use crate::sys::calls::Answer;
use crate::sys::proc::{self, Limit, Limits, Status};

/// What was found of a process, beside the evidence that all findings are drawn from.
pub struct Seen {
    pub evidence: Evidence,
    pub findings: Vec<Finding>,
    /// Why its filters could not be read.
    pub filters_hidden: Option<String>,
}

pub fn look(process: i32) -> Result<Seen, Failure> {
    let name = process.to_string();
    proc::there(process)?;
    let status = Status::read(&name)?;
    let limits = std::fs::read_to_string(format!("/proc/{name}/limits")).map_err(|error| {
        Failure::rights(format!(
            "the limits of process {process}: {error}: run as root or as its user"
        ))
    })?;
    let limits = Limits::parse(&limits);
    let mut trial = trial::run(true, || become_like(&status, &limits));
    let mut filters_hidden = None;
    if status.seccomp.unwrap_or(0) != 0 {
        match bpf::verdicts(process) {
            Ok(answers) => apply(&mut trial, answers),
            Err(error) => {
                filters_hidden = Some(format!(
                    "its seccomp filters cannot be read ({error}): run as root"
                ))
            }
        }
    }
    let mut evidence = evidence::gather(&name, trial, limits);
    evidence.status = status;
    let findings = credentials(process, &evidence.status).into_iter().collect();
    Ok(Seen {
        evidence,
        findings,
        filters_hidden,
    })
}

/// Takes on the limits and the user of the process, as far as is allowed.
fn become_like(status: &Status, limits: &Limits) {
    let set = |resource, limit: Limit| {
        let value = |value: Option<u64>| value.unwrap_or(RLIM_INFINITY);
        let _ = setrlimit(resource, value(limit.soft), value(limit.hard));
    };
    set(Resource::RLIMIT_MEMLOCK, limits.memlock);
    set(Resource::RLIMIT_NPROC, limits.nproc);
    if !Uid::effective().is_root() || status.uid == 0 {
        return;
    }
    let groups: Vec<Gid> = status.groups.iter().copied().map(Gid::from_raw).collect();
    let _ = setgroups(&groups);
    if let Some(&group) = groups.first() {
        let _ = setgid(group);
    }
    let _ = setuid(Uid::from_raw(status.uid));
}

/// Puts the verdicts of the process's filters in front of what was tried.
pub fn apply(trial: &mut Trial, answers: [Answer; 3]) {
    for (call, answer) in trial.calls.iter_mut().zip(answers) {
        if !answer.worked() {
            *call = answer;
        }
    }
    if !answers[0].worked() {
        trial.ring = answers[0];
        (trial.common_ring, trial.sqpoll) = (Answer::NotMade, Answer::NotMade);
        (trial.request, trial.worker) = (Answer::NotMade, Answer::NotMade);
    }
}

/// Threads of rings that act as another user than the process: they keep the credentials of when they were made.
fn credentials(process: i32, status: &Status) -> Option<Finding> {
    let mut lines = Vec::new();
    for thread in proc::threads(process) {
        let Ok(of_thread) = Status::read(&format!("{process}/task/{thread}")) else {
            continue;
        };
        if of_thread.name.starts_with("iou-") && of_thread.uid != status.uid {
            lines.push(format!(
                "thread {thread} ({}) has user {}, the process has user {}",
                of_thread.name, of_thread.uid, status.uid
            ));
        }
    }
    (!lines.is_empty()).then(|| Finding {
        level: Level::Warn,
        culprit: "credentials",
        summary: "threads of a ring keep the credentials that the process has given up".to_owned(),
        evidence: lines,
        cure: vec![
            "make rings after setuid and setgid, or start the program as the user it runs as; requests can name \
             credentials of their own (IORING_REGISTER_PERSONALITY)"
                .to_owned(),
        ],
        note: None,
    })
}
