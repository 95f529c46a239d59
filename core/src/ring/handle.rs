//! Handles of a ring: what a thread may use of it, said by a type.
//!
//! Two threads may use one ring at the same time if one keeps to the SQ side and the other to the CQ side. [`Sq`] and
//! [`Cq`] are the two sides, [`Whole`] is both of them, and [`Ring`] is what every thread may use. A handle is made where
//! C enters, by an `unsafe` function that names what the program promises. The functions that take one rely on it, and
//! need no promise of their own.
//!
//! A handle is a raw pointer and never a reference, because another thread may be using the other side. It is neither
//! `Send` nor `Sync`.

use core::ffi::{c_int, c_uint};
use core::marker::PhantomData;
use core::ops::Deref;

use super::flags::{CQ_ENTER, NO_IOWAIT, REG_RING};
use super::order::Word;
use crate::abi::cqe::io_uring_cqe;
use crate::abi::params::{IORING_SETUP_CQE32, IORING_SETUP_SQE128, IORING_SETUP_SQPOLL};
use crate::abi::ring::io_uring;
use crate::abi::sqe::io_uring_sqe;

/// A ring that is set up, on kernel `K`: its descriptors, its flags, and the words that the kernel writes.
#[repr(transparent)]
pub struct Ring<K>(*mut io_uring, PhantomData<fn() -> K>);

/// The SQ side of a ring.
#[repr(transparent)]
pub struct Sq<K>(Ring<K>);

/// The CQ side of a ring.
#[repr(transparent)]
pub struct Cq<K>(Ring<K>);

/// Both sides of a ring that no other thread uses: what its set-up can be changed with.
#[repr(transparent)]
pub struct Whole<K>(Ring<K>);

macro_rules! handles {
    ($($name:ident)*) => {
        $(
            impl<K> Clone for $name<K> {
                #[inline(always)]
                fn clone(&self) -> Self {
                    *self
                }
            }

            impl<K> Copy for $name<K> {}
        )*
    };
}

handles!(Ring Sq Cq Whole);

macro_rules! on_a_ring {
    ($($name:ident)*) => {
        $(
            impl<K> Deref for $name<K> {
                type Target = Ring<K>;

                #[inline(always)]
                fn deref(&self) -> &Ring<K> {
                    &self.0
                }
            }
        )*
    };
}

on_a_ring!(Sq Cq Whole);

impl<K> Ring<K> {
    /// A handle of `ring`.
    ///
    /// # Safety
    ///
    /// `ring` is set up on kernel `K`, stays so while the handle is used, and no other thread uses a [`Whole`] of it
    /// meanwhile.
    #[inline(always)]
    pub const unsafe fn new(ring: *mut io_uring) -> Ring<K> {
        Ring(ring, PhantomData)
    }

    /// The ring.
    #[inline(always)]
    pub fn as_ptr(self) -> *mut io_uring {
        self.0
    }

    /// `IORING_SETUP_*`.
    #[inline(always)]
    pub fn flags(self) -> c_uint {
        // SAFETY: set-up has filled the field in, and nothing changes it.
        unsafe { (*self.0).flags }
    }

    /// Whether one of the `IORING_SETUP_*` in `flags` is set.
    #[inline(always)]
    pub fn has(self, flags: c_uint) -> bool {
        self.flags() & flags != 0
    }

    /// Whether the kernel has one of the `IORING_FEAT_*` in `features`.
    #[inline(always)]
    pub fn offers(self, features: c_uint) -> bool {
        // SAFETY: as for `flags`.
        unsafe { (*self.0).features & features != 0 }
    }

    /// The library's own flags: see [`flags`](super::flags).
    #[inline(always)]
    pub fn int_flags(self) -> u8 {
        // SAFETY: set-up has filled the field in. It changes only under a `Whole`, which no other thread has now.
        unsafe { (*self.0).int_flags }
    }

    /// The flags that every `io_uring_enter` on this ring carries.
    #[inline(always)]
    pub fn enter_flags(self) -> c_uint {
        c_uint::from(self.int_flags() & (REG_RING | NO_IOWAIT))
    }

    /// Whether completions are found only by entering the kernel: see [`CQ_ENTER`].
    #[inline(always)]
    pub fn is_polled(self) -> bool {
        self.int_flags() & CQ_ENTER != 0
    }

    /// The ring's descriptor, or -1.
    #[inline(always)]
    pub fn fd(self) -> c_int {
        // SAFETY: as for `int_flags`.
        unsafe { (*self.0).ring_fd }
    }

    /// What names the ring to `io_uring_enter`: its registered index with [`REG_RING`], else its descriptor.
    #[inline(always)]
    pub fn enter_fd(self) -> c_int {
        // SAFETY: as for `int_flags`.
        unsafe { (*self.0).enter_ring_fd }
    }

    /// The kernel's flags word, `IORING_SQ_*`. Its flags concern both queues.
    #[inline(always)]
    pub fn kernel_flags(self) -> Word {
        // SAFETY: the ring is set up, so the pointer leads into its mapping.
        unsafe { Word::new((*self.0).sq.kflags) }
    }

    /// The SQ head, which the kernel moves.
    #[inline(always)]
    pub fn sq_head(self) -> Word {
        // SAFETY: as for `kernel_flags`.
        unsafe { Word::new((*self.0).sq.khead) }
    }

    /// The SQ head, for a program that fills in the SQEs before it.
    #[inline(always)]
    pub fn load_sq_head(self) -> c_uint {
        // A submission thread reads SQEs at any time and then moves the head: its reads must be over before the SQE is
        // written again. Without one, the head moves inside this thread's system calls. On x86-64 every load acquires,
        // so there is nothing to choose.
        if cfg!(target_arch = "x86_64") || self.has(IORING_SETUP_SQPOLL) {
            self.sq_head().load_acquire()
        } else {
            self.sq_head().load_relaxed()
        }
    }

    /// The CQ head, which the CQ side moves.
    #[inline(always)]
    pub fn cq_head(self) -> Word {
        // SAFETY: as for `kernel_flags`.
        unsafe { Word::new((*self.0).cq.khead) }
    }

    /// The CQ tail, which the kernel moves.
    #[inline(always)]
    pub fn cq_tail(self) -> Word {
        // SAFETY: as for `kernel_flags`.
        unsafe { Word::new((*self.0).cq.ktail) }
    }

    /// Number of CQ slots.
    #[inline(always)]
    pub fn cq_entries(self) -> c_uint {
        // SAFETY: as for `int_flags`.
        unsafe { (*self.0).cq.ring_entries }
    }

    /// How far CQ slot numbers are shifted: 32-byte CQEs take two slots each.
    #[inline(always)]
    pub fn cqe_shift(self) -> c_uint {
        c_uint::from(self.has(IORING_SETUP_CQE32))
    }

    /// How far SQ slot numbers are shifted: 128-byte SQEs take two slots each.
    #[inline(always)]
    pub fn sqe_shift(self) -> c_uint {
        c_uint::from(self.has(IORING_SETUP_SQE128))
    }
}

impl<K> Sq<K> {
    /// A handle of the SQ side of `ring`.
    ///
    /// # Safety
    ///
    /// As for [`Ring::new`], and while the handle is used no other thread uses the SQ side. What is written into the
    /// SQEs that it gives names memory that stays valid until the requests complete.
    #[inline(always)]
    pub const unsafe fn new(ring: *mut io_uring) -> Sq<K> {
        Sq(Ring(ring, PhantomData))
    }

    /// The position behind the last SQE that was taken.
    #[inline(always)]
    pub fn tail(self) -> c_uint {
        // SAFETY: set-up has filled the field in, and only the SQ side uses it.
        unsafe { (*self.0.0).sq.sqe_tail }
    }

    /// Sets [`tail`](Sq::tail).
    #[inline(always)]
    pub fn set_tail(self, tail: c_uint) {
        // SAFETY: as for `tail`.
        unsafe { (*self.0.0).sq.sqe_tail = tail }
    }

    /// The position behind the last SQE that was published, in a ring that does not rewind.
    #[inline(always)]
    pub fn published(self) -> c_uint {
        // SAFETY: as for `tail`.
        unsafe { (*self.0.0).sq.sqe_head }
    }

    /// Sets [`published`](Sq::published).
    #[inline(always)]
    pub fn set_published(self, head: c_uint) {
        // SAFETY: as for `tail`.
        unsafe { (*self.0.0).sq.sqe_head = head }
    }

    /// The SQ tail that the kernel reads.
    #[inline(always)]
    pub fn kernel_tail(self) -> Word {
        // SAFETY: the ring is set up, so the pointer leads into its mapping.
        unsafe { Word::new((*self.0.0).sq.ktail) }
    }

    /// Number of SQEs.
    #[inline(always)]
    pub fn entries(self) -> c_uint {
        // SAFETY: as for `tail`.
        unsafe { (*self.0.0).sq.ring_entries }
    }

    /// What a position is masked with to be a slot number.
    #[inline(always)]
    pub fn mask(self) -> c_uint {
        // SAFETY: as for `tail`.
        unsafe { (*self.0.0).sq.ring_mask }
    }

    /// The first SQE.
    #[inline(always)]
    pub fn sqes(self) -> *mut io_uring_sqe {
        // SAFETY: as for `tail`.
        unsafe { (*self.0.0).sq.sqes }
    }
}

impl<K> Cq<K> {
    /// A handle of the CQ side of `ring`.
    ///
    /// # Safety
    ///
    /// As for [`Ring::new`], and while the handle is used no other thread uses the CQ side. A CQE that was given back is
    /// not read any more.
    #[inline(always)]
    pub const unsafe fn new(ring: *mut io_uring) -> Cq<K> {
        Cq(Ring(ring, PhantomData))
    }

    /// The word that tells the kernel whether to signal an eventfd, if this kernel has it.
    #[inline(always)]
    pub fn eventfd_flags(self) -> Option<Word> {
        // SAFETY: the ring is set up, so the pointer is null or leads into its mapping.
        unsafe {
            let word = (*self.0.0).cq.kflags;
            if word.is_null() {
                None
            } else {
                Some(Word::new(word))
            }
        }
    }

    /// What a position is masked with to be a slot number.
    #[inline(always)]
    pub fn mask(self) -> c_uint {
        // SAFETY: set-up has filled the field in, and only a `Whole` changes it.
        unsafe { (*self.0.0).cq.ring_mask }
    }

    /// The first CQ slot.
    #[inline(always)]
    pub fn cqes(self) -> *mut io_uring_cqe {
        // SAFETY: as for `mask`.
        unsafe { (*self.0.0).cq.cqes }
    }
}

impl<K> Whole<K> {
    /// A handle of all of `ring`.
    ///
    /// # Safety
    ///
    /// As for [`Sq::new`] and [`Cq::new`]: while the handle is used, no other thread uses the ring.
    #[inline(always)]
    pub const unsafe fn new(ring: *mut io_uring) -> Whole<K> {
        Whole(Ring(ring, PhantomData))
    }

    /// The ring, for functions that need only that.
    #[inline(always)]
    pub fn ring(self) -> Ring<K> {
        self.0
    }

    /// The SQ side.
    #[inline(always)]
    pub fn sq(self) -> Sq<K> {
        Sq(self.0)
    }

    /// The CQ side.
    #[inline(always)]
    pub fn cq(self) -> Cq<K> {
        Cq(self.0)
    }
}
