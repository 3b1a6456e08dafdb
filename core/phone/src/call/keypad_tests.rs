//! One call's keypad against exchanges of every kind, in told time.

use media::dtmf::Events;
use media::{Codec, Plan};

use super::*;

fn keys(typed: &str) -> Keys {
    Keys::read(typed).unwrap()
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn plan(codec: Codec, events: bool) -> Plan {
    Plan { events_out: events.then_some((101, Events::TONES)), ..Plan::of(0, codec) }
}

/// What a step is, in a word.
fn word(step: &Step) -> String {
    let typed = |keys: &Keys| -> String {
        keys.iter().map(|key| if let Key::Digit(digit) = key { digit.as_char() } else { ',' }).collect()
    };
    match step {
        Step::Rest => "rest".into(),
        Step::Wait(until) => format!("wait until {}", until.as_nanos() / 1_000_000),
        Step::Inform(digit, form) => format!("INFO {} {form:?}", digit.as_char()),
        Step::Media(keys, via) => format!("{via:?} {}", typed(keys)),
        Step::Reoffer => "reoffer".into(),
        Step::Lost(count) => format!("lost {count}"),
    }
}

#[test]
fn digits_are_events_where_they_were_agreed_on_and_whole_rows_at_once() {
    let plan = plan(Codec::G729, true);
    for by in [DigitsBy::Auto, DigitsBy::Events] {
        let mut keypad = Keypad::new(by);
        keypad.press(&keys("12,#"), &plan).unwrap();
        assert_eq!(word(&keypad.step(&plan, Info::default(), at(0))), "Events 12,#");
        assert_eq!(word(&keypad.step(&plan, Info::default(), at(0))), "rest");
    }
}

#[test]
fn infos_go_one_at_a_time_with_a_digits_time_between_them_and_commas_are_pauses() {
    let (mut keypad, plan, info) = (Keypad::new(DigitsBy::Auto), plan(Codec::G729, false), Info::default());
    keypad.press(&keys("1,2"), &plan).unwrap();
    assert_eq!(word(&keypad.step(&plan, info, at(0))), "INFO 1 Relay");
    assert_eq!(word(&keypad.step(&plan, info, at(10))), "rest");
    let (found, step) = keypad.informed(200, info, at(40));
    assert!(found.is_none());
    assert_eq!(word(&step), "wait until 260");
    keypad.due();
    assert_eq!(word(&keypad.step(&plan, info, at(260))), "wait until 2260");
    keypad.due();
    assert_eq!(word(&keypad.step(&plan, info, at(2260))), "INFO 2 Relay");
    let (_, step) = keypad.informed(200, info, at(9000));
    assert_eq!(word(&step), "wait until 9000", "an answer that came late is time enough");
}

#[test]
fn a_refused_form_is_followed_by_the_other_and_then_by_tones_and_no_digit_is_skipped() {
    let (mut keypad, plan) = (Keypad::new(DigitsBy::Auto), plan(Codec::Pcma, false));
    keypad.press(&keys("77"), &plan).unwrap();
    assert_eq!(word(&keypad.step(&plan, Info::default(), at(0))), "INFO 7 Relay");
    let (found, _) = keypad.informed(415, Info::default(), at(1));
    let found = found.unwrap();
    assert_eq!(word(&keypad.step(&plan, found, at(1))), "INFO 7 Plain");
    let (found, _) = keypad.informed(415, found, at(2));
    assert_eq!(found, Some(Info::Refuses));
    assert_eq!(word(&keypad.step(&plan, Info::Refuses, at(2))), "Tones 77");
}

#[test]
fn tones_wait_for_a_codec_that_carries_them() {
    for (agreed, then) in [(true, "Tones 5"), (false, "lost 1")] {
        let mut keypad = Keypad::new(DigitsBy::Auto);
        let garbled = plan(Codec::G729, false);
        keypad.press(&keys("5"), &garbled).unwrap();
        assert_eq!(word(&keypad.step(&garbled, Info::Refuses, at(0))), "reoffer");
        assert!(keypad.wants_tones());
        assert_eq!(word(&keypad.step(&garbled, Info::Refuses, at(0))), "rest");
        keypad.agreed(agreed);
        let now = plan(if agreed { Codec::Pcmu } else { Codec::G729 }, false);
        assert_eq!(word(&keypad.step(&now, Info::Refuses, at(0))), then);
    }
}

#[test]
fn what_may_have_arrived_is_not_sent_twice() {
    let (mut keypad, plan, info) = (Keypad::new(DigitsBy::Info), plan(Codec::Pcmu, true), Info::default());
    keypad.press(&keys("12"), &plan).unwrap();
    assert_eq!(word(&keypad.step(&plan, info, at(0))), "INFO 1 Relay");
    assert_eq!(word(&keypad.informed(503, info, at(0)).1), "lost 1");
    assert_eq!(word(&keypad.step(&plan, info, at(0))), "INFO 2 Relay");
    assert_eq!(keypad.informed(405, info, at(0)).0, Some(Info::Refuses));
    assert_eq!(word(&keypad.step(&plan, Info::Refuses, at(0))), "lost 1", "the account's only way");
}

#[test]
fn an_only_way_that_is_none_here_is_refused_at_once_and_so_are_too_many_keys() {
    let mut keypad = Keypad::new(DigitsBy::Events);
    assert_eq!(keypad.press(&keys("1"), &plan(Codec::Pcmu, false)), Err(Refusal::NoKeypad));
    assert_eq!(keypad.press(&keys("!"), &plan(Codec::Pcmu, true)), Err(Refusal::DigitsNotTaken));
    let (mut keypad, plan) = (Keypad::new(DigitsBy::Info), plan(Codec::Pcmu, false));
    let many = "1".repeat(Keys::MOST);
    keypad.press(&keys(&many), &plan).unwrap();
    keypad.press(&keys(&many), &plan).unwrap();
    assert_eq!(keypad.press(&keys("1"), &plan), Err(Refusal::Busy));
}

#[test]
fn a_digit_told_by_two_ways_is_one_and_pressed_twice_it_is_two() {
    let digit = |name| Digit::from_char(name).unwrap();
    let mut doubles = Doubles::default();
    let mut told = |name, via, ms| doubles.is_new(digit(name), via, at(ms));
    assert!(told('5', Via::Events, 0) && told('5', Via::Events, 200));
    assert!(!told('5', Via::Info, 210) && !told('5', Via::Info, 410));
    assert!(told('5', Via::Info, 420), "a third");
    assert!(!told('5', Via::Events, 500));
    assert!(told('6', Via::Info, 600) && told('6', Via::Events, 1600), "a second apart they are two");
}
