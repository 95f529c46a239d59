//! The C interface of liburing: pointers in, `-errno` out.
//!
//! A function here checks nothing that the kernel checks and decides nothing. It makes the handle that the logic takes,
//! on the kernel [`Chosen`], and turns the result into C's return value. Its documentation is the function's manual.

#![no_std]
#![allow(non_camel_case_types, reason = "the names are C's")]

#[path = "interface.rs"]
mod interface;
#[cfg(all(
    not(uring_libc),
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
mod mem;
mod notes;

/// The kernel that the exported functions run on. The fallback library compiles the same files with another.
use uring_core::kernel::Native as Chosen;

// The `.symver` directives that build.rs makes of the version map.
#[cfg(symbol_versions)]
include!(concat!(env!("OUT_DIR"), "/symver.rs"));

#[cfg(not(test))]
uring_core::panic_handler!();
