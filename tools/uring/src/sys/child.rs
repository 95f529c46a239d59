//! Running code in a child process, as a filter may kill the process.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// How the child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Well,
    Killed(i32),
    Hung,
}

const LIMIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_micros(200);

/// Runs `work` in a child process. It writes its findings to `T` one by one, so those before an early end survive. No
/// descriptor is needed, as there may be none left.
///
/// # Errors
///
/// What `mmap` or `fork` gave.
pub fn run<T: Copy + Default>(work: impl FnOnce(&mut T)) -> Result<(T, Ended), Errno> {
    let size = NonZeroUsize::new(size_of::<T>()).unwrap_or(NonZeroUsize::MIN);
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping replaces nothing.
    let memory = unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_SHARED) }?;
    let shared = memory.cast::<T>().as_ptr();
    // SAFETY: the mapping is large enough for a `T` and aligned to a page.
    unsafe { shared.write(T::default()) };
    // SAFETY: this program has one thread where this is called, so that the child finds no lock held.
    let ended = match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            no_core();
            // SAFETY: the child alone writes, and the parent reads when it has ended.
            work(unsafe { &mut *shared });
            // SAFETY: ends the child without running what the parent has registered for its own end.
            unsafe { libc::_exit(0) }
        }
        Ok(ForkResult::Parent { child }) => Ok(wait(child)),
        Err(error) => Err(error),
    };
    // SAFETY: the child has ended or never was, so that nobody writes, and the mapping is used no more.
    let found = unsafe {
        let found = shared.read_volatile();
        let _ = munmap(memory, size.get());
        found
    };
    ended.map(|ended| (found, ended))
}

/// A filter that kills would leave a core file behind.
fn no_core() {
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
}

fn wait(child: nix::unistd::Pid) -> Ended {
    let until = Instant::now() + LIMIT;
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ended::Killed(signal as i32),
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return Ended::Well,
        }
        if Instant::now() >= until {
            let _ = kill(child, Signal::SIGKILL);
            let _ = waitpid(child, None);
            return Ended::Hung;
        }
        std::thread::sleep(PAUSE);
    }
}
