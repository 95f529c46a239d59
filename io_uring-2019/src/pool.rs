//! Which rings this process has, and which one a descriptor leads to.
//!
//! A ring's descriptor is that of a memory file. The file's position says which ring it is. The position belongs to the
//! open file: duplicates of the descriptor and a child's copies have the same one, and a number that was closed and
//! opened for another file has another one. No thread reads or writes through the descriptor, so the position stays.

use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use uring_core::errno::{Errno, Result};
use uring_core::mem;

use crate::call::Calls;
#[cfg(feature = "preload")]
use crate::remembered;
use crate::ring::Ring;
use crate::sys::changes;
#[cfg(feature = "preload")]
use crate::sys::changes::Moment;
use crate::sys::files::{self, Identity};
use crate::sys::process;
use crate::teardown;

/// How many rings a process can have at a time.
const MAX_RINGS: usize = 1024;
const MAX_RINGS_BITS: u32 = MAX_RINGS.trailing_zeros();
/// Set in the position of every ring's file. No file is that long.
const RING_BIT: u64 = 1 << 62;

/// A place for a ring. It is never freed, so a late caller finds a slot without a ring, not other data.
pub struct Slot {
    /// Users of the ring: one for each call under way, and one while the ring is open. The last one tears the ring
    /// down.
    users: AtomicU32,
    /// The position that leads here, or 0 while there is no open ring.
    pub position: AtomicU64,
    /// A descriptor of the ring, if the last one known is still right.
    pub descriptor: AtomicI32,
    /// Not 0 if a duplicate of a descriptor of the ring was made, or is being made.
    #[cfg(feature = "preload")]
    duplicated: AtomicU32,
    /// How many calls that close a descriptor of the ring are under way, and how many are done.
    pub closes_running: AtomicU32,
    pub closes_done: AtomicU32,
    /// The polling thread's id. The kernel clears it when the thread has ended.
    pub poller_tid: AtomicU32,
    /// The calls on the ring.
    calls: Calls,
    /// Tells the polling thread to end.
    pub poller_stop: AtomicU32,
    ring: UnsafeCell<MaybeUninit<Ring>>,
}

// SAFETY: the words are atomic. The thread that takes the slot writes the ring before `users` is above 0. The last user
// tears it down after `users` is 0 again, and nobody uses a ring without counting in `users`.
unsafe impl Sync for Slot {}

static POOL: [Slot; MAX_RINGS] = [const {
    Slot {
        users: AtomicU32::new(0),
        position: AtomicU64::new(0),
        descriptor: AtomicI32::new(0),
        #[cfg(feature = "preload")]
        duplicated: AtomicU32::new(0),
        closes_running: AtomicU32::new(0),
        closes_done: AtomicU32::new(0),
        poller_tid: AtomicU32::new(0),
        calls: Calls::new(),
        poller_stop: AtomicU32::new(0),
        ring: UnsafeCell::new(MaybeUninit::uninit()),
    }
}; MAX_RINGS];

impl Slot {
    /// The ring. It is valid while there are users.
    pub fn ring(&self) -> *mut Ring {
        self.ring.get().cast()
    }

    /// Whether other descriptors than the last one known may lead to the ring.
    pub fn may_have_duplicates(&self) -> bool {
        // Sequentially consistent: the thread that duplicates a descriptor says so before it does, and the caller
        // comes here after a descriptor was closed.
        #[cfg(feature = "preload")]
        return self.duplicated.load(Ordering::SeqCst) != 0
            || DESCRIPTORS_RECEIVED.load(Ordering::SeqCst) != 0;
        // The linked library does not see it.
        #[cfg(not(feature = "preload"))]
        return true;
    }

    /// The slot's place in the pool.
    fn index(&self) -> usize {
        let start = POOL.as_ptr().addr();
        ptr::from_ref(self).addr().wrapping_sub(start) / size_of::<Slot>()
    }
}

/// How many rings are open or being set up. While there is none, the preload library only forwards calls.
pub static OPEN_RINGS: AtomicU32 = AtomicU32::new(0);
/// The device of memory files.
static MEMFD_DEVICE: AtomicU64 = AtomicU64::new(0);
/// A bit for each slot: whether it is taken.
static TAKEN: [AtomicU64; MAX_RINGS / 64] = [const { AtomicU64::new(0) }; MAX_RINGS / 64];
/// Not 0 once this process may have received a descriptor, which may be one of any ring.
#[cfg(feature = "preload")]
pub static DESCRIPTORS_RECEIVED: AtomicU32 = AtomicU32::new(0);

/// A user of a ring. The ring is not torn down while this exists.
pub struct Held {
    /// The ring's slot. `users` counts this value.
    slot: &'static Slot,
}

impl Held {
    /// The ring, for a thread that has it to itself.
    pub fn ring(&self) -> *mut Ring {
        self.slot.ring()
    }

    /// The ring's slot.
    pub fn slot(&self) -> &'static Slot {
        self.slot
    }

    /// The calls on the ring.
    pub fn calls(&self) -> &'static Calls {
        &self.slot.calls
    }

    /// Drops one more user than this one: that of a call that will not return, or that of the open ring.
    pub fn drop_another_user(&self) {
        drop_user(self.slot);
    }
}

impl Deref for Held {
    type Target = Ring;

    fn deref(&self) -> &Ring {
        // SAFETY: `users` counts this value, so the ring was written and is not torn down.
        unsafe { &*self.slot.ring() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop_user(self.slot);
    }
}

/// Drops a user. The last one tears the ring down.
fn drop_user(slot: &'static Slot) {
    // Release: what this user did comes before the tearing down. Acquire: so does what all others did.
    if slot.users.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: this was the last user, and a thread becomes a user only while there is another one.
        unsafe {
            teardown::tear_down(slot.ring(), &slot.poller_stop, &slot.poller_tid);
        }
        free_slot(slot);
    }
}

/// The slot that a position leads to, whether it has a ring or not.
pub fn slot_of(position: u64) -> Option<&'static Slot> {
    if position & RING_BIT == 0 {
        return None;
    }
    POOL.get(position as usize % MAX_RINGS)
}

/// The ring with this position.
pub fn hold(position: u64) -> Option<Held> {
    hold_in(slot_of(position)?, position)
}

#[inline(always)]
fn hold_in(slot: &'static Slot, position: u64) -> Option<Held> {
    // Check before counting ourselves in, so that a late caller never keeps a closing ring alive. Acquire: read the
    // position before the user count.
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
/// * `EOPNOTSUPP`: it leads to something else.
#[cfg(feature = "preload")]
#[inline(always)]
pub fn find(fd: c_int) -> Result<Held> {
    let now = Moment::now();
    match find_remembered(fd, now) {
        Some(held) => Ok(held),
        None => find_and_remember(fd, now),
    }
}
#[cfg(not(feature = "preload"))]
pub use find_anew as find;

/// [`find`], by the position of the file.
pub fn find_anew(fd: c_int) -> Result<Held> {
    match files::position(fd) {
        Ok(position) => hold(position).ok_or_else(|| why_no_ring(fd)),
        Err(Errno::EBADF) => Err(Errno::EBADF),
        Err(_) => Err(Errno::EOPNOTSUPP),
    }
}

#[cfg(feature = "preload")]
#[inline(never)]
fn find_and_remember(fd: c_int, now: Moment) -> Result<Held> {
    let held = find_anew(fd)?;
    remembered::put_ring(fd, now, held.slot.index());
    Ok(held)
}

/// The ring that a descriptor leads to, if that was found out before and still holds.
#[cfg(feature = "preload")]
#[inline(always)]
fn find_remembered(fd: c_int, now: Moment) -> Option<Held> {
    let slot = POOL.get(remembered::ring(fd, now)?)?;
    let position = slot.position.load(Ordering::Acquire);
    // 0 is the position of a ring that is not open, or not yet.
    let held = (position != 0).then(|| hold_in(slot, position))??;
    // The slot may have got another ring meanwhile.
    (Moment::now() == now).then_some(held)
}

#[cold]
fn why_no_ring(fd: c_int) -> Errno {
    match files::position(fd) {
        // Another thread has just closed it.
        Err(Errno::EBADF) => Errno::EBADF,
        _ => Errno::EOPNOTSUPP,
    }
}

/// The position of the ring that a descriptor leads to, if that is a ring of this process.
pub fn position_of(fd: c_int) -> Option<u64> {
    let file = files::identity(fd).ok()?;
    // Memory files are all on one device. Other files are not asked for their position: the kernel would wait for a
    // thread that reads there.
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

/// A taken slot that has no ring yet.
pub struct Claim {
    slot: &'static Slot,
    position: u64,
}

impl Claim {
    /// Takes a slot. `ENFILE` if all are taken.
    pub fn new() -> Result<Claim> {
        let random = process::random()?;
        let slot = take_slot().ok_or(Errno::ENFILE)?;
        slot.poller_stop.store(0, Ordering::Relaxed);
        #[cfg(feature = "preload")]
        slot.duplicated.store(0, Ordering::Relaxed);
        slot.calls.reset();
        let index = slot.index() as u64;
        Ok(Claim {
            slot,
            position: (random << MAX_RINGS_BITS | index) & (RING_BIT - 1) | RING_BIT,
        })
    }

    /// Puts an empty ring into the slot. No descriptor leads to it yet. What the ring gets later is given back with it.
    pub fn fill(self) -> Unopened {
        // SAFETY: the slot is this thread's. A `Ring` consists of integers and raw pointers, for which zero is a value.
        unsafe {
            let ring = self.slot.ring();
            mem::clear(ring);
            (*ring).process = process::id();
        }
        // Release: a thread that counts itself in finds the ring written.
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
        give_slot(self.slot);
    }
}

/// A ring that no descriptor leads to yet.
pub struct Unopened {
    held: Held,
    position: u64,
}

impl Unopened {
    /// The ring's slot.
    pub fn slot(&self) -> &'static Slot {
        self.held.slot
    }

    /// The ring, which is this thread's alone.
    pub fn ring(&mut self) -> &mut Ring {
        // SAFETY: the ring was written, and no other thread can find it.
        unsafe { &mut *self.held.ring() }
    }

    /// The position that the ring's file must have.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Opens the ring: from here on its descriptor leads to it.
    pub fn open(self, fd: c_int) {
        let slot = self.held.slot;
        MEMFD_DEVICE.store(self.held.identity.device, Ordering::Relaxed);
        slot.descriptor.store(fd, Ordering::Relaxed);
        // Release: a thread that finds the position finds the ring complete.
        // A change of descriptors: the number may have been closed unseen, and the slot had another ring.
        changes::during(|| slot.position.store(self.position, Ordering::Release));
        // This user stands for the open ring from now on.
        core::mem::forget(self.held);
    }
}

fn free_slot(slot: &'static Slot) {
    OPEN_RINGS.fetch_sub(1, Ordering::Relaxed);
    give_slot(slot);
}

/// Takes the first free slot, if there is one.
fn take_slot() -> Option<&'static Slot> {
    for (number, word) in TAKEN.iter().enumerate() {
        let mut bits = word.load(Ordering::Relaxed);
        while bits != u64::MAX {
            let bit = bits.trailing_ones();
            // Acquire: the thread that gave the slot back has finished with it.
            match word.compare_exchange_weak(
                bits,
                bits | 1 << bit,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return POOL.get(number * 64 + bit as usize),
                Err(now) => bits = now,
            }
        }
    }
    None
}

/// Gives a slot back.
fn give_slot(slot: &'static Slot) {
    let index = slot.index();
    if let Some(word) = TAKEN.get(index / 64) {
        // Release: a thread that takes the slot next finds this one finished with it.
        word.fetch_and(!(1 << (index % 64)), Ordering::Release);
    }
}

/// The taken slots with their places, from place `next` on. It takes a step for each of them, and few more.
pub fn taken(mut next: usize) -> impl Iterator<Item = (usize, &'static Slot)> {
    core::iter::from_fn(move || {
        loop {
            let bits = TAKEN.get(next / 64)?.load(Ordering::Relaxed) >> (next % 64);
            if bits == 0 {
                next = next / 64 * 64 + 64;
                continue;
            }
            let place = next + bits.trailing_zeros() as usize;
            next = place + 1;
            return Some((place, POOL.get(place)?));
        }
    })
}

/// Notes that a descriptor is about to be duplicated.
#[cfg(feature = "preload")]
pub extern "C" fn note_duplicate(fd: c_int) {
    let position = match OPEN_RINGS.load(Ordering::Relaxed) {
        0 => None,
        _ => position_of(fd),
    };
    if let Some(slot) = position.and_then(slot_of) {
        slot.duplicated.store(1, Ordering::SeqCst);
    }
}
