//! Writes the manual pages and the completions for shells, from the definitions of the command line.
//!
//! usage: pages MAN-FOLDER COMPLETIONS-FOLDER

#[allow(dead_code, reason = "the fields are read by the program")]
#[path = "../src/cli.rs"]
mod cli;

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

fn main() -> std::io::Result<()> {
    let mut folders = std::env::args_os().skip(1);
    let (Some(man), Some(completions)) = (folders.next(), folders.next()) else {
        eprintln!("usage: pages MAN-FOLDER COMPLETIONS-FOLDER");
        std::process::exit(2);
    };
    std::fs::create_dir_all(&man)?;
    std::fs::create_dir_all(&completions)?;
    // Each command has its page; a page for "help" would say nothing.
    let command = cli::Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command.clone(), Path::new(&man))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command.clone(), "uring", &completions)?;
    }
    Ok(())
}
