use stir::testing::{Authority, carrier, list};

use super::*;

const WALL: u64 = 1_767_225_600;

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

fn address(number: usize) -> Address {
    Address::read(&format!("https://cr{number}.carrier.test/c.pem"), &[]).unwrap()
}

fn came(good_for: Option<u64>) -> Result<Fetched, NotHad> {
    let holder = Authority::new("Root", 1).issue("Carrier", 9, Some(list(&[carrier("1")])));
    Ok(Fetched { bytes: holder.pem.into_bytes(), good_for: good_for.map(Duration::from_secs) })
}

/// One for all looks: whom an account believes does not change from look to look.
fn root() -> &'static Anchors {
    static ROOT: std::sync::OnceLock<Anchors> = std::sync::OnceLock::new();
    ROOT.get_or_init(|| Authority::new("Root", 1).anchors())
}

fn look(shelf: &mut Shelf, number: usize, seconds: u64) -> &'static str {
    match shelf.look(&address(number), root(), WALL, at(seconds)) {
        Shelved::Not => "not",
        Shelved::Asked => "asked",
        Shelved::Failed(NotHad::Silent) => "silent",
        Shelved::Failed(NotHad::Busy) => "busy",
        Shelved::Failed(_) => "failed",
        Shelved::Untrusted(_) => "untrusted",
        Shelved::Trusted(_) => "trusted",
    }
}

#[test]
fn a_certificate_is_kept_as_long_as_its_server_says_within_bounds() {
    for (says, kept) in
        [(None, 3600), (Some(60), 60), (Some(0), 10), (Some(10_000_000), 86_400), (Some(u64::MAX), 86_400)]
    {
        let mut shelf = Shelf::default();
        assert_eq!(look(&mut shelf, 1, 0), "not");
        let fetch = shelf.ask(address(1), at(0)).unwrap();
        assert_eq!(look(&mut shelf, 1, 1), "asked");
        shelf.told(fetch, came(says), at(1));
        assert_eq!(look(&mut shelf, 1, kept), "trusted", "{says:?}");
        assert_eq!(look(&mut shelf, 1, kept + 1), "not", "{says:?}");
    }
}

#[test]
fn what_does_not_come_is_given_up_after_three_seconds_and_asked_for_again_after_a_minute() {
    let mut shelf = Shelf::default();
    let fetch = shelf.ask(address(1), at(0)).unwrap();
    assert_eq!(shelf.next(), Some(at(3)));
    shelf.overdue(at(2));
    assert_eq!(look(&mut shelf, 1, 2), "asked");
    shelf.overdue(at(3));
    assert_eq!((look(&mut shelf, 1, 3), shelf.next()), ("silent", None));
    assert_eq!(look(&mut shelf, 1, 63), "not");
    // An answer that is late serves the next call.
    let late = shelf.ask(address(1), at(70)).unwrap();
    shelf.overdue(at(73));
    shelf.told(fetch, came(None), at(74));
    assert_eq!(look(&mut shelf, 1, 74), "silent", "the answer to another question");
    shelf.told(late, came(None), at(75));
    assert_eq!(look(&mut shelf, 1, 75), "trusted");
    shelf.told(late, Err(NotHad::Unreachable), at(76));
    assert_eq!(look(&mut shelf, 1, 76), "trusted", "a question is answered once");
    let refused = shelf.ask(address(2), at(80)).unwrap();
    shelf.told(refused, Err(NotHad::Status(404)), at(80));
    assert_eq!((look(&mut shelf, 2, 139), look(&mut shelf, 2, 140)), ("failed", "not"));
}

#[test]
fn a_few_are_asked_for_at_once_and_a_handful_kept() {
    let mut shelf = Shelf::default();
    for number in 0..MOST_ASKED {
        assert!(shelf.ask(address(number), at(0)).is_some());
    }
    assert!(shelf.ask(address(99), at(0)).is_none());
    assert_eq!((look(&mut shelf, 99, 4), look(&mut shelf, 99, 5)), ("busy", "not"));
    shelf.overdue(at(3));
    // A stranger who names a thousand of them pushes out those that were used least lately.
    let mut shelf = Shelf::default();
    let some = came(None);
    for number in 0..1000 {
        let fetch = shelf.ask(address(number), at(number as u64)).unwrap();
        shelf.told(fetch, some.clone(), at(number as u64));
        if number > 0 {
            assert_eq!(look(&mut shelf, 0, number as u64), "trusted", "it is in use");
        }
    }
    assert_eq!(shelf.books.len(), MOST);
    assert_eq!((look(&mut shelf, 999, 1000), look(&mut shelf, 1, 1000)), ("trusted", "not"));
}

#[test]
fn an_answer_that_is_too_long_or_no_certificate_is_a_failure() {
    let mut shelf = Shelf::default();
    for (number, bytes, why) in [
        (1, vec![b'-'; 1 << 20], NotHad::TooLong),
        (2, b"hello".to_vec(), NotHad::Unreadable),
        (3, Vec::new(), NotHad::Unreadable),
    ] {
        let fetch = shelf.ask(address(number), at(0)).unwrap();
        shelf.told(fetch, Ok(Fetched { bytes, good_for: None }), at(0));
        let found = shelf.look(&address(number), &Anchors::default(), WALL, at(1));
        assert!(matches!(found, Shelved::Failed(found) if found == why), "{why:?}");
    }
}

#[test]
fn whether_a_certificate_is_believed_is_found_for_each_who_asks_and_when() {
    let mut shelf = Shelf::default();
    let fetch = shelf.ask(address(1), at(0)).unwrap();
    shelf.told(fetch, came(None), at(0));
    let root = root().clone();
    let mut trusted = |anchors: &Anchors, wall| {
        matches!(shelf.look(&address(1), anchors, wall, at(1)), Shelved::Trusted(_))
    };
    assert!(trusted(&root, WALL));
    assert!(!trusted(&Anchors::default(), WALL));
    assert!(trusted(&root, WALL));
    assert!(!trusted(&root, 80_000_000_000), "past its end");
}
