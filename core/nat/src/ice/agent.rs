//! The agent of one component. See the module above for whose part is whose.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::{Instant, Rng, system};
use bytes::{Bytes, BytesMut};
use rtc_ice::agent::agent_config::AgentConfig;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol as _;

use super::consent::{Consent, Due};
use super::words::{Check, Counts, Event, Pair};
use super::{Credentials, converted, crypto};
use crate::address::may_reach;
use crate::stun::{Attribute, Class, Key, Message, Method, TransactionId, Writer, attribute};
use crate::{Candidate, Carrier, Kind};

/// Rounds of checks, since the first or since new candidates: soon at first, for a check that was dropped opens our own side.
const ROUNDS: [u64; 14] = [0, 50, 100, 200, 300, 450, 650, 900, 1200, 1600, 2200, 3000, 4000, 5000];
/// Behind those, for as long as nothing was found.
const LATER: Duration = Duration::from_secs(1);
/// Two rounds are never closer. RFC 8445 section 14.2 asks for 5 ms and more between two checks; a round has a few.
const CLOSEST: Duration = Duration::from_millis(20);
/// Without any pair by then, it has failed. RFC 8445 section 14.3 would have a single check wait for 39.5 s (500 ms, doubled
/// six times, and 16 of the first); it is there for a check that is sent seven times, and by now each pair was asked twenty times,
/// and punching has ended (10 s). Shorter is no better: the other side may begin as late as its ACK, or our answer's fourth
/// repetition, comes (7.5 s); and what follows, the plain way, reaches hardly anybody whom no check has reached. Nobody hangs on
/// in silence for longer.
const GIVE_UP: Duration = Duration::from_secs(12);
/// A relayed pair is chosen only when nothing better was found by then. It may carry meanwhile.
const RELAY_WAITS: Duration = Duration::from_millis(1500);
/// Their candidates that are used, and addresses that are learnt from their checks. RFC 8445 section 6.1.2.5 says 100 pairs.
const MOST_THEIRS: usize = 24;
/// Checks that came before the description that tells whose they are.
const MOST_EARLY: usize = 8;
/// Checks of ours whose answers are waited for.
const MOST_PENDING: usize = 256;
/// A check is not answered after so long: the crate below forgets it too.
const PENDING_FOR: Duration = Duration::from_secs(4);

/// The attributes of a check that must be understood. RFC 8445 section 7.1.
const KNOWN: [Attribute; 10] = [
    attribute::USERNAME,
    attribute::MESSAGE_INTEGRITY,
    attribute::MESSAGE_INTEGRITY_SHA256,
    attribute::PRIORITY,
    attribute::USE_CANDIDATE,
    attribute::ERROR_CODE,
    attribute::MAPPED_ADDRESS,
    attribute::XOR_MAPPED_ADDRESS,
    attribute::REALM,
    attribute::NONCE,
];

/// A check of ours that was not answered yet.
struct Pending {
    id: TransactionId,
    local: SocketAddr,
    tcp: bool,
    to: SocketAddr,
    as_controlling: bool,
    at: Instant,
}

/// One component's agent.
pub struct Agent {
    inner: rtc_ice::agent::Agent,
    /// Who gives way when both want the same role.
    tie: u64,
    rng: Rng,
    ours: Credentials,
    theirs: Option<Credentials>,
    locals: Vec<Candidate>,
    remotes: Vec<Candidate>,
    early: Vec<(SocketAddr, bool, SocketAddr, Bytes)>,
    pending: VecDeque<Pending>,
    began: Instant,
    /// Since the first round of those under way.
    rounds_since: Instant,
    round: usize,
    next_round: Option<Instant>,
    last_round: Option<Instant>,
    usable: Option<Pair>,
    chosen: Option<Pair>,
    consent: Option<Consent>,
    failed: bool,
    out: VecDeque<Check>,
    events: VecDeque<Event>,
    admitted: VecDeque<SocketAddr>,
    counts: Counts,
}

impl Agent {
    /// One that knows nobody yet. `controlling`: who offers, or whose other side is lite (RFC 8445 section 6.1.1).
    pub fn new(controlling: bool, mut rng: Rng, now: Instant) -> Self {
        let (ours, tie) = (Credentials::draw(&mut rng), rng.bits());
        Self::of(ours, tie, controlling, rng, now)
    }

    /// That of another component of the same stream: known by the same credentials, and of the same role.
    pub fn beside(&self, rng: Rng, now: Instant) -> Self {
        Self::of(self.ours.clone(), self.tie, self.is_controlling(), rng, now)
    }

    fn of(ours: Credentials, tie: u64, controlling: bool, mut rng: Rng, now: Instant) -> Self {
        let config = AgentConfig {
            local_ufrag: ours.fragment.clone(),
            local_pwd: ours.password.expose().clone(),
            multicast_dns_mode: rtc_ice::mdns::MulticastDnsMode::Disabled,
            disconnected_timeout: Some(Duration::ZERO),
            failed_timeout: Some(Duration::ZERO),
            keepalive_interval: Some(Duration::ZERO),
            check_interval: CLOSEST,
            max_binding_requests: Some(u16::MAX - 1),
            is_controlling: controlling,
            host_acceptance_min_wait: Some(Duration::ZERO),
            srflx_acceptance_min_wait: Some(Duration::ZERO),
            prflx_acceptance_min_wait: Some(Duration::ZERO),
            relay_acceptance_min_wait: Some(RELAY_WAITS),
            ..AgentConfig::default()
        };
        let provider = crypto::provider(tie, rng.split());
        let inner = rtc_ice::agent::Agent::new(system::to_std(now), Arc::new(config), provider)
            .expect("our credentials are long enough and we ask for nothing else");
        Self {
            inner,
            tie,
            rng,
            ours,
            theirs: None,
            locals: Vec::new(),
            remotes: Vec::new(),
            early: Vec::new(),
            pending: VecDeque::new(),
            began: now,
            rounds_since: now,
            round: 0,
            next_round: None,
            last_round: None,
            usable: None,
            chosen: None,
            consent: None,
            failed: false,
            out: VecDeque::new(),
            events: VecDeque::new(),
            admitted: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// What the other side's checks must be signed with.
    pub fn credentials(&self) -> &Credentials {
        &self.ours
    }

    /// Whether we choose the pair.
    pub fn is_controlling(&self) -> bool {
        self.inner.role()
    }

    #[cfg(test)]
    pub(super) fn tie_breaker(&self) -> u64 {
        self.tie
    }

    /// What was dropped.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The pair in use: the chosen one, else the best that carries.
    pub fn pair(&self) -> Option<Pair> {
        self.chosen.or(self.usable)
    }

    /// Whether a pair was chosen.
    pub fn is_settled(&self) -> bool {
        self.chosen.is_some()
    }

    /// The round trip of the pair in use, by its last check of consent.
    pub fn round_trip(&self) -> Option<Duration> {
        self.consent.as_ref()?.round_trip()
    }

    /// An address of ours to check from: a host's, a relay's, or that of a stream which is open. Others are passed over.
    pub fn add_ours(&mut self, candidate: &Candidate, now: Instant) {
        if let Some(made) = converted::ours(candidate)
            && self.inner.add_local_candidate(made).is_ok_and(|added| added)
        {
            self.locals.push(candidate.clone());
            self.begin_rounds(now);
        }
    }

    /// An address of theirs. One that cannot be used, or that a stranger should not have us send to, is counted.
    pub fn add_theirs(&mut self, candidate: &Candidate, now: Instant) {
        let ours = self.locals.iter().find(|c| c.address.is_ipv4() == candidate.address.is_ipv4());
        let fits = ours.is_none_or(|ours| may_reach(ours.address.ip(), candidate.address));
        // The crate below finds theirs by address alone, whatever carries it.
        let known = self.remotes.iter().any(|known| known.address == candidate.address);
        if !fits || known || self.remotes.len() >= MOST_THEIRS {
            self.counts.candidates += u64::from(!known);
            return;
        }
        if let Some(made) = converted::theirs(candidate)
            && self.inner.add_remote_candidate(made).is_ok_and(|added| added)
        {
            self.remotes.push(candidate.clone());
            self.begin_rounds(now);
        }
    }

    /// A message with late addresses came that is about no present generation of theirs.
    pub fn drop_stale(&mut self) {
        self.counts.stale += 1;
    }

    /// The other side is known: checks begin.
    pub fn start(&mut self, theirs: Credentials, now: Instant) {
        if !theirs.are_sound() {
            return self.fail();
        }
        let (fragment, password) = (theirs.fragment.clone(), theirs.password.expose().clone());
        let controlling = self.inner.role();
        if self.inner.start_connectivity_checks(system::to_std(now), controlling, fragment, password).is_err()
        {
            return self.fail();
        }
        self.theirs = Some(theirs);
        self.began = now;
        self.begin_rounds(now);
        for (local, tcp, from, bytes) in std::mem::take(&mut self.early) {
            self.heard(local, tcp, from, &bytes, now);
        }
    }

    /// Who chooses, as the description says. RFC 8445 section 6.1.1.
    pub fn set_controlling(&mut self, on: bool) {
        self.inner.set_role(on);
    }

    /// The role that another component has come to: it is one for all of a call. RFC 8445 section 6.1.1.
    pub fn follow_role(&mut self, on: bool, now: Instant) {
        if self.inner.role() != on {
            self.inner.set_role(on);
            self.begin_rounds(now);
        }
    }

    /// Begins anew, with fresh credentials and no candidates of theirs; ours stay. The pair in use stays in use until
    /// another is found. RFC 8445 section 9.
    pub fn restart(&mut self, now: Instant) {
        let fresh = Credentials::draw(&mut self.rng);
        self.restart_as(fresh, now);
    }

    /// The same with the credentials of another component.
    pub fn restart_as(&mut self, fresh: Credentials, now: Instant) {
        self.ours = fresh;
        self.forget_theirs(now);
    }

    /// Another side, which knows us by the same description: a further leg of a fork.
    pub fn forget_theirs(&mut self, now: Instant) {
        let (fragment, password) = (self.ours.fragment.clone(), self.ours.password.expose().clone());
        // All of ours are forgotten below and told again: those that are gone meanwhile are not.
        self.inner
            .restart(system::to_std(now), fragment, password, false)
            .expect("our credentials are long enough");
        for candidate in &self.locals {
            let _ = converted::ours(candidate).map(|made| self.inner.add_local_candidate(made));
        }
        self.theirs = None;
        self.remotes.clear();
        self.early.clear();
        self.pending.clear();
        (self.usable, self.chosen, self.consent) = (None, None, None);
        self.failed = false;
        self.next_round = None;
        while self.inner.poll_write().is_some() || self.inner.poll_event().is_some() {}
    }

    /// An address of ours is gone.
    pub fn remove_ours(&mut self, local: SocketAddr, tcp: bool) {
        self.locals.retain(|known| known.address != local || (known.carrier != Carrier::Udp) != tcp);
    }

    /// The way in use is suspected: it is asked at once and often, and either answers or is [`Event::Dead`].
    pub fn suspect(&mut self, now: Instant) {
        if let Some(consent) = &mut self.consent {
            consent.suspect(now);
        }
    }

    /// A message came to an address of ours. False: it is none of ours, and nobody's check.
    pub fn heard(
        &mut self,
        local: SocketAddr,
        tcp: bool,
        from: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> bool {
        let Ok(message) = Message::read(bytes) else {
            self.counts.malformed += 1;
            return false;
        };
        // The crate below reads the same bytes again and would take an unsigned USE-CANDIDATE for theirs.
        if message.method() != Method::Binding || message.has_unsigned_tail() {
            self.counts.malformed += 1;
            return false;
        }
        match message.class() {
            Class::Request => self.asked(local, tcp, from, &message, now),
            Class::Success | Class::Error => self.answered(local, tcp, from, &message, now),
            // Keeps a binding open, no more. RFC 8445 section 11.
            Class::Indication => {}
        }
        true
    }

    fn asked(&mut self, local: SocketAddr, tcp: bool, from: SocketAddr, message: &Message, now: Instant) {
        let name = message.text(attribute::USERNAME).unwrap_or("");
        let right = match (&self.theirs, name.split_once(':')) {
            (Some(theirs), Some((us, them))) => us == self.ours.fragment && them == theirs.fragment,
            (None, Some((us, _))) => us == self.ours.fragment,
            (_, None) => false,
        };
        let key = Key::short_term(self.ours.password.expose());
        if !right || message.written_by(&key).is_none() {
            self.counts.forged += 1;
            return;
        }
        let unknown = message.unknown_to(&KNOWN);
        if !unknown.is_empty() {
            let list: Vec<u8> = unknown.iter().take(16).flat_map(|kind| kind.to_be_bytes()).collect();
            let answer = Writer::error(message, 420, "Unknown Attribute");
            let bytes = answer.value(attribute::UNKNOWN_ATTRIBUTES, &list).signed_with_fingerprint(&key);
            self.out.push_back(Check { local, tcp, to: from, bytes });
            return;
        }
        if self.theirs.is_none() {
            if self.early.len() < MOST_EARLY {
                self.early.push((local, tcp, from, Bytes::copy_from_slice(message.bytes())));
            }
            return;
        }
        if !self.has_other_role(message, now) {
            let bytes = Writer::error(message, 487, "Role Conflict").signed_with_fingerprint(&key);
            self.out.push_back(Check { local, tcp, to: from, bytes });
            return;
        }
        let inner = self.inner.get_remote_candidates();
        let new = !inner.iter().any(|known| known.addr() == from);
        if new && (inner.len() >= MOST_THEIRS * 2 || !may_reach(local.ip(), from)) {
            self.counts.candidates += 1;
            return;
        }
        self.give(local, tcp, from, message, now);
        // A check that came means that ours can go: at once rather than with the next round. RFC 8445 section 7.3.1.4.
        if !self.is_settled() && self.usable.is_none_or(|pair| pair.remote != from) {
            let soon = self.last_round.map_or(now, |last| (last + CLOSEST).max(now));
            self.next_round = Some(self.next_round.map_or(soon, |next| next.min(soon)));
        }
    }

    /// Settles who chooses when both want to, or neither does; false: the other side is to give way. RFC 8445 section 7.3.1.1.
    /// Not left to the crate below, which gives way and asks the other side to do so too.
    fn has_other_role(&mut self, message: &Message, now: Instant) -> bool {
        let controlling = self.inner.role();
        let same = if controlling { attribute::ICE_CONTROLLING } else { attribute::ICE_CONTROLLED };
        let Some(theirs) = message.value(same) else { return true };
        self.counts.conflicts += 1;
        let stronger = <[u8; 8]>::try_from(theirs).is_ok_and(|tie| self.tie >= u64::from_be_bytes(tie));
        if stronger == controlling {
            return false;
        }
        self.inner.set_role(!controlling);
        self.begin_rounds(now);
        true
    }

    fn answered(&mut self, local: SocketAddr, tcp: bool, from: SocketAddr, message: &Message, now: Instant) {
        let Some(theirs) = &self.theirs else {
            self.counts.unasked += 1;
            return;
        };
        if message.written_by(&Key::short_term(theirs.password.expose())).is_none() {
            self.counts.forged += 1;
            return;
        }
        let in_use = self.pair().is_some_and(|p| (p.local, p.tcp, p.remote) == (local, tcp, from));
        if in_use
            && message.class() == Class::Success
            && let Some(consent) = &mut self.consent
            && consent.answered(message.id(), now)
        {
            return;
        }
        // What answers from elsewhere, or to elsewhere, has shown no way there and back. RFC 8445 section 7.2.5.2.1.
        let is_it = |it: &Pending| it.id == message.id() && (it.local, it.tcp, it.to) == (local, tcp, from);
        let Some(at) = self.pending.iter().position(is_it) else {
            self.counts.unasked += 1;
            return;
        };
        let Some(Pending { as_controlling, .. }) = self.pending.remove(at) else { return };
        if message.class() == Class::Error {
            // RFC 8445 section 7.2.5.1. Not when we have switched since.
            if message.error() == Some(487) && as_controlling == self.inner.role() {
                self.counts.conflicts += 1;
                self.inner.set_role(!as_controlling);
                self.begin_rounds(now);
            }
            return;
        }
        self.give(local, tcp, from, message, now);
        let mapped = message.mapped().unwrap_or(local);
        if let Some(pair) = self.pair_of(local, tcp, from, mapped) {
            if !self.is_settled() && self.usable.is_none_or(|best| best.rank() < pair.rank()) {
                self.usable = Some(pair);
                self.events.push_back(Event::Usable(pair));
                self.consent = Some(Consent::new(now, &mut self.rng));
            } else if let Some(usable) = &mut self.usable
                && (usable.local, usable.remote, usable.tcp) == (local, from, tcp)
            {
                usable.mapped = mapped;
            }
        }
        // The choice is made in a round, which need not wait.
        if !self.is_settled() {
            let soon = self.last_round.map_or(now, |last| (last + CLOSEST).max(now));
            self.next_round = Some(self.next_round.map_or(soon, |next| next.min(soon)));
        }
    }

    fn pair_of(&self, local: SocketAddr, tcp: bool, remote: SocketAddr, mapped: SocketAddr) -> Option<Pair> {
        let is_it = |c: &&Candidate| c.address == local && (c.carrier != Carrier::Udp) == tcp;
        let local_kind = self.locals.iter().find(is_it)?.kind;
        let theirs = self.remotes.iter().find(|c| c.address == remote);
        let remote_kind = theirs.map_or(Kind::PeerReflexive, |c| c.kind);
        Some(Pair { local, local_kind, remote, remote_kind, tcp, mapped })
    }

    /// Hands an authenticated message to the crate below and takes what comes of it.
    fn give(&mut self, local: SocketAddr, tcp: bool, from: SocketAddr, message: &Message, now: Instant) {
        let transport = TransportContext {
            local_addr: local,
            peer_addr: from,
            ecn: None,
            transport_protocol: if tcp { TransportProtocol::TCP } else { TransportProtocol::UDP },
        };
        let bytes = BytesMut::from(message.bytes());
        if self.admitted.back() != Some(&from) && self.admitted.len() < MOST_THEIRS {
            self.admitted.push_back(from);
        }
        // What it refuses it has said in its log; it is nothing to us.
        let _ =
            self.inner.handle_read(TaggedBytesMut { now: system::to_std(now), transport, message: bytes });
        self.collect(now);
    }

    fn collect(&mut self, now: Instant) {
        while let Some(written) = self.inner.poll_write() {
            let bytes = written.message.freeze();
            let tcp = written.transport.transport_protocol == TransportProtocol::TCP;
            let (local, to) = (written.transport.local_addr, written.transport.peer_addr);
            if let Ok(message) = Message::read(&bytes)
                && message.class() == Class::Request
            {
                if self.pending.len() == MOST_PENDING {
                    self.pending.pop_front();
                }
                let (id, as_controlling) = (message.id(), self.inner.role());
                self.pending.push_back(Pending { id, local, tcp, to, as_controlling, at: now });
            }
            self.out.push_back(Check { local, tcp, to, bytes });
        }
        self.pending.retain(|it| now.since(it.at) < PENDING_FOR);
        while let Some(told) = self.inner.poll_event() {
            if let rtc_ice::agent::Event::SelectedCandidatePairChange(local, remote) = told.event {
                let (tcp, at) = (local.network_type().is_tcp(), local.addr());
                let mapped = self.usable.filter(|u| u.local == at && u.tcp == tcp).map_or(at, |u| u.mapped);
                if let Some(pair) = self.pair_of(at, tcp, remote.addr(), mapped) {
                    self.chosen = Some(pair);
                    self.next_round = None;
                    self.consent = Some(Consent::new(now, &mut self.rng));
                    self.events.push_back(Event::Chosen(pair));
                }
            }
        }
    }

    fn begin_rounds(&mut self, now: Instant) {
        if self.theirs.is_some() && !self.is_settled() && !self.failed {
            (self.rounds_since, self.round) = (now, 0);
            self.next_round = Some(self.last_round.map_or(now, |last| (last + CLOSEST).max(now)));
        }
    }

    fn fail(&mut self) {
        if !self.failed {
            self.failed = true;
            self.next_round = None;
            self.events.push_back(Event::Failed);
        }
    }

    /// When it wants to be told the time.
    pub fn next_wake(&self) -> Option<Instant> {
        let consent = self.consent.as_ref().and_then(Consent::next);
        [self.next_round, consent].into_iter().flatten().min()
    }

    /// The time has come.
    pub fn due(&mut self, now: Instant) {
        if self.next_round.is_some_and(|at| at <= now) {
            self.do_round(now);
        }
        let Some(consent) = &mut self.consent else { return };
        match consent.due(now, &mut self.rng) {
            Due::Nothing => {}
            Due::Check(id) => self.ask_consent(id),
            Due::Dead => self.events.push_back(Event::Dead),
            Due::Expired => self.events.push_back(Event::Expired),
        }
    }

    fn do_round(&mut self, now: Instant) {
        if now.since(self.began) > GIVE_UP && self.usable.is_none() {
            self.fail();
            return;
        }
        self.last_round = Some(now);
        let _ = self.inner.handle_timeout(system::to_std(now));
        self.collect(now);
        if self.is_settled() {
            return;
        }
        let steps = ROUNDS.iter().map(|ms| self.rounds_since + Duration::from_millis(*ms));
        let next = steps.skip(self.round).find(|at| now + CLOSEST <= *at);
        self.round = (self.round + 1).min(ROUNDS.len());
        self.next_round = Some(next.unwrap_or(now + LATER));
    }

    fn ask_consent(&mut self, id: TransactionId) {
        let (Some(pair), Some(theirs)) = (self.pair(), &self.theirs) else { return };
        let role = if self.inner.role() { attribute::ICE_CONTROLLING } else { attribute::ICE_CONTROLLED };
        let is_it = |c: &&Candidate| c.address == pair.local && (c.carrier != Carrier::Udp) == pair.tcp;
        let priority = self.locals.iter().find(is_it).map_or(1, Candidate::reflexive_priority);
        let writer = Writer::request(Method::Binding, id)
            .text(attribute::USERNAME, &format!("{}:{}", theirs.fragment, self.ours.fragment))
            .long_number(role, self.tie)
            .number(attribute::PRIORITY, priority);
        let bytes = writer.signed_with_fingerprint(&Key::short_term(theirs.password.expose()));
        self.out.push_back(Check { local: pair.local, tcp: pair.tcp, to: pair.remote, bytes });
    }

    /// The next message to send.
    pub fn poll_send(&mut self) -> Option<Check> {
        self.out.pop_front()
    }

    /// An address from which somebody has shown that they know our secret; each is told at least once.
    pub fn poll_admitted(&mut self) -> Option<SocketAddr> {
        self.admitted.pop_front()
    }

    /// What became of it.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

/// Only how far it is: what is inside is secret.
impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("pair", &self.pair())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
