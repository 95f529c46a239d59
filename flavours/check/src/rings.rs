//! The rings, by the address of their SQEs.

use crate::map::Map;
use crate::ring::Ring;

/// The rings. The one that was asked for last is found without a search.
pub struct Rings {
    last: Option<(usize, Box<Ring>)>,
    others: Map<usize, Box<Ring>>,
}

impl Rings {
    pub const fn new() -> Rings {
        Rings {
            last: None,
            others: Map::with_hasher(std::hash::BuildHasherDefault::new()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.last.is_none() && self.others.is_empty()
    }

    /// Makes the ring the last one, if it is among the others.
    #[cold]
    fn swap(&mut self, key: usize) {
        if let Some(ring) = self.others.remove(&key) {
            self.keep(key, ring);
        }
    }

    fn keep(&mut self, key: usize, ring: Box<Ring>) {
        if let Some((old, ring)) = self.last.replace((key, ring)) {
            self.others.insert(old, ring);
        }
    }

    fn is_last(&self, key: usize) -> bool {
        matches!(&self.last, Some((last, _)) if *last == key)
    }

    #[inline]
    pub fn get_mut(&mut self, key: usize) -> Option<&mut Ring> {
        if !self.is_last(key) {
            self.swap(key);
        }
        match &mut self.last {
            Some((last, ring)) if *last == key => Some(ring),
            _ => None,
        }
    }

    /// Another ring of the same address is forgotten.
    pub fn insert(&mut self, key: usize, ring: Box<Ring>) {
        self.remove(key);
        self.keep(key, ring);
    }

    pub fn remove(&mut self, key: usize) -> Option<Box<Ring>> {
        if self.is_last(key) {
            self.last.take().map(|(_, ring)| ring)
        } else {
            self.others.remove(&key)
        }
    }

    pub fn values(&self) -> impl Iterator<Item = &Ring> {
        let last = self.last.iter().map(|(_, ring)| &**ring);
        last.chain(self.others.values().map(|ring| &**ring))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Ring> {
        let last = self.last.iter_mut().map(|(_, ring)| &mut **ring);
        last.chain(self.others.values_mut().map(|ring| &mut **ring))
    }

    /// Forgets those for which `keep` does not hold.
    pub fn retain(&mut self, keep: impl Fn(usize, &Ring) -> bool) {
        self.last.take_if(|(key, ring)| !keep(*key, ring));
        self.others.retain(|key, ring| keep(*key, ring));
    }
}
