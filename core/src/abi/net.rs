//! Sockets: commands, multishot messages, timestamps.

use core::ffi::c_int;

use super::types::*;

/// The header before each message of a multishot `IORING_OP_RECVMSG`, in the provided buffer.
///
/// Name, control data and payload follow it. The request's `struct msghdr` sets the room for name and control data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_recvmsg_out {
    /// Bytes of the sender's address; may exceed the room for it.
    pub namelen: __u32,
    /// Bytes of control data.
    pub controllen: __u32,
    /// Bytes of payload; may exceed the room for it.
    pub payloadlen: __u32,
    /// `MSG_*`.
    pub flags: __u32,
}

/// Commands of `IORING_OP_URING_CMD` on a socket, for `cmd_op`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_socket_op {
    /// How many bytes wait to be read. Since 6.5.
    SOCKET_URING_OP_SIOCINQ = 0,
    /// How many bytes wait to be sent. Since 6.5.
    SOCKET_URING_OP_SIOCOUTQ = 1,
    /// `getsockopt(2)`. Since 6.7.
    SOCKET_URING_OP_GETSOCKOPT = 2,
    /// `setsockopt(2)`. Since 6.7.
    SOCKET_URING_OP_SETSOCKOPT = 3,
    /// Report when packets left, one CQE each. Since 6.17.
    SOCKET_URING_OP_TX_TIMESTAMP = 4,
    /// `getsockname(2)`, `getpeername(2)`. Since 6.19.
    SOCKET_URING_OP_GETSOCKNAME = 5,
}
pub use io_uring_socket_op::*;

/// The bit in `flags` of a timestamp's CQE that tells hardware from software.
pub const IORING_TIMESTAMP_HW_SHIFT: c_int = 16;
/// Where the kind of timestamp (`SCM_TSTAMP_*`) starts in `flags` of its CQE.
pub const IORING_TIMESTAMP_TYPE_SHIFT: c_int = IORING_TIMESTAMP_HW_SHIFT + 1;
/// In `flags` of a timestamp's CQE: hardware took it. Since 6.17.
pub const IORING_CQE_F_TSTAMP_HW: u32 = 1u32 << 16;

/// A timestamp, in the second half of its 32-byte CQE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_timespec {
    /// Seconds.
    pub tv_sec: __u64,
    /// Nanoseconds, below one thousand million.
    pub tv_nsec: __u64,
}
