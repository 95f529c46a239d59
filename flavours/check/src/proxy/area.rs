//! The memory of a ring in proxy mode.
//!
//! **SQEs** are the library's memory, several times as many slots as the SQ has entries. Which slot an index leads to is
//! in `struct io_uring`, and how many may be taken at a time as well, so a program goes round through all the slots and
//! never has more of them than it asked for: the window. A call that submits copies the SQEs to the kernel's. Slots that
//! the kernel has taken leave the window. The next call that submits marks them, for programs look at what they have just
//! submitted, and they stay so for some rounds. Slots that enter the window get what the kernel's slot of their index
//! holds, as in a ring without a proxy.
//!
//! **CQEs** stay where the kernel writes them, and so do its counters and flags. So whoever looks at the CQ without a
//! call, however long, sees what has come; nothing must be forwarded by a thread, and no flag must lie. Only the head
//! is the library's memory. The kernel gets to know it at calls, and until then does not reuse the CQEs before it: these
//! are looked at and marked first.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use uring_core::abi::*;
use uring_core::kernel::{Kernel, MAP_ANONYMOUS, MAP_SHARED, Native, PROT_READ_WRITE};
use uring_core::ring::order::Word;
use uring_core::ring::sizes::page_aligned;

use crate::asan;
use crate::proxy::mark::{self, Kind};

/// At least so many slots, and so many times the entries.
const SLOTS: u32 = 64;
const TIMES: u32 = 4;

/// What is kept before the SQEs, in their mapping. Children share it as they share a ring.
#[repr(C)]
struct Header {
    /// The kernel's.
    sqes: *mut io_uring_sqe,
    cq_head: *mut u32,
    sq_head: *mut u32,
    sq_tail: *mut u32,
    array: *mut u32,
    kring_mask: *mut u32,
    real_mask: u32,
    /// Of the slots here.
    mask: u32,
    entries: u32,
    /// By how many bits an index is shifted.
    shift: u32,
    /// Bytes of the mapping.
    size: usize,
    /// What marks have as the ring's number.
    number: u16,
    /// SQEs from this index on were never marked, and none before `first`.
    marked: AtomicU32,
    first: AtomicU32,
    /// The window begins there.
    window: AtomicU32,
    /// SQEs before this index were copied to the kernel's.
    copied: AtomicU32,
}

/// Where the CQ's head is, from the header on. In a ring without a proxy, head and tail lie beside each other, in the same
/// page; here they are further apart than this, however the mappings lie.
const HEAD_AT: usize = 1024;
const BESIDE: usize = 512;
const _: () = assert!(size_of::<Header>() <= HEAD_AT);

/// A ring's memory in proxy mode.
#[derive(Clone, Copy)]
pub struct Area(NonNull<Header>);

// SAFETY: the pointers lead to ring memory and to a mapping that lives as long as the ring. Words that change are atomic.
unsafe impl Send for Area {}

/// Why a ring cannot have a proxy.
fn obstacle(ring: &io_uring) -> Option<&'static str> {
    let has = |flag| ring.flags & flag != 0;
    if has(IORING_SETUP_SQPOLL) {
        Some("IORING_SETUP_SQPOLL: the kernel's thread takes SQEs when it likes")
    } else if has(IORING_SETUP_NO_MMAP) {
        Some("IORING_SETUP_NO_MMAP: the program may use the ring's memory by itself")
    } else if has(IORING_SETUP_SQ_REWIND) {
        Some("IORING_SETUP_SQ_REWIND: SQEs are taken from the same slots each time")
    } else if has(IORING_SETUP_SQE_MIXED) {
        Some("IORING_SETUP_SQE_MIXED: large SQEs must not go over the end of the kernel's slots")
    } else if ring.features & IORING_FEAT_EXT_ARG == 0 {
        Some("the kernel is older than 5.11: waits submit timeouts")
    } else {
        None
    }
}

impl Area {
    /// That of a ring, if it has one.
    ///
    /// # Safety
    ///
    /// `ring` is set up, or all zeros.
    #[inline]
    pub unsafe fn of(ring: *const io_uring) -> Option<Area> {
        // SAFETY: passed on to the caller.
        let (head, tail) = unsafe {
            (
                (&raw const (*ring).cq.khead).read(),
                (&raw const (*ring).cq.ktail).read(),
            )
        };
        if head.addr().abs_diff(tail.addr()) < BESIDE {
            return None;
        }
        NonNull::new(head.wrapping_byte_sub(HEAD_AT).cast()).map(Area)
    }

    /// Gives a ring that has just been set up a proxy. The error says why it cannot have one.
    ///
    /// # Safety
    ///
    /// `ring` is set up without a proxy, and no other thread uses it.
    pub unsafe fn put_before(ring: *mut io_uring) -> Result<(), &'static str> {
        static NUMBERS: AtomicU16 = AtomicU16::new(1);
        // SAFETY: passed on to the caller; nobody else has a reference.
        let ring = unsafe { &mut *ring };
        if let Some(why) = obstacle(ring) {
            return Err(why);
        }
        let entries = ring.sq.ring_entries;
        let slots = entries.saturating_mul(TIMES).max(SLOTS);
        let shift = u32::from(ring.flags & IORING_SETUP_SQE128 != 0);
        let page = Native::page_size();
        let sqes = page_aligned((slots as usize * size_of::<io_uring_sqe>()) << shift, page);
        // A program may fill in the array of SQE numbers; the kernel's stays as it is, each slot's number in its place.
        let array = if ring.sq.array.is_null() { 0 } else { slots };
        let size = page + sqes + page_aligned(array as usize * size_of::<u32>(), page);
        let (protection, flags) = (PROT_READ_WRITE, MAP_SHARED | MAP_ANONYMOUS);
        // By the C library's function, which ThreadSanitizer stands before: it forgets what threads did to the memory that
        // was there before. SAFETY: new memory, placed by the kernel.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0) };
        let start = NonNull::new(start)
            .filter(|start| start.as_ptr() != libc::MAP_FAILED)
            .ok_or("there is no memory for it")?;
        let header = start.cast::<Header>();
        let sq_head = ring.sq.khead;
        // Relaxed: the numbers differ, and that is all.
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the header lies in the new mapping, which nobody else knows. The ring's counters are the caller's.
        unsafe {
            let first = Word::new(sq_head).load_relaxed();
            header.write(Header {
                sqes: ring.sq.sqes,
                cq_head: ring.cq.khead,
                sq_head,
                sq_tail: ring.sq.ktail,
                array: ring.sq.array,
                kring_mask: ring.sq.kring_mask,
                real_mask: ring.sq.ring_mask,
                mask: slots - 1,
                entries,
                shift,
                size,
                number,
                marked: AtomicU32::new(first),
                first: AtomicU32::new(first),
                window: AtomicU32::new(first),
                copied: AtomicU32::new(first),
            });
            let area = Area(header);
            let head = Word::new(ring.cq.khead).load_relaxed();
            Word::new(area.cq_head()).store_relaxed(head);
            area.show(first, first.wrapping_add(entries));
            area.install(ring);
        }
        Ok(())
    }

    fn header(&self) -> &Header {
        // SAFETY: the mapping lives as long as the ring, whose user asks. What changes in it is atomic.
        unsafe { self.0.as_ref() }
    }

    /// The head of the CQ, as the program has it.
    fn cq_head(&self) -> *mut u32 {
        self.0.as_ptr().wrapping_byte_add(HEAD_AT).cast()
    }

    fn first_slot(&self) -> *mut io_uring_sqe {
        let page = Native::page_size();
        self.0.as_ptr().wrapping_byte_add(page).cast()
    }

    /// Points a ring at it.
    ///
    /// # Safety
    ///
    /// It is the ring's, which no other thread uses.
    unsafe fn install(&self, ring: &mut io_uring) {
        let header = self.header();
        ring.sq.sqes = self.first_slot();
        ring.sq.ring_mask = header.mask;
        ring.sq.kring_mask = (&raw const header.mask).cast_mut();
        if !header.array.is_null() {
            let slots = (header.mask as usize + 1) << header.shift;
            ring.sq.array = self.first_slot().wrapping_add(slots).cast();
        }
        ring.cq.khead = self.cq_head();
    }

    /// Points a ring at the kernel's memory, and brings that up to date.
    ///
    /// # Safety
    ///
    /// As for [`Area::install`].
    pub unsafe fn withdraw(&self, ring: *mut io_uring) {
        // SAFETY: passed on to the caller; nobody else has a reference.
        let ring = unsafe { &mut *ring };
        self.copy_to(ring.sq.sqe_tail);
        self.forward();
        let header = self.header();
        ring.sq.sqes = header.sqes;
        ring.sq.ring_mask = header.real_mask;
        ring.sq.kring_mask = header.kring_mask;
        ring.sq.array = header.array;
        ring.cq.khead = header.cq_head;
    }

    /// Undoes [`Area::withdraw`].
    ///
    /// # Safety
    ///
    /// As for [`Area::install`].
    pub unsafe fn reinstate(&self, ring: *mut io_uring) {
        // SAFETY: passed on to the caller.
        unsafe { self.install(&mut *ring) };
    }

    /// Gives the memory up.
    ///
    /// # Safety
    ///
    /// No ring points to it.
    pub unsafe fn drop(self) {
        let size = self.header().size;
        asan::unpoison(self.0.as_ptr().addr() as u64, size as u64);
        // SAFETY: a mapping of our own, which nobody uses. That it cannot fail is known: it is a whole mapping.
        let _ = unsafe { Native::munmap(self.0.as_ptr().cast(), size) };
    }

    /// Children do not get it.
    pub fn keep_from_children(&self) {
        let size = self.header().size;
        // SAFETY: the advice changes nothing for this process. A child without the ring has no use for this.
        let _ = unsafe {
            Native::madvise(
                self.0.as_ptr().cast(),
                size,
                uring_core::kernel::MADV_DONTFORK,
            )
        };
    }

    /// The slot of an index, as the program has it.
    fn slot(&self, index: u32) -> *mut io_uring_sqe {
        let header = self.header();
        self.first_slot()
            .wrapping_add(((index & header.mask) as usize) << header.shift)
    }

    /// The same in the kernel's memory.
    fn kernel_slot(&self, index: u32) -> *mut io_uring_sqe {
        let header = self.header();
        header
            .sqes
            .wrapping_add(((index & header.real_mask) as usize) << header.shift)
    }

    fn units(&self) -> usize {
        1 << self.header().shift
    }

    fn slot_size(&self) -> u64 {
        (size_of::<io_uring_sqe>() * self.units()) as u64
    }

    /// How many of the slots are outside of the window.
    pub fn outside(&self) -> u32 {
        let header = self.header();
        header.mask + 1 - header.entries
    }

    pub fn number(&self) -> u16 {
        self.header().number
    }

    /// The SQ head, which the kernel moves.
    pub fn taken_to(&self) -> u32 {
        // SAFETY: the ring is set up. Relaxed: it moves in system calls of the SQ side alone, which asks.
        unsafe { Word::new(self.header().sq_head) }.load_relaxed()
    }

    /// The SQ tail that was published.
    pub fn published_to(&self) -> u32 {
        // SAFETY: the ring is set up. Relaxed: the SQ side's own counter.
        unsafe { Word::new(self.header().sq_tail) }.load_relaxed()
    }

    /// Where the window begins.
    pub fn window(&self) -> u32 {
        // Relaxed: the SQ side moves it.
        self.header().window.load(Ordering::Relaxed)
    }

    /// Copies SQEs up to index `end` to the kernel's slots, from the first that it has not taken.
    pub fn copy_to(&self, end: u32) {
        let mut at = self.taken_to();
        if end.wrapping_sub(at) > self.header().entries {
            // No number of SQEs that a ring can hold: the kernel takes what it finds.
            return;
        }
        while at != end {
            // SAFETY: both slots lie within their SQEs, and are different memory. The kernel reads its own in system calls
            // of the SQ side alone, whose call this is.
            unsafe {
                self.kernel_slot(at)
                    .copy_from_nonoverlapping(self.slot(at), self.units());
            }
            at = at.wrapping_add(1);
        }
        let copied = &self.header().copied;
        // Relaxed: the SQ side alone moves it.
        if end.wrapping_sub(copied.load(Ordering::Relaxed)) as i32 > 0 {
            copied.store(end, Ordering::Relaxed);
        }
    }

    /// Slots get what the kernel's have.
    fn show(&self, mut at: u32, end: u32) {
        while end.wrapping_sub(at) as i32 > 0 {
            let slot = self.slot(at);
            asan::unpoison(slot.addr() as u64, self.slot_size());
            // SAFETY: both slots lie within their SQEs, and are different memory; the SQ side, whose call this is, has not
            // taken this one.
            unsafe { slot.copy_from_nonoverlapping(self.kernel_slot(at), self.units()) };
            at = at.wrapping_add(1);
        }
    }

    fn word_of(&self, index: u32) -> u64 {
        mark::word(Kind::Sqe, self.number(), index)
    }

    /// Moves the window behind the SQEs that the kernel has taken.
    pub fn move_window(&self) {
        let header = self.header();
        let (from, to) = (self.window(), self.taken_to());
        let taken = to.wrapping_sub(from);
        if taken == 0 || taken > header.entries {
            // The second is none of this process's doing: see `restart`.
            return;
        }
        // Relaxed: the SQ side alone moves it. Where threads race against the rules, one of them goes on.
        let moved = header
            .window
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        if moved.is_ok() {
            self.show(
                from.wrapping_add(header.entries),
                to.wrapping_add(header.entries),
            );
        }
    }

    /// SQEs before this index are marked.
    pub fn marked_to(&self) -> u32 {
        // Relaxed: the SQ side moves it.
        self.header().marked.load(Ordering::Relaxed)
    }

    /// Marks the SQEs that have left the window.
    pub fn mark(&self) {
        let to = self.window();
        // Relaxed: as in `marked_to`.
        let mut at = self.header().marked.swap(to, Ordering::Relaxed);
        // Older ones may be in the window again: the last calls that submitted were not looked at.
        if to.wrapping_sub(at) > self.outside() {
            at = to.wrapping_sub(self.outside());
        }
        while to.wrapping_sub(at) as i32 > 0 {
            let slot = self.slot(at);
            for unit in 0..self.units() {
                // SAFETY: the slot lies within the SQEs, and is nobody's: the kernel has taken the SQE from its own.
                unsafe { mark::fill_sqe(slot.wrapping_add(unit), self.word_of(at)) };
            }
            asan::poison(slot.addr() as u64, self.slot_size());
            at = at.wrapping_add(1);
        }
    }

    /// Begins anew: SQEs were submitted by another process, or by another copy of the ring. Those from the kernel's head on
    /// to `tail` are the program's.
    pub fn restart(&self, tail: u32) {
        let header = self.header();
        let head = self.taken_to();
        let slots = u64::from(header.mask) + 1;
        asan::unpoison(self.first_slot().addr() as u64, slots * self.slot_size());
        // Relaxed: as in `move_window`.
        for counter in [&header.marked, &header.first, &header.window] {
            counter.store(head, Ordering::Relaxed);
        }
        self.show(tail, head.wrapping_add(header.entries));
    }

    /// The first index in a range outside of the window whose SQE was written to after it was submitted. It is made
    /// again what it was.
    pub fn find_changed(&self, from: u32, to: u32) -> Option<u32> {
        let header = self.header();
        // Relaxed: as in `marked_to`.
        let (first, copied) = (
            header.first.load(Ordering::Relaxed),
            header.copied.load(Ordering::Relaxed),
        );
        let marked_to = self.marked_to();
        let mut at = from;
        while to.wrapping_sub(at) as i32 > 0 {
            let marked = marked_to.wrapping_sub(at) as i32 > 0;
            // The kernel's slot may be another SQE's.
            let reused = copied.wrapping_sub(at.wrapping_add(header.entries)) as i32 > 0;
            if at.wrapping_sub(first) as i32 >= 0 && (marked || !reused) {
                for unit in 0..self.units() {
                    let (slot, kernel) = (self.slot(at), self.kernel_slot(at));
                    // SAFETY: both lie within their SQEs, and no other thread uses the SQ side.
                    let is_as_it_was = unsafe {
                        if marked {
                            mark::restore_sqe(slot.wrapping_add(unit), self.word_of(at))
                        } else {
                            mark::equal(slot.wrapping_add(unit), kernel.wrapping_add(unit))
                        }
                    };
                    if !is_as_it_was {
                        return Some(at);
                    }
                }
            }
            at = at.wrapping_add(1);
        }
        None
    }

    /// The index of the marked SQE at an address, if one is there.
    pub fn marked_at(&self, address: usize) -> Option<u32> {
        let header = self.header();
        let slot = address.checked_sub(self.first_slot().addr())? / self.slot_size() as usize;
        let slot = u32::try_from(slot)
            .ok()
            .filter(|slot| *slot <= header.mask)?;
        let last = self.marked_to().wrapping_sub(1);
        let ago = last.wrapping_sub(slot) & header.mask;
        (ago < self.outside()).then(|| last.wrapping_sub(ago))
    }

    /// The SQE that the kernel has taken at an index, if its slot was not used again.
    pub fn taken(&self, index: u32) -> io_uring_sqe {
        // SAFETY: the slot lies within the kernel's SQEs.
        unsafe { self.kernel_slot(index).read() }
    }

    /// The CQ head that the kernel knows, and the program's.
    pub fn heads(&self) -> (u32, u32) {
        // SAFETY: the ring is set up. Acquire: the program has read the CQEs before its head. Relaxed: this library
        // alone writes the kernel's.
        unsafe {
            (
                Word::new(self.header().cq_head).load_relaxed(),
                Word::new(self.cq_head()).load_acquire(),
            )
        }
    }

    /// Tells the kernel the program's head.
    pub fn forward(&self) {
        let (known, head) = self.heads();
        if head.wrapping_sub(known) as i32 > 0 {
            // Release: what was written into the CQEs is there before the kernel writes there. SAFETY: the ring is set up.
            unsafe { Word::new(self.header().cq_head) }.store_release(head);
        }
    }
}
