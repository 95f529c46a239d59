//! The two queues at work.
//!
//! Every function here takes a ring that set-up has filled in and that has not been exited: its pointers lead into
//! live mappings. Two threads may use one ring at the same time if one keeps to the SQ side and the other to the CQ
//! side, which is why rings are raw pointers here and never references.

mod by_request;
pub mod complete;
pub mod sqe;
pub mod submit;
pub mod wait;

#[cfg(test)]
pub(crate) mod tests;
