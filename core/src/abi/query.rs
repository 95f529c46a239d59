//! Queries: what a kernel supports.

use super::types::*;

/// A query; queries form a chain. Since 6.18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_query_hdr {
    /// Address of the next query, or 0.
    pub next_entry: __u64,
    /// Address of the memory for the answer.
    pub query_data: __u64,
    /// `IO_URING_QUERY_*`.
    pub query_op: __u32,
    /// Bytes of memory for the answer. Out: bytes of the kernel's answer.
    pub size: __u32,
    /// Out: 0 or a negative error number.
    pub result: __s32,
    /// Zero.
    pub __resv: [__u32; 3],
}

/// What can be queried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum __anon_query_op {
    /// Opcodes and flags: a `struct io_uring_query_opcode`. Since 6.18.
    IO_URING_QUERY_OPCODES = 0,
    /// Zero-copy receive: a `struct io_uring_query_zcrx`. Since 6.19.
    IO_URING_QUERY_ZCRX = 1,
    /// Memory of the rings: a `struct io_uring_query_scq`. Since 6.19.
    IO_URING_QUERY_SCQ = 2,
    /// One more than the highest query known here.
    __IO_URING_QUERY_MAX = 3,
}
pub use __anon_query_op::*;

/// Which opcodes and flags the kernel has. Needs no ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_query_opcode {
    /// Number of `IORING_OP_*`.
    pub nr_request_opcodes: __u32,
    /// Number of `IORING_REGISTER_*` and `IORING_UNREGISTER_*`.
    pub nr_register_opcodes: __u32,
    /// All `IORING_FEAT_*` that the kernel has.
    pub feature_flags: __u64,
    /// All `IORING_SETUP_*` that the kernel has.
    pub ring_setup_flags: __u64,
    /// All `IORING_ENTER_*` that the kernel has.
    pub enter_flags: __u64,
    /// All `IOSQE_*` that the kernel has.
    pub sqe_flags: __u64,
    /// Number of queries.
    pub nr_query_opcodes: __u32,
    /// Zero.
    pub __pad: __u32,
}

/// Flags and features of zero-copy receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_query_zcrx {
    /// All `ZCRX_REG_*` that the kernel has.
    pub register_flags: __u64,
    /// All `IORING_ZCRX_AREA_*` that the kernel has.
    pub area_flags: __u64,
    /// Number of `ZCRX_CTRL_*`.
    pub nr_ctrl_opcodes: __u32,
    /// `ZCRX_FEATURE_*`.
    pub features: __u32,
    /// Bytes of the refill ring's header.
    pub rq_hdr_size: __u32,
    /// Alignment of that header in bytes.
    pub rq_hdr_alignment: __u32,
    /// Zero.
    pub __resv2: __u64,
}

/// Memory that the rings need beside their entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_query_scq {
    /// Bytes of the rings' header.
    pub hdr_size: __u64,
    /// Alignment of that header in bytes.
    pub hdr_alignment: __u64,
}
