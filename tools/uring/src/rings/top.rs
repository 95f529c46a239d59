//! `uring top`: the rings by what they do, again and again.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use super::screen::{self, Column};
use super::{Held, look};
use crate::cli;
use crate::{Exit, Failure, Outcome};

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
    fn refresh(&mut self, pids: &[i32]) {
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

    fn order(&mut self) {
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

pub fn run(options: &cli::Top) -> Outcome {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "top needs a terminal: uring stat prints the same once, for pipes and files",
        ));
    }
    let interval = Duration::try_from_secs_f64(options.interval)
        .ok()
        .filter(|interval| *interval >= Duration::from_millis(50))
        .ok_or_else(|| Failure::usage("the interval is a number of seconds, 0.05 or more"))?;
    let mut state = State::new();
    state.refresh(&options.pids);
    let mut terminal = ratatui::try_init()?;
    let ended = interact(&mut terminal, &mut state, options, interval);
    ratatui::restore();
    ended?;
    Ok(Exit::Fine)
}

fn interact(
    terminal: &mut ratatui::DefaultTerminal,
    state: &mut State,
    options: &cli::Top,
    interval: Duration,
) -> std::io::Result<()> {
    let mut next = Instant::now() + interval;
    loop {
        terminal.draw(|frame| screen::draw(frame, state))?;
        let now = Instant::now();
        if now >= next {
            if !state.paused {
                state.refresh(&options.pids);
            }
            next = now + interval;
            continue;
        }
        if !event::poll(next - now)? {
            continue;
        }
        let Event::Key(key) = event::read()? else {
            continue;
        };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
            KeyCode::Char(' ') => state.paused = !state.paused,
            KeyCode::Char('s') | KeyCode::Right => state.sort = state.sort.next(),
            KeyCode::Down | KeyCode::Char('j') => state.at += 1,
            KeyCode::Up | KeyCode::Char('k') => state.at = state.at.saturating_sub(1),
            _ => {}
        }
        state.order();
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
