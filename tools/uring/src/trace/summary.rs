//! What a trace comes to: counts and latencies by opcode.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::requests::{Counts, Done};
use crate::output::{Output, duration};
use crate::sys::errno;
use crate::tables::op_name;

/// Latencies are kept to a hundredth, up to a day.
const LONGEST: u64 = 86_400_000_000_000;
const DIGITS: u8 = 2;

pub struct OfOp {
    pub completions: u64,
    pub punted: u64,
    pub polled: u64,
    pub overflowed: u64,
    pub broken_links: u64,
    pub errors: BTreeMap<i64, u64>,
    pub latency: Histogram<u64>,
}

impl Default for OfOp {
    fn default() -> Self {
        let latency = Histogram::new_with_max(LONGEST, DIGITS)
            .unwrap_or_else(|_| unreachable!("constants that fit"));
        Self {
            completions: 0,
            punted: 0,
            polled: 0,
            overflowed: 0,
            broken_links: 0,
            errors: BTreeMap::new(),
            latency,
        }
    }
}

#[derive(Default)]
pub struct Summary {
    pub ops: BTreeMap<u8, OfOp>,
}

impl Summary {
    pub fn add(&mut self, done: &Done) {
        let Some(request) = done.request else { return };
        let op = self.ops.entry(request.opcode).or_default();
        op.completions += 1;
        op.punted += u64::from(request.punted);
        op.polled += u64::from(request.polled > 0);
        op.overflowed += u64::from(done.overflowed);
        op.broken_links += u64::from(request.broke_link);
        if done.result < 0 {
            *op.errors.entry(done.result).or_default() += 1;
        }
        op.latency
            .saturating_record(done.latency.unwrap_or(0).max(1));
    }
}

#[derive(Serialize)]
pub struct Totals {
    #[serde(flatten)]
    pub counts: CountsJson,
    /// Requests without a completion at the end.
    pub in_flight: u64,
    /// Trace events that found no room: with any, the other numbers are too low.
    pub lost_events: u64,
    pub seconds: f64,
    pub ops: Vec<Op>,
}

#[derive(Serialize)]
pub struct CountsJson {
    requests: u64,
    completions: u64,
    skipped: u64,
    submitted_before: u64,
    overflows: u64,
    rings: u64,
}

#[derive(Serialize)]
pub struct Op {
    op: String,
    completions: u64,
    errors: BTreeMap<String, u64>,
    punted: u64,
    polled: u64,
    overflowed: u64,
    broken_links: u64,
    p50_ns: u64,
    p90_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

pub fn totals(
    summary: &Summary,
    counts: Counts,
    in_flight: (u64, u64),
    lost: u64,
    ns: u64,
) -> Totals {
    let (pending, silent) = in_flight;
    let op = |(&opcode, op): (&u8, &OfOp)| Op {
        op: op_name(opcode),
        completions: op.completions,
        errors: op
            .errors
            .iter()
            .map(|(&error, &count)| (errno::result(error), count))
            .collect(),
        punted: op.punted,
        polled: op.polled,
        overflowed: op.overflowed,
        broken_links: op.broken_links,
        p50_ns: op.latency.value_at_quantile(0.5),
        p90_ns: op.latency.value_at_quantile(0.9),
        p99_ns: op.latency.value_at_quantile(0.99),
        max_ns: op.latency.max(),
    };
    Totals {
        counts: CountsJson {
            requests: counts.requests,
            completions: counts.completions,
            skipped: counts.skipped + silent,
            submitted_before: counts.unmatched,
            overflows: counts.overflows,
            rings: counts.rings,
        },
        in_flight: pending - silent,
        lost_events: lost,
        seconds: ns as f64 / 1e9,
        ops: summary.ops.iter().map(op).collect(),
    }
}

/// How latencies are spread: a line for each power of two, with a bar.
pub fn spread(summary: &Summary, output: &mut Output) -> std::io::Result<()> {
    const BAR: u64 = 50;
    for (&opcode, op) in &summary.ops {
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for value in op.latency.iter_recorded() {
            *counts
                .entry(value.value_iterated_to().max(1).ilog2())
                .or_default() += value.count_at_value();
        }
        let most = counts.values().copied().max().unwrap_or(1).max(1);
        output.line(format!(
            "{}: {} completions",
            op_name(opcode),
            op.completions
        ))?;
        let (Some((&first, _)), Some((&last, _))) =
            (counts.first_key_value(), counts.last_key_value())
        else {
            continue;
        };
        for power in first..=last {
            let count = counts.get(&power).copied().unwrap_or(0);
            let bar = "#".repeat((count * BAR).div_ceil(most) as usize);
            output.line(format!(
                "  {:>8} and more {count:>9}  {bar}",
                duration(1 << power)
            ))?;
        }
    }
    Ok(())
}

pub fn text(totals: &Totals, output: &mut Output) -> std::io::Result<()> {
    let share = |part: u64, all: u64| match part {
        0 => "-".to_owned(),
        _ => format!("{:.0}%", 100.0 * part as f64 / all.max(1) as f64),
    };
    let rows = totals.ops.iter().map(|op| {
        vec![
            op.op.clone(),
            op.completions.to_string(),
            op.errors.values().sum::<u64>().to_string(),
            share(op.punted, op.completions),
            share(op.polled, op.completions),
            duration(op.p50_ns),
            duration(op.p90_ns),
            duration(op.p99_ns),
            duration(op.max_ns),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        output.table(
            &[
                "OP", "COUNT", "ERRORS", "WORKER", "POLL", "P50", "P90", "P99", "MAX",
            ],
            &rows,
        )?;
    }
    for op in &totals.ops {
        for (error, count) in &op.errors {
            output.line(format!("{} {error}: {count}", op.op))?;
        }
    }
    let counts = &totals.counts;
    output.line(format!(
        "{} requests, {} completions, {} rings, {:.3} s",
        counts.requests, counts.completions, counts.rings, totals.seconds
    ))?;
    let others = [
        (totals.in_flight, "requests had not completed at the end"),
        (
            counts.skipped,
            "requests asked for no completion (IOSQE_CQE_SKIP_SUCCESS)",
        ),
        (
            counts.submitted_before,
            "completions of requests from before",
        ),
        (counts.overflows, "completions found no room in the CQ"),
    ];
    for (count, what) in others.iter().filter(|(count, _)| *count > 0) {
        output.line(format!("{count} {what}"))?;
    }
    Ok(())
}
