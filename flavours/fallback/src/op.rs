//! What there is to know of an opcode.

use std::ffi::c_int;
use std::sync::{Arc, OnceLock};

use uring_core::abi::*;

use crate::batch::Batch;
use crate::credentials::Credentials;
use crate::job::Job;
use crate::request::{How, Place, Req};
use crate::ring::Ring;

/// Finds what is known of an opcode. `None`: it is not served.
pub type Find = fn(u8) -> Option<&'static Op>;

/// The table of opcodes stands above what runs requests. It is entered here before there is a ring.
static TABLE: OnceLock<Find> = OnceLock::new();

/// Enters the table, once.
pub fn enter(table: Find) {
    TABLE.get_or_init(|| table);
}

fn find(opcode: u8) -> Option<&'static Op> {
    TABLE.get()?(opcode)
}

/// What became of a request.
pub enum Outcome {
    /// It is complete, with this result and these flags.
    Done(c_int, u32),
    /// It waits there.
    Park(Place),
    /// It comes when all others of the round are taken in.
    Last,
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
    /// It reads or writes, and changes no descriptor.
    transfers: bool,
    /// It does not matter to it whether requests before it in the round that come last would have completed.
    beside_last: bool,
    /// It is refused or not by what its thread may do.
    credentials: bool,
    /// Whether what is linked to it goes on although it failed with this error.
    unbroken: Option<fn(&Req, c_int) -> bool>,
    /// Posts an event and stays where it waits. `false`: it ends, and its last completion is to come.
    event: Option<fn(&Job) -> bool>,
}

/// An opcode that works on no file.
pub const fn op(
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
        transfers: false,
        beside_last: false,
        credentials: false,
        unbroken: None,
        event: None,
    }
}

impl Op {
    pub const fn on_file(mut self) -> Op {
        self.file = true;
        self
    }
    pub const fn selecting(mut self) -> Op {
        self.select = true;
        self
    }
    /// It reads or writes.
    pub const fn transferring(mut self) -> Op {
        self.transfers = true;
        self.on_file().with_ioprio()
    }
    pub const fn beside_last(mut self) -> Op {
        self.beside_last = true;
        self
    }
    pub const fn with_credentials(mut self) -> Op {
        self.credentials = true;
        self
    }
    /// As in the kernel no error of its call breaks a chain. `called`: whether it is the call's error.
    pub const fn unbroken(mut self, called: fn(&Req, c_int) -> bool) -> Op {
        self.unbroken = Some(called);
        self
    }
    pub const fn with_event(mut self, event: fn(&Job) -> bool) -> Op {
        self.event = Some(event);
        self
    }
    pub const fn with_ioprio(mut self) -> Op {
        self.ioprio = true;
        self
    }
}

/// Nothing to copy: the request names no memory but what it transfers.
pub fn nothing(_: &mut Req) -> Result<(), c_int> {
    Ok(())
}

/// Whether an SQE of the opcode has 128 bytes.
pub fn is_double(opcode: u8) -> bool {
    opcode == IORING_OP_NOP128 as u8 || opcode == IORING_OP_URING_CMD128 as u8
}

/// The refusals that a request gets before it is started, and else what there is to know of its opcode.
#[inline]
pub fn check(ring: &Ring, req: &Req) -> Result<&'static Op, c_int> {
    let Some(op) = find(req.sqe.opcode) else {
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
    (op.check)(ring, req)?;
    Ok(op)
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
    let Some(op) = find(req.sqe.opcode) else {
        return Outcome::Done(-libc::EINVAL, 0);
    };
    issue_as(op, ring, req, how, batch)
}

/// Whether it matters to a request if those before it that come last would have completed.
pub fn minds_last(req: &Req) -> bool {
    // `ioprio`: flags, such as those of requests that receive more than once.
    req.sqe.ioprio != 0 || find(req.sqe.opcode).is_none_or(|op| !op.beside_last)
}

/// Whether requests of an opcode work on a descriptor: for others its field may be any number.
pub fn is_on_file(opcode: u8) -> bool {
    find(opcode).is_some_and(|op| op.file)
}

/// Whether requests of an opcode close descriptors.
pub fn closes(opcode: u8) -> bool {
    opcode == IORING_OP_CLOSE as u8
}

/// The same where its opcode has been looked up.
#[inline]
pub fn issue_as(op: &Op, ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    if !op.transfers {
        batch.forget_files();
    }
    if op.file && req.has(IOSQE_FIXED_FILE) && req.file.is_none() {
        req.file = batch.fixed_file(ring, req.sqe.fd);
        if req.file.is_none() {
            return Outcome::Done(-libc::EBADF, 0);
        }
    }
    if req.personality.is_none() {
        return start(op, ring, req, how, batch);
    }
    // One that has waited began with its rights, and goes on with an open file wherever it is.
    let Some(lent) = req.personality.clone().filter(|_| req.id == 0) else {
        return start(op, ring, req, how, batch);
    };
    if !batch.within_enter && *lent != Credentials::own() {
        // A thread of the program's has to take them on.
        return Outcome::HandBack;
    }
    lent.lend(|| start(op, ring, req, how, batch))
        .unwrap_or(Outcome::Done(-libc::EPERM, 0))
}

#[inline]
fn start(op: &Op, ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    let outcome = (op.issue)(ring, req, how, batch);
    if let (Outcome::Done(error @ ..0, _), Some(called)) = (&outcome, op.unbroken) {
        req.unbroken = called(req, *error);
    }
    outcome
}

/// Copies what the program may change once the request is submitted. Done once.
pub fn stabilize(req: &mut Req) -> Result<(), c_int> {
    if req.stable.is_some() {
        return Ok(());
    }
    find(req.sqe.opcode).map_or(Ok(()), |op| (op.stabilize)(req))
}

/// The same for a request and all that follow it.
pub fn stabilize_chain(req: &mut Req) -> Result<(), c_int> {
    let mut at = Some(req);
    while let Some(req) = at {
        stabilize(req)?;
        if find(req.sqe.opcode).is_some_and(|op| op.credentials) {
            note_credentials(req);
        }
        at = req.link.as_deref_mut();
    }
    Ok(())
}

/// Notes whose request it is, where its turn may come in another thread.
fn note_credentials(req: &mut Req) {
    if req.stable().credentials.is_none() {
        let whose = match &req.personality {
            Some(lent) => lent.clone(),
            None => Arc::new(Credentials::own()),
        };
        req.stable().credentials = Some(whose);
    }
}

/// An event came for a job that waits for each of them. `false`: it ends, and its last completion is to come.
pub fn event(job: &Job) -> bool {
    find(job.req.sqe.opcode)
        .and_then(|op| op.event)
        .is_some_and(|event| event(job))
}

/// A system call's return value as a result: what does not fit is none.
pub fn res(ret: isize) -> c_int {
    ret as c_int
}
