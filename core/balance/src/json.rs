//! A place in a JSON text, by its pointer (RFC 6901), as the text stands there: numbers keep every digit.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::amount::Amount;
use crate::reading::Unread;

/// A value that was read only as far as was asked.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// A whole text.
    pub(crate) fn of(text: &'a str) -> Result<Self, Unread> {
        let whole: &RawValue = serde_json::from_str(text).map_err(|_| Unread::NotSo)?;
        Ok(Self(whole.get()))
    }

    /// What stands at `pointer`.
    pub(crate) fn at(self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut place = self.0;
        for step in pointer.strip_prefix('/')?.split('/') {
            let name = step.replace("~1", "/").replace("~0", "~");
            place = if place.starts_with('{') {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(place).ok()?;
                members.get(&name)?.get()
            } else {
                let members: Vec<&RawValue> = serde_json::from_str(place).ok()?;
                members.get(name.parse::<usize>().ok()?)?.get()
            };
        }
        Some(Self(place))
    }

    pub(crate) fn text(self) -> Option<String> {
        serde_json::from_str(self.0).ok()
    }

    pub(crate) fn integer(self) -> Option<i64> {
        serde_json::from_str(self.0).ok()
    }

    /// A string without its quotes and escapes, anything else as it is written.
    pub(crate) fn as_it_stands(self) -> String {
        self.text().unwrap_or_else(|| self.0.to_owned())
    }

    /// A number, or a string of one, to its last digit.
    pub(crate) fn amount(self) -> Result<Amount, Unread> {
        let text = self.text();
        text.as_deref().unwrap_or(self.0).parse().map_err(|_| Unread::NoAmount)
    }
}
