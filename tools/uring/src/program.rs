//! What a program is to the dynamic linker, and to the kernel that starts it.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{getegid, geteuid, getuid};

use crate::sys::proc::Status;

/// What gives a program privileges that its user has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gain {
    Setuid,
    Setgid,
    Capabilities,
}

impl Gain {
    /// As a predicate.
    pub fn has(self) -> &'static str {
        match self {
            Gain::Setuid => "is setuid",
            Gain::Setgid => "is setgid",
            Gain::Capabilities => "has file capabilities",
        }
    }
}

/// Whether a program gains privileges when this user starts it.
pub fn gains(path: &Path) -> Option<Gain> {
    let meta = path.metadata().ok()?;
    if getuid().as_raw() != 0 && has_capabilities(path) {
        return Some(Gain::Capabilities);
    }
    // The kernel heeds neither bit in a process that may gain nothing.
    let status = Status::read("self").unwrap_or_default();
    if status.no_new_privs == Some(1) {
        return None;
    }
    if meta.mode() & libc::S_ISUID != 0 && meta.uid() != geteuid().as_raw() {
        Some(Gain::Setuid)
    } else if meta.mode() & libc::S_ISGID != 0 && meta.gid() != getegid().as_raw() {
        Some(Gain::Setgid)
    } else {
        None
    }
}

fn has_capabilities(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: two strings with their ends, and no memory to write to: the call returns the size.
    let size = unsafe {
        libc::getxattr(
            path.as_ptr(),
            c"security.capability".as_ptr(),
            std::ptr::null_mut(),
            0,
        )
    };
    size > 0
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Dynamic,
    /// Loaded by musl's dynamic linker.
    Musl,
    /// Of 32 bits, where this program has 64.
    Narrow,
    Static,
    Script,
    Unknown,
}

pub fn kind(path: &Path) -> Kind {
    kind_of(&head(path))
}

/// What runs a script.
pub fn interpreter(path: &Path) -> Option<PathBuf> {
    interpreter_of(&head(path))
}

/// The beginning of a file, as far as it can be read.
fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut head));
    read.map_or_else(|_| Vec::new(), |_| head)
}

fn interpreter_of(head: &[u8]) -> Option<PathBuf> {
    let line = head
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t'));
    let first = words.find(|word| !word.is_empty())?;
    Some(OsStr::from_bytes(first).into())
}

/// A program that names a dynamic linker (PT_INTERP) is loaded by it.
fn kind_of(head: &[u8]) -> Kind {
    const PT_INTERP: u64 = 3;
    if head.starts_with(b"#!") {
        return Kind::Script;
    }
    if !head.starts_with(b"\x7fELF") {
        return Kind::Unknown;
    }
    let wide = head.get(4) == Some(&2);
    if !wide && cfg!(target_pointer_width = "64") {
        return if head.get(4) == Some(&1) {
            Kind::Narrow
        } else {
            Kind::Unknown
        };
    }
    let little = head.get(5) == Some(&1);
    let bytes = |at: u64, size: u64| {
        let end = at.checked_add(size)?;
        head.get(usize::try_from(at).ok()?..usize::try_from(end).ok()?)
    };
    let read = |at: u64, size: u64| -> Option<u64> {
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        let bytes = bytes(at, size)?;
        Some(if little {
            bytes.iter().rev().fold(0, join)
        } else {
            bytes.iter().fold(0, join)
        })
    };
    let (table, size, count) = if wide {
        (read(32, 8), read(54, 2), read(56, 2))
    } else {
        (read(28, 4), read(42, 2), read(44, 2))
    };
    let (Some(table), Some(size), Some(count)) = (table, size, count) else {
        return Kind::Unknown;
    };
    let mut entries = (0..count).map(|index| table.saturating_add(index * size));
    let Some(entry) = entries.find(|entry| read(*entry, 4) == Some(PT_INTERP)) else {
        return Kind::Static;
    };
    let linker = if wide {
        (
            read(entry.saturating_add(8), 8),
            read(entry.saturating_add(32), 8),
        )
    } else {
        (
            read(entry.saturating_add(4), 4),
            read(entry.saturating_add(16), 4),
        )
    };
    let name = match linker {
        (Some(at), Some(size)) => bytes(at, size).unwrap_or_default(),
        _ => &[],
    };
    let musl = b"ld-musl";
    if name.windows(musl.len()).any(|part| part == musl) {
        Kind::Musl
    } else {
        Kind::Dynamic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_programs() {
        assert_eq!(kind(Path::new("/bin/sh")), Kind::Dynamic);
        assert_eq!(kind_of(b"#!/bin/sh\n"), Kind::Script);
        assert_eq!(kind_of(b"hello"), Kind::Unknown);
        assert_eq!(kind_of(b"\x7fELF"), Kind::Unknown);
        let mut elf = vec![0u8; 120];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[32], elf[54], elf[56]) = (64, 56, 1);
        assert_eq!(kind_of(&elf), Kind::Static);
        elf[64] = 3;
        assert_eq!(kind_of(&elf), Kind::Dynamic);
        let linker = b"/lib/ld-musl-x86_64.so.1\0";
        (elf[72], elf[96]) = (120, linker.len() as u8);
        elf.extend_from_slice(linker);
        assert_eq!(kind_of(&elf), Kind::Musl);
        // The name lies beyond what was read.
        elf[96] += 1;
        assert_eq!(kind_of(&elf), Kind::Dynamic);
        elf[4] = 1;
        assert_eq!(kind_of(&elf), Kind::Narrow);
    }

    #[test]
    fn interpreters_of_scripts() {
        let of = |head: &[u8]| interpreter_of(head);
        assert_eq!(of(b"#!/bin/sh\nexit\n"), Some("/bin/sh".into()));
        assert_eq!(
            of(b"#! \t/usr/bin/env python3"),
            Some("/usr/bin/env".into())
        );
        assert_eq!(of(b"#!\nx"), None);
        assert_eq!(of(b"\x7fELF"), None);
    }
}
