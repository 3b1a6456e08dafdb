//! Registration: RFC 3665 section 2, and what that leaves out.

use exchange::Limits;
use offhook_sim::{ACCOUNT, account, users};
use phone::{AccountState, Command};
use sip::message::Name;

use crate::stage::*;

#[test]
fn a_phone_registers_when_it_has_said_who_it_is() {
    let mut w = world("RFC 3665 section 2.1");
    let bob = w.phone("bob", Some(account("bob", ip(2))));
    w.exchange("registrar", users(&["bob"]));
    w.run_until("registered", |w| w.at(bob).is_registered());
    keep(&w);
}

#[test]
fn a_second_phone_of_the_same_user_adds_its_contact() {
    let mut w = world("RFC 3665 section 2.2").about(&[Name::Contact]);
    let desk = w.phone("desk", Some(account("bob", ip(2))));
    w.exchange("registrar", users(&["bob"]));
    w.run_until_registered(&[desk]);
    let pocket = w.phone("pocket", Some(account("bob", ip(2))));
    w.run_until("registered", |w| w.at(pocket).is_registered());
    keep(&w);
}

#[test]
fn an_account_is_unregistered_when_its_user_says_so() {
    let mut w = world("RFC 3665 section 2.4").about(&[Name::Expires]);
    let bob = w.phone("bob", Some(account("bob", ip(2))));
    w.exchange("registrar", users(&["bob"]));
    w.run_until_registered(&[bob]);
    w.run_for(secs(10.0));
    w.command(bob, Command::Unregister(ACCOUNT));
    w.run_for(secs(1.0));
    assert_eq!(w.at(bob).account().map(|a| a.state), Some(AccountState::Unregistered));
    keep(&w);
}

#[test]
fn a_wrong_password_is_tried_once_and_then_not_for_minutes() {
    let mut w = world("RFC 3665 section 2.5");
    let mut wrong = account("bob", ip(2));
    wrong.password = base::Secret::new("mistyped".into());
    let bob = w.phone("bob", Some(wrong));
    w.exchange("registrar", users(&["bob"]));
    w.run_for(secs(300.0));
    let view = w.at(bob).account().expect("an account");
    assert_eq!((view.state, view.status), (AccountState::Failed, Some(401)));
    assert!(view.retry_in.is_none_or(|after| after > secs(300.0)));
    keep(&w);
}

#[test]
fn a_registration_that_is_too_brief_is_asked_for_again_as_long_as_the_registrar_wants() {
    let mut w = world("RFC 3261 section 10.2.8").about(&[Name::Expires, Name::MinExpires]);
    let mut brief = account("bob", ip(2));
    brief.expires = 30;
    let bob = w.phone("bob", Some(brief));
    w.exchange(
        "registrar",
        exchange::Config { limits: Limits { min_expires: 120, ..Limits::default() }, ..users(&["bob"]) },
    );
    w.run_until("registered", |w| w.at(bob).is_registered());
    keep(&w);
}

#[test]
fn a_stale_nonce_is_answered_with_the_new_one_and_the_same_password() {
    let mut w = world("RFC 7616 section 3.3");
    let bob = w.phone("bob", Some(account("bob", ip(2))));
    let registrar = w.exchange("registrar", users(&["bob"]));
    w.run_until_registered(&[bob]);
    // Its nonces are good for five minutes.
    w.run_for(secs(299.0));
    w.begin();
    let asked = w.said(registrar, "401");
    w.run_for(secs(30.0));
    assert!(w.at(bob).is_registered() && w.said(registrar, "401") == asked + 1);
    keep(&w);
}

#[test]
fn a_registrar_that_was_away_has_its_phone_back_within_a_minute() {
    let mut w = world("RFC 3261 section 10.2.8; our backoff");
    let mut brief = account("bob", ip(2));
    brief.expires = 60;
    let bob = w.phone("bob", Some(brief));
    let registrar = w.exchange("registrar", users(&["bob"]));
    w.run_until_registered(&[bob]);
    w.note("the registrar goes");
    w.kill(registrar);
    w.run_until("noticed", |w| !w.at(bob).is_registered());
    w.run_for(secs(10.0));
    w.note("the registrar is back");
    w.start(registrar);
    let back = w.now();
    w.run_until("registered again", |w| w.at(bob).is_registered());
    assert!(w.now().since(back) < secs(60.0));
    keep(&w);
}
