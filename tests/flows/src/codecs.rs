//! Which codec is spoken: RFC 3264's rules between two lists.

use media::Codec;
use offhook_sim::account;
use phone::Account;

use crate::stage::*;

fn alone(user: &str, codecs: &[Codec]) -> Account {
    Account { proxy: None, register: false, codecs: codecs.to_vec(), ..account(user, ip(1)) }
}

#[test]
fn the_first_of_the_offer_that_both_speak_is_spoken_whoever_calls() {
    let mut w = world("RFC 3264 sections 6.1 and 7");
    let ann = w.phone("ann", Some(alone("ann", &[Codec::Gsm, Codec::Pcma])));
    let bob = w.phone("bob", Some(alone("bob", &[Codec::Pcma, Codec::Gsm])));
    talk(&mut w, ann, bob, "sip:bob@10.0.0.2");
    w.hang_up(ann);
    w.run_for(secs(1.0));
    talk(&mut w, bob, ann, "sip:ann@10.0.0.1");
    w.hang_up(bob);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn two_of_our_phones_talk_in_g729_when_nobody_says_otherwise() {
    let mut w = world("the order of codecs that was asked for");
    let [ann, bob] = ["ann", "bob"].map(|user| w.phone(user, Some(alone(user, &Codec::ALL))));
    talk(&mut w, ann, bob, "sip:bob@10.0.0.2");
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}
