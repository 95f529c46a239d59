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
    /// Whether today's ring was.
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

impl Translator {
    /// For a call on `ring`.
    pub fn new(ring: &Ring) -> Translator {
        Translator {
            refuses: ring.flags & (IORING_SETUP_SQTHREAD | IORING_SETUP_SQWQ) == 0,
            polled: ring.flags & IORING_SETUP_IOPOLL != 0,
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
    pub unsafe fn translate(
        &mut self,
        iocb: *const io_uring_iocb,
        index: c_uint,
        sqe: *mut io_uring_sqe,
    ) -> Result<()> {
        // SAFETY: the caller vouches for both. The program may write to the iocb meanwhile, so it is read just once;
        // any bytes are an iocb. Volatile, so that it stays at one read.
        unsafe {
            let iocb = iocb.read_volatile();
            (*sqe).user_data = index as u64;
            let (opcode, kind) = match c_uint::from(iocb.opcode) {
                IORING_OP_READ => (op::IORING_OP_READ, Kind::Read),
                IORING_OP_WRITE => (op::IORING_OP_WRITE, Kind::Write),
                IORING_OP_READ_FIXED => (op::IORING_OP_READ_FIXED, Kind::Read),
                IORING_OP_WRITE_FIXED => (op::IORING_OP_WRITE_FIXED, Kind::Write),
                IORING_OP_FSYNC | IORING_OP_FDSYNC => (op::IORING_OP_FSYNC, Kind::Sync),
                _ => return self.refuse(sqe, Errno::EINVAL),
            };
            if iocb.flags != 0 {
                return self.refuse(sqe, Errno::EINVAL);
            }
            if self.refuses || self.polled {
                if let Err(error) = self.check(iocb.fd, kind) {
                    return self.refuse(sqe, error);
                }
            }
            (*sqe).opcode = opcode as u8;
            (*sqe).fd = iocb.fd;
            if kind == Kind::Sync {
                // The whole file, whatever the iocb was used for before: today's kernel would sync a part.
                (*sqe).__anon1.off = 0;
                (*sqe).__anon2.addr = 0;
                (*sqe).len = 0;
                if c_uint::from(iocb.opcode) == IORING_OP_FDSYNC {
                    (*sqe).__anon3.fsync_flags = IORING_FSYNC_DATASYNC;
                }
                return Ok(());
            }
            if iocb.off == u64::MAX {
                // For today's kernel that is the file's own position; then it was a position like any other negative one.
                (*sqe).opcode = REFUSED;
                return Ok(());
            }
            (*sqe).ioprio = iocb.ioprio;
            (*sqe).__anon1.off = iocb.off;
            (*sqe).__anon2.addr = iocb.__anon1.__pad;
            (*sqe).len = iocb.len;
            (*sqe).__anon3.rw_flags = iocb.__anon2.rw_flags;
            if self.kernel_polls && !self.is_polled(iocb.fd) {
                let write = kind == Kind::Write;
                let done = sys::transfer(
                    write,
                    iocb.fd,
                    iocb.__anon1.__pad,
                    iocb.len,
                    iocb.off,
                    iocb.__anon2.rw_flags,
                );
                completed(sqe, done);
                return Ok(());
            }
            // Read by requests on pinned buffers only. Set-up made sure that every index fits.
            (*sqe).__anon4.buf_index = if c_uint::from(iocb.opcode) >= IORING_OP_READ_FIXED {
                index as u16
            } else {
                0
            };
        }
        Ok(())
    }

    /// Whether a request of this kind on that file can be started.
    fn check(&mut self, fd: c_int, kind: Kind) -> Result<()> {
        let flags = match self.file {
            Some((known, flags)) if known == fd => flags,
            _ => {
                let flags = sys::open_flags(fd)?;
                self.file = Some((fd, flags));
                flags
            }
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

/// Writes a request that does nothing and completes with `result`.
unsafe fn completed(sqe: *mut io_uring_sqe, result: c_int) {
    // SAFETY: the caller's SQE.
    unsafe {
        (*sqe).opcode = op::IORING_OP_NOP as u8;
        (*sqe).fd = -1;
        (*sqe).ioprio = 0;
        (*sqe).__anon1.off = 0;
        (*sqe).__anon2.addr = 0;
        (*sqe).len = result as u32;
        (*sqe).__anon3.nop_flags = IORING_NOP_INJECT_RESULT;
    }
}
