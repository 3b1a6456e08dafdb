//! The phone book of a running phone: what is kept of it, and the same in memory to be searched, in step.
//!
//! ```text
//!  platform --pages--> put --> store's thread --stored--> the book in memory, if it is there
//!  person   --types--> search: the book, loaded when first needed
//! ```
//! Everything here may wait for a disk: none of it is for a thread that draws. What is in memory is changed only behind what
//! is stored. How contacts are found is [`book`]'s, what makes numbers the same [`numbers`]'.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use book::{Book, Contact, ContactId, Field, MOST_NUMBERS, Number, vcard};
use offhook_store::{About, Kept, OWN, Store, StoreError};

use crate::clock;
use crate::events::{Event, Events};

/// The source of the device's contacts, and what those of its accounts are below.
const DEVICE: &str = "device";
/// Names of one contact that are kept: no more are found.
const MOST_NAMES: usize = 16;
/// Letters of a name that are kept: its first 256 are found.
const LONGEST_NAME: usize = 1024;
/// Letters of a number, of its kind, and of a picture's place.
const LONGEST_NUMBER: usize = 256;
const LONGEST_KIND: usize = 64;
const LONGEST_PHOTO: usize = 1024;
/// Contacts that are stored at once when a file is read.
const PAGE: usize = 500;

/// A contact as its source has it.
#[derive(Clone, PartialEq, Eq)]
pub struct FromDevice {
    /// What the source calls it, the same at each reading.
    pub key: String,
    /// The account that it is of; empty: of none.
    pub account: String,
    /// Its names and numbers, as [`made`] makes them.
    pub contact: Contact,
    /// Where its picture is.
    pub photo: Option<String>,
}

/// A contact that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// All of it.
    pub kept: Kept,
    /// Others that are the same person.
    pub also: Vec<ContactId>,
}

impl Shown {
    /// The device's account that it is of; none: it was entered here, or is of no account.
    pub fn account(&self) -> Option<&str> {
        self.kept.source.strip_prefix(DEVICE)?.strip_prefix('/')
    }

    /// Whether it was entered here, and may be changed here.
    pub fn is_own(&self) -> bool {
        self.kept.source == OWN
    }
}

/// A contact that was found, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// All of it.
    pub shown: Shown,
    /// What matched.
    pub field: Field,
    /// Which letters of it, as bytes of its text.
    pub ranges: Vec<Range<usize>>,
}

/// What became of a file of contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Contacts that were taken in; some may have been there.
    pub taken: usize,
    /// Cards without a name or a number, or without an end.
    pub passed_over: usize,
}

/// The phone book.
#[derive(Debug)]
pub struct Contacts {
    file: PathBuf,
    events: Arc<Events>,
    /// Where numbers without a country are of.
    region: Mutex<Option<String>>,
    /// None: nobody has searched yet.
    book: Mutex<Option<Book>>,
    /// Held from before something is stored until the book has it. Taken before `book`.
    writing: Mutex<()>,
    /// The mark of the reading that is under way.
    reading: Mutex<Option<i64>>,
}

/// A contact within bounds, its numbers with what makes them comparable. What is beyond the bounds nobody could read, and is
/// cut off.
pub fn made(
    names: impl IntoIterator<Item = String>,
    numbers: impl IntoIterator<Item = (String, String)>,
    region: Option<&str>,
) -> Contact {
    let names = names.into_iter().map(|name| cut(name, LONGEST_NAME)).filter(|name| !name.trim().is_empty());
    let numbers =
        numbers.into_iter().map(|(text, kind)| (cut(text, LONGEST_NUMBER), cut(kind, LONGEST_KIND)));
    let numbers = numbers.filter(|(text, _)| !text.trim().is_empty());
    let number =
        |(text, kind): (String, String)| Number { normal: numbers::normal(&text, region), text, kind };
    Contact {
        id: ContactId(0),
        names: names.take(MOST_NAMES).collect(),
        numbers: numbers.take(MOST_NUMBERS).map(number).collect(),
        weight: 0,
    }
}

/// The contacts of a vCard file, each with a key that is the same whenever the file is read, and how many cards were passed
/// over.
pub fn cards(file: &[u8], region: Option<&str>) -> (Vec<(String, Option<String>, Contact)>, usize) {
    let cards = vcard::read(file);
    let contact = |it: Contact| {
        let numbers = it.numbers.into_iter().map(|number| (number.text, number.kind));
        let contact = made(it.names, numbers, region);
        (key(&contact), None, contact)
    };
    (cards.contacts.into_iter().map(contact).collect(), cards.passed_over)
}

/// What a contact without a key of its own is called.
pub fn key(contact: &Contact) -> String {
    let numbers: Vec<&str> = contact.numbers.iter().map(|number| &*number.text).collect();
    format!("{}\n{}", contact.names.join("\n"), numbers.join("\n"))
}

impl Contacts {
    pub(crate) fn new(file: &Path, events: &Arc<Events>) -> Arc<Self> {
        Arc::new(Self {
            file: file.into(),
            events: Arc::clone(events),
            region: Mutex::default(),
            book: Mutex::default(),
            writing: Mutex::default(),
            reading: Mutex::default(),
        })
    }

    /// Numbers that come from now on and say no country are of that one.
    pub fn set_region(&self, region: Option<&str>) {
        *lock(&self.region) = region.map(str::to_owned);
    }

    /// As [`made`], where the phone is.
    pub fn make(
        &self,
        names: impl IntoIterator<Item = String>,
        numbers: impl IntoIterator<Item = (String, String)>,
    ) -> Contact {
        made(names, numbers, lock(&self.region).clone().as_deref())
    }

    /// Brings the book into memory, in a thread of its own; [`Event::Contacts`] follows.
    pub fn prepare(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let work = move || {
            if this.with_book(Book::settle).is_ok() {
                this.events.push(Event::Contacts);
            }
        };
        // Without a thread the first search does it.
        let _ = Builder::new().name("offhook-book".into()).spawn(work);
    }

    /// What is kept was changed by somebody else: it is read anew when it is next needed.
    pub(crate) fn anew(&self) {
        *lock(&self.book) = None;
        self.events.push(Event::Contacts);
    }

    /// Begins to read the device's contacts, and names the reading. An older one that did not end is given up.
    pub fn begin(&self) -> i64 {
        let now = clock::wall_millis();
        let mut reading = lock(&self.reading);
        let mark = reading.map_or(now, |last| now.max(last + 1));
        *reading = Some(mark);
        mark
    }

    /// Takes a page of what is read; false: another reading has begun since.
    ///
    /// # Errors
    /// - [`StoreError`]: some of the page may be stored. Give it again, or give the reading up.
    pub fn put(&self, reading: i64, page: Vec<FromDevice>) -> Result<bool, StoreError> {
        if *lock(&self.reading) != Some(reading) {
            return Ok(false);
        }
        let mut sources: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for it in page {
            let source =
                if it.account.is_empty() { DEVICE.into() } else { format!("{DEVICE}/{}", it.account) };
            let photo = it.photo.map(|photo| cut(photo, LONGEST_PHOTO));
            sources.entry(source).or_default().push((it.key, photo, it.contact));
        }
        let _whole = lock(&self.writing);
        for (source, page) in sources {
            self.store(source, reading, page)?;
        }
        Ok(true)
    }

    /// The reading is complete: what it did not find is forgotten. How many those were; `None`: another reading has begun
    /// since, or this one has ended.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten. Try again.
    pub fn end(&self, reading: i64) -> Result<Option<usize>, StoreError> {
        if *lock(&self.reading) != Some(reading) {
            return Ok(None);
        }
        let whole = lock(&self.writing);
        let gone = self.events.on_store(About::Rest, move |store| store.end_reading(DEVICE, reading))?;
        lock(&self.reading).take_if(|it| *it == reading);
        self.follow(|book| {
            for id in &gone {
                book.remove(*id);
            }
            book.settle();
        });
        drop(whole);
        Ok(Some(gone.len()))
    }

    /// Adds a contact of the person's own.
    ///
    /// # Errors
    /// - [`StoreError`]: it was not added.
    pub fn add(&self, contact: Contact, photo: Option<String>) -> Result<ContactId, StoreError> {
        let (key, photo) = (fresh_key(), photo.map(|photo| cut(photo, LONGEST_PHOTO)));
        let _whole = lock(&self.writing);
        let added = contact.clone();
        let id = self.events.on_store(About::Rest, move |store| {
            store.bulk(|| store.put_contact(OWN, 0, &key, photo.as_deref(), &added))
        })?;
        self.follow(|book| {
            book.put([Contact { id, ..contact }]);
        });
        Ok(id)
    }

    /// Changes a contact of the person's own; false: there is none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was changed.
    pub fn change(&self, id: ContactId, contact: Contact, photo: Option<String>) -> Result<bool, StoreError> {
        // A new name: what a file brings again must not be taken for it.
        let (key, photo) = (fresh_key(), photo.map(|photo| cut(photo, LONGEST_PHOTO)));
        self.one(id, move |store| store.change_contact(id, &key, photo.as_deref(), &contact))
    }

    /// Forgets a contact of the person's own; false: there is none. What the device has would come again.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn remove(&self, id: ContactId) -> Result<bool, StoreError> {
        self.one(id, move |store| {
            let own = store.contact(id)?.is_some_and(|kept| kept.source == OWN);
            Ok(own && store.remove_contact(id)?)
        })
    }

    /// Marks a contact as a favourite, or no longer; false: there is none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn set_favourite(&self, id: ContactId, on: bool) -> Result<bool, StoreError> {
        self.one(id, move |store| store.set_favourite(id, on))
    }

    /// Puts a contact into a group, or takes it out.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn set_in_group(&self, group: String, id: ContactId, within: bool) -> Result<(), StoreError> {
        self.events.on_store(About::Rest, move |store| store.set_in_group(&group, id, within))?;
        self.events.push(Event::Contacts);
        Ok(())
    }

    /// Calls a group otherwise; where there is one of that name, it takes the contacts in.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn rename_group(&self, group: String, name: String) -> Result<(), StoreError> {
        self.events.on_store(About::Rest, move |store| store.rename_group(&group, &name))?;
        self.events.push(Event::Contacts);
        Ok(())
    }

    /// Forgets a group; its contacts stay.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn remove_group(&self, group: String) -> Result<(), StoreError> {
        self.events.on_store(About::Rest, move |store| store.remove_group(&group))?;
        self.events.push(Event::Contacts);
        Ok(())
    }

    /// Takes in the contacts of a vCard file as the person's own. One that the same file has brought before is not doubled.
    ///
    /// # Errors
    /// - [`StoreError`]: some of them may be stored; the file can be given again.
    pub fn import(&self, file: &[u8]) -> Result<Imported, StoreError> {
        let region = lock(&self.region).clone();
        let (mut rest, passed_over) = cards(file, region.as_deref());
        let taken = rest.len();
        let whole = lock(&self.writing);
        while !rest.is_empty() {
            let others = rest.split_off(PAGE.min(rest.len()));
            self.store(OWN.into(), 0, std::mem::replace(&mut rest, others))?;
        }
        self.follow(Book::settle);
        drop(whole);
        Ok(Imported { taken, passed_over })
    }

    /// These contacts, or all, as a vCard file.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn export(&self, which: &[ContactId]) -> Result<String, StoreError> {
        let mut all = Vec::new();
        self.read()?.each_contact(|kept| {
            if which.is_empty() || which.contains(&kept.contact.id) {
                all.push(kept.contact);
            }
        })?;
        Ok(vcard::write(&all))
    }

    /// The `most` that fit best what was typed: [`Book::search`].
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn search(&self, typed: &str, most: usize) -> Result<Vec<Found>, StoreError> {
        let hits = self.with_book(|book| {
            let hits = book.search(typed, most).into_iter();
            hits.filter_map(|hit| Some((book.get(hit.contact)?.clone(), hit))).collect::<Vec<_>>()
        })?;
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let store = self.read()?;
        let mut found = Vec::with_capacity(hits.len());
        for (contact, hit) in hits {
            // One that was forgotten a moment ago is passed over; of one that was changed, the ranges are of the book's.
            if let Some(kept) = store.contact(hit.contact)? {
                let shown = Shown { kept: Kept { contact, ..kept }, also: hit.also };
                found.push(Found { shown, field: hit.field, ranges: hit.ranges });
            }
        }
        Ok(found)
    }

    /// Persons by name: [`Book::page`].
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn page(&self, from: usize, most: usize) -> Result<Vec<Shown>, StoreError> {
        let page = self.with_book(|book| book.page(from, most))?;
        self.shown(page)
    }

    /// How many persons there are.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn persons(&self) -> Result<usize, StoreError> {
        self.with_book(Book::persons)
    }

    /// One of them, if it is there.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn get(&self, id: ContactId) -> Result<Option<Shown>, StoreError> {
        Ok(self.read()?.contact(id)?.map(|kept| Shown { kept, also: Vec::new() }))
    }

    /// All contacts that are the same person as that one, it among them; none: it is gone.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn person(&self, id: ContactId) -> Result<Vec<Shown>, StoreError> {
        let persons = self.with_book(|book| book.persons_of(&[id]))?;
        let all = persons.into_iter().flat_map(|(first, also)| std::iter::once(first).chain(also));
        self.shown(all.map(|id| (id, Vec::new())))
    }

    /// Who has that number, or that address.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn whose(&self, number: &str, remote: &str) -> Result<Option<Shown>, StoreError> {
        let store = self.read()?;
        let Some(id) = store.whose(number, remote)? else { return Ok(None) };
        Ok(store.contact(id)?.map(|kept| Shown { kept, also: Vec::new() }))
    }

    /// All persons who are favourites, by any of their contacts; by name.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn favourites(&self) -> Result<Vec<Shown>, StoreError> {
        let all = self.read()?.favourites()?;
        let mut persons = self.shown(self.with_book(|book| book.persons_of(&all))?)?;
        for person in &mut persons {
            person.kept.favourite = true;
        }
        Ok(persons)
    }

    /// All persons in a group, by any of their contacts; by name.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn in_group(&self, group: &str) -> Result<Vec<Shown>, StoreError> {
        let within = self.read()?.groups_of_contacts()?.into_iter().find(|(name, _)| name == group);
        let ids = within.map_or_else(Vec::new, |(_, ids)| ids);
        self.shown(self.with_book(|book| book.persons_of(&ids))?)
    }

    /// Groups, each with its contacts.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn groups(&self) -> Result<Vec<(String, Vec<ContactId>)>, StoreError> {
        self.read()?.groups_of_contacts()
    }

    fn shown(
        &self,
        which: impl IntoIterator<Item = (ContactId, Vec<ContactId>)>,
    ) -> Result<Vec<Shown>, StoreError> {
        let store = self.read()?;
        let mut all = Vec::new();
        for (id, also) in which {
            if let Some(kept) = store.contact(id)? {
                all.push(Shown { kept, also });
            }
        }
        Ok(all)
    }

    /// Changes one contact, and what of it is in memory.
    fn one(
        &self,
        id: ContactId,
        mut work: impl FnMut(&Store) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        let _whole = lock(&self.writing);
        let (done, now) = self.events.on_store(About::Rest, move |store| {
            let done = work(store)?;
            Ok((done, store.contact(id)?))
        })?;
        if done {
            self.follow(|book| {
                match now {
                    Some(kept) => book.put([kept.contact]),
                    None => book.remove(id),
                };
            });
        }
        Ok(done)
    }

    /// Stores a page, and brings what is other by it into memory.
    fn store(
        &self,
        source: String,
        mark: i64,
        page: Vec<(String, Option<String>, Contact)>,
    ) -> Result<(), StoreError> {
        let (page, put) = {
            let page = Arc::new(page);
            let of_thread = Arc::clone(&page);
            let put = move |store: &Store| store.put_contacts(&source, mark, &of_thread);
            (page, self.events.on_store(About::Rest, put)?)
        };
        let changed: Vec<ContactId> = put.iter().filter(|(_, other)| *other).map(|(id, _)| *id).collect();
        let mut book = lock(&self.book);
        let Some(book) = &mut *book else { return Ok(()) };
        let is_favourite: BTreeMap<ContactId, u32> =
            changed.iter().filter_map(|id| Some((*id, book.get(*id)?.weight))).collect();
        let other = put.into_iter().zip(page.iter()).filter(|((_, other), _)| *other);
        book.put(other.map(|((id, _), (_, _, contact))| Contact {
            id,
            weight: is_favourite.get(&id).copied().unwrap_or(contact.weight),
            ..contact.clone()
        }));
        Ok(())
    }

    /// Changes what is in memory behind what is stored, and tells of it.
    fn follow(&self, work: impl FnOnce(&mut Book)) {
        if let Some(book) = &mut *lock(&self.book) {
            work(book);
        }
        self.events.push(Event::Contacts);
    }

    fn with_book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> Result<T, StoreError> {
        if let Some(book) = &mut *lock(&self.book) {
            return Ok(work(book));
        }
        let _whole = lock(&self.writing);
        if lock(&self.book).is_none() {
            let (store, mut all) = (self.read()?, Vec::new());
            store.each_contact(|kept| all.push(kept.contact))?;
            let mut book = Book::default();
            book.put(all);
            book.settle();
            *lock(&self.book) = Some(book);
        }
        Ok(work(lock(&self.book).get_or_insert_default()))
    }

    fn read(&self) -> Result<Store, StoreError> {
        Store::reader(&self.file)
    }
}

/// One that no other contact has: the person may enter the same twice.
fn fresh_key() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", clock::wall().as_nanos(), LAST.fetch_add(1, Ordering::Relaxed))
}

fn cut(mut text: String, most: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(most) {
        text.truncate(at);
        text.shrink_to_fit();
    }
    text
}

fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
