//! A backup is read, and added to what is here.
//!
//! All in one transaction. A record is looked at by itself: a bad one is counted and costs no other. What is here stays as it
//! is, and a second time adds nothing. The cost is bounded by [`LONGEST_BACKUP`] and by how many records of a part are read.

use std::fmt;

use base::Secret;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer as _, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::merge::{Merge, Outcome};
use super::records::Sensible;
use super::seal::{Inside, Sealed};
use super::{BackupError, FORMAT, LONGEST_BACKUP, Part, Restored, Tally, Unlocked, VERSION};
use crate::{Millis, Store};

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
    #[serde(default)]
    made: Millis,
}

/// The parts, not looked into yet.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    accounts: Option<&'a RawValue>,
    settings: Option<&'a RawValue>,
    contacts: Option<&'a RawValue>,
    marks: Option<&'a RawValue>,
    speed_dial: Option<&'a RawValue>,
    blocked: Option<&'a RawValue>,
    calls: Option<&'a RawValue>,
    messages: Option<&'a RawValue>,
    drafts: Option<&'a RawValue>,
    passwords: Option<&'a RawValue>,
}

impl<'a> Document<'a> {
    const fn part(&self, part: Part) -> Option<&'a RawValue> {
        match part {
            Part::Accounts => self.accounts,
            Part::Settings => self.settings,
            Part::Contacts => self.contacts,
            Part::Marks => self.marks,
            Part::SpeedDial => self.speed_dial,
            Part::Blocked => self.blocked,
            Part::Calls => self.calls,
            Part::Messages => self.messages,
            Part::Drafts => self.drafts,
        }
    }
}

impl Store {
    /// Adds what a backup has and is not here yet. What is here stays as it is, and calls and messages of the backup stand
    /// behind those that are here. Its secrets come only with the passphrase. Costs some 0.2 to 2 s and 64 MiB for that.
    ///
    /// # Errors
    /// - [`BackupError::WrongPassphrase`]: ask again; nothing was taken.
    /// - [`BackupError`]: show its sentence; nothing was taken.
    pub fn restore(
        &self,
        backup: &[u8],
        passphrase: Option<&Secret<String>>,
    ) -> Result<Restored, BackupError> {
        self.merge(backup, passphrase, true)
    }

    /// What [`Self::restore`] would add, and nothing is added: for a person who is to say so. Its secrets are under keys that
    /// the accounts would have. Costs as much, on the connection that writes.
    ///
    /// # Errors
    /// As for [`Self::restore`].
    pub fn preview_restore(
        &self,
        backup: &[u8],
        passphrase: Option<&Secret<String>>,
    ) -> Result<Restored, BackupError> {
        self.merge(backup, passphrase, false)
    }

    fn merge(
        &self,
        backup: &[u8],
        passphrase: Option<&Secret<String>>,
        keep: bool,
    ) -> Result<Restored, BackupError> {
        if backup.len() > LONGEST_BACKUP {
            return Err(BackupError::TooLong);
        }
        let text = std::str::from_utf8(backup).map_err(|_| BackupError::NotABackup)?;
        let head: Head = serde_json::from_str(text).map_err(|_| BackupError::NotABackup)?;
        match head.version {
            _ if head.format != FORMAT => return Err(BackupError::NotABackup),
            0 => return Err(BackupError::NotABackup),
            version if version > VERSION => return Err(BackupError::Newer),
            _ => {}
        }
        let document: Document<'_> = serde_json::from_str(text).map_err(|_| BackupError::NotABackup)?;
        // Before anything is taken: a person who mistypes it tries again from where they were.
        let inside = match (document.passwords, passphrase) {
            (Some(sealed), Some(passphrase)) => Some(open(sealed, passphrase)?),
            _ => None,
        };
        let whole = self.connection.unchecked_transaction()?;
        let mut merge = Merge::new(self);
        for part in Part::ALL {
            if let Some(records) = document.part(part) {
                merge.part(part, records)?;
            }
        }
        let (parts, passwords) = merge.end(inside);
        if keep {
            whole.commit()?;
        } else {
            whole.rollback()?;
        }
        let passwords = match passwords {
            None if document.passwords.is_some() => Unlocked::Locked,
            None => Unlocked::None,
            Some((of, withheld)) => Unlocked::Secrets { of, withheld },
        };
        Ok(Restored { made: head.made, parts, passwords })
    }
}

fn open(sealed: &RawValue, passphrase: &Secret<String>) -> Result<Inside, BackupError> {
    let sealed: Sealed = serde_json::from_str(sealed.get()).map_err(|_| BackupError::UnknownLock)?;
    Inside::read(&sealed.open(passphrase)?).ok_or(BackupError::UnknownLock)
}

/// How many records there are of a part, as far as any are read.
pub(super) fn count(part: Part, records: &RawValue) -> i64 {
    let mut count = 0;
    let _ = walk(part, records, &mut |_| {
        count += 1;
        Ok(())
    });
    count
}

/// Gives each record of a part to `take`, and counts what becomes of it.
pub(super) fn each<T: DeserializeOwned + Sensible>(
    part: Part,
    records: &RawValue,
    mut take: impl FnMut(T) -> Result<Outcome, BackupError>,
) -> Result<Tally, BackupError> {
    let mut tally = Tally::default();
    let walked = walk(part, records, &mut |record| {
        let outcome = match serde_json::from_str::<T>(record.get()) {
            Ok(record) if record.is_sensible() => take(record)?,
            _ => Outcome::Bad,
        };
        outcome.count(&mut tally);
        Ok(())
    })?;
    match walked {
        Some(beyond) => tally.beyond += beyond,
        None => tally.bad += 1,
    }
    Ok(tally)
}

/// How many there are that were not walked to; none: the part is no list.
fn walk(
    part: Part,
    records: &RawValue,
    each: &mut dyn FnMut(&RawValue) -> Result<(), BackupError>,
) -> Result<Option<usize>, BackupError> {
    let mut failed = None;
    let list = List { most: part.most(), each, failed: &mut failed };
    let walked = serde_json::Deserializer::from_str(records.get()).deserialize_seq(list);
    match failed {
        Some(error) => Err(error),
        None => Ok(walked.ok()),
    }
}

/// A list of anything, one by one: all at once, a hostile one is sixteen times as long in memory.
struct List<'a> {
    most: usize,
    each: &'a mut dyn FnMut(&RawValue) -> Result<(), BackupError>,
    failed: &'a mut Option<BackupError>,
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        for _ in 0..self.most {
            let Some(record) = items.next_element::<&RawValue>()? else { return Ok(0) };
            if let Err(error) = (self.each)(record) {
                *self.failed = Some(error);
                return Err(A::Error::custom("the store failed"));
            }
        }
        let mut beyond = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            beyond += 1;
        }
        Ok(beyond)
    }
}
