//! Signalling as softswitches of the VOS family have it where networks block SIP: "VOS 1.1", one sealed message a datagram.
//!
//! No vendor's paper on it is public, and this was not tried against such a server: it is what shipped dialers do.
//!
//! ```text
//!   0            6         8    9       10          10 + n
//!   4B 53 00 00  length    00   n       the id      the message under RC4, whose key stream begins anew in each datagram
//!   00 01        of the rest            in clear
//! ```
//! Numbers are big-endian. It hides SIP from filters and keeps no secrets: all datagrams of a key are covered alike, and nothing
//! tells a changed one. The same message is the same datagram, so that what is repeated looks so. Knows no transport and no
//! more of SIP than how a message begins.

use base::Secret;

use super::rc4::cover;
use super::{FlowCodec, Unopened};

/// The port where no other is named. Operators move it.
pub const PORT: u16 = 5070;

/// "KS", and what never changes behind it.
const MARK: [u8; 6] = *b"KS\0\0\0\x01";
/// Mark and length.
const HEAD: usize = 8;
/// The fixed byte and the id's length: counted in the length.
const BEFORE_ID: usize = 2;
/// What the length can tell of id and message.
const MOST: usize = u16::MAX as usize - BEFORE_ID;
/// How far a first line is looked for.
const FIRST_LINE: usize = 4096;

/// Who we are to the server, and what covers messages.
#[derive(Clone, Debug)]
pub struct Seal {
    id: base::Redacted<String>,
    key: Secret<String>,
}

/// Why nothing can be sealed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is nothing to cover messages with: ask for a password.
    #[error("VOS encryption needs a password or a key")]
    EmptyKey,
    /// The id does not fit: it has 255 bytes at most.
    #[error("VOS encryption needs an id of at most 255 bytes")]
    LongId,
}

impl Seal {
    /// `id` goes in clear; the bytes of `key` are used as they are, in UTF-8 where they are no ASCII.
    ///
    /// # Errors
    /// [`Unusable`]: called wrongly.
    pub fn new(id: impl Into<String>, key: Secret<String>) -> Result<Self, Unusable> {
        let id = id.into();
        match (key.expose().is_empty(), id.len()) {
            (true, _) => Err(Unusable::EmptyKey),
            (false, 0..=255) => Ok(Self { id: base::Redacted::new(id), key }),
            (false, _) => Err(Unusable::LongId),
        }
    }
}

impl FlowCodec for Seal {
    /// Nothing is written where the message is too long for its length to be told: no datagram would carry it.
    fn seal(&mut self, clear: &[u8], out: &mut Vec<u8>) {
        let id = self.id.reveal().as_bytes();
        if id.len() + clear.len() > MOST {
            return;
        }
        out.reserve(HEAD + BEFORE_ID + id.len() + clear.len());
        out.extend_from_slice(&MARK);
        out.extend_from_slice(&((BEFORE_ID + id.len() + clear.len()) as u16).to_be_bytes());
        out.extend_from_slice(&[0, id.len() as u8]);
        out.extend_from_slice(id);
        cover(self.key.expose().as_bytes(), clear, out);
    }

    /// Whatever id the server writes: servers have been seen to answer under their own.
    fn open<'a>(&mut self, wire: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], Unopened> {
        Frame::read(wire)?.open(self.key.expose().as_bytes(), room)
    }
}

/// A sealed datagram, before it is opened: the id says whose key that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Who sent it, or for whom it is.
    pub id: &'a [u8],
    covered: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads all of a datagram.
    ///
    /// # Errors
    /// [`Unopened`]: `Plain` without the first two bytes of the mark, `Broken` where anything else is wrong.
    pub fn read(wire: &'a [u8]) -> Result<Self, Unopened> {
        if !wire.starts_with(&MARK[..2]) {
            return Err(Unopened::Plain);
        }
        let rest = wire.strip_prefix(&MARK).ok_or(Unopened::Broken)?;
        let (length, rest) = rest.split_first_chunk().ok_or(Unopened::Broken)?;
        let exact = usize::from(u16::from_be_bytes(*length)) == rest.len();
        match rest {
            [0, id, rest @ ..] if exact => {
                let (id, covered) = rest.split_at_checked(usize::from(*id)).ok_or(Unopened::Broken)?;
                Ok(Self { id, covered })
            }
            _ => Err(Unopened::Broken),
        }
    }

    /// The message inside.
    ///
    /// # Errors
    /// [`Unopened::Noise`]: it is none; also where `key` is empty.
    pub fn open<'r>(&self, key: &[u8], room: &'r mut Vec<u8>) -> Result<&'r [u8], Unopened> {
        room.clear();
        if !key.is_empty() {
            room.reserve(self.covered.len());
            cover(key, self.covered, room);
        }
        if is_message(room) { Ok(room) } else { Err(Unopened::Noise) }
    }
}

/// Whether the first line is a request's or a response's (RFC 3261 section 7), or there are but empty lines (RFC 5626
/// section 3.5.1). Noise is neither, but once in some 2^50 times.
fn is_message(clear: &[u8]) -> bool {
    const VERSION: &[u8] = b"SIP/2.0";
    let begins = clear.iter().position(|byte| !b"\r\n".contains(byte));
    let Some(message) = begins.map(|at| &clear[at..]) else {
        return clear == b"\r\n\r\n" || clear == b"\r\n";
    };
    let line = &message[..message.len().min(FIRST_LINE)];
    let line = line.iter().position(|byte| *byte == b'\n').map_or(line, |end| &line[..end]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (first, last) =
        (line.get(..VERSION.len()), line.len().checked_sub(VERSION.len()).map(|at| &line[at..]));
    first.is_some_and(|it| it.eq_ignore_ascii_case(VERSION))
        || last.is_some_and(|it| it.eq_ignore_ascii_case(VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[u8] = b"OPTIONS sip:192.0.2.1 SIP/2.0\r\n\r\n";

    fn of(id: &str, key: &str) -> Seal {
        Seal::new(id, Secret::new(key.into())).unwrap()
    }

    fn sealed(seal: &mut Seal, clear: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        seal.seal(clear, &mut wire);
        wire
    }

    fn opened(seal: &mut Seal, wire: &[u8]) -> Result<Vec<u8>, Unopened> {
        seal.open(wire, &mut Vec::new()).map(<[u8]>::to_vec)
    }

    #[test]
    fn what_is_no_key_or_no_id_is_a_wrong_call() {
        let new = |id: &str, key: &str| Seal::new(id, Secret::new(key.into())).map(drop);
        assert_eq!(new("1001", ""), Err(Unusable::EmptyKey));
        assert_eq!(new(&"1".repeat(256), "k"), Err(Unusable::LongId));
        assert_eq!((new(&"1".repeat(255), "k"), new("", "k")), (Ok(()), Ok(())));
    }

    #[test]
    fn what_is_repeated_is_the_same_datagram_and_the_text_stays_as_it_was() {
        let mut seal = of("1001", "secret");
        let clear = OPTIONS.to_vec();
        let first = sealed(&mut seal, &clear);
        let _between = sealed(&mut seal, b"BYE sip:a SIP/2.0\r\n\r\n");
        assert_eq!((sealed(&mut seal, &clear), clear.as_slice()), (first, OPTIONS));
    }

    #[test]
    fn bodies_with_nul_and_keys_that_are_no_ascii_come_back_whole() {
        let body = [OPTIONS, b"\0\x01\0\0\xff\0"].concat();
        for key in ["p\u{e4}ssw\u{f6}rt", "\u{5bc6}\u{7801}", "\u{7f}", "k"] {
            let mut seal = of("1001", key);
            let wire = sealed(&mut seal, &body);
            assert_eq!(opened(&mut seal, &wire), Ok(body.clone()));
        }
    }

    #[test]
    fn each_way_of_being_wrong_has_its_name() {
        let mut seal = of("1001", "secret");
        let good = sealed(&mut seal, OPTIONS);
        let mut open = |wire: &[u8]| opened(&mut seal, wire).unwrap_err();
        assert_eq!(
            (open(OPTIONS), open(b""), open(b"K")),
            (Unopened::Plain, Unopened::Plain, Unopened::Plain)
        );
        for cut in 2..good.len() {
            assert_eq!(open(&good[..cut]), Unopened::Broken, "cut at {cut}");
        }
        assert_eq!(open(&[&good[..], b"x"].concat()), Unopened::Broken, "longer than it says");
        for at in 2..9 {
            let mut wrong = good.clone();
            wrong[at] ^= 1;
            assert_eq!(open(&wrong), Unopened::Broken, "byte {at}");
        }
        let mut long_id = good.clone();
        long_id[9] = 255;
        assert_eq!(open(&long_id), Unopened::Broken);
        // Key and message swapped for others.
        assert_eq!(opened(&mut of("1001", "Secret"), &good), Err(Unopened::Noise));
        let other_id = sealed(&mut of("switch", "secret"), OPTIONS);
        assert_eq!(opened(&mut of("1001", "secret"), &other_id), Ok(OPTIONS.to_vec()));
    }

    #[test]
    fn what_no_datagram_carries_is_not_written() {
        let mut seal = of("1001", "secret");
        let most = [OPTIONS, &vec![b'x'; MOST - 4 - OPTIONS.len()]].concat();
        let wire = sealed(&mut seal, &most);
        assert_eq!((wire.len(), opened(&mut seal, &wire)), (8 + 65_535, Ok(most.clone())));
        assert_eq!(sealed(&mut seal, &[&most[..], b"x"].concat()), b"");
    }

    #[test]
    fn a_response_and_empty_lines_are_messages_and_noise_is_none() {
        for yes in
            [&b"SIP/2.0 200 OK\r\n"[..], b"\r\n\r\n", b"\r\n\r\nBYE sip:a sip/2.0\n", b"INVITE sip:a SIP/2.0"]
        {
            assert!(is_message(yes), "{yes:?}");
        }
        for no in
            [&b""[..], b"\r", b"\n\n\n\n\n", b"SIP", b"SIP/2.", b"BYE sip:a\r\nSIP/2.0\r\n", b"\xff\xfe\0"]
        {
            assert!(!is_message(no), "{no:?}");
        }
    }
}
