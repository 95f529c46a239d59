//! The bytes of an SQE, field by field.

use serde::Serialize;

use crate::tables::{Group, NAMES, Name, join, op_name};

/// A field that is not zero, or that every request has.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    pub name: &'static str,
    pub value: u64,
    /// In words, where there are any.
    pub meaning: Option<String>,
}

/// Which field holds flags of an opcode's own, and how these begin. What is not here is shown as a number.
const FLAGS: [(&str, &str, &[&str]); 12] = [
    ("FSYNC", "op_flags", &["IORING_FSYNC_"]),
    (
        "TIMEOUT",
        "op_flags",
        &["IORING_TIMEOUT_", "IORING_LINK_TIMEOUT_"],
    ),
    ("LINK_TIMEOUT", "op_flags", &["IORING_TIMEOUT_"]),
    ("ASYNC_CANCEL", "op_flags", &["IORING_ASYNC_CANCEL_"]),
    ("MSG_RING", "op_flags", &["IORING_MSG_RING_"]),
    ("FIXED_FD_INSTALL", "op_flags", &["IORING_FIXED_FD_"]),
    ("NOP", "op_flags", &["IORING_NOP_"]),
    ("URING_CMD", "op_flags", &["IORING_URING_CMD_"]),
    ("POLL", "len", &["IORING_POLL_"]),
    ("ACCEPT", "ioprio", &["IORING_ACCEPT_"]),
    ("SEND", "ioprio", &["IORING_RECVSEND_", "IORING_SEND_"]),
    ("RECV", "ioprio", &["IORING_RECVSEND_", "IORING_RECV_"]),
];

/// Decodes 64 bytes; a second half, of rings with large SQEs, is shown as it is.
pub fn fields(bytes: &[u8; 64]) -> Vec<Field> {
    let read = |at: usize, size: usize| {
        let mut word = [0u8; 8];
        word[..size].copy_from_slice(&bytes[at..at + size]);
        u64::from_le_bytes(word)
    };
    let opcode = bytes[0];
    let op = op_name(opcode);
    let all = [
        ("opcode", 0, 1),
        ("flags", 1, 1),
        ("ioprio", 2, 2),
        ("fd", 4, 4),
        ("off", 8, 8),
        ("addr", 16, 8),
        ("len", 24, 4),
        ("op_flags", 28, 4),
        ("user_data", 32, 8),
        ("buf_index", 40, 2),
        ("personality", 42, 2),
        ("file_index", 44, 4),
        ("addr3", 48, 8),
        ("__pad2", 56, 8),
    ];
    let shown = all.into_iter().filter_map(|(name, at, size)| {
        let value = read(at, size);
        let always = matches!(name, "opcode" | "fd" | "user_data");
        (always || value != 0).then(|| Field {
            name,
            value,
            meaning: meaning(&op, name, value),
        })
    });
    shown.collect()
}

fn meaning(op: &str, field: &str, value: u64) -> Option<String> {
    match field {
        "opcode" => Some(op.to_owned()),
        "flags" => Some(Group::Sqe.flags(value)),
        "fd" => Some((value as u32 as i32).to_string()),
        "off" if value == u64::MAX => Some("the file's own position".to_owned()),
        _ => {
            let mut rows = FLAGS
                .iter()
                .filter(|(prefix, of, _)| op.starts_with(prefix) && *of == field);
            rows.next()
                .map(|(.., prefixes)| join(flags(prefixes).into_iter(), value))
        }
    }
}

fn flags(prefixes: &'static [&'static str]) -> Vec<&'static Name> {
    let named = NAMES
        .iter()
        .filter(|name| prefixes.iter().any(|prefix| name.full.starts_with(prefix)));
    // Masks put several flags together.
    named
        .filter(|name| name.value.is_power_of_two() && !name.full.ends_with("_MASK"))
        .collect()
}

/// Hexadecimal digits, with or without spaces, commas, `0x` and line numbers of a dump that end in a colon.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let mut digits = Vec::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.ends_with(':'))
    {
        let word = word.strip_prefix("0x").unwrap_or(word);
        for c in word.chars() {
            digits.push(c.to_digit(16)? as u8);
        }
    }
    (digits.len() % 2 == 0).then(|| {
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqe(bytes: &[(usize, u8)]) -> [u8; 64] {
        let mut sqe = [0; 64];
        bytes.iter().for_each(|&(at, value)| sqe[at] = value);
        sqe
    }

    fn shown(bytes: &[u8; 64], name: &str) -> Option<String> {
        fields(bytes)
            .into_iter()
            .find(|field| field.name == name)?
            .meaning
    }

    #[test]
    fn flags_of_the_opcode_are_named() {
        let timeout = sqe(&[(0, 11), (1, 0x10), (28, 0x41)]);
        assert_eq!(shown(&timeout, "opcode").as_deref(), Some("TIMEOUT"));
        assert_eq!(shown(&timeout, "flags").as_deref(), Some("IOSQE_ASYNC"));
        assert_eq!(
            shown(&timeout, "op_flags").as_deref(),
            Some("TIMEOUT_ABS|TIMEOUT_MULTISHOT")
        );
        let recv = sqe(&[
            (0, 27),
            (2, 0x12),
            (4, 0xff),
            (5, 0xff),
            (6, 0xff),
            (7, 0xff),
        ]);
        assert_eq!(
            shown(&recv, "ioprio").as_deref(),
            Some("RECV_MULTISHOT|RECVSEND_BUNDLE")
        );
        assert_eq!(shown(&recv, "fd").as_deref(), Some("-1"));
    }

    #[test]
    fn fields_of_zero_are_left_out() {
        let names: Vec<_> = fields(&[0; 64]).iter().map(|field| field.name).collect();
        assert_eq!(names, ["opcode", "fd", "user_data"]);
    }

    #[test]
    fn dumps_of_several_kinds() {
        assert_eq!(hex("16 00 0xff"), Some(vec![0x16, 0, 0xff]));
        assert_eq!(hex("0000: 1600,ff01"), Some(vec![0x16, 0, 0xff, 1]));
        assert_eq!(hex("abc"), None);
        assert_eq!(hex("xy"), None);
    }
}
