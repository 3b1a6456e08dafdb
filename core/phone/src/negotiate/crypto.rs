//! Keys in descriptions: which we say, which of theirs we take, and when a call may go without.
//!
//! RFC 4568 (SDES) sections 5.1, 6.1 and 7.1, RFC 8643 for accounts that encrypt where they can. Each offer of ours has new
//! keys; an answer keeps ours where nobody has moved, so that nothing is lost meanwhile. Knows no other way to agree on keys.

use std::net::SocketAddr;

use base::Rng;
use media::srtp::{Keys, Suite};
use media::{Plan, Protection};
use sip::sdp::{Crypto, Media, Writer};

use super::{Agreed, Disagreement};
use crate::MediaEncryption;

/// Lines looked at; what a stranger sends beyond them is not.
const MAX_LINES: usize = 16;

/// Suites and their names: RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 section 14.2.
const NAMES: [(Suite, &str); 6] = [
    (Suite::AesGcm256, "AEAD_AES_256_GCM"),
    (Suite::AesGcm128, "AEAD_AES_128_GCM"),
    (Suite::AesCm256Sha1_80, "AES_256_CM_HMAC_SHA1_80"),
    (Suite::AesCm256Sha1_32, "AES_256_CM_HMAC_SHA1_32"),
    (Suite::AesCm128Sha1_80, "AES_CM_128_HMAC_SHA1_80"),
    (Suite::AesCm128Sha1_32, "AES_CM_128_HMAC_SHA1_32"),
];

/// What we offer, the preferred first. All of them are taken.
const OFFERED: [Suite; 4] =
    [Suite::AesGcm256, Suite::AesGcm128, Suite::AesCm128Sha1_80, Suite::AesCm128Sha1_32];
/// The same where an INVITE has to fit a datagram: what everybody has.
const OFFERED_SHORT: [Suite; 1] = [Suite::AesCm128Sha1_80];

/// Whether keys may stand in descriptions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sdes {
    /// Whoever carries our signalling could read them.
    #[default]
    No,
    /// He can, and the user wants it so.
    InClear,
    /// Only servers can: our signalling goes under TLS.
    UnderTls,
}

/// What a session may do to keep its media from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Secrecy {
    /// What the account wants.
    pub policy: MediaEncryption,
    /// Whether keys may stand in descriptions.
    pub sdes: Sdes,
}

impl Secrecy {
    /// Whether a call can be made at all: who insists on encryption needs a way to agree on keys.
    pub fn is_possible(self) -> bool {
        self.policy != MediaEncryption::Required || self.sdes != Sdes::No
    }

    /// Whether our offers have keys.
    fn offers(self) -> bool {
        self.policy != MediaEncryption::Off && self.sdes != Sdes::No
    }

    /// How our offers call an audio line. RFC 8643 section 3.1: who takes either says nothing of it here.
    pub(super) fn protocol(self) -> &'static str {
        if self.policy == MediaEncryption::Required { "RTP/SAVP" } else { "RTP/AVP" }
    }
}

/// Whether a line's profile insists on encryption; `None`: it is none that we know.
fn insists(protocol: &str) -> Option<bool> {
    match protocol {
        // AVPF's feedback is a permission, not a duty (RFC 4585 section 4.2).
        "RTP/AVP" | "RTP/AVPF" => Some(false),
        "RTP/SAVP" | "RTP/SAVPF" => Some(true),
        _ => None,
    }
}

/// What is left of a line of theirs when the account's wishes are looked at: their keys, or nothing where it goes in clear.
pub(super) fn look(secrecy: Secrecy, media: &Media<'_, '_>) -> Result<Option<(u32, Keys)>, Disagreement> {
    let insists = insists(media.protocol()).ok_or(Disagreement::NothingInCommon)?;
    let usable = keys(media).next().filter(|_| secrecy.offers());
    // Keys of theirs have come in clear; to answer them with ours would give both away.
    let unusable = || match (secrecy.sdes, lines(media).next()) {
        (Sdes::No, Some(_)) => Disagreement::KeysInClear,
        (_, Some(_)) => Disagreement::BadKeys,
        (_, None) if insists => Disagreement::BadKeys,
        (_, None) => Disagreement::NotEncrypted,
    };
    match (secrecy.policy, insists) {
        (MediaEncryption::Off, true) => Err(Disagreement::WantsEncryption),
        (MediaEncryption::Off | MediaEncryption::Optional, false) => Ok(usable),
        (MediaEncryption::Optional, true) | (MediaEncryption::Required, _) => {
            usable.map(Some).ok_or_else(unusable)
        }
    }
}

/// What we said of a line.
#[derive(Clone, Debug, Default)]
struct Said {
    /// Our keys, each under its tag.
    keys: Vec<(u32, Keys)>,
    /// Where we are.
    local: Option<SocketAddr>,
}

/// The keys of a line.
#[derive(Clone, Debug, Default)]
struct Line {
    /// In the description that stands, or is about to.
    said: Said,
    /// In an offer of ours that is not answered: it may wait while one of theirs is answered (RFC 3261 section 14.1).
    offered: Option<Said>,
    /// What we send by, and whereto.
    agreed: Option<(Keys, Option<SocketAddr>)>,
}

/// The keys of one session, line by line.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    pub(super) secrecy: Secrecy,
    /// There when there is something to be secret of.
    rng: Option<Rng>,
    lines: Vec<Line>,
}

impl Ring {
    pub(super) fn new(secrecy: Secrecy, rng: &mut Rng) -> Self {
        let rng = (secrecy.policy != MediaEncryption::Off).then(|| rng.split());
        Self { secrecy, rng, lines: Vec::new() }
    }

    fn line(&mut self, at: usize) -> &mut Line {
        if self.lines.len() <= at {
            self.lines.resize_with(at + 1, Line::default);
        }
        &mut self.lines[at]
    }

    /// New keys for an offer of so many lines.
    pub(super) fn offer(&mut self, lines: usize) {
        let suites: &[Suite] = match self.secrecy.sdes {
            _ if !self.secrecy.offers() => &[],
            Sdes::UnderTls => &OFFERED,
            Sdes::InClear | Sdes::No => &OFFERED_SHORT,
        };
        for at in 0..lines {
            let fresh = self.rng.as_mut().map(|rng| suites.iter().map(|suite| Keys::random(*suite, rng)));
            let keys = fresh.map(|fresh| (1..).zip(fresh).collect()).unwrap_or_default();
            self.line(at).offered = Some(Said { keys, local: None });
        }
    }

    /// The last offer came to nothing: what was said before it stands. RFC 4568 section 7.1.4.
    pub(super) fn withdraw(&mut self) {
        for line in &mut self.lines {
            line.offered = None;
        }
    }

    /// Writes what we say of a line, in an offer or in an answer.
    pub(super) fn write(&mut self, at: usize, offers: bool, local: SocketAddr, text: &mut Writer) {
        let line = self.line(at);
        let said = line.offered.as_mut().filter(|_| offers).unwrap_or(&mut line.said);
        said.local = Some(local);
        for (tag, keys) in &said.keys {
            let name = NAMES.iter().find(|(suite, _)| *suite == keys.suite());
            let (_, name) = name.expect("every suite has a name");
            text.attribute("crypto", Crypto::write(*tag, name, keys.material()));
        }
    }

    /// What an answer of theirs agrees to. `ours`: what our line was called, whatever they call it.
    pub(super) fn take_answer(
        &self,
        at: usize,
        ours: &str,
        media: &Media<'_, '_>,
    ) -> Result<Protection, Disagreement> {
        let line = self.lines.get(at);
        let said = line.map_or(&[][..], |line| &line.offered.as_ref().unwrap_or(&line.said).keys);
        if said.is_empty() || lines(media).next().is_none() {
            let insisted = self.secrecy.policy == MediaEncryption::Required || insists(ours) == Some(true);
            return if insisted { Err(Disagreement::NotEncrypted) } else { Ok(Protection::Clear) };
        }
        let pair = keys(media).find_map(|(tag, theirs)| {
            let (_, ours) =
                said.iter().find(|(said, ours)| *said == tag && ours.suite() == theirs.suite())?;
            // One key for both ways would have both sides use one keystream.
            (ours.material() != theirs.material()).then(|| (ours.clone(), theirs))
        });
        let (send, receive) = pair.ok_or(Disagreement::BadKeys)?;
        Ok(Protection::Keyed { send, receive })
    }

    /// Our answer to a line of theirs.
    pub(super) fn answer(
        &mut self,
        at: usize,
        theirs: Option<(u32, Keys)>,
        remote: Option<SocketAddr>,
        local: SocketAddr,
    ) -> Protection {
        let (Some((tag, receive)), Some(rng)) = (theirs, &mut self.rng) else {
            self.line(at).said.keys.clear();
            return Protection::Clear;
        };
        let fresh = Keys::random(receive.suite(), rng);
        let line = self.line(at);
        let kept = line.agreed.take().filter(|(ours, to)| {
            ours.suite() == receive.suite()
                && ours.material() != receive.material()
                && *to == remote
                && line.said.local == Some(local)
        });
        let send = kept.map_or(fresh, |(ours, _)| ours);
        line.said.keys = vec![(tag, send.clone())];
        Protection::Keyed { send, receive }
    }

    /// What is done from now on.
    pub(super) fn agreed(&mut self, agreed: &Agreed) {
        for (at, plan) in agreed.lines.iter().enumerate() {
            let line = self.line(at);
            if agreed.ours
                && let Some(offered) = line.offered.take()
            {
                line.said = offered;
            }
            line.agreed = match plan {
                Some(Plan { protection: Protection::Keyed { send, .. }, remote, .. }) => {
                    Some((send.clone(), *remote))
                }
                Some(_) | None => None,
            };
        }
    }
}

/// The values of their lines.
fn lines<'a>(media: &Media<'_, 'a>) -> impl Iterator<Item = &'a str> {
    let lines = media.attributes().filter(|attribute| attribute.name == "crypto").take(MAX_LINES);
    lines.map(|line| line.value.unwrap_or_default())
}

/// Their keys that we can use, in their order, each with its tag.
fn keys(media: &Media<'_, '_>) -> impl Iterator<Item = (u32, Keys)> {
    lines(media).filter_map(|line| {
        let crypto = Crypto::read(line).ok()?;
        let (suite, _) = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(crypto.suite))?;
        let keys = Keys::new(*suite, crypto.material.expose()).ok()?;
        Some((crypto.tag, keys.named_by(crypto.mki_bytes)))
    })
}
