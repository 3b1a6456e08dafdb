//! Frames: messages and their pieces, pings, pongs, the close. RFC 6455 section 5.
//!
//! A connection whose frames break a rule says which once and for all: send the close and end it. Holds less than one
//! message and one frame between calls, however the peer cuts its bytes.
//!
//! ```text
//!             text, binary (no FIN)             continuation (FIN)
//!    Between ----------------------> Within ------------------------> Between, and a message
//!       '-- text, binary (FIN): a message      ping, pong, close may come in either
//! ```

use bytes::{Buf as _, Bytes, BytesMut};

use super::MAX_MESSAGE;

/// The payload of a ping, a pong or a close. RFC 6455 section 5.5.
const MAX_CONTROL: usize = 125;

/// The longest head: two bytes, eight of length, four of mask.
const MAX_HEAD: usize = 14;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
/// Lengths that say how many bytes of length follow: two, and eight.
const LONG: u8 = 0x7e;
const LONGER: u8 = 0x7f;

/// What a frame is. RFC 6455 section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The next piece of a message.
    Continuation,
    /// A message, in UTF-8.
    Text,
    /// A message of any bytes.
    Binary,
    /// The end of the conversation.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

impl Kind {
    const ALL: [(u8, Self); 6] = [
        (0, Self::Continuation),
        (1, Self::Text),
        (2, Self::Binary),
        (8, Self::Close),
        (9, Self::Ping),
        (10, Self::Pong),
    ];

    fn read(opcode: u8) -> Option<Self> {
        Self::ALL.iter().find(|(code, _)| *code == opcode).map(|(_, kind)| *kind)
    }

    fn opcode(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    const fn is_control(self) -> bool {
        match self {
            Self::Continuation | Self::Text | Self::Binary => false,
            Self::Close | Self::Ping | Self::Pong => true,
        }
    }
}

/// Which end we are: clients mask what they send, servers never. RFC 6455 section 5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// We connected.
    Client,
    /// We were connected to.
    Server,
}

/// What came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A message of at most [`MAX_MESSAGE`] bytes, put together of its pieces.
    Message(Bytes),
    /// Answer with a pong of the same bytes.
    Ping(Bytes),
    /// Somebody is there.
    Pong,
    /// They say no more: answer with a close and end the connection. The status, if they gave one.
    Close(Option<u16>),
}

/// Which rule was broken. Tell it by [`FrameError::status`] in a close, and end the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A bit of an extension that was not agreed on.
    #[error("a reserved bit")]
    Reserved,
    /// An opcode that means nothing.
    #[error("an unknown opcode")]
    Opcode,
    /// A client that does not mask, or a server that does.
    #[error("the wrong side masks")]
    Mask,
    /// A length in more bytes than it needs.
    #[error("a length that is not written in its shortest form")]
    Length,
    /// A control frame that is long or in pieces.
    #[error("a control frame that is long or in pieces")]
    Control,
    /// A piece of nothing, or a message within a message.
    #[error("a piece where none may be")]
    Piece,
    /// Text that is no UTF-8.
    #[error("text that is no UTF-8")]
    Text,
    /// More than a message may have.
    #[error("a message longer than 65,535 bytes")]
    TooLong,
}

impl FrameError {
    /// The status that tells it. RFC 6455 section 7.4.1.
    pub const fn status(self) -> u16 {
        match self {
            Self::Reserved | Self::Opcode | Self::Mask | Self::Length | Self::Control | Self::Piece => 1002,
            Self::Text => 1007,
            Self::TooLong => 1009,
        }
    }
}

/// The reader of one connection.
#[derive(Debug)]
pub struct Reader {
    end: End,
    buffer: BytesMut,
    /// A message whose last piece has not come.
    within: Option<(Kind, BytesMut)>,
    broken: Option<FrameError>,
}

struct Head {
    fin: bool,
    kind: Kind,
    mask: Option<[u8; 4]>,
    /// Bytes of the head, and after it.
    len: usize,
    payload: usize,
}

impl Reader {
    /// One that has heard nothing yet.
    pub fn new(end: End) -> Self {
        Self { end, buffer: BytesMut::new(), within: None, broken: None }
    }

    /// Takes bytes as they come. Then call [`Reader::next`] until it has no more.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Bytes kept: of a frame or a message that is not whole.
    pub fn kept(&self) -> usize {
        self.buffer.len() + self.within.as_ref().map_or(0, |(_, message)| message.len())
    }

    /// The next whole thing, or `None` until more bytes come.
    ///
    /// # Errors
    /// - [`FrameError`]: the connection is lost; every later call says the same.
    #[allow(clippy::should_implement_trait)] // an iterator that ends is done; this one goes on after the next push
    pub fn next(&mut self) -> Result<Option<Said>, FrameError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.frames().inspect_err(|error| {
            self.broken = Some(*error);
            (self.buffer, self.within) = (BytesMut::new(), None);
        })
    }

    fn frames(&mut self) -> Result<Option<Said>, FrameError> {
        loop {
            let Some(head) = self.head()? else { return Ok(None) };
            if self.buffer.len() < head.len + head.payload {
                return Ok(None);
            }
            self.buffer.advance(head.len);
            let mut payload = self.buffer.split_to(head.payload);
            if let Some(mask) = head.mask {
                unmask(&mut payload, mask);
            }
            let kind = match (head.kind, self.within.take()) {
                (Kind::Ping, within) => {
                    self.within = within;
                    return Ok(Some(Said::Ping(payload.freeze())));
                }
                (Kind::Pong, within) => {
                    self.within = within;
                    return Ok(Some(Said::Pong));
                }
                (Kind::Close, _) => {
                    let status = payload.first_chunk().map(|status| u16::from_be_bytes(*status));
                    return Ok(Some(Said::Close(status)));
                }
                (Kind::Continuation, Some((kind, mut message))) => {
                    message.extend_from_slice(&payload);
                    payload = message;
                    kind
                }
                (kind, _) => kind,
            };
            if !head.fin {
                self.within = Some((kind, payload));
                continue;
            }
            if kind == Kind::Text && std::str::from_utf8(&payload).is_err() {
                return Err(FrameError::Text);
            }
            return Ok(Some(Said::Message(payload.freeze())));
        }
    }

    /// The head in front, once it is whole: judged before its payload has come.
    fn head(&self) -> Result<Option<Head>, FrameError> {
        let [first, second, rest @ ..] = &self.buffer[..] else { return Ok(None) };
        let (fin, masked) = (first & FIN != 0, second & MASKED != 0);
        if first & RESERVED != 0 {
            return Err(FrameError::Reserved);
        }
        let kind = Kind::read(first & 0x0f).ok_or(FrameError::Opcode)?;
        if masked != (self.end == End::Server) {
            return Err(FrameError::Mask);
        }
        let short = second & !MASKED;
        if kind.is_control() && (!fin || usize::from(short) > MAX_CONTROL) {
            return Err(FrameError::Control);
        }
        match (kind, &self.within) {
            (Kind::Continuation, None) | (Kind::Text | Kind::Binary, Some(_)) => {
                return Err(FrameError::Piece);
            }
            _ => {}
        }
        let (payload, rest) = match short {
            LONG => {
                let Some((long, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
                let long = usize::from(u16::from_be_bytes(*long));
                if long < 126 {
                    return Err(FrameError::Length);
                }
                (long, rest)
            }
            // No message is as long as this form is for.
            LONGER => {
                let Some((long, _)) = rest.split_first_chunk::<8>() else { return Ok(None) };
                let is_short = u16::try_from(u64::from_be_bytes(*long)).is_ok();
                return Err(if is_short { FrameError::Length } else { FrameError::TooLong });
            }
            short => (usize::from(short), rest),
        };
        let before = self.within.as_ref().map_or(0, |(_, message)| message.len());
        if !kind.is_control() && before + payload > MAX_MESSAGE {
            return Err(FrameError::TooLong);
        }
        let (mask, rest) = match (masked, rest.split_first_chunk::<4>()) {
            (false, _) => (None, rest),
            (true, Some((mask, rest))) => (Some(*mask), rest),
            (true, None) => return Ok(None),
        };
        Ok(Some(Head { fin, kind, mask, len: self.buffer.len() - rest.len(), payload }))
    }
}

/// Writes a frame that is whole. A client gives a mask that nobody can foresee (RFC 6455 section 10.3), a server none.
pub fn write(kind: Kind, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(MAX_HEAD + payload.len());
    out.push(FIN | kind.opcode());
    let masked = if mask.is_some() { MASKED } else { 0 };
    match (payload.len(), u16::try_from(payload.len())) {
        (short @ 0..=125, _) => out.push(masked | short as u8),
        (_, Ok(long)) => {
            out.push(masked | LONG);
            out.extend_from_slice(&long.to_be_bytes());
        }
        (longer, Err(_)) => {
            out.push(masked | LONGER);
            out.extend_from_slice(&(longer as u64).to_be_bytes());
        }
    }
    let Some(mask) = mask else {
        out.extend_from_slice(payload);
        return out;
    };
    out.extend_from_slice(&mask);
    let at = out.len();
    out.extend_from_slice(payload);
    unmask(&mut out[at..], mask);
    out
}

/// A message as a frame: as text where it is some. RFC 7118 section 4.2.
pub fn message(bytes: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let kind = if std::str::from_utf8(bytes).is_ok() { Kind::Text } else { Kind::Binary };
    write(kind, bytes, mask)
}

/// Masks, or the reverse: it is the same. RFC 6455 section 5.3.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    bytes.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
}
