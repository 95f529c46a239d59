//! The preload library: functions that stand before libc's, for programs that make the calls by number.
//!
//! `syscall()` takes the two calls of 2019. Everything else goes on to the next library, with all registers and the
//! stack as they were. The functions that close and duplicate descriptors are here to notice that a ring was closed.
//! Those that close or replace descriptors, directly or with a stream, also end what is remembered about descriptors.
//! While there is no ring, they all just go on.

mod calls;
mod closing;
mod duplicating;
mod next;
mod streams;
mod unsharing;
