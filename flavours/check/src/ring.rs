//! The shadow of a ring.

use uring_core::abi::*;
use uring_core::ring::order::Word;

use crate::buffers::Groups;
use crate::flight::{Entered, Flight};
use crate::map::{Map, Set};
use crate::place::Place;
use crate::process;
use crate::proxy::area::Area;
use crate::proxy::kept::Kept;
use crate::request::{By, Range, Request};
use crate::slots::Leftovers;
use crate::trails::Trail;

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

impl Marks {
    /// For another process. What the kernel has lost so far is not lost anew.
    pub fn begin_anew(&mut self) {
        *self = Marks {
            overflowed: self.overflowed,
            ..Marks::default()
        };
    }
}

/// The shadow of a ring.
pub struct Ring {
    /// Of the last call: where its parts are. A ring may move, its parts stay.
    pub sq: Counters,
    pub cq: Counters,
    pub cqes: *const io_uring_cqe,
    pub flags: u32,
    pub features: u32,
    /// Its descriptor, or -1: the program may close it and go on with the registered ring.
    pub fd: i32,
    /// Fork generation of the process that set it up.
    pub generation: u32,
    /// How many forks this process and its parents had begun when it was set up.
    forks: u32,
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
    /// Threads have met in it: what it holds is anything, and it is looked at no more.
    pub raced: bool,
    /// Requests that complete without a CQE were submitted.
    pub silent: bool,
    /// Requests were submitted that use several buffers of a group at a time.
    pub bundles: bool,
    /// CQEs may come that belong to no request: tags of resources.
    pub unasked: bool,
    pub groups: Groups,
    pub marks: Marks,
    /// The CQ's head, and how often a wait found enough CQEs there already.
    pub stale: (u32, u32),
    /// The thread that makes the call under way.
    pub caller: u32,
    /// The thread that takes and publishes SQEs now.
    pub submitter: u32,
    /// The last multishot request that ended: opcode and `user_data`.
    pub last_ended: Option<(u8, u64)>,
    /// How many requests had been submitted when the last one that cancels was.
    pub last_cancel: u64,
    /// The place of the last call that submitted, and all such places: plain requests are looked at when they are first
    /// submitted there.
    pub plain_place: usize,
    pub plain_places: Set<usize>,
    /// How many requests had been submitted when a table of files or buffers last changed.
    pub tables_changed: u64,
    /// The first request of the call under way, by its number, and none between calls. What such a request names cannot
    /// have become another thing meanwhile.
    pub first_of_call: u64,
    /// How often refusals of an opcode at a place were looked into.
    pub explained: Map<usize, u8>,
    pub flight: Flight,
    pub leftovers: Leftovers,
    /// Where the program has the ring, and where it called from, at the last call.
    at: usize,
    pub last: Place,
    /// The calls that led to the last call.
    pub trail: Trail,
    /// How often in a row the program has looked for CQEs where none can come by themselves, and since when.
    pub fruitless: (u32, u64),
    /// What is known of its SQEs and CQEs beyond their time, in proxy mode.
    pub proxy: Option<Kept>,
}

// SAFETY: the pointers lead to ring memory, which is read through `order` only.
unsafe impl Send for Ring {}

/// The program's side of the SQ at a call. A copy: other threads may use other parts of the ring meanwhile.
#[derive(Clone, Copy)]
pub struct ProgramSide {
    pub sqes: *mut io_uring_sqe,
    /// SQEs before this index are published.
    pub head: u32,
    /// And before this one, taken.
    pub tail: u32,
}

impl ProgramSide {
    /// # Safety
    ///
    /// `ring` is set up, or all zeros.
    #[inline]
    pub unsafe fn of(ring: *const io_uring) -> ProgramSide {
        // SAFETY: passed on to the caller.
        unsafe {
            ProgramSide {
                sqes: (&raw const (*ring).sq.sqes).read(),
                head: (&raw const (*ring).sq.sqe_head).read(),
                tail: (&raw const (*ring).sq.sqe_tail).read(),
            }
        }
    }
}

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
        unsafe { Word::new(self.head).load_acquire() }
    }
    pub fn tail(&self) -> u32 {
        // SAFETY: as for `head`.
        unsafe { Word::new(self.tail).load_acquire() }
    }
    pub fn flags(&self) -> u32 {
        // SAFETY: as for `head`.
        unsafe { Word::new(self.flags).load_acquire() }
    }
    /// The word that says how many entries are published.
    pub fn published(&self) -> *mut u32 {
        self.tail
    }
    /// Moves the head, for a moment in which nobody but this thread and the kernel look at it.
    pub fn move_head(&self, head: u32) {
        // SAFETY: as for `head`. Released, as the program does it: CQEs before it have been read.
        unsafe { Word::new(self.head).store_release(head) }
    }
    /// Entries that the kernel dropped.
    pub fn lost(&self) -> u32 {
        // SAFETY: as for `head`.
        unsafe { Word::new(self.lost).load_acquire() }
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
        let mut now = unsafe { Ring::new(ring) };
        (self.sq, self.cq, self.cqes) = (now.sq, now.cq, now.cqes);
        self.looked_to = now.looked_to;
        self.leftovers = std::mem::take(&mut now.leftovers);
        // Heads and tails keep their distance, not their values.
        self.forget_all();
        self.collected_to = now.collected_to;
        self.proxy = now.proxy.take();
    }

    /// A shadow of a ring that has just been set up, or that comes into sight.
    ///
    /// # Safety
    ///
    /// `ring` is set up.
    pub unsafe fn new(ring: &io_uring) -> Ring {
        let thread = process::thread();
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
            generation: process::generation(),
            forks: process::forks(),
            owner: thread,
            only_thread: thread,
            looked_to: ring.sq.sqe_head,
            collected_to: 0,
            lost: false,
            by_hand: false,
            raced: false,
            silent: false,
            bundles: false,
            unasked: false,
            groups: Groups::default(),
            marks: Marks::default(),
            stale: (0, 0),
            caller: thread,
            submitter: 0,
            last_ended: None,
            last_cancel: 0,
            plain_place: 0,
            plain_places: Set::default(),
            tables_changed: 0,
            first_of_call: u64::MAX,
            explained: Map::default(),
            flight: Flight::default(),
            leftovers: Leftovers::default(),
            at: 0,
            last: Place::default(),
            trail: Trail::default(),
            fruitless: (0, 0),
            // SAFETY: passed on to the caller.
            proxy: unsafe { Area::of(ring) }
                .map(|area| Kept::new(area, ring.sq.ring_mask + 1, ring.cq.ring_entries)),
        };
        shadow.collected_to = shadow.cq.tail();
        shadow.leftovers.begin(ring.sq.sqe_tail);
        shadow
    }

    /// It lies in memory that the program gave, and without hooks nobody says that this goes: it is read in calls for this
    /// ring alone.
    pub fn may_be_gone(&self) -> bool {
        cfg!(not(feature = "hooks")) && self.has(IORING_SETUP_NO_MMAP)
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

    /// For texts.
    pub fn named(&self) -> String {
        if self.fd < 0 {
            "the ring whose descriptor is closed".into()
        } else {
            format!("the ring with descriptor {}", self.fd)
        }
    }

    /// The program closes descriptors from `first` to `last`: if its own is one of them, the number is soon another's.
    pub fn closes(&mut self, first: i32, last: i32) {
        if (first..=last).contains(&self.fd) {
            self.fd = -1;
        }
    }

    /// The program has the ring there.
    pub fn seen_at(&mut self, ring: *const io_uring) {
        self.at = ring.addr();
    }

    /// The call under way, at `place`, as what submits.
    #[inline]
    pub fn by(&self, place: Place) -> By {
        By {
            place: place.return_address,
            // Beside this call another thread may have made one.
            trail: if self.last == place {
                self.trail
            } else {
                Trail::default()
            },
            thread: self.caller,
        }
    }

    /// Where the program has it, or 0.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The program's side of the SQ: how many SQEs are published, and taken. None if the ring is not where it was: its
    /// frame may have returned, and other functions have written over some of it.
    fn tails(&self) -> Option<(u32, u32)> {
        let (mut parts, mut tails) = ([0usize; 2], [0u32; 2]);
        let at = (self.at + std::mem::offset_of!(io_uring, sq)) as u64;
        let published_at = at + std::mem::offset_of!(io_uring_sq, sqe_head) as u64;
        let known = self.at != 0
            && crate::memory::read(at, &mut parts)
            && crate::memory::read(published_at, &mut tails)
            && parts == [self.sq.head.addr(), self.sq.tail.addr()];
        let [published, taken] = tails;
        let agree = published == self.sq.tail() && taken.wrapping_sub(published) <= self.sq.entries;
        (known && agree).then_some((published, taken))
    }

    /// Whether all SQEs were taken when the program last looked, as far as its ring can be read.
    pub fn sq_is_full(&self) -> bool {
        self.tails()
            .is_some_and(|(_, taken)| taken.wrapping_sub(self.sq.head()) >= self.sq.entries)
    }

    /// The slot and the SQE before this index, as long as the program has not taken the slot again, and as far as its ring can
    /// be read. It may be marked.
    pub fn submitted_sqe(&self, index: u32) -> Option<(usize, io_uring_sqe)> {
        let (_, taken) = self.tails()?;
        if self.has(IORING_SETUP_SQ_REWIND) || taken.wrapping_sub(index) >= self.sq.entries {
            return None;
        }
        let mut sqes = [0usize];
        let at =
            self.at + std::mem::offset_of!(io_uring, sq) + std::mem::offset_of!(io_uring_sq, sqes);
        if !crate::memory::read(at as u64, &mut sqes) {
            return None;
        }
        let [sqes] = sqes;
        let slot = (index.wrapping_sub(1) & self.sq.mask) as usize;
        // SAFETY: a structure of numbers, for which zeros are a value.
        let mut sqe = [unsafe { std::mem::zeroed::<io_uring_sqe>() }];
        let size = size_of::<io_uring_sqe>() << u32::from(self.has(IORING_SETUP_SQE128));
        if !crate::memory::read((sqes + slot * size) as u64, &mut sqe) {
            return None;
        }
        let [sqe] = sqe;
        Some((slot, sqe))
    }

    /// How many SQEs were taken and never submitted, as far as the program's ring can be read.
    pub fn unsubmitted(&self) -> u32 {
        if self.has(IORING_SETUP_SQ_REWIND) {
            return 0;
        }
        self.tails()
            .map_or(0, |(published, taken)| taken.wrapping_sub(published))
    }

    /// A request is published.
    #[inline]
    pub fn add(&mut self, entered: Entered, mut request: Box<Request>) {
        request.number = self.marks.submitted;
        self.marks.submitted += 1;
        self.flight.put(entered, request);
        self.marks.in_flight = self.marks.in_flight.max(self.flight.outstanding());
    }

    /// A child may have it as well: it may submit, its completions come here, and it may mark CQEs at the same time.
    pub fn is_shared(&self) -> bool {
        self.forks != process::forks()
    }

    /// The index of the CQE at an address, if AddressSanitizer knows it as poisoned.
    pub fn poisoned_cqe_at(&self, address: usize) -> Option<u32> {
        let (from, to) = self.proxy.as_ref()?.poisoned;
        let size = size_of::<io_uring_cqe>() << u32::from(self.has(IORING_SETUP_CQE32));
        let slot = address.checked_sub(self.cqes.addr())? / size;
        let slot = u32::try_from(slot)
            .ok()
            .filter(|slot| *slot <= self.cq.mask)?;
        let index = from.wrapping_add(slot.wrapping_sub(from) & self.cq.mask);
        (to.wrapping_sub(index) as i32 > 0).then_some(index)
    }

    /// Nothing is known of what is in flight any more.
    pub fn forget_all(&mut self) {
        self.flight.clear();
        self.lost = true;
        self.groups.forget();
    }

    /// Requests in flight on memory in a range.
    pub fn users_of(&self, start: u64, len: u64) -> impl Iterator<Item = (&Request, &Range)> {
        let head = self.sq.head();
        self.flight.known().flat_map(move |request| {
            let taken = request.index.wrapping_sub(head) as i32 <= 0;
            request
                .ranges()
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
