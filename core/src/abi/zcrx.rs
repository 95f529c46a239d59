//! Zero-copy receive.

use core::ffi::c_int;

use super::types::*;

/// An entry of the refill ring: memory that goes back to the network device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_zcrx_rqe {
    /// Where the data was, with the area's token in the upper bits.
    pub off: __u64,
    /// Bytes of it.
    pub len: __u32,
    /// Zero.
    pub __pad: __u32,
}

/// The second half of a 32-byte CQE of `IORING_OP_RECV_ZC`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_zcrx_cqe {
    /// Where the data is, with the area's number in the upper bits.
    pub off: __u64,
    /// Zero.
    pub __pad: __u64,
}

/// Where the area's number starts in an offset.
pub const IORING_ZCRX_AREA_SHIFT: c_int = 48;
/// The bits of an offset that hold the area's number.
pub const IORING_ZCRX_AREA_MASK: u64 = !((1u64 << 48) - 1);

/// Where the parts of a refill ring lie, in bytes from the start of its region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_zcrx_offsets {
    /// The kernel's position.
    pub head: __u32,
    /// The application's position.
    pub tail: __u32,
    /// The entries.
    pub rqes: __u32,
    /// Zero.
    pub __resv2: __u32,
    /// Zero.
    pub __resv: [__u64; 2],
}

/// Flags of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_zcrx_area_flags {
    /// The area is a dma-buf, given by `dmabuf_fd`. Since 6.16.
    IORING_ZCRX_AREA_DMABUF = 1,
}
pub use io_uring_zcrx_area_flags::*;

/// An area: memory that the network device writes received data to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_zcrx_area_reg {
    /// Its address, aligned to a page; an offset into the dma-buf with `IORING_ZCRX_AREA_DMABUF`.
    pub addr: __u64,
    /// Its length in bytes, a multiple of the page size.
    pub len: __u64,
    /// Out: the area's token, for the upper bits of `off` in refill entries.
    pub rq_area_token: __u64,
    /// `IORING_ZCRX_AREA_*`.
    pub flags: __u32,
    /// The dma-buf, with `IORING_ZCRX_AREA_DMABUF`.
    pub dmabuf_fd: __u32,
    /// Zero.
    pub __resv2: [__u64; 2],
}

/// Flags of registering a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum zcrx_reg_flags {
    /// Use a queue that another ring exported; `if_idx` is its descriptor. Since 6.19.
    ZCRX_REG_IMPORT = 1,
    /// No network device: all data is copied, and refill entries may wait for `ZCRX_CTRL_FLUSH_RQ`.
    ZCRX_REG_NODEV = 2,
}
pub use zcrx_reg_flags::*;

/// Features of the kernel's zero-copy receive, as a query reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum zcrx_features {
    /// `rx_buf_len` chooses the size of receive pages.
    ZCRX_FEATURE_RX_PAGE_SIZE = 1 << 0,
}
pub use zcrx_features::*;

/// A receive queue of a network device to take over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_zcrx_ifq_reg {
    /// Index of the network interface.
    pub if_idx: __u32,
    /// Which of its receive queues.
    pub if_rxq: __u32,
    /// Entries of the refill ring. Out: rounded up to a power of two.
    pub rq_entries: __u32,
    /// `ZCRX_REG_*`.
    pub flags: __u32,
    /// Address of a `struct io_uring_zcrx_area_reg`.
    pub area_ptr: __u64,
    /// Address of a `struct io_uring_region_desc` with the memory of the refill ring.
    pub region_ptr: __u64,
    /// Out: the refill ring's offsets.
    pub offsets: io_uring_zcrx_offsets,
    /// Out: the queue's number, for `zcrx_ifq_idx`.
    pub zcrx_id: __u32,
    /// Bytes of a receive page; 0 is the system's page size.
    pub rx_buf_len: __u32,
    /// Zero.
    pub __resv: [__u64; 3],
}

/// Operations on a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum zcrx_ctrl_op {
    /// Let the kernel take the entries of the refill ring. Since 6.19.
    ZCRX_CTRL_FLUSH_RQ = 0,
    /// Make a descriptor by which another ring can use the queue. Since 6.19.
    ZCRX_CTRL_EXPORT = 1,
    /// One more than the highest operation known here.
    __ZCRX_CTRL_LAST = 2,
}
pub use zcrx_ctrl_op::*;

/// Argument of `ZCRX_CTRL_FLUSH_RQ`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct zcrx_ctrl_flush_rq {
    /// Zero.
    pub __resv: [__u64; 6],
}

/// Argument of `ZCRX_CTRL_EXPORT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct zcrx_ctrl_export {
    /// Out: the descriptor.
    pub zcrx_fd: __u32,
    /// Zero.
    pub __resv1: [__u32; 11],
}

/// An operation on a queue.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct zcrx_ctrl {
    /// The queue.
    pub zcrx_id: __u32,
    /// `ZCRX_CTRL_*`.
    pub op: __u32,
    /// Zero.
    pub __resv: [__u64; 2],
    /// The operation's argument.
    pub __anon1: __anon_zcrx_ctrl,
}

/// The operation's argument.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_zcrx_ctrl {
    /// For `ZCRX_CTRL_EXPORT`.
    pub zc_export: zcrx_ctrl_export,
    /// For `ZCRX_CTRL_FLUSH_RQ`.
    pub zc_flush: zcrx_ctrl_flush_rq,
}
