//! The header fields that one extension or another reads: numbers, option tags, events, timers.
//!
//! RFC 3262, 3326, 3515, 3891, 4028, 6665 beside RFC 3261. `None` is "absent or unreadable", which these RFCs and RFC 4475
//! let be treated alike; where it matters, ask [`Message::first`].

use std::borrow::Cow;

use super::lex::{self, Params, number, token_end, trim, trim_start, utf8};
use super::{Flaw, HeaderError, Message, Method, Name};

/// A Content-Type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// `type/subtype`, as written.
    pub essence: &'a str,
    /// `boundary`, `charset`...
    pub params: Params<'a>,
}

impl MediaType<'_> {
    /// Whether it is that `type/subtype`, case aside.
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }
}

/// An RAck: which reliable provisional a PRACK is for. RFC 3262 section 7.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The provisional's RSeq.
    pub rseq: u32,
    /// The CSeq number of the request it answered.
    pub cseq: u32,
    /// The method of that request.
    pub method: Method,
}

/// Who refreshes a session. RFC 4028 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The sender of the request.
    Uac,
    /// Its receiver.
    Uas,
}

/// A Session-Expires. RFC 4028 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The session's life without a refresh.
    pub seconds: u32,
    /// Who keeps it alive, when already said.
    pub refresher: Option<Refresher>,
}

/// A Replaces: the dialog to be taken over, from its receiver's side. RFC 3891 section 6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces<'a> {
    /// Its Call-ID.
    pub call_id: &'a str,
    /// The tag of the side that receives this.
    pub to_tag: &'a str,
    /// The other side's tag.
    pub from_tag: &'a str,
    /// Only while that dialog is early.
    pub early_only: bool,
}

impl<'a> Replaces<'a> {
    /// Reads a value, also one unescaped from a Refer-To URI.
    ///
    /// # Errors
    /// Not a Call-ID with both tags.
    pub fn read(text: &'a [u8]) -> Result<Self, Flaw> {
        let text = trim(text);
        let end = memchr::memchr(b';', text).unwrap_or(text.len());
        let call_id = utf8(trim(&text[..end]))?;
        let params = Params::read(&text[end..])?;
        match (call_id, params.value("to-tag"), params.value("from-tag")) {
            ("", _, _) => Err(Flaw::Syntax),
            (call_id, Some(to_tag), Some(from_tag)) => {
                Ok(Self { call_id, to_tag, from_tag, early_only: params.has("early-only") })
            }
            _ => Err(Flaw::Params),
        }
    }
}

/// An Event: package and subscription. RFC 6665 section 8.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// `refer`, `message-summary`, `presence`...
    pub package: &'a str,
    /// Tells several subscriptions of one dialog apart.
    pub id: Option<&'a str>,
    /// All parameters.
    pub params: Params<'a>,
}

/// A Subscription-State. RFC 6665 section 4.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionState<'a> {
    /// `active`, `pending`, `terminated`.
    pub state: &'a str,
    /// What is left, in seconds.
    pub expires: Option<u32>,
    /// Why it ended.
    pub reason: Option<&'a str>,
    /// When to try again, in seconds.
    pub retry_after: Option<u32>,
}

/// One Reason. RFC 3326.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850`...
    pub protocol: &'a str,
    /// A status or a Q.850 cause.
    pub cause: Option<u16>,
    /// For people.
    pub text: Option<Cow<'a, str>>,
}

/// A word and its parameters: the shape of most extension fields.
fn word(text: &[u8]) -> Option<(&str, Params<'_>)> {
    let text = trim(text);
    let end = memchr::memchr(b';', text).unwrap_or(text.len());
    let word = utf8(trim(&text[..end])).ok().filter(|w| !w.is_empty())?;
    Some((word, Params::read(&text[end..]).ok()?))
}

impl<B: AsRef<[u8]>> Message<B> {
    /// A field that is one number.
    pub fn number(&self, name: Name) -> Option<u32> {
        number(self.first(name)?).ok()
    }

    /// Max-Forwards; beyond 255 counts as absent (RFC 4475 section 3.1.2.4).
    pub fn max_forwards(&self) -> Option<u8> {
        self.number(Name::MaxForwards).and_then(|n| u8::try_from(n).ok())
    }

    /// Expires in seconds; beyond 32 bits counts as absent.
    pub fn expires(&self) -> Option<u32> {
        self.number(Name::Expires)
    }

    /// Min-Expires in seconds.
    pub fn min_expires(&self) -> Option<u32> {
        self.number(Name::MinExpires)
    }

    /// Content-Length as written. The body is measured already: [`Message::body`].
    pub fn content_length(&self) -> Option<u32> {
        self.number(Name::ContentLength)
    }

    /// RSeq. RFC 3262.
    pub fn rseq(&self) -> Option<u32> {
        self.number(Name::RSeq)
    }

    /// Retry-After in seconds, its comment and parameters aside.
    pub fn retry_after(&self) -> Option<u32> {
        let text = self.first(Name::RetryAfter)?;
        number(&text[..token_end(text)]).ok()
    }

    /// Content-Type.
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        let (essence, params) = word(self.first(Name::ContentType)?)?;
        Some(MediaType { essence, params })
    }

    /// Whether the body is of that type; an absent Content-Type is of none.
    pub fn is_body(&self, essence: &str) -> bool {
        self.content_type().is_some_and(|t| t.is(essence))
    }

    /// Whether Supported lists that option tag.
    pub fn supports(&self, option: &str) -> bool {
        self.lists(Name::Supported, option)
    }

    /// Whether Require lists that option tag.
    pub fn requires(&self, option: &str) -> bool {
        self.lists(Name::Require, option)
    }

    /// Whether Allow lists that method; `None` when there is no Allow.
    pub fn allows(&self, method: &Method) -> Option<bool> {
        self.has(Name::Allow).then(|| self.list(Name::Allow).any(|m| m == method.as_str().as_bytes()))
    }

    /// Whether a list field holds that word, case and parameters aside.
    pub fn lists(&self, name: Name, wanted: &str) -> bool {
        self.list(name).any(|value| {
            let end = memchr::memchr(b';', value).unwrap_or(value.len());
            trim(&value[..end]).eq_ignore_ascii_case(wanted.as_bytes())
        })
    }

    /// RAck.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn rack(&self) -> Result<RAck, HeaderError> {
        let text = self.require(Name::RAck)?;
        let read = || {
            let end = token_end(text);
            let cseq = super::CSeq::read(&text[end..])?;
            Ok(RAck { rseq: number(&text[..end])?, cseq: cseq.number, method: cseq.method })
        };
        read().map_err(|flaw| HeaderError::Field(Name::RAck, flaw))
    }

    /// Session-Expires.
    pub fn session_expires(&self) -> Option<SessionExpires> {
        let (seconds, params) = word(self.first(Name::SessionExpires)?)?;
        let refresher = match params.value("refresher") {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        };
        Some(SessionExpires { seconds: number(seconds.as_bytes()).ok()?, refresher })
    }

    /// Min-SE in seconds.
    pub fn min_se(&self) -> Option<u32> {
        number(word(self.first(Name::MinSe)?)?.0.as_bytes()).ok()
    }

    /// Replaces.
    ///
    /// # Errors
    /// Missing, malformed, or there twice, which RFC 3891 section 3 wants answered 400.
    pub fn replaces(&self) -> Result<Replaces<'_>, HeaderError> {
        let flaw = |flaw| HeaderError::Field(Name::Replaces, flaw);
        let text = self.require(Name::Replaces)?;
        if self.all(Name::Replaces).count() > 1 {
            return Err(flaw(Flaw::Repeated));
        }
        Replaces::read(text).map_err(flaw)
    }

    /// Event.
    pub fn event(&self) -> Option<Event<'_>> {
        let (package, params) = word(self.first(Name::Event)?)?;
        Some(Event { package, id: params.value("id"), params })
    }

    /// Subscription-State.
    pub fn subscription_state(&self) -> Option<SubscriptionState<'_>> {
        let (state, params) = word(self.first(Name::SubscriptionState)?)?;
        let seconds = |name| number(params.value(name)?.as_bytes()).ok();
        Some(SubscriptionState {
            state,
            expires: seconds("expires"),
            reason: params.value("reason"),
            retry_after: seconds("retry-after"),
        })
    }

    /// All Reasons that can be read.
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'_>> {
        self.list(Name::Reason).filter_map(|value| {
            let (protocol, params) = word(value)?;
            Some(Reason {
                protocol,
                cause: params.value("cause").and_then(|c| c.parse().ok()),
                text: params.get("text").map(|p| p.unquoted()),
            })
        })
    }

    /// Warnings as RFC 3261 section 20.43 writes them: code and text.
    pub fn warnings(&self) -> impl Iterator<Item = (u16, Cow<'_, str>)> {
        self.list(Name::Warning).filter_map(|value| {
            let end = token_end(value);
            let code = number(&value[..end]).ok().filter(|c| (100..=999).contains(c))?;
            let rest = utf8(trim_start(&value[end..])).ok()?;
            let text = &rest[rest.find('"')?..];
            Some((code as u16, lex::unquote(text)))
        })
    }
}
