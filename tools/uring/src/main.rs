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
mod rings;
mod run;
mod sys;
mod tables;
mod trace;

use clap::Parser;

use cli::{Cli, Command};
use outcome::{Exit, Failure};
use output::Output;

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
