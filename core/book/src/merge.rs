//! Which contacts are one person: those that share a number and do not have two different names.
//!
//! A family's telephone is the number of several people, so a shared number alone does not make one of two: each word of
//! the shorter name must be in the longer one, or one of them has no name.

use std::collections::BTreeSet;

use crate::contact::{Contact, MOST_NUMBERS};
use crate::fold::fold;

/// For each slot the lowest slot of the same person. `None` in `contacts`: nobody is there.
pub(crate) fn leaders(contacts: &[Option<Contact>]) -> Vec<u32> {
    let mut leaders: Vec<u32> = (0..contacts.len() as u32).collect();
    let mut shared: Vec<(&str, u32)> = Vec::new();
    for (slot, contact) in contacts.iter().enumerate() {
        let Some(contact) = contact else { continue };
        let normal = contact.numbers.iter().take(MOST_NUMBERS).filter_map(|number| number.normal.as_deref());
        shared.extend(normal.map(|normal| (normal, slot as u32)));
    }
    shared.sort_unstable();
    shared.dedup();
    let whose = |slot: u32| contacts.get(slot as usize).and_then(Option::as_ref);
    for of_number in shared.chunk_by(|a, b| a.0 == b.0).filter(|slots| slots.len() > 1) {
        // One number with a thousand owners says nothing about them.
        for (at, (_, a)) in of_number.iter().enumerate().take(MOST_OWNERS) {
            for (_, b) in of_number[at + 1..].iter().take(MOST_OWNERS) {
                if let (Some(one), Some(other)) = (whose(*a), whose(*b))
                    && are_one(one, other)
                {
                    join(&mut leaders, *a, *b);
                }
            }
        }
    }
    for slot in 0..leaders.len() as u32 {
        leaders[slot as usize] = lead(&leaders, slot);
    }
    leaders
}

const MOST_OWNERS: usize = 16;

fn lead(leaders: &[u32], mut slot: u32) -> u32 {
    while leaders[slot as usize] != slot {
        slot = leaders[slot as usize];
    }
    slot
}

fn join(leaders: &mut [u32], a: u32, b: u32) {
    let (a, b) = (lead(leaders, a), lead(leaders, b));
    leaders[a.max(b) as usize] = a.min(b);
}

fn are_one(a: &Contact, b: &Contact) -> bool {
    let words = |contact: &Contact| -> BTreeSet<String> {
        let name = contact.names.first().map(|name| fold(name)).unwrap_or_default();
        name.split(|letter: char| !letter.is_alphanumeric())
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (a, b) = (words(a), words(b));
    a.is_subset(&b) || b.is_subset(&a)
}
