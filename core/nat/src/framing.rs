//! How messages lie on a stream, and how to get them out again.
//!
//! RFC 4571 section 2: a length of 16 bits before each packet; ICE over TCP carries its STUN in it too (RFC 6544 section 3).
//! TURN on TCP and TLS has no frame of its own (RFC 8489 section 6.2.2, RFC 8656 section 12.5): STUN says its length in its
//! head, and channel data is padded to four bytes. Nothing is allocated per message once the buffer has grown to what the
//! stream needs. Knows nothing of what the messages say.

use crate::channel;
use crate::stun::MAX_MESSAGE;

/// How messages lie on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// 16 bits of length before each.
    Rfc4571,
    /// STUN and channel data, one behind the other.
    Turn,
}

/// The longest message taken from a stream of RFC 4571, and written to one. A packet of sound has some hundred bytes, and no
/// packet that also has to fit a datagram has more than a jumbo frame's 9000; whoever says more has lost the frame's
/// beginning, or wants our memory (RFC 4571 section 7).
pub const MAX_FRAME: usize = 9216;

/// The longest message kept from a TURN stream: STUN as long as we read it, or channel data with as much in it. What is longer
/// is passed over, and the stream goes on: any peer with a permission may have the relay send us 64 KiB, and ending the
/// stream for it would end the call.
pub const MAX_RELAYED: usize = MAX_MESSAGE;

/// A stream that can't be read on: close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A frame says that it is longer than [`MAX_FRAME`].
    #[error("a frame of {0} bytes")]
    TooLong(usize),
    /// What comes next is neither STUN nor channel data.
    #[error("neither STUN nor channel data")]
    Foreign,
}

/// Takes messages out of a stream as its pieces come.
///
/// ```
/// # use offhook_nat::framing::{Framing, Splitter};
/// let mut splitter = Splitter::new(Framing::Rfc4571);
/// for piece in [&b"\0\x03a"[..], b"bc\0\x01"] {
///     splitter.feed(piece);
///     while let Some(message) = splitter.next_message()? {
///         assert_eq!(message, b"abc");
///     }
/// }
/// # Ok::<(), offhook_nat::framing::Broken>(())
/// ```
#[derive(Clone, Debug)]
pub struct Splitter {
    framing: Framing,
    buffer: Vec<u8>,
    /// Where in `buffer` the next message begins.
    at: usize,
    /// Bytes still to be passed over.
    skip: usize,
    skipped: u64,
    broken: Option<Broken>,
}

/// What stands at the front of a stream.
enum Front {
    /// Too little to say.
    Unknown,
    /// A message: where it begins, its end, and where the next one begins.
    Frame { from: usize, to: usize, next: usize },
    /// It can't be read.
    Broken(Broken),
}

impl Splitter {
    /// For a stream that begins now.
    pub const fn new(framing: Framing) -> Self {
        Self { framing, buffer: Vec::new(), at: 0, skip: 0, skipped: 0, broken: None }
    }

    /// Takes the next piece of the stream. Then take out all messages: at most one that is cut stays behind, so that what is
    /// kept is never more than a message and a piece.
    pub fn feed(&mut self, piece: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        if self.at == self.buffer.len() {
            self.buffer.clear();
        } else {
            self.buffer.drain(..self.at);
        }
        self.at = 0;
        let passed = self.skip.min(piece.len());
        self.skip -= passed;
        self.buffer.extend_from_slice(&piece[passed..]);
    }

    /// The next whole message; `None` until there is one. Channel data comes with its head and without padding, as a datagram
    /// would have it. Null packets (RFC 4571 section 2) are passed over.
    ///
    /// # Errors
    /// The stream can't be read on: this and every further call says so.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        loop {
            let waiting = &self.buffer[self.at..];
            match front(self.framing, waiting) {
                Front::Unknown => return Ok(None),
                Front::Broken(broken) => {
                    self.broken = Some(broken);
                    self.buffer = Vec::new();
                    self.at = 0;
                    return Err(broken);
                }
                Front::Frame { from, to, next } if to - from > longest(self.framing) => {
                    self.skipped += 1;
                    let here = next.min(waiting.len());
                    self.skip = next - here;
                    self.at += here;
                }
                Front::Frame { next, .. } if waiting.len() < next => return Ok(None),
                Front::Frame { from, to, next } if from == to => self.at += next,
                Front::Frame { from, to, next } => {
                    let start = self.at;
                    self.at += next;
                    return Ok(Some(&self.buffer[start + from..start + to]));
                }
            }
        }
    }

    /// The bytes that no message was made of yet, for whoever goes on with the stream in another way.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// How many messages were passed over for their length.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

const fn longest(framing: Framing) -> usize {
    match framing {
        Framing::Rfc4571 => MAX_FRAME,
        Framing::Turn => MAX_RELAYED,
    }
}

fn front(framing: Framing, waiting: &[u8]) -> Front {
    match (framing, waiting) {
        (Framing::Rfc4571, [high, low, ..]) => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length > MAX_FRAME {
                return Front::Broken(Broken::TooLong(length));
            }
            Front::Frame { from: 2, to: 2 + length, next: 2 + length }
        }
        (Framing::Turn, [0x40..=0x4f, _, high, low, ..]) => {
            let length = channel::HEAD + usize::from(u16::from_be_bytes([*high, *low]));
            Front::Frame { from: 0, to: length, next: length.next_multiple_of(4) }
        }
        // The cookie is asked for: without it, bytes in step with nothing would be read as messages of any length.
        (Framing::Turn, [0x00..=0x03, _, high, low, 0x21, 0x12, 0xa4, 0x42, ..]) => {
            let length = 20 + usize::from(u16::from_be_bytes([*high, *low]));
            if !length.is_multiple_of(4) {
                return Front::Broken(Broken::Foreign);
            }
            Front::Frame { from: 0, to: length, next: length }
        }
        (Framing::Turn, [0x00..=0x03 | 0x40..=0x4f, rest @ ..]) if rest.len() < 7 => Front::Unknown,
        (Framing::Turn, [_, ..]) => Front::Broken(Broken::Foreign),
        (Framing::Rfc4571 | Framing::Turn, _) => Front::Unknown,
    }
}

/// A message that no frame can hold: drop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too long for a stream's frame: {0} bytes")]
pub struct TooLong(pub usize);

/// Appends `message` to `out` as it lies on a stream.
///
/// # Errors
/// It is too long; nothing was appended.
pub fn write(framing: Framing, message: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
    match framing {
        Framing::Rfc4571 => {
            if message.len() > MAX_FRAME {
                return Err(TooLong(message.len()));
            }
            out.extend_from_slice(&(message.len() as u16).to_be_bytes());
            out.extend_from_slice(message);
        }
        Framing::Turn => {
            if message.len() > channel::HEAD + channel::MAX_PAYLOAD {
                return Err(TooLong(message.len()));
            }
            out.extend_from_slice(message);
            // STUN is a multiple of four already.
            out.resize(out.len() + message.len().next_multiple_of(4) - message.len(), 0);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{Method, TransactionId, Writer, attribute};

    fn stun() -> Vec<u8> {
        Writer::request(Method::Binding, TransactionId([9; 12]))
            .text(attribute::SOFTWARE, "x")
            .unsigned()
            .to_vec()
    }

    fn channel_data(payload: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        channel::write(0x4abc, payload, &mut data).unwrap();
        data
    }

    /// A stream of a kind, and the messages in it.
    fn stream(framing: Framing) -> (Vec<u8>, Vec<Vec<u8>>) {
        let messages = match framing {
            Framing::Rfc4571 => vec![stun(), vec![0x80; 33], vec![1], stun()],
            Framing::Turn => {
                vec![stun(), channel_data(b"hello"), channel_data(b""), channel_data(b"four"), stun()]
            }
        };
        let mut bytes = Vec::new();
        for message in &messages {
            write(framing, message, &mut bytes).unwrap();
            if framing == Framing::Rfc4571 {
                bytes.extend_from_slice(&[0, 0]); // a null packet
            }
        }
        (bytes, messages)
    }

    fn taken(splitter: &mut Splitter, pieces: &[&[u8]]) -> Result<Vec<Vec<u8>>, Broken> {
        let mut messages = Vec::new();
        for piece in pieces {
            splitter.feed(piece);
            while let Some(message) = splitter.next_message()? {
                messages.push(message.to_vec());
            }
        }
        Ok(messages)
    }

    #[test]
    fn messages_come_out_whole_wherever_the_stream_is_cut() {
        for framing in [Framing::Rfc4571, Framing::Turn] {
            let (bytes, messages) = stream(framing);
            for cut in 0..=bytes.len() {
                for second in cut..=bytes.len() {
                    let pieces = [&bytes[..cut], &bytes[cut..second], &bytes[second..]];
                    let mut splitter = Splitter::new(framing);
                    assert_eq!(
                        taken(&mut splitter, &pieces),
                        Ok(messages.clone()),
                        "{framing:?} {cut} {second}"
                    );
                    assert!(splitter.rest().is_empty());
                }
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(taken(&mut Splitter::new(framing), &single), Ok(messages));
        }
    }

    #[test]
    fn a_frame_that_is_too_long_ends_the_stream_for_good_and_keeps_nothing() {
        let mut splitter = Splitter::new(Framing::Rfc4571);
        let long = (MAX_FRAME as u16 + 1).to_be_bytes();
        let broken = Err(Broken::TooLong(MAX_FRAME + 1));
        assert_eq!(taken(&mut splitter, &[&long]), broken);
        assert_eq!(taken(&mut splitter, &[b"\0\x01a"]), broken);
        assert!(splitter.rest().is_empty());

        let (mut bytes, longest) = (Vec::new(), vec![7; MAX_FRAME]);
        write(Framing::Rfc4571, &longest, &mut bytes).unwrap();
        assert_eq!(taken(&mut Splitter::new(Framing::Rfc4571), &[&bytes]), Ok(vec![longest]));
        assert_eq!(write(Framing::Rfc4571, &[7; MAX_FRAME + 1], &mut bytes), Err(TooLong(MAX_FRAME + 1)));
    }

    #[test]
    fn data_too_long_from_a_relay_is_passed_over_and_the_stream_goes_on() {
        let mut bytes = stun();
        write(Framing::Turn, &channel_data(&vec![0x55; 60_001]), &mut bytes).unwrap();
        bytes.extend(stun());
        for size in [1, 7, 1000, 100_000] {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            let mut splitter = Splitter::new(Framing::Turn);
            assert_eq!(taken(&mut splitter, &pieces), Ok(vec![stun(), stun()]), "pieces of {size}");
            assert_eq!(splitter.skipped(), 1);
            assert!(splitter.buffer.capacity() <= 2 * (MAX_RELAYED + size));
        }
    }

    #[test]
    fn what_is_neither_stun_nor_channel_data_ends_a_relays_stream() {
        let mut no_cookie = stun();
        no_cookie[4] ^= 1;
        let mut odd = stun();
        odd[3] += 1;
        let foreign: [&[u8]; 5] = [b"POST / HTTP/1.1", b"\x50\0\0\0", &no_cookie, &odd, b"\x16\x03\x01"];
        for bytes in foreign {
            assert_eq!(
                taken(&mut Splitter::new(Framing::Turn), &[bytes]),
                Err(Broken::Foreign),
                "{bytes:x?}"
            );
        }
    }

    #[test]
    fn nothing_is_allocated_per_message_once_the_buffer_has_grown() {
        let (bytes, messages) = stream(Framing::Rfc4571);
        let mut splitter = Splitter::new(Framing::Rfc4571);
        let (mut count, mut capacity) = (0, 0);
        for round in 0..100 {
            for piece in bytes.chunks(50) {
                splitter.feed(piece);
                while splitter.next_message().unwrap().is_some() {
                    count += 1;
                }
            }
            if round == 0 {
                capacity = splitter.buffer.capacity();
            }
        }
        assert_eq!((count, splitter.buffer.capacity()), (100 * messages.len(), capacity));
    }
}
