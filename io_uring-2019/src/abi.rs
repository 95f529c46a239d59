//! The interface of January 2019 as C sees it. For x86-64 only: the announcement had system call numbers for no other
//! architecture in use.

use core::ffi::c_void;

use uring_core::abi::types::*;

/// A buffer's address, in 64 bits.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_iocb_addr {
    /// The buffer to read into or write from.
    pub addr: *mut c_void,
    /// Makes the member 64 bits wide.
    pub __pad: __u64,
}

/// Flags of the operation.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_iocb_flags {
    /// `RWF_*` of a read or write.
    pub rw_flags: __kernel_rwf_t,
    /// Zero for the other operations.
    pub __resv: __u32,
}

/// A request. The first half of an SQE has the same layout.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct io_uring_iocb {
    /// `IORING_OP_*`.
    pub opcode: __u8,
    /// Zero.
    pub flags: __u8,
    /// I/O priority as in `ioprio_set(2)`.
    pub ioprio: __u16,
    /// The file's descriptor.
    pub fd: __s32,
    /// Position in the file, in bytes.
    pub off: __u64,
    /// The buffer.
    pub __anon1: __anon_iocb_addr,
    /// Bytes to move.
    pub len: __u32,
    /// Flags of the operation.
    pub __anon2: __anon_iocb_flags,
}

/// Completions are polled for.
pub const IORING_SETUP_IOPOLL: u32 = 1 << 0;
/// The buffers are given at set-up and pinned.
pub const IORING_SETUP_FIXEDBUFS: u32 = 1 << 1;
/// A thread submits.
pub const IORING_SETUP_SQTHREAD: u32 = 1 << 2;
/// Submission may be handed to a work queue.
pub const IORING_SETUP_SQWQ: u32 = 1 << 3;
/// The submission thread polls the ring.
pub const IORING_SETUP_SQPOLL: u32 = 1 << 4;

/// Reads `len` bytes at `off` into `addr`.
pub const IORING_OP_READ: u32 = 1;
/// Writes `len` bytes at `off` from `addr`.
pub const IORING_OP_WRITE: u32 = 2;
/// `fsync(2)`.
pub const IORING_OP_FSYNC: u32 = 3;
/// `fdatasync(2)`.
pub const IORING_OP_FDSYNC: u32 = 4;
/// Reads into the pinned buffer whose number is the iocb's index.
pub const IORING_OP_READ_FIXED: u32 = 5;
/// Writes from the pinned buffer whose number is the iocb's index.
pub const IORING_OP_WRITE_FIXED: u32 = 6;

/// A completion. A CQE has the same layout.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct io_uring_event {
    /// Which iocb it came from.
    pub index: __u64,
    /// Bytes moved, or a negative errno.
    pub res: __s32,
    /// `IOEV_FLAG_*`.
    pub flags: __u32,
}

/// The data came from the page cache.
pub const IOEV_FLAG_CACHEHIT: u32 = 1 << 0;

/// Where to map the SQ ring.
pub const IORING_OFF_SQ_RING: u64 = 0u64;
/// Where to map the CQ ring.
pub const IORING_OFF_CQ_RING: u64 = 0x8000000u64;
/// Where to map the iocbs.
pub const IORING_OFF_IOCB: u64 = 0x10000000u64;

/// Where the parts of the SQ ring lie, in bytes from the start of its mapping.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct io_sqring_offsets {
    /// How far entries were consumed.
    pub head: __u32,
    /// How far the program has filled entries in.
    pub tail: __u32,
    /// Number of entries minus one.
    pub ring_mask: __u32,
    /// Number of entries.
    pub ring_entries: __u32,
    /// `IORING_SQ_*`.
    pub flags: __u32,
    /// How many indexes named no iocb.
    pub dropped: __u32,
    /// The indexes of iocbs.
    pub array: __u32,
    /// Zero.
    pub resv: [__u32; 3],
}

/// In the SQ ring's flags: the polling thread sleeps and must be woken by `io_uring_enter`.
pub const IORING_SQ_NEED_WAKEUP: u32 = 1 << 0;

/// Where the parts of the CQ ring lie, in bytes from the start of its mapping.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct io_cqring_offsets {
    /// How far the program has taken events.
    pub head: __u32,
    /// How far events have been posted.
    pub tail: __u32,
    /// Number of entries minus one.
    pub ring_mask: __u32,
    /// Number of entries.
    pub ring_entries: __u32,
    /// How many events found no room.
    pub overflow: __u32,
    /// The events.
    pub events: __u32,
    /// Zero.
    pub resv: [__u32; 4],
}

/// In `flags` of `io_uring_enter`: wait for completions.
pub const IORING_ENTER_GETEVENTS: u32 = 1 << 0;

/// What a ring is set up with, and what it got.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct io_uring_params {
    /// Out: number of iocbs and of entries in the SQ ring.
    pub sq_entries: __u32,
    /// Out: number of events in the CQ ring.
    pub cq_entries: __u32,
    /// In: `IORING_SETUP_*`.
    pub flags: __u32,
    /// In: the CPU of the submission thread.
    pub sq_thread_cpu: __u16,
    /// Zero.
    pub resv: [__u16; 9],
    /// Out: offsets in the SQ ring.
    pub sq_off: io_sqring_offsets,
    /// Out: offsets in the CQ ring.
    pub cq_off: io_cqring_offsets,
}
