//! Any bytes where STUN comes in, as a message of its own and on a stream; and where a WebSocket does.

use base::{Rng, Secret};
use nat::channel;
use nat::framing::{self, Broken, Framing, MAX_FRAME, MAX_RELAYED, Splitter};
use nat::stun::{
    Algorithm, Class, Key, MAX_ATTRIBUTES, MAX_MESSAGE, Message, TransactionId, Writer, attribute,
};
use sip::websocket::frame::{End, FrameError, Kind, Reader, Said, message, write};
use sip::websocket::{self, upgrade};

/// Reads a STUN message and asks it everything. Nobody without the key has signed it, and it lies on a relay's stream as it is.
///
/// # Panics
/// It breaks a promise.
pub fn stun(bytes: &[u8]) {
    if let Some((number, payload)) = channel::read(bytes) {
        let mut again = Vec::new();
        channel::write(number, payload, &mut again).expect("what was read is written");
        assert!(bytes.starts_with(&again));
    }
    let Ok(message) = Message::read(bytes) else { return };
    assert!(message.bytes() == bytes && bytes.len() <= MAX_MESSAGE);
    let _ = (message.class(), message.method(), message.mapped(), message.text(attribute::USERNAME));
    assert!(message.error().is_none_or(|code| (300..700).contains(&code)));
    let unknown = message.unknown_to(&[]);
    assert!(unknown.len() <= MAX_ATTRIBUTES);
    for named in [attribute::XOR_MAPPED_ADDRESS, attribute::XOR_PEER_ADDRESS, attribute::OTHER_ADDRESS] {
        let values = message.values(named).map(<[u8]>::len).sum::<usize>();
        assert!(values <= bytes.len() && message.has(named) == message.value(named).is_some());
        let _ = (message.hidden_address(named), message.plain_address(named), message.number(named));
    }
    let key = Key::long_term("u", "r", &Secret::new("nobody's".into()), Algorithm::Sha256);
    assert_eq!(message.written_by(&key), None, "an HMAC was guessed");
    if message.class() == Class::Request {
        let error = Writer::error(&message, 420, "Unknown Attribute").fingerprinted();
        let error = Message::read(&error).expect("what we write reads");
        assert_eq!((error.id(), error.method(), error.error()), (message.id(), message.method(), Some(420)));
    }
    let mut stream = Vec::new();
    framing::write(Framing::Turn, bytes, &mut stream).expect("what was read is short");
    let mut splitter = Splitter::new(Framing::Turn);
    splitter.feed(&stream);
    assert_eq!(splitter.next_message(), Ok(Some(bytes)));
    let _ = TransactionId::draw(&mut Rng::from_number(1));
}

/// Reads a stream, of either framing by the first byte, cut into pieces by the second: the same messages come out wherever it
/// is cut, each within its bound, and each lies on a stream again as it did.
///
/// # Panics
/// It breaks a promise.
pub fn stream_frames(bytes: &[u8]) {
    let [kind, cut, stream @ ..] = bytes else { return };
    let framing = if kind % 2 == 0 { Framing::Rfc4571 } else { Framing::Turn };
    let (whole, end) = split(framing, &[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*cut) + 1).collect();
    let (again, end_again) = split(framing, &pieces);
    assert_eq!((&again, end_again), (&whole, end));
    let mut written = Vec::new();
    for message in &whole {
        assert!(message.len() <= if framing == Framing::Turn { MAX_RELAYED } else { MAX_FRAME });
        framing::write(framing, message, &mut written).expect("what was read is written");
    }
    assert_eq!(split(framing, &[&written]), (whole, None));
}

fn split(framing: Framing, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Broken>) {
    let (mut splitter, mut messages) = (Splitter::new(framing), Vec::new());
    for piece in pieces {
        splitter.feed(piece);
        loop {
            match splitter.next_message() {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => break,
                Err(broken) => return (messages, Some(broken)),
            }
        }
        assert!(splitter.rest().len() <= MAX_FRAME + 2, "a message that is whole was not taken out");
    }
    (messages, None)
}

/// Reads a WebSocket, at the end that the first byte says, cut into pieces by the second; and both sides of an upgrade. Promises:
/// the same is said wherever it is cut, each message and what is kept has its bound, what broke stays broken, and what was
/// said reads as the same when it is written again.
///
/// # Panics
/// It breaks a promise.
pub fn web_frames(bytes: &[u8]) {
    let [kind, cut, stream @ ..] = bytes else { return };
    let end = if kind % 2 == 0 { End::Client } else { End::Server };
    let (whole, broke) = listen(end, &[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*cut) + 1).collect();
    assert_eq!(listen(end, &pieces), (whole.clone(), broke));
    let mask = (end == End::Server).then_some([*kind, *cut, 0x55, 0xaa]);
    let mut again = Vec::new();
    for said in &whole {
        again.extend(match said {
            Said::Message(bytes) => {
                assert!(bytes.len() <= websocket::MAX_MESSAGE);
                message(bytes, mask)
            }
            Said::Ping(payload) => write(Kind::Ping, payload, mask),
            Said::Pong => write(Kind::Pong, b"", mask),
            Said::Close(Some(status)) => write(Kind::Close, &status.to_be_bytes(), mask),
            Said::Close(None) => write(Kind::Close, b"", mask),
        });
    }
    assert_eq!(listen(end, &[&again]), (whole, None));
    if let Ok(Some(end)) = upgrade::head_end(stream) {
        let (asked, _) = upgrade::Asked::write("h", "/", [*kind; 16]);
        let _ = (asked.answered(&stream[..end]), upgrade::answer(&stream[..end]));
    }
}

fn listen(end: End, pieces: &[&[u8]]) -> (Vec<Said>, Option<FrameError>) {
    let (mut reader, mut said) = (Reader::new(end), Vec::new());
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(Some(one)) => said.push(one),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!((reader.next(), reader.kept()), (Err(error), 0));
                    return (said, Some(error));
                }
            }
        }
        assert!(reader.kept() <= 2 * websocket::MAX_MESSAGE + 14);
    }
    (said, None)
}
