//! Which rings have a proxy.

use std::sync::atomic::{AtomicBool, Ordering};

use uring_core::abi::io_uring;

use crate::mode::mode;
use crate::notes::Notes;
use crate::proxy::area::Area;
use crate::report;

/// Some ring has a proxy.
static PROXIES: AtomicBool = AtomicBool::new(false);

/// Whether some ring may have a proxy.
#[inline]
pub fn has_proxies() -> bool {
    // Relaxed: whoever waits for a ring has set it up, or knows of it from who did.
    PROXIES.load(Ordering::Relaxed)
}

/// Gives a ring a proxy, if that was asked for, or says why it has none; each reason once.
///
/// # Safety
///
/// As for [`Area::put_before`].
pub unsafe fn begin(notes: &mut Notes, ring: *mut io_uring) {
    if !mode().proxy {
        return;
    }
    // SAFETY: passed on to the caller.
    match unsafe { Area::put_before(ring) } {
        Ok(()) => PROXIES.store(true, Ordering::Relaxed),
        Err(why) => {
            if !notes.without_proxy.contains(&why) {
                notes.without_proxy.push(why);
                report::note(&format!("a ring is only watched, not proxied: {why}"));
            }
        }
    }
}
