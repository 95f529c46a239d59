//! The rings of the machine, as `/proc` shows them.

pub mod fdinfo;
mod screen;
pub mod stat;
mod state;
pub mod top;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use serde::Serialize;

use crate::sys::proc;
use fdinfo::RingInfo;

/// A ring and who holds it.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    pub pid: i32,
    pub comm: String,
    pub fd: i32,
    /// Workers of the process, for all its rings.
    pub workers: u32,
    #[serde(flatten)]
    pub info: RingInfo,
}

/// What a look at the machine gave.
#[derive(Default)]
pub struct Look {
    pub rings: Vec<Held>,
    /// Processes that may not be looked into.
    pub hidden: u32,
}

/// Looks at these processes, or at all of them if none is named.
pub fn look(wanted: &[i32]) -> Look {
    let mut found = Look::default();
    let all = if wanted.is_empty() {
        proc::processes()
    } else {
        wanted.to_vec()
    };
    for pid in all {
        match rings(pid) {
            Ok(rings) => found.rings.extend(rings),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => found.hidden += 1,
            // It has ended meanwhile.
            Err(_) => {}
        }
    }
    found
}

fn rings(pid: i32) -> std::io::Result<Vec<Held>> {
    let mut held = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        let is_ring = fs::read_link(entry.path())
            .is_ok_and(|to| to.as_os_str().as_bytes() == b"anon_inode:[io_uring]");
        let Some(fd) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        if !is_ring {
            continue;
        }
        if let Some(info) = info(pid, fd) {
            held.push(Held {
                pid,
                comm: String::new(),
                fd,
                workers: 0,
                info,
            });
        }
    }
    if !held.is_empty() {
        let comm = proc::comm(pid).unwrap_or_default();
        let workers = workers(pid);
        for ring in &mut held {
            ring.comm.clone_from(&comm);
            ring.workers = workers;
        }
        held.sort_by_key(|ring| ring.fd);
    }
    Ok(held)
}

/// A ring's state. The kernel leaves it out while the ring is in use, so that a busy one is looked at again and again.
fn info(pid: i32, fd: i32) -> Option<RingInfo> {
    const LOOKS: u32 = 100;
    const PAUSE: Duration = Duration::from_micros(20);
    let path = format!("/proc/{pid}/fdinfo/{fd}");
    let mut text = String::new();
    for _ in 0..LOOKS {
        // The descriptor may have gone meanwhile.
        text = fs::read_to_string(&path).ok()?;
        if let Some(info) = RingInfo::parse(&text) {
            return Some(info);
        }
        std::thread::sleep(PAUSE);
    }
    Some(RingInfo::in_use(&text))
}

fn workers(pid: i32) -> u32 {
    let names = proc::threads(pid).into_iter().filter_map(proc::comm);
    names.filter(|name| name.starts_with("iou-wrk")).count() as u32
}

/// What is wrong with a ring.
pub fn complaint(info: &RingInfo) -> Option<String> {
    if info.overflow > 0 {
        return Some(format!(
            "its CQ has overflowed: {} completions wait outside (a larger CQ, or reap more often)",
            info.overflow
        ));
    }
    info.full()
        .then(|| "its CQ is full: nobody reaps".to_owned())
}
