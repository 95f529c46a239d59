//! Provided buffer rings: the program puts buffers in, requests take them out.

use core::ffi::{c_int, c_uint};
use core::ptr;

use super::{Ring, call, call_cold};
use crate::abi::*;
use crate::errno::{Errno, Result, Ret};
use crate::kernel::{
    Kernel, MAP_ANONYMOUS, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, PROT_READ_WRITE,
};

/// Registers memory as the buffer ring of a group; `flags` are added to `reg`'s.
///
/// # Safety
///
/// `reg` points to a description of memory that stays the ring's until it is unregistered.
pub unsafe fn register<K: Kernel>(ring: Ring<K>, reg: *mut io_uring_buf_reg, flags: c_uint) -> Ret {
    // SAFETY: the caller vouches for `reg`.
    unsafe {
        // The kernel has 16 bits of flags here.
        (*reg).flags |= flags as u16;
        call_cold(ring, IORING_REGISTER_PBUF_RING, reg.cast(), 1)
    }
}

/// Ends the buffer ring of a group. The memory is the caller's again. In one copy for its three callers.
#[inline(never)]
pub fn unregister<K: Kernel>(ring: Ring<K>, group: c_int) -> Ret {
    let reg = describe(0, 0, group, 0);
    let arg = (&raw const reg).cast();
    // SAFETY: the opcode reads one such structure.
    unsafe { call(ring, IORING_UNREGISTER_PBUF_RING, arg, 1) }
}

/// Where the kernel takes the next buffer of a group from.
pub fn head<K: Kernel>(ring: Ring<K>, group: c_int) -> Result<u16> {
    let mut status = io_uring_buf_status {
        buf_group: group as u32,
        head: 0,
        resv: [0; 8],
    };
    let arg = (&raw mut status).cast();
    // SAFETY: the kernel writes to `status` alone.
    let asked = unsafe { call_cold(ring, IORING_REGISTER_PBUF_STATUS, arg, 1) };
    asked.check().map(|_| status.head as u16)
}

/// Maps memory for `entries` buffers and registers it, empty, as the buffer ring of a group.
pub fn setup<K: Kernel>(
    ring: Ring<K>,
    entries: c_uint,
    group: c_int,
    flags: c_uint,
) -> Result<*mut io_uring_buf_ring> {
    let size = size(entries).ok_or(Errno::EINVAL)?;
    let kernels = flags & IOU_PBUF_RING_MMAP as c_uint != 0;
    // SAFETY: new mappings replace none. What is unmapped was shown to no one, and the kernel has refused it.
    unsafe {
        let mut memory = ptr::null_mut();
        if !kernels {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS;
            memory = K::mmap(size, PROT_READ_WRITE, flags, -1, 0)?.as_ptr();
        }
        let kernels_flag = kernels as c_uint * IOU_PBUF_RING_MMAP as c_uint;
        let reg = describe(
            memory.expose_provenance(),
            entries,
            group,
            flags | kernels_flag,
        );
        let arg = (&raw const reg).cast();
        if let Err(errno) = call_cold(ring, IORING_REGISTER_PBUF_RING, arg, 1).check() {
            if !kernels {
                let _ = K::munmap(memory, size);
            }
            return Err(errno);
        }
        if kernels {
            let flags = MAP_SHARED | MAP_POPULATE;
            let offset = IORING_OFF_PBUF_RING | u64::from(reg.bgid) << IORING_OFF_PBUF_SHIFT;
            match K::mmap(size, PROT_READ_WRITE, flags, ring.fd(), offset) {
                Ok(mapped) => memory = mapped.as_ptr(),
                Err(errno) => {
                    let _ = unregister(ring, group);
                    return Err(errno);
                }
            }
        }
        // New memory is zero, and so is an empty ring's tail.
        Ok(memory.cast())
    }
}

/// Undoes [`setup`]. Where the kernel refuses, the memory stays mapped: it may still take buffers from it.
///
/// # Safety
///
/// `buf_ring`, `entries` and `group` are what [`setup`] gave and took. The memory is gone afterwards.
pub unsafe fn free<K: Kernel>(
    ring: Ring<K>,
    buf_ring: *mut io_uring_buf_ring,
    entries: c_uint,
    group: c_int,
) -> Ret {
    let Some(size) = size(entries) else {
        return Errno::EINVAL.into();
    };
    let unregistered = unregister(ring, group);
    if unregistered.is_err() {
        return unregistered;
    }
    // SAFETY: the caller vouches for the memory. The kernel has let go of it.
    let _ = unsafe { K::munmap(buf_ring.cast(), size) };
    Ret::DONE
}

/// Bytes of a buffer ring, unless they are more than an address can tell.
const fn size(entries: c_uint) -> Option<usize> {
    size_of::<io_uring_buf>().checked_mul(entries as usize)
}

fn describe(ring_addr: usize, entries: c_uint, group: c_int, flags: c_uint) -> io_uring_buf_reg {
    io_uring_buf_reg {
        ring_addr: ring_addr as u64,
        ring_entries: entries,
        // Groups are 16-bit numbers; as in C, higher bits are dropped.
        bgid: group as u16,
        flags: flags as u16,
        min_left: 0,
        resv: [0; 5],
    }
}
