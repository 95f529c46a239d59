//! `uring trace`: what requests do, as strace shows system calls.

mod format;
mod lines;
mod page;
mod perf;
mod perfetto;
mod picture;
mod report;
mod requests;
mod run;
mod summary;
mod tracefs;

pub use run::run;
