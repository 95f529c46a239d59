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
/// Unsigned, 64 bits, at addresses that are multiples of 8 on every architecture.
///
/// The alias does not align by itself: on 32-bit x86 the structures here have the same layout without it.
pub type __aligned_u64 = u64;
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

/// A range of memory (`<sys/uio.h>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct iovec {
    /// Its first byte.
    pub iov_base: *mut core::ffi::c_void,
    /// Its length in bytes.
    pub iov_len: usize,
}

/// A set of CPUs, only ever passed on by address (`<sched.h>`).
#[repr(C)]
pub struct cpu_set_t {
    _opaque: [u8; 0],
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

/// `_IO(0x12, 0)`: tell a block device that a range is unused; for `cmd_op` (`<linux/blkdev.h>`). Since 6.12.
pub const BLOCK_URING_CMD_DISCARD: __u32 = (IOC_NONE << 29) | (0x12 << 8);

// Where an ioctl number says that it moves no data, these architectures set a bit.
#[cfg(any(
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "sparc",
    target_arch = "sparc64"
))]
const IOC_NONE: __u32 = 1;
#[cfg(not(any(
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "sparc",
    target_arch = "sparc64"
)))]
const IOC_NONE: __u32 = 0;
