//! What the phone book calls who calls, at the time of the call.
//!
//! An index finds the number as all the world writes it; where that is not known of a contact, or not of the caller, all
//! numbers are gone through once, which takes some ten milliseconds for tens of thousands of them.

use base::number::{bare, same};
use book::ContactId;
use rusqlite::{OptionalExtension as _, params};

use crate::{Store, StoreError};

impl Store {
    /// The contact that has this number, or this address. Of several, a favourite goes first, then the oldest.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn whose(&self, number: &str, remote: &str) -> Result<Option<ContactId>, StoreError> {
        let wanted = [bare(number), bare(remote)];
        let id = match self.by_normal(&wanted[0])? {
            None => self.by_any(&wanted)?,
            known => known,
        };
        Ok(id.map(|id| ContactId(id.cast_unsigned())))
    }

    /// The name of that contact.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn contact_of(&self, number: &str, remote: &str) -> Result<Option<String>, StoreError> {
        let Some(ContactId(id)) = self.whose(number, remote)? else { return Ok(None) };
        let mut ask = self
            .connection
            .prepare_cached("SELECT text FROM contact_name WHERE contact = ?1 ORDER BY place LIMIT 1")?;
        Ok(ask.query_row([id.cast_signed()], |row| row.get(0)).optional()?)
    }

    fn by_normal(&self, number: &str) -> Result<Option<i64>, StoreError> {
        let mut ask = self.connection.prepare_cached(
            "SELECT contact FROM contact_number JOIN contact ON contact.id = contact
             WHERE normal = ?1 AND normal IS NOT NULL ORDER BY favourite DESC, contact LIMIT 1",
        )?;
        Ok(ask.query_row(params![number], |row| row.get(0)).optional()?)
    }

    fn by_any(&self, wanted: &[String]) -> Result<Option<i64>, StoreError> {
        let mut ask = self.connection.prepare_cached(
            "SELECT contact, text, normal, favourite FROM contact_number JOIN contact ON contact.id = contact
             ORDER BY contact, place",
        )?;
        let mut rows = ask.query([])?;
        let mut found = None;
        while let Some(row) = rows.next()? {
            let texts = [row.get_ref(1)?.as_str().ok(), row.get_ref(2)?.as_str().ok()];
            let is_it = |text: &str| {
                let text = bare(text);
                wanted.iter().any(|wanted| same(wanted, &text))
            };
            if !texts.into_iter().flatten().any(is_it) {
                continue;
            }
            if row.get(3)? {
                return Ok(Some(row.get(0)?));
            }
            if found.is_none() {
                found = Some(row.get(0)?);
            }
        }
        Ok(found)
    }
}
