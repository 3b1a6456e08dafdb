//! Keys of one stream that are agreed on where its media goes: DTLS-SRTP between a description and its packets.
//!
//! RFC 5763 and RFC 8842: an association lives as long as both sides describe the same one (who begins, the other's
//! certificate, its name), whatever becomes of ways, sockets and networks meanwhile. It begins when a way is there. On a
//! plain way a fork that lost can say hello, too: each who does has a handshake of its own until one shows the certificate. Knows
//! no SDP; what is in a datagram is [`dtls`]'s.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use base::Instant;
use bytes::Bytes;
use dtls::{Certificate, Fingerprints, Handshake, Master, Output, Profile, Reason, Role};
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

/// Handshakes at a time, where several say hello on a plain way; and addresses remembered of those that are not meant.
const FORKS: usize = 4;
const REMEMBERED: usize = 16;

/// How long whom we have agreed with may take to say hello behind somebody else who did.
const STRAYED: Duration = Duration::from_secs(3);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keying {
    /// Keys are there.
    Done,
    /// There will be none: no media may pass.
    Failed(Reason),
}

/// One handshake.
struct Shaking {
    /// The other side's address, where it was the first to say something on a plain way.
    from: Option<SocketAddr>,
    handshake: Handshake,
}

/// One stream's association.
pub(super) struct Keyed {
    certificate: Certificate,
    /// What both descriptions say; `None`: other keys, or none.
    wanted: Option<Association>,
    /// Who is agreed with; several while it is open who of those that say hello that is.
    handshakes: Vec<Shaking>,
    begun: bool,
    /// It was answered, where we said hello.
    answered: bool,
    /// Who waits for our hello at another address than is described.
    knocked: Option<SocketAddr>,
    /// Where forks are that were agreed with before.
    left: Vec<SocketAddr>,
    /// Who said hello, and has shown another certificate.
    refused: Vec<SocketAddr>,
    /// That is all there was: when it counts.
    wrong: Option<(Instant, Reason)>,
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
            handshakes: Vec::new(),
            begun: false,
            answered: false,
            knocked: None,
            left: Vec::new(),
            refused: Vec::new(),
            wrong: None,
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

    /// What was agreed on. The same again changes nothing: RFC 8842 section 5. `early`: what stood before was one fork's word.
    pub(super) fn agree(&mut self, association: Option<&Association>, early: bool) {
        let same = self.wanted.as_ref().zip(association).is_some_and(|(known, later)| known.is(later));
        if !same && (self.wanted.is_some() || association.is_some()) {
            let known = self.handshakes.iter().filter_map(|it| it.from).chain(self.to).chain(self.knocked);
            let known: Vec<_> = if early { known.collect() } else { Vec::new() };
            self.left.retain(|_| early);
            for address in known {
                remember(&mut self.left, address);
            }
            (self.begun, self.answered, self.knocked, self.wrong) = (false, false, None, None);
            self.handshakes.clear();
            self.refused.clear();
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
        if !self.begun {
            if self.early.len() == EARLY {
                self.early.pop_front();
            }
            return self.early.push_back((from, datagram.clone()));
        }
        let Some(at) = self.whose(from, datagram, desk) else { return };
        let mut out = Vec::new();
        self.handshakes[at].handshake.handle(datagram, desk.now, &mut out);
        self.carry_out(at, out, media, desk);
    }

    /// Whose part of a handshake it is. On a plain way anybody can send: the forks that did not get the call, too.
    fn whose(&mut self, from: SocketAddr, datagram: &[u8], desk: &mut Desk) -> Option<usize> {
        if self.admitted.is_some() || self.is_keyed() {
            return (!self.handshakes.is_empty()).then_some(0);
        }
        let Association { begins, peer, .. } = self.wanted.clone()?;
        let hello = dtls::is_hello(datagram);
        if begins {
            let left = self.left.contains(&from) && self.described != Some(from);
            if hello || left || self.handshakes.is_empty() {
                return None; // who says hello to us was not agreed with
            }
            // Behind a router that nobody checks, the description's address is none: the answer goes to where the question
            // came from, as media does.
            (self.to, self.answered) = (Some(from), true);
            return Some(0);
        }
        if let Some(at) = self.handshakes.iter().position(|it| it.from == Some(from)) {
            return Some(at);
        }
        if !hello || self.refused.contains(&from) {
            return None;
        }
        let at = self.handshakes.iter().position(|it| it.from.is_none()).or_else(|| {
            let room = self.handshakes.len() < FORKS;
            room.then(|| {
                // What a passive side says at its beginning is nothing.
                self.begin(Role::Passive, peer, &mut Vec::new(), desk);
                self.handshakes.len() - 1
            })
        })?;
        self.handshakes[at].from = Some(from);
        Some(at)
    }

    /// He who waits for our hello has knocked: it has to go there, too, for his description's address may be none.
    pub(super) fn knocked(&mut self, from: SocketAddr, media: MediaId, desk: &mut Desk) {
        let begins = self.wanted.as_ref().is_some_and(|wanted| wanted.begins);
        if begins && self.admitted.is_none() && !self.answered && !self.left.contains(&from) {
            if self.to.is_none() {
                self.to = Some(from);
            }
            self.knocked = (self.to != Some(from)).then_some(from);
            self.may_begin(media, desk);
        }
    }

    /// Its time has come.
    pub(super) fn due(&mut self, media: MediaId, desk: &mut Desk) {
        let mut at = 0;
        while at < self.handshakes.len() {
            let (mut out, before) = (Vec::new(), self.handshakes.len());
            self.handshakes[at].handshake.tick(desk.now, &mut out);
            self.carry_out(at, out, media, desk);
            at += usize::from(self.handshakes.len() == before);
        }
        if let Some((_, reason)) = self.wrong.take_if(|(at, _)| *at <= desk.now)
            && self.handshakes.is_empty()
        {
            self.news.push_back(Keying::Failed(reason));
        }
        self.may_knock(media, desk);
        self.set_timer(media, desk);
    }

    /// Begins, if it is due: both sides have agreed, and there is a way.
    pub(super) fn may_begin(&mut self, media: MediaId, desk: &mut Desk) {
        let Some(Association { begins, peer, .. }) = self.wanted.clone() else { return };
        if self.begun || self.to.is_none() {
            return;
        }
        let role = if begins { Role::Active } else { Role::Passive };
        let mut out = Vec::new();
        self.begin(role, peer, &mut out, desk);
        self.begun = true;
        self.knock = (role == Role::Passive && self.admitted.is_none()).then_some((desk.now, 0));
        self.may_knock(media, desk);
        self.carry_out(0, out, media, desk);
        for (from, datagram) in std::mem::take(&mut self.early) {
            self.heard(from, &datagram, media, desk);
        }
    }

    fn begin(&mut self, role: Role, peer: Fingerprints, out: &mut Vec<Output>, desk: &mut Desk) {
        let seed = Some(desk.rng.bits());
        let handshake = Handshake::begin(role, &self.certificate, peer, seed, desk.now, out);
        self.handshakes.push(Shaking { from: None, handshake });
    }

    fn is_keyed(&self) -> bool {
        matches!(self.protection, Protection::Keyed { .. })
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
        let shaking = self.handshakes.iter().filter_map(|it| it.handshake.next_wake()).map(|wake| wake.at);
        let knock = self.knock.map(|(at, _)| at).filter(|_| self.begun);
        shaking.chain(knock).chain(self.wrong.as_ref().map(|(at, _)| *at)).min()
    }

    fn set_timer(&self, media: MediaId, desk: &mut Desk) {
        let timer = Timer::Keying(media);
        match self.next_wake() {
            Some(at) => desk.timers.set(timer, at),
            None => {
                desk.timers.cancel(&timer);
            }
        }
    }

    /// Does what that handshake wants done.
    fn carry_out(&mut self, at: usize, out: Vec<Output>, media: MediaId, desk: &mut Desk) {
        // Media's way, once there are keys: it may be another by then.
        let from = self.handshakes[at].from.filter(|_| self.admitted.is_none() && !self.is_keyed());
        for output in out {
            match output {
                Output::Send(bytes) => {
                    let knocked = self.knocked.filter(|_| from.is_none() && !self.answered);
                    for to in from.or(self.to).into_iter().chain(knocked) {
                        desk.media(media, MediaOrder::Ship { to, bytes: bytes.clone() });
                    }
                }
                Output::Keyed(keys) => {
                    let suite = suite(keys.profile);
                    self.protection = Protection::Keyed {
                        send: srtp(suite, &keys.send),
                        receive: srtp(suite, &keys.receive),
                    };
                    // Whoever else said hello was not meant.
                    self.handshakes.swap(0, at);
                    self.handshakes.truncate(1);
                    self.to = from.or(self.to);
                    (self.knock, self.knocked, self.wrong) = (None, None, None);
                    self.news.push_back(Keying::Done);
                }
                Output::Failed(reason) => {
                    self.failed(at, reason, desk);
                    break;
                }
                // It will send nothing more; that the call is over is for SIP to say.
                Output::Closed => {}
            }
        }
        self.set_timer(media, desk);
    }

    /// One has failed. Who has said hello from where nobody was described may be a fork that lost, or a stranger: whom we have
    /// agreed with has some time to say hello as well.
    fn failed(&mut self, at: usize, reason: Reason, desk: &Desk) {
        let Shaking { from, .. } = self.handshakes.remove(at);
        let stray = from.filter(|from| self.admitted.is_none() && self.described != Some(*from));
        let Some(stray) = stray else { return self.news.push_back(Keying::Failed(reason)) };
        remember(&mut self.refused, stray);
        if self.handshakes.is_empty() {
            self.wrong = Some((desk.now + STRAYED, reason));
        }
    }
}

/// Keeps the latest of them.
fn remember(list: &mut Vec<SocketAddr>, address: SocketAddr) {
    if !list.contains(&address) {
        if list.len() == REMEMBERED {
            list.remove(0);
        }
        list.push(address);
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
