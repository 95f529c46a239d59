//! The run of a trace: begins it, follows a program or processes, and ends it in every way it can end.

use std::collections::HashSet;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, raise, sigaction};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{ForkResult, Pid, execvp, fork};

use super::format::{Event, Kind};
use super::perf::Perf;
use super::report::Report;
use super::requests::{Scope, Tracker};
use super::summary;
use super::tracefs::{self, Instance, Place};
use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::Output;
use crate::sys::proc;

/// What a summary needs.
const FEW: [Kind; 11] = [
    Kind::Create,
    Kind::Submit,
    Kind::Complete,
    Kind::Failed,
    Kind::Overflow,
    Kind::QueueAsync,
    Kind::PollArm,
    Kind::FailLink,
    Kind::Register,
    Kind::ShortWrite,
    Kind::Fork,
];
/// What lines show beside.
const MORE: [Kind; 2] = [Kind::FileGet, Kind::Defer];
/// What is shown when all is asked for.
const ALL: [Kind; 5] = [
    Kind::Link,
    Kind::Wait,
    Kind::TaskAdd,
    Kind::TaskWork,
    Kind::LocalWork,
];

const IDLE: Duration = Duration::from_millis(10);
/// With so many events at once there will be more.
const BUSY: usize = 2000;

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn stop(_: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

enum Source {
    Instance(Instance),
    Perf(Perf),
}

impl Source {
    fn drain(&mut self, events: &mut Vec<Event>) {
        match self {
            Source::Instance(instance) => instance.drain(events),
            Source::Perf(perf) => perf.drain(events),
        }
    }

    /// What happens from now on is not of interest.
    fn stop(&self) {
        if let Source::Instance(instance) = self {
            instance.stop();
        }
    }

    fn lost(&self) -> u64 {
        match self {
            Source::Instance(instance) => instance.lost(),
            Source::Perf(perf) => perf.lost(),
        }
    }
}

fn source(options: &cli::Trace) -> Result<Source, Failure> {
    let mut kinds = FEW.to_vec();
    if !options.summary && !options.latency {
        kinds.extend(MORE);
    }
    if options.all {
        kinds.extend(ALL);
    }
    let place = Place::find()?;
    if options.source != cli::Source::Perf {
        tracefs::remove_stale(&place);
        match Instance::new(&place, &kinds, options.buffer) {
            Ok(instance) => return Ok(Source::Instance(instance)),
            Err(failure) if options.source == cli::Source::Tracefs => return Err(failure),
            Err(failure) => eprintln!("uring: {}; perf events serve instead", failure.text),
        }
    }
    Perf::new(&place, &kinds, options.buffer).map(Source::Perf)
}

fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| {
        time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
    })
}

/// What is followed.
enum Followed {
    Everything,
    Processes(Vec<i32>),
    Child { pid: Pid, ended: Option<WaitStatus> },
}

impl Followed {
    fn over(&mut self) -> bool {
        match self {
            Followed::Everything => false,
            Followed::Processes(pids) => !pids.iter().any(|&pid| proc::alive(pid)),
            Followed::Child { pid, ended } => {
                if let Ok(status @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..))) =
                    waitpid(*pid, Some(WaitPidFlag::WNOHANG))
                {
                    *ended = Some(status);
                }
                ended.is_some()
            }
        }
    }

    /// Waits for the program. It runs on even if the trace can no longer be written.
    fn wait(&mut self) {
        while let Followed::Child { pid, ended: None } = self {
            let pid = *pid;
            match waitpid(pid, None) {
                Ok(status) => {
                    if matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..)) {
                        *self = Followed::Child {
                            pid,
                            ended: Some(status),
                        };
                    }
                }
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }
}

pub fn run(options: &cli::Trace, output: &mut Output) -> Outcome {
    for &pid in &options.pid {
        proc::there(pid)?;
    }
    let only = options
        .op
        .iter()
        .map(|op| super::report::opcode(op))
        .collect::<Result<HashSet<u8>, _>>()?;
    if let Some(path) = &options.output {
        let file = std::fs::File::create(path);
        output.redirect(
            file.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?,
        );
    }
    let mut source = source(options)?;
    // Steps that may fail come before the child starts. It is stopped until all events are on.
    let mut report = Report::new(options, output)?;
    let child = if options.command.is_empty() {
        None
    } else {
        Some(prepared(&options.command)?)
    };
    let threads: HashSet<i32> = options
        .pid
        .iter()
        .flat_map(|&pid| proc::threads(pid))
        .collect();
    let (scope, mut followed) = match (child, options.pid.is_empty()) {
        (Some(pid), _) => (
            Scope::Threads(HashSet::from([pid.as_raw()])),
            Followed::Child { pid, ended: None },
        ),
        (None, false) => (
            Scope::Threads(threads),
            Followed::Processes(options.pid.clone()),
        ),
        (None, true) => (Scope::All, Followed::Everything),
    };
    catch_signals(child.is_some());
    let start = now();
    let mut tracker = Tracker::new(scope);
    report.start = start;
    if let Some(pid) = child {
        report.name_child(pid.as_raw(), &options.command[0]);
        kill(pid, Signal::SIGCONT)
            .map_err(|error| Failure::wrong(format!("the program cannot be started: {error}")))?;
    }
    follow(&mut source, &mut followed, &mut tracker, &mut report, &only);
    let ended = now();
    let lost = source.lost();
    // The instance is removed before output can fail.
    drop(source);
    followed.wait();
    let totals = summary::totals(
        &report.summary,
        tracker.counts,
        tracker.in_flight(),
        lost,
        ended - start,
    );
    if lost > 0 {
        report.warn(&format!(
            "{lost} trace events were lost: the counts are too low (a larger --buffer, or --summary, which takes fewer events)"
        ));
    }
    report.finish(&totals)?;
    Ok(exit(&followed))
}

/// Hands events on in the order of time until it is over. All that happened before a round is in when the round ends.
fn follow(
    source: &mut Source,
    followed: &mut Followed,
    tracker: &mut Tracker,
    report: &mut Report,
    only: &HashSet<u8>,
) {
    let mut events: Vec<Event> = Vec::new();
    let filter = |event: &Event, tracker: &mut Tracker, report: &mut Report| {
        let counted = !matches!(event.kind, Kind::Submit | Kind::Failed)
            || only.is_empty()
            || only.contains(&event.opcode);
        if counted {
            tracker.take(event, report);
        }
    };
    loop {
        let over = followed.over() || STOP.load(Ordering::Relaxed) || report.failed.is_some();
        if over && let_child_end(followed) {
            STOP.store(false, Ordering::Relaxed);
            continue;
        }
        if over {
            source.stop();
        }
        let round = now();
        let before = events.len();
        source.drain(&mut events);
        let new = events.len() - before;
        events.sort_by_key(|event| event.time);
        let ripe = if over {
            events.len()
        } else {
            events.partition_point(|event| event.time < round)
        };
        for event in events.drain(..ripe) {
            filter(&event, tracker, report);
        }
        report.flush();
        if over {
            return;
        }
        if new < BUSY {
            std::thread::sleep(IDLE);
        }
    }
}

/// A signal from the terminal goes to the child as well: its end is waited for.
fn let_child_end(followed: &Followed) -> bool {
    matches!(followed, Followed::Child { ended: None, .. }) && STOP.load(Ordering::Relaxed)
}

fn exit(followed: &Followed) -> Exit {
    match followed {
        Followed::Child {
            ended: Some(WaitStatus::Exited(_, status)),
            ..
        } => Exit::Other(*status as u8),
        Followed::Child {
            ended: Some(WaitStatus::Signaled(_, signal, _)),
            ..
        } => Exit::Other(128 + *signal as u8),
        _ => Exit::Fine,
    }
}

/// A child that stops itself and then executes the program.
fn prepared(command: &[OsString]) -> Result<Pid, Failure> {
    let arguments: Vec<CString> = command
        .iter()
        .filter_map(|word| CString::new(word.as_bytes()).ok())
        .collect();
    let Some(program) = arguments.first() else {
        return Err(Failure::usage("no program is named"));
    };
    // SAFETY: this program has one thread here; the child calls nothing but system calls before it executes.
    match unsafe { fork() }.map_err(|error| Failure::wrong(format!("fork: {error}")))? {
        ForkResult::Child => {
            let _ = raise(Signal::SIGSTOP);
            let error = execvp(program, &arguments).err();
            eprintln!(
                "uring: {}: {}",
                command[0].to_string_lossy(),
                error.map_or("", |error| error.desc())
            );
            // SAFETY: ends the child alone.
            unsafe { libc::_exit(127) }
        }
        ForkResult::Parent { child } => {
            let stopped = waitpid(child, Some(WaitPidFlag::WUNTRACED));
            stopped.map_err(|error| {
                Failure::wrong(format!("the program cannot be started: {error}"))
            })?;
            Ok(child)
        }
    }
}

fn catch_signals(child: bool) {
    let action = SigAction::new(
        SigHandler::Handler(stop),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    let signals: &[Signal] = if child {
        &[Signal::SIGTERM, Signal::SIGHUP]
    } else {
        &[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
    };
    for &signal in signals {
        // SAFETY: the handler stores to an atomic and does nothing else.
        let _ = unsafe { sigaction(signal, &action) };
    }
    if child {
        // As strace does: an interrupt is the program's to answer.
        let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
        // SAFETY: no handler is called.
        let _ = unsafe { sigaction(Signal::SIGINT, &ignore) };
    }
}
