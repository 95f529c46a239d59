//! Completions.

use super::types::*;

/// A completion queue entry (CQE): what became of one request.
#[derive(Debug)]
#[repr(C)]
pub struct io_uring_cqe {
    /// The request's `user_data`.
    pub user_data: __u64,
    /// The request's result, or a negative error number.
    pub res: __s32,
    /// `IORING_CQE_F_*`.
    pub flags: __u32,
    /// Sixteen bytes more in a ring with 32-byte CQEs.
    pub big_cqe: [__u64; 0],
}
///
pub const IORING_CQE_F_BUFFER: u32 = 1u32 << 0;
///
pub const IORING_CQE_F_MORE: u32 = 1u32 << 1;
///
pub const IORING_CQE_F_SOCK_NONEMPTY: u32 = 1u32 << 2;
///
pub const IORING_CQE_F_NOTIF: u32 = 1u32 << 3;
///
pub const IORING_CQE_F_BUF_MORE: u32 = 1u32 << 4;
///
pub const IORING_CQE_F_SKIP: u32 = 1u32 << 5;
///
pub const IORING_CQE_F_32: u32 = 1u32 << 15;
///
pub const IORING_CQE_F_TSTAMP_HW: u32 = 1u32 << 16;
