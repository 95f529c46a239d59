//! Which rings this process has, and which one a descriptor leads to.
//!
//! A ring's descriptor is that of a file in memory whose position says which ring it is. The position belongs to the
//! open file, so duplicates of the descriptor and those in a child say the same, and a descriptor that was closed and
//! taken for something else says something else. Nobody reads or writes the file, so the position stays.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

#[cfg(feature = "preload")]
use liburing::abi::cqe::io_uring_cqe;
use liburing::abi::ring::io_uring;
use liburing::errno::{Errno, Result};
use liburing::kernel::{Kernel, Native};
use liburing::ring::{exit, zero};

use crate::abi::{
    IORING_SETUP_FIXEDBUFS, IORING_SETUP_SQPOLL, IORING_SETUP_SQTHREAD, io_uring_iocb,
};
use crate::inside::Turn;
use crate::memory::{Areas, Shared, Sizes, SqRing};
use crate::own::Own;
use crate::poller::{self, Poller};
use crate::sys::{self, Identity};
use crate::{inside, iopoll, path, task, watch};

/// Rings that a process can have at a time.
const ROOM: usize = 1024;
const ROOM_BITS: u32 = ROOM.trailing_zeros();
/// Set in the position of every ring's file. No file is that long.
const MARK: u64 = 1 << 62;

/// A ring, as this process sees it. What it points to is shared with all processes that have the ring.
pub struct Ring {
    /// The process that set it up.
    pub process: c_int,
    /// `IORING_SETUP_*` of 2019.
    pub flags: c_uint,
    /// Number of iocbs.
    pub entries: c_uint,
    /// Whether the kernel polls for completions.
    pub polled: bool,
    /// This library's mappings.
    pub areas: Areas,
    /// And their sizes.
    pub sizes: Sizes,
    /// Today's ring.
    pub today: io_uring,
    /// Its descriptor.
    pub today_fd: Own,
    /// The thread that polls the SQ ring, if there is one.
    pub poller: Poller,
    /// A second way to the file in memory, for the thread that watches the first.
    pub anchor: Own,
    /// That file.
    pub file_is: Identity,
    /// What was found out last of a device.
    pub device: iopoll::Word,
}

impl Ring {
    /// Whether a thread of this library submits.
    pub fn is_polled_by_thread(&self) -> bool {
        let both = IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL;
        self.flags & both == both
    }

    /// The head of the SQ ring.
    pub fn sq(&self) -> *mut SqRing {
        self.areas.sq_ring()
    }

    /// The indexes in the SQ ring.
    pub fn array(&self) -> *mut c_uint {
        self.areas.array()
    }

    /// The iocbs.
    pub fn iocbs(&self) -> *mut io_uring_iocb {
        self.areas.iocbs()
    }

    /// Whether there is a pinned buffer for the iocb of this index that has all of that memory.
    pub fn has_pinned(&self, index: c_uint, start: u64, len: c_uint) -> bool {
        if self.flags & IORING_SETUP_FIXEDBUFS == 0 || index >= self.entries {
            return false;
        }
        // SAFETY: then there is one for each iocb, in an area that is mapped.
        let buffer = unsafe { self.areas.buffers(&self.sizes).add(index as usize).read() };
        start
            .checked_sub(buffer.iov_base.addr() as u64)
            .and_then(|before| before.checked_add(len.into()))
            .is_some_and(|end| end <= buffer.iov_len as u64)
    }

    /// What processes agree on.
    pub fn shared(&self) -> &Shared {
        // SAFETY: mapped for as long as there is a `Ring`; atomic words only.
        unsafe { &*self.areas.shared(&self.sizes) }
    }
}

/// A place for a ring. It stays in memory for good, so that a thread that comes too late finds a place without a ring
/// and not something else.
pub struct Slot {
    /// 0: free; 1: taken.
    taken: AtomicU32,
    /// Users of the ring: those inside a call, and one for its being open. Without any, the ring is torn down.
    users: AtomicU32,
    /// The position that leads here; 0 while there is no open ring.
    position: AtomicU64,
    /// The ring's descriptor, as far as is known.
    descriptor: AtomicI32,
    /// Calls under way that close a descriptor of the ring, and how many have done so.
    closing: AtomicU32,
    closed: AtomicU32,
    /// Cleared by the kernel when the polling thread has gone.
    pub thread: AtomicU32,
    /// Who is inside.
    turn: Turn,
    /// Tells the polling thread to go.
    pub stop: AtomicU32,
    ring: UnsafeCell<MaybeUninit<Ring>>,
}

// SAFETY: the words are atomic. The ring is written by the thread that took the slot, before `users` says that there is
// one, and by the one that tears it down, after `users` said that nobody is left.
unsafe impl Sync for Slot {}

static POOL: [Slot; ROOM] = [const {
    Slot {
        taken: AtomicU32::new(0),
        users: AtomicU32::new(0),
        position: AtomicU64::new(0),
        descriptor: AtomicI32::new(0),
        closing: AtomicU32::new(0),
        closed: AtomicU32::new(0),
        thread: AtomicU32::new(0),
        turn: Turn::new(),
        stop: AtomicU32::new(0),
        ring: UnsafeCell::new(MaybeUninit::uninit()),
    }
}; ROOM];

impl Slot {
    /// The ring, where there is one.
    pub fn ring(&self) -> *mut Ring {
        self.ring.get().cast()
    }
}

/// How many rings there are, for those who want to know that there is none.
pub static OPEN: AtomicU32 = AtomicU32::new(0);
/// The device that files in memory are on.
static MEMORY: AtomicU64 = AtomicU64::new(0);
/// Slots from here on were never taken.
static UNTOUCHED: AtomicU32 = AtomicU32::new(0);

/// A ring in use. It is not torn down meanwhile.
pub struct Held {
    /// Where the ring is. `users` counts this one.
    slot: &'static Slot,
}

impl Held {
    /// The ring, for a thread that has it to itself.
    pub fn ring(&self) -> *mut Ring {
        self.slot.ring()
    }

    /// Who is inside.
    pub fn turn(&self) -> &'static Turn {
        &self.slot.turn
    }

    /// Ends another use than this one.
    pub fn end_another(&self) {
        leave(self.slot);
    }
}

impl Deref for Held {
    type Target = Ring;

    fn deref(&self) -> &Ring {
        // SAFETY: `users` counts this one, so the ring was written and is not torn down.
        unsafe { &*self.slot.ring() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        leave(self.slot);
    }
}

/// One user less. The last one tears the ring down.
fn leave(slot: &'static Slot) {
    // Release: what this user did is done; acquire: and what all others did, before the ring goes.
    if slot.users.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: nobody is left, and nobody comes without finding `users` above 0.
        unsafe {
            tear_down(slot);
        }
        give_back(slot);
    }
}

/// The slot that a position leads to, whether there is a ring or not.
fn slot_of(position: u64) -> Option<&'static Slot> {
    if position & MARK == 0 {
        return None;
    }
    POOL.get(position as usize % ROOM)
}

/// The ring with this position.
fn hold(position: u64) -> Option<Held> {
    let slot = slot_of(position)?;
    // Who comes too late does not keep the ring from going meanwhile. Acquire: this comes first.
    if slot.position.load(Ordering::Acquire) != position {
        return None;
    }
    let mut users = slot.users.load(Ordering::Relaxed);
    loop {
        if users == 0 {
            return None;
        }
        // Acquire: the ring was written before it had users.
        match slot.users.compare_exchange_weak(
            users,
            users + 1,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            Ok(_) => break,
            Err(now) => users = now,
        }
    }
    let held = Held { slot };
    (slot.position.load(Ordering::Relaxed) == position).then_some(held)
}

/// The ring that a descriptor leads to.
///
/// # Errors
///
/// * `EBADF`: the descriptor is not open.
/// * `EOPNOTSUPP`: it is something else.
pub fn find(fd: c_int) -> Result<Held> {
    match sys::position(fd) {
        Ok(position) => hold(position).ok_or_else(|| what_else(fd)),
        Err(Errno::EBADF) => Err(Errno::EBADF),
        Err(_) => Err(Errno::EOPNOTSUPP),
    }
}

#[cold]
fn what_else(fd: c_int) -> Errno {
    match sys::position(fd) {
        // Just closed.
        Err(Errno::EBADF) => Errno::EBADF,
        _ => Errno::EOPNOTSUPP,
    }
}

/// The number that tells a ring from all others, if the descriptor leads to one of this process.
pub fn mark(fd: c_int) -> Option<u64> {
    let file = sys::identity(fd).ok()?;
    // Files in memory are all on one device. Others are not asked for their position: that would wait for a thread that
    // reads there.
    if file.device != MEMORY.load(Ordering::Relaxed) {
        return None;
    }
    let position = sys::position(fd).ok()?;
    hold(position)
        .is_some_and(|held| held.file_is == file)
        .then_some(position)
}

/// Whether a descriptor leads to the ring with this position and file.
fn leads_to(fd: c_int, position: u64, file: Identity) -> bool {
    sys::identity(fd) == Ok(file) && sys::position(fd) == Ok(position)
}

/// A slot that was taken and has no ring yet.
pub struct Claim {
    slot: &'static Slot,
    position: u64,
}

impl Claim {
    /// Takes a slot. `ENFILE` if there is none.
    pub fn new() -> Result<Claim> {
        let random = sys::random()?;
        for (index, slot) in POOL.iter().enumerate() {
            // Acquire: whoever gave it back was done with it.
            let free = slot
                .taken
                .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed);
            if free.is_ok() {
                UNTOUCHED.fetch_max(index as u32 + 1, Ordering::Relaxed);
                slot.stop.store(0, Ordering::Relaxed);
                slot.turn.reset();
                return Ok(Claim {
                    slot,
                    position: (random << ROOM_BITS | index as u64) & (MARK - 1) | MARK,
                });
            }
        }
        Err(Errno::ENFILE)
    }

    /// Puts a ring there that has nothing yet, and that nobody finds. Whatever it gets goes with what this returns.
    pub fn fill(self) -> Unopened {
        // SAFETY: the slot is this thread's; integers and raw pointers only, for which zero is a value.
        unsafe {
            let ring = self.slot.ring();
            zero::clear(ring);
            (*ring).process = sys::process();
        }
        // Release: whoever finds a user finds the ring.
        self.slot.users.store(1, Ordering::Release);
        OPEN.fetch_add(1, Ordering::Relaxed);
        let unopened = Unopened {
            held: Held { slot: self.slot },
            position: self.position,
        };
        core::mem::forget(self);
        unopened
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.slot.taken.store(0, Ordering::Release);
    }
}

/// A ring that nobody finds yet.
pub struct Unopened {
    held: Held,
    position: u64,
}

impl Unopened {
    /// Where the ring is.
    pub fn slot(&self) -> &'static Slot {
        self.held.slot
    }

    /// The ring, which is this thread's alone.
    pub fn ring(&mut self) -> &mut Ring {
        // SAFETY: the ring was written, and nobody else finds it.
        unsafe { &mut *self.held.ring() }
    }

    /// The position that its file must have.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Opens the ring to those who have its descriptor.
    pub fn open(self, fd: c_int) {
        let slot = self.held.slot;
        MEMORY.store(self.held.file_is.device, Ordering::Relaxed);
        slot.descriptor.store(fd, Ordering::Relaxed);
        // Release: whoever finds the position finds the whole ring.
        slot.position.store(self.position, Ordering::Release);
        // That use is the ring's being open.
        core::mem::forget(self.held);
    }
}

fn give_back(slot: &'static Slot) {
    OPEN.fetch_sub(1, Ordering::Relaxed);
    // Release: whoever takes it finds it left.
    slot.taken.store(0, Ordering::Release);
}

/// Closes a ring to newcomers; it is torn down when the last call on it has returned. `here` says that a thread of the
/// program does it, which may have left a call on the ring without returning from it.
pub fn close(position: u64, here: bool) {
    let Some(held) = hold(position) else { return };
    inside::end_left_behind(&held, here);
    let closed =
        held.slot
            .position
            .compare_exchange(position, 0, Ordering::AcqRel, Ordering::Relaxed);
    if closed.is_ok() {
        held.end_another();
    }
}

/// Gives back what a ring has in this process.
unsafe fn tear_down(slot: &Slot) {
    // SAFETY: nobody uses the ring any more but its own thread, which is stopped first.
    unsafe {
        let ours = (*slot.ring()).process == sys::process();
        poller::stop(slot, ours);
        let ring = &mut *slot.ring();
        if ring.today_fd.get().is_some() {
            watch::cancel_if_gone(ring);
        } else if ring.today_fd.is_some() {
            ring.today.ring_fd = -1;
        }
        exit::exit::<Native>(&raw mut ring.today);
        ring.anchor.close();
        ring.areas.unmap::<Native>(&ring.sizes);
    }
}

/// Does `call`, which closes a descriptor of the ring with this position, and settles the ring.
#[cfg(feature = "preload")]
pub fn while_closing(position: u64, call: impl FnOnce() -> c_int) -> c_int {
    let Some(slot) = slot_of(position) else {
        return call();
    };
    // Sequentially consistent, as in `settle`: what two threads that close see of each other has one order.
    slot.closing.fetch_add(1, Ordering::SeqCst);
    let ret = call();
    slot.closed.fetch_add(1, Ordering::SeqCst);
    slot.closing.fetch_sub(1, Ordering::SeqCst);
    settle(position, true);
    ret
}

/// What became of a descriptor's ring after the descriptor was closed, or something else put in its place: if no other
/// descriptor leads there, the ring is closed. A descriptor that moves to another number can escape a look at all of
/// them, so one look is enough only if all who close descriptors are `seen`, and none did so meanwhile.
fn settle(position: u64, seen: bool) {
    const LOOKS: u32 = 64;
    let Some(held) = hold(position) else { return };
    let own = [&held.today_fd, &held.anchor, &held.poller.info];
    let is_childs = held.process != sys::process();
    if is_childs && own.iter().all(|own| own.get().is_none()) {
        return;
    }
    let known = held.slot.descriptor.load(Ordering::Relaxed);
    if leads_to(known, position, held.file_is) {
        return;
    }
    let (closing, closed) = (&held.slot.closing, &held.slot.closed);
    let before = closed.load(Ordering::SeqCst);
    let look = |_| search(position, held.file_is);
    let found = look(0).or_else(|| {
        // A call under way may also be one that was left by longjmp or by the end of its thread.
        let undisturbed =
            closing.load(Ordering::SeqCst) == 0 && closed.load(Ordering::SeqCst) == before;
        if seen && undisturbed {
            return None;
        }
        (1..LOOKS).find_map(look)
    });
    match found {
        Some(fd) => held.slot.descriptor.store(fd, Ordering::Relaxed),
        // After vfork(2) this memory is the parent's, so that just the child's own descriptors can be closed. Another
        // fork's child keeps the mappings until it ends or executes something.
        None if is_childs => own.iter().for_each(|own| own.close()),
        None => close(position, true),
    }
}

/// How far before `address` a mapping starts, if a program means a CQ ring by the address of its head and unmaps
/// `length` bytes of it. Otherwise 0.
#[cfg(feature = "preload")]
pub fn cq_head_offset(address: usize, length: usize) -> usize {
    if OPEN.load(Ordering::Relaxed) == 0 {
        return 0;
    }
    let touched = UNTOUCHED.load(Ordering::Relaxed) as usize;
    for slot in POOL.iter().take(touched) {
        let Some(held) = hold(slot.position.load(Ordering::Relaxed)) else {
            continue;
        };
        let cq = &held.today.cq;
        let start = cq.ring_ptr.addr();
        let offset = cq.khead.addr().wrapping_sub(start);
        let events = cq.ring_entries as usize * size_of::<io_uring_cqe>();
        let size = cq.cqes.addr().wrapping_sub(start).wrapping_add(events);
        // An address within a page is no mapping's, so that nothing else can be meant by it.
        let page = address.wrapping_sub(offset);
        if length == size && page % Native::page_size() == 0 && sys::maps(page, held.file_is.inode)
        {
            return offset;
        }
    }
    0
}

/// Settles all rings, none of which need have been closed.
pub fn sweep() {
    if OPEN.load(Ordering::Relaxed) == 0 {
        return;
    }
    let is_alone = task::is_only_thread();
    let touched = UNTOUCHED.load(Ordering::Relaxed) as usize;
    for slot in POOL.iter().take(touched) {
        let position = slot.position.load(Ordering::Relaxed);
        let Some(held) = hold(position) else { continue };
        // A ring with a second way to its file is watched in the process that made it. In a child other threads may move
        // descriptors unseen.
        let is_here = held.process == sys::process();
        if !held.anchor.is_some() || (!is_here && is_alone) {
            settle(position, is_alone);
        }
    }
}

/// A descriptor that leads to the ring with this position and file.
fn search(position: u64, file: Identity) -> Option<c_int> {
    let directory = match sys::open(c"/proc/thread-self/fd") {
        Ok(directory) => directory,
        Err(error) => {
            let limit = Native::nofile_limit().map_or(1024, |limit| limit.current.min(1 << 20));
            let limit = match error {
                // There may be descriptors above a limit that was lowered.
                Errno::EMFILE => limit.max(1 << 16),
                // There is no /proc.
                _ => limit.min(1 << 16),
            };
            return (0..limit as c_int).find(|fd| leads_to(*fd, position, file));
        }
    };
    let mut found = None;
    path::find_name(directory, |name| {
        found = number(name).filter(|fd| leads_to(*fd, position, file));
        found.is_some()
    });
    let _ = Native::close(directory);
    found
}

/// The number that a name starts with.
fn number(name: &[u8]) -> Option<c_int> {
    let mut value = None;
    for byte in name {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        let before = value.unwrap_or(0 as c_int);
        value = Some(before.wrapping_mul(10).wrapping_add(digit as c_int));
    }
    value
}
