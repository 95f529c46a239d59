//! `uring bench`: how long requests take here, beside plain system calls.

mod work;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::{Output, duration};
use crate::sys::available;
use work::Work;

const ROUNDS: usize = 12;
const ROUND: Duration = Duration::from_millis(60);

/// Times of one way of doing something, in nanoseconds for each operation.
#[derive(Serialize)]
struct Row {
    what: String,
    median_ns: f64,
    /// A quarter of the rounds was faster, a quarter slower.
    low_ns: f64,
    high_ns: f64,
}

#[derive(Serialize)]
struct Report {
    kernel: String,
    cpu: String,
    governor: Option<String>,
    /// Mitigations of the processor's faults that are in force.
    mitigations: usize,
    rounds: usize,
    rows: Vec<Row>,
}

pub fn run(options: &cli::Bench, output: &mut Output) -> Outcome {
    available()?;
    let works = work::all(&options.what, options.compare)
        .map_err(|error| Failure::wrong(format!("the bench cannot be set up: {error}")))?;
    let shown = std::io::stderr().is_terminal() && output.text();
    let target = if shown {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some((works.len() * ROUNDS) as u64), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    let mut times: Vec<Vec<f64>> = works.iter().map(|_| Vec::new()).collect();
    let mut works = works;
    // Rounds of all take turns, so that a disturbance hits all alike.
    for _ in 0..ROUNDS {
        for (work, times) in works.iter_mut().zip(&mut times) {
            bar.set_message(work.name.clone());
            times.push(round(work)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let rows = works
        .iter()
        .zip(times)
        .map(|(work, times)| row(work.name.clone(), times))
        .collect();
    let report = report(rows);
    output.json("bench", &report)?;
    text(&report, output)?;
    Ok(Exit::Fine)
}

fn round(work: &mut Work) -> Result<f64, Failure> {
    let failed = |number: i32| {
        Failure::wrong(format!(
            "{}: {}",
            work.name,
            crate::sys::errno::name(number)
        ))
    };
    let start = Instant::now();
    let mut done = 0u64;
    loop {
        for _ in 0..8 {
            done += (work.run)().map_err(failed)?;
        }
        let passed = start.elapsed();
        if passed >= ROUND {
            return Ok(passed.as_nanos() as f64 / done.max(1) as f64);
        }
    }
}

fn row(what: String, mut times: Vec<f64>) -> Row {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        times
            .get(((times.len() - 1) as f64 * share) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    Row {
        what,
        median_ns: at(0.5),
        low_ns: at(0.25),
        high_ns: at(0.75),
    }
}

fn report(rows: Vec<Row>) -> Report {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .ok()
            .map(|text| text.trim().to_owned())
    };
    let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let faults = std::fs::read_dir("/sys/devices/system/cpu/vulnerabilities")
        .into_iter()
        .flatten()
        .flatten();
    let mitigated = faults.filter(|entry| {
        std::fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("Mitigation"))
    });
    Report {
        kernel: read("/proc/sys/kernel/osrelease").unwrap_or_default(),
        cpu: cpu
            .map(|(_, name)| name.trim().to_owned())
            .unwrap_or_default(),
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        mitigations: mitigated.count(),
        rounds: ROUNDS,
        rows,
    }
}

fn text(report: &Report, output: &mut Output) -> std::io::Result<()> {
    let governor = report
        .governor
        .as_deref()
        .map(|name| format!(", governor {name}"))
        .unwrap_or_default();
    output.line(format!(
        "Linux {}, {}{governor}, {} mitigations, {} rounds",
        report.kernel, report.cpu, report.mitigations, report.rounds
    ))?;
    let rows = report.rows.iter().map(|row| {
        let spread = format!(
            "{} to {}",
            duration(row.low_ns as u64),
            duration(row.high_ns as u64)
        );
        vec![
            row.what.clone(),
            duration(row.median_ns as u64),
            spread,
            format!("{:.0}", 1e9 / row.median_ns.max(0.1)),
        ]
    });
    output.table(
        &["", "MEDIAN", "HALF OF THE ROUNDS", "PER SECOND"],
        &rows.collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_and_median() {
        let row = row("a".to_owned(), vec![5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!((row.low_ns, row.median_ns, row.high_ns), (2.0, 3.0, 4.0));
    }
}
