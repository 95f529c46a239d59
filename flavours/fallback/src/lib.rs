//! liburing's interface, served from user space where the kernel refuses io_uring.
//!
//! The exported functions are those of the plain library, compiled here with another kernel: [`seam::User`]. It makes
//! the real system call first. Where that is refused it makes a ring of its own, whose requests are served with
//! ordinary system calls.
//!
//! | module | holds |
//! | --- | --- |
//! | [`seam`] | the kernel that the exported functions run on: real or emulated, for each call |
//! | [`mode`] | the environment variables |
//! | [`table`] | which descriptors and registered indexes are emulated rings |
//! | [`mapping`], [`memory`], [`ring`], [`make`] | a ring: memory shared with the program, what lies in it, its state, how it is made |
//! | [`resources`] | what is registered with a ring, or provided to it |
//! | [`post`], [`wait`], [`gather`], [`edges`] | completions: posting them, waiting for them, having them at once; rings in epoll |
//! | [`request`], [`op`], [`vectors`], [`duplicate`] | a request; what there is to know of its opcode; the memory and the descriptors that it works on |
//! | [`submit`], [`entered`], [`run`], [`completion`], [`batch`], [`untried`] | reading SQEs; what else a thread that enters goes on with; running requests and those that depend on them; at once or when there is something |
//! | [`ops`] | a file for each topic of opcodes, and the table of them |
//! | [`job`], [`parked`], [`deadline`] | a request that waits; where; until when |
//! | [`workers`], [`poller`] with [`watched`], [`timers`] and [`epoll`], [`aio`], [`futex`], [`word`] | where requests wait: threads, epoll and timers, native AIO, futexes; one of these |
//! | [`lead`], [`wake`] | a waiting thread of the program that looks for events itself; waking whoever does |
//! | [`credentials`] | what a request's rights come from |
//! | [`register`] | what `io_uring_register` offers |
//! | [`life`] | fork, and closing of descriptors that requests use |
//! | `hooks`, `next`, [`inside`], `process` | functions that replace libc's; what they replace; signal handlers and children of `vfork` that call them |
//! | `serve`, `sigsys` | programs without liburing: their system calls by number, and by instructions of their own |
//! | [`sys`], [`real`], [`lock`], [`numbers`] | bare system calls, those of io_uring to the kernel; a lock that survives fork; maps from numbers |
//!
//! `tests/logic` has the tests of all this on a simulated kernel, `tests/model` runs [`lead`] in every order of its threads.

#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(
    clippy::vec_box,
    clippy::boxed_local,
    reason = "a job goes from one place to another: boxed, that moves a pointer"
)]
#![allow(
    clippy::unnecessary_cast,
    reason = "libc's types differ from one C library to another"
)]

#[path = "../../../src/interface.rs"]
mod interface;

mod aio;
mod batch;
mod completion;
mod credentials;
mod deadline;
mod due;
mod duplicate;
mod edges;
mod entered;
mod epoll;
mod futex;
mod gather;
#[cfg(feature = "hooks")]
mod hooks;
mod inside;
mod job;
mod lead;
mod life;
mod lock;
mod make;
mod mapping;
mod memory;
mod mode;
#[cfg(feature = "hooks")]
mod next;
mod numbers;
mod op;
mod ops;
mod parked;
mod poller;
mod post;
#[cfg(feature = "hooks")]
mod process;
mod real;
mod register;
mod request;
mod resources;
mod ring;
mod run;
mod seam;
#[cfg(feature = "hooks")]
mod serve;
#[cfg(feature = "hooks")]
mod sigsys;
mod submit;
mod sys;
mod table;
#[cfg(test)]
#[path = "../tests/logic/mod.rs"]
mod tests;
mod timers;
mod untried;
mod vectors;
mod wait;
mod wake;
mod watched;
mod word;
mod workers;

// The model of `lead` has its own.
use std::sync::atomic;

/// The kernel that the exported functions run on.
use seam::User as Chosen;
