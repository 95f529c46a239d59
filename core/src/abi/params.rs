//! Arguments and results of `io_uring_setup`: parameters, ring offsets, set-up flags, features, mmap offsets.

use core::ffi::c_int;

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

/// The parameters of `io_uring_setup`, in and out.
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
    /// In with `IORING_SETUP_ATTACH_WQ`: the descriptor of the ring whose workers to share.
    pub wq_fd: __u32,
    /// Zero.
    pub resv: [__u32; 3],
    /// Out: the submission ring's offsets.
    pub sq_off: io_sqring_offsets,
    /// Out: the completion ring's offsets.
    pub cq_off: io_cqring_offsets,
}

/// Poll for completions of I/O instead of waiting for interrupts. Since 5.1.
pub const IORING_SETUP_IOPOLL: u32 = 1u32 << 0;
/// A kernel thread polls the submission queue. Since 5.1.
pub const IORING_SETUP_SQPOLL: u32 = 1u32 << 1;
/// `sq_thread_cpu` is valid: bind the polling thread to it. Since 5.1.
pub const IORING_SETUP_SQ_AFF: u32 = 1u32 << 2;
/// `cq_entries` is valid: the number of CQEs wanted. Since 5.5.
pub const IORING_SETUP_CQSIZE: u32 = 1u32 << 3;
/// Cut sizes that are too large down to the maximum instead of refusing them. Since 5.6.
pub const IORING_SETUP_CLAMP: u32 = 1u32 << 4;
/// `wq_fd` is valid: share the workers of that ring. Since 5.6.
pub const IORING_SETUP_ATTACH_WQ: u32 = 1u32 << 5;
/// Start disabled, until `IORING_REGISTER_ENABLE_RINGS`. Since 5.10.
pub const IORING_SETUP_R_DISABLED: u32 = 1u32 << 6;
/// Go on with a batch after a request that could not be submitted. Since 5.18.
pub const IORING_SETUP_SUBMIT_ALL: u32 = 1u32 << 7;
/// Do not interrupt the application to finish completions; finish them when it enters the kernel. Since 5.19.
pub const IORING_SETUP_COOP_TASKRUN: u32 = 1u32 << 8;
/// Show with `IORING_SQ_TASKRUN` that completions wait to be finished. Since 5.19.
pub const IORING_SETUP_TASKRUN_FLAG: u32 = 1u32 << 9;
/// SQEs have 128 bytes. Since 5.19.
pub const IORING_SETUP_SQE128: u32 = 1u32 << 10;
/// CQEs have 32 bytes. Since 5.19.
pub const IORING_SETUP_CQE32: u32 = 1u32 << 11;
/// Only one thread submits; others get `-EEXIST`. Since 6.0.
pub const IORING_SETUP_SINGLE_ISSUER: u32 = 1u32 << 12;
/// Finish completions only when the application waits for them. Since 6.1.
pub const IORING_SETUP_DEFER_TASKRUN: u32 = 1u32 << 13;
/// The application provides the memory of the rings. Since 6.5.
pub const IORING_SETUP_NO_MMAP: u32 = 1u32 << 14;
/// Return the index of a registered ring instead of a descriptor. Since 6.5.
pub const IORING_SETUP_REGISTERED_FD_ONLY: u32 = 1u32 << 15;
/// SQEs are taken in ring order, without an array of indexes. Since 6.6.
pub const IORING_SETUP_NO_SQARRAY: u32 = 1u32 << 16;
/// Sleep for a while before polling for completions of I/O. Since 6.13.
pub const IORING_SETUP_HYBRID_IOPOLL: u32 = 1u32 << 17;
/// CQEs of 16 and of 32 bytes may share the ring. Since 6.18.
pub const IORING_SETUP_CQE_MIXED: u32 = 1u32 << 18;
/// SQEs of 64 and of 128 bytes may share the ring. Since 6.19.
pub const IORING_SETUP_SQE_MIXED: u32 = 1u32 << 19;
/// Each submission starts at the first SQE; head and tail stay 0. Since 7.0.
pub const IORING_SETUP_SQ_REWIND: u32 = 1u32 << 20;
/// One mapping covers both rings. Since 5.4.
pub const IORING_FEAT_SINGLE_MMAP: u32 = 1u32 << 0;
/// Completions are kept until the ring has room for them. Since 5.5.
pub const IORING_FEAT_NODROP: u32 = 1u32 << 1;
/// What an SQE points to may be reused once the SQE is submitted. Since 5.5.
pub const IORING_FEAT_SUBMIT_STABLE: u32 = 1u32 << 2;
/// Offset -1 means the file's own position. Since 5.6.
pub const IORING_FEAT_RW_CUR_POS: u32 = 1u32 << 3;
/// Requests run with the credentials of the task that submits them. Since 5.6.
pub const IORING_FEAT_CUR_PERSONALITY: u32 = 1u32 << 4;
/// Requests wait for readiness without a worker. Since 5.7.
pub const IORING_FEAT_FAST_POLL: u32 = 1u32 << 5;
/// Poll masks have 32 bits. Since 5.9.
pub const IORING_FEAT_POLL_32BITS: u32 = 1u32 << 6;
/// The polling thread handles unregistered files too. Since 5.11.
pub const IORING_FEAT_SQPOLL_NONFIXED: u32 = 1u32 << 7;
/// `io_uring_enter` takes a `struct io_uring_getevents_arg`. Since 5.11.
pub const IORING_FEAT_EXT_ARG: u32 = 1u32 << 8;
/// Workers are threads of the application's process. Since 5.12.
pub const IORING_FEAT_NATIVE_WORKERS: u32 = 1u32 << 9;
/// Registered files and buffers can carry tags. Since 5.13.
pub const IORING_FEAT_RSRC_TAGS: u32 = 1u32 << 10;
/// `IOSQE_CQE_SKIP_SUCCESS` is understood. Since 5.17.
pub const IORING_FEAT_CQE_SKIP: u32 = 1u32 << 11;
/// A linked request looks its file up when it starts, not when it is submitted. Since 5.17.
pub const IORING_FEAT_LINKED_FILE: u32 = 1u32 << 12;
/// `io_uring_register` takes registered rings. Since 6.3.
pub const IORING_FEAT_REG_REG_RING: u32 = 1u32 << 13;
/// `IORING_RECVSEND_BUNDLE` is understood. Since 6.10.
pub const IORING_FEAT_RECVSEND_BUNDLE: u32 = 1u32 << 14;
/// `min_wait_usec` is understood. Since 6.12.
pub const IORING_FEAT_MIN_TIMEOUT: u32 = 1u32 << 15;
/// Reads and writes take attributes. Since 6.14.
pub const IORING_FEAT_RW_ATTR: u32 = 1u32 << 16;
/// `IORING_ENTER_NO_IOWAIT` is understood. Since 6.15.
pub const IORING_FEAT_NO_IOWAIT: u32 = 1u32 << 17;
/// Where to map the submission ring (both rings with `IORING_FEAT_SINGLE_MMAP`). Since 5.1.
pub const IORING_OFF_SQ_RING: u64 = 0u64;
/// Where to map the completion ring. Since 5.1.
pub const IORING_OFF_CQ_RING: u64 = 0x8000000u64;
/// Where to map the SQEs. Since 5.1.
pub const IORING_OFF_SQES: u64 = 0x10000000u64;
/// Where to map a provided buffer ring that the kernel allocated, with the group number shifted in. Since 6.4.
pub const IORING_OFF_PBUF_RING: u64 = 0x80000000u64;
/// Where the group number starts in the mmap offset of a provided buffer ring. Since 6.4.
pub const IORING_OFF_PBUF_SHIFT: c_int = 16;
/// The bits of an mmap offset that say what to map. Since 6.4.
pub const IORING_OFF_MMAP_MASK: u64 = 0xf8000000u64;

/// In the submission ring's flags: the polling thread sleeps, enter with `IORING_ENTER_SQ_WAKEUP`. Since 5.1.
pub const IORING_SQ_NEED_WAKEUP: u32 = 1u32 << 0;
/// In the submission ring's flags: the kernel keeps completions that found no room. Since 5.8.
pub const IORING_SQ_CQ_OVERFLOW: u32 = 1u32 << 1;
/// In the submission ring's flags: completions wait for the application to enter the kernel. Since 5.19.
pub const IORING_SQ_TASKRUN: u32 = 1u32 << 2;

/// In the completion ring's flags, set by the application: do not signal the eventfd. Since 5.8.
pub const IORING_CQ_EVENTFD_DISABLED: u32 = 1u32 << 0;
