//! Candidates in descriptions: ours as they are written, theirs as they are believed.

use base::Rng;
use nat::ice::Credentials;
use nat::{Candidate, Carrier, Kind};

use super::*;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn candidate(kind: Kind, address: &str) -> Candidate {
    Candidate::ours(kind, Carrier::Udp, 1, at(address), at("192.168.1.2:4000"), 8191)
}

fn local(seed: u64, default: &str, candidates: &[Candidate]) -> Vec<Local> {
    let credentials = Credentials::draw(&mut Rng::from_number(seed));
    let ice = Description { credentials, candidates: candidates.to_vec(), lite: false, trickle: false };
    vec![Local { address: at(default), control: None, ice: Some(ice) }]
}

fn negotiation(seed: u64) -> Negotiation {
    Negotiation::new(&[Codec::Pcmu], false, &mut Rng::from_number(seed))
}

fn ann() -> Vec<Local> {
    let seen = candidate(Kind::ServerReflexive, "198.51.100.7:61000");
    local(1, "198.51.100.7:61000", &[candidate(Kind::Host, "192.168.1.2:4000"), seen])
}

fn lines<'a>(sdp: &'a Bytes, start: &str) -> Vec<&'a str> {
    std::str::from_utf8(sdp).unwrap().lines().filter(|line| line.starts_with(start)).collect()
}

/// As the other side reads it: what an address was derived from is not told.
fn told(locals: &[Local]) -> Option<Description> {
    let mut ice = locals[0].ice.clone()?;
    for candidate in &mut ice.candidates {
        candidate.related = candidate.related.map(|_| at("0.0.0.0:9"));
    }
    Some(ice)
}

#[test]
fn both_sides_learn_where_the_other_may_be_reached() {
    let bob = local(2, "203.0.113.9:5000", &[candidate(Kind::Host, "203.0.113.9:5000")]);
    let mut talk = negotiation(1);
    let offer = talk.offer(&ann(), false);
    assert_eq!(lines(&offer, "m="), ["m=audio 61000 RTP/AVP 0 101"]);
    assert_eq!(lines(&offer, "c="), ["c=IN IP4 198.51.100.7"]);
    assert_eq!(lines(&offer, "a=candidate").len(), 2);
    let (answer, agreed) = negotiation(2).answer(&offer, &bob, false).unwrap();
    assert_eq!(agreed.ways, [told(&ann())]);
    assert_eq!(talk.take_answer(&answer, false).unwrap().ways, [told(&bob)]);
}

#[test]
fn who_knows_no_ice_is_answered_without_it() {
    let offer = negotiation(3).offer(&[at("203.0.113.9:5000").into()], false);
    let (answer, agreed) = negotiation(1).answer(&offer, &ann(), false).unwrap();
    assert_eq!(agreed.ways, [None]);
    assert_eq!(lines(&answer, "a=ice"), Vec::<&str>::new());
    assert_eq!(lines(&answer, "a=candidate"), Vec::<&str>::new());
}

#[test]
fn an_offer_that_was_rewritten_on_the_way_is_told_so_and_its_candidates_are_not_believed() {
    let offer = negotiation(1).offer(&ann(), false);
    let bent =
        String::from_utf8(offer.to_vec()).unwrap().replace("c=IN IP4 198.51.100.7", "c=IN IP4 192.0.2.77");
    let bob = local(2, "203.0.113.9:5000", &[candidate(Kind::Host, "203.0.113.9:5000")]);
    let (answer, agreed) = negotiation(2).answer(bent.as_bytes(), &bob, false).unwrap();
    assert_eq!(lines(&answer, "a=ice"), ["a=ice-mismatch"]);
    assert_eq!(agreed.ways, [None]);
    assert_eq!(agreed.plans().next().unwrap().remote, Some(at("192.0.2.77:61000")));
}

#[test]
fn a_component_for_rtcp_is_believed_of_who_does_not_multiplex_and_where_ours_is_is_said() {
    let of_rtcp = |address: &str| Candidate { component: 2, ..candidate(Kind::Host, address) };
    let both = [candidate(Kind::Host, "203.0.113.9:5000"), of_rtcp("203.0.113.9:5001")];
    let mux = negotiation(2).offer(&local(2, "203.0.113.9:5000", &both), false);
    let count = |offer: &[u8]| offered(offer)[0].as_ref().map(|it| it.candidates.len());
    assert_eq!(count(&mux), Some(1));
    let without = String::from_utf8(mux.to_vec()).unwrap().replace("a=rtcp-mux\r\n", "");
    assert_eq!(count(without.as_bytes()), Some(2));
    for (control, said) in [
        ("198.51.100.7:61001", None),
        ("198.51.100.7:62000", Some("a=rtcp:62000")),
        ("198.51.100.8:61001", Some("a=rtcp:61001 IN IP4 198.51.100.8")),
    ] {
        let mut ann = ann();
        ann[0].control = Some(at(control));
        let (answer, agreed) = negotiation(1).answer(without.as_bytes(), &ann, false).unwrap();
        assert_eq!(lines(&answer, "a=rtcp:"), said.into_iter().collect::<Vec<_>>());
        assert_eq!(agreed.ways[0].as_ref().unwrap().candidates.len(), 2);
        let (answer, _) = negotiation(1).answer(&mux, &ann, false).unwrap();
        assert_eq!(lines(&answer, "a=rtcp"), ["a=rtcp-mux"]);
    }
}

#[test]
fn hidden_names_and_garbage_among_candidates_are_passed_over() {
    let offer = "v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=ice-lite\r\na=ice-options:ice2 trickle\r\n\
         m=audio 9 RTP/AVP 0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n\
         a=candidate:1 1 udp 2122260223 5a1b0e7c-2f6d-4b3a-9c1d-0a2b3c4d5e6f.local 51234 typ host\r\n\
         a=candidate:nonsense\r\na=candidate:2 1 udp 1677729535 198.51.100.9 47362 typ srflx raddr 0.0.0.0 rport 0\r\n";
    let (_, agreed) = negotiation(1).answer(offer.as_bytes(), &ann(), false).unwrap();
    let way = agreed.ways[0].clone().unwrap();
    assert_eq!(way.candidates.iter().map(|c| c.address).collect::<Vec<_>>(), [at("198.51.100.9:47362")]);
    assert!(way.lite && way.trickle);
}

#[test]
fn secrets_that_are_too_short_are_no_secrets() {
    let offer = "v=0\r\no=- 7 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n\
         a=ice-ufrag:EsAw\r\na=ice-pwd:short\r\na=candidate:2 1 udp 1 198.51.100.9 4 typ host\r\n";
    let (_, agreed) = negotiation(1).answer(offer.as_bytes(), &ann(), false).unwrap();
    assert_eq!(agreed.ways, [None]);
}

fn trickling(mut locals: Vec<Local>) -> Vec<Local> {
    for ice in locals.iter_mut().flat_map(|local| &mut local.ice) {
        ice.trickle = true;
    }
    locals
}

#[test]
fn addresses_found_late_are_told_by_the_name_of_their_line_with_all_that_were_told_before() {
    let bob = trickling(local(2, "203.0.113.9:5000", &[candidate(Kind::Host, "203.0.113.9:5000")]));
    let (mut talk, mut theirs) = (negotiation(1), negotiation(2));
    let mut ann = trickling(ann());
    let offer = talk.offer(&ann, false);
    assert_eq!(lines(&offer, "a=mid"), ["a=mid:0"]);
    assert_eq!(lines(&offer, "a=ice-options"), ["a=ice-options:trickle"]);
    let (answer, agreed) = theirs.answer(&offer, &bob, false).unwrap();
    assert_eq!(lines(&answer, "a=mid"), ["a=mid:0"]);
    assert!(agreed.ways[0].as_ref().unwrap().trickle);
    assert!(talk.take_answer(&answer, false).unwrap().ways[0].as_ref().unwrap().trickle);
    let late = candidate(Kind::Relayed, "203.0.113.77:7000");
    ann[0].ice.as_mut().unwrap().candidates.insert(0, late.clone());
    let told_late = theirs.told_late(&talk.tell_late(&ann).unwrap());
    let [Some(told_late)] = &told_late[..] else { panic!("{told_late:?}") };
    assert_eq!(told_late.credentials, ann[0].ice.as_ref().unwrap().credentials);
    let addresses: Vec<_> = told_late.candidates.iter().map(|it| it.address).collect();
    assert_eq!(addresses, [at("192.168.1.2:4000"), at("198.51.100.7:61000"), late.address]);
}

#[test]
fn a_line_without_a_name_is_told_of_nothing_late_and_one_of_another_name_is_not_ours() {
    let bob = trickling(local(2, "203.0.113.9:5000", &[candidate(Kind::Host, "203.0.113.9:5000")]));
    let offer = negotiation(1).offer(&ann(), false);
    assert!(lines(&offer, "a=mid").is_empty() && lines(&offer, "a=ice-options").is_empty());
    let mut unnamed = negotiation(2);
    let (answer, _) = unnamed.answer(&offer, &bob, false).unwrap();
    assert!(lines(&answer, "a=ice-options").is_empty());
    assert_eq!(unnamed.tell_late(&bob), None);

    let mut named = negotiation(3);
    named.offer(&trickling(ann()), false);
    let fragment =
        |mid| format!("m=audio 9 RTP/AVP 0\r\n{mid}a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n");
    let heard = |mid| named.told_late(fragment(mid).as_bytes())[0].is_some();
    assert_eq!(["a=mid:0\r\n", "", "a=mid:1\r\n"].map(heard), [true, true, false]);
}
