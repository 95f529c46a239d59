//! The process's heap where the library's system calls go through libc: libc's.

use core::ffi::c_void;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// The process's heap. There always is one.
#[allow(clippy::type_complexity, reason = "two functions")]
pub fn heap() -> Option<(
    unsafe extern "C" fn(usize) -> *mut c_void,
    unsafe extern "C" fn(*mut c_void),
)> {
    Some((malloc, free))
}
