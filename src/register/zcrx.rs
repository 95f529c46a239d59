//! Zero-copy receive.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use crate::Chosen;
use uring_core::abi::{io_uring, io_uring_zcrx_ifq_reg, zcrx_ctrl};
use uring_core::register::zcrx;
use uring_core::ring::handle::Ring;

/// Has a network device's receive queue fill the program's memory.
///
/// What arrives at the queue is put into the program's memory by the device itself. Requests made by
/// io_uring_prep_rw() with `IORING_OP_RECV_ZC` then say where it lies, and the program gives the memory back through
/// a ring of its own, the refill queue. `reg` describes all that:
///
/// * `if_idx`, `if_rxq`: the index of the network interface and the number of its receive queue.
/// * `rq_entries`: how many entries the refill queue is to have; rounded up to a power of two, and written back.
/// * `flags`: `ZCRX_REG_*` bits, or 0.
/// * `area_ptr`: the address of a `struct io_uring_zcrx_area_reg`, which describes the memory that data is put into.
/// * `region_ptr`: the address of a `struct io_uring_region_desc`, which describes the memory of the refill queue.
/// * `rx_buf_len`: bytes of a receive buffer, or 0 for the kernel's choice.
/// * `offsets`: receives where in the refill queue's memory its head, tail and entries are.
/// * `zcrx_id`: receives the number that requests and io_uring_register_zcrx_ctrl() name this by; 0 before the call.
///
/// `__resv` must be 0. The structures are written to during the call and not needed by the kernel afterwards. The
/// memory of area and region stays in use until the ring's end. The ring must have `IORING_SETUP_DEFER_TASKRUN`, and
/// either `IORING_SETUP_CQE32` or `IORING_SETUP_CQE_MIXED`.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EPERM`: the caller does not have `CAP_NET_ADMIN`.
/// * `-EINVAL`: the ring lacks one of these flags; a member has a wrong value; `reg` is NULL; or the kernel does not
///   know the operation.
/// * `-ENODEV`: there is no such interface.
/// * `-EOPNOTSUPP`: the device, or this kernel, cannot do it.
/// * `-EEXIST`: the queue is in use for this; or the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another
///   thread.
/// * `-EFAULT`: a structure cannot be read or written, or the memory is not all mapped and writable.
/// * `-ENOMEM`: the limit on locked memory would be exceeded, or the kernel has no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
///
/// # Kernel
///
/// 6.15.
///
/// # See also
///
/// io_uring_register_zcrx_ctrl(), io_uring_register_query().
///
/// # Safety
///
/// `ring` must be set up, and `reg`, its `area_ptr` and its `region_ptr` point to structures that may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_ifq(
    ring: *mut io_uring,
    reg: *mut io_uring_zcrx_ifq_reg,
) -> c_int {
    unsafe { zcrx::register_ifq(Ring::<Chosen>::new(ring), reg) }.as_c()
}

/// Does something with a registered receive queue.
///
/// `zcrx_id` in `ctrl` is the number that io_uring_register_ifq() gave, and `op` says what to do:
///
/// * `ZCRX_CTRL_FLUSH_RQ`: take back now what is in the refill queue.
/// * `ZCRX_CTRL_EXPORT`: make a descriptor for the queue, by which another ring can share it (`ZCRX_REG_IMPORT`). It is
///   written to `zc_export.zcrx_fd`, and is the caller's to close.
///
/// All reserved members must be 0. The structure is not needed after the call.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-ENXIO`: the ring has no such queue.
/// * `-EOPNOTSUPP`: the kernel does not know `op`, or zero-copy receive.
/// * `-EINVAL`: a reserved member is not 0, or the kernel does not know the operation.
/// * `-EFAULT`: `ctrl` cannot be read or written.
/// * `-EMFILE`: the limit on open descriptors is reached (`ZCRX_CTRL_EXPORT`).
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.19.
///
/// # See also
///
/// io_uring_register_ifq().
///
/// # Safety
///
/// `ring` must be set up, and `ctrl` point to a structure that may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_zcrx_ctrl(
    ring: *mut io_uring,
    ctrl: *mut zcrx_ctrl,
) -> c_int {
    unsafe { zcrx::control(Ring::<Chosen>::new(ring), ctrl) }.as_c()
}
