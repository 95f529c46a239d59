//! What the kernel refuses of each opcode, as requests of every opcode that were tried have shown: see `fields::kernel`.

use std::fmt::Write;

use uring_core::abi::io_uring_op::*;
use uring_core::abi::*;

use crate::fields::{
    ADDR, ADDR3, BUFFER, CLEARED, FILE, IOPRIO, KERNEL, LEN, OFF, OP_FLAGS, TAKEN, later_bits, row,
};
use crate::ops::{self, Fields};

/// What the kernel does with a field that an opcode does not take, for a text.
pub fn fate(number: u8, field: u8) -> String {
    match row(number) {
        Some(row) if row.fields & field != 0 => format!(": {KERNEL} refuses it with -EINVAL"),
        Some(row) if row.heeded & field == 0 => format!(": {KERNEL} ignores it"),
        _ => String::new(),
    }
}

/// Fields that must be 0 in each form of an opcode, though helpers set them.
const fn never_taken(number: u8) -> u8 {
    match ops::opcode(number) {
        // The size is that of the group's buffers.
        Some(IORING_OP_READ_MULTISHOT) => LEN,
        _ => 0,
    }
}

const NAMES: [(u8, &str); 8] = [
    (OFF, "off"),
    (ADDR, "addr"),
    (LEN, "len"),
    (OP_FLAGS, "the opcode's flags"),
    (IOPRIO, "ioprio"),
    (BUFFER, "buf_index"),
    (FILE, "file_index"),
    (ADDR3, "addr3"),
];

/// The fields that are not 0.
fn set(sqe: &io_uring_sqe) -> [(u8, u64); 8] {
    let f = Fields::of(sqe);
    // SAFETY: the members of each union are numbers, and any bytes are a number.
    let (buffer, file) = unsafe {
        (
            u64::from(sqe.__anon4.buf_index),
            u64::from(sqe.__anon5.file_index),
        )
    };
    [
        (OFF, f.addr2),
        (ADDR, f.addr),
        (LEN, f.len),
        (OP_FLAGS, u64::from(f.op_flags)),
        (IOPRIO, u64::from(f.ioprio)),
        (BUFFER, buffer),
        (FILE, file),
        (ADDR3, f.addr3),
    ]
}

fn named(field: u8) -> &'static str {
    NAMES
        .iter()
        .find(|(number, _)| *number == field)
        .map_or("", |(_, name)| name)
}

/// `off` (0x5) and `len` (0x1): fields that are set among `fields`, or none.
fn listed(sqe: &io_uring_sqe, fields: u8) -> Option<String> {
    let mut text = String::new();
    for (field, value) in set(sqe) {
        // Of some fields the kernel takes the lower half.
        if fields & field != 0 && value as u32 != 0 {
            let and = if text.is_empty() { "" } else { " and " };
            let _ = write!(text, "{and}{} ({value:#x})", named(field));
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Fields that `io_uring_get_sqe()` leaves as they were, that are set, and that the kernel ignores.
pub fn unused(sqe: &io_uring_sqe) -> Option<String> {
    let row = row(sqe.opcode)?;
    let taken = TAKEN.get(usize::from(sqe.opcode))?;
    listed(sqe, !(row.fields | row.heeded | taken | CLEARED))
}

/// What kind of fault it is that a request is refused for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A field that `io_uring_get_sqe()` clears.
    Cleared,
    /// Something that a later kernel takes.
    Later,
    Other,
}

/// What the kernel refuses with `-EINVAL` of a request on a ring with these set-up flags.
pub fn invalid(sqe: &io_uring_sqe, setup: u32) -> Option<(Kind, String)> {
    let row = row(sqe.opcode)?;
    let f = Fields::of(sqe);
    let never = |what: String| Some((Kind::Other, what));
    if row.iopoll && setup & IORING_SETUP_IOPOLL != 0 {
        return never("rings with IORING_SETUP_IOPOLL do not take its opcode".into());
    }
    let taken = TAKEN.get(usize::from(sqe.opcode))? & !never_taken(sqe.opcode);
    let refused = row.fields & !taken;
    if let Some(fields) = listed(sqe, refused & !CLEARED) {
        return never(format!("it has {fields}, which its opcode does not take"));
    }
    if let Some(fields) = listed(sqe, refused & CLEARED) {
        return Some((
            Kind::Cleared,
            format!("it has {fields}, which its opcode does not take"),
        ));
    }
    let (later_flags, later_len) = ops::opcode(sqe.opcode).map_or((0, 0), later_bits);
    let parts = [
        (OP_FLAGS, f.op_flags & row.op_flags, later_flags),
        (IOPRIO, f.ioprio & row.ioprio, 0),
        (LEN, f.len as u32 & row.len, later_len),
    ];
    for (field, bits, later) in parts {
        let bits = bits & !later;
        if bits != 0 {
            let names = if field == IOPRIO {
                priorities(sqe.opcode, bits)
            } else {
                String::new()
            };
            return never(format!(
                "it has {bits:#x} in {}{names}, which its opcode does not take",
                named(field)
            ));
        }
    }
    if f.len != 1
        && matches!(
            ops::opcode(sqe.opcode),
            Some(IORING_OP_TIMEOUT | IORING_OP_LINK_TIMEOUT)
        )
    {
        return never(format!(
            "it has a len of {}, where its opcode takes 1",
            f.len
        ));
    }
    parts
        .iter()
        .find(|(_, bits, _)| *bits != 0)
        .map(|(field, bits, _)| {
            let name = named(*field);
            (
                Kind::Later,
                format!(
                    "it has {bits:#x} in {name}, which {KERNEL} does not take for its opcode yet"
                ),
            )
        })
}

/// The names of what sends and receives have in `ioprio`.
fn priorities(number: u8, bits: u32) -> String {
    const NAMES: [(u32, &str); 6] = [
        (IORING_RECVSEND_POLL_FIRST, "IORING_RECVSEND_POLL_FIRST"),
        (IORING_RECV_MULTISHOT, "IORING_RECV_MULTISHOT"),
        (IORING_RECVSEND_FIXED_BUF, "IORING_RECVSEND_FIXED_BUF"),
        (IORING_SEND_ZC_REPORT_USAGE, "IORING_SEND_ZC_REPORT_USAGE"),
        (IORING_RECVSEND_BUNDLE, "IORING_RECVSEND_BUNDLE"),
        (IORING_SEND_VECTORIZED, "IORING_SEND_VECTORIZED"),
    ];
    if !matches!(
        ops::opcode(number),
        Some(
            IORING_OP_SEND
                | IORING_OP_SENDMSG
                | IORING_OP_SEND_ZC
                | IORING_OP_SENDMSG_ZC
                | IORING_OP_RECV
                | IORING_OP_RECVMSG
        )
    ) {
        return String::new();
    }
    let found: Vec<_> = NAMES
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    if found.is_empty() {
        String::new()
    } else {
        format!(" ({})", found.join(", "))
    }
}
