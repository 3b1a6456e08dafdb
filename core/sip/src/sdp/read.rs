//! The SDP reader. RFC 8866 section 5 and 9.
//!
//! Takes LF for CRLF, blank lines, lines out of order, missing `v=`, `s=` and `t=`. What is not `letter=` is passed over and
//! counted. Bytes that are no UTF-8 stay readable as bytes and are no attribute of ours.

use std::net::IpAddr;

use super::Direction;

/// The most lines read.
const MAX_LINES: usize = 1024;

/// The most media descriptions read.
const MAX_MEDIA: usize = 64;

/// Why a body is not a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Neither `v=` nor `m=` in it: this is something else.
    #[error("no session description")]
    NotSdp,
    /// More than 1,024 lines.
    #[error("more than 1,024 lines")]
    TooManyLines,
    /// More than 64 media descriptions.
    #[error("more than 64 media descriptions")]
    TooManyMedia,
    /// An `m=` line without media, port, protocol and format: it cannot be answered, not even with port 0.
    #[error("malformed m= line")]
    BadMedia,
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The letter.
    pub kind: u8,
    /// What stands behind the equals sign.
    pub value: &'a [u8],
}

impl<'a> Line<'a> {
    /// The value as text; empty when it is no UTF-8.
    pub fn text(&self) -> &'a str {
        std::str::from_utf8(self.value).unwrap_or("")
    }

    /// The value as an attribute, when this is an `a=` line.
    pub fn attribute(&self) -> Option<Attribute<'a>> {
        if self.kind != b'a' {
            return None;
        }
        let text = self.text();
        Some(match text.split_once(':') {
            Some((name, value)) => Attribute { name, value: Some(value) },
            None => Attribute { name: text.trim_end(), value: None },
        })
    }
}

/// An `a=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Case counts.
    pub name: &'a str,
    /// Behind the colon, when there is one.
    pub value: Option<&'a str>,
}

/// An `o=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// `-` when there is none.
    pub user: &'a str,
    /// Stays the same for the session's life.
    pub session: &'a str,
    /// Grows with every change. As text: the world sends numbers beyond 64 bits.
    pub version: &'a str,
    /// The address, as written.
    pub address: &'a str,
}

/// A `c=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection<'a> {
    /// The address as written, without a multicast suffix: may be a name.
    pub address: &'a str,
    /// The address, when it is one.
    pub ip: Option<IpAddr>,
}

impl Connection<'_> {
    /// Whether it is all zeros: a peer of RFC 2543 that holds the call.
    pub fn is_unspecified(&self) -> bool {
        self.ip.is_some_and(|ip| ip.is_unspecified())
    }
}

/// An `a=rtpmap`. RFC 8866 section 6.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtpmap<'a> {
    /// The payload type.
    pub payload: u8,
    /// The encoding's name; case does not count.
    pub encoding: &'a str,
    /// In hertz.
    pub clock_rate: u32,
    /// 1 when not said.
    pub channels: u8,
}

/// An `a=rtcp`. RFC 3605.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// Where RTCP is wanted.
    pub port: u16,
    /// At another address than the media's.
    pub ip: Option<IpAddr>,
}

/// A session description, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdp<'a> {
    lines: Vec<Line<'a>>,
    /// Where each media description begins.
    media: Vec<usize>,
    odd_lines: usize,
}

impl<'a> Sdp<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// See [`SdpError`]: answer 488, or 400 for a body that claims to be SDP and is none.
    pub fn read(body: &'a [u8]) -> Result<Self, SdpError> {
        let mut sdp = Self { lines: Vec::with_capacity(24), media: Vec::new(), odd_lines: 0 };
        for line in body.split(|&b| b == b'\n') {
            let line = line.trim_ascii();
            let &[kind, b'=', ref value @ ..] = line else {
                sdp.odd_lines += usize::from(!line.is_empty());
                continue;
            };
            if sdp.lines.len() == MAX_LINES {
                return Err(SdpError::TooManyLines);
            }
            if kind == b'm' {
                if sdp.media.len() == MAX_MEDIA {
                    return Err(SdpError::TooManyMedia);
                }
                sdp.media.push(sdp.lines.len());
            }
            sdp.lines.push(Line { kind, value });
        }
        if sdp.media.is_empty() && !sdp.lines.iter().any(|l| l.kind == b'v') {
            return Err(SdpError::NotSdp);
        }
        let sound = sdp.media.iter().all(|&at| MediaLine::read(sdp.lines[at].text()).is_some());
        if sound { Ok(sdp) } else { Err(SdpError::BadMedia) }
    }

    /// All lines in order.
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// Lines that were passed over because they are not `letter=`.
    pub const fn odd_lines(&self) -> usize {
        self.odd_lines
    }

    /// What stands before the first `m=` line.
    pub fn session(&self) -> Section<'_, 'a> {
        Section { lines: &self.lines[..self.media.first().copied().unwrap_or(self.lines.len())] }
    }

    /// The media descriptions in order.
    pub fn media(&self) -> impl ExactSizeIterator<Item = Media<'_, 'a>> {
        let ends = self.media.iter().skip(1).copied().chain([self.lines.len()]);
        self.media
            .iter()
            .zip(ends)
            .map(|(&start, end)| {
                let line =
                    MediaLine::read(self.lines[start].text()).expect("every m= line was read in Sdp::read");
                Media { line, session: self.session(), own: Section { lines: &self.lines[start..end] } }
            })
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The `o=` line.
    pub fn origin(&self) -> Option<Origin<'a>> {
        let mut words = self.session().line(b'o')?.text().split_ascii_whitespace();
        let [user, session, version] = [words.next()?, words.next()?, words.next()?];
        Some(Origin { user, session, version, address: words.nth(2)? })
    }
}

/// A stretch of lines: the session's, or one media description's.
#[derive(Clone, Copy, Debug)]
pub struct Section<'s, 'a> {
    lines: &'s [Line<'a>],
}

impl<'s, 'a> Section<'s, 'a> {
    /// Its lines in order; a media description's begin with its `m=`.
    pub const fn lines(&self) -> &'s [Line<'a>] {
        self.lines
    }

    /// The first line of that letter.
    pub fn line(&self, kind: u8) -> Option<Line<'a>> {
        self.lines.iter().find(|l| l.kind == kind).copied()
    }

    /// Its attributes in order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'s, 'a> {
        self.lines.iter().filter_map(Line::attribute)
    }

    /// The first attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|a| a.name == name)
    }

    /// The value of the first attribute of that name.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.attribute(name)?.value.map(str::trim)
    }

    /// Its `c=` line.
    pub fn connection(&self) -> Option<Connection<'a>> {
        let address = self.line(b'c')?.text().split_ascii_whitespace().nth(2)?;
        let address = address.split('/').next()?;
        Some(Connection { address, ip: address.parse().ok() })
    }

    /// The direction it states, if any.
    pub fn direction(&self) -> Option<Direction> {
        self.attributes().filter(|a| a.value.is_none()).find_map(|a| Direction::read(a.name))
    }

    /// A `b=` line's number: `AS` in kbit/s, `TIAS` in bit/s.
    pub fn bandwidth(&self, kind: &str) -> Option<u32> {
        self.lines.iter().filter(|l| l.kind == b'b').find_map(|l| {
            let (name, value) = l.text().split_once(':')?;
            (name == kind).then(|| value.trim().parse().ok())?
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct MediaLine<'a> {
    kind: &'a str,
    port: u16,
    ports: u16,
    protocol: &'a str,
    formats: &'a str,
}

impl<'a> MediaLine<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let word = |text: &'a str| -> Option<(&'a str, &'a str)> {
            let text = text.trim_start();
            let end = text.find([' ', '\t']).unwrap_or(text.len());
            (end > 0).then(|| text.split_at(end))
        };
        let (kind, rest) = word(text)?;
        let (port, rest) = word(rest)?;
        let (protocol, rest) = word(rest)?;
        let (port, ports) = port.split_once('/').unwrap_or((port, "1"));
        Some(Self {
            kind,
            port: port.parse().ok()?,
            ports: ports.parse().ok()?,
            protocol,
            formats: rest.trim(),
        })
    }
}

/// One media description, with the session's lines behind it.
#[derive(Clone, Copy, Debug)]
pub struct Media<'s, 'a> {
    line: MediaLine<'a>,
    session: Section<'s, 'a>,
    own: Section<'s, 'a>,
}

impl<'s, 'a> Media<'s, 'a> {
    /// `audio`, `video`, ...
    pub const fn kind(&self) -> &'a str {
        self.line.kind
    }

    /// 0: refused or ended.
    pub const fn port(&self) -> u16 {
        self.line.port
    }

    /// How many ports; 1 when not said.
    pub const fn ports(&self) -> u16 {
        self.line.ports
    }

    /// `RTP/AVP`, ...
    pub const fn protocol(&self) -> &'a str {
        self.line.protocol
    }

    /// The formats in the writer's order, as written.
    pub fn formats(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.line.formats.split_ascii_whitespace()
    }

    /// The formats that are payload types.
    pub fn payloads(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.formats().filter_map(|f| f.parse().ok()).filter(|p| *p < 128)
    }

    /// The session's lines, which hold where its own say nothing.
    pub const fn session(&self) -> Section<'s, 'a> {
        self.session
    }

    /// Its own lines, `m=` first.
    pub const fn section(&self) -> Section<'s, 'a> {
        self.own
    }

    /// Its own attributes in order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'s, 'a> {
        self.own.attributes()
    }

    /// An attribute's value: its own, or the session's where it has none.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.own.value(name).or_else(|| self.session.value(name))
    }

    /// Where media is wanted: its own `c=`, or the session's.
    pub fn connection(&self) -> Option<Connection<'a>> {
        self.own.connection().or_else(|| self.session.connection())
    }

    /// Its direction, the session's where it states none, `sendrecv` where neither does.
    pub fn direction(&self) -> Direction {
        self.own.direction().or_else(|| self.session.direction()).unwrap_or_default()
    }

    /// Its `a=rtpmap` lines that can be read.
    pub fn rtpmaps(&self) -> impl Iterator<Item = Rtpmap<'a>> + use<'s, 'a> {
        self.own.attributes().filter(|a| a.name == "rtpmap").filter_map(|a| {
            let (payload, rest) = a.value?.trim().split_once([' ', '\t'])?;
            let mut parts = rest.trim().split('/');
            let encoding = parts.next().filter(|e| !e.is_empty())?;
            let clock_rate = parts.next()?.trim().parse().ok()?;
            let channels = parts.next().and_then(|c| c.trim().parse().ok()).unwrap_or(1);
            Some(Rtpmap { payload: payload.parse().ok()?, encoding, clock_rate, channels })
        })
    }

    /// The `a=rtpmap` of a payload type.
    pub fn rtpmap(&self, payload: u8) -> Option<Rtpmap<'a>> {
        self.rtpmaps().find(|map| map.payload == payload)
    }

    /// The `a=fmtp` of a payload type.
    pub fn fmtp(&self, payload: u8) -> Option<&'a str> {
        self.own.attributes().filter(|a| a.name == "fmtp").find_map(|a| {
            let (of, value) = a.value?.trim().split_once([' ', '\t'])?;
            (of.parse() == Ok(payload)).then(|| value.trim())
        })
    }

    /// Packet time wanted, in milliseconds.
    pub fn ptime(&self) -> Option<u32> {
        milliseconds(self.value("ptime")?)
    }

    /// The longest packet time taken, in milliseconds.
    pub fn maxptime(&self) -> Option<u32> {
        milliseconds(self.value("maxptime")?)
    }

    /// Where RTCP is wanted, when said.
    pub fn rtcp(&self) -> Option<Rtcp> {
        let mut words = self.own.value("rtcp")?.split_ascii_whitespace();
        let port = words.next()?.parse().ok()?;
        Some(Rtcp { port, ip: words.nth(2).and_then(|ip| ip.parse().ok()) })
    }

    /// Whether RTCP may share the media port. RFC 5761.
    pub fn rtcp_mux(&self) -> bool {
        self.own.attribute("rtcp-mux").is_some()
    }
}

/// `20`, and the `20.0` that some write.
fn milliseconds(text: &str) -> Option<u32> {
    text.split('.').next()?.parse().ok().filter(|ms| *ms > 0)
}
