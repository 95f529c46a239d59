//! `uring`: says why io_uring is refused, what a kernel offers, how much a ring takes and what requests do.

mod bench;
mod cli;
mod decode;
mod doctor;
mod errors;
mod limits;
mod outcome;
mod output;
mod probe;
mod program;
mod rings;
mod run;
mod sys;
mod tables;
mod trace;

use std::io::Write;

use clap::Parser;

use cli::{Cli, Command};
use outcome::{Exit, Failure};
use output::Output;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(text) => return print(&text),
    };
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
    end(outcome.and_then(|exit| output.flush().map(|()| exit).map_err(Failure::from)))
}

/// Prints help, the version, or what is wrong with the arguments.
fn print(text: &clap::Error) -> std::process::ExitCode {
    match text.print().and_then(|()| std::io::stdout().flush()) {
        Ok(()) => (text.exit_code() as u8).into(),
        Err(error) => end(Err(error.into())),
    }
}

fn end(outcome: Result<Exit, Failure>) -> std::process::ExitCode {
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if failure.exit != Exit::Fine {
                eprintln!("uring: {}", failure.text);
            }
            failure.exit.into()
        }
    }
}
