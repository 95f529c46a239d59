//! Filling and copying memory without the compiler's `memset`, `memcpy` and `memmove`.
//!
//! The compiler makes calls of those out of plain loops, and a library that links to nothing does not have them. So the
//! loops here make volatile accesses.

/// Makes `*place` all zeros.
///
/// # Safety
///
/// `place` is valid for writes, aligned to eight bytes and a multiple of eight bytes long, and zeros are a value of `T`.
#[inline(always)]
pub unsafe fn clear<T>(place: *mut T) {
    // SAFETY: the caller's promises.
    unsafe { clear_words(place.cast(), size_of::<T>() / size_of::<u64>()) }
}

/// Makes `count` words from `start` on zero.
///
/// # Safety
///
/// They are valid for writes.
#[inline(never)]
pub unsafe fn clear_words(start: *mut u64, count: usize) {
    // SAFETY: the caller vouches for all of them.
    unsafe { fill(start, 0, count) }
}

/// Sets `count` values from `to` on to `value`.
///
/// # Safety
///
/// They are valid for writes.
#[inline(always)]
pub unsafe fn fill<T: Copy>(to: *mut T, value: T, count: usize) {
    for at in 0..count {
        // SAFETY: the caller vouches for all of them.
        unsafe { to.add(at).write_volatile(value) };
    }
}

/// Copies `count` values, from the first to the last. Any bytes must be a value of `T`.
///
/// # Safety
///
/// Those at `from` are valid for reads, those at `to` for writes. They may overlap if `to` is the lower address.
#[inline(always)]
pub unsafe fn copy<T: Copy>(from: *const T, to: *mut T, count: usize) {
    for at in 0..count {
        // SAFETY: the caller promises that both areas have `count` values. A value is read before a later one is
        // written over it.
        unsafe { to.add(at).write_volatile(from.add(at).read_volatile()) };
    }
}

/// Copies `count` values, from the last to the first. Any bytes must be a value of `T`.
///
/// # Safety
///
/// Those at `from` are valid for reads, those at `to` for writes. They may overlap if `from` is the lower address.
#[inline(always)]
pub unsafe fn copy_backwards<T: Copy>(from: *const T, to: *mut T, count: usize) {
    for at in (0..count).rev() {
        // SAFETY: as in `copy`.
        unsafe { to.add(at).write_volatile(from.add(at).read_volatile()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_may_overlap_in_one_direction() {
        let mut bytes = [1u8, 2, 3, 4, 5, 6];
        let start = bytes.as_mut_ptr();
        // SAFETY: all within `bytes`.
        unsafe { copy(start.add(2), start, 4) };
        assert_eq!(bytes, [3, 4, 5, 6, 5, 6]);
        let start = bytes.as_mut_ptr();
        // SAFETY: all within `bytes`.
        unsafe { copy_backwards(start, start.add(1), 5) };
        assert_eq!(bytes, [3, 3, 4, 5, 6, 5]);
        // SAFETY: all within `bytes`.
        unsafe { fill(bytes.as_mut_ptr(), 7, 2) };
        assert_eq!(bytes, [7, 7, 4, 5, 6, 5]);
    }
}
