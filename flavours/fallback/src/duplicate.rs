//! A descriptor that a request keeps for itself.

use std::ffi::c_int;

use crate::sys;

/// A duplicate of a descriptor, closed when the request goes.
pub struct Duplicate(pub c_int);

impl Drop for Duplicate {
    fn drop(&mut self) {
        sys::close(self.0);
    }
}
