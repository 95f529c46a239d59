//! What one round of running requests collects.

use std::ffi::c_int;
use std::sync::Arc;

use uring_core::abi::IORING_CQE_F_MORE;

use crate::job::Job;
use crate::lead;
use crate::memory::Completion;
use crate::request::Req;
use crate::resources::buffers::FixedBuffer;
use crate::resources::files::FixedFile;
use crate::ring::{Ring, State};
use crate::sys;
use crate::wake::Round;

/// What a descriptor stands for. Asked for once in a round: who changes it in another thread at the same time cannot
/// tell whether a request comes before or after.
struct Known {
    fd: c_int,
    flags: c_int,
    kind: Option<c_int>,
}

/// Completions and requests, collected so that locks are taken and threads woken once for many requests.
pub struct Batch {
    pub done: Vec<Completion>,
    pub aio: Vec<Box<Job>>,
    /// How many of these are submitted together.
    pub aio_at_once: usize,
    /// The descriptor that the last request read or wrote, while nothing but reads and writes has run since.
    known: Option<Known>,
    /// The registered file and the registered buffer that the last request used, with their numbers.
    file: Option<(c_int, Arc<FixedFile>)>,
    buffer: Option<(u16, Arc<FixedBuffer>)>,
    /// Completions have been posted, and their waiters are not woken yet.
    pub untold: bool,
    /// The thread is the program's own, inside `io_uring_enter`.
    pub within_enter: bool,
    /// The end of the round tries the requests that come last, and looks for events.
    pub ends_by_looking: bool,
    /// It is on.
    pub ending: bool,
    /// Requests that come last.
    pub last: Vec<Box<Job>>,
    /// Requests wait for events without having been tried.
    pub untried: bool,
    /// The completions that timeouts counted before the round posted any.
    pub counted: Option<u64>,
    /// What runs follows other requests of the round.
    pub follows: bool,
}

impl Batch {
    /// With room for completions.
    pub fn new(within_enter: bool, room: Vec<Completion>) -> Batch {
        Batch {
            done: room,
            aio: Vec::new(),
            aio_at_once: 4,
            known: None,
            file: None,
            buffer: None,
            untold: false,
            within_enter,
            ends_by_looking: false,
            ending: false,
            last: Vec::new(),
            untried: false,
            counted: None,
            follows: false,
        }
    }

    /// Whether no other thread looks for events, in a round whose end does.
    #[inline]
    pub fn is_alone(&self) -> bool {
        self.ends_by_looking && !Round::is_on() && !lead::is_watched()
    }

    /// Whether requests have not been tried at their turn, and the end of the round is not there yet.
    #[inline]
    pub fn has_last(&self) -> bool {
        (self.untried || !self.last.is_empty()) && !self.ending
    }

    /// The flags with which the file of a request is open, or a negative error number.
    pub fn open_flags(&mut self, req: &Req) -> c_int {
        if let Some(file) = &req.file {
            return file.flags;
        }
        let fd = req.fd();
        if let Some(known) = self.known.as_ref().filter(|known| known.fd == fd) {
            return known.flags;
        }
        let flags = sys::open_flags(fd);
        self.known = (flags >= 0).then_some(Known {
            fd,
            flags,
            kind: None,
        });
        flags
    }

    /// What kind of file a request works on.
    pub fn kind(&mut self, req: &Req) -> c_int {
        if let Some(file) = &req.file {
            return file.kind;
        }
        let fd = req.fd();
        match self.known.as_mut().filter(|known| known.fd == fd) {
            Some(known) => *known.kind.get_or_insert_with(|| sys::file_type(fd)),
            None => sys::file_type(fd),
        }
    }

    /// The registered file in a slot.
    pub fn fixed_file(&mut self, ring: &Ring, slot: c_int) -> Option<Arc<FixedFile>> {
        match self.file.take() {
            Some((at, file)) if at == slot => Some(file),
            _ => ring.fixed_file(slot),
        }
    }

    /// The registered buffer of an index.
    pub fn fixed_buffer(&mut self, ring: &Ring, index: u16) -> Option<Arc<FixedBuffer>> {
        match self.buffer.take() {
            Some((at, buffer)) if at == index => Some(buffer),
            _ => ring.fixed_buffer(index),
        }
    }

    /// Keeps what a request used that has completed, for the next one.
    #[inline]
    pub fn keep(&mut self, mut req: Req) {
        if let Some(file) = req.file.take() {
            self.file = Some((req.sqe.fd, file));
        }
        if let Some(buffer) = req.buffer.take() {
            self.buffer = Some((req.buf_index(), buffer));
        }
    }

    /// A request runs that may change what a number stands for.
    #[inline]
    pub fn forget_files(&mut self) {
        self.known = None;
        self.file = None;
        self.buffer = None;
    }

    /// Before the round posts.
    #[inline]
    pub fn begin_to_post(&mut self, state: &State) {
        self.counted.get_or_insert(state.counts());
    }

    /// Posts the collected completions, and wakes the waiters of these and of those posted before.
    pub fn post(&mut self, ring: &Ring) {
        if self.done.is_empty() && !self.untold {
            return;
        }
        self.untold = false;
        let mut state = ring.state.lock();
        self.begin_to_post(&state);
        ring.post_all(&mut state, &mut self.done, !self.within_enter);
    }
}

/// Posts one of several completions of a request. `false`: there is no room, so the request ends.
pub fn post_more(
    ring: &Arc<Ring>,
    req: &mut Req,
    res: c_int,
    flags: u32,
    batch: &mut Batch,
) -> bool {
    batch.post(ring);
    let mut state = ring.state.lock();
    if ring.is_full(&state) {
        return false;
    }
    let flags = flags | IORING_CQE_F_MORE;
    let completion = Completion {
        user_data: req.sqe.user_data,
        res,
        flags,
        ..Completion::default()
    };
    ring.post_of(&mut state, req, completion);
    ring.notify(&state, !batch.within_enter);
    true
}
