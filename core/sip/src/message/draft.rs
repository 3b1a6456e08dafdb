//! A message being written: one text arena, one list of fields. RFC 3261 sections 7 and 8.2.6.
//!
//! Nothing that is pushed can break out of its line: line breaks become spaces. Content-Length is written last, always, and
//! is never kept. Knows no defaults: what a request must carry is the user agent's business.

use std::fmt::{self, Display, Write as _};

use bytes::Bytes;
use memchr::memchr2;

use super::lex::{find_top, is_list, trim_start};
use super::{Message, Method, Name, Start, phrase};

/// How names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In full.
    Full,
    /// In one letter where there is one: for a datagram that must stay small.
    Compact,
    /// The same, without what a request can do without: who made us, and which methods we take. RFC 3261 section 20.5 says
    /// that nothing is to be concluded from a missing Allow.
    Slim,
}

/// A message being written.
#[derive(Clone)]
pub struct Draft {
    start: StartText,
    arena: Vec<u8>,
    fields: Vec<Entry>,
    body: Bytes,
}

#[derive(Clone)]
enum StartText {
    Request { method: Method, uri: Text },
    Response { status: u16, reason: Text },
}

/// A stretch of the arena. What is replaced stays there as waste; drafts are short-lived.
#[derive(Clone, Copy, Default)]
struct Text {
    start: u32,
    end: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    name: Name,
    /// The name's own text, for [`Name::Other`] only.
    other: Text,
    value: Text,
}

impl Draft {
    /// A request with no fields yet.
    pub fn request(method: &Method, uri: &str) -> Self {
        let mut draft = Self::empty(StartText::Request { method: method.clone(), uri: Text::default() });
        draft.set_request_uri(uri);
        draft
    }

    /// A response with no fields yet. An empty `reason` is the usual phrase.
    pub fn response(status: u16, reason: &str) -> Self {
        let mut draft = Self::empty(StartText::Response { status, reason: Text::default() });
        let text = draft.store(if reason.is_empty() { phrase(status) } else { reason });
        draft.start = StartText::Response { status, reason: text };
        draft
    }

    /// A response with what RFC 3261 section 8.2.6.2 has it take over: every Via, From, To, Call-ID, CSeq; a 100 also the
    /// Timestamp. The To tag is the caller's to add.
    pub fn response_to<B: AsRef<[u8]>>(request: &Message<B>, status: u16) -> Self {
        let mut draft = Self::response(status, "");
        for field in request.fields() {
            let copied = match field.name {
                Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq => true,
                Name::Timestamp => status == 100,
                _ => false,
            };
            if copied {
                draft.push_bytes(field.name, field.value);
            }
        }
        draft
    }

    /// A copy with every field in its order, for a proxy to change. Folds are undone.
    pub fn from_message<B: AsRef<[u8]>>(message: &Message<B>) -> Self {
        let mut draft = Self::empty(StartText::Response { status: 0, reason: Text::default() });
        draft.arena.reserve(message.bytes().len() - message.body().len());
        draft.start = match message.start() {
            Start::Request { method, uri } => {
                let uri = draft.store_bytes(uri);
                StartText::Request { method, uri }
            }
            Start::Response { status, reason } => {
                let reason = draft.store_bytes(reason);
                StartText::Response { status, reason }
            }
        };
        for field in message.fields() {
            let other =
                if field.name == Name::Other { draft.store_bytes(field.text) } else { Text::default() };
            if field.name != Name::ContentLength {
                let value = draft.store_bytes(field.value);
                draft.fields.push(Entry { name: field.name, other, value });
            }
        }
        draft.body = Bytes::copy_from_slice(message.body());
        draft
    }

    fn empty(start: StartText) -> Self {
        Self { start, arena: Vec::with_capacity(768), fields: Vec::with_capacity(16), body: Bytes::new() }
    }

    /// Adds a field behind all others.
    pub fn push(&mut self, name: Name, value: impl Display) -> &mut Self {
        let value = self.store(value);
        self.insert(self.fields.len(), name, value)
    }

    /// Adds a field behind all others, from bytes as they are: UTF-8 or not.
    pub fn push_bytes(&mut self, name: Name, value: &[u8]) -> &mut Self {
        let value = self.store_bytes(value);
        self.insert(self.fields.len(), name, value)
    }

    /// Adds a field that may have no [`Name`]. What is no token as a name is left out.
    pub fn push_other(&mut self, name: &str, value: impl Display) -> &mut Self {
        match Name::read(name.as_bytes()) {
            Name::Other if super::is_token(name.as_bytes()) => {
                let other = self.store(name);
                let value = self.store(value);
                self.fields.push(Entry { name: Name::Other, other, value });
                self
            }
            known => self.push(known, value),
        }
    }

    /// Adds a field before the first of its name, or before all others when there is none.
    pub fn prepend(&mut self, name: Name, value: impl Display) -> &mut Self {
        let value = self.store(value);
        let at = self.fields.iter().position(|f| f.name == name).unwrap_or(0);
        self.insert(at, name, value)
    }

    /// Puts one field in the place of all of that name.
    pub fn set(&mut self, name: Name, value: impl Display) -> &mut Self {
        let at = self.fields.iter().position(|f| f.name == name).unwrap_or(self.fields.len());
        self.remove(name);
        let value = self.store(value);
        self.insert(at, name, value)
    }

    /// Puts a value in the place of the topmost of that name; adds it when there is none.
    pub fn set_first(&mut self, name: Name, value: impl Display) -> &mut Self {
        let at = self.fields.iter().position(|f| f.name == name).unwrap_or(self.fields.len());
        self.remove_first(name);
        let value = self.store(value);
        self.insert(at, name, value)
    }

    /// Takes all fields of that name away.
    pub fn remove(&mut self, name: Name) -> &mut Self {
        self.fields.retain(|f| f.name != name);
        self
    }

    /// Takes the topmost value of that name away: its field, or the part before the first comma of a list.
    pub fn remove_first(&mut self, name: Name) -> &mut Self {
        let Some(at) = self.fields.iter().position(|f| f.name == name) else { return self };
        let value = self.slice(self.fields[at].value);
        match find_top(value, b',').filter(|_| is_list(name)) {
            Some(comma) => {
                let left = trim_start(&value[comma + 1..]).len() as u32;
                let end = self.fields[at].value.end;
                self.fields[at].value.start = end - left;
            }
            None => {
                self.fields.remove(at);
            }
        }
        self
    }

    /// Copies every field of that name from a message.
    pub fn copy<B: AsRef<[u8]>>(&mut self, message: &Message<B>, name: Name) -> &mut Self {
        for value in message.all(name) {
            self.push_bytes(name, value);
        }
        self
    }

    /// The first field of that name.
    pub fn first(&self, name: Name) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// All fields of that name.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |f| f.name == name).map(|f| self.slice(f.value))
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: Name) -> bool {
        self.fields.iter().any(|f| f.name == name)
    }

    /// Whether this is a request.
    pub const fn is_request(&self) -> bool {
        matches!(self.start, StartText::Request { .. })
    }

    /// A request's method; a response's CSeq method, or an empty `Other` when it has none yet.
    pub fn method(&self) -> Method {
        match &self.start {
            StartText::Request { method, .. } => method.clone(),
            StartText::Response { .. } => self
                .first(Name::CSeq)
                .and_then(|text| super::CSeq::read(text).ok())
                .map_or_else(|| Method::Other("".into()), |cseq| cseq.method),
        }
    }

    /// A response's status.
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            StartText::Request { .. } => None,
            StartText::Response { status, .. } => Some(status),
        }
    }

    /// A request's target; empty for a response.
    pub fn request_uri(&self) -> &str {
        match self.start {
            StartText::Request { uri, .. } => std::str::from_utf8(self.slice(uri)).unwrap_or(""),
            StartText::Response { .. } => "",
        }
    }

    /// Changes a request's target; nothing happens to a response.
    pub fn set_request_uri(&mut self, to: &str) -> &mut Self {
        let text = self.store(to);
        if let StartText::Request { uri, .. } = &mut self.start {
            *uri = text;
        }
        self
    }

    /// Changes a response's phrase; nothing happens to a request.
    pub fn set_reason(&mut self, to: &str) -> &mut Self {
        let text = self.store(to);
        if let StartText::Response { reason, .. } = &mut self.start {
            *reason = text;
        }
        self
    }

    /// Sets the body and its Content-Type. An empty body with an empty type takes both away.
    pub fn body(&mut self, content_type: &str, body: impl Into<Bytes>) -> &mut Self {
        self.body = body.into();
        if content_type.is_empty() {
            self.remove(Name::ContentType)
        } else {
            self.set(Name::ContentType, content_type)
        }
    }

    /// The body.
    pub fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// How long the message is when written.
    pub fn len(&self, form: Form) -> usize {
        let start = match &self.start {
            StartText::Request { method, uri } => {
                method.as_str().len() + uri.len() + " ".len() * 2 + VERSION.len()
            }
            StartText::Response { reason, .. } => VERSION.len() + " 200 ".len() + reason.len(),
        };
        let fields: usize =
            self.written(form).map(|f| self.name_of(f, form).len() + f.value.len() + ": \r\n".len()).sum();
        let length = spelled(Name::ContentLength, form).len() + ": \r\n\r\n".len() + digits(self.body.len());
        start + "\r\n".len() + fields + length + self.body.len()
    }

    /// Writes it.
    pub fn write(&self, form: Form) -> Bytes {
        let mut out = Vec::with_capacity(self.len(form));
        match &self.start {
            StartText::Request { method, uri } => {
                out.extend_from_slice(method.as_str().as_bytes());
                out.push(b' ');
                out.extend_from_slice(self.slice(*uri));
                out.push(b' ');
                out.extend_from_slice(VERSION.as_bytes());
            }
            StartText::Response { status, reason } => {
                out.extend_from_slice(VERSION.as_bytes());
                out.push(b' ');
                write_number(&mut out, *status as usize);
                out.push(b' ');
                out.extend_from_slice(self.slice(*reason));
            }
        }
        out.extend_from_slice(b"\r\n");
        for field in self.written(form) {
            out.extend_from_slice(self.name_of(field, form));
            out.extend_from_slice(b": ");
            out.extend_from_slice(self.slice(field.value));
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(spelled(Name::ContentLength, form).as_bytes());
        out.extend_from_slice(b": ");
        write_number(&mut out, self.body.len());
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&self.body);
        Bytes::from(out)
    }

    fn insert(&mut self, at: usize, name: Name, value: Text) -> &mut Self {
        // Content-Length is the writer's; a name that has no text would write a line without one.
        if !matches!(name, Name::ContentLength | Name::Other) {
            self.fields.insert(at, Entry { name, other: Text::default(), value });
        }
        self
    }

    fn store(&mut self, value: impl Display) -> Text {
        let start = self.arena.len();
        Arena(&mut self.arena).write_fmt(format_args!("{value}")).expect("writing to memory does not fail");
        self.close(start)
    }

    fn store_bytes(&mut self, value: &[u8]) -> Text {
        let start = self.arena.len();
        self.arena.extend_from_slice(value);
        self.close(start)
    }

    /// Ends the text begun at `start`. Whoever chose a display name must not get to choose the next header field.
    fn close(&mut self, start: usize) -> Text {
        let text = &mut self.arena[start..];
        while let Some(at) = memchr2(b'\r', b'\n', text) {
            text[at] = b' ';
        }
        Text { start: start as u32, end: self.arena.len() as u32 }
    }

    fn slice(&self, text: Text) -> &[u8] {
        &self.arena[text.start as usize..text.end as usize]
    }

    fn written(&self, form: Form) -> impl Iterator<Item = &Entry> {
        let is_spared = move |name| form == Form::Slim && matches!(name, Name::Allow | Name::UserAgent);
        self.fields.iter().filter(move |field| !is_spared(field.name))
    }

    fn name_of(&self, field: &Entry, form: Form) -> &[u8] {
        match field.name {
            Name::Other => self.slice(field.other),
            name => spelled(name, form).as_bytes(),
        }
    }
}

const VERSION: &str = "SIP/2.0";

/// Text goes in as it comes. `std::io::Write` would do, and shows in the profile.
struct Arena<'a>(&'a mut Vec<u8>);

impl fmt::Write for Arena<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Text {
    const fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

fn spelled(name: Name, form: Form) -> &'static str {
    match form {
        Form::Full => name.as_str(),
        Form::Compact | Form::Slim => name.compact().unwrap_or(name.as_str()),
    }
}

const fn digits(n: usize) -> usize {
    match n.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

fn write_number(out: &mut Vec<u8>, n: usize) {
    let mut divisor = 10_usize.pow(digits(n) as u32 - 1);
    while divisor > 0 {
        out.push(b'0' + (n / divisor % 10) as u8);
        divisor /= 10;
    }
}

/// Only what a log may know.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.start {
            StartText::Request { method, .. } => write!(f, "{method}")?,
            StartText::Response { status, .. } => write!(f, "{status}")?,
        }
        write!(f, " ({} fields, {} body bytes)", self.fields.len(), self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(draft: &Draft, form: Form) -> String {
        let bytes = draft.write(form);
        assert_eq!(bytes.len(), draft.len(form));
        String::from_utf8(bytes.to_vec()).expect("these are text")
    }

    #[test]
    fn a_request_is_written_in_full_and_compact() {
        let mut d = Draft::request(&Method::Invite, "sip:bob@h");
        d.push(Name::Via, "SIP/2.0/UDP a;branch=z9hG4bK1").push(Name::CSeq, format_args!("{} INVITE", 7));
        d.push_other("X-Thing", 1).push_other("subject", "hi").body("application/sdp", "v=0\r\n");
        let full = "INVITE sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: 7 INVITE\r\nX-Thing: 1\r\n\
                    Subject: hi\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
        assert_eq!(text(&d, Form::Full), full);
        let compact = "INVITE sip:bob@h SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: 7 INVITE\r\nX-Thing: 1\r\n\
                       s: hi\r\nc: application/sdp\r\nl: 5\r\n\r\nv=0\r\n";
        assert_eq!(text(&d, Form::Compact), compact);
    }

    #[test]
    fn no_value_can_begin_a_line_of_its_own() {
        let mut d = Draft::request(&Method::Message, "sip:a\r\nb");
        d.push(Name::From, "\"x\r\nEvil: 1\" <sip:a>").push_other("Bad Name", "x").push_other("X-A", "a\nb");
        d.push(Name::ContentLength, 99);
        let want = "MESSAGE sip:a  b SIP/2.0\r\nFrom: \"x  Evil: 1\" <sip:a>\r\nX-A: a b\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(text(&d, Form::Full), want);
    }

    #[test]
    fn fields_are_set_prepended_and_taken_away_in_place() {
        let mut d = Draft::response(180, "");
        d.push(Name::Via, "a").push(Name::Via, "b, c").push(Name::To, "t").push(Name::Via, "d");
        d.prepend(Name::Via, "top").set(Name::To, "t;tag=1").prepend(Name::Contact, "m");
        let all =
            |d: &Draft| d.all(Name::Via).map(|v| String::from_utf8_lossy(v).into_owned()).collect::<Vec<_>>();
        assert_eq!(all(&d), ["top", "a", "b, c", "d"]);
        d.remove_first(Name::Via).remove_first(Name::Via).remove_first(Name::Via);
        assert_eq!(all(&d), ["c", "d"]);
        d.set_first(Name::Via, "C").set(Name::Via, "one");
        let want =
            "SIP/2.0 180 Ringing\r\nContact: m\r\nVia: one\r\nTo: t;tag=1\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(text(&d, Form::Full), want);
    }

    #[test]
    fn a_response_takes_over_what_the_rfc_names_and_no_more() {
        let request = b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP a,\r\n SIP/2.0/TCP b\r\nMax-Forwards: 3\r\nf: <sip:x>;tag=1\r\n\
                        t: <sip:y>\r\ni: c\r\nCSeq: 1 OPTIONS\r\nTimestamp: 5\r\nVia: SIP/2.0/UDP c\r\n\r\n";
        let request = Message::read(&request[..]).expect("sound");
        let want = "SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP a,   SIP/2.0/TCP b\r\nFrom: <sip:x>;tag=1\r\nTo: <sip:y>\r\n\
                    Call-ID: c\r\nCSeq: 1 OPTIONS\r\nTimestamp: 5\r\nVia: SIP/2.0/UDP c\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(text(&Draft::response_to(&request, 100), Form::Full), want);
        assert!(!Draft::response_to(&request, 200).has(Name::Timestamp));
        assert_eq!(Draft::response_to(&request, 200).method(), Method::Options);
    }
}
