//! Rings of provided buffers.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use uring_core::abi::*;

use super::args::{at, one};
use crate::mapping::Mapping;
use crate::resources::groups::{Group, SharedRing};
use crate::ring::Ring;
use crate::sys::{self, page_size};

const MOST: u32 = 32768;

pub unsafe fn register(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    // SAFETY: the structure that the opcode takes.
    let given = match unsafe { one::<io_uring_buf_reg>(arg) } {
        Ok(given) if nr == 1 => given,
        Ok(_) => return -libc::EINVAL,
        Err(error) => return error,
    };
    let flags = u32::from(given.flags);
    let (mapped, incremental) = (IOU_PBUF_RING_MMAP as u32, IOU_PBUF_RING_INC as u32);
    if given.resv != [0; 5]
        || given.min_left != 0 && flags & incremental == 0
        || flags & !(mapped | incremental) != 0
    {
        return -libc::EINVAL;
    }
    if !given.ring_entries.is_power_of_two() {
        return -libc::EINVAL;
    }
    if given.ring_entries > MOST {
        return -libc::EINVAL;
    }
    let own = if flags & mapped != 0 {
        if given.ring_addr != 0 {
            return -libc::EINVAL;
        }
        let size = given.ring_entries as usize * size_of::<io_uring_buf>();
        match Mapping::new(size) {
            Ok(own) => Some(own),
            Err(error) => return error,
        }
    } else {
        if given.ring_addr == 0 {
            return -libc::EFAULT;
        }
        if given.ring_addr as usize & (page_size() - 1) != 0 {
            return -libc::EINVAL;
        }
        let size = given.ring_entries as usize * size_of::<io_uring_buf>();
        if !sys::is_mapped(given.ring_addr as usize, size) {
            return -libc::EFAULT;
        }
        None
    };
    let start = own
        .as_ref()
        .map_or(at(given.ring_addr), |own| own.start().cast());
    let shared = SharedRing {
        start,
        entries: given.ring_entries as u16,
        head: 0,
        incremental: flags & incremental != 0,
        in_turn: flags & incremental != 0,
        least: given.min_left,
        own,
        turn: Arc::default(),
    };
    let mut state = ring.state.lock();
    let taken = match state.groups.get(&given.bgid) {
        Some(Group::Given(buffers)) => !buffers.is_empty(),
        Some(Group::Shared(_)) => true,
        None => false,
    };
    if taken {
        drop(shared);
        return -libc::EEXIST;
    }
    state.groups.insert(given.bgid, Group::Shared(shared));
    0
}

pub unsafe fn unregister(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    // SAFETY: the structure that the opcode takes.
    let given = match unsafe { one::<io_uring_buf_reg>(arg) } {
        Ok(given) if nr == 1 => given,
        Ok(_) => return -libc::EINVAL,
        Err(error) => return error,
    };
    if given.resv != [0; 5] || given.flags != 0 {
        return -libc::EINVAL;
    }
    let mut state = ring.state.lock();
    match state.groups.get(&given.bgid) {
        None => -libc::ENOENT,
        Some(Group::Given(_)) => -libc::EINVAL,
        Some(Group::Shared(_)) => {
            let gone = state.groups.remove(&given.bgid);
            drop(state);
            drop(gone);
            0
        }
    }
}

pub unsafe fn status(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    // SAFETY: the structure that the opcode takes, and writes.
    let given = match unsafe { one::<io_uring_buf_status>(arg) } {
        Ok(given) if nr == 1 => given,
        Ok(_) => return -libc::EINVAL,
        Err(error) => return error,
    };
    if given.resv != [0; 8] {
        return -libc::EINVAL;
    }
    let head = match ring.state.lock().groups.get(&(given.buf_group as u16)) {
        None => return -libc::ENOENT,
        Some(Group::Given(_)) => return -libc::EINVAL,
        Some(Group::Shared(shared)) => shared.head,
    };
    // SAFETY: as above.
    unsafe { (&raw mut (*arg.cast::<io_uring_buf_status>()).head).write_unaligned(head.into()) };
    0
}

/// Maps a ring that was made here. `None`: the offset names none of these.
pub fn map(ring: &Arc<Ring>, length: usize, offset: u64) -> Option<isize> {
    if offset & IORING_OFF_MMAP_MASK != IORING_OFF_PBUF_RING {
        return None;
    }
    let group = (offset & !IORING_OFF_MMAP_MASK) >> IORING_OFF_PBUF_SHIFT;
    let state = ring.state.lock();
    match state.groups.get(&(group as u16)) {
        Some(Group::Shared(SharedRing { own: Some(own), .. })) => Some(own.for_program(length)),
        _ => Some(-libc::EINVAL as isize),
    }
}
