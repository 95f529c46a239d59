//! What is registered with a ring, or provided to it, for its requests.

pub mod buffers;
pub mod files;
pub mod groups;
pub mod personalities;
pub mod region;
pub mod restrictions;
pub mod tag;
