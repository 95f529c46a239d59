//! Flags that belong to single opcodes.

/// In `uring_cmd_flags`: the command's data is in the registered buffer `buf_index`.
pub const IORING_URING_CMD_FIXED: u32 = 1u32 << 0;
/// Every flag that `uring_cmd_flags` may hold.
pub const IORING_URING_CMD_MASK: u32 = 1u32 << 0;

/// In `fsync_flags`: sync data only, as `fdatasync(2)` does. Since 5.1.
pub const IORING_FSYNC_DATASYNC: u32 = 1u32 << 0;

/// In `timeout_flags`: the time is a point in time, not a duration. Since 5.5.
pub const IORING_TIMEOUT_ABS: u32 = 1u32 << 0;
/// In `timeout_flags`: change a timeout instead of removing it. Since 5.11.
pub const IORING_TIMEOUT_UPDATE: u32 = 1u32 << 1;
/// In `timeout_flags`: measure with `CLOCK_BOOTTIME`. Since 5.15.
pub const IORING_TIMEOUT_BOOTTIME: u32 = 1u32 << 2;
/// In `timeout_flags`: measure with `CLOCK_REALTIME`. Since 5.15.
pub const IORING_TIMEOUT_REALTIME: u32 = 1u32 << 3;
/// In `timeout_flags`: the timeout to change is a linked one. Since 5.15.
pub const IORING_LINK_TIMEOUT_UPDATE: u32 = 1u32 << 4;
/// In `timeout_flags`: running out of time counts as success, so links go on. Since 5.16.
pub const IORING_TIMEOUT_ETIME_SUCCESS: u32 = 1u32 << 5;
/// In `timeout_flags`: fire again and again, one CQE each time. Since 6.4.
pub const IORING_TIMEOUT_MULTISHOT: u32 = 1u32 << 6;
/// In `timeout_flags`: `addr` holds the time itself, in nanoseconds. Since 7.1.
pub const IORING_TIMEOUT_IMMEDIATE_ARG: u32 = 1u32 << 7;
/// The flags that choose a clock.
pub const IORING_TIMEOUT_CLOCK_MASK: u32 = IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME;
/// The flags that turn a removal into a change.
pub const IORING_TIMEOUT_UPDATE_MASK: u32 = IORING_TIMEOUT_UPDATE | IORING_LINK_TIMEOUT_UPDATE;

/// In `splice_flags`: `splice_fd_in` is a slot of the registered file table. Since 5.7.
pub const SPLICE_F_FD_IN_FIXED: u32 = 1u32 << 31;

/// In `len` of a poll request: stay armed and post a CQE for each event. Since 5.13.
pub const IORING_POLL_ADD_MULTI: u32 = 1u32 << 0;
/// In `len` of `IORING_OP_POLL_REMOVE`: change the events waited for. Since 5.13.
pub const IORING_POLL_UPDATE_EVENTS: u32 = 1u32 << 1;
/// In `len` of `IORING_OP_POLL_REMOVE`: change the request's `user_data`. Since 5.13.
pub const IORING_POLL_UPDATE_USER_DATA: u32 = 1u32 << 2;
/// In `len` of a poll request: report a state, not only a change of it. Since 6.0.
pub const IORING_POLL_ADD_LEVEL: u32 = 1u32 << 3;

/// In `cancel_flags`: cancel every request that matches, not only the first. Since 5.19.
pub const IORING_ASYNC_CANCEL_ALL: u32 = 1u32 << 0;
/// In `cancel_flags`: match by file, not by `user_data`. Since 5.19.
pub const IORING_ASYNC_CANCEL_FD: u32 = 1u32 << 1;
/// In `cancel_flags`: every request matches. Since 5.19.
pub const IORING_ASYNC_CANCEL_ANY: u32 = 1u32 << 2;
/// In `cancel_flags`: the file to match is a slot of the registered file table. Since 6.0.
pub const IORING_ASYNC_CANCEL_FD_FIXED: u32 = 1u32 << 3;
/// In `cancel_flags`: match by `user_data`, the default when no other match is asked for. Since 6.6.
pub const IORING_ASYNC_CANCEL_USERDATA: u32 = 1u32 << 4;
/// In `cancel_flags`: match by opcode. Since 6.6.
pub const IORING_ASYNC_CANCEL_OP: u32 = 1u32 << 5;

/// In `ioprio` of a send or receive: wait for readiness before the first try. Since 5.19.
pub const IORING_RECVSEND_POLL_FIRST: u32 = 1u32 << 0;
/// In `ioprio` of a receive: stay armed and post a CQE for each piece of data. Since 6.0.
pub const IORING_RECV_MULTISHOT: u32 = 1u32 << 1;
/// In `ioprio` of a send or receive: the data is in the registered buffer `buf_index`. Since 6.0.
pub const IORING_RECVSEND_FIXED_BUF: u32 = 1u32 << 2;
/// In `ioprio` of a zero-copy send: let the notification report whether data was copied. Since 6.2.
pub const IORING_SEND_ZC_REPORT_USAGE: u32 = 1u32 << 3;
/// In `ioprio` of a send or receive with provided buffers: use several buffers at once. Since 6.10.
///
/// `res` counts all their bytes. The CQE names the first buffer; the others follow it in order.
pub const IORING_RECVSEND_BUNDLE: u32 = 1u32 << 4;
/// In `ioprio` of a send: `addr` points to an array of iovecs. Since 6.17.
pub const IORING_SEND_VECTORIZED: u32 = 1u32 << 5;
/// Bit in `res` of a zero-copy notification: at least a part of the data was copied. Since 6.2.
pub const IORING_NOTIF_USAGE_ZC_COPIED: u32 = 1u32 << 31;

/// In `ioprio` of an accept: stay armed and post a CQE for each connection. Since 5.19.
pub const IORING_ACCEPT_MULTISHOT: u32 = 1u32 << 0;
/// In `ioprio` of an accept: fail with `-EAGAIN` instead of waiting. Since 6.10.
pub const IORING_ACCEPT_DONTWAIT: u32 = 1u32 << 1;
/// In `ioprio` of an accept: wait for readiness before the first try. Since 6.10.
pub const IORING_ACCEPT_POLL_FIRST: u32 = 1u32 << 2;

/// What `IORING_OP_MSG_RING` sends, for `addr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_msg_ring_flags {
    /// A CQE with `len` as `res` and `off` as `user_data`. Since 5.18.
    IORING_MSG_DATA = 0,
    /// A file of the sender's file table. Since 6.0.
    IORING_MSG_SEND_FD = 1,
}
pub use io_uring_msg_ring_flags::*;

/// In `msg_ring_flags`: send a file without posting a CQE in the receiving ring. Since 6.0.
pub const IORING_MSG_RING_CQE_SKIP: u32 = 1u32 << 0;
/// In `msg_ring_flags`: `file_index` becomes the CQE's `flags`. Since 6.3.
pub const IORING_MSG_RING_FLAGS_PASS: u32 = 1u32 << 1;

/// In `install_fd_flags`: the new descriptor survives `execve(2)`. Since 6.8.
pub const IORING_FIXED_FD_NO_CLOEXEC: u32 = 1u32 << 0;

/// In `nop_flags`: complete with `len` as `res`. Since 6.10.
pub const IORING_NOP_INJECT_RESULT: u32 = 1u32 << 0;
/// In `nop_flags`: complete with a 32-byte CQE. Since 6.18.
pub const IORING_NOP_CQE32: u32 = 1u32 << 5;
