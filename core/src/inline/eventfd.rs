//! Whether completions signal the eventfd that was registered.

use core::ffi::c_int;

use crate::abi::params::IORING_CQ_EVENTFD_DISABLED;
use crate::abi::ring::io_uring;
use crate::errno::Errno;
use crate::ring::handle::Cq;

/// Whether completions signal the registered eventfd.
///
/// That is so unless io_uring_cq_eventfd_toggle() changed it.
///
/// # Return value
///
/// True if they do, also if no eventfd is registered.
///
/// # Kernel
///
/// 5.8; always true before.
///
/// # See also
///
/// io_uring_cq_eventfd_toggle(), io_uring_register_eventfd().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cq_eventfd_enabled(ring: *const io_uring) -> bool {
    // SAFETY: the caller has the CQ side.
    let cq = unsafe { Cq::<()>::new(ring.cast_mut()) };
    cq.eventfd_flags()
        .is_none_or(|word| word.load_relaxed() & IORING_CQ_EVENTFD_DISABLED == 0)
}

/// Makes completions signal the registered eventfd, or not.
///
/// Takes effect without a system call, for completions that come later. Useful while the program looks for completions
/// by itself.
///
/// # Return value
///
/// 0, or a negative errno.
///
/// # Errors
///
/// * `-EOPNOTSUPP`: the kernel cannot be told.
///
/// # Kernel
///
/// 5.8.
///
/// # See also
///
/// io_uring_cq_eventfd_enabled(), io_uring_register_eventfd().
///
/// # Safety
///
/// `ring` is set up, and no other thread uses its CQ side.
#[cfg_attr(feature = "ffi", unsafe(no_mangle))]
pub unsafe extern "C" fn io_uring_cq_eventfd_toggle(ring: *mut io_uring, enabled: bool) -> c_int {
    // SAFETY: the caller has the CQ side.
    let Some(word) = unsafe { Cq::<()>::new(ring) }.eventfd_flags() else {
        return if enabled {
            0
        } else {
            Errno::EOPNOTSUPP.as_ret()
        };
    };
    // Relaxed: only this side writes the word, and its value is all that matters.
    let flags = word.load_relaxed();
    if enabled == (flags & IORING_CQ_EVENTFD_DISABLED != 0) {
        word.store_relaxed(flags ^ IORING_CQ_EVENTFD_DISABLED);
    }
    0
}
