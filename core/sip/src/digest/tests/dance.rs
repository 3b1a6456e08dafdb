//! Client and server together.

use std::time::Duration;

use base::{Instant, Rng, Secret};

use super::super::*;
use crate::message::{Draft, Form, Message, Method, Name};

const HOUR: Duration = Duration::from_secs(3600);

fn ann(password: &str) -> Vec<Credentials> {
    vec![Credentials { user: "ann \"q\"".into(), password: Secret::new(password.into()), realm: None }]
}

struct Dance {
    rng: Rng,
    verifier: Verifier,
    authorizer: Authorizer,
    attempt: Attempt,
    draft: Draft,
    password: &'static str,
}

impl Dance {
    fn new(algorithms: &[Algorithm]) -> Self {
        let mut rng = Rng::from_number(1);
        Self {
            verifier: Verifier::new("offhook.test", algorithms, HOUR, &mut rng),
            rng,
            authorizer: Authorizer::default(),
            attempt: Attempt::default(),
            draft: Draft::request(&Method::Register, "sip:offhook.test"),
            password: "secret",
        }
    }

    fn server(&mut self, now: Instant) -> Verdict {
        let request = Message::read(self.draft.write(Form::Full)).unwrap();
        self.verifier.check(&request, false, now, |_| ann("secret").pop())
    }

    fn challenged(&mut self, stale: bool, now: Instant) -> Result<(), CannotAuthorize> {
        let mut response = Draft::response(401, "");
        for value in self.verifier.challenges(stale, now, &mut self.rng).collect::<Vec<_>>() {
            response.push(Name::WwwAuthenticate, value);
        }
        let response = Message::read(response.write(Form::Full)).unwrap();
        let who = ann(self.password);
        self.authorizer.authorize(&mut self.draft, &response, &who, &mut self.attempt, &mut self.rng)
    }
}

fn ok() -> Verdict {
    Verdict::Ok { user: "ann \"q\"".into() }
}

#[test]
fn every_algorithm_lets_the_right_password_in() {
    for algorithm in Algorithm::ALL {
        let mut d = Dance::new(&[algorithm]);
        assert_eq!(d.server(Instant::ZERO), Verdict::Missing);
        d.challenged(false, Instant::ZERO).unwrap();
        assert_eq!(d.server(Instant::ZERO), ok(), "{}", algorithm.word());
    }
}

#[test]
fn the_topmost_understood_algorithm_is_taken() {
    let mut d = Dance::new(&[Algorithm::Sha512_256, Algorithm::Md5]);
    d.challenged(false, Instant::ZERO).unwrap();
    let written = d.draft.write(Form::Full);
    let text = String::from_utf8_lossy(&written);
    assert!(text.contains("algorithm=SHA-512-256"), "{text}");
    assert_eq!(text.matches("Authorization").count(), 1, "one answer a realm");
}

#[test]
fn a_wrong_password_is_tried_once_and_no_more() {
    let mut d = Dance::new(&[Algorithm::Md5]);
    d.password = "guess";
    d.challenged(false, Instant::ZERO).unwrap();
    assert_eq!(d.server(Instant::ZERO), Verdict::Wrong { user: "ann \"q\"".into() });
    assert_eq!(d.challenged(false, Instant::ZERO), Err(CannotAuthorize::Rejected));
}

#[test]
fn an_old_nonce_is_stale_and_renewed_without_asking_the_user() {
    let mut d = Dance::new(&[Algorithm::Sha256]);
    d.challenged(false, Instant::ZERO).unwrap();
    let later = Instant::ZERO + HOUR + HOUR;
    assert_eq!(d.server(later), Verdict::Stale { user: "ann \"q\"".into() });
    d.challenged(true, later).unwrap();
    assert_eq!(d.server(later), ok());
}

#[test]
fn a_known_realm_is_answered_ahead_with_a_growing_count() {
    let mut d = Dance::new(&[Algorithm::Md5]);
    d.challenged(false, Instant::ZERO).unwrap();
    assert_eq!(d.server(Instant::ZERO), ok());
    assert_eq!(d.server(Instant::ZERO), Verdict::Stale { user: "ann \"q\"".into() }, "the same count again");
    d.authorizer.reuse(&mut d.draft, &ann("secret"));
    assert_eq!(d.server(Instant::ZERO), ok());
}

/// Both answers would bring an INVITE over 1,200 bytes.
#[test]
fn a_registrar_that_is_the_proxy_too_is_answered_only_what_it_asks() {
    let mut d = Dance::new(&[Algorithm::Sha256]);
    d.challenged(false, Instant::ZERO).unwrap();
    let mut invite = Draft::request(&Method::Invite, "sip:bob@offhook.test");
    let mut response = Draft::response(407, "");
    let value = d.verifier.challenges(false, Instant::ZERO, &mut d.rng).next().unwrap();
    response.push(Name::ProxyAuthenticate, value);
    let response = Message::read(response.write(Form::Full)).unwrap();
    let (who, mut attempt) = (ann("secret"), Attempt::default());
    d.authorizer.authorize(&mut invite, &response, &who, &mut attempt, &mut d.rng).unwrap();
    assert_eq!((invite.has(Name::Authorization), invite.has(Name::ProxyAuthorization)), (false, true));
    d.authorizer.reuse(&mut invite, &who);
    assert_eq!((invite.has(Name::Authorization), invite.has(Name::ProxyAuthorization)), (false, true));
    d.authorizer.reuse(&mut d.draft, &who);
    assert_eq!((d.draft.has(Name::Authorization), d.draft.has(Name::ProxyAuthorization)), (true, false));
    // A callee of the same realm who asks for himself is answered beside the proxy.
    let mut response = Draft::response(401, "");
    response
        .push(Name::WwwAuthenticate, d.verifier.challenges(false, Instant::ZERO, &mut d.rng).next().unwrap());
    let response = Message::read(response.write(Form::Full)).unwrap();
    d.authorizer.authorize(&mut invite, &response, &who, &mut attempt, &mut d.rng).unwrap();
    assert_eq!((invite.has(Name::Authorization), invite.has(Name::ProxyAuthorization)), (true, true));
}

#[test]
fn a_nonce_of_another_server_or_life_is_stale() {
    let mut d = Dance::new(&[Algorithm::Md5]);
    d.challenged(false, Instant::ZERO).unwrap();
    d.verifier = Verifier::new("offhook.test", &[Algorithm::Md5], HOUR, &mut Rng::from_number(2));
    assert_eq!(d.server(Instant::ZERO), Verdict::Stale { user: "ann \"q\"".into() });
}

#[test]
fn a_body_under_auth_int_is_guarded() {
    let mut d = Dance::new(&[Algorithm::Md5]);
    d.draft.body("text/plain", "pay ann 10");
    let mut response = Draft::response(401, "");
    let value = d.verifier.challenges(false, Instant::ZERO, &mut d.rng).next().unwrap();
    response.push(Name::WwwAuthenticate, value.replace("auth,auth-int", "auth-int"));
    let response = Message::read(response.write(Form::Full)).unwrap();
    d.authorizer.authorize(&mut d.draft, &response, &ann("secret"), &mut d.attempt, &mut d.rng).unwrap();
    assert_eq!(d.server(Instant::ZERO), ok());
    d.draft.body("text/plain", "pay bob 10");
    assert_eq!(d.server(Instant::ZERO), Verdict::Wrong { user: "ann \"q\"".into() });
}

#[test]
fn without_credentials_the_user_is_to_be_asked() {
    let mut d = Dance::new(&[Algorithm::Md5]);
    let mut response = Draft::response(401, "");
    response.push(Name::WwwAuthenticate, "Digest realm=\"elsewhere\", nonce=\"n\"");
    let response = Message::read(response.write(Form::Full)).unwrap();
    let who = [Credentials { realm: Some("home".into()), ..ann("x").remove(0) }];
    let result = d.authorizer.authorize(&mut d.draft, &response, &who, &mut d.attempt, &mut d.rng);
    assert_eq!(result, Err(CannotAuthorize::NoCredentials));
}
