//! `uring doctor -- CMD`: runs a program and watches its io_uring calls.

use std::collections::HashMap;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, execvp, fork};
use serde::Serialize;

use super::evidence::{self, Evidence};
use super::trial::Trial;
use super::{bpf, process};
use crate::outcome::Failure;
use crate::sys::calls::Answer;
use crate::sys::errno;
use crate::sys::filter::{ENTER, REGISTER, SETUP};
use crate::sys::proc::{Limits, Status};
use crate::tables::Group;

/// The outcome of a program's calls.
#[derive(Default, Serialize)]
pub struct Watched {
    pub rings: u64,
    /// Calls that were refused, and how often.
    pub refused: Vec<(String, u64)>,
    /// How the program ended.
    pub ended: String,
    /// What the process was like when the first ring was refused.
    #[serde(skip)]
    pub first_refusal: Option<Evidence>,
}

/// A system call of a thread, and its result once it has returned.
#[derive(Clone, Copy)]
struct Call {
    number: u64,
    arguments: [u64; 6],
    result: Option<i64>,
}

impl Call {
    fn is_io_uring(&self) -> bool {
        [SETUP, ENTER, REGISTER]
            .map(u64::from)
            .contains(&self.number)
    }

    /// The kernel takes the lower halves of the registers. The upper ones may hold anything.
    fn shown(&self, flags: Option<u64>) -> String {
        let a = &self.arguments;
        if self.number == u64::from(SETUP) {
            let flags = flags.map(|word| format!(", {}", Group::Setup.flags(word)));
            let flags = flags.unwrap_or_default();
            format!("io_uring_setup({}{flags})", a[0] as u32)
        } else if self.number == u64::from(ENTER) {
            format!(
                "io_uring_enter({}, {}, {})",
                a[0] as i32, a[1] as u32, a[2] as u32
            )
        } else {
            let code = a[1] as u32;
            let name = Group::Register.name(u64::from(code & 0x7fff_ffff));
            let name = name.map_or_else(|| code.to_string(), |name| name.short().to_owned());
            format!("io_uring_register({}, {name})", a[0] as i32)
        }
    }
}

/// Errors of a wait that are no refusal.
const ORDINARY: [i32; 4] = [libc::EAGAIN, libc::EBUSY, libc::EINTR, libc::ETIME];

pub fn run(command: &[OsString]) -> Result<Watched, Failure> {
    let arguments: Vec<CString> = command
        .iter()
        .filter_map(|word| CString::new(word.as_bytes()).ok())
        .collect();
    let Some(program) = arguments.first() else {
        return Err(Failure::usage("no program is named"));
    };
    // SAFETY: this program has one thread here; the child calls nothing but system calls before it executes.
    match unsafe { fork() }.map_err(|error| Failure::wrong(format!("fork: {error}")))? {
        ForkResult::Child => {
            let _ = ptrace::traceme();
            let _ = raise(Signal::SIGSTOP);
            let _ = execvp(program, &arguments);
            // SAFETY: ends the child alone.
            unsafe { libc::_exit(127) }
        }
        ForkResult::Parent { child } => watch(child, &command[0]),
    }
}

fn watch(child: Pid, program: &OsString) -> Result<Watched, Failure> {
    let failed = |error: Errno| {
        Failure::rights(format!(
            "the program cannot be watched (ptrace: {error}): run as its user, outside of a container that forbids it"
        ))
    };
    waitpid(child, Some(WaitPidFlag::__WALL)).map_err(failed)?;
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEEXIT
        | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(child, options).map_err(failed)?;
    ptrace::syscall(child, None).map_err(failed)?;
    let mut watched = Watched::default();
    let mut calls: HashMap<Pid, Call> = HashMap::new();
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
            Ok(status) => status,
            Err(Errno::EINTR) => continue,
            Err(_) => break,
        };
        match status {
            WaitStatus::PtraceSyscall(pid) => {
                note(pid, &mut calls, &mut watched);
                let _ = ptrace::syscall(pid, None);
            }
            WaitStatus::Stopped(pid, signal) => {
                if signal == Signal::SIGSYS {
                    forbidden(pid, &calls, &mut watched);
                }
                // New threads begin with a stop of their own.
                let pass =
                    (signal != Signal::SIGSTOP && signal != Signal::SIGTRAP).then_some(signal);
                let _ = ptrace::syscall(pid, pass);
            }
            WaitStatus::PtraceEvent(pid, _, event) => {
                // A filter that kills shows no signal, only the exit.
                if event == libc::PTRACE_EVENT_EXIT
                    && ptrace::getevent(pid).is_ok_and(|how| how as i32 & 0x7f == libc::SIGSYS)
                {
                    forbidden(pid, &calls, &mut watched);
                }
                let _ = ptrace::syscall(pid, None);
            }
            WaitStatus::Exited(pid, code) if pid == child => {
                watched.ended = format!("exit status {code}");
                if code == 127 && watched.rings == 0 && watched.refused.is_empty() {
                    return Err(Failure::usage(format!(
                        "{} cannot be run, or ended with 127",
                        program.to_string_lossy()
                    )));
                }
            }
            WaitStatus::Signaled(pid, signal, _) if pid == child => {
                watched.ended = signal.to_string();
            }
            _ => {}
        }
    }
    Ok(watched)
}

/// Records the beginning or the end of a call.
fn note(pid: Pid, calls: &mut HashMap<Pid, Call>, watched: &mut Watched) {
    let Ok(info) = syscall_info(pid) else {
        return;
    };
    match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: the kernel has filled in this part of the union, as `op` says.
            let entry = unsafe { info.u.entry };
            let call = Call {
                number: entry.nr,
                arguments: entry.args,
                result: None,
            };
            calls.insert(pid, call);
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: as above.
            let ret_val = unsafe { info.u.exit.sval };
            let Some(call) = calls.get_mut(&pid) else {
                return;
            };
            call.result = Some(ret_val);
            if call.is_io_uring() {
                let call = *call;
                ended(pid, &call, ret_val, watched);
            }
        }
        _ => {}
    }
}

/// A call of io_uring that has returned.
fn ended(pid: Pid, call: &Call, result: i64, watched: &mut Watched) {
    let setup = call.number == u64::from(SETUP);
    if result >= 0 {
        watched.rings += u64::from(setup);
        return;
    }
    let error = -result as i32;
    if call.number == u64::from(ENTER) && ORDINARY.contains(&error) {
        return;
    }
    let flags = setup.then(|| setup_flags(pid, call.arguments[1])).flatten();
    count(
        watched,
        format!("{}: {}", call.shown(flags), errno::name(error)),
    );
    if setup && watched.first_refusal.is_none() {
        watched.first_refusal = Some(refusal(pid, Answer::Refused(error)));
    }
}

/// SIGSYS has come: a filter has refused the last call in the hardest way.
fn forbidden(pid: Pid, calls: &HashMap<Pid, Call>, watched: &mut Watched) {
    let Some(call) = calls.get(&pid).filter(|call| call.is_io_uring()) else {
        return;
    };
    let ended = call.shown(None);
    if watched
        .refused
        .iter()
        .any(|(known, _)| known.starts_with(&ended))
    {
        return;
    }
    // The kernel leaves the call's number in the result's place.
    if call.number == u64::from(SETUP) && call.result.is_some_and(|result| result >= 0) {
        watched.rings = watched.rings.saturating_sub(1);
    }
    count(watched, format!("{ended}: SIGSYS"));
    if watched.first_refusal.is_none() {
        watched.first_refusal = Some(refusal(pid, Answer::Killed(libc::SIGSYS)));
    }
}

/// Where a stopped thread is: at the beginning of a call or at its end.
fn syscall_info(pid: Pid) -> Result<libc::ptrace_syscall_info, Errno> {
    let mut info = std::mem::MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    // SAFETY: the kernel writes no more than the size it is told; all zeros are a value too.
    unsafe {
        let size = size_of::<libc::ptrace_syscall_info>();
        let request = libc::PTRACE_GET_SYSCALL_INFO;
        Errno::result(libc::ptrace(request, pid.as_raw(), size, info.as_mut_ptr()))?;
        Ok(info.assume_init())
    }
}

/// What the process is like while it is stopped at a refusal.
fn refusal(pid: Pid, answer: Answer) -> Evidence {
    let name = pid.to_string();
    let limits = std::fs::read_to_string(format!("/proc/{name}/limits")).unwrap_or_default();
    let mut trial = Trial {
        ring: answer,
        ..Trial::default()
    };
    if let Ok(answers) = bpf::of_stopped(pid.as_raw()) {
        trial.calls = [
            Answer::Refused(libc::EFAULT),
            Answer::Refused(libc::EBADF),
            Answer::Refused(libc::EINVAL),
        ];
        process::apply(&mut trial, answers);
        trial.ring = answer;
    }
    let mut evidence = evidence::gather(&name, trial, Limits::parse(&limits));
    evidence.status = Status::read(&name).unwrap_or_default();
    evidence
}

/// `flags` of the parameters, from the program's memory.
fn setup_flags(pid: Pid, parameters: u64) -> Option<u64> {
    let word = ptrace::read(pid, (parameters + 8) as ptrace::AddressType).ok()?;
    Some(word as u64 & 0xffff_ffff)
}

fn count(watched: &mut Watched, call: String) {
    match watched.refused.iter_mut().find(|(known, _)| *known == call) {
        Some((_, times)) => *times += 1,
        None => watched.refused.push((call, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_halves_of_registers_are_not_shown() {
        let junk = 0x7265_7473_0000_0000;
        let shown = |number: u32, low: [u64; 3]| {
            let [a, b, c] = low.map(|word| word | junk);
            let call = Call {
                number: number.into(),
                arguments: [a, b, c, 0, 0, 0],
                result: None,
            };
            call.shown(None)
        };
        assert_eq!(shown(SETUP, [8, 0, 0]), "io_uring_setup(8)");
        assert_eq!(
            shown(ENTER, [0xffff_ffff, 2, 3]),
            "io_uring_enter(-1, 2, 3)"
        );
        assert_eq!(
            shown(REGISTER, [5, 8, 0]),
            "io_uring_register(5, REGISTER_PROBE)"
        );
        assert_eq!(
            shown(REGISTER, [5, 0x7fff_ff00, 0]),
            "io_uring_register(5, 2147483392)"
        );
    }
}
