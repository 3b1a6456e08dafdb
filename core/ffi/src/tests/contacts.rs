//! The phone book, by the door.

use super::*;

pub(super) fn number(text: &str) -> ContactNumber {
    ContactNumber { text: text.into(), kind: "mobile".into(), normal: None }
}

fn device(key: &str, names: &[&str], numbers: &[&str]) -> DeviceContact {
    DeviceContact {
        key: key.into(),
        names: names.iter().map(|it| (*it).to_owned()).collect(),
        numbers: numbers.iter().map(|it| number(it)).collect(),
        photo: Some(format!("content://{key}")),
        account: "ann@example.com".into(),
    }
}

fn read(app: &App, all: Vec<DeviceContact>) -> u32 {
    let reading = app.phone.begin_contacts().unwrap();
    app.phone.put_contacts(reading, all).unwrap();
    app.phone.end_contacts(reading).unwrap()
}

/// What a search marks, cut out of the text as Kotlin would cut it.
fn marked(app: &App, typed: &str) -> Vec<String> {
    let hits = app.phone.search_contacts(typed.into(), 9).unwrap();
    let cut = |hit: &ContactHit| -> String {
        let text = match hit.found {
            FoundIn::Name { index } => &hit.contact.names[index as usize],
            FoundIn::Number { index } => &hit.contact.numbers[index as usize].text,
        };
        let units: Vec<u16> = text.encode_utf16().collect();
        let parts = hit.ranges.iter().map(|it| &units[it.start as usize..it.end as usize]);
        parts.map(|part| String::from_utf16(part).expect("no letter is cut")).collect::<Vec<_>>().join("|")
    };
    hits.iter().map(cut).collect()
}

#[test]
fn device_contacts_come_in_pages_and_are_found_by_words_digits_and_keys_with_what_matched() {
    let app = App::new();
    let all = vec![
        device("a", &["👩‍🚀 Zoë Müller"], &["+49 30 123456"]),
        device("b", &["😀王小明"], &["+86 10 1234 5678"]),
        device("c", &["Bob"], &["1002"]),
    ];
    assert_eq!(read(&app, all.clone()), 0);
    app.until(|event| matches!(event, Event::Contacts).then_some(()));
    assert_eq!(marked(&app, "mull"), ["Müll"]);
    assert_eq!(marked(&app, "小"), ["小"]);
    assert_eq!(marked(&app, "xiaom"), ["小明"]);
    assert_eq!(marked(&app, "3012"), ["30|12"]);
    assert_eq!(marked(&app, "963"), ["Zoë"], "by keys");
    let hit = &app.phone.search_contacts("小".into(), 9).unwrap()[0];
    assert_eq!(hit.ranges, [TextRange { start: 3, end: 4 }], "an emoji is two units");
    let bob = app.phone.contact_of(String::new(), "sip:1002@offhook.test".into()).unwrap();
    assert!(bob.is_none(), "an extension of somebody else's is another");
    let bob = app.phone.contact_of("1002".into(), String::new()).unwrap().unwrap();
    assert_eq!((bob.own, bob.account.as_deref()), (false, Some("ann@example.com")));
    assert_eq!((&*bob.key, bob.photo.as_deref()), ("c", Some("content://c")));

    assert_eq!(read(&app, all[..2].to_vec()), 1);
    assert!(app.phone.search_contacts("bob".into(), 9).unwrap().is_empty());
    let app = app.again();
    assert_eq!(app.phone.contact_count(), Ok(2));
    let names: Vec<_> = app.phone.contact_list(0, 9).unwrap().into_iter().flat_map(|it| it.names).collect();
    assert_eq!(names.len(), 2);
}

#[test]
fn own_contacts_favourites_groups_speed_dial_and_blocked_numbers_are_kept() {
    let app = App::new();
    app.phone.set_region("DE".into(), String::new(), String::new()).unwrap();
    let (names, numbers) = (|name: &str| vec![name.to_owned()], vec![number("030 123456")]);
    let ann = app.phone.add_contact(names("Ann"), numbers.clone(), None).unwrap();
    assert!(app.phone.change_contact(ann, names("Anna"), numbers, Some("p".into())).unwrap());
    assert!(app.phone.set_favourite(ann, true).unwrap() && !app.phone.set_favourite(999, true).unwrap());
    app.phone.set_in_group("Family".into(), ann, true).unwrap();
    app.phone.set_speed_dial(2, Some("1002".into())).unwrap();
    app.phone.block("+49 900 1234567".into(), true).unwrap();
    app.phone.block("1003".into(), true).unwrap();
    app.phone.block("1003".into(), false).unwrap();

    let app = app.again();
    let [kept] = &app.phone.favourites().unwrap()[..] else { panic!("one favourite") };
    assert_eq!((kept.id, &*kept.names[0], kept.own, kept.favourite), (ann, "Anna", true, true));
    assert_eq!((kept.photo.as_deref(), kept.numbers[0].normal.as_deref()), (Some("p"), Some("+4930123456")));
    assert_eq!(
        app.phone.contact_groups().unwrap(),
        [ContactGroup { name: "Family".into(), contacts: vec![ann] }]
    );
    assert_eq!(app.phone.speed_dials().unwrap(), [SpeedDial { digit: 2, number: "1002".into() }]);
    assert_eq!(app.phone.blocked().unwrap(), ["+499001234567"]);
    let vcard = app.phone.export_contacts(vec![]).unwrap();
    assert!(app.phone.remove_contact(ann).unwrap() && !app.phone.remove_contact(ann).unwrap());
    let imported = app.phone.import_contacts((vcard + "BEGIN:VCARD\r\nEND:VCARD\r\n").into_bytes()).unwrap();
    assert_eq!(imported, ImportedContacts { taken: 1, passed_over: 1 });
    assert_eq!(app.phone.contact_of("+4930123456".into(), String::new()).unwrap().unwrap().names, ["Anna"]);
}

#[test]
fn favourites_and_groups_have_a_person_once_and_a_person_has_all_of_it() {
    let app = App::new();
    app.phone.set_region("DE".into(), String::new(), String::new()).unwrap();
    let add = |name: &str, numbers: &[&str]| {
        let numbers = numbers.iter().map(|it| number(it)).collect();
        app.phone.add_contact(vec![name.to_owned()], numbers, None).unwrap()
    };
    let (zoe, ann) = (add("Zoe", &["1003"]), add("Ann Archer", &["030 123456"]));
    let again = add("Ann", &["+4930123456", "1002"]);
    for id in [zoe, ann, again] {
        app.phone.set_favourite(id, true).unwrap();
        app.phone.set_in_group("Family ".into(), id, true).unwrap();
    }
    app.phone.set_in_group("Office".into(), zoe, true).unwrap();
    let shown = |all: Vec<Contact>| all.into_iter().map(|it| (it.id, it.also)).collect::<Vec<_>>();
    let both = [(ann, vec![again]), (zoe, vec![])];
    assert_eq!(shown(app.phone.favourites().unwrap()), both);
    assert_eq!(shown(app.phone.group_members("Family".into()).unwrap()), both);
    assert_eq!(shown(app.phone.person(again).unwrap()), [(ann, vec![]), (again, vec![])]);
    assert_eq!(app.phone.person(999).unwrap(), []);

    app.phone.rename_group("Family".into(), "Office".into()).unwrap();
    assert_eq!(
        app.phone.contact_groups().unwrap(),
        [ContactGroup { name: "Office".into(), contacts: vec![zoe, ann, again] }]
    );
    app.phone.remove_group("Office".into()).unwrap();
    assert_eq!(app.phone.contact_groups().unwrap(), []);
    assert_eq!(app.phone.group_members("Office".into()).unwrap(), []);
    assert_eq!(app.phone.contact_count(), Ok(2), "who was in it stays");
    let nameless = app.phone.rename_group("Office".into(), " ".into());
    assert!(matches!(nameless, Err(PhoneError::BadArgument { .. })), "{nameless:?}");
    let long = "g".repeat(256);
    assert_eq!(app.phone.rename_group("Office".into(), long), Err(PhoneError::TooLong));
}

#[test]
fn who_is_blocked_does_not_ring_and_is_in_the_log() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    bob.phone.block("1001".into(), true).unwrap();
    ann.phone.call(None, "1002".into()).unwrap();
    assert_eq!(ann.until_call(CallState::Ended).why, Some(Why::Declined));
    assert_eq!(bob.until_call(CallState::Ended).why, Some(Why::YouBlocked));
    bob.phone.block("1001".into(), false).unwrap();
    ann.phone.call(None, "1002".into()).unwrap();
    bob.until_call(CallState::Ringing);
}

#[test]
fn what_keeps_a_number_from_ringing_is_found_however_either_is_written() {
    let app = App::new();
    for number in ["0900 1234567", "1003", "sip:Spam@Evil.test"] {
        app.phone.block(number.into(), true).unwrap();
    }
    let blocking = |number: &str| app.phone.blocking(vec!["1".into(), number.into()]).unwrap();
    assert_eq!(blocking("+49 900 1234567"), ["09001234567"]);
    assert_eq!(blocking("sip:1003@offhook.test"), ["1003"]);
    assert_eq!(blocking("SIP:spam@evil.test;transport=tcp"), ["spam@evil.test"]);
    assert!(blocking("1004").is_empty() && blocking("").is_empty() && blocking("@").is_empty());
    app.phone.block(blocking("+499001234567").remove(0), false).unwrap();
    assert!(blocking("0900 1234567").is_empty());
}

#[test]
fn contacts_beyond_all_bounds_cost_a_bounded_amount_and_wrong_calls_are_errors() {
    let app = App::new();
    let huge = DeviceContact {
        key: "k".repeat(1 << 20),
        names: vec!["é".repeat(1 << 19); 99],
        numbers: (0..10_001).map(|n| number(&format!("+4930{n:07}"))).collect(),
        photo: Some("p".repeat(1 << 20)),
        account: "a".repeat(1 << 20),
    };
    let odd = ["\0", "\u{fffd}\u{fffd}", "\u{202e}evil", "👩‍👩‍👧", "\u{feff}"];
    let odd = odd.iter().map(|name| device(name, &[name], &["", "x", "\0", "🤙"]));
    let all: Vec<_> = odd.chain([huge.clone(), device("", &[], &[])]).collect();
    assert_eq!(read(&app, all.clone()), 0);
    let hit = &app.phone.search_contacts("009999".into(), 9).unwrap()[0].contact;
    assert_eq!((hit.names.len(), hit.numbers.len()), (16, 10_000));
    assert!(hit.names.iter().all(|name| name.chars().count() == 1_024) && hit.key.len() < 1_024);
    assert_eq!(marked(&app, "evil"), ["evil"]);
    assert_eq!(read(&app, all), 0, "the same key again");

    let reading = app.phone.begin_contacts().unwrap();
    let many = vec![device("x", &["X"], &[]); 1_001];
    assert_eq!(app.phone.put_contacts(reading, many), Err(PhoneError::TooLong));
    let newer = app.phone.begin_contacts().unwrap();
    let overtaken = app.phone.put_contacts(reading, vec![]);
    assert!(matches!(overtaken, Err(PhoneError::BadArgument { .. })), "{overtaken:?}");
    assert!(matches!(app.phone.end_contacts(reading), Err(PhoneError::BadArgument { .. })));
    assert!(app.phone.end_contacts(newer).unwrap() > 0);
    for digit in [0, 10, 255] {
        let refused = app.phone.set_speed_dial(digit, Some("1".into()));
        assert!(matches!(refused, Err(PhoneError::BadArgument { .. })), "{refused:?}");
    }
    let long = "1".repeat(1 << 20);
    assert_eq!(app.phone.set_speed_dial(1, Some(long.clone())), Err(PhoneError::TooLong));
    assert_eq!(app.phone.block(long.clone(), true), Err(PhoneError::TooLong));
    assert_eq!(app.phone.set_in_group(long, 1, true), Err(PhoneError::TooLong));
    assert!(matches!(app.phone.block(" - ".into(), true), Err(PhoneError::BadArgument { .. })));
    let nobody = app.phone.add_contact(vec![" ".into()], vec![number(" ")], None);
    assert!(matches!(nobody, Err(PhoneError::BadArgument { .. })), "{nobody:?}");
    app.phone.shutdown();
    assert_eq!(app.phone.begin_contacts(), Err(PhoneError::ShutDown));
}
