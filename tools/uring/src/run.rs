//! `uring run`: a program with another flavour of the library, or without io_uring.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli;
use crate::outcome::{Failure, Outcome};
use crate::sys::filter::{self, Action};
use crate::sys::proc::{CAP_SYS_ADMIN, Status};

pub fn run(options: &cli::Run) -> Outcome {
    let [program, arguments @ ..] = options.command.as_slice() else {
        return Err(Failure::usage("no program is named"));
    };
    let path = find(program)?;
    let mut command = Command::new(&path);
    command.args(arguments).arg0(program);
    if options.disable {
        disable(&path)?;
    } else {
        let name = if options.check { "check" } else { "fallback" };
        let library = flavour(name, options.library.as_deref())?;
        preloadable(&path, name)?;
        let mut list = library.into_os_string();
        if let Some(before) = std::env::var_os("LD_PRELOAD").filter(|before| !before.is_empty()) {
            list.push(":");
            list.push(before);
        }
        command.env("LD_PRELOAD", list);
    }
    let error = command.exec();
    Err(Failure::usage(format!("{}: {error}", path.display())))
}

/// As the shell finds programs.
fn find(program: &OsString) -> Result<PathBuf, Failure> {
    let given = Path::new(program);
    if given.components().count() > 1 {
        return if given.exists() {
            Ok(given.to_owned())
        } else {
            Err(Failure::usage(format!(
                "{}: there is no such file",
                given.display()
            )))
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let executable = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(executable);
    found.ok_or_else(|| {
        Failure::usage(format!(
            "{}: there is no such program in PATH",
            given.display()
        ))
    })
}

/// Set-up gives ENOSYS from now on, as on a kernel without io_uring. This reaches static programs too.
fn disable(path: &Path) -> Result<(), Failure> {
    let privileged = Status::read("self")
        .unwrap_or_default()
        .capable(CAP_SYS_ADMIN);
    if setuid(path) && !privileged {
        return Err(Failure::rights(format!(
            "{} is setuid, and would lose that behind a filter that is set without CAP_SYS_ADMIN: run uring as root",
            path.display()
        )));
    }
    filter::install(&[filter::SETUP], Action::Errno(libc::ENOSYS as u16)).map_err(|error| {
        Failure::wrong(format!(
            "the filter cannot be set (CONFIG_SECCOMP_FILTER): {error}"
        ))
    })
}

fn setuid(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.permissions().mode() & 0o6000 != 0)
}

/// Where flavours of the library are installed.
fn flavour(name: &str, given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return path
            .canonicalize()
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())));
    }
    let below = format!("liburing-{name}/liburing.so.2");
    let own = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.parent()?.to_owned()));
    let prefixes = own
        .into_iter()
        .chain([PathBuf::from("/usr/local"), PathBuf::from("/usr")]);
    let triplet = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    for prefix in prefixes.clone() {
        for folder in [triplet.as_str(), "lib64", "lib"] {
            let path = prefix.join(folder).join(&below);
            if path.exists() {
                return Ok(path);
            }
        }
    }
    let looked: Vec<_> = prefixes
        .map(|prefix| prefix.display().to_string())
        .collect();
    Err(Failure::usage(format!(
        "the {name} flavour of the library is not installed: there is no {below} in a library folder of {} (or name it \
         with --library)",
        looked.join(", ")
    )))
}

/// Whether the dynamic linker will heed LD_PRELOAD for this program.
fn preloadable(path: &Path, flavour: &str) -> Result<(), Failure> {
    let cannot = |why: &str| {
        let text = format!(
            "{} cannot be given the {flavour} flavour: {why}",
            path.display()
        );
        Err(Failure::usage(text))
    };
    if setuid(path) {
        return cannot(
            "it is setuid, and the dynamic linker ignores LD_PRELOAD for those (run it as its owner, from a copy without that bit)",
        );
    }
    match kind(path) {
        Kind::Static => cannot(
            "it is linked statically, and loads no library (link it with the flavour's archive instead)",
        ),
        Kind::Dynamic | Kind::Script => Ok(()),
        Kind::Unknown => cannot("it is no program for this machine"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Dynamic,
    Static,
    /// Its interpreter is what is loaded.
    Script,
    Unknown,
}

fn kind(path: &Path) -> Kind {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut head));
    if read.is_err() {
        Kind::Unknown
    } else {
        kind_of(&head)
    }
}

/// A program that names a dynamic linker (PT_INTERP) is loaded by it.
fn kind_of(head: &[u8]) -> Kind {
    const PT_INTERP: u64 = 3;
    if head.starts_with(b"#!") {
        return Kind::Script;
    }
    if !head.starts_with(b"\x7fELF") {
        return Kind::Unknown;
    }
    let wide = head.get(4) == Some(&2);
    let little = head.get(5) == Some(&1);
    let read = |at: usize, size: usize| -> Option<u64> {
        let bytes = head.get(at..at.checked_add(size)?)?;
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if little {
            bytes.iter().rev().fold(0, join)
        } else {
            bytes.iter().fold(0, join)
        })
    };
    let (table, size, count) = if wide {
        (read(32, 8), read(54, 2), read(56, 2))
    } else {
        (read(28, 4), read(42, 2), read(44, 2))
    };
    let (Some(table), Some(size), Some(count)) = (table, size, count) else {
        return Kind::Unknown;
    };
    let types = (0..count).map(|index| read((table.saturating_add(index * size)) as usize, 4));
    if types.into_iter().any(|kind| kind == Some(PT_INTERP)) {
        Kind::Dynamic
    } else {
        Kind::Static
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_programs() {
        assert_eq!(kind(Path::new("/bin/sh")), Kind::Dynamic);
        assert_eq!(kind_of(b"#!/bin/sh\n"), Kind::Script);
        assert_eq!(kind_of(b"hello"), Kind::Unknown);
        assert_eq!(kind_of(b"\x7fELF"), Kind::Unknown);
        let mut elf = vec![0u8; 120];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[32], elf[54], elf[56]) = (64, 56, 1);
        assert_eq!(kind_of(&elf), Kind::Static);
        elf[64] = 3;
        assert_eq!(kind_of(&elf), Kind::Dynamic);
    }
}
