//! What requests ask for: a file for each topic, and the table that says which opcodes there are.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use crate::credentials::Credentials;
use crate::request::{Place, Req};
use crate::ring::Ring;
use crate::run::{Batch, How};

pub mod buffers;
pub mod bundle;
pub mod cancel;
pub mod message;
pub mod misc;
pub mod path;
pub mod poll;
pub mod process;
pub mod receive;
pub mod rw;
pub mod socket;
pub mod sync;
pub mod timeout;
pub mod xattr;
pub mod zero_copy;

/// What became of a request.
pub enum Outcome {
    /// It is complete, with this result and these flags.
    Done(c_int, u32),
    /// It waits there.
    Park(Place),
    /// A thread of the program has to run it.
    HandBack,
}

/// What an opcode takes and does.
pub struct Op {
    check: fn(&Ring, &Req) -> Result<(), c_int>,
    issue: fn(&Arc<Ring>, &mut Req, How, &mut Batch) -> Outcome,
    /// Copies what the program may change once the request is submitted.
    stabilize: fn(&mut Req) -> Result<(), c_int>,
    /// It works on a descriptor, which may be a registered one.
    file: bool,
    /// It may pick one of the provided buffers.
    select: bool,
    /// It has a meaning for `ioprio`.
    ioprio: bool,
}

const fn op(
    check: fn(&Ring, &Req) -> Result<(), c_int>,
    issue: fn(&Arc<Ring>, &mut Req, How, &mut Batch) -> Outcome,
    stabilize: fn(&mut Req) -> Result<(), c_int>,
) -> Op {
    Op {
        check,
        issue,
        stabilize,
        file: false,
        select: false,
        ioprio: false,
    }
}

impl Op {
    const fn on_file(mut self) -> Op {
        self.file = true;
        self
    }
    const fn selecting(mut self) -> Op {
        self.select = true;
        self
    }
    const fn with_ioprio(mut self) -> Op {
        self.ioprio = true;
        self
    }
}

/// Nothing to copy: the request names no memory but what it transfers.
pub fn nothing(_: &mut Req) -> Result<(), c_int> {
    Ok(())
}

/// The opcodes that are served. The probe names these and no others.
fn table(opcode: u8) -> Option<&'static Op> {
    macro_rules! table {
        ($($name:ident => $op:expr;)*) => {
            match opcode {
                $(n if n == io_uring_op::$name as u8 => { const OP: Op = $op; Some(&OP) })*
                _ => None,
            }
        };
    }
    table! {
        IORING_OP_NOP => op(misc::check_nop, misc::nop, nothing);
        IORING_OP_NOP128 => op(misc::check_nop, misc::nop, nothing);
        IORING_OP_READ => op(rw::check, rw::read, nothing).on_file().selecting().with_ioprio();
        IORING_OP_WRITE => op(rw::check, rw::write, nothing).on_file().with_ioprio();
        IORING_OP_READV => op(rw::check_vector, rw::read, rw::copy_vector).on_file().selecting().with_ioprio();
        IORING_OP_WRITEV => op(rw::check_vector, rw::write, rw::copy_vector).on_file().with_ioprio();
        IORING_OP_READ_FIXED => op(rw::check, rw::read, nothing).on_file().with_ioprio();
        IORING_OP_WRITE_FIXED => op(rw::check, rw::write, nothing).on_file().with_ioprio();
        IORING_OP_READV_FIXED => op(rw::check_vector, rw::read, rw::copy_vector).on_file().with_ioprio();
        IORING_OP_WRITEV_FIXED => op(rw::check_vector, rw::write, rw::copy_vector).on_file().with_ioprio();
        IORING_OP_FSYNC => op(sync::check_fsync, sync::fsync, nothing).on_file();
        IORING_OP_SYNC_FILE_RANGE => op(sync::check_range, sync::range, nothing).on_file();
        IORING_OP_FALLOCATE => op(sync::check_fallocate, sync::fallocate, nothing).on_file();
        IORING_OP_FTRUNCATE => op(sync::check_ftruncate, sync::ftruncate, nothing).on_file();
        IORING_OP_SPLICE => op(sync::check_splice, sync::splice, nothing).on_file();
        IORING_OP_TEE => op(sync::check_splice, sync::tee, nothing).on_file();
        IORING_OP_FADVISE => op(sync::check_fadvise, sync::fadvise, nothing).on_file();
        IORING_OP_MADVISE => op(sync::check_madvise, sync::madvise, nothing);
        IORING_OP_POLL_ADD => op(poll::check_add, poll::add, nothing).on_file();
        IORING_OP_POLL_REMOVE => op(poll::check_remove, poll::remove, nothing);
        IORING_OP_TIMEOUT => op(timeout::check, timeout::timeout, timeout::copy);
        IORING_OP_TIMEOUT_REMOVE => op(timeout::check_remove, timeout::remove, timeout::copy_update);
        IORING_OP_LINK_TIMEOUT => op(timeout::check_link, timeout::link, timeout::copy);
        IORING_OP_ASYNC_CANCEL => op(cancel::check, cancel::cancel, nothing);
        IORING_OP_OPENAT => op(path::check_open, path::openat, path::copy_one);
        IORING_OP_OPENAT2 => op(path::check_open, path::openat2, path::copy_openat2);
        IORING_OP_STATX => op(path::check_statx, path::statx, path::copy_one);
        IORING_OP_UNLINKAT => op(path::check_unlink, path::unlinkat, path::copy_one);
        IORING_OP_RENAMEAT => op(path::check_two, path::renameat, path::copy_two);
        IORING_OP_MKDIRAT => op(path::check_mkdir, path::mkdirat, path::copy_one);
        IORING_OP_SYMLINKAT => op(path::check_symlink, path::symlinkat, path::copy_two);
        IORING_OP_LINKAT => op(path::check_two, path::linkat, path::copy_two);
        IORING_OP_SETXATTR => op(xattr::check_set, xattr::set, xattr::copy_set);
        IORING_OP_FSETXATTR => op(xattr::check_set, xattr::fset, xattr::copy_set).on_file();
        IORING_OP_GETXATTR => op(xattr::check_get, xattr::get, xattr::copy_get);
        IORING_OP_FGETXATTR => op(xattr::check_get, xattr::fget, xattr::copy_get).on_file();
        IORING_OP_CLOSE => op(misc::check_close, misc::close, nothing);
        IORING_OP_FILES_UPDATE => op(misc::check_files_update, misc::files_update, nothing);
        IORING_OP_EPOLL_CTL => op(misc::check_epoll_ctl, misc::epoll_ctl, misc::copy_epoll_ctl);
        IORING_OP_EPOLL_WAIT => op(misc::check_epoll_wait, misc::epoll_wait, nothing).on_file();
        IORING_OP_MSG_RING => op(misc::check_msg_ring, misc::msg_ring, nothing).on_file();
        IORING_OP_FIXED_FD_INSTALL => op(misc::check_install, misc::install, nothing).on_file();
        IORING_OP_WAITID => op(process::check_waitid, process::waitid, nothing);
        IORING_OP_PIPE => op(misc::check_pipe, misc::pipe, nothing);
        IORING_OP_PROVIDE_BUFFERS => op(buffers::check_provide, buffers::provide, nothing);
        IORING_OP_REMOVE_BUFFERS => op(buffers::check_remove, buffers::remove, nothing);
        IORING_OP_SOCKET => op(socket::check_socket, socket::socket, nothing);
        IORING_OP_BIND => op(socket::check_bind, socket::bind, socket::copy_address).on_file();
        IORING_OP_LISTEN => op(socket::check_listen, socket::listen, nothing).on_file();
        IORING_OP_SHUTDOWN => op(socket::check_shutdown, socket::shutdown, nothing).on_file();
        IORING_OP_ACCEPT => op(socket::check_accept, socket::accept, nothing).on_file().with_ioprio();
        IORING_OP_CONNECT => op(socket::check_connect, socket::connect, socket::copy_address).on_file();
        IORING_OP_SEND => op(message::check_send, message::send, message::copy_send).on_file().selecting().with_ioprio();
        IORING_OP_RECV => op(receive::check_recv, receive::recv, nothing).on_file().selecting().with_ioprio();
        IORING_OP_SENDMSG => op(message::check_send, message::sendmsg, message::copy).on_file().with_ioprio();
        IORING_OP_RECVMSG => op(receive::check_recv, receive::recvmsg, message::copy).on_file().selecting().with_ioprio();
        IORING_OP_URING_CMD => op(socket::check_command, socket::command, nothing).on_file();
        IORING_OP_URING_CMD128 => op(socket::check_command, socket::command, nothing).on_file();
        IORING_OP_SEND_ZC => op(zero_copy::check_zc, zero_copy::send_zc, message::copy_send).on_file().with_ioprio();
        IORING_OP_SENDMSG_ZC => op(zero_copy::check_zc, zero_copy::sendmsg_zc, message::copy).on_file().with_ioprio();
        IORING_OP_READ_MULTISHOT => op(rw::check_multishot, rw::read_multishot, nothing).on_file().selecting();
    }
}

/// Whether an SQE of the opcode has 128 bytes.
pub fn is_double(opcode: u8) -> bool {
    opcode == IORING_OP_NOP128 as u8 || opcode == IORING_OP_URING_CMD128 as u8
}

/// The flags of a completion and the second half that it has in a ring with such.
pub fn wide(ring: &Ring, req: &Req, flags: u32) -> (u32, [u64; 2]) {
    if !misc::is_wide_nop(req) {
        return (flags, [0; 2]);
    }
    let mixed = ring.has(IORING_SETUP_CQE_MIXED);
    let extra = [req.offset(), req.address::<u8>().addr() as u64];
    (flags | if mixed { IORING_CQE_F_32 } else { 0 }, extra)
}

/// Whether the opcode is served.
pub fn is_served(opcode: u8) -> bool {
    table(opcode).is_some()
}

/// The highest opcode that is served.
pub fn last_served() -> u8 {
    (0..IORING_OP_LAST as u8)
        .rev()
        .find(|opcode| is_served(*opcode))
        .unwrap_or(0)
}

/// Whether a request is the timeout of the one before it.
pub fn is_link_timeout(req: &Req) -> bool {
    req.sqe.opcode == IORING_OP_LINK_TIMEOUT as u8
}

/// Whether a negative result does not end a chain.
pub fn is_success(req: &Req, res: c_int) -> bool {
    timeout::is_success(req, res)
}

/// The refusals that a request gets before it is started.
pub fn check(ring: &Ring, req: &Req) -> Result<(), c_int> {
    let Some(op) = table(req.sqe.opcode) else {
        return Err(-libc::EINVAL);
    };
    if req.has(IOSQE_BUFFER_SELECT) && !op.select {
        return Err(-libc::EOPNOTSUPP);
    }
    if req.sqe.ioprio != 0 && !op.ioprio {
        return Err(-libc::EINVAL);
    }
    if ring.has(IORING_SETUP_IOPOLL) && !is_polled(req.sqe.opcode) {
        return Err(-libc::EINVAL);
    }
    (op.check)(ring, req)
}

/// Whether a ring set up with `IORING_SETUP_IOPOLL` takes the opcode.
fn is_polled(opcode: u8) -> bool {
    const POLLED: [io_uring_op; 14] = [
        IORING_OP_NOP,
        IORING_OP_READV,
        IORING_OP_WRITEV,
        IORING_OP_READ_FIXED,
        IORING_OP_WRITE_FIXED,
        IORING_OP_READV_FIXED,
        IORING_OP_WRITEV_FIXED,
        IORING_OP_READ,
        IORING_OP_WRITE,
        IORING_OP_FILES_UPDATE,
        IORING_OP_PROVIDE_BUFFERS,
        IORING_OP_REMOVE_BUFFERS,
        IORING_OP_MSG_RING,
        IORING_OP_URING_CMD,
    ];
    POLLED.iter().any(|polled| opcode == *polled as u8)
}

/// Starts a request, or goes on with it.
pub fn issue(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    let Some(op) = table(req.sqe.opcode) else {
        return Outcome::Done(-libc::EINVAL, 0);
    };
    if op.file && req.has(IOSQE_FIXED_FILE) && req.file.is_none() {
        req.file = ring.fixed_file(req.sqe.fd);
        if req.file.is_none() {
            return Outcome::Done(-libc::EBADF, 0);
        }
    }
    // One that has waited began with its rights, and goes on with an open file wherever it is.
    let Some(lent) = req.personality.clone().filter(|_| req.id == 0) else {
        return (op.issue)(ring, req, how, batch);
    };
    if !batch.within_enter && *lent != Credentials::own() {
        // A thread of the program's has to take them on.
        return Outcome::HandBack;
    }
    lent.lend(|| (op.issue)(ring, req, how, batch))
        .unwrap_or(Outcome::Done(-libc::EPERM, 0))
}

/// Copies what the program may change once the request is submitted. Done once.
pub fn stabilize(req: &mut Req) -> Result<(), c_int> {
    if req.stable.is_some() {
        return Ok(());
    }
    table(req.sqe.opcode).map_or(Ok(()), |op| (op.stabilize)(req))
}

/// The same for a request and all that follow it.
pub fn stabilize_chain(req: &mut Req) -> Result<(), c_int> {
    let mut at = Some(req);
    while let Some(req) = at {
        stabilize(req)?;
        path::note_credentials(req);
        at = req.link.as_deref_mut();
    }
    Ok(())
}

/// The flags of a completion with this result: which provided buffer was used.
pub fn flags_of(ring: &Ring, req: &Req, res: c_int) -> u32 {
    req.picked
        .as_ref()
        .map_or(0, |picked| picked.flags(&mut ring.state.lock().groups, res))
}

/// The file whose requests of this kind must go one after the other.
pub fn ordered_file(req: &Req) -> Option<c_int> {
    rw::is_write(req.sqe.opcode).then(|| req.fd())
}

/// A system call's return value as a result: what does not fit is none.
pub fn res(ret: isize) -> c_int {
    ret as c_int
}
