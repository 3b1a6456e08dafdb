//! Messages as one line each, and the ladder they make: for tests, the demo and diagnostics.
//!
//! One line a message, arrows point the way it goes, only what the test is about in brackets, notes beside the lines, told
//! time at the left, the outcome last. A ladder shows who and what: it belongs in tests and on the user's own screen, never
//! in a log.

use std::fmt::{self, Write as _};

use base::Instant;

use crate::digest::Challenge;
use crate::message::{Message, Method, Name, NameAddr, Replaces, Start, UriRef, fragment_status};
use crate::sdp::{Direction, Sdp};

/// How wide a column is; longer text runs on into the next.
const COLUMN: usize = 25;

/// Renders a message as one line: `INVITE bob (PCMU PCMA te)`, `200 (PCMU te)`, `REFER cem`. Values of the `about` fields are
/// added in the brackets.
pub fn line<B: AsRef<[u8]>>(message: &Message<B>, about: &[Name]) -> String {
    let mut out = match message.start() {
        Start::Request { method, .. } => method.as_str().to_owned(),
        Start::Response { status, .. } => status.to_string(),
    };
    if let Some(target) = target(message) {
        out.push(' ');
        out.push_str(&target);
    }
    let mut notes = Vec::new();
    if let Some(sdp) = session(message) {
        notes.push(sdp);
    }
    if message.is_body("message/sipfrag")
        && let Some((status, _)) = fragment_status(message.body())
    {
        notes.push(status.to_string());
    }
    let challenges = message.all(Name::WwwAuthenticate).chain(message.all(Name::ProxyAuthenticate));
    if challenges.filter_map(Challenge::read).any(|c| c.stale) {
        notes.push("stale".to_owned());
    }
    if let Some(text) = message.first(Name::Replaces) {
        notes.push(format!("replaces {}", replaced(text)));
    }
    for &name in about {
        for value in message.all(name) {
            notes.push(format!("{name}: {}", String::from_utf8_lossy(value)));
        }
    }
    if !notes.is_empty() {
        let _ = write!(out, " ({})", notes.join("; "));
    }
    out
}

/// Whom it is about, where that is news: outside of a dialog, and in a REFER.
fn target<B: AsRef<[u8]>>(message: &Message<B>) -> Option<String> {
    if !message.is_request() {
        return None;
    }
    let named = |uri: UriRef<'_>| match uri.user {
        Some(_) => uri.user_decoded().into_owned(),
        None => uri.host.to_string(),
    };
    match message.method() {
        Method::Refer => {
            let refer_to = message.name_addr(Name::ReferTo).ok()?;
            let replaces =
                refer_to.uri().header_fields().find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
            let replaces = replaces.map(|(_, value)| format!(" (replaces {})", replaced(value.as_bytes())));
            Some(named(refer_to.uri()) + &replaces.unwrap_or_default())
        }
        Method::Ack | Method::Cancel | Method::Prack => None,
        Method::Register => message.to().ok().map(|to| named(to.uri())),
        _ if message.to().is_ok_and(|to| to.tag().is_some()) => None,
        _ => message.request_uri().ok().map(named),
    }
}

/// The dialog to be replaced, by the local part of its Call-ID.
fn replaced(text: &[u8]) -> String {
    Replaces::read(text)
        .map_or_else(|_| "?".to_owned(), |r| r.call_id.split('@').next().unwrap_or("?").to_owned())
}

/// What the body offers or answers: encodings by name, refused media, and a direction that is not both ways.
fn session<B: AsRef<[u8]>>(message: &Message<B>) -> Option<String> {
    if !message.is_body("application/sdp") {
        return None;
    }
    let Ok(sdp) = Sdp::read(message.body()) else { return Some("bad SDP".to_owned()) };
    let mut words = Vec::new();
    for media in sdp.media() {
        if media.port() == 0 {
            words.push(format!("no {}", media.kind()));
            continue;
        }
        // Who insists on keys says so by the profile's name: RFC 3711 section 12, RFC 5764 section 8.
        match media.protocol().rsplit('/').next() {
            Some("SAVP" | "SAVPF") if media.protocol().starts_with("UDP/TLS/") => {
                words.push("DTLS".to_owned());
            }
            Some("SAVP" | "SAVPF") => words.push("SAVP".to_owned()),
            Some(_) | None => {}
        }
        if media.kind() != "audio" {
            words.push(media.kind().to_owned());
        }
        for payload in media.payloads() {
            let name = media.rtpmap(payload).map(|map| map.encoding).or_else(|| static_name(payload));
            words.push(match name {
                Some(name) if name.eq_ignore_ascii_case("telephone-event") => "te".to_owned(),
                Some(name) => name.to_owned(),
                None => payload.to_string(),
            });
        }
        if media.connection().is_some_and(|c| c.is_unspecified()) {
            words.push("0.0.0.0".to_owned());
        }
        if media.direction() != Direction::SendRecv {
            words.push(media.direction().to_string());
        }
    }
    Some(words.join(" "))
}

/// Names that need no rtpmap. RFC 3551 section 6.
const fn static_name(payload: u8) -> Option<&'static str> {
    match payload {
        0 => Some("PCMU"),
        3 => Some("GSM"),
        8 => Some("PCMA"),
        9 => Some("G722"),
        13 => Some("CN"),
        18 => Some("G729"),
        _ => None,
    }
}

/// A short name for an address, for a column or a note: the user part, or the host.
pub fn who(address: NameAddr<'_>) -> String {
    let uri = address.uri();
    if uri.user.is_some() { uri.user_decoded().into_owned() } else { uri.host.to_string() }
}

/// A recording of who said what to whom. Print it with `Display`.
#[derive(Clone, Debug)]
pub struct Ladder {
    title: String,
    source: String,
    columns: Vec<String>,
    about: Vec<Name>,
    rows: Vec<Row>,
    outcome: Option<String>,
}

/// What became of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Sent,
    /// It is lost: drawn with a cross for the arrow's head.
    Lost,
    /// A repetition of an earlier one.
    Again,
}

#[derive(Clone, Debug)]
struct Row {
    at: Instant,
    from: usize,
    text: String,
    /// Lines of notes, at the right; a row of notes only has no text.
    notes: Vec<String>,
}

impl Ladder {
    /// A ladder with a column for each party, from the left. `source` is the RFC section it follows, or empty.
    pub fn new(title: &str, source: &str, columns: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            source: source.to_owned(),
            columns: columns.iter().map(|&c| c.to_owned()).collect(),
            about: Vec::new(),
            rows: Vec::new(),
            outcome: None,
        }
    }

    /// Fields whose values this ladder is about: shown in brackets.
    pub fn about(mut self, fields: &[Name]) -> Self {
        self.about.extend_from_slice(fields);
        self
    }

    /// The column of that name; a new one at the right when there is none.
    pub fn column(&mut self, name: &str) -> usize {
        if let Some(at) = self.columns.iter().position(|c| c == name) {
            return at;
        }
        self.columns.push(name.to_owned());
        self.columns.len() - 1
    }

    /// A message from one column to another, from its bytes, at the time it is sent. What does not read is shown as such.
    pub fn message(&mut self, at: Instant, from: usize, to: usize, bytes: &[u8], fate: Fate) {
        let text = match Message::read(bytes) {
            Ok(message) => line(&message, &self.about),
            Err(error) => format!("? {error}"),
        };
        self.text(at, from, to, &text, fate);
    }

    /// Any text from one column to another. Names the receiver when it is not the neighbour.
    pub fn text(&mut self, at: Instant, from: usize, to: usize, text: &str, fate: Fate) {
        let receiver = match (from.abs_diff(to), self.columns.get(to)) {
            (0 | 1, _) | (_, None) => String::new(),
            (_, Some(name)) => format!(" {name}"),
        };
        let again = if fate == Fate::Again { " (again)" } else { "" };
        let (left, right) = if fate == Fate::Lost { ("x-", "-x") } else { ("<-", "->") };
        let text = if to < from {
            format!("{left}{receiver} {text}{again}")
        } else {
            format!("{text}{again} {right}{receiver}")
        };
        self.rows.push(Row { at, from, text, notes: Vec::new() });
    }

    /// A note at the right: a call's or a medium's state. Stands beside the last message when that is of the same moment.
    pub fn note(&mut self, at: Instant, note: &str) {
        match self.rows.last_mut() {
            Some(row) if row.at == at => row.notes.push(note.to_owned()),
            _ => self.rows.push(Row { at, from: 0, text: String::new(), notes: vec![note.to_owned()] }),
        }
    }

    /// How it ended; the last line.
    pub fn outcome(&mut self, text: &str) {
        self.outcome = Some(text.to_owned());
    }

    /// How many messages were recorded.
    pub fn messages(&self) -> usize {
        self.rows.iter().filter(|r| !r.text.is_empty()).count()
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MARGIN: usize = 10;
        let right = MARGIN + COLUMN * self.columns.len();
        let mut lines = Vec::with_capacity(self.rows.len() + 3);
        lines.push(format!("{:<66} {}", self.title, self.source));
        let mut head = format!("{:<MARGIN$}", " time");
        for name in &self.columns {
            let _ = write!(head, "{name:<COLUMN$}");
        }
        lines.push(head);
        for row in &self.rows {
            let time = format!(" {:?}", row.at);
            let mut line = format!("{time:<MARGIN$}{:indent$}{}", "", row.text, indent = COLUMN * row.from);
            for (i, note) in row.notes.iter().enumerate() {
                if i > 0 {
                    lines.push(std::mem::take(&mut line));
                }
                let gap = right.saturating_sub(line.chars().count()).max(2);
                let _ = write!(line, "{:gap$}{note}", "");
            }
            lines.push(line);
        }
        if let Some(outcome) = &self.outcome {
            lines.push(format!("{:<MARGIN$}{outcome}", " ended"));
        }
        lines.iter().try_for_each(|line| writeln!(f, "{}", line.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        line(&Message::read(text.replace('\n', "\r\n").as_bytes()).expect("reads"), &[Name::RSeq])
    }

    #[test]
    fn a_message_is_one_line_of_what_matters() {
        let sdp = "c: application/sdp\n\nv=0\nc=IN IP4 1.2.3.4\nm=audio 4 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n";
        assert_eq!(
            shown(&format!("INVITE sip:bob@h SIP/2.0\nt: <sip:b@h>\n{sdp}")),
            "INVITE bob (PCMU PCMA te)"
        );
        assert_eq!(
            shown(&format!(
                "INVITE sip:bob@h SIP/2.0\nt: <sip:b@h>;tag=1\n{sdp}a=sendonly\nm=video 0 RTP/AVP 31\n"
            )),
            "INVITE (PCMU PCMA te sendonly no video)"
        );
        for (protocol, word) in [("RTP/SAVP", "SAVP"), ("UDP/TLS/RTP/SAVPF", "DTLS")] {
            let text = format!("SIP/2.0 200 OK\n{}", sdp.replace("RTP/AVP", protocol));
            assert_eq!(shown(&text), format!("200 ({word} PCMU PCMA te)"));
        }
        assert_eq!(shown(&format!("SIP/2.0 183 x\nRSeq: 7\n{sdp}")), "183 (PCMU PCMA te; RSeq: 7)");
        assert_eq!(
            shown("NOTIFY sip:a@h SIP/2.0\nt: <sip:a@h>;tag=1\nc: message/sipfrag\n\nSIP/2.0 180 Ringing\n"),
            "NOTIFY (180)"
        );
        assert_eq!(
            shown("SIP/2.0 401 x\nWWW-Authenticate: Digest realm=\"h\", nonce=\"1\", stale=true\n\n"),
            "401 (stale)"
        );
        assert_eq!(shown("REGISTER sip:h SIP/2.0\nt: <sip:ann@h>\n\n"), "REGISTER ann");
        assert_eq!(shown("OPTIONS sip:h SIP/2.0\nt: <sip:h>\n\n"), "OPTIONS h");
        assert_eq!(shown("ACK sip:bob@h SIP/2.0\nt: <sip:b@h>;tag=1\n\n"), "ACK");
        assert_eq!(
            shown("REFER sip:a@h SIP/2.0\nr: <sip:cem@h?Replaces=c1%40h%3Bto-tag%3D1%3Bfrom-tag%3D2>\n\n"),
            "REFER cem (replaces c1)"
        );
        assert_eq!(
            shown("INVITE sip:cem@h SIP/2.0\nt: <sip:c@h>\nReplaces: c1@h;to-tag=1;from-tag=2\n\n"),
            "INVITE cem (replaces c1)"
        );
    }

    #[test]
    fn a_ladder_reads_like_the_figures_of_the_rfc() {
        let mut ladder = Ladder::new("a_call", "RFC 3665 section 3.1", &["ann", "proxy", "bob"]);
        ladder.text(Instant::ZERO, 0, 1, "INVITE bob (PCMU)", Fate::Lost);
        ladder.text(Instant::from_millis(500), 0, 1, "INVITE bob (PCMU)", Fate::Again);
        ladder.text(Instant::from_millis(1001), 1, 2, "INVITE bob (PCMU)", Fate::Sent);
        ladder.text(Instant::from_millis(1002), 2, 1, "180", Fate::Lost);
        ladder.message(Instant::from_millis(3000), 0, 2, b"ACK sip:bob@h SIP/2.0\r\n\r\n", Fate::Sent);
        ladder.note(Instant::from_millis(3000), "media ann<->bob PCMU");
        ladder.note(Instant::from_millis(3000), "bob active");
        ladder.note(Instant::from_millis(4000), "ann held");
        ladder.text(Instant::from_millis(61_042), 2, 0, "BYE", Fate::Sent);
        ladder.outcome("200 by bob");
        let want = [
            "a_call                                                             RFC 3665 section 3.1",
            " time     ann                      proxy                    bob",
            " 0.000    INVITE bob (PCMU) -x",
            " 0.500    INVITE bob (PCMU) (again) ->",
            " 1.001                             INVITE bob (PCMU) ->",
            " 1.002                                                      x- 180",
            " 3.000    ACK -> bob                                                                 media ann<->bob PCMU",
            "                                                                                     bob active",
            " 4.000                                                                               ann held",
            " 61.042                                                     <- ann BYE",
            " ended    200 by bob",
        ];
        assert_eq!(ladder.to_string(), want.map(|l| format!("{l}\n")).concat());
        assert_eq!((ladder.messages(), ladder.column("bob"), ladder.column("cem")), (6, 2, 3));
    }
}
