//! The io_uring of its announcement, 8 January 2019, on current kernels.
//!
//! A program of that interface fills in an iocb of 32 bytes, puts its index into the SQ ring, and finds an event in the
//! CQ ring. A current kernel wants an SQE of 64 bytes, whose first half is the iocb, and posts CQEs, which are the
//! events. So a ring here is a current ring, in memory that the program can map, and submission is a translation.
//!
//! Terms used throughout:
//!
//! * *posted kernel*: the kernel of the announcement, which was never released.
//! * *kernel ring* (`kring`): the current ring that the kernel runs. The *program's SQ ring* is the one of 2019.
//! * *memory file*: the memfd in which all of a ring lies. Its *position* says which ring a descriptor leads to.
//! * *heads*: how far the kernel ring's SQ and the program's SQ ring have been consumed.
//! * *entry lock*: the lock that one call at a time holds. The call is *displaced* if another one takes the lock from
//!   it.
//! * *nested call*: a call in a signal handler that has interrupted the translation of another call.
//! * *polling thread*: submits for `SQTHREAD | SQPOLL`. *Watching thread*: notices that a ring was closed, through the
//!   *anchor*, a second open file of the memory file.
//! * *backlog*: the events that the kernel keeps because the CQ ring has no room for them.
//! * *inline*: done in the call itself, for files to which a current kernel would do something else.
//! * *hidden descriptor*: one of this library's own, above those of the program.
//!
//! | module | holds |
//! | --- | --- |
//! | `abi`, `c_types`, `layout` | types and constants as C sees them, and their layout |
//! | `library`, `preload` | the two interfaces: functions to link with, and functions that stand before libc's |
//! | `setup`, `enter` | the two system calls |
//! | `submit`, `translate`, `iopoll` | moving requests to the kernel ring; from iocb to SQE; files to poll |
//! | `view`, `overflow` | events that need a call to come; counting the backlog |
//! | `poller`, `wakeup` | the polling thread; waking and stopping it |
//! | `closing`, `watch`, `teardown` | finding out that a ring was closed, and giving it back |
//! | `entry_lock`, `call` | one call at a time; which calls a process makes on a ring |
//! | `pool`, `remembered` | the rings of this process, and which one a descriptor leads to; what is known about descriptors |
//! | `ring`, `ring_file`, `heads` | a ring; its memory file; how far it was consumed |
//! | `caller`, `thread`, `other_threads` | the calling thread; threads without libc; what other threads do |
//! | `hidden_fd`, `path`, `cpus`, `errno`, `sys` | the ground: own descriptors, paths, CPUs, system calls |

#![cfg(target_arch = "x86_64")]
#![no_std]
#![allow(non_camel_case_types, reason = "the names are C's")]

pub mod abi;
pub mod c_types;
mod call;
mod caller;
mod closing;
mod cpus;
mod enter;
mod entry_lock;
mod errno;
mod heads;
mod hidden_fd;
mod iopoll;
mod layout;
#[cfg(not(feature = "preload"))]
mod library;
mod other_threads;
mod overflow;
mod path;
mod poller;
mod pool;
#[cfg(feature = "preload")]
mod preload;
#[cfg(feature = "preload")]
mod remembered;
mod ring;
mod ring_file;
mod setup;
mod submit;
mod sys;
mod teardown;
mod thread;
mod translate;
mod view;
mod wakeup;
mod watch;

uring_core::panic_handler!();
