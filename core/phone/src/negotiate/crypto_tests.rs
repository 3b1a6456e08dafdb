use super::*;
use crate::MediaEncryption::{self, *};
use media::Protection;
use media::srtp::Suite;

const TLS: Sdes = Sdes::UnderTls;

fn negotiation(policy: MediaEncryption, sdes: Sdes, seed: u64) -> Negotiation {
    let mut rng = Rng::from_number(seed);
    let mut talk = Negotiation::new(&[Codec::Pcmu], false, &mut rng);
    talk.guard(Secrecy { policy, sdes, dtls: false }, None, &mut rng);
    talk
}

fn local(port: u16) -> Vec<Local> {
    vec![SocketAddr::from(([192, 0, 2, 1], port)).into()]
}

fn theirs(media: &str) -> Vec<u8> {
    let head = "v=0\r\no=- 7 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n";
    format!("{head}{}", media.replace('\n', "\r\n")).into_bytes()
}

fn text(sdp: &Bytes) -> &str {
    std::str::from_utf8(sdp).unwrap()
}

/// The values of a description's lines.
fn keys_in(sdp: &Bytes) -> Vec<&str> {
    text(sdp).lines().filter_map(|line| line.strip_prefix("a=crypto:")).collect()
}

fn protection(agreed: &Agreed) -> &Protection {
    &agreed.plans().next().expect("a line is alive").protection
}

/// What each sends is what the other reads.
fn fits(ours: &Agreed, theirs: &Agreed) -> bool {
    match (protection(ours), protection(theirs)) {
        (
            Protection::Keyed { send, receive },
            Protection::Keyed { send: their_send, receive: their_receive },
        ) => send == their_receive && receive == their_send && send != receive,
        _ => false,
    }
}

/// Two of ours, and one exchange.
fn exchange(us: &mut Negotiation, them: &mut Negotiation) -> Result<(Agreed, Agreed), Disagreement> {
    let offer = us.offer(&local(4000), false);
    let (answer, of_them) = them.answer(&offer, &local(5000), false)?;
    them.agreed(&of_them);
    let of_us = us.take_answer(&answer, false)?;
    us.agreed(&of_us);
    Ok((of_us, of_them))
}

const LINE: &str = "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n";

#[test]
fn every_pair_of_wishes_ends_as_it_should() {
    for (ours, theirs, ends) in [
        (Off, Off, Some(false)),
        (Off, Optional, Some(false)),
        (Off, Required, None),
        (Optional, Off, Some(false)),
        (Optional, Optional, Some(true)),
        (Optional, Required, Some(true)),
        (Required, Off, None),
        (Required, Optional, Some(true)),
        (Required, Required, Some(true)),
    ] {
        let mut us = negotiation(ours, TLS, 1);
        let result = exchange(&mut us, &mut negotiation(theirs, TLS, 2));
        let ended = result.as_ref().ok().map(|(of_us, of_them)| {
            assert!(fits(of_us, of_them) || protection(of_us) == protection(of_them));
            fits(of_us, of_them)
        });
        assert_eq!(ended, ends, "{ours:?} {theirs:?}");
    }
}

#[test]
fn an_offer_insists_or_leaves_it_open_and_has_no_keys_where_they_could_be_read() {
    for (policy, sdes, protocol, lines) in [
        (Off, TLS, "RTP/AVP", 0),
        (Optional, TLS, "RTP/AVP", 4),
        (Optional, Sdes::InClear, "RTP/AVP", 1),
        (Optional, Sdes::No, "RTP/AVP", 0),
        (Required, TLS, "RTP/SAVP", 4),
        (Required, Sdes::InClear, "RTP/SAVP", 1),
    ] {
        let offer = negotiation(policy, sdes, 1).offer(&local(4000), false);
        assert!(text(&offer).contains(&format!("m=audio 4000 {protocol} 0 101\r\n")), "{}", text(&offer));
        assert_eq!(keys_in(&offer).len(), lines, "{policy:?} {sdes:?}");
    }
}

#[test]
fn an_answer_has_one_line_under_the_offers_tag() {
    let offer = format!("m=audio 5000 RTP/SAVP 0\na=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA\n{LINE}{LINE}");
    let mut talk = negotiation(Optional, TLS, 1);
    let (answer, agreed) = talk.answer(&theirs(&offer), &local(4000), false).unwrap();
    let [line] = keys_in(&answer)[..] else { panic!("{}", text(&answer)) };
    assert!(line.starts_with("3 AES_CM_128_HMAC_SHA1_80 inline:") && !line.contains("d0Rmdm"));
    assert!(text(&answer).contains("m=audio 4000 RTP/SAVP 0"));
    let Protection::Keyed { receive, .. } = protection(&agreed) else { panic!("keyed") };
    assert_eq!(receive.material(), b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#");
}

#[test]
fn what_cannot_be_agreed_to_has_its_own_reason_and_changes_nothing() {
    use Disagreement::*;
    let bad = LINE.replace("JSoj", "JSo");
    for (policy, sdes, offer, why) in [
        (Off, TLS, format!("m=audio 5000 RTP/SAVP 0\n{LINE}"), WantsEncryption),
        (Required, TLS, "m=audio 5000 RTP/AVP 0\n".into(), NotEncrypted),
        (Required, Sdes::No, format!("m=audio 5000 RTP/AVP 0\n{LINE}"), KeysInClear),
        (Optional, Sdes::No, format!("m=audio 5000 RTP/SAVP 0\n{LINE}"), KeysInClear),
        (Optional, TLS, format!("m=audio 5000 RTP/SAVP 0\n{bad}"), BadKeys),
        (Optional, TLS, "m=audio 5000 RTP/SAVP 0\n".into(), BadKeys),
        (Required, TLS, format!("m=audio 5000 RTP/AVP 0\n{bad}"), BadKeys),
        (Required, TLS, "m=audio 5000 RTP/SAVP 18\n".into(), NothingInCommon),
        (Required, TLS, "m=audio 5000 TCP/RTP/AVP 0\n".into(), NothingInCommon),
    ] {
        let mut talk = negotiation(policy, sdes, 1);
        assert_eq!(talk.answer(&theirs(&offer), &local(4000), false).err(), Some(why), "{policy:?} {offer}");
        let secrecy = Secrecy { policy, sdes, dtls: false };
        assert_eq!(first_look(&theirs(&offer), &[Codec::Pcmu], secrecy).err(), Some(why), "{offer}");
    }
}

#[test]
fn who_offers_the_same_line_with_and_without_keys_gets_the_one_we_may_take() {
    let offer = format!("m=audio 5000 RTP/SAVP 0\n{LINE}m=audio 5002 RTP/AVP 0\n");
    for (policy, alive) in [(Off, 1), (Optional, 0), (Required, 0)] {
        let (_, agreed) =
            negotiation(policy, TLS, 1).answer(&theirs(&offer), &local(4000), false).expect("one of them");
        assert_eq!(agreed.lines.iter().position(Option::is_some), Some(alive), "{policy:?}");
        assert_eq!(*protection(&agreed) != Protection::Clear, policy != Off);
    }
}

#[test]
fn an_answer_that_lies_is_no_agreement() {
    use Disagreement::*;
    let key = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    for (policy, answer, why) in [
        (Required, String::new(), Some(NotEncrypted)),
        (Optional, String::new(), None),
        // Under a tag that stands for another suite, or for none; with a key of another length, or none.
        (Optional, format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {key}\n"), Some(BadKeys)),
        (Optional, format!("a=crypto:9 AES_CM_128_HMAC_SHA1_80 {key}\n"), Some(BadKeys)),
        (Optional, "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:AAAA\n".into(), Some(BadKeys)),
        (Optional, "a=crypto:3\n".into(), Some(BadKeys)),
        (Required, format!("a=crypto:3 AES_CM_128_HMAC_SHA1_80 {key} UNENCRYPTED_SRTP\n"), Some(BadKeys)),
        (Required, format!("a=crypto:3 AES_CM_128_HMAC_SHA1_80 {key}|2^31|1:1\n"), None),
    ] {
        let mut talk = negotiation(policy, TLS, 1);
        talk.offer(&local(4000), false);
        let agreed = talk.take_answer(&theirs(&format!("m=audio 5000 RTP/SAVP 0\n{answer}")), false);
        assert_eq!(agreed.err(), why, "{policy:?} {answer}");
    }
}

#[test]
fn our_own_key_said_back_is_refused() {
    let mut talk = negotiation(Required, TLS, 1);
    let offer = talk.offer(&local(4000), false);
    assert_eq!(talk.take_answer(&offer, false), Err(Disagreement::BadKeys));
}

#[test]
fn each_offer_has_new_keys_and_the_answer_keeps_its_own_where_nobody_moved() {
    let (mut us, mut them) = (negotiation(Required, TLS, 1), negotiation(Optional, TLS, 2));
    let keys = |agreed: &Agreed| match protection(agreed) {
        Protection::Keyed { send, receive } => (send.clone(), receive.clone()),
        other => panic!("{other:?}"),
    };
    let (first, _) = exchange(&mut us, &mut them).unwrap();
    let (second, of_them) = exchange(&mut us, &mut them).unwrap();
    assert!(fits(&second, &of_them));
    assert_ne!(keys(&first).0, keys(&second).0);
    assert_eq!(keys(&first).1, keys(&second).1);
    // Now we have moved: who answers cannot know whether we still have what counts its packets.
    let offer = us.offer(&local(4444), false);
    let (_, third) = them.answer(&offer, &local(5000), false).unwrap();
    assert_ne!(keys(&third).0, keys(&second).1);
}

#[test]
fn a_refused_offer_leaves_the_keys_of_before_it() {
    let (mut us, mut them) = (negotiation(Required, TLS, 1), negotiation(Required, TLS, 2));
    exchange(&mut us, &mut them).unwrap();
    let said = us.ring.clone();
    us.offer(&local(4000), true);
    us.refused();
    assert_eq!(format!("{:?}", us.ring), format!("{said:?}"));
    // The description of before is said again, as a refresh does it, and its answer fits.
    let again = us.take_answer(&theirs(&format!("m=audio 5000 RTP/SAVP 0\n{LINE}")), false).unwrap();
    assert!(
        matches!(protection(&again), Protection::Keyed { send, .. } if send.suite() == Suite::AesCm128Sha1_80)
    );
}

#[test]
fn forks_that_answer_with_other_keys_are_each_read_by_their_own() {
    let mut us = negotiation(Required, TLS, 1);
    let offer = us.offer(&local(4000), false);
    let mut seen = Vec::new();
    for seed in [2, 3] {
        let (answer, of_them) = negotiation(Required, TLS, seed).answer(&offer, &local(5000), false).unwrap();
        let of_us = us.take_answer(&answer, false).unwrap();
        us.agreed(&of_us);
        assert!(fits(&of_us, &of_them));
        seen.push(of_us);
    }
    assert_ne!(protection(&seen[0]), protection(&seen[1]));
}

#[test]
fn encryption_that_they_drop_is_the_end_of_it_or_is_let_be() {
    for (policy, ends) in [(Optional, None), (Required, Some(Disagreement::NotEncrypted))] {
        let (mut us, mut them) = (negotiation(policy, TLS, 1), negotiation(Optional, TLS, 2));
        exchange(&mut us, &mut them).unwrap();
        us.offer(&local(4000), false);
        assert_eq!(us.take_answer(&theirs("m=audio 5000 RTP/AVP 0\n"), false).err(), ends);
        let clear = us.answer(&theirs("m=audio 5000 RTP/AVP 0\n"), &local(4000), false);
        assert_eq!(clear.err(), ends);
    }
}

#[test]
fn who_refuses_an_offer_is_asked_by_each_profile_once_and_never_in_clear_by_who_insists() {
    let either = "RTP/AVP";
    let (told, agreed) = ("RTP/SAVP", "UDP/TLS/RTP/SAVP");
    for (policy, sdes, dtls, asked) in [
        (Off, TLS, true, &[either][..]),
        (Optional, Sdes::No, false, &[either]),
        (Optional, TLS, false, &[either, told]),
        (Optional, Sdes::No, true, &[either, agreed]),
        (Optional, TLS, true, &[either, told, agreed]),
        (Optional, Sdes::InClear, true, &[either, agreed, told]),
        (Required, TLS, false, &[told]),
        (Required, Sdes::No, true, &[agreed]),
        (Required, TLS, true, &[told, agreed]),
        (Required, Sdes::InClear, true, &[agreed, told]),
    ] {
        let mut rng = Rng::from_number(1);
        let mut us = Negotiation::new(&[Codec::Pcmu], false, &mut rng);
        let certificate = dtls::Certificate::generate(&mut rng);
        us.guard(Secrecy { policy, sdes, dtls }, Some(certificate.fingerprint()), &mut rng);
        let mut seen = Vec::new();
        loop {
            let offer = us.offer(&local(4000), false);
            let line = text(&offer).lines().find_map(|line| line.strip_prefix("m=audio 4000 ")).unwrap();
            let protocol = line.split(' ').next().unwrap();
            let keyed = [!keys_in(&offer).is_empty(), text(&offer).contains("a=fingerprint:")];
            let may = [policy != Off && sdes != Sdes::No, policy != Off && dtls];
            let expected = match protocol {
                "RTP/AVP" => may,
                "RTP/SAVP" => [true, dtls && sdes == TLS],
                _ => [false, true],
            };
            assert_eq!(keyed, expected, "{policy:?} {sdes:?} {dtls} {protocol}");
            seen.push(protocol.to_owned());
            if !us.ask_otherwise() {
                break;
            }
        }
        assert_eq!(seen, asked, "{policy:?} {sdes:?} {dtls}");
    }
}

#[test]
fn the_answer_to_the_last_of_several_offers_is_taken_and_later_offers_keep_its_profile() {
    let mut us = negotiation(Optional, TLS, 1);
    us.offer(&local(4000), false);
    assert!(us.ask_otherwise());
    let mut them = negotiation(Required, TLS, 2);
    let (of_us, of_them) = exchange(&mut us, &mut them).unwrap();
    assert!(fits(&of_us, &of_them));
    let again = us.offer(&local(4000), true);
    assert!(text(&again).contains(" RTP/SAVP "));
}

#[test]
fn lines_of_no_use_are_counted_whoever_sent_them_and_whatever_became_of_the_call() {
    let good = LINE.trim_end().replace(":3 ", ":1 ");
    let bad = [
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0Rm*", // no base64
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",  // a key too short
        "a=crypto:2 F8_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", // nobody's suite
        "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|99999:1", // a lie of its MKI
        "a=crypto:",
    ];
    let bad = bad.join("\n");
    // An answer of theirs.
    let mut us = negotiation(Required, TLS, 1);
    us.offer(&local(4000), false);
    let said = theirs(&format!("m=audio 5000 RTP/SAVP 0\n{bad}\n"));
    assert_eq!((us.take_answer(&said, false), us.bad_keys()), (Err(Disagreement::BadKeys), 5));
    // An offer of theirs, that is answered all the same, or is not.
    let mut us = negotiation(Required, TLS, 1);
    let said = theirs(&format!("m=audio 5000 RTP/SAVP 0\n{bad}\n{good}\n"));
    assert_eq!((us.answer(&said, &local(4000), false).is_ok(), us.bad_keys()), (true, 5));
    us.refuse(&said);
    assert_eq!(us.bad_keys(), 10);
    // More than are looked at.
    let said = theirs(&format!("m=audio 5000 RTP/SAVP 0\n{}", format!("{good}\n").repeat(20)));
    us.refuse(&said);
    assert_eq!(us.bad_keys(), 14);
    // Who takes none of them drops none.
    let mut us = negotiation(Off, TLS, 1);
    us.refuse(&said);
    assert_eq!(us.bad_keys(), 0);
}

#[test]
fn an_offer_of_both_ways_goes_by_the_one_that_the_answer_takes() {
    let both = |policy, sdes, dtls, seed| {
        let mut rng = Rng::from_number(seed);
        let mut talk = Negotiation::new(&[Codec::Pcmu], false, &mut rng);
        let certificate = dtls::Certificate::generate(&mut rng);
        talk.guard(Secrecy { policy, sdes, dtls }, Some(certificate.fingerprint()), &mut rng);
        talk
    };
    for (sdes, dtls) in [(TLS, false), (Sdes::No, true), (TLS, true)] {
        let mut us = both(Required, TLS, true, 1);
        let (of_us, of_them) = exchange(&mut us, &mut both(Required, sdes, dtls, 2)).unwrap();
        let told = sdes == TLS;
        assert_eq!(fits(&of_us, &of_them), told);
        let agreed = [&of_us, &of_them].map(|it| it.associations().flatten().count());
        assert_eq!(agreed, [usize::from(!told); 2]);
        if !told {
            assert_eq!([protection(&of_us), protection(&of_them)], [&Protection::Awaited; 2]);
            let again = us.offer(&local(4000), false);
            assert!(keys_in(&again).is_empty(), "what was agreed on stays");
        }
    }
}
