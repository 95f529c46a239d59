//! What other threads do, as the kernel tells.

use core::ffi::{c_int, c_uint};

use uring_core::errno::{Errno, Result};
use uring_core::kernel::Native;

use crate::path::{self, Path};
use crate::sys::call::{check, nr};
use crate::sys::{files, process};

/// Whether this process has the thread.
pub fn is_thread(id: c_uint) -> bool {
    // SAFETY: signal 0 is not sent, and no memory is involved.
    check(unsafe {
        Native::call(
            nr::TGKILL,
            [process::id() as usize, id as usize, 0, 0, 0, 0],
        )
    })
    .is_ok()
}

/// Whether this process has no other thread. False without `/proc`.
pub fn is_only_thread() -> bool {
    let Ok(directory) = files::open(c"/proc/self/task") else {
        return false;
    };
    let mut threads = 0;
    path::find_name(directory, |name| {
        threads += u32::from(name.first().is_some_and(u8::is_ascii_digit));
        threads > 1
    });
    files::close(directory);
    threads == 1
}

/// Whether a thread of any process has ended, even if its parent has not waited for it yet.
pub fn has_ended(id: u32) -> bool {
    // SAFETY: signal 0 is not sent, and no memory is involved.
    if check(unsafe { Native::call(nr::KILL, [id as usize, 0, 0, 0, 0, 0]) }) == Err(Errno::ESRCH) {
        return true;
    }
    let mut buffer = [0; 128];
    // The text is: id (name) state ...
    let Ok(text) = read_of_thread(id, b"/stat", &mut buffer) else {
        return false;
    };
    let name_ends = text.iter().rposition(|byte| *byte == b')').unwrap_or(0);
    matches!(text.get(name_ends + 2), Some(b'Z' | b'X'))
}

/// Whether a thread of this process sleeps elsewhere than in `io_uring_enter` on the descriptor `fd`. None if it runs,
/// or without `/proc`.
pub fn sleeps_elsewhere(id: u32, fd: c_int) -> Option<bool> {
    const IO_URING_ENTER: u64 = nr::IO_URING_ENTER as u64;
    let mut buffer = [0; 128];
    // The text is: number 0xfirst 0xsecond ...; or "running".
    let Ok(text) = read_of_thread(id, b"/syscall", &mut buffer) else {
        return None;
    };
    let mut words = text.split(|byte| *byte == b' ');
    let (number, first) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let first = first.strip_prefix(b"0x").unwrap_or(first);
    match digits(number, 10) {
        Some(IO_URING_ENTER) => Some(digits(first, 16) != Some(fd as u64)),
        Some(_) => Some(true),
        // -1 means that the thread sleeps outside of system calls.
        None => (number == b"-1").then_some(true),
    }
}

/// A number without a sign, or None.
fn digits(text: &[u8], radix: u32) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, digit| {
        let digit = (*digit as char).to_digit(radix)?;
        Some(value.wrapping_mul(radix.into()).wrapping_add(digit.into()))
    })
}

/// Reads the start of a file of `/proc` about a thread.
fn read_of_thread<'a>(id: u32, name: &[u8], buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let mut path = Path::new();
    path.push(b"/proc/");
    path.push_number(id);
    path.push(name);
    let file = path.open()?;
    let text = files::read(file, buffer);
    files::close(file);
    text
}
