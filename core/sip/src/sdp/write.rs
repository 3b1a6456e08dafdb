//! The SDP writer: lines in the order they are asked for. RFC 8866 section 5.
//!
//! Line breaks in what is given become spaces, so nothing can begin a line of its own. The order of lines is the caller's:
//! session first, then each media description with what belongs to it.

use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use super::{Direction, Line};

/// A session description being written.
#[derive(Clone, Debug)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// Begins with `v=`, `o=`, `s=-`, `c=`, `t=0 0`. `session` stays for the session's life; `version` grows with each change.
    pub fn new(user: &str, session: u64, version: u64, address: IpAddr) -> Self {
        let mut writer = Self { text: String::with_capacity(384) };
        let family = family(address);
        writer.line(b'v', 0).line(b'o', format_args!("{user} {session} {version} IN {family} {address}"));
        writer.line(b's', '-').connection(address).line(b't', "0 0");
        writer
    }

    /// Any line.
    pub fn line(&mut self, kind: u8, value: impl Display) -> &mut Self {
        let start = self.text.len();
        self.text.push(kind as char);
        write!(self.text, "={value}").expect("writing to memory does not fail");
        if self.text[start..].contains(['\r', '\n']) {
            let line = self.text[start..].replace(['\r', '\n'], " ");
            self.text.replace_range(start.., &line);
        }
        self.text.push_str("\r\n");
        self
    }

    /// A line as another description had it; one that is no UTF-8 is left out.
    pub fn copy(&mut self, line: Line<'_>) -> &mut Self {
        match std::str::from_utf8(line.value) {
            Ok(value) => self.line(line.kind, value),
            Err(_) => self,
        }
    }

    /// A `c=` line.
    pub fn connection(&mut self, address: IpAddr) -> &mut Self {
        self.line(b'c', format_args!("IN {} {address}", family(address)))
    }

    /// An `m=` line; port 0 refuses.
    pub fn media<F: Display>(
        &mut self,
        kind: &str,
        port: u16,
        protocol: &str,
        formats: impl IntoIterator<Item = F>,
    ) -> &mut Self {
        let mut list = String::new();
        for format in formats {
            write!(list, " {format}").expect("writing to memory does not fail");
        }
        self.line(b'm', format_args!("{kind} {port} {protocol}{list}"))
    }

    /// `a=name`.
    pub fn flag(&mut self, name: &str) -> &mut Self {
        self.line(b'a', name)
    }

    /// `a=name:value`.
    pub fn attribute(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.line(b'a', format_args!("{name}:{value}"))
    }

    /// `a=rtpmap:payload encoding/clock_rate`, and `/channels` when there is more than one.
    pub fn rtpmap(&mut self, payload: u8, encoding: &str, clock_rate: u32, channels: u8) -> &mut Self {
        if channels > 1 {
            return self.attribute("rtpmap", format_args!("{payload} {encoding}/{clock_rate}/{channels}"));
        }
        self.attribute("rtpmap", format_args!("{payload} {encoding}/{clock_rate}"))
    }

    /// `a=sendrecv` and its kin.
    pub fn direction(&mut self, direction: Direction) -> &mut Self {
        self.flag(direction.as_str())
    }

    /// The text so far.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }
}

const fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    }
}
