//! Gateways in routers that read SIP and change it (ALGs), found by what comes back.
//!
//! RFC 3261 sections 8.1.3.3 and 8.2.6.2 (what a response repeats), 18.3 (Content-Length and datagrams), RFC 3420 (a message as
//! a body). What is looked at, of one server and over datagrams:
//!
//! * **What responses repeat of our requests**: Via, Call-ID, From and CSeq must be ours; so must the Contact, unless the server
//!   sees us elsewhere than we say, for then it may have mended it itself.
//! * **Whether datagrams are whole** (Content-Length) **and single**: a few that come twice are a bad link; all that come twice
//!   are somebody's doing.
//! * **What the server saw**, where it says so: one OPTIONS with an SDP body ([`Watch::probe`]), asked when a router is in
//!   between. Ours is answered by the pocket exchange with what arrived there as `message/sipfrag`; others tell nothing by it. A
//!   gateway that undoes on the way back what it did on the way out is found by nothing else.
//!
//! One network is watched, the one that an account went by last; what was found on it is remembered in
//! [`crate::network::Known`]. Knows no transport and no account: who goes round it, and how, is `registration`'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::hash::Hasher as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant, NetworkId, Transport};
use sip::message::{Draft, Message, Method, Name, Rport};

/// Requests of ours that an answer is compared with.
const REQUESTS: usize = 8;
/// Datagrams in which a second copy is looked for.
const RECENT: usize = 16;
/// A copy that comes later is a repetition, not a double: the shortest retransmission is 500 ms (T1).
const AT_ONCE: Duration = Duration::from_millis(200);
/// So many datagrams at least must have come, and all but a quarter of them twice.
const DOUBLES: u32 = 3;
/// Servers watched.
const SERVERS: usize = 16;
/// How long the probe's body is: with our credentials the request is about 950 bytes, as an INVITE, and the answer around it
/// still one packet.
const PROBE: usize = 160;
const FILL: &str = "a=x-offhook-probe:0123456789abcdefghijklmnopqrstuvwxyz\r\n";

/// One thing that is done to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tampering {
    /// Addresses or names in their head are changed.
    Head,
    /// Session descriptions are changed.
    Description,
    /// They arrive cut off.
    Truncates,
    /// Each arrives twice.
    Duplicates,
    /// They do not arrive, though others do that go by a connection.
    Swallows,
}

impl Tampering {
    /// All of it.
    pub const ALL: [Self; 5] =
        [Self::Head, Self::Description, Self::Truncates, Self::Duplicates, Self::Swallows];

    /// Its name where it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Description => "description",
            Self::Truncates => "truncates",
            Self::Duplicates => "duplicates",
            Self::Swallows => "swallows",
        }
    }
}

/// What was found, and what is done about it: *state*.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateway {
    /// What it does; empty: nothing is known.
    pub found: BTreeSet<Tampering>,
    /// By what it is gone round, UDP being another port of ours; `None`: not yet, or by nothing that is allowed and works.
    pub around: Option<Transport>,
    /// It is left alone: an account that finds no outside addresses of its own is heard through what it rewrites.
    pub leant_on: bool,
}

/// A sentence for the person.
impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has = |it| self.found.contains(&it);
        let does = [
            (has(Tampering::Head) || has(Tampering::Description), "rewrites"),
            (has(Tampering::Truncates), "cuts off"),
            (has(Tampering::Duplicates), "doubles"),
            (has(Tampering::Swallows), "swallows"),
        ];
        let does: Vec<&str> = does.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
        if does.is_empty() {
            return f.write_str("Nothing on the way changes SIP messages.");
        }
        write!(f, "The router {} SIP messages.", does.join(" and "))?;
        match self.around {
            Some(Transport::Udp) => f.write_str(" Offhook goes around it by another port."),
            Some(transport) => {
                write!(f, " Offhook goes around it by {}.", transport.via_word())
            }
            None if self.leant_on => f.write_str(" Calls need that, for the account has no STUN server."),
            None => f.write_str(" Turn off \"SIP ALG\" in its settings."),
        }
    }
}

/// A request of ours, as it left.
#[derive(Debug)]
struct Sent {
    to: SocketAddr,
    branch: String,
    bytes: Box<[u8]>,
}

/// A datagram that came.
#[derive(Debug)]
struct Came {
    from: SocketAddr,
    digest: u64,
    at: Instant,
    doubled: bool,
}

/// How a server's datagrams come.
#[derive(Debug, Default)]
struct Copies {
    came: u32,
    doubled: u32,
}

/// What is known of the way to servers on this network.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    sent: VecDeque<Sent>,
    recent: VecDeque<Came>,
    servers: BTreeMap<SocketAddr, Copies>,
    found: BTreeSet<Tampering>,
    news: bool,
    /// Sockets on which something was found.
    marked: BTreeSet<FlowId>,
    /// Sockets, and their networks; all other flows are connections.
    datagrams: BTreeMap<FlowId, NetworkId>,
    /// The network that is watched.
    here: NetworkId,
}

impl Watch {
    /// The network that is watched.
    pub(crate) const fn here(&self) -> NetworkId {
        self.here
    }

    /// More is known of a network's router.
    pub(crate) fn recall(&mut self, network: NetworkId, found: &BTreeSet<Tampering>) {
        if self.here == network {
            self.found.extend(found);
        }
    }

    /// A network is gone, or another than before under the same name.
    pub(crate) fn gone(&mut self, network: NetworkId) {
        if self.here == network {
            self.begin_anew(network, BTreeSet::new());
        }
    }

    /// That network is watched from now on: an account goes by it; `found`: what is known of its router.
    pub(crate) fn goes_by(&mut self, network: NetworkId, found: BTreeSet<Tampering>) {
        if self.here != network {
            self.begin_anew(network, found);
        }
    }

    fn begin_anew(&mut self, network: NetworkId, found: BTreeSet<Tampering>) {
        let datagrams = std::mem::take(&mut self.datagrams);
        *self = Self { here: network, found, datagrams, ..Self::default() };
    }

    /// Whether datagrams arrive on this network, and are of no use.
    pub(crate) fn is_spoilt(&self) -> bool {
        self.found.iter().any(|it| *it != Tampering::Swallows)
    }

    /// Datagrams pass after all.
    pub(crate) fn hears(&mut self) {
        self.found.remove(&Tampering::Swallows);
    }

    /// A flow is there.
    pub(crate) fn flow_up(&mut self, network: NetworkId, flow: FlowId, transport: Transport) {
        if !transport.is_reliable() {
            self.datagrams.insert(flow, network);
        }
    }

    /// A flow is gone.
    pub(crate) fn flow_down(&mut self, flow: FlowId) {
        self.datagrams.remove(&flow);
        self.marked.remove(&flow);
    }

    /// Whether anything came from that server by datagrams.
    pub(crate) fn was_heard(&self, server: SocketAddr) -> bool {
        self.servers.get(&server).is_some_and(|copies| copies.came > 0)
    }

    /// What was found.
    pub(crate) fn found(&self) -> &BTreeSet<Tampering> {
        &self.found
    }

    /// Whether messages are rewritten and otherwise arrive: what a gateway was made for.
    pub(crate) fn only_rewrites(&self) -> bool {
        let does = |it| self.found.contains(&it);
        (does(Tampering::Head) || does(Tampering::Description))
            && !does(Tampering::Truncates)
            && !does(Tampering::Swallows)
    }

    /// Whether something was found since this was asked last.
    pub(crate) fn has_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Whether something was found in what came to that socket.
    pub(crate) fn is_marked(&self, flow: FlowId) -> bool {
        self.marked.contains(&flow)
    }

    fn note_on(&mut self, flow: FlowId, tampering: Tampering) {
        self.news |= self.marked.insert(flow);
        self.note(tampering);
    }

    /// Something was found, here or by others.
    pub(crate) fn note(&mut self, tampering: Tampering) {
        self.news |= self.found.insert(tampering);
    }

    /// A datagram leaves.
    pub(crate) fn sends(&mut self, to: SocketAddr, bytes: &[u8]) {
        if !(bytes.starts_with(b"REGISTER ") || bytes.starts_with(b"OPTIONS ")) {
            return;
        }
        let Ok(message) = Message::read(bytes) else { return };
        let Some(branch) = message.top_via().ok().and_then(|via| via.branch.map(str::to_owned)) else {
            return;
        };
        if self.sent.iter().any(|sent| sent.branch == branch) {
            return;
        }
        if self.servers.len() < SERVERS || self.servers.contains_key(&to) {
            self.servers.entry(to).or_default();
        }
        if self.sent.len() == REQUESTS {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { to, branch, bytes: bytes.into() });
    }

    /// A datagram came. One that no server of ours sent is no matter of a gateway's: strangers may send what they like.
    pub(crate) fn receives(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8], now: Instant) {
        let begins = bytes.first().is_some_and(u8::is_ascii_alphabetic);
        if !begins || self.datagrams.get(&flow) != Some(&self.here) || !self.servers.contains_key(&from) {
            return;
        }
        if self.is_double(flow, from, bytes, now) {
            return;
        }
        let Ok(message) = Message::read(bytes) else { return };
        if is_cut(bytes, &message) {
            // What a gateway changes in a message that is told as a body it does not count; the end is there all the same.
            let told = message.is_body("message/sipfrag") && bytes.ends_with(FILL.as_bytes());
            self.note_on(flow, if told { Tampering::Head } else { Tampering::Truncates });
            return;
        }
        if let Some(ours) = self.sent_as(&message).filter(|sent| sent.to == from)
            && let Ok(ours) = Message::read(&ours.bytes[..])
            && (is_changed(&ours, &message) || is_bound_elsewhere(&ours, &message))
        {
            self.note_on(flow, Tampering::Head);
        }
    }

    /// The request of ours that a response is to.
    fn sent_as<B: AsRef<[u8]>>(&self, response: &Message<B>) -> Option<&Sent> {
        response.status()?;
        let branch = response.top_via().ok()?.branch?;
        self.sent.iter().find(|sent| sent.branch == branch)
    }

    /// Whether a datagram is a second copy; and whether they all are, these days.
    fn is_double(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8], now: Instant) -> bool {
        let digest = digest(bytes);
        let Some(copies) = self.servers.get_mut(&from) else { return false };
        if let Some(known) = self.recent.iter_mut().find(|it| it.from == from && it.digest == digest) {
            if now.since(known.at) <= AT_ONCE && !std::mem::replace(&mut known.doubled, true) {
                copies.doubled += 1;
                // Many a link doubles one in twenty.
                if copies.doubled >= DOUBLES && copies.doubled * 4 >= copies.came * 3 {
                    self.note_on(flow, Tampering::Duplicates);
                }
            }
            return true;
        }
        if copies.came >= 16 {
            (copies.came, copies.doubled) = (copies.came / 2, copies.doubled / 2);
        }
        copies.came += 1;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Came { from, digest, at: now, doubled: false });
        false
    }

    /// The request that asks a server what arrives there; `None`: there is no router in between that we could tell.
    pub(crate) fn probe(domain: &str, local: SocketAddr, remote: SocketAddr) -> Option<Draft> {
        if !has_router(local.ip(), remote.ip()) {
            return None;
        }
        let ip = local.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        // A declined line: nobody opens a way for its media.
        let mut body = format!(
            "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n"
        );
        while body.len() < PROBE {
            body.push_str(FILL);
        }
        let mut draft = Draft::request(&Method::Options, &format!("sip:{domain}"));
        draft.push(Name::Accept, "message/sipfrag").body("application/sdp", body);
        Some(draft)
    }

    /// The probe was answered: whether anything was found by that. A refusal as malformed (400) says that it was when it
    /// arrived.
    pub(crate) fn probed(&mut self, answer: &Message) -> bool {
        let Some(Ok(ours)) = self.sent_as(answer).map(|sent| Message::read(sent.bytes.clone())) else {
            return false;
        };
        let mut found = seen(&ours, answer);
        if found.is_empty() && answer.status() == Some(400) {
            found.push(Tampering::Truncates);
        }
        for tampering in &found {
            self.note(*tampering);
        }
        !found.is_empty()
    }
}

/// A datagram that ends before its message does. RFC 3261 section 18.3.
fn is_cut(bytes: &[u8], message: &Message<&[u8]>) -> bool {
    let has_end = bytes.windows(4).any(|window| window == b"\r\n\r\n");
    !has_end || message.content_length().is_some_and(|length| length as usize > message.body().len())
}

/// Whether a response repeats something else than we sent. RFC 3261 section 8.2.6.2.
fn is_changed<A: AsRef<[u8]>, B: AsRef<[u8]>>(ours: &Message<A>, theirs: &Message<B>) -> bool {
    repeated(ours) != repeated(theirs)
}

/// Via's address, Call-ID, From's tag and CSeq's number.
type Repeated<'a> = (Option<(Option<IpAddr>, u16)>, Option<&'a [u8]>, Option<&'a str>, Option<u32>);

fn repeated<B: AsRef<[u8]>>(message: &Message<B>) -> Repeated<'_> {
    let via = message.top_via().ok().map(|via| (via.sent_by.host.ip(), via.port()));
    let tag = message.from().ok().and_then(|from| from.tag());
    (via, message.first(Name::CallId), tag, message.cseq().ok().map(|cseq| cseq.number))
}

/// Whether the registrar has an address that we did not give, though it sees us where we say to be. One that sees us elsewhere
/// may have put that in the Contact's place.
fn is_bound_elsewhere(ours: &Message<&[u8]>, theirs: &Message<&[u8]>) -> bool {
    let granted = theirs.status().is_some_and(|status| (200..300).contains(&status));
    if ours.method() != Method::Register || !granted || is_seen_elsewhere(theirs) {
        return false;
    }
    let Some(contact) = ours.contacts().find_map(Result::ok) else { return false };
    let asked_for = ours.expires() != Some(0) && contact.expires() != Some(0);
    let mut bound = theirs.contacts().filter_map(Result::ok).peekable();
    asked_for
        && bound.peek().is_some()
        && !bound.any(|bound| bound.uri().host.ip() == contact.uri().host.ip())
}

/// Whether a response says that we came from elsewhere than our Via says. RFC 3581.
fn is_seen_elsewhere(theirs: &Message<&[u8]>) -> bool {
    let Ok(via) = theirs.top_via() else { return true };
    let port = match via.rport {
        Rport::Port(port) => port,
        Rport::Absent | Rport::Asked => via.port(),
    };
    port != via.port() || via.received.is_some_and(|ip| Some(ip) != via.sent_by.host.ip())
}

/// What differs between a request of ours and what the server says to have got.
fn seen<A: AsRef<[u8]>, B: AsRef<[u8]>>(ours: &Message<A>, theirs: &Message<B>) -> Vec<Tampering> {
    if ours.method() != Method::Options || !theirs.is_body("message/sipfrag") {
        return Vec::new();
    }
    let Ok(seen) = Message::read(theirs.body()) else { return Vec::new() };
    let mut found = Vec::new();
    if is_changed(ours, &seen) || contact(ours) != contact(&seen) {
        found.push(Tampering::Head);
    }
    let (sent, came) = (ours.body(), seen.body());
    if sent != came {
        // A gateway that does not count again cuts off what it has made longer.
        let cut = came.len() < sent.len() && sent.starts_with(came);
        found.push(if cut { Tampering::Truncates } else { Tampering::Description });
    }
    found
}

fn contact<B: AsRef<[u8]>>(message: &Message<B>) -> Option<(Option<IpAddr>, Option<u16>)> {
    let contact = message.contacts().find_map(Result::ok)?;
    Some((contact.uri().host.ip(), contact.uri().port))
}

/// Whether a router must be in between: we have a private address, and they are not in the same network as far as can be told.
fn has_router(ours: IpAddr, theirs: IpAddr) -> bool {
    match (ours, theirs) {
        (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
            let shared = ours.octets()[0] == 100 && ours.octets()[1] & 0xc0 == 64;
            (ours.is_private() || shared) && ours.octets()[..3] != theirs.octets()[..3]
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => false,
    }
}

/// Alike for alike datagrams; a stranger gains nothing by another.
fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
#[path = "alg_tests.rs"]
mod tests;
