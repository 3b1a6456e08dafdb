//! Numbers as people type them: emergencies, dial plans, and keys behind a number, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Redacted;
use media::dtmf::Keys;
use numbers::{Plan, Regions, Rule};
use offhook_phone::{Account, BadTarget, CallId, CallState, Command, Config, Refusal};
use sip::message::{Method, Name};
use town::{Town, at_home, bytes, description, response};

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);

/// Ann in that region; everybody she calls answers.
fn ann(region: Option<&str>, set: impl FnOnce(&mut Account)) -> (Town, SocketAddr) {
    let mut town = Town::new();
    town.peer(9, |request, _| {
        let mut draft = response(request, 200);
        match request.method() {
            Method::Ack => return Vec::new(),
            Method::Invite => {
                let events = "a=rtpmap:101 telephone-event/8000\r\n";
                let body = description(5000).replace("AVP 0", "AVP 0 101") + events;
                draft.push(Name::Contact, "<sip:peer@10.0.0.9>").body("application/sdp", body);
            }
            _ => {}
        }
        vec![bytes(&draft)]
    });
    let mut account = at_home("ann", 1);
    account.proxy = Some("sip:10.0.0.9;lr".parse().unwrap());
    set(&mut account);
    let config = Config { regions: Regions::told(region.unwrap_or_default(), "", ""), ..Config::default() };
    let ann = town.phone_with(1, account, config);
    (town, ann)
}

/// Whom the exchange was asked to call.
fn called(town: &Town) -> Vec<String> {
    let invites = town.heard(town::at(9)).iter().filter(|request| request.method() == Method::Invite);
    invites.map(|invite| invite.request_uri().unwrap().user_decoded().into_owned()).collect()
}

#[test]
fn an_emergency_number_is_handed_back_before_anything_else_is_done_with_it() {
    let plan = Plan::new(vec![Rule { prefix: "0".into(), ..Rule::default() }]).unwrap();
    for (region, number, refused) in [
        (Some("DE"), "110", true),
        (Some("DE"), "#31#112", true),
        (Some("US"), "110", false),
        (None, "911", true),
        (None, "110", false),
    ] {
        let (mut town, ann) = ann(region, |account| account.dial_plan = plan.clone());
        town.call(ann, number);
        town.run(SECOND);
        let refusals: Vec<Refusal> = town.refusals(ann).into_iter().map(|(_, why)| why).collect();
        assert_eq!(
            refusals,
            if refused { vec![Refusal::BadTarget(BadTarget::Emergency)] } else { vec![] },
            "{number} in {region:?}"
        );
        assert_eq!(called(&town), if refused { vec![] } else { vec![format!("0{number}")] });
    }
    let (mut town, ann) = ann(Some("DE"), |account| {
        account.dial_plan = plan.clone();
        account.emergency = true;
    });
    town.call(ann, "110");
    town.run(SECOND);
    assert_eq!(called(&town), ["110"], "as it is, whatever the plan");
}

#[test]
fn numbers_go_through_the_accounts_plan_and_addresses_do_not() {
    let rule = Rule { fits: Some(r"0([1-9]\d+)".into()), replace: Some("+49$1".into()), ..Rule::default() };
    let plan = Plan::new(vec![rule]).unwrap();
    for (typed, expected) in
        [("030 12345", "+493012345"), ("1002", "1002"), ("sip:0301@10.0.0.9", "0301"), ("10.0.0.9", "")]
    {
        let (mut town, ann) = ann(None, |account| account.dial_plan = plan.clone());
        town.call(ann, typed);
        town.run(SECOND);
        assert_eq!(called(&town), [expected], "{typed}");
    }
}

#[test]
fn keys_typed_behind_a_number_are_pressed_once_they_answer_and_wait_where_the_person_wants_to_be_asked() {
    let (mut town, ann) = ann(None, |_| ());
    town.call(ann, "0301,,12#;34");
    town.run(SECOND);
    assert_eq!((called(&town), town.state(ann, ONE)), (vec!["0301".to_owned()], CallState::Active));
    let pressed = |town: &mut Town| -> Vec<Keys> {
        town.handset(ann).streams.values().flat_map(|stream| stream.pressed.clone()).collect()
    };
    let first = Keys::read(",,12#").unwrap();
    assert_eq!(pressed(&mut town), std::slice::from_ref(&first));
    assert_eq!(town.view(ann, ONE).keys_left.map(Redacted::into_inner).as_deref(), Some("34"));
    town.command(ann, Command::PressOn(ONE));
    assert_eq!(pressed(&mut town), [first, Keys::read("34").unwrap()]);
    assert_eq!(town.view(ann, ONE).keys_left, None);
}
