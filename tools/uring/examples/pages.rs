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
    trim(Path::new(&man))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command.clone(), "uring", &completions)?;
    }
    Ok(())
}

/// Takes away the blanks that end lines of the pages.
fn trim(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("uring"))
        {
            let text = std::fs::read_to_string(&path)?;
            let lines = text.lines().map(|line| line.trim_end().to_owned() + "\n");
            std::fs::write(&path, lines.collect::<String>())?;
        }
    }
    Ok(())
}
