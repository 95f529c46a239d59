//! The times that timeouts name.

use std::ffi::c_int;

use uring_core::abi::*;

use crate::request::Req;
use crate::sys;

/// The time that the program gave.
pub fn given(at: *const u8) -> Result<libc::timespec, c_int> {
    sys::not_null(at)?;
    // SAFETY: the program vouches for a time, or it is the copy of one.
    let time = unsafe { at.cast::<__kernel_timespec>().read_unaligned() };
    if time.tv_sec < 0 || time.tv_nsec < 0 {
        return Err(-libc::EINVAL);
    }
    Ok(libc::timespec {
        tv_sec: time.tv_sec as libc::time_t,
        tv_nsec: time.tv_nsec as libc::c_long,
    })
}

/// The time of a timeout.
pub fn time(req: &Req) -> Result<libc::timespec, c_int> {
    match req
        .stable
        .as_ref()
        .filter(|stable| !stable.bytes.is_empty())
    {
        Some(stable) => given(stable.bytes.as_ptr()),
        None => given(req.address()),
    }
}

/// A time on the clock that the flags name, as one on the monotonic clock. Steps of the clock are not followed.
pub fn on_monotonic(time: &libc::timespec, flags: u32) -> u64 {
    let span = sys::nanoseconds(time);
    let now = sys::monotonic();
    if flags & IORING_TIMEOUT_ABS == 0 {
        return now.saturating_add(span);
    }
    let clock = match flags & IORING_TIMEOUT_CLOCK_MASK {
        IORING_TIMEOUT_BOOTTIME => libc::CLOCK_BOOTTIME,
        IORING_TIMEOUT_REALTIME => libc::CLOCK_REALTIME,
        _ => return span,
    };
    now.saturating_add(span.saturating_sub(sys::nanoseconds(&sys::now(clock))))
}

/// When a timeout ends, on the monotonic clock.
pub fn deadline(req: &Req) -> Result<u64, c_int> {
    Ok(on_monotonic(&time(req)?, req.op_flags()))
}
