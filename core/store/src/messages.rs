//! Text messages, beside the log of calls: one row each, in threads by number. RFC 3428.
//!
//! A message of ours is there before it is sent, as `Queued`, until it is known what became of it; a phone that begins anew
//! goes on with those.

use std::fmt;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use crate::{Direction, Millis, Store, StoreError};

/// Rows of one page, at most.
const MOST: usize = 500;
/// Why a message failed that a phone has left and none has taken up in time.
const TOO_LATE: &str = "It could not be sent in time.";

/// Names one message; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MessageKey(pub i64);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// It came.
    Came,
    /// Ours: on its way, or waiting for it to be free.
    Queued,
    /// Ours: the other side, or who keeps it for them, has it.
    Sent,
    /// Ours: it did not arrive.
    Failed,
}

impl Delivery {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Came => "came",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "came" => Self::Came,
            "queued" => Self::Queued,
            "sent" => Self::Sent,
            _ => Self::Failed,
        }
    }
}

/// A message as it comes or is sent.
#[derive(Clone, PartialEq)]
pub struct NewMessage {
    /// The account's address of record.
    pub account: String,
    /// Who wrote to whom. One that came is there at once; one of ours waits for its [`Delivery`].
    pub direction: Direction,
    /// The other side's URI, or what was typed.
    pub remote: String,
    /// The number or user name in it: what threads are made by.
    pub number: String,
    /// What the other side calls itself.
    pub name: Option<String>,
    /// What it says.
    pub text: String,
    /// When.
    pub at: Millis,
}

/// A kept message.
#[derive(Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `NewMessage`")]
pub struct MessageRow {
    pub id: MessageKey,
    pub account: String,
    pub direction: Direction,
    pub remote: String,
    pub number: String,
    pub name: Option<String>,
    pub contact: Option<String>,
    pub text: String,
    pub at: Millis,
    pub delivery: Delivery,
    pub status: Option<u16>,
    pub reason: Option<String>,
    pub seen: bool,
}

/// All messages with one number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thread {
    /// The newest.
    pub newest: MessageRow,
    /// How many there are.
    pub messages: usize,
    /// How many of them the person has not seen.
    pub unseen: usize,
}

/// Without whom it was with, and what it says.
impl fmt::Debug for MessageRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Without whom it is with, and what it says.
impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage").field("direction", &self.direction).finish_non_exhaustive()
    }
}

/// In the order that [`row`] reads.
pub(crate) const COLUMNS: &str =
    "id, account, outgoing, remote, number, name, contact, text, at, delivery, status, reason, seen";

pub(crate) fn row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        id: MessageKey(row.get(0)?),
        account: row.get(1)?,
        direction: if row.get(2)? { Direction::Out } else { Direction::In },
        remote: row.get(3)?,
        number: row.get(4)?,
        name: row.get(5)?,
        contact: row.get(6)?,
        text: row.get(7)?,
        at: row.get(8)?,
        delivery: Delivery::of(row.get_ref(9)?.as_str()?),
        status: row.get(10)?,
        reason: row.get(11)?,
        seen: row.get(12)?,
    })
}

impl Store {
    /// Keeps a message, with what the phone book calls the other side.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn put_message(&self, message: &NewMessage) -> Result<MessageKey, StoreError> {
        let contact = self.contact_of(&message.number, &message.remote)?;
        let outgoing = message.direction == Direction::Out;
        let delivery = if outgoing { Delivery::Queued } else { Delivery::Came };
        let mut put = self.connection.prepare_cached(
            "INSERT INTO message (account, outgoing, remote, number, name, contact, text, at, delivery, seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?2)",
        )?;
        put.execute(params![
            message.account,
            outgoing,
            message.remote,
            message.number,
            message.name,
            contact,
            message.text,
            message.at,
            delivery.word(),
        ])?;
        Ok(MessageKey(self.connection.last_insert_rowid()))
    }

    /// What became of a message of ours; `reason`, a sentence, where it failed.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn note_message(
        &self,
        key: MessageKey,
        delivery: Delivery,
        status: Option<u16>,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut put = self
            .connection
            .prepare_cached("UPDATE message SET delivery = ?2, status = ?3, reason = ?4 WHERE id = ?1")?;
        put.execute(params![key.0, delivery.word(), status, reason])?;
        Ok(())
    }

    /// Gives up the messages that were written before `since` and are still queued; how many those were.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn give_up_messages(&self, since: Millis) -> Result<usize, StoreError> {
        let mut put = self.connection.prepare_cached(
            "UPDATE message SET delivery = 'failed', reason = ?1 WHERE delivery = 'queued' AND at < ?2",
        )?;
        Ok(put.execute(params![TOO_LATE, since])?)
    }

    /// The messages that are still queued, the oldest first: 500 at most.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn queued_messages(&self) -> Result<Vec<MessageRow>, StoreError> {
        let mut ask = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM message WHERE delivery = 'queued' ORDER BY id LIMIT ?1"
        ))?;
        let found = ask.query_map([MOST as i64], row)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The messages with one number, or with all, the newest first: those before `before`, at most `rows` (500 is the most).
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn messages(
        &self,
        number: Option<&str>,
        before: Option<MessageKey>,
        rows: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut ask = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM message WHERE (?1 IS NULL OR number = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3"
        ))?;
        let before = before.map_or(i64::MAX, |key| key.0);
        let found = ask.query_map(params![number, before, rows.min(MOST) as i64], row)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// One thread a number, the one that was written in last first.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn threads(&self, rows: usize) -> Result<Vec<Thread>, StoreError> {
        let mut ask = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS}, thread.messages, thread.unseen FROM message JOIN (
                SELECT max(id) AS newest, count(*) AS messages, sum(seen = 0) AS unseen FROM message GROUP BY number
             ) AS thread ON id = thread.newest ORDER BY id DESC LIMIT ?1"
        ))?;
        let found = ask.query_map([rows.min(MOST) as i64], |it| {
            let (messages, unseen): (u32, u32) = (it.get(13)?, it.get(14)?);
            Ok(Thread { newest: row(it)?, messages: messages as usize, unseen: unseen as usize })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// How many messages the person has not seen.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn unseen_messages(&self) -> Result<usize, StoreError> {
        let mut count = self.connection.prepare_cached("SELECT count(*) FROM message WHERE seen = 0")?;
        Ok(count.query_row([], |row| row.get::<_, u32>(0))? as usize)
    }

    /// The person has seen what came from a number; how many messages those were.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn mark_messages_seen(&self, number: &str) -> Result<usize, StoreError> {
        let mut put =
            self.connection.prepare_cached("UPDATE message SET seen = 1 WHERE number = ?1 AND seen = 0")?;
        Ok(put.execute([number])?)
    }

    /// Forgets the messages with one number, or all of them; how many those were.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn forget_messages(&self, number: Option<&str>) -> Result<usize, StoreError> {
        let mut gone =
            self.connection.prepare_cached("DELETE FROM message WHERE ?1 IS NULL OR number = ?1")?;
        let gone = gone.execute([number])?;
        self.wipe_log()?;
        Ok(gone)
    }

    /// Forgets one message; false: there was none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn forget_message(&self, key: MessageKey) -> Result<bool, StoreError> {
        let gone = self.connection.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([key.0])?;
        self.wipe_log()?;
        Ok(gone > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Opened;

    fn message(number: &str, direction: Direction, text: &str, at: Millis) -> NewMessage {
        NewMessage {
            account: "sip:1001@offhook.test".into(),
            direction,
            remote: format!("sip:{number}@offhook.test"),
            number: number.into(),
            name: None,
            text: text.into(),
            at,
        }
    }

    #[test]
    fn messages_are_kept_in_threads_with_what_became_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Store::open(&folder.path().join("phone.db")).unwrap();
        let hi = store.put_message(&message("1002", Direction::Out, "hi", 1)).unwrap();
        store.put_message(&message("1003", Direction::In, "call me", 2)).unwrap();
        store.put_message(&message("1002", Direction::In, "hello", 3)).unwrap();
        let lost = store.put_message(&message("1003", Direction::Out, "later", 4)).unwrap();
        store.note_message(hi, Delivery::Sent, Some(200), None).unwrap();
        assert_eq!(store.queued_messages().unwrap()[0].text, "later");
        assert_eq!((store.give_up_messages(4).unwrap(), store.give_up_messages(5).unwrap()), (0, 1));
        assert_eq!(store.queued_messages().unwrap(), []);

        let threads = store.threads(10).unwrap();
        let seen: Vec<_> =
            threads.iter().map(|it| (&*it.newest.number, &*it.newest.text, it.messages, it.unseen)).collect();
        assert_eq!(seen, [("1003", "later", 2, 1), ("1002", "hello", 2, 1)]);
        let thread = store.messages(Some("1002"), None, 10).unwrap();
        let states: Vec<_> = thread.iter().map(|it| (&*it.text, it.delivery)).collect();
        assert_eq!(states, [("hello", Delivery::Came), ("hi", Delivery::Sent)]);
        assert_eq!(store.messages(None, Some(lost), 1).unwrap()[0].text, "hello");
        let failed = &store.messages(Some("1003"), None, 1).unwrap()[0];
        assert_eq!((failed.delivery, failed.reason.as_deref()), (Delivery::Failed, Some(TOO_LATE)));

        assert_eq!(store.mark_messages_seen("1003").unwrap(), 1);
        assert_eq!(store.threads(10).unwrap()[0].unseen, 0);
        assert_eq!(store.forget_messages(Some("1003")).unwrap(), 2);
        assert_eq!(store.messages(None, None, 10).unwrap().len(), 2);
    }

    #[test]
    fn a_message_has_the_name_that_the_phone_book_had_then() {
        let folder = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Store::open(&folder.path().join("phone.db")).unwrap();
        let number = book::Number { text: "1002".into(), kind: String::new(), normal: None };
        let contact = book::Contact {
            id: book::ContactId(0),
            names: vec!["Bob".into()],
            numbers: vec![number],
            weight: 0,
        };
        let id = store.put_contact("", 0, "bob", None, &contact).unwrap();
        store.put_message(&message("1002", Direction::In, "hi", 1)).unwrap();
        store.remove_contact(id).unwrap();
        assert_eq!(store.messages(None, None, 1).unwrap()[0].contact.as_deref(), Some("Bob"));
    }
}
