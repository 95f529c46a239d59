//! Rings of another size.

use core::ffi::c_int;

use crate::Chosen;
use uring_core::abi::{io_uring, io_uring_params};
use uring_core::register::resize;
use uring_core::ring::handle::Whole;

/// Gives a ring another size.
///
/// `sq_entries` in `p` is the new number of SQEs. There will be twice as many CQEs or, with `IORING_SETUP_CQSIZE` in
/// `flags`, `cq_entries`. Both are rounded up to a power of two. With `IORING_SETUP_CLAMP`, numbers beyond the kernel's
/// maximum are brought down to it. Other flags stay as the ring was set up, and other members must be 0. On success `p`
/// has the new numbers and offsets; `flags` is 0 again on return.
///
/// Whatever is in the queues stays there: SQEs taken with io_uring_get_sqe() and not submitted, and completions not
/// yet seen. Pointers into the rings, however, are void after the call: those to SQEs and CQEs, and those that `ring`
/// itself had. The ring's memory is mapped anew, so that io_uring_ring_dontfork() must be called again.
///
/// The ring must have `IORING_SETUP_DEFER_TASKRUN`, and not `IORING_SETUP_NO_MMAP`. Its descriptor must be open.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// After an error the ring is as it was, with one exception. The new rings exist in the kernel before they are mapped,
/// and only then it shows whether that is possible. The library makes sure of the address space beforehand, but another
/// thread may take it meanwhile, or mmap(2) fail for another reason. `ring` then still points to the memory of the old
/// rings, which may be touched but which the kernel looks at no more; so every call that would enter the kernel fails
/// with `-EBADF` instead. Call `io_uring_resize_rings` again, which brings the ring back with all that was in it, or
/// give it up with io_uring_queue_exit().
///
/// # Errors
///
/// * `-EINVAL`: the ring does not have `IORING_SETUP_DEFER_TASKRUN`, or has `IORING_SETUP_NO_MMAP`; a flag is not one
///   of these; a number is 0 or too large; there would be fewer CQEs than SQEs; or the kernel does not know the
///   operation.
/// * `-EOVERFLOW`: the entries in one of the queues do not fit into its new size.
/// * `-EFAULT`: `p` cannot be read or written.
/// * `-ENOMEM`: the limit on locked memory or on address space would be exceeded, or the kernel has no memory.
/// * `-EAGAIN`, `-EPERM`: the rings cannot be mapped (mmap(2)).
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring belongs to another thread.
///
/// # Kernel
///
/// 6.13.
///
/// # See also
///
/// io_uring_queue_init_params(), io_uring_setup(2).
///
/// # Safety
///
/// `ring` must be set up, no other thread use it meanwhile, and `p` point to parameters that may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_resize_rings(
    ring: *mut io_uring,
    p: *mut io_uring_params,
) -> c_int {
    // SAFETY: the caller vouches for both.
    unsafe { resize::resize(Whole::<Chosen>::new(ring), p) }.as_c()
}
