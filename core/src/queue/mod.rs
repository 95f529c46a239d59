//! The two queues at work.
//!
//! A function here takes the handle of the side that it uses, see [`handle`](crate::ring::handle).

mod by_request;
pub mod complete;
pub mod enter;
pub mod sqe;
pub mod submit;
pub mod wait;

#[cfg(test)]
pub(crate) mod tests;
