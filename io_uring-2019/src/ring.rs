//! A ring, as this process sees it.

use core::ffi::{c_int, c_uint, c_void};

use uring_core::abi::ring::io_uring;

use crate::abi::{
    IORING_SETUP_FIXEDBUFS, IORING_SETUP_SQPOLL, IORING_SETUP_SQTHREAD, io_uring_iocb,
};
use crate::hidden_fd::HiddenFd;
use crate::iopoll;
use crate::ring_file::{Areas, Shared, Sizes, SqRing};
use crate::sys::files::Identity;

/// A ring, as this process sees it. What it points to is shared with all processes that have the ring.
pub struct Ring {
    /// The process that set it up.
    pub process: c_int,
    /// `IORING_SETUP_*` of 2019.
    pub flags: c_uint,
    /// Number of iocbs.
    pub entries: c_uint,
    /// Whether the kernel polls for completions.
    pub iopoll: bool,
    /// This library's mappings.
    pub areas: Areas,
    /// And their sizes.
    pub sizes: Sizes,
    /// Today's ring.
    pub kring: io_uring,
    /// Its descriptor.
    pub kring_fd: HiddenFd,
    /// The thread that polls the SQ ring, if there is one.
    pub poller: Poller,
    /// A second way to the file in memory, for the thread that watches the first.
    pub anchor: HiddenFd,
    /// That file.
    pub identity: Identity,
    /// What was found out last of a device.
    pub last_device: iopoll::LastDevice,
}

impl Ring {
    /// Whether a thread of this library submits.
    pub fn has_poller(&self) -> bool {
        let both = IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL;
        self.flags & both == both
    }

    /// The head of the SQ ring.
    pub fn sq(&self) -> *mut SqRing {
        self.areas.sq_ring()
    }

    /// The indexes in the SQ ring.
    pub fn array(&self) -> *mut c_uint {
        self.areas.array()
    }

    /// The iocbs.
    pub fn iocbs(&self) -> *mut io_uring_iocb {
        self.areas.iocbs()
    }

    /// Whether there is a pinned buffer for the iocb of this index that has all of that memory.
    pub fn has_pinned(&self, index: c_uint, start: u64, len: c_uint) -> bool {
        if self.flags & IORING_SETUP_FIXEDBUFS == 0 || index >= self.entries {
            return false;
        }
        // SAFETY: then there is one for each iocb, in an area that is mapped.
        let buffer = unsafe { self.areas.buffers(&self.sizes).add(index as usize).read() };
        start
            .checked_sub(buffer.iov_base.addr() as u64)
            .and_then(|before| before.checked_add(len.into()))
            .is_some_and(|end| end <= buffer.iov_len as u64)
    }

    /// What processes agree on.
    pub fn shared(&self) -> &Shared {
        // SAFETY: mapped for as long as there is a `Ring`; atomic words only.
        unsafe { &*self.areas.shared(&self.sizes) }
    }
}

/// The thread, if there is one. All zeros is none.
pub struct Poller {
    /// Its stack.
    pub stack: *mut c_void,
    /// Its number.
    pub id: c_uint,
    /// What the kernel says of the ring. Open all the time, as a thread that opens and closes files takes numbers which a
    /// program expects for its own. Without it this thread does not count the events that find no room.
    pub fdinfo: HiddenFd,
    /// Today's ring, for the thread alone.
    pub kring: io_uring,
}
