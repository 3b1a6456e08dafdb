//! Text messages that are kept, as an app shows them: threads by number, and a thread page by page.
//!
//! They are kept by the core as they come and as [`Phone::message`] sends them; the app keeps none. All of this may wait for
//! a disk: call it from a thread that does not draw. What waits in a provider's mailbox is told by
//! [`crate::Event::Voicemail`].

use std::collections::HashSet;

use offhook_io::clock;
use offhook_io::store::{self, About, AccountKey, Delivery, Draft, MessageKey};

use crate::account::LONGEST;
use crate::error::PhoneError;
use crate::{Phone, Side};

/// Bytes of a draft: longer than what can be sent, as the person may cut it down.
const LONGEST_DRAFT: usize = 64 * 1024;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Delivered {
    /// It came.
    Came,
    /// Ours: on its way, or waiting until there is one.
    OnItsWay,
    /// Ours: the other side, or who keeps it for them, has it.
    Sent,
    /// Ours: it did not arrive. Offer to send it again.
    Failed,
}

/// A kept message.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MessageRecord {
    /// Names it; never given twice. Not the id that `message` returns, which is of one run of the phone.
    pub id: i64,
    /// The address of record of the account that it went over.
    pub account: String,
    /// Who wrote to whom.
    pub side: Side,
    /// The other side's URI, or what was typed: what to write to to answer.
    pub remote: String,
    /// The number or user name in it: what threads are made by.
    pub number: String,
    /// What to show for it: what the phone book called it at the time, else what it called itself.
    pub name: Option<String>,
    /// Whether `name` is the phone book's.
    pub known: bool,
    /// What it says: plain text, a stranger's.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What became of it.
    pub delivered: Delivered,
    /// Why it failed, in English.
    pub sentence: Option<String>,
    /// Whether the person has seen it.
    pub seen: bool,
}

/// All messages with one number.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MessageThread {
    /// The newest.
    pub newest: MessageRecord,
    /// How many there are.
    pub messages: u32,
    /// How many of them the person has not seen.
    pub unseen: u32,
}

/// What the person has begun to write and not sent.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MessageDraft {
    /// To which number, as threads have it.
    pub number: String,
    /// What it says so far.
    pub text: String,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Kept messages.
#[uniffi::export]
impl Phone {
    /// Threads, the one that was written in last first; at most `most` (500 is the most).
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn message_threads(&self, most: u32) -> Result<Vec<MessageThread>, PhoneError> {
        let threads = self.remembered()?.threads(most as usize)?;
        let thread = |it: store::Thread| MessageThread {
            newest: it.newest.into(),
            messages: it.messages as u32,
            unseen: it.unseen as u32,
        };
        Ok(threads.into_iter().map(thread).collect())
    }

    /// The messages with one number, or with all, the newest first: those before the message `before`, at most `rows` (500 is
    /// the most).
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn kept_messages(
        &self,
        number: Option<String>,
        before: Option<i64>,
        rows: u32,
    ) -> Result<Vec<MessageRecord>, PhoneError> {
        let before = before.map(MessageKey);
        let rows = self.remembered()?.messages(number.as_deref(), before, rows as usize)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The person has seen what came from that number. [`crate::Event::Messages`] follows.
    ///
    /// # Errors
    /// `Store`: it cannot be kept: they are told of again.
    pub fn messages_seen(&self, number: String) -> Result<(), PhoneError> {
        self.require_open()?;
        self.handle.on_store(About::Messages, move |store| store.mark_messages_seen(&number))?;
        Ok(())
    }

    /// Forgets the messages with one number, or all, for good, and what was begun to it; how many messages those were.
    /// [`crate::Event::Messages`] follows.
    ///
    /// # Errors
    /// `Store`: nothing was forgotten: say so.
    pub fn forget_messages(&self, number: Option<String>) -> Result<u32, PhoneError> {
        self.require_open()?;
        let forget = move |store: &store::Store| {
            store.forget_drafts(number.as_deref())?;
            store.forget_messages(number.as_deref())
        };
        Ok(self.handle.on_store(About::Messages, forget)? as u32)
    }

    /// Forgets one message for good; false: it was gone. [`crate::Event::Messages`] follows.
    ///
    /// # Errors
    /// `Store`: it was not forgotten: say so.
    pub fn forget_message(&self, id: i64) -> Result<bool, PhoneError> {
        self.require_open()?;
        Ok(self.handle.on_store(About::Messages, move |store| store.forget_message(MessageKey(id)))?)
    }

    /// What was begun and not sent, one for each number, the latest first.
    ///
    /// # Errors
    /// `Store`: it cannot be read: say so.
    pub fn drafts(&self) -> Result<Vec<MessageDraft>, PhoneError> {
        let mut seen = HashSet::new();
        let all = self.remembered()?.drafts()?.into_iter().filter(|draft| seen.insert(draft.number.clone()));
        Ok(all.map(|Draft { number, text, at, .. }| MessageDraft { number, text, at_ms: at }).collect())
    }

    /// Keeps what was begun to that number, as threads have it, until something else or nothing (an empty text) is: when the
    /// person leaves, and when they have sent it.
    ///
    /// # Errors
    /// `NoAccount`: there is nobody who could send it; `TooLong`; `Store`: it cannot be kept: say so.
    pub fn keep_draft(&self, number: String, text: String) -> Result<(), PhoneError> {
        self.require_open()?;
        if text.len() > LONGEST_DRAFT || number.len() > LONGEST {
            return Err(PhoneError::TooLong);
        }
        let account = AccountKey(i64::from(self.picked()?.0));
        let at = i64::try_from(clock::wall().as_millis()).unwrap_or(i64::MAX);
        let new = Draft { account, number, text, at };
        // At once: what was kept before is not lost by what comes in its place.
        let kept = self.handle.on_store(About::Rest, move |store| {
            store.bulk(|| {
                store.forget_drafts(Some(&new.number))?;
                store.put_draft(&new)
            })
        })?;
        if kept { Ok(()) } else { Err(PhoneError::NoAccount) }
    }
}

impl From<store::MessageRow> for MessageRecord {
    fn from(row: store::MessageRow) -> Self {
        Self {
            id: row.id.0,
            account: row.account,
            side: match row.direction {
                store::Direction::In => Side::In,
                store::Direction::Out => Side::Out,
            },
            remote: row.remote,
            number: row.number,
            known: row.contact.is_some(),
            name: row.contact.or(row.name),
            text: row.text,
            at_ms: row.at,
            delivered: match row.delivery {
                Delivery::Came => Delivered::Came,
                Delivery::Queued => Delivered::OnItsWay,
                Delivery::Sent => Delivered::Sent,
                Delivery::Failed => Delivered::Failed,
            },
            sentence: row.reason,
            seen: row.seen,
        }
    }
}
