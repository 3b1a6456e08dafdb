//! WebSocket over a connection, under TLS or not: the upgrade as far as it goes, then messages in and frames out.
//!
//! RFC 7118, RFC 6455; the bytes are `sip::websocket`'s. An empty line and its answer (RFC 5626 section 3.5.1) go as ping and
//! pong, which proxies on the way know. Never waits, and knows neither sockets nor how long an upgrade may take.

use std::fmt;

use base::Rng;
use bytes::Bytes;
use sip::websocket::frame::{self, End, FrameError, Kind, Reader, Said};
use sip::websocket::upgrade::{self, Asked, MAX_HEAD};

/// The ping of RFC 5626.
const PING: &[u8] = b"\r\n\r\n";

/// The other side has said goodbye, or nothing that we understand. RFC 6455 section 7.4.1.
const NORMAL: u16 = 1000;

/// An upgrade that is under way.
pub(crate) struct Upgrade {
    /// What we have asked for, and of what masks will be made; `None`: we are asked.
    asked: Option<(Asked, Rng)>,
    came: Vec<u8>,
    says: Vec<u8>,
    /// How it ended; told once `says` is on its way.
    ended: Option<Result<(), ()>>,
}

impl Upgrade {
    /// One that we ask for.
    pub(crate) fn ask(host: &str, path: &str, mut rng: Rng) -> Self {
        let mut nonce = [0; 16];
        rng.fill(&mut nonce);
        let (asked, says) = Asked::write(host, path, nonce);
        Self { asked: Some((asked, rng)), came: Vec::new(), says, ended: None }
    }

    /// One that somebody asks us for.
    pub(crate) fn hear() -> Self {
        Self { asked: None, came: Vec::new(), says: Vec::new(), ended: None }
    }

    /// What is still to be written.
    pub(crate) fn says(&self) -> &[u8] {
        &self.says
    }

    /// So much of it was.
    pub(crate) fn said(&mut self, len: usize) {
        self.says.drain(..len);
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<Result<(), ()>> {
        self.ended.filter(|_| self.says.is_empty())
    }

    /// Takes what came.
    pub(crate) fn came(&mut self, bytes: &[u8]) {
        if self.ended.is_some() {
            return;
        }
        // What was looked at before has no end, but perhaps three bytes of one.
        let seen = self.came.len().saturating_sub(3);
        self.came.extend_from_slice(bytes);
        let end = match upgrade::head_end(&self.came[seen..]) {
            Ok(None) if self.came.len() <= MAX_HEAD => return,
            Ok(Some(end)) => seen + end,
            Ok(None) | Err(_) => {
                self.ended = Some(Err(()));
                return;
            }
        };
        let rest = self.came.split_off(end);
        let head = std::mem::replace(&mut self.came, rest);
        self.ended = Some(match &self.asked {
            Some((asked, _)) => asked.answered(&head).map_err(|_| ()),
            None => match upgrade::answer(&head) {
                Ok(answer) => {
                    self.says = answer;
                    Ok(())
                }
                Err((_, answer)) => {
                    self.says = answer.to_vec();
                    Err(())
                }
            },
        });
    }

    /// The connection that it has become.
    pub(crate) fn into_web(self) -> Web {
        let end = if self.asked.is_some() { End::Client } else { End::Server };
        let mut reader = Reader::new(end);
        reader.push(&self.came);
        Web { reader, rng: self.asked.map(|(_, rng)| rng), closed: false }
    }
}

/// What there is to do.
pub(crate) enum Heard {
    /// A message came.
    Message(Bytes),
    /// This is to be sent.
    Answer(Bytes),
    /// This is to be sent, and then the connection is over.
    Over(Bytes),
    /// Nothing is, until more comes.
    Nothing,
}

/// A connection that speaks it.
pub(crate) struct Web {
    reader: Reader,
    /// Of what masks are made: a client's. RFC 6455 section 5.3.
    rng: Option<Rng>,
    /// We have said goodbye.
    closed: bool,
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Web({} bytes kept)", self.reader.kept())
    }
}

impl Web {
    /// Takes what came; [`Web::hear`] says what it was.
    pub(crate) fn came(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }

    /// The next thing that was said.
    pub(crate) fn hear(&mut self) -> Heard {
        loop {
            match self.reader.next() {
                Ok(None) => return Heard::Nothing,
                Ok(Some(Said::Message(message))) if message.is_empty() => {}
                Ok(Some(Said::Message(message))) => return Heard::Message(message),
                Ok(Some(Said::Ping(payload))) => return Heard::Answer(self.frame(Kind::Pong, &payload)),
                Ok(Some(Said::Pong)) => {}
                Ok(Some(Said::Close(status))) => return Heard::Over(self.goodbye(status.unwrap_or(NORMAL))),
                Err(error) => return Heard::Over(self.goodbye(FrameError::status(error))),
            }
        }
    }

    /// A message as it goes on the wire.
    pub(crate) fn message(&mut self, message: &[u8]) -> Bytes {
        if message == PING {
            return self.frame(Kind::Ping, b"");
        }
        let mask = self.mask();
        frame::message(message, mask).into()
    }

    /// A close; nothing the second time.
    pub(crate) fn close(&mut self) -> Bytes {
        self.goodbye(NORMAL)
    }

    fn goodbye(&mut self, status: u16) -> Bytes {
        if std::mem::replace(&mut self.closed, true) {
            return Bytes::new();
        }
        self.frame(Kind::Close, &status.to_be_bytes())
    }

    fn frame(&mut self, kind: Kind, payload: &[u8]) -> Bytes {
        let mask = self.mask();
        frame::write(kind, payload, mask).into()
    }

    fn mask(&mut self) -> Option<[u8; 4]> {
        let mut mask = [0; 4];
        self.rng.as_mut()?.fill(&mut mask);
        Some(mask)
    }
}
