//! Registering personalities: credentials of the thread that does it, for requests to come.
//!
//! A request takes them on in a thread of the program's, as far as the kernel lets that thread: the ids that count for
//! files, the groups and the capabilities in effect.

use std::ffi::c_int;
use std::sync::Arc;

use crate::credentials::Credentials;
use crate::ring::Ring;

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
