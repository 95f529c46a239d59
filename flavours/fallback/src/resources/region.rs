//! Memory that the program and the ring share, for the arguments of waits.

use crate::mapping::Mapping;

/// A registered region.
pub struct Region {
    pub start: usize,
    pub size: usize,
    /// Made here, not the program's.
    pub own: Option<Mapping>,
    pub for_waits: bool,
}
