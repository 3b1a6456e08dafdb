//! URIs: sip, sips and tel. RFC 3261 sections 19.1 and 25.1, RFC 3966, RFC 5954.
//!
//! A view over text that was checked once. Escapes are kept as written and undone only on request, once, never again.
//! What the house does not know (any other scheme) is kept whole and named [`Scheme::Other`].

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use base::Transport;

use super::lex::{self, Params};

/// The kinds of URI that this house tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// RFC 3261.
    Sip,
    /// RFC 3261, every hop under TLS.
    Sips,
    /// A telephone number, RFC 3966.
    Tel,
    /// Anything else: only the text is known.
    Other,
}

/// The host part of a URI or of a Via's sent-by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host<'a> {
    /// A name to be looked up; empty in tel and unknown URIs.
    Name(&'a str),
    /// Four numbers.
    V4(Ipv4Addr),
    /// In brackets in text.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a host: a name, four numbers, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// It is none of these.
    pub fn read(text: &'a str) -> Result<Self, UriError> {
        let name = !text.starts_with('[');
        if name && find(text.as_bytes(), 0, NO_HOST) < text.len() {
            return Err(UriError::Host);
        }
        Self::of_checked(text)
    }

    /// [`Host::read`] for text that is in brackets or holds only what a name may hold.
    #[inline]
    fn of_checked(text: &'a str) -> Result<Self, UriError> {
        match text.as_bytes() {
            [] => Err(UriError::Host),
            [b'[', ..] => {
                let inner = text[1..].strip_suffix(']').ok_or(UriError::Host)?;
                inner.parse().map(Self::V6).map_err(|_| UriError::Host)
            }
            [b'0'..=b'9', ..] => Ok(text.parse().map_or(Self::Name(text), Self::V4)),
            _ => Ok(Self::Name(text)),
        }
    }

    /// The address, when it is one.
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(ip) => Some(IpAddr::V4(ip)),
            Self::V6(ip) => Some(IpAddr::V6(ip)),
        }
    }

    /// Names compare without case, addresses by value (RFC 5954 section 4.2).
    pub fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        }
    }
}

impl From<IpAddr> for Host<'_> {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip),
        }
    }
}

/// As in a URI: IPv6 in brackets.
impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(ip) => ip.fmt(f),
            Self::V6(ip) => write!(f, "[{ip}]"),
        }
    }
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a URI that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No scheme before a colon.
    #[error("no scheme")]
    Scheme,
    /// A space, a control character, or an angle bracket or quote: never within a URI.
    #[error("a character that no URI holds")]
    Character,
    /// The host is missing or not a host.
    #[error("no usable host")]
    Host,
    /// The port is not a number up to 65,535.
    #[error("no usable port")]
    Port,
    /// A tel URI without a digit to dial.
    #[error("no number to dial")]
    Number,
}

/// A URI, read. Cheap to copy; borrows the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UriRef<'a> {
    /// What kind.
    pub scheme: Scheme,
    /// The user part as written, escapes kept; the number of a tel URI; `None` when absent.
    pub user: Option<&'a str>,
    /// After the user's colon. Deprecated by RFC 3261 itself; kept for comparing.
    pub password: Option<&'a str>,
    /// An empty name when the scheme has no host.
    pub host: Host<'a>,
    /// Only when written.
    pub port: Option<u16>,
    /// From the first semicolon behind the host.
    pub params: Params<'a>,
    /// Behind the question mark, as written.
    pub headers: Option<&'a str>,
    text: &'a str,
}

impl<'a> UriRef<'a> {
    /// Reads a URI that fills `text`.
    ///
    /// # Errors
    /// See [`UriError`]; an unknown scheme is not an error.
    pub fn read(text: &'a [u8]) -> Result<Self, UriError> {
        let text = str::from_utf8(text).map_err(|_| UriError::Character)?;
        if let Some(scheme) = text.as_bytes().first_chunk::<4>()
            && scheme.eq_ignore_ascii_case(b"sip:")
        {
            return Self::read_sip(Scheme::Sip, text, 4);
        }
        let bytes = text.as_bytes();
        if find(bytes, 0, BAD) < bytes.len() {
            return Err(UriError::Character);
        }
        let colon = memchr::memchr(b':', bytes).ok_or(UriError::Scheme)?;
        let scheme = &text[..colon];
        if scheme.eq_ignore_ascii_case("sips") {
            return Self::read_sip(Scheme::Sips, text, colon + 1);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            return Self::read_tel(text, &text[colon + 1..]);
        }
        let mut letters = scheme.bytes();
        let sound = letters.next().is_some_and(|b| b.is_ascii_alphabetic())
            && letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if sound { Ok(Self { scheme: Scheme::Other, ..Self::bare(text) }) } else { Err(UriError::Scheme) }
    }

    const fn bare(text: &'a str) -> Self {
        Self {
            scheme: Scheme::Other,
            user: None,
            password: None,
            host: Host::Name(""),
            port: None,
            params: Params::of_uri(""),
            headers: None,
            text,
        }
    }

    /// `start` is behind the scheme's colon. Each byte is looked at once.
    #[inline]
    fn read_sip(scheme: Scheme, text: &'a str, start: usize) -> Result<Self, UriError> {
        let bytes = text.as_bytes();
        let (mut user, mut password, mut host_start) = (None, None, start);
        // The user part may hold `;`, `?`, `:` and `/`, but never a bare `@`: the first one ends it.
        let mut stop = find(bytes, start, BAD | COLON | AT);
        let colon = stop;
        if bytes.get(stop) == Some(&b':') {
            stop = find(bytes, stop, BAD | AT);
        }
        match bytes.get(stop) {
            Some(b'@') => {
                host_start = stop + 1;
                user = Some(&text[start..colon]);
                password = (colon < stop).then(|| &text[colon + 1..stop]);
            }
            Some(_) => return Err(UriError::Character),
            None => {}
        }
        let (host, port, params_start) = read_hostport(text, host_start)?;
        let question = find(bytes, params_start, BAD | QUESTION);
        let headers = match bytes.get(question) {
            None => None,
            Some(b'?') if find(bytes, question, BAD) == bytes.len() => Some(&text[question + 1..]),
            Some(_) => return Err(UriError::Character),
        };
        let params = Params::of_uri(&text[params_start..question]);
        if !params.is_empty() && !params.as_str().starts_with(';') {
            return Err(UriError::Host);
        }
        Ok(Self { scheme, user, password, host, port, params, headers, text })
    }

    fn read_tel(text: &'a str, rest: &'a str) -> Result<Self, UriError> {
        let (number, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        let digits = number.strip_prefix('+').unwrap_or(number);
        let dialable = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
        if !digits.bytes().all(dialable)
            || !digits.bytes().any(|b| b.is_ascii_hexdigit() || b == b'*' || b == b'#')
        {
            return Err(UriError::Number);
        }
        let params = Params::of_uri(params);
        Ok(Self { scheme: Scheme::Tel, user: Some(number), params, ..Self::bare(text) })
    }

    /// The text it was read from.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The user part with its escapes undone (once); bytes that are no UTF-8 become U+FFFD. Empty when absent.
    pub fn user_decoded(&self) -> Cow<'a, str> {
        unescape(self.user.unwrap_or(""))
    }

    /// The `transport` parameter, when it is there and known.
    pub fn transport(&self) -> Option<Transport> {
        Transport::from_word(self.params.value("transport")?.as_bytes())
    }

    /// Whether the `lr` parameter is there: a loose router, RFC 3261 section 16.12.
    pub fn is_loose(&self) -> bool {
        self.params.has("lr")
    }

    /// A parameter's value as written.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.value(name)
    }

    /// The headers behind the question mark: name and value, escapes undone.
    pub fn header_fields(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        self.headers.unwrap_or("").split('&').filter(|h| !h.is_empty()).map(|h| {
            let (name, value) = h.split_once('=').unwrap_or((h, ""));
            (unescape(name), unescape(value))
        })
    }

    /// Whether both name the same resource: RFC 3261 section 19.1.4 for sip and sips, RFC 3966 section 4 for tel.
    /// Other schemes compare by text, case aside in the scheme.
    pub fn equals(&self, other: &UriRef<'_>) -> bool {
        if self.scheme != other.scheme {
            return false;
        }
        match self.scheme {
            Scheme::Sip | Scheme::Sips => {
                same_part(self.user, other.user, false)
                    && same_part(self.password, other.password, false)
                    && self.host.equals(other.host)
                    && self.port == other.port
                    && same_params(self.params, other.params)
                    && same_params(other.params, self.params)
                    && same_headers(self, other)
                    && same_headers(other, self)
            }
            Scheme::Tel => {
                same_number(self.user.unwrap_or(""), other.user.unwrap_or(""))
                    && same_tel_params(self.params, other.params)
                    && same_tel_params(other.params, self.params)
            }
            Scheme::Other => match (self.text.split_once(':'), other.text.split_once(':')) {
                (Some((a, x)), Some((b, y))) => a.eq_ignore_ascii_case(b) && x == y,
                _ => false,
            },
        }
    }

    /// Keeps the text.
    pub fn to_uri(&self) -> Uri {
        Uri(self.text.into())
    }
}

impl fmt::Display for UriRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text)
    }
}

/// Says only what a log may know.
impl fmt::Debug for UriRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:[redacted]", self.scheme)
    }
}

/// Never in a URI: spaces, controls, angle brackets, quotes.
const BAD: u8 = 1;
const COLON: u8 = 2;
const AT: u8 = 4;
const QUESTION: u8 = 8;
/// Not in a host name. The grammar has no underscore there; the world's DNS has.
const NO_HOST: u8 = 16;

/// What a byte means to a sip URI. Whatever the world leaves unescaped (`#`, `|`, letters beyond ASCII) may stand in one.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        if byte <= b' ' || matches!(byte, 0x7f | b'<' | b'>' | b'"') {
            table[b] |= BAD;
        }
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')) {
            table[b] |= NO_HOST;
        }
        b += 1;
    }
    table[b':' as usize] |= COLON;
    table[b'@' as usize] |= AT;
    table[b'?' as usize] |= QUESTION;
    table
};

/// The first byte of these classes from `from` on; the end when there is none.
#[inline]
fn find(bytes: &[u8], from: usize, classes: u8) -> usize {
    let rest = bytes.get(from..).unwrap_or(&[]);
    from + rest.iter().position(|&b| CLASS[b as usize] & classes != 0).unwrap_or(rest.len())
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port` from `start` on, and tells where it ends.
pub(crate) fn read_hostport(text: &str, start: usize) -> Result<(Host<'_>, Option<u16>, usize), UriError> {
    let bytes = text.as_bytes();
    let mut at = if bytes.get(start) == Some(&b'[') {
        let rest = &bytes[start..];
        start + memchr::memchr(b']', rest).ok_or(UriError::Host)? + 1
    } else {
        find(bytes, start, NO_HOST)
    };
    let host = Host::of_checked(&text[start..at])?;
    let mut port = None;
    if bytes.get(at) == Some(&b':') {
        let digits = &bytes[at + 1..];
        let end = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
        let number = lex::number(&digits[..end]).map_err(|_| UriError::Port)?;
        port = Some(u16::try_from(number).map_err(|_| UriError::Port)?);
        at += 1 + end;
    }
    Ok((host, port, at))
}

/// Undoes `%` HEX HEX, once. What is no escape stays; bytes that are no UTF-8 become U+FFFD.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes: Vec<u8> = units(text).map(|unit| unit.byte).collect();
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(broken) => Cow::Owned(String::from_utf8_lossy(broken.as_bytes()).into_owned()),
    }
}

/// Escapes `text` for a user part: what the grammar's `user` holds stays, all else becomes `%` HEX HEX.
pub fn escape_user(text: &str) -> String {
    escape(text, |b| matches!(b, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/'))
}

/// Escapes `text` for a parameter's value or a URI header's value.
pub fn escape_value(text: &str) -> String {
    escape(text, |b| matches!(b, b'[' | b']' | b'/' | b':' | b'+' | b'$'))
}

fn escape(text: &str, also: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        let mark = matches!(b, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')');
        if b.is_ascii_alphanumeric() || mark || also(b) {
            out.push(b as char);
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.extend(['%', HEX[(b >> 4) as usize] as char, HEX[(b & 15) as usize] as char]);
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Unit {
    byte: u8,
    /// An escape of a reserved character: not the same as that character written out.
    reserved_escape: bool,
}

fn units(text: &str) -> impl Iterator<Item = Unit> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let &b = bytes.get(at)?;
        let hex = |i: usize| bytes.get(i).and_then(|&b| (b as char).to_digit(16));
        if b == b'%'
            && let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2))
        {
            at += 3;
            let byte = (high * 16 + low) as u8;
            // RFC 2396 section 2.2. A percent sign likewise: `%2541` is not `%41`.
            let reserved_escape = b";/?:@&=+$,%".contains(&byte);
            return Some(Unit { byte, reserved_escape });
        }
        at += 1;
        Some(Unit { byte: b, reserved_escape: false })
    })
}

fn same_text(a: &str, b: &str, ignore_case: bool) -> bool {
    let fold = |u: Unit| Unit { byte: if ignore_case { u.byte.to_ascii_lowercase() } else { u.byte }, ..u };
    units(a).map(fold).eq(units(b).map(fold))
}

fn same_part(a: Option<&str>, b: Option<&str>, ignore_case: bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_text(a, b, ignore_case),
        (None, None) => true,
        _ => false,
    }
}

fn same_params(a: Params<'_>, b: Params<'_>) -> bool {
    // In one only: these never match, for they have defaults; the rest is overlooked.
    const MATTERS: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
    a.iter().all(|p| {
        let mut rivals = b.iter().filter(|q| same_text(p.name, q.name, true)).peekable();
        if rivals.peek().is_none() {
            return !MATTERS.iter().any(|name| same_text(p.name, name, true));
        }
        // One there twice is against the grammar, but a URI with it must still equal itself.
        rivals.any(|q| same_part(p.value, q.value, true))
    })
}

fn same_headers(a: &UriRef<'_>, b: &UriRef<'_>) -> bool {
    a.header_fields()
        .all(|(name, value)| b.header_fields().any(|(n, v)| name.eq_ignore_ascii_case(&n) && value == v))
}

fn same_number(a: &str, b: &str) -> bool {
    let digits = |text: &'_ str| -> Vec<u8> {
        text.bytes()
            .filter(|b| !matches!(b, b'-' | b'.' | b'(' | b')'))
            .map(|b| b.to_ascii_lowercase())
            .collect()
    };
    digits(a) == digits(b)
}

fn same_tel_params(a: Params<'_>, b: Params<'_>) -> bool {
    a.iter().all(|p| {
        b.iter().any(|q| {
            p.name.eq_ignore_ascii_case(q.name)
                && match (p.value, q.value) {
                    (Some(x), Some(y)) if x.starts_with('+') || p.name.eq_ignore_ascii_case("ext") => {
                        same_number(x, y)
                    }
                    (x, y) => same_part(x, y, true),
                }
        })
    })
}

/// A URI's text that is known to be one. Equal when the text is; ask [`UriRef::equals`] for the resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(Box<str>);

impl Uri {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts.
    pub fn view(&self) -> UriRef<'_> {
        UriRef::read(self.0.as_bytes()).expect("an Uri is made only from text that read as one")
    }
}

impl FromStr for Uri {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Self, UriError> {
        UriRef::read(text.as_bytes()).map(|uri| uri.to_uri())
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.view(), f)
    }
}

#[cfg(test)]
#[path = "uri_tests.rs"]
mod tests;
