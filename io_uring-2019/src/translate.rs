//! Translating an iocb into an SQE.

use core::ffi::{c_int, c_uint};

use uring_core::abi::op;
use uring_core::abi::params::IORING_FEAT_MIN_TIMEOUT;
use uring_core::abi::request::{IORING_FSYNC_DATASYNC, IORING_NOP_INJECT_RESULT};
use uring_core::abi::sqe::io_uring_sqe;
use uring_core::errno::{Errno, Result};

use crate::abi::*;
use crate::iopoll;
#[cfg(feature = "preload")]
use crate::remembered;
use crate::ring::Ring;
#[cfg(feature = "preload")]
use crate::sys::changes::Moment;
use crate::sys::files::{self, Identity};

/// An opcode that no kernel knows. Such a request completes with `EINVAL`.
const REFUSED: u8 = u8::MAX;
/// A flag that no kernel knows. A read with it completes with `EOPNOTSUPP`.
const UNSUPPORTED: c_int = c_int::MIN;

const O_ACCMODE: c_uint = 3;
const O_WRONLY: c_uint = 1;
const O_DIRECT: c_uint = 0o40000;
const O_PATH: c_uint = 0o10000000;
const O_NONBLOCK: c_uint = 0o4000;
/// Beside a file's open flags: its reads and writes are done inline, in the call.
const INLINE: c_uint = 1 << 31;
/// Beside a file's open flags: the ring was set up with `IORING_SETUP_IOPOLL`.
const POLLED: c_uint = 1 << 30;

/// Translates for one ring. It lives for one call, as it remembers what it found out about a descriptor.
pub struct Translator<'a> {
    ring: &'a Ring,
    /// Whether the call refuses a request that cannot be started. Otherwise the request's event has the error.
    refuses: bool,
    /// Whether the next request is submitted alone, with signals blocked.
    pub alone: bool,
    /// The descriptor that was looked up last. At first a value that no descriptor has.
    last_fd: i64,
    /// That file's open flags, [`INLINE`] and [`POLLED`].
    last_flags: c_uint,
}

/// Why an iocb was not translated.
pub enum Stop {
    /// It cannot be started, for this reason.
    Refused(Errno),
    /// It must be done inline, which must not be repeated. So it must be submitted [alone](Translator::alone).
    Alone,
}

/// The kind of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Sync,
}

/// How an operation of 2019 is done by current kernels.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Operation {
    opcode: u8,
    kind: Kind,
    /// All ones if the iocb's index is the number of a pinned buffer.
    index_mask: u16,
    /// A bit for each access mode that it takes (`O_RDONLY`, `O_WRONLY`, `O_RDWR`, and 3, which allows neither).
    modes: u8,
    /// The current kernel's flags of a sync.
    sync_flags: u8,
}

impl Operation {
    /// Whether it takes a file with these open flags.
    #[inline(always)]
    fn takes(self, flags: c_uint) -> bool {
        self.modes >> (flags & O_ACCMODE) & 1 != 0
    }

    const fn new(opcode: op::io_uring_op, kind: Kind) -> Operation {
        Operation {
            opcode: opcode as u8,
            kind,
            index_mask: 0,
            modes: match kind {
                Kind::Read => 0b0101,
                Kind::Write => 0b0110,
                Kind::Sync => 0b1111,
            },
            sync_flags: 0,
        }
    }

    const UNKNOWN: Operation = Operation {
        opcode: REFUSED,
        ..Operation::new(op::IORING_OP_NOP, Kind::Read)
    };

    /// The operations by their opcodes of 2019.
    const ALL: [Operation; 8] = {
        let mut all = [Operation::UNKNOWN; 8];
        all[IORING_OP_READ as usize] = Operation::new(op::IORING_OP_READ, Kind::Read);
        all[IORING_OP_WRITE as usize] = Operation::new(op::IORING_OP_WRITE, Kind::Write);
        all[IORING_OP_FSYNC as usize] = Operation::new(op::IORING_OP_FSYNC, Kind::Sync);
        all[IORING_OP_FDSYNC as usize] = Operation {
            sync_flags: IORING_FSYNC_DATASYNC as u8,
            ..Operation::new(op::IORING_OP_FSYNC, Kind::Sync)
        };
        all[IORING_OP_READ_FIXED as usize] = Operation {
            index_mask: u16::MAX,
            ..Operation::new(op::IORING_OP_READ_FIXED, Kind::Read)
        };
        all[IORING_OP_WRITE_FIXED as usize] = Operation {
            index_mask: u16::MAX,
            ..Operation::new(op::IORING_OP_WRITE_FIXED, Kind::Write)
        };
        all
    };
}

/// The first word of an iocb, on a little-endian machine.
#[derive(Clone, Copy)]
struct First(u64);

impl First {
    fn opcode(self) -> u8 {
        self.0 as u8
    }

    fn flags(self) -> u8 {
        (self.0 >> 8) as u8
    }

    fn fd(self) -> c_int {
        (self.0 >> 32) as c_int
    }
}

impl<'a> Translator<'a> {
    /// A translator for a call on `ring`.
    pub fn new(ring: &'a Ring) -> Translator<'a> {
        let refuses = ring.flags & (IORING_SETUP_SQTHREAD | IORING_SETUP_SQWQ) == 0;
        Translator {
            ring,
            refuses,
            alone: false,
            last_fd: i64::MAX,
            last_flags: 0,
        }
    }

    /// Writes the request of `iocb`, which has the number `index`, to `sqe`.
    ///
    /// # Safety
    ///
    /// `iocb` is in the ring's mapping, and `sqe` is a free SQE.
    #[inline(always)]
    pub unsafe fn translate(
        &mut self,
        iocb: *const io_uring_iocb,
        index: c_uint,
        sqe: *mut io_uring_sqe,
    ) -> core::result::Result<(), Stop> {
        // SAFETY: the caller promises both. An iocb has the layout of the first half of an SQE (`layout` asserts that),
        // and both are aligned for words. Any bytes are a value. Volatile: the program may write meanwhile, so each
        // word is read exactly once.
        let first = unsafe {
            let [first, off, addr, len_and_flags] = iocb.cast::<[u64; 4]>().read_volatile();
            let words = [first, off, addr, len_and_flags, index.into(), 0, 0, 0];
            sqe.cast::<[u64; 8]>().write(words);
            First(first)
        };
        // SAFETY: the caller promises that `sqe` is free.
        unsafe {
            let operation = match Operation::ALL.get(first.opcode() as usize) {
                Some(operation) if operation.opcode != REFUSED && first.flags() == 0 => *operation,
                _ => return self.refuse(sqe, Errno::EINVAL),
            };
            if let Err(error) = self.check(first.fd(), operation) {
                return self.refuse(sqe, error);
            }
            (*sqe).opcode = operation.opcode;
            if operation.kind == Kind::Sync {
                // A sync is of the whole file. Current kernels would sync the range that an earlier use of the iocb
                // left there, and refuse an I/O priority.
                (*sqe).ioprio = 0;
                (*sqe).__anon1.off = 0;
                (*sqe).__anon2.addr = 0;
                (*sqe).len = 0;
                (*sqe).__anon3.fsync_flags = operation.sync_flags.into();
                return Ok(());
            }
            // Set-up made sure that every index of a ring with pinned buffers fits.
            (*sqe).__anon4.buf_index = index as u16 & operation.index_mask;
            if (*sqe).__anon1.off == u64::MAX {
                // Current kernels take this offset for the file's own position. In 2019 it was a negative offset like
                // any other.
                (*sqe).opcode = REFUSED;
            } else if self.last_flags & INLINE != 0 {
                if !self.alone {
                    return Err(Stop::Alone);
                }
                self.do_inline(operation, index, sqe);
            }
        }
        Ok(())
    }

    /// Whether a request of this kind to the file can be started.
    #[inline(always)]
    fn check(&mut self, fd: c_int, operation: Operation) -> Result<()> {
        if i64::from(fd) != self.last_fd {
            self.look_up(fd)?;
        }
        if self.last_flags & POLLED != 0 {
            self.check_polled(operation.kind)?;
        }
        if !operation.takes(self.last_flags) {
            return self.check_anew(fd, operation);
        }
        Ok(())
    }

    /// Refuses the request unless the file, looked up anew, is open for it after all: what is remembered may be of
    /// another file that was closed unseen.
    #[cold]
    #[inline(never)]
    fn check_anew(&mut self, fd: c_int, operation: Operation) -> Result<()> {
        self.look_up_anew(fd)?;
        if operation.takes(self.last_flags) {
            Ok(())
        } else {
            Err(Errno::EBADF)
        }
    }

    // Rarely taken paths are not inlined: the loop over iocbs needs the registers.
    #[inline(never)]
    fn check_polled(&self, kind: Kind) -> Result<()> {
        if kind == Kind::Sync {
            return Err(Errno::EINVAL);
        }
        if self.last_flags & O_DIRECT == 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        Ok(())
    }

    #[inline(never)]
    fn look_up(&mut self, fd: c_int) -> Result<()> {
        #[cfg(feature = "preload")]
        {
            let now = Moment::now();
            match self.remembered(fd, now) {
                Some(mode) => (self.last_fd, self.last_flags) = (fd.into(), mode),
                None => self.look_up_and_remember(fd, now)?,
            }
            Ok(())
        }
        #[cfg(not(feature = "preload"))]
        self.look_up_anew(fd).map(drop)
    }

    #[cfg(feature = "preload")]
    #[inline(never)]
    fn look_up_and_remember(&mut self, fd: c_int, now: Moment) -> Result<()> {
        let flags = self.look_up_anew(fd)?;
        remembered::put_access_mode(fd, now, flags & O_ACCMODE, || {
            files::identity(fd).is_ok_and(Identity::never_waits)
        });
        Ok(())
    }

    /// Returns the open flags of the file, with [`INLINE`] and [`POLLED`].
    #[inline(never)]
    fn look_up_anew(&mut self, fd: c_int) -> Result<c_uint> {
        let mut flags = files::open_flags(fd)?;
        if flags & O_PATH != 0 {
            return Err(Errno::EBADF);
        }
        if self.ring.flags & IORING_SETUP_IOPOLL != 0 {
            flags |= POLLED;
        }
        if self.needs_inline(fd, flags) {
            flags |= INLINE;
        }
        (self.last_fd, self.last_flags) = (fd.into(), flags);
        Ok(flags)
    }

    /// The open flags of a file that was looked up before, as far as they count. They are remembered only if the access
    /// mode alone counts, which never changes. The other flags do: any process with the open file can change them.
    #[cfg(feature = "preload")]
    #[inline(always)]
    fn remembered(&self, fd: c_int, now: Moment) -> Option<c_uint> {
        // On such a ring `O_DIRECT` counts.
        if self.ring.flags & IORING_SETUP_IOPOLL != 0 {
            return None;
        }
        remembered::access_mode(fd, now)
    }

    /// Whether requests to this file must be done inline, because current kernels do them differently. On a ring that
    /// polls they refuse a file that cannot be polled. And without data they wait, where `O_NONBLOCK` demands that the
    /// request fails.
    fn needs_inline(&self, fd: c_int, flags: c_uint) -> bool {
        if self.ring.iopoll {
            return !iopoll::is_polled(fd, &self.ring.last_device);
        }
        // Completing a request with a given result came in 6.11, without a flag. `MIN_TIMEOUT` is the first
        // flag after it.
        flags & O_NONBLOCK != 0
            && self.ring.kring.features & IORING_FEAT_MIN_TIMEOUT != 0
            && !files::identity(fd).is_ok_and(Identity::never_waits)
    }

    /// Ends the call with `error`, or writes a request that completes with it.
    #[cold]
    #[inline(never)]
    unsafe fn refuse(
        &self,
        sqe: *mut io_uring_sqe,
        error: Errno,
    ) -> core::result::Result<(), Stop> {
        if self.refuses {
            return Err(Stop::Refused(error));
        }
        // SAFETY: the caller promises that `sqe` is free.
        unsafe {
            (*sqe).__anon1.off = 0;
            (*sqe).__anon2.addr = 0;
            (*sqe).len = 0;
            (*sqe).fd = -1;
            (*sqe).ioprio = 0;
            (*sqe).opcode = REFUSED;
            match error {
                // A read of no file fails so.
                Errno::EBADF => (*sqe).opcode = op::IORING_OP_READ as u8,
                Errno::EOPNOTSUPP => {
                    // A request to the file that was looked up last.
                    (*sqe).fd = self.last_fd as c_int;
                    (*sqe).__anon3.rw_flags = UNSUPPORTED;
                    (*sqe).opcode = if self.last_flags & O_ACCMODE == O_WRONLY {
                        op::IORING_OP_WRITE as u8
                    } else {
                        op::IORING_OP_READ as u8
                    };
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Does the read or write of `sqe` inline, and makes it a request that only completes with the result.
    #[cold]
    #[inline(never)]
    unsafe fn do_inline(&self, operation: Operation, index: c_uint, sqe: *mut io_uring_sqe) {
        // SAFETY: the caller promises that `sqe` is free, and has written a read or write to it.
        unsafe {
            let (start, len) = ((*sqe).__anon2.addr, (*sqe).len);
            let done = if operation.index_mask != 0 && !self.ring.has_pinned(index, start, len) {
                Errno::EFAULT.as_ret()
            } else {
                files::transfer(
                    operation.kind == Kind::Write,
                    (*sqe).fd,
                    start,
                    len,
                    (*sqe).__anon1.off,
                    (*sqe).__anon3.rw_flags,
                )
            };
            (*sqe).opcode = op::IORING_OP_NOP as u8;
            (*sqe).fd = -1;
            (*sqe).ioprio = 0;
            (*sqe).__anon1.off = 0;
            (*sqe).__anon2.addr = 0;
            (*sqe).len = done as u32;
            (*sqe).__anon3.nop_flags = IORING_NOP_INJECT_RESULT;
            (*sqe).__anon4.buf_index = 0;
        }
    }
}
