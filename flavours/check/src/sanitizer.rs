//! The tool that watches the program's memory, if there is one: AddressSanitizer, or memcheck.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{asan, memcheck};

static IS_THERE: AtomicBool = AtomicBool::new(false);

/// Looks for one, when the library is loaded.
pub fn prepare() {
    asan::prepare();
    memcheck::prepare();
    // Relaxed: nothing else runs yet.
    IS_THERE.store(asan::is_there() || memcheck::is_there(), Ordering::Relaxed);
}

#[inline(always)]
pub fn is_there() -> bool {
    // Relaxed: it is stored when the library is loaded.
    IS_THERE.load(Ordering::Relaxed)
}

/// What it is called.
pub fn name() -> &'static str {
    if asan::is_there() {
        "AddressSanitizer"
    } else {
        "memcheck"
    }
}

/// How many bytes of memory one of its notes tells of.
pub fn granule() -> u64 {
    if asan::is_there() { asan::granule() } else { 1 }
}

/// Its notes of whole granules. Memcheck has none where the program may touch nothing.
pub fn notes(at: u64, len: u64) -> Vec<u8> {
    if asan::is_there() {
        let granules = (at..at + len).step_by(granule() as usize);
        granules.map(asan::note).collect()
    } else {
        memcheck::bits_of(at, len).unwrap_or_default()
    }
}

/// From now on a touch of these granules is reported. Memcheck has a `name` for them; the result is its handle.
pub fn close(at: u64, len: u64, name: &dyn Fn() -> String) -> usize {
    if asan::is_there() {
        asan::poison(at, len);
        0
    } else {
        memcheck::close(at, len);
        memcheck::name(at, len, &name())
    }
}

/// Lets the program have granules as before.
pub fn open(at: u64, before: &[u8], handle: usize) {
    if asan::is_there() {
        asan::restore(at, before);
    } else {
        memcheck::unname(handle);
        memcheck::open(at, before);
    }
}
