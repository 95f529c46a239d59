//! Runs a program where io_uring is refused or limited, for the tests of `uring doctor`.
//!
//! usage: refuse OPTION... -- CMD...
//!   --errno N      the three calls give this error number
//!   --kill         they end the process by SIGSYS
//!   --trap         they raise SIGSYS
//!   --only CALL    setup, enter or register alone (after --errno, --kill or --trap)
//!   --memlock N --nofile N --nproc N   limits
//!   --uid N        as this user, without privileges

#[path = "../src/sys/filter.rs"]
mod filter;

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use filter::Action;
use nix::sys::resource::{Resource, setrlimit};

fn wrong(what: &str) -> ! {
    eprintln!("refuse: {what}");
    exit(2)
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut action = None;
    let mut calls = vec![filter::SETUP, filter::ENTER, filter::REGISTER];
    let mut uid = None;
    while let Some(option) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .unwrap_or_else(|| wrong("a value is missing"))
        };
        let number = |text: String| {
            text.parse::<u64>()
                .unwrap_or_else(|_| wrong("that is no number"))
        };
        match option.as_str() {
            "--" => break,
            "--errno" => action = Some(Action::Errno(number(value()) as u16)),
            "--kill" => action = Some(Action::Kill),
            "--trap" => action = Some(Action::Trap),
            "--only" => {
                calls = vec![match value().as_str() {
                    "setup" => filter::SETUP,
                    "enter" => filter::ENTER,
                    _ => filter::REGISTER,
                }]
            }
            "--memlock" => limit(Resource::RLIMIT_MEMLOCK, number(value())),
            "--nofile" => limit(Resource::RLIMIT_NOFILE, number(value())),
            "--nproc" => limit(Resource::RLIMIT_NPROC, number(value())),
            "--uid" => uid = Some(number(value()) as u32),
            _ => wrong(&format!("unknown option {option}")),
        }
    }
    if let Some(uid) = uid {
        let plain = nix::unistd::setgroups(&[])
            .and_then(|()| nix::unistd::setgid(uid.into()))
            .and_then(|()| nix::unistd::setuid(uid.into()));
        plain.unwrap_or_else(|error| wrong(&format!("user {uid}: {error}")));
    }
    if let Some(action) = action {
        filter::install(&calls, action)
            .unwrap_or_else(|error| wrong(&format!("the filter: {error}")));
    }
    let program = arguments
        .next()
        .unwrap_or_else(|| wrong("no program is named"));
    let error = Command::new(&program).args(arguments).exec();
    wrong(&format!("{program}: {error}"))
}

fn limit(resource: Resource, value: u64) {
    setrlimit(resource, value, value)
        .unwrap_or_else(|error| wrong(&format!("a limit of {value}: {error}")));
}
