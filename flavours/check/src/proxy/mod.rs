//! Proxy mode (`LIBURING_CHECK=proxy`): a ring's SQEs and the head of its CQ are the library's own memory.
//!
//! | module | holds |
//! | --- | --- |
//! | [`area`] | that memory, and what goes between it and the kernel's |
//! | [`mark`] | what is written into SQEs that were submitted and CQEs that were marked as seen |
//! | [`kept`] | which requests those SQEs and CQEs were of |
//! | [`look`] | whether the program uses them |
//! | [`used`] | values that it has read there |
//! | [`sent`], [`sum`] | memory that requests in flight read |
//! | [`begin`], [`calls`] | which rings have it, and what calls do for them |

pub mod area;
pub mod begin;
pub mod calls;
pub mod kept;
pub mod look;
pub mod mark;
pub mod sent;
pub mod sum;
pub mod used;
