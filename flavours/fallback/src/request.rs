//! A request: its state from submission to completion, and where it waits.

use std::collections::hash_map::Entry;
use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::*;

use crate::credentials::Credentials;
use crate::duplicate::Duplicate;
use crate::numbers::Numbers;
use crate::resources::buffers::FixedBuffer;
use crate::resources::files::FixedFile;
use crate::resources::groups::{Picked, Turn};
use crate::sys;
use crate::word::Word;

/// Copies of what the SQE points to and the program may change after submission.
#[derive(Default)]
pub struct Stable {
    pub iovecs: Vec<libc::iovec>,
    pub message: Option<Message>,
    /// A socket address, a time or another argument of the opcode.
    pub bytes: Vec<u8>,
    pub paths: [Option<std::ffi::CString>; 2],
    /// Futexes to wait on.
    pub words: Vec<Word>,
    pub credentials: Option<Arc<Credentials>>,
    /// What is known of a bundle of which a part was sent; the rest is in `iovecs`.
    pub bundle: Option<Sent>,
    /// The registered file that a splice reads from.
    pub source: Option<Arc<FixedFile>>,
    /// A duplicate of the file that a splice reads from.
    pub source_copy: Option<Duplicate>,
    /// A splice waits for the file that it reads from.
    pub waits_for_source: bool,
}

// SAFETY: the pointers in the vectors are the program's, which shares its memory among its threads.
unsafe impl Send for Stable {}
// SAFETY: as above.
unsafe impl Sync for Stable {}

/// A message header and what it names, copied.
pub struct Message {
    pub header: libc::msghdr,
    pub iovecs: Vec<libc::iovec>,
    pub name: Vec<u8>,
    pub control: Vec<u8>,
}

// SAFETY: the pointers are to the program's memory or to the vectors beside them, which nobody changes.
unsafe impl Send for Message {}
// SAFETY: as above.
unsafe impl Sync for Message {}

/// A bundle that has been taken out of its group and of which a part was sent.
#[derive(Clone, Copy)]
pub struct Sent {
    pub flags: u32,
    pub all: bool,
}

/// A request.
pub struct Req {
    pub sqe: io_uring_sqe,
    pub id: u64,
    /// The next request of the chain, started if this one succeeds.
    pub link: Option<Box<Req>>,
    /// The registered file, from the moment that the request is started.
    pub file: Option<Arc<FixedFile>>,
    pub buffer: Option<Arc<FixedBuffer>>,
    pub stable: Option<Box<Stable>>,
    pub picked: Option<Picked>,
    pub turn: Option<Turn>,
    /// The credentials that it runs with, unless they are the submitter's.
    pub personality: Option<Arc<Credentials>>,
    /// Bytes transferred so far.
    pub done: usize,
    /// A duplicate of the file, made when the program closed its descriptor.
    pub duplicate: Option<Duplicate>,
    /// It is counted among the requests in flight.
    pub counted: bool,
    /// It may not be started before all others are done.
    pub drained: bool,
    /// It transferred fewer bytes than it asked for, which breaks a chain.
    pub short: bool,
    /// It failed in a way that breaks no chain.
    pub unbroken: bool,
    /// How often in a row it found nothing although its descriptor was ready.
    pub fruitless: u32,
    /// If not 0, it completes with this result without being started.
    pub failed: c_int,
}

impl Drop for Req {
    /// One request of a chain after the other: a chain may have more members than a stack has room for.
    #[inline]
    fn drop(&mut self) {
        let mut next = self.link.take();
        while let Some(mut req) = next {
            next = req.link.take();
        }
    }
}

impl Req {
    pub fn new(sqe: io_uring_sqe) -> Req {
        Req {
            sqe,
            id: 0,
            link: None,
            file: None,
            buffer: None,
            stable: None,
            picked: None,
            turn: None,
            personality: None,
            done: 0,
            duplicate: None,
            counted: false,
            drained: false,
            short: false,
            unbroken: false,
            fruitless: 0,
            failed: 0,
        }
    }

    pub fn has(&self, flag: u32) -> bool {
        u32::from(self.sqe.flags) & flag != 0
    }

    /// The descriptor to work on. A registered file has been looked up.
    pub fn fd(&self) -> c_int {
        match (&self.duplicate, &self.file) {
            (Some(duplicate), _) => duplicate.0,
            (None, Some(file)) => file.fd,
            (None, None) => self.sqe.fd,
        }
    }

    /// The descriptor that a splice reads from. A registered file has been looked up.
    pub fn source(&self) -> Option<c_int> {
        if !self.is(IORING_OP_SPLICE) && !self.is(IORING_OP_TEE) {
            return None;
        }
        let stable = self.stable.as_deref();
        if let Some(copy) = stable.and_then(|stable| stable.source_copy.as_ref()) {
            return Some(copy.0);
        }
        match self.op_flags() & SPLICE_F_FD_IN_FIXED {
            0 => Some(self.file_index() as c_int),
            _ => Some(stable?.source.as_ref()?.fd),
        }
    }

    /// The descriptors that it works on.
    pub fn fds(&self) -> [c_int; 2] {
        [self.fd(), self.source().unwrap_or(-1)]
    }

    /// The descriptor whose events it waits for.
    pub fn waits_for(&self) -> c_int {
        let stable = self.stable.as_deref();
        let source = stable.is_some_and(|stable| stable.waits_for_source);
        self.source().filter(|_| source).unwrap_or(self.fd())
    }

    /// Goes on with duplicates of those of its descriptors that are within a range. A registered file is kept anyway.
    /// `false`: there is no room for a duplicate.
    pub fn keep(&mut self, first: c_int, last: c_int) -> bool {
        let copy = |fd| match sys::duplicate(fd, sys::APART) {
            copy @ 0.. => Some(Duplicate(copy)),
            _ => None,
        };
        let within = |fd: &c_int| (first..=last).contains(fd);
        let mut kept = true;
        if self.file.is_none() && within(&self.fd()) {
            let made = copy(self.fd());
            kept = made.is_some();
            self.duplicate = made.or(self.duplicate.take());
        }
        let registered = self.op_flags() & SPLICE_F_FD_IN_FIXED != 0;
        if let Some(source) = self.source().filter(|fd| within(fd) && !registered) {
            let made = copy(source);
            kept &= made.is_some();
            if made.is_some() {
                self.stable().source_copy = made;
            }
        }
        kept
    }

    pub fn is(&self, opcode: io_uring_op) -> bool {
        self.sqe.opcode == opcode as u8
    }

    /// Whether it writes to a file.
    pub fn is_write(&self) -> bool {
        self.is(IORING_OP_WRITE)
            || self.is(IORING_OP_WRITEV)
            || self.is(IORING_OP_WRITE_FIXED)
            || self.is(IORING_OP_WRITEV_FIXED)
    }

    /// Whether it names its memory by a vector.
    pub fn is_vector(&self) -> bool {
        self.is(IORING_OP_READV)
            || self.is(IORING_OP_WRITEV)
            || self.is(IORING_OP_READV_FIXED)
            || self.is(IORING_OP_WRITEV_FIXED)
    }

    /// The file whose requests of this kind must go one after the other.
    pub fn ordered_file(&self) -> Option<c_int> {
        self.is_write().then(|| self.fd())
    }

    /// Whether it is the timeout of the request before it.
    pub fn is_link_timeout(&self) -> bool {
        self.is(IORING_OP_LINK_TIMEOUT)
    }

    /// Whether this negative result does not end a chain: the end of a time that the program calls a success.
    fn is_success(&self, res: c_int) -> bool {
        self.is(IORING_OP_TIMEOUT)
            && res == -libc::ETIME
            && self.op_flags() & IORING_TIMEOUT_ETIME_SUCCESS != 0
    }

    /// Whether it matters to what comes of the request if it transfers less than it asked for.
    pub fn minds_part(&self) -> bool {
        self.link.is_some() || self.has(IOSQE_CQE_SKIP_SUCCESS)
    }

    /// Whether this result breaks a chain, and is told of where the program does not want to hear of a success.
    pub fn breaks(&self, res: c_int) -> bool {
        (res < 0 && !self.unbroken && !self.is_success(res)) || self.short
    }

    /// Whether it is a no-op that asks for a CQE of 32 bytes.
    pub fn is_wide_nop(&self) -> bool {
        (self.is(IORING_OP_NOP) || self.is(IORING_OP_NOP128))
            && self.op_flags() & IORING_NOP_CQE32 != 0
    }

    pub fn stable(&mut self) -> &mut Stable {
        self.stable.get_or_insert_default()
    }

    /// `addr` as an address.
    pub fn address<T>(&self) -> *mut T {
        // SAFETY: both readings of the union are plain numbers.
        std::ptr::with_exposed_provenance_mut(unsafe { self.sqe.__anon2.addr } as usize)
    }

    /// `off`, or `addr2`.
    pub fn offset(&self) -> u64 {
        // SAFETY: as in `address`.
        unsafe { self.sqe.__anon1.off }
    }

    /// `off`, read as an address.
    pub fn address2<T>(&self) -> *mut T {
        std::ptr::with_exposed_provenance_mut(self.offset() as usize)
    }

    /// The flags that belong to the opcode.
    pub fn op_flags(&self) -> u32 {
        // SAFETY: all readings of the union are plain numbers of 32 bits, or of the first 16.
        unsafe { self.sqe.__anon3.msg_flags }
    }

    /// `buf_index`, or `buf_group`.
    pub fn buf_index(&self) -> u16 {
        // SAFETY: both readings of the union are the same number.
        unsafe { self.sqe.__anon4.buf_index }
    }

    /// `file_index`, `splice_fd_in` or another reading of that word.
    pub fn file_index(&self) -> u32 {
        // SAFETY: all readings of the union are plain numbers.
        unsafe { self.sqe.__anon5.file_index }
    }

    /// `addr3`.
    pub fn addr3(&self) -> u64 {
        // SAFETY: all readings of the union are plain numbers.
        unsafe { self.sqe.__anon6.__anon1.addr3 }
    }

    /// `attr_type_mask`.
    pub fn attributes(&self) -> u64 {
        // SAFETY: all readings of the union are plain numbers.
        unsafe { self.sqe.__anon6.__anon2.attr_type_mask }
    }
}

/// Which threads run a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Requests that wait for a disk or a lock, and so end by themselves.
    Bounded,
    /// Requests that may wait for ever.
    Unbounded,
}

/// Who runs a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A thread that must not wait: the program's in `io_uring_enter`, or the poller.
    Try,
    /// The same, and the descriptor was reported ready.
    Ready,
    /// A worker, which may wait.
    Block,
}

/// Where a request waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Worker(Class),
    /// For events on a descriptor, once. The descriptor is the request's.
    Poll(u32),
    /// The same, without having been tried: requests on the descriptor had to wait before.
    Untried(u32),
    /// For each event on a descriptor.
    Edge(u32),
    /// Until a time on the monotonic clock, in nanoseconds.
    Timer(u64),
    /// In the kernel's native AIO.
    Aio,
    /// On the futexes that it names.
    Futex,
}

impl Place {
    pub fn is_for_events(self) -> bool {
        matches!(self, Place::Poll(_) | Place::Untried(_) | Place::Edge(_))
    }
}

/// A request that can be cancelled.
pub struct Info {
    pub user_data: u64,
    pub opcode: u8,
    /// The descriptor that it works on: of a splice the one that it writes to.
    pub file: c_int,
    /// The descriptor that it waits for.
    pub fd: c_int,
    pub place: Place,
    /// The link timeout that runs for it.
    pub timeout: Option<u64>,
    /// It was cancelled while it ran: it ends where it would wait next.
    pub cancelled: bool,
    /// A worker is in a call for it that may last for ever.
    pub held: bool,
}

/// The requests of a ring that can be cancelled, by number and by what the program calls them.
#[derive(Default)]
pub struct Pending {
    by_id: Numbers<u64, Info>,
    /// The oldest, and those that came after it.
    by_data: Numbers<u64, (u64, Vec<u64>)>,
}

impl Pending {
    /// Enters where a request waits from now on. `false`: it was cancelled, and does not wait.
    pub fn insert(&mut self, id: u64, mut info: Info) -> bool {
        let user_data = info.user_data;
        if let Some(before) = self.by_id.get_mut(&id) {
            if before.cancelled {
                return false;
            }
            // The request moves from one place to another: its name is entered, its timeout runs on.
            info.timeout = before.timeout;
            *before = info;
            return true;
        }
        self.by_id.insert(id, info);
        match self.by_data.entry(user_data) {
            Entry::Occupied(mut named) => named.get_mut().1.push(id),
            Entry::Vacant(none) => {
                none.insert((id, Vec::new()));
            }
        }
        true
    }

    pub fn remove(&mut self, id: u64) -> Option<Info> {
        let info = self.by_id.remove(&id)?;
        if let Entry::Occupied(mut named) = self.by_data.entry(info.user_data) {
            let (first, others) = named.get_mut();
            if *first != id {
                others.retain(|other| *other != id);
            } else if others.is_empty() {
                named.remove();
            } else {
                *first = others.remove(0);
            }
        }
        Some(info)
    }

    /// The program calls a request something else from now on.
    pub fn rename(&mut self, id: u64, user_data: u64) {
        if let Some(mut info) = self.remove(id) {
            info.user_data = user_data;
            self.insert(id, info);
        }
    }

    pub fn get_mut(&mut self, id: u64) -> Option<&mut Info> {
        self.by_id.get_mut(&id)
    }

    pub fn get(&self, id: u64) -> Option<&Info> {
        self.by_id.get(&id)
    }

    /// Requests with this user data, the oldest first.
    pub fn named(&self, user_data: u64) -> Vec<u64> {
        let named = self.by_data.get(&user_data);
        named.map_or_else(Vec::new, |(first, others)| {
            std::iter::once(*first)
                .chain(others.iter().copied())
                .collect()
        })
    }

    /// Requests that fit, the oldest first.
    pub fn matching(&self, fits: impl Fn(&Info) -> bool) -> Vec<u64> {
        let mut ids: Vec<u64> = self
            .by_id
            .iter()
            .filter(|(_, info)| fits(info))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// All requests and where they are.
    pub fn all(&self) -> Vec<(u64, Info)> {
        self.by_id
            .iter()
            .map(|(id, info)| (*id, info.copy()))
            .collect()
    }

    pub fn clear(&mut self) {
        self.by_id.clear();
        self.by_data.clear();
    }
}

impl Info {
    pub fn new(req: &Req, place: Place) -> Info {
        Info {
            user_data: req.sqe.user_data,
            opcode: req.sqe.opcode,
            file: req.fd(),
            fd: req.waits_for(),
            place,
            timeout: None,
            cancelled: false,
            held: false,
        }
    }

    /// Whether the request can be cancelled while it runs: it waits for a descriptor, and looks for the mark before it does
    /// so again. A worker that waits for a connection looks for it, too, unless it is in `accept4` itself.
    pub fn can_be_marked(&self) -> bool {
        match self.place {
            place if place.is_for_events() => true,
            Place::Worker(Class::Unbounded) => {
                let waits = [IORING_OP_ACCEPT, IORING_OP_POLL_ADD];
                waits.iter().any(|op| self.opcode == *op as u8) && !self.held
            }
            // It waits for a descriptor that is ready and has nothing for it, or for a process.
            Place::Timer(_) => {
                let times = [IORING_OP_TIMEOUT, IORING_OP_LINK_TIMEOUT];
                times.iter().all(|time| self.opcode != *time as u8)
            }
            _ => false,
        }
    }

    pub fn copy(&self) -> Info {
        Info {
            timeout: self.timeout,
            ..*self
        }
    }
}
