//! Arguments in the program's memory.

use std::ffi::{c_int, c_void};

use crate::sys;

/// The refusal of arguments where there must be none.
pub fn none(arg: *mut c_void, nr: u32) -> Option<c_int> {
    (!arg.is_null() || nr != 0).then_some(-libc::EINVAL)
}

/// A copy of an array in the program's memory, which other threads of the program may write to at any time.
///
/// # Safety
///
/// The program must vouch for so many elements at `at`, unless it is null.
pub unsafe fn array<T: Copy>(at: *const T, nr: u32) -> Result<Vec<T>, c_int> {
    if at.is_null() || !sys::is_mapped(at.addr(), size_of::<T>().saturating_mul(nr as usize)) {
        return Err(-libc::EFAULT);
    }
    // SAFETY: passed on to the caller.
    let element = |index: usize| unsafe { at.add(index).read_unaligned() };
    Ok((0..nr as usize).map(element).collect())
}

/// One structure in the program's memory, whose size it says.
///
/// # Safety
///
/// The program must vouch for it.
pub unsafe fn sized<T: Copy>(at: *const c_void, size: u32) -> Result<T, c_int> {
    if size as usize != size_of::<T>() {
        return Err(-libc::EINVAL);
    }
    // SAFETY: passed on to the caller.
    unsafe { one(at) }
}

/// One structure in the program's memory.
///
/// # Safety
///
/// The program must vouch for it.
pub unsafe fn one<T: Copy>(at: *const c_void) -> Result<T, c_int> {
    if at.is_null() || !sys::is_mapped(at.addr(), size_of::<T>()) {
        return Err(-libc::EFAULT);
    }
    // SAFETY: passed on to the caller.
    Ok(unsafe { at.cast::<T>().read_unaligned() })
}

/// A result in either way.
pub fn errno(result: Result<c_int, c_int>) -> c_int {
    result.unwrap_or_else(|error| error)
}

/// An address in a structure.
pub fn at<T>(address: u64) -> *mut T {
    std::ptr::with_exposed_provenance_mut(address as usize)
}
