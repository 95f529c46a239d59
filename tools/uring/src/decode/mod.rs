//! `uring decode`: bytes of SQEs, words of flags and lines of strace, in words.

mod sqe;
mod strace;

use std::io::{BufRead, IsTerminal};

use serde::Serialize;

use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::Output;
use crate::tables::{self, Group};

pub fn run(options: &cli::Decode, output: &mut Output) -> Outcome {
    match options.what.as_slice() {
        [] => lines(output),
        [kind, word] if kind.group().is_some() => flags(kind, word, output),
        words => {
            let text = words
                .iter()
                .map(|word| word.as_str())
                .collect::<Vec<_>>()
                .join(" ");
            one(&text, output)
        }
    }
}

/// A word of what is to be decoded, which may name a group of flags.
trait Word {
    fn group(&self) -> Option<Group>;
}

impl Word for String {
    fn group(&self) -> Option<Group> {
        Some(match self.as_str() {
            "setup" => Group::Setup,
            "features" => Group::Feature,
            "enter" => Group::Enter,
            "sqe" => Group::Sqe,
            "cqe" => Group::Cqe,
            "sq" => Group::SqRing,
            "op" => Group::Op,
            "register" => Group::Register,
            _ => return None,
        })
    }
}

const HOW: &str = "give 64 or 128 bytes of an SQE in hexadecimal digits, or a group and a number (setup, features, enter, \
                   sqe, cqe, sq, op, register: uring decode setup 0x3000), or a line of strace";

fn flags(kind: &String, word: &str, output: &mut Output) -> Outcome {
    #[derive(Serialize)]
    struct Flags {
        value: u64,
        names: Vec<String>,
    }
    let number = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    };
    let value = number.ok_or_else(|| Failure::usage(format!("{word} is no number: {HOW}")))?;
    let group = kind.group().unwrap_or(Group::Setup);
    let text = match group {
        Group::Op | Group::Register => {
            let name = group.name(value).ok_or_else(|| {
                Failure::usage(format!("{value} has no name among the {}", group.title()))
            })?;
            name.full.to_owned()
        }
        _ => group.flags(value),
    };
    output.json(
        "decode",
        &Flags {
            value,
            names: text.split('|').map(str::to_owned).collect(),
        },
    )?;
    for part in text.split('|') {
        let known = tables::find(part);
        let meaning =
            known.map(|name| format!("  since {:<5} {}", name.since(), name.text.replace('`', "")));
        let meaning = match meaning {
            Some(meaning) => meaning,
            None if part == "0" => String::new(),
            None => "  no name is known for this".to_owned(),
        };
        output.line(format!("{part:<24}{meaning}"))?;
    }
    Ok(Exit::Fine)
}

/// One SQE, or one line.
fn one(text: &str, output: &mut Output) -> Outcome {
    #[derive(Serialize)]
    struct Sqe {
        fields: Vec<sqe::Field>,
    }
    if text.contains("io_uring_") || text.contains("IORING_") {
        output.json(
            "decode",
            &Line {
                lines: vec![strace::line(text)],
            },
        )?;
        output.line(strace::line(text))?;
        return Ok(Exit::Fine);
    }
    let bytes = sqe::hex(text).ok_or_else(|| Failure::usage(HOW))?;
    let Some(first) = bytes
        .first_chunk::<64>()
        .filter(|_| bytes.len() == 64 || bytes.len() == 128)
    else {
        return Err(Failure::usage(format!(
            "{} bytes are no SQE: {HOW}",
            bytes.len()
        )));
    };
    let fields = sqe::fields(first);
    for field in &fields {
        let meaning = field
            .meaning
            .as_deref()
            .map(|text| format!("  {text}"))
            .unwrap_or_default();
        output.line(format!("{:<12} {:#x}{meaning}", field.name, field.value))?;
    }
    if bytes.len() == 128 {
        let rest: Vec<_> = bytes[64..]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        output.line(format!("{:<12} {}", "cmd (rest)", rest.join("")))?;
    }
    output.json("decode", &Sqe { fields })?;
    Ok(Exit::Fine)
}

#[derive(Serialize)]
struct Line {
    lines: Vec<String>,
}

/// What strace wrote, from the standard input.
fn lines(output: &mut Output) -> Outcome {
    if std::io::stdin().is_terminal() {
        return Err(Failure::usage(HOW));
    }
    let mut decoded = Line { lines: Vec::new() };
    for line in std::io::stdin().lock().lines() {
        let text = strace::line(&line?);
        output.line(&text)?;
        if output.json {
            decoded.lines.push(text);
        }
    }
    output.json("decode", &decoded)?;
    Ok(Exit::Fine)
}
