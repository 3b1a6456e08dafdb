//! Signatures of those for whom an authority stands: each way to be believed, and each reason not to be.

use rcgen::CustomExtension;
use stir::testing::{Authority, Holder, carrier, list, one, range, tagged};
use stir::{Party, Seal};

use super::*;

/// The holders of certificates, and where these are.
struct World {
    root: Authority,
    stir: Stir,
    shelf: Shelf,
}

const CALLER: &str = "12155551212";

impl World {
    fn new() -> Self {
        let root = Authority::new("Root", 1);
        let stir = Stir { anchors: root.anchors(), ..Stir::default() };
        Self { root, stir, shelf: Shelf::default() }
    }

    /// A signer for those numbers, whose certificate has come.
    fn signer(&mut self, numbers: &[Vec<u8>]) -> Seal {
        let holder = self.root.issue("Carrier", 9, Some(list(numbers)));
        self.publish(&holder, "https://cr.carrier.test/c.pem")
    }

    fn publish(&mut self, holder: &Holder, url: &str) -> Seal {
        self.hand_out(holder.pem.as_bytes(), url);
        holder.seal(url)
    }

    fn hand_out(&mut self, bytes: &[u8], url: &str) {
        let fetch = self.shelf.ask(Address::read(url, &[]).unwrap(), Instant::ZERO).unwrap();
        self.shelf.told(fetch, Ok(Fetched { bytes: bytes.to_vec(), good_for: None }), Instant::ZERO);
    }

    fn judged(&mut self, fields: &str) -> Option<Passport> {
        let message = message(BOB, US, fields);
        let invite = invite(&message, NOW);
        Judge::new(&invite, &self.stir, &mut self.shelf, Instant::ZERO).of(&message.from().unwrap())
    }
}

fn invite(message: &Message, wall: u64) -> Invite<'_> {
    Invite { message, by_provider: true, wall: Some(Duration::from_secs(wall)) }
}

fn number(digits: &str) -> Party {
    Party::Number(digits.to_owned())
}

fn shaken(seal: &Seal, attest: Attest) -> String {
    let (orig, dest) = (number(CALLER), number("12155551213"));
    format!("Identity: {}\r\n", seal.sign(attest, &orig, &dest, NOW, "123e4567-e89b-12d3-a456-426655440000"))
}

fn by(named: bool, carrier: Option<&str>) -> SignedBy {
    let who = Who { name: Some("Carrier".into()), carrier: carrier.map(str::to_owned) };
    SignedBy::Certified { who, named }
}

#[test]
fn a_certified_signers_token_is_worth_its_level_and_says_who_it_is() {
    let mut world = World::new();
    let seal = world.signer(&[carrier("1234")]);
    for attest in [Attest::Number, Attest::Customer, Attest::Gateway] {
        let found = world.judged(&shaken(&seal, attest)).unwrap();
        let expected = Signed { attest, by: by(false, Some("1234")), forwarded: false };
        assert_eq!(found, Passport::Signed(expected));
        assert_eq!(found.word(), attest.word());
    }
    let found = world.judged(&shaken(&seal, Attest::Number)).unwrap().to_string();
    assert_eq!(found, "Carrier (carrier 1234) has signed for this number (level A).");
}

#[test]
fn who_may_not_sign_for_that_number_lies() {
    for (numbers, expected) in [
        (vec![range("12155551200", 100)], None),
        (vec![one(CALLER)], None),
        (vec![one("12155551211")], Some(False::NotTheirs)),
        (vec![range("12155551213", 100)], Some(False::NotTheirs)),
    ] {
        let mut world = World::new();
        let seal = world.signer(&numbers);
        let found = world.judged(&shaken(&seal, Attest::Number));
        let signed =
            Passport::Signed(Signed { attest: Attest::Number, by: by(true, None), forwarded: false });
        assert_eq!(found, Some(expected.map_or(signed, Passport::False)));
    }
    let mut world = World::new();
    let holder = world.root.issue("Web server", 9, None);
    let seal = world.publish(&holder, "https://cr.carrier.test/c.pem");
    assert_eq!(world.judged(&shaken(&seal, Attest::Number)), false_for(False::NotTheirs));
}

#[test]
fn who_may_not_say_such_things_lies() {
    let mut world = World::new();
    // attest: C and nothing else.
    let name = tagged(0x16, b"attest");
    let values = tagged(0x30, &tagged(0x0c, b"C"));
    let one_of = tagged(0x30, &tagged(0x30, &[name, values].concat()));
    let claims = tagged(0x30, &tagged(0xa1, &one_of));
    let holder = world.root.issue_other("Carrier", 9, Some(list(&[carrier("1")])), |params| {
        let id = [1, 3, 6, 1, 5, 5, 7, 1, 27];
        params.custom_extensions.push(CustomExtension::from_oid_content(&id, claims));
    });
    let seal = world.publish(&holder, "https://cr.carrier.test/c.pem");
    assert_eq!(world.judged(&shaken(&seal, Attest::Number)), false_for(False::NotAllowed));
    assert_eq!(world.judged(&shaken(&seal, Attest::Gateway)).unwrap().word(), "C");
}

#[test]
fn a_token_that_another_has_made_in_a_certified_signers_name_is_false() {
    let mut world = World::new();
    let seal = world.signer(&[carrier("1")]);
    let pretended = Seal::new(&[66; 32], "https://cr.carrier.test/c.pem").unwrap();
    assert_eq!(world.judged(&shaken(&pretended, Attest::Number)), false_for(False::Tampered));
    let both = shaken(&pretended, Attest::Number) + &shaken(&seal, Attest::Gateway);
    assert_eq!(world.judged(&both).unwrap().word(), "C");
}

#[test]
fn a_certificate_that_nobody_who_is_believed_stands_for_proves_nothing() {
    let mut world = World::new();
    let stranger = Authority::new("Stranger", 5).issue("Carrier", 9, Some(list(&[carrier("1")])));
    let seal = world.publish(&stranger, "https://cr.carrier.test/c.pem");
    let field = shaken(&seal, Attest::Number);
    assert_eq!(world.judged(&field), unproven(Unproven::Untrusted(Untrusted::Stranger)));
    // Believed by another account, it is judged anew.
    world.stir.anchors = Authority::new("Stranger", 5).anchors();
    assert_eq!(world.judged(&field).unwrap().word(), "A");
}

#[test]
fn what_is_no_certificate_is_said_to_be_none() {
    let mut world = World::new();
    world.hand_out(b"<html>login</html>", "https://cr.carrier.test/c.pem");
    let seal = Seal::new(&[9; 32], "https://cr.carrier.test/c.pem").unwrap();
    let expected = unproven(Unproven::NoCertificate(NotHad::Unreadable));
    assert_eq!(world.judged(&shaken(&seal, Attest::Number)), expected);
}

#[test]
fn nobody_is_asked_for_a_certificate_within_a_house_nor_for_a_signature_that_is_stale() {
    let mut world = World::new();
    for url in
        ["https://127.0.0.1/c", "https://10.0.0.1/c", "https://169.254.169.254/c", "http://cr.carrier.test/c"]
    {
        let message = message(BOB, US, &shaken(&Seal::new(&[9; 32], url).unwrap(), Attest::Number));
        let mut judge = Judge::new(&invite(&message, NOW), &world.stir, &mut world.shelf, Instant::ZERO);
        let found = judge.of(&message.from().unwrap());
        assert!(
            matches!(found, Some(Passport::Unproven(Unproven::NoCertificate(NotHad::Address(_))))),
            "{found:?}"
        );
        assert!(!judge.open.waits && judge.open.wishes.is_empty(), "{url}");
    }
    let seal = Seal::new(&[9; 32], "https://cr.carrier.test/c.pem").unwrap();
    let message = message(BOB, US, &shaken(&seal, Attest::Number));
    for (wall, asks) in [(NOW, true), (NOW + 61, false)] {
        let mut judge = Judge::new(&invite(&message, wall), &world.stir, &mut world.shelf, Instant::ZERO);
        let found = judge.of(&message.from().unwrap());
        assert_eq!(judge.open.wishes.len(), usize::from(asks));
        assert_eq!(found, if asks { Some(Passport::Asking) } else { unproven(Unproven::Stale) });
    }
}

#[test]
fn a_forwarded_call_is_believed_where_who_forwards_has_signed_that() {
    let mut world = World::new();
    let seal = world.signer(&[carrier("1234")]);
    let first = number("493012345");
    let to_first =
        |orig: &str| format!("Identity: {}\r\n", seal.sign(Attest::Number, &number(orig), &first, NOW, "x"));
    let onwards = |by: &Seal, orig: &str, from: &Party, to: &str| {
        format!("Identity: {}\r\n", by.sign_forwarded(&number(orig), from, &number(to), NOW))
    };
    let us = "12155551213";
    let elsewhere = unproven(Unproven::AnotherCalled);
    assert_eq!(world.judged(&to_first(CALLER)), elsewhere);
    let found = world.judged(&(to_first(CALLER) + &onwards(&seal, CALLER, &first, us)));
    let Some(Passport::Signed(signed)) = &found else { panic!("{found:?}") };
    assert!(signed.forwarded && signed.attest == Attest::Number);
    assert!(found.unwrap().to_string().contains("forwarded"));
    // Not by anybody, from anybody, of anybody else's call, or to anybody else; and it says nothing of who calls.
    for other in [
        onwards(&seal, CALLER, &number("493012346"), us),
        onwards(&seal, "12155559999", &first, us),
        onwards(&seal, CALLER, &first, "12155559999"),
    ] {
        assert_eq!(world.judged(&(to_first(CALLER) + &other)), elsewhere);
    }
    let mallory = Seal::new(&[66; 32], "https://cr.carrier.test/c.pem").unwrap();
    let forged = to_first(CALLER) + &onwards(&mallory, CALLER, &first, us);
    assert_eq!(world.judged(&forged), false_for(False::Tampered));
    assert_eq!(world.judged(&onwards(&seal, CALLER, &first, us)), None);
}
