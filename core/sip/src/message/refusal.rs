//! What a request must be refused for, before anyone looks at what it asks.
//!
//! RFC 3261 sections 8.2, 16.3 and 21.4, RFC 4475 section 3.1.2. [`Message::refusal`] holds for every element,
//! [`Message::unable`] for a user agent with given abilities. Knows nothing of dialogs, users or passwords.

use std::borrow::Cow;

use super::lex::{find_top, is_lws};
use super::{Flaw, HeaderError, Message, Method, Name, NameAddr, Scheme, Via, phrase};

/// How to answer a request that cannot be served. An ACK is never answered: drop it instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// For the status line: says which field is wrong where that helps.
    pub reason: Cow<'static, str>,
    /// With 420: what goes into Unsupported.
    pub unsupported: Vec<String>,
}

impl Refusal {
    fn new(status: u16) -> Self {
        Self { status, reason: Cow::Borrowed(phrase(status)), unsupported: Vec::new() }
    }

    fn because(why: impl std::fmt::Display) -> Self {
        Self { reason: Cow::Owned(format!("Bad Request ({why})")), ..Self::new(400) }
    }
}

/// What a user agent server can do.
#[derive(Clone, Copy, Debug)]
pub struct Abilities<'a> {
    /// Its methods: another one that has a name is answered 405, an unknown one 501. Put these into Allow.
    pub methods: &'a [Method],
    /// Its option tags: another one in Require is answered 420.
    pub extensions: &'a [&'a str],
    /// The bodies it reads: another one is answered 415. Put these into Accept.
    pub bodies: &'a [&'a str],
}

impl<B: AsRef<[u8]>> Message<B> {
    /// What any element must refuse this request for; `None` for a sound request and for every response.
    pub fn refusal(&self) -> Option<Refusal> {
        if !self.is_request() {
            return None;
        }
        let notes = self.index().notes;
        if notes.version {
            return Some(Refusal::new(505));
        }
        if let Some(error) = self.flaw() {
            return Some(Refusal::because(error));
        }
        if notes.line {
            return Some(Refusal::because("malformed header line"));
        }
        let method = self.method();
        if let Ok(cseq) = self.cseq()
            && cseq.method != method
        {
            // RFC 4475 section 3.1.2.18: for a method nobody knows, 501 stays true in the future.
            return Some(if method.is_known() {
                Refusal::because("CSeq: other method")
            } else {
                Refusal::new(501)
            });
        }
        match self.request_uri() {
            // RFC 3261 section 19.1.1: headers have no place in a Request-URI.
            Ok(uri) if uri.headers.is_some() => Some(Refusal::because("Request-URI: headers in it")),
            Ok(uri) if uri.scheme == Scheme::Other => Some(Refusal::new(416)),
            Ok(_) => None,
            Err(error) => Some(Refusal::because(error)),
        }
    }

    /// The first flaw in what every message must have: Via, From, To, Call-ID, CSeq, Content-Length; and in Contact where
    /// there is one. A response with a flaw is dropped (RFC 4475 section 3.1.2.5); for a request ask
    /// [`Message::refusal`].
    pub fn flaw(&self) -> Option<HeaderError> {
        let notes = self.index().notes;
        if notes.length || notes.short {
            return Some(HeaderError::Field(Name::ContentLength, Flaw::Number));
        }
        self.flaw_in_fields().err()
    }

    fn flaw_in_fields(&self) -> Result<(), HeaderError> {
        self.call_id()?;
        self.cseq()?;
        // One walk finds the rest, and what is there twice that must not be.
        let mut seen = [0_u8; 5];
        for field in self.fields() {
            let name = field.name;
            let flawed = |flaw| HeaderError::Field(name, flaw);
            let slot = match name {
                Name::Via => {
                    if seen[0] == 0 {
                        check_top_via(field.value).map_err(flawed)?;
                    }
                    seen[0] = 1;
                    continue;
                }
                Name::Contact => {
                    check_contacts(field.value).map_err(flawed)?;
                    continue;
                }
                Name::From => 1,
                Name::To => 2,
                Name::CallId => 3,
                Name::CSeq => 4,
                Name::MaxForwards => {
                    if self.all(name).nth(1).is_some() {
                        return Err(flawed(Flaw::Repeated));
                    }
                    continue;
                }
                _ => continue,
            };
            if seen[slot] > 0 {
                return Err(flawed(Flaw::Repeated));
            }
            seen[slot] = 1;
            if slot < 3 {
                NameAddr::read(field.value).map_err(flawed)?;
            }
        }
        for (slot, name) in [Name::Via, Name::From, Name::To].into_iter().enumerate() {
            if seen[slot] == 0 {
                return Err(HeaderError::Field(name, Flaw::Missing));
            }
        }
        Ok(())
    }

    /// What a user agent with these abilities must refuse this request for, in the order of RFC 3261 section 8.2: method,
    /// then required extensions, then the body. Ask [`Message::refusal`] first.
    pub fn unable(&self, can: &Abilities<'_>) -> Option<Refusal> {
        if !self.is_request() {
            return None;
        }
        let method = self.method();
        if !can.methods.contains(&method) {
            return Some(Refusal::new(if method.is_known() { 405 } else { 501 }));
        }
        // RFC 3261 section 8.2.2.3: not for ACK and CANCEL.
        if matches!(method, Method::Ack | Method::Cancel) {
            return None;
        }
        let knows = |tag: &[u8]| can.extensions.iter().any(|e| tag.eq_ignore_ascii_case(e.as_bytes()));
        let unsupported: Vec<String> = self
            .list(Name::Require)
            .filter(|tag| !tag.is_empty() && !knows(tag))
            .map(|tag| String::from_utf8_lossy(tag).into_owned())
            .collect();
        if !unsupported.is_empty() {
            return Some(Refusal { unsupported, ..Refusal::new(420) });
        }
        self.body_refusal(can)
    }

    /// RFC 3261 section 8.2.3. A body marked `handling=optional` may be passed over.
    fn body_refusal(&self, can: &Abilities<'_>) -> Option<Refusal> {
        if self.body().is_empty() {
            return None;
        }
        let optional = self.first(Name::ContentDisposition).is_some_and(|value| {
            let at = memchr::memchr(b';', value).unwrap_or(value.len());
            super::Params::read(&value[at..]).is_ok_and(|p| p.value("handling") == Some("optional"))
        });
        let encoded = self.list(Name::ContentEncoding).any(|e| !e.eq_ignore_ascii_case(b"identity"));
        let known = self.content_type().is_some_and(|t| can.bodies.iter().any(|b| t.is(b)));
        ((encoded || !known) && !optional).then(|| Refusal::new(415))
    }
}

fn check_top_via(field: &[u8]) -> Result<(), Flaw> {
    let via = Via::read(find_top(field, b',').map_or(field, |at| &field[..at]))?;
    // RFC 4475 section 3.2.1: a branch that promises to be unique and is empty behind the promise.
    if via.branch.is_some_and(|b| b.eq_ignore_ascii_case(Via::COOKIE)) {
        return Err(Flaw::Params);
    }
    Ok(())
}

fn check_contacts(mut rest: &[u8]) -> Result<(), Flaw> {
    loop {
        let (contact, after) = match find_top(rest, b',') {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let star = contact.iter().filter(|b| !is_lws(**b)).eq(b"*");
        if !star {
            NameAddr::read(contact)?;
        }
        match after {
            Some(after) => rest = after,
            None => return Ok(()),
        }
    }
}
