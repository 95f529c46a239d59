//! What the commands ask of the system.

pub mod calls;
pub mod child;
pub mod errno;
pub mod filter;
pub mod proc;
pub mod ring;
