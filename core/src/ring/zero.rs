//! Zeroing memory in place.

/// Makes `*place` all zeros.
///
/// # Safety
///
/// `place` is valid for writes, aligned to eight bytes and a multiple of eight bytes long, and zeros are a value of `T`.
#[inline(always)]
pub unsafe fn clear<T>(place: *mut T) {
    // SAFETY: the caller's promises.
    unsafe { words(place.cast(), size_of::<T>() / size_of::<u64>()) }
}

/// Makes `count` words from `start` on zero.
///
/// # Safety
///
/// They are valid for writes.
#[inline(never)]
pub unsafe fn words(start: *mut u64, count: usize) {
    for index in 0..count {
        // SAFETY: the caller vouches for all of them. Volatile: plain stores would become a call of memset, which a
        // library that links to nothing does not have.
        unsafe { start.add(index).write_volatile(0) };
    }
}
