//! One call, several phones: RFC 3261 sections 13.2.2.4 and 16.

use offhook_sim::{account, sdp};
use phone::{Account, CallState, Command};

use crate::stage::*;

#[test]
pub(crate) fn all_phones_of_a_user_ring_and_the_first_to_answer_has_the_call() {
    let mut w = world("RFC 3261 section 16.7");
    let ann = w.phone("ann", Some(account("ann", ip(2))));
    w.exchange("proxy", trusting());
    let desk = w.phone("desk", Some(account("bob", ip(2))));
    let pocket = w.phone("pocket", Some(account("bob", ip(2))));
    w.run_until_registered(&[ann, desk, pocket]);
    w.call(ann, "bob");
    ring(&mut w, desk);
    ring(&mut w, pocket);
    w.run_for(secs(2.0));
    w.answer(pocket);
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(2.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn when_all_phones_decline_the_caller_hears_one_reason() {
    let mut w = world("RFC 3261 section 16.7 step 6");
    let ann = w.phone("ann", Some(account("ann", ip(2))));
    w.exchange("proxy", trusting());
    let desk = w.phone("desk", Some(account("bob", ip(2))));
    let pocket = w.phone("pocket", Some(account("bob", ip(2))));
    w.run_until_registered(&[ann, desk, pocket]);
    w.command(desk, Command::DoNotDisturb(true));
    w.call(ann, "bob");
    ring(&mut w, pocket);
    w.run_for(secs(2.0));
    let call = w.live(pocket);
    w.command(pocket, Command::Reject(call, 603));
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_forked_call_with_two_early_dialogs_takes_the_one_that_answers() {
    let mut w = world("RFC 3261 section 13.2.2.4; RFC 6228 section 4");
    let ann = w.phone("ann", Some(Account { proxy: None, register: false, ..account("ann", ip(1)) }));
    let fork = w.stranger("fork");
    w.call(ann, "sip:bob@10.0.0.2");
    let invite = w.hears(fork, "INVITE");
    let contact = |n: u8| format!("Contact: <sip:b{n}@10.0.0.2>");
    let media = |port| sdp((ip(2), port).into(), &["PCMU"], "sendrecv");
    w.says(fork, &invite, invite.reply("180 Ringing", "b1", &contact(1), ""));
    w.run_for(secs(1.0));
    w.says(fork, &invite, invite.reply("183 Session Progress", "b2", &contact(2), &media(9000)));
    w.run_for(secs(1.0));
    w.says(fork, &invite, invite.reply("199 Early Dialog Terminated", "b2", &contact(2), ""));
    w.run_for(secs(1.0));
    w.says(fork, &invite, invite.reply("200 OK", "b1", &contact(1), &media(9002)));
    let ack = w.hears(fork, "ACK");
    assert!(ack.text.starts_with("ACK sip:b1@10.0.0.2") && ack.header("To").ends_with("tag=b1"));
    w.run_for(secs(1.0));
    w.hang_up(ann);
    let bye = w.hears(fork, "BYE");
    w.says(fork, &bye, bye.reply("200 OK", "", "", ""));
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_second_answer_to_a_forked_call_is_acknowledged_and_hung_up() {
    let mut w = world("RFC 3261 section 13.2.2.4; RFC 6026");
    let ann = w.phone("ann", Some(Account { proxy: None, register: false, ..account("ann", ip(1)) }));
    let fork = w.stranger("fork");
    w.call(ann, "sip:bob@10.0.0.2");
    let invite = w.hears(fork, "INVITE");
    let answer = |n: u8, port: u16| {
        let body = sdp((ip(2), port).into(), &["PCMU"], "sendrecv");
        invite.reply("200 OK", &format!("b{n}"), &format!("Contact: <sip:b{n}@10.0.0.2>"), &body)
    };
    w.says(fork, &invite, answer(1, 9000));
    w.says(fork, &invite, answer(2, 9002));
    let bye = w.hears(fork, "BYE");
    assert!(bye.header("To").ends_with("tag=b2"), "{}", bye.text);
    w.says(fork, &bye, bye.reply("200 OK", "", "", ""));
    w.run_for(secs(1.0));
    assert_eq!(w.state(ann), Some(CallState::Active));
    w.hang_up(ann);
    let bye = w.hears(fork, "BYE");
    assert!(bye.header("To").ends_with("tag=b1"), "{}", bye.text);
    w.says(fork, &bye, bye.reply("200 OK", "", "", ""));
    w.run_until_quiet();
    keep(&w);
}
