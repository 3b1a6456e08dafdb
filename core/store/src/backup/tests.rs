use std::collections::BTreeMap;
use std::fmt::Write as _;

use base::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::*;

const NOW: Millis = 1_700_000_000_000;

fn fresh() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let Opened { store, .. } = Store::open(&folder.path().join("phone.db")).unwrap();
    (folder, store)
}

fn account(name: &str) -> NewAccount {
    let settings = format!("{{\"uri\":\"sip:{name}@h.test\", \"gain\": 1.50}}");
    NewAccount { name: name.into(), enabled: true, settings }
}

fn person(name: &str, number: &str) -> book::Contact {
    let number =
        book::Number { text: number.into(), kind: "work".into(), normal: Some(format!("+49{number}")) };
    book::Contact { id: book::ContactId(0), names: vec![name.into()], numbers: vec![number], weight: 0 }
}

fn message(direction: Direction, text: &str, at: Millis) -> NewMessage {
    NewMessage {
        account: "sip:1001@h.test".into(),
        direction,
        remote: "sip:1002@h.test".into(),
        number: "1002".into(),
        name: None,
        text: text.into(),
        at,
    }
}

fn call(store: &Store, number: &str, started: Millis) -> CallKey {
    let new = NewCall {
        account: "sip:1001@h.test".into(),
        direction: Direction::In,
        remote: format!("sip:{number}@h.test"),
        number: number.into(),
        name: Some("Ann".into()),
        contact: None,
        started,
    };
    let key = store.begin_call(&new).unwrap();
    let facts = CallFacts {
        answered: Some(started + 10),
        ended: Some(started + 20),
        why: Some("TheyEnded".into()),
        mos: Some(4.25),
        recording: Some("/here/7.wav".into()),
        ..CallFacts::default()
    };
    store.note_call(key, &facts, started + 20).unwrap();
    key
}

/// One of everything.
fn lived_in() -> (TempDir, Store) {
    let (folder, store) = fresh();
    let work = store.add_account(&account("work")).unwrap();
    let home = store.add_account(&NewAccount { enabled: false, ..account("home") }).unwrap();
    assert!(store.make_default(home).unwrap() && store.move_account(home, 0).unwrap());
    store.set_setting("region", Some("\"DE\"")).unwrap();
    let ann = store.put_contact(OWN, 0, "key-ann", Some("photo"), &person("Ann", "301")).unwrap();
    store.set_favourite(ann, true).unwrap();
    store.set_in_group("Family", ann, true).unwrap();
    let bob = store.put_contact("device", 1, "key-bob", None, &person("Bob", "302")).unwrap();
    store.put_contact("device", 1, "key-eve", None, &person("Eve", "303")).unwrap();
    store.set_favourite(bob, true).unwrap();
    store.set_speed_dial(2, Some("301")).unwrap();
    store.set_blocked("0900 1", true, NOW).unwrap();
    for n in 0..3 {
        call(&store, &format!("200{n}"), NOW + n);
    }
    let open = NewCall {
        account: String::new(),
        direction: Direction::Out,
        remote: "sip:up@h.test".into(),
        number: "up".into(),
        name: None,
        contact: None,
        started: NOW,
    };
    store.begin_call(&open).unwrap(); // still up
    let hi = store.put_message(&message(Direction::Out, "hi", NOW)).unwrap();
    store.note_message(hi, Delivery::Sent, Some(200), None).unwrap();
    store.put_message(&message(Direction::In, "hello", NOW + 1)).unwrap();
    store.put_message(&message(Direction::Out, "waits", NOW + 2)).unwrap();
    let draft = Draft { account: work, number: "1002".into(), text: "well".into(), at: NOW };
    assert!(store.put_draft(&draft).unwrap());
    (folder, store)
}

fn written(store: &Store, lock: Option<&Lock<'_>>) -> Vec<u8> {
    let mut file = Vec::new();
    store.back_up(NOW, lock, &mut file).unwrap();
    file
}

fn tallies(restored: &Restored) -> Vec<String> {
    restored.parts.iter().map(|(part, tally)| format!("{}: {tally}", part.name())).collect()
}

/// A document with these parts.
fn document(parts: Value) -> Vec<u8> {
    let mut whole = json!({ "format": FORMAT, "version": VERSION, "made": NOW });
    whole.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    whole.to_string().into_bytes()
}

/// What became of the records of one part.
fn restored(store: &Store, part: &str, records: Value) -> Tally {
    let restored = store.restore(&document(json!({ part: records })), None).unwrap();
    assert_eq!(restored.parts.len(), 1);
    *restored.parts.values().next().unwrap()
}

fn taken(taken: usize) -> Tally {
    Tally { taken, ..Tally::default() }
}

fn phrase(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn secrets(of: &[(AccountKey, &str)]) -> BTreeMap<AccountKey, AccountSecrets> {
    of.iter().map(|(key, it)| (*key, BTreeMap::from([("password".to_owned(), phrase(it))]))).collect()
}

#[test]
fn a_backup_in_an_empty_store_is_what_was_there() {
    let (_old_folder, old) = lived_in();
    let (_folder, store) = fresh();
    store.put_contact("device", 1, "key-bob", None, &person("Bob", "302")).unwrap();
    let backup = written(&old, None);
    let restored = store.restore(&backup, None).unwrap();
    let expected = [
        "accounts: 2 taken",
        "settings: 1 taken",
        "contacts: 1 taken",
        "marks: 1 taken",
        "speed_dial: 1 taken",
        "blocked: 1 taken",
        "calls: 3 taken",
        "messages: 3 taken",
        "drafts: 1 taken",
    ];
    assert_eq!((tallies(&restored), restored.made), (expected.map(str::to_owned).to_vec(), NOW));
    assert_eq!(restored.passwords, Unlocked::None);

    let accounts = store.accounts().unwrap();
    let shown: Vec<_> =
        accounts.iter().map(|it| (&*it.name, it.enabled, it.default, &*it.settings)).collect();
    let [home, work] = ["home", "work"].map(|name| account(name).settings);
    assert_eq!(shown, [("home", false, true, &*home), ("work", true, false, &*work)]);
    assert_eq!(store.drafts().unwrap()[0].account, accounts[1].id);
    let calls = store.calls(&Filter::default(), Page::first(9)).unwrap();
    let shown: Vec<_> = calls.iter().map(|it| (it.id.0, &*it.number, it.talked(), it.mos)).collect();
    let all = [(3, "2002"), (2, "2001"), (1, "2000")].map(|(id, it)| (id, it, Some(10), Some(4.25)));
    assert_eq!(shown, all);
    assert!(calls.iter().all(|it| it.recording.is_none()), "those are files of the other device");
    let messages = store.messages(None, None, 9).unwrap();
    let shown: Vec<_> = messages.iter().map(|it| (&*it.text, it.delivery)).collect();
    assert_eq!(shown, [("waits", Delivery::Failed), ("hello", Delivery::Came), ("hi", Delivery::Sent)]);
    let mut contacts = Vec::new();
    store.each_contact(|kept| contacts.push((kept.key, kept.favourite, kept.photo))).unwrap();
    assert_eq!(contacts, [("key-bob".to_owned(), true, None), ("key-ann".to_owned(), true, None)]);
    assert_eq!(store.groups_of_contacts().unwrap()[0].0, "Family");
    assert_eq!(store.blocked().unwrap(), ["09001"]);
}

#[test]
fn a_second_time_adds_nothing_and_neither_does_a_backup_of_the_copy() {
    let (_old_folder, old) = lived_in();
    let (_folder, store) = fresh();
    let backup = written(&old, None);
    store.restore(&backup, None).unwrap();
    let copy = written(&store, None);
    for backup in [&backup, &copy] {
        for into in [&store, &old] {
            let again = into.restore(backup, None).unwrap();
            assert_eq!(again.parts.values().map(|tally| tally.taken).sum::<usize>(), 0);
        }
    }
    assert_eq!(written(&store, None), copy);
}

#[test]
fn a_preview_says_what_would_be_added_and_adds_nothing() {
    let (_old_folder, old) = lived_in();
    let (_folder, store) = fresh();
    let backup = written(&old, None);
    let empty = written(&store, None);
    let preview = store.preview_restore(&backup, None).unwrap();
    assert_eq!(written(&store, None), empty);
    assert_eq!(store.restore(&backup, None).unwrap(), preview);
    assert!(matches!(store.preview_restore(b"{}", None), Err(BackupError::NotABackup)));
}

#[test]
fn what_is_here_stays_as_it_is_and_what_is_restored_stands_behind_it() {
    let (_old_folder, old) = lived_in();
    let (_folder, store) = fresh();
    let other = NewAccount { settings: "{\"uri\":\"sip:else@h.test\"}".into(), ..account("work") };
    let work = store.add_account(&other).unwrap();
    store.put_draft(&Draft { account: work, number: "1002".into(), text: "mine".into(), at: NOW }).unwrap();
    store.set_setting("region", Some("\"AT\"")).unwrap();
    store.set_speed_dial(2, Some("110")).unwrap();
    store.put_contact(OWN, 0, "key-ann", None, &person("Anna", "301")).unwrap();
    let first = call(&store, "3000", NOW + 50);
    store.put_message(&message(Direction::In, "new", NOW + 50)).unwrap();

    let restored = store.restore(&written(&old, None), None).unwrap();
    let kept: Vec<_> = restored.parts.iter().filter(|(_, it)| it.kept == 1).map(|(it, _)| *it).collect();
    assert_eq!(kept, [Part::Accounts, Part::Settings, Part::Contacts, Part::SpeedDial, Part::Drafts]);
    assert_eq!((restored.parts[&Part::Marks].orphaned, restored.parts[&Part::Accounts].taken), (1, 1));
    assert_eq!(store.setting("region").unwrap().as_deref(), Some("\"AT\""));
    assert_eq!(store.account(work).unwrap().unwrap().settings, other.settings);
    assert!(store.accounts().unwrap()[0].default, "the default stays");
    assert_eq!(store.drafts().unwrap()[0].text, "mine");
    let calls = store.calls(&Filter::default(), Page::first(9)).unwrap();
    let order: Vec<_> = calls.iter().map(|it| &*it.number).collect();
    assert_eq!((order, calls[0].id), (vec!["3000", "2002", "2001", "2000"], first));
    let page = store.calls(&Filter::default(), Page::after(calls[1].id, 9)).unwrap();
    assert_eq!(page.iter().map(|it| &*it.number).collect::<Vec<_>>(), ["2001", "2000"]);
    let found = store.calls(&Filter { text: "2001".into(), ..Filter::default() }, Page::first(9)).unwrap();
    assert_eq!(found[0].id, calls[2].id);
    assert_eq!(store.threads(9).unwrap()[0].newest.text, "new");
}

#[test]
fn passwords_come_only_by_the_passphrase_and_each_to_its_account() {
    let (_old_folder, old) = lived_in();
    let ids: Vec<_> = old.accounts().unwrap().iter().map(|it| it.id).collect();
    let given = secrets(&[(ids[0], "sw0rdf1sh \"1\""), (ids[1], "tun4"), (AccountKey(99), "nobody's")]);
    let passphrase = phrase("correct horse");
    let lock = Lock { passphrase: &passphrase, salt: [1; 16], nonce: [2; 12], secrets: &given };
    let mut backup = Vec::new();
    assert_eq!(old.back_up(NOW, Some(&lock), &mut backup).unwrap().passwords, 2);
    assert!(
        !String::from_utf8(backup.clone()).unwrap().contains("sw0rd")
            && !format!("{lock:?}").contains("horse")
    );

    let (folder, store) = fresh();
    store.add_account(&account("first")).unwrap(); // other numbers than there
    let wrong = store.restore(&backup, Some(&phrase("wrong")));
    assert!(matches!(wrong, Err(BackupError::WrongPassphrase)));
    assert_eq!(store.accounts().unwrap().len(), 1, "nothing was taken");
    assert_eq!(store.restore(&backup, None).unwrap().passwords, Unlocked::Locked);
    for _ in 0..2 {
        let restored = store.restore(&backup, Some(&passphrase)).unwrap();
        let here = |name: &str| store.accounts().unwrap().into_iter().find(|it| it.name == name).unwrap().id;
        let of = secrets(&[(here("home"), "sw0rdf1sh \"1\""), (here("work"), "tun4")]);
        assert!(restored.passwords == Unlocked::Secrets { of, withheld: 0 });
        assert!(!format!("{restored:?}").contains("tun4"));
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"tun4"));
    }
}

#[test]
fn a_password_is_withheld_from_an_account_that_was_changed_in_the_backup() {
    let (_old_folder, old) = lived_in();
    let id = old.accounts().unwrap()[1].id;
    let (given, passphrase) = (secrets(&[(id, "tun4")]), phrase("p"));
    let lock = Lock { passphrase: &passphrase, salt: [1; 16], nonce: [2; 12], secrets: &given };
    let backup = String::from_utf8(written(&old, Some(&lock))).unwrap();
    for (from, to) in [
        ("sip:work@h.test", "sip:work@evil.test"),
        ("{\"uri\":\"sip:work@h.test\"", "{\"uri\":\"sip:work@evil.test\",\"uri\":\"sip:work@h.test\""),
    ] {
        let (_folder, store) = fresh();
        let changed = backup.replacen(from, to, 1);
        assert_ne!(changed, backup);
        let restored = store.restore(changed.as_bytes(), Some(&passphrase)).unwrap();
        assert_eq!(restored.passwords, Unlocked::Secrets { of: BTreeMap::new(), withheld: 1 });
    }
}

#[test]
fn what_is_no_backup_is_said_to_be_none_and_a_later_one_is_told_from_it() {
    let (_folder, store) = fresh();
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "{\"format\":\"offhook backup\"}",
        "{\"format\":\"offhook backup\",\"version\":0}",
        "{\"format\":\"offhook backup\",\"version\":-1}",
        "{\"format\":\"else\",\"version\":1}",
        "{\"format\":\"offhook backup\",\"version\":1",
        "{\"format\":\"offhook backup\",\"version\":1,\"calls\":[],\"calls\":[]}",
        "{\"format\":\"offhook backup\",\"version\":1e999}",
        "BEGIN:VCARD",
    ] {
        assert!(matches!(store.restore(text.as_bytes(), None), Err(BackupError::NotABackup)), "{text}");
    }
    assert!(matches!(store.restore(&[0xff, 0xfe], None), Err(BackupError::NotABackup)));
    let newer = b"{\"format\":\"offhook backup\",\"version\":2,\"accounts\":{}}";
    assert!(matches!(store.restore(newer, None), Err(BackupError::Newer)));
    let long = vec![b' '; LONGEST_BACKUP + 1];
    assert!(matches!(store.restore(&long, None), Err(BackupError::TooLong)));
    let odd = document(json!({ "passwords": [1] }));
    assert!(matches!(store.restore(&odd, Some(&phrase("p"))), Err(BackupError::UnknownLock)));
    assert_eq!(store.restore(&odd, None).unwrap().passwords, Unlocked::Locked);
}

#[test]
fn a_bad_record_is_counted_and_costs_no_other() {
    let (_folder, store) = fresh();
    let call = |change: Value| {
        let mut call = json!({ "account": "a", "direction": "in", "remote": "r", "number": "1", "started": NOW, "ended": NOW });
        call.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        call
    };
    let records = json!([
        call(json!({})),
        null,
        7,
        [],
        {},
        call(json!({ "ended": null })),
        call(json!({ "started": i64::MAX })),
        call(json!({ "ended": -1 })),
        call(json!({ "direction": "up" })),
        call(json!({ "mos": 1e30 })),
        call(json!({ "loss": -0.5 })),
        call(json!({ "status": 70_000 })),
        call(json!({ "number": "9".repeat(5_000) })),
        call(json!({ "number": 1 })),
        call(json!({ "number": "2", "new_word": [1] })),
    ]);
    assert_eq!(restored(&store, "calls", records), Tally { taken: 2, bad: 13, ..Tally::default() });
    let long = "x".repeat(300_000);
    let message = |text: &str, way: &str, delivery: &str| json!({ "account": "a", "direction": way, "remote": "r", "number": "1", "text": text, "at": NOW, "delivery": delivery });
    let records = json!([
        message("hi", "in", "came"),
        message(&long, "in", "came"),
        message("send me", "out", "queued"),
        message("hm", "in", "sent"),
        message("hm", "out", "came"),
    ]);
    assert_eq!(restored(&store, "messages", records), Tally { taken: 1, bad: 4, ..Tally::default() });
    let records = json!([
        { "id": 1, "name": "a", "settings": { "uri": 1 } },
        { "id": 1, "name": "b", "settings": {} },
        { "id": 2, "name": "c", "settings": { "nat": { "password": "x" } } },
        { "id": 3, "name": "d" },
        { "id": 4, "name": "e", "settings": long },
    ]);
    assert_eq!(restored(&store, "accounts", records), Tally { taken: 1, bad: 4, ..Tally::default() });
    let records = json!([{ "name": "a", "value": 1 }, { "name": "token", "value": "x" }, { "name": "b" }]);
    assert_eq!(restored(&store, "settings", records), Tally { taken: 1, bad: 2, ..Tally::default() });
    let records = json!([{ "digit": 1, "number": "1" }, { "digit": 0, "number": "1" }, { "digit": 256, "number": "1" }]);
    assert_eq!(restored(&store, "speed_dial", records), Tally { taken: 1, bad: 2, ..Tally::default() });
    let records =
        json!([{ "number": "+49 1", "since": NOW }, { "number": " -", "since": NOW }, { "number": "1" }]);
    assert_eq!(restored(&store, "blocked", records), Tally { taken: 1, bad: 2, ..Tally::default() });
    let records =
        json!([{ "source": "", "key": "a" }, { "source": "device", "key": "gone", "favourite": true }]);
    assert_eq!(restored(&store, "marks", records), Tally { orphaned: 1, bad: 1, ..Tally::default() });
    let records = json!([{ "account": 1, "number": "1", "text": "x", "at": NOW }]);
    assert_eq!(restored(&store, "drafts", records), Tally { orphaned: 1, ..Tally::default() });
    let many = vec!["g"; 2_000];
    let records = json!([{ "key": "a", "names": ["A"] }, { "key": "b", "groups": many }, { "names": ["C"] }]);
    assert_eq!(restored(&store, "contacts", records), Tally { taken: 1, bad: 2, ..Tally::default() });
    assert_eq!(restored(&store, "calls", json!({})), Tally { bad: 1, ..Tally::default() });
}

#[test]
fn there_is_an_end_to_how_much_and_how_deep() {
    let (_folder, store) = fresh();
    let records: Vec<_> =
        (0..150).map(|id| json!({ "id": id, "name": id.to_string(), "settings": {} })).collect();
    assert_eq!(
        restored(&store, "accounts", json!(records)),
        Tally { taken: 100, beyond: 50, ..Tally::default() }
    );
    let one = json!([{ "id": 1, "name": "one more", "settings": {} }]);
    assert_eq!(restored(&store, "accounts", one), Tally { beyond: 1, ..Tally::default() });

    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let head = "{\"format\":\"offhook backup\",\"version\":1";
    let text =
        format!("{head},\"unknown\":{deep},\"settings\":[{{\"name\":\"a\",\"value\":{deep}}},{deep}]}}");
    let restored = store.restore(text.as_bytes(), None).unwrap();
    assert_eq!(restored.parts[&Part::Settings], Tally { bad: 2, ..Tally::default() });

    // All at one moment: not each is compared with all.
    let mut text = format!("{head},\"calls\":[");
    for n in 0..20_000 {
        let comma = if n == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"account\":\"a\",\"direction\":\"in\",\"remote\":\"{n}\",\"number\":\"{n}\",\"started\":1,\"ended\":1}}"
        )
        .unwrap();
    }
    let restored = store.restore((text + "]}").as_bytes(), None).unwrap();
    assert_eq!(restored.parts[&Part::Calls], taken(20_000));
}

#[test]
fn a_document_that_is_cut_off_anywhere_is_refused_or_taken_in_part_and_never_a_panic() {
    let (_old_folder, old) = lived_in();
    let backup = written(&old, None);
    let (_folder, store) = fresh();
    for end in (0..backup.len() - 2).step_by(7) {
        assert!(matches!(store.restore(&backup[..end], None), Err(BackupError::NotABackup)), "{end}");
    }
    assert!(store.accounts().unwrap().is_empty());
    let seed = 8;
    let mut rng = base::Rng::from_number(seed);
    let mut read = 0;
    for round in 0..400 {
        // Half of them stay JSON as a rule, and are looked into.
        let letters: &[u8] = if round % 2 == 0 { b"0123456789-.eE" } else { b"\"{}[],:\\0\xff" };
        let mut changed = backup.clone();
        for _ in 0..=rng.below(8) {
            let at = rng.below(changed.len() as u64) as usize;
            changed[at] = letters[rng.below(letters.len() as u64) as usize];
        }
        read += usize::from(store.restore(&changed, None).is_ok());
    }
    assert!(read > 50, "{read} with seed {seed}");
    let whole: String = store.connection.query_one("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let strays: i64 = store
        .connection
        .query_one("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();
    let defaults = store.accounts().unwrap().iter().filter(|it| it.default).count();
    assert_eq!((&*whole, strays, defaults), ("ok", 0, 1));
    assert!(store.restore(&backup, None).is_ok());
}

#[test]
fn an_empty_passphrase_locks_nothing_and_nothing_is_written() {
    let (_folder, old) = lived_in();
    let (given, passphrase) = (BTreeMap::new(), phrase(""));
    let lock = Lock { passphrase: &passphrase, salt: [1; 16], nonce: [2; 12], secrets: &given };
    let mut file = Vec::new();
    assert!(matches!(old.back_up(NOW, Some(&lock), &mut file), Err(BackupError::NoPassphrase)));
    assert!(file.is_empty());
}

#[test]
fn a_disk_that_is_full_is_told_as_that() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (_folder, old) = lived_in();
    let length = written(&old, None).len();
    assert!(old.back_up(NOW, None, &mut Full(length)).is_ok());
    let failed = old.back_up(NOW, None, &mut Full(length - 1)).unwrap_err();
    assert!(matches!(failed, BackupError::Unwritten(_)), "{failed}");
}

#[test]
fn the_thread_adds_a_backup_between_other_changes_and_tells_what_is_to_be_read_anew() {
    let (_old_folder, old) = lived_in();
    let backup = written(&old, None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let (tell, notices) = std::sync::mpsc::channel();
    let keeper = Keeper::start(&path, 0, move |notice| drop(tell.send(notice))).unwrap();
    let restore = |backup: Vec<u8>| Change::Restore { backup: base::Redacted::new(backup), passphrase: None };
    assert!(!format!("{:?}", restore(b"tun4".to_vec())).contains("116"));
    keeper.store(restore(b"{}".to_vec()));
    keeper.store(restore(backup));
    keeper.store(Change::Seen);
    drop(keeper);
    let word = |notice| match notice {
        Notice::Restored(Ok(restored)) => Some(format!("{}", restored.parts[&Part::Calls].taken)),
        Notice::Restored(Err(BackupError::NotABackup)) => Some("none".into()),
        Notice::Accounts => Some("accounts".into()),
        Notice::Settings => Some("settings".into()),
        Notice::Drafts => Some("drafts".into()),
        Notice::Blocked(numbers) => Some(format!("{} blocked", numbers.len())),
        Notice::Calls { .. } | Notice::Messages { .. } => None,
        other => panic!("{other:?}"),
    };
    let told: Vec<_> = notices.iter().filter_map(word).collect();
    let after = ["none", "3", "accounts", "settings", "drafts", "1 blocked"];
    assert_eq!(told, [&["0 blocked"], &after[..]].concat());
}

/// Written by another program (Python's `cryptography`) after the words in `mod` and `seal` alone; later versions read it too.
const FIRST: &str = include_str!("first.json");

#[test]
fn a_backup_of_the_first_form_is_read_for_ever() {
    let (_folder, store) = fresh();
    let restored = store.restore(FIRST.as_bytes(), Some(&phrase("correct horse"))).unwrap();
    let all = "accounts: 1 taken, settings: 1 taken, contacts: 1 taken, marks: 0 taken, speed_dial: 1 taken, blocked: 1 taken, \
               calls: 1 taken, messages: 1 taken, drafts: 1 taken";
    assert_eq!(tallies(&restored).join(", "), all);
    let of = secrets(&[(store.accounts().unwrap()[0].id, "tun4")]);
    assert!(restored.passwords == Unlocked::Secrets { of, withheld: 0 });
}
