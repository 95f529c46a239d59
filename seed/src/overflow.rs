//! Counting events that found no room in the CQ ring.
//!
//! The posted kernel counted and dropped them. Today's kernel keeps them until there is room and does not count. Here
//! they are counted when they are found to be kept, and come all the same.

use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering;

use liburing::abi::ring::io_uring;
use liburing::errno::Result;
use liburing::kernel::{Kernel, Native};
use liburing::queue::order;

use crate::pool::Ring;
use crate::sys;

/// Adds what the kernel has kept back since the last time.
///
/// # Safety
///
/// `today` is set up, and no other thread counts.
pub unsafe fn count(ring: &Ring, today: *const io_uring) {
    let shared = ring.shared();
    // SAFETY: the ring is set up, so its words lie in its mapping.
    unsafe {
        let tail = order::load_relaxed((*today).cq.ktail);
        let before = shared.held_back.load(Ordering::Relaxed);
        let Ok(now) = kept((*today).ring_fd) else {
            return;
        };
        // While some are kept, whatever comes into the ring is one of them.
        let came = tail.wrapping_sub(shared.tail_then.load(Ordering::Relaxed));
        let old = before.saturating_sub(came);
        let new = now.saturating_sub(old);
        if new != 0 {
            let overflow = (*today).cq.koverflow;
            order::store_relaxed(overflow, order::load_relaxed(overflow).wrapping_add(new));
        }
        shared.held_back.store(now, Ordering::Relaxed);
        shared.tail_then.store(tail, Ordering::Relaxed);
    }
}

/// Notes that none is kept.
pub fn none(ring: &Ring) {
    let shared = ring.shared();
    if shared.held_back.load(Ordering::Relaxed) != 0 {
        shared.held_back.store(0, Ordering::Relaxed);
    }
}

/// How many events the kernel keeps for a ring, by what it says of the descriptor.
fn kept(fd: c_int) -> Result<c_uint> {
    let info = sys::open_numbered(b"/proc/self/fdinfo/", fd as c_uint, false)?;
    let mut found = 0;
    let mut matched = 0;
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    // SAFETY: bytes, which are written before they are read.
    let buffer = unsafe { &mut *(&raw mut buffer as *mut [u8; 1024]) };
    let result = loop {
        match sys::read(info, buffer) {
            Ok([]) => break Ok(found),
            Ok(text) => {
                for byte in text {
                    // Each of them has a line with that; no other line has.
                    matched = match SIGN.get(matched) {
                        Some(wanted) if wanted == byte => matched + 1,
                        _ if SIGN.first() == Some(byte) => 1,
                        _ => 0,
                    };
                    if matched == SIGN.len() {
                        found += 1;
                        matched = 0;
                    }
                }
            }
            Err(error) => break Err(error),
        }
    };
    let _ = Native::close(info);
    result
}

const SIGN: &[u8] = b"user_data=";
