//! ThreadSanitizer, where the program has it: what passes through a ring is ordered.
//!
//! The sanitizer does not see the kernel. So it would take a race for what one thread writes before it submits a request,
//! and another one reads when it has the CQE. The word in which the kernel publishes CQEs stands for the ring: a call that
//! submits releases it, one that fetches CQEs acquires it, and so do the header's inline functions, which load it.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

type Order = unsafe extern "C" fn(*mut c_void);
type Ignore = unsafe extern "C" fn(*const c_char, c_int);

struct Functions {
    acquire: Order,
    release: Order,
    /// Reads and writes of this thread are not looked at from here on, and to there.
    ignore: [Ignore; 2],
    heed: [Ignore; 2],
}

static FOUND: OnceLock<Option<Functions>> = OnceLock::new();
static IS_THERE: AtomicBool = AtomicBool::new(false);

/// A function of the sanitizer's, if the program has it.
///
/// # Safety
///
/// `F` is the type of the function.
unsafe fn function<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: a string with its end. The caller vouches for the type, and a function is not null.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
        (!found.is_null()).then(|| std::mem::transmute_copy(&found))
    }
}

fn find() -> Option<Functions> {
    // SAFETY: the sanitizer's functions of these names have these types.
    unsafe {
        Some(Functions {
            acquire: function::<Order>(c"__tsan_acquire")?,
            release: function::<Order>(c"__tsan_release")?,
            ignore: [
                function::<Ignore>(c"AnnotateIgnoreReadsBegin")?,
                function::<Ignore>(c"AnnotateIgnoreWritesBegin")?,
            ],
            heed: [
                function::<Ignore>(c"AnnotateIgnoreReadsEnd")?,
                function::<Ignore>(c"AnnotateIgnoreWritesEnd")?,
            ],
        })
    }
}

/// Looks for the sanitizer, when the library is loaded.
pub fn prepare() {
    if FOUND.get_or_init(find).is_some() {
        IS_THERE.store(true, Ordering::Relaxed);
    }
}

/// Whether the program has the sanitizer.
#[inline(always)]
pub fn is_there() -> bool {
    // Relaxed: it is stored when the library is loaded.
    IS_THERE.load(Ordering::Relaxed)
}

#[inline(always)]
fn functions() -> Option<&'static Functions> {
    if is_there() {
        FOUND.get()?.as_ref()
    } else {
        None
    }
}

/// What this thread has done is done before what others do once they have acquired `word`.
#[inline]
pub fn release(word: *mut u32) {
    if let Some(f) = functions() {
        // SAFETY: the sanitizer takes the address for a name.
        unsafe { (f.release)(word.cast()) };
    }
}

/// What was done before `word` was released is done.
#[inline]
pub fn acquire(word: *mut u32) {
    if let Some(f) = functions() {
        // SAFETY: as for `release`.
        unsafe { (f.acquire)(word.cast()) };
    }
}

/// The library's own work, which the sanitizer does not look at while this is there. Nor is the lock of that work the
/// sanitizer's to see: if it were, it would order what threads of the program do.
pub struct OwnWork(());

impl OwnWork {
    #[inline]
    pub fn begin() -> OwnWork {
        if let Some(f) = functions() {
            call(&f.ignore);
        }
        OwnWork(())
    }
}

impl Drop for OwnWork {
    #[inline]
    fn drop(&mut self) {
        if let Some(f) = functions() {
            call(&f.heed);
        }
    }
}

#[cold]
fn call(functions: &[Ignore; 2]) {
    for function in functions {
        // SAFETY: a string with its end, for the sanitizer's texts. Each beginning has its end.
        unsafe { function(c"liburing-check".as_ptr(), 0) };
    }
}
