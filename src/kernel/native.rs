//! The kernel this program runs on.

/// The kernel this program runs on.
pub struct Native;
