//! A ring's life: set-up, mapping, sizes, probe, exit.

pub mod flags;
