//! Time, and waiting: for some time, for a word to change, for another thread to run.

use core::ffi::c_int;
use core::sync::atomic::AtomicU32;

use uring_core::kernel::Native;

use super::call::{address, nr};

/// The monotonic clock, in nanoseconds.
pub fn now() -> u64 {
    const CLOCK_MONOTONIC: usize = 1;
    let mut time = [0u64; 2];
    // SAFETY: there is room for a struct timespec. The call cannot fail.
    unsafe {
        Native::call(
            nr::CLOCK_GETTIME,
            [CLOCK_MONOTONIC, address(&raw mut time), 0, 0, 0, 0],
        )
    };
    time[0].wrapping_mul(1_000_000_000).wrapping_add(time[1])
}

/// Lets other threads run on this CPU.
pub fn yield_cpu() {
    // SAFETY: no memory is involved.
    unsafe { Native::call(nr::SCHED_YIELD, [0; 6]) };
}

const FUTEX_WAIT: usize = 0;
const FUTEX_WAKE: usize = 1;

/// Sleeps while `*word` is `value`, until it is woken, a signal comes, or `limit_ns` have passed (0: no limit).
pub fn sleep_on(word: &AtomicU32, value: u32, limit_ns: u64) {
    let time = [limit_ns / 1_000_000_000, limit_ns % 1_000_000_000];
    let limit = if limit_ns == 0 {
        0
    } else {
        address(&raw const time)
    };
    // SAFETY: `word` is an aligned 32-bit word, and `time` a struct timespec. The caller checks again after any end of
    // the sleep, so errors do not matter.
    unsafe {
        Native::call(
            nr::FUTEX,
            [address(word), FUTEX_WAIT, value as usize, limit, 0, 0],
        )
    };
}

/// Sleeps for `ns`, or until a signal comes.
pub fn nap(ns: u64) {
    sleep_on(&AtomicU32::new(0), 0, ns);
}

/// Wakes all threads that sleep on `word`.
pub fn wake(word: &AtomicU32) {
    // SAFETY: the kernel uses the address only to find sleepers.
    unsafe {
        Native::call(
            nr::FUTEX,
            [address(word), FUTEX_WAKE, c_int::MAX as usize, 0, 0, 0],
        )
    };
}

/// Tells the compiler and the processor that a loop waits.
pub fn pause() {
    core::hint::spin_loop();
}
