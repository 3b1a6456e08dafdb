//! What becomes of each record of a backup beside what is here.
//!
//! ```text
//! a record is         the same here when                       and another one when
//! account             its name and its settings are            its name is
//! setting             its name and its value are               its name is
//! contact             its names and numbers are                its key is
//! speed dial          its digit and its number are             its digit is
//! blocked             its number is
//! call, message       account, way, number, time (and text) are
//! draft               account, number and text are             account and number are
//! ```

use std::collections::{BTreeMap, BTreeSet};

use book::{Contact, ContactId, Number};
use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;
use serde_json::value::RawValue;

use super::read::{count, each};
use super::records::{
    AccountRecord, BlockedRecord, CallRecord, ContactRecord, DraftRecord, MarkRecord, MessageRecord,
    SettingRecord, SpeedRecord,
};
use super::seal::Inside;
use super::{AccountSecrets, BackupError, Part, Tally};
use crate::calls::words;
use crate::{AccountKey, Direction, Draft, NewAccount, OWN, Store, StoreError};

/// Rows of one moment that a record is compared with, at most.
const COMPARED: i64 = 1_000;

/// What became of one record.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Taken,
    Same,
    Kept,
    Orphaned,
    Bad,
    Beyond,
}

impl Outcome {
    pub(super) const fn count(self, tally: &mut Tally) {
        match self {
            Self::Taken => tally.taken += 1,
            Self::Same => tally.same += 1,
            Self::Kept => tally.kept += 1,
            Self::Orphaned => tally.orphaned += 1,
            Self::Bad => tally.bad += 1,
            Self::Beyond => tally.beyond += 1,
        }
    }

    /// Of what the store says to a document.
    fn of(stored: Result<(), StoreError>) -> Result<Self, BackupError> {
        match stored {
            Ok(()) => Ok(Self::Taken),
            Err(StoreError::Secret(_) | StoreError::NotJson(_)) => Ok(Self::Bad),
            Err(StoreError::TooMuch(_)) => Ok(Self::Beyond),
            Err(error) => Err(error.into()),
        }
    }
}

/// A backup on its way into a store.
pub(super) struct Merge<'a> {
    store: &'a Store,
    parts: BTreeMap<Part, Tally>,
    /// The account here for one of the backup.
    accounts: BTreeMap<i64, Here>,
}

struct Here {
    key: AccountKey,
    /// As the backup says; none: it is set otherwise here.
    settings: Option<String>,
}

impl<'a> Merge<'a> {
    pub(super) const fn new(store: &'a Store) -> Self {
        Self { store, parts: BTreeMap::new(), accounts: BTreeMap::new() }
    }

    pub(super) fn part(&mut self, part: Part, records: &RawValue) -> Result<(), BackupError> {
        let tally = match part {
            Part::Accounts => self.accounts(records),
            Part::Settings => each(part, records, |record| self.setting(&record)),
            Part::Contacts => self.contacts(records),
            Part::Marks => each(part, records, |record| self.mark(&record)),
            Part::SpeedDial => each(part, records, |record| self.speed_dial(&record)),
            Part::Blocked => each(part, records, |record| self.blocked(&record)),
            Part::Calls => self.calls(records),
            Part::Messages => self.messages(records),
            Part::Drafts => each(part, records, |record| self.draft(record)),
        }?;
        self.parts.insert(part, tally);
        Ok(())
    }

    /// What became of all, and the secrets of `inside` by the accounts here, and how many were withheld.
    #[expect(clippy::type_complexity, reason = "taken apart at its one call")]
    pub(super) fn end(
        self,
        inside: Option<Inside>,
    ) -> (BTreeMap<Part, Tally>, Option<(BTreeMap<AccountKey, AccountSecrets>, usize)>) {
        let secrets = inside.map(|inside| {
            let (mut of, mut withheld) = (BTreeMap::new(), 0);
            for account in inside.accounts {
                // To the letter: of two members of one name, one reader takes the first and another the last.
                match self.accounts.get(&account.id) {
                    Some(here) if here.settings.as_ref() == Some(&account.settings) => {
                        of.insert(
                            here.key,
                            account.secrets.into_iter().map(|(name, it)| (name, it.0)).collect(),
                        );
                    }
                    _ => withheld += 1,
                }
            }
            (of, withheld)
        });
        (self.parts, secrets)
    }

    fn accounts(&mut self, records: &RawValue) -> Result<Tally, BackupError> {
        let here = self.store.accounts()?;
        let mut records_read: Vec<AccountRecord> = Vec::new();
        let mut ids = BTreeSet::new();
        let mut tally = each(Part::Accounts, records, |record: AccountRecord| {
            if !ids.insert(record.id) {
                return Ok(Outcome::Bad);
            }
            records_read.push(record);
            Ok(Outcome::Taken) // corrected below
        })?;
        tally.taken = 0;
        let mut matched = BTreeSet::new();
        // Those that are the same first: of two accounts of one name, each finds its own.
        let mut others = Vec::new();
        for record in records_read {
            let same = here.iter().find(|it| {
                !matched.contains(&it.id)
                    && it.name == record.name
                    && same_json(&it.settings, record.settings.get())
            });
            if let Some(same) = same {
                matched.insert(same.id);
                let settings = Some(record.settings.get().to_owned());
                self.accounts.insert(record.id, Here { key: same.id, settings });
                tally.same += 1;
            } else {
                others.push(record);
            }
        }
        for record in others {
            let outcome = match here.iter().find(|it| !matched.contains(&it.id) && it.name == record.name) {
                Some(other) => {
                    matched.insert(other.id);
                    self.accounts.insert(record.id, Here { key: other.id, settings: None });
                    Outcome::Kept
                }
                None => self.add_account(record, here.is_empty())?,
            };
            outcome.count(&mut tally);
        }
        Ok(tally)
    }

    fn add_account(&mut self, record: AccountRecord, first: bool) -> Result<Outcome, BackupError> {
        let settings = record.settings.get().to_owned();
        let new = NewAccount { name: record.name, enabled: record.enabled, settings: settings.clone() };
        let key = match self.store.add_account(&new) {
            Ok(key) => key,
            Err(error) => return Outcome::of(Err(error)),
        };
        if first && record.default {
            self.store.make_default(key)?;
        }
        self.accounts.insert(record.id, Here { key, settings: Some(settings) });
        Ok(Outcome::Taken)
    }

    fn setting(&self, record: &SettingRecord) -> Result<Outcome, BackupError> {
        let value = record.value.get();
        match self.store.setting(&record.name)? {
            Some(here) if same_json(&here, value) => Ok(Outcome::Same),
            Some(_) => Ok(Outcome::Kept),
            None => Outcome::of(self.store.set_setting(&record.name, Some(value))),
        }
    }

    fn contacts(&mut self, records: &RawValue) -> Result<Tally, BackupError> {
        let mut by_key = BTreeMap::new();
        let mut by_what = BTreeMap::new();
        self.store.each_contact(|kept| {
            if kept.source == OWN {
                by_what.entry(what(&kept.contact)).or_insert(kept.contact.id);
                by_key.insert(kept.key, kept.contact.id);
            }
        })?;
        each(Part::Contacts, records, |record: ContactRecord| {
            let number =
                |it: super::records::NumberRecord| Number { text: it.text, kind: it.kind, normal: it.normal };
            let numbers = record.numbers.into_iter().map(number).collect();
            let contact = Contact { id: ContactId(0), names: record.names, numbers, weight: 0 };
            let (outcome, id) = match (by_what.get(&what(&contact)), by_key.get(&record.key)) {
                (Some(id), _) => (Outcome::Same, *id),
                (None, Some(id)) => (Outcome::Kept, *id),
                (None, None) => {
                    let id = self.store.put_contact(OWN, 0, &record.key, None, &contact)?;
                    by_what.insert(what(&contact), id);
                    by_key.insert(record.key, id);
                    (Outcome::Taken, id)
                }
            };
            self.mark_contact(id, record.favourite, &record.groups)?;
            Ok(outcome)
        })
    }

    fn mark(&self, record: &MarkRecord) -> Result<Outcome, BackupError> {
        let mut ask =
            self.store.connection.prepare_cached("SELECT id FROM contact WHERE source = ?1 AND key = ?2")?;
        let id: Option<i64> = ask.query_row([&record.source, &record.key], |row| row.get(0)).optional()?;
        let Some(id) = id else { return Ok(Outcome::Orphaned) };
        let changed = self.mark_contact(ContactId(id.cast_unsigned()), record.favourite, &record.groups)?;
        Ok(if changed { Outcome::Taken } else { Outcome::Same })
    }

    /// Whether anything was marked that was not.
    fn mark_contact(&self, id: ContactId, favourite: bool, groups: &[String]) -> Result<bool, BackupError> {
        let (connection, id) = (&self.store.connection, id.0.cast_signed());
        let mut changed = 0;
        if favourite {
            changed += connection
                .prepare_cached("UPDATE contact SET favourite = 1 WHERE id = ?1 AND favourite = 0")?
                .execute([id])?;
        }
        for group in groups {
            changed += connection
                .prepare_cached("INSERT OR IGNORE INTO contact_group (name, contact) VALUES (?1, ?2)")?
                .execute(params![group, id])?;
        }
        Ok(changed > 0)
    }

    fn speed_dial(&self, record: &SpeedRecord) -> Result<Outcome, BackupError> {
        match self.store.speed_dial(record.digit)? {
            Some(here) if here == record.number => Ok(Outcome::Same),
            Some(_) => Ok(Outcome::Kept),
            None => Outcome::of(self.store.set_speed_dial(record.digit, Some(&record.number))),
        }
    }

    fn blocked(&self, record: &BlockedRecord) -> Result<Outcome, BackupError> {
        let mut put = self
            .store
            .connection
            .prepare_cached("INSERT OR IGNORE INTO blocked (number, since) VALUES (?1, ?2)")?;
        let added = put.execute(params![base::number::bare(&record.number), record.since])?;
        Ok(if added > 0 { Outcome::Taken } else { Outcome::Same })
    }

    /// The numbers of the first and the last row of a backup, behind all that are in a table: so the order of the table
    /// stays that of time, as far as a log that is restored is older.
    fn behind(&self, part: Part, table: &str, records: &RawValue) -> Result<(i64, i64), BackupError> {
        let oldest: Option<i64> =
            self.store.connection.query_row(&format!("SELECT min(id) FROM {table}"), [], |row| row.get(0))?;
        let count = count(part, records);
        let last = oldest.map_or(count, |oldest| oldest.saturating_sub(1));
        // Upwards: SQLite's index of words writes itself to the file whenever a number is less than the one before.
        Ok((last.saturating_sub(count) + 1, last))
    }

    fn calls(&self, records: &RawValue) -> Result<Tally, BackupError> {
        let (mut id, last) = self.behind(Part::Calls, "call", records)?;
        // Rows of this backup are not above: they are not compared with each other.
        let mut ask = self.store.connection.prepare(
            "SELECT 1 FROM (SELECT * FROM call WHERE started_at = ?1 AND id > ?2 LIMIT ?3)
             WHERE account = ?4 AND outgoing = ?5 AND remote = ?6 LIMIT 1",
        )?;
        let mut put = self.store.connection.prepare(
            "INSERT INTO call (id, account, outgoing, remote, number, name, contact, started_at, answered_at, ended_at,
                known_at, why, status, reason, codec, path, encryption, networks, mos, loss, missed, seen, words, said_by,
                verified, attest, signature)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                ?23, ?24, ?25, ?26)",
        )?;
        each(Part::Calls, records, |it: CallRecord| {
            let outgoing = it.direction == Direction::Out;
            let same = params![it.started, last, COMPARED, it.account, outgoing, it.remote];
            if ask.exists(same)? {
                return Ok(Outcome::Same);
            }
            let words = words([Some(&it.number), it.name.as_ref(), it.contact.as_ref(), Some(&it.remote)]);
            put.execute(params![
                id,
                it.account,
                outgoing,
                it.remote,
                it.number,
                it.name,
                it.contact,
                it.started,
                it.answered,
                it.ended,
                it.why,
                it.status,
                it.reason,
                it.codec,
                it.path,
                it.encryption,
                it.networks,
                it.mos,
                it.loss,
                it.missed,
                it.seen,
                words,
                it.said_by,
                it.verified,
                it.attest,
                it.signature,
            ])?;
            id += 1;
            Ok(Outcome::Taken)
        })
    }

    fn messages(&self, records: &RawValue) -> Result<Tally, BackupError> {
        let (mut id, last) = self.behind(Part::Messages, "message", records)?;
        let mut ask = self.store.connection.prepare(
            "SELECT 1 FROM (SELECT * FROM message WHERE at = ?1 AND id > ?2 LIMIT ?3)
             WHERE account = ?4 AND outgoing = ?5 AND number = ?6 AND text = ?7 LIMIT 1",
        )?;
        let mut put = self.store.connection.prepare(
            "INSERT INTO message (id, account, outgoing, remote, number, name, contact, text, at, delivery, status, reason,
                seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        each(Part::Messages, records, |it: MessageRecord| {
            let outgoing = it.direction == Direction::Out;
            if ask.exists(params![it.at, last, COMPARED, it.account, outgoing, it.number, it.text])? {
                return Ok(Outcome::Same);
            }
            put.execute(params![
                id,
                it.account,
                outgoing,
                it.remote,
                it.number,
                it.name,
                it.contact,
                it.text,
                it.at,
                it.delivery.word(),
                it.status,
                it.reason,
                it.seen,
            ])?;
            id += 1;
            Ok(Outcome::Taken)
        })
    }

    fn draft(&self, record: DraftRecord) -> Result<Outcome, BackupError> {
        let Some(Here { key, .. }) = self.accounts.get(&record.account) else { return Ok(Outcome::Orphaned) };
        let mut ask = self
            .store
            .connection
            .prepare_cached("SELECT text FROM draft WHERE account = ?1 AND number = ?2")?;
        let here: Option<String> =
            ask.query_row(params![key.0, record.number], |row| row.get(0)).optional()?;
        Ok(match here {
            Some(here) if here == record.text => Outcome::Same,
            Some(_) => Outcome::Kept,
            None => {
                let DraftRecord { number, text, at, .. } = record;
                self.store.put_draft(&Draft { account: *key, number, text, at })?;
                Outcome::Taken
            }
        })
    }
}

/// What makes two contacts the same.
fn what(contact: &Contact) -> (Vec<String>, Vec<String>) {
    (contact.names.clone(), contact.numbers.iter().map(|number| number.text.clone()).collect())
}

/// Whether two documents say the same.
fn same_json(a: &str, b: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    a == b || read(a).is_some_and(|a| Some(a) == read(b))
}
