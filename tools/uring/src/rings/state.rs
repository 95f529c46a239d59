//! What `uring top` shows: rings, and what each did since the last look.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Held, look};

/// What the rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Submitted,
    Completed,
    Unseen,
    Overflow,
    Busy,
}

impl Column {
    pub const ALL: [Column; 5] = [
        Column::Submitted,
        Column::Completed,
        Column::Unseen,
        Column::Overflow,
        Column::Busy,
    ];

    pub fn next(self) -> Self {
        let at = Self::ALL
            .iter()
            .position(|column| *column == self)
            .unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    pub fn value(self, row: &Row) -> f64 {
        match self {
            Column::Submitted => row.submitted,
            Column::Completed => row.completed,
            Column::Unseen => f64::from(row.held.info.unseen()),
            Column::Overflow => row.held.info.overflow as f64,
            Column::Busy => row.busy.unwrap_or(0.0),
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Column::Submitted => "SUBMIT/s",
            Column::Completed => "COMPL/s",
            Column::Unseen => "UNSEEN",
            Column::Overflow => "OVERFLOW",
            Column::Busy => "BUSY",
        }
    }
}

/// A ring with what it did since the last look.
#[derive(Clone)]
pub struct Row {
    pub held: Held,
    /// Requests that the kernel took, and completions, in a second.
    pub submitted: f64,
    pub completed: f64,
    /// The share of the time that the submission thread worked, since the last look.
    pub busy: Option<f64>,
}

/// What is on the screen.
pub struct State {
    pub rows: Vec<Row>,
    pub hidden: u32,
    pub sort: Column,
    pub paused: bool,
    pub at: usize,
    before: HashMap<(i32, i32, u64), (Held, Instant)>,
}

impl State {
    pub fn new() -> Self {
        Self {
            rows: Vec::new(),
            hidden: 0,
            sort: Column::Submitted,
            paused: false,
            at: 0,
            before: HashMap::new(),
        }
    }

    /// Looks again.
    pub fn refresh(&mut self, pids: &[i32]) {
        let found = look(pids);
        let now = Instant::now();
        self.hidden = found.hidden;
        let mut seen = HashMap::new();
        self.rows.clear();
        for held in found.rings {
            let key = (held.pid, held.fd, held.info.inode);
            let before = self
                .before
                .get(&key)
                .map(|(old, when)| (old, now.duration_since(*when)));
            self.rows.push(row(held.clone(), before));
            seen.insert(key, (held, now));
        }
        self.before = seen;
        self.order();
    }

    pub fn order(&mut self) {
        let sort = self.sort;
        self.rows.sort_by(|a, b| {
            let by = sort.value(b).total_cmp(&sort.value(a));
            by.then_with(|| (a.held.pid, a.held.fd).cmp(&(b.held.pid, b.held.fd)))
        });
        self.at = self.at.min(self.rows.len().saturating_sub(1));
    }
}

/// Counters run on for ever and wrap; what a ring did is their difference.
fn row(held: Held, before: Option<(&Held, Duration)>) -> Row {
    let Some((old, passed)) = before.filter(|(_, passed)| !passed.is_zero()) else {
        return Row {
            held,
            submitted: 0.0,
            completed: 0.0,
            busy: None,
        };
    };
    let rate = |new: u32, old: u32| f64::from(new.wrapping_sub(old)) / passed.as_secs_f64();
    let (new, old) = (&held.info, &old.info);
    let (submitted, completed) = (
        rate(new.sq_head, old.sq_head),
        rate(new.cq_tail, old.cq_tail),
    );
    let spent = |new: Option<u64>, old: Option<u64>| Some(new?.saturating_sub(old?));
    let busy = match (
        spent(new.sq_work_time, old.sq_work_time),
        spent(new.sq_total_time, old.sq_total_time),
    ) {
        (Some(work), Some(total)) if total > 0 && new.sq_thread.is_some() => {
            Some(work as f64 / total as f64)
        }
        _ => None,
    };
    Row {
        submitted,
        completed,
        busy,
        held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rings::fdinfo::RingInfo;

    fn held(sq_head: u32, cq_tail: u32, times: Option<(u64, u64)>) -> Held {
        let info = RingInfo {
            sq_head,
            cq_tail,
            sq_thread: times.map(|_| 7),
            sq_work_time: times.map(|(work, _)| work),
            sq_total_time: times.map(|(_, total)| total),
            ..RingInfo::default()
        };
        Held {
            pid: 1,
            comm: "a".to_owned(),
            fd: 3,
            workers: 0,
            info,
        }
    }

    #[test]
    fn rates_are_differences_that_wrap() {
        let old = held(u32::MAX - 9, 0, Some((0, 0)));
        let new = row(
            held(10, 40, Some((30, 40))),
            Some((&old, Duration::from_secs(2))),
        );
        assert_eq!((new.submitted, new.completed), (10.0, 20.0));
        assert_eq!(new.busy, Some(0.75));
    }

    #[test]
    fn a_new_ring_has_no_rate() {
        let new = row(held(10, 40, None), None);
        assert_eq!((new.submitted, new.busy), (0.0, None));
    }
}
