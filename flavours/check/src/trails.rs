//! The calls that led to a place, kept for reports that come later.
//!
//! A walk over the stack takes a thousand times as long as the rest of a look. So a trail is kept, and found again by the
//! place and by what the walk met: each return address must lie where it lay. That holds on the same way through the program
//! alone, so a report never shows another one.
//!
//! A walk is made while nothing is locked. Before glibc 2.35 the unwinder asks the dynamic linker under the linker's lock,
//! whose owner may wait for this library: a constructor submits, or a destructor unmaps.
//!
//! In a signal handler a walk waits for nothing that the interrupted code holds. Code of this library does not let it in.
//! The linker's lock may be taken again by the thread that has it, and newer linkers are asked without one. Unwinders that
//! hold a lock of their own do so only where the program has registered frames at run time, as compilers do that work in the
//! process, with libgcc before 13; then it must have been interrupted while it throws, and the handler must submit. On a stack
//! of its own a handler is not walked.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::map::Map;
use crate::place::{DEEPEST, Place, walk_stack};
use crate::process;
use crate::stack;

/// So many trails are kept. Then the oldest goes.
const MOST: usize = 2048;
/// So many walks are made for one place. A recursion, or ever new stacks, would cost a walk in each call.
const WALKS: u32 = 256;
const BUCKETS: usize = 1024;

/// A trail, by its number. Numbers are not used again: of a trail that went, the place alone is known.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Trail(u32);

/// A call on the way to a place.
#[derive(Clone, Copy, Default)]
pub struct Step {
    /// How far above the frame of the place its return address lies.
    distance: usize,
    return_address: usize,
}

struct Entry {
    place: Place,
    number: u32,
    /// The trail before it in its bucket. If that went, so did all before it.
    older: u32,
    /// It is on the main thread's stack, which stays as long as the process.
    stays: bool,
    steps: Box<[Step]>,
}

impl Entry {
    /// Whether the calling thread is on this way.
    #[inline]
    fn is_here(&self) -> bool {
        if !self.stays && !self.fits() {
            return false;
        }
        self.steps.iter().all(|step| {
            let at = self.place.frame.wrapping_add(step.distance);
            // SAFETY: within the main thread's stack, above a frame that is in use, or, as `fits` says, within this thread's.
            let found = unsafe { std::ptr::with_exposed_provenance::<usize>(at).read() };
            found == step.return_address
        })
    }
}

impl Entry {
    /// Whether all of it lies within the calling thread's stack. Another thread may have had a longer one at this address.
    #[cold]
    fn fits(&self) -> bool {
        // Steps lead upwards.
        let farthest = self.steps.last().map_or(0, |step| step.distance);
        stack::end(self.place).is_some_and(|end| {
            end - self.place.frame >= farthest.saturating_add(size_of::<usize>())
        })
    }
}

/// What a walk has found.
pub struct Walked {
    stays: bool,
    steps: [Step; DEEPEST - 1],
    count: usize,
}

/// The trails that are kept.
pub struct Trails {
    /// By their numbers, as far as these differ.
    entries: Vec<Entry>,
    /// The number of the newest of each bucket.
    newest: Vec<u32>,
    /// The last number.
    number: u32,
    /// How many walks were made for each return address.
    walks: Map<usize, u32>,
}

#[inline]
fn bucket(place: Place) -> usize {
    let mixed = (place.return_address as u64 ^ (place.frame as u64).rotate_left(32))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 54) as usize
}

const _: () = assert!(BUCKETS == 1 << (64 - 54));

impl Trails {
    pub const fn new() -> Trails {
        Trails {
            entries: Vec::new(),
            newest: Vec::new(),
            number: 0,
            walks: HashMap::with_hasher(BuildHasherDefault::new()),
        }
    }

    fn get(&self, number: u32) -> Option<&Entry> {
        self.entries
            .get(number as usize % MOST)
            .filter(|entry| entry.number == number)
    }

    /// The trail by which the calling thread has come to a place, which it has called from.
    #[inline]
    pub fn find(&self, place: Place) -> Option<Trail> {
        let mut number = *self.newest.get(bucket(place))?;
        loop {
            let entry = self.get(number)?;
            if entry.place == place && entry.is_here() {
                return Some(Trail(number));
            }
            number = entry.older;
        }
    }

    /// Whether one more walk may be made for a place. It is counted.
    #[cold]
    pub fn may_walk(&mut self, place: Place) -> bool {
        let walks = self.walks.entry(place.return_address).or_default();
        *walks += 1;
        *walks <= WALKS
    }

    /// Keeps a trail.
    #[cold]
    pub fn add(&mut self, place: Place, walked: &Walked) -> Trail {
        if self.newest.is_empty() {
            self.newest = vec![0; BUCKETS];
            // No trail has the number 0.
            self.entries.push(Entry {
                place: Place::default(),
                number: u32::MAX,
                older: 0,
                stays: false,
                steps: Box::default(),
            });
        }
        let Some(number) = self
            .number
            .checked_add(1)
            .filter(|number| *number != u32::MAX)
        else {
            return Trail::default();
        };
        let Some(newest) = self.newest.get_mut(bucket(place)) else {
            return Trail::default();
        };
        let entry = Entry {
            place,
            number,
            older: std::mem::replace(newest, number),
            stays: walked.stays,
            steps: walked.steps.iter().take(walked.count).copied().collect(),
        };
        self.number = number;
        match self.entries.get_mut(number as usize % MOST) {
            Some(oldest) => *oldest = entry,
            None => self.entries.push(entry),
        }
        Trail(number)
    }

    /// The calls that led to a place, from it outwards: itself alone, if no more is known.
    pub fn calls(&self, return_address: usize, trail: Trail) -> Vec<usize> {
        let entry = self
            .get(trail.0)
            .filter(|entry| entry.place.return_address == return_address);
        let steps = entry.map_or(&[][..], |entry| &entry.steps);
        let behind = steps.iter().map(|step| step.return_address);
        std::iter::once(return_address).chain(behind).collect()
    }
}

/// Finds the trail of the calling thread by a walk, as far as each return address is found in the stack. Nothing on stacks of
/// the program's own making: their ends are not always made for walks.
///
/// It takes no memory: another thread may fork meanwhile, and in the child the heap would stay locked.
#[cold]
pub fn walk(place: Place) -> Walked {
    const WORD: usize = size_of::<usize>();
    /// In so many words of a function's frame, from its end, its return address is looked for.
    const SEARCHED: usize = if cfg!(target_arch = "x86_64") {
        1
    } else {
        4096
    };
    let mut walked = Walked {
        stays: process::is_main(process::thread()),
        steps: [Step::default(); DEEPEST - 1],
        count: 0,
    };
    let Some(end) = stack::end(place) else {
        return walked;
    };
    // The start of the frame that is looked at.
    let mut start = 0;
    walk_stack(|return_address, frame| {
        if start == 0 {
            // Frames of this library come first.
            if return_address == place.return_address {
                start = frame;
            }
            return true;
        }
        let words = (1..=SEARCHED)
            .map(|count| frame.wrapping_sub(count * WORD))
            .take_while(|at| (start..end).contains(at));
        // SAFETY: it lies in a frame of this thread's.
        let is_there = |at: &usize| unsafe {
            std::ptr::with_exposed_provenance::<usize>(*at).read() == return_address
        };
        let Some(at) = words.into_iter().find(is_there) else {
            return false;
        };
        start = frame;
        let Some(step) = walked.steps.get_mut(walked.count) else {
            return false;
        };
        *step = Step {
            distance: at.wrapping_sub(place.frame),
            return_address,
        };
        walked.count += 1;
        true
    });
    walked
}
