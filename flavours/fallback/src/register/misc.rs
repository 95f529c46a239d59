//! The probe, eventfds, registered rings and what else takes one argument.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use super::args::{array, none, one};
use crate::ops::{self, cancel};
use crate::ring::{Registered, Ring};
use crate::{make, sys, table, workers};

pub unsafe fn eventfd(ring: &Arc<Ring>, arg: *mut c_void, nr: u32, only_aside: bool) -> c_int {
    if nr != 1 {
        return -libc::EINVAL;
    }
    // SAFETY: one descriptor, says the caller.
    let fd = match unsafe { one::<c_int>(arg) } {
        Ok(fd) => fd,
        Err(error) => return error,
    };
    if ring.state.lock().eventfd.is_some() {
        return -libc::EBUSY;
    }
    if !is_eventfd(fd) {
        return if sys::open_flags(fd) < 0 {
            -libc::EBADF
        } else {
            -libc::EINVAL
        };
    }
    let copy = sys::duplicate(fd, sys::APART);
    if copy < 0 {
        return copy;
    }
    ring.state.lock().eventfd = Some(Registered {
        copy,
        number: fd,
        only_aside,
    });
    0
}

/// Whether a descriptor is an eventfd, by its name in `/proc`. Where there is none it is taken to be one.
fn is_eventfd(fd: c_int) -> bool {
    if sys::open_flags(fd) < 0 {
        return false;
    }
    match std::fs::read_link(format!("/proc/self/fd/{fd}")) {
        Ok(name) => name
            .as_os_str()
            .as_encoded_bytes()
            .starts_with(b"anon_inode:[eventfd"),
        Err(_) => true,
    }
}

pub fn no_eventfd(ring: &Arc<Ring>) -> c_int {
    match ring.state.lock().eventfd.take() {
        Some(Registered { copy, .. }) => {
            sys::close(copy);
            0
        }
        None => -libc::ENXIO,
    }
}

/// Names the opcodes that are served, and no others.
pub unsafe fn probe(arg: *mut c_void, nr: u32) -> c_int {
    if arg.is_null() {
        return -libc::EINVAL;
    }
    // SAFETY: room for a header and so many entries, says the caller.
    let header = match unsafe { one::<[u32; 4]>(arg) } {
        Ok(header) => header,
        Err(error) => return error,
    };
    if nr > 256 {
        return -libc::EINVAL;
    }
    let at: *mut io_uring_probe = arg.cast();
    // SAFETY: as above. The entries follow the header.
    let entries = unsafe { (&raw mut (*at).ops).cast::<io_uring_probe_op>() };
    // SAFETY: as above.
    let given = match unsafe { array(entries, nr) } {
        Ok(given) => given,
        Err(error) => return error,
    };
    let empty = io_uring_probe_op::default();
    if header != [0; 4] || given.iter().any(|entry| *entry != empty) {
        return -libc::EINVAL;
    }
    let last = ops::last_served();
    let length = given.len().min(usize::from(last) + 1);
    for opcode in 0..length as u8 {
        let flags = if ops::is_served(opcode) {
            IO_URING_OP_SUPPORTED as u16
        } else {
            0
        };
        let entry = io_uring_probe_op {
            op: opcode,
            flags,
            ..empty
        };
        // SAFETY: as above.
        unsafe { entries.add(usize::from(opcode)).write_unaligned(entry) };
    }
    // SAFETY: as above.
    unsafe {
        (&raw mut (*at).last_op).write(last);
        (&raw mut (*at).ops_len).write(length as u8);
    }
    0
}

pub fn enable(ring: &Arc<Ring>) -> c_int {
    let mut state = ring.state.lock();
    // Relaxed: it changes under the state.
    if !ring.disabled.load(Ordering::Relaxed) {
        return -libc::EBADFD;
    }
    state.restrictions.enable();
    ring.restricted
        .store(state.restrictions.active, Ordering::Relaxed);
    if ring.has(IORING_SETUP_SINGLE_ISSUER) {
        ring.owner.store(sys::thread(), Ordering::Relaxed);
    }
    // Release: who sees the ring enabled sees its restrictions and its owner.
    ring.disabled.store(false, Ordering::Release);
    0
}

/// The most that one call takes.
const AT_ONCE: u32 = 16;

pub unsafe fn ring_fds(arg: *mut c_void, nr: u32) -> c_int {
    if nr == 0 || nr > AT_ONCE {
        return -libc::EINVAL;
    }
    let at = arg.cast::<io_uring_rsrc_update>();
    // SAFETY: an array that the caller vouches for, to be read and written.
    let all = match unsafe { array(at, nr) } {
        Ok(all) => all,
        Err(error) => return error,
    };
    let mut done = 0;
    for (index, mut one) in all.into_iter().enumerate() {
        if one.resv != 0 {
            return if done > 0 { done } else { -libc::EINVAL };
        }
        let Some(ring) = table::find(one.data as c_int) else {
            let error = if sys::open_flags(one.data as c_int) < 0 {
                -libc::EBADF
            } else {
                -libc::EOPNOTSUPP
            };
            return if done > 0 { done } else { error };
        };
        // A slot that the program chooses is one of the kernel's numbers: ours are others.
        if one.offset != u32::MAX {
            return if done > 0 { done } else { -libc::EINVAL };
        }
        match table::register(ring) {
            Some(index) => one.offset = index,
            None => return if done > 0 { done } else { -libc::EBUSY },
        }
        // SAFETY: as above.
        unsafe { at.add(index).write_unaligned(one) };
        done += 1;
    }
    done
}

pub unsafe fn no_ring_fds(arg: *mut c_void, nr: u32) -> c_int {
    if nr == 0 || nr > AT_ONCE {
        return -libc::EINVAL;
    }
    // SAFETY: an array that the caller vouches for.
    let all = match unsafe { array(arg.cast::<io_uring_rsrc_update>(), nr) } {
        Ok(all) => all,
        Err(error) => return error,
    };
    let mut done = 0;
    for one in all {
        if one.resv != 0 || one.data != 0 || !table::is_index(one.offset) {
            return if done > 0 { done } else { -libc::EINVAL };
        }
        if let Some(ring) = table::unregister(one.offset) {
            make::give_up(ring);
        }
        done += 1;
    }
    done
}

pub unsafe fn sync_cancel(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    if nr != 1 {
        return -libc::EINVAL;
    }
    // SAFETY: the structure that the opcode takes.
    let given = match unsafe { one::<io_uring_sync_cancel_reg>(arg) } {
        Ok(given) => given,
        Err(error) => return error,
    };
    if given.pad != [0; 7] || given.pad2 != [0; 3] {
        return -libc::EINVAL;
    }
    let opcode = given.opcode;
    if let Err(error) = cancel::check_flags(given.flags) {
        return error;
    }
    let which = cancel::Which {
        user_data: given.addr,
        fd: given.fd,
        opcode,
        flags: given.flags,
    };
    let timed = given.timeout.tv_sec != -1 || given.timeout.tv_nsec != -1;
    let span = libc::timespec {
        tv_sec: given.timeout.tv_sec as libc::time_t,
        tv_nsec: given.timeout.tv_nsec as libc::c_long,
    };
    let until = timed.then(|| sys::monotonic().saturating_add(sys::nanoseconds(&span)));
    // What runs is waited for: with each that ends another look. Only the first tells how many were cancelled.
    let mut first = true;
    loop {
        let ended = workers::ended();
        let ret = cancel::run(ring, &which);
        if ret != -libc::EALREADY {
            let done = ret > 0 || ret == -libc::ENOENT;
            return if done && !first { 0 } else { ret };
        }
        first = false;
        if until.is_some_and(|until| sys::monotonic() >= until) {
            return -libc::ETIME;
        }
        let slice = sys::monotonic().saturating_add(10_000_000);
        if workers::wait_for_end(ended, until.map_or(slice, |until| until.min(slice)))
            == -libc::EINTR
        {
            return -libc::EINTR;
        }
    }
}

pub unsafe fn max_workers(arg: *mut c_void, nr: u32) -> c_int {
    if nr != 2 || arg.is_null() {
        return -libc::EINVAL;
    }
    // SAFETY: two numbers, to be read and written.
    let mut most = match unsafe { one::<[u32; 2]>(arg) } {
        Ok(most) => most,
        Err(error) => return error,
    };
    if most.iter().any(|most| *most > i32::MAX as u32) {
        return -libc::EINVAL;
    }
    workers::limit(&mut most);
    // SAFETY: as above.
    unsafe { arg.cast::<[u32; 2]>().write_unaligned(most) };
    0
}

/// Which processors workers run on is left to the scheduler.
pub fn affinity(arg: *mut c_void, nr: u32) -> c_int {
    if arg.is_null() || nr == 0 {
        -libc::EINVAL
    } else {
        0
    }
}

pub unsafe fn clock(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    if nr != 0 || none(arg, 0).is_none() {
        return -libc::EINVAL;
    }
    // SAFETY: the structure that the opcode takes.
    match unsafe { one::<io_uring_clock_register>(arg) } {
        Ok(given) if given.__resv != [0; 3] => -libc::EINVAL,
        Ok(given)
            if matches!(
                given.clockid as c_int,
                libc::CLOCK_MONOTONIC | libc::CLOCK_BOOTTIME
            ) =>
        {
            ring.clock.store(given.clockid as c_int, Ordering::Relaxed);
            0
        }
        Ok(_) => -libc::EINVAL,
        Err(error) => error,
    }
}
