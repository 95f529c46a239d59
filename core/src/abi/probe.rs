//! Which opcodes a kernel has.

use super::types::*;

/// In `flags` of a probed opcode: the kernel has it. Since 5.6.
pub const IO_URING_OP_SUPPORTED: u32 = 1u32 << 0;

/// One opcode, probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_probe_op {
    /// The opcode.
    pub op: __u8,
    /// Zero.
    pub resv: __u8,
    /// `IO_URING_OP_SUPPORTED` or 0.
    pub flags: __u16,
    /// Zero.
    pub resv2: __u32,
}

/// The answer to `IORING_REGISTER_PROBE`. All zero before the call.
#[derive(Debug)]
#[repr(C)]
pub struct io_uring_probe {
    /// The highest opcode that the kernel knows of.
    pub last_op: __u8,
    /// How many elements of `ops` the kernel filled in.
    pub ops_len: __u8,
    /// Zero.
    pub resv: __u16,
    /// Zero.
    pub resv2: [__u32; 3],
    /// One element an opcode.
    pub ops: [io_uring_probe_op; 0],
}
