//! The screen of `uring top`.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row as TableRow, Table, TableState};

use super::state::{Row, State};

const HEADER: [(&str, u16); 13] = [
    ("PID", 8),
    ("COMMAND", 16),
    ("FD", 5),
    ("SUBMIT/s", 10),
    ("COMPL/s", 10),
    ("PENDING", 7),
    ("UNSEEN", 12),
    ("OVERFLOW", 8),
    ("POLLS", 6),
    ("FILES", 6),
    ("BUFS", 5),
    ("BUSY", 5),
    ("WORKERS", 7),
];
/// The columns of text, which stand to the left.
const TEXT: [&str; 1] = ["COMMAND"];

pub fn draw(frame: &mut Frame, state: &mut State) {
    let [summary, table, keys] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(head(state)), summary);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let header = HEADER.iter().map(|&(title, _)| {
        let style = if title == state.sort.title() {
            bold.fg(Color::Cyan)
        } else {
            bold
        };
        Cell::new(aligned(title, title.to_owned())).style(style)
    });
    let widths = HEADER.iter().map(|&(_, width)| Constraint::Length(width));
    let rows = state.rows.iter().map(line);
    let widget = Table::new(rows, widths)
        .header(TableRow::new(header))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut selected =
        TableState::default().with_selected((!state.rows.is_empty()).then_some(state.at));
    frame.render_stateful_widget(widget, table, &mut selected);
    let pause = if state.paused { "paused, " } else { "" };
    let help = format!("{pause}q quit  s sort by the next column  space pause  up/down choose");
    frame.render_widget(
        Paragraph::new(help).style(Style::new().add_modifier(Modifier::DIM)),
        keys,
    );
}

fn head(state: &State) -> Vec<Line<'static>> {
    let sum = |value: fn(&Row) -> f64| state.rows.iter().map(value).sum::<f64>();
    let mut first = format!(
        "uring top: {} rings, {} submitted/s, {} completed/s",
        state.rows.len(),
        rate(sum(|row| row.submitted)),
        rate(sum(|row| row.completed))
    );
    if state.hidden > 0 {
        first.push_str(&format!(
            ", {} processes hidden (run as root)",
            state.hidden
        ));
    }
    let warning = state.rows.iter().find_map(|row| {
        let text = row.complaint()?;
        Some(format!(
            "{} ({}), ring {}: {text}",
            row.held.comm, row.held.pid, row.held.fd
        ))
    });
    let second = warning.map_or_else(Line::default, |text| {
        Line::from(text).style(Style::new().fg(Color::Yellow))
    });
    vec![Line::from(first), second]
}

fn line(row: &Row) -> TableRow<'static> {
    let (held, info) = (&row.held, &row.held.info);
    let values = [
        held.pid.to_string(),
        held.comm.clone(),
        held.fd.to_string(),
        rate(row.submitted),
        rate(row.completed),
        info.pending().to_string(),
        format!("{}/{}", info.unseen(), info.cq_entries),
        info.overflow.to_string(),
        info.polled().to_string(),
        info.files.to_string(),
        info.buffers.to_string(),
        row.busy
            .map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0)),
        held.workers.to_string(),
    ];
    let style = if info.overflow > 0 {
        Style::new().fg(Color::Red)
    } else if row.complaint().is_some() {
        Style::new().fg(Color::Yellow)
    } else {
        Style::new()
    };
    let cells = HEADER
        .iter()
        .zip(values)
        .map(|(&(title, _), value)| Cell::new(aligned(title, value)));
    TableRow::new(cells).style(style)
}

fn aligned(title: &str, value: String) -> Line<'static> {
    if TEXT.contains(&title) {
        Line::from(value).left_aligned()
    } else {
        Line::from(value).right_aligned()
    }
}

/// A number in a second, in at most six characters.
fn rate(value: f64) -> String {
    match value {
        0.0..9_999.5 => format!("{value:.0}"),
        9_999.5..999_950.0 => format!("{:.1}k", value / 1e3),
        _ => format!("{:.2}M", value / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rings::Held;
    use crate::rings::fdinfo::RingInfo;
    use crate::rings::state::Column;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn shown(state: &mut State) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(120, 6)).expect("a screen in memory");
        terminal
            .draw(|frame| draw(frame, state))
            .expect("it is drawn");
        let buffer = terminal.backend().buffer();
        let line = |y| {
            (0..120)
                .map(|x| buffer[(x, y)].symbol())
                .collect::<String>()
                .trim_end()
                .to_owned()
        };
        (0..6).map(line).collect()
    }

    #[test]
    fn a_ring_that_overflows_is_warned_of() {
        let info =
            RingInfo::parse(include_str!("../../tests/data/fdinfo-overflow")).expect("a ring");
        let held = Held {
            pid: 42,
            comm: "rings".to_owned(),
            fd: 5,
            workers: 0,
            info,
        };
        let mut state = State::new();
        state.rows.push(Row {
            held,
            submitted: 1_234_567.0,
            completed: 20.0,
            busy: None,
            unreaped: std::time::Duration::ZERO,
        });
        let lines = shown(&mut state);
        assert_eq!(
            lines[0],
            "uring top: 1 rings, 1.23M submitted/s, 20 completed/s"
        );
        assert!(lines[1].starts_with("rings (42), ring 5: its CQ has overflowed: 12 completions"));
        let cells: Vec<_> = lines[3].split_whitespace().collect();
        assert_eq!(
            cells,
            [
                "42", "rings", "5", "1.23M", "20", "0", "8/8", "12", "0", "0", "0", "-", "0"
            ]
        );
    }

    #[test]
    fn no_ring_is_no_fault() {
        assert!(shown(&mut State::new())[0].contains("0 rings"));
    }

    #[test]
    fn columns_go_round() {
        let mut column = Column::Submitted;
        for _ in 0..Column::ALL.len() {
            column = column.next();
        }
        assert_eq!(column, Column::Submitted);
    }
}
