//! The kernel's and the library's types and constants, as C sees them.
//!
//! Names are C's. A C union or struct without a name is a type `__anon_*` in a field `__anonN`.

#![allow(non_camel_case_types, reason = "the names are C's")]

pub mod cqe;
pub mod params;
pub mod ring;
pub mod sqe;
pub mod types;
