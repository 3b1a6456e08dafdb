//! What the person has set once, and the phone does at each start.

use super::*;

#[test]
fn who_is_not_to_ring_does_not_after_another_start_either() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    bob.phone.refuse_anonymous(true).unwrap();
    bob.phone.block("1001".into(), true).unwrap();
    let bob = bob.again();
    bob.until_account(AccountState::Registered);
    assert!(bob.phone.reach().refuse_anonymous);
    ann.phone.call(None, "1002".into()).unwrap();
    assert_eq!(bob.until_call(CallState::Ended).why, Some(Why::YouBlocked));
    bob.phone.block("1001".into(), false).unwrap();
    ann.until_call(CallState::Ended);
    ann.phone.call(None, "#31#1002".into()).unwrap();
    assert_eq!(bob.until_call(CallState::Ended).why, Some(Why::YouRefuseAnonymous));
    bob.phone.refuse_anonymous(false).unwrap();
    assert!(!bob.again().phone.reach().refuse_anonymous);
}

#[test]
fn how_one_is_reached_is_as_it_was_after_another_start() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    bob.phone.do_not_disturb(true).unwrap();
    bob.phone.set_presence(OwnPresence::Away, "back at four".into()).unwrap();
    assert!(matches!(bob.phone.forward_to(Some(" ".into())), Err(PhoneError::BadTarget { .. })));
    assert_eq!(bob.phone.set_presence(OwnPresence::Busy, "x".repeat(256)), Err(PhoneError::TooLong));
    let bob = bob.again();
    bob.until_account(AccountState::Registered);
    let reached = bob.phone.reach();
    assert_eq!(
        (reached.do_not_disturb, reached.presence, &*reached.note),
        (true, OwnPresence::Away, "back at four")
    );
    ann.phone.call(None, "1002".into()).unwrap();
    ann.until_call(CallState::Ended);
    bob.phone.do_not_disturb(false).unwrap();
    bob.phone.forward_to(Some("1009".into())).unwrap();
    let bob = bob.again();
    assert_eq!(
        (bob.phone.reach().do_not_disturb, bob.phone.reach().forward_to),
        (false, Some("1009".into()))
    );
    bob.phone.set_presence(OwnPresence::Automatic, String::new()).unwrap();
    bob.phone.forward_to(None).unwrap();
    assert_eq!(bob.again().phone.reach(), Reach::default());
}

#[test]
fn who_is_watched_is_watched_at_the_next_start_until_that_is_taken_back() {
    let exchange = exchange();
    let ann = registered("1001", &exchange);
    let bob = App::new();
    let shown = AccountSettings { publish_presence: true, ..settings("1002", &exchange) };
    bob.phone.add_account(shown, "secret-1002".into()).unwrap();
    bob.until_account(AccountState::Registered);
    let free = |app: &App| {
        app.until(|event| match event {
            Event::Presence { account: 1, number, state: PresenceState::Free, .. } => Some(number.clone()),
            _ => None,
        })
    };
    ann.phone.watch(None, "1002".into(), false).unwrap();
    assert_eq!(free(&ann), "1002");
    ann.phone.watch(Some(1), "1003".into(), true).unwrap();
    let ann = ann.again();
    assert_eq!(free(&ann), "1002");
    let watched = |app: &App| app.phone.store().watched.iter().map(|it| it.who.clone()).collect::<Vec<_>>();
    ann.phone.unwatch(None, "1002".into()).unwrap();
    assert_eq!(watched(&ann), ["1003"]);
    ann.phone.unwatch(Some(1), "1003".into()).unwrap();
    assert_eq!(watched(&ann.again()), [""; 0]);
}

#[test]
fn a_caller_is_shown_with_how_far_he_is_to_be_believed() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    ann.phone.call(None, "1002".into()).unwrap();
    let ringing = bob.until_call(CallState::Ringing);
    let identity = ringing.identity.unwrap();
    assert_eq!((identity.hidden, identity.signature), (false, None));
    assert_eq!((ringing.bad_keys, ringing.no_reports), (0, false));
    bob.phone.answer(ringing.call).unwrap();
    assert_eq!(ann.until_call(CallState::Active).identity, None);
}
