//! The three system calls of io_uring, and how they ended.

use std::ptr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use uring_core::abi::io_uring_params;
use uring_core::kernel::{Kernel, Native};

use super::errno;

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub enum Answer {
    /// It was not made.
    #[default]
    NotMade,
    /// Its result.
    Gave(i32),
    /// Its error number, positive.
    Refused(i32),
    /// It ended the process by this signal.
    Killed(i32),
    /// It did not return.
    Hung,
}

impl Answer {
    pub fn from_core(ret: uring_core::errno::Ret) -> Self {
        ret.check()
            .map_or_else(|error| Self::Refused(-error.as_ret()), Self::Gave)
    }

    pub fn worked(self) -> bool {
        matches!(self, Self::Gave(_))
    }

    pub fn refused_with(self, number: i32) -> bool {
        self == Self::Refused(number)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::NotMade => f.write_str("not tried"),
            Self::Gave(_) => f.write_str("works"),
            Self::Refused(number) => f.write_str(&errno::name(number)),
            Self::Killed(signal) => match nix::sys::signal::Signal::try_from(signal) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {signal}"),
            },
            Self::Hung => f.write_str("hung"),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

const RETRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// Tries again for a tenth of a second. Rings that were closed take a moment to go: until then their threads and their
/// memory count.
pub fn patiently(mut attempt: impl FnMut() -> Answer) -> Answer {
    const MAY_PASS: [i32; 3] = [libc::ENOMEM, libc::EAGAIN, libc::ECANCELED];
    let mut answer = attempt();
    for _ in 0..RETRIES {
        if !MAY_PASS.iter().any(|&number| answer.refused_with(number)) {
            break;
        }
        std::thread::sleep(PAUSE);
        answer = attempt();
    }
    answer
}

/// `io_uring_setup` without parameters: `EFAULT` where the kernel looks at them.
pub fn setup_nothing() -> Answer {
    // SAFETY: the kernel answers a null pointer with an error, and touches no memory.
    Answer::from_core(unsafe { Native::setup(0, ptr::null_mut()) })
}

/// `io_uring_enter` on no ring: `EBADF` where the kernel looks for it.
pub fn enter_nothing() -> Answer {
    enter(-1, 0)
}

/// `io_uring_enter` with nothing to submit or to wait for.
pub fn enter(fd: i32, flags: u32) -> Answer {
    // SAFETY: nothing is submitted, and there is no argument.
    Answer::from_core(unsafe { Native::enter(fd, 0, 0, flags, ptr::null(), 0) })
}

/// `io_uring_register` on no ring: `EBADF` or `EINVAL` where the kernel looks for it.
pub fn register_nothing() -> Answer {
    register(-1, u32::MAX >> 1)
}

/// `io_uring_register` without an argument.
pub fn register(fd: i32, opcode: u32) -> Answer {
    // SAFETY: a null pointer is refused or not looked at.
    Answer::from_core(unsafe { Native::register(fd, opcode, ptr::null(), 0) })
}

/// Sets a ring up and closes it again. Says what it gave in `params`.
pub fn setup(entries: u32, params: &mut io_uring_params) -> Answer {
    // SAFETY: `params` is a set of parameters that names no memory but the caller's.
    let answer = Answer::from_core(unsafe { Native::setup(entries, params) });
    if let Answer::Gave(fd) = answer {
        // Nothing is in flight, so that closing has nothing to report.
        let _ = Native::close(fd);
    }
    answer
}
