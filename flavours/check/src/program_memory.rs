//! Rings in memory that the program gave, and may give up.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::state;

/// Some ring lies in memory that the program gave.
static USED: AtomicBool = AtomicBool::new(false);

/// A ring lies in memory that the program gave.
pub fn used() {
    // Relaxed: as below.
    USED.store(true, Ordering::Relaxed);
}

/// Whether some ring may lie in memory that the program gave.
#[inline]
pub fn is_used() -> bool {
    // Relaxed: whoever frees a ring's memory has set it up, or knows of it from who did.
    USED.load(Ordering::Relaxed)
}

/// The program unmaps memory: what is known of rings there goes.
pub fn unmapped(start: usize, len: usize) {
    state::with_in_hook(|state| {
        state
            .rings
            .retain(|sqes, ring| !ring.lies_in(sqes, start, len));
    });
}
