//! Restrictions on what a ring or a task may do.

use super::types::*;

/// Kinds of restrictions, for `opcode` of a `struct io_uring_restriction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum io_uring_register_restriction_op {
    /// Allow an opcode of `io_uring_register`. Since 5.10.
    IORING_RESTRICTION_REGISTER_OP = 0,
    /// Allow an opcode of requests. Since 5.10.
    IORING_RESTRICTION_SQE_OP = 1,
    /// Allow these flags in an SQE. Since 5.10.
    IORING_RESTRICTION_SQE_FLAGS_ALLOWED = 2,
    /// Demand these flags in every SQE. Since 5.10.
    IORING_RESTRICTION_SQE_FLAGS_REQUIRED = 3,
    /// One more than the highest kind known here.
    IORING_RESTRICTION_LAST = 4,
}
pub use io_uring_register_restriction_op::*;

/// One restriction.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct io_uring_restriction {
    /// `IORING_RESTRICTION_*`.
    pub opcode: __u16,
    /// What is allowed or demanded.
    pub __anon1: __anon_restriction,
    /// Zero.
    pub resv: __u8,
    /// Zero.
    pub resv2: [__u32; 3],
}

/// What is allowed or demanded.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_restriction {
    /// With `IORING_RESTRICTION_REGISTER_OP`: `IORING_REGISTER_*`.
    pub register_op: __u8,
    /// With `IORING_RESTRICTION_SQE_OP`: `IORING_OP_*`.
    pub sqe_op: __u8,
    /// With `IORING_RESTRICTION_SQE_FLAGS_*`: `IOSQE_*`.
    pub sqe_flags: __u8,
}

/// Restrictions of a task, for every ring that it makes later. Since 7.0.
#[repr(C)]
pub struct io_uring_task_restriction {
    /// Zero.
    pub flags: __u16,
    /// How many restrictions follow.
    pub nr_res: __u16,
    /// Zero.
    pub resv: [__u32; 3],
    /// The restrictions.
    pub restrictions: [io_uring_restriction; 0],
}
