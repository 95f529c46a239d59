//! Rings of provided buffers.

use std::sync::atomic::{AtomicU16, Ordering};

use uring_core::abi::*;

use crate::map::{Map, Set};
use crate::memcheck;
use crate::memory;
use crate::notes::{Notes, report};
use crate::place::Place;
use crate::report::Report;
use crate::rules::Rule;

/// A group of provided buffers.
struct Group {
    /// Its ring, or null: the buffers are provided by requests.
    ring: *mut io_uring_buf_ring,
    entries: u32,
    /// The ring's tail at the last look.
    tail: u16,
    /// Numbers that are in the ring and were not used.
    provided: Set<u16>,
    /// Numbers that came back with nothing in them, and are not in the ring again.
    unused: Set<u16>,
    /// It can be told which numbers were used.
    exact: bool,
}

/// The groups of a ring.
#[derive(Default)]
pub struct Groups {
    groups: Map<u64, Group>,
    /// Groups that the program has given up, and how many requests had been submitted then.
    given_up: Map<u64, u64>,
}

const ENTRY: u64 = size_of::<io_uring_buf>() as u64;

impl Group {
    fn range(&self) -> (u64, u64) {
        (self.ring.addr() as u64, u64::from(self.entries) * ENTRY)
    }

    fn tail_now(&self) -> u16 {
        // Without hooks nobody says that the memory goes.
        let mut tail = [0u16];
        let at = self.ring.addr() + std::mem::offset_of!(io_uring_buf, resv);
        if cfg!(not(feature = "hooks")) && !memory::read(at as u64, &mut tail) {
            return self.tail;
        }
        // SAFETY: the ring is registered, and its memory is there: giving it up ends this group.
        // Acquire: the entries before it are there.
        unsafe { AtomicU16::from_ptr(&raw mut (*self.ring).__anon1.__anon1.tail) }
            .load(Ordering::Acquire)
    }

    fn number_at(&self, index: u16) -> u16 {
        let slot = usize::from(index) & (self.entries as usize - 1);
        // SAFETY: as in `tail_now`; the slot lies within the ring.
        unsafe {
            let entry = self.ring.cast::<io_uring_buf>().add(slot);
            if memcheck::is_there() {
                // It may be written to at any time from now on.
                memcheck::written((*entry).addr, u64::from((*entry).len));
            }
            (&raw const (*entry).bid).read_volatile()
        }
    }
}

impl Groups {
    /// A ring of buffers was registered.
    pub fn registered(&mut self, group: u16, ring: *mut io_uring_buf_ring, entries: u32) {
        self.unregistered(group);
        let new = Group {
            ring,
            entries,
            tail: 0,
            provided: Set::default(),
            unused: Set::default(),
            exact: entries.is_power_of_two(),
        };
        if !ring.is_null() {
            let (start, len) = new.range();
            memory::registered(start, len, true);
        }
        self.given_up.remove(&u64::from(group));
        self.groups.insert(u64::from(group), new);
    }

    /// Buffers are provided by a request.
    pub fn provided(&mut self, group: u16) {
        if !self.knows(group) {
            self.registered(group, std::ptr::null_mut(), 0);
        }
    }

    /// The program gives a group up, after so many requests.
    pub fn give_up(&mut self, group: u16, submitted: u64) {
        self.given_up.insert(u64::from(group), submitted);
        self.unregistered(group);
    }

    /// How many requests had been submitted when the program gave the group up.
    pub fn given_up(&self, group: u16) -> Option<u64> {
        self.given_up.get(&u64::from(group)).copied()
    }

    fn unregistered(&mut self, group: u16) {
        if let Some(old) = self
            .groups
            .remove(&u64::from(group))
            .filter(|old| !old.ring.is_null())
        {
            let (start, len) = old.range();
            memory::registered(start, len, false);
        }
    }

    pub fn knows(&self, group: u16) -> bool {
        self.groups.contains_key(&u64::from(group))
    }

    /// The one group that there is.
    pub fn only(&self) -> Option<u16> {
        match self.groups.len() {
            1 => self.groups.keys().next().map(|group| *group as u16),
            _ => None,
        }
    }

    /// Nothing is known any more.
    pub fn forget(&mut self) {
        for group in self.groups.keys().copied().collect::<Vec<_>>() {
            self.unregistered(group as u16);
        }
    }

    /// It is not known which buffers have been used.
    pub fn forget_numbers(&mut self) {
        for group in self.groups.values_mut() {
            group.exact = false;
            group.provided.clear();
            group.unused.clear();
        }
    }

    /// The program gives up memory. Returns the group whose ring lies there.
    pub fn forget_at(&mut self, start: u64, len: u64) -> Option<u16> {
        let found = self.groups.iter().find(|(_, group)| {
            let (at, size) = group.range();
            !group.ring.is_null() && at < start.saturating_add(len) && start < at + size
        });
        let number = *found?.0 as u16;
        self.unregistered(number);
        Some(number)
    }

    /// A CQE says that the kernel has used a buffer.
    pub fn used(&mut self, group: u16, number: u16, res: i32, flags: u32) {
        let Some(group) = self.groups.get_mut(&u64::from(group)) else {
            return;
        };
        if flags & IORING_CQE_F_BUF_MORE != 0 {
            return;
        }
        // Perhaps provided since the last look, and used at once.
        if !group.provided.remove(&number) && !group.ring.is_null() {
            group.used_unseen(number);
        }
        if res <= 0 {
            group.unused.insert(number);
        }
    }

    /// A number of the group that came back with nothing in it and was not given back.
    pub fn lost(&self, group: u16) -> Option<u16> {
        let group = self.groups.get(&u64::from(group))?;
        if group.exact && !group.ring.is_null() {
            group.unused.iter().next().copied()
        } else {
            None
        }
    }

    /// Looks at what was provided since the last look.
    pub fn scan(&mut self, notes: &mut Notes, place: Place) {
        for (name, group) in &mut self.groups {
            if group.ring.is_null() {
                continue;
            }
            let tail = group.tail_now();
            let new = tail.wrapping_sub(group.tail);
            if new == 0 {
                continue;
            }
            let mut twice = None;
            if u32::from(new) <= group.entries {
                for step in 0..new {
                    let number = group.number_at(group.tail.wrapping_add(step));
                    group.unused.remove(&number);
                    if !group.provided.insert(number) && group.exact {
                        twice = Some(number);
                    }
                }
            }
            group.tail = tail;
            let too_many = u32::from(new) > group.entries
                || (group.exact && group.provided.len() > group.entries as usize);
            let broken = match twice {
                Some(number) => Some((
                    Rule::BufferTwice,
                    format!(
                        "buffer {number} of group {name} is provided, and was not used since it was provided before"
                    ),
                )),
                None if too_many => Some((
                    Rule::BufferOverrun,
                    format!(
                        "group {name} is provided more buffers than its ring of {} has room for: the kernel sees some twice and others never",
                        group.entries
                    ),
                )),
                None => None,
            };
            if let Some((rule, what)) = broken {
                group.exact = false;
                report(
                    notes,
                    &Report {
                        rule,
                        what,
                        request: None,
                        place,
                        doing: "noticed",
                    },
                );
            }
        }
    }
}

impl Group {
    /// The kernel has used a buffer that no look has found in the ring: it was added since the last one.
    fn used_unseen(&mut self, number: u16) {
        let tail = self.tail_now();
        while self.tail != tail {
            let found = self.number_at(self.tail);
            self.tail = self.tail.wrapping_add(1);
            self.unused.remove(&found);
            self.provided.insert(found);
            if found == number {
                break;
            }
        }
        self.provided.remove(&number);
    }
}
