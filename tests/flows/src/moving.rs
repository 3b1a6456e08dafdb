//! Calls whose phone moves to another network, where the usual means do not help.

use base::NetworkId;
use exchange::DomainRoute;
use offhook_sim::{Heard, NodeId, World, account, sdp};
use phone::{CallState, Network, NetworkKind};
use sip::message::Name;

use crate::stage::*;

/// ann talks to a gateway of another make, and goes by Wi-Fi then.
fn moves(source: &str) -> (World, NodeId, NodeId, Heard) {
    let mut w = world(source);
    let ann = w.phone("ann", Some(account("ann", ip(2))));
    let next_hop = (ip(3), 5060).into();
    let domain_routes = vec![DomainRoute { domain: "gateway.test".into(), next_hop }];
    w.exchange("proxy", exchange::Config { domain_routes, ..trusting() });
    let gateway = w.stranger("gateway");
    w.run_until_registered(&[ann]);
    w.call(ann, "sip:112@gateway.test");
    let invite = w.hears(gateway, "INVITE");
    let said = invite.reply("200 OK", "g1", "Contact: <sip:10.0.0.3>", &body());
    w.says(gateway, &invite, said);
    w.hears(gateway, "ACK");
    w.run_until_state(ann, CallState::Active);
    let addr = "10.0.1.1".parse().expect("an address");
    w.appear(ann, Network::new(NetworkId(1), NetworkKind::Wifi, vec![addr]));
    (w, ann, gateway, invite)
}

fn body() -> String {
    sdp((ip(3), 9000).into(), &["PCMU"], "sendrecv")
}

#[test]
fn a_call_whose_dialog_does_not_follow_it_to_another_network_is_replaced_and_is_the_same_call() {
    let (mut w, ann, gateway, first) = moves("RFC 3891 section 3");
    let call = w.live(ann);
    let moved = w.hears(gateway, "INVITE");
    w.says(gateway, &moved, moved.reply("481 Call/Transaction Does Not Exist", "", "", ""));
    let heir = w.hears(gateway, "INVITE");
    let replaces = format!("{};to-tag=g1;from-tag=", first.header("Call-ID"));
    assert!(heir.header("Replaces").starts_with(&replaces), "{}", heir.text);
    w.says(gateway, &heir, heir.reply("200 OK", "g2", "Contact: <sip:10.0.0.3>", &body()));
    w.hears(gateway, "ACK");
    let bye = w.hears(gateway, "BYE");
    assert_eq!(bye.header("Call-ID"), first.header("Call-ID"), "the old dialog");
    w.says(gateway, &bye, bye.reply("200 OK", "", "", ""));
    w.run_for(secs(1.0));
    assert_eq!((w.live(ann), w.state(ann)), (call, Some(CallState::Active)));
    w.note("the old network goes");
    w.vanish(ann, NetworkId::SYSTEM);
    w.hang_up(ann);
    let bye = w.hears(gateway, "BYE");
    assert_eq!(bye.header("Call-ID"), heir.header("Call-ID"));
    w.says(gateway, &bye, bye.reply("200 OK", "", "", ""));
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_gateway_that_hangs_up_the_old_dialog_first_and_one_that_refuses_are_understood() {
    let (mut w, ann, gateway, first) = moves("RFC 3891 section 3");
    let call = w.live(ann);
    let moved = w.hears(gateway, "INVITE");
    w.says(gateway, &moved, moved.reply("481 Call/Transaction Does Not Exist", "", "", ""));
    let heir = w.hears(gateway, "INVITE");
    w.says(gateway, &first, first.back("BYE", 1, "g1", "", ""));
    w.hears(gateway, "200");
    assert_eq!(w.state(ann), Some(CallState::Active), "it waits for what comes of the other");
    w.says(gateway, &heir, heir.reply("200 OK", "g2", "Contact: <sip:10.0.0.3>", &body()));
    w.hears(gateway, "ACK");
    w.run_for(secs(1.0));
    assert_eq!((w.live(ann), w.state(ann)), (call, Some(CallState::Active)));
    w.hang_up(ann);
    w.run_until_quiet();

    let (mut w, ann, gateway, _) = moves("RFC 3891 section 3");
    let moved = w.hears(gateway, "INVITE");
    w.says(gateway, &moved, moved.reply("481 Call/Transaction Does Not Exist", "", "", ""));
    let heir = w.hears(gateway, "INVITE");
    w.says(gateway, &heir, heir.reply("481 Call/Transaction Does Not Exist", "g2", "", ""));
    w.run_until_quiet();
    assert_eq!(w.state(ann), None);
    assert_eq!(w.said(ann, "INVITE"), 3, "never twice in a row:\n{}", w.ladder());
}

#[test]
fn a_server_that_fails_is_asked_once_more_before_the_call_is_replaced() {
    let (mut w, ann, gateway, _) = moves("RFC 3261 section 14.1, RFC 3891 section 3");
    for _ in 0..2 {
        let moved = w.hears(gateway, "INVITE");
        w.says(gateway, &moved, moved.reply("502 Bad Gateway", "", "", ""));
    }
    let heir = w.hears(gateway, "INVITE");
    assert!(heir.headers("Replaces").next().is_some(), "{}", heir.text);
    w.says(gateway, &heir, heir.reply("603 Decline", "g2", "", ""));
    w.run_for(secs(10.0));
    // It was not said to be lost.
    assert_eq!((w.state(ann), w.said(ann, "INVITE")), (Some(CallState::Active), 4));
    w.hang_up(ann);
    w.run_until_quiet();
}

#[test]
fn a_call_that_rings_when_its_network_goes_is_cancelled_by_the_new_one_and_made_anew() {
    let (mut w, [ann, _, bob]) = pair("RFC 3261 section 9.1, RFC 3326");
    let addr = "10.0.1.1".parse().expect("an address");
    let mobile = Network::new(NetworkId(2), NetworkKind::Cellular, vec![addr]);
    w.appear(ann, mobile);
    w.run_for(secs(5.0));
    w.begin();
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(secs(1.0));
    w.note("ann's network goes");
    w.vanish(ann, NetworkId::SYSTEM);
    w.run_for(secs(2.0));
    w.answer(bob);
    w.run_until_state(ann, CallState::Active);
    w.hang_up(bob);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_call_that_rings_at_a_phone_whose_network_goes_is_answered_or_called_off_by_the_new_one() {
    let (mut w, [ann, _, bob]) = pair("RFC 3261 sections 9.1, 12.1.1 and 17.2.3");
    let addr = "10.0.1.1".parse().expect("an address");
    w.appear(bob, Network::new(NetworkId(2), NetworkKind::Cellular, vec![addr]));
    w.run_for(secs(5.0));
    let mut w = w.about(&[Name::Contact]);
    w.begin();
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(secs(1.0));
    w.note("bob's network goes");
    w.vanish(bob, NetworkId::SYSTEM);
    w.run_for(secs(2.0));
    w.answer(bob);
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(1.0));
    w.hang_up(ann);
    w.run_until_quiet();

    w.appear(bob, Network::new(NetworkId(3), NetworkKind::Wifi, vec!["10.0.1.2".parse().expect("one")]));
    w.run_for(secs(5.0));
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(secs(1.0));
    w.note("bob's network goes");
    w.vanish(bob, NetworkId(3));
    w.run_for(secs(2.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}
