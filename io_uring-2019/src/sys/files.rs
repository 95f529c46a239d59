//! Files: opening, reading, locking and recognising them.

use core::ffi::{CStr, c_int, c_uint};
use core::mem::MaybeUninit;

use uring_core::errno::{Errno, Result};
use uring_core::kernel::{Kernel, Native};

use super::call::{Span, address, check, nr};
use super::changes;

/// The file's position, which belongs to the open file, not to the descriptor. `ESPIPE` if it has none.
pub fn position(fd: c_int) -> Result<u64> {
    const SEEK_CUR: usize = 1;
    // SAFETY: no memory is involved, and the position stays.
    check(unsafe { Native::call(nr::LSEEK, [fd as usize, 0, SEEK_CUR, 0, 0, 0]) })
        .map(|at| at as u64)
}

/// Moves the file's position.
pub fn seek(fd: c_int, position: u64) -> Result<()> {
    const SEEK_SET: usize = 0;
    // SAFETY: no memory is involved. The callers' files are their own.
    check(unsafe {
        Native::call(
            nr::LSEEK,
            [fd as usize, position as usize, SEEK_SET, 0, 0, 0],
        )
    })
    .map(drop)
}

/// A new memory file, closed on exec, which cannot be executed. `ENOSYS` before Linux 6.3.
pub fn memory_file(name: &CStr) -> Result<c_int> {
    const MFD_CLOEXEC: usize = 1;
    const MFD_NOEXEC_SEAL: usize = 8;
    let flags = MFD_CLOEXEC | MFD_NOEXEC_SEAL;
    // SAFETY: a `CStr` ends with a zero.
    check(unsafe {
        Native::call(
            nr::MEMFD_CREATE,
            [address(name.as_ptr()), flags, 0, 0, 0, 0],
        )
    })
    .map(|fd| fd as c_int)
    // The name is right, so the kernel does not know a flag.
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
    // SAFETY: no memory is involved, as the callers have not mapped the file yet.
    check(unsafe { Native::call(nr::FTRUNCATE, [fd as usize, size as usize, 0, 0, 0, 0]) })
        .map(drop)
}

fn fcntl(fd: c_int, command: usize, argument: usize) -> Result<usize> {
    // SAFETY: none of the commands used here takes a pointer.
    check(unsafe { Native::call(nr::FCNTL, [fd as usize, command, argument, 0, 0, 0]) })
}

/// Fixes the size of a memory file.
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

/// Locks a file for this open file. With `waits`, sleeps until that is possible.
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

/// Closes a descriptor of this library.
pub fn close(fd: c_int) {
    let _ = changes::during(|| Native::close(fd));
}

/// Opens a file for reading.
pub fn open(path: &CStr) -> Result<c_int> {
    open_at(path.as_ptr().cast(), 0)
}

/// Reads into `buffer` and returns what was read.
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

/// Reads into `buffer` from an offset in a file and returns what was read.
pub fn read_at(fd: c_int, buffer: &mut [u8], offset: usize) -> Result<&[u8]> {
    let start = address(buffer.as_mut_ptr());
    let args = [fd as usize, start, buffer.len(), offset, 0, 0];
    // SAFETY: `buffer` has that many bytes.
    let count = check(unsafe { Native::call(nr::PREAD64, args) })?;
    Ok(buffer.get(..count).unwrap_or_default())
}

/// Reads or writes the program's memory as a request asks for, and returns the result for its event.
pub fn transfer(write: bool, fd: c_int, buffer: u64, len: c_uint, off: u64, flags: c_int) -> c_int {
    let span = Span {
        start: buffer as usize,
        len: len as usize,
    };
    if len == 0 {
        // The calls with an offset succeed for no bytes without asking the file.
        let number = if write { nr::WRITE } else { nr::READ };
        // SAFETY: no bytes are moved.
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
        // SAFETY: the program asked for this transfer, and the kernel checks its memory. Results fit: at most 2 GiB are
        // moved.
        unsafe { Native::call(number, args) as c_int }
    };
    match at(off) {
        // The file has no positions, so the request's offset does not count.
        error if error == Errno::ESPIPE.as_ret() => at(u64::MAX),
        done => done,
    }
}

/// Which file something is, and on which device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The device that the file is on.
    pub device: u64,
    /// The file's number on that device.
    pub inode: u64,
    /// The device that the file itself is, if it is one.
    pub is_device: u64,
    /// Kind and permissions.
    pub mode: u32,
}

impl Identity {
    const KIND: u32 = 0o170000;

    /// The identity of no file.
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
    fn is_regular(self) -> bool {
        self.mode & Identity::KIND == 0o100000
    }

    /// Whether `O_NONBLOCK` has no effect on its reads and writes.
    pub fn never_waits(self) -> bool {
        self.is_regular() || self.is_block_device()
    }
}

/// Which file a descriptor leads to.
pub fn identity(fd: c_int) -> Result<Identity> {
    // struct stat: st_dev, st_ino, st_nlink, st_mode and st_uid, st_gid and padding, st_rdev, ...
    let mut stat = MaybeUninit::<[u64; 18]>::uninit();
    // SAFETY: struct stat has 144 bytes, and `stat` has them.
    check(unsafe {
        Native::call(
            nr::FSTAT,
            [fd as usize, address(stat.as_mut_ptr()), 0, 0, 0, 0],
        )
    })?;
    // SAFETY: the call has filled it in.
    let [device, inode, _, mode, _, is_device, ..] = unsafe { stat.assume_init() };
    Ok(Identity {
        device,
        inode,
        is_device,
        mode: mode as u32,
    })
}
