//! Places that C gives for results.

/// Where a result goes.
#[repr(transparent)]
pub struct Out<T>(*mut T);

impl<T> Clone for Out<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<T> {}

impl<T> Out<T> {
    /// A place for a result.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes as long as it is used.
    #[inline(always)]
    pub const unsafe fn new(place: *mut T) -> Out<T> {
        Out(place)
    }

    /// Writes the result.
    #[inline(always)]
    pub fn set(self, value: T) {
        // SAFETY: the maker of the place vouched for it.
        unsafe { self.0.write(value) }
    }
}

/// Room for a number of results, one behind the other.
pub struct Room<T> {
    start: *mut T,
    count: u32,
}

impl<T> Clone for Room<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Room<T> {}

impl<T> Room<T> {
    /// Room for `count` results from `start` on.
    ///
    /// # Safety
    ///
    /// It is valid for writes as long as it is used. With `count` 0, `start` may be anything.
    #[inline(always)]
    pub const unsafe fn new(start: *mut T, count: u32) -> Room<T> {
        Room { start, count }
    }

    /// For how many results there is room.
    #[inline(always)]
    pub fn count(self) -> u32 {
        self.count
    }

    /// The part at the start, for `count` results, or all of it if it has fewer.
    #[inline(always)]
    pub fn first(self, count: u32) -> Room<T> {
        let count = count.min(self.count);
        Room { count, ..self }
    }

    /// What lies behind [`first`](Room::first).
    #[inline(always)]
    pub fn rest(self, count: u32) -> Room<T> {
        let count = count.min(self.count);
        Room {
            start: self.start.wrapping_add(count as usize),
            count: self.count - count,
        }
    }

    /// Writes the result of number `at`.
    ///
    /// # Safety
    ///
    /// `at` is less than [`count`](Room::count).
    #[inline(always)]
    pub unsafe fn set(self, at: u32, value: T) {
        // SAFETY: the maker of the room vouched for it, the caller that there is room.
        unsafe { self.start.add(at as usize).write(value) }
    }
}

impl<T> Room<*mut T> {
    /// Fills it with `pointer` and those that follow, each `size` bytes behind the one before.
    #[inline(always)]
    pub(crate) fn fill(self, mut pointer: *mut T, size: usize) {
        let mut place = self.start;
        let end = place.wrapping_add(self.count as usize);
        // SAFETY: the maker of the room vouched for the places up to `end`. After the odd one there are as many left as
        // pairs take.
        unsafe {
            if self.count % 2 != 0 {
                place.write(pointer);
                pointer = pointer.wrapping_byte_add(size);
                place = place.add(1);
            }
            // Two in a turn: the loop itself takes as many instructions as a write.
            while place != end {
                place.write(pointer);
                pointer = pointer.wrapping_byte_add(size);
                place.add(1).write(pointer);
                pointer = pointer.wrapping_byte_add(size);
                place = place.add(2);
            }
        }
    }
}
