//! The phone book as it is kept: own contacts, those of other sources as they were read last, favourites, groups, speed
//! dial and blocked numbers.
//!
//! A source (the device, a file) is read as a whole: [`Store::put_contacts`] takes its pages, and [`Store::end_reading`]
//! forgets what it no longer has. What the person has marked stays with a contact as long as its source names it the same.
//! How contacts are found is [`book`]'s.

use base::number::bare;
use book::{Contact, ContactId, Number};
use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::{Millis, Store, StoreError};

/// The source of what the person has entered here.
pub const OWN: &str = "";
/// How much dearer a favourite is.
const FAVOURITE: u32 = 1000;

/// A contact and what is kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// As the phone book takes it; its id is the store's.
    pub contact: Contact,
    /// Where it is from; [`OWN`]: here.
    pub source: String,
    /// What its source calls it.
    pub key: String,
    /// Where its picture is.
    pub photo: Option<String>,
    /// Marked by the person.
    pub favourite: bool,
}

impl Store {
    /// Adds contacts, or takes them in place of those that `source` calls the same; `id` of each is ignored. `key` and
    /// `photo` come with each. `mark` names the reading: another number than that of the last one. The id of each, and
    /// whether it is other than it was: of those that stay the same only the mark is written.
    ///
    /// # Errors
    /// - [`StoreError`]: none of them was stored.
    pub fn put_contacts(
        &self,
        source: &str,
        mark: i64,
        page: &[(String, Option<String>, Contact)],
    ) -> Result<Vec<(ContactId, bool)>, StoreError> {
        let put = |(key, photo, contact): &(String, Option<String>, Contact)| {
            let photo = photo.as_deref();
            if let Some(kept) = self.contact_by(source, key)?
                && (&kept.contact.names, &kept.contact.numbers) == (&contact.names, &contact.numbers)
                && kept.photo.as_deref() == photo
            {
                let mut seen =
                    self.connection.prepare_cached("UPDATE contact SET mark = ?2 WHERE id = ?1")?;
                seen.execute(params![kept.contact.id.0.cast_signed(), mark])?;
                return Ok((kept.contact.id, false));
            }
            Ok((self.put_contact(source, mark, key, photo, contact)?, true))
        };
        self.bulk(|| page.iter().map(put).collect())
    }

    /// Adds one contact, or takes it in place of the one that `source` calls the same.
    ///
    /// # Errors
    /// - [`StoreError`]: it may be stored in part; use [`Store::bulk`].
    pub fn put_contact(
        &self,
        source: &str,
        mark: i64,
        key: &str,
        photo: Option<&str>,
        contact: &Contact,
    ) -> Result<ContactId, StoreError> {
        let mut put = self.connection.prepare_cached(
            "INSERT INTO contact (source, key, photo, mark) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (source, key) DO UPDATE SET photo = ?3, mark = ?4 RETURNING id",
        )?;
        let id: i64 = put.query_row(params![source, key, photo, mark], |row| row.get(0))?;
        self.put_parts(id, contact)?;
        Ok(ContactId(id.cast_unsigned()))
    }

    /// Takes names, numbers and picture in place of those of a contact that the person has entered here, and calls it by that
    /// key from now on; false: there is none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was changed.
    pub fn change_contact(
        &self,
        id: ContactId,
        key: &str,
        photo: Option<&str>,
        contact: &Contact,
    ) -> Result<bool, StoreError> {
        self.bulk(|| {
            let id = id.0.cast_signed();
            let mut put = self
                .connection
                .prepare_cached("UPDATE contact SET key = ?2, photo = ?4 WHERE id = ?1 AND source = ?3")?;
            let there = put.execute(params![id, key, OWN, photo])? > 0;
            if there {
                self.put_parts(id, contact)?;
            }
            Ok(there)
        })
    }

    fn put_parts(&self, id: i64, contact: &Contact) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM contact_name WHERE contact = ?1")?.execute([id])?;
        self.connection.prepare_cached("DELETE FROM contact_number WHERE contact = ?1")?.execute([id])?;
        let mut put = self.connection.prepare_cached("INSERT INTO contact_name VALUES (?1, ?2, ?3)")?;
        for (place, name) in contact.names.iter().enumerate() {
            put.execute(params![id, place as u32, name])?;
        }
        let mut put =
            self.connection.prepare_cached("INSERT INTO contact_number VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (place, number) in contact.numbers.iter().enumerate() {
            put.execute(params![id, place as u32, number.text, number.kind, number.normal])?;
        }
        Ok(())
    }

    /// The reading of that mark is complete: what it did not find of `source`, and of what is below it (`device/work` is below
    /// `device`), is forgotten. Which those were.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn end_reading(&self, source: &str, mark: i64) -> Result<Vec<ContactId>, StoreError> {
        let mut gone = self.connection.prepare_cached(
            "DELETE FROM contact WHERE mark <> ?2 AND (source = ?1 OR substr(source, 1, length(?1) + 1) = ?1 || '/')
             RETURNING id",
        )?;
        let gone = gone.query_map(params![source, mark], |row| row.get(0).map(i64::cast_unsigned))?;
        let mut gone = gone.map(|id| id.map(ContactId)).collect::<Result<Vec<_>, _>>()?;
        gone.sort_unstable();
        Ok(gone)
    }

    /// One contact, if it is there.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn contact(&self, id: ContactId) -> Result<Option<Kept>, StoreError> {
        self.one_contact("id = ?1", params![id.0.cast_signed()])
    }

    /// The one that `source` calls so.
    fn contact_by(&self, source: &str, key: &str) -> Result<Option<Kept>, StoreError> {
        self.one_contact("source = ?1 AND key = ?2", params![source, key])
    }

    fn one_contact(&self, which: &str, named: &[&dyn ToSql]) -> Result<Option<Kept>, StoreError> {
        let mut ask = self.connection.prepare_cached(&format!(
            "SELECT id, source, key, photo, favourite FROM contact WHERE {which}"
        ))?;
        let Some(mut kept) = ask.query_row(named, kept).optional()? else { return Ok(None) };
        let id = kept.contact.id.0.cast_signed();
        let mut names = self
            .connection
            .prepare_cached("SELECT contact, text FROM contact_name WHERE contact = ?1 ORDER BY place")?;
        let names = names.query_map([id], |row| row.get(1))?;
        kept.contact.names = names.collect::<Result<_, _>>()?;
        let mut numbers = self.connection.prepare_cached(
            "SELECT contact, text, kind, normal FROM contact_number WHERE contact = ?1 ORDER BY place",
        )?;
        kept.contact.numbers = numbers.query_map([id], number)?.collect::<Result<_, _>>()?;
        Ok(Some(kept))
    }

    /// Forgets one contact; false: there was none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn remove_contact(&self, id: ContactId) -> Result<bool, StoreError> {
        let mut gone = self.connection.prepare_cached("DELETE FROM contact WHERE id = ?1")?;
        Ok(gone.execute([id.0.cast_signed()])? > 0)
    }

    /// All contacts, each as it is read.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read, or not all of them.
    pub fn each_contact(&self, mut each: impl FnMut(Kept)) -> Result<(), StoreError> {
        let mut names = self
            .connection
            .prepare_cached("SELECT contact, text FROM contact_name ORDER BY contact, place")?;
        let mut numbers = self.connection.prepare_cached(
            "SELECT contact, text, kind, normal FROM contact_number ORDER BY contact, place",
        )?;
        let mut all = self
            .connection
            .prepare_cached("SELECT id, source, key, photo, favourite FROM contact ORDER BY id")?;
        // Three walks side by side in the order of contacts: one question a contact would take minutes for many.
        let (mut names, mut numbers) = (names.query([])?, numbers.query([])?);
        let (mut name, mut next) = (names.next()?, numbers.next()?);
        let mut all = all.query([])?;
        while let Some(row) = all.next()? {
            let mut kept = kept(row)?;
            let id = kept.contact.id.0.cast_signed();
            while let Some(row) = name.filter(|row| row.get(0).is_ok_and(|of: i64| of <= id)) {
                kept.contact.names.push(row.get(1)?);
                name = names.next()?;
            }
            while let Some(row) = next.filter(|row| row.get(0).is_ok_and(|of: i64| of <= id)) {
                kept.contact.numbers.push(number(row)?);
                next = numbers.next()?;
            }
            each(kept);
        }
        Ok(())
    }

    /// Marks a contact as a favourite, or no longer; false: there is none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn set_favourite(&self, id: ContactId, on: bool) -> Result<bool, StoreError> {
        let mut put = self.connection.prepare_cached("UPDATE contact SET favourite = ?2 WHERE id = ?1")?;
        Ok(put.execute(params![id.0.cast_signed(), on])? > 0)
    }

    /// All favourites, the oldest first.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn favourites(&self) -> Result<Vec<ContactId>, StoreError> {
        let mut ask =
            self.connection.prepare_cached("SELECT id FROM contact WHERE favourite = 1 ORDER BY id")?;
        let all = ask.query_map([], |row| row.get(0).map(i64::cast_unsigned).map(ContactId))?;
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// Puts a contact into a group, or takes it out.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn set_in_group(&self, group: &str, id: ContactId, within: bool) -> Result<(), StoreError> {
        let how = if within {
            "INSERT OR IGNORE INTO contact_group SELECT ?1, id FROM contact WHERE id = ?2"
        } else {
            "DELETE FROM contact_group WHERE name = ?1 AND contact = ?2"
        };
        self.connection.prepare_cached(how)?.execute(params![group, id.0.cast_signed()])?;
        Ok(())
    }

    /// Groups, each with its contacts.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn groups_of_contacts(&self) -> Result<Vec<(String, Vec<ContactId>)>, StoreError> {
        let mut ask = self
            .connection
            .prepare_cached("SELECT name, contact FROM contact_group ORDER BY name, contact")?;
        let mut groups: Vec<(String, Vec<ContactId>)> = Vec::new();
        let mut rows = ask.query([])?;
        while let Some(row) = rows.next()? {
            let (name, id): (String, i64) = (row.get(0)?, row.get(1)?);
            let id = ContactId(id.cast_unsigned());
            match groups.last_mut().filter(|(last, _)| *last == name) {
                Some((_, ids)) => ids.push(id),
                None => groups.push((name, vec![id])),
            }
        }
        Ok(groups)
    }

    /// Calls a group otherwise; where there is one of that name, it takes the contacts in.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was changed.
    pub fn rename_group(&self, group: &str, name: &str) -> Result<(), StoreError> {
        if group == name {
            return Ok(());
        }
        self.bulk(|| {
            let mut put = self
                .connection
                .prepare_cached("UPDATE OR IGNORE contact_group SET name = ?2 WHERE name = ?1")?;
            put.execute([group, name])?;
            // Who was in both.
            self.remove_group(group)
        })
    }

    /// Forgets a group; its contacts stay.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn remove_group(&self, group: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM contact_group WHERE name = ?1")?.execute([group])?;
        Ok(())
    }

    /// What a digit from 1 to 9 calls when it is held down; `None`: nothing from now on.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored; another digit is none.
    pub fn set_speed_dial(&self, digit: u8, number: Option<&str>) -> Result<(), StoreError> {
        match number {
            Some(number) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO speed_dial (digit, number) VALUES (?1, ?2)")?
                .execute(params![digit, number])?,
            None => {
                self.connection.prepare_cached("DELETE FROM speed_dial WHERE digit = ?1")?.execute([digit])?
            }
        };
        Ok(())
    }

    /// All digits with a number behind them, in order.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn speed_dials(&self) -> Result<Vec<(u8, String)>, StoreError> {
        let mut ask =
            self.connection.prepare_cached("SELECT digit, number FROM speed_dial ORDER BY digit")?;
        let all = ask.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// The number behind a digit, if there is one.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn speed_dial(&self, digit: u8) -> Result<Option<String>, StoreError> {
        let mut ask = self.connection.prepare_cached("SELECT number FROM speed_dial WHERE digit = ?1")?;
        Ok(ask.query_row([digit], |row| row.get(0)).optional()?)
    }

    /// Lets a number no longer ring, or lets it again.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn set_blocked(&self, number: &str, on: bool, now: Millis) -> Result<(), StoreError> {
        let number = bare(number);
        if on {
            let mut put = self.connection.prepare_cached("INSERT OR IGNORE INTO blocked VALUES (?1, ?2)")?;
            put.execute(params![number, now])?;
        } else {
            self.connection.prepare_cached("DELETE FROM blocked WHERE number = ?1")?.execute([number])?;
        }
        Ok(())
    }

    /// Numbers that do not ring, as [`base::number`] compares them.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn blocked(&self) -> Result<Vec<String>, StoreError> {
        let mut ask = self.connection.prepare_cached("SELECT number FROM blocked ORDER BY since, number")?;
        Ok(ask.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

/// Without its names and numbers.
fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let favourite = row.get(4)?;
    let contact = Contact {
        id: ContactId(row.get(0).map(i64::cast_unsigned)?),
        names: Vec::new(),
        numbers: Vec::new(),
        weight: if favourite { FAVOURITE } else { 0 },
    };
    Ok(Kept { contact, source: row.get(1)?, key: row.get(2)?, photo: row.get(3)?, favourite })
}

/// Behind whose it is.
fn number(row: &Row<'_>) -> rusqlite::Result<Number> {
    Ok(Number { text: row.get(1)?, kind: row.get(2)?, normal: row.get(3)? })
}
