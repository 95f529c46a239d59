//! What each opcode's fields point to.
//!
//! Every `match` on an opcode lists all of them: a new one does not compile until it has its rule.

use uring_core::abi::io_uring_op;
use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

/// How long memory must stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Until the kernel has taken the SQE.
    Submitted,
    /// Until the request's last CQE.
    Completed,
}

/// Memory that an SQE names.
#[derive(Clone, Copy, Debug)]
pub struct Pointer {
    /// What it is, for people.
    pub what: &'static str,
    pub at: u64,
    pub len: u64,
    /// The kernel writes to it.
    pub written: bool,
    /// And nobody else has business there until the request ends.
    pub owned: bool,
    pub until: Until,
    pub inner: Inner,
}

/// What the memory itself points to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inner {
    Nothing,
    /// An array of so many iovecs, whose memory the kernel writes or reads.
    Vectors {
        count: u64,
        written: bool,
    },
    /// A message header.
    Message {
        written: bool,
        selected: bool,
    },
}

/// The opcode of a number, or none if this version does not know it.
pub const fn opcode(number: u8) -> Option<io_uring_op> {
    if number as u32 >= IORING_OP_LAST as u32 {
        return None;
    }
    // SAFETY: the enumeration has a value for each number below its last, without a gap, and is as wide as `u32`.
    Some(unsafe { std::mem::transmute::<u32, io_uring_op>(number as u32) })
}

/// `IORING_OP_READ`.
pub fn name(number: u8) -> String {
    opcode(number).map_or_else(|| format!("opcode {number}"), |op| format!("{op:?}"))
}

/// The manual's page about the request.
pub fn page(number: u8) -> String {
    let Some(op) = opcode(number) else {
        return "io_uring_enter(2)".into();
    };
    let helper = match op {
        // There is no helper.
        IORING_OP_RECV_ZC => return "io_uring_register_ifq(3)".into(),
        IORING_OP_ASYNC_CANCEL => "cancel".into(),
        _ => format!("{op:?}")
            .trim_start_matches("IORING_OP_")
            .to_lowercase(),
    };
    format!("io_uring_prep_{helper}(3)")
}

/// Whether `fd` names the file that the request works on.
pub fn has_file(number: u8) -> bool {
    let Some(op) = opcode(number) else {
        return false;
    };
    match op {
        IORING_OP_NOP
        | IORING_OP_NOP128
        | IORING_OP_POLL_REMOVE
        | IORING_OP_TIMEOUT
        | IORING_OP_TIMEOUT_REMOVE
        | IORING_OP_ASYNC_CANCEL
        | IORING_OP_LINK_TIMEOUT
        | IORING_OP_OPENAT
        | IORING_OP_OPENAT2
        | IORING_OP_CLOSE
        | IORING_OP_FILES_UPDATE
        | IORING_OP_STATX
        | IORING_OP_MADVISE
        | IORING_OP_PROVIDE_BUFFERS
        | IORING_OP_REMOVE_BUFFERS
        | IORING_OP_RENAMEAT
        | IORING_OP_UNLINKAT
        | IORING_OP_MKDIRAT
        | IORING_OP_SYMLINKAT
        | IORING_OP_LINKAT
        | IORING_OP_SETXATTR
        | IORING_OP_GETXATTR
        | IORING_OP_SOCKET
        | IORING_OP_WAITID
        | IORING_OP_FUTEX_WAIT
        | IORING_OP_FUTEX_WAKE
        | IORING_OP_FUTEX_WAITV
        | IORING_OP_PIPE
        | IORING_OP_LAST => false,
        IORING_OP_READV
        | IORING_OP_WRITEV
        | IORING_OP_FSYNC
        | IORING_OP_READ_FIXED
        | IORING_OP_WRITE_FIXED
        | IORING_OP_POLL_ADD
        | IORING_OP_SYNC_FILE_RANGE
        | IORING_OP_SENDMSG
        | IORING_OP_RECVMSG
        | IORING_OP_ACCEPT
        | IORING_OP_CONNECT
        | IORING_OP_FALLOCATE
        | IORING_OP_READ
        | IORING_OP_WRITE
        | IORING_OP_FADVISE
        | IORING_OP_SEND
        | IORING_OP_RECV
        | IORING_OP_EPOLL_CTL
        | IORING_OP_SPLICE
        | IORING_OP_TEE
        | IORING_OP_SHUTDOWN
        | IORING_OP_MSG_RING
        | IORING_OP_FSETXATTR
        | IORING_OP_FGETXATTR
        | IORING_OP_URING_CMD
        | IORING_OP_URING_CMD128
        | IORING_OP_SEND_ZC
        | IORING_OP_SENDMSG_ZC
        | IORING_OP_READ_MULTISHOT
        | IORING_OP_FIXED_FD_INSTALL
        | IORING_OP_FTRUNCATE
        | IORING_OP_BIND
        | IORING_OP_LISTEN
        | IORING_OP_RECV_ZC
        | IORING_OP_EPOLL_WAIT
        | IORING_OP_READV_FIXED
        | IORING_OP_WRITEV_FIXED => true,
    }
}

/// What an SQE holds, as numbers.
pub struct Fields {
    pub addr: u64,
    pub addr2: u64,
    pub addr3: u64,
    pub len: u64,
    pub op_flags: u32,
    pub ioprio: u32,
    pub flags: u32,
}

impl Fields {
    pub fn of(sqe: &io_uring_sqe) -> Fields {
        // SAFETY: the members of each union are numbers, and any bytes are a number.
        unsafe {
            Fields {
                addr: sqe.__anon2.addr,
                addr2: sqe.__anon1.addr2,
                addr3: sqe.__anon6.__anon1.addr3,
                len: u64::from(sqe.len),
                op_flags: sqe.__anon3.msg_flags,
                ioprio: u32::from(sqe.ioprio),
                flags: u32::from(sqe.flags),
            }
        }
    }
}

const NAMED: Pointer = Pointer {
    what: "",
    at: 0,
    len: 1,
    written: false,
    owned: false,
    until: Until::Submitted,
    inner: Inner::Nothing,
};

/// What is transferred, as the result counts it.
pub const DATA: [&str; 2] = ["buffer", "value"];
/// Structures without a gap between their fields, all of which the kernel reads.
pub const GAPLESS: [&str; 2] = ["iovec array", "timespec"];

/// Calls `found` with each piece of memory that the SQE itself names.
pub fn pointers(sqe: &io_uring_sqe, mut found: impl FnMut(Pointer)) {
    let Some(op) = opcode(sqe.opcode) else {
        return;
    };
    let f = Fields::of(sqe);
    let selected = f.flags & IOSQE_BUFFER_SELECT != 0;
    let mut at_submit = |what, at, len| {
        found(Pointer {
            what,
            at,
            len,
            ..NAMED
        })
    };
    match op {
        // Nothing, or numbers only. Or memory that belongs to someone else than the request.
        IORING_OP_NOP
        | IORING_OP_NOP128
        | IORING_OP_FSYNC
        | IORING_OP_POLL_ADD
        | IORING_OP_POLL_REMOVE
        | IORING_OP_SYNC_FILE_RANGE
        | IORING_OP_ASYNC_CANCEL
        | IORING_OP_FALLOCATE
        | IORING_OP_CLOSE
        | IORING_OP_FADVISE
        | IORING_OP_MADVISE
        | IORING_OP_SPLICE
        | IORING_OP_PROVIDE_BUFFERS
        | IORING_OP_REMOVE_BUFFERS
        | IORING_OP_TEE
        | IORING_OP_SHUTDOWN
        | IORING_OP_MSG_RING
        | IORING_OP_SOCKET
        | IORING_OP_URING_CMD
        | IORING_OP_URING_CMD128
        | IORING_OP_READ_MULTISHOT
        | IORING_OP_FUTEX_WAIT
        | IORING_OP_FUTEX_WAKE
        | IORING_OP_FIXED_FD_INSTALL
        | IORING_OP_FTRUNCATE
        | IORING_OP_LISTEN
        | IORING_OP_RECV_ZC
        | IORING_OP_LAST => {}
        IORING_OP_TIMEOUT | IORING_OP_LINK_TIMEOUT => {
            if f.op_flags & IORING_TIMEOUT_IMMEDIATE_ARG == 0 {
                at_submit("timespec", f.addr, 16);
            }
        }
        IORING_OP_TIMEOUT_REMOVE => {
            if f.op_flags & IORING_TIMEOUT_UPDATE_MASK != 0
                && f.op_flags & IORING_TIMEOUT_IMMEDIATE_ARG == 0
            {
                at_submit("timespec", f.addr2, 16);
            }
        }
        IORING_OP_CONNECT | IORING_OP_BIND => at_submit("address", f.addr, f.addr2),
        IORING_OP_OPENAT | IORING_OP_UNLINKAT | IORING_OP_MKDIRAT => at_submit("path", f.addr, 1),
        IORING_OP_OPENAT2 => {
            at_submit("path", f.addr, 1);
            at_submit("open_how", f.addr2, f.len);
        }
        IORING_OP_RENAMEAT | IORING_OP_SYMLINKAT | IORING_OP_LINKAT => {
            at_submit("path", f.addr, 1);
            at_submit("second path", f.addr2, 1);
        }
        IORING_OP_FSETXATTR | IORING_OP_SETXATTR => {
            at_submit("name", f.addr, 1);
            at_submit("value", f.addr2, f.len);
            if op == IORING_OP_SETXATTR {
                at_submit("path", f.addr3, 1);
            }
        }
        IORING_OP_EPOLL_CTL => at_submit("event", f.addr, 12),
        IORING_OP_FUTEX_WAITV => at_submit("array of futexes", f.addr, f.len * 24),
        IORING_OP_READV | IORING_OP_WRITEV | IORING_OP_READV_FIXED | IORING_OP_WRITEV_FIXED => {
            found(Pointer {
                what: "iovec array",
                at: f.addr,
                len: f.len * size_of::<iovec>() as u64,
                inner: Inner::Vectors {
                    count: f.len,
                    written: matches!(op, IORING_OP_READV | IORING_OP_READV_FIXED),
                },
                ..NAMED
            });
        }
        IORING_OP_SENDMSG | IORING_OP_SENDMSG_ZC | IORING_OP_RECVMSG => {
            let written = op == IORING_OP_RECVMSG;
            // What was received is noted in the header, but for a multishot request.
            let back = written && f.ioprio & IORING_RECV_MULTISHOT == 0;
            found(Pointer {
                what: "msghdr",
                at: f.addr,
                len: size_of::<msghdr>() as u64,
                written: back,
                // The program may read what else is in it.
                owned: false,
                until: if back {
                    Until::Completed
                } else {
                    Until::Submitted
                },
                inner: Inner::Message { written, selected },
            });
        }
        IORING_OP_READ
        | IORING_OP_READ_FIXED
        | IORING_OP_RECV
        | IORING_OP_WRITE
        | IORING_OP_WRITE_FIXED
        | IORING_OP_SEND
        | IORING_OP_SEND_ZC
        | IORING_OP_ACCEPT
        | IORING_OP_STATX
        | IORING_OP_FILES_UPDATE
        | IORING_OP_FGETXATTR
        | IORING_OP_GETXATTR
        | IORING_OP_WAITID
        | IORING_OP_PIPE
        | IORING_OP_EPOLL_WAIT => kept(op, &f, found),
    }
}

/// [`pointers`] of the opcodes that use memory until they complete.
fn kept(op: io_uring_op, f: &Fields, mut found: impl FnMut(Pointer)) {
    let selected = f.flags & IOSQE_BUFFER_SELECT != 0;
    let mut keep = |what, at, len, written| {
        found(Pointer {
            what,
            at,
            len,
            written,
            owned: written,
            until: Until::Completed,
            ..NAMED
        })
    };
    match op {
        IORING_OP_READ | IORING_OP_READ_FIXED | IORING_OP_RECV if !selected => {
            keep("buffer", f.addr, f.len, true);
        }
        IORING_OP_SEND | IORING_OP_SEND_ZC if f.ioprio & IORING_SEND_VECTORIZED != 0 => {
            found(Pointer {
                what: "iovec array",
                at: f.addr,
                len: f.len * size_of::<iovec>() as u64,
                inner: Inner::Vectors {
                    count: f.len,
                    written: false,
                },
                ..NAMED
            });
        }
        IORING_OP_WRITE | IORING_OP_WRITE_FIXED | IORING_OP_SEND | IORING_OP_SEND_ZC
            if !selected =>
        {
            keep("buffer", f.addr, f.len, false);
        }
        IORING_OP_ACCEPT => {
            keep("address", f.addr, 1, true);
            keep("address length", f.addr2, 4, true);
        }
        IORING_OP_STATX => {
            found(Pointer {
                what: "path",
                at: f.addr,
                ..NAMED
            });
            found(Pointer {
                what: "statx buffer",
                at: f.addr2,
                len: 256,
                written: true,
                owned: true,
                until: Until::Completed,
                ..NAMED
            });
        }
        // The kernel reads it, and writes numbers of slots there in the end.
        IORING_OP_FILES_UPDATE => found(Pointer {
            what: "array of descriptors",
            at: f.addr,
            len: f.len * 4,
            written: true,
            until: Until::Completed,
            ..NAMED
        }),
        IORING_OP_FGETXATTR | IORING_OP_GETXATTR => {
            for (what, at) in [("name", f.addr), ("path", f.addr3)] {
                if what == "name" || op == IORING_OP_GETXATTR {
                    found(Pointer { what, at, ..NAMED });
                }
            }
            found(Pointer {
                what: "value",
                at: f.addr2,
                len: f.len,
                written: true,
                owned: true,
                until: Until::Completed,
                ..NAMED
            });
        }
        IORING_OP_WAITID => keep("siginfo", f.addr2, 128, true),
        IORING_OP_PIPE => keep("pair of descriptors", f.addr, 8, true),
        IORING_OP_EPOLL_WAIT => keep("events", f.addr, f.len * 12, true),
        _ => {}
    }
}
