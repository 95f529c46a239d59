//! `memset`, `memcpy` and `memmove` for what the compiler does not expand in place.
//!
//! On x86-64 nothing calls them with the compilers tried, and the checks say so should that change. 64-bit ARM and RISC-V
//! call them, in set-up and resizing alone. The build makes the names local to the library, so no program meets them.

use core::ffi::c_int;

/// Sets `count` bytes from `to` on.
///
/// # Safety
///
/// The bytes may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: c_int, count: usize) -> *mut u8 {
    for at in 0..count {
        // SAFETY: within what the caller vouches for. Volatile: from plain stores the compiler would make a call of
        // memset, this one.
        unsafe { to.add(at).write_volatile(byte as u8) };
    }
    to
}

/// Copies `count` bytes.
///
/// # Safety
///
/// Those at `from` may be read, those at `to` written, and they do not overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    for at in 0..count {
        // SAFETY: within what the caller vouches for. Volatile for the reason given in `memset`.
        unsafe { to.add(at).write_volatile(from.add(at).read()) };
    }
    to
}

/// Copies `count` bytes, which may overlap.
///
/// # Safety
///
/// Those at `from` may be read, those at `to` written.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    for step in 0..count {
        // Away from the overlap: no byte is written before it is read.
        let at = if to.addr() < from.addr() {
            step
        } else {
            count - 1 - step
        };
        // SAFETY: within what the caller vouches for. Volatile for the reason given in `memset`.
        unsafe { to.add(at).write_volatile(from.add(at).read()) };
    }
    to
}
