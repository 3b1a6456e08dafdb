//! Where in an answer something stands: by JSON pointer (RFC 6901), by a path of XML elements, by a regular expression, or
//! all of it.
//!
//! Expressions are of the linear kind: none takes longer than its text. Knows not what stands there.

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};

use crate::MAX_ANSWER;
use crate::json::Json;
use crate::reading::Unread;

/// Largest compiled expression, in bytes.
const LARGEST_REGEX: usize = 64 * 1024;
/// Bytes in which a web page says what it is, if it is one.
const PAGE_HEAD: usize = 1024;

/// A place in an answer.
#[derive(Clone, Debug)]
pub enum Place {
    /// A pointer: `/account/seconds`.
    Json(String),
    /// Names of elements from the root on, the last perhaps `@attribute`: `response/account/@seconds`.
    Xml(String),
    /// The first group of an expression, or what it matches if it has none.
    Text(Regex),
    /// The answer is it.
    Whole,
}

impl Place {
    /// By an expression.
    ///
    /// # Errors
    /// - [`Unread::BadExpression`]: show it beside the field.
    pub fn text(expression: &str) -> Result<Self, Unread> {
        self::expression(expression).map(Self::Text)
    }

    /// What stands there.
    pub(crate) fn find(&self, answer: &str) -> Result<String, Unread> {
        match self {
            Self::Json(pointer) => Json::of(answer)?.at(pointer).map(Json::as_it_stands),
            Self::Xml(path) => {
                let document = roxmltree::Document::parse(answer).map_err(|_| Unread::NotSo)?;
                element(&document, path)
            }
            Self::Text(expression) => expression
                .captures(answer)
                .and_then(|found| found.get(1).or(found.get(0)))
                .map(|it| it.as_str().trim().to_owned()),
            Self::Whole => Some(answer.to_owned()),
        }
        .ok_or(Unread::NoSuchField)
    }
}

pub(crate) fn expression(text: &str) -> Result<Regex, Unread> {
    RegexBuilder::new(text).size_limit(LARGEST_REGEX).build().map_err(|_| Unread::BadExpression)
}

/// An answer as text, unless it is none: too long, or a web page, which is what a login page in the way looks like.
pub(crate) fn text(answer: &[u8]) -> Result<Cow<'_, str>, Unread> {
    if answer.len() > MAX_ANSWER {
        return Err(Unread::TooLong);
    }
    let text = match String::from_utf8_lossy(answer) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}').trim()),
        Cow::Owned(text) => Cow::Owned(text.trim_start_matches('\u{feff}').trim().to_owned()),
    };
    // Comments, an XML declaration or a document type may stand before it.
    let head = text.as_bytes().get(..PAGE_HEAD.min(text.len())).unwrap_or_default().to_ascii_lowercase();
    let says = |word: &[u8]| head.windows(word.len()).any(|it| it == word);
    if head.first() == Some(&b'<') && (says(b"<!doctype html") || says(b"<html")) {
        return Err(Unread::WebPage);
    }
    Ok(text)
}

/// The text of the first element, or attribute, by that path.
pub(crate) fn element(document: &roxmltree::Document<'_>, path: &str) -> Option<String> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    let mut node = document.root_element();
    if names.next()? != node.tag_name().name() {
        return None;
    }
    for name in names {
        if let Some(attribute) = name.strip_prefix('@') {
            return node.attribute(attribute).map(str::to_owned);
        }
        node = node.children().find(|child| child.is_element() && child.tag_name().name() == name)?;
    }
    node.text().map(|text| text.trim().to_owned())
}
