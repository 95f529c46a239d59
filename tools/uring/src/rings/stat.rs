//! `uring stat`: every ring at this moment.

use serde::Serialize;

use super::{Held, complaint, look};
use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::{Output, Style};
use crate::sys::proc;

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    held: Held,
    pending: u32,
    unseen: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    complaint: Option<String>,
}

#[derive(Serialize)]
struct Report {
    rings: Vec<Row>,
    /// Processes that may not be looked into.
    hidden: u32,
}

pub fn run(options: &cli::Stat, output: &mut Output) -> Outcome {
    for &pid in &options.pids {
        proc::there(pid)?;
    }
    let found = look(&options.pids);
    let row = |held: Held| Row {
        pending: held.info.pending(),
        unseen: held.info.unseen(),
        complaint: complaint(&held.info),
        held,
    };
    let report = Report {
        rings: found.rings.into_iter().map(row).collect(),
        hidden: found.hidden,
    };
    output.json("stat", &report)?;
    if !report.rings.is_empty() {
        output.table(&HEADER, &report.rings.iter().map(cells).collect::<Vec<_>>())?;
    }
    if report.rings.iter().any(|row| row.held.info.in_use) {
        output.line(
            "rings without numbers were in use at every look: uring trace shows what they do",
        )?;
    }
    let mut wrong = false;
    for row in &report.rings {
        if let Some(complaint) = &row.complaint {
            wrong = true;
            let warn = output.paint(Style::Warning, "warn");
            output.line(format!(
                "{warn}  {} ({}), ring {}: {complaint}",
                row.held.comm, row.held.pid, row.held.fd
            ))?;
        }
    }
    if report.hidden > 0 {
        let (processes, whose) = match report.hidden {
            1 => ("process", "its"),
            _ => ("processes", "their"),
        };
        let hidden = format!(
            "{} {processes} may not be looked into: run as root to see {whose} rings",
            report.hidden
        );
        if report.rings.is_empty() {
            return Err(Failure::rights(hidden));
        }
        output.line(hidden)?;
    } else if report.rings.is_empty() {
        output.line("no ring is open")?;
    }
    Ok(if wrong { Exit::Wrong } else { Exit::Fine })
}

const HEADER: [&str; 14] = [
    "PID", "COMMAND", "FD", "SQ", "PENDING", "CQ", "UNSEEN", "OVERFLOW", "POLLS", "FILES", "BUFS",
    "SQTHREAD", "BUSY", "WORKERS",
];

fn cells(row: &Row) -> Vec<String> {
    let (held, info) = (&row.held, &row.held.info);
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    if info.in_use {
        let mut cells = vec![dash(None); HEADER.len()];
        (cells[0], cells[1], cells[2]) =
            (held.pid.to_string(), held.comm.clone(), held.fd.to_string());
        cells[HEADER.len() - 1] = held.workers.to_string();
        return cells;
    }
    vec![
        held.pid.to_string(),
        held.comm.clone(),
        held.fd.to_string(),
        info.sq_entries.to_string(),
        row.pending.to_string(),
        info.cq_entries.to_string(),
        row.unseen.to_string(),
        info.overflow.to_string(),
        info.polled().to_string(),
        info.files.to_string(),
        info.buffers.to_string(),
        dash(info.sq_thread.map(|id| id.to_string())),
        dash(
            info.busy()
                .filter(|_| info.sq_thread.is_some())
                .map(|share| format!("{:.0}%", share * 100.0)),
        ),
        held.workers.to_string(),
    ]
}
