//! The structures of the library of 2019. Programs have them on their stack and use their members.

use core::ffi::{c_int, c_uint};

use crate::abi::{io_uring_event, io_uring_iocb};

/// The submission side of a ring.
#[repr(C)]
pub struct io_uring_sq {
    /// How far entries were consumed.
    pub khead: *mut c_uint,
    /// How far the program has filled entries in.
    pub ktail: *mut c_uint,
    /// Number of entries minus one.
    pub kring_mask: *mut c_uint,
    /// Number of entries.
    pub kring_entries: *mut c_uint,
    /// `IORING_SQ_*`.
    pub kflags: *mut c_uint,
    /// How many indexes named no iocb.
    pub kdropped: *mut c_uint,
    /// The indexes of iocbs.
    pub array: *mut c_uint,
    /// The iocbs.
    pub iocbs: *mut io_uring_iocb,
    /// The iocbs before this one have been put into the ring.
    pub iocb_head: c_uint,
    /// The next iocb to hand out.
    pub iocb_tail: c_uint,
    /// Size of the ring in bytes.
    pub ring_sz: usize,
}

/// The completion side of a ring.
#[repr(C)]
pub struct io_uring_cq {
    /// How far the program has taken events.
    pub khead: *mut c_uint,
    /// How far events have been posted.
    pub ktail: *mut c_uint,
    /// Number of entries minus one.
    pub kring_mask: *mut c_uint,
    /// Number of entries.
    pub kring_entries: *mut c_uint,
    /// How many events found no room.
    pub koverflow: *mut c_uint,
    /// The events.
    pub events: *mut io_uring_event,
    /// Size of the ring in bytes.
    pub ring_sz: usize,
}

/// A ring.
#[repr(C)]
pub struct io_uring {
    /// The submission side.
    pub sq: io_uring_sq,
    /// The completion side.
    pub cq: io_uring_cq,
    /// The descriptor.
    pub ring_fd: c_int,
}
