//! The functions after which descriptors may change unseen: they can make threads that have descriptors of their own,
//! or processes that share descriptors and not memory. From then on nothing is remembered about descriptors.

use super::next::{assembly_function, load_next};
use crate::sys::changes::{CHANGES, UNSEEN};

// Only jumped through: a new thread or process may come out of the call on another stack, or on this one twice. Whether
// there are rings does not matter, as they may come later.
macro_rules! unsharing {
    ($($name:literal),*) => {
        $(
            assembly_function!(
                $name,
                [
                    "lock or qword ptr [rip + {changes}], {unseen}",
                    load_next!($name),
                    "jmp r11",
                ],
                changes = sym CHANGES,
                unseen = const UNSEEN,
            );
        )*
    };
}

unsharing!("vfork", "__vfork", "clone", "__clone", "unshare");
