use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::channel;

use tempfile::TempDir;

use crate::migrations::STEPS;
use crate::*;

mod keeper;

const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;
const NOON: Millis = 20_000 * DAY + 12 * 60 * MINUTE;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    (folder, path)
}

fn fresh() -> (TempDir, Store) {
    let (folder, path) = place();
    let Opened { store, salvaged } = Store::open(&path).unwrap();
    assert_eq!(salvaged, None);
    (folder, store)
}

fn call(number: &str, direction: Direction, started: Millis) -> NewCall {
    NewCall {
        account: "sip:1001@offhook.test".into(),
        direction,
        remote: format!("sip:{number}@offhook.test"),
        number: number.into(),
        name: None,
        contact: None,
        started,
    }
}

fn ended(at: Millis) -> CallFacts {
    CallFacts { ended: Some(at), why: Some("TheyEnded".into()), ..CallFacts::default() }
}

fn over(store: &Store, new: &NewCall) -> CallKey {
    let key = store.begin_call(new).unwrap();
    store.note_call(key, &ended(new.started + MINUTE), new.started + MINUTE).unwrap();
    key
}

fn missed(store: &Store, number: &str, started: Millis) -> CallKey {
    let key = store.begin_call(&call(number, Direction::In, started)).unwrap();
    let facts = CallFacts { missed: Some(Missed(true)), ..ended(started + MINUTE) };
    store.note_call(key, &facts, started + MINUTE).unwrap();
    key
}

fn numbers(rows: &[CallRow]) -> Vec<&str> {
    rows.iter().map(|row| &*row.number).collect()
}

fn text(text: &str) -> Filter {
    Filter { text: text.into(), ..Filter::default() }
}

#[test]
fn a_call_is_in_the_log_from_its_first_moment_and_grows_as_facts_come() {
    let (_folder, store) = fresh();
    let key = store.begin_call(&call("1002", Direction::Out, NOON)).unwrap();
    let row = store.call(key).unwrap().unwrap();
    assert_eq!((row.answered, row.ended, row.direction), (None, None, Direction::Out));

    let answered = CallFacts { answered: Some(NOON + 5), codec: Some("G729".into()), ..CallFacts::default() };
    store.note_call(key, &answered, NOON + 5).unwrap();
    store.note_call(key, &CallFacts { mos: Some(4.1), ..ended(NOON + 65) }, NOON + 65).unwrap();
    let row = store.call(key).unwrap().unwrap();
    assert_eq!((row.answered, row.talked(), row.codec.as_deref()), (Some(NOON + 5), Some(60), Some("G729")));
    assert_eq!((row.mos, row.why.as_deref(), row.missed), (Some(4.1), Some("TheyEnded"), false));
}

#[test]
fn calls_that_a_crash_cut_off_end_when_they_were_last_known_and_unanswered_ones_were_missed() {
    let (_folder, store) = fresh();
    let talking = store.begin_call(&call("1002", Direction::In, NOON)).unwrap();
    let facts = CallFacts { answered: Some(NOON + 5), ..CallFacts::default() };
    store.note_call(talking, &facts, NOON + 30_000).unwrap();
    let ringing = store.begin_call(&call("1003", Direction::In, NOON)).unwrap();
    let calling = store.begin_call(&call("1004", Direction::Out, NOON)).unwrap();
    assert_eq!(store.close_cut_off().unwrap(), 3);

    let row = |key| store.call(key).unwrap().unwrap();
    assert_eq!((row(talking).ended, row(talking).missed), (Some(NOON + 30_000), false));
    assert_eq!(row(talking).why.as_deref(), Some(CUT_OFF));
    assert!(row(ringing).missed && !row(calling).missed);
    assert_eq!((store.unseen().unwrap(), store.close_cut_off().unwrap()), (1, 0));
}

#[test]
fn pages_go_from_the_newest_to_the_oldest_without_gap_or_repetition() {
    let (_folder, store) = fresh();
    for n in 0..25 {
        over(&store, &call(&format!("10{n:02}"), Direction::Out, NOON + n));
    }
    let mut seen = Vec::new();
    let mut page = Page::first(10);
    loop {
        let rows = store.calls(&Filter::default(), page).unwrap();
        let Some(last) = rows.last() else { break };
        page = Page::after(last.id, 10);
        seen.extend(rows.into_iter().map(|row| row.number));
    }
    let expected: Vec<String> = (0..25).rev().map(|n| format!("10{n:02}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn any_part_of_a_number_or_a_name_is_found_whatever_its_case_and_marks() {
    let (_folder, store) = fresh();
    over(&store, &call("+4930123456", Direction::Out, NOON));
    let jose = NewCall { name: Some("José Straße".into()), ..call("1002", Direction::In, NOON) };
    over(&store, &jose);
    let ivan = NewCall { contact: Some("Иван 100%_x".into()), ..call("1003", Direction::In, NOON) };
    over(&store, &ivan);
    let found = |typed: &str| -> Vec<String> {
        store.calls(&text(typed), Page::first(9)).unwrap().into_iter().map(|row| row.number).collect()
    };
    let none = Vec::<String>::new();
    for (typed, expected) in [
        ("301234", vec!["+4930123456"]),
        ("030 123", vec![]),
        ("+49 30-123", vec!["+4930123456"]),
        ("49", vec!["+4930123456"]),
        ("JOSE", vec!["1002"]),
        ("strasse", vec!["1002"]),
        ("ИВ", vec!["1003"]),
        ("ван", vec!["1003"]),
        ("%_", vec!["1003"]),
        ("\"10", vec![]),
        ("offhook", vec!["1003", "1002", "+4930123456"]),
    ] {
        assert_eq!(found(typed), expected, "{typed}");
    }
    assert_eq!(found("josse"), none); // each of its parts of three letters is there, the word is not
}

#[test]
fn few_letters_are_found_in_the_newest_rows_and_far_behind_them() {
    let (_folder, store) = fresh();
    let named = |name: &str| NewCall { name: Some(name.into()), ..call("1002", Direction::In, NOON) };
    // "ux" ends what is searched, and a letter may be all that is typed.
    let at_the_end = NewCall { remote: "sip:1@lux".into(), ..named("Zoë") };
    let (last, z) = (over(&store, &at_the_end), over(&store, &named("Zz")));
    store
        .bulk(|| {
            for _ in 0..6000 {
                store.begin_call(&named("Ann"))?;
            }
            Ok(())
        })
        .unwrap();
    let near = over(&store, &named("Ziv"));
    let found = |typed: &str, page: Page| -> Vec<CallKey> {
        store.calls(&text(typed), page).unwrap().iter().map(|row| row.id).collect()
    };
    assert_eq!(found("z", Page::first(9)), [near, z, last]);
    assert_eq!(found("z", Page::first(2)), [near, z]);
    assert_eq!(found("z", Page::after(z, 9)), [last]);
    assert_eq!((found("zz", Page::first(9)), found("ux", Page::first(9))), (vec![z], vec![last]));
    assert_eq!((found("x", Page::first(9)), found("qq", Page::first(9))), (vec![last], vec![]));
    assert_eq!(found("an", Page::first(9)).len(), 9);
}

#[test]
fn a_name_that_comes_later_is_found_and_filters_hold_together() {
    let (_folder, store) = fresh();
    let key = over(&store, &call("1002", Direction::In, NOON));
    let facts = CallFacts { name: Some("Ann".into()), ..CallFacts::default() };
    store.note_call(key, &facts, NOON).unwrap();
    missed(&store, "1003", NOON + DAY);
    over(&store, &call("1003", Direction::Out, NOON + 2 * DAY));
    let of = |filter: &Filter| {
        let rows = store.calls(filter, Page::first(9)).unwrap();
        rows.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(of(&text("ann")), [1]);
    assert_eq!(of(&Filter { kind: Kind::Missed, ..Filter::default() }), [2]);
    assert_eq!(of(&Filter { kind: Kind::Out, ..text("1003") }), [3]);
    assert_eq!(
        of(&Filter { number: Some("1003".into()), until: Some(NOON + 2 * DAY), ..Filter::default() }),
        [2]
    );
    assert_eq!(of(&Filter { since: Some(NOON + DAY), kind: Kind::In, ..Filter::default() }), [2]);
    assert_eq!(of(&Filter { account: Some("sip:nobody@offhook.test".into()), ..Filter::default() }), [0; 0]);
}

#[test]
fn a_day_shows_each_number_once_with_its_newest_call_and_how_many_there_were() {
    let (_folder, store) = fresh();
    over(&store, &call("1002", Direction::Out, NOON));
    missed(&store, "1003", NOON + MINUTE);
    missed(&store, "1003", NOON + 2 * MINUTE);
    over(&store, &call("1003", Direction::In, NOON + DAY / 2 + MINUTE)); // a minute past midnight
    let last = over(&store, &call("1002", Direction::Out, NOON + DAY));
    let shown = |groups: &[Group]| -> Vec<(i64, String, usize, usize)> {
        groups.iter().map(|it| (it.day - 20_000, it.newest.number.clone(), it.calls, it.missed)).collect()
    };

    let page = store.groups(&Filter::default(), None, 1, 0).unwrap();
    assert_eq!(shown(&page.groups), [(1, "1002".into(), 1, 0), (1, "1003".into(), 1, 0)]);
    assert_eq!(page.groups[0].newest.id, last);
    let rest = store.groups(&Filter::default(), page.next, 9, 0).unwrap();
    assert_eq!(shown(&rest.groups), [(0, "1003".into(), 2, 2), (0, "1002".into(), 1, 0)]);
    assert_eq!(rest.next, None);
    // Two hours west of Greenwich the last call was on the same day.
    let west = store.groups(&Filter::default(), None, 9, -120 * MINUTE).unwrap();
    assert_eq!(shown(&west.groups)[1], (0, "1003".into(), 3, 2));
}

#[test]
fn missed_calls_are_counted_until_they_are_seen() {
    let (_folder, store) = fresh();
    missed(&store, "1002", NOON);
    missed(&store, "1003", NOON);
    assert_eq!((store.unseen().unwrap(), store.mark_seen().unwrap(), store.unseen().unwrap()), (2, 2, 0));
}

#[test]
fn what_is_forgotten_is_neither_found_nor_left_in_the_file() {
    let (folder, store) = fresh();
    let secret = over(&store, &call("5550199", Direction::Out, NOON));
    over(&store, &call("5550188", Direction::Out, NOON + DAY));
    let up = store.begin_call(&call("5550177", Direction::Out, NOON)).unwrap();
    assert_eq!(store.forget_calls(Forget::One(secret)).unwrap(), 1);
    for file in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"5550199"));
    }
    assert!(store.calls(&text("5550199"), Page::first(9)).unwrap().is_empty());
    assert_eq!(store.forget_calls(Forget::Before(NOON + DAY)).unwrap(), 0);
    assert_eq!(store.forget_calls(Forget::All).unwrap(), 1);
    assert_eq!(store.calls(&Filter::default(), Page::first(9)).unwrap()[0].id, up); // it is not over
}

#[test]
fn a_log_is_written_as_csv_without_formulas_and_as_json() {
    let (_folder, store) = fresh();
    over(&store, &NewCall { name: Some("=HYPERLINK(\"x\")".into()), ..call("+49301", Direction::In, NOON) });
    let write = |format| {
        let mut file = Vec::new();
        store.export(&Filter::default(), format, &mut file).unwrap();
        String::from_utf8(file).unwrap()
    };
    let csv = write(Format::Csv);
    assert_eq!(csv.lines().count(), 2);
    assert!(csv.contains("\"+49301\",\"'=HYPERLINK(\"\"x\"\")\""), "{csv}");
    assert_eq!(csv.lines().map(|line| line.split(',').count()).collect::<Vec<_>>(), [25, 25]);
    let json: serde_json::Value = serde_json::from_str(&write(Format::Json)).unwrap();
    assert_eq!((&json[0]["number"], &json[0]["direction"]), (&"+49301".into(), &"in".into()));
}

/// What a file of each schema held, as that version wrote it.
const WRITTEN: [&str; STEPS.len()] = [
    "INSERT INTO call (id, account, outgoing, remote, number, name, started_at, answered_at, ended_at, known_at, why, missed,
        words) VALUES (7, 'sip:1001@offhook.test', 1, 'sip:1003@offhook.test', '1003', 'Cem', 1000, 2000, 3000, 3000,
        'YouEnded', 0, '1003\ncem')",
    "INSERT INTO contact (id, source, key, favourite) VALUES (5, '', 'ann', 1);
     INSERT INTO contact_name VALUES (5, 0, 'Ann');
     INSERT INTO contact_number VALUES (5, 0, '1002', 'work', NULL);
     INSERT INTO contact_group VALUES ('Family', 5);
     INSERT INTO speed_dial (digit, number) VALUES (2, '1002');
     INSERT INTO blocked VALUES ('spam@x.test', 4000)",
    "INSERT INTO message VALUES (9, 'sip:1001@offhook.test', 0, 'sip:1002@offhook.test', '1002', NULL, 'Ann', 'hello', 5000,
        'came', NULL, NULL, 1)",
    "INSERT INTO account VALUES (4, 'Work', 0, 1, 1, '{\"uri\":1}');
     INSERT INTO setting VALUES ('region', '\"DE\"');
     INSERT INTO draft VALUES (4, '1002', 'hi', 6000)",
    "UPDATE call SET words = words || char(10, 10)",
    "UPDATE call SET said_by = 'pai', verified = 0, attest = 'false', signature = 'Somebody pretends.'",
];

/// All that [`WRITTEN`] puts into a file, as the present store reads it.
fn read_back(store: &Store) -> [Vec<String>; 4] {
    let calls = store.calls(&text("cem"), Page::first(9)).unwrap();
    let calls = calls.iter().map(|it| format!("{} {} {:?} {:?}", it.id.0, it.number, it.talked(), it.why));
    let groups = store.groups_of_contacts().unwrap();
    let mut contacts = Vec::new();
    for (source, name, numbers, favourite) in people(store) {
        let (speed, blocked) = (store.speed_dial(2).unwrap(), store.blocked().unwrap());
        contacts.push(format!("{source}{name} {numbers:?} {favourite} {groups:?} {speed:?} {blocked:?}"));
    }
    let messages = store.messages(Some("1002"), None, 9).unwrap();
    let messages = messages.iter().map(|it| format!("{} {} {:?} {}", it.id.0, it.text, it.delivery, it.seen));
    let accounts = store.accounts().unwrap().into_iter();
    let accounts = accounts.map(|it| {
        let (setting, drafts) = (store.setting("region").unwrap(), store.drafts().unwrap());
        format!("{} {} {} {} {setting:?} {}", it.id.0, it.name, it.default, it.settings, drafts[0].text)
    });
    [calls.collect(), contacts, messages.collect(), accounts.collect()]
}

#[test]
fn what_a_file_of_every_earlier_schema_held_is_there_in_the_present_one() {
    let all = [
        "7 1003 Some(1000) Some(\"YouEnded\")",
        "Ann [\"1002\"] true [(\"Family\", [ContactId(5)])] Some(\"1002\") [\"spam@x.test\"]",
        "9 hello Came true",
        "4 Work true {\"uri\":1} Some(\"\\\"DE\\\"\") hi",
    ];
    for step in 0..=STEPS.len() {
        let (_folder, path) = place();
        let connection = rusqlite::Connection::open(&path).unwrap();
        let mut old = Store { connection };
        old.migrate(step).unwrap();
        for written in &WRITTEN[..step] {
            old.connection.execute_batch(written).unwrap();
        }
        drop(old);

        let store = Store::open(&path).unwrap().store;
        let said_by = store.calls(&text("cem"), Page::first(9)).unwrap().pop().and_then(|call| call.said_by);
        assert_eq!(said_by.as_deref(), (step >= 6).then_some("pai"), "from {step}");
        for (at, (read, all)) in read_back(&store).into_iter().zip(all).enumerate() {
            let expected = if at < step { vec![all.to_owned()] } else { Vec::new() };
            assert_eq!(read, expected, "from {step}");
        }
        let unended = "SELECT count(*) FROM call WHERE substr(words, -2) <> char(10, 10)";
        let unended: i64 = store.connection.query_one(unended, [], |row| row.get(0)).unwrap();
        assert_eq!(unended, 0, "from {step}");
        over(&store, &call("1002", Direction::Out, NOON));
        assert_eq!(numbers(&store.calls(&text("1002"), Page::first(9)).unwrap()), ["1002"], "from {step}");
        let new = NewAccount { name: "Home".into(), enabled: true, settings: "{}".into() };
        let id = store.add_account(&new).unwrap();
        let draft = Draft { account: id, number: "1003".into(), text: "ho".into(), at: NOON };
        assert!(store.put_draft(&draft).unwrap() && store.remove_account(id).unwrap(), "from {step}");
    }
}

#[test]
fn a_file_of_another_program_or_of_a_later_version_is_left_as_it_is() {
    let (folder, path) = place();
    fs::write(&path, "dear diary").unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Foreign(_))));
    assert_eq!(fs::read(&path).unwrap(), b"dear diary");
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Store::open(&other), Err(StoreError::Foreign(_))));
    let newer = folder.path().join("newer.db");
    let store = Store::open(&newer).unwrap().store;
    store.connection.pragma_update(None, "user_version", STEPS.len() as u32 + 1).unwrap();
    drop(store);
    assert!(matches!(Store::open(&newer), Err(StoreError::Newer(_))));
    assert!(matches!(Store::reader(&newer), Err(StoreError::Newer(_))));
    for foreign in [path, other] {
        let refused = Store::reader(&foreign).map(drop);
        assert!(matches!(refused, Err(StoreError::Foreign(_))), "{refused:?}");
    }
}

#[test]
fn what_can_be_read_of_a_damaged_file_is_brought_over_and_the_old_one_kept() {
    let (folder, path) = place();
    let store = Store::open(&path).unwrap().store;
    for n in 0..2000 {
        store.connection.execute_batch(if n == 0 { "BEGIN" } else { "" }).unwrap();
        over(&store, &call(&format!("{n:04}"), Direction::Out, NOON + n));
    }
    store.connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(store);
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(40 * 4096)).unwrap();
    file.write_all(&[0xa5; 4 * 4096]).unwrap();
    drop(file);

    let Opened { store, salvaged } = Store::mend(&path).unwrap();
    let salvaged = salvaged.unwrap();
    assert_eq!(salvaged.aside, folder.path().join("phone.db.damaged-1"));
    assert!(salvaged.aside.exists() && (1500..2000).contains(&salvaged.rows), "{salvaged:?}");
    for number in ["0000", "1999"] {
        assert_eq!(numbers(&store.calls(&text(number), Page::first(1)).unwrap()), [number]);
    }
}

#[test]
fn a_file_without_its_beginning_is_replaced_by_a_fresh_one() {
    let (_folder, path) = place();
    drop(Store::open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[..16].fill(0);
    fs::write(&path, bytes).unwrap();
    let Opened { store, salvaged } = Store::open(&path).unwrap();
    assert_eq!(salvaged.unwrap().rows, 0);
    over(&store, &call("1002", Direction::Out, NOON));
}

fn person(name: &str, numbers: &[&str]) -> book::Contact {
    let number = |text: &&str| book::Number {
        text: (*text).into(),
        kind: "work".into(),
        normal: Some(format!("+{text}")),
    };
    book::Contact {
        id: book::ContactId(0),
        names: vec![name.into()],
        numbers: numbers.iter().map(number).collect(),
        weight: 0,
    }
}

fn people(store: &Store) -> Vec<(String, String, Vec<String>, bool)> {
    let mut all = Vec::new();
    let numbers = |kept: &Kept| kept.contact.numbers.iter().map(|number| number.text.clone()).collect();
    store
        .each_contact(|kept| {
            all.push((kept.source.clone(), kept.contact.names.concat(), numbers(&kept), kept.favourite));
        })
        .unwrap();
    all
}

#[test]
fn a_source_is_read_page_by_page_and_what_it_no_longer_has_is_forgotten() {
    let (_folder, store) = fresh();
    let page = |names: &[&str]| -> Vec<(String, Option<String>, book::Contact)> {
        names.iter().map(|name| (format!("key-{name}"), None, person(name, &["1", "2"]))).collect()
    };
    let own = store.put_contact(OWN, 0, "a", None, &person("Own", &[])).unwrap();
    let first = store.put_contacts("device", 1, &page(&["Ann", "Bob"])).unwrap();
    let second = store.put_contacts("device/work", 1, &page(&["Eve"])).unwrap();
    assert_eq!(store.end_reading("device", 1).unwrap(), []);
    let mut bob = None;
    store.each_contact(|kept| bob = bob.or((kept.key == "key-Bob").then_some(kept.contact.id))).unwrap();
    assert!(store.set_favourite(bob.unwrap(), true).unwrap());
    assert_eq!(store.favourites().unwrap(), [bob.unwrap()]);

    let bob = ("key-Bob".to_owned(), None, person("Robert", &["3"]));
    let put = store.put_contacts("device", 2, std::slice::from_ref(&bob)).unwrap();
    assert_eq!(put, [(first[1].0, true)]);
    assert_eq!(store.put_contacts("device", 2, &[bob]).unwrap(), [(first[1].0, false)]);
    assert_eq!(store.end_reading("device", 2).unwrap(), [first[0].0, second[0].0]);
    let expected = [
        (OWN.to_owned(), "Own".to_owned(), vec![], false),
        ("device".to_owned(), "Robert".to_owned(), vec!["3".to_owned()], true),
    ];
    assert_eq!(people(&store), expected);
    assert!(store.change_contact(own, "b", Some("p"), &person("Mine", &["4"])).unwrap());
    assert!(!store.change_contact(put[0].0, "b", None, &person("Mine", &["4"])).unwrap(), "not entered here");
    let mine = store.contact(own).unwrap().unwrap();
    assert_eq!((&*mine.key, &*mine.contact.names[0], &*mine.contact.numbers[0].text), ("b", "Mine", "4"));
    assert!(store.remove_contact(own).unwrap() && !store.remove_contact(own).unwrap());
    assert_eq!(store.contact(own).unwrap(), None);
}

#[test]
fn groups_speed_dial_and_blocked_numbers_are_kept_and_go_with_their_contacts() {
    let (_folder, store) = fresh();
    let ann = store.put_contact(OWN, 0, "a", None, &person("Ann", &[])).unwrap();
    store.set_in_group("Family", ann, true).unwrap();
    assert_eq!(store.groups_of_contacts().unwrap(), [("Family".to_owned(), vec![ann])]);
    store.set_speed_dial(3, Some("1002")).unwrap();
    assert_eq!(store.speed_dial(3).unwrap().as_deref(), Some("1002"));
    assert!(store.set_speed_dial(0, Some("1")).is_err());
    assert_eq!(store.speed_dials().unwrap(), [(3, "1002".to_owned())]);
    store.set_speed_dial(3, None).unwrap();
    assert_eq!(store.speed_dial(3).unwrap(), None);
    store.set_blocked("+49 (30) 1", true, NOON).unwrap();
    store.set_blocked("+49301", true, NOON).unwrap();
    assert_eq!(store.blocked().unwrap(), ["+49301"]);
    store.set_blocked("+49-30-1", false, NOON).unwrap();
    store.remove_contact(ann).unwrap();
    assert!(store.blocked().unwrap().is_empty() && store.groups_of_contacts().unwrap().is_empty());
}

fn keep(store: &Store, name: &str, number: &str, normal: Option<&str>) -> book::ContactId {
    let number = book::Number { text: number.into(), kind: String::new(), normal: normal.map(str::to_owned) };
    let contact = book::Contact {
        id: book::ContactId(0),
        names: vec![name.to_owned()],
        numbers: vec![number],
        weight: 0,
    };
    store.put_contact(OWN, 0, name, None, &contact).unwrap()
}

#[test]
fn a_caller_is_named_as_the_phone_book_has_the_number_however_either_is_written() {
    let (_folder, store) = fresh();
    keep(&store, "Ann", "030 123456", Some("+4930123456"));
    keep(&store, "Bob", "+1 (202) 555-0123", None);
    keep(&store, "Carl", "sip:Carl@Home.test", None);
    keep(&store, "Dora", "1002", None);
    let named = |number: &str, remote: &str| store.contact_of(number, remote).unwrap();
    for (number, remote, name) in [
        ("+4930123456", "sip:+4930123456@x.test", Some("Ann")),
        ("030123456", "sip:030123456@x.test", Some("Ann")),
        ("2025550123", "sip:2025550123@x.test", Some("Bob")),
        ("carl", "sip:carl@home.test;transport=tcp", Some("Carl")),
        ("1002", "sip:1002@x.test", Some("Dora")),
        ("carl", "sip:carl@elsewhere.test", None),
        ("anonymous", "sip:anonymous@anonymous.invalid", None),
        ("", "", None),
    ] {
        assert_eq!(named(number, remote).as_deref(), name, "{number}");
    }
    let twin = keep(&store, "Anna", "030 123456", Some("+4930123456"));
    assert_eq!(named("+4930123456", "").as_deref(), Some("Ann"));
    store.set_favourite(twin, true).unwrap();
    assert_eq!(named("+4930123456", "").as_deref(), Some("Anna"));
    assert_eq!(named("030123456", "").as_deref(), Some("Anna"));
}
