//! Provided buffer rings: the program puts buffers in, requests take them out.

use core::ffi::{c_int, c_uint};

use super::call_cold;
use crate::abi::*;
use crate::errno::{Errno, Result};
use crate::kernel::{
    Kernel, MAP_ANONYMOUS, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, PROT_READ_WRITE,
};

/// Registers memory as the buffer ring of a group; `flags` are added to `reg`'s.
///
/// # Safety
///
/// `ring` points to a ring, `reg` to a description of memory that stays the ring's until it is unregistered.
pub unsafe fn register<K: Kernel>(
    ring: *mut io_uring,
    reg: *mut io_uring_buf_reg,
    flags: c_uint,
) -> Result<c_int> {
    // SAFETY: the caller vouches for the arguments.
    unsafe {
        // The kernel has 16 bits of flags here.
        (*reg).flags |= flags as u16;
        call_cold::<K>(ring, IORING_REGISTER_PBUF_RING, reg.cast(), 1)
    }
}

/// Ends the buffer ring of a group. The memory is the caller's again.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn unregister<K: Kernel>(ring: *mut io_uring, group: c_int) -> Result<c_int> {
    let reg = describe(0, 0, group, 0);
    // SAFETY: the caller vouches for `ring`.
    unsafe {
        call_cold::<K>(
            ring,
            IORING_UNREGISTER_PBUF_RING,
            (&raw const reg).cast(),
            1,
        )
    }
}

/// Where the kernel takes the next buffer of a group from.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn head<K: Kernel>(ring: *mut io_uring, group: c_int) -> Result<u16> {
    let mut status = io_uring_buf_status {
        buf_group: group as u32,
        head: 0,
        resv: [0; 8],
    };
    // SAFETY: the caller vouches for `ring`; the kernel writes to `status` alone.
    unsafe {
        call_cold::<K>(
            ring,
            IORING_REGISTER_PBUF_STATUS,
            (&raw mut status).cast(),
            1,
        )
    }?;
    Ok(status.head as u16)
}

/// Maps memory for `entries` buffers and registers it, empty, as the buffer ring of a group.
///
/// # Safety
///
/// `ring` points to a ring.
pub unsafe fn setup<K: Kernel>(
    ring: *mut io_uring,
    entries: c_uint,
    group: c_int,
    flags: c_uint,
) -> Result<*mut io_uring_buf_ring> {
    let size = size(entries).ok_or(Errno::EINVAL)?;
    // SAFETY: the caller vouches for `ring`.
    unsafe {
        if KERNEL_ALLOCATES || flags & IOU_PBUF_RING_MMAP as c_uint != 0 {
            setup_from_kernel::<K>(ring, entries, size, group, flags)
        } else {
            setup_from_program::<K>(ring, entries, size, group, flags)
        }
    }
}

/// Caches of this architecture tell two addresses of one page apart: only the kernel can choose one that suits it too.
#[allow(unexpected_cfgs, reason = "an architecture that rustc has yet to know")]
const KERNEL_ALLOCATES: bool = cfg!(target_arch = "hppa");

unsafe fn setup_from_program<K: Kernel>(
    ring: *mut io_uring,
    entries: c_uint,
    size: usize,
    group: c_int,
    flags: c_uint,
) -> Result<*mut io_uring_buf_ring> {
    // SAFETY: a new mapping replaces none.
    let memory = unsafe { K::mmap(size, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) }?;
    let reg = describe(memory.as_ptr().addr() as u64, entries, group, flags);
    // SAFETY: `reg` describes memory that is mapped and nobody's else.
    let registered =
        unsafe { call_cold::<K>(ring, IORING_REGISTER_PBUF_RING, (&raw const reg).cast(), 1) };
    if let Err(errno) = registered {
        // SAFETY: the mapping is this function's own, and the kernel has refused it.
        let _ = unsafe { K::munmap(memory.as_ptr(), size) };
        return Err(errno);
    }
    // New memory is zero, and so is an empty ring's tail.
    Ok(memory.as_ptr().cast())
}

unsafe fn setup_from_kernel<K: Kernel>(
    ring: *mut io_uring,
    entries: c_uint,
    size: usize,
    group: c_int,
    flags: c_uint,
) -> Result<*mut io_uring_buf_ring> {
    let reg = describe(0, entries, group, flags | IOU_PBUF_RING_MMAP as c_uint);
    let offset = IORING_OFF_PBUF_RING | u64::from(reg.bgid) << IORING_OFF_PBUF_SHIFT;
    // SAFETY: the caller vouches for `ring`; a new mapping replaces none.
    unsafe {
        call_cold::<K>(ring, IORING_REGISTER_PBUF_RING, (&raw const reg).cast(), 1)?;
        let flags = MAP_SHARED | MAP_POPULATE;
        match K::mmap(size, PROT_READ_WRITE, flags, (*ring).ring_fd, offset) {
            Ok(memory) => Ok(memory.as_ptr().cast()),
            Err(errno) => {
                let _ = unregister::<K>(ring, group);
                Err(errno)
            }
        }
    }
}

/// Undoes [`setup`]. Where the kernel refuses, the memory stays mapped: it may still take buffers from it.
///
/// # Safety
///
/// `ring` points to a ring; `buf_ring`, `entries` and `group` are what [`setup`] gave and took. The memory is gone
/// afterwards.
pub unsafe fn free<K: Kernel>(
    ring: *mut io_uring,
    buf_ring: *mut io_uring_buf_ring,
    entries: c_uint,
    group: c_int,
) -> Result<c_int> {
    let size = size(entries).ok_or(Errno::EINVAL)?;
    // SAFETY: the caller vouches for the arguments; once unregistered, the memory is the program's alone.
    unsafe {
        unregister::<K>(ring, group)?;
        let _ = K::munmap(buf_ring.cast(), size);
    }
    Ok(0)
}

/// Bytes of a buffer ring, unless they are more than an address can tell.
const fn size(entries: c_uint) -> Option<usize> {
    size_of::<io_uring_buf>().checked_mul(entries as usize)
}

fn describe(ring_addr: u64, entries: c_uint, group: c_int, flags: c_uint) -> io_uring_buf_reg {
    io_uring_buf_reg {
        ring_addr,
        ring_entries: entries,
        // Groups are 16-bit numbers; as in C, higher bits are dropped.
        bgid: group as u16,
        flags: flags as u16,
        min_left: 0,
        resv: [0; 5],
    }
}
