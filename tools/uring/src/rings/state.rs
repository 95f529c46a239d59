//! What `uring top` shows: rings, and what each did since the last look.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::fdinfo::RingInfo;
use super::{Held, complaint, look};

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
    /// How long there have been completions of which the program takes none.
    pub unreaped: Duration,
}

/// A program that takes no completion for this long has forgotten the ring, or hangs.
const LONG: Duration = Duration::from_secs(3);

impl Row {
    /// What is wrong with the ring, now or for a while.
    pub fn complaint(&self) -> Option<String> {
        complaint(&self.held.info).or_else(|| {
            (self.unreaped >= LONG).then(|| {
                format!(
                    "nobody reaps: {} completions, and none was taken for {} s",
                    self.held.info.unseen(),
                    self.unreaped.as_secs()
                )
            })
        })
    }
}

/// A ring at the last look.
struct Past {
    row: Row,
    when: Instant,
    /// When it last had no completion, or the program took one.
    reaped: Instant,
}

/// What is on the screen.
pub struct State {
    pub rows: Vec<Row>,
    pub hidden: u32,
    pub sort: Column,
    pub paused: bool,
    pub at: usize,
    before: HashMap<(i32, i32, u64), Past>,
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
            let past = self.before.get(&key);
            if let Some(past) = past.filter(|_| held.info.in_use) {
                // What was seen last stands until there is something to see again.
                let (row, when, reaped) = (past.row.clone(), past.when, past.reaped);
                self.rows.push(row.clone());
                seen.insert(key, Past { row, when, reaped });
                continue;
            }
            let before = past.map(|past| (&past.row.held, now.duration_since(past.when)));
            let reaped = match past {
                Some(past) if stands(&past.row.held.info, &held.info) => past.reaped,
                _ => now,
            };
            let mut row = row(held, before);
            row.unreaped = now.duration_since(reaped);
            self.rows.push(row.clone());
            let when = now;
            seen.insert(key, Past { row, when, reaped });
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

/// Counters only grow, and wrap. Their difference is what a ring did since the last look.
fn row(held: Held, before: Option<(&Held, Duration)>) -> Row {
    let known = before.filter(|(old, passed)| !passed.is_zero() && !old.info.in_use);
    let Some((old, passed)) = known else {
        return Row {
            held,
            submitted: 0.0,
            completed: 0.0,
            busy: None,
            unreaped: Duration::ZERO,
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
        unreaped: Duration::ZERO,
        held,
    }
}

/// Whether there are completions, and none was taken since the last look.
fn stands(old: &RingInfo, new: &RingInfo) -> bool {
    old.unseen() > 0 && new.unseen() > 0 && old.cq_head == new.cq_head
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn completions_that_nobody_takes() {
        let (old, new) = (held(0, 4, None), held(4, 8, None));
        assert!(stands(&old.info, &new.info));
        let mut late = row(new, Some((&old, Duration::from_secs(1))));
        assert_eq!(late.complaint(), None);
        late.unreaped = LONG;
        assert!(
            late.complaint()
                .is_some_and(|text| text.contains("8 completions"))
        );
        let mut taken = held(4, 8, None);
        taken.info.cq_head = 1;
        assert!(!stands(&old.info, &taken.info));
        assert!(!stands(&held(0, 0, None).info, &old.info));
    }

    #[test]
    fn a_new_ring_has_no_rate() {
        let new = row(held(10, 40, None), None);
        assert_eq!((new.submitted, new.busy), (0.0, None));
    }
}
