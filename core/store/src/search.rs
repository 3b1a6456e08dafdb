//! Pages of the call log: the newest first, of one kind, and with a word in them.
//!
//! Three letters or more are found by an index of all parts of three letters (SQLite's FTS5, `trigram`); fewer are looked
//! for from the newest row on, which ends as soon as a page is full.

use book::fold;
use rusqlite::types::ToSql;

use crate::calls::{COLUMNS, row};
use crate::{CallKey, CallRow, Millis, Store, StoreError};

/// Rows of one page, at most.
const MOST: usize = 500;
/// What of a typed word is looked at.
const LONGEST_WORD: usize = 100;

/// Which calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// All.
    #[default]
    All,
    /// Those that nobody took here.
    Missed,
    /// Those that came.
    In,
    /// Those that were made.
    Out,
}

/// Which rows are wanted.
#[derive(Clone, Default)]
pub struct Filter {
    /// Which calls.
    pub kind: Kind,
    /// Part of a number, a name, or a URI; empty: any.
    pub text: String,
    /// With this number alone.
    pub number: Option<String>,
    /// By this account alone.
    pub account: Option<String>,
    /// Begun at that time or later.
    pub since: Option<Millis>,
    /// Begun before that time.
    pub until: Option<Millis>,
}

/// Which part of what is found.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Older than this row; `None`: from the newest on.
    pub before: Option<CallKey>,
    /// Rows at most; 500 is the most.
    pub rows: usize,
}

impl Page {
    /// The first rows.
    pub fn first(rows: usize) -> Self {
        Self { before: None, rows }
    }

    /// Those after the ones that end with `last`.
    pub fn after(last: CallKey, rows: usize) -> Self {
        Self { before: Some(last), rows }
    }
}

impl Store {
    /// Rows that `filter` lets through, the newest first.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn calls(&self, filter: &Filter, page: Page) -> Result<Vec<CallRow>, StoreError> {
        let mut rows = Vec::new();
        self.each_call(filter, page, &mut |row| rows.push(row))?;
        Ok(rows)
    }

    /// The same, each as it comes.
    pub(crate) fn each_call(
        &self,
        filter: &Filter,
        page: Page,
        each: &mut dyn FnMut(CallRow),
    ) -> Result<(), StoreError> {
        self.while_calls(filter, page.before, page.rows.min(MOST), &mut |row| {
            each(row);
            true
        })
    }

    /// The same, until `go_on` says no, `most` at most.
    pub(crate) fn while_calls(
        &self,
        filter: &Filter,
        before: Option<CallKey>,
        most: usize,
        go_on: &mut dyn FnMut(CallRow) -> bool,
    ) -> Result<(), StoreError> {
        let text: String = typed(&filter.text).chars().take(LONGEST_WORD).collect();
        let by_index = text.chars().count() >= 3;
        let (phrase, pattern) = (phrase(&text), pattern(&text));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut what: Vec<(&str, &dyn ToSql)> = Vec::new();
        let mut clauses = vec!["1"];
        match filter.kind {
            Kind::All => {}
            Kind::Missed => clauses.push("missed = 1"),
            Kind::In => clauses.push("outgoing = 0"),
            Kind::Out => clauses.push("outgoing = 1"),
        }
        if by_index {
            // The index is without places: three letters each, and where they stand is for `LIKE` to say.
            clauses.push("call_words MATCH :phrase");
            what.push((":phrase", &phrase));
        }
        if !text.is_empty() {
            clauses.push("call.words LIKE :pattern ESCAPE '\\'");
            what.push((":pattern", &pattern));
        }
        if let Some(number) = &filter.number {
            clauses.push("call.number = :number");
            what.push((":number", number));
        }
        if let Some(account) = &filter.account {
            clauses.push("account = :account");
            what.push((":account", account));
        }
        if let Some(since) = &filter.since {
            clauses.push("started_at >= :since");
            what.push((":since", since));
        }
        if let Some(until) = &filter.until {
            clauses.push("started_at < :until");
            what.push((":until", until));
        }
        if let Some(CallKey(before)) = &before {
            clauses.push(if by_index { "call_words.rowid < :before" } else { "call.id < :before" });
            what.push((":before", before));
        }
        what.push((":most", &most));
        let (from, order) = if by_index {
            ("call_words JOIN call ON call.id = call_words.rowid", "call_words.rowid")
        } else {
            ("call", "call.id")
        };
        let ask = format!(
            "SELECT {COLUMNS} FROM {from} WHERE {} ORDER BY {order} DESC LIMIT :most",
            clauses.join(" AND ")
        );
        let mut ask = self.connection.prepare_cached(&ask)?;
        let mut rows = ask.query(&what[..])?;
        while let Some(found) = rows.next()? {
            if !go_on(row(found)?) {
                break;
            }
        }
        Ok(())
    }
}

/// All parts of three letters of what was typed, each as a phrase of FTS5: an index without places knows no longer ones.
fn phrase(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let parts = letters.windows(3).map(|part| {
        let part: String = part.iter().collect();
        format!("\"{}\"", part.replace('"', "\"\""))
    });
    parts.collect::<Vec<_>>().join(" AND ")
}

/// What was typed, as the index has it: a number without what people put between its digits.
fn typed(text: &str) -> String {
    let text = text.trim();
    let between = |letter: char| matches!(letter, ' ' | '-' | '.' | '/' | '(' | ')');
    if text.chars().all(|letter| letter.is_ascii_digit() || letter == '+' || between(letter)) {
        text.chars().filter(|letter| !between(*letter)).collect()
    } else {
        fold(text)
    }
}

/// What was typed, as a pattern of LIKE.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
