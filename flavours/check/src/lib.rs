//! liburing's interface, which says where a program misuses it.
//!
//! The exported functions are those of the plain library. [`calls`] wraps the ones that submit, wait, set up and give
//! up: each looks at the ring before and after. The build gives the wrappers the names of what they wrap.
//!
//! | module | holds |
//! | --- | --- |
//! | [`calls`] | the wrappers |
//! | [`watch`] | what happens around a call: the order in which a ring's sides are looked at |
//! | [`ring`], [`flight`], [`request`], [`buffers`] | the shadow of a ring: its counters, what is in flight, its provided buffers |
//! | [`noted`] | requests that need little: a short note of each |
//! | [`rings`], [`program_memory`] | all rings; those in memory that the program gave |
//! | [`sq`], [`cq`] | looking at SQEs and at CQEs |
//! | [`single`] | rules of single requests |
//! | [`fields`] | which fields each opcode takes, and what it needs |
//! | [`refusals`], [`why`], [`set_up`] | why the kernel has refused a request; why a ring |
//! | [`running`] | the kernel that runs |
//! | [`ops`] | what each opcode's fields point to, and the rules of single opcodes |
//! | [`leftovers`], [`slots`], [`crash`] | SQEs that were not filled in, or not there |
//! | [`memory`], [`freed`] | ranges that requests use; memory that the program gives up meanwhile |
//! | [`stack`], [`place`] | stacks of threads, and the place in the program that called |
//! | [`process`] | the process and its threads, across forks |
//! | [`life`] | threads that end, descriptors that are closed, changes of the user |
//! | [`trails`] | the calls that led to requests, for reports that come later |
//! | `hooks` | functions that stand before libc's |
//! | [`state`], [`notes`], [`map`] | everything that is known, behind one lock |
//! | [`lock`] | locks for which no fork waits without end |
//! | [`own_heap`], [`start`] | the library's own memory, and what is done when it is loaded |
//! | [`sanitizer`], [`asan`], [`memcheck`] | the tool that watches the program's memory, if there is one |
//! | [`tsan`] | ThreadSanitizer, where the program has it |
//! | [`held`], [`touched`] | memory that the kernel writes to, as sanitizers are told of it, and what they find |
//! | [`trace`] | a line for each completion |
//! | [`proxy`] | SQEs and the head of the CQ in memory of the library's own, so that uses out of time are found |
//! | [`inject`], [`seam`] | faults on demand, and the kernel that has them |
//! | [`mode`], [`report`], [`rules`], [`output`] | the environment, the text of a report, the names of rules, where text goes |

#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(
    clippy::unnecessary_cast,
    reason = "libc's types differ from one C library to another"
)]
#![cfg_attr(not(feature = "hooks"), allow(dead_code, reason = "the hooks call it"))]

#[path = "../../../src/interface.rs"]
mod interface;

mod asan;
mod buffers;
mod calls;
mod cq;
mod crash;
mod fields;
mod flight;
mod freed;
mod held;
#[cfg(feature = "hooks")]
mod hooks;
mod inject;
mod leftovers;
mod life;
mod lock;
mod map;
mod memcheck;
mod memory;
mod mode;
mod noted;
mod notes;
mod ops;
mod output;
mod own_heap;
mod place;
mod process;
mod program_memory;
mod proxy;
mod refusals;
mod report;
mod request;
mod ring;
mod rings;
mod rules;
mod running;
mod sanitizer;
mod seam;
mod set_up;
mod single;
mod slots;
mod sq;
mod stack;
mod start;
mod state;
mod touched;
mod trace;
mod trails;
mod tsan;
mod watch;
mod why;

/// The kernel that the exported functions run on.
use seam::Fallible as Chosen;

#[global_allocator]
static MEMORY: own_heap::Own = own_heap::Own::new();
