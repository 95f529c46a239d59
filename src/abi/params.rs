//! What `io_uring_setup` takes and gives: parameters, ring offsets, set-up flags, features, mmap offsets.

use super::types::*;

/// Where the parts of the submission ring lie, in bytes from the start of its mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_sqring_offsets {
    /// The kernel's position.
    pub head: __u32,
    /// The application's position.
    pub tail: __u32,
    /// Number of entries minus one.
    pub ring_mask: __u32,
    /// Number of entries, a power of two.
    pub ring_entries: __u32,
    /// `IORING_SQ_*` flags.
    pub flags: __u32,
    /// Invalid entries that the kernel passed over.
    pub dropped: __u32,
    /// The array of SQE indexes.
    pub array: __u32,
    /// Zero.
    pub resv1: __u32,
    /// With `IORING_SETUP_NO_MMAP`: the caller's memory for the SQEs.
    pub user_addr: __u64,
}

/// Where the parts of the completion ring lie, in bytes from the start of its mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_cqring_offsets {
    /// The application's position.
    pub head: __u32,
    /// The kernel's position.
    pub tail: __u32,
    /// Number of entries minus one.
    pub ring_mask: __u32,
    /// Number of entries, a power of two.
    pub ring_entries: __u32,
    /// Completions that found no room.
    pub overflow: __u32,
    /// The CQEs.
    pub cqes: __u32,
    /// `IORING_CQ_*` flags; 0 where the kernel has none.
    pub flags: __u32,
    /// Zero.
    pub resv1: __u32,
    /// With `IORING_SETUP_NO_MMAP`: the caller's memory for the rings.
    pub user_addr: __u64,
}

/// What `io_uring_setup` is asked for and what it made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_params {
    /// Out: number of SQEs.
    pub sq_entries: __u32,
    /// Out: number of CQEs; in with `IORING_SETUP_CQSIZE`.
    pub cq_entries: __u32,
    /// In: `IORING_SETUP_*`.
    pub flags: __u32,
    /// In with `IORING_SETUP_SQ_AFF`: the CPU of the submission thread.
    pub sq_thread_cpu: __u32,
    /// In with `IORING_SETUP_SQPOLL`: milliseconds without work before the submission thread sleeps; 0 is one second.
    pub sq_thread_idle: __u32,
    /// Out: `IORING_FEAT_*`.
    pub features: __u32,
    /// In with `IORING_SETUP_ATTACH_WQ`: a ring whose workers to share.
    pub wq_fd: __u32,
    /// Zero.
    pub resv: [__u32; 3],
    /// Out: the submission ring's offsets.
    pub sq_off: io_sqring_offsets,
    /// Out: the completion ring's offsets.
    pub cq_off: io_cqring_offsets,
}
///
pub const IORING_SETUP_IOPOLL: u32 = 1u32 << 0;
///
pub const IORING_SETUP_SQPOLL: u32 = 1u32 << 1;
///
pub const IORING_SETUP_SQ_AFF: u32 = 1u32 << 2;
///
pub const IORING_SETUP_CQSIZE: u32 = 1u32 << 3;
///
pub const IORING_SETUP_CLAMP: u32 = 1u32 << 4;
///
pub const IORING_SETUP_ATTACH_WQ: u32 = 1u32 << 5;
///
pub const IORING_SETUP_R_DISABLED: u32 = 1u32 << 6;
///
pub const IORING_SETUP_SUBMIT_ALL: u32 = 1u32 << 7;
///
pub const IORING_SETUP_COOP_TASKRUN: u32 = 1u32 << 8;
///
pub const IORING_SETUP_TASKRUN_FLAG: u32 = 1u32 << 9;
///
pub const IORING_SETUP_SQE128: u32 = 1u32 << 10;
///
pub const IORING_SETUP_CQE32: u32 = 1u32 << 11;
///
pub const IORING_SETUP_SINGLE_ISSUER: u32 = 1u32 << 12;
///
pub const IORING_SETUP_DEFER_TASKRUN: u32 = 1u32 << 13;
///
pub const IORING_SETUP_NO_MMAP: u32 = 1u32 << 14;
///
pub const IORING_SETUP_REGISTERED_FD_ONLY: u32 = 1u32 << 15;
///
pub const IORING_SETUP_NO_SQARRAY: u32 = 1u32 << 16;
///
pub const IORING_SETUP_HYBRID_IOPOLL: u32 = 1u32 << 17;
///
pub const IORING_SETUP_CQE_MIXED: u32 = 1u32 << 18;
///
pub const IORING_SETUP_SQE_MIXED: u32 = 1u32 << 19;
///
pub const IORING_SETUP_SQ_REWIND: u32 = 1u32 << 20;
///
pub const IORING_FEAT_SINGLE_MMAP: u32 = 1u32 << 0;
///
pub const IORING_FEAT_NODROP: u32 = 1u32 << 1;
///
pub const IORING_FEAT_SUBMIT_STABLE: u32 = 1u32 << 2;
///
pub const IORING_FEAT_RW_CUR_POS: u32 = 1u32 << 3;
///
pub const IORING_FEAT_CUR_PERSONALITY: u32 = 1u32 << 4;
///
pub const IORING_FEAT_FAST_POLL: u32 = 1u32 << 5;
///
pub const IORING_FEAT_POLL_32BITS: u32 = 1u32 << 6;
///
pub const IORING_FEAT_SQPOLL_NONFIXED: u32 = 1u32 << 7;
///
pub const IORING_FEAT_EXT_ARG: u32 = 1u32 << 8;
///
pub const IORING_FEAT_NATIVE_WORKERS: u32 = 1u32 << 9;
///
pub const IORING_FEAT_RSRC_TAGS: u32 = 1u32 << 10;
///
pub const IORING_FEAT_CQE_SKIP: u32 = 1u32 << 11;
///
pub const IORING_FEAT_LINKED_FILE: u32 = 1u32 << 12;
///
pub const IORING_FEAT_REG_REG_RING: u32 = 1u32 << 13;
///
pub const IORING_FEAT_RECVSEND_BUNDLE: u32 = 1u32 << 14;
///
pub const IORING_FEAT_MIN_TIMEOUT: u32 = 1u32 << 15;
///
pub const IORING_FEAT_RW_ATTR: u32 = 1u32 << 16;
///
pub const IORING_FEAT_NO_IOWAIT: u32 = 1u32 << 17;
///
pub const IORING_OFF_SQ_RING: u64 = 0;
///
pub const IORING_OFF_CQ_RING: u64 = 0x8000000;
///
pub const IORING_OFF_SQES: u64 = 0x10000000;
