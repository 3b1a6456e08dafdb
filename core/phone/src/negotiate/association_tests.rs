//! Keys that are agreed on the media path, as descriptions speak of them.

use base::Rng;
use dtls::Certificate;
use media::{Codec, Protection};

use super::*;
use crate::MediaEncryption::{Off, Optional, Required};

const WEAK: &str = "a=setup:active\r\na=fingerprint:sha-1 \
    4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n";

fn negotiation(secrecy: Secrecy, seed: u64) -> Negotiation {
    let mut rng = Rng::from_number(seed);
    let mut talk = Negotiation::new(&[Codec::Pcmu], false, &mut rng);
    let ours = Certificate::generate(&mut rng).fingerprint();
    talk.guard(secrecy, Some(ours), &mut rng);
    talk
}

const fn secrecy(policy: crate::MediaEncryption) -> Secrecy {
    Secrecy { policy, sdes: Sdes::No, dtls: true }
}

fn local(port: u16) -> Local {
    SocketAddr::from(([192, 0, 2, 1], port)).into()
}

/// Ann offers, Bob answers: what each makes of it.
fn agree(ann: &mut Negotiation, bob: &mut Negotiation) -> (String, String, Agreed, Agreed) {
    let offer = ann.offer(&[local(4000)], false);
    let (answer, of_bob) = bob.answer(&offer, &[local(5000)], false).expect("they agree");
    let of_ann = ann.take_answer(&answer, false).expect("they agree");
    ann.agreed(&of_ann);
    bob.agreed(&of_bob);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("a description is text");
    (text(&offer), text(&answer), of_ann, of_bob)
}

fn association(agreed: &Agreed) -> Association {
    agreed.associations().next().flatten().expect("keys are agreed on the media path").clone()
}

#[test]
fn the_answer_begins_and_both_know_the_others_certificate() {
    let (mut ann, mut bob) = (negotiation(secrecy(Required), 1), negotiation(secrecy(Required), 2));

    let (offer, answer, of_ann, of_bob) = agree(&mut ann, &mut bob);

    assert!(offer.contains("m=audio 4000 UDP/TLS/RTP/SAVP 0"), "{offer}");
    assert!(offer.contains("a=setup:actpass") && answer.contains("a=setup:active"), "{offer}{answer}");
    assert!(!offer.contains("a=crypto") && !answer.contains("a=crypto"));
    let (a, b) = (association(&of_ann), association(&of_bob));
    assert_eq!((a.begins, b.begins), (false, true));
    assert_ne!(a.peer, b.peer);
    assert_eq!((a.name, b.name), (None, None));
    assert!(of_ann.plans().chain(of_bob.plans()).all(|plan| plan.protection == Protection::Awaited));
}

#[test]
fn who_encrypts_where_he_can_offers_what_a_clear_one_accepts() {
    let (mut ann, mut bob) = (negotiation(secrecy(Optional), 1), negotiation(secrecy(Off), 2));

    let (offer, answer, of_ann, of_bob) = agree(&mut ann, &mut bob);

    assert!(offer.contains("m=audio 4000 RTP/AVP 0") && offer.contains("a=fingerprint:sha-256 "), "{offer}");
    assert!(!answer.contains("a=fingerprint") && !answer.contains("a=setup"), "{answer}");
    for agreed in [of_ann, of_bob] {
        assert!(agreed.plans().all(|plan| plan.protection == Protection::Clear));
        assert_eq!(agreed.associations, [None]);
    }
}

#[test]
fn a_second_offer_is_of_the_same_association_whoever_makes_it() {
    let (mut ann, mut bob) = (negotiation(secrecy(Optional), 1), negotiation(secrecy(Optional), 2));
    let (_, _, first_ann, first_bob) = agree(&mut ann, &mut bob);

    let (_, answer, second_ann, second_bob) = agree(&mut ann, &mut bob);
    let (_, turned, third_bob, third_ann) = agree(&mut bob, &mut ann);

    assert!(answer.contains("a=setup:active") && turned.contains("a=setup:passive"), "{answer}{turned}");
    for (first, later) in [(&first_ann, &second_ann), (&first_ann, &third_ann), (&first_bob, &third_bob)] {
        assert_eq!(association(first), association(later));
    }
    assert_eq!(association(&first_bob), association(&second_bob));
}

#[test]
fn a_name_is_answered_by_one_and_another_name_is_another_association() {
    let (mut ann, mut bob) = (negotiation(secrecy(Optional), 1), negotiation(secrecy(Optional), 2));
    let (plain, ..) = agree(&mut ann, &mut bob);
    let named = |name: &str| format!("{plain}a=tls-id:{name}\r\n");
    let mut answered = |offer: &str| {
        let (text, agreed) = bob.answer(offer.as_bytes(), &[local(5000)], false).expect("they agree");
        bob.agreed(&agreed);
        (String::from_utf8(text.to_vec()).expect("text"), association(&agreed))
    };

    let (_, nameless) = answered(&plain);
    let (first, one) = answered(&named("aaaaaaaaaaaaaaaaaaaa"));
    let (second, two) = answered(&named("bbbbbbbbbbbbbbbbbbbb"));

    assert!(first.contains("a=tls-id:") && second.contains("a=tls-id:"));
    assert_ne!(first.split("a=tls-id:").nth(1), second.split("a=tls-id:").nth(1));
    assert!(nameless.is(&one) && !one.is(&two));
}

#[test]
fn another_certificate_is_another_association() {
    let (mut ann, mut bob) = (negotiation(secrecy(Optional), 1), negotiation(secrecy(Optional), 2));
    let (first, _, _, of_bob) = agree(&mut ann, &mut bob);
    let mut cem = negotiation(secrecy(Optional), 3);

    let (second, _, _, with_cem) = agree(&mut cem, &mut bob);

    assert_ne!(first, second);
    assert_ne!(association(&of_bob), association(&with_cem));
}

#[test]
fn a_certificate_by_a_weak_hash_alone_is_refused() {
    let mut ann = negotiation(secrecy(Required), 1);
    let offer = format!("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 9 UDP/TLS/RTP/SAVP 0\r\n{WEAK}");
    assert_eq!(ann.answer(offer.as_bytes(), &[local(4000)], false).err(), Some(Disagreement::BadKeys));

    ann.offer(&[local(4000)], false);
    let answer = offer.replace("a=setup:passive", "a=setup:active");
    assert_eq!(ann.take_answer(answer.as_bytes(), false).err(), Some(Disagreement::BadKeys));
}

#[test]
fn an_answer_that_drops_the_certificate_is_refused_by_who_insists() {
    let (mut ann, mut bob) = (negotiation(secrecy(Required), 1), negotiation(secrecy(Required), 2));
    let (_, answer, ..) = agree(&mut ann, &mut bob);
    let clear = answer.replace("a=fingerprint", "a=no-fingerprint");

    assert_eq!(ann.take_answer(clear.as_bytes(), false).err(), Some(Disagreement::NotEncrypted));
}

#[test]
fn who_may_do_both_answers_by_told_keys_under_tls_and_by_agreed_ones_otherwise() {
    for (sdes, told) in [(Sdes::UnderTls, true), (Sdes::InClear, false)] {
        let both = Secrecy { sdes, ..secrecy(Optional) };
        let (mut ann, mut bob) = (negotiation(both, 1), negotiation(both, 2));

        let (offer, answer, of_ann, of_bob) = agree(&mut ann, &mut bob);

        assert!(offer.contains("a=crypto") && offer.contains("a=fingerprint"), "{offer}");
        assert_eq!(
            (answer.contains("a=crypto"), answer.contains("a=fingerprint")),
            (told, !told),
            "{answer}"
        );
        for agreed in [of_ann, of_bob] {
            assert_eq!(agreed.associations[0].is_none(), told);
        }
    }
}

#[test]
fn two_who_both_wait_have_agreed_on_nothing() {
    let (mut ann, mut bob) = (negotiation(secrecy(Required), 1), negotiation(secrecy(Required), 2));
    let (_, answer, ..) = agree(&mut ann, &mut bob);
    let stuck = answer.replace("a=setup:active", "a=setup:actpass");
    assert_eq!(ann.take_answer(stuck.as_bytes(), false).err(), Some(Disagreement::BadKeys));
}
