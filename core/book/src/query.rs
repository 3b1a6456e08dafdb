//! What was typed, and what of a contact it is.

use std::ops::Range;

use crate::contact::{Contact, ContactId, MOST_NAMES, MOST_NUMBERS};
use crate::fold::fold;
use crate::index::{digits, keys_of};
use crate::spelling::spellings;

/// Letters that are looked at.
const LONGEST: usize = 100;

/// A contact that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which; where several are one person, one of them.
    pub contact: ContactId,
    /// The others that are the same person.
    pub also: Vec<ContactId>,
    /// What matched.
    pub field: Field,
    /// Which letters of it, as bytes of its text; in order, apart from each other.
    pub ranges: Vec<Range<usize>>,
}

/// A part of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// This one of its names.
    Name(usize),
    /// This one of its numbers.
    Number(usize),
}

/// What is looked for.
#[derive(Debug)]
pub(crate) enum Query {
    /// Words, each the beginning of one.
    Words(Vec<String>),
    /// Digits: the keys of a name, or part of a number; as they were typed, and without what people dial before a number.
    Keys { typed: String, bare: String },
}

impl Query {
    /// Of what was typed; `None`: nothing.
    pub(crate) fn of(typed: &str) -> Option<Self> {
        let typed: String = typed.chars().take(LONGEST).collect();
        let between = |letter: char| matches!(letter, ' ' | '-' | '.' | '/' | '(' | ')' | '+' | '\u{a0}');
        if typed.chars().all(|letter| letter.is_ascii_digit() || between(letter)) {
            let keys: String = typed.chars().filter(char::is_ascii_digit).collect();
            // `0049 30` and `030` are the same number's beginnings as `+49 30` and `30`.
            let bare = keys.trim_start_matches('0').to_owned();
            return (!keys.is_empty()).then_some(Self::Keys { typed: keys, bare });
        }
        let words: Vec<String> = fold(&typed).split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(Self::Words(words))
    }

    /// What of `contact` it is; `None`: nothing.
    pub(crate) fn matches(&self, contact: &Contact) -> Option<(Field, Vec<Range<usize>>)> {
        match self {
            Self::Words(words) => in_names(contact, words).or_else(|| in_addresses(contact, words)),
            Self::Keys { typed, bare } => in_keys(contact, typed.as_bytes()).or_else(|| {
                [typed, bare]
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .find_map(|it| in_numbers(contact, it.as_bytes()))
            }),
        }
    }
}

/// All words in one name, or each in one of them.
fn in_names(contact: &Contact, words: &[String]) -> Option<(Field, Vec<Range<usize>>)> {
    let names = || contact.names.iter().take(MOST_NAMES).enumerate();
    let mut found: Vec<Option<(usize, Vec<Range<usize>>)>> = vec![None; words.len()];
    for (at, name) in names() {
        for way in spellings(name) {
            let all: Option<Vec<Range<usize>>> = words
                .iter()
                .enumerate()
                .map(|(nth, word)| {
                    let start = *way.starts.iter().find(|start| way.text[**start..].starts_with(&**word))?;
                    let range = places(name, &way.places, start..start + word.len());
                    found[nth].get_or_insert_with(|| (at, vec![range.clone()]));
                    Some(range)
                })
                .collect();
            if let Some(ranges) = all {
                return Some((Field::Name(at), joined(ranges)));
            }
        }
    }
    // Each in some name, or in an address: the first name shows what of it is there.
    let rest_in_addresses = |nth: usize| in_addresses(contact, &words[nth..=nth]).is_some();
    let each = found.iter().enumerate().all(|(nth, it)| it.is_some() || rest_in_addresses(nth));
    let (shown, _) = found.iter().flatten().next().filter(|_| each)?.clone();
    let of_shown = found.into_iter().flatten().filter(|(at, _)| *at == shown).flat_map(|(_, ranges)| ranges);
    Some((Field::Name(shown), joined(of_shown.collect())))
}

fn in_addresses(contact: &Contact, words: &[String]) -> Option<(Field, Vec<Range<usize>>)> {
    let [word] = words else { return None };
    let numbers = contact.numbers.iter().take(MOST_NUMBERS).enumerate();
    let mut addresses = numbers.filter(|(_, number)| digits(&number.text).next().is_none());
    addresses.find_map(|(at, number)| {
        let way = spellings(&number.text).into_iter().next()?;
        let start = *way.starts.iter().find(|start| way.text[**start..].starts_with(&**word))?;
        Some((Field::Number(at), vec![places(&number.text, &way.places, start..start + word.len())]))
    })
}

fn in_keys(contact: &Contact, typed: &[u8]) -> Option<(Field, Vec<Range<usize>>)> {
    let names = contact.names.iter().take(MOST_NAMES).enumerate();
    names.into_iter().find_map(|(at, name)| {
        spellings(name).into_iter().find_map(|way| {
            let (keys, starts, letters) = keys_of(&way.text, &way.starts);
            let start = starts.into_iter().find(|start| keys[*start..].starts_with(typed))?;
            // Letter by letter: what stands between words has no key and is not marked.
            let ranges = letters[start..start + typed.len()].iter().map(|letter| {
                let length = way.text[*letter..].chars().next().map_or(1, char::len_utf8);
                places(name, &way.places, *letter..letter + length)
            });
            Some((Field::Name(at), joined(ranges.collect())))
        })
    })
}

fn in_numbers(contact: &Contact, typed: &[u8]) -> Option<(Field, Vec<Range<usize>>)> {
    let numbers = contact.numbers.iter().take(MOST_NUMBERS).enumerate();
    let mut found = numbers.filter_map(|(at, number)| {
        let digits: Vec<(usize, u8)> = digits(&number.text).collect();
        let start = digits
            .windows(typed.len())
            .position(|part| part.iter().map(|it| it.1).eq(typed.iter().copied()))?;
        let marked = digits[start..start + typed.len()].iter().map(|(place, _)| {
            let length = number.text[*place..].chars().next().map_or(1, char::len_utf8);
            *place..place + length
        });
        Some((start, (Field::Number(at), joined(marked.collect()))))
    });
    let first = found.next()?;
    // One that begins so is shown before one that has it in the middle.
    Some(if first.0 == 0 { first.1 } else { found.find(|it| it.0 == 0).unwrap_or(first).1 })
}

/// From bytes of a spelling to bytes of the name.
fn places(name: &str, places: &[usize], range: Range<usize>) -> Range<usize> {
    let from = places.get(range.start).copied().unwrap_or(name.len());
    let last = places.get(range.end - 1).copied().unwrap_or(name.len());
    let length = name.get(last..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    from..last + length
}

fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
}
