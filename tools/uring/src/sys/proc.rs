//! What `/proc` says of a process: status, limits, control groups.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::outcome::Failure;

/// Parts of `/proc/PID/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    pub name: String,
    pub tgid: i32,
    /// The effective user.
    pub uid: u32,
    pub groups: Vec<u32>,
    pub threads: u32,
    /// 0 none, 1 strict, 2 filter; `None` where the kernel does not say.
    pub seccomp: Option<u32>,
    pub seccomp_filters: Option<u32>,
    pub no_new_privs: Option<u32>,
    pub capabilities: u64,
}

pub const CAP_IPC_LOCK: u32 = 14;
pub const CAP_SYS_ADMIN: u32 = 21;

impl Status {
    pub fn capable(&self, capability: u32) -> bool {
        self.capabilities & 1 << capability != 0
    }

    pub fn parse(text: &str) -> Self {
        let mut status = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let mut numbers = value
                .split_whitespace()
                .map(|word| word.parse::<u32>().ok());
            match key {
                "Name" => status.name = value.trim().to_owned(),
                "Tgid" => status.tgid = value.trim().parse().unwrap_or(0),
                "Uid" => status.uid = numbers.nth(1).flatten().unwrap_or(0),
                "Gid" => status.groups.extend(numbers.nth(1).flatten()),
                "Groups" => status.groups.extend(numbers.flatten()),
                "Threads" => status.threads = numbers.next().flatten().unwrap_or(0),
                "Seccomp" => status.seccomp = numbers.next().flatten(),
                "Seccomp_filters" => status.seccomp_filters = numbers.next().flatten(),
                "NoNewPrivs" => status.no_new_privs = numbers.next().flatten(),
                "CapEff" => {
                    status.capabilities = u64::from_str_radix(value.trim(), 16).unwrap_or(0);
                }
                _ => {}
            }
        }
        status
    }

    pub fn read(process: &str) -> std::io::Result<Self> {
        fs::read_to_string(format!("/proc/{process}/status")).map(|text| Self::parse(&text))
    }
}

/// A limit in force and how far it may be raised; `None` is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limit {
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

/// The limits that matter to rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub memlock: Limit,
    pub nofile: Limit,
    pub nproc: Limit,
}

impl Limits {
    /// Of this process; takes no descriptor.
    pub fn own() -> Self {
        use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
        let read = |resource| {
            let finite = |value| (value != RLIM_INFINITY).then_some(value);
            let (soft, hard) = getrlimit(resource).unwrap_or((RLIM_INFINITY, RLIM_INFINITY));
            Limit {
                soft: finite(soft),
                hard: finite(hard),
            }
        };
        Self {
            memlock: read(Resource::RLIMIT_MEMLOCK),
            nofile: read(Resource::RLIMIT_NOFILE),
            nproc: read(Resource::RLIMIT_NPROC),
        }
    }

    /// From `/proc/PID/limits`.
    pub fn parse(text: &str) -> Self {
        let read = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or("");
            let mut values = line.split_whitespace().map(|word| word.parse().ok());
            Limit {
                soft: values.next().flatten(),
                hard: values.next().flatten(),
            }
        };
        Self {
            memlock: read("Max locked memory"),
            nofile: read("Max open files"),
            nproc: read("Max processes"),
        }
    }
}

/// How many processes and threads a control group holds and may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pids {
    pub group: PathBuf,
    pub max: u64,
    pub current: u64,
    /// How often one more was refused.
    pub refused: u64,
}

/// A mounted hierarchy of control groups: the controllers (empty for version 2), what is mounted, and where.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    controllers: Vec<String>,
    root: PathBuf,
    place: PathBuf,
}

fn hierarchies(mountinfo: &str) -> Vec<Hierarchy> {
    let parse = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, place) = (fields.next()?.into(), fields.next()?.into());
        let mut rest = after.split(' ');
        let controllers = match rest.next()? {
            "cgroup2" => Vec::new(),
            "cgroup" => rest.nth(1)?.split(',').map(str::to_owned).collect(),
            _ => return None,
        };
        Some(Hierarchy {
            controllers,
            root,
            place,
        })
    };
    mountinfo.lines().filter_map(parse).collect()
}

/// The folders of the process's control groups that may limit processes: its own, then those above it.
fn pids_folders(cgroup: &str, mountinfo: &str) -> Vec<PathBuf> {
    let mounted = hierarchies(mountinfo);
    let mut folders = Vec::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let wanted = |hierarchy: &&Hierarchy| match controllers {
            "" => hierarchy.controllers.is_empty(),
            _ => hierarchy.controllers.iter().any(|name| name == "pids"),
        };
        if !controllers.is_empty() && !controllers.split(',').any(|name| name == "pids") {
            continue;
        }
        let Some(hierarchy) = mounted.iter().find(wanted) else {
            continue;
        };
        let below = Path::new(path);
        let below = below.strip_prefix(&hierarchy.root).unwrap_or(below);
        let own = hierarchy
            .place
            .join(below.strip_prefix("/").unwrap_or(below));
        folders.extend(
            own.ancestors()
                .take_while(|at| at.starts_with(&hierarchy.place))
                .map(Path::to_owned),
        );
    }
    folders
}

/// The limits on processes of a process's control groups, the closest first.
pub fn pids(process: &str) -> Vec<Pids> {
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let number = |path: PathBuf| read(path)?.trim().parse::<u64>().ok();
    let cgroup = read(format!("/proc/{process}/cgroup").into()).unwrap_or_default();
    let mountinfo = read("/proc/self/mountinfo".into()).unwrap_or_default();
    let limits = pids_folders(&cgroup, &mountinfo)
        .into_iter()
        .filter_map(|group| {
            let max = number(group.join("pids.max"))?;
            let current = number(group.join("pids.current"))?;
            let events = read(group.join("pids.events")).unwrap_or_default();
            let refused = events
                .lines()
                .find_map(|line| line.strip_prefix("max ")?.trim().parse().ok());
            Some(Pids {
                group,
                max,
                current,
                refused: refused.unwrap_or(0),
            })
        });
    limits.collect()
}

/// All processes there are.
pub fn processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Whether a process runs. One that has ended stays in /proc until its parent has waited for it.
pub fn alive(process: i32) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat"))
        .ok()
        .and_then(|text| text.rsplit_once(')')?.1.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// # Errors
///
/// A line that says so where the process does not run.
pub fn there(process: i32) -> Result<(), Failure> {
    if alive(process) {
        Ok(())
    } else {
        Err(Failure::usage(format!(
            "there is no process {process} (any more), or /proc hides it"
        )))
    }
}

/// The threads of a process.
pub fn threads(process: i32) -> Vec<i32> {
    let entries = fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The name of a process or thread.
pub fn comm(id: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{id}/comm"))
        .ok()
        .map(|name| name.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_a_process_with_a_filter() {
        let status = Status::parse(include_str!("../../tests/data/status-filtered"));
        assert_eq!(status.seccomp, Some(2));
        assert_eq!(status.seccomp_filters, Some(1));
        assert_eq!((status.uid, status.no_new_privs), (1000, Some(1)));
        assert!(!status.capable(CAP_SYS_ADMIN));
        assert!(!status.capable(CAP_IPC_LOCK));
    }

    #[test]
    fn limits_of_a_process() {
        let limits = Limits::parse(include_str!("../../tests/data/limits"));
        assert_eq!(
            limits.memlock,
            Limit {
                soft: Some(8_388_608),
                hard: Some(8_388_608)
            }
        );
        assert_eq!(
            limits.nofile,
            Limit {
                soft: Some(20_000),
                hard: Some(20_000)
            }
        );
        assert_eq!(limits.nproc.soft, Some(96_365));
    }

    #[test]
    fn groups_of_version_1_beside_version_2() {
        let folders = pids_folders(
            include_str!("../../tests/data/cgroup-hybrid"),
            include_str!("../../tests/data/mountinfo-hybrid"),
        );
        let wanted = ["pids/a/b", "pids/a", "pids", "unified"];
        let wanted = wanted.map(|name| Path::new("/sys/fs/cgroup").join(name));
        assert_eq!(folders, wanted);
    }
}
