//! The world: nodes, the wire between them, and one virtual clock.
//!
//! What happens next is always the earliest thing that wants to happen: an arrival, a machine's wish to be woken, a media
//! frame, a name server's answer. The same seed is the same history.

mod fortune;
mod lanes;
mod media;
mod networks;
mod people;
mod places;
mod strangers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant, NetworkId, Rng, Transport};
use bytes::Bytes;
use exchange::bindings::InMemory;
use phone::{MediaNews, NetworkNews};
use sip::ladder::{self, Ladder};
use sip::locate::{Answer, Question};
use sip::message::{Message, Method, Name};
use sip::order::Order;

use crate::exchange::Office;
use crate::node::{Machine, News, Node};
use crate::phone::{Handset, Wish};
use crate::picture;
use crate::sound;
use crate::stranger::{Heard, Stranger};
use crate::wire::{Arrival, Fate, NetworkId as Place, NodeId, Socket, Tag, Wire};

/// How long a name server takes to answer.
const DNS_DELAY: Duration = Duration::from_millis(10);

/// How long it takes to hear that nobody has a port.
const ICMP_DELAY: Duration = Duration::from_millis(10);

/// The rhythm of sound.
const FRAME: Duration = Duration::from_millis(20);

/// How often a phone is told how its calls sound.
const QUALITY: Duration = Duration::from_secs(5);

/// So many things in one moment are a machine that spins.
const SPIN: u32 = 100_000;

/// Everything.
pub struct World {
    seed: u64,
    rng: Rng,
    now: Instant,
    /// The ladder's time zero.
    began: Instant,
    pub(crate) nodes: Vec<Node>,
    wire: Wire,
    ladder: Ladder,
    /// What the ladder is about, told again at each beginning.
    about: Vec<Name>,
    hidden: Option<Method>,
    /// Call-IDs in the order in which they were first sent: a ladder names calls by number.
    call_ids: Vec<String>,
    longest_invite: usize,
    keep_ladder: bool,
    /// What was sent since the ladder began, so that a repetition is known.
    seen: BTreeSet<(NodeId, Bytes)>,
    /// How many messages of each kind a node has sent.
    said: BTreeMap<(NodeId, String), u64>,
    heading: (String, String),
    dns: BTreeMap<Question, Answer>,
    agenda: VecDeque<(NodeId, News)>,
    later: BTreeMap<(Instant, u64), (NodeId, News)>,
    serial: u64,
    /// By which networks streams are being opened.
    dialled: BTreeMap<(NodeId, SocketAddr), (NetworkId, Transport)>,
    /// Who sends datagrams by a network from a further port.
    further: BTreeSet<(NodeId, NetworkId)>,
    /// Where nodes listen for streams that stand for TLS.
    tls: BTreeSet<(NodeId, SocketAddr)>,
    /// Sockets of accounts of their own, by their networks' lanes.
    lanes: BTreeMap<(NodeId, IpAddr, NetworkId), (FlowId, SocketAddr)>,
    tapped: Option<Vec<(NodeId, SocketAddr, Bytes)>>,
    with_sound: bool,
    /// Packets that left phones that insist on encryption.
    secret_packets: u64,
    ipv6: bool,
    /// Where the next nodes are.
    place: Place,
    next_frame: Option<Instant>,
    picture: picture::Picture,
}

impl World {
    /// An empty world. `title` and `source` (an RFC section) head its ladder. The seed is `OFFHOOK_SEED`'s, else 1.
    pub fn new(title: &str, source: &str) -> Self {
        Self::seeded(title, source, seed().unwrap_or(1))
    }

    /// An empty world from a seed; `OFFHOOK_SEED` overrules it.
    pub fn seeded(title: &str, source: &str, number: u64) -> Self {
        let number = seed().unwrap_or(number);
        let mut rng = Rng::from_number(number);
        Self {
            seed: number,
            wire: Wire::new(rng.split()),
            rng,
            now: Instant::ZERO,
            began: Instant::ZERO,
            nodes: Vec::new(),
            ladder: Ladder::new(title, source, &[]),
            about: Vec::new(),
            hidden: None,
            call_ids: Vec::new(),
            longest_invite: 0,
            keep_ladder: true,
            seen: BTreeSet::new(),
            said: BTreeMap::new(),
            heading: (title.to_owned(), source.to_owned()),
            dns: BTreeMap::new(),
            agenda: VecDeque::new(),
            later: BTreeMap::new(),
            serial: 0,
            dialled: BTreeMap::new(),
            further: BTreeSet::new(),
            tls: BTreeSet::new(),
            lanes: BTreeMap::new(),
            tapped: None,
            with_sound: false,
            secret_packets: 0,
            ipv6: false,
            place: Place::INTERNET,
            next_frame: None,
            picture: picture::Picture::default(),
        }
    }

    /// From now on calls carry sound: each phone hums its own tone. Without, media are only agreed.
    #[must_use]
    pub fn with_sound(mut self) -> Self {
        self.with_sound = true;
        self
    }

    /// From now on nodes get IPv6 addresses.
    #[must_use]
    pub fn with_ipv6(mut self) -> Self {
        self.ipv6 = true;
        self
    }

    /// The ladder shows the values of these fields.
    #[must_use]
    pub fn about(mut self, fields: &[Name]) -> Self {
        self.about = fields.to_vec();
        self.ladder = self.ladder.clone().about(fields);
        self
    }

    /// The ladder leaves out transactions of this method: what goes on beside the flow.
    #[must_use]
    pub fn hiding(mut self, method: Method) -> Self {
        self.hidden = Some(method);
        self
    }

    /// No ladder is kept: for days and hundreds of calls.
    #[must_use]
    pub fn without_ladder(mut self) -> Self {
        self.keep_ladder = false;
        self
    }

    // Who is there

    /// An exchange for `offhook.test` (or what the configuration says), listening on 5060 by UDP and TCP.
    pub fn exchange(&mut self, name: &str, config: exchange::Config) -> NodeId {
        let rng = self.rng.split();
        let office = Office::new(config, InMemory::default(), rng, self.now);
        let node = self.add(name, Machine::Exchange(Box::new(office)));
        self.boot(node);
        node
    }

    /// A phone with this account (or none), switched on.
    pub fn phone(&mut self, name: &str, account: Option<phone::Account>) -> NodeId {
        self.phone_with(name, account, phone::Config::default())
    }

    /// The same with settings of its own.
    pub fn phone_with(
        &mut self,
        name: &str,
        account: Option<phone::Account>,
        config: phone::Config,
    ) -> NodeId {
        let rng = self.rng.split();
        let node = self.add(name, Machine::Phone(Box::new(Handset::new(account, config, rng))));
        self.boot(node);
        node
    }

    /// A peer that says what the test says, on 5060 by UDP and TCP.
    pub fn stranger(&mut self, name: &str) -> NodeId {
        let node = self.add(name, Machine::Stranger(Stranger::default()));
        self.boot(node);
        node
    }

    fn add(&mut self, name: &str, machine: Machine) -> NodeId {
        let ip = self.next_ip();
        let id = NodeId(self.nodes.len());
        self.wire.join(id, self.place, ip);
        self.ladder.column(name);
        self.nodes.push(Node {
            name: name.to_owned(),
            ips: vec![ip],
            networks: BTreeMap::new(),
            machine,
            awake: true,
            missed: VecDeque::new(),
            wakes: BTreeMap::new(),
        });
        id
    }

    /// Opens a node's sockets and tells it so.
    fn boot(&mut self, node: NodeId) {
        for ip in self.nodes[node.0].ips.clone() {
            self.open_sockets(node, ip);
        }
        if let Machine::Phone(handset) = &self.nodes[node.0].machine {
            let commands = handset.first_commands();
            let addrs = self.nodes[node.0].ips.clone();
            self.agenda.push_back((node, News::Network(NetworkNews::Up { addrs })));
            self.agenda.extend(commands.into_iter().map(|c| (node, News::Command(c))));
        }
        self.work();
    }

    fn open_sockets(&mut self, node: NodeId, ip: IpAddr) {
        let local = SocketAddr::new(ip, 5060);
        let flow = self.wire.flow();
        self.wire.bind_at(node, local, Socket::Signalling(flow));
        self.wire.listen_at(node, local, Tag::Signalling);
        let (network, transport) = (self.network_at(node, ip), Transport::Udp);
        self.agenda.push_back((node, News::FlowUp { network, flow, transport, local, remote: None }));
        self.agenda.push_back((node, News::Listening { transport: Transport::Tcp, local }));
    }

    /// The node listens for TLS there as well: in this world a plain stream that both ends call so.
    pub fn listen_tls(&mut self, node: NodeId, port: u16) {
        for ip in self.nodes[node.0].ips.clone() {
            let local = SocketAddr::new(ip, port);
            self.tls.insert((node, local));
            self.wire.listen_at(node, local, Tag::Signalling);
            self.agenda.push_back((node, News::Listening { transport: Transport::Tls, local }));
        }
        self.work();
    }

    // Time

    /// Now.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    // How it goes round

    /// The next thing happens, unless it is after `until`; then it is `until` and false.
    fn step(&mut self, until: Instant) -> bool {
        let due = (0..self.nodes.len())
            .filter_map(|i| self.nodes[i].next_wake().map(|w| (w.at, w.why, NodeId(i))))
            .min();
        let others = [self.wire.next(), self.next_frame, self.later.keys().next().map(|(at, _)| *at)];
        let Some(next) =
            others.into_iter().flatten().chain(due.map(|(at, ..)| at)).min().filter(|at| *at <= until)
        else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(next);
        if let Some((node, arrival)) = self.wire.pop_due(self.now) {
            self.arrive(node, arrival);
        } else if let Some((key, _)) = self.later.first_key_value().filter(|((at, _), _)| *at <= self.now)
            && let key = *key
            && let Some(what) = self.later.remove(&key)
        {
            self.agenda.push_back(what);
        } else if self.next_frame.is_some_and(|at| at <= self.now) {
            self.frames();
        } else if let Some((at, why, node)) = due
            && at <= self.now
        {
            *self.nodes[node.0].wakes.entry(why).or_default() += 1;
            self.agenda.push_back((node, News::Due));
            self.work();
            // Else time would stand still.
            let next = self.nodes[node.0].next_wake();
            assert!(
                next.is_none_or(|w| w.at > self.now),
                "{} wakes in vain for {why}",
                self.nodes[node.0].name
            );
        }
        self.work();
        true
    }

    /// Tells the news that are due at once, until there are none.
    fn work(&mut self) {
        let mut rounds = 0;
        while let Some((node, news)) = self.agenda.pop_front() {
            self.tell(node, news);
            rounds += 1;
            assert!(rounds < SPIN, "{} spins", self.nodes[node.0].name);
        }
    }

    fn arrive(&mut self, node: NodeId, arrival: Arrival) {
        let news = match arrival {
            Arrival::Datagram { socket: Socket::Signalling(flow), from, bytes }
            | Arrival::Chunk { flow, tag: Tag::Signalling, from, bytes } => News::Bytes { flow, from, bytes },
            Arrival::Datagram { socket: Socket::Media(name, control), from, bytes } => {
                return self.media_datagram(node, name, control, from, &bytes);
            }
            Arrival::Up { flow, tag: Tag::Signalling, local, remote } => {
                let network = self.network_at(node, local.ip());
                let dialled = self.dialled.remove(&(node, remote)).map(|(_, transport)| transport);
                let taken = if self.tls.contains(&(node, local)) { Transport::Tls } else { Transport::Tcp };
                let transport = dialled.unwrap_or(taken);
                News::FlowUp { network, flow, transport, local, remote: Some(remote) }
            }
            Arrival::Down { flow, tag: Tag::Signalling } => News::FlowDown { flow },
            Arrival::Failed { tag: Tag::Signalling, remote, .. } => {
                let dialled = self.dialled.remove(&(node, remote));
                let (network, transport) = dialled.unwrap_or((NetworkId::SYSTEM, Transport::Tcp));
                News::FlowFailed { network, transport, remote }
            }
            Arrival::Up { tag: Tag::Media(name, leg), flow, local, remote } => {
                return self.media_up(node, name, leg, flow, local, remote);
            }
            Arrival::Chunk { tag: Tag::Media(name, _), flow, from, bytes } => {
                return self.media_chunk(node, name, flow, from, &bytes);
            }
            Arrival::Down { tag: Tag::Media(name, _), flow } => return self.media_down(node, name, flow),
            Arrival::Failed { tag: Tag::Media(name, leg), reason, .. } => {
                return self.media_failed(node, name, leg, reason);
            }
        };
        let n = &mut self.nodes[node.0];
        let datagram = matches!(&news, News::Bytes { flow, .. } if self.wire.stream_addrs(*flow).is_none());
        match (n.awake, datagram) {
            (true, _) => self.agenda.push_back((node, news)),
            (false, false) => n.missed.push_back(news),
            (false, true) => {}
        }
    }

    fn tell(&mut self, node: NodeId, news: News) {
        let now = self.now;
        let n = &mut self.nodes[node.0];
        match &mut n.machine {
            Machine::Phone(handset) => {
                let wishes = handset.hear(&n.name, news, now);
                // What is said is drawn before what it comes to, so that a note stands beside its message.
                let mut notes = Vec::new();
                for wish in wishes {
                    match wish {
                        Wish::Sip(order) => self.execute(node, order),
                        Wish::Media(media, order) => self.media(node, media, order),
                        Wish::Note(text) => notes.push(text),
                    }
                }
                notes.extend(self.picture.look(&self.nodes, &self.wire));
                for note in &notes {
                    self.note(note);
                }
            }
            Machine::Exchange(office) => {
                let mut orders = Vec::new();
                office.hear(news, now, &mut orders);
                for order in orders {
                    self.execute(node, order);
                }
            }
            Machine::Stranger(stranger) => {
                if let News::Bytes { flow, from, bytes } = news {
                    let stream = self.wire.stream_addrs(flow);
                    let local = stream.map(|(local, _)| local).or_else(|| self.wire.signalling_addr(flow));
                    if let Some(local) = local {
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        stranger.hear(Heard { flow, from, local, is_stream: stream.is_some(), text });
                    }
                }
            }
            Machine::Servers(_) | Machine::Ended(_) => {}
        }
    }

    /// Carries out an order.
    fn execute(&mut self, node: NodeId, order: Order) {
        match order {
            Order::Send { flow, to, bytes } => {
                if let Some(tapped) = &mut self.tapped {
                    tapped.push((node, to, bytes.clone()));
                }
                let fate = if let Some(local) = self.wire.signalling_addr(flow) {
                    let fate = self.wire.send_from(node, local, to, bytes.clone(), self.now);
                    if fate == Fate::NoOneThere && self.wire.whom(node, to).is_some() {
                        // The other machine's kernel says that nobody has that port.
                        let (network, transport) = (self.network_at(node, local.ip()), Transport::Udp);
                        self.after(ICMP_DELAY, node, News::FlowFailed { network, transport, remote: to });
                    }
                    fate
                } else if self.wire.send_stream(flow, bytes.clone(), self.now) {
                    Fate::OnTheWay
                } else {
                    Fate::NoOneThere
                };
                self.record(node, to, &bytes, fate);
            }
            Order::OpenFlow { network, transport: Transport::Udp, remote, .. } => {
                let transport = Transport::Udp;
                let own = network.lane().and_then(|_| self.lane(node, network, remote));
                let from = self.source(node, network, remote.ip()).filter(|_| network.lane().is_none());
                let further = self.further.contains(&(node, network));
                let news = match own.or_else(|| self.wire.signalling_at(node, from?, further)) {
                    Some((flow, local)) => {
                        News::FlowUp { network, flow, transport, local, remote: Some(remote) }
                    }
                    None => News::FlowFailed { network, transport, remote },
                };
                self.agenda.push_back((node, news));
            }
            // TLS is a plain stream here that both ends call so.
            Order::OpenFlow { network, transport, remote, .. } => {
                let can = matches!(transport, Transport::Tcp | Transport::Tls) && network.lane().is_none();
                match self.source(node, network, remote.ip()).filter(|_| can) {
                    // Asking twice is asking once.
                    Some(from) if self.dialled.insert((node, remote), (network, transport)).is_none() => {
                        let local = SocketAddr::new(from, self.wire.port());
                        self.wire.connect_from(node, local, remote, Tag::Signalling, self.now);
                    }
                    Some(_) => {}
                    None => self.agenda.push_back((node, News::FlowFailed { network, transport, remote })),
                }
            }
            Order::SwitchPort { network, further } => self.switch_port(node, network, further),
            Order::CloseFlow { flow } => {
                self.wire.close(flow, self.now);
                self.agenda.push_back((node, News::FlowDown { flow }));
            }
            Order::Resolve { query, question, .. } => {
                let answer = self.dns.get(&question).cloned().unwrap_or(Answer::NotFound);
                self.after(DNS_DELAY, node, News::Resolved { query, answer });
            }
        }
    }

    fn after(&mut self, time: Duration, node: NodeId, news: News) {
        self.serial += 1;
        self.later.insert((self.now + time, self.serial), (node, news));
    }

    /// A row of the ladder; keepalives are not worth one.
    fn record(&mut self, node: NodeId, to: SocketAddr, bytes: &Bytes, fate: Fate) {
        let Some(to) = self.wire.whom(node, to) else { return };
        let Ok(message) = Message::read(bytes.as_ref()) else { return };
        let ours = matches!(self.nodes[node.0].machine, Machine::Phone(_));
        if ours && message.method() == Method::Invite && message.status().is_none() {
            self.longest_invite = self.longest_invite.max(bytes.len());
        }
        let word = message.status().map_or_else(|| message.method().as_str().to_owned(), |s| s.to_string());
        *self.said.entry((node, word)).or_default() += 1;
        if message.method() == Method::Invite
            && let Ok(call_id) = message.call_id()
            && !self.call_ids.iter().any(|known| known == call_id)
        {
            self.call_ids.push(call_id.to_owned());
        }
        if self.hidden.as_ref() == Some(&message.method()) {
            return;
        }
        let at = self.ladder_time();
        let first = self.seen.insert((node, bytes.clone()));
        let fate = match fate {
            Fate::OnTheWay if first => ladder::Fate::Sent,
            Fate::OnTheWay => ladder::Fate::Again,
            Fate::Lost | Fate::NoOneThere => ladder::Fate::Lost,
        };
        if self.keep_ladder {
            self.ladder.message(at, node.0, to.0, bytes, fate);
        }
    }

    /// A note at the ladder's right: what a person saw or did.
    pub fn note(&mut self, text: &str) {
        let at = self.ladder_time();
        if self.keep_ladder {
            self.ladder.note(at, text);
        }
    }

    fn ladder_time(&self) -> Instant {
        Instant::ZERO + self.now.since(self.began)
    }

    /// 20 ms of sound pass on every open stream.
    fn frames(&mut self) {
        let now = self.now;
        let mut packets = Vec::new();
        let mut sent = Vec::new();
        let mut any = false;
        let tell_quality = now.as_nanos() % (QUALITY.as_nanos() as u64) < FRAME.as_nanos() as u64;
        for (i, node) in self.nodes.iter_mut().enumerate() {
            if let Machine::Phone(handset) = &mut node.machine {
                let mut mix = sound::Mix::default();
                handset.streams.values().for_each(|stream| mix.add(stream));
                for (media, stream) in handset.streams.iter_mut().filter(|(_, s)| s.sounds()) {
                    any = true;
                    stream.frame(sound::tone(i), &mix, now, &mut packets);
                    sent.extend(packets.drain(..).map(|packet| (NodeId(i), *media, packet)));
                    while let Some((digit, way)) = stream.poll_digit() {
                        let news = News::Media { media: *media, news: MediaNews::Dtmf { digit, way } };
                        self.agenda.push_back((NodeId(i), news));
                    }
                    if let Some(overdue) = stream.poll_overdue() {
                        let news = News::Media { media: *media, news: MediaNews::Overdue(overdue) };
                        self.agenda.push_back((NodeId(i), news));
                    }
                    if let Some(silence) = stream.poll_silence() {
                        let news = News::Media { media: *media, news: MediaNews::Silence(silence) };
                        self.agenda.push_back((NodeId(i), news));
                    }
                    if tell_quality && let Some(stats) = stream.stats() {
                        let news = News::Media { media: *media, news: MediaNews::Quality(stats) };
                        self.agenda.push_back((NodeId(i), news));
                    }
                }
            }
        }
        for (node, media, packet) in sent {
            self.send_media(node, media, packet.control, packet.to, Bytes::from(packet.bytes));
        }
        self.next_frame = any.then(|| now + FRAME);
    }
}

/// A test that fails says how to see it again.
impl Drop for World {
    #[allow(clippy::print_stderr)]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("OFFHOOK_SEED={} at {:?}\n{}", self.seed, self.now, self.ladder());
        }
    }
}

/// The seed asked for by whoever runs a failed test again.
#[allow(clippy::disallowed_methods)]
fn seed() -> Option<u64> {
    std::env::var("OFFHOOK_SEED").ok()?.parse().ok()
}
