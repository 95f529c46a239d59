//! Marks: what is written into SQEs that were submitted, and into CQEs that were marked as seen.
//!
//! A mark is no address of a program's, on any machine, and says which SQE or CQE it is in: a program that uses it as an
//! address ends, and its registers tell what it has read.

use uring_core::abi::{io_uring_cqe, io_uring_sqe};

/// What a mark is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An SQE that was submitted.
    Sqe,
    /// A CQE that was marked as seen.
    Cqe,
}

/// The upper 16 bits of a number of 64 or 32 bits.
const SQE: u16 = 0xa5c1;
const CQE: u16 = 0xa5c2;

/// Bits of a mark, from the lowest on: zeros, so that a small offset does not spoil it; the index; the ring.
const OFFSET: u32 = 16;
const INDEX: u32 = 20;
const RING: u32 = 12;
const _: () = assert!(OFFSET + INDEX + RING + u16::BITS == u64::BITS);

/// What a mark says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub kind: Kind,
    /// The number of the ring, or none if the field was too short for it.
    pub ring: Option<u16>,
    /// The lowest bits of the index in the queue.
    pub index: u32,
    /// So many of them.
    pub bits: u32,
}

impl Mark {
    /// Whether it may be that of an entry.
    pub fn is_of(&self, ring: u16, index: u32) -> bool {
        let low = (1 << self.bits) - 1;
        self.ring.is_none_or(|number| number == number_of(ring)) && (index ^ self.index) & low == 0
    }
}

/// A ring's number, as far as marks have it.
fn number_of(ring: u16) -> u16 {
    ring & ((1 << RING) - 1)
}

/// The mark of 64 bits for an entry of a ring.
pub fn word(kind: Kind, ring: u16, index: u32) -> u64 {
    let index = u64::from(index) & ((1 << INDEX) - 1);
    u64::from(prefix(kind)) << 48 | u64::from(number_of(ring)) << (OFFSET + INDEX) | index << OFFSET
}

/// The mark of 32 bits for a CQE. It is negative.
fn half(index: u32) -> u32 {
    u32::from(CQE) << 16 | (index & 0xffff)
}

fn prefix(kind: Kind) -> u16 {
    match kind {
        Kind::Sqe => SQE,
        Kind::Cqe => CQE,
    }
}

fn kind(prefix: u64) -> Option<Kind> {
    [Kind::Sqe, Kind::Cqe]
        .into_iter()
        .find(|kind| u64::from(self::prefix(*kind)) == prefix)
}

/// Reads a number that may be a mark, or an address not far from one.
pub fn read(word: u64) -> Option<Mark> {
    // An offset may also be negative.
    let near = word.wrapping_add(1 << (OFFSET - 1));
    Some(Mark {
        kind: kind(near >> 48)?,
        ring: Some((near >> (OFFSET + INDEX)) as u16 & ((1 << RING) - 1)),
        index: (near >> OFFSET) as u32 & ((1 << INDEX) - 1),
        bits: INDEX,
    })
}

/// Reads a number of 32 bits that may be the mark in a CQE's result.
pub fn read_half(half: u32) -> Option<Mark> {
    (half >> 16 == u32::from(CQE)).then_some(Mark {
        kind: Kind::Cqe,
        ring: None,
        index: half & 0xffff,
        bits: 16,
    })
}

/// Marks 64 bytes of an SQE.
///
/// # Safety
///
/// `sqe` is valid for writes.
pub unsafe fn fill_sqe(sqe: *mut io_uring_sqe, word: u64) {
    // SAFETY: an SQE is as many words, and aligned for them.
    unsafe { sqe.cast::<[u64; 8]>().write([word; 8]) };
}

/// Whether 64 bytes of an SQE are as [`fill_sqe`] left them. If not, they are made so.
///
/// # Safety
///
/// `sqe` is valid for reads and writes.
pub unsafe fn restore_sqe(sqe: *mut io_uring_sqe, word: u64) -> bool {
    // SAFETY: as in `fill_sqe`. The program may be writing there, against the rules.
    let intact = unsafe { sqe.cast::<[u64; 8]>().read_volatile() == [word; 8] };
    if !intact {
        // SAFETY: passed on to the caller.
        unsafe { fill_sqe(sqe, word) };
    }
    intact
}

/// Whether 64 bytes of two SQEs are equal.
///
/// # Safety
///
/// Both are valid for reads.
pub unsafe fn equal(one: *const io_uring_sqe, other: *const io_uring_sqe) -> bool {
    // SAFETY: an SQE is as many words, and aligned for them. The program may be writing there, against the rules.
    unsafe { one.cast::<[u64; 8]>().read_volatile() == other.cast::<[u64; 8]>().read_volatile() }
}

/// Marks 16 bytes of a CQE. In its flags no bit is set that makes it anything but an ordinary one.
///
/// # Safety
///
/// `cqe` is valid for writes.
pub unsafe fn fill_cqe(cqe: *mut io_uring_cqe, ring: u16, index: u32) {
    // SAFETY: the caller vouches for it.
    unsafe {
        (&raw mut (*cqe).user_data).write(word(Kind::Cqe, ring, index));
        (&raw mut (*cqe).res).write(half(index) as i32);
        (&raw mut (*cqe).flags).write(u32::from(CQE) << 16);
    }
}
