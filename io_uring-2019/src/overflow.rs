//! Counting events for which the CQ ring had no room.
//!
//! The posted kernel counted and dropped them. Current kernels keep them until there is room: the backlog. They do not
//! count them. So this library counts the backlog when it finds one, and the events come all the same.

use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

use uring_core::abi::ring::io_uring;
use uring_core::errno::{Errno, Result};
use uring_core::ring::order::Word;

use crate::hidden_fd::HiddenFd;
use crate::path;
use crate::ring::Ring;
use crate::sys::files;

/// Adds what has joined the backlog since the last count to the CQ ring's `overflow`. The polling thread passes its
/// open file (`info`), which only that thread reads.
///
/// # Safety
///
/// `kring` is set up.
pub unsafe fn count(ring: &Ring, kring: *const io_uring, info: Option<&HiddenFd>) {
    let word = &ring.shared().backlog;
    // SAFETY: `kring` is set up, so its words lie in its mapping.
    unsafe {
        let then = word.load(Ordering::Relaxed);
        let Some((now, tail)) = backlog_and_tail(kring, info) else {
            return;
        };
        // While there is a backlog, each event that enters the CQ ring comes from it.
        let came = tail.wrapping_sub(then as u32);
        let old = ((then >> 32) as u32).saturating_sub(came);
        let new = now.saturating_sub(old);
        let word_now = u64::from(now) << 32 | u64::from(tail);
        let counted = word.compare_exchange(then, word_now, Ordering::Relaxed, Ordering::Relaxed);
        if counted.is_ok() && new != 0 {
            // Relaxed: nothing is read on the strength of the count.
            AtomicU32::from_ptr((*kring).cq.koverflow).fetch_add(new, Ordering::Relaxed);
        }
    }
}

/// Notes that there is no backlog, if `is_empty` says so.
pub fn clear_backlog_if(ring: &Ring, is_empty: impl FnOnce() -> bool) {
    let word = &ring.shared().backlog;
    // Read the word first: if a count lands after `is_empty` was true, the exchange fails.
    let then = word.load(Ordering::Relaxed);
    if then != 0 && is_empty() {
        let _ = word.compare_exchange(then, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The size of the backlog when it was last counted.
pub fn backlog(ring: &Ring) -> c_uint {
    (ring.shared().backlog.load(Ordering::Relaxed) >> 32) as c_uint
}

/// The size of the backlog, and the CQ's tail at that time.
unsafe fn backlog_and_tail(
    kring: *const io_uring,
    info: Option<&HiddenFd>,
) -> Option<(c_uint, c_uint)> {
    const TRIES: u32 = 4;
    // SAFETY: the caller promises that `kring` is set up. Relaxed: system calls lie between the loads.
    let tail = || unsafe { Word::new((*kring).cq.ktail).load_relaxed() };
    let count = |info| {
        (0..TRIES).find_map(|_| {
            let before = tail();
            let backlog = count_in_fdinfo(info).ok()?;
            // An event that moved to the CQ ring meanwhile may have been counted as well.
            (tail() == before).then_some((backlog, before))
        })
    };
    if let Some(hidden) = info {
        return count(hidden.get()?);
    }
    // SAFETY: the caller promises that `kring` is set up.
    let fd = unsafe { (*kring).ring_fd };
    let info = open_fdinfo(fd).ok()?;
    let result = count(info);
    files::close(info);
    result
}

/// Opens the file in which the kernel describes a descriptor of the calling thread.
pub fn open_fdinfo(fd: c_int) -> Result<c_int> {
    path::open_numbered(b"/proc/thread-self/fdinfo/", fd as c_uint, false)
}

/// The size of the backlog, by the kernel's description of the ring's descriptor.
fn count_in_fdinfo(info: c_int) -> Result<c_uint> {
    // Each event of the backlog has a line with this text. No other line has it.
    let mut backlog = Occurrences::new(b"user_data=");
    // While the ring is in use, the kernel may leave its whole description out.
    let mut description = Occurrences::new(b"SqMask:");
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    // SAFETY: only the kernel writes these bytes, and only bytes that it wrote are read.
    let buffer = unsafe { &mut *(&raw mut buffer as *mut [u8; 1024]) };
    let mut offset = 0;
    loop {
        let text = files::read_at(info, buffer, offset)?;
        if text.is_empty() {
            return if description.count != 0 {
                Ok(backlog.count)
            } else {
                Err(Errno::EAGAIN)
            };
        }
        offset += text.len();
        for byte in text {
            backlog.feed(*byte);
            description.feed(*byte);
        }
    }
}

/// Counts the occurrences of a text whose first character is nowhere else in it.
struct Occurrences {
    text: &'static [u8],
    matched: usize,
    count: c_uint,
}

impl Occurrences {
    fn new(text: &'static [u8]) -> Occurrences {
        Occurrences {
            text,
            matched: 0,
            count: 0,
        }
    }

    fn feed(&mut self, byte: u8) {
        self.matched = match self.text.get(self.matched) {
            Some(wanted) if *wanted == byte => self.matched + 1,
            _ if self.text.first() == Some(&byte) => 1,
            _ => 0,
        };
        if self.matched == self.text.len() {
            self.count += 1;
            self.matched = 0;
        }
    }
}
