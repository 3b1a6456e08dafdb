//! A caller's signatures (STIR), judged by ourselves: against signers whose keys the account names, and against the certificates
//! of those for whom an authority stands that the account believes.
//!
//! RFC 8224 section 6.2 (what a verifier does), RFC 8225, RFC 8588, RFC 8946; reading and certificates are `stir`'s. A signature
//! is worth something where somebody who is believed has made it for this caller, for whom is called here (or for who has
//! forwarded the call here, and has signed that), not more than a minute ago, and his certificate is for that number. It
//! accuses only where somebody who is believed is pretended to be, signs for others than he may, or has signed for another
//! caller: what is stale, or for another called person, may be a wrong clock here or a call that was forwarded, and a compact
//! one breaks when anybody on the way rewrites a number. Those prove nothing, and the person is told why.
//!
//! Not checked: revocation. A certificate that is not here is wished for ([`Open`]); what costs nothing is looked at
//! before, so that nobody makes this phone ask for a certificate by a call that could not be believed anyway. Knows no clock,
//! and does nothing that a call would have to wait for: so many keys are tried at most, a fraction of a millisecond each.

use base::Instant;
use sip::message::{Message, Name, NameAddr};
use stir::{Address, Anchors, Attest, Covers, Party, Place, Signer, Token, Unread, Untrusted, Who};

use super::Invite;
use super::shelf::{NotHad, Shelf, Shelved};

/// Fields that are looked at.
const MOST_FIELDS: usize = 4;
/// Keys that are tried for all of them.
const MOST_TRIES: usize = 16;
/// How old a token may be, or how far ahead of our clock. RFC 8224 section 6.2, step 4.
const FRESH: u64 = 60;

/// Whose signatures on callers an account believes. As it comes: nobody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stir {
    /// Signers, by their keys.
    pub signers: Vec<Signer>,
    /// Authorities: whoever has a certificate of theirs, which is fetched from where a call says. Its server learns then
    /// that this phone rings.
    pub anchors: Anchors,
    /// The only places that certificates are fetched from, wherever these are; empty: any that is public.
    pub places: Vec<Place>,
}

/// What a caller's signatures were found to be worth. `Display` is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passport {
    /// Somebody who is believed vouches for this call, so far.
    Signed(Signed),
    /// It is not what it says: somebody pretends, or something on the way has changed it.
    False(False),
    /// A certificate is being fetched: another view follows, within three seconds.
    Asking,
    /// It proves nothing.
    Unproven(Unproven),
}

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// How far it vouches.
    pub attest: Attest,
    /// Whose it is.
    pub by: SignedBy,
    /// It was to somebody else, who has forwarded it and signed that.
    pub forwarded: bool,
}

/// Whose a signature is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// One whom the account names by his key.
    Known,
    /// The holder of a certificate for whom an authority stands.
    Certified {
        /// As his certificate says.
        who: Who,
        /// It names the number itself, and not only a carrier, which may sign for whatever it says is its own.
        named: bool,
    },
}

/// Why a signature is false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum False {
    /// Not made by whom it says.
    #[error("it was not made by who is said to have made it, or was changed")]
    Tampered,
    /// Made for another caller's call.
    #[error("it is of another caller's call")]
    AnotherCaller,
    /// The certificate does not name the number.
    #[error("the signer may not sign for this number")]
    NotTheirs,
    /// The certificate does not let its holder say such things.
    #[error("the signer may not say what it says")]
    NotAllowed,
}

/// Why a signature proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The account believes nobody.
    #[error("the account names nobody whose signatures it believes")]
    NobodyBelieved,
    /// The account believes others.
    #[error("the account does not know the signer")]
    Stranger,
    /// It is not known how late it is.
    #[error("the time is not known here")]
    NoClock,
    /// Older than a minute, or from the future.
    #[error("it is not of this minute")]
    Stale,
    /// For another called person: the call was forwarded, perhaps.
    #[error("it is of a call to somebody else, which was forwarded, perhaps")]
    AnotherCalled,
    /// In compact form, and does not fit: a number was rewritten on the way, perhaps.
    #[error("it does not fit what arrived here")]
    Rewritten,
    /// It cannot be read.
    #[error("it cannot be read")]
    Broken,
    /// There are more than are looked at.
    #[error("there are too many")]
    TooMany,
    /// The call was over before.
    #[error("the call was over before that was known")]
    Over,
    /// The certificate is not to be had.
    #[error("{0}")]
    NoCertificate(NotHad),
    /// Nobody who is believed stands for the certificate.
    #[error("{0}")]
    Untrusted(Untrusted),
}

impl Passport {
    /// The console's word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Signed(signed) => signed.attest.word(),
            Self::False(_) => "false",
            Self::Asking => "asking",
            Self::Unproven(_) => "unproven",
        }
    }

    /// It vouches for the number itself (level A).
    pub(crate) fn proves(&self) -> bool {
        matches!(self, Self::Signed(Signed { attest: Attest::Number, .. }))
    }

    /// How much it counts beside others of the same call: one that holds outweighs those that do not (RFC 8224 section 6.2.1),
    /// and one that accuses those that say nothing.
    fn weight(&self) -> (u8, Option<Attest>) {
        match self {
            Self::Signed(signed) => (3, Some(signed.attest)),
            Self::False(_) => (2, None),
            Self::Asking => (1, None),
            Self::Unproven(_) => (0, None),
        }
    }
}

impl std::fmt::Display for Passport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signed(signed) => {
                let what = match signed.attest {
                    Attest::Number => "has signed for this number (level A)",
                    Attest::Customer => "knows the caller, not the number (level B)",
                    Attest::Gateway => "has signed only for where the call came from (level C)",
                };
                write!(f, "{} {what}", signed.by)?;
                f.write_str(if signed.forwarded { "; the call was forwarded." } else { "." })
            }
            Self::False(why) => write!(f, "The caller's signature is false: {why}."),
            Self::Asking => f.write_str("The caller's signature is being checked."),
            Self::Unproven(why) => write!(f, "The caller's signature proves nothing: {why}."),
        }
    }
}

impl std::fmt::Display for SignedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Certified { who, .. } = self else { return f.write_str("The caller's network") };
        match (&who.name, &who.carrier) {
            (Some(name), Some(carrier)) => write!(f, "{name} (carrier {carrier})"),
            (Some(name), None) => f.write_str(name),
            (None, Some(carrier)) => write!(f, "Carrier {carrier}"),
            (None, None) => f.write_str("The caller's network"),
        }
    }
}

/// One request before its judge.
pub(super) struct Judge<'a> {
    message: &'a Message,
    stir: &'a Stir,
    shelf: &'a mut Shelf,
    /// Seconds since 1970.
    wall: Option<u64>,
    now: Instant,
    tries: usize,
    /// What is not known yet.
    pub(super) open: Open,
}

/// What is not known yet of who calls.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// A certificate that counts is not here yet.
    pub(crate) waits: bool,
    /// Those that nobody has asked for.
    pub(crate) wishes: Vec<Address>,
}

/// Who stands for a token, if anybody does.
type Vouched = Result<SignedBy, Passport>;

impl<'a> Judge<'a> {
    pub(super) fn new(invite: &Invite<'a>, stir: &'a Stir, shelf: &'a mut Shelf, now: Instant) -> Self {
        let (message, wall) = (invite.message, invite.wall.map(|wall| wall.as_secs()));
        Self { message, stir, shelf, wall, now, tries: MOST_TRIES, open: Open::default() }
    }

    /// What all signatures of the request say of that caller: the best of them. `None`: there is none.
    pub(super) fn of(&mut self, caller: &NameAddr<'_>) -> Option<Passport> {
        let fields = self.message.all(Name::Identity).take(MOST_FIELDS);
        let tokens = fields.map(|field| Token::read(field, self.message, caller));
        let tokens: Vec<_> = tokens.filter(|it| !matches!(it, Err(Unread::OtherKind))).collect();
        if tokens.is_empty() {
            return None;
        }
        if self.stir.signers.is_empty() && self.stir.anchors.is_empty() {
            return Some(Passport::Unproven(Unproven::NobodyBelieved));
        }
        let Some(wall) = self.wall else { return Some(Passport::Unproven(Unproven::NoClock)) };
        let broken = tokens.iter().any(Result::is_err).then_some(Passport::Unproven(Unproven::Broken));
        let tokens: Vec<Token> = tokens.into_iter().filter_map(Result::ok).collect();
        let callers = tokens.iter().filter_map(|token| Some((token, token.attest()?)));
        let found = callers.map(|(token, attest)| {
            let signed = self.signed(token, &tokens, caller, wall);
            signed
                .map_or_else(|why| why, |(by, forwarded)| Passport::Signed(Signed { attest, by, forwarded }))
        });
        let found: Vec<_> = found.chain(broken).collect();
        // The first of several that weigh the same.
        found.into_iter().rev().max_by_key(Passport::weight)
    }

    /// Whose signature that is, and whether the call was forwarded.
    fn signed(
        &mut self,
        token: &Token,
        all: &[Token],
        caller: &NameAddr<'_>,
        wall: u64,
    ) -> Result<(SignedBy, bool), Passport> {
        if token.iat().abs_diff(wall) > FRESH {
            return Err(Passport::Unproven(Unproven::Stale));
        }
        let for_us = self.is_for_us(token.dest());
        if !for_us {
            self.forwarded(token, all, wall)?;
        }
        let by = self.vouched(token, token.orig(), wall)?;
        if !token.orig().is(&caller.uri()) {
            return Err(Passport::False(False::AnotherCaller));
        }
        Ok((by, !for_us))
    }

    /// Whether whom the call was to has signed that it comes here. RFC 8946 section 5.
    fn forwarded(&mut self, token: &Token, all: &[Token], wall: u64) -> Result<(), Passport> {
        let mut found = Err(Passport::Unproven(Unproven::AnotherCalled));
        for div in all {
            let Some(from) = div.forwarded_from() else { continue };
            let fits = token.dest().contains(from)
                && div.orig() == token.orig()
                && div.iat().abs_diff(wall) <= FRESH
                && self.is_for_us(div.dest());
            if !fits {
                continue;
            }
            match self.vouched(div, from, wall) {
                Ok(_) => return Ok(()),
                Err(why) => found = Err(why),
            }
        }
        found
    }

    fn is_for_us(&self, dest: &[Party]) -> bool {
        let (to, asked) = (self.message.to().ok(), self.message.request_uri().ok());
        let here = to.iter().map(NameAddr::uri).chain(asked);
        here.into_iter().any(|it| dest.iter().any(|party| party.is(&it)))
    }

    /// Who has signed that, and may sign for `whom`.
    fn vouched(&mut self, token: &Token, whom: &Party, wall: u64) -> Vouched {
        let does_not_fit = if token.is_full() {
            Passport::False(False::Tampered)
        } else {
            Passport::Unproven(Unproven::Rewritten)
        };
        let stir = self.stir;
        let good = |it: &&Signer| (it.valid.0..=it.valid.1).contains(&wall);
        let is_named = |it: &Signer| it.info.as_deref() == Some(token.info());
        let named = stir.signers.iter().filter(good).any(is_named);
        for signer in
            stir.signers.iter().filter(good).filter(|it| is_named(it) || !named && it.info.is_none())
        {
            self.tried()?;
            if token.is_signed_by_point(&signer.key) {
                return Ok(SignedBy::Known);
            }
        }
        if named {
            return Err(does_not_fit);
        }
        if stir.anchors.is_empty() {
            return Err(Passport::Unproven(Unproven::Stranger));
        }
        let no_certificate = |why| Passport::Unproven(Unproven::NoCertificate(why));
        let address = Address::read(token.info(), &stir.places);
        let address = address.map_err(|why| no_certificate(NotHad::Address(why)))?;
        match self.shelf.look(&address, &stir.anchors, wall, self.now) {
            Shelved::Not => {
                self.open.waits = true;
                if !self.open.wishes.contains(&address) {
                    self.open.wishes.push(address);
                }
                Err(Passport::Asking)
            }
            Shelved::Asked => {
                self.open.waits = true;
                Err(Passport::Asking)
            }
            Shelved::Failed(why) => Err(no_certificate(why)),
            Shelved::Untrusted(why) => Err(Passport::Unproven(Unproven::Untrusted(why))),
            Shelved::Trusted(credential) => {
                self.tried()?;
                if !credential.has_signed(token) {
                    return Err(does_not_fit);
                }
                let covers = credential.covers(whom);
                if covers == Covers::No {
                    return Err(Passport::False(False::NotTheirs));
                }
                if !credential.allows(token) {
                    return Err(Passport::False(False::NotAllowed));
                }
                Ok(SignedBy::Certified { who: credential.who().clone(), named: covers == Covers::Named })
            }
        }
    }

    fn tried(&mut self) -> Result<(), Passport> {
        self.tries = self.tries.checked_sub(1).ok_or(Passport::Unproven(Unproven::TooMany))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
