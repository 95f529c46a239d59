//! The library's own structures: `struct io_uring` and its parts.

use core::ffi::{c_int, c_uint, c_void};

use super::cqe::io_uring_cqe;
use super::sqe::io_uring_sqe;
use super::types::*;
use super::zcrx::io_uring_zcrx_rqe;

/// The submission side of a ring.
#[repr(C)]
pub struct io_uring_sq {
    /// The kernel's position.
    pub khead: *mut c_uint,
    /// The application's position, as the kernel sees it.
    pub ktail: *mut c_uint,
    /// Deprecated: `ring_mask` holds the value.
    pub kring_mask: *mut c_uint,
    /// Deprecated: `ring_entries` holds the value.
    pub kring_entries: *mut c_uint,
    /// `IORING_SQ_*`, set by the kernel.
    pub kflags: *mut c_uint,
    /// Number of invalid entries that the kernel passed over.
    pub kdropped: *mut c_uint,
    /// SQE indexes; null with `IORING_SETUP_NO_SQARRAY`.
    pub array: *mut c_uint,
    /// The SQEs.
    pub sqes: *mut io_uring_sqe,
    /// SQEs before this one have been published in `ktail`.
    pub sqe_head: c_uint,
    /// The next SQE to hand out.
    pub sqe_tail: c_uint,
    /// Bytes of the ring's mapping; 0 where there is none to undo.
    pub ring_sz: usize,
    /// The ring's mapping.
    pub ring_ptr: *mut c_void,
    /// Number of entries minus one.
    pub ring_mask: c_uint,
    /// Number of entries.
    pub ring_entries: c_uint,
    /// Bytes of the SQEs' mapping.
    pub sqes_sz: c_uint,
    /// Unused.
    pub pad: c_uint,
}

/// The completion side of a ring.
#[repr(C)]
pub struct io_uring_cq {
    /// The application's position.
    pub khead: *mut c_uint,
    /// The kernel's position.
    pub ktail: *mut c_uint,
    /// Deprecated: `ring_mask` holds the value.
    pub kring_mask: *mut c_uint,
    /// Deprecated: `ring_entries` holds the value.
    pub kring_entries: *mut c_uint,
    /// `IORING_CQ_*`, set by the application; null where the kernel has none.
    pub kflags: *mut c_uint,
    /// Completions that found no room.
    pub koverflow: *mut c_uint,
    /// The CQEs.
    pub cqes: *mut io_uring_cqe,
    /// Bytes of the ring's mapping; 0 where there is none to undo.
    pub ring_sz: usize,
    /// The ring's mapping; the submission ring's if both share one.
    pub ring_ptr: *mut c_void,
    /// Number of entries minus one.
    pub ring_mask: c_uint,
    /// Number of entries.
    pub ring_entries: c_uint,
    /// Unused.
    pub pad: [c_uint; 2],
}

/// A ring. The library fills it in; the program owns the memory.
#[repr(C)]
pub struct io_uring {
    /// The submission side.
    pub sq: io_uring_sq,
    /// The completion side.
    pub cq: io_uring_cq,
    /// `IORING_SETUP_*`, as set up.
    pub flags: c_uint,
    /// The descriptor, or -1.
    pub ring_fd: c_int,
    /// `IORING_FEAT_*`, as the kernel reported.
    pub features: c_uint,
    /// What `io_uring_enter` is called with: the descriptor, or the index of the registered ring.
    pub enter_ring_fd: c_int,
    /// The library's own flags.
    pub int_flags: __u8,
    /// Unused.
    pub pad: [__u8; 3],
    /// The library's own: the number of the thread that has registered the descriptor.
    pub pad2: c_uint,
}

/// The refill ring of zero-copy receive. The program fills it in from the result of the registration.
#[repr(C)]
pub struct io_uring_zcrx_rq {
    /// The kernel's position.
    pub khead: *mut __u32,
    /// The application's position, as the kernel sees it.
    pub ktail: *mut __u32,
    /// The application's position.
    pub rq_tail: __u32,
    /// Number of entries.
    pub ring_entries: c_uint,
    /// The entries.
    pub rqes: *mut io_uring_zcrx_rqe,
    /// The ring's mapping.
    pub ring_ptr: *mut c_void,
}

/// An iterator over the completions that were in the ring when it began.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct io_uring_cqe_iter {
    /// The ring's CQEs.
    pub cqes: *mut io_uring_cqe,
    /// Number of entries minus one.
    pub mask: c_uint,
    /// How many bits to shift an index: 1 in a ring of 32-byte CQEs, else 0.
    pub shift: c_uint,
    /// The next CQE.
    pub head: c_uint,
    /// One after the last CQE.
    pub tail: c_uint,
}

/// The `user_data` of timeouts that the library itself submits, on kernels without `IORING_FEAT_EXT_ARG`.
pub const LIBURING_UDATA_TIMEOUT: __u64 = !0u64;
