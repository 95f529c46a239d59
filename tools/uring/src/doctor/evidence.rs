//! What doctor reads: filters, sysctls, security modules, limits, containers, the kernel's kind.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

use super::trial::Trial;
use crate::sys::proc::{self, Limits, Pids, Status};

/// Who runs the process, and so where a refusal is lifted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Runtime {
    Docker,
    Podman,
    Kubernetes,
    Lxc,
    Nspawn,
    /// Another container runtime.
    Container(String),
    /// A service of systemd: the unit's name.
    Systemd(String),
    #[default]
    Plain,
}

/// Everything that findings are drawn from.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evidence {
    pub trial: Trial,
    pub status: Status,
    pub limits: Limits,
    pub pids: Vec<Pids>,
    /// Processes and threads of the same user, where that was counted.
    pub user_threads: Option<u64>,
    pub open_files: Option<u64>,
    /// `kernel.io_uring_disabled`, since 6.6.
    pub disabled: Option<u32>,
    /// `kernel.io_uring_group`.
    pub group: Option<i64>,
    /// `CONFIG_IO_URING`, where the kernel's configuration can be read.
    pub configured: Option<bool>,
    /// Security modules in force.
    pub modules: Vec<String>,
    pub selinux_enforcing: bool,
    /// The process's label.
    pub label: String,
    pub release: String,
    /// `/proc/version`.
    pub version: String,
    /// The kernel's own architecture, where it says so.
    pub kernel_arch: Option<String>,
    pub runtime: Runtime,
    /// The oldest ancestor that has a filter too.
    pub filter_from: Option<String>,
}

impl Evidence {
    /// The kernel's major and minor number.
    pub fn kernel(&self) -> (u16, u16) {
        parse_release(&self.release)
    }

    /// Whether the kernel is gVisor, which keeps this line to be told by.
    pub fn gvisor(&self) -> bool {
        self.version.contains("4.4.0") && self.version.contains("Jan 10 15:06:54 PST 2016")
    }

    pub fn filtered(&self) -> bool {
        self.status.seccomp.is_some_and(|mode| mode != 0)
    }

    pub fn in_group(&self) -> bool {
        self.group.is_some_and(|group| {
            self.status
                .groups
                .iter()
                .any(|&member| i64::from(member) == group)
        })
    }
}

pub fn parse_release(release: &str) -> (u16, u16) {
    let mut parts = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Reads what is known of `process`, a number or `self`.
pub fn gather(process: &str, trial: Trial, limits: Limits) -> Evidence {
    let status = Status::read(process).unwrap_or_default();
    let sysctl = |name: &str| Some(read(format!("/proc/sys/kernel/{name}"))?.trim().to_owned());
    // Not from /proc/sys, which sandboxes leave out.
    let release = nix::sys::utsname::uname()
        .map(|names| names.release().to_string_lossy().into_owned())
        .unwrap_or_default();
    let workers_refused = !trial.worker.worked() || !trial.fork.eq(&Default::default());
    let cgroup = read(format!("/proc/{process}/cgroup")).unwrap_or_default();
    let environment = read(format!("/proc/{process}/environ")).unwrap_or_default();
    let init = read("/proc/1/environ").unwrap_or_default();
    Evidence {
        pids: proc::pids(process),
        user_threads: workers_refused.then(|| user_threads(status.uid)),
        open_files: fs::read_dir(format!("/proc/{process}/fd"))
            .ok()
            .map(|fds| fds.count() as u64),
        disabled: sysctl("io_uring_disabled").and_then(|value| value.parse().ok()),
        group: sysctl("io_uring_group").and_then(|value| value.parse().ok()),
        configured: config(&release).and_then(|text| configured(&text)),
        modules: read("/sys/kernel/security/lsm")
            .map(|list| list.trim().split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
        selinux_enforcing: read("/sys/fs/selinux/enforce").is_some_and(|value| value.trim() == "1"),
        label: read(format!("/proc/{process}/attr/current"))
            .map(|label| label.trim_end_matches(['\0', '\n']).to_owned())
            .unwrap_or_default(),
        version: read("/proc/version").unwrap_or_default().trim().to_owned(),
        kernel_arch: sysctl("arch"),
        runtime: runtime(&cgroup, &environment, &init, &|path| in_root(process, path)),
        filter_from: status
            .seccomp
            .is_some_and(|mode| mode != 0)
            .then(|| first_filtered(process))
            .flatten(),
        trial,
        status,
        limits,
        release,
    }
}

/// Whether a file is there in the process's own tree.
fn in_root(process: &str, path: &str) -> bool {
    match process {
        "self" => Path::new(path).exists(),
        other => Path::new(&format!("/proc/{other}/root{path}")).exists(),
    }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read(path)
        .ok()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The kernel's configuration.
fn config(release: &str) -> Option<String> {
    let mut text = String::new();
    if let Ok(file) = fs::File::open("/proc/config.gz") {
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .ok()?;
        return Some(text);
    }
    read(format!("/boot/config-{release}"))
        .or_else(|| read(format!("/lib/modules/{release}/config")))
}

fn configured(config: &str) -> Option<bool> {
    config.lines().find_map(|line| match line {
        "CONFIG_IO_URING=y" => Some(true),
        "# CONFIG_IO_URING is not set" => Some(false),
        _ => None,
    })
}

fn user_threads(uid: u32) -> u64 {
    let of_user = |process: &i32| {
        Status::read(&process.to_string())
            .ok()
            .filter(|status| status.uid == uid)
    };
    proc::processes()
        .iter()
        .filter_map(of_user)
        .map(|status| u64::from(status.threads))
        .sum()
}

/// Finds out who runs a process from its control group, its environment and that of the first process, and from files
/// that runtimes leave.
fn runtime(cgroup: &str, environment: &str, init: &str, exists: &dyn Fn(&str) -> bool) -> Runtime {
    let variable = |text: &str, name: &str| {
        text.split('\0').find_map(|entry| {
            entry
                .strip_prefix(name)?
                .strip_prefix('=')
                .map(str::to_owned)
        })
    };
    let container = variable(environment, "container").or_else(|| variable(init, "container"));
    if variable(environment, "KUBERNETES_SERVICE_HOST").is_some() || cgroup.contains("kubepods") {
        return Runtime::Kubernetes;
    }
    match container.as_deref() {
        Some("podman" | "libpod") => return Runtime::Podman,
        Some("docker") => return Runtime::Docker,
        Some("lxc") => return Runtime::Lxc,
        Some("systemd-nspawn") => return Runtime::Nspawn,
        _ => {}
    }
    if exists("/run/.containerenv") || cgroup.contains("libpod") {
        return Runtime::Podman;
    }
    if exists("/.dockerenv") || cgroup.contains("docker") {
        return Runtime::Docker;
    }
    if let Some(name) = container {
        return Runtime::Container(name);
    }
    for (mark, name) in [
        ("crio-", "CRI-O"),
        ("containerd", "containerd"),
        ("lxc", "LXC"),
    ] {
        if cgroup.contains(mark) {
            return if name == "LXC" {
                Runtime::Lxc
            } else {
                Runtime::Container(name.to_owned())
            };
        }
    }
    let mut units = cgroup.lines().filter_map(|line| {
        line.rsplit('/')
            .find(|part| part.ends_with(".service") && !part.starts_with("user@"))
    });
    units
        .next_back()
        .map_or(Runtime::Plain, |unit| Runtime::Systemd(unit.to_owned()))
}

/// The oldest of the process's ancestors that has a filter: whoever started that one has set the filter.
fn first_filtered(process: &str) -> Option<String> {
    let mut at = process.to_owned();
    let mut found = None;
    loop {
        let text = read(format!("/proc/{at}/status"))?;
        let status = Status::parse(&text);
        if status.seccomp.unwrap_or(0) == 0 {
            return found;
        }
        // Of the process itself this says nothing: it may have been executed with a filter on.
        if at != process {
            found = Some(format!("{} ({})", status.name, status.tgid));
        }
        at = text
            .lines()
            .find_map(|line| line.strip_prefix("PPid:"))?
            .trim()
            .to_owned();
        if at == "0" {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(cgroup: &str, environment: &str, init: &str, file: &str) -> Runtime {
        runtime(cgroup, environment, init, &|path| path == file)
    }

    #[test]
    fn runtimes_are_told_apart() {
        assert_eq!(kind("0::/\n", "", "", "/.dockerenv"), Runtime::Docker);
        assert_eq!(
            kind("0::/\n", "A=1\0container=podman\0", "", ""),
            Runtime::Podman
        );
        assert_eq!(
            kind("0::/\n", "", "", "/run/.containerenv"),
            Runtime::Podman
        );
        assert_eq!(
            kind(
                "0::/\n",
                "KUBERNETES_SERVICE_HOST=10.0.0.1\0",
                "",
                "/.dockerenv"
            ),
            Runtime::Kubernetes
        );
        assert_eq!(kind("0::/\n", "", "container=lxc\0", ""), Runtime::Lxc);
        assert_eq!(
            kind("0::/system.slice/postgresql@16-main.service\n", "", "", ""),
            Runtime::Systemd("postgresql@16-main.service".to_owned())
        );
        let session = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n";
        assert_eq!(kind(session, "", "", ""), Runtime::Plain);
    }

    #[test]
    fn releases_and_configurations() {
        assert_eq!(parse_release("6.12.95+deb12-cloud-amd64"), (6, 12));
        assert_eq!(parse_release("7.0-rc3"), (7, 0));
        assert_eq!(parse_release(""), (0, 0));
        assert_eq!(configured("CONFIG_AIO=y\nCONFIG_IO_URING=y\n"), Some(true));
        assert_eq!(configured("# CONFIG_IO_URING is not set\n"), Some(false));
        assert_eq!(configured(""), None);
    }
}
