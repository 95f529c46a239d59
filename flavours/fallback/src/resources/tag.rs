//! What is posted when a resource is no longer used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use crate::lock::Lock;

/// The tags of a ring that are to be posted.
#[derive(Default)]
pub struct Released {
    pub tags: Lock<Vec<u64>>,
    /// There are some. Changes under their lock.
    some: AtomicBool,
}

impl Released {
    fn add(&self, number: u64) {
        let mut tags = self.tags.lock();
        tags.push(number);
        // Release: with it the number.
        self.some.store(true, Ordering::Release);
    }

    /// Takes all of them.
    #[inline]
    pub fn take(&self) -> Vec<u64> {
        // Acquire: pairs with the store above. One that is added at this moment is posted after the next completion.
        if !self.some.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut tags = self.tags.lock();
        self.some.store(false, Ordering::Relaxed);
        std::mem::take(&mut *tags)
    }
}

/// A resource's tag. Where it goes, its number is to be posted, unless that is 0.
pub struct Tag {
    number: u64,
    to: Weak<Released>,
}

impl Tag {
    pub fn new(number: u64, to: &Arc<Released>) -> Tag {
        Tag {
            number,
            to: Arc::downgrade(to),
        }
    }

    /// The resource was never registered: nobody hears that it is gone.
    pub fn cancel(&mut self) {
        self.number = 0;
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        if let (true, Some(released)) = (self.number != 0, self.to.upgrade()) {
            released.add(self.number);
        }
    }
}
