//! Registering files.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use uring_core::abi::*;

use super::args::{array, at, errno, one, sized};
use crate::resources::files::{FileTable, FixedFile};
use crate::resources::tag::Tag;
use crate::ring::Ring;
use crate::{sys, table};

const MOST: u32 = 1 << 20;

/// A duplicate of a descriptor, which must not be a ring's.
fn copy(ring: &Ring, fd: c_int, tag: u64) -> Result<Arc<FixedFile>, c_int> {
    if table::find(fd).is_some() {
        return Err(-libc::EBADF);
    }
    FixedFile::copy(fd, Tag::new(tag, &ring.released))
}

fn fill(ring: &Arc<Ring>, nr: u32, fds: Option<&[c_int]>, tags: &[u64]) -> Result<c_int, c_int> {
    if ring.state.lock().files.is_some() {
        return Err(-libc::EBUSY);
    }
    if nr == 0 {
        return Err(-libc::EINVAL);
    }
    if nr > MOST {
        return Err(-libc::EMFILE);
    }
    let limit = sys::descriptor_limit();
    if u64::from(nr) > limit {
        return Err(-libc::EMFILE);
    }
    let mut table = FileTable::new(nr);
    for (index, fd) in fds.unwrap_or_default().iter().enumerate() {
        let tag = tags.get(index).copied().unwrap_or(0);
        let made = match fd {
            -1 if tag != 0 => Err(-libc::EINVAL),
            -1 => Ok(None),
            fd => copy(ring, *fd, tag).map(Some),
        };
        match (made, table.slots.get_mut(index)) {
            (Ok(made), Some(slot)) => *slot = made,
            (Ok(_), None) => break,
            (Err(error), _) => {
                // Of what was not registered nobody hears that it is gone.
                for made in table.slots.iter_mut().flatten().filter_map(Arc::get_mut) {
                    made.tag.cancel();
                }
                return Err(error);
            }
        }
    }
    ring.state.lock().files = Some(table);
    Ok(0)
}

pub unsafe fn register(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    // SAFETY: an array of descriptors, says the caller.
    errno(unsafe { array(arg.cast::<c_int>(), nr) }.and_then(|fds| fill(ring, nr, Some(&fds), &[])))
}

pub unsafe fn register2(ring: &Arc<Ring>, arg: *mut c_void, size: u32) -> c_int {
    // SAFETY: the structure of this size, and the arrays that it names.
    let result = unsafe {
        sized::<io_uring_rsrc_register>(arg, size).and_then(|given| {
            if given.resv2 != 0 || given.flags & !IORING_RSRC_REGISTER_SPARSE != 0 || given.nr == 0
            {
                return Err(-libc::EINVAL);
            }
            if given.flags & IORING_RSRC_REGISTER_SPARSE != 0 {
                if given.data != 0 {
                    return Err(-libc::EINVAL);
                }
                return fill(ring, given.nr, None, &[]);
            }
            let tags = if given.tags == 0 {
                Vec::new()
            } else {
                array(at::<u64>(given.tags), given.nr)?
            };
            fill(
                ring,
                given.nr,
                Some(&array(at::<c_int>(given.data), given.nr)?),
                &tags,
            )
        })
    };
    errno(result)
}

pub fn unregister(ring: &Arc<Ring>) -> c_int {
    let table = ring.state.lock().files.take();
    if table.is_some() { 0 } else { -libc::ENXIO }
}

/// Replaces the files of some slots by `nr` descriptors, whose tags are there or null. Returns how many, or the error of the
/// first.
///
/// # Safety
///
/// The program must vouch for both arrays.
pub unsafe fn update(
    ring: &Arc<Ring>,
    offset: u32,
    fds: *const c_int,
    tags: *const u64,
    nr: u32,
) -> Result<c_int, c_int> {
    let end = offset.checked_add(nr).ok_or(-libc::EOVERFLOW)?;
    match &ring.state.lock().files {
        None => return Err(-libc::ENXIO),
        Some(table) if end as usize > table.slots.len() => return Err(-libc::EINVAL),
        Some(_) => {}
    }
    // SAFETY: passed on to the caller.
    let (fds, tags) = unsafe {
        let tags = if tags.is_null() {
            Vec::new()
        } else {
            array(tags, nr)?
        };
        (array(fds, nr)?, tags)
    };
    let mut done = 0;
    let mut error = 0;
    for (index, fd) in fds.iter().enumerate() {
        let tag = tags.get(index).copied().unwrap_or(0);
        if tag != 0 && [-1, IORING_REGISTER_FILES_SKIP].contains(fd) {
            error = -libc::EINVAL;
            break;
        }
        if *fd == IORING_REGISTER_FILES_SKIP {
            done += 1;
            continue;
        }
        let new = match *fd {
            -1 => None,
            fd => match copy(ring, fd, tag) {
                Ok(file) => Some(file),
                Err(refusal) => {
                    error = refusal;
                    break;
                }
            },
        };
        let before = put(ring, offset + index as u32, new);
        drop(before);
        done += 1;
    }
    Ok(if done > 0 { done } else { error })
}

/// Puts a file into a slot and returns the one before, which must be dropped outside of the ring's state.
fn put(ring: &Arc<Ring>, slot: u32, file: Option<Arc<FixedFile>>) -> Option<Arc<FixedFile>> {
    let mut state = ring.state.lock();
    let at = state
        .files
        .as_mut()
        .and_then(|table| table.slots.get_mut(slot as usize));
    match at {
        Some(at) => std::mem::replace(at, file),
        None => file,
    }
}

pub unsafe fn update1(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    // SAFETY: the structure, and the array that it names.
    let result = unsafe {
        one::<io_uring_files_update>(arg).and_then(|given| {
            if given.resv != 0 || nr == 0 {
                return Err(-libc::EINVAL);
            }
            let fds = at::<c_int>(given.fds);
            update(ring, given.offset, fds, std::ptr::null(), nr)
        })
    };
    errno(result)
}

pub unsafe fn update2(ring: &Arc<Ring>, arg: *mut c_void, size: u32) -> c_int {
    // SAFETY: the structure of this size, and the arrays that it names.
    let result = unsafe {
        sized::<io_uring_rsrc_update2>(arg, size).and_then(|given| {
            if given.resv != 0 || given.resv2 != 0 || given.nr == 0 {
                return Err(-libc::EINVAL);
            }
            let (fds, tags) = (at::<c_int>(given.data), at::<u64>(given.tags));
            update(ring, given.offset, fds, tags, given.nr)
        })
    };
    errno(result)
}

pub unsafe fn alloc_range(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    if nr != 0 {
        return -libc::EINVAL;
    }
    // SAFETY: the structure that the opcode takes.
    let given = match unsafe { one::<io_uring_file_index_range>(arg) } {
        Ok(given) => given,
        Err(error) => return error,
    };
    let Some(end) = given.off.checked_add(given.len) else {
        return -libc::EOVERFLOW;
    };
    let mut state = ring.state.lock();
    match &mut state.files {
        _ if given.resv != 0 => -libc::EINVAL,
        Some(table) if end as usize <= table.slots.len() => {
            (table.first, table.last) = (given.off, end);
            0
        }
        Some(_) => -libc::EINVAL,
        None => -libc::EINVAL,
    }
}

/// Gives a descriptor to a slot, or to a free one. It is the ring's afterwards, or closed. Returns what the request
/// completes with: 0, or the free slot that was chosen.
pub fn install_owned(ring: &Arc<Ring>, fd: c_int, slot: Option<u32>) -> c_int {
    install(
        ring,
        FixedFile::owned(fd, Tag::new(0, &ring.released)),
        slot,
    )
}

fn install(ring: &Arc<Ring>, file: Arc<FixedFile>, slot: Option<u32>) -> c_int {
    let mut state = ring.state.lock();
    let Some(table) = &mut state.files else {
        drop(state);
        return if slot.is_some() {
            -libc::ENXIO
        } else {
            -libc::ENFILE
        };
    };
    let chosen = match slot {
        Some(slot) => slot,
        None => match table.free() {
            Some(free) => free,
            None => {
                drop(state);
                return -libc::ENFILE;
            }
        },
    };
    let Some(at) = table.slots.get_mut(chosen as usize) else {
        drop(state);
        return -libc::EINVAL;
    };
    let before = at.replace(file);
    drop(state);
    drop(before);
    if slot.is_some() { 0 } else { chosen as c_int }
}

/// Puts descriptors into free slots and writes the slots back. Returns how many.
pub fn install_all(ring: &Arc<Ring>, fds: &mut [c_int]) -> c_int {
    let mut done = 0;
    for fd in fds {
        let slot = match copy(ring, *fd, 0) {
            Ok(file) => install(ring, file, None),
            Err(error) => error,
        };
        if slot < 0 {
            return if done > 0 { done } else { slot };
        }
        *fd = slot;
        done += 1;
    }
    done
}

/// Empties a slot.
pub fn clear(ring: &Arc<Ring>, slot: u32) -> c_int {
    let before = {
        let mut state = ring.state.lock();
        let Some(table) = &mut state.files else {
            return -libc::ENXIO;
        };
        let Some(at) = table.slots.get_mut(slot as usize) else {
            return -libc::EINVAL;
        };
        at.take()
    };
    if before.is_some() { 0 } else { -libc::EBADF }
}
