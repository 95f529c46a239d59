//! The address sanitizer, where the program has it: what a request names must not be poisoned.

use std::ffi::c_void;
use std::sync::OnceLock;

type IsPoisoned = unsafe extern "C" fn(*const c_void, usize) -> *const c_void;

static FOUND: OnceLock<Option<IsPoisoned>> = OnceLock::new();

/// Looks for the sanitizer, when the library is loaded.
pub fn prepare() {
    // SAFETY: a string with its end. The function of this name has this type.
    FOUND.get_or_init(|| unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"__asan_region_is_poisoned".as_ptr());
        std::mem::transmute::<*mut c_void, Option<IsPoisoned>>(found)
    });
}

/// The first byte of a range that the program may not touch, as far as the sanitizer knows.
pub fn poisoned(at: u64, len: u64) -> Option<u64> {
    let function = (*FOUND.get()?)?;
    let at = std::ptr::with_exposed_provenance::<c_void>(at as usize);
    // SAFETY: the sanitizer looks at its own notes of the range, whatever lies there.
    let found = unsafe { function(at, len as usize) };
    (!found.is_null()).then(|| found.addr() as u64)
}
