//! Where a trace goes: lines, JSON, a time line, a summary.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::Value;

use super::format::{Event, Kind};
use super::lines::{self, Names};
use super::perfetto;
use super::requests::{Done, Sink};
use super::summary::Summary;
use crate::cli;
use crate::output::{Output, SCHEMA};
use crate::{Failure, tables};

pub struct Report<'a> {
    options: &'a cli::Trace,
    output: &'a mut Output,
    pub summary: Summary,
    names: Names,
    /// When the trace began; times are from there.
    pub start: u64,
    listed: u64,
    slices: u64,
    timeline: Option<BufWriter<File>>,
    picture: Option<BufWriter<File>>,
    /// Lines for people go to the standard error, as those of strace do, when a program has the standard output.
    aside: bool,
    /// The first write that failed, such as to a pipe that was closed.
    pub failed: Option<std::io::Error>,
}

impl<'a> Report<'a> {
    pub fn new(options: &'a cli::Trace, output: &'a mut Output) -> Result<Self, Failure> {
        // Opened now, so that a wrong name is reported before the program runs.
        let picture = options.svg.as_deref().map(create).transpose()?;
        let mut timeline = options.perfetto.as_deref().map(create).transpose()?;
        if let Some(file) = &mut timeline {
            file.write_all(b"{\"traceEvents\":[\n")?;
        }
        let aside = !options.command.is_empty() && !output.json && options.output.is_none();
        let mut report = Self {
            options,
            output,
            summary: Summary::default(),
            names: Names::default(),
            start: 0,
            listed: 0,
            slices: 0,
            timeline,
            picture,
            aside,
            failed: None,
        };
        if report.output.json && report.listing() {
            report.write(&format!(
                "{{\"schema\":{SCHEMA},\"command\":\"trace\",\"requests\":["
            ));
        }
        Ok(report)
    }

    /// The program's name, read early: a short program may end before its first line is written.
    pub fn name_child(&mut self, pid: i32, program: &OsStr) {
        let name = Path::new(program).file_name().unwrap_or(program);
        self.names.name_thread(pid, &name.to_string_lossy());
    }

    /// Whether each completion is listed.
    fn listing(&self) -> bool {
        !self.options.summary && !self.options.latency
    }

    fn write(&mut self, text: &str) {
        let done = if !self.aside {
            self.output.raw(text)
        } else if self.output.quiet {
            Ok(())
        } else {
            std::io::stderr().write_all(text.as_bytes())
        };
        if let Err(error) = done {
            self.failed.get_or_insert(error);
        }
    }

    fn line(&mut self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    pub fn warn(&mut self, text: &str) {
        if !self.output.quiet {
            eprintln!("uring: {text}");
        }
    }

    pub fn flush(&mut self) {
        if let Err(error) = self.output.flush() {
            self.failed.get_or_insert(error);
        }
    }

    fn slice(&mut self, done: &Done) -> std::io::Result<()> {
        let Some(file) = &mut self.timeline else {
            return Ok(());
        };
        let Some(pair) = perfetto::slices(done, self.slices, self.names.ring(done.ctx)) else {
            return Ok(());
        };
        for value in pair {
            let comma = if self.slices == 0 && value["ph"] == "b" {
                ""
            } else {
                ",\n"
            };
            write!(file, "{comma}{value}")?;
        }
        self.slices += 1;
        Ok(())
    }

    /// Ends what was begun, and prints the totals.
    pub fn finish(mut self, totals: &super::summary::Totals) -> Result<(), Failure> {
        if let Some(mut file) = self.timeline.take() {
            file.write_all(b"\n]}\n")?;
            file.flush()?;
        }
        if let Some(mut file) = self.picture.take() {
            let title = format!(
                "{} completions in {:.3} s",
                self.summary
                    .ops
                    .values()
                    .map(|op| op.completions)
                    .sum::<u64>(),
                totals.seconds
            );
            file.write_all(super::picture::svg(&self.summary, &title).as_bytes())?;
            file.flush()?;
        }
        if self.output.json && self.listing() {
            let text = serde_json::to_string(totals).map_err(std::io::Error::from)?;
            self.write(&format!("\n],\"summary\":{text}}}\n"));
        } else if self.output.json {
            self.output.json("trace", totals)?;
        } else if !self.listing() {
            if self.options.latency {
                super::summary::spread(&self.summary, self.output)?;
            }
            super::summary::text(totals, self.output)?;
        }
        match self.failed.take() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path);
    file.map(BufWriter::new)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

impl Sink for Report<'_> {
    fn done(&mut self, done: &Done) {
        self.summary.add(done);
        if let Err(error) = self.slice(done) {
            self.failed.get_or_insert(error);
        }
        if !self.listing() || (self.options.failed && done.result >= 0) {
            return;
        }
        if self.output.json {
            let value: Value = lines::completion_json(done, self.start);
            let comma = if self.listed == 0 { "\n" } else { ",\n" };
            self.write(&format!("{comma}{value}"));
        } else {
            let text = lines::completion(done, &mut self.names, self.start);
            self.line(&text);
        }
        self.listed += 1;
    }

    fn event(&mut self, event: &Event) {
        if event.kind == Kind::Create {
            self.names.created(event);
        }
        if !self.listing() || self.output.json {
            return;
        }
        // The name is had while the thread is there.
        self.names.thread(event.tid);
        let failure = matches!(event.kind, Kind::Failed | Kind::FailLink | Kind::ShortWrite)
            || (event.kind == Kind::Register && event.result < 0);
        if self.options.failed && !failure {
            return;
        }
        if let Some(text) = lines::event(event, &mut self.names, self.start, self.options.all) {
            self.line(&text);
        }
    }
}

/// The number of an opcode that a filter names.
pub fn opcode(text: &str) -> Result<u8, Failure> {
    tables::find_op(text)
        .map(|name| name.value as u8)
        .ok_or_else(|| Failure::usage(format!("{text} is no opcode (uring probe lists them)")))
}
