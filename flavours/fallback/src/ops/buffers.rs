//! Provided buffers: rings of them, and those given by requests.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use uring_core::abi::*;

use super::Outcome;
use super::sync::unused;
use crate::request::Req;
use crate::ring::Ring;
use crate::run::{Batch, How};

/// A group of buffers.
pub enum Group {
    /// Given one by one.
    Given(VecDeque<Buffer>),
    /// A ring in memory that the program shares.
    Shared(SharedRing),
}

#[derive(Clone, Copy)]
pub struct Buffer {
    pub address: u64,
    pub length: u32,
    pub id: u16,
}

/// A ring of buffers.
pub struct SharedRing {
    pub start: *mut io_uring_buf,
    pub entries: u16,
    pub head: u16,
    /// Buffers are used up piece by piece (`IOU_PBUF_RING_INC`).
    pub incremental: bool,
    /// What is left of a buffer is not used if it is less than this.
    pub least: u32,
    /// Memory that was made here (`IOU_PBUF_RING_MMAP`), and its size.
    pub own: Option<(usize, usize)>,
}

// SAFETY: the memory is the program's, shared by all its threads; the head is reached under the ring's state only.
unsafe impl Send for SharedRing {}

impl SharedRing {
    pub fn tail(&self) -> u16 {
        // The tail lies in the last two bytes of the first entry.
        // SAFETY: within the ring, aligned. Acquire: the entries below the tail are complete.
        unsafe { AtomicU16::from_ptr(self.start.byte_add(14).cast()) }.load(Ordering::Acquire)
    }

    fn at(&self, position: u16) -> *mut io_uring_buf {
        // SAFETY: masked, so within the ring.
        unsafe { self.start.add((position & (self.entries - 1)) as usize) }
    }

    /// The buffer at a position, if the program has put one there.
    pub fn buffer(&self, position: u16) -> Option<Buffer> {
        if position == self.tail() {
            return None;
        }
        // SAFETY: an entry below the tail, which the program does not write to.
        let entry = unsafe { self.at(position).read() };
        Some(Buffer {
            address: entry.addr,
            length: entry.len,
            id: entry.bid,
        })
    }

    /// Takes bytes off the front of the next buffer. Returns whether the rest of it is for what comes next.
    pub fn cut(&mut self, bytes: u32) -> bool {
        let at = self.at(self.head);
        // SAFETY: within the ring; the entry is the emulator's until the head moves on.
        let left = unsafe {
            let entry = at.read();
            let used = bytes.min(entry.len);
            (&raw mut (*at).addr).write(entry.addr + u64::from(used));
            (&raw mut (*at).len).write(entry.len - used);
            entry.len - used
        };
        let goes_on = left != 0 && left >= self.least;
        if !goes_on {
            self.head = self.head.wrapping_add(1);
        }
        goes_on
    }
}

/// A buffer that a request uses.
pub struct Picked {
    pub address: usize,
    pub length: usize,
    id: u16,
    group: u16,
    /// Where it came from. It goes back there if it stays empty.
    given: Option<Buffer>,
    incremental: bool,
}

/// Takes the next buffer of a group. `most`: how much of it may be used; 0 is all. `Err`: the request's result.
pub fn pick(ring: &Ring, group: u16, most: usize) -> Result<Picked, c_int> {
    let mut state = ring.state.lock();
    let limit = |length: u32| {
        if most == 0 {
            length as usize
        } else {
            most.min(length as usize)
        }
    };
    match state.groups.get_mut(&group) {
        Some(Group::Given(buffers)) => {
            let buffer = buffers.pop_front().ok_or(-libc::ENOBUFS)?;
            Ok(Picked {
                address: buffer.address as usize,
                length: limit(buffer.length),
                id: buffer.id,
                group,
                given: Some(buffer),
                incremental: false,
            })
        }
        Some(Group::Shared(shared)) => {
            let buffer = shared.buffer(shared.head).ok_or(-libc::ENOBUFS)?;
            let incremental = shared.incremental;
            // Taken at once: another request must not get the same.
            if !incremental {
                shared.head = shared.head.wrapping_add(1);
            }
            Ok(Picked {
                address: buffer.address as usize,
                length: limit(buffer.length),
                id: buffer.id,
                group,
                given: None,
                incremental,
            })
        }
        None => Err(-libc::ENOBUFS),
    }
}

impl Picked {
    /// The completion's flags. A buffer into which nothing was put goes back, where that is possible.
    pub fn flags(&self, ring: &Ring, res: c_int) -> u32 {
        if res > 0 {
            return self.used(ring, res as u32);
        }
        let mut state = ring.state.lock();
        match (state.groups.get_mut(&self.group), self.given) {
            (Some(Group::Given(buffers)), Some(buffer)) => buffers.push_front(buffer),
            (Some(Group::Shared(shared)), None) if !self.incremental => {
                // Only the last one taken can go back; others stay used.
                let last = shared.head.wrapping_sub(1);
                // SAFETY: within the ring. It was read there before.
                if unsafe { shared.at(last).read() }.bid == self.id {
                    shared.head = last;
                } else if res == 0 {
                    return self.name();
                }
            }
            _ => {}
        }
        0
    }

    /// The flags of a completion that uses so many bytes of the buffer.
    pub fn used(&self, ring: &Ring, bytes: u32) -> u32 {
        let mut state = ring.state.lock();
        let mut flags = self.name();
        if let (true, Some(Group::Shared(shared))) =
            (self.incremental, state.groups.get_mut(&self.group))
        {
            if shared.cut(bytes) {
                flags |= IORING_CQE_F_BUF_MORE;
            }
        }
        flags
    }

    fn name(&self) -> u32 {
        IORING_CQE_F_BUFFER | u32::from(self.id) << IORING_CQE_BUFFER_SHIFT
    }
}

fn count(req: &Req) -> usize {
    req.sqe.fd as usize
}

pub fn check_provide(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.op_flags().into(), req.file_index().into()])?;
    if !(1..=65536).contains(&req.sqe.fd) {
        return Err(-libc::E2BIG);
    }
    let last = req.offset().saturating_add(count(req) as u64);
    if req.offset() > 65535 || req.sqe.len == 0 {
        return Err(-libc::EINVAL);
    }
    if last > 65536 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn provide(ring: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let (first, length) = (req.address::<u8>().addr() as u64, req.sqe.len);
    let mut state = ring.state.lock();
    let group = state
        .groups
        .entry(req.buf_index())
        .or_insert_with(|| Group::Given(VecDeque::new()));
    let Group::Given(buffers) = group else {
        return Outcome::Done(-libc::EINVAL, 0);
    };
    for at in 0..count(req) as u64 {
        buffers.push_back(Buffer {
            address: first.wrapping_add(at * u64::from(length)),
            length,
            id: (req.offset() + at) as u16,
        });
    }
    Outcome::Done(0, 0)
}

pub fn check_remove(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[
        addr,
        req.sqe.len.into(),
        req.offset(),
        req.op_flags().into(),
        req.file_index().into(),
    ])?;
    if !(1..=65536).contains(&req.sqe.fd) {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

pub fn remove(ring: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let mut state = ring.state.lock();
    match state.groups.get_mut(&req.buf_index()) {
        None => Outcome::Done(-libc::ENOENT, 0),
        Some(Group::Shared(_)) => Outcome::Done(-libc::EINVAL, 0),
        Some(Group::Given(buffers)) => {
            let removed = count(req).min(buffers.len());
            buffers.drain(..removed);
            Outcome::Done(removed as c_int, 0)
        }
    }
}
