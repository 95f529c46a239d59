//! Groups of provided buffers: rings of them, and those given by requests.

use std::collections::{HashMap, VecDeque};
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use uring_core::abi::*;

use crate::lock::Lock;
use crate::mapping::Mapping;

/// The groups of a ring, by their numbers.
pub type Groups = HashMap<u16, Group>;

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
    /// They are used up by one thread at a time: piece by piece, or several by one completion, which names the first. The
    /// others are told by the order of the completions.
    pub in_turn: bool,
    /// Whose turn it is to use them up.
    pub turn: Arc<Lock<()>>,
    /// What is left of a buffer is not used if it is less than this.
    pub least: u32,
    /// Memory that was made here (`IOU_PBUF_RING_MMAP`).
    pub own: Option<Mapping>,
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

/// The turn to use up buffers piece by piece: no other thread does so until what was put into them is told of.
pub struct Turn(Arc<Lock<()>>);

impl Turn {
    /// Waits for it.
    pub fn take(lock: Arc<Lock<()>>) -> Turn {
        lock.acquire();
        Turn(lock)
    }

    pub fn is_of(&self, shared: &SharedRing) -> bool {
        Arc::ptr_eq(&self.0, &shared.turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // SAFETY: `take` has acquired the lock without a guard, and a request gives its turn up in the thread that took it:
        // where it completes, or comes to wait.
        unsafe { self.0.release() };
    }
}

/// What has become of a buffer that was picked.
#[derive(Clone, Copy)]
pub enum Hold {
    /// Taken out of its group. It goes back if nothing is put into it.
    Taken,
    /// Still the next one of its group: the completion takes as much of it as was used.
    Left,
    /// Used up as far as was asked for, whatever comes of the request. `more`: the rest is for what comes next.
    Used { more: bool },
}

/// A buffer that a request uses.
pub struct Picked {
    pub address: usize,
    pub length: usize,
    pub id: u16,
    pub group: u16,
    /// It was given by a request.
    pub given: Option<Buffer>,
    pub hold: Hold,
}

impl Picked {
    /// The completion's flags. A buffer into which nothing was put goes back, where that is possible.
    pub fn flags(&self, groups: &mut Groups, res: c_int) -> u32 {
        let used_up = matches!(self.hold, Hold::Used { .. });
        if used_up || res > 0 || !self.goes_back(groups) {
            self.used(groups, res.max(0) as u32)
        } else {
            0
        }
    }

    /// The flags of a completion that uses so many bytes of the buffer.
    pub fn used(&self, groups: &mut Groups, bytes: u32) -> u32 {
        let more = match (self.hold, groups.get_mut(&self.group)) {
            (Hold::Used { more }, _) => more,
            (Hold::Left, Some(Group::Shared(shared))) => shared.cut(bytes),
            _ => false,
        };
        let name = IORING_CQE_F_BUFFER | u32::from(self.id) << IORING_CQE_BUFFER_SHIFT;
        name | if more { IORING_CQE_F_BUF_MORE } else { 0 }
    }

    /// Uses the buffer up as far as was asked for: a part is in it, and the request waits for the rest.
    pub fn use_up(&mut self, groups: &mut Groups) {
        if let (Hold::Left, Some(Group::Shared(shared))) = (self.hold, groups.get_mut(&self.group))
        {
            let more = shared.cut(self.length as u32);
            self.hold = Hold::Used { more };
        }
    }

    /// Puts the buffer back. `false`: others were picked since, or it is used up. Then the program has to hear of it.
    pub fn goes_back(&self, groups: &mut Groups) -> bool {
        match (groups.get_mut(&self.group), self.given, self.hold) {
            (Some(Group::Given(buffers)), Some(buffer), _) => {
                buffers.push_front(buffer);
                true
            }
            (Some(Group::Shared(shared)), None, Hold::Taken) => {
                // Only the last one taken can go back.
                let last = shared.head.wrapping_sub(1);
                // SAFETY: within the ring. It was read there before.
                let is_last = unsafe { shared.at(last).read() }.bid == self.id;
                if is_last {
                    shared.head = last;
                }
                is_last
            }
            (_, Some(_), _) | (_, _, Hold::Left) => true,
            _ => false,
        }
    }
}
