//! The functions of the library's first day.
//!
//! Two shapes of it existed within hours, with the same names for different parameters. Both are here: the headers of the
//! first shape declare its functions with the linker's names that end in `_split`.

pub mod queue;
pub mod ring;
pub mod split;
pub mod syscall;
