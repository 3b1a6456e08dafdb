//! What is typed, by the door.

use super::*;

#[test]
fn a_number_is_moved_apart_shown_and_explained_as_the_region_has_it() {
    let exchange = exchange();
    let app = App::new();
    assert_eq!(app.phone.explain(None, "1".into()), Err(PhoneError::NoAccount));
    app.phone.add_account(settings("1001", &exchange), "secret-1001".into()).unwrap();
    let moved = |app: &App| app.phone.as_typed("030123".into());
    assert_eq!(moved(&app), "030123", "no region is known");
    app.phone.set_region(String::new(), "de".into(), "GB".into()).unwrap();
    assert_eq!(moved(&app), "030 123");
    assert_eq!(app.phone.shown_number("+4930123456".into()), "030 123456");
    let told = app.phone.explain(None, "#31#030 123456,,7".into()).unwrap();
    assert_eq!((&*told.whom, &*told.dialed, &*told.shown), ("030123456", "030123456", "030 123456"));
    assert_eq!((told.caller_shown, told.keys.as_deref()), (Some(false), Some(",,7")));
    assert_eq!((told.normal.as_deref(), told.emergency), (Some("+4930123456"), false));
    for (number, emergency) in [("110", true), ("999", true), ("112", true), ("15", false)] {
        assert_eq!(app.phone.explain(None, number.into()).unwrap().emergency, emergency, "{number}");
        let refused = matches!(
            app.phone.check(None, number.into()),
            Err(PhoneError::BadTarget { why: BadTarget::Emergency, .. })
        );
        assert_eq!(refused, emergency, "{number}");
    }
    let long = "1".repeat(1 << 20);
    assert_eq!(app.phone.explain(None, long.clone()), Err(PhoneError::TooLong));
    assert_eq!(
        (app.phone.as_typed(long.clone()), app.phone.shown_number(long.clone())),
        (long.clone(), long)
    );
    for odd in ["", "+", "\0", "👩‍🚀", "٠٣٠", "sip:", "*#06#"] {
        assert_eq!(app.phone.as_typed(odd.into()), odd);
        app.phone.explain(None, odd.into()).unwrap();
    }
}

#[test]
fn a_dial_plan_is_tried_before_it_is_kept_and_calls_go_by_it() {
    let exchange = exchange();
    let app = App::new();
    let rule = |begins: &str, fits: &str| DialRule {
        begins: begins.into(),
        fits: fits.into(),
        strip: 1,
        prefix: "+49".into(),
        ..DialRule::default()
    };
    let tried = app.phone.try_plan(vec![rule("0", "")], "030 1234".into()).unwrap();
    assert_eq!(
        (&*tried.dialed, &*tried.steps),
        ("+49301234", &[PlanStep { rule: 1, before: "0301234".into(), after: "+49301234".into() }][..])
    );
    assert_eq!(app.phone.try_plan(vec![rule("1", "")], "030".into()).unwrap().steps, []);
    let wrong = app.phone.try_plan(vec![rule("0", ""), rule("", "(")], "030".into());
    let Err(PhoneError::BadSetting { field: Field::DialPlan, sentence, .. }) = wrong else {
        panic!("{wrong:?}")
    };
    assert!(sentence.contains("rule 2"), "{sentence}");
    let planned = AccountSettings { dial_plan: vec![rule("0", "")], ..settings("1001", &exchange) };
    app.phone.add_account(planned, "secret-1001".into()).unwrap();
    assert_eq!(app.phone.explain(None, "0301".into()).unwrap().dialed, "+49301");
    app.until_account(AccountState::Registered);
    app.phone.call(None, "0301".into()).unwrap();
    assert_eq!(app.until_call(CallState::Ended).number, "+49301");
}

#[test]
fn who_does_not_say_who_they_are_does_not_ring_where_that_is_not_wanted() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    bob.phone.refuse_anonymous(true).unwrap();
    ann.phone.call(None, "#31#1002".into()).unwrap();
    assert_eq!(ann.until_call(CallState::Ended).why, Some(Why::AnonymousRefused));
    assert_eq!(bob.until_call(CallState::Ended).why, Some(Why::YouRefuseAnonymous));
    bob.phone.refuse_anonymous(false).unwrap();
    ann.phone.call(None, "#31#1002".into()).unwrap();
    bob.until_call(CallState::Ringing);
}

#[test]
fn a_call_is_seen_as_its_user_has_it_and_what_was_typed_goes_before() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    bob.phone.refuse_anonymous(true).unwrap();
    let call = |to: &str, hide| ann.phone.call_as(None, to.into(), Some("+493012345".into()), hide).unwrap();
    call("1002", Some(true));
    assert_eq!(ann.until_call(CallState::Ended).why, Some(Why::AnonymousRefused));
    let shown = call("*31#1002", Some(true));
    bob.until_call(CallState::Ringing);
    ann.phone.hang_up(shown).unwrap();
    let refused = ann.phone.call_as(None, "1002".into(), Some("1 or 2".into()), None);
    assert!(matches!(refused, Err(PhoneError::BadArgument { .. })), "{refused:?}");
}

#[test]
fn a_number_that_several_sources_name_is_one_and_the_surest_is_first() {
    let app = App::new();
    app.phone.set_region("DE".into(), String::new(), String::new()).unwrap();
    let read = |number: &str, from| CardNumber { number: number.into(), from, card: "SIM 1".into() };
    let mut cards = vec![
        read("0170 1234567", NumberFrom::Card),
        read("+49 171 7654321", NumberFrom::Carrier),
        read("+491717654321", NumberFrom::Network),
        read("004917112345678", NumberFrom::Carrier),
    ];
    cards.extend(["", "0", "00000000", "?", "Voicemail", "12", "+"].map(|odd| read(odd, NumberFrom::Card)));
    app.phone.set_own_numbers(cards).unwrap();
    let own = app.phone.own_numbers();
    let numbers: Vec<_> = own.iter().map(|it| (&*it.number, &it.from[..])).collect();
    let sure = [NumberFrom::Network, NumberFrom::Carrier];
    let expected = [
        ("+491717654321", &sure[..]),
        ("+4917112345678", &[NumberFrom::Carrier][..]),
        ("+491701234567", &[NumberFrom::Card][..]),
    ];
    assert_eq!(numbers, expected);
    assert_eq!(own[2].shown, "0170 1234567");
    app.phone.set_own_numbers(vec![read(&"1".repeat(1 << 20), NumberFrom::Card)]).unwrap();
    assert_eq!(app.phone.own_numbers(), []);
}
