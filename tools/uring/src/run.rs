//! `uring run`: a program with another flavour of the library, or without io_uring.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli;
use crate::outcome::{Failure, Outcome};
use crate::program::{self, Gain, Kind};
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
        command.env("LD_PRELOAD", preloaded(&library)?);
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
    let status = Status::read("self").unwrap_or_default();
    // Who may gain nothing has nothing to lose.
    let keeps = status.capable(CAP_SYS_ADMIN) || status.no_new_privs == Some(1);
    if let (Some(gain), false) = (program::gains(path), keeps) {
        return Err(Failure::rights(format!(
            "{} {}, and would lose that behind a filter that is set without CAP_SYS_ADMIN: run uring as root",
            path.display(),
            gain.has()
        )));
    }
    filter::install(&[filter::SETUP], Action::Errno(libc::ENOSYS as u16)).map_err(|error| {
        Failure::wrong(format!(
            "the filter cannot be set (CONFIG_SECCOMP_FILTER): {error}"
        ))
    })
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

/// What LD_PRELOAD has to be. A program in another language may be linked to liburing-ffi, whose functions have other
/// versions, so that goes with the library.
fn preloaded(library: &Path) -> Result<OsString, Failure> {
    let ffi = library.with_file_name("liburing-ffi.so.2");
    let beside = (ffi != library && ffi.exists()).then_some(ffi.as_os_str());
    let before = std::env::var_os("LD_PRELOAD").filter(|before| !before.is_empty());
    let ends_a_name = |byte: &u8| matches!(byte, b' ' | b':');
    if library.as_os_str().as_bytes().iter().any(ends_a_name) {
        return Err(Failure::usage(format!(
            "{} cannot be preloaded: LD_PRELOAD ends a name at a space or colon",
            library.display()
        )));
    }
    let parts: Vec<&OsStr> = [Some(library.as_os_str()), beside, before.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    Ok(parts.join(OsStr::new(":")))
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
    // Of a script, what counts is its interpreter.
    let interpreter = program::interpreter(path);
    let (path, ran) = match &interpreter {
        Some(interpreter) => (interpreter.as_path(), "its interpreter"),
        None => (path, "it"),
    };
    if let Some(gain) = program::gains(path) {
        let owner = match gain {
            Gain::Setuid => " (run it as its owner, or from a copy without that bit)",
            Gain::Setgid | Gain::Capabilities => " (run it from a copy without that)",
        };
        return cannot(&format!(
            "{ran} {}, and the dynamic linker ignores LD_PRELOAD where that gives privileges{owner}",
            gain.has()
        ));
    }
    match program::kind(path) {
        Kind::Static => cannot(&format!(
            "{ran} is linked statically, and loads no library (link it with the flavour's archive instead)"
        )),
        Kind::Musl => cannot(&format!(
            "{ran} is linked to musl, and the flavour to glibc"
        )),
        Kind::Narrow => cannot(&format!("{ran} is a 32-bit program")),
        Kind::Dynamic | Kind::Script => Ok(()),
        Kind::Unknown => cannot(&format!("{ran} is no program for this machine")),
    }
}
