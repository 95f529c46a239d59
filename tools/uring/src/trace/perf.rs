//! Trace events through `perf_event_open`, for systems whose tracefs can be read but gives no instance.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use super::format::{Event, Format, Kind, id_of};
use super::tracefs::Place;
use crate::outcome::Failure;

/// The first version of `struct perf_event_attr` and what came up to the clock.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    bits: u64,
    wakeup_events: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clockid: i32,
    sample_regs_intr: u64,
}

const TRACEPOINT: u32 = 2;
const SAMPLE_TIME: u64 = 1 << 2;
const SAMPLE_RAW: u64 = 1 << 10;
const USE_CLOCKID: u64 = 1 << 25;
const RECORD_LOST: u32 = 2;
const RECORD_SAMPLE: u32 = 9;
const IOC_SET_OUTPUT: libc::c_ulong = 0x2405;
const FLAG_CLOEXEC: libc::c_ulong = 8;
/// `data_head` and `data_tail` in the first page of the ring.
const HEAD: usize = 1024;
const TAIL: usize = 1032;
const HEADER: usize = 8;

pub struct Perf {
    cpus: Vec<Ring>,
    _events: Vec<OwnedFd>,
    formats: Vec<Format>,
    lost: u64,
    record: Vec<u8>,
}

/// The ring of one CPU: a page with positions, then data.
struct Ring {
    memory: *mut u8,
    page: usize,
    /// Bytes of data, a power of two.
    size: usize,
}

impl Perf {
    /// # Errors
    ///
    /// Why it could not be begun.
    pub fn new(place: &Place, kinds: &[Kind], kib: Option<usize>) -> Result<Self, Failure> {
        let wrong = |error: io::Error| match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                Failure::rights("tracing takes root, or CAP_PERFMON and a tracefs that may be read")
            }
            _ => Failure::wrong(format!("perf_event_open: {error}")),
        };
        let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
            .ok()
            .flatten()
            .unwrap_or(4096) as usize;
        let size = (kib.unwrap_or(4096) * 1024).next_power_of_two().max(page);
        let mut perf = Self {
            cpus: Vec::new(),
            _events: Vec::new(),
            formats: Vec::new(),
            lost: 0,
            record: Vec::new(),
        };
        perf.formats = place
            .formats()
            .into_iter()
            .filter(|(known, _)| kinds.contains(&known.kind))
            .map(|(_, f)| f)
            .collect();
        for cpu in online(
            &fs::read_to_string("/sys/devices/system/cpu/online")
                .unwrap_or_else(|_| "0".to_owned()),
        ) {
            let mut first = None;
            for format in &perf.formats {
                let event = open(u64::from(format.id), cpu).map_err(wrong)?;
                match first {
                    None => {
                        perf.cpus
                            .push(Ring::new(&event, page, size).map_err(wrong)?);
                        first = Some(event.as_raw_fd());
                    }
                    // SAFETY: two descriptors of our own.
                    Some(ring) => unsafe {
                        if libc::ioctl(event.as_raw_fd(), IOC_SET_OUTPUT as _, ring) != 0 {
                            return Err(wrong(io::Error::last_os_error()));
                        }
                    },
                }
                perf._events.push(event);
            }
        }
        Ok(perf)
    }

    /// Takes in what there is.
    pub fn drain(&mut self, events: &mut Vec<Event>) {
        for ring in &self.cpus {
            let (head, mut tail) = (
                ring.position(HEAD).load(Ordering::Acquire),
                ring.position(TAIL).load(Ordering::Relaxed),
            );
            while tail < head {
                ring.copy(tail, HEADER, &mut self.record);
                let kind = number(&self.record, 0, 4) as u32;
                let length = number(&self.record, 6, 2) as usize;
                if length < HEADER {
                    break;
                }
                ring.copy(tail, length, &mut self.record);
                match kind {
                    RECORD_SAMPLE => events.extend(sample(&self.record, &self.formats)),
                    RECORD_LOST => self.lost += number(&self.record, HEADER + 8, 8),
                    _ => {}
                }
                tail += length as u64;
            }
            // The records have been copied: the kernel may write over them.
            ring.position(TAIL).store(tail, Ordering::Release);
        }
    }

    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// Time, then the size of the raw record and the record.
fn sample(record: &[u8], formats: &[Format]) -> Option<Event> {
    let time = number(record, HEADER, 8);
    let size = number(record, HEADER + 8, 4) as usize;
    let raw = record.get(HEADER + 12..)?;
    let raw = &raw[..size.min(raw.len())];
    let id = id_of(raw)?;
    formats
        .iter()
        .find(|format| format.id == id)
        .map(|format| format.decode(time, raw))
}

fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    let part = bytes.get(at..).unwrap_or_default();
    match size {
        2 => part
            .first_chunk()
            .map_or(0, |bytes| u64::from(u16::from_ne_bytes(*bytes))),
        4 => part
            .first_chunk()
            .map_or(0, |bytes| u64::from(u32::from_ne_bytes(*bytes))),
        _ => part
            .first_chunk()
            .map_or(0, |bytes| u64::from_ne_bytes(*bytes)),
    }
}

fn open(id: u64, cpu: i32) -> io::Result<OwnedFd> {
    let attributes = Attributes {
        kind: TRACEPOINT,
        size: size_of::<Attributes>() as u32,
        config: id,
        sample_period: 1,
        sample_type: SAMPLE_TIME | SAMPLE_RAW,
        bits: USE_CLOCKID,
        clockid: libc::CLOCK_MONOTONIC,
        ..Attributes::default()
    };
    // SAFETY: the attributes are as long as they say.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &attributes,
            -1,
            cpu,
            -1,
            FLAG_CLOEXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and our own.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// `0-3,5`
fn online(list: &str) -> Vec<i32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<i32>().ok()?..=last.parse::<i32>().ok()?)
    };
    list.trim().split(',').filter_map(range).flatten().collect()
}

impl Ring {
    fn new(event: &OwnedFd, page: usize, size: usize) -> io::Result<Self> {
        // SAFETY: a new mapping replaces nothing.
        let memory = unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            libc::mmap(
                std::ptr::null_mut(),
                page + size,
                protection,
                libc::MAP_SHARED,
                event.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            Err(io::Error::last_os_error())
        } else {
            Ok(Self {
                memory: memory.cast(),
                page,
                size,
            })
        }
    }

    fn position(&self, at: usize) -> &AtomicU64 {
        // SAFETY: both positions lie in the first page of the mapping, aligned, and are only reached atomically.
        unsafe { AtomicU64::from_ptr(self.memory.add(at).cast()) }
    }

    /// Copies from the data, which wraps around.
    fn copy(&self, from: u64, length: usize, to: &mut Vec<u8>) {
        to.clear();
        let at = from as usize & (self.size - 1);
        let first = length.min(self.size - at);
        // SAFETY: both parts lie within the data; the kernel does not write there before the tail has passed.
        unsafe {
            let data = self.memory.add(self.page);
            to.extend_from_slice(std::slice::from_raw_parts(data.add(at), first));
            to.extend_from_slice(std::slice::from_raw_parts(data, length - first));
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is this ring's own, and used no more.
        unsafe { libc::munmap(self.memory.cast(), self.page + self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus() {
        assert_eq!(online("0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(online("0"), [0]);
        assert!(online("").is_empty());
    }

    #[test]
    fn attributes_have_a_size_that_the_kernel_knows() {
        assert_eq!(size_of::<Attributes>(), 104);
    }
}
