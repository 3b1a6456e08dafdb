//! Call forwarding: RFC 5359 sections 2.7 to 2.9. The phone forwards by 302; who follows it is the proxy or the caller.

use base::Redacted;
use offhook_sim::account;
use phone::{CallState, Command};

use crate::stage::*;

#[test]
fn a_phone_that_forwards_all_calls_sends_the_caller_on() {
    let (mut w, [ann, _, bob, cem]) = trio("RFC 5359 section 2.7");
    w.command(bob, Command::ForwardTo(Some(Redacted::new("cem".into()))));
    talk(&mut w, ann, cem, "bob");
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

/// A stranger at bob's place, who does what our phone leaves to its network.
#[test]
fn a_busy_phone_of_another_make_forwards_and_the_call_goes_on() {
    forwarded_by_a_stranger("RFC 5359 section 2.8", &[], "cem");
}

#[test]
fn a_phone_of_another_make_that_is_not_answered_forwards_and_the_call_goes_on() {
    forwarded_by_a_stranger("RFC 5359 section 2.9", &["180 Ringing"], "cem");
}

fn forwarded_by_a_stranger(source: &str, before: &[&str], to: &str) {
    let mut w = world(source);
    let ann = w.phone("ann", Some(account("ann", ip(2))));
    let config = exchange::Config {
        domain_routes: vec![exchange::DomainRoute {
            domain: "bob.test".into(),
            next_hop: (ip(3), 5060).into(),
        }],
        ..trusting()
    };
    w.exchange("proxy", config);
    let bob = w.stranger("bob");
    let cem = w.phone("cem", Some(account("cem", ip(2))));
    w.run_until_registered(&[ann, cem]);
    w.call(ann, "sip:bob@bob.test");
    let invite = w.hears(bob, "INVITE");
    for status in before {
        w.says(bob, &invite, invite.reply(status, "b1", "Contact: <sip:bob@10.0.0.3>", ""));
        w.run_for(secs(10.0));
    }
    let contact = format!("Contact: <sip:{to}@offhook.test>");
    w.says(bob, &invite, invite.reply("302 Moved Temporarily", "b1", &contact, ""));
    ring(&mut w, cem);
    w.run_for(secs(1.0));
    w.answer(cem);
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(1.0));
    w.hang_up(cem);
    w.run_until_quiet();
    keep(&w);
}
