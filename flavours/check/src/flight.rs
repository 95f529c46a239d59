//! The requests in flight on a ring, by `user_data`.

use uring_core::abi::io_uring_sqe;

use crate::held;
use crate::map::Map;
use crate::memory;
use crate::noted::{Event, Noted};
use crate::request::{By, Request};
use crate::sanitizer;

/// No slot.
const NONE: u32 = u32::MAX;

/// Requests in flight with one `user_data`.
struct Same {
    /// How many.
    outstanding: u32,
    /// The slot of one that is known; each leads to the next. If some have ended, and it cannot be told which, none is.
    first: u32,
}

struct Slot {
    request: Option<Box<Request>>,
    next: u32,
}

/// The requests in flight on a ring.
pub struct Flight {
    by_user_data: Map<u64, Same>,
    slots: Vec<Slot>,
    /// The first slot that is free; each leads to the next.
    free: u32,
    outstanding: u32,
    on_stack: u32,
    /// Slots of requests whose memory may have to be held, and is not yet.
    unheld: Vec<u32>,
    /// Requests that have ended, for those that come.
    #[expect(clippy::vec_box, reason = "they go from slot to slot, and are large")]
    spare: Vec<Box<Request>>,
    /// Plain requests, while there are no others.
    noted: Noted,
}

impl Default for Flight {
    fn default() -> Flight {
        Flight {
            by_user_data: Map::default(),
            slots: Vec::new(),
            free: NONE,
            outstanding: 0,
            on_stack: 0,
            unheld: Vec::new(),
            spare: Vec::new(),
            noted: Noted::default(),
        }
    }
}

/// A request that is being added.
pub struct Entered {
    /// Its slot.
    at: u32,
    /// How many others with its `user_data` are in flight.
    pub others: u32,
    /// The slot of one of them.
    next: u32,
}

/// What a CQE ends.
pub enum Ended {
    /// This request.
    Known(Box<Request>),
    /// A request of which nothing is known.
    Unknown,
}

impl Flight {
    /// How many requests are in flight.
    pub fn outstanding(&self) -> u32 {
        self.outstanding + self.noted.outstanding()
    }

    /// The notes of plain requests, if no other request is in flight.
    pub fn plain(&mut self) -> Option<&mut Noted> {
        (self.outstanding == 0).then_some(&mut self.noted)
    }

    /// Makes of the notes what is known of other requests.
    pub fn settle(&mut self) {
        if !self.noted.is_empty() {
            self.settle_all();
        }
    }

    /// The same if one of them uses memory in a range.
    pub fn settle_users(&mut self, start: u64, len: u64) {
        if self.notes_use(start, len) {
            self.settle_all();
        }
    }

    /// Whether a request that is only noted uses memory in a range.
    pub fn notes_use(&self, start: u64, len: u64) -> bool {
        self.noted.uses(start, len)
    }

    #[cold]
    fn settle_all(&mut self) {
        let mut noted = std::mem::take(&mut self.noted);
        noted.replay(|event| match event {
            Event::Submitted(request) => self.add(request),
            Event::Completed(user_data) => {
                self.end(user_data);
            }
        });
        noted.clear();
        self.noted = noted;
    }

    /// Whether one of them uses memory in a thread's stack.
    pub fn uses_stack(&self) -> bool {
        self.on_stack != 0
    }

    /// A request that is to be added.
    #[inline]
    pub fn new_request(&mut self, sqe: &io_uring_sqe, by: By, index: u32) -> Box<Request> {
        match self.spare.pop() {
            Some(mut request) => {
                request.renew(sqe, by, index);
                request
            }
            None => Box::new(Request::new(*sqe, by, index)),
        }
    }

    /// A request that has ended is no longer needed.
    #[inline]
    pub fn done_with(&mut self, request: Box<Request>) {
        const MOST: usize = 256;
        if self.spare.len() < MOST {
            self.spare.push(request);
        }
    }

    fn add(&mut self, request: Request) {
        let place = self.enter(&request);
        self.put(place, Box::new(request));
    }

    /// Begins to add a request.
    #[inline]
    pub fn enter(&mut self, request: &Request) -> Entered {
        self.settle();
        self.outstanding += 1;
        let same = self
            .by_user_data
            .entry(request.sqe.user_data)
            .or_insert(Same {
                outstanding: 0,
                first: NONE,
            });
        same.outstanding += 1;
        let (others, next) = (same.outstanding - 1, same.first);
        if others != 0 && next == NONE {
            // Of the others it is not known which are in flight, so it would not be of this one.
            return Entered {
                at: NONE,
                others,
                next,
            };
        }
        let at;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            at = self.free;
            self.free = slot.next;
            slot.next = next;
        } else {
            at = self.slots.len() as u32;
            self.slots.push(Slot {
                request: None,
                next,
            });
        }
        same.first = at;
        Entered { at, others, next }
    }

    /// The one other request with the same `user_data`, if there is one alone.
    pub fn twin(&self, entered: &Entered) -> Option<&Request> {
        let slot = self.slots.get(entered.next as usize)?;
        slot.request.as_deref().filter(|_| entered.others == 1)
    }

    /// Ends adding a request.
    #[inline]
    pub fn put(&mut self, entered: Entered, request: Box<Request>) {
        let Some(slot) = self.slots.get_mut(entered.at as usize) else {
            return self.done_with(request);
        };
        if request.has_memory() {
            memory::taken(&request);
            self.on_stack += u32::from(request.on_stack);
            if sanitizer::is_there() {
                self.unheld.push(entered.at);
            }
        }
        slot.request = Some(request);
    }

    /// Has the memory held of requests that the kernel has taken: those whose SQ index is not behind `head`.
    pub fn hold(&mut self, head: u32) {
        let slots = &mut self.slots;
        self.unheld.retain(|at| {
            let slot = slots.get_mut(*at as usize);
            let Some(request) = slot.and_then(|slot| slot.request.as_mut()) else {
                return false;
            };
            if request.held {
                return false;
            }
            let taken = request.index.wrapping_sub(head) as i32 <= 0;
            if taken {
                held::taken(request);
            }
            !taken
        });
    }

    /// Has no memory held of the requests that came since the last call.
    pub fn hold_none(&mut self) {
        for at in self.unheld.drain(..) {
            let slot = self.slots.get(at as usize);
            if let Some(request) = slot.and_then(|slot| slot.request.as_deref()) {
                held::unknown(request);
            }
        }
    }

    /// Whether some memory may have to be held.
    pub fn is_to_hold(&self) -> bool {
        !self.unheld.is_empty()
    }

    /// Frees a slot, of which the caller takes the request. Returns it, and what is behind it.
    #[inline]
    fn release(&mut self, at: u32) -> Option<(&mut Slot, u32)> {
        let slot = self.slots.get_mut(at as usize)?;
        let request = slot.request.as_mut()?;
        if request.has_memory() {
            memory::released(request);
            if request.held {
                held::released(request);
            }
            self.on_stack -= u32::from(request.on_stack);
        }
        let next = std::mem::replace(&mut slot.next, self.free);
        self.free = at;
        Some((slot, next))
    }

    fn drop_from(&mut self, mut at: u32) {
        while let Some((slot, next)) = self.release(at) {
            if let Some(request) = slot.request.take().filter(|_| sanitizer::is_there()) {
                held::unknown(&request);
            }
            at = next;
        }
    }

    /// The request with this `user_data`, if there is one alone.
    pub fn find(&mut self, user_data: u64) -> Option<&mut Request> {
        self.settle();
        let same = self.by_user_data.get(&user_data)?;
        if same.outstanding != 1 {
            return None;
        }
        self.slots
            .get_mut(same.first as usize)?
            .request
            .as_deref_mut()
    }

    /// A request with this `user_data` has ended.
    #[inline]
    pub fn end(&mut self, user_data: u64) -> Ended {
        self.settle();
        let Some(same) = self.by_user_data.get_mut(&user_data) else {
            return Ended::Unknown;
        };
        self.outstanding -= 1;
        same.outstanding -= 1;
        let (left, first) = (same.outstanding, same.first);
        same.first = NONE;
        if left != 0 {
            self.drop_from(first);
            return Ended::Unknown;
        }
        self.by_user_data.remove(&user_data);
        self.release(first)
            .and_then(|(slot, _)| slot.request.take())
            .map_or(Ended::Unknown, Ended::Known)
    }

    /// A request was reported: its memory is no longer looked for.
    pub fn forget(&mut self, user_data: u64) -> Option<Box<Request>> {
        self.settle();
        let same = self.by_user_data.get_mut(&user_data)?;
        let first = same.first;
        same.first = NONE;
        let (slot, rest) = self.release(first)?;
        let request = slot.request.take();
        self.drop_from(rest);
        request
    }

    /// Whether a request in flight takes buffers of a group.
    pub fn selects(&self, group: u16) -> bool {
        self.known().any(|request| request.group() == Some(group))
    }

    pub fn clear(&mut self) {
        self.noted.clear();
        let firsts: Vec<u32> = self.by_user_data.values().map(|same| same.first).collect();
        for first in firsts {
            self.drop_from(first);
        }
        self.by_user_data.clear();
        self.outstanding = 0;
    }

    /// The requests of which it is known that they are in flight, but for plain ones that are only noted.
    pub fn known(&self) -> impl Iterator<Item = &Request> {
        self.slots.iter().filter_map(|slot| slot.request.as_deref())
    }
}
