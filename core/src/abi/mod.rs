//! The kernel's and the library's types and constants, as C sees them.
//!
//! Names are C's. A C union, struct or enum without a name is a type `__anon_*`, and a field of such a type
//! `__anonN`. This module exports every name; its submodules hold one topic each. The C headers are made from these
//! files and follow their order.

#![allow(non_camel_case_types, reason = "the names are C's")]

pub mod bpf_filter;
pub mod cqe;
pub mod enter;
mod layout;
mod layout_library;
pub mod net;
pub mod op;
pub mod params;
pub mod probe;
pub mod provided;
pub mod query;
pub mod region;
pub mod register;
pub mod request;
pub mod resources;
pub mod restriction;
pub mod ring;
pub mod sqe;
pub mod types;
pub mod version;
pub mod zcrx;

pub use self::{
    bpf_filter::*, cqe::*, enter::*, net::*, op::*, params::*, probe::*, provided::*, query::*,
    region::*, register::*, request::*, resources::*, restriction::*, ring::*, sqe::*, types::*,
    version::*, zcrx::*,
};
