//! `uring top`: the rings by what they do, again and again.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use super::screen;
use super::state::State;
use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::sys::proc;

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
    for &pid in &options.pids {
        proc::there(pid)?;
    }
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
