//! The words that header fields are made of: tokens, LWS, quoted strings, parameters, lists. RFC 3261 section 25.1.
//!
//! Inside a field value CR and LF can only be a fold, so LWS here is any of SP, HT, CR, LF.

use std::borrow::Cow;
use std::str;

use super::{Flaw, Name};

/// Whether `text` is one or more token characters.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| TOKEN[b as usize])
}

/// `token` of RFC 3261 section 25.1, by byte.
pub(crate) static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        table[b] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        b += 1;
    }
    table
};

pub(crate) const fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_lws(*first)
    {
        text = rest;
    }
    text
}

pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let [rest @ .., last] = text
        && is_lws(*last)
    {
        text = rest;
    }
    text
}

/// `text` as UTF-8.
pub(crate) fn utf8(text: &[u8]) -> Result<&str, Flaw> {
    str::from_utf8(text).map_err(|_| Flaw::Text)
}

/// Digits only, and small enough; anything else, a sign included, is a flaw.
pub(crate) fn number(text: &[u8]) -> Result<u32, Flaw> {
    if text.is_empty() {
        return Err(Flaw::Number);
    }
    if text.len() < 10 && text.iter().all(u8::is_ascii_digit) {
        return Ok(text.iter().fold(0, |value, b| value * 10 + u32::from(b - b'0')));
    }
    let mut value = 0_u32;
    for &b in text {
        if !b.is_ascii_digit() {
            return Err(Flaw::Number);
        }
        value = value.checked_mul(10).and_then(|v| v.checked_add((b - b'0') as u32)).ok_or(Flaw::Number)?;
    }
    Ok(value)
}

/// Where the token at the start of `text` ends.
pub(crate) fn token_end(text: &[u8]) -> usize {
    text.iter().position(|&b| !TOKEN[b as usize]).unwrap_or(text.len())
}

/// Where the quoted string at the start of `text` ends, its quotes included.
pub(crate) fn quoted_end(text: &[u8]) -> Result<usize, Flaw> {
    let mut at = 1;
    while let Some(&b) = text.get(at) {
        match b {
            b'"' => return Ok(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err(Flaw::Quote)
}

/// The first `stop` outside quotes and angle brackets; where quotes or brackets never close, there is none.
pub(crate) fn find_top(text: &[u8], stop: u8) -> Option<usize> {
    let first = memchr::memchr(stop, text)?;
    if memchr::memchr2(b'"', b'<', &text[..first]).is_none() {
        return Some(first);
    }
    let mut at = 0;
    while let Some(&b) = text.get(at) {
        at += match b {
            b'"' => quoted_end(&text[at..]).ok()?,
            b'<' => memchr::memchr(b'>', &text[at..])? + 1,
            b if b == stop => return Some(at),
            _ => 1,
        };
    }
    None
}

/// The elements of some field values, split at their top-level commas unless the fields are `whole`, trimmed. Empty ones
/// are kept: judge them.
pub(crate) struct List<'a, I> {
    fields: I,
    rest: Option<&'a [u8]>,
    whole: bool,
}

impl<'a, I: Iterator<Item = &'a [u8]>> List<'a, I> {
    pub(crate) const fn new(fields: I, whole: bool) -> Self {
        Self { fields, rest: None, whole }
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> Iterator for List<'a, I> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let text = match self.rest.take() {
            Some(rest) => rest,
            None => self.fields.next()?,
        };
        match if self.whole { None } else { find_top(text, b',') } {
            Some(at) => {
                self.rest = Some(&text[at + 1..]);
                Some(trim(&text[..at]))
            }
            None => Some(trim(text)),
        }
    }
}

/// A quoted string without its quotes and escapes; anything else as it is.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    Cow::Owned(out)
}

/// `text` as a quoted string: quotes and backslashes escaped, line breaks made spaces.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\r' | '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One parameter: `name`, `name=value` or `name="quoted value"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// As written; compare it ignoring case.
    pub name: &'a str,
    /// As written, quotes and escapes included.
    pub value: Option<&'a str>,
}

impl<'a> Param<'a> {
    /// The value without quotes and escapes; empty when there is none.
    pub fn unquoted(&self) -> Cow<'a, str> {
        unquote(self.value.unwrap_or(""))
    }
}

/// Parameters in their order, separated by semicolons. They were checked when their owner was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// Reads header parameters: `text` is empty or begins with the semicolon before the first. Empty ones are refused.
    ///
    /// # Errors
    /// What is wrong with them: an empty parameter, a quote left open, text that is not UTF-8.
    pub fn read(text: &'a [u8]) -> Result<Self, Flaw> {
        Self::read_with(utf8(text)?, |_| {})
    }

    /// Reads them and shows each as it is met: one walk for those who want several.
    #[inline]
    pub(crate) fn read_with(text: &'a str, mut each: impl FnMut(Param<'a>)) -> Result<Self, Flaw> {
        let text = text.trim_ascii();
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.strip_prefix(';').ok_or(Flaw::Params)?;
            let (param, after) = split_param(rest)?.ok_or(Flaw::Params)?;
            each(param);
            rest = after;
        }
        Ok(Self(text))
    }

    /// URI parameters: `text` as for [`Params::read`], but empty ones are overlooked.
    pub(crate) const fn of_uri(text: &'a str) -> Self {
        Self(text)
    }

    /// The text they were read from, from the first semicolon on.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                rest = rest.strip_prefix(';')?;
                match split_param(rest) {
                    Ok(Some((param, after))) => {
                        rest = after;
                        return Some(param);
                    }
                    Ok(None) => rest = &rest[rest.find(';')?..],
                    Err(_) => return None,
                }
            }
        })
    }

    /// The first of that name, case aside.
    pub fn get(&self, name: &str) -> Option<Param<'a>> {
        if self.0.is_empty() {
            return None;
        }
        self.iter().find(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// The value of the first of that name, as written.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.value
    }

    /// Whether there is one of that name, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// One parameter off the front of `text` (after its semicolon) and what follows, which is empty or begins with a
/// semicolon. `None`: the parameter has no name.
#[allow(clippy::type_complexity)] // a pair with a rest is what a splitter returns
#[inline]
pub(crate) fn split_param(text: &str) -> Result<Option<(Param<'_>, &str)>, Flaw> {
    let bytes = text.as_bytes();
    let skip = |mut at: usize| {
        while at < bytes.len() && bytes[at] <= b' ' && is_lws(bytes[at]) {
            at += 1;
        }
        at
    };
    let word = |from: usize, stops: u8| {
        let rest = bytes.get(from..).unwrap_or(&[]);
        from + rest.iter().position(|&b| STOPS[b as usize] & stops != 0).unwrap_or(rest.len())
    };
    let start = skip(0);
    let end = word(start, STOP_NAME);
    if start == end {
        return if matches!(bytes.get(end), Some(b'=' | b'"')) { Err(Flaw::Params) } else { Ok(None) };
    }
    let name = &text[start..end];
    let mut at = skip(end);
    let mut value = None;
    if bytes.get(at) == Some(&b'=') {
        let start = skip(at + 1);
        let end = if bytes.get(start) == Some(&b'"') {
            start + quoted_end(&bytes[start..])?
        } else {
            word(start, STOP_VALUE)
        };
        value = Some(&text[start..end]);
        at = skip(end);
    }
    match bytes.get(at) {
        None | Some(b';') => Ok(Some((Param { name, value }, &text[at..]))),
        Some(_) => Err(Flaw::Params),
    }
}

const STOP_NAME: u8 = 1;
const STOP_VALUE: u8 = 2;

/// What ends a parameter's name or value.
static STOPS: [u8; 256] = {
    let mut table = [0; 256];
    let both = b"; \t\r\n\"";
    let mut i = 0;
    while i < both.len() {
        table[both[i] as usize] = STOP_NAME | STOP_VALUE;
        i += 1;
    }
    table[b'=' as usize] = STOP_NAME;
    table
};

/// Whether elements of this header field are separated by commas, so that one field may hold several. RFC 3261 section
/// 7.3.1: challenges and credentials hold commas of another kind, free text and dates likewise.
pub(crate) const fn is_list(name: Name) -> bool {
    matches!(
        name,
        Name::Accept
            | Name::AcceptContact
            | Name::AcceptEncoding
            | Name::AcceptLanguage
            | Name::AlertInfo
            | Name::Allow
            | Name::AllowEvents
            | Name::CallInfo
            | Name::Contact
            | Name::ContentEncoding
            | Name::ContentLanguage
            | Name::Diversion
            | Name::ErrorInfo
            | Name::FeatureCaps
            | Name::Geolocation
            | Name::HistoryInfo
            | Name::InReplyTo
            | Name::PAssertedIdentity
            | Name::PAssociatedUri
            | Name::PPreferredIdentity
            | Name::PEarlyMedia
            | Name::Path
            | Name::ProxyRequire
            | Name::Reason
            | Name::RecordRoute
            | Name::RecvInfo
            | Name::RejectContact
            | Name::RemotePartyId
            | Name::RequestDisposition
            | Name::Require
            | Name::Route
            | Name::SecurityClient
            | Name::SecurityServer
            | Name::SecurityVerify
            | Name::ServiceRoute
            | Name::Supported
            | Name::Unsupported
            | Name::UserToUser
            | Name::Via
            | Name::Warning
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, Option<String>)> {
        let params = Params::read(text.as_bytes()).expect(text);
        params.iter().map(|p| (p.name.into(), p.value.map(Into::into))).collect()
    }

    #[test]
    fn parameters_keep_order_and_quoted_separators() {
        let found = pairs("; a = 1;B;c=\"x;y,\\\"z\" ;\r\n d=[::1]");
        let want = [("a", Some("1")), ("B", None), ("c", Some("\"x;y,\\\"z\"")), ("d", Some("[::1]"))];
        assert_eq!(found, want.map(|(n, v)| (n.to_owned(), v.map(str::to_owned))));
        let params = Params::read(b";c=\"x;y,\\\"z\"").expect("well formed");
        assert_eq!(params.get("C").expect("there").unquoted(), "x;y,\"z");
        assert!(!params.has("x"));
    }

    #[test]
    fn empty_or_broken_header_parameters_are_refused() {
        for text in [";", ";;", ";a;;b", ";a;", ";=1", ";a=\"b", ";a b", ";a=b c", "a", ";\"q\"", ";a=\"b\"c"]
        {
            assert!(Params::read(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(Params::read(b";a=\xff"), Err(Flaw::Text));
    }

    #[test]
    fn empty_uri_parameters_are_overlooked() {
        let params = Params::of_uri(";;lr; ;x=1;");
        assert_eq!(params.iter().map(|p| p.name).collect::<Vec<_>>(), ["lr", "x"]);
    }

    #[test]
    fn lists_split_only_at_commas_outside_quotes_and_brackets() {
        let text = b"\"a, \\\" b\" <sip:x,y@h> , c,,d ";
        let split = |text: &'static [u8]| List::new([text].into_iter(), false);
        let parts: Vec<_> = split(text).collect();
        assert_eq!(parts, [&b"\"a, \\\" b\" <sip:x,y@h>"[..], b"c", b"", b"d"]);
        assert_eq!(split(b"\"open, x").count(), 1);
        assert_eq!(List::new([&b"a,b"[..]].into_iter(), true).count(), 1);
    }

    #[test]
    fn quoting_and_unquoting_are_each_others_inverse() {
        for text in ["", "plain", "a \"b\" \\ c", "\u{e9}"] {
            assert_eq!(unquote(&quote(text)), text);
        }
        assert_eq!(quote("a\r\nb"), "\"a  b\"");
        assert_eq!(unquote("\"broken\\\""), "broken\\");
    }

    #[test]
    fn numbers_are_digits_that_fit() {
        assert_eq!(number(b"0068"), Ok(68));
        assert_eq!(number(b"4294967295"), Ok(u32::MAX));
        for text in [&b""[..], b"-1", b"+1", b"4294967296", b"1a", b"\xd9\xa3"] {
            assert_eq!(number(text), Err(Flaw::Number));
        }
    }
}
