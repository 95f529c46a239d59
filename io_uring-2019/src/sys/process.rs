//! This process and its threads: ids, limits, signals, CPUs.

use core::ffi::{c_int, c_uint};

use uring_core::errno::{Errno, Result};
use uring_core::kernel::Native;

use super::call::{address, check, nr};

/// This process's id.
pub fn id() -> c_int {
    // SAFETY: no memory is involved.
    unsafe { Native::call(nr::GETPID, [0; 6]) as c_int }
}

/// Whether the calling thread runs on its alternate signal stack.
pub fn is_on_signal_stack() -> bool {
    const SS_ONSTACK: u64 = 1;
    // stack_t is: ss_sp, ss_flags and padding, ss_size.
    let mut stack = [0u64; 3];
    // SAFETY: no new stack is set, and there is room for a stack_t.
    let asked =
        check(unsafe { Native::call(nr::SIGALTSTACK, [0, address(&raw mut stack), 0, 0, 0, 0]) });
    asked.is_ok() && stack[1] & SS_ONSTACK != 0
}

/// The soft limit of this process for a resource.
pub fn limit(resource: usize) -> Result<u64> {
    let mut limits = [0u64; 2];
    let args = [0, resource, 0, address(&raw mut limits), 0, 0];
    // SAFETY: no new limit is set, and there is room for the two numbers of struct rlimit64.
    check(unsafe { Native::call(nr::PRLIMIT64, args) })?;
    Ok(limits[0])
}

/// `RLIMIT_FSIZE`.
pub const FILE_SIZE: usize = 1;
/// `RLIMIT_MEMLOCK`.
pub const LOCKED_MEMORY: usize = 8;

/// A random number.
pub fn random() -> Result<u64> {
    const GRND_INSECURE: usize = 4;
    let mut number = 0u64;
    let args = [
        address(&raw mut number),
        size_of::<u64>(),
        GRND_INSECURE,
        0,
        0,
        0,
    ];
    // SAFETY: there is room for the number.
    check(unsafe { Native::call(nr::GETRANDOM, args) })?;
    Ok(number)
}

/// All signals but those that the thread's own instructions raise. If one of those is raised while blocked, the process
/// ends.
pub const INTERRUPTIONS: u64 = {
    const SIGILL: u64 = 4;
    const SIGTRAP: u64 = 5;
    const SIGBUS: u64 = 7;
    const SIGFPE: u64 = 8;
    const SIGSEGV: u64 = 11;
    !(1 << (SIGILL - 1)
        | 1 << (SIGTRAP - 1)
        | 1 << (SIGBUS - 1)
        | 1 << (SIGFPE - 1)
        | 1 << (SIGSEGV - 1))
};

/// Sets the calling thread's blocked signals, and returns what they were.
pub fn block_signals(set: u64) -> u64 {
    const SIG_SETMASK: usize = 2;
    let mut before = 0u64;
    let args = [
        SIG_SETMASK,
        address(&raw const set),
        address(&raw mut before),
        size_of::<u64>(),
        0,
        0,
    ];
    // SAFETY: both are signal sets of the given size. The call cannot fail.
    unsafe { Native::call(nr::RT_SIGPROCMASK, args) };
    before
}

/// Binds a thread to one CPU.
pub fn bind(thread: c_uint, cpu: u16) -> Result<()> {
    let mut set = [0u64; 16];
    let word = set.get_mut(cpu as usize / 64).ok_or(Errno::EINVAL)?;
    *word = 1 << (cpu % 64);
    let args = [
        thread as usize,
        size_of_val(&set),
        address(&raw const set),
        0,
        0,
        0,
    ];
    // SAFETY: the set has that many bytes.
    check(unsafe { Native::call(nr::SCHED_SETAFFINITY, args) }).map(drop)
}
