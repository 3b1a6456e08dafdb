//! A router that translates addresses, as a pure machine: packets in, what becomes of them out.
//!
//! RFC 4787 for UDP, RFC 5382 for TCP, RFC 5128 for the words; `kind` says what there is to choose. Knows no wire: it is told
//! when a packet is at it, and from which side. A fragment, an ICMP error within, and IPv6
//! outside do not occur: what has no outside address of its family is dropped, unless the router translates (NAT64).

mod alg;
mod kind;
mod table;

pub use kind::{Alg, Allows, Dependence, Hairpin, Looks, Nat, Pooling, Ports, Tampering, Unsolicited};

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use base::{Instant, Rng};
use bytes::Bytes;
use table::{Key, Phase, Protocol, Session, Table, Toward};

/// How often a free port is drawn before the router gives up.
const DRAWS: usize = 1000;

/// The port that gateways look at.
const SIP: u16 = 5060;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A datagram.
    Udp,
    /// TCP: the first of a connection.
    Syn,
    /// TCP: the answer to it.
    SynAck,
    /// TCP: bytes, or a bare ACK.
    Data,
    /// TCP: the last bytes.
    Fin,
    /// TCP: no such connection.
    Reset,
    /// ICMP about a SYN: nobody there. Addressed as the RST would be that says the same.
    Unreachable,
}

impl Kind {
    fn protocol(self) -> Protocol {
        if self == Self::Udp { Protocol::Udp } else { Protocol::Tcp }
    }
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What it is.
    pub kind: Kind,
    /// Its source.
    pub from: SocketAddr,
    /// Its destination.
    pub to: SocketAddr,
    /// What it carries.
    pub bytes: Bytes,
}

/// Why a packet goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its kind may not leave.
    Forbidden,
    /// No outside address or port is left for it.
    Exhausted,
    /// It is part of a connection that the router does not know.
    NoConnection,
    /// The filter: nobody inside has asked for it.
    Unsolicited,
    /// From inside to inside by outside addresses.
    NoHairpin,
}

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These go on outside: the packet, or an answer to one that came from there.
    Outside(Vec<Parcel>),
    /// These go on inside.
    Inside(Vec<Parcel>),
    /// Nothing.
    Dropped(Why),
}

/// A router at work.
#[derive(Debug)]
pub struct NatBox {
    nat: Nat,
    rng: Rng,
    outside: Vec<IpAddr>,
    table: Table,
    /// Which outside address an inside one has: with paired pooling or one to one.
    paired: BTreeMap<IpAddr, IpAddr>,
    /// Who knocked at what, and when: see [`Nat::remembers_strangers`].
    strangers: BTreeMap<(Protocol, SocketAddr, SocketAddr), Instant>,
    /// SYNs (outside endpoint, from whom) that will be answered with an ICMP error, and when.
    unanswered: BTreeMap<(SocketAddr, SocketAddr), Instant>,
    dropped: BTreeMap<Why, u64>,
}

impl NatBox {
    /// A router of a kind, with its outside addresses.
    pub fn new(nat: Nat, outside: Vec<IpAddr>, rng: Rng) -> Self {
        Self {
            nat,
            rng,
            outside,
            table: Table::default(),
            paired: BTreeMap::new(),
            strangers: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            dropped: BTreeMap::new(),
        }
    }

    /// What it is like.
    pub fn nat(&self) -> &Nat {
        &self.nat
    }

    /// It is like this from now on; what it remembers it keeps.
    pub fn set_nat(&mut self, nat: Nat) {
        self.nat = nat;
    }

    /// Its outside addresses.
    pub fn outside(&self) -> &[IpAddr] {
        &self.outside
    }

    /// How many packets it has dropped, and why.
    pub fn dropped(&self, why: Why) -> u64 {
        self.dropped.get(&why).copied().unwrap_or(0)
    }

    /// How many mappings it holds, timed out ones left out.
    pub fn mappings(&mut self, now: Instant) -> usize {
        self.table.purge(&self.nat, now);
        self.table.len()
    }

    /// An inside host appears. With one to one it has its outside address from now on, and may be called.
    pub fn attach(&mut self, inside: IpAddr) {
        if self.nat.one_to_one
            && !self.paired.contains_key(&inside)
            && let Some(free) = self.outside.iter().find(|ip| !self.paired.values().any(|taken| taken == *ip))
        {
            self.paired.insert(inside, *free);
        }
    }

    /// It forgets everything, as after a power cut.
    pub fn reboot(&mut self) {
        self.table.clear();
        self.strangers.clear();
        self.unanswered.clear();
        if !self.nat.one_to_one {
            self.paired.clear();
        }
    }

    /// It gets other outside addresses and forgets the mappings to the old ones.
    pub fn rebind(&mut self, outside: Vec<IpAddr>) {
        self.reboot();
        let hosts: Vec<IpAddr> = std::mem::take(&mut self.paired).into_keys().collect();
        self.outside = outside;
        for host in hosts {
            self.attach(host);
        }
    }

    /// The inside endpoint behind an outside one, if there is one: for whoever draws pictures.
    pub fn behind(&self, outside: SocketAddr) -> Option<SocketAddr> {
        let holder =
            [Protocol::Udp, Protocol::Tcp].into_iter().find_map(|p| self.table.holders(p, outside).next());
        holder.map(|(_, inside, _)| *inside).or_else(|| self.one_to_one(outside))
    }

    fn one_to_one(&self, outside: SocketAddr) -> Option<SocketAddr> {
        let host = self.paired.iter().find(|(_, ip)| self.nat.one_to_one && **ip == outside.ip())?;
        Some(SocketAddr::new(*host.0, outside.port()))
    }

    // From inside

    /// A packet from inside.
    pub fn outbound(&mut self, parcel: Parcel, now: Instant) -> Verdict {
        self.table.purge(&self.nat, now);
        let verdict = match self.out_of_ipv6(parcel.to) {
            Some(to) => self.translate(Parcel { to, ..parcel }, now),
            None => Verdict::Dropped(Why::Forbidden),
        };
        let verdict = self.to_ipv6(verdict);
        self.count(verdict)
    }

    fn translate(&mut self, parcel: Parcel, now: Instant) -> Verdict {
        if !self.may_pass(parcel.kind, parcel.to) {
            return Verdict::Dropped(Why::Forbidden);
        }
        let opens = matches!(parcel.kind, Kind::Udp | Kind::Syn);
        let protocol = parcel.kind.protocol();
        let key = self.table.way_out(protocol, parcel.from, parcel.to).unwrap_or((
            protocol,
            parcel.from,
            Toward::new(self.nat.mapping, parcel.to),
        ));
        let known = self.table.get(&key).is_some_and(|m| m.sessions.contains_key(&parcel.to));
        if !opens && !known {
            return Verdict::Dropped(Why::NoConnection);
        }
        if self.table.get(&key).is_none() {
            let Some(outside) = self.allocate(key, parcel.to, now) else {
                return Verdict::Dropped(Why::Exhausted);
            };
            self.table.insert(key, outside, false, now);
        }
        self.note(&key, parcel.kind, parcel.to, true, now);
        let Some(outside) = self.table.get(&key).map(|m| m.outside) else {
            return Verdict::Dropped(Why::NoConnection);
        };
        self.unanswered.remove(&(outside, parcel.to));
        if self.outside.contains(&parcel.to.ip()) {
            return self.turn_round(parcel, outside, now);
        }
        let (from, to, kind) = (outside, parcel.to, parcel.kind);
        let messages = match self.alg(kind, parcel.from, parcel.to) {
            Some(tampering) => {
                let media = |inside| self.pinhole(inside, now);
                alg::outbound(tampering, &parcel.bytes, parcel.from, outside, media)
            }
            None => vec![parcel.bytes],
        };
        Verdict::Outside(messages.into_iter().map(|bytes| Parcel { kind, from, to, bytes }).collect())
    }

    fn turn_round(&mut self, parcel: Parcel, outside: SocketAddr, now: Instant) -> Verdict {
        if self.nat.hairpin == Hairpin::None {
            return Verdict::Dropped(Why::NoHairpin);
        }
        let inside = parcel.from;
        match self.admit(Parcel { from: outside, ..parcel }, now) {
            Verdict::Inside(parcels) if self.nat.hairpin == Hairpin::InsideSource => {
                Verdict::Inside(parcels.into_iter().map(|p| Parcel { from: inside, ..p }).collect())
            }
            // What the router answers itself goes back to where the packet came from.
            Verdict::Outside(answers) => {
                Verdict::Inside(answers.into_iter().map(|p| Parcel { to: inside, ..p }).collect())
            }
            other => other,
        }
    }

    /// An outside endpoint for a new mapping.
    fn allocate(&mut self, key: Key, to: SocketAddr, now: Instant) -> Option<SocketAddr> {
        let (protocol, inside, _) = key;
        let ip = if self.nat.one_to_one {
            *self.paired.get(&inside.ip())?
        } else {
            let fresh = match &self.outside[..] {
                [] => return None,
                [only] => *only,
                several => several[self.rng.below(several.len() as u64) as usize],
            };
            match self.nat.pooling {
                Pooling::Paired => *self.paired.entry(inside.ip()).or_insert(fresh),
                Pooling::Arbitrary => fresh,
            }
        };
        if ip.is_ipv4() != inside.is_ipv4() && self.nat.nat64.is_none() {
            return None;
        }
        let kept = SocketAddr::new(ip, inside.port());
        if self.nat.one_to_one {
            return Some(kept);
        }
        if self.nat.ports != Ports::Random && !self.is_taken(protocol, kept, to, now) {
            return Some(kept);
        }
        (0..DRAWS)
            .map(|_| SocketAddr::new(ip, 1024 + self.rng.below(64_512) as u16))
            .collect::<Vec<_>>()
            .into_iter()
            .find(|outside| !self.is_taken(protocol, *outside, to, now))
    }

    fn is_taken(&self, protocol: Protocol, outside: SocketAddr, to: SocketAddr, now: Instant) -> bool {
        let mut holders = self.table.holders(protocol, outside);
        if self.nat.ports == Ports::Shared {
            let limit = self.nat.remembers_strangers.unwrap_or_default();
            let knocked = self.strangers.get(&(protocol, outside, to));
            holders.any(|(.., toward)| *toward == Toward::new(self.nat.mapping, to))
                || knocked.is_some_and(|at| now.since(*at) < limit)
        } else {
            holders.next().is_some()
        }
    }

    /// A way in for media that a gateway has read of.
    fn pinhole(&mut self, inside: SocketAddr, now: Instant) -> Option<SocketAddr> {
        let key = (Protocol::Udp, inside, Toward::Anyone);
        if self.table.get(&key).is_none() {
            let outside = self.allocate(key, inside, now)?;
            self.table.insert(key, outside, true, now);
        }
        self.table.get(&key).map(|m| m.outside)
    }

    // From outside

    /// A packet from outside, to one of the outside addresses.
    pub fn inbound(&mut self, parcel: Parcel, now: Instant) -> Verdict {
        self.table.purge(&self.nat, now);
        let verdict = self.admit(parcel, now);
        let verdict = self.to_ipv6(verdict);
        self.count(verdict)
    }

    fn admit(&mut self, parcel: Parcel, now: Instant) -> Verdict {
        if !self.may_pass(parcel.kind, parcel.from) {
            return Verdict::Dropped(Why::Forbidden);
        }
        let protocol = parcel.kind.protocol();
        let mut way = self.table.admits(&self.nat, protocol, parcel.to, parcel.from);
        let opens = matches!(parcel.kind, Kind::Udp | Kind::Syn);
        if way.is_none()
            && opens
            && self.nat.filtering == Dependence::Independent
            && let Some(inside) = self.one_to_one(parcel.to)
        {
            let key = (protocol, inside, Toward::new(self.nat.mapping, parcel.from));
            self.table.insert(key, parcel.to, false, now);
            way = Some(key);
        }
        let Some(key) = way else { return self.unsolicited(&parcel, now) };
        let session = self.table.get(&key).and_then(|m| m.sessions.get(&parcel.from));
        let fits = match (parcel.kind, session.map(|s| s.phase)) {
            (Kind::Udp, _) | (Kind::Syn, None) => true,
            (Kind::Syn, Some(Phase::Asked)) => self.nat.crossing_syns,
            (_, known) => known.is_some(),
        };
        if !fits {
            return if parcel.kind == Kind::Syn {
                self.unsolicited(&parcel, now)
            } else {
                Verdict::Dropped(Why::NoConnection)
            };
        }
        let outside = parcel.to;
        self.note(&key, parcel.kind, parcel.from, false, now);
        let (from, to, kind) = (parcel.from, key.1, parcel.kind);
        let messages = match self.alg(kind, to, parcel.from) {
            Some(tampering) => alg::inbound(tampering, &parcel.bytes, to, outside),
            None => vec![parcel.bytes],
        };
        Verdict::Inside(messages.into_iter().map(|bytes| Parcel { kind, from, to, bytes }).collect())
    }

    fn unsolicited(&mut self, parcel: &Parcel, now: Instant) -> Verdict {
        if self.nat.remembers_strangers.is_some() {
            self.strangers.insert((parcel.kind.protocol(), parcel.to, parcel.from), now);
        }
        match (parcel.kind, self.nat.unsolicited) {
            (Kind::Syn, Unsolicited::Reset) => {
                Verdict::Outside(vec![answer(parcel.to, parcel.from, Kind::Reset)])
            }
            (Kind::Syn, Unsolicited::Unreachable(after)) => {
                self.unanswered.entry((parcel.to, parcel.from)).or_insert(now + after);
                Verdict::Dropped(Why::Unsolicited)
            }
            (Kind::Syn, Unsolicited::Drop) | (Kind::Udp, _) => Verdict::Dropped(Why::Unsolicited),
            (Kind::SynAck | Kind::Data | Kind::Fin | Kind::Reset | Kind::Unreachable, _) => {
                Verdict::Dropped(Why::NoConnection)
            }
        }
    }

    /// When the router wants to say something by itself.
    pub fn next_due(&self) -> Option<Instant> {
        self.unanswered.values().min().copied()
    }

    /// What it says to the outside by now.
    pub fn due(&mut self, now: Instant) -> Vec<Parcel> {
        let due: Vec<_> = self.unanswered.iter().filter(|(_, at)| **at <= now).map(|(who, _)| *who).collect();
        due.into_iter()
            .map(|who| {
                self.unanswered.remove(&who);
                answer(who.0, who.1, Kind::Unreachable)
            })
            .collect()
    }

    // Both ways

    fn may_pass(&self, kind: Kind, peer: SocketAddr) -> bool {
        match self.nat.allows {
            Allows::Everything => true,
            Allows::NoUdp => kind != Kind::Udp,
            Allows::OnlyTcp443 => kind != Kind::Udp && peer.port() == 443,
        }
    }

    /// Remembers that a packet passed.
    fn note(&mut self, key: &Key, kind: Kind, peer: SocketAddr, outward: bool, now: Instant) {
        let refreshes = outward || self.nat.inbound_refreshes;
        let Some(mapping) = self.table.get_mut(key) else { return };
        if kind == Kind::Udp {
            mapping.replied |= !outward;
            mapping.settled |= outward && mapping.replied && now.since(mapping.born) > kind::SETTLED;
            if refreshes {
                mapping.last = now;
                mapping.sessions.insert(peer, Session { last: now, phase: Phase::Datagrams });
            }
            return;
        }
        let before = mapping.sessions.get(&peer).map(|s| s.phase);
        let phase = match (kind, before) {
            (Kind::Reset, _) => {
                mapping.sessions.remove(&peer);
                return;
            }
            // RFC 4787 REQ-12: an ICMP error ends nothing.
            (Kind::Unreachable, _) => return,
            // The same endpoints again are a new connection.
            (Kind::Syn, before) if !outward && before != Some(Phase::Asked) => Phase::Called,
            (Kind::Syn, _) => Phase::Asked,
            (Kind::SynAck, before) => before.unwrap_or(Phase::Asked),
            (Kind::Fin, _) | (Kind::Data, Some(Phase::Closing)) => Phase::Closing,
            (Kind::Data | Kind::Udp, _) => Phase::Open,
        };
        mapping.sessions.insert(peer, Session { last: now, phase });
    }

    /// Whom an inside host means by an address: a translator's are IPv4 in disguise, and others it does not serve.
    fn out_of_ipv6(&self, to: SocketAddr) -> Option<SocketAddr> {
        match (self.nat.nat64, to.ip()) {
            (Some(prefix), IpAddr::V6(ip)) => Some(SocketAddr::new(prefix.extract(ip)?.into(), to.port())),
            (Some(_), IpAddr::V4(_)) => None,
            (None, _) => Some(to),
        }
    }

    /// What goes inside comes from an address that the inside can answer to.
    fn to_ipv6(&self, verdict: Verdict) -> Verdict {
        match (self.nat.nat64, verdict) {
            (Some(prefix), Verdict::Inside(parcels)) => {
                let translated = |p: Parcel| Some(Parcel { from: prefix.endpoint(p.from)?, ..p });
                Verdict::Inside(parcels.into_iter().filter_map(translated).collect())
            }
            (_, verdict) => verdict,
        }
    }

    fn alg(&self, kind: Kind, inside: SocketAddr, peer: SocketAddr) -> Option<Tampering> {
        let alg = self.nat.alg?;
        let looks = kind == Kind::Udp || (kind == Kind::Data && alg.tcp);
        let end = match alg.looks {
            Looks::AtServers => peer,
            Looks::AtPhones => inside,
        };
        (looks && end.port() == SIP).then_some(alg.tampering)
    }

    fn count(&mut self, verdict: Verdict) -> Verdict {
        if let Verdict::Dropped(why) = &verdict {
            *self.dropped.entry(*why).or_default() += 1;
        }
        verdict
    }
}

fn answer(from: SocketAddr, to: SocketAddr, kind: Kind) -> Parcel {
    Parcel { kind, from, to, bytes: Bytes::new() }
}

#[cfg(test)]
mod tests;
