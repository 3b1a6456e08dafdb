//! Messages out of a stream: TCP and TLS framing, with limits. RFC 3261 section 18.3, RFC 5626 sections 3.5.1 and 4.4.1.
//!
//! A stream that cannot be framed is told so once and for all: close it. Knows no time: who is too slow is the owner's
//! question, and [`Stream::is_midway`] helps to answer it.

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memchr;

use super::index::{Index, MAX_FIELDS, MAX_MESSAGE};
use super::lex::{TOKEN, number};
use super::{Malformed, Name};

/// What came out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framed {
    /// One whole message, to be read.
    Message(Bytes),
    /// A double CRLF: answer with a single one.
    Ping,
    /// A single CRLF: the answer to our ping.
    Pong,
}

/// Why a stream cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A message beyond 65,535 bytes.
    #[error("a message longer than 65,535 bytes")]
    TooLong,
    /// A message with more than 256 header fields.
    #[error("a message with more than 256 header fields")]
    TooManyFields,
    /// A Content-Length that is missing, no number, or contradicts itself: nobody knows where the next message begins.
    #[error("no usable Content-Length")]
    BadLength,
    /// This is not SIP.
    #[error("not SIP")]
    Garbage,
}

/// Who opened the connection. The one who did sends pings and gets pongs (RFC 5626 section 4.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We did: each CRLF between messages is a pong.
    Opened,
    /// They did: each double CRLF between messages is a ping; a single one is noise.
    Accepted,
}

/// The reader of one connection. Holds less than one message between calls, however the peer cuts its bytes.
#[derive(Debug)]
pub struct Stream {
    side: Side,
    buffer: BytesMut,
    /// Lines of the unfinished header that need no second look: bytes, and fields among them.
    scanned: usize,
    fields: usize,
    /// Length of the message at the front, once its header is whole.
    wanted: Option<usize>,
    broken: Option<StreamError>,
}

impl Stream {
    /// A connection that has carried nothing yet.
    pub fn new(side: Side) -> Self {
        Self { side, buffer: BytesMut::new(), scanned: 0, fields: 0, wanted: None, broken: None }
    }

    /// Takes a chunk. Then call [`Stream::next`] until it has no more.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(chunk);
        }
    }

    /// Whether a message has begun that has not ended: a peer who leaves it so for long is too slow.
    pub fn is_midway(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole thing, or `None` until more bytes come.
    ///
    /// # Errors
    /// The stream is lost: close it, and count why. Every later call says the same.
    #[allow(clippy::should_implement_trait)] // an iterator that ends is done; this one goes on after the next push
    pub fn next(&mut self) -> Result<Option<Framed>, StreamError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.frame().inspect_err(|&error| {
            self.broken = Some(error);
            self.buffer = BytesMut::new();
        })
    }

    fn frame(&mut self) -> Result<Option<Framed>, StreamError> {
        if self.scanned == 0 && self.wanted.is_none() {
            let keepalive = self.keepalive();
            if keepalive.is_some() || matches!(self.buffer.first(), Some(b'\r' | b'\n')) {
                return Ok(keepalive);
            }
        }
        if self.wanted.is_none() {
            self.wanted = self.header_end()?.map(|end| self.measure(end)).transpose()?;
        }
        match self.wanted {
            Some(length) if self.buffer.len() >= length => {
                (self.scanned, self.fields, self.wanted) = (0, 0, None);
                Ok(Some(Framed::Message(self.buffer.split_to(length).freeze())))
            }
            _ => Ok(None),
        }
    }

    /// Takes line breaks off the front of a message that has not begun, the same ones however they are cut.
    fn keepalive(&mut self) -> Option<Framed> {
        loop {
            let (taken, framed) = match (self.side, &self.buffer[..]) {
                (Side::Opened, [b'\r', b'\n', ..]) => (2, Some(Framed::Pong)),
                (Side::Accepted, [b'\r', b'\n', b'\r', b'\n', ..]) => (4, Some(Framed::Ping)),
                // The rest of a line break, or of a ping, may still be coming.
                (_, [b'\r']) | (Side::Accepted, [b'\r', b'\n'] | [b'\r', b'\n', b'\r']) => return None,
                (_, [b'\r', b'\n', ..]) => (2, None),
                (_, [b'\r' | b'\n', ..]) => (1, None),
                _ => return None,
            };
            self.buffer.advance(taken);
            if framed.is_some() {
                return framed;
            }
        }
    }

    /// Where the body of the message at the front begins, once its empty line is here.
    fn header_end(&mut self) -> Result<Option<usize>, StreamError> {
        if let Some(&first) = self.buffer.first()
            && !TOKEN[first as usize]
        {
            return Err(StreamError::Garbage);
        }
        while let Some(length) = memchr(b'\n', &self.buffer[self.scanned..]) {
            let line = &self.buffer[self.scanned..self.scanned + length];
            if self.scanned == 0 && !is_start(line) {
                return Err(StreamError::Garbage);
            }
            self.scanned += length + 1;
            if line.is_empty() || line == b"\r" {
                return Ok(Some(self.scanned));
            }
            if !matches!(line[0], b' ' | b'\t') {
                self.fields += 1;
            }
            // The start line was counted with them.
            if self.fields > MAX_FIELDS + 1 {
                return Err(StreamError::TooManyFields);
            }
        }
        if self.buffer.len() > MAX_MESSAGE { Err(StreamError::TooLong) } else { Ok(None) }
    }

    fn measure(&self, end: usize) -> Result<usize, StreamError> {
        if end > MAX_MESSAGE {
            return Err(StreamError::TooLong);
        }
        let header = &self.buffer[..end];
        let index = Index::read(header).map_err(|error| match error {
            Malformed::TooLong => StreamError::TooLong,
            Malformed::TooManyFields => StreamError::TooManyFields,
            Malformed::Empty | Malformed::StartLine | Malformed::Status | Malformed::Unfinished => {
                StreamError::Garbage
            }
        })?;
        let field =
            index.fields.iter().find(|f| f.name == Name::ContentLength).ok_or(StreamError::BadLength)?;
        if index.notes.length {
            return Err(StreamError::BadLength);
        }
        let body = number(field.value.of(header)).map_err(|_| StreamError::BadLength)?;
        let length = end + body as usize;
        if length > MAX_MESSAGE { Err(StreamError::TooLong) } else { Ok(length) }
    }
}

/// Whether a first line could be SIP's: `SIP/` begins or ends it. Says no to HTTP and to typing hands.
fn is_start(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let version = |word: &[u8]| word.get(..4).is_some_and(|w| w.eq_ignore_ascii_case(b"SIP/"));
    version(line) || line.rsplit(|&b| b == b' ').next().is_some_and(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc";
    const TWO: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length:\r\n 0\r\n\r\n";

    fn all(stream: &mut Stream) -> Result<Vec<Framed>, StreamError> {
        let mut out = Vec::new();
        while let Some(framed) = stream.next()? {
            out.push(framed);
        }
        Ok(out)
    }

    fn push(side: Side, bytes: &[u8]) -> Result<Vec<Framed>, StreamError> {
        let mut stream = Stream::new(side);
        stream.push(bytes);
        all(&mut stream)
    }

    #[test]
    fn messages_come_out_whole_however_they_are_cut() {
        let wire = [b"\r\n\r\n", ONE, b"\r\n\r\n", TWO, ONE].concat();
        let want = [
            Framed::Ping,
            Framed::Message(ONE.into()),
            Framed::Ping,
            Framed::Message(TWO.into()),
            Framed::Message(ONE.into()),
        ];
        for size in 1..wire.len() {
            let mut stream = Stream::new(Side::Accepted);
            let mut got = Vec::new();
            for chunk in wire.chunks(size) {
                stream.push(chunk);
                got.extend(all(&mut stream).expect("sound"));
            }
            assert_eq!(got, want, "cut every {size} bytes");
            assert!(!stream.is_midway());
        }
    }

    #[test]
    fn the_side_that_opened_hears_pongs() {
        let wire = [b"\r\n", ONE, b"\r\n\r\n"].concat();
        let want = [Framed::Pong, Framed::Message(ONE.into()), Framed::Pong, Framed::Pong];
        assert_eq!(push(Side::Opened, &wire), Ok(want.to_vec()));
    }

    #[test]
    fn a_stray_line_break_before_a_message_is_noise_to_the_accepting_side() {
        let wire = [b"\r\n", ONE, b"\n", TWO].concat();
        let want = [Framed::Message(ONE.into()), Framed::Message(TWO.into())];
        assert_eq!(push(Side::Accepted, &wire), Ok(want.to_vec()));
    }

    #[test]
    fn what_cannot_be_framed_is_refused_for_good() {
        let long = format!("A sip:a SIP/2.0\r\nx: {}", "y".repeat(MAX_MESSAGE));
        let body = "A sip:a SIP/2.0\r\nl: 65535\r\n\r\n";
        let fields = format!("A sip:a SIP/2.0\r\n{}", "a: b\r\n".repeat(MAX_FIELDS + 1));
        for (wire, why) in [
            ("GET / HTTP/1.1\r\n", StreamError::Garbage),
            ("\u{16}\u{3}\u{1}", StreamError::Garbage),
            ("\r\n\r\n {", StreamError::Garbage),
            ("A sip:a SIP/2.0\r\n\r\n", StreamError::BadLength),
            ("A sip:a SIP/2.0\r\nl: five\r\n\r\n", StreamError::BadLength),
            ("A sip:a SIP/2.0\r\nl: -1\r\n\r\n", StreamError::BadLength),
            ("A sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", StreamError::BadLength),
            ("A sip:a SIP/2.0\r\nl: 99999999999\r\n\r\n", StreamError::BadLength),
            (body, StreamError::TooLong),
            (&long, StreamError::TooLong),
            (&fields, StreamError::TooManyFields),
        ] {
            let mut stream = Stream::new(Side::Accepted);
            stream.push(wire.as_bytes());
            let mut told = stream.next();
            if told == Ok(Some(Framed::Ping)) {
                told = stream.next();
            }
            assert_eq!(told, Err(why), "{wire:.40}");
            stream.push(ONE);
            assert_eq!(stream.next(), Err(why), "the same ever after");
        }
    }

    #[test]
    fn the_largest_message_still_passes() {
        let fields = "a: b\r\n".repeat(MAX_FIELDS - 1);
        let header = format!("A sip:a SIP/2.0\r\n{fields}l: ");
        let body = MAX_MESSAGE - header.len() - "63000\r\n\r\n".len();
        let wire = format!("{header}{body}\r\n\r\n{}", "x".repeat(body));
        assert_eq!(push(Side::Accepted, wire.as_bytes()), Ok(vec![Framed::Message(wire.into())]));
    }
}
