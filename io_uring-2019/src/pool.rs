//! Which rings this process has, and which one a descriptor leads to.
//!
//! A ring's descriptor is that of a file in memory whose position says which ring it is. The position belongs to the
//! open file, so duplicates of the descriptor and those in a child say the same, and a descriptor that was closed and
//! taken for something else says something else. Nobody reads or writes the file, so the position stays.

use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use uring_core::errno::{Errno, Result};
use uring_core::ring::zero;

use crate::call::Calls;
use crate::ring::Ring;
use crate::sys::files::{self, Identity};
use crate::sys::process;
use crate::teardown;

/// Rings that a process can have at a time.
const MAX_RINGS: usize = 1024;
const MAX_RINGS_BITS: u32 = MAX_RINGS.trailing_zeros();
/// Set in the position of every ring's file. No file is that long.
const RING_BIT: u64 = 1 << 62;

/// A place for a ring. It stays in memory for good, so that a thread that comes too late finds a place without a ring
/// and not something else.
pub struct Slot {
    /// 0: free; 1: taken.
    taken: AtomicU32,
    /// Users of the ring: those inside a call, and one for its being open. Without any, the ring is torn down.
    users: AtomicU32,
    /// The position that leads here; 0 while there is no open ring.
    pub position: AtomicU64,
    /// The ring's descriptor, as far as is known.
    pub descriptor: AtomicI32,
    /// Calls under way that close a descriptor of the ring, and how many have done so.
    pub closes_running: AtomicU32,
    pub closes_done: AtomicU32,
    /// Cleared by the kernel when the polling thread has gone.
    pub poller_tid: AtomicU32,
    /// Who is inside.
    calls: Calls,
    /// Tells the polling thread to go.
    pub poller_stop: AtomicU32,
    ring: UnsafeCell<MaybeUninit<Ring>>,
}

// SAFETY: the words are atomic. The ring is written by the thread that took the slot, before `users` says that there is
// one, and by the one that tears it down, after `users` said that nobody is left.
unsafe impl Sync for Slot {}

static POOL: [Slot; MAX_RINGS] = [const {
    Slot {
        taken: AtomicU32::new(0),
        users: AtomicU32::new(0),
        position: AtomicU64::new(0),
        descriptor: AtomicI32::new(0),
        closes_running: AtomicU32::new(0),
        closes_done: AtomicU32::new(0),
        poller_tid: AtomicU32::new(0),
        calls: Calls::new(),
        poller_stop: AtomicU32::new(0),
        ring: UnsafeCell::new(MaybeUninit::uninit()),
    }
}; MAX_RINGS];

impl Slot {
    /// The ring, where there is one.
    pub fn ring(&self) -> *mut Ring {
        self.ring.get().cast()
    }
}

/// How many rings there are, for those who want to know that there is none.
pub static OPEN_RINGS: AtomicU32 = AtomicU32::new(0);
/// The device that files in memory are on.
static MEMFD_DEVICE: AtomicU64 = AtomicU64::new(0);
/// Slots from here on were never taken.
static EVER_TAKEN: AtomicU32 = AtomicU32::new(0);

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

    /// Its place.
    pub fn slot(&self) -> &'static Slot {
        self.slot
    }

    /// Who is inside.
    pub fn calls(&self) -> &'static Calls {
        &self.slot.calls
    }

    /// Ends another use than this one.
    pub fn drop_another_user(&self) {
        drop_user(self.slot);
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
        drop_user(self.slot);
    }
}

/// One user less. The last one tears the ring down.
fn drop_user(slot: &'static Slot) {
    // Release: what this user did is done; acquire: and what all others did, before the ring goes.
    if slot.users.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: nobody is left, and nobody comes without finding `users` above 0.
        unsafe {
            teardown::tear_down(slot.ring(), &slot.poller_stop, &slot.poller_tid);
        }
        free_slot(slot);
    }
}

/// The slot that a position leads to, whether there is a ring or not.
pub fn slot_of(position: u64) -> Option<&'static Slot> {
    if position & RING_BIT == 0 {
        return None;
    }
    POOL.get(position as usize % MAX_RINGS)
}

/// The ring with this position.
pub fn hold(position: u64) -> Option<Held> {
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
    match files::position(fd) {
        Ok(position) => hold(position).ok_or_else(|| why_no_ring(fd)),
        Err(Errno::EBADF) => Err(Errno::EBADF),
        Err(_) => Err(Errno::EOPNOTSUPP),
    }
}

#[cold]
fn why_no_ring(fd: c_int) -> Errno {
    match files::position(fd) {
        // Just closed.
        Err(Errno::EBADF) => Errno::EBADF,
        _ => Errno::EOPNOTSUPP,
    }
}

/// The number that tells a ring from all others, if the descriptor leads to one of this process.
pub fn position_of(fd: c_int) -> Option<u64> {
    let file = files::identity(fd).ok()?;
    // Files in memory are all on one device. Others are not asked for their position: that would wait for a thread that
    // reads there.
    if file.device != MEMFD_DEVICE.load(Ordering::Relaxed) {
        return None;
    }
    let position = files::position(fd).ok()?;
    hold(position)
        .is_some_and(|held| held.identity == file)
        .then_some(position)
}

/// Whether a descriptor leads to the ring with this position and file.
pub fn leads_to(fd: c_int, position: u64, file: Identity) -> bool {
    files::identity(fd) == Ok(file) && files::position(fd) == Ok(position)
}

/// A slot that was taken and has no ring yet.
pub struct Claim {
    slot: &'static Slot,
    position: u64,
}

impl Claim {
    /// Takes a slot. `ENFILE` if there is none.
    pub fn new() -> Result<Claim> {
        let random = process::random()?;
        for (index, slot) in POOL.iter().enumerate() {
            // Acquire: whoever gave it back was done with it.
            let free = slot
                .taken
                .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed);
            if free.is_ok() {
                EVER_TAKEN.fetch_max(index as u32 + 1, Ordering::Relaxed);
                slot.poller_stop.store(0, Ordering::Relaxed);
                slot.calls.reset();
                return Ok(Claim {
                    slot,
                    position: (random << MAX_RINGS_BITS | index as u64) & (RING_BIT - 1) | RING_BIT,
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
            (*ring).process = process::id();
        }
        // Release: whoever finds a user finds the ring.
        self.slot.users.store(1, Ordering::Release);
        OPEN_RINGS.fetch_add(1, Ordering::Relaxed);
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
        MEMFD_DEVICE.store(self.held.identity.device, Ordering::Relaxed);
        slot.descriptor.store(fd, Ordering::Relaxed);
        // Release: whoever finds the position finds the whole ring.
        slot.position.store(self.position, Ordering::Release);
        // That use is the ring's being open.
        core::mem::forget(self.held);
    }
}

fn free_slot(slot: &'static Slot) {
    OPEN_RINGS.fetch_sub(1, Ordering::Relaxed);
    // Release: whoever takes it finds it left.
    slot.taken.store(0, Ordering::Release);
}

/// The slots that were ever taken.
pub fn ever_taken() -> impl Iterator<Item = &'static Slot> {
    let ever_taken = EVER_TAKEN.load(Ordering::Relaxed) as usize;
    POOL.iter().take(ever_taken)
}
