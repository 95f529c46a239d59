//! Which fields each opcode takes, and what it needs of its ring.
//!
//! What a helper sets is found by calling all of them: see [`helpers`]. What a program may set afterwards is listed here.
//! What the kernel refuses is found by trying: see [`kernel`].
//! The `match` lists all opcodes: a new one does not compile until it has its rule.

mod helpers;
mod kernel;

use uring_core::abi::io_uring_op::{self, *};
use uring_core::abi::*;

use crate::mode::mode;
use crate::ops::{self, Fields};
use crate::rules::Rule;
use crate::running;
use helpers::SET_BY_HELPERS;
pub use kernel::{KERNEL, VERSION};
use kernel::{REFUSED, Refuses};

// As tests/helpers.py numbers them.
pub const OFF: u8 = 1 << 0;
pub const ADDR: u8 = 1 << 1;
pub const LEN: u8 = 1 << 2;
pub const OP_FLAGS: u8 = 1 << 3;
pub const IOPRIO: u8 = 1 << 4;
pub const BUFFER: u8 = 1 << 5;
pub const FILE: u8 = 1 << 6;
pub const ADDR3: u8 = 1 << 7;
const ALL: u8 = 0xff;
/// Those that `io_uring_get_sqe()` clears.
pub const CLEARED: u8 = !(OFF | ADDR | LEN);

/// Fields that a program sets after the helper, or that have no helper.
const fn set_afterwards(op: io_uring_op) -> u8 {
    match op {
        // What is not taken does no harm, and drivers define what commands mean.
        IORING_OP_NOP
        | IORING_OP_NOP128
        | IORING_OP_URING_CMD
        | IORING_OP_URING_CMD128
        | IORING_OP_RECV_ZC
        | IORING_OP_LAST => ALL,
        // A buffer group; metadata.
        IORING_OP_READ
        | IORING_OP_READV
        | IORING_OP_READ_FIXED
        | IORING_OP_READV_FIXED
        | IORING_OP_READ_MULTISHOT => OP_FLAGS | IOPRIO | BUFFER | ADDR3,
        // Also a stream.
        IORING_OP_WRITE | IORING_OP_WRITEV | IORING_OP_WRITE_FIXED | IORING_OP_WRITEV_FIXED => {
            OP_FLAGS | IOPRIO | FILE | ADDR3
        }
        // A range.
        IORING_OP_FSYNC => OFF | LEN,
        // A destination; a buffer group, or a registered buffer.
        IORING_OP_SEND | IORING_OP_SENDMSG | IORING_OP_SEND_ZC | IORING_OP_SENDMSG_ZC => {
            OFF | IOPRIO | BUFFER | FILE
        }
        // A limit for all that is received.
        IORING_OP_RECV | IORING_OP_RECVMSG => IOPRIO | BUFFER | FILE,
        IORING_OP_ACCEPT => IOPRIO,
        // The opcode that is looked for.
        IORING_OP_ASYNC_CANCEL => LEN,
        IORING_OP_POLL_ADD
        | IORING_OP_POLL_REMOVE
        | IORING_OP_SYNC_FILE_RANGE
        | IORING_OP_TIMEOUT
        | IORING_OP_TIMEOUT_REMOVE
        | IORING_OP_LINK_TIMEOUT
        | IORING_OP_CONNECT
        | IORING_OP_FALLOCATE
        | IORING_OP_OPENAT
        | IORING_OP_CLOSE
        | IORING_OP_FILES_UPDATE
        | IORING_OP_STATX
        | IORING_OP_FADVISE
        | IORING_OP_MADVISE
        | IORING_OP_OPENAT2
        | IORING_OP_EPOLL_CTL
        | IORING_OP_SPLICE
        | IORING_OP_PROVIDE_BUFFERS
        | IORING_OP_REMOVE_BUFFERS
        | IORING_OP_TEE
        | IORING_OP_SHUTDOWN
        | IORING_OP_RENAMEAT
        | IORING_OP_UNLINKAT
        | IORING_OP_MKDIRAT
        | IORING_OP_SYMLINKAT
        | IORING_OP_LINKAT
        | IORING_OP_MSG_RING
        | IORING_OP_FSETXATTR
        | IORING_OP_SETXATTR
        | IORING_OP_FGETXATTR
        | IORING_OP_GETXATTR
        | IORING_OP_SOCKET
        | IORING_OP_WAITID
        | IORING_OP_FUTEX_WAIT
        | IORING_OP_FUTEX_WAKE
        | IORING_OP_FUTEX_WAITV
        | IORING_OP_FIXED_FD_INSTALL
        | IORING_OP_FTRUNCATE
        | IORING_OP_BIND
        | IORING_OP_LISTEN
        | IORING_OP_EPOLL_WAIT
        | IORING_OP_PIPE => 0,
    }
}

const COUNT: usize = IORING_OP_LAST as usize;

/// The fields that each opcode takes.
pub static TAKEN: [u8; COUNT] = {
    let mut taken = [0; COUNT];
    let mut at = 0;
    while at < COUNT {
        taken[at] = match ops::opcode(at as u8) {
            Some(op) => set_afterwards(op),
            None => ALL,
        };
        at += 1;
    }
    at = 0;
    while at < SET_BY_HELPERS.len() {
        let (op, fields) = SET_BY_HELPERS[at];
        taken[op as usize] |= fields;
        at += 1;
    }
    taken
};

// The table has a row for each opcode, in their order, and agrees with what is written down by hand.
const _: () = {
    assert!(
        REFUSED.len() == COUNT,
        "an opcode is missing: tests/refusals.py"
    );
    let mut at = 0;
    while at < COUNT {
        let (op, row) = &REFUSED[at];
        assert!(*op as usize == at, "opcodes are out of order");
        if let Some(row) = row {
            let (op_flags, len) = later_bits(*op);
            assert!(
                row.op_flags & op_flags == op_flags && row.len & len == len,
                "the kernel takes bits that `later_bits` has"
            );
            assert!(
                row.heeded & !TAKEN[at] == 0,
                "the kernel takes a field that `set_afterwards` leaves out"
            );
            let selects = row.flags & IOSQE_BUFFER_SELECT == 0;
            assert!(
                !selects || selects_buffers(*op),
                "the kernel takes a buffer of a group that `selects_buffers` leaves out"
            );
        }
        at += 1;
    }
};

/// Bits of an opcode's flags, and of its `len`, that the headers have, and that the kernel of the table does not take yet.
pub const fn later_bits(op: io_uring_op) -> (u32, u32) {
    match op {
        IORING_OP_NOP => (IORING_NOP_CQE32, 0),
        IORING_OP_TIMEOUT | IORING_OP_TIMEOUT_REMOVE | IORING_OP_LINK_TIMEOUT => {
            (IORING_TIMEOUT_IMMEDIATE_ARG, 0)
        }
        IORING_OP_POLL_ADD | IORING_OP_POLL_REMOVE => (0, IORING_POLL_ADD_LEVEL),
        _ => (0, 0),
    }
}

// The numbers of these flags differ from one architecture to another.
const _: () = {
    let (accept, pipe) = (
        &REFUSED[IORING_OP_ACCEPT as usize].1,
        &REFUSED[IORING_OP_PIPE as usize].1,
    );
    let (Some(accept), Some(pipe)) = (accept, pipe) else {
        panic!("they were not tried");
    };
    let of_sockets = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let of_pipes = libc::O_CLOEXEC | libc::O_DIRECT | libc::O_NONBLOCK;
    assert!(accept.op_flags & of_sockets as u32 == 0);
    assert!(pipe.op_flags & of_pipes as u32 == 0);
};

/// Whether the tables are to speak for the kernel that runs. A newer one may take what they do not have, so there they
/// speak only for a rule that was asked for.
pub fn speak_for(rule: Rule) -> bool {
    !running::is_after(VERSION) || mode().asks(rule)
}

/// What the kernel refuses of an opcode, if it was tried.
pub fn row(number: u8) -> Option<&'static Refuses> {
    REFUSED.get(usize::from(number))?.1.as_ref()
}

/// Whether the kernel refuses a flag of an SQE for its opcode.
pub fn refuses_flag(number: u8, flag: u32) -> bool {
    row(number).is_some_and(|row| row.flags & flag != 0)
}

/// A field that the program has set, and that the opcode does not take, with its number. Only those are looked at that
/// `io_uring_get_sqe()` clears: what others hold may be of the slot's last use.
#[inline]
pub fn not_taken(sqe: &io_uring_sqe) -> Option<(u8, &'static str)> {
    // SAFETY: the members of each union are numbers, and any bytes are a number.
    let (op_flags, buffer, file, addr3) = unsafe {
        (
            sqe.__anon3.rw_flags != 0,
            sqe.__anon4.buf_index != 0,
            sqe.__anon5.file_index != 0,
            sqe.__anon6.__anon1.addr3 != 0,
        )
    };
    let ioprio = sqe.ioprio != 0;
    if !(op_flags | ioprio | buffer | file | addr3) {
        return None;
    }
    let taken = *TAKEN.get(usize::from(sqe.opcode))?;
    [
        (op_flags, OP_FLAGS, "the flags of an opcode"),
        (ioprio, IOPRIO, "ioprio"),
        // With the flag, that is what is wrong.
        (
            buffer && u32::from(sqe.flags) & IOSQE_BUFFER_SELECT == 0,
            BUFFER,
            "buf_index",
        ),
        (file, FILE, "file_index"),
        (addr3, ADDR3, "addr3"),
    ]
    .into_iter()
    .find(|(set, field, _)| *set && taken & field == 0)
    .map(|(_, field, name)| (field, name))
}

/// Whether the opcode takes a buffer of a group, on this kernel or perhaps on a newer one: 6.18 has none for
/// `IORING_OP_SENDMSG` and `IORING_OP_RECV_ZC`.
const fn selects_buffers(op: io_uring_op) -> bool {
    matches!(
        op,
        IORING_OP_READ
            | IORING_OP_READV
            | IORING_OP_READ_MULTISHOT
            | IORING_OP_RECV
            | IORING_OP_RECVMSG
            | IORING_OP_RECV_ZC
            | IORING_OP_SEND
            | IORING_OP_SENDMSG
            | IORING_OP_URING_CMD
            | IORING_OP_URING_CMD128
    )
}

/// Features that requests need, and kernels that run today may not have.
const FEATURES: u32 = IORING_FEAT_CQE_SKIP | IORING_FEAT_RECVSEND_BUNDLE | IORING_FEAT_RW_CUR_POS;

/// Why the kernel refuses a request.
pub struct Refusal {
    pub why: &'static str,
    /// A later kernel takes it: the program may find that out by trying.
    pub tried: bool,
}

/// Why the kernel refuses a request on a ring with these set-up flags, if it does. It has these features.
#[inline(always)]
pub fn refused(sqe: &io_uring_sqe, setup: u32, features: u32) -> Option<Refusal> {
    let plain = u32::from(sqe.flags) & (IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS) == 0;
    if plain && sqe.opcode < IORING_OP_RECV_ZC as u8 && features & FEATURES == FEATURES {
        None
    } else {
        refused_or_lacking(sqe, setup, features)
    }
}

#[cold]
fn refused_or_lacking(sqe: &io_uring_sqe, setup: u32, features: u32) -> Option<Refusal> {
    let refused = |tried| move |why| Refusal { why, tried };
    let by_any = refused_by(sqe, setup).map(refused(false));
    by_any.or_else(|| lacks(sqe, features).map(refused(true)))
}

fn refused_by(sqe: &io_uring_sqe, setup: u32) -> Option<&'static str> {
    let flags = u32::from(sqe.flags);
    let op = ops::opcode(sqe.opcode)?;
    if flags & IOSQE_BUFFER_SELECT != 0 && !selects_buffers(op) {
        return Some("IOSQE_BUFFER_SELECT, and takes no buffer");
    }
    if flags & IOSQE_CQE_SKIP_SUCCESS != 0 && flags & IOSQE_IO_DRAIN != 0 {
        return Some("IOSQE_IO_DRAIN and IOSQE_CQE_SKIP_SUCCESS, which exclude each other");
    }
    if flags & IOSQE_CQE_SKIP_SUCCESS != 0 && refuses_flag(sqe.opcode, IOSQE_CQE_SKIP_SUCCESS) {
        return Some("IOSQE_CQE_SKIP_SUCCESS, which its opcode does not take");
    }
    if flags & IOSQE_CQE_SKIP_SUCCESS != 0
        && op == IORING_OP_POLL_ADD
        && sqe.len & IORING_POLL_ADD_MULTI != 0
    {
        return Some("IORING_POLL_ADD_MULTI and IOSQE_CQE_SKIP_SUCCESS, which exclude each other");
    }
    let wide = matches!(op, IORING_OP_NOP128 | IORING_OP_URING_CMD128);
    if wide && setup & (IORING_SETUP_SQE128 | IORING_SETUP_SQE_MIXED) == 0 {
        return Some(
            "an SQE of 128 bytes, on a ring without IORING_SETUP_SQE128 and IORING_SETUP_SQE_MIXED",
        );
    }
    if op == IORING_OP_RECV_ZC && setup & (IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED) == 0 {
        return Some(
            "CQEs of 32 bytes, on a ring without IORING_SETUP_CQE32 and IORING_SETUP_CQE_MIXED",
        );
    }
    None
}

/// A feature of the kernel that a request needs, if the kernel has it not.
fn lacks(sqe: &io_uring_sqe, features: u32) -> Option<&'static str> {
    let f = Fields::of(sqe);
    let op = ops::opcode(sqe.opcode);
    let bundles = matches!(op, Some(IORING_OP_SEND | IORING_OP_RECV))
        && f.ioprio & IORING_RECVSEND_BUNDLE != 0;
    let at_position = f.addr2 == u64::MAX
        && matches!(
            op,
            Some(
                IORING_OP_READ
                    | IORING_OP_READV
                    | IORING_OP_READ_FIXED
                    | IORING_OP_WRITE
                    | IORING_OP_WRITEV
                    | IORING_OP_WRITE_FIXED
            )
        );
    [
        (
            f.flags & IOSQE_CQE_SKIP_SUCCESS != 0,
            IORING_FEAT_CQE_SKIP,
            "IOSQE_CQE_SKIP_SUCCESS, and the kernel is older than IORING_FEAT_CQE_SKIP (5.17)",
        ),
        (
            bundles,
            IORING_FEAT_RECVSEND_BUNDLE,
            "IORING_RECVSEND_BUNDLE, and the kernel is older than IORING_FEAT_RECVSEND_BUNDLE (6.10)",
        ),
        (
            at_position,
            IORING_FEAT_RW_CUR_POS,
            "off -1, and the kernel is older than IORING_FEAT_RW_CUR_POS (5.6)",
        ),
    ]
    .into_iter()
    .find(|(needs, feature, _)| *needs && features & feature == 0)
    .map(|(_, _, why)| why)
}
