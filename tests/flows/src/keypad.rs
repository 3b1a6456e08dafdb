//! Keypad digits: RFC 4733 beside the calls of RFC 3665.

use base::Redacted;
use offhook_sim::{account, sdp};
use phone::{Account, CallState, Command};

use crate::stage::*;

fn press(w: &mut offhook_sim::World, from: offhook_sim::NodeId, digits: &str) {
    let call = w.live(from);
    w.command(from, Command::Dtmf { call, digits: Redacted::new(digits.into()) });
}

#[test]
fn digits_are_agreed_with_the_codecs_and_heard_in_the_call() {
    let mut w = world("RFC 4733 section 2.4.1").with_sound();
    let alone = |user: &str| Account { proxy: None, register: false, ..account(user, ip(1)) };
    let ann = w.phone("ann", Some(alone("ann")));
    let bob = w.phone("bob", Some(alone("bob")));
    talk(&mut w, ann, bob, "sip:bob@10.0.0.2");
    press(&mut w, ann, "1,#");
    w.run_for(secs(3.0));
    press(&mut w, bob, "d");
    w.run_for(secs(1.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn who_takes_no_events_is_sent_infos_and_who_refuses_those_is_played_tones() {
    let mut w = world("RFC 6086, RFC 4733 section 2.5.1.1").with_sound();
    let ann = w.phone("ann", Some(Account { proxy: None, register: false, ..account("ann", ip(1)) }));
    let gateway = w.stranger("gateway");
    w.call(ann, "sip:bob@10.0.0.2");
    let invite = w.hears(gateway, "INVITE");
    let media = sdp((ip(2), 9000).into(), &["PCMU"], "sendrecv");
    w.says(gateway, &invite, invite.reply("200 OK", "g", "Contact: <sip:10.0.0.2>", &media));
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(1.0));
    press(&mut w, ann, "12");
    let info = w.hears(gateway, "INFO");
    w.says(gateway, &info, info.reply("200 OK", "", "", ""));
    let info = w.hears(gateway, "INFO");
    w.says(gateway, &info, info.reply("405 Method Not Allowed", "", "", ""));
    w.run_for(secs(1.0));
    w.hang_up(ann);
    let bye = w.hears(gateway, "BYE");
    w.says(gateway, &bye, bye.reply("200 OK", "", "", ""));
    w.run_until_quiet();
    keep(&w);
}
