//! Where everything lies: one walk over the bytes, eight bytes kept per field.
//!
//! RFC 3261 sections 7 and 18.3. Judges only what it must to find the next line; flaws are noted for `refusal`.

use std::ops::Range;

use memchr::memchr;
use smallvec::SmallVec;

use super::flaw::Malformed;
use super::lex::{TOKEN, is_lws, number, trim};
use super::name::{Name, at_head};

/// The longest message read, so that a place in it fits 16 bits.
pub const MAX_MESSAGE: usize = u16::MAX as usize;

/// The most header fields read.
pub const MAX_FIELDS: usize = 256;

/// A stretch of the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// Both within [`MAX_MESSAGE`]: the reader checked the length first.
    const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u16, end: end as u16 }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        // Never empty by mistake: spans are only used with the bytes they were made from.
        bytes.get(self.range()).unwrap_or(&[])
    }

    pub(crate) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum StartIndex {
    Request { method: Span, uri: Span },
    Response { status: u16, reason: Span },
}

/// One header field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    name_start: u16,
    pub(crate) value: Span,
}

impl Entry {
    /// The name as written: tokens up to the colon or the LWS before it.
    pub(crate) fn text(self, bytes: &[u8]) -> &[u8] {
        let rest = bytes.get(self.name_start as usize..).unwrap_or(&[]);
        &rest[..super::lex::token_end(rest)]
    }
}

const NAMES: usize = Name::Other as usize + 1;

const NOWHERE: u8 = u8::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) start: StartIndex,
    pub(crate) fields: SmallVec<[Entry; 32]>,
    /// Where to begin looking for each name; `NOWHERE` when it is not there.
    first: [u8; NAMES],
    pub(crate) body: Span,
    pub(crate) notes: Notes,
}

/// What the walk saw that `refusal` must know.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    /// A version other than SIP/2.0.
    pub(crate) version: bool,
    /// A header line without a name and colon.
    pub(crate) line: bool,
    /// A Content-Length that is no number, or two that differ.
    pub(crate) length: bool,
    /// Fewer octets than Content-Length says.
    pub(crate) short: bool,
}

impl Index {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_MESSAGE {
            return Err(Malformed::TooLong);
        }
        let begin = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).ok_or(Malformed::Empty)?;
        let end = line_end(bytes, begin).ok_or(Malformed::Unfinished)?;
        let mut notes = Notes::default();
        let start = read_start(bytes, begin, end, &mut notes)?;
        let mut index =
            Self { start, fields: SmallVec::new(), first: [NOWHERE; NAMES], body: Span::default(), notes };
        let body = index.read_fields(bytes, end + 1)?;
        index.measure(bytes, body);
        Ok(index)
    }

    /// The fields of that name, in order.
    #[inline]
    pub(crate) fn all(&self, name: Name) -> impl Iterator<Item = &Entry> {
        let first = self.first[name as usize];
        let from = if first == NOWHERE { self.fields.len() } else { first as usize };
        self.fields.get(from..).unwrap_or(&[]).iter().filter(move |f| f.name == name)
    }

    /// Reads the fields from `at` on and tells where the body begins.
    fn read_fields(&mut self, bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
        loop {
            match bytes.get(at) {
                Some(b'\n') => return Ok(at + 1),
                Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => return Ok(at + 2),
                // A datagram may end without the empty line, as RFC 4475's own `baddn` does.
                None => return Ok(at),
                Some(_) => {}
            }
            let name_start = at;
            let (name, sound) = if let Some((name, length)) = at_head(&bytes[at..]) {
                at += length;
                (name, true)
            } else {
                while bytes.get(at).is_some_and(|&b| TOKEN[b as usize]) {
                    at += 1;
                }
                let text = &bytes[name_start..at];
                while let Some(b' ' | b'\t') = bytes.get(at) {
                    at += 1;
                }
                (Name::read(text), bytes.get(at) == Some(&b':') && !text.is_empty())
            };
            let mut end = line_end(bytes, at).ok_or(Malformed::Unfinished)?;
            while let Some(b' ' | b'\t') = bytes.get(end + 1) {
                end = line_end(bytes, end + 1).ok_or(Malformed::Unfinished)?;
            }
            if sound {
                if self.fields.len() == MAX_FIELDS {
                    return Err(Malformed::TooManyFields);
                }
                let value = trim_within(bytes, at + 1, end);
                let first = &mut self.first[name as usize];
                if *first == NOWHERE {
                    // The 256th field is looked for from the 255th on.
                    *first = self.fields.len().min(NOWHERE as usize - 1) as u8;
                }
                self.fields.push(Entry { name, name_start: name_start as u16, value });
            } else {
                self.notes.line = true;
            }
            at = end + 1;
        }
    }

    /// How long the body is. RFC 3261 sections 18.3 and 20.14.
    fn measure(&mut self, bytes: &[u8], body: usize) {
        let room = bytes.len() - body;
        let (mut said, mut flawed): (Option<usize>, bool) = (None, false);
        for field in self.all(Name::ContentLength) {
            match number(field.value.of(bytes)) {
                Ok(n) if said.is_none_or(|before| before == n as usize) => said = Some(n as usize),
                _ => flawed = true,
            }
        }
        self.notes.length = flawed;
        self.notes.short = said.is_some_and(|n| n > room);
        let length = if self.notes.length { room } else { said.unwrap_or(room).min(room) };
        self.body = Span::new(body, body + length);
    }
}

/// The stretch from `from` to `to` without the LWS at its ends.
#[inline]
fn trim_within(bytes: &[u8], mut from: usize, mut to: usize) -> Span {
    // `: value\r\n`, as nearly every line is written.
    if to >= from + 3
        && bytes[from] == b' '
        && bytes[from + 1] > b' '
        && bytes[to - 1] == b'\r'
        && bytes[to - 2] > b' '
    {
        return Span::new(from + 1, to - 1);
    }
    let blank = |at: usize| bytes[at] <= b' ' && is_lws(bytes[at]);
    while from < to && blank(from) {
        from += 1;
    }
    while to > from && blank(to - 1) {
        to -= 1;
    }
    Span::new(from, to)
}

/// Where the line that `at` lies in ends: the place of its LF.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    memchr(b'\n', bytes.get(at..)?).map(|n| at + n)
}

fn read_start(bytes: &[u8], begin: usize, end: usize, notes: &mut Notes) -> Result<StartIndex, Malformed> {
    let line = trim(&bytes[begin..end]);
    let begin = begin + (bytes[begin..end].len() - super::lex::trim_start(&bytes[begin..end]).len());
    let span = |part: &[u8], at: usize| {
        let text = trim(part);
        let skipped = part.len() - super::lex::trim_start(part).len();
        Span::new(begin + at + skipped, begin + at + skipped + text.len())
    };
    let first = memchr(b' ', line).ok_or(Malformed::StartLine)?;
    if let Some(version) = version(&line[..first]) {
        notes.version = version != b"2.0";
        // Leading zeros and a fourth digit alike are no status: exactly three digits.
        let rest = trim(&line[first..]);
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let status = number(&rest[..digits]).map_err(|_| Malformed::Status)?;
        if digits != 3 || !(100..=699).contains(&status) || rest.get(3).is_some_and(|b| !is_lws(*b)) {
            return Err(Malformed::Status);
        }
        let at = line.len() - rest.len() + 3;
        return Ok(StartIndex::Response { status: status as u16, reason: span(&line[at..], at) });
    }
    // From both ends: a Request-URI with spaces in it is still found, to be refused by name.
    let last = memchr::memrchr(b' ', line).ok_or(Malformed::StartLine)?;
    let method = &line[..first];
    let version = version(&line[last + 1..]).ok_or(Malformed::StartLine)?;
    if last <= first || !super::lex::is_token(method) {
        return Err(Malformed::StartLine);
    }
    notes.version = version != b"2.0";
    let uri = span(&line[first..last], first);
    if uri.range().is_empty() {
        return Err(Malformed::StartLine);
    }
    Ok(StartIndex::Request { method: span(method, 0), uri })
}

/// The number behind `SIP/`, when this is a SIP-Version.
fn version(word: &[u8]) -> Option<&[u8]> {
    if word == b"SIP/2.0" {
        return Some(b"2.0");
    }
    let (name, number) = word.split_at_checked(4)?;
    let sound = name.eq_ignore_ascii_case(b"SIP/")
        && number.first().is_some_and(u8::is_ascii_digit)
        && number.last().is_some_and(u8::is_ascii_digit)
        && number.contains(&b'.')
        && number.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    sound.then_some(number)
}
