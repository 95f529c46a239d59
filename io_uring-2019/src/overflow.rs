//! Counting events that found no room in the CQ ring.
//!
//! The posted kernel counted and dropped them. Today's kernel keeps them until there is room and does not count. Here
//! they are counted when they are found to be kept, and come all the same.

use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

use uring_core::abi::ring::io_uring;
use uring_core::errno::{Errno, Result};
use uring_core::kernel::{Kernel, Native};
use uring_core::ring::order;

use crate::hidden_fd::HiddenFd;
use crate::path;
use crate::ring::Ring;
use crate::sys::files;

/// Adds what the kernel has kept back since the last time. The polling thread has a file open for that, its `info`, which
/// nobody else reads: that would move it on in between.
///
/// # Safety
///
/// `today` is set up.
pub unsafe fn count(ring: &Ring, kring: *const io_uring, info: Option<&HiddenFd>) {
    let word = &ring.shared().backlog;
    // SAFETY: the ring is set up, so its words lie in its mapping.
    unsafe {
        let then = word.load(Ordering::Relaxed);
        let Some((now, tail)) = backlog_and_tail(kring, info) else {
            return;
        };
        // While some are kept, whatever comes into the ring is one of them.
        let came = tail.wrapping_sub(then as u32);
        let old = ((then >> 32) as u32).saturating_sub(came);
        let new = now.saturating_sub(old);
        let word_now = u64::from(now) << 32 | u64::from(tail);
        let counted = word.compare_exchange(then, word_now, Ordering::Relaxed, Ordering::Relaxed);
        if counted.is_ok() && new != 0 {
            // Relaxed: a count that stands for nothing else.
            AtomicU32::from_ptr((*kring).cq.koverflow).fetch_add(new, Ordering::Relaxed);
        }
    }
}

/// Notes that none is kept, if `is_so`.
pub fn clear_backlog_if(ring: &Ring, is_empty: impl FnOnce() -> bool) {
    let word = &ring.shared().backlog;
    // First, so that it shows whether somebody has counted since that was so.
    let then = word.load(Ordering::Relaxed);
    if then != 0 && is_empty() {
        let _ = word.compare_exchange(then, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// How many were kept when they were last counted.
pub fn backlog(ring: &Ring) -> c_uint {
    (ring.shared().backlog.load(Ordering::Relaxed) >> 32) as c_uint
}

/// How many events the kernel keeps for a ring, and the CQ's tail at that time.
unsafe fn backlog_and_tail(
    kring: *const io_uring,
    info: Option<&HiddenFd>,
) -> Option<(c_uint, c_uint)> {
    const TRIES: u32 = 4;
    // SAFETY: the caller's ring. Relaxed: system calls lie between the loads.
    let tail = || unsafe { order::load_relaxed((*kring).cq.ktail) };
    let count = |info| {
        (0..TRIES).find_map(|_| {
            let before = tail();
            let kept = count_in_fdinfo(info).ok()?;
            // What came into the ring meanwhile may have been counted as well.
            (tail() == before).then_some((kept, before))
        })
    };
    if let Some(hidden) = info {
        return count(hidden.get()?);
    }
    // SAFETY: the caller's ring.
    let fd = unsafe { (*kring).ring_fd };
    let info = open_fdinfo(fd).ok()?;
    let result = count(info);
    let _ = Native::close(info);
    result
}

/// Opens what the kernel says of a descriptor of the calling thread's.
pub fn open_fdinfo(fd: c_int) -> Result<c_int> {
    path::open_numbered(b"/proc/thread-self/fdinfo/", fd as c_uint, false)
}

/// How many events the kernel keeps for a ring, by what it says of its descriptor.
fn count_in_fdinfo(info: c_int) -> Result<c_uint> {
    // Each of them has a line with that; no other line has.
    let mut kept = Occurrences::new(b"user_data=");
    // While the ring is in use the kernel may leave out all that it says of it.
    let mut said = Occurrences::new(b"SqMask:");
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    // SAFETY: bytes, which are written before they are read.
    let buffer = unsafe { &mut *(&raw mut buffer as *mut [u8; 1024]) };
    let mut offset = 0;
    loop {
        let text = files::read_at(info, buffer, offset)?;
        if text.is_empty() {
            return if said.count != 0 {
                Ok(kept.count)
            } else {
                Err(Errno::EAGAIN)
            };
        }
        offset += text.len();
        for byte in text {
            kept.feed(*byte);
            said.feed(*byte);
        }
    }
}

/// Counts a text that has its first character in no other place.
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
