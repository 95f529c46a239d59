//! Registered files.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};

use crate::Chosen;
use uring_core::abi::{__u64, io_uring};
use uring_core::register::files;
use uring_core::ring::handle::Ring;

/// Registers files for requests that name them by index.
///
/// The kernel keeps a table of the `nr_files` open files whose descriptors are in `files`. A request with
/// `IOSQE_FIXED_FILE` in its flags gives a slot of the table, from 0, in place of a descriptor. That saves taking and
/// dropping a reference to the file for each request, which costs most in a program with threads. An element of -1
/// leaves its slot empty.
///
/// The array `files` is read during the call and not needed afterwards. The table holds the files open by itself: the
/// descriptors may be closed. A ring has one table of files, which goes with the ring or with
/// io_uring_unregister_files().
///
/// The table may not be larger than the limit on open descriptors (`RLIMIT_NOFILE`). If it is, the library raises the
/// process's soft limit by `nr_files`, as far as the hard limit allows, and tries once more. The limit stays raised if
/// that helps; otherwise it is put back.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `nr_files` is 0.
/// * `-EMFILE`: `nr_files` is more than the kernel's maximum (1,048,576 on current kernels, 32,768 on older ones), or
///   more than the hard limit on open descriptors.
/// * `-EBADF`: a descriptor is not open or is an `io_uring` ring; or the ring's own descriptor, or its registered index
///   in this thread, is no open file.
/// * `-EFAULT`: `files` is NULL or cannot be read.
/// * `-EBUSY`: the ring has registered files.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.1. Before 5.13, the call waits until no request is in flight.
///
/// # See also
///
/// io_uring_register_files_sparse(), io_uring_register_files_tags(), io_uring_register_files_update(),
/// io_uring_unregister_files(), io_uring_register_file_alloc_range(), getrlimit(2).
///
/// # Safety
///
/// `ring` must be set up, and `files` point to `nr_files` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_files(
    ring: *mut io_uring,
    files: *const c_int,
    nr_files: c_uint,
) -> c_int {
    files::register(unsafe { Ring::<Chosen>::new(ring) }, files, nr_files).as_c()
}

/// Registers files with tags that tell when the kernel has let go of them.
///
/// Does what io_uring_register_files() does, raising the limit on open descriptors included. Besides, `tags` gives
/// each of the `nr` files a tag. Once a file has been taken out of the table and the last request that uses it is done,
/// a completion arrives whose `user_data` is the tag and whose other members are 0. A tag of 0 asks for no such
/// completion; so does a NULL `tags` for all.
///
/// Both arrays are read during the call and not needed afterwards.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `nr` is 0; an empty slot has a tag; or the kernel does not know the operation.
/// * `-EMFILE`: `nr` is more than the kernel's maximum (1,048,576 on current kernels, 32,768 on older ones), or more
///   than the hard limit on open descriptors.
/// * `-EBADF`: a descriptor is not open or is an `io_uring` ring; or the ring's own descriptor, or its registered index
///   in this thread, is no open file.
/// * `-EFAULT`: `files` or `tags` cannot be read.
/// * `-EBUSY`: the ring has registered files.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.13 (`IORING_FEAT_RSRC_TAGS`).
///
/// # See also
///
/// io_uring_register_files(), io_uring_register_files_update_tag().
///
/// # Safety
///
/// `ring` must be set up, `files` point to `nr` elements, and `tags` be NULL or point to `nr` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_files_tags(
    ring: *mut io_uring,
    files: *const c_int,
    tags: *const __u64,
    nr: c_uint,
) -> c_int {
    files::register_tags(unsafe { Ring::<Chosen>::new(ring) }, files, tags, nr).as_c()
}

/// Registers a table of empty file slots.
///
/// The table has `nr` slots. They are filled with io_uring_register_files_update(), or by requests that open a file
/// straight into a slot (io_uring_prep_openat_direct(), io_uring_prep_accept_direct() and others). Using such
/// requests takes a table of files. The limit on open descriptors is treated as in io_uring_register_files().
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `nr` is 0, or the kernel does not know sparse tables.
/// * `-EMFILE`: `nr` is more than the kernel's maximum (1,048,576 on current kernels, 32,768 on older ones), or more
///   than the hard limit on open descriptors.
/// * `-EBUSY`: the ring has registered files.
/// * `-ENOMEM`: the kernel has no memory.
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
/// io_uring_register_files(), io_uring_register_file_alloc_range().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_files_sparse(ring: *mut io_uring, nr: c_uint) -> c_int {
    files::register_sparse(unsafe { Ring::<Chosen>::new(ring) }, nr).as_c()
}

/// Replaces registered files.
///
/// Puts the `nr_files` open files whose descriptors are in `files` into the slots from `off` on. -1 empties a slot;
/// `IORING_REGISTER_FILES_SKIP` leaves it as it is (Linux 5.12). A file that was in a slot stays open until the
/// requests that use it are done.
///
/// The array `files` is read during the call and not needed afterwards.
///
/// # Return value
///
/// The number of slots done, which is less than `nr_files` if one of the later ones failed; or a negative errno
/// if the first one did.
///
/// # Errors
///
/// * `-ENXIO`: the ring has no registered files.
/// * `-EINVAL`: `nr_files` is 0, or `off + nr_files` is beyond the table.
/// * `-EOVERFLOW`: `off + nr_files` does not fit in 32 bits.
/// * `-EBADF`: a descriptor is not open or is an `io_uring` ring; or the ring's own descriptor, or its registered index
///   in this thread, is no open file.
/// * `-EFAULT`: `files` cannot be read.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.5.
///
/// # See also
///
/// io_uring_register_files(), io_uring_register_files_update_tag(), io_uring_prep_files_update().
///
/// # Safety
///
/// `ring` must be set up, and `files` point to `nr_files` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_files_update(
    ring: *mut io_uring,
    off: c_uint,
    files: *const c_int,
    nr_files: c_uint,
) -> c_int {
    files::update(unsafe { Ring::<Chosen>::new(ring) }, off, files, nr_files).as_c()
}

/// Replaces registered files, with tags.
///
/// Does what io_uring_register_files_update() does. `tags` is as for io_uring_register_files_tags(); a slot that
/// is emptied or skipped takes no tag. If the file that was in a slot had a tag, a completion says when the kernel has
/// let go of it.
///
/// Both arrays are read during the call and not needed afterwards.
///
/// # Return value
///
/// The number of slots done, which is less than `nr_files` if one of the later ones failed; or a negative errno
/// if the first one did.
///
/// # Errors
///
/// * `-ENXIO`: the ring has no registered files.
/// * `-EINVAL`: `nr_files` is 0; `off + nr_files` is beyond the table; a slot that is emptied or skipped has a tag; or
///   the kernel does not know the operation.
/// * `-EOVERFLOW`: `off + nr_files` does not fit in 32 bits.
/// * `-EBADF`: a descriptor is not open or is an `io_uring` ring; or the ring's own descriptor, or its registered index
///   in this thread, is no open file.
/// * `-EFAULT`: `files` or `tags` cannot be read.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.13.
///
/// # See also
///
/// io_uring_register_files_update(), io_uring_register_files_tags().
///
/// # Safety
///
/// `ring` must be set up, `files` point to `nr_files` elements, and `tags` be NULL or point to `nr_files` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_files_update_tag(
    ring: *mut io_uring,
    off: c_uint,
    files: *const c_int,
    tags: *const __u64,
    nr_files: c_uint,
) -> c_int {
    files::update_tags(
        unsafe { Ring::<Chosen>::new(ring) },
        off,
        files,
        tags,
        nr_files,
    )
    .as_c()
}

/// Gives up all registered files.
///
/// A file that requests in flight use stays open until they are done. The table itself is gone when the call returns,
/// and another may be registered. There is no need to call this before io_uring_queue_exit().
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-ENXIO`: the ring has no registered files.
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
/// io_uring_register_files().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_files(ring: *mut io_uring) -> c_int {
    files::unregister(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}

/// Sets the range of file slots that the kernel may choose from.
///
/// A request that opens a file straight into a slot may leave the choice of the slot to the kernel
/// (`IORING_FILE_INDEX_ALLOC`). The kernel then takes a free one of the `len` slots from `off` on. At first the range
/// is the whole table. A range that is smaller leaves the other slots to the program.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `off + len` is beyond the table of registered files, or the kernel does not know the operation. A ring
///   without a table has room for nothing.
/// * `-EOVERFLOW`: `off + len` does not fit in 32 bits.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.0.
///
/// # See also
///
/// io_uring_register_files_sparse(), io_uring_prep_openat_direct(), io_uring_prep_accept_direct(),
/// io_uring_prep_socket_direct().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_file_alloc_range(
    ring: *mut io_uring,
    off: c_uint,
    len: c_uint,
) -> c_int {
    files::set_alloc_range(unsafe { Ring::<Chosen>::new(ring) }, off, len).as_c()
}
