//! Personalities: credentials that a thread had when it registered them, for requests to come.
//!
//! A request takes them on in a thread of the program's, as far as the kernel lets that thread: the ids that count for
//! files, the groups and the capabilities in effect.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::Arc;

use crate::credentials::Credentials;
use crate::ring::Ring;

/// Those of a ring, by their numbers.
#[derive(Default)]
pub struct Personalities {
    all: BTreeMap<u16, Arc<Credentials>>,
    last: u16,
}

impl Personalities {
    pub fn get(&self, number: u16) -> Option<Arc<Credentials>> {
        self.all.get(&number).cloned()
    }

    /// A number that none has, the next after the last one given. 0 is none.
    fn free(&self) -> Option<u16> {
        (1..=u16::MAX)
            .map(|step| self.last.wrapping_add(step))
            .find(|number| *number != 0 && !self.all.contains_key(number))
    }
}

pub fn register(ring: &Arc<Ring>) -> c_int {
    let own = Arc::new(Credentials::own());
    let mut state = ring.state.lock();
    let Some(number) = state.personalities.free() else {
        return -libc::EBUSY;
    };
    state.personalities.last = number;
    state.personalities.all.insert(number, own);
    number.into()
}

/// Requests that have it keep it.
pub fn unregister(ring: &Arc<Ring>, number: u32) -> c_int {
    let Ok(number) = u16::try_from(number) else {
        return -libc::EINVAL;
    };
    match ring.state.lock().personalities.all.remove(&number) {
        Some(_) => 0,
        None => -libc::EINVAL,
    }
}
