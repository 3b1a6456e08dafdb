//! Where the transactions live: places reused, names never.

use super::TxId;

/// A name is the place's number (low half) and how often the place has been used (high half).
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// The name that [`Slots::insert`] will give next.
    pub(super) fn upcoming(&self) -> TxId {
        match self.free.last() {
            Some(place) => name(*place, self.places[*place as usize].0),
            None => name(self.places.len() as u32, 0),
        }
    }

    pub(super) fn insert(&mut self, value: T) -> TxId {
        let tx = self.upcoming();
        match self.free.pop() {
            Some(place) => self.places[place as usize].1 = Some(value),
            None => self.places.push((0, Some(value))),
        }
        tx
    }

    pub(super) fn get(&self, tx: TxId) -> Option<&T> {
        let (uses, value) = self.places.get(place(tx) as usize)?;
        value.as_ref().filter(|_| *uses == (tx.0 >> 32) as u32)
    }

    pub(super) fn get_mut(&mut self, tx: TxId) -> Option<&mut T> {
        let (uses, value) = self.places.get_mut(place(tx) as usize)?;
        value.as_mut().filter(|_| *uses == (tx.0 >> 32) as u32)
    }

    /// The name of whoever lives at a place now.
    pub(super) fn at(&self, place: u32) -> Option<TxId> {
        let (uses, value) = self.places.get(place as usize)?;
        value.as_ref().map(|_| name(place, *uses))
    }

    pub(super) fn remove(&mut self, tx: TxId) -> Option<T> {
        self.get(tx)?;
        let at = &mut self.places[place(tx) as usize];
        at.0 = at.0.wrapping_add(1);
        self.free.push(place(tx));
        let value = at.1.take();
        // A flood's places are given back when it is over.
        if self.free.len() == self.places.len() && self.places.len() > 1024 {
            *self = Self { places: Vec::new(), free: Vec::new() };
        }
        value
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = TxId> + '_ {
        (0..self.places.len() as u32).filter_map(|place| self.at(place))
    }
}

/// The place in a name: what a branch carries.
pub(super) const fn place(tx: TxId) -> u32 {
    tx.0 as u32
}

const fn name(place: u32, uses: u32) -> TxId {
    TxId((uses as u64) << 32 | place as u64)
}
