//! Counting what may change which file a descriptor leads to, so that what was found out can be remembered.
//!
//! The preload library sees the calls that close or replace a descriptor, and tells this module. One word says it all:
//!
//! | bits | what |
//! | --- | --- |
//! | 0 to 21 | changes under way. A thread that leaves one by longjmp, or is cancelled there, stays counted |
//! | 22 | [`UNSEEN`] |
//! | 23 to 63 | how many changes have begun |
//!
//! Only what was found out while nothing was under way is remembered, and only until the next change begins.

use core::sync::atomic::{AtomicU64, Ordering};

/// How many bits the two lower parts have.
pub const LOW_BITS: u32 = 23;
/// Set for good once descriptors may change unseen: some threads or processes share memory and not descriptors, or
/// descriptors and not memory. Nothing is remembered then.
pub const UNSEEN: u64 = 1 << (LOW_BITS - 1);
/// Added when a change begins: one more, and one more under way.
pub const BEGIN: u64 = 1 << LOW_BITS | UNDER_WAY;
/// Subtracted when a change ends.
pub const UNDER_WAY: u64 = 1;

/// From this value on nothing is remembered, long before the count comes round to old moments.
const NEARLY_ROUND: u64 = 1 << (u64::BITS - 1);

/// The word. A child of fork(2) goes on with its parent's count.
pub static CHANGES: AtomicU64 = AtomicU64::new(1 << LOW_BITS);

/// Makes a call that may change which file a descriptor leads to.
pub fn during<T>(change: impl FnOnce() -> T) -> T {
    // Sequentially consistent: a thread that gets the number anew, or learns that it is closed, finds this change begun,
    // and one that finds it ended looks at descriptors as they are after it.
    let before = CHANGES.fetch_add(BEGIN, Ordering::SeqCst);
    if before >= NEARLY_ROUND {
        go_unseen();
    }
    let done = change();
    CHANGES.fetch_sub(UNDER_WAY, Ordering::SeqCst);
    done
}

/// Says that descriptors may change unseen from now on.
pub fn go_unseen() {
    CHANGES.fetch_or(UNSEEN, Ordering::SeqCst);
}

/// A state of the descriptors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment(u64);

impl Moment {
    /// The present one.
    #[inline(always)]
    pub fn now() -> Moment {
        // Acquire: what is looked at afterwards is not older.
        Moment(CHANGES.load(Ordering::Acquire))
    }

    /// A number for this moment, whose low [`LOW_BITS`] bits are zero. None while a change is under way, or if
    /// descriptors may change unseen.
    #[inline(always)]
    pub fn stamp(self) -> Option<u64> {
        const LOW: u64 = (1 << LOW_BITS) - 1;
        (self.0 & LOW == 0).then_some(self.0)
    }
}
