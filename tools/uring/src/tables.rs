//! Names of the interface: opcodes, flags and register operations, with the kernel that brought each, and the errors
//! of the manual. The rows are made from the library's doc comments by `build.rs`.

use serde::Serialize;

/// A constant of the interface.
#[derive(Debug)]
pub struct Name {
    /// As C has it.
    pub full: &'static str,
    /// The enumeration that it belongs to, if any.
    pub of: &'static str,
    /// The file of the library's sources that defines it.
    pub topic: &'static str,
    pub value: u64,
    /// The kernel that brought it; (0, 0) where the sources say nothing.
    pub since: Version,
    pub text: &'static str,
}

/// An error as the manual explains it.
pub struct Documented {
    pub function: &'static str,
    /// The opcodes that the function prepares.
    pub ops: &'static [&'static str],
    pub errors: &'static [&'static str],
    pub text: &'static str,
}

/// A kernel: major and minor number.
pub type Version = (u16, u16);

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

impl Name {
    /// Without the prefix that all have in common.
    pub fn short(&self) -> &'static str {
        self.full.strip_prefix("IORING_").unwrap_or(self.full)
    }

    pub fn since(&self) -> String {
        if self.since == (0, 0) {
            "-".to_owned()
        } else {
            version(self.since)
        }
    }
}

pub fn version((major, minor): Version) -> String {
    format!("{major}.{minor}")
}

/// A set of names whose values exclude each other or are bits of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    Op,
    Register,
    Setup,
    Feature,
    Enter,
    Sqe,
    Cqe,
    SqRing,
}

impl Group {
    /// What `probe` looks at, in the order in which it prints them.
    pub const PROBED: [Group; 6] = [
        Group::Setup,
        Group::Feature,
        Group::Enter,
        Group::Sqe,
        Group::Op,
        Group::Register,
    ];

    pub fn names(self) -> impl Iterator<Item = &'static Name> {
        NAMES.iter().filter(move |name| self.has(name))
    }

    fn has(self, name: &Name) -> bool {
        // The last one of an enumeration counts the others, and a bit above them all is no operation.
        let counted = name.since != (0, 0) && name.value < 1 << 31;
        match self {
            Group::Op => name.of == "io_uring_op" && counted,
            Group::Register => name.of == "io_uring_register_op" && counted,
            Group::Setup => name.full.starts_with("IORING_SETUP_"),
            Group::Feature => name.full.starts_with("IORING_FEAT_"),
            Group::Enter => name.full.starts_with("IORING_ENTER_"),
            Group::Sqe => name.full.starts_with("IOSQE_") && name.of.is_empty(),
            Group::Cqe => name.full.starts_with("IORING_CQE_F_") && name.topic == "cqe",
            Group::SqRing => name.full.starts_with("IORING_SQ_"),
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Group::Op => "opcodes",
            Group::Register => "register operations",
            Group::Setup => "set-up flags",
            Group::Feature => "features",
            Group::Enter => "enter flags",
            Group::Sqe => "SQE flags",
            Group::Cqe => "CQE flags",
            Group::SqRing => "submission ring flags",
        }
    }

    /// The name of a value, for groups whose values exclude each other.
    pub fn name(self, value: u64) -> Option<&'static Name> {
        self.names().find(|name| name.value == value)
    }

    /// The names of the bits that are set, joined by `|`; bits without a name as a number; 0 for none.
    pub fn flags(self, word: u64) -> String {
        join(self.names(), word)
    }
}

/// The names among `names` whose bits are set in `word`.
pub fn join(names: impl Iterator<Item = &'static Name>, word: u64) -> String {
    let mut rest = word;
    let mut parts = Vec::new();
    for name in names {
        if name.value != 0 && rest & name.value == name.value {
            rest &= !name.value;
            parts.push(name.short().to_owned());
        }
    }
    if rest != 0 || parts.is_empty() {
        parts.push(if rest == 0 {
            "0".to_owned()
        } else {
            format!("{rest:#x}")
        });
    }
    parts.join("|")
}

/// An opcode by its number, as short as people say it: `READ_FIXED`.
pub fn op_name(opcode: u8) -> String {
    let name = Group::Op.name(u64::from(opcode));
    name.map_or_else(
        || format!("OP_{opcode}"),
        |name| name.short()["OP_".len()..].to_owned(),
    )
}

/// Finds a name as people write it: in either case, with or without the prefix.
pub fn find(text: &str) -> Option<&'static Name> {
    let wanted = text.trim().to_ascii_uppercase();
    NAMES
        .iter()
        .find(|name| name.full == wanted || name.short() == wanted)
}

/// Finds an opcode: `read`, `OP_READ`, `IORING_OP_READ` or its number.
pub fn find_op(text: &str) -> Option<&'static Name> {
    if let Ok(number) = text.parse() {
        return Group::Op.name(number);
    }
    let wanted = text.trim().to_ascii_uppercase();
    Group::Op.names().find(|name| {
        name.full == wanted || name.short() == wanted || name.short()["OP_".len()..] == wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_probed_group_says_its_kernel() {
        for group in Group::PROBED {
            assert!(group.names().count() > 5, "{group:?}");
            for name in group.names() {
                assert!(name.since >= (5, 1), "{}", name.full);
            }
        }
    }

    #[test]
    fn all_opcodes_are_there() {
        let last = uring_core::abi::IORING_OP_LAST as usize;
        assert_eq!(Group::Op.names().count(), last);
        let last = uring_core::abi::IORING_REGISTER_LAST as usize;
        assert_eq!(Group::Register.names().count(), last);
    }

    #[test]
    fn flags_are_named_and_unknown_bits_kept() {
        assert_eq!(Group::Setup.flags(0), "0");
        assert_eq!(Group::Setup.flags(0x3), "SETUP_IOPOLL|SETUP_SQPOLL");
        assert_eq!(Group::Sqe.flags(0x90), "IOSQE_ASYNC|0x80");
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        assert_eq!(find("setup_defer_taskrun").map(|n| n.value), Some(1 << 13));
        assert_eq!(find_op("send_zc").map(|n| n.value), Some(47));
        assert_eq!(find_op("IORING_OP_NOP").map(|n| n.value), Some(0));
        assert!(find("OP_NO_SUCH").is_none());
    }

    #[test]
    fn errors_of_derived_requests_name_their_opcode() {
        let found = ERRORS
            .iter()
            .find(|row| row.function == "io_uring_prep_accept_direct");
        assert_eq!(found.map(|row| row.ops), Some(&["IORING_OP_ACCEPT"][..]));
    }
}
