//! Registering buffers.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use uring_core::abi::*;

use super::args::{array, at, errno, one, sized};
use crate::resources::buffers::FixedBuffer;
use crate::resources::tag::Tag;
use crate::ring::Ring;
use crate::{sys, table};

const MOST: u32 = 1 << 14;
const LONGEST: usize = 1 << 30;

fn buffer(
    ring: &Arc<Ring>,
    vector: &libc::iovec,
    tag: u64,
) -> Result<Option<Arc<FixedBuffer>>, c_int> {
    let (start, length) = (vector.iov_base.addr(), vector.iov_len);
    if start == 0 {
        return if length != 0 {
            Err(-libc::EFAULT)
        } else if tag != 0 {
            Err(-libc::EINVAL)
        } else {
            Ok(None)
        };
    }
    if length == 0 || length > LONGEST {
        return Err(-libc::EFAULT);
    }
    if start.checked_add(length).is_none() {
        return Err(-libc::EOVERFLOW);
    }
    if !sys::is_mapped(start, length) {
        return Err(-libc::EFAULT);
    }
    Ok(Some(Arc::new(FixedBuffer {
        start,
        length,
        tag: Tag::new(tag, &ring.released),
    })))
}

fn fill(
    ring: &Arc<Ring>,
    nr: u32,
    vectors: Option<&[libc::iovec]>,
    tags: &[u64],
) -> Result<c_int, c_int> {
    if ring.state.lock().buffers.is_some() {
        return Err(-libc::EBUSY);
    }
    if nr == 0 || nr > MOST {
        return Err(-libc::EINVAL);
    }
    let mut table = Vec::new();
    table.resize_with(nr as usize, || None::<Arc<FixedBuffer>>);
    for (index, (slot, vector)) in table
        .iter_mut()
        .zip(vectors.unwrap_or_default())
        .enumerate()
    {
        match buffer(ring, vector, tags.get(index).copied().unwrap_or(0)) {
            Ok(made) => *slot = made,
            Err(error) => {
                // Of what was not registered nobody hears that it is gone.
                for made in table.iter_mut().flatten().filter_map(Arc::get_mut) {
                    made.tag.cancel();
                }
                return Err(error);
            }
        }
    }
    ring.state.lock().buffers = Some(table);
    Ok(0)
}

pub unsafe fn register(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    // SAFETY: an array of vectors, says the caller.
    errno(
        unsafe { array(arg.cast::<libc::iovec>(), nr) }
            .and_then(|all| fill(ring, nr, Some(&all), &[])),
    )
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
                Some(&array(at::<libc::iovec>(given.data), given.nr)?),
                &tags,
            )
        })
    };
    errno(result)
}

pub fn unregister(ring: &Arc<Ring>) -> c_int {
    let table = ring.state.lock().buffers.take();
    if table.is_some() { 0 } else { -libc::ENXIO }
}

pub unsafe fn update2(ring: &Arc<Ring>, arg: *mut c_void, size: u32) -> c_int {
    // SAFETY: the structure of this size, and the arrays that it names.
    let result = unsafe {
        sized::<io_uring_rsrc_update2>(arg, size).and_then(|given| {
            if given.resv != 0 || given.resv2 != 0 || given.nr == 0 {
                return Err(-libc::EINVAL);
            }
            let tags = if given.tags == 0 {
                Vec::new()
            } else {
                array(at::<u64>(given.tags), given.nr)?
            };
            update(
                ring,
                given.offset as usize,
                &array(at::<libc::iovec>(given.data), given.nr)?,
                &tags,
            )
        })
    };
    errno(result)
}

fn update(
    ring: &Arc<Ring>,
    offset: usize,
    vectors: &[libc::iovec],
    tags: &[u64],
) -> Result<c_int, c_int> {
    let there = ring
        .state
        .lock()
        .buffers
        .as_ref()
        .map(Vec::len)
        .ok_or(-libc::ENXIO)?;
    if offset.saturating_add(vectors.len()) > there {
        return Err(-libc::EINVAL);
    }
    let mut done = 0;
    for (index, vector) in vectors.iter().enumerate() {
        let new = match buffer(ring, vector, tags.get(index).copied().unwrap_or(0)) {
            Ok(new) => new,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        };
        let before = {
            let mut state = ring.state.lock();
            let slot = state
                .buffers
                .as_mut()
                .and_then(|all| all.get_mut(offset + index));
            slot.map(|slot| std::mem::replace(slot, new))
        };
        drop(before);
        done += 1;
    }
    Ok(done)
}

/// Takes buffers over from another ring, or moves them within one.
///
/// # Safety
///
/// `arg` must be what the opcode takes.
pub unsafe fn clone(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    if nr != 1 {
        return -libc::EINVAL;
    }
    // SAFETY: the structure that the opcode takes.
    errno(unsafe { one::<io_uring_clone_buffers>(arg) }.and_then(|given| copy(ring, &given)))
}

fn copy(ring: &Arc<Ring>, given: &io_uring_clone_buffers) -> Result<c_int, c_int> {
    let (by_index, replace) = (
        IORING_REGISTER_SRC_REGISTERED as u32,
        IORING_REGISTER_DST_REPLACE as u32,
    );
    if given.flags & !(by_index | replace) != 0 || given.pad != [0; 3] {
        return Err(-libc::EINVAL);
    }
    if given.flags & replace == 0 && ring.state.lock().buffers.is_some() {
        return Err(-libc::EBUSY);
    }
    let source = if given.flags & by_index != 0 {
        table::registered(given.src_fd).ok_or(-libc::EINVAL)?
    } else {
        let refusal = if sys::open_flags(given.src_fd as c_int) < 0 {
            -libc::EBADF
        } else {
            -libc::EOPNOTSUPP
        };
        table::find(given.src_fd as c_int).ok_or(refusal)?
    };
    let all = source.state.lock().buffers.clone().ok_or(-libc::ENXIO)?;
    let mut count = given.nr as usize;
    if count == 0 {
        if given.src_off != 0 || given.dst_off != 0 {
            return Err(-libc::EINVAL);
        }
        count = all.len();
    }
    if count > all.len() {
        return Err(-libc::EINVAL);
    }
    let (from, to) = (given.src_off as usize, given.dst_off as usize);
    let taken = all
        .get(from..from.saturating_add(count))
        .ok_or(-libc::EOVERFLOW)?;
    let end = to
        .checked_add(count)
        .filter(|end| *end <= MOST as usize)
        .ok_or(-libc::EINVAL)?;
    let mut table = ring.state.lock().buffers.clone().unwrap_or_default();
    table.resize_with(table.len().max(end), || None);
    for (slot, buffer) in table.iter_mut().skip(to).zip(taken) {
        // The tag stays with the buffer that was registered, and is posted when that goes.
        *slot = buffer.as_ref().map(|buffer| {
            Arc::new(FixedBuffer {
                start: buffer.start,
                length: buffer.length,
                tag: Tag::new(0, &ring.released),
            })
        });
    }
    let before = ring.state.lock().buffers.replace(table);
    drop(before);
    Ok(0)
}
