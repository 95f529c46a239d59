//! What is posted when a resource is no longer used.

use std::sync::{Arc, Weak};

use crate::lock::Lock;

/// The tags of a ring that are to be posted.
pub type Released = Lock<Vec<u64>>;

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
            released.lock().push(self.number);
        }
    }
}
