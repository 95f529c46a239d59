//! A seccomp filter on io_uring's system calls.

use std::io;

/// What happens to a call. The tests make programs die too.
#[allow(dead_code, reason = "the program itself only refuses")]
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// It gives this error.
    Errno(u16),
    /// The process ends by SIGSYS, which nothing can catch.
    Kill,
    /// The process gets SIGSYS.
    Trap,
}

pub const SETUP: u32 = libc::SYS_io_uring_setup as u32;
pub const ENTER: u32 = libc::SYS_io_uring_enter as u32;
pub const REGISTER: u32 = libc::SYS_io_uring_register as u32;

const LOAD_NUMBER: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Installs the filter for this process and for the programs that it executes. Without CAP_SYS_ADMIN the process can no
/// longer gain privileges, as setuid programs would.
///
/// # Errors
///
/// The kernel's.
pub fn install(calls: &[u32], action: Action) -> io::Result<()> {
    let verdict = match action {
        Action::Errno(number) => libc::SECCOMP_RET_ERRNO | u32::from(number),
        Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        Action::Trap => libc::SECCOMP_RET_TRAP,
    };
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut program = vec![step(LOAD_NUMBER, 0, 0, 0)];
    for (at, &number) in calls.iter().enumerate() {
        let after = (calls.len() - at) as u8;
        program.push(step(JUMP_IF_EQUAL, after, 0, number));
    }
    program.push(step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    program.push(step(RETURN, 0, 0, verdict));
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the filter's program outlives the call, which copies it.
    unsafe {
        if libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 {
            return Ok(());
        }
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        match libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &filter) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
