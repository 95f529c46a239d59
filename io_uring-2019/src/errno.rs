//! `errno`, where there is one.

use core::arch::global_asm;
use core::ffi::c_int;
use core::ptr;

use uring_core::errno::{Errno, Result};

// A weak reference is null where nobody defines the symbol. In assembly, because Rust takes the address of a function to
// be never null.
global_asm!(
    ".weak __errno_location",
    ".pushsection .data.rel.ro.liburing_seed_errno, \"aw\", %progbits",
    ".balign 8",
    ".hidden liburing_seed_errno",
    ".globl liburing_seed_errno",
    ".type liburing_seed_errno, %object",
    "liburing_seed_errno:",
    ".quad __errno_location",
    ".size liburing_seed_errno, . - liburing_seed_errno",
    ".popsection",
);

unsafe extern "C" {
    static liburing_seed_errno: Option<unsafe extern "C" fn() -> *mut c_int>;
}

/// Sets `errno`, if the program has a C library.
pub fn set(error: Errno) {
    // SAFETY: the linker has filled the word in before any code runs, with libc's function or with null. What that
    // returns is this thread's own.
    unsafe {
        if let Some(location) = ptr::read_volatile(&raw const liburing_seed_errno) {
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
