//! The call log: one row a call, begun when the call begins and closed when it ends.
//!
//! A row is right at any moment: whoever reads it after a crash sees the facts that were known last. Rows are numbered in
//! the order in which calls began, and that is the order of the log, whatever the wall clock did meanwhile.

use std::fmt;

use base::Redacted;
use book::fold;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use crate::{Millis, Store, StoreError};

/// Why a call ended that was still up when the phone died: the `why` of its row.
pub const CUT_OFF: &str = "PhoneDied";
/// The same as a sentence.
const CUT_OFF_REASON: &str = "The phone stopped during the call.";

/// Names one row of the log; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CallKey(pub i64);

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// We were called.
    In,
    /// We called.
    Out,
}

/// What is known as a call begins.
#[derive(Clone, PartialEq)]
pub struct NewCall {
    /// The account's address of record.
    pub account: String,
    /// Who called whom.
    pub direction: Direction,
    /// The other side's URI.
    pub remote: String,
    /// The number or user name in it: what rows are grouped by.
    pub number: String,
    /// What the other side called itself.
    pub name: Option<String>,
    /// What the phone book called it at the time.
    pub contact: Option<String>,
    /// When it began.
    pub started: Millis,
}

/// What may come to be known of a call. All of it is told each time; `None` leaves a fact as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallFacts {
    /// What the other side calls itself.
    pub name: Option<String>,
    /// The other side, where it is another than it was: who calls is known better a moment later. Its name is then this
    /// `name`, or none.
    pub remote: Option<Remote>,
    /// Who says who calls: `pai`, `stir`, `rpid`, `from`.
    pub said_by: Option<String>,
    /// What the provider found when it checked the signature on the caller's number.
    pub verified: Option<bool>,
    /// What that signature was found to be worth here: a level (`A`, `B`, `C`), `false`, `unproven`.
    pub attest: Option<String>,
    /// The same as an English sentence.
    pub signature: Option<String>,
    /// When it was answered.
    pub answered: Option<Millis>,
    /// When it ended; that closes the row.
    pub ended: Option<Millis>,
    /// Why it ended, as the word that apps translate.
    pub why: Option<String>,
    /// The SIP status that ended it.
    pub status: Option<u16>,
    /// Why it ended, as an English sentence.
    pub reason: Option<String>,
    /// What was spoken: the codec's name.
    pub codec: Option<String>,
    /// By which kind of way: `host`, `srflx`, `tcp-punched`, `relay`...
    pub path: Option<String>,
    /// How it was kept secret: `none`, `sdes`, `dtls`...
    pub encryption: Option<String>,
    /// Which networks carried it, in order: `wifi cellular`.
    pub networks: Option<String>,
    /// How it was heard: 1.0..=4.5.
    pub mos: Option<f32>,
    /// The share of packets that were not played: 0.0..=1.0.
    pub loss: Option<f32>,
    /// Where its recording is.
    pub recording: Option<String>,
    /// Nobody took it here: the person is to see it.
    pub missed: Option<Missed>,
}

/// The other side of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its URI.
    pub uri: Redacted<String>,
    /// The number or user name in it.
    pub number: Redacted<String>,
    /// What the phone book calls it.
    pub contact: Option<Redacted<String>>,
}

/// Whether a call counts as missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(pub bool);

/// A row of the log.
#[derive(Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `NewCall` and `CallFacts`")]
pub struct CallRow {
    pub id: CallKey,
    pub account: String,
    pub direction: Direction,
    pub remote: String,
    pub number: String,
    pub name: Option<String>,
    pub contact: Option<String>,
    pub started: Millis,
    pub answered: Option<Millis>,
    pub ended: Option<Millis>,
    pub why: Option<String>,
    pub status: Option<u16>,
    pub reason: Option<String>,
    pub codec: Option<String>,
    pub path: Option<String>,
    pub encryption: Option<String>,
    pub networks: Option<String>,
    pub mos: Option<f32>,
    pub loss: Option<f32>,
    pub recording: Option<String>,
    pub said_by: Option<String>,
    pub verified: Option<bool>,
    pub attest: Option<String>,
    pub signature: Option<String>,
    pub missed: bool,
    pub seen: bool,
}

/// Without whom it was with.
impl fmt::Debug for CallRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Without whom it is with.
impl fmt::Debug for NewCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCall").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl CallRow {
    /// How long the two talked.
    pub fn talked(&self) -> Option<Millis> {
        Some((self.ended? - self.answered?).max(0))
    }
}

/// Which rows are to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// One.
    One(CallKey),
    /// Those that began before then.
    Before(Millis),
    /// All.
    All,
}

/// In the order that [`row`] reads.
pub(crate) const COLUMNS: &str = "call.id, account, outgoing, call.remote, call.number, call.name, call.contact, \
     started_at, answered_at, ended_at, why, status, reason, codec, path, encryption, networks, mos, loss, recording, \
     missed, seen, said_by, verified, attest, signature";

pub(crate) fn row(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    Ok(CallRow {
        id: CallKey(row.get(0)?),
        account: row.get(1)?,
        direction: if row.get(2)? { Direction::Out } else { Direction::In },
        remote: row.get(3)?,
        number: row.get(4)?,
        name: row.get(5)?,
        contact: row.get(6)?,
        started: row.get(7)?,
        answered: row.get(8)?,
        ended: row.get(9)?,
        why: row.get(10)?,
        status: row.get(11)?,
        reason: row.get(12)?,
        codec: row.get(13)?,
        path: row.get(14)?,
        encryption: row.get(15)?,
        networks: row.get(16)?,
        mos: row.get(17)?,
        loss: row.get(18)?,
        recording: row.get(19)?,
        missed: row.get(20)?,
        seen: row.get(21)?,
        said_by: row.get(22)?,
        verified: row.get(23)?,
        attest: row.get(24)?,
        signature: row.get(25)?,
    })
}

/// All that a row is found by. Two line ends stand behind it: see [`crate::migrations`].
pub(crate) fn words<const N: usize>(fields: [Option<&String>; N]) -> String {
    let mut words: Vec<String> = fields.into_iter().flatten().map(|field| fold(field)).collect();
    words.push("\n".into());
    words.join("\n")
}

impl Store {
    /// Begins a row.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn begin_call(&self, call: &NewCall) -> Result<CallKey, StoreError> {
        let mut put = self.connection.prepare_cached(
            "INSERT INTO call (account, outgoing, remote, number, name, contact, started_at, known_at, words)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
        )?;
        put.execute(params![
            call.account,
            call.direction == Direction::Out,
            call.remote,
            call.number,
            call.name,
            call.contact,
            call.started,
            words([Some(&call.number), call.name.as_ref(), call.contact.as_ref(), Some(&call.remote)]),
        ])?;
        Ok(CallKey(self.connection.last_insert_rowid()))
    }

    /// Adds what has come to be known of a call by `now`. A row that was forgotten meanwhile stays so.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn note_call(&self, key: CallKey, facts: &CallFacts, now: Millis) -> Result<(), StoreError> {
        let mut put = self.connection.prepare_cached(
            "UPDATE call SET
                name = coalesce(?2, name), answered_at = coalesce(?3, answered_at), ended_at = coalesce(?4, ended_at),
                why = coalesce(?5, why), status = coalesce(?6, status), reason = coalesce(?7, reason),
                codec = coalesce(?8, codec), path = coalesce(?9, path), encryption = coalesce(?10, encryption),
                networks = coalesce(?11, networks), mos = coalesce(?12, mos), loss = coalesce(?13, loss),
                recording = coalesce(?14, recording), missed = coalesce(?15, missed), known_at = ?16,
                said_by = coalesce(?17, said_by), verified = coalesce(?18, verified), attest = coalesce(?19, attest),
                signature = coalesce(?20, signature)
             WHERE id = ?1",
        )?;
        put.execute(params![
            key.0,
            facts.name,
            facts.answered,
            facts.ended,
            facts.why,
            facts.status,
            facts.reason,
            facts.codec,
            facts.path,
            facts.encryption,
            facts.networks,
            facts.mos,
            facts.loss,
            facts.recording,
            facts.missed.map(|missed| missed.0),
            now,
            facts.said_by,
            facts.verified,
            facts.attest,
            facts.signature,
        ])?;
        if let Some(Remote { uri, number, contact }) = &facts.remote {
            let mut put = self.connection.prepare_cached(
                "UPDATE call SET remote = ?2, number = ?3, contact = ?4, name = ?5 WHERE id = ?1",
            )?;
            let contact = contact.as_ref().map(Redacted::reveal);
            put.execute(params![key.0, uri.reveal(), number.reveal(), contact, facts.name])?;
        }
        if (facts.name.is_some() || facts.remote.is_some())
            && let Some(row) = self.call(key)?
        {
            let words =
                words([Some(&row.number), row.name.as_ref(), row.contact.as_ref(), Some(&row.remote)]);
            let mut put =
                self.connection.prepare_cached("UPDATE call SET words = ?2 WHERE id = ?1 AND words <> ?2")?;
            put.execute(params![key.0, words])?;
        }
        Ok(())
    }

    /// Closes the rows that a crash left open, each when it was last known to be right; how many those were. An incoming
    /// call that nobody had answered was missed.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn close_cut_off(&self) -> Result<usize, StoreError> {
        let mut put = self.connection.prepare_cached(
            "UPDATE call SET ended_at = known_at, why = ?1, reason = ?2, missed = (outgoing = 0 AND answered_at IS NULL)
             WHERE ended_at IS NULL",
        )?;
        Ok(put.execute([CUT_OFF, CUT_OFF_REASON])?)
    }

    /// One row, if it is there.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn call(&self, key: CallKey) -> Result<Option<CallRow>, StoreError> {
        let mut get = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM call WHERE id = ?1"))?;
        Ok(get.query_row([key.0], row).optional()?)
    }

    /// How many missed calls the person has not seen.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn unseen(&self) -> Result<usize, StoreError> {
        let mut count =
            self.connection.prepare_cached("SELECT count(*) FROM call WHERE missed = 1 AND seen = 0")?;
        Ok(count.query_row([], |row| row.get::<_, u32>(0))? as usize)
    }

    /// The person has seen the missed calls; how many those were.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn mark_seen(&self) -> Result<usize, StoreError> {
        let mut put =
            self.connection.prepare_cached("UPDATE call SET seen = 1 WHERE missed = 1 AND seen = 0")?;
        Ok(put.execute([])?)
    }

    /// Forgets rows of calls that are over; how many those were.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn forget_calls(&self, which: Forget) -> Result<usize, StoreError> {
        let over = "DELETE FROM call WHERE ended_at IS NOT NULL";
        let gone = match which {
            Forget::One(key) => {
                self.connection.prepare_cached(&format!("{over} AND id = ?1"))?.execute([key.0])?
            }
            Forget::Before(then) => {
                self.connection.prepare_cached(&format!("{over} AND started_at < ?1"))?.execute([then])?
            }
            Forget::All => self.connection.prepare_cached(over)?.execute([])?,
        };
        if gone > 0 {
            // The index of words keeps what it was told of deleted rows until its parts are merged.
            self.connection.execute("INSERT INTO call_words (call_words) VALUES ('optimize')", [])?;
            self.wipe_log()?;
        }
        Ok(gone)
    }
}
