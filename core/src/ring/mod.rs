//! A ring's life: set-up, mapping, sizes, probe, exit.

pub mod call;
pub mod exit;
pub mod flags;
pub mod handle;
pub mod map;
pub mod memory;
pub mod order;
pub mod ring_fd;
pub mod setup;
pub mod sizes;

#[cfg(test)]
mod tests;
