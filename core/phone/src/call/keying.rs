//! Keys of one stream that are agreed on where its media goes: DTLS-SRTP between a description and its packets.
//!
//! RFC 5763 and RFC 8842: an association lives as long as both sides describe the same one (who begins, the other's
//! certificate, its name), whatever becomes of ways, sockets and networks meanwhile. It begins when a way is there. Knows
//! no SDP; what is in a datagram is [`dtls`]'s.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use base::Instant;
use bytes::Bytes;
use dtls::{Certificate, Handshake, Master, Output, Profile, Reason, Role};
use media::Protection;
use media::srtp::{Keys, Suite};
use nat::path::Route;
use nat::stun::{Class, Method, TransactionId, Writer};

use crate::desk::{Desk, Timer};
use crate::negotiate::Association;
use crate::{MediaId, MediaOrder};

/// Datagrams kept until the other side's certificate is known and a way is there: it may say hello before its answer
/// arrives. RFC 8842 section 5.1.
const EARLY: usize = 4;

/// Who waits for a hello on a plain way says something until it comes, or his own router keeps it out: as often as this, so
/// many times.
const KNOCK_EVERY: Duration = Duration::from_millis(250);
const KNOCKS: u8 = 40;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keying {
    /// Keys are there.
    Done,
    /// There will be none: no media may pass.
    Failed(Reason),
}

/// One stream's association.
pub(super) struct Keyed {
    certificate: Certificate,
    /// What both descriptions say; `None`: other keys, or none.
    wanted: Option<Association>,
    handshake: Option<Handshake>,
    protection: Protection,
    early: VecDeque<(SocketAddr, Bytes)>,
    /// Who sends media, where ways are checked; `None`: media goes plain.
    admitted: Option<Vec<SocketAddr>>,
    /// Media was led back to a plain way.
    led_plain: bool,
    /// The address of a plain way that they describe.
    described: Option<SocketAddr>,
    /// Where media goes, once that is known.
    to: Option<SocketAddr>,
    /// When to knock next, and how often that was done.
    knock: Option<(Instant, u8)>,
    news: VecDeque<Keying>,
}

impl Keyed {
    pub(super) fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            wanted: None,
            handshake: None,
            protection: Protection::Awaited,
            early: VecDeque::new(),
            admitted: None,
            led_plain: false,
            described: None,
            to: None,
            knock: None,
            news: VecDeque::new(),
        }
    }

    /// What was agreed on. The same again changes nothing. RFC 8842 section 5.
    pub(super) fn agree(&mut self, association: Option<&Association>) {
        let same = self.wanted.as_ref().zip(association).is_some_and(|(known, later)| known.is(later));
        if !same && (self.wanted.is_some() || association.is_some()) {
            self.handshake = None;
            self.protection = Protection::Awaited;
        }
        // A name that was said once is known from then on.
        let name = association.and_then(|it| it.name.clone());
        let known = self.wanted.take().filter(|_| same).and_then(|it| it.name);
        self.wanted = association.cloned().map(|it| Association { name: name.or(known), ..it });
    }

    /// The other side is another session, which knows nothing of what was agreed on: what comes next is agreed on anew.
    pub(super) fn forget(&mut self) {
        self.wanted = None;
    }

    /// Whether keys come from here.
    pub(super) const fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    /// What packets are protected by.
    pub(super) fn protection(&self) -> Protection {
        self.protection.clone()
    }

    /// Media goes plain, to this address. `known`: no ways are checked.
    pub(super) fn plain(&mut self, to: Option<SocketAddr>, known: bool) {
        if (known || self.led_plain) && to.is_some() && self.described != to {
            (self.described, self.to) = (to, to);
        }
    }

    /// Media goes so from now on.
    pub(super) fn lead(&mut self, route: &Route) {
        match route {
            Route::Plain => (self.admitted, self.led_plain) = (None, true),
            Route::Checked { target, admitted } => {
                self.led_plain = false;
                self.admitted = Some(admitted.clone());
                self.to = target.map(|target| target.to);
            }
        }
    }

    /// A datagram of DTLS came.
    pub(super) fn heard(&mut self, from: SocketAddr, datagram: &Bytes, media: MediaId, desk: &mut Desk) {
        if self.admitted.as_ref().is_some_and(|admitted| !admitted.contains(&from)) {
            return; // he has not shown that he knows our secret: ICE's, which is in the descriptions
        }
        let mut out = Vec::new();
        match &mut self.handshake {
            Some(handshake) => {
                self.knock = None;
                // Behind a router that nobody checks, the description's address is none: the answer goes to where the
                // question came from, as media does.
                if self.admitted.is_none() && !matches!(self.protection, Protection::Keyed { .. }) {
                    self.to = Some(from);
                }
                handshake.handle(datagram, desk.now, &mut out);
            }
            None => {
                if self.early.len() == EARLY {
                    self.early.pop_front();
                }
                self.early.push_back((from, datagram.clone()));
            }
        }
        self.carry_out(out, media, desk);
    }

    /// Its time has come.
    pub(super) fn due(&mut self, media: MediaId, desk: &mut Desk) {
        let mut out = Vec::new();
        if let Some(handshake) = &mut self.handshake {
            handshake.tick(desk.now, &mut out);
        }
        self.may_knock(media, desk);
        self.carry_out(out, media, desk);
    }

    /// Begins, if it is due: both sides have agreed, and there is a way.
    pub(super) fn may_begin(&mut self, media: MediaId, desk: &mut Desk) {
        let Some(Association { begins, peer, .. }) = &self.wanted else { return };
        if self.handshake.is_some() || self.to.is_none() {
            return;
        }
        let role = if *begins { Role::Active } else { Role::Passive };
        let mut out = Vec::new();
        let seed = Some(desk.rng.bits());
        let handshake = Handshake::begin(role, &self.certificate, peer.clone(), seed, desk.now, &mut out);
        self.handshake = Some(handshake);
        self.knock = (role == Role::Passive && self.admitted.is_none()).then_some((desk.now, 0));
        self.may_knock(media, desk);
        self.carry_out(out, media, desk);
        for (from, datagram) in std::mem::take(&mut self.early) {
            self.heard(from, &datagram, media, desk);
        }
    }

    /// Opens our own router: a STUN indication, which asks for no answer (RFC 6263 section 4.6).
    fn may_knock(&mut self, media: MediaId, desk: &mut Desk) {
        if let (Some((at, times)), Some(to)) = (self.knock, self.to)
            && at <= desk.now
        {
            let id = TransactionId::draw(&mut desk.rng);
            let bytes = Writer::new(Class::Indication, Method::Binding, id).fingerprinted();
            desk.media(media, MediaOrder::Ship { to, bytes });
            self.knock = (times < KNOCKS).then_some((desk.now + KNOCK_EVERY, times + 1));
        }
    }

    /// The next thing that came of it.
    pub(super) fn poll(&mut self) -> Option<Keying> {
        self.news.pop_front()
    }

    /// When it wants to be called.
    fn next_wake(&self) -> Option<Instant> {
        let shaking = self.handshake.as_ref()?.next_wake()?.at;
        Some(self.knock.map_or(shaking, |(at, _)| at.min(shaking)))
    }

    fn carry_out(&mut self, out: Vec<Output>, media: MediaId, desk: &mut Desk) {
        for output in out {
            match output {
                Output::Send(bytes) => {
                    if let Some(to) = self.to {
                        desk.media(media, MediaOrder::Ship { to, bytes });
                    }
                }
                Output::Keyed(keys) => {
                    let suite = suite(keys.profile);
                    self.protection = Protection::Keyed {
                        send: srtp(suite, &keys.send),
                        receive: srtp(suite, &keys.receive),
                    };
                    self.news.push_back(Keying::Done);
                }
                Output::Failed(reason) => self.news.push_back(Keying::Failed(reason)),
                // It will send nothing more; that the call is over is for SIP to say.
                Output::Closed => {}
            }
        }
        let timer = Timer::Keying(media);
        match self.next_wake() {
            Some(at) => desk.timers.set(timer, at),
            None => {
                desk.timers.cancel(&timer);
            }
        }
    }
}

const fn suite(profile: Profile) -> Suite {
    match profile {
        Profile::AeadAes256Gcm => Suite::AesGcm256,
        Profile::AeadAes128Gcm => Suite::AesGcm128,
        Profile::Aes128CmSha1_80 => Suite::AesCm128Sha1_80,
    }
}

fn srtp(suite: Suite, master: &Master) -> Keys {
    let material = zeroize::Zeroizing::new([&master.key.expose()[..], master.salt.expose()].concat());
    Keys::new(suite, &material).expect("a profile's key and salt are as long as its suite's")
}
