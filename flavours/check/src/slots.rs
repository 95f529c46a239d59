//! What lay in the SQEs of a ring that are marked.

use uring_core::abi::io_uring_sqe;

/// The start of an SQE, in which all marks are.
pub type Old = [u64; OLD];
pub const OLD: usize = 5;
const _: () = assert!(std::mem::offset_of!(io_uring_sqe, user_data) + 8 == size_of::<Old>());

/// What lay in the SQEs.
#[derive(Default)]
pub struct Leftovers {
    pub old: Vec<Old>,
    /// Slots before this SQ index have their marks.
    pub marked_to: u32,
    /// The end of those that may be marked at the next call: programs look at SQEs that they have submitted just now.
    pub ready_to: u32,
    /// Marks may be left in slots whose SQEs went by without a look.
    skipped: bool,
    /// Requests with a `user_data` of their own, and without.
    pub with_data: u64,
    pub without_data: u64,
}

impl Leftovers {
    /// Nothing is marked before this index.
    pub fn begin(&mut self, index: u32) {
        self.marked_to = index;
        self.ready_to = index;
    }

    /// Whether the slot of this index may hold marks.
    pub fn may_mark(&self, index: u32) -> bool {
        self.skipped || self.marked_to.wrapping_sub(index) as i32 > 0
    }

    /// Some SQEs are not looked at, so marks may stay in any slot.
    pub fn skipped(&mut self) {
        self.skipped = true;
    }

    /// So many requests had a `user_data` of their own.
    pub fn count_with_data(&mut self, count: u32) {
        self.with_data += u64::from(count);
    }

    /// Whether the program sets `user_data` in nearly all requests.
    pub fn is_exception(&self) -> bool {
        const MANY: u64 = 16;
        self.with_data >= MANY * self.without_data
    }
}
