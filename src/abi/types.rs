//! C's names for sized integers, and types that the C library or other kernel headers define.

/// Unsigned, 8 bits.
pub type __u8 = u8;
/// Unsigned, 16 bits.
pub type __u16 = u16;
/// Unsigned, 32 bits.
pub type __u32 = u32;
/// Unsigned, 64 bits.
pub type __u64 = u64;
/// Signed, 32 bits.
pub type __s32 = i32;
/// The kernel's flags of `preadv2` and `pwritev2`.
pub type __kernel_rwf_t = core::ffi::c_int;

/// Seconds and nanoseconds, 64 bits each on every architecture (`<linux/time_types.h>`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct __kernel_timespec {
    /// Seconds.
    pub tv_sec: i64,
    /// Nanoseconds, below one thousand million.
    pub tv_nsec: core::ffi::c_longlong,
}

/// A set of signals, only ever passed on by address (`<signal.h>`).
#[repr(C)]
pub struct sigset_t {
    _opaque: [u8; 0],
}

/// Bytes of a signal set as the kernel counts them: `_NSIG / 8`.
#[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
pub const KERNEL_SIGSET_SIZE: usize = 8;
/// Bytes of a signal set as the kernel counts them: `_NSIG / 8`.
#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
pub const KERNEL_SIGSET_SIZE: usize = 16;
