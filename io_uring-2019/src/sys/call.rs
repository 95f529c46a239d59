//! Making a system call: numbers, arguments, results.

use core::ffi::c_int;

use uring_core::errno::{Errno, Result};

/// Numbers of system calls.
pub mod nr {
    pub use uring_core::kernel::nr::*;

    /// `io_uring_setup` of 2019.
    #[cfg(feature = "preload")]
    pub const SETUP_2019: usize = 335;
    /// `io_uring_enter` of 2019.
    #[cfg(feature = "preload")]
    pub const ENTER_2019: usize = 336;
}

/// A pointer as an argument of a system call.
pub fn address<T>(pointer: *const T) -> usize {
    pointer.expose_provenance()
}

/// What a call returned, or its error.
pub fn check(ret: isize) -> Result<usize> {
    match c_int::try_from(ret) {
        Ok(small) => Errno::check(small).map(|value| value as usize),
        Err(_) => Ok(ret as usize),
    }
}

/// A `struct iovec`, for memory that is known by its address.
#[repr(C)]
pub struct Span {
    /// Where it starts.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
}
