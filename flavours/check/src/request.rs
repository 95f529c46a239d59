//! A request that the program has submitted.

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::ops::{self, Fields, Pointer, Until};
use crate::trails::Trail;

/// How many ranges of memory of one request are remembered.
const RANGES: usize = 16;

/// Whether two pieces of memory, each with its start and length, have a part in common.
pub fn meet(one: (u64, u64), other: (u64, u64)) -> bool {
    one.0 < other.0.saturating_add(other.1) && other.0 < one.0.saturating_add(one.1)
}

/// Memory that a request uses until it completes.
#[derive(Clone, Copy)]
pub struct Range {
    pub start: u64,
    pub len: u64,
    /// The kernel writes to it.
    pub written: bool,
    /// Nobody else has business there until the request ends.
    pub owned: bool,
    /// It is in use only until the kernel has taken the SQE.
    pub until_taken: bool,
    pub what: &'static str,
}

impl Range {
    pub fn meets(&self, start: u64, len: u64) -> bool {
        meet((self.start, self.len), (start, len))
    }
}

/// The call that submits a request.
#[derive(Clone, Copy)]
pub struct By {
    /// The address to which it returns.
    pub place: usize,
    /// The calls that led to it.
    pub trail: Trail,
    pub thread: u32,
}

/// A request: its SQE as it was submitted, and what is known of it beyond that.
#[derive(Clone)]
pub struct Request {
    pub sqe: io_uring_sqe,
    pub by: By,
    /// A part of its memory is in the stack of the thread that submitted it.
    pub on_stack: bool,
    /// A CQE of it has been posted, and more will come.
    pub armed: bool,
    /// Sanitizers have been told of its memory.
    pub held: bool,
    /// It was freed meanwhile.
    pub freed: bool,
    /// When it was submitted, if there is a trace; else 0.
    pub time: u64,
    /// How many requests had been submitted before it.
    pub number: u64,
    /// The SQ index behind it: it is taken when the kernel's head has reached that.
    pub index: u32,
    first: Option<Range>,
    others: Vec<Range>,
}

impl Request {
    pub fn new(sqe: io_uring_sqe, by: By, index: u32) -> Request {
        Request {
            sqe,
            by,
            on_stack: false,
            armed: false,
            held: false,
            freed: false,
            time: 0,
            number: 0,
            index,
            first: None,
            others: Vec::new(),
        }
    }

    /// Makes of a request that is no longer needed another one. Its memory is used again.
    #[inline]
    pub fn renew(&mut self, sqe: &io_uring_sqe, by: By, index: u32) {
        let mut others = std::mem::take(&mut self.others);
        others.clear();
        *self = Request {
            others,
            ..Request::new(*sqe, by, index)
        };
    }

    /// Remembers memory that the request uses beyond the call that submits it. `late` says that the kernel takes SQEs
    /// later than in that call.
    pub fn add(&mut self, pointer: &Pointer, late: bool) {
        let until_taken = pointer.until == Until::Submitted;
        if (until_taken && !late) || pointer.at == 0 || pointer.len == 0 {
            return;
        }
        let range = Range {
            start: pointer.at,
            len: pointer.len,
            written: pointer.written,
            owned: pointer.owned,
            until_taken,
            what: pointer.what,
        };
        if self.first.is_none() {
            self.first = Some(range);
        } else if self.others.len() < RANGES - 1 {
            self.others.push(range);
        }
    }

    pub fn ranges(&self) -> impl Iterator<Item = &Range> {
        self.first.iter().chain(&self.others)
    }

    pub fn has_memory(&self) -> bool {
        self.first.is_some()
    }

    pub fn opcode(&self) -> u8 {
        self.sqe.opcode
    }

    pub fn has(&self, flag: u32) -> bool {
        u32::from(self.sqe.flags) & flag != 0
    }

    /// The descriptor that it works on, if it is one of the process's table.
    pub fn descriptor(&self) -> Option<i32> {
        let named = ops::has_file(self.sqe.opcode) && !self.has(IOSQE_FIXED_FILE);
        (named && self.sqe.fd >= 0).then_some(self.sqe.fd)
    }

    /// The group that it takes a buffer from.
    pub fn group(&self) -> Option<u16> {
        // SAFETY: any bytes are a number.
        let group = unsafe { self.sqe.__anon4.buf_group };
        self.has(IOSQE_BUFFER_SELECT).then_some(group)
    }

    /// It takes several buffers of its group at a time.
    pub fn is_bundle(&self) -> bool {
        u32::from(self.sqe.ioprio) & IORING_RECVSEND_BUNDLE != 0
    }

    /// It stays armed after a CQE.
    #[inline]
    pub fn is_multishot(&self) -> bool {
        const MAY_BE: u64 = 1 << IORING_OP_POLL_ADD as u32
            | 1 << IORING_OP_ACCEPT as u32
            | 1 << IORING_OP_RECV as u32
            | 1 << IORING_OP_RECVMSG as u32
            | 1 << IORING_OP_TIMEOUT as u32
            | 1 << IORING_OP_READ_MULTISHOT as u32
            | 1 << IORING_OP_RECV_ZC as u32;
        const { assert!((IORING_OP_RECV_ZC as u32) < 64) };
        let opcode = u32::from(self.opcode());
        opcode < 64 && MAY_BE >> opcode & 1 != 0 && self.asks_for_more()
    }

    fn asks_for_more(&self) -> bool {
        let f = Fields::of(&self.sqe);
        match ops::opcode(self.opcode()) {
            Some(IORING_OP_POLL_ADD) => f.len & u64::from(IORING_POLL_ADD_MULTI) != 0,
            Some(IORING_OP_ACCEPT) => f.ioprio & IORING_ACCEPT_MULTISHOT != 0,
            Some(IORING_OP_RECV | IORING_OP_RECVMSG) => f.ioprio & IORING_RECV_MULTISHOT != 0,
            Some(IORING_OP_TIMEOUT) => f.op_flags & IORING_TIMEOUT_MULTISHOT != 0,
            Some(IORING_OP_READ_MULTISHOT | IORING_OP_RECV_ZC) => true,
            _ => false,
        }
    }

    /// The slot of the file table that it works on.
    pub fn file_slot(&self) -> Option<i32> {
        (ops::has_file(self.sqe.opcode) && self.has(IOSQE_FIXED_FILE)).then_some(self.sqe.fd)
    }
}
