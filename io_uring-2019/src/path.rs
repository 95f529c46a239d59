//! Putting paths together, and reading directories, without allocation.

use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;

use uring_core::errno::Result;
use uring_core::kernel::Native;

use crate::sys::call::{address, check, nr};
use crate::sys::files::open_at;

/// Opens `<prefix><number>`, for reading, or for reading and writing.
pub fn open_numbered(prefix: &[u8], number: c_uint, writable: bool) -> Result<c_int> {
    const O_RDWR: usize = 2;
    let mut path = Path::new();
    path.push(prefix);
    path.push_number(number);
    open_at(path.ended(), if writable { O_RDWR } else { 0 })
}

/// A short path that is being put together.
pub struct Path {
    bytes: [MaybeUninit<u8>; Path::CAPACITY],
    len: usize,
}

impl Path {
    const CAPACITY: usize = 96;

    /// An empty path.
    pub fn new() -> Path {
        Path {
            bytes: [const { MaybeUninit::uninit() }; Path::CAPACITY],
            len: 0,
        }
    }

    /// Appends `text`, as far as there is room.
    pub fn push(&mut self, text: &[u8]) {
        for byte in text {
            // The last byte is kept for the zero.
            if self.len + 1 < Path::CAPACITY {
                if let Some(place) = self.bytes.get_mut(self.len) {
                    place.write(*byte);
                    self.len += 1;
                }
            }
        }
    }

    /// Appends a number in base 10.
    pub fn push_number(&mut self, number: c_uint) {
        let mut unit = 1_000_000_000;
        let mut leading = true;
        while unit != 0 {
            let digit = number / unit % 10;
            leading &= digit == 0 && unit != 1;
            if !leading {
                self.push(&[b'0' + digit as u8]);
            }
            unit /= 10;
        }
    }

    /// The path with a zero at its end.
    fn ended(&mut self) -> *const u8 {
        if let Some(place) = self.bytes.get_mut(self.len) {
            place.write(0);
        }
        self.bytes.as_ptr().cast()
    }

    /// Opens the path for reading.
    pub fn open(&mut self) -> Result<c_int> {
        open_at(self.ended(), 0)
    }
}

/// Shows `visit` each name in a directory, with the bytes after its end, until it returns true. Returns whether it did.
pub fn find_name(directory: c_int, mut visit: impl FnMut(&[u8]) -> bool) -> bool {
    // struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name.
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    loop {
        let args = [
            directory as usize,
            address(buffer.as_mut_ptr()),
            buffer.len(),
            0,
            0,
            0,
        ];
        // SAFETY: the kernel writes at most `buffer.len()` bytes, and `buffer` has them.
        let Ok(count @ 1..) = check(unsafe { Native::call(nr::GETDENTS64, args) }) else {
            return false;
        };
        // SAFETY: the kernel has written `count` bytes.
        let mut entries =
            unsafe { core::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), count) };
        while let Some([low, high]) = entries.get(LENGTH..LENGTH + 2) {
            let length = u16::from_le_bytes([*low, *high]) as usize;
            if entries.get(NAME..length).is_some_and(&mut visit) {
                return true;
            }
            entries = entries.get(length..).unwrap_or_default();
        }
    }
}
