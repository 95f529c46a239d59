//! Draws findings from the evidence: what refuses io_uring, and what limits it.

use super::cures;
use super::evidence::{Evidence, Runtime};
use super::finding::{Finding, Level};
use crate::sys::calls::Answer;
use crate::sys::errno;
use crate::sys::proc::{CAP_IPC_LOCK, CAP_SYS_ADMIN};

const CALLS: [&str; 3] = ["io_uring_setup", "io_uring_enter", "io_uring_register"];

/// Everything that is wrong, the cause of a refusal first.
pub fn judge(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(refusal(evidence));
    findings.extend(super::limits::workers(evidence));
    if evidence.trial.ring.worked() {
        findings.extend(super::limits::common_ring(evidence));
        if !evidence.gvisor() {
            findings.extend(super::limits::sqpoll(evidence));
        }
    }
    findings
}

/// Whether there is no io_uring in this kernel, as opposed to one that is refused.
pub fn absent(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.culprit.starts_with("absent"))
}

/// Why the calls are refused, or a ring.
fn refusal(evidence: &Evidence) -> Option<Finding> {
    let trial = &evidence.trial;
    if let Some(signal) = trial
        .calls
        .iter()
        .chain([&trial.ring])
        .find(|answer| matches!(answer, Answer::Killed(_)))
    {
        return Some(kills(evidence, *signal));
    }
    let refused = match trial.ring {
        Answer::Gave(_) => return partly(evidence),
        Answer::Refused(number) => number,
        Answer::Hung => return Some(other(evidence, "the first call did not return")),
        // No child could be made to try in, which is a finding of its own.
        Answer::NotMade | Answer::Killed(_) => return None,
    };
    Some(match refused {
        libc::EPERM => eperm(evidence),
        libc::ENOSYS => enosys(evidence),
        libc::ENOMEM if evidence.status.capable(CAP_IPC_LOCK) => {
            other(evidence, "there is no memory (ENOMEM)")
        }
        libc::ENOMEM => super::limits::memlock(evidence),
        libc::EMFILE | libc::ENFILE => super::limits::nofile(evidence, refused),
        libc::EACCES if !everywhere(evidence, refused) => lsm(evidence, refused),
        _ if evidence.filtered() => seccomp(evidence, refused),
        libc::EACCES => lsm(evidence, refused),
        number => other(
            evidence,
            &format!("io_uring_setup gave {}", errno::name(number)),
        ),
    })
}

/// Whether all three calls give this error, also where the kernel itself would answer with another.
fn everywhere(evidence: &Evidence, number: i32) -> bool {
    evidence
        .trial
        .calls
        .iter()
        .all(|answer| answer.refused_with(number))
}

fn calls_line(evidence: &Evidence) -> String {
    if evidence.trial.calls == [Answer::NotMade; 3] {
        return format!("io_uring_setup: {}", evidence.trial.ring);
    }
    let pairs = CALLS.iter().zip(evidence.trial.calls);
    let list: Vec<_> = pairs
        .map(|(name, answer)| format!("{name}: {answer}"))
        .collect();
    format!(
        "{} (without a filter: EFAULT, EBADF, EBADF or EINVAL)",
        list.join(", ")
    )
}

fn filter_lines(evidence: &Evidence) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(mode) = evidence.status.seccomp {
        let count = evidence
            .status
            .seccomp_filters
            .map(|n| format!(", Seccomp_filters: {n}"))
            .unwrap_or_default();
        lines.push(format!("the process's status has Seccomp: {mode}{count}"));
    }
    if let Some(ancestor) = &evidence.filter_from {
        lines.push(format!("the oldest ancestor with a filter is {ancestor}"));
    }
    lines
}

fn seccomp(evidence: &Evidence, number: i32) -> Finding {
    let name = errno::name(number);
    let which = match evidence
        .trial
        .calls
        .iter()
        .filter(|answer| answer.refused_with(number))
        .count()
    {
        3 => "the three calls of io_uring",
        _ => "io_uring_setup",
    };
    let habit = match (number, &evidence.runtime) {
        _ if which == "io_uring_setup" => "",
        (libc::EPERM, Runtime::Docker | Runtime::Kubernetes | Runtime::Container(_)) => {
            ", as the default profiles of Docker and containerd do"
        }
        (libc::ENOSYS, Runtime::Podman) => ", as the default profile of podman does",
        _ => "",
    };
    let mut lines = vec![calls_line(evidence)];
    lines.extend(filter_lines(evidence));
    if let Some(value) = evidence.disabled {
        lines.push(format!(
            "kernel.io_uring_disabled is {value}, which refuses nothing here"
        ));
    }
    let astray = (number == libc::EPERM).then(|| {
        "programs that blame the sysctl kernel.io_uring_disabled (PostgreSQL, MariaDB, TigerBeetle) are wrong here"
            .to_owned()
    });
    Finding {
        level: Level::Fail,
        culprit: "seccomp",
        summary: format!("a seccomp filter refuses {which} with {name}{habit}"),
        evidence: lines,
        cure: cures::or_fallback(cures::seccomp(evidence), evidence, false),
        note: astray,
    }
}

fn kills(evidence: &Evidence, answer: Answer) -> Finding {
    let mut lines = vec![calls_line(evidence)];
    lines.extend(filter_lines(evidence));
    Finding {
        level: Level::Fail,
        culprit: "seccomp",
        summary: format!("a seccomp filter ends programs that call io_uring ({answer})"),
        evidence: lines,
        cure: cures::or_fallback(cures::seccomp(evidence), evidence, true),
        note: Some(
            "a program that tries io_uring dies here, even one that could do without".to_owned(),
        ),
    }
}

/// gVisor makes rings, for requests of a few kinds.
fn gvisor(evidence: &Evidence) -> Finding {
    Finding {
        level: Level::Warn,
        culprit: "partial-gvisor",
        summary: "this is gVisor, which serves a small part of io_uring: most programs ask for more"
            .to_owned(),
        evidence: vec![
            calls_line(evidence),
            format!("a ring with SQPOLL: {}", evidence.trial.sqpoll),
            evidence.version.clone(),
        ],
        cure: vec![
            "`uring probe` shows what there is; for the rest a runtime with the host's kernel (runc), or the program's \
             own way without io_uring: `uring run --disable`"
                .to_owned(),
        ],
        note: None,
    }
}

/// Rings are made, but another call is refused.
fn partly(evidence: &Evidence) -> Option<Finding> {
    if evidence.gvisor() {
        return Some(gvisor(evidence));
    }
    let odd = |answer: &Answer| {
        let natural = [libc::EFAULT, libc::EBADF, libc::EINVAL, libc::EOPNOTSUPP];
        !natural.iter().any(|&number| answer.refused_with(number))
    };
    let (name, answer) = CALLS
        .iter()
        .zip(evidence.trial.calls)
        .find(|(_, answer)| odd(answer))?;
    let mut lines = vec![calls_line(evidence)];
    lines.extend(filter_lines(evidence));
    Some(Finding {
        level: Level::Fail,
        culprit: "seccomp",
        summary: format!("a ring can be made, but {name} is refused ({answer})"),
        evidence: lines,
        cure: cures::or_fallback(cures::seccomp(evidence), evidence, true),
        note: None,
    })
}

fn eperm(evidence: &Evidence) -> Finding {
    let forbidden = match evidence.disabled {
        Some(2) => Some("for everybody"),
        Some(1) if !evidence.status.capable(CAP_SYS_ADMIN) && !evidence.in_group() => {
            Some("for all but root and the group kernel.io_uring_group")
        }
        _ => None,
    };
    let Some(whom) = forbidden else {
        return if evidence.filtered() {
            seccomp(evidence, libc::EPERM)
        } else {
            lsm(evidence, libc::EPERM)
        };
    };
    let value = evidence.disabled.unwrap_or(0);
    let mut lines = vec![format!("/proc/sys/kernel/io_uring_disabled is {value}")];
    if let Some(group) = evidence.group.filter(|_| value == 1) {
        lines.push(format!(
            "kernel.io_uring_group is {group}; this process has user {} and groups {:?}",
            evidence.status.uid, evidence.status.groups
        ));
    }
    let both = everywhere(evidence, libc::EPERM);
    if both {
        lines.push(calls_line(evidence));
        lines.extend(filter_lines(evidence));
    }
    let mut cure = cures::sysctl(value);
    if both {
        cure.extend(cures::seccomp(evidence));
    }
    Finding {
        level: Level::Fail,
        culprit: if both { "sysctl-and-seccomp" } else { "sysctl" },
        summary: format!(
            "the sysctl kernel.io_uring_disabled={value} refuses io_uring {whom}{}",
            if both {
                ", and so does a seccomp filter"
            } else {
                ""
            }
        ),
        evidence: lines,
        cure: cures::or_fallback(cure, evidence, false),
        note: None,
    }
}

fn lsm(evidence: &Evidence, number: i32) -> Finding {
    let mut lines = vec![format!(
        "io_uring_setup: {}; Seccomp is not the cause",
        errno::name(number)
    )];
    if evidence.filtered() {
        lines[0] = calls_line(evidence);
        lines.extend(filter_lines(evidence));
    }
    if !evidence.label.is_empty() {
        lines.push(format!("the process's label is {}", evidence.label));
    }
    let who = if evidence.selinux_enforcing {
        "SELinux"
    } else {
        "a security module (or a patched kernel)"
    };
    let mut cure = cures::lsm(evidence);
    if evidence.filtered() {
        cure.push("or it is the filter on io_uring_setup alone:".to_owned());
        cure.extend(cures::seccomp(evidence));
    }
    // A filter can refuse with any number; where no security module is there to do so, it is the filter.
    let filter = evidence.filtered() && !evidence.selinux_enforcing;
    if filter {
        return seccomp(evidence, number);
    }
    Finding {
        level: Level::Fail,
        culprit: "lsm",
        summary: format!("{who} refuses io_uring with {}", errno::name(number)),
        evidence: lines,
        cure: cures::or_fallback(cure, evidence, false),
        note: None,
    }
}

fn enosys(evidence: &Evidence) -> Finding {
    let too_old = evidence.kernel() < (5, 1) && evidence.kernel() != (0, 0);
    if evidence.filtered() && (has_it(evidence) || (evidence.configured.is_none() && !too_old)) {
        return seccomp(evidence, libc::ENOSYS);
    }
    let (culprit, summary, cure) = absence(evidence, too_old);
    let mut cure = vec![cure.to_owned()];
    // In what stands in for a kernel the library was never tried.
    if culprit == "absent" {
        cure = cures::or_fallback(cure, evidence, false);
    }
    Finding {
        level: Level::Fail,
        culprit,
        summary,
        evidence: vec![
            format!("io_uring_setup: ENOSYS; {}", evidence.version),
            match evidence.configured {
                Some(true) => "the kernel's configuration has CONFIG_IO_URING=y".to_owned(),
                Some(false) => "the kernel's configuration has no CONFIG_IO_URING".to_owned(),
                None => "the kernel's configuration cannot be read".to_owned(),
            },
        ],
        cure,
        note: None,
    }
}

/// Whether the kernel behind all this has io_uring by its own account.
fn has_it(evidence: &Evidence) -> bool {
    evidence.disabled.is_some() || evidence.configured == Some(true)
}

/// The kind of a system without io_uring: a word, a line, a cure.
fn absence(evidence: &Evidence, too_old: bool) -> (&'static str, String, &'static str) {
    let version = &evidence.version;
    if evidence.gvisor() {
        return (
            "absent-gvisor",
            "this is gVisor, which does not offer io_uring by default".to_owned(),
            "runsc --iouring (in containerd's runsc.toml: iouring = \"true\"), or a runtime with the host's kernel",
        );
    }
    if version.contains("Microsoft") && evidence.kernel() < (5, 1) {
        return (
            "absent-wsl1",
            "this is WSL 1, which has no io_uring".to_owned(),
            "wsl --set-version DISTRIBUTION 2, and wsl --update for a newer kernel",
        );
    }
    let arch = std::env::consts::ARCH;
    let foreign = evidence
        .kernel_arch
        .as_deref()
        .filter(|kernel| *kernel != arch);
    if foreign.is_some() || has_it(evidence) {
        let on = foreign.map_or_else(String::new, |kernel| format!(" on {kernel}"));
        return (
            "absent-emulated",
            format!(
                "this program for {arch} is emulated{on}, and the emulator (qemu-user, Rosetta) does not pass io_uring on"
            ),
            "a build for the machine's own architecture (docker run --platform)",
        );
    }
    if too_old {
        return (
            "absent-old",
            format!(
                "Linux {} has no io_uring, which came with 5.1",
                evidence.release
            ),
            "a newer kernel (RHEL 8 has 4.18; RHEL 9 has io_uring, disabled by default)",
        );
    }
    (
        "absent",
        format!("Linux {} was built without io_uring", evidence.release),
        "a kernel with CONFIG_IO_URING=y (and CONFIG_EXPERT unset, where it is on by default)",
    )
}

fn other(evidence: &Evidence, what: &str) -> Finding {
    Finding {
        level: Level::Fail,
        culprit: "unknown",
        summary: format!("io_uring does not work: {what}"),
        evidence: vec![calls_line(evidence), evidence.version.clone()],
        cure: vec!["report this output: no known refusal looks like it".to_owned()],
        note: None,
    }
}
