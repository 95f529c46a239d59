//! `errno`, in a program that has a C library.

use core::ffi::c_int;
use core::ptr;

use uring_core::errno::{Errno, Result};

uring_core::weak_functions!("liburing_2019_errno", "__errno_location");

unsafe extern "C" {
    static liburing_2019_errno: Option<unsafe extern "C" fn() -> *mut c_int>;
}

/// Sets `errno`, if the program has a C library.
pub fn set(error: Errno) {
    // SAFETY: the word is null or the address of libc's function, whose type this is. The function returns a place of
    // the calling thread.
    unsafe {
        if let Some(location) = ptr::read_volatile(&raw const liburing_2019_errno) {
            *location() = -error.as_ret();
        }
    }
}

/// What a system call's wrapper returns: the value, or -1 with `errno` set.
pub fn in_errno(result: Result<c_int>) -> c_int {
    match result {
        Ok(value) => value,
        Err(error) => {
            set(error);
            -1
        }
    }
}
