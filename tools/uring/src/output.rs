//! What all commands print through: text or JSON, colour, and silence.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::cli::{Color, Common};

/// The version of the JSON form. It changes when a field goes or changes its meaning, not when one is added.
pub const SCHEMA: u32 = 1;

/// The emphasis of a piece of text, shown if there is colour.
#[derive(Clone, Copy)]
pub enum Style {
    Good,
    Warning,
    Bad,
    Bold,
}

pub struct Output {
    out: BufWriter<Box<dyn Write>>,
    pub json: bool,
    pub quiet: bool,
    color: bool,
    /// Of the terminal.
    columns: usize,
}

/// Columns of a table are so far apart.
const WIDE: usize = 2;

impl Output {
    pub fn new(common: &Common) -> Self {
        let color = match common.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
            }
        };
        Self {
            out: BufWriter::new(Box::new(io::stdout())),
            json: common.json,
            quiet: common.quiet,
            color,
            columns: if io::stdout().is_terminal() {
                ratatui::crossterm::terminal::size()
                    .map_or(usize::MAX, |(columns, _)| columns.into())
            } else {
                usize::MAX
            },
        }
    }

    /// Sends everything to a file instead, without colour.
    pub fn redirect(&mut self, file: File) {
        self.out = BufWriter::new(Box::new(file));
        self.color = false;
        self.columns = usize::MAX;
    }

    /// Whether text is wanted.
    pub fn text(&self) -> bool {
        !self.json && !self.quiet
    }

    pub fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        if self.text() {
            writeln!(self.out, "{}", text.as_ref().trim_end())
        } else {
            Ok(())
        }
    }

    /// Writes text unchanged: the parts of a JSON object that is too long to keep in memory.
    pub fn raw(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        if self.quiet {
            Ok(())
        } else {
            self.out.write_all(text.as_ref().as_bytes())
        }
    }

    /// Prints one object with the schema's number and the command's name in front.
    pub fn json(&mut self, command: &str, answer: &impl Serialize) -> io::Result<()> {
        #[derive(Serialize)]
        struct Envelope<'a, T> {
            schema: u32,
            command: &'a str,
            #[serde(flatten)]
            answer: &'a T,
        }
        if !self.json || self.quiet {
            return Ok(());
        }
        serde_json::to_writer_pretty(
            &mut self.out,
            &Envelope {
                schema: SCHEMA,
                command,
                answer,
            },
        )?;
        writeln!(self.out)
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub fn paint(&self, style: Style, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match style {
            Style::Good => "32",
            Style::Warning => "33",
            Style::Bad => "31",
            Style::Bold => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Prints rows below a header. Columns that hold numbers in the first row stand to the right.
    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        if !self.text() {
            return Ok(());
        }
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(header);
        table.add_rows(rows);
        // Closer together where the terminal is too narrow.
        let widest = |index: usize| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            let widths = cells.map(|cell| cell.chars().count());
            widths.chain([header[index].len()]).max().unwrap_or(0)
        };
        let width: usize = (0..header.len()).map(|index| widest(index) + WIDE).sum();
        let gap = if width > self.columns { 1 } else { WIDE as u16 };
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, gap));
            let numeric = rows
                .iter()
                .filter_map(|row| row.get(index))
                .find(|cell| *cell != "-");
            if numeric.is_some_and(|cell| cell.starts_with(|c: char| c.is_ascii_digit())) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for (number, line) in table.to_string().lines().enumerate() {
            let line = line.trim_end();
            // The whole row is coloured: codes within a cell would count as its characters.
            let line = if number == 0 {
                self.paint(Style::Bold, line)
            } else {
                line.to_owned()
            };
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }
}

/// A number of bytes as people read it.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut rest = count as f64;
    while rest >= 1024.0 && unit + 1 < UNITS.len() {
        rest /= 1024.0;
        unit += 1;
    }
    if rest.fract() == 0.0 {
        format!("{rest:.0} {}", UNITS[unit])
    } else {
        format!("{rest:.1} {}", UNITS[unit])
    }
}

/// A duration in nanoseconds as people read it: three significant digits.
pub fn duration(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_to_a_tenth() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(16384), "16 KiB");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16777216 TiB");
    }

    #[test]
    fn durations_have_three_digits() {
        assert_eq!(duration(999), "999 ns");
        assert_eq!(duration(1234), "1.23 µs");
        assert_eq!(duration(45_678), "45.7 µs");
        assert_eq!(duration(456_789_000), "457 ms");
    }
}
