//! The library's version.

use core::ffi::c_int;

use uring_core::abi::version::{IO_URING_VERSION_MAJOR, IO_URING_VERSION_MINOR};

/// The major version of the library that the program runs on.
///
/// # Return value
///
/// 2.
///
/// # See also
///
/// io_uring_minor_version(), io_uring_check_version(); `IO_URING_VERSION_MAJOR` is the version compiled against.
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_major_version() -> c_int {
    IO_URING_VERSION_MAJOR
}

/// The minor version of the library that the program runs on.
///
/// # Return value
///
/// 15.
///
/// # See also
///
/// io_uring_major_version(), io_uring_check_version(); `IO_URING_VERSION_MINOR` is the version compiled against.
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_minor_version() -> c_int {
    IO_URING_VERSION_MINOR
}

/// Asks whether the library that the program runs on is older than a version.
///
/// `IO_URING_CHECK_VERSION()` asks the same of the headers, also in `#if`.
///
/// # Return value
///
/// True if the library is older than `major`.`minor`; false if it is that version or newer.
///
/// # See also
///
/// io_uring_major_version(), io_uring_minor_version().
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_check_version(major: c_int, minor: c_int) -> bool {
    (major, minor) > (IO_URING_VERSION_MAJOR, IO_URING_VERSION_MINOR)
}
