//! Provided buffer rings.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each forwards what its caller promises under Safety"
)]

use core::ffi::{c_int, c_uint};
use core::ptr;

use crate::Chosen;
use uring_core::abi::{io_uring, io_uring_buf_reg, io_uring_buf_ring};
use uring_core::register::buf_ring;
use uring_core::ring::handle::Ring;

/// Registers memory as a ring of provided buffers.
///
/// A buffer ring belongs to a buffer group. The program puts buffers into it; a request with `IOSQE_BUFFER_SELECT`
/// takes the next one of its group when it has data for it, and its completion names the buffer. `reg` describes the
/// ring:
///
/// * `ring_addr`: the address of its memory, which begins at a page and has room for `ring_entries` elements of
///   `struct io_uring_buf`; with `IOU_PBUF_RING_MMAP` in `flags`, 0.
/// * `ring_entries`: the number of elements, a power of two up to 32768.
/// * `bgid`: the number of the group.
/// * `min_left`: with `IOU_PBUF_RING_INC`, how many bytes must be left in a buffer for it to be used on; 0 stands for
///   1. Kernels that do not know it refuse any other value.
/// * `flags`: see below. `resv` must be 0.
///
/// `flags` is added to `flags` in `reg`, of which it has the low 16 bits:
///
/// * `IOU_PBUF_RING_INC`: a completion may use part of a buffer, and the next one goes on behind it (Linux 6.12).
/// * `IOU_PBUF_RING_MMAP`: the kernel allocates the memory; the program maps it from the ring's descriptor, at the
///   offset `IORING_OFF_PBUF_RING | bgid << IORING_OFF_PBUF_SHIFT` (Linux 6.4).
///
/// The memory stays in use until the buffer ring is unregistered or the ring is gone; it remains the program's to free.
/// `reg` itself is not needed after the call. io_uring_setup_buf_ring() allocates the memory, too.
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-EINVAL`: `ring_entries` is no power of two or more than 32768; `ring_addr` does not begin a page; a flag is
///   unknown; a member that must be 0 is not; or the kernel does not know the operation.
/// * `-EEXIST`: the group has buffers; or the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
/// * `-EFAULT`: `reg` cannot be read, or the memory is not all mapped and writable.
/// * `-ENOMEM`: the limit on locked memory would be exceeded, or the kernel has no memory.
/// * `-EOVERFLOW`: the memory runs past the end of the address space.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_setup_buf_ring(), io_uring_unregister_buf_ring(), io_uring_buf_ring_init(),
/// io_uring_buf_ring_add(), io_uring_buf_ring_advance().
///
/// # Safety
///
/// `ring` must be set up, `reg` point to a description that may be written to, and the memory stay mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_register_buf_ring(
    ring: *mut io_uring,
    reg: *mut io_uring_buf_reg,
    flags: c_uint,
) -> c_int {
    unsafe { buf_ring::register(Ring::<Chosen>::new(ring), reg, flags) }.as_c()
}

/// Ends a ring of provided buffers.
///
/// Requests take no more buffers from the group `bgid`. Those that have taken one keep it. The memory of the ring is
/// the program's to free. For a buffer ring from io_uring_setup_buf_ring() there is io_uring_free_buf_ring().
///
/// # Return value
///
/// 0, or a negative errno; `errno` is not touched.
///
/// # Errors
///
/// * `-ENOENT`: there is no such group.
/// * `-EINVAL`: the group has no buffer ring, or the kernel does not know the operation.
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
/// io_uring_register_buf_ring(), io_uring_free_buf_ring().
///
/// # Safety
///
/// `ring` must be set up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_unregister_buf_ring(ring: *mut io_uring, bgid: c_int) -> c_int {
    buf_ring::unregister(unsafe { Ring::<Chosen>::new(ring) }, bgid).as_c()
}

/// Tells where the kernel takes the next buffer from.
///
/// The ring's tail, which the program moves, less this head is the number of buffers that have not been taken yet. Both
/// count on beyond the ring's size and wrap at 65536. io_uring_buf_ring_available() works that number out.
///
/// # Return value
///
/// 0, with the head of the group `buf_group` in `head`; or a negative errno, with `head` left as it was.
///
/// # Errors
///
/// * `-ENOENT`: there is no such group.
/// * `-EINVAL`: the group has no buffer ring, or the kernel does not know the operation.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
/// * `-EEXIST`: the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
///
/// # Kernel
///
/// 6.8.
///
/// # See also
///
/// io_uring_buf_ring_available(), io_uring_register_buf_ring().
///
/// # Safety
///
/// `ring` must be set up, and `head` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_buf_ring_head(
    ring: *mut io_uring,
    buf_group: c_int,
    head: *mut u16,
) -> c_int {
    match buf_ring::head(unsafe { Ring::<Chosen>::new(ring) }, buf_group) {
        Ok(position) => {
            unsafe { head.write(position) };
            0
        }
        Err(errno) => errno.as_ret(),
    }
}

/// Makes a ring of provided buffers: allocates its memory and registers it.
///
/// The buffer ring has room for `nentries` buffers, a power of two up to 32768, and is empty. It belongs to the group
/// `bgid`. `flags` is as for io_uring_register_buf_ring(); with `IOU_PBUF_RING_MMAP` the memory is the kernel's
/// rather than the program's, which makes no difference to the caller.
///
/// The memory is the library's: give it back with io_uring_free_buf_ring(). io_uring_queue_exit() does not free
/// it, and after that call it can only be unmapped by munmap(2) (`nentries` times the size of
/// `struct io_uring_buf`).
///
/// # Return value
///
/// The buffer ring, with 0 in `err`; or NULL, with a negative errno in `err`. On an error nothing is left
/// allocated or registered.
///
/// # Errors
///
/// * `-EINVAL`: `nentries` is 0, no power of two or more than 32768; a flag is unknown; or the kernel does not know the
///   operation. On 32-bit systems some kernels also refuse memory that the kernel cannot address directly.
/// * `-EEXIST`: the group has buffers; or the ring has `IORING_SETUP_SINGLE_ISSUER` and belongs to another thread.
/// * `-ENOMEM`: the limit on locked memory would be exceeded, or there is no memory.
/// * `-EBADF`: the ring's descriptor, or its registered index in this thread, is no open file.
/// * `-EACCES`: the ring's restrictions forbid it.
///
/// # Kernel
///
/// 5.19.
///
/// # See also
///
/// io_uring_free_buf_ring(), io_uring_register_buf_ring(), io_uring_buf_ring_add(),
/// io_uring_buf_ring_advance(), io_uring_buf_ring_cq_advance().
///
/// # Safety
///
/// `ring` must be set up, and `err` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_setup_buf_ring(
    ring: *mut io_uring,
    nentries: c_uint,
    bgid: c_int,
    flags: c_uint,
    err: *mut c_int,
) -> *mut io_uring_buf_ring {
    let ring = unsafe { Ring::<Chosen>::new(ring) };
    let (buf_ring, ret) = match buf_ring::setup(ring, nentries, bgid, flags) {
        Ok(buf_ring) => (buf_ring, 0),
        Err(errno) => (ptr::null_mut(), errno.as_ret()),
    };
    unsafe { err.write(ret) };
    buf_ring
}

/// Ends a ring of provided buffers and frees its memory.
///
/// `br`, `nentries` and `bgid` are what io_uring_setup_buf_ring() returned and took. Requests that have taken a
/// buffer keep it; the buffers themselves are the program's.
///
/// # Return value
///
/// 0, or a negative errno. After an error the memory is still there, as the kernel may still use it.
///
/// # Errors
///
/// * `-ENOENT`: there is no such group.
/// * `-EINVAL`: the group has no buffer ring, or the kernel does not know the operation.
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
/// io_uring_setup_buf_ring().
///
/// # Safety
///
/// `ring` must be set up, and the other arguments be those of one io_uring_setup_buf_ring(), which is freed once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn io_uring_free_buf_ring(
    ring: *mut io_uring,
    br: *mut io_uring_buf_ring,
    nentries: c_uint,
    bgid: c_int,
) -> c_int {
    unsafe { buf_ring::free(Ring::<Chosen>::new(ring), br, nentries, bgid) }.as_c()
}
