//! An iocb becomes an SQE.

use core::ffi::{c_int, c_uint};

use liburing::abi::op;
use liburing::abi::request::{IORING_FSYNC_DATASYNC, IORING_NOP_INJECT_RESULT};
use liburing::abi::sqe::io_uring_sqe;
use liburing::errno::{Errno, Result};

use crate::abi::*;
use crate::pool::Ring;
use crate::{iopoll, sys};

/// An opcode that no kernel knows: such a request completes with `EINVAL`.
const REFUSED: u8 = u8::MAX;
/// A flag that no kernel knows: such a read completes with `EOPNOTSUPP`.
const UNSUPPORTED: c_int = c_int::MIN;

const O_ACCMODE: c_uint = 3;
const O_RDONLY: c_uint = 0;
const O_WRONLY: c_uint = 1;
const O_DIRECT: c_uint = 0o40000;

/// Translates for one ring. Lives for one call, as it remembers what it found out about a descriptor.
pub struct Translator {
    /// Whether a request that cannot be started is refused by the call. Otherwise its event says why.
    refuses: bool,
    /// Whether the ring was set up with `IORING_SETUP_IOPOLL`.
    polled: bool,
    /// Whether it has to be found out beforehand whether a request can be started.
    checks: bool,
    /// Whether today's ring was set up with `IORING_SETUP_IOPOLL`.
    kernel_polls: bool,
    /// A descriptor, and what its file was opened with.
    file: Option<(c_int, c_uint)>,
    /// A descriptor, and whether its file can be polled.
    polled_file: Option<(c_int, bool)>,
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
struct Operation {
    opcode: u8,
    kind: Kind,
    /// For a sync, today's flags; for others, all ones if the iocb's index is that of a pinned buffer.
    detail: u16,
}

impl Operation {
    const UNKNOWN: Operation = Operation::new(REFUSED, Kind::Read, 0);

    const fn new(opcode: u8, kind: Kind, detail: u16) -> Operation {
        Operation {
            opcode,
            kind,
            detail,
        }
    }

    /// By the opcode of 2019.
    const ALL: [Operation; 8] = {
        let mut all = [Operation::UNKNOWN; 8];
        all[IORING_OP_READ as usize] = Operation::new(op::IORING_OP_READ as u8, Kind::Read, 0);
        all[IORING_OP_WRITE as usize] = Operation::new(op::IORING_OP_WRITE as u8, Kind::Write, 0);
        all[IORING_OP_FSYNC as usize] = Operation::new(op::IORING_OP_FSYNC as u8, Kind::Sync, 0);
        all[IORING_OP_FDSYNC as usize] = Operation::new(
            op::IORING_OP_FSYNC as u8,
            Kind::Sync,
            IORING_FSYNC_DATASYNC as u16,
        );
        all[IORING_OP_READ_FIXED as usize] =
            Operation::new(op::IORING_OP_READ_FIXED as u8, Kind::Read, u16::MAX);
        all[IORING_OP_WRITE_FIXED as usize] =
            Operation::new(op::IORING_OP_WRITE_FIXED as u8, Kind::Write, u16::MAX);
        all
    };
}

/// The I/O priority in the first word of an iocb.
const IOPRIO: u64 = 0xffff << 16;

/// An iocb, on a little-endian machine. It has the layout of an SQE's first half (`layout` asserts that), so it is copied in words.
#[derive(Clone, Copy)]
struct Words([u64; 4]);

impl Words {
    fn opcode(self) -> u8 {
        self.0[0] as u8
    }

    fn flags(self) -> u8 {
        (self.0[0] >> 8) as u8
    }

    fn fd(self) -> c_int {
        (self.0[0] >> 32) as c_int
    }

    fn with_opcode(self, opcode: u8) -> [u64; 4] {
        let Words([first, off, addr, len_and_flags]) = self;
        [first & !0xff | u64::from(opcode), off, addr, len_and_flags]
    }
}

impl Translator {
    /// For a call on `ring`.
    pub fn new(ring: &Ring) -> Translator {
        let polled = ring.flags & IORING_SETUP_IOPOLL != 0;
        let refuses = ring.flags & (IORING_SETUP_SQTHREAD | IORING_SETUP_SQWQ) == 0;
        Translator {
            refuses,
            polled,
            checks: refuses || polled,
            kernel_polls: ring.polled,
            file: None,
            polled_file: None,
        }
    }

    /// Writes the request of `iocb`, which has number `index`, to `sqe`.
    ///
    /// # Safety
    ///
    /// `iocb` is in the ring's mapping, `sqe` a free SQE that was cleared.
    #[inline(always)]
    pub unsafe fn translate(
        &mut self,
        iocb: *const io_uring_iocb,
        index: c_uint,
        sqe: *mut io_uring_sqe,
    ) -> Result<()> {
        // SAFETY: the caller vouches for both. The program may write to the iocb meanwhile, so it is read just once;
        // any bytes are an iocb. Volatile, so that it stays at one read. Both structures hold words of 64 bits, so they
        // are aligned for them.
        let iocb = unsafe { Words(iocb.cast::<[u64; 4]>().read_volatile()) };
        // SAFETY: the caller's SQE, whose first half is written as words.
        unsafe {
            (*sqe).user_data = index as u64;
            let operation = match Operation::ALL.get(iocb.opcode() as usize) {
                Some(operation) if operation.opcode != REFUSED && iocb.flags() == 0 => *operation,
                _ => return self.refuse(sqe, Errno::EINVAL),
            };
            if self.checks {
                if let Err(error) = self.check(iocb.fd(), operation.kind) {
                    return self.refuse(sqe, error);
                }
            }
            let mut words = iocb.with_opcode(operation.opcode);
            if operation.kind == Kind::Sync {
                // The whole file, whatever the iocb was used for before: today's kernel would sync a part.
                // And it refuses a sync with an I/O priority.
                words = [words[0] & !IOPRIO, 0, 0, 0];
                sqe.cast::<[u64; 4]>().write(words);
                (*sqe).__anon3.fsync_flags = u32::from(operation.detail);
                return Ok(());
            }
            sqe.cast::<[u64; 4]>().write(words);
            // Set-up made sure that every index of a ring with pinned buffers fits.
            (*sqe).__anon4.buf_index = index as u16 & operation.detail;
            if words[1] == u64::MAX {
                // For today's kernel that is the file's own position; then it was a position like any other negative one.
                (*sqe).opcode = REFUSED;
            } else if self.kernel_polls && !self.is_polled(iocb.fd()) {
                do_now(operation.kind == Kind::Write, sqe);
            }
        }
        Ok(())
    }

    /// Whether a request of this kind on that file can be started.
    #[inline(always)]
    fn check(&mut self, fd: c_int, kind: Kind) -> Result<()> {
        let flags = match self.file {
            Some((known, flags)) if known == fd => flags,
            _ => self.look_up(fd)?,
        };
        if self.polled && kind == Kind::Sync {
            return Err(Errno::EINVAL);
        }
        if self.polled && flags & O_DIRECT == 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        match (kind, flags & O_ACCMODE) {
            (Kind::Read, O_WRONLY) | (Kind::Write, O_RDONLY) => Err(Errno::EBADF),
            _ => Ok(()),
        }
    }

    // Out of line, as are all paths that are seldom taken: the loop over iocbs needs the registers.
    #[inline(never)]
    fn look_up(&mut self, fd: c_int) -> Result<c_uint> {
        let flags = sys::open_flags(fd)?;
        self.file = Some((fd, flags));
        Ok(flags)
    }

    #[inline(never)]
    fn is_polled(&mut self, fd: c_int) -> bool {
        match self.polled_file {
            Some((known, polled)) if known == fd => polled,
            _ => {
                let polled = iopoll::is_polled(fd);
                self.polled_file = Some((fd, polled));
                polled
            }
        }
    }

    /// Ends the call with `error`, or writes a request that completes with it.
    #[cold]
    #[inline(never)]
    unsafe fn refuse(&self, sqe: *mut io_uring_sqe, error: Errno) -> Result<()> {
        if self.refuses {
            return Err(error);
        }
        // SAFETY: the caller's SQE.
        unsafe {
            (*sqe).__anon1.off = 0;
            (*sqe).__anon2.addr = 0;
            (*sqe).len = 0;
            (*sqe).fd = -1;
            (*sqe).opcode = REFUSED;
            match error {
                // A read that gets nowhere.
                Errno::EBADF => (*sqe).opcode = op::IORING_OP_READ as u8,
                Errno::EOPNOTSUPP => {
                    if let Some((fd, flags)) = self.file {
                        (*sqe).fd = fd;
                        (*sqe).__anon3.rw_flags = UNSUPPORTED;
                        (*sqe).opcode = if flags & O_ACCMODE == O_WRONLY {
                            op::IORING_OP_WRITE as u8
                        } else {
                            op::IORING_OP_READ as u8
                        };
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Does the read or write of `sqe` at once, and makes it a request that does nothing and completes with the result.
#[inline(never)]
unsafe fn do_now(write: bool, sqe: *mut io_uring_sqe) {
    // SAFETY: the caller's SQE, which holds a read or write.
    unsafe {
        let done = sys::transfer(
            write,
            (*sqe).fd,
            (*sqe).__anon2.addr,
            (*sqe).len,
            (*sqe).__anon1.off,
            (*sqe).__anon3.rw_flags,
        );
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
