//! What the functions of both shapes do.

use core::ffi::{c_int, c_uint};
use core::ptr;

use uring_core::abi::iovec;
use uring_core::errno::Result;
use uring_core::kernel::Native;
use uring_core::ring::order::Word;

use crate::abi::*;
use crate::c_types::{io_uring_cq, io_uring_sq};
use crate::setup::Closing;
use crate::sys::files;
use crate::{enter, errno, pool, ring_file, setup};

/// Sets a ring up, fills both sides in, and returns the descriptor.
///
/// # Safety
///
/// `sq` and `cq` are valid for writes, the rest as for `io_uring_setup`.
pub unsafe fn init(
    entries: c_uint,
    p: *mut io_uring_params,
    iovecs: *const iovec,
    sq: *mut io_uring_sq,
    cq: *mut io_uring_cq,
) -> Result<c_int> {
    let fd = setup::setup(entries, iovecs, p, Closing::Seen)?;
    let ring = pool::find(fd)?;
    // SAFETY: set-up has written `*p`, and the caller promises `sq` and `cq`. The pointers lead into mappings that last
    // until the ring is closed.
    unsafe {
        let p = &*p;
        let head: *mut c_uint = ring.sq().cast();
        let at = |offset: u32| head.byte_add(offset as usize);
        sq.write(io_uring_sq {
            khead: at(p.sq_off.head),
            ktail: at(p.sq_off.tail),
            kring_mask: at(p.sq_off.ring_mask),
            kring_entries: at(p.sq_off.ring_entries),
            kflags: at(p.sq_off.flags),
            kdropped: at(p.sq_off.dropped),
            array: ring.array(),
            iocbs: ring.iocbs(),
            iocb_head: 0,
            iocb_tail: 0,
            ring_sz: p.sq_off.array as usize + p.sq_entries as usize * size_of::<c_uint>(),
        });
        let kring = &ring.kring.cq;
        let events = p.cq_entries as usize * size_of::<io_uring_event>();
        cq.write(io_uring_cq {
            khead: kring.khead,
            ktail: kring.ktail,
            kring_mask: kring.kring_mask,
            kring_entries: kring.kring_entries,
            koverflow: kring.koverflow,
            events: kring.cqes.cast(),
            ring_sz: p.cq_off.events as usize + events,
        });
    }
    Ok(fd)
}

/// Closes a ring.
///
/// # Safety
///
/// [`init`] has filled both sides in, or they are zeros. The ring is not used any more.
pub unsafe fn exit(fd: c_int, sq: *mut io_uring_sq, cq: *mut io_uring_cq) {
    // SAFETY: the caller promises both sides. Zeros make a second call do nothing.
    unsafe {
        if (*sq).khead.is_null() {
            return;
        }
        uring_core::mem::clear(sq);
        uring_core::mem::clear(cq);
    }
    let (Some(position), Ok(held)) = (pool::position_of(fd), pool::find(fd)) else {
        return;
    };
    crate::closing::close(position, true);
    // The ring is still held here. If it is watched, it shows when dropped whether another process has it.
    files::close(fd);
    drop(held);
}

/// Hands an iocb out, or null if all are handed out and not submitted.
///
/// # Safety
///
/// [`init`] has filled `sq` in, and no other thread uses it.
pub unsafe fn get_iocb(sq: *mut io_uring_sq) -> *mut io_uring_iocb {
    // SAFETY: the caller promises `sq`, so its pointers lead into mappings. The masked number lies within the iocbs.
    unsafe {
        let tail = (*sq).iocb_tail;
        // Acquire: an iocb has been read before it is handed out again.
        let in_ring = Word::new((*sq).ktail)
            .load_relaxed()
            .wrapping_sub(Word::new((*sq).khead).load_acquire());
        let taken = tail.wrapping_sub((*sq).iocb_head).wrapping_add(in_ring);
        if taken >= Word::new((*sq).kring_entries).load_relaxed() {
            return ptr::null_mut();
        }
        (*sq).iocb_tail = tail.wrapping_add(1);
        let index = tail & Word::new((*sq).kring_mask).load_relaxed();
        (*sq).iocbs.add(index as usize)
    }
}

/// Moves the iocbs that were handed out to the ring and submits. Returns how many were submitted.
///
/// # Safety
///
/// [`init`] has filled `sq` in, and no other thread uses it.
pub unsafe fn submit(fd: c_int, sq: *mut io_uring_sq) -> Result<c_int> {
    // SAFETY: the caller promises `sq`, so its pointers lead into mappings. Masked positions lie within the array.
    let (moved, pending) = unsafe {
        let mask = Word::new((*sq).kring_mask).load_relaxed();
        let entries = Word::new((*sq).kring_entries).load_relaxed();
        // Acquire: a polling thread has read the entries before they are written again.
        let head = Word::new((*sq).khead).load_acquire();
        let before = Word::new((*sq).ktail).load_relaxed();
        let mut tail = before;
        while (*sq).iocb_head != (*sq).iocb_tail && tail.wrapping_sub(head) < entries {
            let place = (*sq).array.add((tail & mask) as usize);
            Word::new(place).store_relaxed((*sq).iocb_head & mask);
            (*sq).iocb_head = (*sq).iocb_head.wrapping_add(1);
            tail = tail.wrapping_add(1);
        }
        // Sequentially consistent: a polling thread reads the tail before it sleeps, and the call below checks whether
        // it sleeps.
        Word::new((*sq).ktail).store_seq_cst(tail);
        (tail.wrapping_sub(before), tail.wrapping_sub(head))
    };
    if pending == 0 {
        return Ok(0);
    }
    let ring = pool::find(fd)?;
    let has_poller = ring.has_poller();
    let submitted = enter::enter::<Native>(ring, fd, pending, 0, IORING_ENTER_GETEVENTS)?;
    // Earlier calls have already reported what a polling thread has yet to consume.
    Ok(if has_poller {
        moved as c_int
    } else {
        submitted
    })
}

/// Takes the first event off the ring. Null if there is none and `waits` is false.
///
/// # Safety
///
/// [`init`] has filled `cq` in, and no other thread uses it.
pub unsafe fn get_completion(
    fd: c_int,
    cq: *mut io_uring_cq,
    waits: bool,
) -> Result<*mut io_uring_event> {
    // SAFETY: the caller promises `cq`, so its pointers lead into mappings. Masked positions lie within the events, and
    // an event between head and tail is complete.
    unsafe {
        let head = Word::new((*cq).khead).load_relaxed();
        let mut asked = false;
        // Acquire: the event is read after the tail that says it is there.
        while Word::new((*cq).ktail).load_acquire() == head {
            let ring = pool::find(fd)?;
            if !waits && (asked || !crate::view::may_find_more(&ring)) {
                return Ok(ptr::null_mut());
            }
            asked = true;
            enter::enter::<Native>(ring, fd, 0, c_uint::from(waits), IORING_ENTER_GETEVENTS)?;
        }
        let mask = Word::new((*cq).kring_mask).load_relaxed();
        let event = (*cq).events.add((head & mask) as usize);
        // The program reads the event after its place was given back, so it gets a copy.
        let copy: *mut io_uring_event =
            ring_file::page_behind_rings((*cq).khead, (*cq).ring_sz, mask / 2 + 1).cast();
        copy.write(event.read());
        // Release: the event has been read before the kernel may overwrite it.
        Word::new((*cq).khead).store_release(head.wrapping_add(1));
        Ok(copy)
    }
}

/// What a C function returns: the value, or a negative errno. Programs of that time look at `errno` as well.
pub fn to_ret(result: Result<c_int>) -> c_int {
    match result {
        Ok(value) => value,
        Err(error) => {
            errno::set(error);
            error.as_ret()
        }
    }
}

/// What a C function returns about an event: 0 with the event in `*ev_ptr`, or a negative errno with null.
///
/// # Safety
///
/// `ev_ptr` is valid for writes.
pub unsafe fn event_to_ret(
    result: Result<*mut io_uring_event>,
    ev_ptr: *mut *mut io_uring_event,
) -> c_int {
    let (event, ret) = match result {
        Ok(event) => (event, 0),
        Err(error) => (ptr::null_mut(), to_ret(Err(error))),
    };
    // SAFETY: the caller promises that `ev_ptr` is valid for writes.
    unsafe { *ev_ptr = event };
    ret
}
