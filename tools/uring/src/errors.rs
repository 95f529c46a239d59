//! `uring errno`: what an error number means, as the manual explains it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::Output;
use crate::sys::errno;
use crate::tables::{self, Documented, ERRORS};

const MOST_FUNCTIONS: usize = 3;
/// The errors that every request can complete with. The entries of single functions do not repeat them.
const CANCELED: &str = include_str!("../../man/canceled.txt").trim_ascii_end();

#[derive(Serialize)]
struct Report {
    errno: i32,
    name: String,
    text: &'static str,
    causes: Vec<Cause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

#[derive(Serialize)]
struct Cause {
    text: &'static str,
    functions: Vec<&'static str>,
}

pub fn run(options: &cli::Errno, output: &mut Output) -> Outcome {
    let number = errno::find(&options.number).ok_or_else(|| {
        Failure::usage(format!(
            "{} is no error: give a number such as -125, or a name such as ECANCELED",
            options.number
        ))
    })?;
    let name = errno::name(number);
    let causes = causes(&name, options.op.as_deref())?;
    let report = Report {
        errno: number,
        text: errno::text(number),
        hint: hint(number),
        causes,
        name,
    };
    output.json("errno", &report)?;
    output.line(format!(
        "{} ({}): {}",
        report.name, report.errno, report.text
    ))?;
    for cause in &report.causes {
        let more = cause.functions.len().saturating_sub(MOST_FUNCTIONS);
        let mut who = cause
            .functions
            .iter()
            .take(MOST_FUNCTIONS)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        if more > 0 {
            who.push_str(&format!(" and {more} more"));
        }
        output.line(format!("  {}", cause.text.replace('`', "")))?;
        output.line(format!("      {who}"))?;
    }
    if report.causes.is_empty() {
        let whose = options
            .op
            .as_deref()
            .map(|op| format!(" for {op}"))
            .unwrap_or_default();
        output.line(format!("  the manual does not name it{whose}: it comes from the file or device behind the request"))?;
    }
    if let Some(hint) = report.hint {
        output.line(format!("  hint: {hint}"))?;
    }
    Ok(Exit::Fine)
}

/// The manual's entries, those with the same words together.
fn causes(name: &str, op: Option<&str>) -> Result<Vec<Cause>, Failure> {
    let wanted = op.map(selection).transpose()?;
    let mut by_text: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    let mut order = Vec::new();
    for row in ERRORS.iter().filter(|row| row.errors.contains(&name)) {
        if wanted.as_ref().is_some_and(|wanted| !wanted(row)) {
            continue;
        }
        let functions = by_text.entry(row.text).or_insert_with(|| {
            order.push(row.text);
            Vec::new()
        });
        if !functions.contains(&row.function) {
            functions.push(row.function);
        }
    }
    let request = op.is_some_and(|op| tables::find_op(op).is_some());
    if name == "ECANCELED" && request && order.is_empty() {
        order.push(CANCELED);
        by_text.insert(CANCELED, vec!["every request"]);
    }
    let cause = |text: &'static str| Cause {
        text,
        functions: by_text.get(text).cloned().unwrap_or_default(),
    };
    Ok(order.into_iter().map(cause).collect())
}

/// Which entries are wanted.
type Selection = Box<dyn Fn(&Documented) -> bool>;

/// Those of an opcode, or of a function of the library.
fn selection(text: &str) -> Result<Selection, Failure> {
    if let Some(op) = tables::find_op(text) {
        return Ok(Box::new(|row| row.ops.contains(&op.full)));
    }
    let wanted = text.trim_end_matches("()").to_ascii_lowercase();
    let matches = move |row: &Documented| {
        let rest = row.function.strip_suffix(&wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    };
    if ERRORS.iter().any(&matches) {
        return Ok(Box::new(matches));
    }
    Err(Failure::usage(format!(
        "{text} is neither an opcode (uring probe lists them) nor a function with errors in the manual"
    )))
}

/// Explanations that belong to no single function.
fn hint(number: i32) -> Option<&'static str> {
    match number {
        libc::ECANCELED => Some(
            "a request that nobody cancelled: no worker thread can be made (pids.max of the control group, \
             RLIMIT_NPROC), or one that it was linked to failed: uring doctor",
        ),
        libc::EPERM | libc::ENOSYS | libc::EACCES | libc::EOPNOTSUPP => Some(
            "from io_uring_setup: uring doctor tells a filter from a sysctl, a security module and a kernel without it",
        ),
        libc::ENOMEM => Some("RLIMIT_MEMLOCK counts for a user, not for a process: uring limits"),
        libc::ENOBUFS => Some("a group of provided buffers is used up: give buffers back sooner"),
        libc::EBUSY => Some(
            "completions wait for room in the CQ: reap before submitting more (uring stat shows it)",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_explains_errors_of_requests() {
        let found = causes("ENOTSOCK", Some("accept")).expect("an opcode");
        assert!(
            found
                .iter()
                .any(|cause| cause.text.contains("not a socket"))
        );
        assert!(
            found
                .iter()
                .all(|cause| cause.functions.iter().all(|name| name.contains("accept")))
        );
    }

    #[test]
    fn every_request_can_be_cancelled() {
        let found = causes("ECANCELED", Some("read")).expect("an opcode");
        assert!(found.iter().any(|cause| cause.text.contains("cancelled")));
    }

    #[test]
    fn functions_are_named_as_people_do() {
        for name in ["io_uring_queue_init", "queue_init", "queue_init()"] {
            assert!(
                !causes("ENOMEM", Some(name)).expect("a function").is_empty(),
                "{name}"
            );
        }
        assert!(causes("ENOMEM", Some("frobnicate")).is_err());
    }
}
