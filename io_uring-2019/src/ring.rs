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

/// A ring, as this process sees it. The memory it points to is shared with all processes that have the ring.
pub struct Ring {
    /// The process that set it up.
    pub process: c_int,
    /// `IORING_SETUP_*` of 2019.
    pub flags: c_uint,
    /// Number of iocbs.
    pub entries: c_uint,
    /// Whether the kernel ring polls for completions.
    pub iopoll: bool,
    /// This library's mappings.
    pub areas: Areas,
    /// And their sizes.
    pub sizes: Sizes,
    /// The kernel ring.
    pub kring: io_uring,
    /// The kernel ring's descriptor.
    pub kring_fd: HiddenFd,
    /// The polling thread, if there is one.
    pub poller: Poller,
    /// A second open file of the ring's memory file, for the watching thread.
    pub anchor: HiddenFd,
    /// The ring's memory file.
    pub identity: Identity,
    /// What was last found out about a device.
    pub last_device: iopoll::LastDevice,
}

impl Ring {
    /// Whether a polling thread submits.
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

    /// Whether the iocb with this index has a pinned buffer that contains this memory.
    pub fn has_pinned(&self, index: c_uint, start: u64, len: c_uint) -> bool {
        if self.flags & IORING_SETUP_FIXEDBUFS == 0 || index >= self.entries {
            return false;
        }
        // SAFETY: a ring with this flag has a buffer for each iocb, in an area that stays mapped.
        let buffer = unsafe { self.areas.buffers(&self.sizes).add(index as usize).read() };
        start
            .checked_sub(buffer.iov_base.addr() as u64)
            .and_then(|before| before.checked_add(len.into()))
            .is_some_and(|end| end <= buffer.iov_len as u64)
    }

    /// The words that all processes with the ring share.
    pub fn shared(&self) -> &Shared {
        // SAFETY: mapped while there is a `Ring`. The words are atomic, so other processes may write them.
        unsafe { &*self.areas.shared(&self.sizes) }
    }
}

/// The polling thread. All zeros means that there is none.
pub struct Poller {
    /// Its stack.
    pub stack: *mut c_void,
    /// The thread's id.
    pub id: c_uint,
    /// The kernel's description of the ring. It stays open: a thread that opened and closed files would take numbers
    /// that the program expects to be free. Without it this thread does not count the events that find no room.
    pub fdinfo: HiddenFd,
    /// The polling thread's copy of `Ring::kring`.
    pub kring: io_uring,
}
