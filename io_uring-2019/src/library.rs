//! The functions of the first library, of January 2019.
//!
//! It had two shapes within hours, whose functions have the same names and different parameters. Both are here. The
//! headers of the first shape declare its functions under the linker names that end in `_split`.

pub mod queue;
pub mod ring;
pub mod split;
pub mod syscall;
