//! The header's inline functions as symbols, for programs in other languages than C.
//!
//! Each calls its twin, whose documentation is the manual of both and which says what its caller must promise.

#![allow(clippy::missing_safety_doc, reason = "the twins say it")]

mod data;
mod fs;
mod net;
mod other;
mod queue;
mod sqe;
mod wait;
