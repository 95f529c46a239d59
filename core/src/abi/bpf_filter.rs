//! BPF programs that decide which requests may run.

use super::types::*;

/// A request as a filter program sees it. Since 7.0.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct io_uring_bpf_ctx {
    /// The request's `user_data`.
    pub user_data: __u64,
    /// `IORING_OP_*`.
    pub opcode: __u8,
    /// `IOSQE_*`.
    pub sqe_flags: __u8,
    /// Bytes of opcode-specific data below.
    pub pdu_size: __u8,
    /// Zero.
    pub pad: [__u8; 5],
    /// Opcode-specific data.
    pub __anon1: __anon_bpf_ctx_pdu,
}

/// Opcode-specific data.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_bpf_ctx_pdu {
    /// For `IORING_OP_SOCKET`.
    pub socket: __anon_bpf_ctx_socket,
    /// For `IORING_OP_OPENAT` and `IORING_OP_OPENAT2`.
    pub open: __anon_bpf_ctx_open,
}

/// For `IORING_OP_SOCKET`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct __anon_bpf_ctx_socket {
    /// `AF_*`.
    pub family: __u32,
    /// `SOCK_*`.
    pub r#type: __u32,
    /// The protocol, as `socket(2)` takes it.
    pub protocol: __u32,
}

/// For `IORING_OP_OPENAT` and `IORING_OP_OPENAT2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct __anon_bpf_ctx_open {
    /// `O_*`.
    pub flags: __u64,
    /// Permissions of a new file.
    pub mode: __u64,
    /// `RESOLVE_*`.
    pub resolve: __u64,
}

/// Flags of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum __anon_bpf_filter_flags {
    /// Deny every opcode that has no filter. Since 7.0.
    IO_URING_BPF_FILTER_DENY_REST = 1,
    /// Refuse the filter if its `pdu_size` is not the kernel's. Since 7.0.
    IO_URING_BPF_FILTER_SZ_STRICT = 2,
}
pub use __anon_bpf_filter_flags::*;

/// A filter of one opcode. Since 7.0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct io_uring_bpf_filter {
    /// The `IORING_OP_*` to filter.
    pub opcode: __u32,
    /// `IO_URING_BPF_FILTER_*`.
    pub flags: __u32,
    /// Number of BPF instructions.
    pub filter_len: __u32,
    /// Bytes of opcode-specific data that the program expects.
    pub pdu_size: __u8,
    /// Zero.
    pub resv: [__u8; 3],
    /// Address of the program: classic BPF, an array of `struct sock_filter`.
    pub filter_ptr: __u64,
    /// Zero.
    pub resv2: [__u64; 5],
}

/// Commands of `IORING_REGISTER_BPF_FILTER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum __anon_bpf_cmd {
    /// Add a filter. Since 7.0.
    IO_URING_BPF_CMD_FILTER = 1,
}
pub use __anon_bpf_cmd::*;

/// Argument of `IORING_REGISTER_BPF_FILTER`. Since 7.0.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct io_uring_bpf {
    /// `IO_URING_BPF_CMD_*`.
    pub cmd_type: __u16,
    /// Zero.
    pub cmd_flags: __u16,
    /// Zero.
    pub resv: __u32,
    /// The command's argument.
    pub __anon1: __anon_bpf_arg,
}

/// The command's argument.
#[derive(Clone, Copy)]
#[repr(C)]
pub union __anon_bpf_arg {
    /// For `IO_URING_BPF_CMD_FILTER`.
    pub filter: io_uring_bpf_filter,
}
