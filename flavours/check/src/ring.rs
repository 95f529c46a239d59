//! The shadow of a ring.

use uring_core::abi::*;
use uring_core::ring::order;

use crate::buffers::Groups;
use crate::memory;
use crate::request::{Range, Request};
use crate::state::Map;

/// Requests in flight with one `user_data`.
pub struct Same {
    /// How many.
    outstanding: u32,
    /// Which; none if some have ended and it cannot be told which.
    known: Vec<Request>,
}

/// Highest values that were seen.
#[derive(Default)]
pub struct Marks {
    pub submitted: u64,
    pub completed: u64,
    pub sq: u32,
    pub cq: u32,
    pub in_flight: u32,
    pub overflowed: u64,
    pub no_buffers: u64,
    pub broken_chains: u64,
}

/// The shadow of a ring.
pub struct Ring {
    /// Of the last call: where its parts are. A ring may move, its parts stay.
    pub sq: Counters,
    pub cq: Counters,
    pub cqes: *const io_uring_cqe,
    pub flags: u32,
    pub features: u32,
    pub fd: i32,
    /// Fork generation of the process that set it up.
    pub generation: u32,
    /// The thread that set it up.
    pub owner: u32,
    /// All threads that called are this one; 0 when there were more.
    pub only_thread: u32,
    /// SQEs before this index have been looked at.
    pub looked_to: u32,
    /// CQEs before this index have been looked at.
    pub collected_to: u32,
    /// Not all completions were seen: nothing is known of requests submitted before.
    pub lost: bool,
    /// The program has moved the SQ's tail itself.
    pub by_hand: bool,
    /// Requests that complete without a CQE were submitted.
    pub silent: bool,
    /// Requests were submitted that use several buffers of a group at a time.
    pub bundles: bool,
    /// CQEs come that belong to no request: tags of resources, messages.
    pub unasked: bool,
    pub groups: Groups,
    pub marks: Marks,
    /// The CQ's head, and how often a wait found enough CQEs there already.
    pub stale: (u32, u32),
    /// The thread that takes and publishes SQEs now.
    pub submitter: u32,
    /// The last multishot request that ended: opcode and `user_data`.
    pub last_ended: Option<(u8, u64)>,
    /// How many requests had been submitted when the last one that cancels was.
    pub last_cancel: u64,
    in_flight: Map<u64, Same>,
    outstanding: u32,
    on_stack: u32,
}

// SAFETY: the pointers lead to ring memory, which is read through `order` only.
unsafe impl Send for Ring {}

/// Head, tail and flags of a side of a ring.
#[derive(Clone, Copy)]
pub struct Counters {
    head: *mut u32,
    tail: *mut u32,
    flags: *mut u32,
    lost: *mut u32,
    pub entries: u32,
    pub mask: u32,
}

impl Counters {
    pub fn head(&self) -> u32 {
        // SAFETY: the ring is set up: a shadow goes before its ring's memory does.
        unsafe { order::load_acquire(self.head) }
    }
    pub fn tail(&self) -> u32 {
        // SAFETY: as for `head`.
        unsafe { order::load_acquire(self.tail) }
    }
    pub fn flags(&self) -> u32 {
        // SAFETY: as for `head`.
        unsafe { order::load_acquire(self.flags) }
    }
    /// Entries that the kernel dropped.
    pub fn lost(&self) -> u32 {
        // SAFETY: as for `head`.
        unsafe { order::load_acquire(self.lost) }
    }
}

/// The calling thread, as the kernel numbers it.
pub fn thread() -> u32 {
    thread_local! {
        static KNOWN: std::cell::Cell<(u32, u32)> = const { std::cell::Cell::new((0, 0)) };
    }
    let generation = crate::life::generation();
    match KNOWN.get() {
        (at, number) if at == generation && number != 0 => number,
        _ => {
            use uring_core::kernel::Kernel;
            let number = uring_core::kernel::Native::thread_id();
            KNOWN.set((generation, number));
            number
        }
    }
}

impl Ring {
    /// The ring's parts have moved.
    ///
    /// # Safety
    ///
    /// `ring` is set up.
    pub unsafe fn moved(&mut self, ring: &io_uring) {
        // SAFETY: passed on to the caller.
        let now = unsafe { Ring::new(ring) };
        (self.sq, self.cq, self.cqes) = (now.sq, now.cq, now.cqes);
        self.looked_to = now.looked_to;
        // Heads and tails keep their distance, not their values.
        self.forget_all();
        self.collected_to = now.collected_to;
    }

    /// A shadow of a ring that has just been set up, or that comes into sight.
    ///
    /// # Safety
    ///
    /// `ring` is set up.
    pub unsafe fn new(ring: &io_uring) -> Ring {
        let thread = thread();
        let mut shadow = Ring {
            sq: Counters {
                head: ring.sq.khead,
                tail: ring.sq.ktail,
                flags: ring.sq.kflags,
                lost: ring.sq.kdropped,
                entries: ring.sq.ring_entries,
                mask: ring.sq.ring_mask,
            },
            cq: Counters {
                head: ring.cq.khead,
                tail: ring.cq.ktail,
                flags: ring.sq.kflags,
                lost: ring.cq.koverflow,
                entries: ring.cq.ring_entries,
                mask: ring.cq.ring_mask,
            },
            cqes: ring.cq.cqes,
            flags: ring.flags,
            features: ring.features,
            fd: ring.ring_fd,
            generation: crate::life::generation(),
            owner: thread,
            only_thread: thread,
            looked_to: ring.sq.sqe_head,
            collected_to: 0,
            lost: false,
            by_hand: false,
            silent: false,
            bundles: false,
            unasked: false,
            groups: Groups::default(),
            marks: Marks::default(),
            stale: (0, 0),
            submitter: 0,
            last_ended: None,
            last_cancel: 0,
            in_flight: Map::default(),
            outstanding: 0,
            on_stack: 0,
        };
        shadow.collected_to = shadow.cq.tail();
        shadow
    }

    /// Whether a part of it, whose SQEs are at `sqes`, lies in a range.
    pub fn lies_in(&self, sqes: usize, start: usize, len: usize) -> bool {
        [
            sqes,
            self.sq.head.addr(),
            self.cq.head.addr(),
            self.cqes.addr(),
        ]
        .iter()
        .any(|part| part.wrapping_sub(start) < len)
    }

    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    pub fn outstanding(&self) -> u32 {
        self.outstanding
    }

    pub fn stack_users(&self) -> bool {
        self.on_stack != 0
    }

    /// A request is published.
    pub fn add(&mut self, mut request: Request) {
        request.number = self.marks.submitted;
        self.outstanding += 1;
        self.marks.submitted += 1;
        self.marks.in_flight = self.marks.in_flight.max(self.outstanding);
        let same = self.in_flight.entry(request.sqe.user_data).or_insert(Same {
            outstanding: 0,
            known: Vec::new(),
        });
        same.outstanding += 1;
        if same.known.len() as u32 + 1 == same.outstanding && same.known.len() < 16 {
            memory::taken(&request);
            self.on_stack += u32::from(request.on_stack);
            same.known.push(request);
        } else {
            Self::drop_details(&mut self.on_stack, same);
        }
    }

    fn drop_details(on_stack: &mut u32, same: &mut Same) {
        for request in same.known.drain(..) {
            memory::released(&request);
            *on_stack -= u32::from(request.on_stack);
        }
    }

    /// The request with this `user_data`, if there is one alone.
    pub fn find(&mut self, user_data: u64) -> Option<&mut Request> {
        let same = self.in_flight.get_mut(&user_data)?;
        if same.outstanding == 1 {
            same.known.first_mut()
        } else {
            None
        }
    }

    /// A request has ended. Returns it, if it is known which.
    pub fn end(&mut self, user_data: u64) -> Option<Request> {
        let same = self.in_flight.get_mut(&user_data)?;
        self.outstanding -= 1;
        same.outstanding -= 1;
        let ended = if same.outstanding == 0 {
            same.known.pop()
        } else {
            None
        };
        if let Some(request) = &ended {
            memory::released(request);
            self.on_stack -= u32::from(request.on_stack);
        }
        Self::drop_details(&mut self.on_stack, same);
        if same.outstanding == 0 {
            self.in_flight.remove(&user_data);
        }
        ended
    }

    /// A request was reported: its memory is no longer looked for.
    pub fn forget(&mut self, user_data: u64) -> Option<Request> {
        let same = self.in_flight.get_mut(&user_data)?;
        let request = same.known.pop()?;
        memory::released(&request);
        self.on_stack -= u32::from(request.on_stack);
        Self::drop_details(&mut self.on_stack, same);
        Some(request)
    }

    /// Nothing is known of what is in flight any more.
    pub fn forget_all(&mut self) {
        for same in self.in_flight.values_mut() {
            Self::drop_details(&mut self.on_stack, same);
        }
        self.in_flight.clear();
        self.outstanding = 0;
        self.lost = true;
        self.groups.forget();
    }

    /// The requests of which it is known that they are in flight.
    pub fn known(&self) -> impl Iterator<Item = &Request> {
        self.in_flight.values().flat_map(|same| &same.known)
    }

    /// Requests in flight on memory in a range.
    pub fn users_of(&self, start: u64, len: u64) -> impl Iterator<Item = (&Request, &Range)> {
        let head = self.sq.head();
        self.known().flat_map(move |request| {
            let taken = request.index.wrapping_sub(head) as i32 <= 0;
            request
                .ranges()
                .iter()
                .filter(move |range| range.meets(start, len) && !(taken && range.until_taken))
                .map(move |range| (request, range))
        })
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.forget_all();
    }
}
