//! The io_uring of its announcement, 8 January 2019, on the kernels of today.
//!
//! Programs of that interface fill in an iocb of 32 bytes, put its index into a ring, and find an event in another ring.
//! Today's ring wants an SQE of 64 bytes, whose first half is the iocb, and posts CQEs, which are the events. So a ring
//! here is a ring of today, set up in memory that the program can map, and submission is a translation.
//!
//! | module | holds |
//! | --- | --- |
//! | `abi`, `shape`, `layout` | types and constants as C sees them, and what of them is checked |
//! | `memory` | the file in memory that is a ring: what lies where |
//! | `pool` | which rings there are, and which one a descriptor leads to |
//! | `setup`, `enter` | the two system calls |
//! | `inside`, `account` | who is inside the second one, and what was consumed |
//! | `translate`, `iopoll` | from iocb to SQE, and which files cannot be polled |
//! | `overflow` | counting events that found no room |
//! | `poller` | the thread that polls the SQ ring |
//! | `watch` | noticing that a descriptor was closed |
//! | `library` | the functions of the library's first day, in both shapes |
//! | `preload` | taking the calls of programs that make them themselves |
//! | `own` | descriptors of this library's own |
//! | `caller`, `thread`, `task`, `sys`, `path`, `report` | the ground: who calls, threads, system calls, `errno` |

#![cfg(target_arch = "x86_64")]
#![no_std]
#![allow(non_camel_case_types, reason = "the names are C's")]

pub mod abi;
pub mod c_types;
mod call;
mod caller;
mod closing;
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
mod weak;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    uring_core::panic::reached()
}
