//! The two system calls.

use core::ffi::{c_int, c_uint};

use uring_core::abi::iovec;
use uring_core::kernel::Native;

use crate::abi::io_uring_params;
use crate::errno::in_errno;
use crate::setup::Closing;
use crate::{enter, pool, setup};

/// Sets a ring up.
///
/// The ring gets `entries` iocbs, rounded up to a power of two, and room for twice as many events. The program maps its
/// parts through the descriptor, as `*p` describes them, and closes the descriptor with close(2). The ring's memory is
/// given back when the mappings are gone too.
///
/// With `IORING_SETUP_FIXEDBUFS`, `iovecs` has a buffer for each iocb, which stays pinned. Otherwise it is ignored.
///
/// # Return value
///
/// A descriptor, which is closed on exec; or -1, and `errno` is set.
///
/// # Errors
///
/// * `EFAULT`: `p` or `iovecs` is no valid address; a buffer has no address, or is longer than 4 MiB.
/// * `EINVAL`: unknown flags; reserved fields that are not zero; no entries, or more than 32768; with
///   `IORING_SETUP_SQTHREAD`, `sq_thread_cpu` is no CPU of this machine.
/// * `EMFILE`, `ENFILE`: no descriptor is left (a ring needs up to three), or the process has 1024 rings.
/// * `EFBIG`: the limit on file sizes is below 260 MiB.
/// * `ENOMEM`: no memory, or the buffers exceed the limit of locked memory.
/// * `ENOSYS`: the kernel is older than 6.5.
/// * `EPERM`: io_uring is forbidden.
///
/// # Kernel
///
/// 6.5; 6.10 for more than 64 entries.
///
/// # See also
///
/// io_uring_enter().
///
/// # Safety
///
/// `iovecs` and `p` are valid if they are readable at all. The buffers stay the program's while requests use them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_setup(
    entries: c_uint,
    iovecs: *mut iovec,
    p: *mut io_uring_params,
) -> c_int {
    in_errno(setup::setup(entries, iovecs, p, Closing::Unseen))
}

/// Submits, waits, or both.
///
/// Consumes up to `to_submit` entries of the SQ ring. With `IORING_ENTER_GETEVENTS` in `flags`, waits until there is an
/// event. It does not wait if `min_complete` is 0, or if `to_submit` is not 0 and nothing was submitted.
///
/// An index that names no iocb is dropped and counted. An iocb that cannot be started stays in the ring and ends the
/// call. With `IORING_SETUP_SQWQ` or `IORING_SETUP_SQTHREAD` it is consumed instead, and its event has the error.
///
/// # Return value
///
/// How many iocbs were submitted; with `IORING_SETUP_SQTHREAD`, `to_submit`. Or -1, and `errno` is set.
///
/// # Errors
///
/// * `EBADF`: `fd` is not open; or an iocb names a file that is not open for what it asks.
/// * `EBUSY`: another thread is in this call for the same ring.
/// * `EINTR`: a signal ended the wait, and nothing was submitted.
/// * `EINVAL`: unknown flags; or an iocb's opcode or flags are unknown, or it asks for an fsync where completions are
///   polled for.
/// * `EOPNOTSUPP`: `fd` is not a ring; or an iocb names a file without `O_DIRECT` where completions are polled for.
///
/// # Kernel
///
/// 6.5.
///
/// # See also
///
/// io_uring_setup().
///
/// # Safety
///
/// The memory that the iocbs name stays valid until their events are there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_enter(
    fd: c_uint,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
) -> c_int {
    in_errno(
        pool::find(fd as c_int).and_then(|ring| {
            enter::enter::<Native>(ring, fd as c_int, to_submit, min_complete, flags)
        }),
    )
}
