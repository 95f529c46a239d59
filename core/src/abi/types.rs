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

/// A socket address, only ever passed on by address (`<sys/socket.h>`).
#[repr(C)]
pub struct sockaddr {
    _opaque: [u8; 0],
}

/// A length of a socket address in bytes (`<sys/socket.h>`).
pub type socklen_t = u32;

/// A message to send or receive (`<sys/socket.h>`), as the kernel lays it out.
///
/// Some C libraries have narrower members with padding beside them. The kernel demands that this padding is 0.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct msghdr {
    /// The peer's address.
    pub msg_name: *mut core::ffi::c_void,
    /// Bytes of it.
    pub msg_namelen: socklen_t,
    /// The buffers.
    pub msg_iov: *mut iovec,
    /// Number of buffers.
    pub msg_iovlen: usize,
    /// Control messages.
    pub msg_control: *mut core::ffi::c_void,
    /// Bytes of them.
    pub msg_controllen: usize,
    /// `MSG_*` of a received message.
    pub msg_flags: core::ffi::c_int,
}

/// The head of a control message (`<sys/socket.h>`), as the kernel lays it out.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct cmsghdr {
    /// Bytes of the message, this head included.
    pub cmsg_len: usize,
    /// Protocol level.
    pub cmsg_level: core::ffi::c_int,
    /// Type of the message.
    pub cmsg_type: core::ffi::c_int,
}

/// How to open a file (`<linux/openat2.h>`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct open_how {
    /// `O_*`.
    pub flags: __u64,
    /// Permissions of a file that is created.
    pub mode: __u64,
    /// `RESOLVE_*`.
    pub resolve: __u64,
}

/// Attributes of a file, only ever passed on by address (`<sys/stat.h>`).
#[repr(C)]
pub struct statx {
    _opaque: [u8; 0],
}

/// An event of an epoll descriptor, only ever passed on by address (`<sys/epoll.h>`).
#[repr(C)]
pub struct epoll_event {
    _opaque: [u8; 0],
}

/// A futex to wait for, only ever passed on by address (`<linux/futex.h>`).
#[repr(C)]
pub struct futex_waitv {
    _opaque: [u8; 0],
}

/// A child process's change of state, only ever passed on by address (`<signal.h>`).
#[repr(C)]
pub struct siginfo_t {
    _opaque: [u8; 0],
}

/// Permissions of a file (`<sys/types.h>`).
pub type mode_t = u32;
/// A size or position in a file (`<sys/types.h>`), 64 bits as with large-file support.
pub type off_t = i64;
/// A size or position in a file (`<sys/types.h>`), 64 bits on every system.
pub type loff_t = i64;
/// A process, process group or descriptor of a process (`<sys/types.h>`).
pub type id_t = u32;
/// Which kind of number an `id_t` holds (`<sys/wait.h>`).
pub type idtype_t = core::ffi::c_uint;

/// Bytes of a signal set as the kernel counts them: `_NSIG / 8`.
#[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
pub const KERNEL_SIGSET_SIZE: usize = 8;
/// Bytes of a signal set as the kernel counts them: `_NSIG / 8`.
#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
pub const KERNEL_SIGSET_SIZE: usize = 16;

/// `_IO(0x12, 0)`: tell a block device that a range is unused; for `cmd_op` (`<linux/blkdev.h>`). Since 6.12.
pub const BLOCK_URING_CMD_DISCARD: __u32 = (IOC_NONE << 29) | (0x12 << 8);
/// `_IO(0x12, 1)`: reset all zones of a zoned block device; for `cmd_op` (`<linux/blkdev.h>`). Newer than 7.2.
#[cfg(release_2_16)]
pub const BLOCK_URING_CMD_ZONE_RESET_ALL: __u32 = (IOC_NONE << 29) | (0x12 << 8) | 1;

// These architectures set a bit in the number of an ioctl that moves no data.
#[cfg(any(
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "sparc64"
))]
const IOC_NONE: __u32 = 1;
#[cfg(not(any(
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "sparc64"
)))]
const IOC_NONE: __u32 = 0;
