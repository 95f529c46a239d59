//! The three system calls, as they are.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint, c_void};

use crate::Chosen;
use uring_core::abi::params::io_uring_params;
use uring_core::abi::types::{KERNEL_SIGSET_SIZE, sigset_t};
use uring_core::kernel::Kernel;

/// Makes a ring: the plain system call, without mapping anything.
///
/// `entries` is the number of SQEs wanted; the kernel rounds it up to a power of two. What the kernel made of the
/// request stands in `*p` afterwards: sizes, features, and where the parts of the rings lie in their mappings.
///
/// # Return value
///
/// A descriptor, which the caller closes; with `IORING_SETUP_REGISTERED_FD_ONLY` an index into the thread's registered
/// rings. Or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EFAULT`: `p` cannot be read or written.
/// * `-EINVAL`: `entries` is 0, or too large without `IORING_SETUP_CLAMP`; flags are unknown to the kernel or
///   contradict each other; reserved fields are not zero.
/// * `-EMFILE`, `-ENFILE`: the process's or the system's descriptors are used up.
/// * `-ENOMEM`: the kernel has no memory, or the locked-memory limit is reached.
/// * `-EPERM`: io_uring is disabled (`kernel.io_uring_disabled`) or forbidden by a security module; or a submission
///   thread was asked for on a kernel before 5.11 without privilege.
/// * `-ENOSYS`: the kernel has no io_uring, or a seccomp filter hides it.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_queue_init_params(), io_uring_queue_mmap(), io_uring_setup(2).
///
/// # Safety
///
/// `p` is valid for reads and writes, and what it names under `IORING_SETUP_NO_MMAP` stays valid with the ring.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_setup(entries: c_uint, p: *mut io_uring_params) -> c_int {
    unsafe { Chosen::setup(entries, p) }.as_c()
}

/// Submits, waits, or both: the plain system call.
///
/// `to_submit` requests are taken from the SQ, and with `IORING_ENTER_GETEVENTS` the call waits until `min_complete`
/// completions are in the CQ, with the signals in `sig` blocked meanwhile unless it is NULL. `fd` is a ring's
/// descriptor, or with `IORING_ENTER_REGISTERED_RING` an index.
///
/// # Return value
///
/// The number of requests taken, or a negative errno; `errno` is not touched. Errors of requests come in their CQEs.
///
/// # Errors
///
/// * `-EAGAIN`: the kernel had no memory for a request; take completions and try again.
/// * `-EBADF`: `fd` is not open.
/// * `-EBADFD`: the ring was set up with `IORING_SETUP_R_DISABLED` and is not enabled.
/// * `-EBUSY`: completions are held back and must be taken first.
/// * `-EEXIST`: another thread uses a ring set up with `IORING_SETUP_SINGLE_ISSUER`.
/// * `-EFAULT`: the argument cannot be read.
/// * `-EINTR`: a signal came while waiting, and nothing had been submitted.
/// * `-EINVAL`: flags unknown to the kernel.
/// * `-EOPNOTSUPP`: `fd` is not a ring.
/// * `-EOWNERDEAD`: the submission thread has ended.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_enter2(), io_uring_submit(), io_uring_enter(2).
///
/// # Safety
///
/// `sig` is NULL or a signal set; what the requests name stays valid until they complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_enter(
    fd: c_uint,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
    sig: *mut sigset_t,
) -> c_int {
    unsafe {
        Chosen::enter(
            fd as c_int,
            to_submit,
            min_complete,
            flags,
            sig.cast(),
            KERNEL_SIGSET_SIZE,
        )
    }
    .as_c()
}

/// Submits, waits, or both: the plain system call with an argument of any kind.
///
/// With `IORING_ENTER_EXT_ARG`, `arg` is a `struct io_uring_getevents_arg` of `sz` bytes; with
/// `IORING_ENTER_EXT_ARG_REG` as well, the offset in bytes of a `struct io_uring_reg_wait` in the ring's registered
/// wait region. Without either it is a signal set of `sz` bytes, or NULL.
///
/// # Return value
///
/// As io_uring_enter().
///
/// # Errors
///
/// As io_uring_enter(), and:
///
/// * `-ETIME`: the time in `arg` passed before there were enough completions.
/// * `-EINVAL`: `sz` is not the size of what `flags` say `arg` is.
///
/// # Kernel
///
/// 5.1; `IORING_ENTER_EXT_ARG` 5.11, `IORING_ENTER_EXT_ARG_REG` 6.13.
///
/// # See also
///
/// io_uring_enter(2).
///
/// # Safety
///
/// `arg` is what `flags` say; what the requests name stays valid until they complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_enter2(
    fd: c_uint,
    to_submit: c_uint,
    min_complete: c_uint,
    flags: c_uint,
    arg: *mut c_void,
    sz: usize,
) -> c_int {
    unsafe { Chosen::enter(fd as c_int, to_submit, min_complete, flags, arg, sz) }.as_c()
}

/// Registers something with a ring, or asks about it: the plain system call.
///
/// `opcode` is an `IORING_REGISTER_*` or `IORING_UNREGISTER_*`, and says what `arg` and `nr_args` are. `fd` is a ring's
/// descriptor, or with `IORING_REGISTER_USE_REGISTERED_RING` in `opcode` an index, or -1 for operations without a ring.
///
/// # Return value
///
/// As the operation has it, mostly 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// Those of the operation, and:
///
/// * `-EBADF`: `fd` is not open.
/// * `-EINVAL`: the kernel does not know `opcode`, or `arg` or `nr_args` do not fit it.
/// * `-EACCES`: the ring's restrictions forbid the operation.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
/// * `-EOPNOTSUPP`: `fd` is not a ring.
///
/// # Kernel
///
/// 5.1.
///
/// # See also
///
/// io_uring_register(2).
///
/// # Safety
///
/// `arg` is what `opcode` takes, with `nr_args` elements where it takes an array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register(
    fd: c_uint,
    opcode: c_uint,
    arg: *const c_void,
    nr_args: c_uint,
) -> c_int {
    unsafe { Chosen::register(fd as c_int, opcode, arg, nr_args) }.as_c()
}
