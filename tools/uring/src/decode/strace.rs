//! Lines of strace, with names for the numbers that it had none for.

use crate::tables::{Group, join};

/// The names that begin with a prefix, and whether they are bits of a word.
const PREFIXES: [(&str, Group, bool); 8] = [
    ("IORING_SETUP_", Group::Setup, true),
    ("IORING_FEAT_", Group::Feature, true),
    ("IORING_ENTER_", Group::Enter, true),
    ("IOSQE_", Group::Sqe, true),
    ("IORING_CQE_F_", Group::Cqe, true),
    ("IORING_SQ_", Group::SqRing, true),
    ("IORING_REGISTER_", Group::Register, false),
    ("IORING_OP_", Group::Op, false),
];

/// Puts names in: for `0x10000 /* IORING_SETUP_??? */`, and for a number that ends a list of names.
pub fn line(text: &str) -> String {
    rest_of_lists(&unknown(text))
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn named(prefix: &str, value: u64) -> Option<String> {
    let (_, group, flags) = PREFIXES
        .iter()
        .find(|(known, ..)| prefix.starts_with(known))?;
    if !flags {
        return group.name(value).map(|name| name.full.to_owned());
    }
    let text = join(group.names(), value);
    let known = group.names().any(|name| name.value & value != 0);
    known.then(|| text.split('|').map(full).collect::<Vec<_>>().join("|"))
}

/// As strace writes it: with the prefix that all have in common.
fn full(short: &str) -> String {
    if short.starts_with("0x") || short.starts_with("IOSQE_") {
        short.to_owned()
    } else {
        format!("IORING_{short}")
    }
}

/// Replaces each number before a comment with question marks.
fn unknown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(" /* ") {
        let (before, after) = (&rest[..at], &rest[at + 4..]);
        let Some(end) = after.find(" */") else { break };
        let comment = &after[..end];
        let start = before
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |at| at + 1);
        let name = comment
            .strip_suffix("???")
            .and_then(|prefix| named(prefix, number(&before[start..])?));
        match name {
            Some(name) => {
                out.push_str(&before[..start]);
                out.push_str(&name);
            }
            None => out.push_str(&rest[..at + 4 + end + 3]),
        }
        rest = &after[end + 3..];
    }
    out.push_str(rest);
    out
}

/// Replaces a number after the last name of a list: `IORING_FEAT_CQE_SKIP|0x3e000`.
fn rest_of_lists(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("|0x") {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let start = before.rfind(word).map_or(0, |at| at + 1);
        let name = number(&after[..end]).and_then(|value| named(&before[start..], value));
        out.push_str(before);
        out.push('|');
        out.push_str(name.as_deref().unwrap_or(&after[..end]));
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_strace_6_1_are_named() {
        for text in include_str!("../../tests/data/strace-6.1").lines() {
            let decoded = line(text);
            let known = !text.contains("0x7000 ") && !text.contains("0x80000000 ");
            assert!(!known || !decoded.contains("???"), "{text}\n{decoded}");
        }
    }

    #[test]
    fn numbers_get_names() {
        assert_eq!(
            line("flags=0x10000 /* IORING_SETUP_??? */, x"),
            "flags=IORING_SETUP_NO_SQARRAY, x"
        );
        assert_eq!(
            line("(3, 0x1b /* IORING_REGISTER_??? */, 0)"),
            "(3, IORING_REGISTER_NAPI, 0)"
        );
        assert_eq!(
            line("{last_op=62 /* IORING_OP_??? */}"),
            "{last_op=IORING_OP_PIPE}"
        );
        assert_eq!(
            line("IORING_SETUP_CLAMP|0x3000, y"),
            "IORING_SETUP_CLAMP|IORING_SETUP_SINGLE_ISSUER|IORING_SETUP_DEFER_TASKRUN, y"
        );
    }

    #[test]
    fn the_rest_stays_as_it_is() {
        for text in [
            "",
            "write(1, \"a /* b\", 3) = 3",
            "O_RDWR|0x40",
            "0x7000 /* IORING_REGISTER_??? */",
            "a /* b */ c",
        ] {
            assert_eq!(line(text), text);
        }
    }
}
