//! The version of the interface.

use core::ffi::c_int;

/// Major version of the library.
pub const IO_URING_VERSION_MAJOR: c_int = 2;
/// Minor version of the library.
pub const IO_URING_VERSION_MINOR: c_int = 15;
