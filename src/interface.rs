//! The exported functions, a topic a file. The flavours compile this list, too.

pub mod archive;
#[cfg(feature = "ffi")]
pub mod ffi;
pub mod heap;
pub mod probe;
pub mod queue;
pub mod register;
pub mod setup;
pub mod sizes;
pub mod syscall;
pub mod version;
pub mod wait;
