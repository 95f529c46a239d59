//! Limits that rings run into: locked memory, descriptors, processes and threads.

use super::cures;
use super::evidence::Evidence;
use super::finding::{Finding, Level, limit_text, memlock_rule};
use super::trial::COMMON_ENTRIES;
use crate::sys::calls::Answer;
use crate::sys::errno;
use crate::sys::proc::Pids;

/// Not even a small ring fits the limit on locked memory.
pub fn memlock(evidence: &Evidence) -> Finding {
    finding_memlock(
        evidence,
        Level::Fail,
        "not even a ring of 8 entries".to_owned(),
    )
}

/// A ring of common size does not fit.
pub fn common_ring(evidence: &Evidence) -> Option<Finding> {
    let refused = evidence.trial.common_ring.refused_with(libc::ENOMEM);
    refused.then(|| {
        finding_memlock(
            evidence,
            Level::Warn,
            format!("no ring of {COMMON_ENTRIES} entries"),
        )
    })
}

fn finding_memlock(evidence: &Evidence, level: Level, what: String) -> Finding {
    Finding {
        level,
        culprit: "memlock",
        summary: format!("{what} fits the limit on locked memory (RLIMIT_MEMLOCK): ENOMEM"),
        evidence: vec![
            format!(
                "RLIMIT_MEMLOCK is {} bytes",
                limit_text(evidence.limits.memlock)
            ),
            memlock_rule(evidence),
        ],
        cure: cures::memlock(evidence),
        note: None,
    }
}

pub fn nofile(evidence: &Evidence, number: i32) -> Finding {
    let system = number == libc::ENFILE;
    let mut lines = vec![format!(
        "RLIMIT_NOFILE is {}",
        limit_text(evidence.limits.nofile)
    )];
    if let Some(open) = evidence.open_files {
        lines.push(format!("{open} descriptors are open"));
    }
    Finding {
        level: Level::Fail,
        culprit: if system { "file-max" } else { "nofile" },
        summary: format!(
            "no descriptor is left for a ring: {} ({})",
            if system {
                "fs.file-max of the system is reached"
            } else {
                "RLIMIT_NOFILE is reached"
            },
            errno::name(number)
        ),
        evidence: lines,
        cure: if system {
            vec!["sysctl -w fs.file-max=N".to_owned()]
        } else {
            cures::nofile(evidence)
        },
        note: None,
    }
}

/// The control group that lets no further process in.
fn full(evidence: &Evidence) -> Option<&Pids> {
    // The trial's own child has gone when the numbers are read.
    evidence
        .pids
        .iter()
        .find(|pids| pids.current + 1 >= pids.max)
}

/// No worker can be made, so that requests which need one are cancelled.
pub fn workers(evidence: &Evidence) -> Option<Finding> {
    let trial = &evidence.trial;
    let no_fork = matches!(trial.fork, Answer::Refused(_));
    let no_worker = trial.worker.refused_with(libc::ECANCELED);
    if !no_fork && !no_worker {
        return None;
    }
    let summary = if no_worker {
        "no worker thread can be made: requests that need one complete with -ECANCELED".to_owned()
    } else {
        format!(
            "no process or thread can be made ({}), so that workers cannot either",
            trial.fork
        )
    };
    let mut lines = vec![format!(
        "a NOP with IOSQE_ASYNC: {}; a ring with SQPOLL: {}",
        trial.worker, trial.sqpoll
    )];
    let (culprit, cure) = match full(evidence) {
        Some(pids) => {
            let group = pids.group.display().to_string();
            lines.push(format!(
                "{group}: pids.current {} of pids.max {}, refused {} times (pids.events)",
                pids.current, pids.max, pids.refused
            ));
            ("pids", cures::pids(evidence, &group))
        }
        None => {
            let count = evidence.user_threads.map_or_else(String::new, |n| {
                format!(
                    "; user {} has {n} processes and threads",
                    evidence.status.uid
                )
            });
            lines.push(format!(
                "RLIMIT_NPROC is {}{count}",
                limit_text(evidence.limits.nproc)
            ));
            lines.push("no control group's pids.max is reached".to_owned());
            ("nproc", cures::nproc(evidence))
        }
    };
    Some(Finding {
        level: Level::Fail,
        culprit,
        summary: format!("{summary}: {}", if culprit == "pids" { "the control group's pids.max" } else { "RLIMIT_NPROC" }),
        evidence: lines,
        cure,
        note: Some(
            "buffered reads and writes, fsync, openat and all with IOSQE_ASYNC are hit, others work: nothing else \
             tells of it"
                .to_owned(),
        ),
    })
}

/// A submission thread is refused for another reason than those above.
pub fn sqpoll(evidence: &Evidence) -> Option<Finding> {
    let trial = &evidence.trial;
    let number = match trial.sqpoll {
        Answer::Refused(number) if trial.worker.worked() => number,
        _ => return None,
    };
    let old = evidence.kernel() < (5, 11) && number == libc::EPERM;
    Some(Finding {
        level: Level::Warn,
        culprit: "sqpoll",
        summary: format!(
            "rings work, but not with IORING_SETUP_SQPOLL: {}",
            errno::name(number)
        ),
        evidence: vec![format!(
            "Linux {}; security modules: {}",
            evidence.release,
            evidence.modules.join(", ")
        )],
        cure: if old {
            vec!["run as root (CAP_SYS_ADMIN), which SQPOLL takes before Linux 5.11; or a newer kernel".to_owned()]
        } else {
            cures::lsm(evidence)
        },
        note: None,
    })
}
