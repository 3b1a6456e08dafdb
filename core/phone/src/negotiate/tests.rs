use super::*;
use std::fmt::Write as _;
use std::time::Duration;

use media::dtmf::{Events, Keys};

const PCMU: Codec = Codec::Pcmu;
const PCMA: Codec = Codec::Pcma;

fn negotiation(codecs: &[Codec]) -> Negotiation {
    Negotiation::new(codecs, false, &mut Rng::from_number(1))
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn local() -> Vec<Local> {
    vec![at("192.0.2.1:4000").into()]
}

/// A description by somebody else: session lines that never matter, then `media`.
fn theirs(media: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 7 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n{}",
        media.replace('\n', "\r\n")
    )
    .into_bytes()
}

fn text(sdp: &Bytes) -> &str {
    std::str::from_utf8(sdp).unwrap()
}

fn m_lines(sdp: &Bytes) -> Vec<&str> {
    text(sdp).lines().filter(|line| line.starts_with("m=")).collect()
}

/// Our offer with `ours`, their answer: what comes of it.
fn offered(ours: &[Codec], answer: &str) -> Result<Agreed, Disagreement> {
    let mut talk = negotiation(ours);
    talk.offer(&local(), false);
    talk.take_answer(&theirs(answer), false)
}

/// Their offer, our answer.
fn answered(ours: &[Codec], offer: &str) -> Result<(Bytes, Agreed), Disagreement> {
    negotiation(ours).answer(&theirs(offer), &local(), false)
}

fn only(agreed: &Agreed) -> &Plan {
    let mut plans = agreed.plans();
    let plan = plans.next().expect("one line is alive");
    assert!(plans.next().is_none(), "and no other");
    plan
}

#[test]
fn an_offer_says_what_the_account_prefers_and_nothing_of_the_machine() {
    let mut talk = negotiation(&[PCMA, PCMU]);
    let offer = talk.offer(&local(), false);
    let id = talk.id;
    assert_eq!(
        text(&offer),
        format!(
            "v=0\r\no=- {id} 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=rtcp-mux\r\na=sendrecv\r\n"
        )
    );
}

#[test]
fn extended_reports_are_sent_to_who_asks_and_asked_of_who_offers_them() {
    let both = media::Extended { metrics: true, round_trip: true };
    for (theirs_say, plan, ours_says) in [
        ("a=rtcp-xr:rcvr-rtt=all:30 voip-metrics pkt-loss-rle=100\n", both, true),
        ("a=rtcp-xr:voip-metrics\n", media::Extended { round_trip: false, ..both }, true),
        ("a=rtcp-xr:rcvr-rtt=sender\n", media::Extended { metrics: false, ..both }, true),
        ("a=rtcp-xr:\n", media::Extended::default(), true),
        ("", media::Extended::default(), false),
    ] {
        let offer = format!("m=audio 5000 RTP/AVP 0\n{theirs_say}");
        let (answer, agreed) = answered(&[PCMU], &offer).unwrap();
        assert_eq!(only(&agreed).extended, plan, "{theirs_say}");
        assert_eq!(
            text(&answer).contains("a=rtcp-xr:voip-metrics rcvr-rtt=all\r\n"),
            ours_says,
            "{theirs_say}"
        );
        assert_eq!(only(&offered(&[PCMU], &offer).unwrap()).extended, plan, "{theirs_say}");
    }
}

#[test]
fn an_ipv6_socket_is_described_as_one() {
    let offer = negotiation(&[PCMU]).offer(&[at("[2001:db8::1]:4000").into()], false);
    assert!(
        text(&offer).contains("c=IN IP6 2001:db8::1\r\n")
            && text(&offer).contains(" IN IP6 2001:db8::1\r\ns=")
    );
}

#[test]
fn the_caller_speaks_what_the_answer_prefers() {
    for (ours, answer, speaks) in [
        (vec![PCMU, PCMA], "m=audio 5000 RTP/AVP 0 8\n", Some((0, PCMU))),
        // RFC 3264 section 7: the first format of the answer, whatever we prefer.
        (vec![PCMU, PCMA], "m=audio 5000 RTP/AVP 8 0\n", Some((8, PCMA))),
        (vec![PCMU, PCMA], "m=audio 5000 RTP/AVP 18 8\n", Some((8, PCMA))),
        // Under their number, not ours (RFC 3264 section 5.1).
        (vec![PCMU], "m=audio 5000 RTP/AVP 100\na=rtpmap:100 pcmu/8000\n", Some((100, PCMU))),
        // Not what we offered, though we could.
        (vec![PCMA], "m=audio 5000 RTP/AVP 0\n", None),
        // A static number means what its rtpmap says.
        (vec![PCMU], "m=audio 5000 RTP/AVP 0\na=rtpmap:0 PCMU/16000\n", None),
        (vec![PCMU], "m=audio 0 RTP/AVP 0\n", None),
        (vec![PCMU], "", None),
    ] {
        let agreed = offered(&ours, answer);
        assert_eq!(agreed.as_ref().map(|agreed| only(agreed).codec_out).ok(), speaks, "{answer}");
        if speaks.is_none() {
            assert_eq!(agreed, Err(Disagreement::NothingInCommon));
        }
    }
}

#[test]
fn the_callee_answers_in_the_offers_order_and_numbers_with_what_both_speak() {
    for (ours, offer, line, speaks) in [
        (
            vec![PCMU, PCMA],
            "m=audio 5000 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\n",
            "8 0 101",
            (8, PCMA),
        ),
        (vec![PCMU], "m=audio 5000 RTP/AVP 18 8 0\n", "0", (0, PCMU)),
        (
            vec![PCMU, PCMA],
            "m=audio 5000 RTP/AVP 96 97\na=rtpmap:96 opus/48000/2\na=rtpmap:97 PCMA/8000/1\n",
            "97",
            (97, PCMA),
        ),
        (vec![PCMU], "m=audio 5000 RTP/AVP 0 111\na=rtpmap:111 PCMU/8000\n", "0", (0, PCMU)),
        (vec![PCMU], "m=audio 5000 RTP/AVP 111\na=rtpmap:111 PCMU/8000\n", "111", (111, PCMU)),
    ] {
        let (answer, agreed) = answered(&ours, offer).unwrap();
        assert_eq!(m_lines(&answer), [format!("m=audio 4000 RTP/AVP {line}")], "{offer}");
        let plan = only(&agreed);
        assert_eq!(plan.codec_out, speaks, "{offer}");
        assert_eq!(
            plan.codecs_in
                .iter()
                .map(|(n, _)| *n)
                .chain(plan.events_in.iter().map(|(n, _)| *n))
                .map(|n| n.to_string())
                .collect::<Vec<_>>()
                .join(" "),
            line,
            "{offer}"
        );
    }
}

#[test]
fn lines_we_lack_are_answered_in_place_with_port_zero() {
    let (answer, agreed) = answered(
        &[PCMU],
        "m=video 6000 RTP/AVP 96 97\na=rtpmap:96 H264/90000\nm=audio 5000 RTP/AVP 0\nm=audio 5002 RTP/AVP 8 0\n\
         m=image 7000 udptl t38\nm=audio 5004 RTP/SAVP 0\n",
    )
    .unwrap();
    assert_eq!(
        m_lines(&answer),
        [
            "m=video 0 RTP/AVP 96 97",
            "m=audio 4000 RTP/AVP 0",
            "m=audio 0 RTP/AVP 8 0",
            "m=image 0 udptl t38",
            "m=audio 0 RTP/SAVP 0"
        ]
    );
    assert_eq!(only(&agreed).remote, Some("198.51.100.7:5000".parse().unwrap()));
    assert_eq!(
        agreed.lines.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true, false, false, false]
    );
}

#[test]
fn an_offer_without_anything_of_ours_is_a_disagreement_and_changes_nothing() {
    for offer in [
        "m=audio 5000 RTP/AVP 18\n",
        "m=video 5000 RTP/AVP 0\n",
        "m=audio 5000 TCP/RTP/AVP 0\n",
        "m=audio 0 RTP/AVP 0\n",
    ] {
        let mut talk = negotiation(&[PCMU]);
        assert_eq!(
            talk.answer(&theirs(offer), &local(), false),
            Err(Disagreement::NothingInCommon),
            "{offer}"
        );
        assert_eq!(
            first_look(&theirs(offer), &[PCMU], Secrecy::default()),
            Err(Disagreement::NothingInCommon),
            "{offer}"
        );
        assert_eq!(m_lines(&talk.offer(&local(), false)).len(), 1);
    }
    assert!(matches!(answered(&[PCMU], "m=audio x"), Err(Disagreement::Unreadable(_))));
}

#[test]
fn direction_is_what_both_want() {
    use media::Direction::*;
    for (offer, hold, written, does, held) in [
        ("sendrecv", false, "sendrecv", SendRecv, false),
        ("sendonly", false, "recvonly", RecvOnly, true),
        ("recvonly", false, "sendonly", SendOnly, false),
        ("inactive", false, "inactive", Inactive, true),
        ("sendrecv", true, "sendonly", SendOnly, false),
        // Each side holds: RFC 6337 section 5.3.
        ("sendonly", true, "inactive", Inactive, true),
        ("recvonly", true, "sendonly", SendOnly, false),
    ] {
        let offer = theirs(&format!("m=audio 5000 RTP/AVP 0\na={offer}\n"));
        let (answer, agreed) = negotiation(&[PCMU]).answer(&offer, &local(), hold).unwrap();
        assert!(text(&answer).ends_with(&format!("a={written}\r\n")), "{written}: {}", text(&answer));
        assert_eq!((only(&agreed).direction, agreed.held), (does, held), "{written}");
    }
}

#[test]
fn a_direction_said_for_the_session_holds_for_its_lines() {
    let (answer, _) = answered(&[PCMU], "a=sendonly\nm=audio 5000 RTP/AVP 0\n").unwrap();
    assert!(text(&answer).ends_with("a=recvonly\r\n"));
}

#[test]
fn nothing_is_sent_to_an_address_of_zeros_but_its_direction_is_answered_as_offered() {
    let (answer, agreed) = answered(&[PCMU], "m=audio 5000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n").unwrap();
    assert!(text(&answer).ends_with("a=sendrecv\r\n"), "RFC 6337 section 5.4");
    let plan = only(&agreed);
    assert_eq!((plan.direction, plan.remote, agreed.held), (media::Direction::RecvOnly, None, true));
}

#[test]
fn hold_and_resume_count_the_version_up_by_one_and_keep_everything_else() {
    let mut talk = negotiation(&[PCMU, PCMA]);
    let version =
        |sdp: &Bytes| text(sdp).lines().nth(1).unwrap().split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    let first = talk.offer(&local(), false);
    talk.take_answer(&theirs("m=audio 5000 RTP/AVP 8\n"), false).unwrap();
    let same = talk.offer(&local(), false);
    let hold = talk.offer(&local(), true);
    talk.withdraw();
    let hold_again = talk.offer(&local(), true);
    let resume = talk.offer(&local(), false);
    assert_eq!(same, first, "a refresh says the same with the same version");
    assert_eq!(hold, hold_again, "what was never sent does not count");
    assert_eq!([&first, &hold, &resume].map(version), [1, 2, 3]);
    assert_eq!(text(&hold).replace("sendonly", "sendrecv").replace(" 2 IN", " 1 IN"), text(&first));
}

#[test]
fn a_later_offer_of_ours_keeps_the_lines_and_numbers_that_theirs_began() {
    let mut talk = negotiation(&[PCMU, PCMA]);
    let offer = theirs("m=video 6000 RTP/AVP 96\nm=audio 5000 RTP/AVP 97\na=rtpmap:97 PCMA/8000\n");
    talk.answer(&offer, &local(), false).unwrap();
    let ours = talk.offer(&local(), true);
    assert_eq!(m_lines(&ours), ["m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 97 0 101"]);
}

#[test]
fn an_offer_with_fewer_lines_than_before_is_refused() {
    let mut talk = negotiation(&[PCMU]);
    talk.answer(&theirs("m=audio 5000 RTP/AVP 0\nm=video 6000 RTP/AVP 96\n"), &local(), false).unwrap();
    let shorter = talk.answer(&theirs("m=audio 5000 RTP/AVP 0\n"), &local(), false);
    assert_eq!(shorter, Err(Disagreement::LinesMissing));
}

#[test]
fn audio_may_be_switched_off_in_mid_call_and_back_on() {
    let mut talk = negotiation(&[PCMU]);
    talk.answer(&theirs("m=audio 5000 RTP/AVP 0\n"), &local(), false).unwrap();
    let (answer, agreed) = talk.answer(&theirs("m=audio 0 RTP/AVP 0\n"), &local(), false).unwrap();
    assert_eq!(
        (m_lines(&answer), agreed.plans().count(), agreed.held),
        (vec!["m=audio 0 RTP/AVP 0"], 0, true)
    );
    assert_eq!(
        m_lines(&talk.offer(&local(), false)),
        ["m=audio 4000 RTP/AVP 0 101"],
        "RFC 3264 section 8.1: in its old place"
    );
}

#[test]
fn packet_times_follow_the_receiver_within_what_we_can() {
    for (attributes, milliseconds) in [
        ("", 20),
        ("a=ptime:30\n", 30),
        ("a=ptime:25\n", 20),
        ("a=ptime:200\n", 60),
        ("a=ptime:40\na=maxptime:20\n", 20),
        ("a=ptime:5\n", 10),
    ] {
        let (_, agreed) = answered(&[PCMU], &format!("m=audio 5000 RTP/AVP 0\n{attributes}")).unwrap();
        assert_eq!(only(&agreed).ptime, Duration::from_millis(milliseconds), "{attributes}");
    }
}

#[test]
fn rtcp_shares_the_port_only_when_both_say_so_and_goes_where_it_is_asked() {
    let (answer, agreed) = answered(&[PCMU], "m=audio 5000 RTP/AVP 0\na=rtcp:5009\n").unwrap();
    assert!(!text(&answer).contains("rtcp-mux"));
    assert_eq!(
        (only(&agreed).rtcp_mux, only(&agreed).remote_rtcp),
        (false, Some("198.51.100.7:5009".parse().unwrap()))
    );
    let (answer, agreed) = answered(&[PCMU], "m=audio 5000 RTP/AVP 0\na=rtcp-mux\n").unwrap();
    assert!(text(&answer).contains("a=rtcp-mux\r\n") && only(&agreed).rtcp_mux);
    assert!(!only(&offered(&[PCMU], "m=audio 5000 RTP/AVP 0\n").unwrap()).rtcp_mux);
}

#[test]
fn digits_have_each_sides_own_payload_type_and_only_those_that_are_taken() {
    let keys = |typed: &str| Keys::read(typed).unwrap();
    let map = "a=rtpmap:96 Telephone-Event/8000\n";
    for (fmtp, takes, does_not) in [
        ("", Some("09*#D"), "!"),
        ("a=fmtp:96 0-16\n", Some("D!"), ""),
        ("a=fmtp:96 0-11,66,70\n", Some("0*#"), "A"),
        ("a=fmtp:96 events=1,3-4\n", Some("134"), "2"),
        ("a=fmtp:96 0-9,x,300,12-\n", Some("9"), "A"),
    ] {
        let agreed = offered(&[PCMU], &format!("m=audio 5000 RTP/AVP 0 96\n{map}{fmtp}")).unwrap();
        let plan = only(&agreed);
        assert_eq!(plan.events_in, [(101, 8000)], "as offered");
        let (number, events) = plan.events_out.unwrap();
        assert_eq!((number, takes.map(|typed| events.takes(&keys(typed)))), (96, Some(true)), "{fmtp}");
        assert!(does_not.is_empty() || !events.takes(&keys(does_not)), "{fmtp}");
    }
    let (answer, agreed) = answered(&[PCMU], &format!("m=audio 5000 RTP/AVP 96 0\n{map}")).unwrap();
    assert_eq!(m_lines(&answer), ["m=audio 4000 RTP/AVP 0 96"]);
    assert!(text(&answer).contains("a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\n"));
    let plan = only(&agreed);
    assert_eq!(
        (&plan.events_in[..], plan.events_out, plan.codec_out),
        (&[(96, 8000)][..], Some((96, Events::TONES)), (0, PCMU))
    );
}

#[test]
fn digits_that_were_not_offered_or_run_on_another_clock_are_not_sent() {
    for line in [
        "m=audio 5000 RTP/AVP 0\n",
        "m=audio 5000 RTP/AVP 0 101\n",
        "m=audio 5000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/48000\n",
    ] {
        assert_eq!(only(&offered(&[PCMU], line).unwrap()).events_out, None, "{line}");
        let (answer, agreed) = answered(&[PCMU], line).unwrap();
        assert_eq!(m_lines(&answer), ["m=audio 4000 RTP/AVP 0"], "{line}");
        assert_eq!((only(&agreed).events_in.len(), only(&agreed).events_out), (0, None), "{line}");
    }
}

#[test]
fn the_number_for_digits_never_takes_that_of_a_codec() {
    let mut talk = negotiation(&[PCMU]);
    let offer = theirs("m=audio 5000 RTP/AVP 101 96\na=rtpmap:101 PCMU/8000\na=rtpmap:96 x/8000\n");
    talk.answer(&offer, &local(), false).unwrap();
    assert_eq!(m_lines(&talk.offer(&local(), false)), ["m=audio 4000 RTP/AVP 101 96"]);
}

/// Any offer made of parts that the wild uses.
fn random_offer(rng: &mut Rng) -> String {
    let pick = |rng: &mut Rng, of: &[&str]| of[rng.below(of.len() as u64) as usize].to_owned();
    let mut offer = String::new();
    for _ in 0..=rng.below(4) {
        let kind = pick(rng, &["audio", "audio", "audio", "video", "image"]);
        let port = pick(rng, &["5000", "5002", "0"]);
        let protocol = pick(rng, &["RTP/AVP", "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "udptl"]);
        let formats = pick(rng, &["0", "8", "0 8", "8 0 101", "18", "96 97", "97 0"]);
        let direction = pick(rng, &["", "a=sendonly\n", "a=recvonly\n", "a=inactive\n", "a=sendrecv\n"]);
        let maps = "a=rtpmap:96 opus/48000/2\na=rtpmap:97 PCMA/8000\na=rtpmap:101 telephone-event/8000\n";
        let _ = write!(offer, "m={kind} {port} {protocol} {formats}\n{maps}{direction}");
    }
    offer
}

#[test]
fn every_answer_is_a_valid_one_to_its_offer() {
    let seed = 20_261;
    let mut rng = Rng::from_number(seed);
    let mut accepted = 0;
    for round in 0..2000 {
        let offer = theirs(&random_offer(&mut rng));
        let codecs = [[PCMU, PCMA], [PCMA, PCMU]][rng.below(2) as usize];
        let hold = rng.below(3) == 0;
        let story = || format!("seed {seed}, round {round}: {}", String::from_utf8_lossy(&offer));
        let Ok((answer, agreed)) = negotiation(&codecs).answer(&offer, &local(), hold) else { continue };
        accepted += 1;
        let (offer, answer) = (Sdp::read(&offer).unwrap(), Sdp::read(&answer).unwrap());
        assert_eq!(offer.media().len(), answer.media().len(), "{}", story());
        assert_eq!(agreed.lines.len(), offer.media().len(), "{}", story());
        for ((theirs, ours), plan) in offer.media().zip(answer.media()).zip(&agreed.lines) {
            assert_eq!((theirs.kind(), theirs.protocol()), (ours.kind(), ours.protocol()), "{}", story());
            assert_eq!(plan.is_some(), ours.port() != 0, "{}", story());
            assert!(
                ours.formats().all(|format| theirs.formats().any(|offered| offered == format)),
                "{}",
                story()
            );
            if ours.port() == 0 {
                continue;
            }
            assert!(theirs.port() != 0, "{}", story());
            // RFC 3264 section 6.1: neither side may send what the other does not receive.
            assert!(!ours.direction().sends() || theirs.direction().receives(), "{}", story());
            assert!(!ours.direction().receives() || theirs.direction().sends(), "{}", story());
            assert!(!hold || !ours.direction().receives(), "{}", story());
        }
    }
    assert!(accepted > 500, "the offers are no good: {accepted}");
}

#[test]
fn two_of_us_always_agree_on_the_same_codec() {
    for ours in [[PCMU, PCMA], [PCMA, PCMU]] {
        for theirs in [vec![PCMU, PCMA], vec![PCMA, PCMU], vec![PCMA]] {
            let (mut ann, mut bob) = (negotiation(&ours), negotiation(&theirs));
            let offer = ann.offer(&local(), false);
            let (answer, bobs) = bob.answer(&offer, &local(), false).unwrap();
            let anns = ann.take_answer(&answer, false).unwrap();
            assert_eq!(only(&anns).codec_out, only(&bobs).codec_out, "{ours:?} {theirs:?}");
            let caller_prefers = *ours.iter().find(|codec| theirs.contains(codec)).unwrap();
            assert_eq!(only(&anns).codec_out.1, caller_prefers);
        }
    }
}

/// Our offer of these, as text.
fn offer_of(codecs: &[Codec], silence: bool) -> String {
    let mut talk = Negotiation::new(codecs, silence, &mut Rng::from_number(1));
    text(&talk.offer(&local(), false)).to_owned()
}

#[test]
fn an_offer_of_everything_says_what_each_decoder_takes() {
    let offer = offer_of(&Codec::ALL, false);
    for line in [
        "m=audio 4000 RTP/AVP 18 0 8 3 96 9 101 97",
        "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no",
        "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 maxplaybackrate=16000; useinbandfec=1",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:97 telephone-event/48000",
    ] {
        assert!(offer.contains(&format!("{line}\r\n")), "{line} in {offer}");
    }
    let offer = offer_of(&[Codec::G729, PCMU, Codec::Opus], true);
    for line in [
        "m=audio 4000 RTP/AVP 18 0 96 13 101 97",
        "a=fmtp:18 annexb=yes",
        "a=rtpmap:13 CN/8000",
        "a=fmtp:96 maxplaybackrate=16000; useinbandfec=1; usedtx=1",
    ] {
        assert!(offer.contains(&format!("{line}\r\n")), "{line} in {offer}");
    }
}

#[test]
fn silence_is_left_out_only_when_both_sides_allow_it() {
    for (codec, answer, ours, leaves_out) in [
        (Codec::G729, "m=audio 5000 RTP/AVP 18\n", true, true),
        (Codec::G729, "m=audio 5000 RTP/AVP 18\na=fmtp:18 annexb=yes\n", true, true),
        (Codec::G729, "m=audio 5000 RTP/AVP 18\na=fmtp:18 annexb=no\n", true, false),
        (Codec::G729, "m=audio 5000 RTP/AVP 18\na=fmtp:18 x=1; AnnexB=NO\n", true, false),
        (Codec::G729, "m=audio 5000 RTP/AVP 18\na=fmtp:18 annexb=yes\n", false, false),
        (PCMU, "m=audio 5000 RTP/AVP 0 13\n", true, true),
        (PCMU, "m=audio 5000 RTP/AVP 0\n", true, false),
        (PCMU, "m=audio 5000 RTP/AVP 0 13\n", false, false),
        (Codec::Gsm, "m=audio 5000 RTP/AVP 3 13\n", true, false),
    ] {
        let mut talk = Negotiation::new(&[codec], ours, &mut Rng::from_number(1));
        talk.offer(&local(), false);
        let agreed = talk.take_answer(&theirs(answer), false).unwrap();
        let plan = only(&agreed);
        assert_eq!(plan.silence, leaves_out, "{codec:?} {ours} {answer}");
        assert_eq!(plan.noise_out.is_some(), leaves_out && codec == PCMU, "{codec:?} {ours} {answer}");
    }
}

#[test]
fn opus_is_agreed_on_however_its_channels_are_written_and_its_digits_run_on_its_clock() {
    for channels in ["/2", "/1", ""] {
        let offer = format!(
            "m=audio 5000 RTP/AVP 111 0 101 110\na=rtpmap:111 opus/48000{channels}\n\
             a=rtpmap:101 telephone-event/8000\na=rtpmap:110 telephone-event/48000\n"
        );
        let (answer, agreed) = answered(&[PCMU, Codec::Opus], &offer).unwrap();
        assert_eq!(m_lines(&answer), ["m=audio 4000 RTP/AVP 111 0 110 101"]);
        let plan = only(&agreed);
        assert_eq!((plan.codec_out, plan.events_out.unwrap().0), ((111, Codec::Opus), 110), "{channels}");
        assert_eq!(plan.events_in, [(110, 48_000), (101, 8000)]);
    }
}

#[test]
fn an_offer_that_must_carry_tones_leaves_out_who_garbles_them_and_keeps_every_number() {
    let mut talk = negotiation(&[Codec::G729, Codec::Gsm, PCMA]);
    let first = talk.offer(&local(), false);
    assert_eq!(m_lines(&first), ["m=audio 4000 RTP/AVP 18 3 8 101"]);
    talk.carry_tones(true);
    assert_eq!(m_lines(&talk.offer(&local(), false)), ["m=audio 4000 RTP/AVP 8 101"]);
    talk.carry_tones(false);
    assert_eq!(m_lines(&talk.offer(&local(), false)), ["m=audio 4000 RTP/AVP 18 3 8 101"]);

    let mut talk = negotiation(&[Codec::G729]);
    talk.offer(&local(), false);
    talk.carry_tones(true);
    assert_eq!(m_lines(&talk.offer(&local(), false)), ["m=audio 4000 RTP/AVP 0 101"], "PCMU, if need be");
}

#[test]
fn opus_repeats_what_was_lost_only_for_who_can_use_it() {
    for (fmtp, redundancy) in [
        ("a=fmtp:96 useinbandfec=1\n", true),
        ("a=fmtp:96 stereo=0;UseInbandFec=1\n", true),
        ("a=fmtp:96 useinbandfec=0\n", false),
        ("", false),
    ] {
        let answer = format!("m=audio 5000 RTP/AVP 96\na=rtpmap:96 opus/48000/2\n{fmtp}");
        assert_eq!(only(&offered(&[Codec::Opus], &answer).unwrap()).redundancy, redundancy, "{fmtp}");
    }
}

#[test]
fn tones_are_listened_for_where_no_events_are_told() {
    for (codec, answer, listens) in [
        (PCMU, "m=audio 5000 RTP/AVP 0\n", true),
        (PCMU, "m=audio 5000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n", false),
        (Codec::G729, "m=audio 5000 RTP/AVP 18\n", false),
    ] {
        assert_eq!(only(&offered(&[codec], answer).unwrap()).hear_tones, listens, "{answer}");
    }
}

#[test]
fn digits_on_the_telephones_clock_are_heard_beside_opus_and_not_sent() {
    let offer = "m=audio 5000 RTP/AVP 96 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\n";
    let (answer, agreed) = answered(&[Codec::Opus], offer).unwrap();
    assert_eq!(m_lines(&answer), ["m=audio 4000 RTP/AVP 96 101"]);
    assert_eq!((&only(&agreed).events_in[..], only(&agreed).events_out), (&[(101, 8000)][..], None));
}
