//! System calls beyond those of the seam.
//!
//! `/proc/thread-self` instead of `/proc/self`: the latter is the first thread, which may have ended, or have descriptors
//! of its own.

use core::ffi::{CStr, c_int, c_uint};
use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU32;

use uring_core::errno::{Errno, Result};
use uring_core::kernel::Native;

/// Numbers of system calls.
pub mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const FSTAT: usize = 5;
    pub const LSEEK: usize = 8;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const PREAD64: usize = 17;
    pub const SCHED_YIELD: usize = 24;
    pub const MADVISE: usize = 28;
    pub const GETPID: usize = 39;
    pub const KILL: usize = 62;
    pub const FCNTL: usize = 72;
    pub const FLOCK: usize = 73;
    pub const FTRUNCATE: usize = 77;
    pub const SIGALTSTACK: usize = 131;
    pub const GETTID: usize = 186;
    pub const FUTEX: usize = 202;
    pub const SCHED_SETAFFINITY: usize = 203;
    pub const GETDENTS64: usize = 217;
    pub const CLOCK_GETTIME: usize = 228;
    pub const TGKILL: usize = 234;
    pub const OPENAT: usize = 257;
    pub const PRLIMIT64: usize = 302;
    pub const PROCESS_VM_READV: usize = 310;
    pub const PROCESS_VM_WRITEV: usize = 311;
    pub const GETRANDOM: usize = 318;
    pub const MEMFD_CREATE: usize = 319;
    pub const PREADV2: usize = 327;
    pub const PWRITEV2: usize = 328;
}

/// A pointer as an argument.
pub fn address<T>(pointer: *const T) -> usize {
    pointer.expose_provenance()
}

/// What a call returned, or its error.
pub fn check(ret: isize) -> Result<usize> {
    match c_int::try_from(ret) {
        Ok(small) => Errno::check(small).map(|value| value as usize),
        Err(_) => Ok(ret as usize),
    }
}

/// The file's position, which is kept by the open file, not by the descriptor. `ESPIPE` if it has none.
pub fn position(fd: c_int) -> Result<u64> {
    const SEEK_CUR: usize = 1;
    // SAFETY: no memory is involved, and the position stays.
    check(unsafe { Native::call(nr::LSEEK, [fd as usize, 0, SEEK_CUR, 0, 0, 0]) })
        .map(|at| at as u64)
}

/// Moves the file's position.
pub fn seek(fd: c_int, position: u64) -> Result<()> {
    const SEEK_SET: usize = 0;
    // SAFETY: no memory is involved.
    check(unsafe {
        Native::call(
            nr::LSEEK,
            [fd as usize, position as usize, SEEK_SET, 0, 0, 0],
        )
    })
    .map(drop)
}

/// A new file in memory, which cannot be executed, closed on exec. `ENOSYS` before Linux 6.3.
pub fn memory_file(name: &CStr) -> Result<c_int> {
    const MFD_CLOEXEC: usize = 1;
    const MFD_NOEXEC_SEAL: usize = 8;
    let flags = MFD_CLOEXEC | MFD_NOEXEC_SEAL;
    // SAFETY: the name ends with a zero.
    check(unsafe {
        Native::call(
            nr::MEMFD_CREATE,
            [address(name.as_ptr()), flags, 0, 0, 0, 0],
        )
    })
    .map(|fd| fd as c_int)
    // The name is right, so it is a flag that the kernel does not know.
    .map_err(|error| {
        if error == Errno::EINVAL {
            Errno::ENOSYS
        } else {
            error
        }
    })
}

/// Sets a file's size.
pub fn resize(fd: c_int, size: u64) -> Result<()> {
    // SAFETY: no memory is involved; the caller's files are its own.
    check(unsafe { Native::call(nr::FTRUNCATE, [fd as usize, size as usize, 0, 0, 0, 0]) })
        .map(drop)
}

fn fcntl(fd: c_int, command: usize, argument: usize) -> Result<usize> {
    // SAFETY: none of the commands used here takes a pointer.
    check(unsafe { Native::call(nr::FCNTL, [fd as usize, command, argument, 0, 0, 0]) })
}

/// Keeps a file in memory at its size for good.
pub fn seal_size(fd: c_int) -> Result<()> {
    const F_ADD_SEALS: usize = 1033;
    const F_SEAL_SEAL: usize = 1;
    const F_SEAL_SHRINK: usize = 2;
    const F_SEAL_GROW: usize = 4;
    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW).map(drop)
}

/// The flags that a file was opened with (`O_*`).
pub fn open_flags(fd: c_int) -> Result<c_uint> {
    const F_GETFL: usize = 3;
    fcntl(fd, F_GETFL, 0).map(|flags| flags as c_uint)
}

/// A second descriptor, not below `lowest`, closed on exec.
pub fn duplicate(fd: c_int, lowest: c_int) -> Result<c_int> {
    const F_DUPFD_CLOEXEC: usize = 1030;
    fcntl(fd, F_DUPFD_CLOEXEC, lowest as usize).map(|fd| fd as c_int)
}

/// Locks a file for this open file alone; with `waits`, sleeps until that is possible.
pub fn lock(fd: c_int, waits: bool) -> Result<()> {
    const LOCK_EX: usize = 2;
    const LOCK_NB: usize = 4;
    let operation = if waits { LOCK_EX } else { LOCK_EX | LOCK_NB };
    // SAFETY: no memory is involved.
    check(unsafe { Native::call(nr::FLOCK, [fd as usize, operation, 0, 0, 0, 0]) }).map(drop)
}

const AT_FDCWD: usize = -100isize as usize;
const O_CLOEXEC: usize = 0o2000000;

/// Opens a file, closed on exec. The path ends with a zero.
pub fn open_at(path: *const u8, flags: usize) -> Result<c_int> {
    // SAFETY: the callers' paths end with a zero.
    check(unsafe {
        Native::call(
            nr::OPENAT,
            [AT_FDCWD, address(path), flags | O_CLOEXEC, 0, 0, 0],
        )
    })
    .map(|fd| fd as c_int)
}

/// Opens a file for reading.
pub fn open(path: &CStr) -> Result<c_int> {
    open_at(path.as_ptr().cast(), 0)
}

/// Reads into `buffer` and returns what was filled.
pub fn read(fd: c_int, buffer: &mut [u8]) -> Result<&[u8]> {
    let args = [
        fd as usize,
        address(buffer.as_mut_ptr()),
        buffer.len(),
        0,
        0,
        0,
    ];
    // SAFETY: `buffer` has that many bytes.
    let count = check(unsafe { Native::call(nr::READ, args) })?;
    Ok(buffer.get(..count).unwrap_or_default())
}

/// Reads into `buffer` from a place in a file and returns what was filled.
pub fn read_at(fd: c_int, buffer: &mut [u8], offset: usize) -> Result<&[u8]> {
    let start = address(buffer.as_mut_ptr());
    let args = [fd as usize, start, buffer.len(), offset, 0, 0];
    // SAFETY: `buffer` has that many bytes.
    let count = check(unsafe { Native::call(nr::PREAD64, args) })?;
    Ok(buffer.get(..count).unwrap_or_default())
}

/// Reads or writes the program's memory as a request asks for, and returns what its event tells.
pub fn transfer(write: bool, fd: c_int, buffer: u64, len: c_uint, off: u64, flags: c_int) -> c_int {
    let span = Span(buffer as usize, len as usize);
    if len == 0 {
        // Those with positions do not ask the file.
        let number = if write { nr::WRITE } else { nr::READ };
        // SAFETY: nothing is moved.
        return unsafe {
            Native::call(number, [fd as usize, buffer as usize, 0, 0, 0, 0]) as c_int
        };
    }
    let number = if write { nr::PWRITEV2 } else { nr::PREADV2 };
    let at = |off: u64| {
        let args = [
            fd as usize,
            address(&raw const span),
            1,
            off as usize,
            0,
            flags as usize,
        ];
        // SAFETY: the program asked for the transfer, and the kernel checks its memory. At most 2 GiB are moved.
        unsafe { Native::call(number, args) as c_int }
    };
    match at(off) {
        // It has no positions, so the request's is of no account.
        error if error == Errno::ESPIPE.as_ret() => at(u64::MAX),
        done => done,
    }
}

/// Which file it is, and on what device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The device that the file is on.
    pub device: u64,
    /// The file's number there.
    pub inode: u64,
    /// The device that the file is, if it is one.
    pub is_device: u64,
    /// Kind and permissions.
    pub mode: u32,
}

impl Identity {
    const KIND: u32 = 0o170000;

    /// That of no file.
    pub const NONE: Identity = Identity {
        device: 0,
        inode: 0,
        is_device: 0,
        mode: 0,
    };

    /// Whether it is a block device.
    pub fn is_block_device(self) -> bool {
        self.mode & Identity::KIND == 0o060000
    }

    /// Whether it is a regular file.
    pub fn is_regular(self) -> bool {
        self.mode & Identity::KIND == 0o100000
    }
}

/// Looks up which file a descriptor leads to.
pub fn identity(fd: c_int) -> Result<Identity> {
    // struct stat: st_dev, st_ino, st_nlink, st_mode and st_uid, st_gid and padding, st_rdev, ...
    let mut stat = MaybeUninit::<[u64; 18]>::uninit();
    // SAFETY: struct stat has 144 bytes.
    check(unsafe {
        Native::call(
            nr::FSTAT,
            [fd as usize, address(stat.as_mut_ptr()), 0, 0, 0, 0],
        )
    })?;
    // SAFETY: the call filled it in.
    let [device, inode, _, mode, _, is_device, ..] = unsafe { stat.assume_init() };
    Ok(Identity {
        device,
        inode,
        is_device,
        mode: mode as u32,
    })
}

/// This process's id.
pub fn process() -> c_int {
    // SAFETY: no memory is involved.
    unsafe { Native::call(nr::GETPID, [0; 6]) as c_int }
}

/// The calling thread's id.
pub fn thread() -> u32 {
    // SAFETY: no memory is involved.
    unsafe { Native::call(nr::GETTID, [0; 6]) as u32 }
}

/// Has memory cleared in children of fork(2).
pub fn clear_in_children(start: usize, length: usize) -> Result<()> {
    const MADV_WIPEONFORK: usize = 18;
    // SAFETY: the callers' memory holds for any bytes, and is theirs alone.
    check(unsafe { Native::call(nr::MADVISE, [start, length, MADV_WIPEONFORK, 0, 0, 0]) }).map(drop)
}

/// Whether the calling thread is on a stack that it has set aside for signals.
pub fn is_on_signal_stack() -> bool {
    const SS_ONSTACK: u64 = 1;
    // stack_t: ss_sp, ss_flags and padding, ss_size.
    let mut stack = [0u64; 3];
    // SAFETY: nothing is set, and there is room for a stack_t.
    let asked =
        check(unsafe { Native::call(nr::SIGALTSTACK, [0, address(&raw mut stack), 0, 0, 0, 0]) });
    asked.is_ok() && stack[1] & SS_ONSTACK != 0
}

/// A limit of this process.
pub fn limit(resource: usize) -> Result<u64> {
    let mut limits = [0u64; 2];
    let args = [0, resource, 0, address(&raw mut limits), 0, 0];
    // SAFETY: nothing is set, and there is room for the two numbers of struct rlimit64.
    check(unsafe { Native::call(nr::PRLIMIT64, args) })?;
    Ok(limits[0])
}

/// `RLIMIT_FSIZE`.
pub const FILE_SIZE: usize = 1;
/// `RLIMIT_MEMLOCK`.
pub const LOCKED_MEMORY: usize = 8;

/// A number that nobody guesses.
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

/// Nanoseconds of the monotonic clock.
pub fn now() -> u64 {
    const CLOCK_MONOTONIC: usize = 1;
    let mut time = [0u64; 2];
    // SAFETY: there is room for a struct timespec. The call cannot fail.
    unsafe {
        Native::call(
            nr::CLOCK_GETTIME,
            [CLOCK_MONOTONIC, address(&raw mut time), 0, 0, 0, 0],
        )
    };
    time[0].wrapping_mul(1_000_000_000).wrapping_add(time[1])
}

/// Lets others run.
pub fn give_way() {
    // SAFETY: no memory is involved.
    unsafe { Native::call(nr::SCHED_YIELD, [0; 6]) };
}

const FUTEX_WAIT: usize = 0;
const FUTEX_WAKE: usize = 1;

/// Sleeps while `*word` is `value`, until it is woken, a signal comes, or `limit_ns` have passed (0: no limit).
pub fn sleep_on(word: &AtomicU32, value: u32, limit_ns: u64) {
    let time = [limit_ns / 1_000_000_000, limit_ns % 1_000_000_000];
    let limit = if limit_ns == 0 {
        0
    } else {
        address(&raw const time)
    };
    // SAFETY: `word` is an aligned 32-bit word, `time` a struct timespec. Whatever ends the sleep, the caller looks again.
    unsafe {
        Native::call(
            nr::FUTEX,
            [address(word), FUTEX_WAIT, value as usize, limit, 0, 0],
        )
    };
}

/// Sleeps for so long, or until a signal comes.
pub fn nap(ns: u64) {
    sleep_on(&AtomicU32::new(0), 0, ns);
}

/// Wakes all that sleep on `word`.
pub fn wake(word: &AtomicU32) {
    // SAFETY: only the address counts.
    unsafe {
        Native::call(
            nr::FUTEX,
            [address(word), FUTEX_WAKE, c_int::MAX as usize, 0, 0, 0],
        )
    };
}

/// All signals but those that tell of a fault in what the thread itself does: such a one that is blocked ends the process.
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

/// Exchanges the calling thread's set of blocked signals.
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
    // SAFETY: both are signal sets of the size given. The call cannot fail.
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

#[repr(C)]
struct Span(usize, usize);

/// Copies memory of this process as the kernel does, which finds out whether it is there. Where that call is forbidden,
/// as in some containers, memory is taken to be there.
fn copy(number: usize, to: usize, from: usize, len: usize) -> Result<()> {
    let (local, remote) = match number {
        nr::PROCESS_VM_READV => (Span(to, len), Span(from, len)),
        _ => (Span(from, len), Span(to, len)),
    };
    let args = [
        process() as usize,
        address(&raw const local),
        1,
        address(&raw const remote),
        1,
        0,
    ];
    // SAFETY: one of the two is the caller's own memory of that length, and the kernel checks the other.
    match check(unsafe { Native::call(number, args) }) {
        Ok(moved) if moved == len => Ok(()),
        Ok(_) | Err(Errno::EFAULT) => Err(Errno::EFAULT),
        Err(_) => {
            for offset in 0..len {
                // SAFETY: the program vouches for its pointer, as it does in any other C library. Volatile: a plain loop
                // would become a call of memcpy, which a library that links to nothing does not have.
                unsafe {
                    let byte = core::ptr::with_exposed_provenance::<u8>(from + offset);
                    core::ptr::with_exposed_provenance_mut::<u8>(to + offset)
                        .write_volatile(byte.read_volatile());
                }
            }
            Ok(())
        }
    }
}

/// Reads the program's memory at `from`; `EFAULT` if it is not there.
pub fn read_memory<T: Copy>(from: *const T) -> Result<T> {
    let mut value = MaybeUninit::<T>::uninit();
    copy(
        nr::PROCESS_VM_READV,
        address(value.as_mut_ptr()),
        address(from),
        size_of::<T>(),
    )?;
    // SAFETY: all its bytes were copied, and the callers' types hold for any bytes.
    Ok(unsafe { value.assume_init() })
}

/// Writes the program's memory at `to`; `EFAULT` if it is not there.
pub fn write_memory<T: Copy>(to: *mut T, value: &T) -> Result<()> {
    copy(
        nr::PROCESS_VM_WRITEV,
        address(to),
        address(value),
        size_of::<T>(),
    )
}

/// Tells the compiler and the processor that a loop waits.
pub fn pause() {
    core::hint::spin_loop();
}

/// Whether a mapping of the file with this number starts at `address`.
#[cfg(feature = "preload")]
pub fn maps(address: usize, inode: u64) -> bool {
    use uring_core::kernel::Kernel;

    let Ok(file) = open(c"/proc/thread-self/maps") else {
        return false;
    };
    // start-end permissions offset device inode path
    let (mut start, mut number, mut field, mut found) = (0usize, 0u64, 0, false);
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    // SAFETY: bytes, which are written before they are read.
    let buffer = unsafe { &mut *(&raw mut buffer as *mut [u8; 1024]) };
    while !found {
        let Ok(text) = read(file, buffer) else {
            break;
        };
        if text.is_empty() {
            break;
        }
        for byte in text {
            match (field, byte) {
                (_, b'\n') => {
                    found |= start == address && number == inode;
                    (start, number, field) = (0, 0, 0);
                }
                (0, b'-') => field = 1,
                (0, digit) => {
                    start = start << 4 | (*digit as char).to_digit(16).unwrap_or(0) as usize
                }
                (5, b'0'..=b'9') => {
                    number = number.wrapping_mul(10).wrapping_add((byte - b'0') as u64)
                }
                (5.., _) => field = 6,
                (_, b' ') => field += 1,
                _ => {}
            }
        }
    }
    let _ = Native::close(file);
    found
}
