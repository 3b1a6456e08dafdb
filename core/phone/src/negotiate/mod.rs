//! Offer and answer: what both sides can, to what the media does.
//!
//! RFC 3264 and RFC 6337 over the grammar of [`sip::sdp`]. The one place where SDP meets codecs. Knows no SIP: which
//! message carries a description, and whether one may be sent now, is the call's.
//!
//! One [`Negotiation`] lives as long as its SIP session and remembers what later descriptions must keep: the identity and
//! version in `o=`, the order of the m-lines, the payload types.

mod answer;
mod association;
#[cfg(test)]
mod association_tests;
mod crypto;
#[cfg(test)]
mod crypto_tests;
mod fragment;
mod ice;
#[cfg(test)]
mod ice_tests;
mod keypad;
mod offer;
mod parameters;
mod plan;
mod reports;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use base::Rng;
use bytes::Bytes;
use dtls::Fingerprint;
use media::{Codec, Plan};
use nat::path::Description;
use sip::sdp::{Direction, Sdp, SdpError, Writer};

pub use answer::first_look;
pub use association::Association;
pub use crypto::{Sdes, Secrecy};
use ice::Told;
pub use ice::{has_candidates, offered};

/// Why a description cannot be agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// It cannot be read: 400 or 488.
    #[error(transparent)]
    Unreadable(#[from] SdpError),
    /// There is no audio in it that we speak: 488.
    #[error("no codec in common")]
    NothingInCommon,
    /// It has fewer m-lines than the one before it, against RFC 3264 section 8: 488.
    #[error("media lines are missing")]
    LinesMissing,
    /// It is in clear, and we insist on encryption: 488.
    #[error("not encrypted")]
    NotEncrypted,
    /// It insists on encryption, and the account has it off: 488.
    #[error("encryption is off here")]
    WantsEncryption,
    /// It has keys that came in clear, and ours may not go so: 488.
    #[error("keys may not go in clear")]
    KeysInClear,
    /// It has no keys that we can use, or others than were offered: 488.
    #[error("no key that can be used")]
    BadKeys,
}

impl Disagreement {
    /// Whether it is about encryption, and not about what is said.
    pub const fn is_of_keys(self) -> bool {
        match self {
            Self::Unreadable(_) | Self::NothingInCommon | Self::LinesMissing => false,
            Self::NotEncrypted | Self::WantsEncryption | Self::KeysInClear | Self::BadKeys => true,
        }
    }
}

/// Where a stream of ours is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// By whoever makes no checks.
    pub address: SocketAddr,
    /// Where they send RTCP to, if that has a port of its own which need not be the next.
    pub control: Option<SocketAddr>,
    /// By who does; `None`: we make none.
    pub ice: Option<Description>,
}

impl From<SocketAddr> for Local {
    fn from(address: SocketAddr) -> Self {
        Self { address, control: None, ice: None }
    }
}

/// What was agreed, line by line.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreed {
    /// One for each m-line; `None`: that line carries nothing.
    pub lines: Vec<Option<Plan>>,
    /// Where each line that carries something may be reached, by those who make checks: one for each of [`Self::plans`].
    pub ways: Vec<Option<Description>>,
    /// Where keys are agreed on the media path, with whom: one for each of [`Self::lines`].
    pub associations: Vec<Option<Association>>,
    /// The offer was ours.
    pub ours: bool,
    /// The other side does not want to hear us: we are on hold. It may have another reason (RFC 6337 section 5.3), but to
    /// the user it is the same.
    pub held: bool,
}

impl Agreed {
    /// The plans of the lines that carry something, in order.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.lines.iter().flatten()
    }

    /// Their associations.
    pub fn associations(&self) -> impl Iterator<Item = Option<&Association>> {
        let alive = self.lines.iter().zip(&self.associations).filter(|(line, _)| line.is_some());
        alive.map(|(_, association)| association.as_ref())
    }
}

/// An m-line of this session.
#[derive(Clone, Debug)]
enum Line {
    /// Ours to use, with what its payload types mean for as long as the session lives. `mux`: RTCP on the RTP
    /// port, unless an offer of theirs lacks it. `extended`: more reports, if an offer of theirs has them. `mid`: its name
    /// (RFC 5888), unless the offer was theirs and has none.
    Audio { protocol: String, formats: Formats, mux: bool, extended: bool, mid: Option<String> },
    /// Port 0, and the rest as it was offered.
    Declined { kind: String, protocol: String, formats: Vec<String> },
}

/// What the payload types of a line mean.
#[derive(Clone, Debug, Default)]
struct Formats {
    codecs: Vec<(u8, Codec)>,
    /// Comfort noise.
    noise: Option<u8>,
    /// Keypad digits, each with its clock.
    events: Vec<(u8, u32)>,
}

impl Formats {
    /// In the order of the m-line: what is no codec comes last, since who reads only the first means to talk.
    fn numbers(&self) -> impl Iterator<Item = u8> {
        let events = self.events.iter().map(|(number, _)| *number);
        self.codecs.iter().map(|(number, _)| *number).chain(self.noise).chain(events)
    }
}

/// The offers and answers of one SIP session.
#[derive(Debug)]
pub struct Negotiation {
    /// In the user's order.
    codecs: Vec<Codec>,
    /// Silence may be left out, both ways.
    silence: bool,
    /// Our offers hold no codec that garbles a keypad's tones.
    tones_only: bool,
    /// The offer that is written has little room.
    brief: bool,
    lines: Vec<Line>,
    id: u64,
    version: u64,
    /// The address in `o=` (and the session's `c=`), which stays even when the media moves.
    origin: Option<IpAddr>,
    written: Option<String>,
    /// How each audio line was last said to be reached.
    said: Vec<Option<Description>>,
    /// The keys of each line.
    ring: crypto::Ring,
    /// Version and text before the last offer, should it never be sent.
    before: Option<(u64, Option<String>)>,
}

impl Negotiation {
    /// A session not yet described. `codecs` in the order of preference; `silence`: it may be left out, both ways.
    pub fn new(codecs: &[Codec], silence: bool, rng: &mut Rng) -> Self {
        Self {
            codecs: codecs.to_vec(),
            silence,
            tones_only: false,
            brief: false,
            lines: Vec::new(),
            // 31 bits: some of the wild read it into a signed word.
            id: rng.below(1 << 31),
            version: 1,
            origin: None,
            written: None,
            said: Vec::new(),
            ring: crypto::Ring::default(),
            before: None,
        }
    }

    /// Keeps its media from others as far as this asks. Before the first description. `fingerprint`: of our certificate; without,
    /// no keys are agreed on the media path.
    pub fn guard(&mut self, secrecy: Secrecy, fingerprint: Option<Fingerprint>, rng: &mut Rng) {
        self.ring = crypto::Ring::new(secrecy, fingerprint, rng);
    }

    /// Whether it goes encrypted or not at all.
    pub fn insists(&self) -> bool {
        self.ring.secrecy.policy == crate::MediaEncryption::Required
    }

    /// How many lines of keys in their descriptions were of no use: that could not be read, lied, or were for suites that we do
    /// not have. Of all descriptions, also where one says the same again.
    pub const fn bad_keys(&self) -> u32 {
        self.ring.unusable()
    }

    /// Looks at an offer that is refused without an answer, only to count.
    pub fn refuse(&mut self, offer: &[u8]) {
        if let Ok(theirs) = Sdp::read(offer) {
            self.ring.count(&theirs);
        }
    }

    /// This is done from now on.
    pub fn agreed(&mut self, agreed: &Agreed) {
        self.ring.agreed(agreed);
    }

    /// Our description: all we can, the lines and payload types of before first. `hold`: we do not want to hear.
    /// `locals` are the addresses of the audio streams, at least one.
    pub fn offer(&mut self, locals: &[Local], hold: bool) -> Bytes {
        self.before = Some((self.version, self.written.clone()));
        let protocol = self.ring.profile();
        offer::lay_out(&mut self.lines, &self.codecs, self.silence, locals.len(), protocol);
        self.ring.offer(self.lines.iter().map(|line| match line {
            Line::Audio { protocol, .. } | Line::Declined { protocol, .. } => protocol.as_str(),
        }));
        let lines = vec![(wish(hold), true, false); self.lines.len()];
        self.write(locals, &lines, true)
    }

    /// The same in the fewest words: without what makes a call better that is good without.
    pub fn offer_briefly(&mut self, locals: &[Local], hold: bool) -> Bytes {
        self.brief = true;
        let offer = self.offer(locals, hold);
        self.brief = false;
        offer
    }

    /// From now on our offers hold only codecs in which a keypad's tones survive: the account's own, or PCMU when it has none.
    /// Or all of them again.
    pub fn carry_tones(&mut self, on: bool) {
        self.tones_only = on;
        if on && !self.codecs.iter().any(|codec| codec.carries_tones()) {
            self.codecs.push(Codec::Pcmu);
        }
    }

    /// The last offer was refused: the keys of before it stand.
    pub fn refused(&mut self) {
        self.ring.withdraw();
    }

    /// The first offer was refused as a whole, and its session is none: the next one, of another session, asks for encryption by
    /// another profile. Never in clear where the account insists. False: they were all asked for.
    pub fn ask_otherwise(&mut self) -> bool {
        let other = self.ring.ask_otherwise();
        if other {
            self.lines.clear();
            self.said.clear();
        }
        other
    }

    /// The last offer was not sent after all.
    pub fn withdraw(&mut self) {
        self.ring.withdraw();
        if let Some((version, written)) = self.before.take() {
            (self.version, self.written) = (version, written);
        }
    }

    /// What to tell of addresses that were found after the description, beside those that were told before: the body of an
    /// INFO. `None`: no line has a name by which they would find it. RFC 8840 section 4.4.
    pub fn tell_late(&mut self, locals: &[Local]) -> Option<Bytes> {
        let mut text = String::new();
        self.said.resize(locals.len(), None);
        let lines = self.lines.iter().filter_map(|line| match line {
            Line::Audio { mid, .. } => Some(mid),
            Line::Declined { .. } => None,
        });
        for ((mid, local), said) in lines.zip(locals).zip(&mut self.said) {
            if let (Some(mid), Some(ours)) = (mid, &local.ice) {
                let ours = fragment::in_order(ours, said.as_ref());
                fragment::write(&mut text, &ours, mid);
                *said = Some(ours);
            }
        }
        (!text.is_empty()).then(|| text.into())
    }

    /// What such a body of theirs says of each audio line.
    pub fn told_late(&self, body: &[u8]) -> Vec<Option<Description>> {
        let parts = fragment::read(body);
        let of = |name: &Option<String>| {
            let is_it = |part: &&fragment::Part| {
                part.mid.as_ref().zip(name.as_ref()).is_none_or(|(theirs, known)| theirs == known)
            };
            parts.iter().find(is_it).map(|part| part.description.clone())
        };
        let lines = self.lines.iter().filter_map(|line| match line {
            Line::Audio { mid, .. } => Some(of(mid)),
            Line::Declined { .. } => None,
        });
        lines.collect()
    }

    /// Reads an answer to our last offer. May be asked again: forks answer the same offer differently.
    ///
    /// # Errors
    /// Nothing was accepted, or it cannot be read.
    pub fn take_answer(&mut self, answer: &[u8], hold: bool) -> Result<Agreed, Disagreement> {
        let theirs = Sdp::read(answer)?;
        self.ring.count(&theirs);
        let mut media = theirs.media();
        let lines = (self.lines.iter().enumerate()).map(|(at, line)| match (line, media.next()) {
            (Line::Audio { protocol, formats, mux, .. }, Some(media)) if media.port() != 0 => {
                let Some(plan) = plan::of(formats, *mux, self.silence, wish(hold), &media) else {
                    return Ok(None);
                };
                let (protection, association) = self.ring.take_answer(at, protocol, &media)?;
                Ok(Some((Plan { protection, ..plan }, association)))
            }
            (Line::Audio { .. } | Line::Declined { .. }, _) => Ok(None),
        });
        let lines: Vec<_> = lines.collect::<Result<_, Disagreement>>()?;
        if lines.iter().all(Option::is_none) {
            return Err(Disagreement::NothingInCommon);
        }
        Ok(agreed(lines, &theirs, true))
    }

    /// Answers an offer, line by line; what we lack gets port 0.
    ///
    /// # Errors
    /// Nothing in it is ours to accept, or it cannot be read: nothing has changed.
    pub fn answer(
        &mut self,
        offer: &[u8],
        locals: &[Local],
        hold: bool,
    ) -> Result<(Bytes, Agreed), Disagreement> {
        let theirs = Sdp::read(offer)?;
        self.ring.count(&theirs);
        if theirs.media().len() < self.lines.len() {
            return Err(Disagreement::LinesMissing);
        }
        let secrecy = self.ring.secrecy;
        let lines = answer::line_by_line(&theirs, &self.codecs, self.silence, locals.len(), secrecy);
        let live = |line: &Line| matches!(line, Line::Audio { .. });
        // An offerer may switch its audio off in mid-call; in a first offer there must be some.
        let switched_off = theirs.media().all(|media| media.kind() != "audio" || media.port() == 0);
        let was_alive = self.lines.iter().any(live);
        if !(lines.iter().any(live) || switched_off && was_alive) {
            return Err(answer::why_none(&theirs, &self.codecs, secrecy));
        }
        self.lines = lines;
        let told: Vec<_> = theirs
            .media()
            .map(|media| {
                let ice = ice::of(&media);
                let direction = plan::both(wish(hold), media.direction().reversed());
                (direction, matches!(ice, Told::Candidates(_)), ice == Told::Mismatch)
            })
            .collect();
        let mut places = locals.iter();
        let plans = (self.lines.iter().zip(theirs.media()).enumerate())
            .map(|(at, (line, media))| match line {
                Line::Audio { formats, mux, .. } => {
                    let plan = plan::of(formats, *mux, self.silence, wish(hold), &media)?;
                    let keys = crypto::look(secrecy, &media).ok().flatten();
                    let local = places.next()?.address;
                    let (protection, association) = self.ring.answer(at, keys, plan.remote, local);
                    Some((Plan { protection, ..plan }, association))
                }
                Line::Declined { .. } => {
                    self.ring.answer(at, None, None, SocketAddr::from(([0; 4], 0)));
                    None
                }
            })
            .collect();
        Ok((self.write(locals, &told, false), agreed(plans, &theirs, false)))
    }

    /// Writes the lines; a text that differs from the last one counts the version up. RFC 3264 section 8.
    fn write(&mut self, locals: &[Local], told: &[(Direction, bool, bool)], offers: bool) -> Bytes {
        let mut text = self.text(locals, told, offers);
        if self.written.as_ref().is_some_and(|written| *written != text) {
            self.version += 1;
            text = self.text(locals, told, offers);
        }
        self.written = Some(text.clone());
        self.said = locals.iter().map(|local| local.ice.clone()).collect();
        text.into()
    }

    /// `told`, line by line: the direction, whether our candidates are said, and whether theirs are not believed.
    fn text(&mut self, locals: &[Local], told: &[(Direction, bool, bool)], offers: bool) -> String {
        let here = locals.first().map_or(IpAddr::from([0, 0, 0, 0]), |local| local.address.ip());
        let address = *self.origin.get_or_insert(here);
        let mut text = Writer::new("-", self.id, self.version, address);
        let mut locals = locals.iter();
        for (at, (line, (direction, candidates, mismatch))) in self.lines.iter().zip(told).enumerate() {
            match line {
                Line::Audio { protocol, formats, mux, extended, mid } => {
                    // There are as many audio lines as locals: `lay_out` and `line_by_line` saw to that.
                    let Some(local) = locals.next() else { continue };
                    let words = match local.ice.is_some() && *candidates {
                        true if self.brief => offer::Words::Fewest,
                        true => offer::Words::Few,
                        false => offer::Words::All,
                    };
                    let audio = offer::Audio {
                        protocol,
                        formats: &offer::limited(formats, self.tones_only, words),
                        mux: *mux,
                        silence: self.silence,
                        extended: *extended,
                        words,
                    };
                    offer::write_audio(&mut text, local.address, address, &audio, *direction);
                    self.ring.write(at, offers, local.address, &mut text);
                    if let (Some(control), false) = (local.control, *mux) {
                        reports::write_port(&mut text, local.address, control);
                    }
                    match &local.ice {
                        Some(ours) if *candidates => ice::write(&mut text, ours, mid.as_deref()),
                        Some(_) if *mismatch => ice::write_mismatch(&mut text),
                        Some(_) | None => {}
                    }
                }
                Line::Declined { kind, protocol, formats } => {
                    text.media(kind, 0, protocol, formats);
                }
            }
        }
        text.finish()
    }
}

/// What we want of a stream: RFC 6337 section 5.3 makes hold a wish of one's own, whatever the other side does.
const fn wish(hold: bool) -> Direction {
    Direction::of(true, !hold)
}

fn agreed(lines: Vec<Option<(Plan, Option<Association>)>>, theirs: &Sdp<'_>, ours: bool) -> Agreed {
    let (lines, associations): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .map(|line| line.map_or((None, None), |(plan, association)| (Some(plan), association)))
        .unzip();
    let heard = (lines.iter().zip(theirs.media()))
        .any(|(plan, media)| plan.is_some() && media.direction().receives() && !plan::is_silenced(&media));
    let alive = lines.iter().zip(theirs.media()).filter(|(plan, _)| plan.is_some());
    let ways = alive
        .map(|(_, media)| match ice::of(&media) {
            Told::Candidates(description) => Some(description),
            Told::Nothing | Told::Mismatch => None,
        })
        .collect();
    Agreed { lines, ways, associations, ours, held: !heard }
}
