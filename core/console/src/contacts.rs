//! `offhook contacts`: the phone book for people and for scripts.
//!
//! Contacts are the store's, finding them is the book's, and how they are made is [`contacts`]'.

use std::fs;
use std::ops::Range;
use std::path::Path;

use book::{Book, Contact, ContactId, Field, Hit, vcard};
use offhook_io::contacts;
use offhook_io::store::{Kept, OWN, Store, StoreError};
use serde::Serialize;

use crate::cli::{ContactsArgs, ContactsJob};
use crate::failure::Failure;
use crate::phone::json::say;
use crate::phone::picture::harmless;
use crate::typing;

/// Contacts that are shown, at most.
const SHOWN: usize = 20;

/// One contact: `"event":"contact"`.
#[derive(Serialize)]
struct Shown<'a> {
    event: &'static str,
    id: u64,
    name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    also: &'a [String],
    numbers: Vec<ShownNumber<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matched: Option<Matched<'a>>,
}

#[derive(Serialize)]
struct ShownNumber<'a> {
    number: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<&'a str>,
}

/// What was found, and which bytes of it.
#[derive(Serialize)]
struct Matched<'a> {
    text: &'a str,
    ranges: Vec<[usize; 2]>,
}

/// Does one thing to the phone book, or shows it.
pub(crate) fn run(args: &ContactsArgs) -> Result<(), Failure> {
    let store = Store::open(&args.place.made()?).map_err(failed)?.store;
    match &args.job {
        ContactsJob::List { group, favourites } => show_all(&store, group.as_deref(), *favourites, args.json),
        ContactsJob::Find { text } => find(&store, text.as_deref(), args.json),
        ContactsJob::Add { name, numbers } => {
            let numbers = numbers.iter().map(|text| (text.clone(), String::new()));
            let contact = contacts::made([name.clone()], numbers, args.region.as_deref());
            let key = contacts::key(&contact);
            let id = store.bulk(|| store.put_contact(OWN, 0, &key, None, &contact)).map_err(failed)?;
            println!("contact {} added", id.0);
            Ok(())
        }
        ContactsJob::Remove { id } => known(store.remove_contact(ContactId(*id)), "removed"),
        ContactsJob::Favourite { id, off } => known(store.set_favourite(ContactId(*id), !off), "marked"),
        ContactsJob::Group { name, id, off } => {
            store.set_in_group(name, ContactId(*id), !off).map_err(failed)
        }
        ContactsJob::Groups => {
            for (name, within) in store.groups_of_contacts().map_err(failed)? {
                println!("{}", harmless(&format!("{:>6}  {name}", within.len())));
            }
            Ok(())
        }
        ContactsJob::Import { file } => import(&store, file, args.region.as_deref()),
        ContactsJob::Export => {
            print!("{}", vcard::write(&all(&store)?));
            Ok(())
        }
        ContactsJob::Block { number, off } => {
            let now = offhook_io::clock::wall_millis();
            store.set_blocked(number, !off, now).map_err(failed)
        }
        ContactsJob::Blocked => {
            store.blocked().map_err(failed)?.iter().for_each(|number| println!("{number}"));
            Ok(())
        }
        ContactsJob::Speed { digit, number } => match number {
            Some(number) => store.set_speed_dial(*digit, Some(number)).map_err(failed),
            None => {
                let number = store.speed_dial(*digit).map_err(failed)?;
                println!("{}", number.unwrap_or_else(|| "nothing".to_owned()));
                Ok(())
            }
        },
    }
}

fn failed(error: StoreError) -> Failure {
    Failure::Failed(error.to_string())
}

fn known(done: Result<bool, StoreError>, word: &str) -> Result<(), Failure> {
    if done.map_err(failed)? {
        println!("{word}");
        Ok(())
    } else {
        Err(Failure::Failed("there is no such contact".into()))
    }
}

fn import(store: &Store, file: &Path, region: Option<&str>) -> Result<(), Failure> {
    let bytes = fs::read(file)
        .map_err(|error| Failure::Usage(format!("{}: cannot be read: {error}", file.display())))?;
    let (page, passed_over) = contacts::cards(&bytes, region);
    store.put_contacts(OWN, 0, &page).map_err(failed)?;
    println!("{} contacts imported, {passed_over} cards passed over", page.len());
    Ok(())
}

fn all(store: &Store) -> Result<Vec<Contact>, Failure> {
    let mut all = Vec::new();
    store.each_contact(|kept| all.push(kept.contact)).map_err(failed)?;
    Ok(all)
}

fn show_all(store: &Store, group: Option<&str>, favourites: bool, json: bool) -> Result<(), Failure> {
    let groups = store.groups_of_contacts().map_err(failed)?;
    let within: Option<&[ContactId]> =
        group.map(|wanted| groups.iter().find(|(name, _)| name == wanted).map_or(&[][..], |(_, it)| it));
    let mut all = Vec::new();
    let wanted = |kept: &Kept| {
        (kept.favourite || !favourites) && within.is_none_or(|within| within.contains(&kept.contact.id))
    };
    store
        .each_contact(|kept| {
            if wanted(&kept) {
                all.push(kept.contact);
            }
        })
        .map_err(failed)?;
    all.sort_by_cached_key(|contact| book::fold(contact.names.first().map_or("", String::as_str)));
    all.iter().try_for_each(|contact| show(contact, None, json))
}

fn find(store: &Store, text: Option<&str>, json: bool) -> Result<(), Failure> {
    let mut book = Book::default();
    book.put(all(store)?);
    let Some(text) = text else {
        return typing::run(|typed, rows| {
            let hits = book.search(typed, rows);
            let found = |hit: &Hit| book.get(hit.contact).map(|contact| line(contact, Some(hit)));
            Ok(hits.iter().filter_map(found).collect())
        });
    };
    let hits = book.search(text, SHOWN);
    if hits.is_empty() && !json {
        println!("nobody");
    }
    hits.iter()
        .try_for_each(|hit| book.get(hit.contact).map_or(Ok(()), |contact| show(contact, Some(hit), json)))
}

fn show(contact: &Contact, hit: Option<&Hit>, json: bool) -> Result<(), Failure> {
    let name = contact.names.first().map_or("", String::as_str);
    if json {
        let numbers = contact.numbers.iter().map(|number| ShownNumber {
            number: &number.text,
            kind: &number.kind,
            normal: number.normal.as_deref(),
        });
        let matched = hit.map(|hit| Matched {
            text: text_of(contact, hit.field),
            ranges: hit.ranges.iter().map(|Range { start, end }| [*start, *end]).collect(),
        });
        let also = contact.names.get(1..).unwrap_or_default();
        let shown =
            Shown { event: "contact", id: contact.id.0, name, also, numbers: numbers.collect(), matched };
        return say(&shown).map_err(|error| Failure::Failed(format!("stdout is gone: {error}")));
    }
    println!("{}", line(contact, hit));
    Ok(())
}

/// `     7  [An]n Smith  +49301234`: in brackets what was found.
fn line(contact: &Contact, hit: Option<&Hit>) -> String {
    let name = contact.names.first().map_or("", String::as_str);
    let marked = |field: Field, text: &str| match hit.filter(|hit| hit.field == field) {
        Some(hit) => marked(text, &hit.ranges),
        None => text.to_owned(),
    };
    let numbers =
        contact.numbers.iter().enumerate().map(|(at, number)| marked(Field::Number(at), &number.text));
    let numbers = numbers.collect::<Vec<_>>().join(", ");
    harmless(&format!("{:>6}  {}  {numbers}", contact.id.0, marked(Field::Name(0), name)))
        .trim_end()
        .to_owned()
}

fn text_of(contact: &Contact, field: Field) -> &str {
    let text = match field {
        Field::Name(at) => contact.names.get(at),
        Field::Number(at) => contact.numbers.get(at).map(|number| &number.text),
    };
    text.map_or("", String::as_str)
}

/// `[An]n`.
fn marked(text: &str, ranges: &[Range<usize>]) -> String {
    let mut marked = String::new();
    let mut at = 0;
    for range in ranges {
        for part in [&text[at..range.start], "[", &text[range.clone()], "]"] {
            marked.push_str(part);
        }
        at = range.end;
    }
    marked + &text[at..]
}
