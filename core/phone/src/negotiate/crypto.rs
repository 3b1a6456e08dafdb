//! Keys in descriptions: which we say, which of theirs we take, and when a call may go without.
//!
//! RFC 4568 (SDES) sections 5.1, 6.1 and 7.1, RFC 8643 for accounts that encrypt where they can. Each offer of ours has new
//! keys; an answer keeps ours where nobody has moved, so that nothing is lost meanwhile. Keys that are agreed on the media
//! path are [`super::association`]'s; which of the two ways is gone is said here.

use std::net::SocketAddr;

use base::Rng;
use dtls::Fingerprint;
use media::srtp::{Keys, Suite};
use media::{Plan, Protection};
use sip::sdp::{Crypto, Media, Sdp, Writer};

use super::association::{self, Association};
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
    /// Whether keys may be agreed on the media path (DTLS).
    pub dtls: bool,
}

impl Secrecy {
    /// Whether a call can be made at all: who insists on encryption needs a way to agree on keys.
    pub fn is_possible(self) -> bool {
        self.policy != MediaEncryption::Required || self.sdes != Sdes::No || self.dtls
    }

    /// Whether our offers have keys.
    fn offers(self) -> bool {
        self.policy != MediaEncryption::Off && self.sdes != Sdes::No
    }

    /// Whether keys may come from the media path.
    pub fn may_agree(self) -> bool {
        self.offers_dtls()
    }

    /// Whether our offers have a certificate.
    fn offers_dtls(self) -> bool {
        self.policy != MediaEncryption::Off && self.dtls
    }

    /// Whether keys are better agreed on the media path than told to whoever carries our signalling. Under TLS the told ones
    /// are there sooner.
    fn prefers_dtls(self) -> bool {
        self.dtls && self.sdes != Sdes::UnderTls
    }

    /// What our offers may call an audio line, in the order in which they are tried. RFC 8643 section 3.1: who takes either says
    /// nothing of it here; some take keys only where a profile insists on them. RFC 5764 section 8 has a profile for keys of
    /// the media path alone, and some look for them under no other.
    fn profiles(self) -> impl Iterator<Item = &'static str> {
        let either = (self.policy != MediaEncryption::Required).then_some("RTP/AVP");
        let told = self.offers().then_some("RTP/SAVP");
        let agreed = self.offers_dtls().then_some("UDP/TLS/RTP/SAVP");
        let [first, second] = if self.prefers_dtls() { [agreed, told] } else { [told, agreed] };
        [either, first, second].into_iter().flatten()
    }
}

/// Whether a line's profile insists on encryption; `None`: it is none that we know.
fn insists(protocol: &str) -> Option<bool> {
    match protocol {
        // AVPF's feedback is a permission, not a duty (RFC 4585 section 4.2).
        "RTP/AVP" | "RTP/AVPF" => Some(false),
        "RTP/SAVP" | "RTP/SAVPF" => Some(true),
        _ => by_dtls(protocol).then_some(true),
    }
}

/// Whether a line's profile leaves no other keys than those of the media path. RFC 5764 section 8.
fn by_dtls(protocol: &str) -> bool {
    matches!(protocol, "UDP/TLS/RTP/SAVP" | "UDP/TLS/RTP/SAVPF")
}

/// Keys that a line of theirs has for us.
pub(super) enum Usable {
    /// In the line, under a tag.
    Told(u32, Keys),
    /// To be agreed on.
    Agreeable(association::Theirs),
}

/// What is left of a line of theirs when the account's wishes are looked at: their keys, or nothing where it goes in clear.
pub(super) fn look(secrecy: Secrecy, media: &Media<'_, '_>) -> Result<Option<Usable>, Disagreement> {
    let insists = insists(media.protocol()).ok_or(Disagreement::NothingInCommon)?;
    let told = keys(media).next().filter(|_| secrecy.offers() && !by_dtls(media.protocol()));
    let told = told.map(|(tag, keys)| Usable::Told(tag, keys));
    let agreeable = association::Theirs::of(media).filter(|_| secrecy.offers_dtls()).map(Usable::Agreeable);
    let usable = if secrecy.prefers_dtls() { agreeable.or(told) } else { told.or(agreeable) };
    // Keys of theirs have come in clear; to answer them with ours would give both away.
    let unusable = || match (secrecy.sdes, lines(media).next()) {
        (Sdes::No, Some(_)) if !secrecy.dtls => Disagreement::KeysInClear,
        (_, Some(_)) => Disagreement::BadKeys,
        (_, None) if insists || media.has_fingerprint() => Disagreement::BadKeys,
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
    /// Of an association.
    association: Option<association::Said>,
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
    association: association::Ours,
}

/// The keys of one session, line by line.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    pub(super) secrecy: Secrecy,
    /// There when there is something to be secret of.
    rng: Option<Rng>,
    /// What our certificate is known by.
    fingerprint: Option<Fingerprint>,
    /// How many of the profiles that our offers may have were refused.
    refused: usize,
    /// Lines of keys in their descriptions that were of no use.
    unusable: u32,
    lines: Vec<Line>,
}

impl Ring {
    pub(super) fn new(secrecy: Secrecy, fingerprint: Option<Fingerprint>, rng: &mut Rng) -> Self {
        let rng = (secrecy.policy != MediaEncryption::Off).then(|| rng.split());
        let secrecy = Secrecy { dtls: secrecy.dtls && fingerprint.is_some(), ..secrecy };
        Self { secrecy, rng, fingerprint, refused: 0, unusable: 0, lines: Vec::new() }
    }

    /// Counts what is dropped of a description of theirs.
    pub(super) fn count(&mut self, theirs: &Sdp<'_>) {
        self.unusable = self.unusable.saturating_add(unusable(self.secrecy, theirs));
    }

    /// How much was dropped so far.
    pub(super) const fn unusable(&self) -> u32 {
        self.unusable
    }

    fn line(&mut self, at: usize) -> &mut Line {
        if self.lines.len() <= at {
            self.lines.resize_with(at + 1, Line::default);
        }
        &mut self.lines[at]
    }

    /// How our next offer calls an audio line that is new.
    pub(super) fn profile(&self) -> &'static str {
        // Who must encrypt and cannot makes no call, and takes none in clear.
        self.secrecy.profiles().nth(self.refused).unwrap_or("RTP/SAVP")
    }

    /// What we have offered was refused, and nothing of it stands. False: there is no other way to ask.
    pub(super) fn ask_otherwise(&mut self) -> bool {
        let other = self.secrecy.profiles().nth(self.refused + 1).is_some();
        if other {
            self.refused += 1;
            self.lines.clear();
        }
        other
    }

    /// New keys for an offer of these lines, called so. A line that has agreed on its keys goes on so.
    pub(super) fn offer<'a>(&mut self, protocols: impl Iterator<Item = &'a str>) {
        let secrecy = self.secrecy;
        let suites: &[Suite] = match self.secrecy.sdes {
            _ if !self.secrecy.offers() => &[],
            Sdes::UnderTls => &OFFERED,
            Sdes::InClear | Sdes::No => &OFFERED_SHORT,
        };
        for (at, protocol) in protocols.enumerate() {
            self.line(at);
            let (line, Some(rng)) = (&mut self.lines[at], &mut self.rng) else { continue };
            let agreed = line.association.is_agreed();
            let told: &[Suite] = if agreed || by_dtls(protocol) { &[] } else { suites };
            let keys = (1..).zip(told.iter().map(|suite| Keys::random(*suite, rng))).collect();
            // RFC 3711 leaves it open how `RTP/SAVP` comes to its keys, and the answer says which it has taken. Not where told
            // ones are what is left, and room is little.
            let either =
                agreed || insists(protocol) == Some(false) || told.is_empty() || !secrecy.prefers_dtls();
            let association = (secrecy.offers_dtls() && either).then(|| line.association.offer());
            line.offered = Some(Said { keys, association, local: None });
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
        self.line(at);
        let line = &mut self.lines[at];
        let said = line.offered.as_mut().filter(|_| offers).unwrap_or(&mut line.said);
        said.local = Some(local);
        for (tag, keys) in &said.keys {
            let name = NAMES.iter().find(|(suite, _)| *suite == keys.suite());
            let (_, name) = name.expect("every suite has a name");
            text.attribute("crypto", Crypto::write(*tag, name, keys.material()));
        }
        if let (Some(association), Some(ours)) = (&said.association, &self.fingerprint) {
            association.write(ours, text);
        }
    }

    /// What an answer of theirs agrees to. `ours`: what our line was called, whatever they call it.
    pub(super) fn take_answer(
        &self,
        at: usize,
        ours: &str,
        media: &Media<'_, '_>,
    ) -> Result<(Protection, Option<Association>), Disagreement> {
        let said = self.lines.get(at).map(|line| line.offered.as_ref().unwrap_or(&line.said));
        let (told, agreeable) =
            said.map_or((&[][..], None), |said| (&said.keys[..], said.association.as_ref()));
        let told_too = !told.is_empty() && lines(media).next().is_some();
        if let Some(association) = agreeable.filter(|_| media.has_fingerprint())
            && (self.secrecy.prefers_dtls() || !told_too)
        {
            let agreed = association::Theirs::of(media).and_then(|theirs| association.answered(theirs));
            return Ok((Protection::Awaited, Some(agreed.ok_or(Disagreement::BadKeys)?)));
        }
        if !told_too {
            let insisted = self.secrecy.policy == MediaEncryption::Required || insists(ours) == Some(true);
            return if insisted { Err(Disagreement::NotEncrypted) } else { Ok((Protection::Clear, None)) };
        }
        let pair = keys(media).find_map(|(tag, theirs)| {
            let (_, ours) =
                told.iter().find(|(said, ours)| *said == tag && ours.suite() == theirs.suite())?;
            // One key for both ways would have both sides use one keystream.
            (ours.material() != theirs.material()).then(|| (ours.clone(), theirs))
        });
        let (send, receive) = pair.ok_or(Disagreement::BadKeys)?;
        Ok((Protection::Keyed { send, receive }, None))
    }

    /// Our answer to a line of theirs.
    pub(super) fn answer(
        &mut self,
        at: usize,
        theirs: Option<Usable>,
        remote: Option<SocketAddr>,
        local: SocketAddr,
    ) -> (Protection, Option<Association>) {
        self.line(at);
        let said = &mut self.lines[at].said;
        said.association = None;
        let (tag, receive, rng) = match (theirs, &mut self.rng) {
            (Some(Usable::Told(tag, receive)), Some(rng)) => (tag, receive, rng),
            (Some(Usable::Agreeable(theirs)), Some(rng)) => {
                let line = &mut self.lines[at];
                let (said, association) = line.association.answer(theirs, rng);
                line.said.keys.clear();
                line.said.association = Some(said);
                return (Protection::Awaited, Some(association));
            }
            _ => {
                said.keys.clear();
                return (Protection::Clear, None);
            }
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
        (Protection::Keyed { send, receive }, None)
    }

    /// What is done from now on.
    pub(super) fn agreed(&mut self, agreed: &Agreed) {
        for (at, (plan, association)) in agreed.lines.iter().zip(&agreed.associations).enumerate() {
            let line = self.line(at);
            line.association.agreed(association.as_ref());
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

/// How many lines of keys in a description of theirs are of no use where such keys are taken: that cannot be read, lie, are
/// for suites that we do not have, or are more than are looked at.
fn unusable(secrecy: Secrecy, theirs: &Sdp<'_>) -> u32 {
    let of = |media: Media<'_, '_>| {
        let all = media.attributes().filter(|attribute| attribute.name == "crypto").count();
        all - keys(&media).count()
    };
    if secrecy.offers() { theirs.media().map(of).sum::<usize>() as u32 } else { 0 }
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
