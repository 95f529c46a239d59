//! The logic of liburing, generic over the kernel it runs on.
//!
//! A call from C enters through the crate `liburing`. It turns pointers into the arguments of a function here, among them
//! a [handle](ring::handle) of the ring, and the function's [`errno::Ret`] into C's return value. Everything that reaches
//! the kernel goes through [`kernel::Kernel`].
//!
//! | module | holds |
//! | --- | --- |
//! | [`abi`] | the kernel's and the library's types and constants, as C sees them |
//! | [`errno`] | error numbers, and what a call returns |
//! | [`out`] | places that C gives for results |
//! | [`kernel`] | the trait with the system calls, the native kernel, and a simulated one for tests |
//! | [`ring`] | set-up, mapping, sizes, exit, the ordering of every access to ring memory, and handles of rings |
//! | [`queue`] | submit, complete, wait |
//! | [`register`] | everything that `io_uring_register` offers |
//! | [`inline`] | the request helpers and accessors that C programs get as inline functions |
//! | [`mem`], [`weak`], [`mod@panic`] | what libraries need that link to nothing: loops in place of `memcpy`, functions that may be missing, a panic handler |

#![cfg_attr(not(test), no_std)]

pub mod abi;
pub mod errno;
pub mod inline;
pub mod kernel;
pub mod mem;
pub mod out;
pub mod panic;
pub mod queue;
pub mod register;
pub mod ring;
pub mod weak;
