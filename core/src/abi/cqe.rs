//! Completions.

use core::ffi::c_int;

use super::types::*;

/// A completion queue entry (CQE): the outcome of one request.
#[derive(Debug)]
#[repr(C)]
pub struct io_uring_cqe {
    /// The request's `user_data`.
    pub user_data: __u64,
    /// The request's result, or a negative error number.
    pub res: __s32,
    /// `IORING_CQE_F_*`.
    pub flags: __u32,
    /// Sixteen more bytes, in a ring with 32-byte CQEs.
    pub big_cqe: [__u64; 0],
}

/// A provided buffer was used; its number is in the upper sixteen bits. Since 5.7.
pub const IORING_CQE_F_BUFFER: u32 = 1u32 << 0;
/// The request stays armed: more CQEs will come. Since 5.13.
pub const IORING_CQE_F_MORE: u32 = 1u32 << 1;
/// The socket holds more data. Since 5.19.
pub const IORING_CQE_F_SOCK_NONEMPTY: u32 = 1u32 << 2;
/// A notification: the memory of a zero-copy send is free again. Since 6.0.
pub const IORING_CQE_F_NOTIF: u32 = 1u32 << 3;
/// The provided buffer is not used up and will be used again. Since 6.12.
pub const IORING_CQE_F_BUF_MORE: u32 = 1u32 << 4;
/// A filler before the end of a ring of mixed sizes: ignore it. Since 6.18.
pub const IORING_CQE_F_SKIP: u32 = 1u32 << 5;
/// This CQE has 32 bytes, in a ring of mixed sizes. Since 6.18.
pub const IORING_CQE_F_32: u32 = 1u32 << 15;

/// Where the number of a provided buffer starts in `flags` of a CQE.
pub const IORING_CQE_BUFFER_SHIFT: c_int = 16;
