//! Answering challenges: who asked, what is remembered, and when to stop trying.
//!
//! RFC 3261 section 22, RFC 8760 section 2.4, RFC 7616 section 3.4. Knows nothing of sending.

use std::fmt::Write as _;

use base::Rng;

use super::params::Quoted;
use super::{Challenge, Credentials, Input, Qop};
use crate::message::{Draft, Message, Method, Name};

/// Realms remembered for one account.
const MAX_REALMS: usize = 8;
/// Times that one request may answer one realm: the first time, and again when the nonce was stale.
const MAX_ANSWERS: u8 = 3;

/// Why a challenged request is not sent again; the challenge is then its final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotAuthorize {
    /// No challenge in the response that we understand.
    #[error("no challenge that we understand")]
    NotUnderstood,
    /// No name and password for the realm: ask the user.
    #[error("no credentials for the realm")]
    NoCredentials,
    /// They were sent and refused: the name or password is wrong. Do not try again by yourself.
    #[error("the name or password is wrong")]
    Rejected,
}

/// A realm that has challenged us.
#[derive(Clone, Debug)]
struct Space {
    proxy: bool,
    challenge: Challenge,
    cnonce: String,
    count: u32,
}

/// What one request has answered so far.
#[derive(Clone, Debug, Default)]
pub struct Attempt(Vec<(bool, String, u8)>);

/// The challenges that an account has met, to answer them and to be ahead of them.
#[derive(Clone, Debug, Default)]
pub struct Authorizer(Vec<Space>);

impl Authorizer {
    /// Puts into `draft` what its challenge (401 or 407) asks for. The caller counts `CSeq` up and sends it anew.
    ///
    /// # Errors
    /// [`CannotAuthorize`]: the challenge stands as the request's final response.
    pub fn authorize<B: AsRef<[u8]>>(
        &mut self,
        draft: &mut Draft,
        response: &Message<B>,
        credentials: &[Credentials],
        attempt: &mut Attempt,
        rng: &mut Rng,
    ) -> Result<(), CannotAuthorize> {
        let mut understood = false;
        let mut answered = false;
        for (proxy, name) in [(false, Name::WwwAuthenticate), (true, Name::ProxyAuthenticate)] {
            let mut seen: Vec<String> = Vec::new();
            for challenge in response.all(name).filter_map(Challenge::read) {
                understood = true;
                // The topmost understood challenge of a realm is the one its server likes best. RFC 8760 section 2.4.
                if seen.len() >= MAX_REALMS || seen.contains(&challenge.realm) {
                    continue;
                }
                seen.push(challenge.realm.clone());
                if matching(credentials, &challenge.realm).is_none() {
                    continue;
                }
                attempt.answer(proxy, &challenge)?;
                self.remember(proxy, challenge, rng);
                answered = true;
            }
        }
        match (understood, answered) {
            (_, true) => {
                self.answer(draft, credentials, attempt);
                Ok(())
            }
            (true, false) => Err(CannotAuthorize::NoCredentials),
            (false, false) => Err(CannotAuthorize::NotUnderstood),
        }
    }

    /// Answers every realm known before it asks. RFC 3261 section 22.2.
    ///
    /// Of a realm that is a registrar's and a proxy's at once, each is answered only what it asks: both answers would bring
    /// an INVITE over the size that goes by UDP.
    pub fn reuse(&mut self, draft: &mut Draft, credentials: &[Credentials]) {
        self.answer(draft, credentials, &Attempt::default());
    }

    fn answer(&mut self, draft: &mut Draft, credentials: &[Credentials], attempt: &Attempt) {
        draft.remove(Name::Authorization);
        draft.remove(Name::ProxyAuthorization);
        let by_proxy = draft.method() != Method::Register;
        let fitting = |s: &&Space| s.proxy == by_proxy;
        let better: Vec<String> = self.0.iter().filter(fitting).map(|s| s.challenge.realm.clone()).collect();
        for space in &mut self.0 {
            let realm = &space.challenge.realm;
            if space.proxy != by_proxy && better.contains(realm) && !attempt.has_answered(space.proxy, realm)
            {
                continue;
            }
            let Some(who) = matching(credentials, &space.challenge.realm) else { continue };
            let value = space.answer(draft, who);
            let name = if space.proxy { Name::ProxyAuthorization } else { Name::Authorization };
            draft.push(name, value);
        }
    }

    /// Forgets everything: the account's name or password has changed.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    fn remember(&mut self, proxy: bool, challenge: Challenge, rng: &mut Rng) {
        self.0.retain(|s| s.proxy != proxy || s.challenge.realm != challenge.realm);
        if self.0.len() == MAX_REALMS {
            self.0.remove(0);
        }
        let cnonce = rng.token::<16>().map(char::from).iter().collect();
        self.0.push(Space { proxy, challenge, cnonce, count: 0 });
    }
}

fn matching<'a>(credentials: &'a [Credentials], realm: &str) -> Option<&'a Credentials> {
    let named = credentials.iter().find(|c| c.realm.as_deref() == Some(realm));
    named.or_else(|| credentials.iter().find(|c| c.realm.is_none()))
}

impl Attempt {
    fn has_answered(&self, proxy: bool, realm: &str) -> bool {
        self.0.iter().any(|(p, r, _)| *p == proxy && r == realm)
    }

    fn answer(&mut self, proxy: bool, challenge: &Challenge) -> Result<(), CannotAuthorize> {
        match self.0.iter_mut().find(|(p, realm, _)| *p == proxy && *realm == challenge.realm) {
            // Asked again by the same realm in the same request: only a stale nonce excuses it.
            Some((_, _, times)) if challenge.stale && *times < MAX_ANSWERS => *times += 1,
            Some(_) => return Err(CannotAuthorize::Rejected),
            None => self.0.push((proxy, challenge.realm.clone(), 1)),
        }
        Ok(())
    }
}

impl Space {
    fn answer(&mut self, draft: &Draft, who: &Credentials) -> String {
        self.count = self.count.wrapping_add(1);
        let method = draft.method();
        let over = Over { method: method.as_str(), uri: draft.request_uri(), body: draft.body_bytes() };
        self.challenge.answer(&over, who, &self.cnonce, self.count)
    }
}

/// What an answer is made over.
#[derive(Clone, Copy, Debug)]
pub struct Over<'a> {
    /// `REGISTER`, or of the web `GET`.
    pub method: &'a str,
    /// As it stands in the request's first line.
    pub uri: &'a str,
    /// All of it.
    pub body: &'a [u8],
}

impl Challenge {
    /// The value of `Authorization` that answers it. `cnonce` is drawn by who asks, and `count` goes up with each use of it
    /// from 1. RFC 7616 section 3.4.
    pub fn answer(&self, over: &Over<'_>, who: &Credentials, cnonce: &str, count: u32) -> String {
        let Over { method, uri, body } = *over;
        let c = self;
        let protection = c.qop.map(|qop| (cnonce, count, qop));
        let response = Input {
            user: &who.user,
            realm: &c.realm,
            password: who.password.expose(),
            method,
            uri,
            body,
            nonce: &c.nonce,
            protection,
        }
        .response(c.algorithm);
        let mut out = String::with_capacity(256);
        let text = "a string takes any text";
        write!(
            out,
            "Digest username={}, realm={}, nonce={}, uri=\"{uri}\", response=\"{response}\", algorithm={}",
            Quoted(&who.user),
            Quoted(&c.realm),
            Quoted(&c.nonce),
            c.algorithm.word(),
        )
        .expect(text);
        if let Some((cnonce, count, qop)) = protection {
            // RFC 7616 section 3.4: `qop` and `nc` stand without quotes.
            write!(out, ", cnonce=\"{cnonce}\", nc={count:08x}, qop={}", Qop::word(qop)).expect(text);
        }
        if let Some(opaque) = &c.opaque {
            write!(out, ", opaque={}", Quoted(opaque)).expect(text);
        }
        out
    }
}
