//! Pages of the call log: the newest first, of one kind, and with a word in them.
//!
//! Three letters or more are found by an index of all parts of three letters (SQLite's FTS5, `trigram`). Fewer are looked
//! for in the newest rows, which fill a page as a rule; what is not in there is rare, and found by the parts that begin so.

use std::ops::Range;

use book::fold;
use rusqlite::types::ToSql;

use crate::calls::{COLUMNS, row};
use crate::{CallKey, CallRow, Millis, Store, StoreError};

/// Rows of one page, at most.
const MOST: usize = 500;
/// What of a typed word is looked at.
const LONGEST_WORD: usize = 100;
/// Rows in which few letters are looked for one by one.
const NEAR: i64 = 5000;

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
        let before = before.map_or(i64::MAX, |CallKey(id)| id);
        let mut most = i64::try_from(most).unwrap_or(i64::MAX);
        if !matches!(text.chars().count(), 1 | 2) {
            let way = if text.is_empty() { Way::Rows } else { Way::Parts };
            return self.ask(filter, &text, way, i64::MIN..before, most, go_on);
        }
        let newest: Option<i64> =
            self.connection.prepare_cached("SELECT max(id) FROM call")?.query_one([], |row| row.get(0))?;
        let near = before.min(newest.unwrap_or(0).saturating_add(1)).saturating_sub(NEAR);
        let mut goes_on = true;
        self.ask(filter, &text, Way::Rows, near..before, most, &mut |row| {
            most -= 1;
            goes_on = go_on(row);
            goes_on
        })?;
        if goes_on && most > 0 {
            self.ask(filter, &text, Way::Beginnings, i64::MIN..near, most, go_on)?;
        }
        Ok(())
    }

    /// Those of `ids`, found by one way.
    fn ask(
        &self,
        filter: &Filter,
        text: &str,
        way: Way,
        ids: Range<i64>,
        most: i64,
        go_on: &mut dyn FnMut(CallRow) -> bool,
    ) -> Result<(), StoreError> {
        let (phrase, beyond) = (phrase(text), format!("{text}{}", char::MAX));
        let mut what: Vec<(&str, &dyn ToSql)> =
            vec![(":from", &ids.start), (":before", &ids.end), (":most", &most)];
        let (from, id) = match way {
            Way::Rows | Way::Beginnings => ("call", "call.id"),
            Way::Parts => ("call_words JOIN call ON call.id = call_words.rowid", "call_words.rowid"),
        };
        let mut clauses = vec![format!("{id} >= :from AND {id} < :before")];
        match way {
            Way::Rows => {}
            // The index is without places: three letters each, and where they stand is for `instr` to say.
            Way::Parts => {
                clauses.push("call_words MATCH :phrase".into());
                what.push((":phrase", &phrase));
            }
            Way::Beginnings => {
                clauses.push(
                    "call.id IN (SELECT doc FROM call_part WHERE term >= :text AND term < :beyond)".into(),
                );
                what.push((":beyond", &beyond));
            }
        }
        if !text.is_empty() {
            // Both are folded.
            clauses.push("instr(call.words, :text)".into());
            what.push((":text", &text));
        }
        match filter.kind {
            Kind::All => {}
            Kind::Missed => clauses.push("missed = 1".into()),
            Kind::In => clauses.push("outgoing = 0".into()),
            Kind::Out => clauses.push("outgoing = 1".into()),
        }
        if let Some(number) = &filter.number {
            clauses.push("call.number = :number".into());
            what.push((":number", number));
        }
        if let Some(account) = &filter.account {
            clauses.push("account = :account".into());
            what.push((":account", account));
        }
        if let Some(since) = &filter.since {
            clauses.push("started_at >= :since".into());
            what.push((":since", since));
        }
        if let Some(until) = &filter.until {
            clauses.push("started_at < :until".into());
            what.push((":until", until));
        }
        let ask = format!(
            "SELECT {COLUMNS} FROM {from} WHERE {} ORDER BY {id} DESC LIMIT :most",
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

/// How rows with a text are found.
#[derive(Clone, Copy)]
enum Way {
    /// One after the other.
    Rows,
    /// By the index of parts.
    Parts,
    /// By the beginnings of such parts.
    Beginnings,
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
