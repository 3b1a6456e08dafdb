use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    date_time_ymd,
};

use super::*;
use crate::testing::{Authority, Holder, carrier, list, numbers_extension, one, range};

/// 2026-01-01.
const NOW: u64 = 1_767_225_600;

fn number(digits: &str) -> Party {
    Party::Number(digits.to_owned())
}

fn chain(parts: &[&str]) -> Chain {
    Chain::read(parts.concat().as_bytes()).unwrap()
}

fn refused(chain: &Chain, anchors: &Anchors) -> Untrusted {
    chain.check(anchors, NOW).unwrap_err()
}

fn holder(authority: &Authority) -> Holder {
    authority.issue("Carrier", 9, Some(list(&[carrier("1234")])))
}

#[test]
fn a_chain_leads_from_a_signer_by_what_came_along_to_an_anchor_and_tells_who_it_is() {
    let root = Authority::new("Root", 1);
    let middle = root.below("Middle", 2, |_| {});
    let own = holder(&middle);
    let noise = holder(&Authority::new("Other", 3));

    let credential = chain(&[&own.pem, &noise.pem, &middle.pem()]).check(&root.anchors(), NOW).unwrap();

    let who = Who { name: Some("Carrier".into()), carrier: Some("1234".into()) };
    assert_eq!(credential.who(), &who);
    assert_eq!(credential.covers(&number("4930123")), Covers::Any);
    // Believed itself, an authority in the middle needs no root; and the root may come along.
    assert!(chain(&[&own.pem]).check(&middle.anchors(), NOW).is_ok());
    assert!(chain(&[&own.pem, &middle.pem(), &root.pem()]).check(&root.anchors(), NOW).is_ok());
    let both = Authority::new("Other", 3).anchors().and(&root.anchors());
    assert!(chain(&[&own.pem, &middle.pem()]).check(&both, NOW).is_ok());
}

#[test]
fn a_chain_that_does_not_lead_to_an_anchor_is_a_strangers() {
    let root = Authority::new("Root", 1);
    let middle = root.below("Middle", 2, |_| {});
    let own = holder(&middle);
    assert_eq!(refused(&chain(&[&own.pem]), &root.anchors()), Untrusted::Stranger);
    let other = Authority::new("Other", 3);
    assert_eq!(refused(&chain(&[&own.pem, &middle.pem()]), &other.anchors()), Untrusted::Stranger);
    assert_eq!(refused(&chain(&[&own.pem, &middle.pem()]), &Anchors::default()), Untrusted::Stranger);
}

#[test]
fn an_authority_of_the_same_name_forges_nothing() {
    let root = Authority::new("Root", 1);
    let impostor = Authority::new("Root", 66);
    assert_eq!(refused(&chain(&[&holder(&impostor).pem]), &root.anchors()), Untrusted::Forged);
}

#[test]
fn every_certificate_up_to_the_anchor_must_be_in_its_time() {
    let root = Authority::new("Root", 1);
    let until = |year| move |params: &mut CertificateParams| params.not_after = date_time_ymd(year, 1, 1);
    let own =
        |by: &Authority, year| by.issue_other("Carrier", 9, Some(list(&[carrier("1")])), until(year)).pem;
    assert_eq!(refused(&chain(&[&own(&root, 2025)]), &root.anchors()), Untrusted::Expired);
    let middle = root.below("Middle", 2, until(2025));
    assert_eq!(refused(&chain(&[&own(&middle, 2030), &middle.pem()]), &root.anchors()), Untrusted::Expired);
    let early = root.issue_other("Carrier", 9, None, |params| params.not_before = date_time_ymd(2027, 1, 1));
    assert_eq!(refused(&chain(&[&early.pem]), &root.anchors()), Untrusted::TooEarly);
    // An anchor's own end counts as well: it stands for nobody any more.
    let old = root.below("Old", 4, until(2025));
    assert_eq!(refused(&chain(&[&own(&old, 2030)]), &old.anchors()), Untrusted::Stranger);
    let good = root.below("Middle", 2, until(2028));
    let credential = chain(&[&own(&good, 2030), &good.pem()]).check(&root.anchors(), NOW).unwrap();
    assert_eq!(credential.valid().1, 1_830_297_600, "the first end on the path");
}

#[test]
fn a_certificate_that_is_for_something_else_signs_for_nobody() {
    let root = Authority::new("Root", 1);
    let numbers = || Some(list(&[carrier("1")]));
    let server = root.issue_other("S", 9, numbers(), |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    });
    assert_eq!(refused(&chain(&[&server.pem]), &root.anchors()), Untrusted::OtherUse);
    let authority = root.issue_other("A", 9, numbers(), |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    assert_eq!(refused(&chain(&[&authority.pem]), &root.anchors()), Untrusted::OtherUse);
    // A signer issues nothing, and neither does an authority that only signs.
    let signs = |params: &mut CertificateParams| params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let middle = root.below("Middle", 2, signs);
    assert_eq!(refused(&chain(&[&holder(&middle).pem, &middle.pem()]), &root.anchors()), Untrusted::OtherUse);
    let no_authority = root.below("Middle", 2, |params| params.is_ca = IsCa::ExplicitNoCa);
    let below = chain(&[&holder(&no_authority).pem, &no_authority.pem()]);
    assert_eq!(refused(&below, &root.anchors()), Untrusted::OtherUse);
    let web = root.issue_other("W", 9, numbers(), |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert!(chain(&[&web.pem]).check(&root.anchors(), NOW).is_ok(), "a further use does no harm");
}

#[test]
fn a_demand_that_is_not_known_is_not_passed_over() {
    let root = Authority::new("Root", 1);
    let own = root.issue_other("C", 9, Some(list(&[carrier("1")])), |params| {
        let mut demand = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32_473, 1], vec![5, 0]);
        demand.set_criticality(true);
        params.custom_extensions.push(demand);
    });
    assert_eq!(refused(&chain(&[&own.pem]), &root.anchors()), Untrusted::Unknown);
}

#[test]
fn a_number_must_be_among_those_of_every_certificate_that_names_numbers() {
    let root = Authority::new("Root", 1);
    let covers = |own: Option<Vec<u8>>, above: Option<Vec<u8>>, digits: &str| {
        let middle = root.below("Middle", 2, |params| {
            params.custom_extensions.extend(above.map(numbers_extension));
        });
        let own = middle.issue("Carrier", 9, own);
        let credential = chain(&[&own.pem, &middle.pem()]).check(&root.anchors(), NOW).unwrap();
        credential.covers(&number(digits))
    };
    let some = |entries: &[Vec<u8>]| Some(list(entries));
    for (own, above, expected) in [
        (some(&[one("493012345")]), None, Covers::Named),
        (some(&[one("493012346")]), None, Covers::No),
        (some(&[range("493012300", 100)]), None, Covers::Named),
        (some(&[range("493012300", 45)]), None, Covers::No),
        (some(&[carrier("1")]), None, Covers::Any),
        (some(&[one("493012346"), carrier("1")]), None, Covers::Any),
        (None, None, Covers::No),
        (None, some(&[carrier("1")]), Covers::No),
        (some(&[one("493012345")]), some(&[carrier("1")]), Covers::Named),
        (some(&[one("493012345")]), some(&[range("493012300", 100)]), Covers::Named),
        (some(&[one("493012345")]), some(&[range("493012300", 45)]), Covers::No),
        (some(&[carrier("1")]), some(&[carrier("1"), carrier("2")]), Covers::Any),
        (some(&[carrier("3")]), some(&[carrier("1"), carrier("2")]), Covers::No),
        (some(&[carrier("1")]), some(&[one("493012346")]), Covers::No),
        (Some(b"\x30\x01".to_vec()), None, Covers::No),
    ] {
        assert_eq!(covers(own.clone(), above.clone(), "493012345"), expected, "{own:?} below {above:?}");
    }
}

#[test]
fn an_address_must_be_of_a_domain_that_the_certificate_names() {
    let root = Authority::new("Root", 1);
    let own = root.issue_other("Firm", 9, None, |params| {
        params.subject_alt_names =
            CertificateParams::new(["firm.test".to_owned()]).unwrap().subject_alt_names;
    });
    let credential = chain(&[&own.pem]).check(&root.anchors(), NOW).unwrap();
    for (uri, expected) in [
        ("sip:ann@firm.test", Covers::Named),
        ("sip:ann@FIRM.test:5060;transport=tcp", Covers::Named),
        ("sip:ann@other.firm.test", Covers::No),
        ("sip:firm.test", Covers::No),
        ("sip:ann@firm.test@evil.test", Covers::No),
    ] {
        assert_eq!(credential.covers(&Party::Uri(uri.to_owned())), expected, "{uri}");
    }
    assert_eq!(credential.covers(&number("4930123")), Covers::No);
}

#[test]
fn a_name_is_shown_without_what_steers_a_screen() {
    let root = Authority::new("Root", 1);
    let name = format!("Bank\u{202e}\u{1b}[2J {}", "x".repeat(500));
    let own = root.issue(&name, 9, Some(list(&[carrier("1")])));
    let credential = chain(&[&own.pem]).check(&root.anchors(), NOW).unwrap();
    let shown = credential.who().name.clone().unwrap();
    assert!(shown.starts_with("Bank[2J x") && shown.chars().count() == 64, "{shown:?}");
}

#[test]
fn what_a_hostile_server_hands_out_is_bounded_and_refused() {
    let root = Authority::new("Root", 1);
    let own = holder(&root).pem;
    let read = |bytes: &[u8]| Chain::read(bytes).err();
    assert_eq!(read(own.repeat(1000).as_bytes()), Some(Unusable::TooMany));
    for bytes in [&b""[..], b"<html>", b"\x30", b"\x30\x84\xff\xff\xff\xff", &[0xff; 64]] {
        assert_eq!(read(bytes), Some(Unusable::Certificate), "{bytes:?}");
    }
    assert_eq!(read(&own.as_bytes()[..own.len() / 2]), Some(Unusable::Certificate));
    let long = [&[0x30][..], &vec![0; LONGEST]].concat();
    assert_eq!(read(&long), Some(Unusable::TooMany));
    // Two that have issued each other, and each of them itself, lead nowhere.
    let (left, right) = (Authority::new("Left", 2), Authority::new("Right", 3));
    let (by_left, by_right) = (left.below("Right", 3, |_| {}), right.below("Left", 2, |_| {}));
    let round = chain(&[&holder(&left).pem, &by_left.pem(), &by_right.pem(), &left.pem(), &right.pem()]);
    assert_eq!(refused(&round, &root.anchors()), Untrusted::Stranger);
    assert!(round.check(&right.anchors(), NOW).is_ok());
}

#[test]
fn one_certificate_in_der_is_read_as_well() {
    let root = Authority::new("Root", 1);
    let pem = holder(&root).pem;
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    assert!(Chain::read(&der).unwrap().check(&root.anchors(), NOW).is_ok());
}

#[test]
fn anchors_are_read_all_or_not_at_all() {
    let (one, two) = (Authority::new("One", 1), Authority::new("Two", 2));
    let both = Anchors::read(format!("hello\n{}\n{}", one.pem(), two.pem()).as_bytes()).unwrap();
    assert_eq!(both, one.anchors().and(&two.anchors()));
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"] {
        assert_eq!(Anchors::read(pem.as_bytes()), Err(Unusable::Certificate), "{pem}");
    }
    assert_eq!(Anchors::read(one.pem().repeat(65).as_bytes()), Err(Unusable::TooMany));
}

proptest::proptest! {
    /// Whatever is handed out, and however a good one is changed: it is read or refused.
    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes: Vec<u8>, at: usize, to: u8) {
        let root = Authority::new("Root", 1);
        let own = holder(&root).pem;
        let mut der = CertificateDer::from_pem_slice(own.as_bytes()).unwrap().to_vec();
        let place = at % der.len();
        let same = der[place] == to;
        der[place] = to;
        for bytes in [&bytes, &der] {
            if let Ok(chain) = Chain::read(bytes) {
                let checked = chain.check(&root.anchors(), NOW);
                proptest::prop_assert!(checked.is_err() || same);
            }
        }
        let _ = (Numbers::read(&bytes), Claims::read(&bytes), Anchors::read(&bytes));
    }
}
