//! A request that waits somewhere.

use std::sync::Arc;

use crate::request::Req;
use crate::ring::Ring;

/// A request that waits somewhere, with its ring.
pub struct Job {
    pub ring: Arc<Ring>,
    pub req: Req,
}
