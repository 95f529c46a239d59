//! How a ring waits.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::c_int;

use crate::Chosen;
use uring_core::abi::{
    io_uring, io_uring_clock_register, io_uring_mem_region_reg, io_uring_reg_wait,
};
use uring_core::errno::Errno;
use uring_core::register::wait;
use uring_core::ring::handle::{Ring, Whole};

/// Sets the clock by which timed waits go.
///
/// That is the clock of the timeout of io_uring_wait_cqe_timeout() and its kin, where the kernel itself does the
/// waiting (`IORING_FEAT_EXT_ARG`). `clockid` in `arg` is `CLOCK_MONOTONIC`, as at first, or `CLOCK_BOOTTIME`, which
/// also runs while the system is suspended. `__resv` must be 0. The structure is read during the call and not needed
/// afterwards.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: another clock; `arg` is NULL; a member that must be 0 is not; or the kernel does not know the
///   operation.
/// * `-EFAULT`: `arg` cannot be read.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.12.
///
/// # See also
///
/// io_uring_wait_cqe_timeout(), clock_gettime(2).
///
/// # Safety
///
/// `ring` must be set up, and `arg` point to the structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_clock(
    ring: *mut io_uring,
    arg: *mut io_uring_clock_register,
) -> c_int {
    wait::register_clock(unsafe { Ring::<Chosen>::new(ring) }, arg).as_c()
}

/// Registers memory that a ring shares with the kernel.
///
/// `region_uptr` in `reg` is the address of a `struct io_uring_region_desc`:
///
/// * `size`: bytes of the region, whole pages.
/// * `flags`: with `IORING_MEM_REGION_TYPE_USER` the region is the program's memory at `user_addr`, which begins at a
///   page; it must stay mapped as long as the ring exists. Without it the kernel allocates the memory, `user_addr` must
///   be 0, and `mmap_offset` receives the offset at which to map it from the ring's descriptor.
/// * `id` and `__resv` must be 0, and `mmap_offset` before the call.
///
/// `flags` in `reg` says what the region is for. With `IORING_MEM_REGION_REG_WAIT_ARG` it holds the arguments of waits,
/// elements of `struct io_uring_reg_wait`, which io_uring_submit_and_wait_reg() then names by index. Such a region
/// can only be registered while the ring is disabled (`IORING_SETUP_R_DISABLED`). `__resv` must be 0.
///
/// A ring has one region, until its end. Both structures are not needed after the call. The size counts against
/// `RLIMIT_MEMLOCK`, unless the process has `CAP_IPC_LOCK`.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EBUSY`: the ring has a region.
/// * `-EINVAL`: a flag is unknown; a member that must be 0 is not; the size is 0 or not whole pages; the address does
///   not begin a page; the region is for waits and the ring is not disabled; `reg` is NULL; or the kernel does not know
///   the operation.
/// * `-EFAULT`: a structure cannot be read or written; the program's memory is not all mapped and writable; or an
///   address is given without `IORING_MEM_REGION_TYPE_USER`, or none with it.
/// * `-E2BIG`: the region is too large.
/// * `-EOVERFLOW`: the region runs past the end of the address space.
/// * `-ENOMEM`: the limit on locked memory would be exceeded, or the kernel has no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.13.
///
/// # See also
///
/// io_uring_submit_and_wait_reg(), io_uring_enable_rings().
///
/// # Safety
///
/// `ring` must be set up, and `reg` point to the description, and its `region_uptr` to the region's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_region(
    ring: *mut io_uring,
    reg: *mut io_uring_mem_region_reg,
) -> c_int {
    unsafe { wait::register_region(Ring::<Chosen>::new(ring), reg) }.as_c()
}

/// Fails: the kernel has no such operation.
///
/// It was meant to register the arguments of waits. Released kernels have io_uring_register_region() in its place.
/// The function is there because programs may be linked to it. None of the arguments is looked at.
///
/// # Return value
///
/// `-EINVAL`.
///
/// # See also
///
/// io_uring_register_region(), io_uring_submit_and_wait_reg().
#[unsafe(no_mangle)]
pub extern "C" fn io_uring_register_wait_reg(
    _ring: *mut io_uring,
    _reg: *mut io_uring_reg_wait,
    _nr: c_int,
) -> c_int {
    Errno::EINVAL.as_ret()
}

/// Says whether waiting on a ring counts as waiting for I/O.
///
/// A thread that waits for completions while requests are in flight is shown as waiting for I/O in the system's
/// statistics, and the CPU may be kept from sleeping deeply. With `enable_iowait` false, later waits are not. Nothing
/// is sent to the kernel: the setting goes along with each wait (`IORING_ENTER_NO_IOWAIT`). At first it is true.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EOPNOTSUPP`: the kernel does not have `IORING_FEAT_NO_IOWAIT`.
///
/// # Kernel
///
/// 6.15.
///
/// # See also
///
/// io_uring_submit_and_wait(), io_uring_enter(2).
///
/// # Safety
///
/// `ring` must be set up, and no other thread use it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_set_iowait(ring: *mut io_uring, enable_iowait: bool) -> c_int {
    wait::set_iowait(unsafe { Whole::<Chosen>::new(ring) }, enable_iowait).as_c()
}
