//! What C programs have as inline functions, from `<liburing.h>`. Here they are for `liburing-ffi`, and their
//! documentation is the manual of both.
//!
//! The feature `ffi` gives them their symbols. Those that may enter the kernel are generic over it; `src/ffi.rs` has
//! their symbols and their manual.

pub mod buf_ring;
pub mod eventfd;
pub mod peek;
pub mod prep;
pub mod sq;

#[cfg(test)]
mod tests;
