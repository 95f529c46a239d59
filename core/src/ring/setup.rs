//! Setting a ring up.

use core::ffi::{c_int, c_uint};

use super::flags::{APP_MEM, CQ_ENTER, REG_REG_RING, REG_RING};
use super::map;
use super::memory::{self, Buffer};
use crate::abi::params::{
    IORING_SETUP_IOPOLL, IORING_SETUP_NO_MMAP, IORING_SETUP_NO_SQARRAY,
    IORING_SETUP_REGISTERED_FD_ONLY, IORING_SETUP_SQPOLL, io_uring_params,
};
use crate::abi::ring::io_uring;
use crate::errno::{Errno, Result};
use crate::kernel::Kernel;
use crate::mem::clear;

/// Sets a ring up without an array of SQE numbers, which takes Linux 6.6, or else with one.
///
/// Returns the bytes used of `buffer`, 0 without one.
///
/// # Safety
///
/// `ring` is valid for writes, and `buffer`, if given, outlives the ring.
pub unsafe fn init<K: Kernel>(
    nr: c_uint,
    ring: *mut io_uring,
    p: &mut io_uring_params,
    buffer: Option<Buffer>,
) -> Result<c_int> {
    let asked = p.flags;
    p.flags = asked | IORING_SETUP_NO_SQARRAY;
    // SAFETY: the caller's promises are those that `init_as_asked` asks for.
    let first = unsafe { init_as_asked::<K>(nr, ring, p, buffer) };
    match first {
        Ok(used) => return Ok(used),
        Err(Errno::EINVAL) if asked & IORING_SETUP_NO_SQARRAY == 0 => {}
        Err(error) => {
            p.flags = asked;
            return Err(error);
        }
    }
    // Either the kernel does not know the flag, or something else is wrong: the second refusal is the answer.
    p.flags = asked;
    // SAFETY: as above.
    unsafe { init_as_asked::<K>(nr, ring, p, buffer) }
}

/// [`init`] in memory: in `buffer`, or in memory that the library allocates.
///
/// # Safety
///
/// As for [`init`].
pub unsafe fn init_in_memory<K: Kernel>(
    nr: c_uint,
    ring: *mut io_uring,
    p: &mut io_uring_params,
    buffer: Option<Buffer>,
) -> Result<c_int> {
    p.flags |= IORING_SETUP_NO_MMAP;
    // SAFETY: the caller's promises are those that `init` asks for.
    unsafe { init::<K>(nr, ring, p, buffer) }
}

/// Sets a ring up with just the flags in `p`. Returns the bytes used of `buffer`, 0 without one.
///
/// On error `*ring` is all zeros, which [`exit`](super::exit::exit) takes for no ring.
///
/// # Safety
///
/// As for [`init`].
pub unsafe fn init_as_asked<K: Kernel>(
    nr: c_uint,
    ring: *mut io_uring,
    p: &mut io_uring_params,
    buffer: Option<Buffer>,
) -> Result<c_int> {
    // SAFETY: the caller vouches for `ring`, and until this returns nobody else knows of it.
    unsafe {
        clear(ring);
        let result = make::<K>(nr, &mut *ring, p, buffer);
        if result.is_err() {
            clear(ring);
            if p.flags & IORING_SETUP_NO_MMAP != 0 {
                // They may name memory that is mapped no more.
                p.sq_off.user_addr = 0;
                p.cq_off.user_addr = 0;
            }
        }
        result
    }
}

/// [`init_as_asked`], with `ring` all zeros before and undefined after an error.
///
/// # Safety
///
/// As for [`init`].
unsafe fn make<K: Kernel>(
    nr: c_uint,
    ring: &mut io_uring,
    p: &mut io_uring_params,
    buffer: Option<Buffer>,
) -> Result<c_int> {
    let only_registered = p.flags & IORING_SETUP_REGISTERED_FD_ONLY != 0;
    let no_mmap = p.flags & IORING_SETUP_NO_MMAP != 0;
    if only_registered && !no_mmap {
        // An index cannot be mapped. The kernel says so too, but this way there is no such ring to care for below.
        return Err(Errno::EINVAL);
    }

    let mut used = 0;
    if no_mmap {
        // SAFETY: the caller vouches for `buffer`.
        used = unsafe { memory::place::<K>(nr, p, buffer, &mut ring.sq, &mut ring.cq) }?;
    }
    // SAFETY: `p` names memory only under `IORING_SETUP_NO_MMAP`: the buffer, which outlives the ring, or a mapping
    // that goes when the ring does, or here when there is none.
    unsafe {
        let fd = match K::setup(nr, p).check() {
            Ok(fd) => fd,
            Err(error) => {
                map::unmap::<K>(&ring.sq, &ring.cq);
                return Err(error);
            }
        };
        if no_mmap {
            map::locate(p, &mut ring.sq, &mut ring.cq);
        } else if let Err(error) = map::map::<K>(fd, p, &mut ring.sq, &mut ring.cq) {
            // The mapping's error is the one to report.
            let _ = K::close(fd);
            return Err(error);
        }
        adopt(ring, p, fd);
    }
    if only_registered {
        ring.ring_fd = -1;
        ring.int_flags |= REG_RING | REG_REG_RING;
        // See `ring_fd`: the kernel has registered it with this thread.
        ring.pad2 = K::thread_id();
    }
    if no_mmap && buffer.is_some() {
        ring.int_flags |= APP_MEM;
    }
    Ok(used)
}

/// Maps the ring behind `fd`, which the program has set up itself and not submitted to. On error `*ring` is all zeros.
///
/// # Safety
///
/// `ring` is valid for writes.
pub unsafe fn mmap<K: Kernel>(fd: c_int, p: &io_uring_params, ring: *mut io_uring) -> Result<()> {
    // SAFETY: the caller vouches for `ring`, and until this returns nobody else knows of it.
    unsafe {
        clear(ring);
        let mapped = map::map::<K>(fd, p, &mut (*ring).sq, &mut (*ring).cq);
        match mapped {
            Ok(()) => adopt(&mut *ring, p, fd),
            Err(_) => clear(ring),
        }
        mapped
    }
}

/// Makes a ring whose memory is in place ready for use: notes what the kernel made of it, and fills the array of SQE
/// numbers in.
///
/// # Safety
///
/// `ring` is located, and nobody has submitted to it.
unsafe fn adopt(ring: &mut io_uring, p: &io_uring_params, fd: c_int) {
    // SAFETY: passed on to the caller.
    unsafe { map::fill_array(p, &ring.sq) };
    ring.flags = p.flags;
    ring.features = p.features;
    ring.ring_fd = fd;
    ring.enter_ring_fd = fd;
    if p.flags & (IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL) == IORING_SETUP_IOPOLL {
        ring.int_flags |= CQ_ENTER;
    }
}
