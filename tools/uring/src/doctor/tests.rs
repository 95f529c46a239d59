//! Findings from evidence of systems that are not at hand: other kernels, sysctls, sandboxes.

use super::evidence::{Evidence, Runtime};
use super::finding::Finding;
use super::judge::{absent, judge};
use super::trial::Trial;
use crate::sys::calls::Answer::{self, Gave, Refused};
use crate::sys::proc::{CAP_SYS_ADMIN, Status};

fn refused(setup: i32, others: i32) -> Evidence {
    let calls = [Refused(setup), Refused(others), Refused(others)];
    let all = Refused(setup);
    Evidence {
        trial: Trial {
            calls,
            ring: all,
            common_ring: all,
            sqpoll: all,
            request: all,
            worker: all,
            fork: Answer::NotMade,
        },
        release: "6.12.9".to_owned(),
        disabled: Some(0),
        status: Status {
            uid: 1000,
            groups: vec![1000],
            seccomp: Some(0),
            ..Status::default()
        },
        ..Evidence::default()
    }
}

fn only(evidence: &Evidence) -> Finding {
    let mut found = judge(evidence);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn the_sysctl_and_the_group() {
    let mut evidence = Evidence {
        disabled: Some(2),
        ..refused(libc::EPERM, libc::EBADF)
    };
    assert_eq!(only(&evidence).culprit, "sysctl");
    evidence.disabled = Some(1);
    evidence.group = Some(7);
    assert!(
        only(&evidence)
            .evidence
            .iter()
            .any(|line| line.contains("kernel.io_uring_group is 7"))
    );
    // Whom the sysctl lets through is refused by something else.
    evidence.group = Some(1000);
    assert_eq!(only(&evidence).culprit, "lsm");
    evidence.group = Some(7);
    evidence.status.capabilities = 1 << CAP_SYS_ADMIN;
    assert_eq!(only(&evidence).culprit, "lsm");
}

#[test]
fn the_sysctl_and_a_filter_at_once() {
    let mut evidence = Evidence {
        disabled: Some(2),
        ..refused(libc::EPERM, libc::EPERM)
    };
    evidence.status.seccomp = Some(2);
    let finding = only(&evidence);
    assert_eq!(finding.culprit, "sysctl-and-seccomp");
    assert!(finding.cure.len() > 2);
}

#[test]
fn selinux() {
    let evidence = Evidence {
        selinux_enforcing: true,
        ..refused(libc::EACCES, libc::EBADF)
    };
    let finding = only(&evidence);
    assert_eq!(finding.culprit, "lsm");
    assert!(finding.summary.contains("SELinux") && finding.cure[0].contains("ausearch"));
}

#[test]
fn kernels_without_it() {
    let none = || Evidence {
        disabled: None,
        ..refused(libc::ENOSYS, libc::ENOSYS)
    };
    let cases = [
        (
            Evidence {
                release: "4.18.0-553.el8".into(),
                ..none()
            },
            "absent-old",
        ),
        (
            Evidence {
                configured: Some(false),
                ..none()
            },
            "absent",
        ),
        (
            Evidence {
                release: "4.4.0".into(),
                version: "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016".into(),
                ..none()
            },
            "absent-gvisor",
        ),
        (
            Evidence {
                release: "4.4.0-19041-Microsoft".into(),
                version: "Linux version 4.4.0-19041-Microsoft".into(),
                ..none()
            },
            "absent-wsl1",
        ),
        (
            Evidence {
                kernel_arch: Some("s390x".into()),
                ..none()
            },
            "absent-emulated",
        ),
        (
            Evidence {
                configured: Some(true),
                ..none()
            },
            "absent-emulated",
        ),
    ];
    for (evidence, culprit) in cases {
        assert_eq!(only(&evidence).culprit, culprit);
        assert!(absent(&judge(&evidence)));
    }
}

#[test]
fn sqpoll_before_5_11_takes_root() {
    let mut evidence = rings(Refused(libc::EPERM));
    evidence.release = "5.10.0".into();
    assert!(only(&evidence).cure[0].contains("CAP_SYS_ADMIN"));
}

/// Rings and requests work, and a submission thread as is said.
fn rings(sqpoll: Answer) -> Evidence {
    let mut evidence = refused(libc::EFAULT, libc::EBADF);
    let works = Gave(0);
    evidence.trial = Trial {
        calls: evidence.trial.calls,
        ring: works,
        common_ring: works,
        sqpoll,
        request: works,
        worker: works,
        fork: Answer::NotMade,
    };
    evidence
}

#[test]
fn gvisor_has_a_part_of_it() {
    let mut evidence = rings(Refused(libc::EINVAL));
    evidence.trial.calls = [
        Refused(libc::EINVAL),
        Refused(libc::EPERM),
        Refused(libc::ENOSYS),
    ];
    evidence.version = "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016".into();
    let finding = only(&evidence);
    assert_eq!(finding.culprit, "partial-gvisor");
    assert!(!absent(&judge(&evidence)));
}

#[test]
fn nothing_is_found_where_all_works() {
    let evidence = rings(Gave(0));
    assert!(judge(&evidence).is_empty());
}

/// The last cure, where there is one that leaves the refusal as it is.
fn fallback(evidence: &Evidence) -> Option<String> {
    let cure = only(evidence).cure;
    let last = cure.last().filter(|line| line.contains("user space"));
    assert_eq!(
        cure.iter()
            .filter(|line| line.contains("user space"))
            .count(),
        usize::from(last.is_some()),
        "{cure:?}"
    );
    last.cloned()
}

#[test]
fn the_fallback_is_named_where_it_helps() {
    let mut evidence = Evidence {
        disabled: Some(2),
        ..refused(libc::EPERM, libc::EPERM)
    };
    evidence.status.seccomp = Some(2);
    let line = fallback(&evidence).expect("the sysctl and a filter");
    assert!(line.ends_with("liburing-fallback CMD"), "{line}");
    evidence.disabled = Some(0);
    evidence.runtime = Runtime::Docker;
    let line = fallback(&evidence).expect("a filter");
    assert!(line.contains("set LD_PRELOAD, see"), "{line}");
    // The library must not ask a kernel that kills, or one that makes rings of no use.
    evidence.trial.ring = Answer::Killed(libc::SIGSYS);
    let line = fallback(&evidence).expect("a filter that kills");
    assert!(line.contains("LIBURING_FALLBACK=always"), "{line}");
    let mut evidence = rings(Gave(0));
    evidence.trial.calls[1] = Refused(libc::EPERM);
    evidence.runtime = Runtime::Systemd("a.service".into());
    let line = fallback(&evidence).expect("a part is refused");
    assert!(
        line.contains("ExecStart=liburing-fallback --always"),
        "{line}"
    );
    // It was never tried on what is no Linux.
    let mut evidence = refused(libc::ENOSYS, libc::ENOSYS);
    evidence.disabled = None;
    evidence.configured = Some(false);
    assert!(fallback(&evidence).is_some());
    evidence.version = "Linux version 4.4.0-19041-Microsoft".into();
    evidence.release = "4.4.0-19041-Microsoft".into();
    assert_eq!(fallback(&evidence), None);
}
