//! Keypad digits, from the person who presses them to the media and back, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Redacted;
use media::dtmf::{Digit, Keys};
use offhook_phone::{CallId, CallState, Command, Event, Input, MediaNews, Refusal};
use sip::message::{Method, Name};
use town::{Town, at_home, bytes, description, in_a_call, response};

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);

fn press(town: &mut Town, phone: SocketAddr, digits: &str) {
    town.command(phone, Command::Dtmf { call: ONE, digits: Redacted::new(digits.into()) });
}

fn pressed(town: &mut Town, phone: SocketAddr) -> Vec<Keys> {
    town.handset(phone).streams.values().flat_map(|stream| stream.pressed.clone()).collect()
}

fn refusals(town: &mut Town, phone: SocketAddr) -> Vec<Refusal> {
    town.refusals(phone).into_iter().map(|(_, why)| why).collect()
}

/// Ann, who has called somebody that answers with this description.
fn in_a_call_with(description: String) -> (Town, SocketAddr) {
    let mut town = Town::new();
    town.peer(9, move |request, _| {
        let mut draft = response(request, 200);
        match request.method() {
            Method::Ack => return Vec::new(),
            Method::Invite => {
                draft.push(Name::Contact, "<sip:peer@10.0.0.9>").body("application/sdp", description.clone());
            }
            _ => {}
        }
        vec![bytes(&draft)]
    });
    let ann = town.phone(1, at_home("ann", 1));
    town.call(ann, "sip:peer@10.0.0.9");
    town.run(SECOND);
    assert_eq!(town.state(ann, ONE), CallState::Active, "{}", town.story());
    (town, ann)
}

#[test]
fn what_is_pressed_goes_to_the_media_and_what_they_press_is_told() {
    let (mut town, ann, bob) = in_a_call();
    press(&mut town, ann, "12#");
    press(&mut town, ann, "a,");
    assert_eq!(pressed(&mut town, ann), [Keys::read("12#").unwrap(), Keys::read("A,").unwrap()]);
    let media = *town.handset(bob).streams.keys().next().unwrap();
    for name in ['1', '1', '#'] {
        let news = MediaNews::Dtmf(Digit::from_char(name).unwrap());
        town.tell(bob, Input::Media { media, news });
    }
    let told = town.handset(bob).events.iter().filter_map(|event| match event {
        Event::Dtmf { call: ONE, digit } => Some(digit.as_char()),
        _ => None,
    });
    assert_eq!(told.collect::<String>(), "11#");
}

#[test]
fn what_is_no_key_and_what_the_call_cannot_do_is_refused_in_words() {
    let (mut town, ann, bob) = in_a_call();
    for digits in ["", "12x", "+49", &"1".repeat(65)] {
        press(&mut town, ann, digits);
    }
    town.command(bob, Command::Hold(ONE));
    town.run(SECOND);
    press(&mut town, ann, "1");
    press(&mut town, bob, "1");
    town.command(ann, Command::HangUp(ONE));
    press(&mut town, ann, "1");
    let mut wanted = vec![Refusal::BadDigits; 4];
    wanted.extend([Refusal::WrongState, Refusal::NoSuchCall]);
    let found = refusals(&mut town, ann);
    town.expect(found, wanted);
    assert!(pressed(&mut town, ann).is_empty() && pressed(&mut town, bob).len() == 1, "who holds may press");
}

#[test]
fn who_takes_no_digits_or_not_these_is_not_sent_them() {
    let (mut town, ann) = in_a_call_with(description(5000));
    press(&mut town, ann, "1");
    assert_eq!(refusals(&mut town, ann), [Refusal::NoKeypad]);
    assert_eq!(Refusal::NoKeypad.to_string(), "the other side takes no keypad digits");
    let events = "a=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-11\r\n";
    let (mut town, ann) = in_a_call_with(description(5000).replace("AVP 0", "AVP 0 97") + events);
    press(&mut town, ann, "0A");
    press(&mut town, ann, "0*#");
    assert_eq!(refusals(&mut town, ann), [Refusal::DigitsNotTaken]);
    assert_eq!(pressed(&mut town, ann), [Keys::read("0*#").unwrap()]);
}

#[test]
fn digits_are_not_printed_by_debug() {
    let (mut town, ann, _) = in_a_call();
    let command = Command::Dtmf { call: ONE, digits: Redacted::new("4711".into()) };
    assert!(!format!("{command:?}").contains("4711"));
    town.command(ann, command);
    let ordered = format!("{:?}", town.handset(ann).streams);
    assert!(ordered.contains("[4 keys]"), "{ordered}");
}
