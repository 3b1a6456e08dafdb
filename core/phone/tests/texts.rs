//! Text messages that cannot be sent at once, in virtual time. RFC 3428.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use base::Redacted;
use bytes::Bytes;
use offhook_phone::{Command, Event, Input, MessageId, NetworkNews, Refusal, Subject, Why};
use sip::message::{Message, Method, Name};
use town::{MAIN, Town, at, at_home, bytes, response};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
/// A date far from 1970, by the wall clock.
const TODAY: Duration = Duration::from_secs(1_800_000_000);

/// What the server answers to messages, changed as a test goes on; 0: nothing.
type Answer = Rc<RefCell<u16>>;

/// ann, registered at a server that grants everything and answers messages so.
fn registered(status: u16) -> (Town, SocketAddr, Answer) {
    let answer = Answer::new(RefCell::new(status));
    let mut town = Town::new();
    let says = Rc::clone(&answer);
    town.peer(9, move |request, _| match (request.method(), *says.borrow()) {
        (Method::Register, _) => {
            let mut ok = response(request, 200);
            let contact = request.text(Name::Contact).unwrap().to_owned();
            ok.push(Name::Contact, format!("{contact};expires=3600"));
            vec![bytes(&ok)]
        }
        (Method::Message, status) if status > 0 => vec![bytes(&response(request, status))],
        _ => Vec::new(),
    });
    let mut account = at_home("ann", 1);
    account.proxy = Some("sip:10.0.0.9;lr".parse().unwrap());
    account.register = true;
    let ann = town.phone(1, account);
    town.run(2 * SECOND);
    let now = town.now;
    town.handset(ann).phone.set_wall_clock(TODAY, now);
    (town, ann, answer)
}

fn write(town: &mut Town, phone: SocketAddr, number: u32, to: &str, written: Option<Duration>) {
    let text = Redacted::new(number.to_string());
    let to = Redacted::new(to.to_owned());
    let message = MessageId(number);
    town.command(phone, Command::Message { message, account: Some(MAIN), to, text, written });
}

/// All MESSAGEs that the server got: what they say, and the header field.
fn got(town: &Town, name: Name) -> Vec<(String, String)> {
    let messages = town.heard(at(9)).iter().filter(|it| it.method() == Method::Message);
    let field = |it: &Message| it.text(name).unwrap_or_default().to_owned();
    messages.map(|it| (String::from_utf8_lossy(&it.body_bytes()).into_owned(), field(it))).collect()
}

fn ends(town: &mut Town, phone: SocketAddr) -> Vec<(u32, u16, Option<Why>)> {
    let events = town.handset(phone).events.iter();
    let end = |event: &Event| match event {
        Event::MessageSent { message, status, reason } => Some((message.0, *status, *reason)),
        _ => None,
    };
    events.filter_map(end).collect()
}

fn waits(town: &mut Town, phone: SocketAddr) -> Vec<(u32, Option<u16>, Option<Why>)> {
    let events = town.handset(phone).events.iter();
    let wait = |event: &Event| match event {
        Event::MessageWaits { message, status, why, .. } => Some((message.0, *status, *why)),
        _ => None,
    };
    events.filter_map(wait).collect()
}

fn network(town: &mut Town, phone: SocketAddr, there: bool) {
    let news = if there { NetworkNews::Up { addrs: vec![phone.ip()] } } else { NetworkNews::Down };
    town.tell(phone, Input::Network(news));
}

#[test]
fn messages_of_an_account_without_a_network_wait_and_go_in_order_when_it_is_registered_again() {
    let (mut town, ann, _) = registered(200);
    network(&mut town, ann, false);
    for number in 1..=3 {
        write(&mut town, ann, number, "bob", None);
    }
    town.run(60 * SECOND);
    assert_eq!(got(&town, Name::To), []);
    assert_eq!(waits(&mut town, ann), [1, 2, 3].map(|it| (it, None, Some(Why::NoNetwork))));
    network(&mut town, ann, true);
    town.run(10 * SECOND);
    let texts: Vec<String> = got(&town, Name::To).into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["1", "2", "3"]);
    assert_eq!(ends(&mut town, ann), [1, 2, 3].map(|it| (it, 200, None)));
    assert!(town.handset(ann).phone.is_quiet());
}

#[test]
fn only_one_message_at_a_time_is_on_its_way_to_somebody_and_others_do_not_wait_for_it() {
    let (mut town, ann, _) = registered(0);
    for (number, to) in [(1, "bob"), (2, "bob"), (3, "cem")] {
        write(&mut town, ann, number, to, None);
    }
    town.run(SECOND);
    let mut texts: Vec<String> = got(&town, Name::To).into_iter().map(|(text, _)| text).collect();
    texts.dedup();
    texts.sort();
    texts.dedup();
    assert_eq!(texts, ["1", "3"]);
}

#[test]
fn silence_is_answered_by_the_same_request_and_a_server_that_knows_it_has_it() {
    let (mut town, ann, answer) = registered(0);
    write(&mut town, ann, 1, "bob", None);
    town.run(33 * SECOND);
    assert_eq!(waits(&mut town, ann), [(1, None, Some(Why::ServerSilent))]);
    *answer.borrow_mut() = 482;
    town.run(10 * SECOND);
    assert_eq!(ends(&mut town, ann), [(1, 202, None)]);
    for name in [Name::CallId, Name::From, Name::CSeq, Name::Date] {
        let mut all = got(&town, name);
        assert!(all.len() > 2 && !all[0].1.is_empty(), "{all:?}");
        all.dedup();
        assert_eq!(all.len(), 1, "{all:?}");
    }
    // The first time it is what it says.
    write(&mut town, ann, 2, "bob", None);
    town.run(SECOND);
    assert_eq!(ends(&mut town, ann)[1..], [(2, 482, Some(Why::InCircles))]);
}

#[test]
fn who_is_away_is_tried_again_under_a_new_number_ever_more_seldom_and_a_refusal_is_the_last_word() {
    let (mut town, ann, answer) = registered(480);
    write(&mut town, ann, 1, "bob", None);
    town.run(DAY);
    let numbers: Vec<u32> = got(&town, Name::CSeq)
        .iter()
        .map(|(_, cseq)| cseq.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted() && numbers[1] > numbers[0], "{numbers:?}");
    assert!((50..=60).contains(&numbers.len()), "{}", numbers.len());
    assert_eq!(waits(&mut town, ann)[0], (1, Some(480), Some(Why::Unavailable)));
    *answer.borrow_mut() = 403;
    town.run(3600 * SECOND);
    assert_eq!(ends(&mut town, ann), [(1, 403, Some(Why::NotAllowed))]);
    let all = got(&town, Name::CallId).len();
    town.run(DAY);
    assert_eq!(got(&town, Name::CallId).len(), all);
}

#[test]
fn a_message_is_given_up_when_it_is_three_days_old_whenever_it_was_written() {
    let (mut town, ann, _) = registered(200);
    network(&mut town, ann, false);
    write(&mut town, ann, 1, "bob", None);
    write(&mut town, ann, 2, "bob", TODAY.checked_sub(2 * DAY));
    write(&mut town, ann, 3, "bob", TODAY.checked_sub(9 * DAY));
    assert_eq!(ends(&mut town, ann), [(3, 487, Some(Why::WaitedTooLong))]);
    town.run(DAY + SECOND);
    assert_eq!(ends(&mut town, ann).last(), Some(&(2, 487, Some(Why::WaitedTooLong))));
    town.run(2 * DAY);
    assert_eq!(ends(&mut town, ann).last(), Some(&(1, 487, Some(Why::WaitedTooLong))));
    assert!(town.handset(ann).phone.is_quiet());
}

#[test]
fn a_message_that_waits_can_be_taken_back_and_goes_with_its_account() {
    let (mut town, ann, answer) = registered(0);
    write(&mut town, ann, 1, "bob", None);
    town.command(ann, Command::TakeBack(MessageId(1))); // on its way: not again
    town.run(40 * SECOND);
    *answer.borrow_mut() = 200;
    assert_eq!(ends(&mut town, ann), [(1, 487, Some(Why::TakenBack))]);
    network(&mut town, ann, false);
    write(&mut town, ann, 2, "bob", None);
    write(&mut town, ann, 3, "bob", None);
    town.command(ann, Command::TakeBack(MessageId(2)));
    town.command(ann, Command::TakeBack(MessageId(2)));
    assert_eq!(ends(&mut town, ann)[1..], [(2, 487, Some(Why::TakenBack))]);
    assert_eq!(town.refusals(ann), [(Subject::Message(MessageId(2)), Refusal::NoSuchMessage)]);
    town.command(ann, Command::RemoveAccount(MAIN));
    town.run(SECOND);
    assert_eq!(ends(&mut town, ann)[2..], [(3, 487, Some(Why::AccountRemoved))]);
}

#[test]
fn what_waits_has_a_bound() {
    let (mut town, ann, _) = registered(200);
    network(&mut town, ann, false);
    for number in 1..=150 {
        write(&mut town, ann, number, "bob", None);
    }
    assert_eq!(town.refusals(ann).len(), 50);
    assert!(town.refusals(ann).iter().all(|(_, why)| *why == Refusal::TooManyMessages));
    network(&mut town, ann, true);
    town.run(60 * SECOND);
    assert_eq!(ends(&mut town, ann).len(), 100);
}

#[test]
fn a_phone_that_begins_anew_repeats_what_was_left_so_that_it_is_known_again() {
    let sent = |number: u32| {
        let (mut town, ann, _) = registered(200);
        for _ in 0..number {
            town.command(ann, Command::TakeBack(MessageId(9))); // another history
        }
        write(&mut town, ann, 1, "bob", TODAY.checked_sub(5 * SECOND));
        town.run(SECOND);
        [Name::CallId, Name::From, Name::CSeq, Name::Date].map(|name| got(&town, name))
    };
    assert_eq!(sent(0), sent(1));

    // And who has it shows it once.
    let (mut town, ann, _) = registered(200);
    let message = |branch: &str, number: u32| {
        Bytes::from(format!(
            "MESSAGE sip:ann@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{branch}\r\n\
             From: <sip:bob@10.0.0.9>;tag=f\r\nTo: <sip:ann@10.0.0.1>\r\nCall-ID: x\r\nMax-Forwards: 70\r\n\
             CSeq: {number} MESSAGE\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nContent-Type: text/plain\r\n\
             Content-Length: 2\r\n\r\nhi"
        ))
    };
    for (branch, number) in [("a", 1), ("b", 2), ("c", 1)] {
        town.say(at(9), ann, message(branch, number));
        town.run(60 * SECOND);
    }
    let heard = town.handset(ann).events.iter().filter(|it| matches!(it, Event::Message { .. }));
    assert_eq!(heard.count(), 1);
}
