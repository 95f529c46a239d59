//! A futex.

use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::sys::{self, sys};

/// `FUTEX2_SIZE_U32`, the only size that there is, and `FUTEX2_PRIVATE`.
pub const SIZE_U32: u32 = 2;
pub const PRIVATE: u32 = 128;
/// `FUTEX_BITSET_MATCH_ANY`.
pub const MATCH_ANY: u32 = u32::MAX;
/// A word to wait on.
#[derive(Clone, Copy)]
pub struct Word {
    address: u64,
    pub expected: u32,
    pub flags: u32,
    pub mask: u32,
}

impl Word {
    /// Refuses what the kernel refuses before it looks at the word.
    pub fn new(address: u64, expected: u64, flags: u32, mask: u64) -> Result<Word, c_int> {
        let (Ok(expected), Ok(mask)) = (u32::try_from(expected), u32::try_from(mask)) else {
            return Err(-libc::EINVAL);
        };
        if flags & !PRIVATE != SIZE_U32 {
            return Err(-libc::EINVAL);
        }
        Ok(Word {
            address,
            expected,
            flags,
            mask,
        })
    }

    pub fn at(&self) -> *mut u32 {
        std::ptr::with_exposed_provenance_mut(self.address as usize)
    }

    pub fn is_private(&self) -> bool {
        self.flags & PRIVATE != 0
    }

    /// The same as a flag of `futex(2)`.
    pub fn private_flag(&self) -> c_int {
        if self.is_private() {
            libc::FUTEX_PRIVATE_FLAG
        } else {
            0
        }
    }

    /// Whether who wakes the other one with its mask wakes this one.
    pub fn is_woken_with(&self, other: &Word) -> bool {
        self.address == other.address
            && self.is_private() == other.is_private()
            && self.mask & other.mask != 0
    }

    /// The refusals of an address.
    pub fn check_address(&self) -> Result<(), c_int> {
        if self.address % 4 != 0 {
            Err(-libc::EINVAL)
        } else if !sys::is_mapped(self.address as usize, size_of::<u32>()) {
            Err(-libc::EFAULT)
        } else {
            Ok(())
        }
    }

    /// What the word holds. [`Word::check_address`] has been called.
    pub fn value(&self) -> u32 {
        // SAFETY: there is memory at the address, which the program keeps until the request completes; it is a multiple
        // of 4, and whoever changes a futex does so with one access.
        let word = unsafe { AtomicU32::from_ptr(self.at()) };
        // Relaxed: the value alone counts. Who changes it wakes afterwards, by a call.
        word.load(Ordering::Relaxed)
    }

    /// Wakes up to `count` waiters. Returns how many, or a negative error number.
    pub fn wake(&self, count: c_int) -> c_int {
        let op = libc::FUTEX_WAKE_BITSET | self.private_flag();
        // SAFETY: the word is a name here; it is not written.
        unsafe { sys!(SYS_futex, self.at(), op, count, 0, 0, self.mask) as c_int }
    }
}
