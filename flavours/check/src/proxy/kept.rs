//! Which requests marked SQEs and CQEs were of.

use crate::proxy::area::Area;
use crate::proxy::sum::Sum;
use crate::request::Request;

/// So many are kept of each.
const MOST: usize = 1024;

/// What is known of the last entries of a queue, by index.
pub struct Recent<T>(Vec<Option<(u32, T)>>);

impl<T> Recent<T> {
    fn new(entries: u32) -> Recent<T> {
        let count = (entries as usize).min(MOST);
        Recent(std::iter::repeat_with(|| None).take(count).collect())
    }

    pub fn put(&mut self, index: u32, value: T) {
        let count = self.0.len();
        if let Some(slot) = self.0.get_mut(index as usize % count.max(1)) {
            *slot = Some((index, value));
        }
    }

    pub fn get(&self, index: u32) -> Option<&T> {
        let slot = self.0.get(index as usize % self.0.len().max(1))?.as_ref()?;
        (slot.0 == index).then_some(&slot.1)
    }

    pub fn take(&mut self, index: u32) -> Option<T> {
        let count = self.0.len();
        let slot = self.0.get_mut(index as usize % count.max(1))?;
        slot.take_if(|(at, _)| *at == index).map(|(_, value)| value)
    }

    /// The one that `wanted` holds for.
    pub fn find(&self, wanted: impl Fn(u32) -> bool) -> Option<(u32, &T)> {
        self.0
            .iter()
            .flatten()
            .find(|(index, _)| wanted(*index))
            .map(|(index, value)| (*index, value))
    }
}

/// A CQE that was marked as seen.
pub struct Seen {
    pub user_data: u64,
    pub res: i32,
    /// What it ended, if that is known.
    pub request: Option<Request>,
}

/// What is known of a ring in proxy mode.
pub struct Kept {
    pub area: Area,
    /// The SQEs that the kernel has taken.
    pub taken: Recent<Request>,
    /// The requests that ended, by the index of the CQE.
    pub ended: Recent<Request>,
    pub seen: Recent<Seen>,
    /// Others have submitted, too: of SQEs nothing is known.
    pub astray: bool,
    /// Memory that requests in flight read.
    pub sums: Vec<Sum>,
    /// CQEs that AddressSanitizer knows as poisoned: from the first index up to the second.
    pub poisoned: (u32, u32),
}

impl Kept {
    pub fn new(area: Area, sq_slots: u32, cq_entries: u32) -> Kept {
        let (_, head) = area.heads();
        Kept {
            area,
            taken: Recent::new(sq_slots),
            ended: Recent::new(cq_entries),
            seen: Recent::new(cq_entries),
            astray: false,
            sums: Vec::new(),
            poisoned: (head, head),
        }
    }
}
