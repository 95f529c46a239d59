//! Requests: the submission queue entry and the flags that every request has.

use super::types::*;

/// Offset and its alternatives.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_sqe_off {
    /// Position in the file, in bytes; -1 is the file's own position.
    pub off: __u64,
    /// A second address.
    pub addr2: __u64,
    /// The command of `IORING_OP_URING_CMD`.
    pub __anon1: __anon_sqe_cmd_op,
}

/// The command of `IORING_OP_URING_CMD`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct __anon_sqe_cmd_op {
    /// Which command; the file's driver gives it meaning.
    pub cmd_op: __u32,
    /// Zero.
    pub __pad1: __u32,
}

/// Address and its alternatives.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_sqe_addr {
    /// Address of a buffer, an array of iovecs, a path or another argument.
    pub addr: __u64,
    /// Where a splice starts reading; -1 is the file's own position.
    pub splice_off_in: __u64,
    /// The option of a socket command.
    pub __anon1: __anon_sqe_sockopt,
}

/// The option of a socket command.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct __anon_sqe_sockopt {
    /// Protocol level, as `getsockopt(2)` takes it.
    pub level: __u32,
    /// Option, as `getsockopt(2)` takes it.
    pub optname: __u32,
}

/// The opcode's own flags.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_sqe_op_flags {
    /// `RWF_*` of a read or write.
    pub rw_flags: __kernel_rwf_t,
    /// `IORING_FSYNC_*`.
    pub fsync_flags: __u32,
    /// Poll mask of kernels that know sixteen bits only; `poll32_events` replaces it.
    pub poll_events: __u16,
    /// Poll mask; on big-endian machines with its two halves swapped.
    pub poll32_events: __u32,
    /// `SYNC_FILE_RANGE_*`.
    pub sync_range_flags: __u32,
    /// `MSG_*` of a send or receive.
    pub msg_flags: __u32,
    /// `IORING_TIMEOUT_*`.
    pub timeout_flags: __u32,
    /// `SOCK_*` of the accepted socket.
    pub accept_flags: __u32,
    /// `IORING_ASYNC_CANCEL_*`.
    pub cancel_flags: __u32,
    /// `O_*`.
    pub open_flags: __u32,
    /// `AT_*` of a statx.
    pub statx_flags: __u32,
    /// `POSIX_FADV_*` or `MADV_*`.
    pub fadvise_advice: __u32,
    /// `SPLICE_F_*`, also `SPLICE_F_FD_IN_FIXED`.
    pub splice_flags: __u32,
    /// `RENAME_*`.
    pub rename_flags: __u32,
    /// `AT_*` of an unlink.
    pub unlink_flags: __u32,
    /// `AT_*` of a hard link.
    pub hardlink_flags: __u32,
    /// `XATTR_*`.
    pub xattr_flags: __u32,
    /// `IORING_MSG_RING_*`.
    pub msg_ring_flags: __u32,
    /// `IORING_URING_CMD_*`; the kernel keeps the top eight bits for itself.
    pub uring_cmd_flags: __u32,
    /// Flags of a waitid request; none are defined, so zero.
    pub waitid_flags: __u32,
    /// Flags of a futex request; none are defined, so zero.
    pub futex_flags: __u32,
    /// `IORING_FIXED_FD_*`.
    pub install_fd_flags: __u32,
    /// `IORING_NOP_*`.
    pub nop_flags: __u32,
    /// `O_*` of a pipe.
    pub pipe_flags: __u32,
}

/// Registered buffer or buffer group.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_sqe_buf {
    /// Index of a registered buffer.
    pub buf_index: __u16,
    /// Group to pick a provided buffer from, with `IOSQE_BUFFER_SELECT`.
    pub buf_group: __u16,
}

/// File slot and its alternatives.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_sqe_file {
    /// The descriptor a splice reads from.
    pub splice_fd_in: __s32,
    /// File-table slot for a new file, plus one; 0 asks for an ordinary descriptor.
    pub file_index: __u32,
    /// Which zero-copy receive queue to take data from.
    pub zcrx_ifq_idx: __u32,
    /// Length of a socket option in bytes.
    pub optlen: __u32,
    /// Length of a destination address.
    pub __anon1: __anon_sqe_addr_len,
}

/// Length of a destination address.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct __anon_sqe_addr_len {
    /// Bytes of the destination address that `addr2` points to.
    pub addr_len: __u16,
    /// Zero.
    pub __pad3: [__u16; 1],
}

/// The last sixteen bytes of a 64-byte SQE.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_sqe_tail {
    /// A third address.
    pub __anon1: __anon_sqe_addr3,
    /// Attributes of a read or write.
    pub __anon2: __anon_sqe_attr,
    /// Address of a socket option's value.
    pub optval: __u64,
    /// Where a command's own data starts: 16 bytes, or 80 in a 128-byte SQE.
    pub cmd: [__u8; 0],
}

/// A third address.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct __anon_sqe_addr3 {
    /// A third address or another opcode-specific value.
    pub addr3: __u64,
    /// Zero.
    pub __pad2: [__u64; 1],
}

/// Attributes of a read or write.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct __anon_sqe_attr {
    /// Address of the attributes, such as a `struct io_uring_attr_pi`.
    pub attr_ptr: __u64,
    /// `IORING_RW_ATTR_FLAG_*`: which attributes are there.
    pub attr_type_mask: __u64,
}

/// A submission queue entry (SQE): one request.
///
/// 64 bytes; the second half of a 128-byte SQE follows as the continuation of `cmd`. Fields that an opcode does not
/// use must be zero.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct io_uring_sqe {
    /// `IORING_OP_*`.
    pub opcode: __u8,
    /// `IOSQE_*`.
    pub flags: __u8,
    /// I/O priority, or flags of some opcodes such as `IORING_RECVSEND_*` and `IORING_ACCEPT_*`.
    pub ioprio: __u16,
    /// The file to act on: a descriptor, or a slot of the file table with `IOSQE_FIXED_FILE`.
    pub fd: __s32,
    /// Offset and its alternatives.
    pub __anon1: __anon_sqe_off,
    /// Address and its alternatives.
    pub __anon2: __anon_sqe_addr,
    /// Length of a buffer in bytes, or number of iovecs.
    pub len: __u32,
    /// The opcode's own flags.
    pub __anon3: __anon_sqe_op_flags,
    /// Comes back unchanged in the CQE.
    pub user_data: __u64,
    /// Registered buffer or buffer group.
    pub __anon4: __anon_sqe_buf,
    /// Registered credentials to act under, or 0.
    pub personality: __u16,
    /// File slot and its alternatives.
    pub __anon5: __anon_sqe_file,
    /// The last sixteen bytes.
    pub __anon6: __anon_sqe_tail,
}

/// In `attr_type_mask`: `attr_ptr` points to a `struct io_uring_attr_pi`. Since 6.14.
pub const IORING_RW_ATTR_FLAG_PI: u32 = 1u32 << 0;

/// Protection information that goes with a read or write of a block device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_attr_pi {
    /// `IO_INTEGRITY_CHK_*`: what to check.
    pub flags: __u16,
    /// The application tag.
    pub app_tag: __u16,
    /// Bytes of protection information.
    pub len: __u32,
    /// Address of the protection information.
    pub addr: __u64,
    /// First value of the reference tag.
    pub seed: __u64,
    /// Zero.
    pub rsvd: __u64,
}

/// As `file_index` of a request that opens a file: let the kernel pick a free slot. Since 5.19.
///
/// The CQE's `res` is the slot, or `-ENFILE` when the table is full.
pub const IORING_FILE_INDEX_ALLOC: u32 = !0u32;

/// Bit numbers of the `IOSQE_*` flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_sqe_flags_bit {
    /// Bit of `IOSQE_FIXED_FILE`.
    IOSQE_FIXED_FILE_BIT = 0,
    /// Bit of `IOSQE_IO_DRAIN`.
    IOSQE_IO_DRAIN_BIT = 1,
    /// Bit of `IOSQE_IO_LINK`.
    IOSQE_IO_LINK_BIT = 2,
    /// Bit of `IOSQE_IO_HARDLINK`.
    IOSQE_IO_HARDLINK_BIT = 3,
    /// Bit of `IOSQE_ASYNC`.
    IOSQE_ASYNC_BIT = 4,
    /// Bit of `IOSQE_BUFFER_SELECT`.
    IOSQE_BUFFER_SELECT_BIT = 5,
    /// Bit of `IOSQE_CQE_SKIP_SUCCESS`.
    IOSQE_CQE_SKIP_SUCCESS_BIT = 6,
}
pub use io_uring_sqe_flags_bit::*;

/// `fd` is a slot of the registered file table. Since 5.1.
pub const IOSQE_FIXED_FILE: u32 = 1u32 << 0;
/// Start only when every earlier request has completed; later ones wait for this one. Since 5.2.
pub const IOSQE_IO_DRAIN: u32 = 1u32 << 1;
/// The next SQE starts only after this one succeeded, and is cancelled if it fails. Since 5.3.
pub const IOSQE_IO_LINK: u32 = 1u32 << 2;
/// Like `IOSQE_IO_LINK`, but the chain goes on after a failure too. Since 5.5.
pub const IOSQE_IO_HARDLINK: u32 = 1u32 << 3;
/// Hand the request to a worker at once, without trying it inline. Since 5.6.
pub const IOSQE_ASYNC: u32 = 1u32 << 4;
/// Take a provided buffer of group `buf_group`. Since 5.7.
pub const IOSQE_BUFFER_SELECT: u32 = 1u32 << 5;
/// Post a CQE only if the request fails. Since 5.17.
pub const IOSQE_CQE_SKIP_SUCCESS: u32 = 1u32 << 6;
