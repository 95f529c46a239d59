//! Whether a thread is in the library already: then a signal handler has interrupted it there, maybe under a lock.

use std::cell::Cell;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// A thread that is in the library, as long as this lives.
pub struct Inside(());

impl Inside {
    /// `None`: it is in the library already, and must take no lock.
    #[inline]
    pub fn begin() -> Option<Inside> {
        (!INSIDE.replace(true)).then(|| Inside(()))
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}
