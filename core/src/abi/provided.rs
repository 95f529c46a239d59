//! Rings of provided buffers.

use super::types::*;

/// A provided buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_buf {
    /// Its address.
    pub addr: __u64,
    /// Its length in bytes.
    pub len: __u32,
    /// Its number, which the CQE reports.
    pub bid: __u16,
    /// In the ring's first entry this is the tail.
    pub resv: __u16,
}

/// A ring of provided buffers: its tail, laid over the unused field of its first entry.
#[repr(C)]
pub struct io_uring_buf_ring {
    /// The tail and the entries.
    pub __anon1: __anon_buf_ring,
}

/// The tail and the entries.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_buf_ring {
    /// The tail.
    pub __anon1: __anon_buf_ring_tail,
    /// The entries; a power of two.
    pub bufs: [io_uring_buf; 0],
}

/// The tail.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct __anon_buf_ring_tail {
    /// Of the first buffer.
    pub resv1: __u64,
    /// Of the first buffer.
    pub resv2: __u32,
    /// Of the first buffer.
    pub resv3: __u16,
    /// One after the last buffer provided, written by the application.
    pub tail: __u16,
}

/// Flags of a ring of provided buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_register_pbuf_ring_flags {
    /// The kernel allocates the ring; map it at `IORING_OFF_PBUF_RING`. Since 6.4.
    IOU_PBUF_RING_MMAP = 1,
    /// A buffer is used piece by piece until it is full. Since 6.12.
    IOU_PBUF_RING_INC = 2,
}
pub use io_uring_register_pbuf_ring_flags::*;

/// A ring of provided buffers to register or unregister.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_buf_reg {
    /// Address of the ring, aligned to a page; 0 with `IOU_PBUF_RING_MMAP`.
    pub ring_addr: __u64,
    /// Number of entries, a power of two, at most 32768.
    pub ring_entries: __u32,
    /// The group.
    pub bgid: __u16,
    /// `IOU_PBUF_RING_*`.
    pub flags: __u16,
    /// With `IOU_PBUF_RING_INC`: bytes that must be left for a buffer to be used again.
    pub min_left: __u32,
    /// Zero.
    pub resv: [__u32; 5],
}

/// The kernel's position in a ring of provided buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_buf_status {
    /// In: the group.
    pub buf_group: __u32,
    /// Out: the kernel's position.
    pub head: __u32,
    /// Zero.
    pub resv: [__u32; 8],
}
