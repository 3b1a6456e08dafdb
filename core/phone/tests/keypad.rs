//! Keypad digits, from the person who presses them to the media and back, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Redacted;
use media::Codec;
use media::dtmf::{Digit, Keys, Way};
use offhook_phone::{Account, CallId, CallState, Command, DigitsBy, Event, Input, MediaNews, Refusal, Via};
use sip::message::{Message, Method, Name};
use town::{Town, at_home, bytes, description, in_a_call, in_a_call_of, response};

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

fn sounded(town: &mut Town, phone: SocketAddr) -> Vec<Keys> {
    town.handset(phone).streams.values().flat_map(|stream| stream.sounded.clone()).collect()
}

/// Ann, who has called somebody that answers with this description, and INFO with that status.
fn in_a_call_with(
    description: String,
    set: impl FnOnce(&mut Account),
    on_info: impl Fn(&Message) -> u16 + 'static,
) -> (Town, SocketAddr) {
    let mut town = Town::new();
    town.peer(9, move |request, _| {
        let status = if request.method() == Method::Info { on_info(request) } else { 200 };
        let mut draft = response(request, status);
        match request.method() {
            Method::Ack => return Vec::new(),
            Method::Invite => {
                draft.push(Name::Contact, "<sip:peer@10.0.0.9>").body("application/sdp", description.clone());
            }
            _ => {}
        }
        vec![bytes(&draft)]
    });
    let mut account = at_home("ann", 1);
    set(&mut account);
    let ann = town.phone(1, account);
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
        let news = MediaNews::Dtmf { digit: Digit::from_char(name).unwrap(), way: Way::Event };
        town.tell(bob, Input::Media { media, news });
    }
    let told = town.handset(bob).events.iter().filter_map(|event| match event {
        Event::Dtmf { call: ONE, digit, via: Via::Events } => Some(digit.as_char()),
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
fn an_account_of_events_alone_refuses_who_takes_none_or_not_these() {
    let only_events = |account: &mut Account| account.digits = DigitsBy::Events;
    let (mut town, ann) = in_a_call_with(description(5000), only_events, |_| 200);
    press(&mut town, ann, "1");
    assert_eq!(refusals(&mut town, ann), [Refusal::NoKeypad]);
    assert_eq!(Refusal::NoKeypad.to_string(), "the other side takes no keypad digits");
    let events = "a=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-11\r\n";
    let taken = description(5000).replace("AVP 0", "AVP 0 97") + events;
    let (mut town, ann) = in_a_call_with(taken, only_events, |_| 200);
    press(&mut town, ann, "0A");
    press(&mut town, ann, "0*#");
    assert_eq!(refusals(&mut town, ann), [Refusal::DigitsNotTaken]);
    assert_eq!(pressed(&mut town, ann), [Keys::read("0*#").unwrap()]);
}

/// What our phone sent as INFO, in order: the first line of each body.
fn infos(town: &Town) -> Vec<String> {
    let bodies = town.heard(town::at(9)).iter().filter(|request| request.method() == Method::Info);
    bodies.map(|info| String::from_utf8_lossy(info.body()).lines().next().unwrap().to_owned()).collect()
}

#[test]
fn who_takes_no_events_is_sent_infos_one_after_the_other() {
    let (mut town, ann) = in_a_call_with(description(5000), |_| (), |_| 200);
    press(&mut town, ann, "12#");
    town.run(SECOND);
    assert_eq!(infos(&town), ["Signal=1", "Signal=2", "Signal=#"]);
    assert!(pressed(&mut town, ann).is_empty() && sounded(&mut town, ann).is_empty());
}

#[test]
fn an_exchange_that_knows_no_info_is_played_tones_and_not_asked_again() {
    for status in [405, 501] {
        let (mut town, ann) = in_a_call_with(description(5000), |_| (), move |_| status);
        press(&mut town, ann, "12");
        town.run(SECOND);
        press(&mut town, ann, "3");
        town.run(SECOND);
        assert_eq!(infos(&town), ["Signal=1"], "{status}");
        assert_eq!(sounded(&mut town, ann), ["12", "3"].map(|typed| Keys::read(typed).unwrap()));
    }
}

#[test]
fn the_plain_form_is_tried_where_the_relays_is_not_known() {
    let of_form = |request: &Message| if request.body().starts_with(b"Signal") { 415 } else { 200 };
    let (mut town, ann) = in_a_call_with(description(5000), |_| (), of_form);
    press(&mut town, ann, "1");
    town.run(SECOND);
    press(&mut town, ann, "2");
    town.run(SECOND);
    assert_eq!(infos(&town), ["Signal=1", "1", "2"]);
}

#[test]
fn a_thousand_digits_in_the_plain_form_come_once_and_in_order_where_a_tenth_is_lost() {
    let of_form = |request: &Message| if request.body().starts_with(b"Signal") { 415 } else { 200 };
    let (mut town, ann) = in_a_call_with(description(5000), |_| (), of_form);
    town.loss = 0.1;
    let mut typed = String::new();
    for n in 0..20_usize {
        let digits: String = (0..50).map(|m| char::from(b"0123456789*#ABCD"[(n * 7 + m * 5) % 16])).collect();
        press(&mut town, ann, &digits);
        typed += &digits;
        town.run(SECOND * 60);
    }
    // What was repeated for want of an answer is the same request.
    let requests = town.heard(town::at(9)).iter().filter(|request| request.method() == Method::Info);
    let mut heard: Vec<_> = requests
        .map(|info| (info.cseq().unwrap().number, String::from_utf8_lossy(info.body()).trim().to_owned()))
        .collect();
    let sent = heard.len();
    heard.sort();
    heard.dedup();
    let digits: String = heard.iter().map(|(_, digit)| digit.as_str()).filter(|d| d.len() == 1).collect();
    assert!(digits == typed && sent > 1050, "{digits} for {typed}, of {sent} requests");
}

#[test]
fn a_codec_that_garbles_tones_is_left_for_them() {
    let garbling = description(5000).replace("AVP 0", "AVP 18");
    let tones = |account: &mut Account| {
        account.digits = DigitsBy::Tones;
        account.codecs = vec![Codec::G729, Codec::Pcma];
    };
    // A stranger that answers every offer in the same way takes no other codec: the digits are told lost.
    let (mut town, ann) = in_a_call_with(garbling, tones, |_| 200);
    press(&mut town, ann, "12");
    town.run(SECOND);
    assert!(sounded(&mut town, ann).is_empty());
    let lost = town.handset(ann).events.iter().any(|e| matches!(e, Event::DtmfLost { call: ONE, keys: 2 }));
    assert!(lost, "{}", town.story());

    let (mut town, ann, _) = in_a_call_of(tones);
    let codec = |town: &mut Town| {
        town.handset(ann).streams.values().next().unwrap().plan.as_ref().unwrap().codec_out.1
    };
    assert_eq!(codec(&mut town), Codec::G729);
    press(&mut town, ann, "12");
    town.run(SECOND);
    assert_eq!(codec(&mut town), Codec::Pcma, "{}", town.story());
    assert_eq!(sounded(&mut town, ann), [Keys::read("12").unwrap()]);
}

#[test]
fn an_info_of_theirs_is_a_digit_and_one_that_was_heard_already_is_not_another() {
    let (mut town, ann, bob) = in_a_call_of(|account| account.digits = DigitsBy::Info);
    press(&mut town, ann, "5");
    let media = *town.handset(bob).streams.keys().next().unwrap();
    let digit = Digit::from_char('5').unwrap();
    town.tell(bob, Input::Media { media, news: MediaNews::Dtmf { digit, way: Way::Tone } });
    town.run(SECOND);
    press(&mut town, ann, "5!");
    town.run(SECOND * 2);
    let told = town.handset(bob).events.iter().filter_map(|event| match event {
        Event::Dtmf { call: ONE, digit, .. } => Some(digit.as_char()),
        _ => None,
    });
    assert_eq!(told.collect::<String>(), "55!");
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
