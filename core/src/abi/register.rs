//! Opcodes of `io_uring_register`, and the arguments that belong to no other topic.

use super::types::*;

/// Opcodes of `io_uring_register`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_register_op {
    /// Register buffers: an array of iovecs. Since 5.1.
    IORING_REGISTER_BUFFERS = 0,
    /// Unregister all buffers. Since 5.1.
    IORING_UNREGISTER_BUFFERS = 1,
    /// Register files: an array of descriptors. Since 5.1.
    IORING_REGISTER_FILES = 2,
    /// Unregister all files. Since 5.1.
    IORING_UNREGISTER_FILES = 3,
    /// Signal an eventfd on each completion. Since 5.2.
    IORING_REGISTER_EVENTFD = 4,
    /// Stop signalling the eventfd. Since 5.2.
    IORING_UNREGISTER_EVENTFD = 5,
    /// Replace registered files: a `struct io_uring_files_update`. Since 5.5.
    IORING_REGISTER_FILES_UPDATE = 6,
    /// Signal an eventfd only for requests that did not complete inline. Since 5.6.
    IORING_REGISTER_EVENTFD_ASYNC = 7,
    /// Ask which opcodes the kernel has: a `struct io_uring_probe`. Since 5.6.
    IORING_REGISTER_PROBE = 8,
    /// Register the caller's credentials. Since 5.6.
    IORING_REGISTER_PERSONALITY = 9,
    /// Forget registered credentials. Since 5.6.
    IORING_UNREGISTER_PERSONALITY = 10,
    /// Restrict what the ring may do: an array of `struct io_uring_restriction`. Since 5.10.
    IORING_REGISTER_RESTRICTIONS = 11,
    /// Enable a ring made with `IORING_SETUP_R_DISABLED`. Since 5.10.
    IORING_REGISTER_ENABLE_RINGS = 12,
    /// Register files with tags: a `struct io_uring_rsrc_register`. Since 5.13.
    IORING_REGISTER_FILES2 = 13,
    /// Replace registered files and tags: a `struct io_uring_rsrc_update2`. Since 5.13.
    IORING_REGISTER_FILES_UPDATE2 = 14,
    /// Register buffers with tags: a `struct io_uring_rsrc_register`. Since 5.13.
    IORING_REGISTER_BUFFERS2 = 15,
    /// Replace registered buffers and tags: a `struct io_uring_rsrc_update2`. Since 5.13.
    IORING_REGISTER_BUFFERS_UPDATE = 16,
    /// Choose the CPUs of the workers: a CPU set. Since 5.14.
    IORING_REGISTER_IOWQ_AFF = 17,
    /// Let workers run on all CPUs again. Since 5.14.
    IORING_UNREGISTER_IOWQ_AFF = 18,
    /// Limit the number of workers: two numbers, see `enum io_wq_type`. Since 5.15.
    IORING_REGISTER_IOWQ_MAX_WORKERS = 19,
    /// Register descriptors of rings: an array of `struct io_uring_rsrc_update`. Since 5.18.
    IORING_REGISTER_RING_FDS = 20,
    /// Unregister descriptors of rings. Since 5.18.
    IORING_UNREGISTER_RING_FDS = 21,
    /// Register a ring of provided buffers: a `struct io_uring_buf_reg`. Since 5.19.
    IORING_REGISTER_PBUF_RING = 22,
    /// Unregister a ring of provided buffers. Since 5.19.
    IORING_UNREGISTER_PBUF_RING = 23,
    /// Cancel requests and wait for it: a `struct io_uring_sync_cancel_reg`. Since 6.0.
    IORING_REGISTER_SYNC_CANCEL = 24,
    /// Set the range of file slots that the kernel may pick: a `struct io_uring_file_index_range`. Since 6.0.
    IORING_REGISTER_FILE_ALLOC_RANGE = 25,
    /// Read the kernel's position in a provided buffer ring: a `struct io_uring_buf_status`. Since 6.8.
    IORING_REGISTER_PBUF_STATUS = 26,
    /// Poll network queues while waiting: a `struct io_uring_napi`. Since 6.9.
    IORING_REGISTER_NAPI = 27,
    /// Stop polling network queues. Since 6.9.
    IORING_UNREGISTER_NAPI = 28,
    /// Choose the clock of waits: a `struct io_uring_clock_register`. Since 6.12.
    IORING_REGISTER_CLOCK = 29,
    /// Share another ring's buffers: a `struct io_uring_clone_buffers`. Since 6.12.
    IORING_REGISTER_CLONE_BUFFERS = 30,
    /// Send an `IORING_OP_MSG_RING` request without a ring: a `struct io_uring_sqe`. Since 6.13.
    IORING_REGISTER_SEND_MSG_RING = 31,
    /// Take over a receive queue of a network device: a `struct io_uring_zcrx_ifq_reg`. Since 6.15.
    IORING_REGISTER_ZCRX_IFQ = 32,
    /// Change the sizes of the rings: a `struct io_uring_params`. Since 6.13.
    IORING_REGISTER_RESIZE_RINGS = 33,
    /// Register memory, such as wait arguments: a `struct io_uring_mem_region_reg`. Since 6.13.
    IORING_REGISTER_MEM_REGION = 34,
    /// Ask what the kernel supports: a chain of `struct io_uring_query_hdr`. Since 6.18.
    IORING_REGISTER_QUERY = 35,
    /// Control a zero-copy receive queue: a `struct zcrx_ctrl`. Since 6.19.
    IORING_REGISTER_ZCRX_CTRL = 36,
    /// Filter requests with a BPF program: a `struct io_uring_bpf`. Since 7.0.
    IORING_REGISTER_BPF_FILTER = 37,
    /// One more than the highest opcode known here.
    IORING_REGISTER_LAST = 38,
    /// Added to an opcode: the ring is given by the index of its registration. Since 6.3.
    IORING_REGISTER_USE_REGISTERED_RING = 1u32 << 31,
}
pub use io_uring_register_op::*;

/// The two kinds of workers: indexes of `IORING_REGISTER_IOWQ_MAX_WORKERS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_wq_type {
    /// For work that ends in bounded time, such as regular files.
    IO_WQ_BOUND = 0,
    /// For work of unbounded time, such as sockets.
    IO_WQ_UNBOUND = 1,
}
pub use io_wq_type::*;

/// Which clock times a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_clock_register {
    /// `CLOCK_MONOTONIC` or `CLOCK_BOOTTIME`.
    pub clockid: __u32,
    /// Zero.
    pub __resv: [__u32; 3],
}

/// Busy polling of network queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_napi {
    /// Microseconds to poll before sleeping. Out: the previous value.
    pub busy_poll_to: __u32,
    /// 1 to keep the device's interrupts off while polling. Out: the previous value.
    pub prefer_busy_poll: __u8,
    /// Zero.
    pub pad: [__u8; 3],
    /// Zero.
    pub resv: __u64,
}

/// A synchronous cancellation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_sync_cancel_reg {
    /// The `user_data` to match.
    pub addr: __u64,
    /// The file to match, with `IORING_ASYNC_CANCEL_FD`.
    pub fd: __s32,
    /// `IORING_ASYNC_CANCEL_*`.
    pub flags: __u32,
    /// The longest time to wait for the requests to end; both fields -1 waits without limit.
    pub timeout: __kernel_timespec,
    /// The opcode to match, with `IORING_ASYNC_CANCEL_OP`. Since 6.6.
    pub opcode: __u8,
    /// Zero.
    pub pad: [__u8; 7],
    /// Zero.
    pub pad2: [__u64; 3],
}

/// The file slots that the kernel may pick for `IORING_FILE_INDEX_ALLOC`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_file_index_range {
    /// The first slot.
    pub off: __u32,
    /// How many.
    pub len: __u32,
    /// Zero.
    pub resv: __u64,
}
