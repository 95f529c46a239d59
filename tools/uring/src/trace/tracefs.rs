//! Trace events through tracefs, in an instance of our own, so that other tracing is not disturbed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::format::{Event, Format, KNOWN, Kind, id_of};
use super::page::Layout;
use crate::outcome::Failure;

const PREFIX: &str = "uring-";
const MOUNTED: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// Most memory for the buffers of all CPUs together, in KiB.
const MOST_KIB: usize = 256 * 1024;

/// The way to tracefs: its mount point, or a private mount.
#[derive(Clone)]
pub struct Place {
    pub path: PathBuf,
    /// The path leads through this descriptor.
    _mount: Option<Rc<OwnedFd>>,
}

impl Place {
    /// # Errors
    ///
    /// Why tracefs cannot be used.
    pub fn find() -> Result<Self, Failure> {
        let usable = |path: &&&str| Path::new(path).join("events/io_uring").is_dir();
        if let Some(path) = MOUNTED.iter().find(usable) {
            return Ok(Self {
                path: path.into(),
                _mount: None,
            });
        }
        let mount = detached_mount().map_err(|error| {
            Failure::rights(match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => {
                    "tracing takes root (CAP_SYS_ADMIN for tracefs, CAP_PERFMON for perf events)"
                        .to_owned()
                }
                Some(libc::ENODEV) => "this kernel has no tracefs (CONFIG_TRACING)".to_owned(),
                _ => format!("tracefs cannot be mounted: {error}"),
            })
        })?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", mount.as_raw_fd()));
        if !path.join("events/io_uring").is_dir() {
            return Err(Failure::rights(
                "this kernel has no trace events of io_uring (CONFIG_EVENT_TRACING, and /proc mounted)",
            ));
        }
        Ok(Self {
            path,
            _mount: Some(Rc::new(mount)),
        })
    }

    /// The formats of all events that this kernel has.
    pub fn formats(&self) -> Vec<(&'static super::format::Known, Format)> {
        let read = |known: &'static super::format::Known| {
            let path = self
                .path
                .join("events")
                .join(known.system)
                .join(known.name)
                .join("format");
            Some((
                known,
                Format::parse(known, &fs::read_to_string(path).ok()?)?,
            ))
        };
        KNOWN.iter().filter_map(read).collect()
    }
}

/// Mounts tracefs without a mount point. The mount ends when the descriptor is closed. Linux 5.2.
fn detached_mount() -> io::Result<OwnedFd> {
    const FSCONFIG_CMD_CREATE: libc::c_uint = 6;
    // SAFETY: strings end with a null, the other arguments are numbers; a descriptor that is returned is our own.
    unsafe {
        let owned = |fd: libc::c_long| {
            if fd < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(OwnedFd::from_raw_fd(fd as i32))
            }
        };
        let context = owned(libc::syscall(libc::SYS_fsopen, c"tracefs".as_ptr(), 1))?;
        let fd = context.as_raw_fd();
        let null = std::ptr::null::<libc::c_char>();
        if libc::syscall(libc::SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, null, null, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        owned(libc::syscall(libc::SYS_fsmount, fd, 1, 0))
    }
}

/// Removes the instances of runs that were killed. The kernel does not remove one that is in use.
pub fn remove_stale(place: &Place) -> u32 {
    let instances = place.path.join("instances");
    let mut removed = 0;
    for entry in fs::read_dir(&instances).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.parse::<i32>().ok())
        else {
            continue;
        };
        let alive = pid != std::process::id() as i32
            && crate::sys::proc::comm(pid).is_some_and(|comm| comm == "uring");
        if !alive {
            let _ = fs::write(entry.path().join("events/enable"), "0");
            removed += u32::from(fs::remove_dir(entry.path()).is_ok());
        }
    }
    removed
}

/// An instance with its events on. It is removed when this is dropped.
pub struct Instance {
    path: PathBuf,
    _place: Place,
    formats: Vec<Format>,
    layout: Layout,
    cpus: Vec<Cpu>,
    page: Vec<u8>,
}

struct Cpu {
    folder: PathBuf,
    pages: Option<File>,
}

impl Instance {
    /// # Errors
    ///
    /// Why it could not be made.
    pub fn new(place: &Place, kinds: &[Kind], kib: Option<usize>) -> Result<Self, Failure> {
        let path = place
            .path
            .join("instances")
            .join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&path).map_err(|error| {
            Failure::rights(format!(
                "no trace instance can be made: {error}: run as root"
            ))
        })?;
        let mut instance = Self {
            layout: in_one_read(&place.path.join("events/header_page"))
                .and_then(|text| Layout::parse(&text))
                .ok_or_else(|| {
                    let _ = fs::remove_dir(&path);
                    Failure::wrong("events/header_page of tracefs is not as it is known")
                })?,
            _place: place.clone(),
            formats: Vec::new(),
            cpus: Vec::new(),
            page: Vec::new(),
            path,
        };
        instance
            .start(place, kinds, kib)
            .map_err(|error| Failure::wrong(format!("tracefs: {error}")))?;
        Ok(instance)
    }

    fn start(&mut self, place: &Place, kinds: &[Kind], kib: Option<usize>) -> io::Result<()> {
        let write = |name: &str, value: &str| {
            fs::write(self.path.join(name), value)
                .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
        };
        write("tracing_on", "0")?;
        // Times of all CPUs, and our own, must be comparable.
        write("trace_clock", "mono")?;
        // Events that find no room are counted as lost. The oldest ones stay, so that requests keep their submissions.
        write("options/overwrite", "0")?;
        let mut folders: Vec<PathBuf> = fs::read_dir(self.path.join("per_cpu"))?
            .flatten()
            .map(|e| e.path())
            .collect();
        folders.sort();
        let kib = kib
            .unwrap_or((MOST_KIB / folders.len().max(1)).min(32 * 1024))
            .max(64);
        write("buffer_size_kb", &kib.to_string())?;
        for (known, format) in place.formats() {
            if kinds.contains(&known.kind) {
                write(
                    &format!("events/{}/{}/enable", known.system, known.name),
                    "1",
                )?;
                self.formats.push(format);
            }
        }
        for folder in folders {
            let pages = OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(folder.join("trace_pipe_raw"))?;
            self.cpus.push(Cpu {
                folder,
                pages: Some(pages),
            });
        }
        self.page = vec![0; self.layout.size];
        write("tracing_on", "1")
    }

    /// Takes in what there is.
    pub fn drain(&mut self, events: &mut Vec<Event>) {
        let (layout, formats, page) = (&self.layout, &self.formats, &mut self.page);
        for cpu in &mut self.cpus {
            let Some(file) = &mut cpu.pages else { continue };
            while let Ok(length @ 1..) = file.read(page) {
                layout.records(&page[..length], |time, raw| {
                    let format =
                        id_of(raw).and_then(|id| formats.iter().find(|format| format.id == id));
                    events.extend(format.map(|format| format.decode(time, raw)));
                });
            }
        }
    }

    /// How many events found no room.
    pub fn lost(&self) -> u64 {
        self.cpus
            .iter()
            .map(|cpu| lost(&fs::read_to_string(cpu.folder.join("stats")).unwrap_or_default()))
            .sum()
    }

    pub fn stop(&self) {
        let _ = fs::write(self.path.join("tracing_on"), "0");
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::write(self.path.join("events/enable"), "0");
        for cpu in &mut self.cpus {
            cpu.pages = None;
        }
        let _ = fs::remove_dir(&self.path);
    }
}

/// Some files of tracefs give nothing to a second read.
fn in_one_read(path: &Path) -> Option<String> {
    const LARGE: usize = 1 << 16;
    let mut bytes = vec![0; LARGE];
    let length = File::open(path).ok()?.read(&mut bytes).ok()?;
    bytes.truncate(length);
    String::from_utf8(bytes).ok()
}

/// From `per_cpu/cpuN/stats`.
fn lost(stats: &str) -> u64 {
    let number = |name: &str| {
        stats
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
            .unwrap_or(0)
    };
    number("overrun:") + number("dropped events:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_events_of_either_mode_are_counted() {
        assert_eq!(
            lost("entries: 4\noverrun: 7\ncommit overrun: 9\ndropped events: 3\nread events: 5\n"),
            10
        );
        assert_eq!(lost(""), 0);
    }
}
