//! The `name=value, name="value"` list behind the word `Digest`. RFC 7616 section 3.3, RFC 3261 section 25.1.

use std::borrow::Cow;

use super::MAX_TEXT;

/// Parameters of a digest header field, checked for shape.
pub(super) struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// `None`: another scheme, or no such list.
    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        if text.len() > MAX_TEXT * 4 || !text.get(..6)?.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let list = &text[6..];
        list.starts_with(char::is_whitespace).then_some(())?;
        let mut rest = list;
        while let Some((_, after)) = next(rest)? {
            rest = after;
        }
        Some(Self(list))
    }

    /// The first parameter of a name, without quotes and escapes.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.0;
        while let Some(Some(((found, value), after))) = next(rest) {
            if found.eq_ignore_ascii_case(name) {
                let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                return Some(match inner {
                    Some(quoted) if quoted.contains('\\') => Cow::Owned(unescape(quoted)),
                    Some(quoted) => Cow::Borrowed(quoted),
                    None => Cow::Borrowed(value),
                });
            }
            rest = after;
        }
        None
    }
}

fn unescape(quoted: &str) -> String {
    let mut out = String::with_capacity(quoted.len());
    let mut escaped = false;
    for c in quoted.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

type Pair<'a> = (&'a str, &'a str);

/// The next pair and what follows it: outer `None` for a flaw, inner for the end.
#[expect(clippy::option_option, reason = "a flaw and the end are two things")]
fn next(text: &str) -> Option<Option<(Pair<'_>, &str)>> {
    let text = text.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    if text.is_empty() {
        return Some(None);
    }
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim_start());
    if name.is_empty() || name.contains([',', '"']) {
        return None;
    }
    let end = if value.starts_with('"') {
        let mut escaped = false;
        let close = value.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        })?;
        close.0 + 1
    } else {
        value.find(',').unwrap_or(value.len())
    };
    let (value, after) = value.split_at(end);
    Some(Some(((name, value.trim_end()), after)))
}

/// A value as a quoted string.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars().filter(|c| !c.is_control()) {
            if c == '"' || c == '\\' {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}
