//! Three sorted lists of endings: of names from each of their words on, of the same as keys of a keypad, and of the digits
//! of numbers from each digit on. What begins with what was typed is then one stretch of a list.

use crate::contact::{Contact, LONGEST_NUMBER, MOST_NAMES, MOST_NUMBERS};
use crate::keypad::key;
use crate::spelling::spellings;

/// Whose an ending is, and where it begins.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u32,
    /// The lowest bit: whether it is a whole one and not the end of one.
    whose: u32,
}

impl Entry {
    fn slot(self) -> usize {
        (self.whose >> 1) as usize
    }

    fn whole(self) -> bool {
        self.whose & 1 == 1
    }
}

/// Texts one behind the other, and their endings in order.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    text: Vec<u8>,
    sorted: Vec<Entry>,
}

/// What stands behind each text: nothing that is typed.
const END: u8 = 0;

impl Endings {
    fn push(&mut self, slot: usize, text: &[u8], starts: impl Iterator<Item = usize>) {
        let base = self.text.len();
        // Four thousand million bytes of names: the rest is not found.
        let (Ok(_), Ok(slot)) = (u32::try_from(base + text.len()), u32::try_from(slot << 1)) else { return };
        self.text.extend_from_slice(text);
        self.text.push(END);
        for start in starts {
            self.sorted.push(Entry { at: (base + start) as u32, whose: slot | u32::from(start == 0) });
        }
    }

    fn sort(&mut self) {
        let text = &self.text;
        self.sorted.sort_unstable_by(|a, b| text[a.at as usize..].cmp(&text[b.at as usize..]));
        self.sorted.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    /// Whose texts have an ending that begins with `prefix`, and whether it is the whole text.
    pub(crate) fn beginning_with(&self, prefix: &[u8]) -> impl Iterator<Item = (usize, bool)> {
        let head = |entry: &Entry| {
            let rest = &self.text[entry.at as usize..];
            &rest[..rest.len().min(prefix.len())]
        };
        let from = self.sorted.partition_point(|entry| head(entry) < prefix);
        let length = self.sorted[from..].partition_point(|entry| head(entry) == prefix);
        self.sorted[from..from + length].iter().map(|entry| (entry.slot(), entry.whole()))
    }
}

/// What contacts are found by.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) words: Endings,
    pub(crate) keys: Endings,
    pub(crate) digits: Endings,
}

impl Index {
    /// Of these contacts, each with its slot.
    pub(crate) fn of<'a>(contacts: impl Iterator<Item = (usize, &'a Contact)>) -> Self {
        let mut index = Self::default();
        for (slot, contact) in contacts {
            index.add(slot, contact);
        }
        index.words.sort();
        index.keys.sort();
        index.digits.sort();
        index
    }

    fn add(&mut self, slot: usize, contact: &Contact) {
        for name in contact.names.iter().take(MOST_NAMES) {
            for way in spellings(name) {
                let (keys, starts, _) = keys_of(&way.text, &way.starts);
                self.keys.push(slot, &keys, starts.into_iter());
                self.words.push(slot, way.text.as_bytes(), way.starts.into_iter());
            }
        }
        for number in contact.numbers.iter().take(MOST_NUMBERS) {
            let digits: Vec<u8> = digits(&number.text).map(|(_, digit)| digit).collect();
            self.digits.push(slot, &digits, 0..digits.len());
            if digits.is_empty() {
                // An address: its letters are found as a name's are.
                for way in spellings(&number.text) {
                    self.words.push(slot, way.text.as_bytes(), way.starts.into_iter());
                }
            }
        }
    }
}

/// The keys of a folded text, where its words begin among them, and which letter each key is of.
pub(crate) fn keys_of(text: &str, starts: &[usize]) -> (Vec<u8>, Vec<usize>, Vec<usize>) {
    let (mut keys, mut letters) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
    let mut begins = Vec::with_capacity(starts.len());
    let mut starts = starts.iter().peekable();
    for (at, letter) in text.char_indices() {
        if starts.next_if_eq(&&at).is_some() {
            begins.push(keys.len());
        }
        match key(letter) {
            Some(key) => keys.push(key),
            None if letter.is_alphanumeric() => keys.push(END), // it is on no key: nobody gets past it
            None => continue,
        }
        letters.push(at);
    }
    (keys, begins, letters)
}

/// The digits of a number as it was written, and where each stands. An address has none.
pub(crate) fn digits(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let address =
        text.contains('@') || text.starts_with("sip:") && text.bytes().any(|it| it.is_ascii_alphabetic());
    let digits = text.char_indices().filter_map(move |(at, letter)| {
        let digit = if address { None } else { letter.to_digit(10) };
        digit.map(|digit| (at, b'0' + digit as u8))
    });
    digits.take(LONGEST_NUMBER)
}
