//! `memset`, `memcpy` and `memmove` for what the compiler does not expand in place.
//!
//! On x86-64 nothing calls them with the compilers tried, and the checks say so should that change. 64-bit ARM and RISC-V
//! call them, in set-up and resizing alone. The build makes the names local to the library, so no program meets them.

use core::ffi::c_int;

use uring_core::mem;

/// Sets `count` bytes from `to` on.
///
/// # Safety
///
/// The bytes may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: c_int, count: usize) -> *mut u8 {
    // SAFETY: within what the caller vouches for.
    unsafe { mem::fill(to, byte as u8, count) };
    to
}

/// Copies `count` bytes.
///
/// # Safety
///
/// Those at `from` may be read, those at `to` written, and they do not overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: within what the caller vouches for.
    unsafe { mem::copy(from, to, count) };
    to
}

/// Copies `count` bytes, which may overlap.
///
/// # Safety
///
/// Those at `from` may be read, those at `to` written.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: within what the caller vouches for. The direction is away from the overlap.
    unsafe {
        if to.addr() < from.addr() {
            mem::copy(from, to, count);
        } else {
            mem::copy_backwards(from, to, count);
        }
    }
    to
}
