//! The stack of the calling thread.

use std::cell::Cell;

use crate::place::Place;

thread_local! {
    /// The lowest address and the one behind the highest; zeros before they are asked for.
    static BOUNDS: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The bounds of this thread's stack. Of a main thread, as far as it may grow.
fn bounds() -> (usize, usize) {
    let known = BOUNDS.get();
    if known.1 != 0 {
        return known;
    }
    let mut found = (1, 1);
    // SAFETY: `attributes` is filled in before it is read, and given up.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) == 0 {
            let (mut low, mut size) = (std::ptr::null_mut(), 0);
            if libc::pthread_attr_getstack(&raw const attributes, &raw mut low, &raw mut size) == 0
            {
                found = (low.addr(), low.addr().saturating_add(size));
            }
            libc::pthread_attr_destroy(&raw mut attributes);
        }
    }
    BOUNDS.set(found);
    found
}

/// The end of this thread's stack, if the frame at `place` lies in it.
pub fn end(place: Place) -> Option<usize> {
    let (low, end) = bounds();
    (low..end).contains(&place.frame).then_some(end)
}

/// Whether an address lies in this thread's stack, and whether in frames that have returned: below the frame at `place`.
///
/// Neither in programs that move to stacks of their own, as coroutines and signal handlers do: then nothing is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Where {
    Elsewhere,
    Live,
    Returned,
}

/// Where `find` does not find addresses to be elsewhere.
pub fn of(place: Place) -> std::ops::Range<u64> {
    let (low, end) = bounds();
    if (low..end).contains(&place.frame) {
        low as u64..end as u64
    } else {
        0..0
    }
}

pub fn find(address: u64, place: Place) -> Where {
    let Ok(address) = usize::try_from(address) else {
        return Where::Elsewhere;
    };
    let (low, end) = bounds();
    if !(low..end).contains(&address) || !(low..end).contains(&place.frame) {
        Where::Elsewhere
    } else if address < place.frame {
        Where::Returned
    } else {
        Where::Live
    }
}
