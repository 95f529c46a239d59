//! `uring`: says why io_uring is refused, what a kernel offers, how much a ring takes and what requests do.

mod bench;
mod cli;
mod decode;
mod doctor;
mod errors;
mod limits;
mod output;
mod probe;
mod rings;
mod run;
mod sys;
mod tables;
mod trace;

use clap::Parser;

use cli::{Cli, Command};
use output::Output;

/// How a command ended: the exit status of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is wrong.
    Fine,
    /// Something wrong was found.
    Wrong,
    /// The command line, or what it names, makes no sense.
    Usage,
    /// Rights are missing, so that there is no answer.
    NoRights,
    /// There is no io_uring here.
    Absent,
    /// What the program that was run ended with.
    Other(u8),
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Fine => 0,
            Exit::Wrong => 1,
            Exit::Usage => 2,
            Exit::NoRights => 3,
            Exit::Absent => 77,
            Exit::Other(status) => status,
        }
        .into()
    }
}

/// Why a command could not do its work: one line with cause and cure, and the exit status.
#[derive(Debug)]
pub struct Failure {
    pub text: String,
    pub exit: Exit,
}

impl Failure {
    pub fn usage(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            exit: Exit::Usage,
        }
    }

    pub fn rights(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            exit: Exit::NoRights,
        }
    }

    pub fn wrong(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            exit: Exit::Wrong,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A reader that has seen enough, such as head, is no fault.
        let exit = match error.kind() {
            std::io::ErrorKind::BrokenPipe => Exit::Fine,
            std::io::ErrorKind::PermissionDenied => Exit::NoRights,
            _ => Exit::Wrong,
        };
        Self {
            text: error.to_string(),
            exit,
        }
    }
}

pub type Outcome = Result<Exit, Failure>;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(&cli.common);
    let outcome = match cli.command {
        Command::Doctor(options) => doctor::run(&options, &mut output),
        Command::Probe(options) => probe::run(&options, &mut output),
        Command::Limits(options) => limits::run(&options, &mut output),
        Command::Stat(options) => rings::stat::run(&options, &mut output),
        Command::Top(options) => rings::top::run(&options),
        Command::Trace(options) => trace::run(&options, &mut output),
        Command::Decode(options) => decode::run(&options, &mut output),
        Command::Errno(options) => errors::run(&options, &mut output),
        Command::Bench(options) => bench::run(&options, &mut output),
        Command::Run(options) => run::run(&options),
    };
    match outcome.and_then(|exit| output.flush().map(|()| exit).map_err(Failure::from)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if failure.exit != Exit::Fine {
                eprintln!("uring: {}", failure.text);
            }
            failure.exit.into()
        }
    }
}
