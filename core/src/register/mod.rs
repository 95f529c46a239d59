//! Everything that `io_uring_register` offers, one topic a file.
//!
//! A function here fills in what its opcode takes and makes the call; what the kernel checks is left to the kernel.
//! Structures and arrays that are passed by address are read during the call (and written, where the text says so);
//! the kernel keeps no pointer to them.

use crate::ring::call::{call, call_bare, call_bare_cold, call_cold, call_without_ring};
use crate::ring::handle::{Ring, Whole};

pub mod access;
pub mod buf_ring;
pub mod buffers;
pub mod cancel;
pub mod eventfd;
pub mod files;
pub mod napi;
pub mod probe;
pub mod query;
pub mod resize;
mod resources;
pub mod wait;
pub mod workers;
pub mod zcrx;

#[cfg(test)]
mod tests;
