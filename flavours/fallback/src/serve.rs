//! The system calls of programs that use io_uring without liburing, by number.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a block without a comment forwards what its caller promises under Safety"
)]

use std::ffi::{c_int, c_uint, c_void};

use uring_core::abi::io_uring_params;
use uring_core::errno::Ret;
use uring_core::kernel::Kernel;

use crate::inside::Inside;
use crate::seam::User;
use crate::{life, make, real, sys, table};

/// The kernel's return value of a call of io_uring's, or of a mapping. `None`: it is neither.
///
/// # Safety
///
/// The arguments must be what the call asks for.
pub unsafe fn call(number: c_int, args: [usize; 6]) -> Option<isize> {
    let [a, b, c, d, e, f] = args;
    let at = std::ptr::with_exposed_provenance_mut::<c_void>;
    let word = |ret: Ret| Some(ret.as_c() as isize);
    unsafe {
        match i64::from(number) {
            libc::SYS_io_uring_setup => {
                word(User::setup(a as c_uint, at(b).cast::<io_uring_params>()))
            }
            libc::SYS_io_uring_enter => word(User::enter(
                a as c_int,
                b as c_uint,
                c as c_uint,
                d as c_uint,
                at(e),
                f,
            )),
            libc::SYS_io_uring_register => {
                word(User::register(a as c_int, b as c_uint, at(c), d as c_uint))
            }
            libc::SYS_mmap => Some(map(args)),
            _ => None,
        }
    }
}

/// `mmap`, of a ring's memory if the descriptor is a ring.
///
/// # Safety
///
/// As for libc's.
pub unsafe fn map(args: [usize; 6]) -> isize {
    let [_, length, protection, flags, fd, offset] = args;
    if !is_ring(fd as c_int) {
        return unsafe { real::mmap(args) };
    }
    let (protection, flags) = (protection as c_int, flags as c_int);
    match unsafe { User::mmap(length, protection, flags, fd as c_int, offset as u64) } {
        Ok(area) => area.as_ptr().expose_provenance() as isize,
        Err(error) => error.as_ret() as isize,
    }
}

/// Whether a descriptor is a ring, and still open as one: a program may have closed it unseen, and the number may be
/// another file's.
fn is_ring(fd: c_int) -> bool {
    if fd < 0 || !table::is_ring(fd) {
        return false;
    }
    // An eventfd has no type.
    let is_eventfd = sys::file_type(fd) == 0;
    // A thread that is in the library already is refused by what it calls.
    let Some(inside) = Inside::begin() else {
        return is_eventfd;
    };
    if !life::is_own(&inside) {
        return false;
    }
    if !is_eventfd {
        make::closed_unseen(fd);
    }
    is_eventfd
}
