//! Taking the calls of programs that make them themselves, by standing before libc.
//!
//! `syscall()` is where the two calls come in, by their numbers. Everything else goes on to the next library with all
//! registers and the stack as they were. The functions that close descriptors are here to notice that a ring's was
//! closed; as long as there is no ring, they too just go on.

mod calls;
mod closing;
mod next;
