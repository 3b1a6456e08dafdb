//! A relay for the simulator: a TURN server as a plain machine.
//!
//! RFC 8656 for datagrams, clients by datagrams or by a stream whose messages are whole already; RFC 8489 section 9.2 with both
//! hashes; RFC 8016, but what comes for a client that moved goes to its new place at once. It enforces what a strict server
//! does: permissions, channel numbers, users, nonces of one address, lifetimes. No streams to peers. Written to disagree with
//! the client where that is wrong, so it shares with it the encoding of messages and nothing else.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{Instant, Rng, Secret};
use nat::channel;
use nat::stun::{Algorithm, Class, Key, Message, Method, TransactionId, Writer, attribute};

/// How long a permission lasts. RFC 8656 section 9.
const PERMISSION: Duration = Duration::from_secs(300);
/// How long a channel lasts. RFC 8656 section 12.
const CHANNEL: Duration = Duration::from_secs(600);
/// An allocation lasts at least this. RFC 8656 section 7.2.
const LIFETIME: Duration = Duration::from_secs(600);
/// The relayed ports. RFC 8656 section 7.2.
const PORTS: std::ops::Range<u16> = 49_152..65_535;
/// SHA-256, then MD5. RFC 8489 section 18.5.
const ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];

/// By which way a client talks to a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
}

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Out {
    /// The relay's address, or a relayed one.
    pub from: SocketAddr,
    /// A client, or a peer.
    pub to: SocketAddr,
    /// To peers always datagrams.
    pub via: Via,
    /// One whole message.
    pub bytes: Vec<u8>,
}

/// What a relay is like.
#[derive(Clone, Debug)]
pub struct Policy {
    /// For how long a nonce is good; `None`: for ever.
    pub nonce: Option<Duration>,
    /// Offers SHA-256. RFC 8489 section 9.2.4.
    pub sha256: bool,
    /// Gives tickets.
    pub mobility: bool,
    /// The longest an allocation lasts at once.
    pub lifetime: Duration,
    /// The most allocations of one user.
    pub quota: usize,
    /// The most of all.
    pub capacity: usize,
    /// The address that is relayed in IPv6, if any.
    pub six: Option<IpAddr>,
    /// Whom nobody may talk to.
    pub forbidden: Vec<IpAddr>,
    /// Sends everybody there.
    pub elsewhere: Option<SocketAddr>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            nonce: None,
            sha256: true,
            mobility: true,
            lifetime: Duration::from_secs(3600),
            quota: 10,
            capacity: 1000,
            six: None,
            forbidden: Vec::new(),
            elsewhere: None,
        }
    }
}

type Client = (SocketAddr, Via);

#[derive(Debug)]
struct Allocation {
    user: String,
    asked: TransactionId,
    relayed: Vec<SocketAddr>,
    expires: Instant,
    permissions: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<u16, (SocketAddr, Instant)>,
    ticket: Option<[u8; 16]>,
    /// Replaced by that one: a repeated request may still show it. RFC 8016 section 3.2.2.
    old_ticket: Option<[u8; 16]>,
}

impl Allocation {
    fn permits(&self, ip: IpAddr, now: Instant) -> bool {
        self.permissions.get(&ip).is_some_and(|until| *until > now)
    }

    fn from(&self, peer: SocketAddr) -> Option<SocketAddr> {
        self.relayed.iter().copied().find(|it| it.is_ipv4() == peer.is_ipv4())
    }
}

/// Who asks, and how the answer is signed.
struct Who {
    user: String,
    key: Key,
    algorithm: Algorithm,
}

/// A relay.
#[derive(Debug)]
pub struct Relay {
    /// What it is like; may be changed at any time.
    pub policy: Policy,
    address: SocketAddr,
    users: BTreeMap<String, String>,
    rng: Rng,
    nonces: BTreeMap<Client, (String, Instant)>,
    allocations: BTreeMap<Client, Allocation>,
}

/// The realm of its users.
const REALM: &str = "relay.test";

impl Relay {
    /// One that listens there and relays from the same address, with users and their passwords.
    pub fn new(address: SocketAddr, users: &[(&str, &str)], rng: Rng) -> Self {
        Self {
            policy: Policy::default(),
            address,
            users: users.iter().map(|(user, word)| ((*user).to_owned(), (*word).to_owned())).collect(),
            rng,
            nonces: BTreeMap::new(),
            allocations: BTreeMap::new(),
        }
    }

    /// A whole message of a client came.
    pub fn received(&mut self, from: SocketAddr, bytes: &[u8], via: Via, now: Instant) -> Vec<Out> {
        self.allocations.retain(|_, it| it.expires > now);
        let client = (from, via);
        if let Some((number, data)) = channel::read(bytes) {
            let allocation = self.allocations.get(&client);
            let peer = allocation.and_then(|it| it.channels.get(&number)).filter(|(_, until)| *until > now);
            return peer.map_or_else(Vec::new, |(peer, _)| self.relay(client, *peer, data, now));
        }
        let Ok(message) = Message::read(bytes) else { return Vec::new() };
        match (message.class(), message.method()) {
            (Class::Indication, Method::Send) => {
                let peer = message.hidden_address(attribute::XOR_PEER_ADDRESS);
                let both = peer.zip(message.value(attribute::DATA));
                both.map_or_else(Vec::new, |(peer, data)| self.relay(client, peer, data, now))
            }
            (Class::Request, Method::Binding) => {
                let seen = Writer::success(&message).hidden_address(attribute::XOR_MAPPED_ADDRESS, from);
                vec![self.out(client, seen.unsigned().to_vec())]
            }
            (Class::Request, _) => {
                let answer = self.asked(client, &message, now);
                vec![self.out(client, answer)]
            }
            _ => Vec::new(),
        }
    }

    /// A datagram came to a relayed address.
    pub fn arrived(&self, at: SocketAddr, from: SocketAddr, data: &[u8], now: Instant) -> Vec<Out> {
        let mut held = self.allocations.iter().filter(|(_, it)| it.relayed.contains(&at) && it.expires > now);
        let Some((client, allocation)) = held.next().filter(|(_, it)| it.permits(from.ip(), now)) else {
            return Vec::new();
        };
        let channel = allocation.channels.iter().find(|(_, (peer, until))| *peer == from && *until > now);
        let bytes = if let Some((number, _)) = channel {
            let mut bytes = Vec::new();
            channel::write(*number, data, &mut bytes).expect("a datagram fits a channel");
            bytes
        } else {
            let writer = Writer::new(Class::Indication, Method::Data, TransactionId([0; 12]))
                .hidden_address(attribute::XOR_PEER_ADDRESS, from)
                .value(attribute::DATA, data);
            writer.unsigned().to_vec()
        };
        vec![self.out(*client, bytes)]
    }

    /// The relayed addresses: datagrams to them are for [`Self::arrived`].
    pub fn relayed(&self) -> impl Iterator<Item = SocketAddr> {
        self.allocations.values().flat_map(|it| it.relayed.iter().copied())
    }

    /// Loses all it knows: it was started again.
    pub fn restart(&mut self) {
        self.allocations.clear();
        self.nonces.clear();
    }

    fn out(&self, (to, via): Client, bytes: Vec<u8>) -> Out {
        Out { from: self.address, to, via, bytes }
    }

    fn relay(&self, client: Client, peer: SocketAddr, data: &[u8], now: Instant) -> Vec<Out> {
        let allocation = self.allocations.get(&client).filter(|it| it.permits(peer.ip(), now));
        let from = allocation.and_then(|it| it.from(peer));
        from.map(|from| Out { from, to: peer, via: Via::Udp, bytes: data.to_vec() }).into_iter().collect()
    }

    fn asked(&mut self, client: Client, message: &Message, now: Instant) -> Vec<u8> {
        if let (Method::Allocate, Some(place)) = (message.method(), self.policy.elsewhere) {
            let error = Writer::error(message, 300, "Try Alternate");
            return error.plain_address(attribute::ALTERNATE_SERVER, place).unsigned().to_vec();
        }
        let who = match self.authenticate(client, message, now) {
            Ok(who) => who,
            Err(refusal) => return refusal,
        };
        let done = match message.method() {
            Method::Allocate => self.allocate(client, message, &who, now),
            Method::Refresh => self.refresh(client, message, &who, now),
            Method::CreatePermission => self.permit(client, message, &who, now),
            Method::ChannelBind => self.bind(client, message, &who, now),
            _ => Err(400),
        };
        let answer = done.unwrap_or_else(|code| Writer::error(message, code, "no"));
        answer.signed(&who.key, who.algorithm).to_vec()
    }

    /// In the order of RFC 8489 section 9.2.4.
    fn authenticate(&mut self, client: Client, message: &Message, now: Instant) -> Result<Who, Vec<u8>> {
        let signed =
            message.has(attribute::MESSAGE_INTEGRITY) || message.has(attribute::MESSAGE_INTEGRITY_SHA256);
        if !signed {
            return Err(self.challenge(client, message, 401, now));
        }
        let bad = || Writer::error(message, 400, "Bad Request").unsigned().to_vec();
        let (Some(user), Some(realm), Some(nonce)) = (
            message.text(attribute::USERNAME),
            message.text(attribute::REALM),
            message.text(attribute::NONCE),
        ) else {
            return Err(bad());
        };
        let lists =
            (message.value(attribute::PASSWORD_ALGORITHMS), message.value(attribute::PASSWORD_ALGORITHM));
        let (hash, algorithm) = match lists {
            (None, None) => (Algorithm::Sha1, Algorithm::Sha1),
            (Some(list), Some([0, 2, 0, 0])) if list == ALGORITHMS => (Algorithm::Sha256, Algorithm::Sha256),
            (Some(list), Some([0, 1, 0, 0])) if list == ALGORITHMS => (Algorithm::Sha1, Algorithm::Sha256),
            _ => return Err(bad()),
        };
        let Some(password) = self.users.get(user).filter(|_| realm == REALM) else {
            return Err(self.challenge(client, message, 401, now));
        };
        let key = Key::long_term(user, REALM, &Secret::new(password.clone()), hash);
        if message.written_by(&key) != Some(algorithm) {
            return Err(self.challenge(client, message, 401, now));
        }
        let life = self.policy.nonce;
        let good = self
            .nonces
            .get(&client)
            .is_some_and(|(known, since)| known == nonce && life.is_none_or(|life| now.since(*since) < life));
        if !good {
            return Err(self.challenge(client, message, 438, now));
        }
        Ok(Who { user: user.to_owned(), key, algorithm })
    }

    fn challenge(&mut self, client: Client, message: &Message, code: u16, now: Instant) -> Vec<u8> {
        let token = self.rng.token::<16>();
        let token = std::str::from_utf8(&token).expect("tokens are letters");
        // Bit 0 of the features: password algorithms. RFC 8489 section 18.1.
        let nonce = if self.policy.sha256 { format!("obMatJos2gAAA{token}") } else { token.to_owned() };
        let mut answer = Writer::error(message, code, "who are you")
            .text(attribute::REALM, REALM)
            .text(attribute::NONCE, &nonce);
        if self.policy.sha256 {
            answer = answer.value(attribute::PASSWORD_ALGORITHMS, &ALGORITHMS);
        }
        self.nonces.insert(client, (nonce, now));
        answer.unsigned().to_vec()
    }

    fn lifetime(&self, message: &Message) -> Duration {
        let asked = message.number(attribute::LIFETIME).map(|it| Duration::from_secs(it.into()));
        asked.unwrap_or(LIFETIME).min(self.policy.lifetime).max(LIFETIME)
    }

    /// RFC 8656 section 7.2.
    fn allocate(
        &mut self,
        client: Client,
        message: &Message,
        who: &Who,
        now: Instant,
    ) -> Result<Writer, u16> {
        if self.allocations.get(&client).is_some_and(|it| it.asked != message.id()) {
            return Err(437);
        }
        let lifetime = self.lifetime(message);
        if !self.allocations.contains_key(&client) {
            match message.value(attribute::REQUESTED_TRANSPORT) {
                Some([17, _, _, _]) => {}
                Some([_, _, _, _]) => return Err(442),
                _ => return Err(400),
            }
            let (one, both) = (
                message.value(attribute::REQUESTED_ADDRESS_FAMILY).map(|it| it[0]),
                message.has(attribute::ADDITIONAL_ADDRESS_FAMILY),
            );
            let mine = Some(self.address.ip());
            let ips: Vec<IpAddr> = match (one, both) {
                (Some(_), true) => return Err(400),
                (Some(2), false) => self.policy.six.into_iter().collect(),
                (_, true) => [mine, self.policy.six].into_iter().flatten().collect(),
                _ => mine.into_iter().collect(),
            };
            if ips.is_empty() {
                return Err(440);
            }
            if message.value(attribute::MOBILITY_TICKET).is_some_and(|it| !it.is_empty()) {
                return Err(400);
            }
            if message.has(attribute::MOBILITY_TICKET) && !self.policy.mobility {
                return Err(405);
            }
            let own = self.allocations.values().filter(|it| it.user == who.user).count();
            if own >= self.policy.quota {
                return Err(486);
            }
            if self.allocations.len() >= self.policy.capacity {
                return Err(508);
            }
            let relayed = ips.into_iter().map(|ip| SocketAddr::new(ip, self.free_port())).collect();
            let ticket = message.has(attribute::MOBILITY_TICKET).then(|| self.ticket());
            let allocation = Allocation {
                user: who.user.clone(),
                asked: message.id(),
                relayed,
                expires: now + lifetime,
                permissions: BTreeMap::new(),
                channels: BTreeMap::new(),
                ticket,
                old_ticket: None,
            };
            self.allocations.insert(client, allocation);
        }
        let allocation = &self.allocations[&client];
        let mut answer = Writer::success(message)
            .hidden_address(attribute::XOR_MAPPED_ADDRESS, client.0)
            .number(attribute::LIFETIME, lifetime.as_secs() as u32);
        for relayed in &allocation.relayed {
            answer = answer.hidden_address(attribute::XOR_RELAYED_ADDRESS, *relayed);
        }
        Ok(match allocation.ticket {
            Some(ticket) => answer.value(attribute::MOBILITY_TICKET, &ticket),
            None => answer,
        })
    }

    fn free_port(&mut self) -> u16 {
        loop {
            let port = PORTS.start + self.rng.below(u64::from(PORTS.end - PORTS.start)) as u16;
            if !self.relayed().any(|it| it.port() == port) {
                return port;
            }
        }
    }

    fn ticket(&mut self) -> [u8; 16] {
        let mut ticket = [0; 16];
        self.rng.fill(&mut ticket);
        ticket
    }

    fn own(&mut self, client: Client, who: &Who) -> Result<&mut Allocation, u16> {
        let allocation = self.allocations.get_mut(&client).ok_or(437_u16)?;
        if allocation.user == who.user { Ok(allocation) } else { Err(441) }
    }

    /// RFC 8656 section 8.2, RFC 8016 section 3.2.2.
    fn refresh(&mut self, client: Client, message: &Message, who: &Who, now: Instant) -> Result<Writer, u16> {
        let mut next = None;
        if let Some(shown) = message.value(attribute::MOBILITY_TICKET) {
            if !self.policy.mobility {
                return Err(405);
            }
            let repeated = self.allocations.get(&client).and_then(|it| it.old_ticket);
            if repeated.is_some_and(|it| it == shown) {
                next = self.allocations[&client].ticket;
            } else {
                let held = self.allocations.iter().find(|(_, it)| it.ticket.is_some_and(|it| it == shown));
                let place = *held.ok_or(400_u16)?.0;
                if place == client {
                    return Err(400);
                }
                self.own(place, who)?;
                let mut moved = self.allocations.remove(&place).expect("it was found");
                next = Some(self.ticket());
                moved.old_ticket = std::mem::replace(&mut moved.ticket, next);
                self.allocations.insert(client, moved);
            }
        }
        let lifetime = self.lifetime(message);
        let allocation = self.own(client, who)?;
        if message.number(attribute::LIFETIME) == Some(0) {
            self.allocations.remove(&client);
            return Ok(Writer::success(message).number(attribute::LIFETIME, 0));
        }
        allocation.expires = now + lifetime;
        let answer = Writer::success(message).number(attribute::LIFETIME, lifetime.as_secs() as u32);
        Ok(match next {
            Some(ticket) => answer.value(attribute::MOBILITY_TICKET, &ticket),
            None => answer,
        })
    }

    /// RFC 8656 section 10.2.
    fn permit(&mut self, client: Client, message: &Message, who: &Who, now: Instant) -> Result<Writer, u16> {
        let forbidden = self.policy.forbidden.clone();
        let allocation = self.own(client, who)?;
        let peers: Vec<_> = message.hidden_addresses(attribute::XOR_PEER_ADDRESS).collect();
        if peers.is_empty() || peers.len() != message.values(attribute::XOR_PEER_ADDRESS).count() {
            return Err(400);
        }
        if peers.iter().any(|peer| allocation.from(*peer).is_none()) {
            return Err(443);
        }
        if peers.iter().any(|peer| forbidden.contains(&peer.ip())) {
            return Err(403);
        }
        allocation.permissions.extend(peers.iter().map(|peer| (peer.ip(), now + PERMISSION)));
        Ok(Writer::success(message))
    }

    /// RFC 8656 section 12.2.
    fn bind(&mut self, client: Client, message: &Message, who: &Who, now: Instant) -> Result<Writer, u16> {
        let forbidden = self.policy.forbidden.clone();
        let allocation = self.own(client, who)?;
        let number = message.number(attribute::CHANNEL_NUMBER).map(|it| (it >> 16) as u16);
        let both = number.zip(message.hidden_address(attribute::XOR_PEER_ADDRESS));
        let (number, peer) = both.filter(|(number, _)| channel::NUMBERS.contains(number)).ok_or(400_u16)?;
        allocation.channels.retain(|_, (_, until)| *until > now);
        let other =
            |(known, (whom, _)): (&u16, &(SocketAddr, Instant))| (*known == number) != (*whom == peer);
        if allocation.channels.iter().any(other) {
            return Err(400);
        }
        if allocation.from(peer).is_none() {
            return Err(443);
        }
        if forbidden.contains(&peer.ip()) {
            return Err(403);
        }
        allocation.channels.insert(number, (peer, now + CHANNEL));
        allocation.permissions.insert(peer.ip(), now + PERMISSION);
        Ok(Writer::success(message))
    }
}
