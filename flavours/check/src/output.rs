//! Text to standard error and to files.

use std::ffi::CStr;

use crate::process::Uncancelled;

pub const STDERR: i32 = 2;

/// Writes all of it with as few calls as the kernel needs. That it may not be written is no reason to stop.
fn write(fd: i32, text: &str) {
    let _whole = Uncancelled::begin();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        // SAFETY: the kernel reads `rest`.
        let written = unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(written) {
            Ok(count) if count > 0 => rest = rest.get(count..).unwrap_or_default(),
            _ => break,
        }
    }
}

/// A line to standard error.
pub fn say(text: &str) {
    write(STDERR, text);
}

/// Adds to a file, or to standard error.
///
/// It takes no memory.
pub fn append(file: Option<&CStr>, text: &str) {
    let Some(name) = file else {
        return say(text);
    };
    let _whole = Uncancelled::begin();
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC;
    // SAFETY: a string with its end. Opened anew each time, so the program's descriptors stay as they are.
    let fd = unsafe { libc::open(name.as_ptr(), flags, 0o666) };
    if fd < 0 {
        return say(text);
    }
    write(fd, text);
    // SAFETY: the descriptor just opened.
    unsafe { libc::close(fd) };
}
