//! Contacts from and to vCard files: versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350) are read, 4.0 is written.
//!
//! Names, numbers and SIP addresses are taken, the rest is passed over. Old telephones' files are read too: quoted-printable,
//! and texts in Latin-1 that say that they are UTF-8. A card that makes no sense is counted, and the next one read. Knows
//! nothing of pictures. The libraries for this bring calendars and the world's time zones with them, so this is ours.

use crate::contact::{Contact, ContactId, MOST_NUMBERS, Number};

/// Cards of one file, at most.
const MOST_CARDS: usize = 200_000;
/// Bytes of one line's value that are looked at: a picture is longer, and not taken.
const LONGEST_LINE: usize = 64 * 1024;
/// Octets of a line, as RFC 6350 section 3.2 wants them.
const FOLD_AT: usize = 75;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cards {
    /// In order; each is named by its place in the file.
    pub contacts: Vec<Contact>,
    /// Cards without a name or a number, or without an end.
    pub passed_over: usize,
}

/// Reads a file.
pub fn read(file: &[u8]) -> Cards {
    let mut cards = Cards::default();
    let mut card: Option<Card> = None;
    for line in Lines(file) {
        let Some(property) = Property::of(&line) else { continue };
        match (&*property.name, &mut card) {
            ("BEGIN", open) if property.value.eq_ignore_ascii_case(b"VCARD") => {
                cards.passed_over += usize::from(open.replace(Card::default()).is_some());
            }
            ("END", open) => {
                let Some(done) = open.take() else { continue };
                match done.contact(cards.contacts.len()) {
                    Some(contact) if cards.contacts.len() < MOST_CARDS => cards.contacts.push(contact),
                    _ => cards.passed_over += 1,
                }
            }
            (_, Some(card)) => card.take(&property),
            (_, None) => {}
        }
    }
    cards.passed_over += usize::from(card.is_some());
    cards
}

/// Writes contacts as a file.
pub fn write<'a>(contacts: impl IntoIterator<Item = &'a Contact>) -> String {
    let mut file = String::new();
    for contact in contacts {
        line("BEGIN:VCARD", &mut file);
        line("VERSION:4.0", &mut file);
        let mut names = contact.names.iter();
        line(&format!("FN:{}", escaped(names.next().map_or("", String::as_str))), &mut file);
        for name in names {
            line(&format!("NICKNAME:{}", escaped(name)), &mut file);
        }
        for number in &contact.numbers {
            let kind: String = number.kind.chars().filter(char::is_ascii_alphanumeric).collect();
            let kind = if kind.is_empty() { kind } else { format!(";TYPE={kind}") };
            let address = number.text.contains(':') || number.text.contains('@');
            let field = if address { "IMPP" } else { "TEL" };
            line(&format!("{field}{kind}:{}", escaped(&number.text)), &mut file);
        }
        line("END:VCARD", &mut file);
    }
    file
}

#[derive(Default)]
struct Card {
    full: Option<String>,
    parts: Option<String>,
    others: Vec<String>,
    numbers: Vec<Number>,
}

impl Card {
    fn take(&mut self, property: &Property) {
        match &*property.name {
            "FN" => self.full = self.full.take().or_else(|| Some(property.text().replace('\n', " "))),
            // Family; given; additional; prefix; suffix. RFC 6350 section 6.2.2.
            "N" => {
                let parts = property.parts();
                let order = [3, 1, 2, 0, 4].map(|at| parts.get(at).map_or("", |part| part.trim()));
                let name: Vec<&str> = order.into_iter().filter(|part| !part.is_empty()).collect();
                self.parts = Some(name.join(" "));
            }
            "NICKNAME" | "ORG" => self.others.push(property.parts().join(" ").trim().to_owned()),
            "TEL" => self.number(&property.text(), property),
            "IMPP" | "X-SIP" => {
                let text = property.text();
                let address = text.trim();
                let lower = address.to_ascii_lowercase();
                if property.name == "X-SIP" || lower.starts_with("sip:") || lower.starts_with("sips:") {
                    self.number(address, property);
                }
            }
            _ => {}
        }
    }

    fn number(&mut self, text: &str, property: &Property) {
        let text = text.trim();
        let scheme = text.get(..4).filter(|it| it.eq_ignore_ascii_case("tel:"));
        let bare = scheme.map_or(text, |scheme| &text[scheme.len()..]);
        if bare.is_empty() || self.numbers.len() == MOST_NUMBERS {
            return;
        }
        let kinds = ["cell", "mobile", "work", "home", "fax", "pager", "main", "other"];
        let kind = kinds.iter().find(|kind| property.kinds.iter().any(|it| it == *kind));
        let kind = kind.map_or("", |kind| if *kind == "cell" { "mobile" } else { kind });
        self.numbers.push(Number { text: bare.to_owned(), kind: kind.to_owned(), normal: None });
    }

    fn contact(self, place: usize) -> Option<Contact> {
        let usable = |name: &String| !name.trim().is_empty();
        let first = self.full.filter(usable).or(self.parts.filter(usable));
        let mut names: Vec<String> = first.into_iter().collect();
        names.extend(self.others.into_iter().filter(usable));
        if names.is_empty() && self.numbers.is_empty() {
            return None;
        }
        Some(Contact { id: ContactId(place as u64), names, numbers: self.numbers, weight: 0 })
    }
}

/// One line, taken apart.
struct Property {
    name: String,
    /// Lower case.
    kinds: Vec<String>,
    value: Vec<u8>,
}

impl Property {
    fn of(line: &[u8]) -> Option<Self> {
        let mut quoted = false;
        let colon = line.iter().position(|byte| {
            quoted ^= *byte == b'"';
            *byte == b':' && !quoted
        })?;
        let head = String::from_utf8_lossy(&line[..colon]).into_owned();
        let mut params = head.split(';');
        // `item1.TEL`: a group. RFC 6350 section 3.3.
        let name = params.next()?.rsplit('.').next()?.trim().to_ascii_uppercase();
        let mut property = Self { name, kinds: Vec::new(), value: line[colon + 1..].to_vec() };
        for param in params {
            let (name, value) = param.split_once('=').unwrap_or(("TYPE", param)); // 2.1 has bare types
            let value = value.trim_matches('"').to_ascii_lowercase();
            if value == "quoted-printable" {
                property.value = unquoted(&property.value);
            } else if name.eq_ignore_ascii_case("TYPE") {
                property.kinds.extend(value.split(',').map(|it| it.trim().to_owned()));
            }
        }
        Some(property)
    }

    /// Bytes that are not UTF-8 are Latin-1: that is what old telephones wrote.
    fn decoded(&self) -> String {
        match std::str::from_utf8(&self.value) {
            Ok(text) => text.to_owned(),
            Err(_) => self.value.iter().map(|byte| char::from(*byte)).collect(),
        }
    }

    fn text(&self) -> String {
        unescaped(&self.decoded(), None).concat()
    }

    fn parts(&self) -> Vec<String> {
        unescaped(&self.decoded(), Some(';'))
    }
}

/// RFC 6350 section 3.4; split at `at`, where it is not escaped.
fn unescaped(text: &str, at: Option<char>) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\\' => match letters.next() {
                Some('n' | 'N') => '\n',
                Some(other) => other,
                None => break,
            },
            letter if Some(letter) == at => {
                parts.push(String::new());
                continue;
            }
            letter => letter,
        };
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ',' | ';' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// RFC 2045 section 6.7.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, others @ ..] = rest {
        let digit = |at: usize| others.get(at).and_then(|it| char::from(*it).to_digit(16));
        let (byte, taken) = match (first, digit(0), digit(1)) {
            (b'=', Some(high), Some(low)) => ((high << 4 | low) as u8, 2),
            (byte, ..) => (*byte, 0),
        };
        bytes.push(byte);
        rest = &others[taken..];
    }
    bytes
}

/// Lines, unfolded: what begins with a space goes on (RFC 6350 section 3.2), and so does quoted-printable that ends in `=`.
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    fn raw(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let line = &self.0[..end];
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl Iterator for Lines<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut last = self.raw()?;
        let head = &last[..last.iter().position(|byte| *byte == b':').unwrap_or(last.len().min(256))];
        let quoted = String::from_utf8_lossy(head).to_ascii_uppercase().contains("QUOTED-PRINTABLE");
        let mut line = last[..last.len().min(LONGEST_LINE)].to_vec();
        loop {
            let soft = quoted && last.ends_with(b"=");
            if !soft && !matches!(self.0.first(), Some(b' ' | b'\t')) {
                return Some(line);
            }
            let Some(next) = self.raw() else { return Some(line) };
            if soft && line.ends_with(b"=") {
                line.pop();
            }
            let more = next.get(usize::from(!soft)..).unwrap_or_default();
            let room = LONGEST_LINE - line.len();
            line.extend_from_slice(&more[..more.len().min(room)]);
            last = next;
        }
    }
}

/// Folded between letters, never inside of one.
fn line(text: &str, file: &mut String) {
    let mut length = 0;
    for letter in text.chars() {
        if length + letter.len_utf8() > FOLD_AT {
            file.push_str("\r\n ");
            length = 1;
        }
        file.push(letter);
        length += letter.len_utf8();
    }
    file.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cards: &Cards) -> Vec<String> {
        let show = |contact: &Contact| {
            let numbers =
                contact.numbers.iter().map(|it| format!("{} {}", it.kind, it.text).trim().to_owned());
            format!("{}: {}", contact.names.join(" / "), numbers.collect::<Vec<_>>().join(", "))
        };
        cards.contacts.iter().map(show).collect()
    }

    #[test]
    fn cards_of_all_versions_are_read() {
        let file = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\\, M. Smith\r\nTEL;VALUE=uri;TYPE=\"cell,voice\":tel:+1-201-555-0123\r\n\
            IMPP:sip:ann@example.com\r\nIMPP:xmpp:ann@example.com\r\nPHOTO:data:image/jpeg;base64,AAAA\r\nEND:VCARD\r\n\
            BEGIN:VCARD\nVERSION:3.0\nN:Müller;Jürgen;;Dr.;\nORG:Long Name of a Co\n mpany;Sales\nitem1.TEL;TYPE=WORK:030 1\nEND:VCARD\n\
            begin:vcard\nversion:2.1\nN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:M=C3=BC=\nller;J=\n=C3=BCrgen\nTEL;HOME;VOICE:1\nend:vcard\n";
        assert_eq!(
            shown(&read(file.as_bytes())),
            [
                "Ann, M. Smith: mobile +1-201-555-0123, sip:ann@example.com",
                "Dr. Jürgen Müller / Long Name of a Company Sales: work 030 1",
                "Jürgen Müller: home 1",
            ]
        );
        let latin = b"BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=UTF-8:M\xfcller\nEND:VCARD\n";
        assert_eq!(read(latin).contacts[0].names, ["Müller"]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let long = "Straße 李; \\ , ".repeat(20);
        let number = |text: &str, kind: &str| Number { text: text.into(), kind: kind.into(), normal: None };
        let contact = Contact {
            id: ContactId(0),
            names: vec![long, "Nick".into()],
            numbers: vec![number("+49 30 1", "mobile"), number("sip:a@b", "")],
            weight: 0,
        };
        let file = write([&contact]);
        assert!(file.lines().all(|line| line.len() <= FOLD_AT), "{file}");
        assert_eq!(read(file.as_bytes()).contacts, [contact]);
    }

    #[test]
    fn hostile_files_are_read_as_far_as_they_make_sense() {
        let picture = format!("PHOTO:{}\n", "A".repeat(10_000_000));
        let numbers = "TEL:1\n".repeat(20_000);
        let file = format!(
            "END:VCARD\nTEL:0\nBEGIN:VCARD\nBEGIN:VCARD\nEND:VCARD\nBEGIN:VCARD\nFN:Ann\n{picture}{numbers}END:VCARD\n\
             BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:{}\nEND:VCARD\nBEGIN:VCARD\nFN:cut",
            "=\n".repeat(100_000)
        );
        let cards = read(file.as_bytes());
        assert_eq!((cards.contacts.len(), cards.passed_over), (1, 4));
        assert_eq!(cards.contacts[0].numbers.len(), MOST_NUMBERS);
        for file in [
            &b""[..],
            b"\xff\xfe",
            b":",
            b"BEGIN:VCARD",
            b"BEGIN:VCARD\nN\nFN\\\nFN:\\\nEND:VCARD",
            b"\n \n \n",
        ] {
            let _ = read(file);
        }
    }
}
