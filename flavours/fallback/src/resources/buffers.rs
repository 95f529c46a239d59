//! Registered buffers: addresses. Nothing is pinned.

use super::tag::Tag;

/// A registered buffer.
pub struct FixedBuffer {
    pub start: usize,
    pub length: usize,
    pub tag: Tag,
}

impl FixedBuffer {
    /// Whether a range lies in the buffer.
    pub fn holds(&self, start: usize, length: usize) -> bool {
        start >= self.start
            && start
                .checked_add(length)
                .is_some_and(|end| end <= self.start + self.length)
    }
}
