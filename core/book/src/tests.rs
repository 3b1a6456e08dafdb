use std::fmt::Write as _;
use std::ops::Range;

use crate::*;

fn contact(id: u64, name: &str, numbers: &[&str]) -> Contact {
    let numbers = numbers.iter().map(|text| Number {
        text: (*text).to_owned(),
        kind: "mobile".into(),
        normal: Some(text.chars().filter(char::is_ascii_digit).collect::<String>())
            .filter(|it| !it.is_empty()),
    });
    Contact { id: ContactId(id), names: vec![name.to_owned()], numbers: numbers.collect(), weight: 0 }
}

fn book(contacts: &[(&str, &[&str])]) -> Book {
    let mut book = Book::default();
    book.put(contacts.iter().enumerate().map(|(id, (name, numbers))| contact(id as u64, name, numbers)));
    book
}

fn ids(hits: &[Hit]) -> Vec<u64> {
    hits.iter().map(|hit| hit.contact.0).collect()
}

/// What of the names that `typed` finds is marked.
fn marked(book: &mut Book, typed: &str) -> Vec<String> {
    let hits = book.search(typed, 9);
    let show = |hit: &Hit| {
        let contact = book.get(hit.contact).unwrap();
        let text = match hit.field {
            Field::Name(at) => &contact.names[at],
            Field::Number(at) => &contact.numbers[at].text,
        };
        let mut shown = String::new();
        let mut at = 0;
        for Range { start, end } in &hit.ranges {
            let _ = write!(shown, "{}[{}]", &text[at..*start], &text[*start..*end]);
            at = *end;
        }
        shown + &text[at..]
    };
    hits.iter().map(show).collect()
}

#[test]
fn the_keys_of_a_telephone_spell_names_in_every_script_and_say_which_letters() {
    for (name, keys, shown) in [
        ("Ann Smith", "266", "[Ann] Smith"),
        ("Ann Smith", "2667", "[Ann] [S]mith"),
        ("Ann Smith", "7648", "Ann [Smit]h"),
        ("Zoë O'Hara", "963", "[Zoë] O'Hara"),
        ("Straßer", "7872773", "[Straße]r"),
        ("Ümit Işık", "8648", "[Ümit] Işık"),
        ("Иван Петров", "4225", "[Иван] Петров"),
        ("Иван Петров", "5366", "Иван [Петр]ов"),
        ("Ярослав Їжак", "4324", "Ярослав [Їжак]"),
        ("Μαρία Γεωργίου", "52742", "[Μαρία] Γεωργίου"),
        ("Οδυσσεύς", "63877387", "[Οδυσσεύς]"),
        ("דוד לוי", "222", "[דוד] לוי"),
        ("محمد علي", "8685", "[محمد] علي"),
        ("王小明", "9264", "[王]小明"),
        ("王小明", "996", "[王小明]"),
        ("王小明", "9426", "王[小]明"),
        ("李 Wei", "54934", "[李] [Wei]"),
    ] {
        let mut book = book(&[("Nobody", &[]), (name, &[])]);
        let expected = if shown.is_empty() { vec![] } else { vec![shown.to_owned()] };
        assert_eq!(marked(&mut book, keys), expected, "{name} {keys}");
    }
}

#[test]
fn words_are_found_by_their_beginnings_in_any_order_and_marked() {
    let mut book = book(&[
        ("Ann Smith", &["+49 (30) 123-456"]),
        ("Smith & Sons", &["sip:office@example.com"]),
        ("José Müller", &[]),
        ("张伟", &[]),
    ]);
    for (typed, shown) in [
        ("smi", vec!["[Smi]th & Sons", "Ann [Smi]th"]),
        ("smi ann", vec!["[Ann] [Smi]th"]),
        ("jose mu", vec!["[José] [Mü]ller"]),
        ("mith", vec![]),
        ("offi", vec!["sip:[offi]ce@example.com"]),
        ("smith offi", vec!["[Smith] & Sons"]),
        ("zhangw", vec!["[张伟]"]),
        ("zw", vec!["[张伟]"]),
        ("wei", vec!["张[伟]"]),
        ("伟", vec!["张[伟]"]),
        ("   ", vec![]),
    ] {
        assert_eq!(marked(&mut book, typed), shown, "{typed}");
    }
}

#[test]
fn any_part_of_a_number_is_found_however_it_is_written() {
    let mut book =
        book(&[("Ann", &["+49 (30) 123-456"]), ("Bob", &["030 999"]), ("Eve", &["1-800-FLOWERS", "22"])]);
    for (typed, shown) in [
        ("4930", "+[49] ([30]) 123-456"),
        ("+49 30", "+[49] ([30]) 123-456"),
        ("0049301", "+[49] ([30]) [1]23-456"),
        ("3456", "+49 (30) 12[3]-[456]"),
        ("0309", "[030] [9]99"),
        ("180", "[1]-[80]0-FLOWERS"),
    ] {
        assert_eq!(marked(&mut book, typed), [shown], "{typed}");
    }
}

#[test]
fn beginnings_come_before_middles_the_dear_before_others_and_then_the_alphabet() {
    let mut book =
        book(&[("Zed Ann", &[]), ("Anna", &[]), ("Ann", &[]), ("Other", &["266"]), ("More", &["1266"])]);
    assert_eq!(ids(&book.search("an", 9)), [2, 1, 0]);
    assert_eq!(ids(&book.search("266", 9)), [2, 1, 3, 0, 4]);
    book.put([Contact { weight: 7, ..contact(1, "Anna", &[]) }]);
    assert_eq!(ids(&book.search("an", 2)), [1, 2]);
}

#[test]
fn contacts_that_share_a_number_are_one_person_unless_their_names_differ() {
    let mut book = book(&[
        ("Ann Smith", &["+49 30 1"]),
        ("Ann", &["+49-301", "+49 30 2"]),
        ("Bob Smith", &["+49301"]),
        ("ann  SMITH", &["+49302"]),
    ]);
    let hits = book.search("ann", 9);
    assert_eq!(ids(&hits), [1]);
    assert_eq!(hits[0].also, [ContactId(0), ContactId(3)]);
    assert_eq!(ids(&book.search("bob", 9)), [2]);
}

#[test]
fn persons_are_listed_once_each_by_name_page_by_page() {
    let mut book =
        book(&[("zoë", &["3"]), ("Ann Smith", &["1"]), ("Émile", &[]), ("Ann", &["1"]), ("", &["2"])]);
    let nameless = Contact { names: Vec::new(), ..contact(9, "", &["7"]) };
    book.put([nameless]);
    let page = |book: &mut Book, from, most| -> Vec<(u64, usize)> {
        book.page(from, most).iter().map(|(id, also)| (id.0, also.len())).collect()
    };
    assert_eq!(page(&mut book, 0, 3), [(4, 0), (9, 0), (1, 1)]);
    assert_eq!(page(&mut book, 3, 9), [(2, 0), (0, 0)]);
    assert!(book.remove(ContactId(2)));
    assert_eq!((page(&mut book, 3, 9), book.persons()), (vec![(0, 0)], 4));
}

#[test]
fn what_is_changed_or_gone_is_found_no_more_and_what_came_lately_is() {
    let mut book = Book::default();
    book.put((0..2000).map(|id| contact(id, &format!("Person {id}"), &[&format!("{id:05}")])));
    assert_eq!(ids(&book.search("person 1234", 9)), [1234]);
    book.put([contact(1234, "Somebody Else", &["77777"])]);
    assert!(book.search("person 1234", 9).is_empty());
    assert_eq!(ids(&book.search("77777", 9)), [1234]);
    assert!(book.remove(ContactId(1234)) && !book.remove(ContactId(1234)));
    assert!(book.search("77777", 9).is_empty());
    assert_eq!((book.len(), ids(&book.search("00077", 1))), (1999, vec![77]));
}

#[test]
fn hostile_contacts_cost_little_and_break_nothing() {
    let long = "é".repeat(1_000_000);
    let many: Vec<String> = (0..10_000).map(|n| format!("+49{n:08}")).collect();
    let many: Vec<&str> = many.iter().map(|it| &**it).collect();
    let mut book = book(&[
        (&long, &[]),
        ("Many", &many),
        ("👩‍👩‍👧 Family", &[]),
        ("\u{202e}evil\u{202c}", &["\u{200e}+49 1\u{200e}"]),
        ("", &["1"]),
        ("\0", &["", "abc"]),
        ("٠١٢", &["٠٣٠"]),
    ]);
    for typed in ["é", "fam", "evil", "9999", "491", "0", "\0", "x\0y", "[", "👩", "٠", "030"] {
        for hit in book.search(typed, 20) {
            let contact = book.get(hit.contact).unwrap();
            let text = match hit.field {
                Field::Name(at) => &contact.names[at],
                Field::Number(at) => &contact.numbers[at].text,
            };
            for range in hit.ranges {
                assert!(text.get(range.clone()).is_some_and(|it| !it.is_empty()), "{typed} {range:?}");
            }
        }
    }
    assert_eq!(ids(&book.search("4900009999", 9)), [1]);
    assert_eq!(ids(&book.search("evil", 9)), [3]);
}
