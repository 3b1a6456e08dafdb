use std::time::Duration;

use super::*;
use crate::journal::Journal;

/// A phone's memory without a phone.
struct Memory {
    contacts: Arc<Contacts>,
    events: Arc<Events>,
    _folder: tempfile::TempDir,
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.events.set_journal(None);
    }
}

fn memory() -> Memory {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(offhook_store::FILE);
    let events = Arc::<Events>::default();
    events.set_journal(Some(Journal::open(&path, None, |_| (), |_| ()).unwrap()));
    let contacts = Contacts::new(&path, &events);
    contacts.set_region(Some("DE"));
    Memory { contacts, events, _folder: folder }
}

impl Memory {
    fn device(&self, key: &str, name: &str, numbers: &[&str]) -> FromDevice {
        let numbers = numbers.iter().map(|it| ((*it).to_owned(), "mobile".to_owned()));
        let contact = self.contacts.make([name.to_owned()], numbers);
        FromDevice { key: key.into(), account: "work".into(), contact, photo: Some(format!("photo:{key}")) }
    }

    fn read(&self, all: &[(&str, &str, &[&str])]) -> usize {
        let reading = self.contacts.begin();
        for (key, name, numbers) in all {
            assert!(self.contacts.put(reading, vec![self.device(key, name, numbers)]).unwrap());
        }
        self.contacts.end(reading).unwrap().unwrap()
    }

    fn names(&self, typed: &str) -> Vec<String> {
        let found = self.contacts.search(typed, 9).unwrap();
        found.into_iter().map(|it| it.shown.kept.contact.names.concat()).collect()
    }
}

#[test]
fn what_a_reading_brings_and_no_longer_brings_is_found_and_found_no_more() {
    let memory = memory();
    assert_eq!(memory.read(&[("a", "Ann", &["030 123456"]), ("b", "Bob", &["1002"])]), 0);
    assert_eq!(memory.names("an"), ["Ann"]);
    let ann = memory.contacts.whose("+4930123456", "").unwrap().unwrap();
    assert_eq!(
        (ann.account(), ann.is_own(), ann.kept.photo.as_deref()),
        (Some("work"), false, Some("photo:a"))
    );
    assert!(memory.contacts.set_favourite(ann.kept.contact.id, true).unwrap());

    assert_eq!(memory.read(&[("a", "Annette", &["030 123456"]), ("c", "Anna", &["1003"])]), 1);
    assert_eq!(memory.names("an"), ["Annette", "Anna"], "a favourite stays one and comes first");
    assert_eq!(memory.names("bob"), [""; 0]);
    assert_eq!(memory.contacts.persons().unwrap(), 2);
}

#[test]
fn a_reading_that_another_one_has_overtaken_takes_and_forgets_nothing() {
    let memory = memory();
    memory.read(&[("a", "Ann", &["1"])]);
    let old = memory.contacts.begin();
    let new = memory.contacts.begin();
    assert!(!memory.contacts.put(old, vec![memory.device("b", "Bob", &["2"])]).unwrap());
    assert_eq!(memory.contacts.end(old).unwrap(), None);
    assert_eq!(memory.names("ann"), ["Ann"]);
    assert_eq!(memory.contacts.end(new).unwrap(), Some(1));
    assert_eq!((memory.names("ann"), memory.contacts.end(new).unwrap()), (vec![], None));
}

#[test]
fn what_somebody_else_has_changed_is_read_anew() {
    let memory = memory();
    memory.read(&[("a", "Ann", &["1"])]);
    assert_eq!(memory.names("ann"), ["Ann"]);
    let forget = |store: &Store| store.end_reading(DEVICE, 0);
    assert_eq!(memory.events.on_store(About::Rest, forget).unwrap().len(), 1);
    memory.contacts.anew();
    assert_eq!(memory.names("ann"), [""; 0]);
}

#[test]
fn own_contacts_are_added_changed_and_removed_and_the_devices_are_not() {
    let memory = memory();
    memory.read(&[("b", "Bob", &["1002"])]);
    assert_eq!(memory.names("x"), [""; 0]); // in memory from here on
    let own = |name: &str| memory.contacts.make([name.to_owned()], [("1003".to_owned(), String::new())]);
    let one = memory.contacts.add(own("Xaver"), None).unwrap();
    let two = memory.contacts.add(own("Xaver"), None).unwrap();
    assert_ne!(one, two, "who enters the same twice has it twice");
    assert!(memory.contacts.change(two, own("Xenia"), Some("p".into())).unwrap());
    assert_eq!(memory.names("x"), ["Xaver", "Xenia"]);
    assert!(memory.contacts.remove(one).unwrap() && !memory.contacts.remove(one).unwrap());
    let bob = memory.contacts.whose("1002", "").unwrap().unwrap().kept.contact.id;
    assert!(!memory.contacts.remove(bob).unwrap() && !memory.contacts.change(bob, own("Me"), None).unwrap());
    assert_eq!((memory.names("x"), memory.names("bob")), (vec!["Xenia".to_owned()], vec!["Bob".to_owned()]));
}

#[test]
fn a_file_is_taken_in_once_however_often_it_is_given() {
    let memory = memory();
    let file = "BEGIN:VCARD\r\nFN:Ann\r\nTEL:030 123456\r\nEND:VCARD\r\nBEGIN:VCARD\r\nEND:VCARD\r\n";
    for _ in 0..2 {
        let imported = memory.contacts.import(file.as_bytes()).unwrap();
        assert_eq!(imported, Imported { taken: 1, passed_over: 1 });
    }
    assert_eq!(memory.names("ann"), ["Ann"]);
    let ann = memory.contacts.whose("030 123456", "").unwrap().unwrap().kept.contact;
    assert!(
        memory.contacts.change(ann.id, Contact { names: vec!["Ann Smith".into()], ..ann }, None).unwrap()
    );
    memory.contacts.import(file.as_bytes()).unwrap();
    assert_eq!(memory.names("ann").len(), 1, "the same person");
    assert!(memory.contacts.export(&[]).unwrap().contains("FN:Ann Smith\r\n"), "what was changed stays");
}

#[test]
fn a_contact_beyond_all_bounds_is_cut_to_what_can_be_read() {
    let memory = memory();
    let numbers = (0..20_000).map(|n| (format!("+4930{n:06}"), "x".repeat(1 << 10)));
    let names = ["é".repeat(1 << 20), " ".into(), "\0".into()].into_iter().chain(vec!["more".to_owned(); 99]);
    let contact = memory.contacts.make(names, numbers);
    assert_eq!((contact.names.len(), contact.numbers.len()), (MOST_NAMES, MOST_NUMBERS));
    assert_eq!(contact.names[0].chars().count(), LONGEST_NAME);
    let huge = FromDevice { contact, ..memory.device("huge", "", &[]) };
    let reading = memory.contacts.begin();
    assert!(memory.contacts.put(reading, vec![huge]).unwrap());
    memory.contacts.end(reading).unwrap();
    assert_eq!(memory.contacts.search("009999", 9).unwrap().len(), 1);
}

#[test]
fn the_book_comes_into_memory_in_a_thread_of_its_own_and_is_told_then() {
    let memory = memory();
    memory.read(&[("a", "Ann", &["1"])]);
    while memory.events.wait(Duration::ZERO).is_some() {}
    memory.contacts.prepare();
    assert!(matches!(memory.events.wait(Duration::from_secs(10)), Some(Event::Contacts)));
    assert!(lock(&memory.contacts.book).is_some());
}

#[test]
fn what_is_read_again_as_it_was_changes_nothing_in_memory() {
    let memory = memory();
    let contacts: Vec<FromDevice> = (0..2_000)
        .map(|n| memory.device(&format!("key-{n}"), &format!("Person Number {n}"), &[&format!("1{n:05}")]))
        .collect();
    let read = |all: &[FromDevice]| {
        let reading = memory.contacts.begin();
        for page in all.chunks(500) {
            assert!(memory.contacts.put(reading, page.to_vec()).unwrap());
        }
        memory.contacts.end(reading).unwrap().unwrap()
    };
    read(&contacts);
    assert_eq!(memory.contacts.persons().unwrap(), 2_000);
    let before = lock(&memory.contacts.book).as_ref().unwrap().iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(read(&contacts[..1_999]), 1);
    let after = lock(&memory.contacts.book).as_ref().unwrap().iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(before[..1_999], after, "in the places where they were");
}
