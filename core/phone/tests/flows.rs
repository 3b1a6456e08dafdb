//! Registration of flows (RFC 5626) against a scripted registrar, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Secret;
use bytes::Bytes;
use offhook_phone::{Account, AccountState, Config, Input, NetworkNews};
use sip::message::{Message, Method, Name};
use town::{Town, bytes, response};

const SECOND: Duration = Duration::from_secs(1);
const INSTANCE: &str = "urn:uuid:00000000-0000-1000-8000-000a95a0e128";

fn account() -> Account {
    let mut account = Account::new("sip:1001@offhook.test".parse().unwrap(), Secret::new("secret".into()));
    account.proxy = Some("sip:10.0.0.9:5060;lr".parse().unwrap());
    account
}

fn contacts(request: &Message) -> Vec<String> {
    request.list(Name::Contact).map(|contact| String::from_utf8_lossy(contact).into_owned()).collect()
}

/// 200 to a REGISTER, by the rules of outbound if it knows them; 404 to all else.
fn granted(request: &Message, outbound: bool) -> Vec<Bytes> {
    if request.method() != Method::Register {
        return vec![bytes(&response(request, 404))];
    }
    let mut draft = response(request, 200);
    for contact in contacts(request).into_iter().filter(|contact| !contact.contains("expires=0")) {
        draft.push(Name::Contact, format!("{contact};expires=600"));
    }
    if outbound {
        draft.push(Name::Require, "outbound");
    }
    vec![bytes(&draft)]
}

fn town(
    instance: Option<&str>,
    script: impl FnMut(&Message, SocketAddr) -> Vec<Bytes> + 'static,
) -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    let registrar = town.peer(9, script);
    let config = Config { instance: instance.map(str::to_owned), ..Config::default() };
    let phone = town.phone_with(1, account(), config);
    town.run(SECOND);
    (town, phone, registrar)
}

#[test]
fn a_phone_with_an_instance_names_it_and_its_flow_and_without_one_neither() {
    for (instance, named) in [(Some(INSTANCE), true), (None, false), (Some("urn:\"><sip:x"), false)] {
        let (town, _, registrar) = town(instance, |request, _| granted(request, true));
        let request = &town.heard(registrar)[0];
        let contact = &contacts(request)[0];
        let params = format!("+sip.instance=\"<{INSTANCE}>\";reg-id=1");
        assert_eq!((contact.contains(&params), request.supports("outbound")), (named, named), "{contact}");
    }
}

#[test]
fn where_the_registrar_knows_of_flows_dialogs_say_that_they_go_by_ours_and_no_old_contact_is_ended() {
    for outbound in [true, false] {
        let (mut town, phone, registrar) = town(Some(INSTANCE), move |request, _| granted(request, outbound));
        town.call(phone, "1002");
        town.run(SECOND);
        let invite = town.heard(registrar).iter().find(|it| it.method() == Method::Invite).unwrap();
        assert_eq!(
            contacts(invite),
            [format!("<sip:1001@10.0.0.1:5060{}>", if outbound { ";ob" } else { "" })]
        );
        town.tell(phone, Input::Network(NetworkNews::Up { addrs: vec![phone.ip()] }));
        town.run(SECOND);
        let last = town.heard(registrar).iter().rfind(|it| it.method() == Method::Register).unwrap();
        assert_eq!(contacts(last).len(), 1, "{:?}", contacts(last));
        assert!(!contacts(last)[0].contains(";ob"));
    }
}

#[test]
fn a_proxy_that_keeps_no_flows_is_asked_for_none() {
    let (mut town, phone, registrar) = town(Some(INSTANCE), |request, _| {
        if contacts(request)[0].contains("reg-id") {
            return vec![bytes(&response(request, 439))];
        }
        granted(request, false)
    });
    let state = town.account(phone).state;
    town.expect(state, AccountState::Registered);
    let heard = town.heard(registrar);
    assert_eq!(heard.len(), 2);
    assert!(contacts(&heard[1])[0].contains("+sip.instance") && !heard[1].supports("outbound"));
}
