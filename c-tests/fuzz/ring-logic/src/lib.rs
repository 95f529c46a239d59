//! The ring logic of the library, compiled once more with tests that make random schedules.
//!
//! The modules are those of `core/src/lib.rs`. They are compiled here, and not depended on, because the simulated
//! kernel exists in tests only.

#![allow(dead_code)]

#[path = "../../../../core/src/abi/mod.rs"]
pub mod abi;
#[path = "../../../../core/src/errno.rs"]
pub mod errno;
#[path = "../../../../core/src/inline/mod.rs"]
pub mod inline;
#[path = "../../../../core/src/kernel/mod.rs"]
pub mod kernel;
#[path = "../../../../core/src/mem.rs"]
pub mod mem;
#[path = "../../../../core/src/out.rs"]
pub mod out;
#[path = "../../../../core/src/queue/mod.rs"]
pub mod queue;
#[path = "../../../../core/src/register/mod.rs"]
pub mod register;
#[path = "../../../../core/src/ring/mod.rs"]
pub mod ring;

#[cfg(test)]
mod schedule;
