//! Requests.

use super::types::*;

macro_rules! anon_union {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[repr(C)]
        #[allow(missing_docs)]
        pub union $name { $(pub $field: $type),+ }
    };
}
anon_union!(__anon_sqe_off {
    off: __u64,
    addr2: __u64,
    __anon1: __anon_sqe_cmd_op
});
anon_union!(__anon_sqe_addr {
    addr: __u64,
    splice_off_in: __u64,
    __anon1: __anon_sqe_sockopt
});
anon_union!(__anon_sqe_op_flags {
    rw_flags: __kernel_rwf_t,
    fsync_flags: __u32,
    poll32_events: __u32,
    msg_flags: __u32
});
anon_union!(__anon_sqe_buf {
    buf_index: __u16,
    buf_group: __u16
});
anon_union!(__anon_sqe_file {
    splice_fd_in: __s32,
    file_index: __u32,
    optlen: __u32
});
anon_union!(__anon_sqe_tail {
    __anon1: __anon_sqe_addr3,
    optval: __u64,
    cmd: [__u8; 0]
});

/// The command of `IORING_OP_URING_CMD`.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(missing_docs)]
pub struct __anon_sqe_cmd_op {
    pub cmd_op: __u32,
    pub __pad1: __u32,
}
/// The option of a socket command.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(missing_docs)]
pub struct __anon_sqe_sockopt {
    pub level: __u32,
    pub optname: __u32,
}
/// The last sixteen bytes.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(missing_docs)]
pub struct __anon_sqe_addr3 {
    pub addr3: __u64,
    pub __pad2: [__u64; 1],
}

/// A submission queue entry (SQE): one request.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct io_uring_sqe {
    /// `IORING_OP_*`.
    pub opcode: __u8,
    /// `IOSQE_*`.
    pub flags: __u8,
    /// The request's priority, or flags of some opcodes.
    pub ioprio: __u16,
    /// The file to act on.
    pub fd: __s32,
    /// Offset and its alternatives.
    pub __anon1: __anon_sqe_off,
    /// Address and its alternatives.
    pub __anon2: __anon_sqe_addr,
    /// Length of a buffer or number of vectors.
    pub len: __u32,
    /// The opcode's own flags.
    pub __anon3: __anon_sqe_op_flags,
    /// Comes back in the CQE.
    pub user_data: __u64,
    /// Registered buffer or buffer group.
    pub __anon4: __anon_sqe_buf,
    /// Registered credentials, or 0.
    pub personality: __u16,
    /// File slots and others.
    pub __anon5: __anon_sqe_file,
    /// The last sixteen bytes.
    pub __anon6: __anon_sqe_tail,
}

const _: () = assert!(size_of::<io_uring_sqe>() == 64);
