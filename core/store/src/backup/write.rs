//! A backup is written: one record a line, from one moment of the file.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use base::Secret;
use book::ContactId;
use serde::Serialize;
use serde_json::value::RawValue;

use super::records::{
    AccountRecord, BlockedRecord, ContactRecord, DraftRecord, MarkRecord, NumberRecord, SettingRecord,
    SpeedRecord, of_call, of_message,
};
use super::seal::{Inside, InsideAccount, Sealed, Told};
use super::{BackedUp, BackupError, FORMAT, Lock, Part, VERSION};
use crate::{AccountRow, Kept, Millis, OWN, Store, StoreError, calls, messages};

impl Store {
    /// Writes all that is the person's `to` a file, and with a [`Lock`] the secrets too; `now` stands in it. Costs some 0.2 to
    /// 2 s and 64 MiB for a lock.
    ///
    /// # Errors
    /// - [`BackupError::NoPassphrase`], [`BackupError::NoMemory`]: of the lock; nothing was written.
    /// - [`BackupError::Store`], [`BackupError::Unwritten`]: what is there is not whole.
    pub fn back_up(
        &self,
        now: Millis,
        lock: Option<&Lock<'_>>,
        to: &mut dyn Write,
    ) -> Result<BackedUp, BackupError> {
        // Only to read all of it as it is at one moment: it ends without a change.
        let _moment = self.connection.unchecked_transaction()?;
        let accounts = self.accounts()?;
        let locked = lock.map(|lock| close(lock, &accounts)).transpose()?;
        let mut out = Out { to: BufWriter::new(to), done: BackedUp::default() };
        let head = format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"made\":{now}");
        out.write(head.as_bytes())?;
        for part in Part::ALL {
            out.part(part, |out| self.write_part(part, &accounts, out))?;
        }
        if let Some((sealed, count)) = locked {
            out.write(b",\n\"passwords\":")?;
            serde_json::to_writer(&mut out.to, &sealed).map_err(io::Error::from)?;
            out.done.passwords = count;
        }
        out.write(b"}\n")?;
        out.to.flush()?;
        Ok(out.done)
    }

    fn write_part(
        &self,
        part: Part,
        accounts: &[AccountRow],
        out: &mut Records<'_, '_>,
    ) -> Result<(), BackupError> {
        match part {
            Part::Accounts => accounts.iter().try_for_each(|account| {
                let settings = raw(&account.settings)?;
                let (id, name) = (account.id.0, account.name.clone());
                out.put(&AccountRecord {
                    id,
                    name,
                    enabled: account.enabled,
                    default: account.default,
                    settings,
                })
            }),
            Part::Settings => self.settings()?.into_iter().try_for_each(|(name, value)| {
                let value = raw(&value)?;
                out.put(&SettingRecord { name, value })
            }),
            Part::Contacts => {
                self.write_contacts(
                    |kept, groups| {
                        if kept.source == OWN { out.put(&contact(kept, groups)) } else { Ok(()) }
                    },
                )
            }
            Part::Marks => self.write_contacts(|kept, groups| {
                if kept.source == OWN || !kept.favourite && groups.is_empty() {
                    return Ok(());
                }
                let Kept { source, key, favourite, .. } = kept;
                out.put(&MarkRecord { source, key, favourite, groups })
            }),
            Part::SpeedDial => {
                let mut ask =
                    self.connection.prepare("SELECT digit, number FROM speed_dial ORDER BY digit")?;
                let mut rows = ask.query([])?;
                while let Some(row) = rows.next()? {
                    out.put(&SpeedRecord { digit: row.get(0)?, number: row.get(1)? })?;
                }
                Ok(())
            }
            Part::Blocked => {
                let mut ask =
                    self.connection.prepare("SELECT number, since FROM blocked ORDER BY since, number")?;
                let mut rows = ask.query([])?;
                while let Some(row) = rows.next()? {
                    out.put(&BlockedRecord { number: row.get(0)?, since: row.get(1)? })?;
                }
                Ok(())
            }
            Part::Calls => {
                let ask = format!(
                    "SELECT {} FROM call WHERE ended_at IS NOT NULL ORDER BY call.id",
                    calls::COLUMNS
                );
                let mut ask = self.connection.prepare(&ask)?;
                let mut rows = ask.query([])?;
                while let Some(row) = rows.next()? {
                    of_call(calls::row(row)?).map_or(Ok(()), |record| out.put(&record))?;
                }
                Ok(())
            }
            Part::Messages => {
                let mut ask = self
                    .connection
                    .prepare(&format!("SELECT {} FROM message ORDER BY id", messages::COLUMNS))?;
                let mut rows = ask.query([])?;
                while let Some(row) = rows.next()? {
                    out.put(&of_message(messages::row(row)?))?;
                }
                Ok(())
            }
            Part::Drafts => self.drafts()?.into_iter().try_for_each(|draft| {
                let (number, text) = (draft.number, draft.text);
                out.put(&DraftRecord { account: draft.account.0, number, text, at: draft.at })
            }),
        }
    }

    /// Each contact with its groups, until one cannot be written.
    fn write_contacts(
        &self,
        mut each: impl FnMut(Kept, Vec<String>) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let mut of_contact: BTreeMap<ContactId, Vec<String>> = BTreeMap::new();
        for (group, contacts) in self.groups_of_contacts()? {
            for contact in contacts {
                of_contact.entry(contact).or_default().push(group.clone());
            }
        }
        let mut written = Ok(());
        self.each_contact(|kept| {
            if written.is_ok() {
                let groups = of_contact.remove(&kept.contact.id).unwrap_or_default();
                written = each(kept, groups);
            }
        })?;
        written
    }
}

fn contact(kept: Kept, groups: Vec<String>) -> ContactRecord {
    let number = |it: book::Number| NumberRecord { text: it.text, kind: it.kind, normal: it.normal };
    ContactRecord {
        key: kept.key,
        names: kept.contact.names,
        numbers: kept.contact.numbers.into_iter().map(number).collect(),
        favourite: kept.favourite,
        groups,
    }
}

fn raw(text: &str) -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string(text.to_owned()).map_err(|error| StoreError::NotJson(error.to_string()))
}

/// The secrets of accounts that are here, and how many accounts those are.
fn close(lock: &Lock<'_>, accounts: &[AccountRow]) -> Result<(Sealed, usize), BackupError> {
    let mut inside = Inside { accounts: Vec::new() };
    for account in accounts {
        let Some(secrets) = lock.secrets.get(&account.id).filter(|secrets| !secrets.is_empty()) else {
            continue;
        };
        let told = |(name, secret): (&String, &Secret<String>)| (name.clone(), Told(secret.clone()));
        let (id, settings) = (account.id.0, account.settings.clone());
        inside.accounts.push(InsideAccount { id, settings, secrets: secrets.iter().map(told).collect() });
    }
    let sealed = Sealed::close(&inside.write(), lock.passphrase, lock.salt, lock.nonce)?;
    Ok((sealed, inside.accounts.len()))
}

struct Out<'a> {
    to: BufWriter<&'a mut dyn Write>,
    done: BackedUp,
}

/// The records of one part.
struct Records<'a, 'b> {
    to: &'b mut BufWriter<&'a mut dyn Write>,
    count: usize,
}

impl<'a> Out<'a> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        Ok(self.to.write_all(bytes)?)
    }

    fn part(
        &mut self,
        part: Part,
        write: impl FnOnce(&mut Records<'a, '_>) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        self.write(format!(",\n\"{}\":[", part.name()).as_bytes())?;
        let mut records = Records { to: &mut self.to, count: 0 };
        write(&mut records)?;
        let count = records.count;
        self.done.records.insert(part, count);
        self.write(b"]")
    }
}

impl Records<'_, '_> {
    fn put(&mut self, record: &impl Serialize) -> Result<(), BackupError> {
        self.to.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
        self.count += 1;
        Ok(serde_json::to_writer(&mut *self.to, record).map_err(io::Error::from)?)
    }
}
