//! Dialogs against the letter of RFC 3261 section 12; routes and targets are tried in `ua::tests::forks`.

use bytes::Bytes;

use super::*;
use base::Rng;

fn message(text: &str) -> Message {
    Message::read(Bytes::from(text.replace('\n', "\r\n"))).expect("sound")
}

fn invite() -> Message {
    message(
        "INVITE sip:bob@b SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\nFrom: \"A\" <sip:a@a>;tag=fa\nTo: <sip:bob@b>\n\
         Call-ID: c1\nCSeq: 7 INVITE\nContact: <sip:a@10.0.0.1>\n\
         Record-Route: <sip:p2;lr>, <sip:p1;lr>\nContent-Length: 0\n\n",
    )
}

/// Sections 12.1.1 and 12.2.1.1: the called side's requests go along the route as recorded, with To and From turned round.
#[test]
fn the_called_side_turns_the_request_round() {
    let tag = Tag::draw(&mut Rng::from_number(1));
    let mut dialog = Dialog::from_request(&invite(), tag).expect("a dialog");
    let (draft, next_hop) = dialog.request(&Method::Bye);
    let bye = Message::read(draft.write(crate::message::Form::Full)).expect("sound");
    assert_eq!(bye.text(Name::From), Some(&*format!("<sip:bob@b>;tag={tag}")));
    assert_eq!(bye.text(Name::To), Some("\"A\" <sip:a@a>;tag=fa"));
    assert_eq!((bye.call_id(), bye.cseq().map(|cseq| cseq.number)), (Ok("c1"), Ok(1)));
    assert_eq!(
        (bye.request_uri().map(|u| u.as_str()), next_hop.as_str()),
        (Ok("sip:a@10.0.0.1"), "sip:p2;lr")
    );
    assert_eq!(bye.routes(Name::Route).flatten().count(), 2);
}

/// Section 12.2.2: a number below the last heard is out of order; a gap is not.
#[test]
fn numbers_may_jump_but_not_fall() {
    let mut dialog = Dialog::from_request(&invite(), Tag::draw(&mut Rng::from_number(1))).expect("a dialog");
    let turns = [8, 20, 19, 7, 21].map(|seq| dialog.hear(seq));
    assert_eq!(turns, [Turn::InOrder, Turn::InOrder, Turn::Late, Turn::Late, Turn::InOrder]);
}

/// RFC 3891 section 3: what we write for the other side names its tag as the To tag.
#[test]
fn replaces_is_written_from_the_receivers_side() {
    let tag = Tag::draw(&mut Rng::from_number(1));
    let dialog = Dialog::from_request(&invite(), tag).expect("a dialog");
    assert_eq!(dialog.replaces(), format!("c1;to-tag=fa;from-tag={tag}"));
}

/// A dialog cannot be made of what has no Contact to come back to.
#[test]
fn a_request_without_a_contact_makes_no_dialog() {
    let bare = message(
        "INVITE sip:bob@b SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\nFrom: <sip:a@a>;tag=fa\nTo: <sip:bob@b>\n\
         Call-ID: c1\nCSeq: 7 INVITE\nContent-Length: 0\n\n",
    );
    assert!(Dialog::from_request(&bare, Tag::draw(&mut Rng::from_number(1))).is_none());
}

/// Somebody else's tags are not mistaken for ours.
#[test]
fn only_twelve_ascii_characters_can_be_a_tag_of_ours() {
    let tag = Tag::draw(&mut Rng::from_number(1));
    assert_eq!(Tag::read(tag.as_str()), Some(tag));
    assert_eq!((Tag::read("short"), Tag::read("\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}")), (None, None));
}
