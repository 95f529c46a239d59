//! The functions of libc that close or replace descriptors by themselves.
//!
//! Only that they run is noted: what is remembered about descriptors does not hold any more. A ring that they close is
//! given back by a later set-up.

use super::next::{assembly_function, load_next};
use crate::pool;
use crate::sys::changes::{BEGIN, CHANGES, UNDER_WAY};

// name(arguments...): all have at most three arguments, in registers. While there are no rings, each jumps to the next
// one, so threads that are being cancelled are not affected by this library then.
macro_rules! passed_on {
    ($($name:literal),*) => {
        $(
            assembly_function!(
                $name,
                [
                    load_next!($name),
                    "cmp dword ptr [rip + {open}], 0",
                    "jne 3f",
                    "jmp r11",
                    "3:",
                    "mov eax, {begin}",
                    "lock add [rip + {changes}], rax",
                    "sub rsp, 8",
                    ".cfi_adjust_cfa_offset 8",
                    "call r11",
                    "add rsp, 8",
                    ".cfi_adjust_cfa_offset -8",
                    "lock sub qword ptr [rip + {changes}], {under_way}",
                    "ret",
                ],
                open = sym pool::OPEN_RINGS,
                changes = sym CHANGES,
                begin = const BEGIN,
                under_way = const UNDER_WAY,
            );
        )*
    };
}

passed_on!(
    "fclose",
    "_IO_fclose",
    "freopen",
    "freopen64",
    "pclose",
    "endmntent",
    "closedir"
);
