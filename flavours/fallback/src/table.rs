//! Which descriptors, and which registered indexes, are emulated rings.

use std::ffi::c_int;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::lock::Lock;
use crate::ring::Ring;

/// The first index of an emulated ring. The kernel's table of registered rings has 16 entries for each thread.
pub const FIRST_INDEX: u32 = 65536;
/// As many as the kernel has for each thread.
const INDEXES: usize = 16;

const CHUNK: usize = 1024;
const CHUNKS: usize = 1024;

/// For each descriptor whether it is a ring: read without a lock on every call, also for descriptors of the kernel's.
static CHUNKS_OF_MARKS: [AtomicPtr<[AtomicPtr<Ring>; CHUNK]>; CHUNKS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
/// How many rings there are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The rings that the marks stand for.
pub struct Table {
    rings: Vec<Arc<Ring>>,
    /// Registered rings: the thread they belong to, the index and the ring.
    registered: Vec<(c_int, u32, Arc<Ring>)>,
}

pub static TABLE: Lock<Table> = Lock::new(Table {
    rings: Vec::new(),
    registered: Vec::new(),
});

fn mark(fd: c_int) -> Option<&'static AtomicPtr<Ring>> {
    let fd = usize::try_from(fd).ok()?;
    // Acquire: the chunk's contents are there.
    let chunk = CHUNKS_OF_MARKS.get(fd / CHUNK)?.load(Ordering::Acquire);
    // SAFETY: chunks are never freed.
    unsafe { chunk.as_ref() }?.get(fd % CHUNK)
}

/// Whether there is any emulated ring: what a hook asks first.
#[inline]
pub fn any() -> bool {
    // Relaxed: a ring made by another thread at this moment may as well not be there yet.
    COUNT.load(Ordering::Relaxed) != 0
}

/// Whether a descriptor is an emulated ring.
#[inline]
pub fn is_ring(fd: c_int) -> bool {
    // Relaxed: the caller looks the ring up under the lock before it uses it.
    any() && mark(fd).is_some_and(|mark| !mark.load(Ordering::Relaxed).is_null())
}

/// The emulated ring behind a descriptor.
#[inline]
pub fn find(fd: c_int) -> Option<Arc<Ring>> {
    if !is_ring(fd) {
        return None;
    }
    let table = TABLE.lock();
    let ring = mark(fd)?.load(Ordering::Relaxed);
    if ring.is_null() {
        return None;
    }
    // SAFETY: a mark that is not null is the address of a ring in `table.rings`, which the lock keeps there.
    let found = unsafe {
        Arc::increment_strong_count(ring);
        Arc::from_raw(ring)
    };
    drop(table);
    Some(found)
}

/// All rings, as they are now.
pub fn all() -> Vec<Arc<Ring>> {
    if any() {
        TABLE.lock().rings.clone()
    } else {
        Vec::new()
    }
}

/// One ring after the other, without memory of its own: a signal handler may have interrupted the allocator. Returns the
/// ring at a place or the next one, and the place after it.
pub fn after(place: usize) -> Option<(Arc<Ring>, usize)> {
    let table = TABLE.lock();
    table.rings.get(place).map(|ring| (ring.clone(), place + 1))
}

/// Enters a ring under its descriptor. `false`: the number is beyond what the table holds.
pub fn add(ring: Arc<Ring>) -> bool {
    let fd = ring.descriptor();
    let mut table = TABLE.lock();
    let Some(slot) = usize::try_from(fd)
        .ok()
        .and_then(|fd| CHUNKS_OF_MARKS.get(fd / CHUNK))
    else {
        return false;
    };
    // Relaxed: chunks are added under the lock only.
    if slot.load(Ordering::Relaxed).is_null() {
        let chunk = Box::new([const { AtomicPtr::new(ptr::null_mut()) }; CHUNK]);
        // Release: the chunk's contents are there for whoever sees the pointer.
        slot.store(Box::into_raw(chunk), Ordering::Release);
    }
    if let Some(mark) = mark(fd) {
        mark.store(Arc::as_ptr(&ring).cast_mut(), Ordering::Relaxed);
    }
    table.rings.push(ring);
    COUNT.fetch_add(1, Ordering::Relaxed);
    true
}

/// Takes a descriptor's ring out: the number is free for other files. It stays under its registered indexes.
pub fn remove(fd: c_int) -> Option<Arc<Ring>> {
    if !is_ring(fd) {
        return None;
    }
    let mut table = TABLE.lock();
    let at = table
        .rings
        .iter()
        .position(|ring| ring.descriptor() == fd)?;
    let ring = table.rings.swap_remove(at);
    if let Some(mark) = mark(fd) {
        mark.store(ptr::null_mut(), Ordering::Relaxed);
    }
    COUNT.fetch_sub(1, Ordering::Relaxed);
    Some(ring)
}

/// Takes a ring out under all its names. `false`: it had none. By now its number may be another ring's.
#[cfg(feature = "hooks")]
pub fn remove_all(ring: &Arc<Ring>) -> bool {
    let mut table = TABLE.lock();
    let at = table
        .rings
        .iter()
        .position(|other| Arc::ptr_eq(other, ring));
    if let Some(at) = at {
        table.rings.swap_remove(at);
        if let Some(mark) = mark(ring.descriptor()) {
            mark.store(ptr::null_mut(), Ordering::Relaxed);
        }
        COUNT.fetch_sub(1, Ordering::Relaxed);
    }
    let before = table.registered.len();
    table
        .registered
        .retain(|(_, _, other)| !Arc::ptr_eq(other, ring));
    at.is_some() || table.registered.len() < before
}

/// Whether an index is one of ours.
pub fn is_index(index: u32) -> bool {
    index.wrapping_sub(FIRST_INDEX) < INDEXES as u32
}

/// The ring that a thread registered under an index.
pub fn registered(index: u32) -> Option<Arc<Ring>> {
    let thread = crate::sys::thread();
    let table = TABLE.lock();
    let found = table
        .registered
        .iter()
        .find(|(owner, at, _)| *owner == thread && *at == index)?;
    Some(found.2.clone())
}

/// Registers a ring for a thread, at a free index. Returns it.
pub fn register(ring: Arc<Ring>) -> Option<u32> {
    let thread = crate::sys::thread();
    let mut table = TABLE.lock();
    let taken = |index| {
        table
            .registered
            .iter()
            .any(|(owner, at, _)| *owner == thread && *at == index)
    };
    let index = (FIRST_INDEX..FIRST_INDEX + INDEXES as u32).find(|index| !taken(*index))?;
    table.registered.push((thread, index, ring));
    Some(index)
}

/// Unregisters a ring. Returns whether nothing leads to it any more.
pub fn unregister(index: u32) -> Option<Arc<Ring>> {
    let thread = crate::sys::thread();
    let mut table = TABLE.lock();
    let at = table
        .registered
        .iter()
        .position(|(owner, at, _)| *owner == thread && *at == index)?;
    Some(table.registered.swap_remove(at).2)
}

/// Whether a descriptor or an index leads to the ring.
pub fn is_named(ring: &Arc<Ring>) -> bool {
    let table = TABLE.lock();
    let same = |other: &Arc<Ring>| Arc::ptr_eq(other, ring);
    table.rings.iter().any(same) || table.registered.iter().any(|(_, _, other)| same(other))
}

impl Table {
    /// In the child of a fork: registered rings belong to the threads that registered them, which are not here.
    pub fn forget_registered(&mut self) {
        self.registered.clear();
    }
}
