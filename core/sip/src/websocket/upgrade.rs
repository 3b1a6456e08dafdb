//! The upgrade from HTTP: one request, one answer. RFC 6455 section 4, RFC 7118 section 4.1.
//!
//! The subprotocol is `sip` or there is no connection. Knows nothing of paths and origins: whoever asks for `sip` is heard.

use data_encoding::BASE64;
use sha1::{Digest as _, Sha1};

/// The longest head of a request or an answer; what is longer is given up.
pub const MAX_HEAD: usize = 8 * 1024;

/// Proves that the answer was made for the question. RFC 6455 section 1.3.
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const SUBPROTOCOL: &str = "sip";

/// Why there is no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no HTTP/1.1, or far too much of it.
    #[error("no HTTP")]
    NotHttp,
    /// HTTP, but not this: another method, a redirection, a missing page.
    #[error("no upgrade to WebSocket")]
    NoUpgrade,
    /// Another version of it than 13.
    #[error("another version of WebSocket")]
    Version,
    /// A WebSocket that does not speak SIP.
    #[error("a WebSocket without SIP")]
    NoSip,
    /// The answer was made for another question.
    #[error("an answer that does not fit")]
    Key,
}

/// What was asked for, until the answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    accept: String,
}

impl Asked {
    /// Writes the request to `host` (with its port, unless that is the usual one). `nonce` is drawn anew each time.
    pub fn write(host: &str, path: &str, nonce: [u8; 16]) -> (Self, Vec<u8>) {
        let key = BASE64.encode(&nonce);
        let slash = if path.starts_with('/') { "" } else { "/" };
        // Nothing of a setting can begin another line.
        let clean = |text: &str| text.replace(|c: char| c.is_ascii_control() || c == ' ', "");
        let request = format!(
            "GET {slash}{} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n",
            clean(path),
            clean(host)
        );
        (Self { accept: accept(&key) }, request.into_bytes())
    }

    /// Reads the answer's head, as [`head_end`] has cut it off. RFC 6455 section 4.1.
    ///
    /// # Errors
    /// - [`Refused`]: there is no connection; close it.
    pub fn answered(&self, head: &[u8]) -> Result<(), Refused> {
        let head = Head::read(head)?;
        let mut words = head.first.split(' ');
        if words.next() != Some("HTTP/1.1") {
            return Err(Refused::NotHttp);
        }
        if words.next() != Some("101") || !head.upgrades() {
            return Err(Refused::NoUpgrade);
        }
        if head.value("sec-websocket-accept") != Some(&self.accept) {
            return Err(Refused::Key);
        }
        // What was not asked for must not be there.
        if head.value("sec-websocket-extensions").is_some_and(|it| !it.is_empty()) {
            return Err(Refused::NoUpgrade);
        }
        let is_sip =
            head.value("sec-websocket-protocol").is_some_and(|it| it.eq_ignore_ascii_case(SUBPROTOCOL));
        if is_sip { Ok(()) } else { Err(Refused::NoSip) }
    }
}

/// Answers a request's head, as [`head_end`] has cut it off. RFC 6455 section 4.2.2.
///
/// # Errors
/// - [`Refused`], and the answer that says so: send it and close the connection.
pub fn answer(head: &[u8]) -> Result<Vec<u8>, (Refused, &'static [u8])> {
    let bad = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".as_slice();
    let head = Head::read(head).map_err(|why| (why, bad))?;
    let mut words = head.first.split(' ');
    let (method, version) = (words.next(), words.nth(1));
    if version != Some("HTTP/1.1") {
        return Err((Refused::NotHttp, bad));
    }
    if method != Some("GET") || !head.upgrades() {
        let answer = b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
            Content-Length: 0\r\n\r\n";
        return Err((Refused::NoUpgrade, answer));
    }
    if head.value("sec-websocket-version") != Some("13") {
        let answer = b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\n\
            Content-Length: 0\r\n\r\n";
        return Err((Refused::Version, answer));
    }
    // Sixteen bytes of it: 22 digits and two that fill up.
    let key = head.value("sec-websocket-key").filter(|key| key.len() == 24 && key.ends_with("=="));
    let key = key.ok_or((Refused::Key, bad))?;
    if !head.has("sec-websocket-protocol", SUBPROTOCOL) {
        return Err((Refused::NoSip, bad));
    }
    let accept = accept(key);
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    )
    .into_bytes())
}

/// Where a head ends, once it is whole: frames begin there.
///
/// # Errors
/// - [`Refused::NotHttp`]: it is longer than any should be.
pub fn head_end(bytes: &[u8]) -> Result<Option<usize>, Refused> {
    let end = bytes.windows(4).take(MAX_HEAD).position(|it| it == b"\r\n\r\n").map(|at| at + 4);
    if end.is_none() && bytes.len() > MAX_HEAD { Err(Refused::NotHttp) } else { Ok(end) }
}

/// Lines of HTTP.
struct Head<'a> {
    first: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Head<'a> {
    fn read(head: &'a [u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(head).map_err(|_| Refused::NotHttp)?;
        let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
        let first = lines.next().ok_or(Refused::NotHttp)?;
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(':').ok_or(Refused::NotHttp)?;
            Ok((name, value.trim_matches([' ', '\t'])))
        });
        Ok(Self { first, fields: fields.collect::<Result<_, _>>()? })
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The only one of that name.
    fn value(&self, name: &str) -> Option<&'a str> {
        let mut those = self.values(name);
        those.next().filter(|_| those.next().is_none())
    }

    /// Whether a list has that word.
    fn has(&self, name: &str, word: &str) -> bool {
        self.values(name).flat_map(|list| list.split(',')).any(|it| it.trim().eq_ignore_ascii_case(word))
    }

    fn upgrades(&self) -> bool {
        self.has("upgrade", "websocket") && self.has("connection", "upgrade")
    }
}

fn accept(key: &str) -> String {
    BASE64.encode(&Sha1::new().chain_update(key).chain_update(MAGIC).finalize())
}
