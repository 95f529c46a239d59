//! `uring limits`: the memory that a ring takes, and whether set-up would succeed.

use std::num::NonZeroUsize;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Uid, setuid};
use serde::Serialize;
use uring_core::abi::*;
use uring_core::kernel::{Kernel, Native};
use uring_core::ring::sizes;

use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::{Output, Style, bytes};
use crate::sys::available;
use crate::sys::calls::{self, Answer, patiently};
use crate::sys::child;
use crate::sys::proc::{self, CAP_IPC_LOCK, Limits, Pids, Status};
use crate::sys::ring::Ring;

/// The kernel makes the number of workers depend on that of SQEs.
const COMMON_ENTRIES: u32 = 256;
const MAX_ENTRIES: u32 = 32768;

#[derive(Serialize)]
struct Report {
    sq_entries: u32,
    cq_entries: u32,
    /// Bytes of memory that the ring takes.
    ring_bytes: u64,
    /// Whether this kernel counts a ring's memory to RLIMIT_MEMLOCK.
    counts_rings: bool,
    /// Bytes that count to RLIMIT_MEMLOCK: the buffers, and the ring if it does.
    locked_bytes: u64,
    buffer_bytes: u64,
    /// How setting it up ended, and registering buffers of that size.
    ring: Answer,
    buffers: Answer,
    /// The largest ring that set-up grants now.
    largest_entries: u32,
    limits: Limits,
    /// RLIMIT_MEMLOCK does not bind this process (CAP_IPC_LOCK).
    memlock_exempt: bool,
    open_files: u64,
    pids: Vec<Pids>,
    /// Most workers for files and for everything else.
    max_workers: Option<[u32; 2]>,
}

pub fn run(options: &cli::Limits, output: &mut Output) -> Outcome {
    let mut params = io_uring_params::default();
    if let Some(entries) = options.cq {
        params.flags |= IORING_SETUP_CQSIZE;
        params.cq_entries = entries;
    }
    let sizes = sizes::entries(options.entries, &params).map_err(|_| {
        Failure::usage(format!(
            "there is no ring of {} SQEs{}: 1 to {MAX_ENTRIES} SQEs, and from as many CQEs to {}",
            options.entries,
            options
                .cq
                .map(|cq| format!(" and {cq} CQEs"))
                .unwrap_or_default(),
            2 * MAX_ENTRIES
        ))
    })?;
    available()?;
    let report = measure(options, params, sizes)?;
    let had = report.ring.worked() && (options.buffers == 0 || report.buffers.worked());
    output.json("limits", &report)?;
    text(&report, output)?;
    Ok(if had { Exit::Fine } else { Exit::Wrong })
}

fn measure(
    options: &cli::Limits,
    params: io_uring_params,
    sizes: sizes::Entries,
) -> Result<Report, Failure> {
    let wrong =
        |error: uring_core::errno::Errno| Failure::wrong(crate::sys::errno::name(-error.as_ret()));
    let status = Status::read("self").unwrap_or_default();
    // As the library sets it up: without an array of SQE numbers where the kernel can do without.
    let mut asked = params;
    asked.flags |= IORING_SETUP_NO_SQARRAY;
    let mut ring = patiently(|| calls::setup(options.entries, &mut asked.clone()));
    if ring.refused_with(libc::EINVAL) {
        asked = params;
        ring = patiently(|| calls::setup(options.entries, &mut asked.clone()));
    }
    let ring_bytes = sizes::memory_size::<Native>(options.entries, &asked).map_err(wrong)? as u64;
    let counts_rings = counts_rings();
    Ok(Report {
        sq_entries: sizes.sq,
        cq_entries: sizes.cq,
        ring_bytes,
        counts_rings,
        locked_bytes: options.buffers + if counts_rings { ring_bytes } else { 0 },
        buffer_bytes: options.buffers,
        buffers: if options.buffers > 0 && ring.worked() {
            patiently(|| buffers(&asked, options))
        } else {
            Answer::NotMade
        },
        ring,
        largest_entries: largest(),
        limits: Limits::own(),
        memlock_exempt: status.capable(CAP_IPC_LOCK),
        open_files: std::fs::read_dir("/proc/self/fd")
            .map_or(0, |fds| fds.count() as u64)
            .saturating_sub(1),
        pids: proc::pids("self").into_iter().take(1).collect(),
        max_workers: max_workers(),
    })
}

/// Kernels differ in this, and their features do not tell. So it is tried as a user that may lock no memory.
fn counts_rings() -> bool {
    const NOBODY: u32 = 65534;
    let tried = child::run(|answer: &mut Answer| {
        let _ = setrlimit(Resource::RLIMIT_MEMLOCK, 0, 0);
        let _ = setuid(Uid::from_raw(NOBODY));
        *answer = calls::setup(8, &mut io_uring_params::default());
    });
    tried.is_ok_and(|(answer, _)| answer.refused_with(libc::ENOMEM))
}

/// Registers a buffer of the requested size in a ring of the requested kind, and releases both.
fn buffers(params: &io_uring_params, options: &cli::Limits) -> Answer {
    let Some(size) = NonZeroUsize::new(options.buffers as usize) else {
        return Answer::NotMade;
    };
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping replaces nothing.
    let memory = match unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_PRIVATE) } {
        Ok(memory) => memory,
        Err(error) => return Answer::Refused(error as i32),
    };
    let mut params = *params;
    // SAFETY: `params` names no memory.
    let answer = match unsafe { Native::setup(options.entries, &mut params) }.check() {
        Ok(fd) => {
            let vector = libc::iovec {
                iov_base: memory.as_ptr(),
                iov_len: size.get(),
            };
            // SAFETY: one vector, whose memory stays until the ring has gone.
            let done = unsafe {
                Native::register(
                    fd,
                    IORING_REGISTER_BUFFERS as u32,
                    (&raw const vector).cast(),
                    1,
                )
            };
            let _ = Native::close(fd);
            Answer::from_core(done)
        }
        Err(error) => Answer::Refused(-error.as_ret()),
    };
    // SAFETY: the ring is closed; pages that it still holds do not depend on the mapping.
    let _ = unsafe { munmap(memory, size.get()) };
    answer
}

/// The largest number of SQEs that a plain ring is given now; 0 for none.
fn largest() -> u32 {
    let mut entries = MAX_ENTRIES;
    while entries > 0
        && !patiently(|| calls::setup(entries, &mut io_uring_params::default())).worked()
    {
        entries /= 2;
    }
    entries
}

fn max_workers() -> Option<[u32; 2]> {
    let ring = Ring::new(COMMON_ENTRIES, 0)
        .or_else(|_| Ring::new(1, 0))
        .ok()?;
    let mut counts = [0u32; 2];
    let pointer = counts.as_mut_ptr().cast();
    // SAFETY: two numbers, as the operation takes them; zeros change nothing.
    unsafe {
        Native::register(
            ring.fd(),
            IORING_REGISTER_IOWQ_MAX_WORKERS as u32,
            pointer,
            2,
        )
    }
    .check()
    .ok()?;
    Some(counts)
}

fn text(report: &Report, output: &mut Output) -> Result<(), Failure> {
    let answer = |output: &Output, answer: Answer| {
        let style = if answer.worked() {
            Style::Good
        } else {
            Style::Bad
        };
        output.paint(style, &answer.to_string())
    };
    let number = |value: Option<u64>| {
        value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string())
    };
    let size = |value: Option<u64>| value.map_or_else(|| "unlimited".to_owned(), bytes);
    let mut rows = vec![
        (
            "ring",
            format!(
                "{} SQEs, {} CQEs: {}",
                report.sq_entries,
                report.cq_entries,
                bytes(report.ring_bytes)
            ),
        ),
        ("to be had", answer(output, report.ring)),
    ];
    if report.buffer_bytes > 0 {
        rows.push((
            "buffers",
            format!(
                "{}: {}",
                bytes(report.buffer_bytes),
                answer(output, report.buffers)
            ),
        ));
    }
    let rule = if report.counts_rings {
        ""
    } else {
        "; this kernel does not count rings"
    };
    let exempt = if report.memlock_exempt {
        " (does not bind: CAP_IPC_LOCK)"
    } else {
        ""
    };
    rows.push((
        "locked memory",
        format!(
            "takes {} of {} per user{exempt}{rule}",
            bytes(report.locked_bytes),
            size(report.limits.memlock.soft)
        ),
    ));
    rows.push(("largest ring", format!("{} SQEs", report.largest_entries)));
    rows.push((
        "descriptors",
        format!(
            "{} open of {}",
            report.open_files,
            number(report.limits.nofile.soft)
        ),
    ));
    rows.push((
        "processes",
        format!("RLIMIT_NPROC {}", number(report.limits.nproc.soft)),
    ));
    for pids in &report.pids {
        rows.push((
            "control group",
            format!("{} of {} processes and threads", pids.current, pids.max),
        ));
    }
    if let Some([bounded, unbounded]) = report.max_workers {
        rows.push((
            "workers",
            format!("up to {bounded} for files, up to {unbounded} for everything else"),
        ));
    }
    for (name, value) in rows {
        output.line(format!("{name:<14} {value}"))?;
    }
    Ok(())
}
