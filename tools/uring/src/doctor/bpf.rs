//! The verdicts of another process's seccomp filters on io_uring: reads the filters and interprets them for each call.

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::sys::calls::Answer;
use crate::sys::filter::{ENTER, REGISTER, SETUP};

/// A filter's step, as `PTRACE_SECCOMP_GET_FILTER` gives it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

const GET_FILTER: libc::c_uint = 0x420c;
#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCH: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const AUDIT_ARCH: u32 = 0xc000_00f3;
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
const AUDIT_ARCH: u32 = 0;

/// How a process's filters answer the three calls; `Gave` where they let a call through.
///
/// The process is stopped for a moment.
///
/// # Errors
///
/// `EACCES` without CAP_SYS_ADMIN; `EPERM` where the process may not be traced, or is traced already; `EIO` or
/// `EINVAL` where the kernel cannot give filters away.
pub fn verdicts(process: i32) -> Result<[Answer; 3], Errno> {
    let pid = Pid::from_raw(process);
    ptrace::seize(pid, ptrace::Options::empty())?;
    let answers = ptrace::interrupt(pid)
        .and_then(|()| waitpid(pid, None))
        .and_then(|_| of_stopped(process));
    let _ = ptrace::detach(pid, None);
    answers
}

/// [`verdicts`] of a process that is traced already, and stopped.
pub fn of_stopped(process: i32) -> Result<[Answer; 3], Errno> {
    let filters = filters(process)?;
    Ok([SETUP, ENTER, REGISTER].map(|number| answer(&filters, number)))
}

fn filters(process: i32) -> Result<Vec<Vec<Step>>, Errno> {
    let mut all = Vec::new();
    loop {
        let index = all.len();
        match get_filter(process, index, std::ptr::null_mut()) {
            Ok(length) => {
                let empty = libc::sock_filter {
                    code: 0,
                    jt: 0,
                    jf: 0,
                    k: 0,
                };
                let mut steps = vec![empty; length];
                get_filter(process, index, steps.as_mut_ptr())?;
                let step = |s: &libc::sock_filter| Step {
                    code: s.code,
                    jt: s.jt,
                    jf: s.jf,
                    k: s.k,
                };
                all.push(steps.iter().map(step).collect());
            }
            // There are no more.
            Err(Errno::ENOENT) => return Ok(all),
            Err(error) => return Err(error),
        }
    }
}

fn get_filter(process: i32, index: usize, steps: *mut libc::sock_filter) -> Result<usize, Errno> {
    // SAFETY: `steps` is null, which asks for the length, or has the length that was told.
    let done = unsafe { libc::ptrace(GET_FILTER as _, process, index, steps) };
    Errno::result(done).map(|length| length as usize)
}

/// What all filters together do with a call: the strictest action counts.
pub fn answer(filters: &[Vec<Step>], number: u32) -> Answer {
    let verdict = filters
        .iter()
        .filter_map(|steps| run(steps, number))
        .min_by_key(|&value| strictness(value));
    match verdict {
        Some(value) => match value & libc::SECCOMP_RET_ACTION_FULL {
            libc::SECCOMP_RET_ERRNO => Answer::Refused((value & libc::SECCOMP_RET_DATA) as i32),
            libc::SECCOMP_RET_KILL_PROCESS
            | libc::SECCOMP_RET_KILL_THREAD
            | libc::SECCOMP_RET_TRAP => Answer::Killed(libc::SIGSYS),
            // A supervisor process decides, and it cannot be asked.
            libc::SECCOMP_RET_USER_NOTIF | libc::SECCOMP_RET_TRACE => Answer::NotMade,
            _ => Answer::Gave(0),
        },
        None => Answer::Gave(0),
    }
}

/// Actions are ordered as signed numbers, the strictest first.
fn strictness(value: u32) -> i32 {
    (value & libc::SECCOMP_RET_ACTION_FULL) as i32
}

/// Interprets a filter for a call whose arguments are zero. `None` for an invalid program.
fn run(steps: &[Step], number: u32) -> Option<u32> {
    let data = |offset: u32| match offset {
        0 => number,
        4 => AUDIT_ARCH,
        _ => 0,
    };
    let (mut a, mut x, mut memory) = (0u32, 0u32, [0u32; 16]);
    let mut at = 0usize;
    // Jumps lead forward only, so that a program ends.
    loop {
        let step = steps.get(at)?;
        at += 1;
        let slot = step.k as usize;
        let source = if step.code & 0x08 != 0 { x } else { step.k };
        match step.code {
            0x20 => a = data(step.k),
            0x00 => a = step.k,
            0x01 => x = step.k,
            0x60 => a = *memory.get(slot)?,
            0x61 => x = *memory.get(slot)?,
            0x80 => a = 64,
            0x81 => x = 64,
            0x02 => *memory.get_mut(slot)? = a,
            0x03 => *memory.get_mut(slot)? = x,
            0x07 => x = a,
            0x87 => a = x,
            0x06 => return Some(step.k),
            0x16 => return Some(a),
            0x05 => at += slot,
            code if code & 0x07 == 0x05 => {
                let taken = match code & 0xf0 {
                    0x10 => a == source,
                    0x20 => a > source,
                    0x30 => a >= source,
                    0x40 => a & source != 0,
                    _ => return None,
                };
                at += usize::from(if taken { step.jt } else { step.jf });
            }
            code if code & 0x07 == 0x04 => {
                a = match code & 0xf0 {
                    0x00 => a.wrapping_add(source),
                    0x10 => a.wrapping_sub(source),
                    0x20 => a.wrapping_mul(source),
                    0x30 => a.checked_div(source)?,
                    0x40 => a | source,
                    0x50 => a & source,
                    0x60 => a.checked_shl(source).unwrap_or(0),
                    0x70 => a.checked_shr(source).unwrap_or(0),
                    0x80 => a.wrapping_neg(),
                    0xa0 => a ^ source,
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(steps: &[(u16, u8, u8, u32)]) -> Vec<Step> {
        steps
            .iter()
            .map(|&(code, jt, jf, k)| Step { code, jt, jf, k })
            .collect()
    }

    #[test]
    fn the_strictest_filter_counts() {
        let deny = program(&[
            (0x20, 0, 0, 0),
            (0x15, 0, 1, SETUP),
            (0x06, 0, 0, libc::SECCOMP_RET_ERRNO | 1),
            (0x06, 0, 0, libc::SECCOMP_RET_ALLOW),
        ]);
        let log = program(&[(0x06, 0, 0, libc::SECCOMP_RET_LOG)]);
        let kill = program(&[(0x06, 0, 0, libc::SECCOMP_RET_KILL_PROCESS)]);
        assert_eq!(
            answer(&[deny.clone(), log.clone()], SETUP),
            Answer::Refused(1)
        );
        assert_eq!(answer(&[deny.clone(), log], ENTER), Answer::Gave(0));
        assert_eq!(answer(&[deny, kill], SETUP), Answer::Killed(libc::SIGSYS));
    }

    #[test]
    fn other_architectures_and_ranges_are_compared() {
        // As libseccomp writes it: the architecture, then a search tree of numbers.
        let tree = program(&[
            (0x20, 0, 0, 4),
            (0x15, 0, 4, AUDIT_ARCH),
            (0x20, 0, 0, 0),
            (0x35, 0, 1, 425),
            (0x25, 0, 1, 427),
            (0x06, 0, 0, libc::SECCOMP_RET_ALLOW),
            (0x06, 0, 0, libc::SECCOMP_RET_ERRNO | 38),
        ]);
        assert_eq!(
            answer(std::slice::from_ref(&tree), 426),
            Answer::Refused(38)
        );
        assert_eq!(answer(std::slice::from_ref(&tree), 428), Answer::Gave(0));
    }

    #[test]
    fn nonsense_ends() {
        assert_eq!(run(&program(&[(0x05, 0, 0, 7)]), 1), None);
        assert_eq!(run(&program(&[(0xff, 0, 0, 7)]), 1), None);
        assert_eq!(run(&program(&[(0x60, 0, 0, 99)]), 1), None);
    }
}
