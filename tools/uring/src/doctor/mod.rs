//! `uring doctor`: why io_uring is refused or limited here, and what to do about it.

mod bpf;
mod cures;
pub mod evidence;
mod finding;
mod judge;
mod limits;
mod process;
#[cfg(test)]
mod tests;
mod trial;
mod watch;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Serialize;

use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::{Output, Style};
use crate::sys::proc::{Limits, Status};
use evidence::Evidence;
use finding::{Finding, Level};
use watch::Watched;

#[derive(Serialize)]
struct Report<'a> {
    findings: &'a [Finding],
    evidence: &'a Evidence,
    /// What became of the program that was watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'a Watched>,
}

pub fn run(options: &cli::Doctor, output: &mut Output) -> Outcome {
    if !options.command.is_empty() {
        return program(options, output);
    }
    if let Some(process) = options.pid {
        return of_process(process, options.verbose, output);
    }
    let evidence = here();
    let findings = judge::judge(&evidence);
    report(
        &Report {
            findings: &findings,
            evidence: &evidence,
            program: None,
        },
        options.verbose,
        output,
    )?;
    Ok(exit(&findings))
}

fn of_process(process: i32, verbose: bool, output: &mut Output) -> Outcome {
    let seen = process::look(process)?;
    let mut findings = judge::judge(&seen.evidence);
    findings.extend(seen.findings);
    report(
        &Report {
            findings: &findings,
            evidence: &seen.evidence,
            program: None,
        },
        verbose,
        output,
    )?;
    match seen.filters_hidden {
        Some(reason) if findings.is_empty() => Err(Failure::rights(reason)),
        _ => Ok(exit(&findings)),
    }
}

/// Watches a program, and names the cause of the first ring that it was refused.
fn program(options: &cli::Doctor, output: &mut Output) -> Outcome {
    let mut evidence = here();
    let watched = watch::run(&options.command)?;
    let mut findings = judge::judge(&evidence);
    if let (Some(then), true) = (
        &watched.first_refusal,
        findings.is_empty() && watched.rings == 0,
    ) {
        evidence = then.clone();
        findings = judge::judge(&evidence);
    }
    for (call, times) in &watched.refused {
        let times = if *times == 1 {
            String::new()
        } else {
            format!(" ({times} times)")
        };
        output.line(format!("call  {call}{times}"))?;
    }
    output.line(format!(
        "prog  {} rings were made; it ended with {}",
        watched.rings, watched.ended
    ))?;
    report(
        &Report {
            findings: &findings,
            evidence: &evidence,
            program: Some(&watched),
        },
        options.verbose,
        output,
    )?;
    Ok(exit(&findings))
}

/// Tries and reads what there is here. The trial comes first: it needs no descriptor, and there may be none to read with.
fn here() -> Evidence {
    let limits = Limits::own();
    // SAFETY: asks for the mode; strict mode would have ended this program long ago.
    let mode = unsafe { libc::prctl(libc::PR_GET_SECCOMP) };
    let mut trial = trial::run(mode != 0, || {});
    // The child takes up the room of one process, which may be all that a limit leaves.
    if trial.worker.refused_with(libc::ECANCELED) || trial.sqpoll.refused_with(libc::EAGAIN) {
        trial::threads_again(&mut trial);
    }
    raise_nofile();
    evidence::gather("self", trial, limits)
}

/// A few more descriptors for reading, where that is allowed.
fn raise_nofile() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.max(soft), hard);
    }
    if Status::read("self").is_err() {
        // Nothing is read from the standard input: its descriptor serves.
        // SAFETY: nobody in this program uses it.
        unsafe { libc::close(0) };
    }
}

fn exit(findings: &[Finding]) -> Exit {
    if judge::absent(findings) {
        Exit::Absent
    } else if findings.is_empty() {
        Exit::Fine
    } else {
        Exit::Wrong
    }
}

fn report(report: &Report, verbose: bool, output: &mut Output) -> Result<(), Failure> {
    let Report {
        findings, evidence, ..
    } = report;
    output.json("doctor", report)?;
    if verbose {
        tried(evidence, output)?;
    }
    if findings.is_empty() {
        let ok = output.paint(Style::Good, "ok  ");
        output.line(format!(
            "{ok}  io_uring works here (Linux {})",
            evidence.release
        ))?;
    }
    for finding in *findings {
        let level = match finding.level {
            Level::Warn => output.paint(Style::Warning, "warn"),
            Level::Fail => output.paint(Style::Bad, "FAIL"),
        };
        output.line(format!(
            "{level}  {}",
            output.paint(Style::Bold, &finding.summary)
        ))?;
        let groups = [("seen", &finding.evidence), ("cure", &finding.cure)];
        for (title, lines) in groups {
            for line in lines {
                output.line(format!("      {title}  {line}"))?;
            }
        }
        if let Some(note) = &finding.note {
            output.line(format!("      note  {note}"))?;
        }
    }
    Ok(())
}

/// Every step with its answer.
fn tried(evidence: &Evidence, output: &mut Output) -> Result<(), Failure> {
    let trial = &evidence.trial;
    let rows = [
        ("io_uring_setup without parameters", trial.calls[0]),
        ("io_uring_enter without a ring", trial.calls[1]),
        ("io_uring_register without a ring", trial.calls[2]),
        ("a ring of 8 entries", trial.ring),
        ("a ring of 1024 entries", trial.common_ring),
        ("a ring with a submission thread", trial.sqpoll),
        ("a request", trial.request),
        ("a request by a worker", trial.worker),
    ];
    for (what, answer) in rows {
        output.line(format!("      tried {what}: {answer}"))?;
    }
    let sysctl = evidence
        .disabled
        .map_or_else(|| "not there".to_owned(), |value| value.to_string());
    output.line(format!("      read  kernel.io_uring_disabled: {sysctl}"))?;
    output.line(format!("      read  run by: {:?}", evidence.runtime))?;
    Ok(())
}
