//! Faults on demand: what a kernel may do, and seldom does.
//!
//! Every fault is real: a request is made shorter, or fails, before the kernel gets it; a call takes fewer requests, or
//! fails without effect; the kernel finds the CQ full.

mod full;
mod plan;

use std::ffi::c_int;

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;
use uring_core::errno::Errno;

use crate::memory;
use crate::ops::{self, Fields};

pub use full::{CqInUse, calls_on, full};
use plan::{Kind, Subject, decides, happens, names_opcode, random};
pub use plan::{figures, is_on};

/// What happens to a call that enters the kernel.
pub enum Enter {
    /// Nothing.
    Plain,
    /// It fails, without effect.
    Fails(Errno),
    /// It submits so many, and does not wait.
    Takes(u32),
    /// It submits while the CQ has no room.
    Full(CqInUse),
}

/// Decides about a call that submits and waits. `polled`: the submission thread takes what is submitted.
pub fn enter(to_submit: u32, waits: bool, polled: bool) -> Enter {
    if !is_on() {
        return Enter::Plain;
    }
    if to_submit == 0 || polled {
        let interrupted = waits && happens(Kind::Eintr, Subject::Wait);
        return if interrupted {
            Enter::Fails(Errno::EINTR)
        } else {
            Enter::Plain
        };
    }
    let submission = Subject::Submission;
    if happens(Kind::Ebusy, submission) {
        Enter::Fails(Errno::EBUSY)
    } else if happens(Kind::Eagain, submission) {
        Enter::Fails(Errno::EAGAIN)
    } else if to_submit > 1 && happens(Kind::Partial, submission) {
        Enter::Takes(1 + (random() % u64::from(to_submit - 1)) as u32)
    } else if waits && happens(Kind::Eintr, Subject::Wait) {
        Enter::Takes(to_submit)
    } else {
        match full::in_use() {
            Some(cq) if decides(Kind::Full, submission, true) => Enter::Full(cq),
            _ => Enter::Plain,
        }
    }
}

/// Decides about a request, and changes its SQE. Returns whether it did. `wide`: it has two slots of the SQ.
#[cold]
pub fn request(sqe: &mut io_uring_sqe, wide: bool) -> bool {
    if wide {
        return false;
    }
    let Some(op) = ops::opcode(sqe.opcode) else {
        return false;
    };
    let f = Fields::of(sqe);
    let before = *sqe;
    let this = Subject::Request(&before);
    let selected = f.flags & IOSQE_BUFFER_SELECT != 0;
    for (kind, error, applies) in [
        (Kind::Eintr, libc::EINTR, true),
        (Kind::Eagain, libc::EAGAIN, true),
        (Kind::Canceled, libc::ECANCELED, true),
        (Kind::Enobufs, libc::ENOBUFS, selected),
        (Kind::Eio, libc::EIO, true),
        (Kind::Enospc, libc::ENOSPC, is_write(op)),
    ] {
        let meant = (applies && is_data(op)) || names_opcode(kind, sqe.opcode);
        if meant && decides(kind, this, applies && is_data(op)) {
            plan::happened(kind);
            fails(sqe, -error);
            return true;
        }
    }
    if !is_data(op) && op != IORING_OP_POLL_ADD {
        return false;
    }
    if let Some(change) = shorter(op, sqe, &f).filter(|_| happens(Kind::Short, this)) {
        change.make(sqe);
        return true;
    }
    if is_multishot(op, &f) && happens(Kind::Ends, this) {
        match op {
            IORING_OP_ACCEPT => sqe.ioprio &= !(IORING_ACCEPT_MULTISHOT as u16),
            IORING_OP_POLL_ADD => sqe.len &= !IORING_POLL_ADD_MULTI,
            _ => sqe.ioprio &= !(IORING_RECV_MULTISHOT as u16),
        }
        return true;
    }
    if is_data(op) && happens(Kind::Reorder, this) {
        sqe.flags |= IOSQE_ASYNC as u8;
        return true;
    }
    false
}

/// Whether it is a multishot request that may be made one that completes once.
fn is_multishot(op: io_uring_op, f: &Fields) -> bool {
    match op {
        IORING_OP_ACCEPT => f.ioprio & IORING_ACCEPT_MULTISHOT != 0,
        IORING_OP_RECV | IORING_OP_RECVMSG => f.ioprio & IORING_RECV_MULTISHOT != 0,
        IORING_OP_POLL_ADD => f.len & u64::from(IORING_POLL_ADD_MULTI) != 0,
        _ => false,
    }
}

fn is_write(op: io_uring_op) -> bool {
    matches!(
        op,
        IORING_OP_WRITE | IORING_OP_WRITEV | IORING_OP_WRITE_FIXED
    )
}

/// Requests that transfer data, which kernels may end at any point.
fn is_data(op: io_uring_op) -> bool {
    matches!(
        op,
        IORING_OP_READ
            | IORING_OP_WRITE
            | IORING_OP_READV
            | IORING_OP_WRITEV
            | IORING_OP_READ_FIXED
            | IORING_OP_WRITE_FIXED
            | IORING_OP_SEND
            | IORING_OP_RECV
            | IORING_OP_SENDMSG
            | IORING_OP_RECVMSG
            | IORING_OP_ACCEPT
            | IORING_OP_CONNECT
    )
}

/// The request does nothing but fail: a no-op with this result, of the same `user_data`, in the same chain.
fn fails(sqe: &mut io_uring_sqe, error: c_int) {
    sqe.opcode = IORING_OP_NOP as u8;
    sqe.flags &= !((IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT) as u8);
    sqe.ioprio = 0;
    sqe.len = error as u32;
    sqe.__anon3.nop_flags = IORING_NOP_INJECT_RESULT;
    sqe.__anon4.buf_index = 0;
    sqe.__anon5.file_index = 0;
}

/// How a transfer is made shorter.
struct Shorter {
    len: u32,
    /// Of a single vector: the plain request that does the same, and its memory.
    instead: Option<(io_uring_op, u64)>,
}

impl Shorter {
    fn make(&self, sqe: &mut io_uring_sqe) {
        sqe.len = self.len;
        if let Some((op, addr)) = self.instead {
            sqe.opcode = op as u8;
            sqe.__anon2.addr = addr;
        }
    }
}

/// How the transfer may be made shorter, if it may: not in a chain, which that would break, and not where a rest would
/// be lost or the program has asked for all.
fn shorter(op: io_uring_op, sqe: &io_uring_sqe, f: &Fields) -> Option<Shorter> {
    const MSG_WAITALL: u32 = 0x100;
    let socket = matches!(op, IORING_OP_SEND | IORING_OP_RECV);
    if f.flags & (IOSQE_IO_LINK | IOSQE_BUFFER_SELECT) != 0
        || (socket && f.op_flags & MSG_WAITALL != 0)
        || (socket && f.ioprio & (IORING_RECV_MULTISHOT | IORING_SEND_VECTORIZED) != 0)
        || !is_stream(sqe, f)
    {
        return None;
    }
    let vectors = match op {
        IORING_OP_READ
        | IORING_OP_WRITE
        | IORING_OP_READ_FIXED
        | IORING_OP_WRITE_FIXED
        | IORING_OP_SEND
        | IORING_OP_RECV => {
            let len = shorter_bytes(sqe.len)?;
            return Some(Shorter { len, instead: None });
        }
        IORING_OP_READV => IORING_OP_READ,
        IORING_OP_WRITEV => IORING_OP_WRITE,
        _ => return None,
    };
    if sqe.len > 1 {
        // Whole vectors.
        let len = 1 + (random() % u64::from(sqe.len - 1)) as u32;
        return Some(Shorter { len, instead: None });
    }
    let mut vector = [iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    }];
    if sqe.len == 0 || !memory::read(f.addr, &mut vector) {
        return None;
    }
    let [vector] = vector;
    let len = shorter_bytes(vector.iov_len.min(u32::MAX as usize) as u32)?;
    Some(Shorter {
        len,
        instead: Some((vectors, vector.iov_base.addr() as u64)),
    })
}

/// A part of a length at which a transfer may end.
fn shorter_bytes(len: u32) -> Option<u32> {
    const PAGE: u32 = 4096;
    if len > PAGE {
        // Files that are opened with O_DIRECT take whole blocks.
        let pages = (len - 1) / PAGE;
        Some(PAGE * (1 + (random() % u64::from(pages)) as u32))
    } else if len > 1 && len % 512 != 0 {
        Some(1 + (random() % u64::from(len - 1)) as u32)
    } else {
        None
    }
}

/// Whether what is left of a transfer can be transferred by another.
fn is_stream(sqe: &io_uring_sqe, f: &Fields) -> bool {
    if f.flags & IOSQE_FIXED_FILE != 0 {
        return false;
    }
    // SAFETY: a structure of numbers, for which zeros are a value; the C library fills it in.
    let stat = unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        if libc::fstat(sqe.fd, &raw mut stat) != 0 {
            return false;
        }
        stat
    };
    match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFBLK | libc::S_IFIFO => true,
        libc::S_IFSOCK => {
            let (mut kind, mut size) = (0, size_of::<c_int>() as libc::socklen_t);
            // SAFETY: the C library writes a number and its size.
            let ret = unsafe {
                libc::getsockopt(
                    sqe.fd,
                    libc::SOL_SOCKET,
                    libc::SO_TYPE,
                    (&raw mut kind).cast(),
                    &raw mut size,
                )
            };
            ret == 0 && kind == libc::SOCK_STREAM
        }
        _ => false,
    }
}
