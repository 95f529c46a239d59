//! Cures for a refusal, in the terms of the runtime or service manager that runs the process.

use super::evidence::{Evidence, Runtime};

/// Lets the three calls through a filter.
pub fn seccomp(evidence: &Evidence) -> Vec<String> {
    let calls = "io_uring_setup, io_uring_enter and io_uring_register";
    match &evidence.runtime {
        Runtime::Docker => vec![
            format!(
                "docker run --security-opt seccomp=FILE, where FILE is Docker's default profile with \
                 {calls} added to a list of SCMP_ACT_ALLOW (Compose: security_opt)"
            ),
            "or, without any filter: docker run --security-opt seccomp=unconfined".to_owned(),
        ],
        Runtime::Podman => vec![
            format!(
                "podman run --security-opt seccomp=FILE, where FILE is a copy of \
                 /usr/share/containers/seccomp.json with {calls} added to a list of SCMP_ACT_ALLOW"
            ),
            "or, without any filter: podman run --security-opt seccomp=unconfined".to_owned(),
        ],
        Runtime::Kubernetes => vec![
            format!(
                "securityContext.seccompProfile: {{type: Localhost, localhostProfile: FILE}}, where FILE, below \
                 /var/lib/kubelet/seccomp of the node, allows {calls}"
            ),
            "or, without any filter: securityContext.seccompProfile: {type: Unconfined}".to_owned(),
        ],
        Runtime::Systemd(unit) => vec![format!(
            "systemctl edit {unit}, and in [Service]: SystemCallFilter=@aio, below a SystemCallFilter= that lists \
             what is allowed; or take ~@aio out of one that lists what is not"
        )],
        Runtime::Lxc => vec![format!(
            "in the container's configuration: lxc.seccomp.profile = FILE, where FILE does not deny {calls}"
        )],
        Runtime::Nspawn => vec![
            "systemd-nspawn --system-call-filter=@aio (or SystemCallFilter=@aio in the .nspawn file)".to_owned(),
        ],
        Runtime::Container(name) => {
            vec![format!("allow {calls} in the seccomp profile that {name} gives this container")]
        }
        Runtime::Plain => vec![format!(
            "the filter was set by this program or by one that started it (a sandbox such as bubblewrap, firejail, \
             flatpak or snap): allow {calls} there, or start the program outside"
        )],
    }
}

/// The last of some cures leaves the refusal as it is. With `always` the library must not ask the kernel: because that
/// ends the program, or because the kernel makes rings that cannot be used.
pub fn or_fallback(mut cures: Vec<String>, evidence: &Evidence, always: bool) -> Vec<String> {
    let how = match &evidence.runtime {
        Runtime::Plain => {
            let option = if always { " --always" } else { "" };
            format!("start the program as: liburing-fallback{option} CMD")
        }
        Runtime::Systemd(unit) => {
            let option = if always { " --always" } else { "" };
            format!(
                "systemctl edit {unit}, and in [Service]: ExecStart=liburing-fallback{option} CMD, below an empty ExecStart="
            )
        }
        _ => {
            let option = if always {
                " and LIBURING_FALLBACK=always"
            } else {
                ""
            };
            format!(
                "mount the folder liburing-fallback and set LD_PRELOAD{option}, see io_uring_containers(7)"
            )
        }
    };
    cures.push(format!(
        "or serve liburing's interface from user space, without io_uring: {how}"
    ));
    cures
}

pub fn sysctl(value: u32) -> Vec<String> {
    let mut cures = vec![
        "on the host, as root: sysctl -w kernel.io_uring_disabled=0, and for good in \
         /etc/sysctl.d/99-io_uring.conf; containers cannot change it for themselves"
            .to_owned(),
    ];
    if value == 1 {
        cures.push(
            "or for some users: sysctl -w kernel.io_uring_group=GID, and start the program with that group \
             (systemd: SupplementaryGroups=, docker: --group-add)"
                .to_owned(),
        );
    } else {
        cures.push(
            "or for some users: sysctl -w kernel.io_uring_disabled=1 kernel.io_uring_group=GID, and start the \
             program with that group"
                .to_owned(),
        );
    }
    cures
}

/// Raises a limit of a process: what shells, systemd, Docker and Kubernetes call it.
fn limit(
    evidence: &Evidence,
    shell: &str,
    systemd: &str,
    ulimit: &str,
    value: &str,
) -> Vec<String> {
    match &evidence.runtime {
        Runtime::Docker => vec![format!("docker run --ulimit {ulimit}={value}")],
        Runtime::Podman => vec![format!("podman run --ulimit {ulimit}={value}")],
        Runtime::Kubernetes | Runtime::Container(_) => vec![format!(
            "raise it where the container runtime itself is started ({systemd}={value} in its unit): containers \
             inherit it"
        )],
        Runtime::Systemd(unit) => vec![format!(
            "systemctl edit {unit}, and in [Service]: {systemd}={value}"
        )],
        Runtime::Lxc => vec![format!(
            "in the container's configuration: lxc.prlimit.{ulimit} = {value}"
        )],
        Runtime::Nspawn | Runtime::Plain => vec![format!(
            "ulimit {shell} in the shell that starts the program, or {ulimit} in /etc/security/limits.conf, or \
             {systemd}={value} in its unit"
        )],
    }
}

pub fn memlock(evidence: &Evidence) -> Vec<String> {
    let mut cures = limit(
        evidence,
        "-l unlimited",
        "LimitMEMLOCK",
        "memlock",
        "8388608",
    );
    cures.push("or fewer entries: `uring limits --entries N` tells what a ring takes".to_owned());
    cures
}

pub fn nofile(evidence: &Evidence) -> Vec<String> {
    limit(evidence, "-n 65536", "LimitNOFILE", "nofile", "65536")
}

pub fn nproc(evidence: &Evidence) -> Vec<String> {
    limit(evidence, "-u 65536", "LimitNPROC", "nproc", "65536")
}

pub fn pids(evidence: &Evidence, group: &str) -> Vec<String> {
    vec![match &evidence.runtime {
        Runtime::Docker => {
            "docker run --pids-limit N (docker update --pids-limit N for one that runs)".to_owned()
        }
        Runtime::Podman => {
            "podman run --pids-limit N (podman update --pids-limit N for one that runs)".to_owned()
        }
        Runtime::Kubernetes => "podPidsLimit in the kubelet's configuration".to_owned(),
        Runtime::Systemd(unit) => format!("systemctl set-property {unit} TasksMax=N"),
        _ => format!("a higher number in {group}/pids.max"),
    }]
}

pub fn lsm(evidence: &Evidence) -> Vec<String> {
    if evidence.selinux_enforcing {
        return vec![
            "ausearch -m AVC -ts recent shows the denial (class io_uring, or anon_inode [io_uring]); \
             ausearch -m AVC -ts recent | audit2allow -M local && semodule -i local.pp allows it"
                .to_owned(),
            "containers on SELinux: --security-opt label=disable shows whether it is the label".to_owned(),
        ];
    }
    let modules = if evidence.modules.is_empty() {
        "none listed".to_owned()
    } else {
        evidence.modules.join(", ")
    };
    vec![format!(
        "look into the kernel log and the audit log for a denial; security modules here: {modules}"
    )]
}
