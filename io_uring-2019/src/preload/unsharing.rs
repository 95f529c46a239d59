//! The functions after which descriptors may change unseen: they can make threads that have descriptors of their own,
//! or processes that share descriptors and not memory. From then on nothing is remembered about descriptors.

use core::arch::global_asm;

use crate::sys::changes::{CHANGES, UNSEEN};

// Only jumped through: a new thread or process may come out of the call on another stack, or on this one twice. Whether
// there are rings does not matter, as they may come later.
macro_rules! unsharing {
    ($($name:literal),*) => {
        $(
            global_asm!(
                concat!(".pushsection .text.", $name, ", \"ax\", @progbits"),
                concat!(".globl ", $name),
                concat!(".type ", $name, ", @function"),
                concat!($name, ":"),
                ".cfi_startproc",
                "lock or qword ptr [rip + {changes}], {unseen}",
                concat!("mov r11, [rip + liburing_2019_next_", $name, "]"),
                "test r11, r11",
                "jnz 2f",
                "call liburing_2019_load_early",
                concat!("mov r11, [rip + liburing_2019_next_", $name, "]"),
                "2:",
                "jmp r11",
                ".cfi_endproc",
                concat!(".size ", $name, ", . - ", $name),
                ".popsection",
                changes = sym CHANGES,
                unseen = const UNSEEN,
            );
        )*
    };
}

unsharing!("vfork", "__vfork", "clone", "__clone", "unshare");
