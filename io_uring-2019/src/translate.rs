//! An iocb becomes an SQE.

use core::ffi::{c_int, c_uint};

use uring_core::abi::op;
use uring_core::abi::params::IORING_FEAT_MIN_TIMEOUT;
use uring_core::abi::request::{IORING_FSYNC_DATASYNC, IORING_NOP_INJECT_RESULT};
use uring_core::abi::sqe::io_uring_sqe;
use uring_core::errno::{Errno, Result};

use crate::abi::*;
use crate::iopoll;
use crate::ring::Ring;
use crate::sys::files;

/// An opcode that no kernel knows: such a request completes with `EINVAL`.
const REFUSED: u8 = u8::MAX;
/// A flag that no kernel knows: such a read completes with `EOPNOTSUPP`.
const UNSUPPORTED: c_int = c_int::MIN;

const O_ACCMODE: c_uint = 3;
const O_WRONLY: c_uint = 1;
const O_DIRECT: c_uint = 0o40000;
const O_PATH: c_uint = 0o10000000;
const O_NONBLOCK: c_uint = 0o4000;
/// Beside the flags of an open file: reads and writes are done in the call.
const INLINE: c_uint = 1 << 31;
/// Beside the flags of an open file: the ring was set up with `IORING_SETUP_IOPOLL`.
const POLLED: c_uint = 1 << 30;

/// Translates for one ring. Lives for one call, as it remembers what it found out about a descriptor.
pub struct Translator<'a> {
    ring: &'a Ring,
    /// Whether a request that cannot be started is refused by the call. Otherwise its event says why.
    refuses: bool,
    /// Whether the next request is submitted alone, and no signal comes before that.
    pub alone: bool,
    /// The descriptor that was looked up last, or what no descriptor is.
    last_fd: i64,
    /// What its file was opened with, [`AT_ONCE`] and [`POLLED`].
    last_flags: c_uint,
}

/// Why an iocb was not translated.
pub enum Stop {
    /// It cannot be started.
    Refused(Errno),
    /// What it asks for is done in the call, which must not be done twice: it wants to be [alone](Translator::alone).
    Alone,
}

/// What is asked for, apart from the operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Sync,
}

/// An operation of 2019 as today's.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Operation {
    opcode: u8,
    kind: Kind,
    /// All ones if the iocb's index is that of a pinned buffer.
    index_mask: u16,
    /// A bit for each access mode (`O_RDONLY`, `O_WRONLY`, `O_RDWR`, and the one that allows nothing) that it takes.
    modes: u8,
    /// Today's flags of a sync.
    sync_flags: u8,
}

impl Operation {
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

    /// By the opcode of 2019.
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
    /// For a call on `ring`.
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

    /// Writes the request of `iocb`, which has number `index`, to `sqe`.
    ///
    /// # Safety
    ///
    /// `iocb` is in the ring's mapping, `sqe` a free SQE.
    #[inline(always)]
    pub unsafe fn translate(
        &mut self,
        iocb: *const io_uring_iocb,
        index: c_uint,
        sqe: *mut io_uring_sqe,
    ) -> core::result::Result<(), Stop> {
        // SAFETY: the caller vouches for both. An iocb has the layout of an SQE's first half (`layout` asserts that), so
        // it is copied in words, for which both are aligned. The program may write to it meanwhile, so it is read just
        // once; any bytes are an iocb. Volatile, so that it stays at one read.
        let first = unsafe {
            let [first, off, addr, len_and_flags] = iocb.cast::<[u64; 4]>().read_volatile();
            let words = [first, off, addr, len_and_flags, index.into(), 0, 0, 0];
            sqe.cast::<[u64; 8]>().write(words);
            First(first)
        };
        // SAFETY: the caller's SQE.
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
                // The whole file, whatever the iocb was used for before: today's kernel would sync a part.
                // And it refuses a sync with an I/O priority.
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
                // For today's kernel that is the file's own position; then it was a position like any other negative one.
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

    /// Whether a request on that file can be started.
    #[inline(always)]
    fn check(&mut self, fd: c_int, operation: Operation) -> Result<()> {
        if i64::from(fd) != self.last_fd {
            self.look_up(fd)?;
        }
        if self.last_flags & POLLED != 0 {
            self.check_polled(operation.kind)?;
        }
        if operation.modes >> (self.last_flags & O_ACCMODE) & 1 == 0 {
            return Err(Errno::EBADF);
        }
        Ok(())
    }

    // Out of line, as are all paths that are seldom taken: the loop over iocbs needs the registers.
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
        Ok(())
    }

    /// Whether today's kernel would not do what the posted one did with requests to this file: those to a file that
    /// cannot be polled for completions it refuses where the ring polls, and instead of failing at once for want of data
    /// as `O_NONBLOCK` demands, it waits.
    fn needs_inline(&self, fd: c_int, flags: c_uint) -> bool {
        if self.ring.iopoll {
            return !iopoll::is_polled(fd, &self.ring.last_device);
        }
        // Events of one's own came in 6.11; this is the first feature after it.
        flags & O_NONBLOCK != 0
            && self.ring.kring.features & IORING_FEAT_MIN_TIMEOUT != 0
            && !files::identity(fd).is_ok_and(|file| file.is_regular() || file.is_block_device())
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
        // SAFETY: the caller's SQE.
        unsafe {
            (*sqe).__anon1.off = 0;
            (*sqe).__anon2.addr = 0;
            (*sqe).len = 0;
            (*sqe).fd = -1;
            (*sqe).ioprio = 0;
            (*sqe).opcode = REFUSED;
            match error {
                // A read that gets nowhere.
                Errno::EBADF => (*sqe).opcode = op::IORING_OP_READ as u8,
                Errno::EOPNOTSUPP => {
                    // On the file that was looked up.
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

    /// Does the read or write of `sqe` at once, and makes it a request that does nothing and completes with the result.
    #[cold]
    #[inline(never)]
    unsafe fn do_inline(&self, operation: Operation, index: c_uint, sqe: *mut io_uring_sqe) {
        // SAFETY: the caller's SQE, which holds a read or write.
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
