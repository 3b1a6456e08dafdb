//! Calls that are secure on every hop, or are not made. RFC 3261 section 26.2.2, RFC 5630.

use base::Transport;

use crate::message::{Draft, Method, Name};
use crate::transaction::Source;
use crate::ua::*;

use super::net::*;

fn secure(_: NodeId, profile: &mut Profile) {
    profile.aor = uri(&profile.aor.as_str().replace("sip:", "sips:"));
    profile.transport = TransportPolicy::Only(Transport::Tls);
}

#[test]
fn a_secure_call_names_secure_contacts_on_both_sides_and_goes_by_tls_alone() {
    let mut net = Net::pair_with(secure);
    let call = net.call_with(|invite| invite.to = uri("sips:bob@10.0.0.2:5060"));
    net.soon();
    let bob = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(bob, sdp("bob"), now, out));
    net.soon();
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.soon();
    for said in ["INVITE sips:bob@10.0.0.2:5060", "ACK sips:bob@10.0.0.2", "BYE sips:bob@10.0.0.2"] {
        assert!(net.said(said) > 0, "{said}: {}", net.log);
    }
    net.assert_quiet();
}

#[test]
fn a_secure_request_by_a_clear_proxy_or_without_tls_never_leaves() {
    for proxy in [None, Some("sip:10.0.0.2:5060;lr"), Some("sip:10.0.0.2:5060;transport=udp;lr")] {
        for transport in [TransportPolicy::Auto, TransportPolicy::Only(Transport::Udp)] {
            let mut net = Net::pair_with(|node, profile| {
                if node == 0 {
                    profile.transport = transport;
                    profile.proxy = proxy.map(uri);
                }
            });
            net.call_with(|invite| invite.to = uri("sips:bob@10.0.0.2:5060"));
            net.soon();
            assert_eq!(net.expect(0, failed).status, 503, "{proxy:?} {transport:?}");
            assert_eq!(net.said("INVITE"), 0, "{}", net.log);
        }
    }
}

#[test]
fn a_secure_account_sends_nothing_in_clear_whomever_it_is_for() {
    let mut net = Net::pair_with(|node, profile| {
        secure(node, profile);
        profile.transport = TransportPolicy::Auto;
    });
    net.call();
    net.soon();
    assert_eq!((net.expect(0, failed).status, net.said("INVITE")), (503, 0), "this world has no TLS");
}

#[test]
fn the_way_of_a_secure_request_is_secure_though_it_was_told_as_a_clear_one() {
    let mut net = Net::new();
    net.add("ann", |_, profile| {
        profile.transport = TransportPolicy::Only(Transport::Tls);
        profile.route_set = vec![uri("sip:10.0.0.2:5060;lr")];
    });
    let server = net.add_scripted();
    net.call_with(|invite| invite.to = uri("sips:bob@test"));
    net.soon();
    let invite = net.heard(server, &Method::Invite);
    let text = |name| String::from_utf8_lossy(invite.first(name).unwrap()).into_owned();
    assert_eq!(text(Name::Route), "<sips:10.0.0.2:5060;lr>");
    assert!(text(Name::Via).starts_with("SIP/2.0/TLS "));
    let contact = text(Name::Contact);
    assert!(contact.starts_with("<sips:ann@10.0.0.1:") && !contact.contains("transport"), "{contact}");
}

#[test]
fn a_secure_request_that_comes_in_clear_is_refused_with_the_warning_that_says_so() {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let mut invite = net.outside(script, 1, &Method::Invite, "i");
    let target = invite.request_uri().replace("sip:", "sips:");
    invite.set_request_uri(&target);
    net.say(script, 1, &invite);
    net.soon();
    let refused = net.heard_status(script, 480);
    assert_eq!(refused.text(Name::Warning), Some("380 offhook \"SIPS Not Allowed\""));
    assert!(net.news(1).is_empty());
}

#[test]
fn a_secure_account_registers_a_secure_contact_and_knows_it_again() {
    let mut net = Net::new();
    net.add("ann", secure);
    let server = net.add_scripted();
    let draft = Draft::request(&Method::Register, "sips:10.0.0.2:5060");
    net.with(0, |a, now, out| a.request(ME, draft, now, out));
    net.soon();
    let register = net.heard(server, &Method::Register);
    let contact = String::from_utf8_lossy(register.first(Name::Contact).unwrap()).into_owned();
    assert!(contact.starts_with("<sips:ann@10.0.0.1:"), "{contact}");
    let flow = net.first_stream(0).unwrap();
    let (remote, local) = (net.addr(1), net.addr(0));
    let via = Source { flow, transport: Transport::Tls, remote, local };
    assert_eq!(net.agent(0).contact(ME, &via), Some(contact));
}
