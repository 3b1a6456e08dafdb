//! All contacts: those that stay, in one big index, and those that came lately, in a small one.
//!
//! A page of contacts costs nothing until somebody searches. A change to one of 50,000 makes the small index anew, and the
//! big one only when the small one has outgrown its use.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::contact::{Contact, ContactId};
use crate::index::Index;
use crate::merge::leaders;
use crate::query::{Hit, Query};

/// Contacts in the small index, at most.
const SMALL: usize = 512;
/// Contacts, at most: what comes after is not taken.
const MOST: usize = 1_000_000;

/// How well something matches; lower is better.
const NAME: u8 = 0;
const NUMBER: u8 = 1;
const WORD: u8 = 2;
const INSIDE: u8 = 3;
const NOT: u8 = u8::MAX;

/// The phone book.
#[derive(Debug, Default)]
pub struct Book {
    /// Whoever is gone leaves his slot empty until the big index is made.
    slots: Vec<Option<Contact>>,
    by_id: BTreeMap<ContactId, usize>,
    big: Index,
    small: Index,
    /// Slots from here on are in the small index, or in none yet.
    settled: usize,
    /// For each slot: the first of the same person, and its place among all names.
    leaders: Vec<u32>,
    places: Vec<u32>,
    /// Slots by name: of several that are one person, the first alone.
    order: Vec<u32>,
    /// By the first of a person: all of it, where it is more than one contact.
    joined: BTreeMap<u32, Vec<u32>>,
    dirty: bool,
}

impl Book {
    /// Takes contacts, in place of older ones of the same names; false: there are too many, and the last were not taken.
    pub fn put(&mut self, page: impl IntoIterator<Item = Contact>) -> bool {
        for contact in page {
            if let Some(slot) = self.by_id.remove(&contact.id) {
                self.slots[slot] = None;
            }
            if self.by_id.len() >= MOST {
                return false;
            }
            self.by_id.insert(contact.id, self.slots.len());
            self.slots.push(Some(contact));
            self.dirty = true;
        }
        true
    }

    /// Forgets a contact; false: there was none.
    pub fn remove(&mut self, id: ContactId) -> bool {
        let slot = self.by_id.remove(&id);
        if let Some(slot) = slot {
            self.slots[slot] = None;
            self.dirty = true;
        }
        slot.is_some()
    }

    /// One of them.
    pub fn get(&self, id: ContactId) -> Option<&Contact> {
        self.by_id.get(&id).and_then(|slot| self.slots[*slot].as_ref())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.slots.iter().flatten()
    }

    /// Makes ready for a search; the next one does it otherwise.
    pub fn settle(&mut self) {
        if !self.dirty {
            return;
        }
        self.dirty = false;
        if self.slots.len() - self.settled > SMALL || self.slots.len() > 2 * self.by_id.len() + SMALL {
            self.slots.retain(Option::is_some);
            self.by_id = self.slots.iter().flatten().enumerate().map(|(slot, it)| (it.id, slot)).collect();
            self.settled = self.slots.len();
            self.big = Index::of(self.slots.iter().flatten().enumerate());
        }
        let lately = self.slots.iter().enumerate().skip(self.settled);
        self.small = Index::of(lately.filter_map(|(slot, it)| Some((slot, it.as_ref()?))));
        self.leaders = leaders(&self.slots);
        self.joined.clear();
        for (slot, leader) in
            self.leaders.iter().enumerate().filter(|(slot, leader)| *slot != **leader as usize)
        {
            self.joined.entry(*leader).or_insert_with(|| vec![*leader]).push(slot as u32);
        }
        self.put_in_order();
    }

    /// Who has no name stands by their number.
    fn put_in_order(&mut self) {
        let mut names: Vec<(String, usize)> = Vec::with_capacity(self.by_id.len());
        for (slot, contact) in self.slots.iter().enumerate() {
            let number = |contact: &'_ Contact| contact.numbers.first().map(|number| number.text.clone());
            let name = contact.as_ref().and_then(|it| it.names.first().cloned().or_else(|| number(it)));
            let short: String = name.map(|name| name.chars().take(64).collect()).unwrap_or_default();
            names.push((crate::fold(&short), slot));
        }
        names.sort_unstable();
        self.places = vec![0; self.slots.len()];
        self.order.clear();
        for (place, (_, slot)) in names.into_iter().enumerate() {
            self.places[slot] = place as u32;
            if self.slots[slot].is_some() && self.leaders[slot] == slot as u32 {
                self.order.push(slot as u32);
            }
        }
    }

    /// Persons by name, `most` of them, after the first `from`: one contact of each, and the others that are the same person.
    pub fn page(&mut self, from: usize, most: usize) -> Vec<(ContactId, Vec<ContactId>)> {
        self.settle();
        let slots = self.order.iter().skip(from).take(most).map(|slot| *slot as usize);
        slots.filter_map(|slot| Some((self.slots[slot].as_ref()?.id, self.also(slot)))).collect()
    }

    /// The persons that those contacts are of, each once and by name, as [`Book::page`] has them.
    pub fn persons_of(&mut self, ids: &[ContactId]) -> Vec<(ContactId, Vec<ContactId>)> {
        self.settle();
        let slots = ids.iter().filter_map(|id| self.by_id.get(id));
        let mut leaders: Vec<usize> = slots.map(|slot| self.leaders[*slot] as usize).collect();
        leaders.sort_unstable_by_key(|leader| self.places[*leader]);
        leaders.dedup();
        let person = |slot: usize| Some((self.slots[slot].as_ref()?.id, self.also(slot)));
        leaders.into_iter().filter_map(person).collect()
    }

    /// How many persons there are.
    pub fn persons(&mut self) -> usize {
        self.settle();
        self.order.len()
    }

    /// The `most` contacts that fit best what was typed: names that begin with it, then numbers that do, then words inside
    /// of names, then digits inside of numbers; among equals the dearest, then by name.
    pub fn search(&mut self, typed: &str, most: usize) -> Vec<Hit> {
        self.settle();
        let Some(query) = Query::of(typed) else { return Vec::new() };
        let mut found = Found { best: vec![NOT; self.slots.len()], slots: Vec::new() };
        for index in [&self.big, &self.small] {
            collect(index, &query, &mut found);
        }
        let mut ranked: Vec<(u8, Reverse<u32>, u32, usize)> = Vec::with_capacity(found.slots.len());
        for slot in found.slots {
            if let Some(contact) = &self.slots[slot] {
                ranked.push((found.best[slot], Reverse(contact.weight), self.places[slot], slot));
            }
        }
        self.best_of(&query, ranked, most)
    }

    /// The first `most` persons. Each is looked at closely only when it is its turn: of several words the index has found
    /// one.
    fn best_of(&self, query: &Query, mut ranked: Vec<Rank>, most: usize) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        let mut seen: Vec<u32> = Vec::new();
        // Sorting all of a common letter's hits would cost more than the few that are shown.
        let mut rest = &mut ranked[..];
        let mut step = most.saturating_mul(4).max(64);
        while hits.len() < most && !rest.is_empty() {
            let take = step.min(rest.len());
            if take < rest.len() {
                rest.select_nth_unstable(take);
            }
            let (first, others) = rest.split_at_mut(take);
            first.sort_unstable();
            for (_, _, _, slot) in first.iter() {
                let Some(contact) = &self.slots[*slot] else { continue };
                let leader = self.leaders[*slot];
                if hits.len() == most || seen.contains(&leader) {
                    continue;
                }
                if let Some((field, ranges)) = query.matches(contact) {
                    seen.push(leader);
                    hits.push(Hit { contact: contact.id, also: self.also(*slot), field, ranges });
                }
            }
            rest = others;
            step = step.saturating_mul(4);
        }
        hits
    }

    fn also(&self, slot: usize) -> Vec<ContactId> {
        let leader = self.leaders[slot];
        let same = self.joined.get(&leader).map_or(&[][..], Vec::as_slice);
        let others = same.iter().filter(|other| **other as usize != slot);
        others.filter_map(|other| Some(self.slots[*other as usize].as_ref()?.id)).collect()
    }
}

/// How well, how dear, where among names, and whose.
type Rank = (u8, Reverse<u32>, u32, usize);

struct Found {
    best: Vec<u8>,
    slots: Vec<usize>,
}

impl Found {
    fn note(&mut self, slot: usize, how: u8) {
        if self.best[slot] == NOT {
            self.slots.push(slot);
        }
        self.best[slot] = self.best[slot].min(how);
    }
}

fn collect(index: &Index, query: &Query, found: &mut Found) {
    match query {
        Query::Words(words) => {
            // The longest is the rarest; the others are looked for in what it finds.
            let Some(rarest) = words.iter().max_by_key(|word| word.len()) else { return };
            for (slot, whole) in index.words.beginning_with(rarest.as_bytes()) {
                found.note(slot, if whole { NAME } else { WORD });
            }
        }
        Query::Keys { typed, bare } => {
            for (slot, whole) in index.keys.beginning_with(typed.as_bytes()) {
                found.note(slot, if whole { NAME } else { WORD });
            }
            for digits in [typed, bare].into_iter().filter(|digits| !digits.is_empty()) {
                // One or two digits are inside of everybody's number.
                let anywhere = digits.len() > 2;
                for (slot, whole) in index.digits.beginning_with(digits.as_bytes()) {
                    if whole || anywhere {
                        found.note(slot, if whole { NUMBER } else { INSIDE });
                    }
                }
                if bare == typed {
                    break;
                }
            }
        }
    }
}
