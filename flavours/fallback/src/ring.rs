//! A ring and what it holds.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

use uring_core::abi::{IORING_OP_TIMEOUT, IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_TASKRUN_FLAG};

use crate::lock::Lock;
use crate::memory::{Completion, Memory};
use crate::numbers::Numbers;
use crate::request::{Pending, Req};
use crate::resources::buffers::FixedBuffer;
use crate::resources::files::{FileTable, FixedFile};
use crate::resources::groups::Groups;
use crate::resources::personalities::Personalities;
use crate::resources::region::Region;
use crate::resources::restrictions::Restrictions;
use crate::resources::tag::Released;
use crate::sys;

/// An emulated ring.
pub struct Ring {
    /// An eventfd: the ring's descriptor. -1 after it was closed.
    descriptor: AtomicI32,
    /// The same eventfd under a number of the library's own, for a ring that may be closed unseen. -1: there is none.
    kept: AtomicI32,
    /// Exchanged when the ring gets another size. What was there before is in `retired` as long as the ring is.
    memory: AtomicPtr<Memory>,
    retired: Lock<Vec<AtomicPtr<Memory>>>,
    /// `IORING_SETUP_*`.
    pub flags: u32,
    /// The one thread that may submit, under `IORING_SETUP_SINGLE_ISSUER`.
    pub owner: AtomicI32,
    /// Held while requests are taken in: one thread at a time submits.
    pub submission: Lock<Submission>,
    /// Held for short, never over a call that can block.
    pub state: Lock<State>,
    /// Tags of resources that are no longer used, to be posted.
    pub released: Arc<Released>,
    /// An eventfd for waits with a signal mask, made at the first of them. -1 until then.
    pub masked_wait: AtomicI32,
    /// Threads of this process in such a wait.
    pub masked_waiters: AtomicU32,
    /// The thread that waits on the ring and does the poller's work. 0: none.
    pub leader: AtomicI32,
    /// Threads in a call on the ring.
    pub inside: AtomicU32,
    /// Its descriptor is written to for each completion. Set under the state, and for good.
    pub told_each: AtomicBool,
    /// Closed while there were some: the last one ends it.
    pub abandoned: AtomicBool,
    /// Nobody hears of its completions any more, and its memory may go. Set under the state.
    pub given_up: AtomicBool,
    /// It has ended: no request is started any more, but by a worker whose job its end waits for. Set under the state.
    pub closed: AtomicBool,
    /// Other processes may use it, too.
    pub shared: AtomicBool,
    /// In the child of a fork: how often the parent's threads and requests had the ring. Nobody gives these back.
    pub lost: AtomicUsize,
    /// Set up with `IORING_SETUP_R_DISABLED` and not enabled yet. Changes under the state.
    pub disabled: AtomicBool,
    /// The state's restrictions are active. Set before the ring is enabled, and for good.
    pub restricted: AtomicBool,
    /// The state has timeouts that count completions. Changes under the state.
    pub counts: AtomicBool,
    /// How many pending requests were cancelled while they ran. Changes under the state.
    pub marked: AtomicU32,
    /// The clock of waits.
    pub clock: AtomicI32,
    /// Completions of transfers are kept back. Changes under the state.
    pub keeps_transfers: AtomicBool,
    /// Number of timeout requests that have expired. Each also ends a wait.
    pub timeouts: AtomicU32,
    /// How many of these expiries have already ended a wait.
    pub timeouts_told: AtomicU32,
    /// Requests left to the next `io_uring_enter`, since the thread they came to has other credentials.
    pub handed_back: Lock<VecDeque<Req>>,
    /// There are some. Changes under their lock.
    pub left_over: AtomicBool,
}

/// What submission keeps from one call to the next.
#[derive(Default)]
pub struct Submission {
    /// Whether what follows has to wait for a drained request, too.
    pub drain_next: bool,
    /// Requests may be deferred: then others go behind them.
    pub defers: bool,
    /// A request was to complete without a CQE: from then on none is drained.
    pub skips: bool,
    /// Room for completions, kept from one call to the next.
    pub room: Vec<Completion>,
}

/// The state that the ring's requests share, under one lock.
#[derive(Default)]
pub struct State {
    /// Completions for which there was no room.
    pub overflow: VecDeque<Completion>,
    /// Completions that the program has not asked for, under `IORING_SETUP_DEFER_TASKRUN`.
    pub kept: VecDeque<Completion>,
    /// What their bytes have an order in, by numbers.
    pub kept_orders: Numbers<u64, ()>,
    /// Completions of other threads are kept back: the owner is not in a call that asks for them.
    pub keeps: bool,
    /// Completions posted since the ring was made.
    pub posted: u64,
    /// How many of them are those of timeouts whose time had come, which other timeouts do not count.
    pub timed_out: u64,
    /// Requests that have been started and not been completed.
    pub in_flight: usize,
    /// Requests that wait for all before them.
    pub deferred: VecDeque<Req>,
    /// Requests that can be cancelled, and where they are.
    pub pending: Pending,
    /// Timeouts that count completions: the count at which each ends.
    pub counted: Vec<(u64, u64)>,
    pub files: Option<FileTable>,
    pub buffers: Option<Vec<Option<Arc<FixedBuffer>>>>,
    pub groups: Groups,
    /// Memory registered with `IORING_REGISTER_MEM_REGION`.
    pub region: Option<Region>,
    pub personalities: Personalities,
    pub eventfd: Option<Registered>,
    pub restrictions: Restrictions,
}

/// An eventfd that is told of completions.
#[derive(Clone, Copy)]
pub struct Registered {
    /// The library's own descriptor of it.
    pub copy: c_int,
    /// The program's, when it registered it.
    pub number: c_int,
    /// It is for asynchronous completions alone.
    pub only_aside: bool,
}

impl State {
    /// Whether a request that waits for all before it has to go on waiting. One whose completion is kept back is not over.
    pub fn holds_drained(&self) -> bool {
        self.in_flight > 0 || !self.kept.is_empty()
    }

    /// A timeout that counts completions is complete: by its time, or cancelled.
    pub fn forget_counted(&mut self, req: &Req) {
        if !self.counted.is_empty() && u32::from(req.sqe.opcode) == IORING_OP_TIMEOUT as u32 {
            self.counted.retain(|(_, id)| *id != req.id);
        }
    }

    /// Completions that timeouts count.
    pub fn counts(&self) -> u64 {
        // One that is about to be posted may be counted already among those that do not count.
        self.posted.saturating_sub(self.timed_out)
    }
}

impl Ring {
    pub fn new(descriptor: c_int, memory: Memory, flags: u32, disabled: bool) -> Ring {
        Ring {
            descriptor: AtomicI32::new(descriptor),
            kept: AtomicI32::new(-1),
            memory: AtomicPtr::new(Box::into_raw(Box::new(memory))),
            retired: Lock::new(Vec::new()),
            flags,
            owner: AtomicI32::new(0),
            submission: Lock::new(Submission::default()),
            state: Lock::new(State {
                keeps: flags & IORING_SETUP_DEFER_TASKRUN != 0,
                ..State::default()
            }),
            released: Arc::default(),
            masked_wait: AtomicI32::new(-1),
            masked_waiters: AtomicU32::new(0),
            leader: AtomicI32::new(0),
            inside: AtomicU32::new(0),
            told_each: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            lost: AtomicUsize::new(0),
            disabled: AtomicBool::new(disabled),
            restricted: AtomicBool::new(false),
            counts: AtomicBool::new(false),
            marked: AtomicU32::new(0),
            clock: AtomicI32::new(libc::CLOCK_MONOTONIC),
            keeps_transfers: AtomicBool::new(false),
            timeouts: AtomicU32::new(0),
            timeouts_told: AtomicU32::new(0),
            handed_back: Lock::new(VecDeque::new()),
            left_over: AtomicBool::new(false),
        }
    }

    /// The ring's memory as it is now.
    #[inline]
    pub fn memory(&self) -> &Memory {
        // Acquire: what it holds is there for whoever sees the address.
        // SAFETY: made from a box, and freed with the ring only: also after an exchange.
        unsafe { &*self.memory.load(Ordering::Acquire) }
    }

    /// Gives the ring other memory. The caller holds the submission and the state.
    pub fn exchange(&self, new: Memory) {
        // AcqRel: as in `memory`.
        let old = self
            .memory
            .swap(Box::into_raw(Box::new(new)), Ordering::AcqRel);
        // It stays where it is: another thread may have got it from `memory` just before.
        self.retired.lock().push(AtomicPtr::new(old));
        // SAFETY: as in `memory`.
        let old = unsafe { &*old };
        sys::futex_wake(old.cq_tail(), true, i32::MAX);
        old.blank();
    }

    /// The eventfd that is the ring's descriptor.
    pub fn descriptor(&self) -> c_int {
        self.descriptor.load(Ordering::Relaxed)
    }

    /// The eventfd to write to and to read from.
    pub fn event(&self) -> c_int {
        // Relaxed: either number is the same file's as long as the ring has its descriptor.
        match self.kept.load(Ordering::Relaxed) {
            -1 => self.descriptor(),
            kept => kept,
        }
    }

    /// Keeps the eventfd under another number: the program may close the ring unseen, and what it opens next must not be
    /// written to. `false`: there is no number to be had.
    #[cfg(feature = "hooks")]
    pub fn keep_event(&self) -> bool {
        let copy = sys::duplicate(self.descriptor(), sys::APART);
        self.kept.store(copy.max(-1), Ordering::Relaxed);
        copy >= 0
    }

    /// The descriptor is closed, or the caller closes it at once. The library must not use the number again. The caller
    /// holds the state, or is alone with the ring.
    pub fn forget_descriptor(&self) -> c_int {
        let kept = self.kept.swap(-1, Ordering::Relaxed);
        if kept >= 0 {
            sys::close(kept);
        }
        self.descriptor.swap(-1, Ordering::Relaxed)
    }

    /// Whether all of these set-up flags are on.
    pub fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }

    /// Whether `IORING_SQ_TASKRUN` is about requests in flight alone, or never set.
    pub fn tells_work(&self) -> bool {
        self.flags & (IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_DEFER_TASKRUN) != 0
    }

    /// A number for a request, unique in the process.
    pub fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes out a timeout whose number of completions is reached.
    pub fn take_reached(&self) -> Option<u64> {
        let mut state = self.state.lock();
        // Relaxed: under the state.
        self.counts
            .store(!state.counted.is_empty(), Ordering::Relaxed);
        let counts = state.counts();
        let reached = |(target, _): &(u64, u64)| counts >= *target;
        let at = state.counted.iter().position(reached)?;
        Some(state.counted.swap_remove(at).1)
    }

    /// The registered file in a slot.
    pub fn fixed_file(&self, slot: c_int) -> Option<Arc<FixedFile>> {
        self.state
            .lock()
            .files
            .as_ref()?
            .get(u32::try_from(slot).ok()?)
    }

    /// The registered buffer of an index.
    pub fn fixed_buffer(&self, index: u16) -> Option<Arc<FixedBuffer>> {
        self.state
            .lock()
            .buffers
            .as_ref()?
            .get(usize::from(index))?
            .clone()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let retired = std::mem::take(&mut *self.retired.lock());
        for mut memory in retired
            .into_iter()
            .chain([std::mem::take(&mut self.memory)])
        {
            // SAFETY: made from a box, and nobody has the ring any more.
            drop(unsafe { Box::from_raw(*memory.get_mut()) });
        }
        let masked_wait = self.masked_wait.load(Ordering::Relaxed);
        for fd in [self.forget_descriptor(), masked_wait] {
            if fd >= 0 {
                sys::close(fd);
            }
        }
        if let Some(Registered { copy, .. }) = self.state.lock().eventfd.take() {
            sys::close(copy);
        }
    }
}
