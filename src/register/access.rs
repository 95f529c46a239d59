//! Credentials, restrictions, filters, and rings that start disabled.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};

use crate::Chosen;
use uring_core::abi::{io_uring, io_uring_bpf, io_uring_restriction};
use uring_core::register::access;
use uring_core::ring::handle::Ring;

/// Keeps the caller's credentials for requests to run with.
///
/// The kernel stores the calling thread's credentials (user, group, capabilities) and returns a number for them. A
/// request whose `personality` member has that number runs with these credentials, whoever submits it. They stay with
/// the ring until io_uring_unregister_personality() or its end.
///
/// # Return value
///
/// The credentials' number, from 1 to 65535, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: all numbers are taken.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_unregister_personality(), credentials(7).
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_personality(ring: *mut io_uring) -> c_int {
    access::register_personality(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}

/// Drops credentials that a ring keeps.
///
/// Requests that run with them go on. Later requests that name `id` fail with `-EINVAL`.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: the ring keeps no credentials under the number `id`.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 5.6.
///
/// # See also
///
/// io_uring_register_personality().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_personality(ring: *mut io_uring, id: c_int) -> c_int {
    access::unregister_personality(unsafe { Ring::<Chosen>::new(ring) }, id).as_c()
}

/// Restricts what may be done on a ring.
///
/// The ring must have been set up with `IORING_SETUP_R_DISABLED`. The `nr_res` elements of `res` say what is allowed
/// once io_uring_enable_rings() has been called; what they do not allow is refused with `-EACCES` from then on. The
/// `opcode` of an element says what it is about:
///
/// * `IORING_RESTRICTION_REGISTER_OP`: the registration `register_op` is allowed.
/// * `IORING_RESTRICTION_SQE_OP`: requests with the opcode `sqe_op` are allowed.
/// * `IORING_RESTRICTION_SQE_FLAGS_ALLOWED`: requests may have the flags `sqe_flags`.
/// * `IORING_RESTRICTION_SQE_FLAGS_REQUIRED`: requests must have the flags `sqe_flags`.
///
/// A ring takes one such call, which cannot be undone. The array is read during the call and not needed afterwards.
///
/// # Return value
///
/// 0, or a negative errno. After an error the ring has no restrictions.
///
/// # Errors
///
/// * `-EBADFD`: the ring is not disabled.
/// * `-EBUSY`: the ring has restrictions.
/// * `-EINVAL`: `res` is NULL; there are too many elements; an element's `opcode` is unknown, or what it names is; or
///   the kernel does not know the operation.
/// * `-EFAULT`: `res` cannot be read.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
///
/// # Kernel
///
/// 5.10.
///
/// # See also
///
/// io_uring_enable_rings(), io_uring_register_bpf_filter().
///
/// # Safety
///
/// `ring` must be set up, and `res` point to `nr_res` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_restrictions(
    ring: *mut io_uring,
    res: *mut io_uring_restriction,
    nr_res: c_uint,
) -> c_int {
    access::register_restrictions(unsafe { Ring::<Chosen>::new(ring) }, res, nr_res).as_c()
}

/// Starts a ring that was set up disabled.
///
/// A ring that was set up with `IORING_SETUP_R_DISABLED` takes registrations but no requests until this call. It puts
/// the ring's restrictions in force. With `IORING_SETUP_SINGLE_ISSUER` the ring belongs to the calling thread from now
/// on.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBADFD`: the ring is not disabled.
/// * `-EINVAL`: the kernel does not know the operation.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
///
/// # Kernel
///
/// 5.10.
///
/// # See also
///
/// io_uring_queue_init(), io_uring_register_restrictions().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_enable_rings(ring: *mut io_uring) -> c_int {
    access::enable(unsafe { Ring::<Chosen>::new(ring) }).as_c()
}

/// Sets a BPF filter over a ring's requests.
///
/// `bpf` has `IO_URING_BPF_CMD_FILTER` as its `cmd_type` and a `struct io_uring_bpf_filter` in `filter`: the `opcode`
/// of the requests it is about; a classic BPF program of `filter_len` instructions at `filter_ptr`; `pdu_size`, the
/// size in bytes of the opcode's own part of the program's input that the program was written for; and `flags`:
///
/// * `IO_URING_BPF_FILTER_DENY_REST`: refuse requests with any opcode that has no filter.
/// * `IO_URING_BPF_FILTER_SZ_STRICT`: refuse a `pdu_size` that is not exactly the kernel's; without it, a smaller one
///   will do.
///
/// All other members must be 0. The program runs for each request with that opcode, before it starts. It sees a
/// `struct io_uring_bpf_ctx`, and allows the request unless it returns 0; then the request fails with `-EACCES`.
/// Several filters may be set for one opcode, and all of them must allow a request. A filter cannot be taken away.
///
/// The caller needs `CAP_SYS_ADMIN` or the `no_new_privs` attribute. `bpf` and the program are read during the call and
/// not needed afterwards. The kernel writes the `pdu_size` it uses into `bpf`, also when it fails with `-EMSGSIZE`.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EACCES`: the caller has neither `CAP_SYS_ADMIN` nor `no_new_privs`, or the ring's restrictions forbid it.
/// * `-EINVAL`: the opcode, a flag or an instruction of the program is not known or not allowed; the program is empty
///   or too long; a member that must be 0 is not; or the kernel does not know the operation.
/// * `-EMSGSIZE`: `pdu_size` is larger than the kernel's, or another with `IO_URING_BPF_FILTER_SZ_STRICT`.
/// * `-EFAULT`: `bpf` or the program cannot be read, or `bpf` cannot be written.
/// * `-ENOMEM`: the kernel has no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 7.0.
///
/// # See also
///
/// io_uring_register_bpf_filter_task(), io_uring_register_restrictions(), prctl(2), seccomp(2).
///
/// # Safety
///
/// `ring` must be set up, and `bpf` point to a description that may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_bpf_filter(
    ring: *mut io_uring,
    bpf: *mut io_uring_bpf,
) -> c_int {
    unsafe { access::register_bpf_filter(Ring::<Chosen>::new(ring), bpf) }.as_c()
}

/// Sets a BPF filter over the requests of rings yet to be made.
///
/// Does what io_uring_register_bpf_filter() does, for every ring that the calling task sets up from now on, and for
/// those of its children. Rings that exist are not touched. A child can add filters and cannot take any away.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EACCES`: the caller has neither `CAP_SYS_ADMIN` nor `no_new_privs`.
/// * `-EINVAL`: the opcode, a flag or an instruction of the program is not known or not allowed; the program is empty
///   or too long; a member that must be 0 is not; or the kernel does not know the operation.
/// * `-EMSGSIZE`: `pdu_size` is larger than the kernel's, or another with `IO_URING_BPF_FILTER_SZ_STRICT`.
/// * `-EFAULT`: `bpf` or the program cannot be read, or `bpf` cannot be written.
/// * `-ENOMEM`: the kernel has no memory.
///
/// # Kernel
///
/// 7.0.
///
/// # See also
///
/// io_uring_register_bpf_filter().
///
/// # Safety
///
/// `bpf` must point to a description that may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_bpf_filter_task(bpf: *mut io_uring_bpf) -> c_int {
    unsafe { access::register_task_bpf_filter::<Chosen>(bpf) }.as_c()
}
