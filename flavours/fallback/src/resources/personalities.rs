//! Personalities: credentials that a thread had when it registered them, for requests to come.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::credentials::Credentials;

/// Those of a ring, by their numbers.
#[derive(Default)]
pub struct Personalities {
    pub all: BTreeMap<u16, Arc<Credentials>>,
    pub last: u16,
}

impl Personalities {
    pub fn get(&self, number: u16) -> Option<Arc<Credentials>> {
        self.all.get(&number).cloned()
    }

    /// A number that none has, the next after the last one given. 0 is none.
    pub fn free(&self) -> Option<u16> {
        (1..=u16::MAX)
            .map(|step| self.last.wrapping_add(step))
            .find(|number| *number != 0 && !self.all.contains_key(number))
    }
}
