//! What C programs have as inline functions beside the request helpers, for `liburing-ffi`.

pub mod buf_ring;
pub mod eventfd;
pub mod peek;
pub mod prep;
pub mod sq;

#[cfg(test)]
mod tests;
