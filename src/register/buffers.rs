//! Registered buffers.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};

use crate::Chosen;
use uring_core::abi::{__u64, IORING_REGISTER_SRC_REGISTERED, io_uring, iovec};
use uring_core::register::buffers;
use uring_core::ring::handle::Ring;

/// Registers buffers for requests that name them by index.
///
/// The kernel maps the `nr_iovecs` buffers that `iovecs` describes once, and keeps them mapped and locked in memory. A
/// request for registered buffers (io_uring_prep_read_fixed() and its kin) then names a buffer by its index in the
/// table, from 0, and any range within it. That saves mapping the memory anew for each request, most with `O_DIRECT`.
///
/// A buffer is at most 1 GiB long. It counts against `RLIMIT_MEMLOCK`, unless the process has `CAP_IPC_LOCK`; of a
/// huge page that is used in part, the whole counts. An element with a NULL `iov_base` and an `iov_len` of 0 leaves its
/// slot empty (Linux 5.13).
///
/// The array `iovecs` is read during the call and not needed afterwards. The buffers stay the program's; they must not
/// be unmapped while a request uses them. A ring has one table of buffers, which goes with the ring or with
/// io_uring_unregister_buffers().
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `nr_iovecs` is 0 or more than 16384 (1024 before Linux 5.13).
/// * `-EFAULT`: `iovecs` is NULL or cannot be read; a buffer is not all mapped and writable, is empty, is longer than
///   1 GiB, or has a NULL address and a length; or it maps a file (newer kernels) of a kind that cannot be locked.
/// * `-EOPNOTSUPP`: a buffer maps a file (older kernels).
/// * `-EOVERFLOW`: a buffer runs past the end of the address space.
/// * `-ENOMEM`: the limit on locked memory would be exceeded, or the kernel has no memory.
/// * `-EBUSY`: the ring has registered buffers.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.1. Before 5.13, the call waits until no request is in flight.
///
/// # See also
///
/// io_uring_register_buffers_sparse(), io_uring_register_buffers_tags(), io_uring_clone_buffers(),
/// io_uring_unregister_buffers(), io_uring_prep_read_fixed(), io_uring_prep_write_fixed().
///
/// # Safety
///
/// `ring` must be set up, and `iovecs` point to `nr_iovecs` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_buffers(
    ring: *mut io_uring,
    iovecs: *const iovec,
    nr_iovecs: c_uint,
) -> c_int {
    buffers::register(unsafe { Ring::<Chosen>::new(ring) }, iovecs, nr_iovecs).as_c()
}

/// Registers buffers with tags that tell when the kernel has let go of them.
///
/// Does what io_uring_register_buffers() does. Besides, `tags` gives each of the `nr` buffers a tag. Once a buffer
/// has been taken out of the table and the last request that uses it is done, a completion arrives whose `user_data` is
/// the tag and whose other members are 0. A tag of 0 asks for no such completion; so does a NULL `tags` for all.
///
/// Both arrays are read during the call and not needed afterwards.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `nr` is 0 or more than 16384; an empty slot has a tag; or the kernel does not know the operation.
/// * `-EFAULT`: `iovecs` or `tags` cannot be read; a buffer is not all mapped and writable, is empty, is longer than
///   1 GiB, or has a NULL address and a length; or it maps a file (newer kernels) of a kind that cannot be locked.
/// * `-EOPNOTSUPP`: a buffer maps a file (older kernels).
/// * `-EOVERFLOW`: a buffer runs past the end of the address space.
/// * `-ENOMEM`: the limit on locked memory would be exceeded, or the kernel has no memory.
/// * `-EBUSY`: the ring has registered buffers.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.13 (`IORING_FEAT_RSRC_TAGS`).
///
/// # See also
///
/// io_uring_register_buffers(), io_uring_register_buffers_update_tag().
///
/// # Safety
///
/// `ring` must be set up, `iovecs` point to `nr` elements, and `tags` be NULL or point to `nr` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_buffers_tags(
    ring: *mut io_uring,
    iovecs: *const iovec,
    tags: *const __u64,
    nr: c_uint,
) -> c_int {
    buffers::register_tags(unsafe { Ring::<Chosen>::new(ring) }, iovecs, tags, nr).as_c()
}

/// Registers a table of empty buffer slots.
///
/// The table has `nr` slots, to be filled with io_uring_register_buffers_update_tag() or
/// io_uring_clone_buffers_offset(). A request that names an empty slot fails with `-EFAULT`.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `nr` is 0 or more than 16384, or the kernel does not know sparse tables.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBUSY`: the ring has registered buffers.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_register_buffers(), io_uring_register_buffers_update_tag().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_buffers_sparse(
    ring: *mut io_uring,
    nr: c_uint,
) -> c_int {
    buffers::register_sparse(unsafe { Ring::<Chosen>::new(ring) }, nr).as_c()
}

/// Replaces registered buffers.
///
/// Puts the `nr` buffers that `iovecs` describes into the slots from `off` on. An element with a NULL `iov_base` and an
/// `iov_len` of 0 empties its slot. A buffer that was in a slot stays mapped until the requests that use it are done;
/// if it had a tag, a completion says so. `tags` is as for io_uring_register_buffers_tags().
///
/// Both arrays are read during the call and not needed afterwards.
///
/// # Return value
///
/// The number of buffers replaced, which is less than `nr` if one of the later ones failed; or a negative errno
/// if the first one did.
///
/// # Errors
///
/// * `-ENXIO`: the ring has no registered buffers.
/// * `-EINVAL`: `nr` is 0; `off + nr` is beyond the table; an empty slot is given a tag; or the kernel does not know
///   the operation.
/// * `-EOVERFLOW`: `off + nr` does not fit in 32 bits, or a buffer runs past the end of the address space.
/// * `-EFAULT`: `iovecs` or `tags` cannot be read; a buffer is not all mapped and writable, is empty, is longer than
///   1 GiB, or has a NULL address and a length; or it maps a file (newer kernels) of a kind that cannot be locked.
/// * `-EOPNOTSUPP`: a buffer maps a file (older kernels).
/// * `-ENOMEM`: the limit on locked memory would be exceeded, or the kernel has no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.13.
///
/// # See also
///
/// io_uring_register_buffers_tags(), io_uring_register_buffers_sparse().
///
/// # Safety
///
/// `ring` must be set up, `iovecs` point to `nr` elements, and `tags` be NULL or point to `nr` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_buffers_update_tag(
    ring: *mut io_uring,
    off: c_uint,
    iovecs: *const iovec,
    tags: *const __u64,
    nr: c_uint,
) -> c_int {
    buffers::update_tags(unsafe { Ring::<Chosen>::new(ring) }, off, iovecs, tags, nr).as_c()
}

/// Gives up all registered buffers.
///
/// A buffer that requests in flight use stays mapped until they are done. The table itself is gone when the call
/// returns, and another may be registered. There is no need to call this before io_uring_queue_exit(), but the
/// kernel may then unlock the memory somewhat later.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-ENXIO`: the ring has no registered buffers.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.1. Before 5.13, the call waits until no request is in flight.
///
/// # See also
///
/// io_uring_register_buffers().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_buffers(ring: *mut io_uring) -> c_int {
    buffers::unregister(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}

/// Gives one ring all registered buffers of another.
///
/// Afterwards `dst` has the same table of buffers as `src`, as if it had been registered there too, but without mapping
/// or locking the memory again. Each ring gives its table up by itself. `dst` must have no registered buffers.
///
/// `src` is named by its registered index if it has one (io_uring_register_ring_fd()), which only works in the
/// thread that registered it. Elsewhere use __io_uring_clone_buffers().
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: `dst` has registered buffers.
/// * `-ENXIO`: `src` has none.
/// * `-EINVAL`: the rings belong to different users or address spaces, or the kernel does not know the operation.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the descriptor of one of the rings, or its registered index in this thread, is no open file.
/// * `-EACCES`: `dst`'s restrictions forbid it.
/// * `-EEXIST`: one of the rings has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.12.
///
/// # See also
///
/// __io_uring_clone_buffers(), io_uring_clone_buffers_offset(), io_uring_register_buffers().
///
/// # Safety
///
/// `dst` and `src` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_clone_buffers(dst: *mut io_uring, src: *mut io_uring) -> c_int {
    buffers::clone(
        unsafe { Ring::<Chosen>::new(dst) },
        unsafe { Ring::<Chosen>::new(src) },
        0,
        0,
        0,
        IORING_REGISTER_SRC_REGISTERED as c_uint,
    )
    .as_c()
}

/// Gives one ring all registered buffers of another, with flags.
///
/// Does what io_uring_clone_buffers() does, but `flags` says how:
///
/// * `IORING_REGISTER_SRC_REGISTERED`: name `src` by its registered index if it has one. Only the thread that
///   registered it can. Without the flag, `src` is named by its descriptor, which must still be open.
/// * `IORING_REGISTER_DST_REPLACE`: `dst` may have registered buffers, which give way (Linux 6.13).
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: `dst` has registered buffers and `IORING_REGISTER_DST_REPLACE` is not given.
/// * `-ENXIO`: `src` has none.
/// * `-EINVAL`: the kernel does not know a flag or the operation, or the rings belong to different users or address
///   spaces.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the descriptor of one of the rings, or its registered index in this thread, is no open file.
/// * `-EACCES`: `dst`'s restrictions forbid it.
/// * `-EEXIST`: one of the rings has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.12.
///
/// # See also
///
/// io_uring_clone_buffers(), __io_uring_clone_buffers_offset().
///
/// # Safety
///
/// `dst` and `src` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __io_uring_clone_buffers(
    dst: *mut io_uring,
    src: *mut io_uring,
    flags: c_uint,
) -> c_int {
    buffers::clone(
        unsafe { Ring::<Chosen>::new(dst) },
        unsafe { Ring::<Chosen>::new(src) },
        0,
        0,
        0,
        flags,
    )
    .as_c()
}

/// Gives one ring some registered buffers of another.
///
/// Puts the `nr` buffers from slot `src_off` of `src` on into the slots from `dst_off` of `dst` on. If `dst_off`,
/// `src_off` and `nr` are all 0, that is the whole table. A slot that is empty in `src` becomes empty in `dst`. `dst`'s
/// table grows as needed. `flags` may have `IORING_REGISTER_DST_REPLACE`: `dst` may have registered buffers, and those
/// in the slots written to give way.
///
/// `src` is named by its registered index if it has one (io_uring_register_ring_fd()), which only works in the
/// thread that registered it. Elsewhere use __io_uring_clone_buffers_offset().
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: `dst` has registered buffers and `IORING_REGISTER_DST_REPLACE` is not given.
/// * `-ENXIO`: `src` has none.
/// * `-EINVAL`: `nr` is 0 but an offset is not; `nr` is more than `src` has; `dst` would have more than 16384 buffers;
///   the kernel does not know a flag or the operation; or the rings belong to different users or address spaces.
/// * `-EOVERFLOW`: `src_off + nr` is beyond `src`'s table, or `dst_off + nr` does not fit in 32 bits.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the descriptor of one of the rings, or its registered index in this thread, is no open file.
/// * `-EACCES`: `dst`'s restrictions forbid it.
/// * `-EEXIST`: one of the rings has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.13.
///
/// # See also
///
/// io_uring_clone_buffers(), __io_uring_clone_buffers_offset().
///
/// # Safety
///
/// `dst` and `src` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_clone_buffers_offset(
    dst: *mut io_uring,
    src: *mut io_uring,
    dst_off: c_uint,
    src_off: c_uint,
    nr: c_uint,
    flags: c_uint,
) -> c_int {
    let flags = flags | IORING_REGISTER_SRC_REGISTERED as c_uint;
    buffers::clone(
        unsafe { Ring::<Chosen>::new(dst) },
        unsafe { Ring::<Chosen>::new(src) },
        dst_off,
        src_off,
        nr,
        flags,
    )
    .as_c()
}

/// Gives one ring some registered buffers of another; the flags are the caller's alone.
///
/// Does what io_uring_clone_buffers_offset() does, but names `src` by its registered index only if `flags` has
/// `IORING_REGISTER_SRC_REGISTERED` (and there is an index), and by its descriptor otherwise.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: `dst` has registered buffers and `IORING_REGISTER_DST_REPLACE` is not given.
/// * `-ENXIO`: `src` has none.
/// * `-EINVAL`: `nr` is 0 but an offset is not; `nr` is more than `src` has; `dst` would have more than 16384 buffers;
///   the kernel does not know a flag or the operation; or the rings belong to different users or address spaces.
/// * `-EOVERFLOW`: `src_off + nr` is beyond `src`'s table, or `dst_off + nr` does not fit in 32 bits.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the descriptor of one of the rings, or its registered index in this thread, is no open file.
/// * `-EACCES`: `dst`'s restrictions forbid it.
/// * `-EEXIST`: one of the rings has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.13.
///
/// # See also
///
/// io_uring_clone_buffers_offset(), __io_uring_clone_buffers().
///
/// # Safety
///
/// `dst` and `src` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __io_uring_clone_buffers_offset(
    dst: *mut io_uring,
    src: *mut io_uring,
    dst_off: c_uint,
    src_off: c_uint,
    nr: c_uint,
    flags: c_uint,
) -> c_int {
    buffers::clone(
        unsafe { Ring::<Chosen>::new(dst) },
        unsafe { Ring::<Chosen>::new(src) },
        dst_off,
        src_off,
        nr,
        flags,
    )
    .as_c()
}
