//! The phone book, as an app shows and feeds it: the device's contacts in pages, the person's own, and finding them as one
//! types.
//!
//! All of this may wait for a disk: call it from a thread that does not draw. Slow are: a page of contacts (some ten
//! milliseconds for a hundred), the end of a reading and an import (a second for 50,000 contacts), and the first search of a
//! process, unless [`Phone::prepare_contacts`] was asked for long enough before it.
//!
//! Places in texts are counted in UTF-16 units, as Kotlin's and Swift's (`NSString`) strings count them: an emoji is two, a
//! Chinese letter one. Texts must be Unicode: half an emoji, which Java's strings may hold, fails in the bindings, and the
//! whole page with it; the app puts U+FFFD in its place before. Decides nothing: how contacts are found, merged and kept is
//! the core's.

use std::sync::Arc;

use base::Redacted;
use offhook_io::book::{ContactId, Field};
use offhook_io::contacts::{Contacts, Found, FromDevice, Shown};
use offhook_io::store::About;
use sha2::{Digest as _, Sha256};

use crate::Phone;
use crate::error::PhoneError;

/// Contacts of one page, at most.
const MOST_OF_PAGE: usize = 1_000;
/// Hits, and rows of the list, that are handed over at once, at most.
const MOST_SHOWN: u32 = 500;
/// Bytes of a contact's key; what is longer is known by its hash.
const LONGEST_KEY: usize = 1_024;
/// Bytes of a group's name, and of a number that is blocked or dialed by one key; letters of an account's name.
const LONGEST: usize = 255;
/// Bytes of a file of contacts.
const LARGEST_FILE: usize = 32 << 20;

/// A number of a contact, or an address.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContactNumber {
    /// As it was written.
    pub text: String,
    /// What it is, to be shown beside it: `mobile`, `work`, or the person's own word; empty: nothing.
    #[uniffi(default = "")]
    pub kind: String,
    /// The same number however it is written, where that is known. What the app gives here is not looked at.
    #[uniffi(default = None)]
    pub normal: Option<String>,
}

/// A contact as the device has it. Of names 16 are kept, a thousand letters each; of numbers 10,000.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DeviceContact {
    /// What names it for good: on Android its lookup key (its id changes), on iOS its identifier.
    pub key: String,
    /// What it is called: the first is shown, the others (nickname, company) are found as well.
    pub names: Vec<String>,
    /// How it is reached.
    pub numbers: Vec<ContactNumber>,
    /// Where its picture is, in the platform's own terms.
    #[uniffi(default = None)]
    pub photo: Option<String>,
    /// The device's account that it is of, in words for the person; empty: of none.
    #[uniffi(default = "")]
    pub account: String,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Contact {
    /// Names it here, until it is gone.
    pub id: u64,
    /// What it is called; the first is shown. None: show a number.
    pub names: Vec<String>,
    /// How it is reached.
    pub numbers: Vec<ContactNumber>,
    /// Where its picture is.
    pub photo: Option<String>,
    /// Entered here: it may be changed and removed here, and nowhere else.
    pub own: bool,
    /// What the device calls it; of one of the person's own it means nothing.
    pub key: String,
    /// The device's account that it is of.
    pub account: Option<String>,
    /// Marked by the person.
    pub favourite: bool,
    /// Others that are the same person, where a list or a search has merged them: show them as one.
    pub also: Vec<u64>,
}

/// A stretch of a text, in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TextRange {
    /// Where it begins.
    pub start: u32,
    /// Where what follows begins.
    pub end: u32,
}

/// What of a contact was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FoundIn {
    /// One of its names.
    Name {
        /// Which, from 0.
        index: u32,
    },
    /// One of its numbers.
    Number {
        /// Which, from 0.
        index: u32,
    },
}

/// A contact that was found.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContactHit {
    /// All of it.
    pub contact: Contact,
    /// What of it was found.
    pub found: FoundIn,
    /// Which letters of that to mark; in order, apart from each other.
    pub ranges: Vec<TextRange>,
}

/// A group of contacts.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContactGroup {
    /// Its name.
    pub name: String,
    /// The ids of those in it.
    pub contacts: Vec<u64>,
}

/// A digit and what it calls when it is held down.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpeedDial {
    /// 1 to 9.
    pub digit: u8,
    /// What to call.
    pub number: String,
}

/// What became of a file of contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ImportedContacts {
    /// Contacts that were taken in; some may have been there.
    pub taken: u32,
    /// Cards that made no sense, or have neither name nor number.
    pub passed_over: u32,
}

/// The device's contacts: begin, pages, end. What a reading that ended did not bring is forgotten.
#[uniffi::export]
impl Phone {
    /// Begins to read the device's contacts: when the app starts and whenever they change. Names the reading; an older one is
    /// given up, and nothing of it forgotten.
    ///
    /// # Errors
    /// `ShutDown`; `Store`: nothing is remembered.
    pub fn begin_contacts(&self) -> Result<i64, PhoneError> {
        Ok(self.changing_contacts()?.begin())
    }

    /// Takes a page of them, 1,000 at most. A contact that is as it was costs little.
    ///
    /// # Errors
    /// - `TooLong`: more on one page; none of them was stored.
    /// - `BadArgument`: another reading has begun since: end this one.
    /// - `Store`: it was not stored, or not all of it: say so, and begin anew later.
    pub fn put_contacts(&self, reading: i64, page: Vec<DeviceContact>) -> Result<(), PhoneError> {
        let contacts = self.changing_contacts()?;
        if page.len() > MOST_OF_PAGE {
            return Err(PhoneError::TooLong);
        }
        let page = page.into_iter().map(|it| FromDevice {
            key: key(it.key),
            account: it.account.chars().take(LONGEST).collect(),
            contact: contacts.make(it.names, pairs(it.numbers)),
            photo: it.photo,
        });
        if contacts.put(reading, page.collect())? { Ok(()) } else { Err(overtaken()) }
    }

    /// All were told: what this reading did not bring is forgotten. How many those were. [`crate::Event::Contacts`] follows.
    ///
    /// # Errors
    /// As for `put_contacts`; nothing was forgotten.
    pub fn end_contacts(&self, reading: i64) -> Result<u32, PhoneError> {
        let gone = self.changing_contacts()?.end(reading)?.ok_or_else(overtaken)?;
        self.log.note(format!("contacts read, {gone} are gone"));
        Ok(gone as u32)
    }
}

/// Finding and listing.
#[uniffi::export]
impl Phone {
    /// Brings the phone book into memory, in a thread of the core's: when a screen that searches opens. Returns at once;
    /// [`crate::Event::Contacts`] follows.
    ///
    /// # Errors
    /// `ShutDown`; `Store`: nothing is remembered.
    pub fn prepare_contacts(&self) -> Result<(), PhoneError> {
        self.changing_contacts()?.prepare();
        Ok(())
    }

    /// The `most` contacts (500 at most) that fit best what was typed: words, part of a number, or a name by the keys of a
    /// keypad. Several contacts that are one person are one hit.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn search_contacts(&self, typed: String, most: u32) -> Result<Vec<ContactHit>, PhoneError> {
        let found = self.contacts()?.search(&typed, most.min(MOST_SHOWN) as usize)?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The phone book by name: `most` persons (500 at most) after the first `from`.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn contact_list(&self, from: u32, most: u32) -> Result<Vec<Contact>, PhoneError> {
        let page = self.contacts()?.page(from as usize, most.min(MOST_SHOWN) as usize)?;
        Ok(page.into_iter().map(Into::into).collect())
    }

    /// How many persons the phone book has.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn contact_count(&self) -> Result<u32, PhoneError> {
        Ok(self.contacts()?.persons()? as u32)
    }

    /// One contact; none: it is gone.
    ///
    /// # Errors
    /// `Store`: it cannot be read: say so.
    pub fn contact(&self, id: u64) -> Result<Option<Contact>, PhoneError> {
        Ok(self.contacts()?.get(ContactId(id))?.map(Into::into))
    }

    /// Who has that number, or that address, however it is written: for the name and picture of a call, by its `number` and
    /// its `remote`.
    ///
    /// # Errors
    /// `Store`: they cannot be read: show the number.
    pub fn contact_of(&self, number: String, remote: String) -> Result<Option<Contact>, PhoneError> {
        Ok(self.contacts()?.whose(&number, &remote)?.map(Into::into))
    }

    /// All contacts that are the same person as that one, as a list merges them: it and those of its `also`; none: it is
    /// gone. For a screen that shows the whole person.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn person(&self, id: u64) -> Result<Vec<Contact>, PhoneError> {
        Ok(self.contacts()?.person(ContactId(id))?.into_iter().map(Into::into).collect())
    }

    /// What the person has marked, by name; several contacts that are one person are one of them.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn favourites(&self) -> Result<Vec<Contact>, PhoneError> {
        Ok(self.contacts()?.favourites()?.into_iter().map(Into::into).collect())
    }
}

/// What the person enters and marks here. [`crate::Event::Contacts`] follows each change of a contact.
#[uniffi::export]
impl Phone {
    /// Adds a contact that the device does not have, and returns its id.
    ///
    /// # Errors
    /// - `BadArgument`: neither name nor number.
    /// - `Store`: it was not added: say so.
    pub fn add_contact(
        &self,
        names: Vec<String>,
        numbers: Vec<ContactNumber>,
        photo: Option<String>,
    ) -> Result<u64, PhoneError> {
        let contacts = self.changing_contacts()?;
        Ok(contacts.add(made(contacts, names, numbers)?, photo)?.0)
    }

    /// Changes a contact of the person's own; false: it is gone, or the device's.
    ///
    /// # Errors
    /// As for `add_contact`.
    pub fn change_contact(
        &self,
        id: u64,
        names: Vec<String>,
        numbers: Vec<ContactNumber>,
        photo: Option<String>,
    ) -> Result<bool, PhoneError> {
        let contacts = self.changing_contacts()?;
        Ok(contacts.change(ContactId(id), made(contacts, names, numbers)?, photo)?)
    }

    /// Forgets a contact of the person's own; false: it is gone, or the device's.
    ///
    /// # Errors
    /// `Store`: it was not forgotten: say so.
    pub fn remove_contact(&self, id: u64) -> Result<bool, PhoneError> {
        Ok(self.changing_contacts()?.remove(ContactId(id))?)
    }

    /// Marks a contact as a favourite, or no longer; false: it is gone.
    ///
    /// # Errors
    /// `Store`: it cannot be kept: say so.
    pub fn set_favourite(&self, id: u64, on: bool) -> Result<bool, PhoneError> {
        Ok(self.changing_contacts()?.set_favourite(ContactId(id), on)?)
    }

    /// Groups by name. One without contacts is none.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn contact_groups(&self) -> Result<Vec<ContactGroup>, PhoneError> {
        let groups = self.contacts()?.groups()?.into_iter();
        let group = |(name, ids): (String, Vec<ContactId>)| ContactGroup {
            name,
            contacts: ids.into_iter().map(|id| id.0).collect(),
        };
        Ok(groups.map(group).collect())
    }

    /// Who is in a group, by name; several contacts that are one person are one of them.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn group_members(&self, group: String) -> Result<Vec<Contact>, PhoneError> {
        Ok(self.contacts()?.in_group(&group)?.into_iter().map(Into::into).collect())
    }

    /// Calls a group otherwise. A group that has that name already takes the contacts in.
    ///
    /// # Errors
    /// - `BadArgument`: no name; `TooLong`.
    /// - `Store`: it cannot be kept: say so.
    pub fn rename_group(&self, group: String, name: String) -> Result<(), PhoneError> {
        Ok(self.changing_contacts()?.rename_group(group, group_name(name)?)?)
    }

    /// Forgets a group. Who was in it stays in the phone book.
    ///
    /// # Errors
    /// `Store`: it cannot be kept: say so.
    pub fn remove_group(&self, group: String) -> Result<(), PhoneError> {
        Ok(self.changing_contacts()?.remove_group(group)?)
    }

    /// Puts a contact into a group, or takes it out.
    ///
    /// # Errors
    /// - `BadArgument`: the group has no name; `TooLong`.
    /// - `Store`: it cannot be kept: say so.
    pub fn set_in_group(&self, group: String, id: u64, within: bool) -> Result<(), PhoneError> {
        Ok(self.changing_contacts()?.set_in_group(group_name(group)?, ContactId(id), within)?)
    }

    /// What the digits 1 to 9 call when they are held down.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn speed_dials(&self) -> Result<Vec<SpeedDial>, PhoneError> {
        let all = self.remembered()?.speed_dials()?;
        Ok(all.into_iter().map(|(digit, number)| SpeedDial { digit, number }).collect())
    }

    /// Lets a digit from 1 to 9 call that number, or nothing.
    ///
    /// # Errors
    /// - `BadArgument`: another digit; `TooLong`: the number.
    /// - `Store`: it cannot be kept: say so.
    pub fn set_speed_dial(&self, digit: u8, number: Option<String>) -> Result<(), PhoneError> {
        self.require_open()?;
        if !(1..=9).contains(&digit) {
            return Err(PhoneError::BadArgument { sentence: "digits from 1 to 9 can be held down".into() });
        }
        let number = number.filter(|number| !number.trim().is_empty());
        number.as_deref().map_or(Ok(()), short)?;
        Ok(self.handle.on_store(About::Rest, move |store| store.set_speed_dial(digit, number.as_deref()))?)
    }

    /// Numbers that do not ring, as they are compared, the one blocked longest first.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn blocked(&self) -> Result<Vec<String>, PhoneError> {
        Ok(self.remembered()?.blocked()?)
    }

    /// Those of the blocked numbers that keep callers from any of these from ringing, however either is written; none: they
    /// ring. To let them ring again, [`Phone::block`] takes each back.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn blocking(&self, numbers: Vec<String>) -> Result<Vec<String>, PhoneError> {
        let (bare, same) = (base::number::bare, base::number::same);
        let user = |number: &str| bare(number.split('@').next().unwrap_or_default());
        let mut these: Vec<String> = numbers.iter().map(|number| bare(number)).collect();
        these.extend(these.iter().map(|number| user(number)).collect::<Vec<_>>());
        let mut all = self.remembered()?.blocked()?;
        all.retain(|blocked| these.iter().any(|number| same(blocked, number)));
        Ok(all)
    }

    /// Lets callers of that number, or address, no longer ring (true), or again: it is remembered. What they write is not
    /// shown either. Their calls are in the call log all the same.
    ///
    /// # Errors
    /// - `BadArgument`: no number; `TooLong`.
    /// - `Store`: it cannot be kept: say so.
    pub fn block(&self, number: String, on: bool) -> Result<(), PhoneError> {
        self.require_open()?;
        short(&number)?;
        if base::number::bare(&number).is_empty() {
            return Err(PhoneError::BadArgument { sentence: "there is no number to block".into() });
        }
        let now = offhook_io::clock::wall_millis();
        let number = Redacted::new(number);
        self.handle.on_store(About::Blocked, move |store| store.set_blocked(number.reveal(), on, now))?;
        Ok(())
    }

    /// Takes in a vCard file as the person's own contacts. The same file may be given twice. Its bytes, as they are: old files
    /// are of many charsets.
    ///
    /// # Errors
    /// - `TooLong`: more than 32 MiB.
    /// - `Store`: not all of it was stored: say so; it may be given again.
    pub fn import_contacts(&self, vcard: Vec<u8>) -> Result<ImportedContacts, PhoneError> {
        let contacts = self.changing_contacts()?;
        if vcard.len() > LARGEST_FILE {
            return Err(PhoneError::TooLong);
        }
        let imported = contacts.import(&vcard)?;
        let (taken, passed_over) = (imported.taken as u32, imported.passed_over as u32);
        self.log.note(format!("{taken} contacts imported"));
        Ok(ImportedContacts { taken, passed_over })
    }

    /// These contacts as a vCard file, or all, the device's too, where none is named.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn export_contacts(&self, ids: Vec<u64>) -> Result<String, PhoneError> {
        let ids: Vec<ContactId> = ids.into_iter().map(ContactId).collect();
        Ok(self.contacts()?.export(&ids)?)
    }
}

impl Phone {
    pub(crate) fn contacts(&self) -> Result<&Arc<Contacts>, PhoneError> {
        let nothing = || PhoneError::Store { sentence: "nothing is remembered".into() };
        self.handle.contacts().ok_or_else(nothing)
    }

    fn changing_contacts(&self) -> Result<&Arc<Contacts>, PhoneError> {
        self.require_open()?;
        self.contacts()
    }
}

fn made(
    contacts: &Contacts,
    names: Vec<String>,
    numbers: Vec<ContactNumber>,
) -> Result<offhook_io::book::Contact, PhoneError> {
    let made = contacts.make(names, pairs(numbers));
    if made.names.is_empty() && made.numbers.is_empty() {
        return Err(PhoneError::BadArgument { sentence: "a contact needs a name or a number".into() });
    }
    Ok(made)
}

fn pairs(numbers: Vec<ContactNumber>) -> impl Iterator<Item = (String, String)> {
    numbers.into_iter().map(|number| (number.text, number.kind))
}

fn key(text: String) -> String {
    if text.len() > LONGEST_KEY { format!("{:x?}", Sha256::digest(&text).as_slice()) } else { text }
}

fn short(text: &str) -> Result<(), PhoneError> {
    if text.len() > LONGEST { Err(PhoneError::TooLong) } else { Ok(()) }
}

fn group_name(name: String) -> Result<String, PhoneError> {
    short(&name)?;
    if name.trim().is_empty() {
        return Err(PhoneError::BadArgument { sentence: "a group needs a name".into() });
    }
    Ok(name.trim().to_owned())
}

fn overtaken() -> PhoneError {
    PhoneError::BadArgument { sentence: "another reading of contacts has begun since".into() }
}

impl From<Shown> for Contact {
    fn from(shown: Shown) -> Self {
        let (own, account) = (shown.is_own(), shown.account().map(str::to_owned));
        let contact = shown.kept.contact;
        let numbers = contact.numbers.into_iter().map(|number| ContactNumber {
            text: number.text,
            kind: number.kind,
            normal: number.normal,
        });
        Self {
            id: contact.id.0,
            names: contact.names,
            numbers: numbers.collect(),
            photo: shown.kept.photo,
            own,
            key: shown.kept.key,
            account,
            favourite: shown.kept.favourite,
            also: shown.also.into_iter().map(|id| id.0).collect(),
        }
    }
}

impl From<Found> for ContactHit {
    fn from(hit: Found) -> Self {
        let contact = &hit.shown.kept.contact;
        let (found, text) = match hit.field {
            Field::Name(at) => (FoundIn::Name { index: at as u32 }, contact.names.get(at)),
            Field::Number(at) => {
                (FoundIn::Number { index: at as u32 }, contact.numbers.get(at).map(|it| &it.text))
            }
        };
        let text = text.map_or("", String::as_str);
        let units = |end: usize| text.get(..end).map_or(0, |it| it.encode_utf16().count()) as u32;
        let ranges = hit.ranges.iter().map(|it| TextRange { start: units(it.start), end: units(it.end) });
        Self { found, ranges: ranges.collect(), contact: hit.shown.into() }
    }
}
