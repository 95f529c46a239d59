//! What the running kernel can do.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};

use crate::Chosen;
use uring_core::abi::{io_uring, io_uring_probe, io_uring_query_hdr};
use uring_core::register::query;
use uring_core::ring::handle::Ring;

/// Asks the kernel which requests it knows, in the caller's memory.
///
/// `p` is a `struct io_uring_probe` followed by `nr_ops` elements of `ops`, all of it zero. The kernel fills in
/// `last_op`, the highest opcode it knows; `ops_len`, the number of elements it filled in, at most 256; and the
/// elements, in which `IO_URING_OP_SUPPORTED` says that a request is supported. io_uring_opcode_supported() reads them.
///
/// io_uring_get_probe_ring() allocates the memory by itself.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `p` is NULL, its memory is not zero, `nr_ops` is more than 256, or the kernel does not know the
///   operation.
/// * `-EFAULT`: the memory cannot be read or written.
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
/// io_uring_get_probe_ring(), io_uring_opcode_supported(), io_uring_register_query().
///
/// # Safety
///
/// `ring` must be set up, and `p` point to the head and `nr_ops` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_probe(
    ring: *mut io_uring,
    p: *mut io_uring_probe,
    nr_ops: c_uint,
) -> c_int {
    unsafe { query::probe(Ring::<Chosen>::new(ring), p, nr_ops) }.as_c()
}

/// Asks the kernel what it supports.
///
/// Takes no ring. `query` is the first of a chain of questions, linked through `next_entry`, which is 0 in the last. In
/// each, `query_op` is the question, `query_data` the address of the structure for the answer, and `size` that
/// structure's size in bytes. `result` and `__resv` must be 0. The questions are:
///
/// * `IO_URING_QUERY_OPCODES`: a `struct io_uring_query_opcode`: how many requests and registrations there are, and
///   which features and flags of set-up, enter and requests.
/// * `IO_URING_QUERY_ZCRX`: a `struct io_uring_query_zcrx`: what zero-copy receive can do (Linux 6.19).
/// * `IO_URING_QUERY_SCQ`: a `struct io_uring_query_scq`: size and alignment of the head of the rings (Linux 6.19).
///
/// The kernel writes the answers, their size in bytes into `size`, and 0 or a negative errno for each question into
/// `result` (`-EOPNOTSUPP`: the kernel does not know the question; `-EINVAL`: a member has a wrong value). An answer
/// that is longer than `size` is cut off, the rest of a shorter one is set to 0. A program may thus be older or newer
/// than the kernel.
///
/// # Return value
///
/// 0 if every question was treated, whatever its `result`; or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: the kernel does not know the operation.
/// * `-EFAULT`: a question or an answer cannot be read or written.
/// * `-ERANGE`: the chain has 1000 questions or more.
/// * `-EINTR`: a deadly signal came.
///
/// # Kernel
///
/// 6.18.
///
/// # See also
///
/// io_uring_register_probe(), io_uring_queue_init_params().
///
/// # Safety
///
/// `query` must be NULL or point to a question, each `next_entry` likewise, and each `query_data` to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_query(query: *mut io_uring_query_hdr) -> c_int {
    unsafe { query::query::<Chosen>(query) }.as_c()
}
