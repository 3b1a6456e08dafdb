//! A small town in memory: phones and scripted peers on one wire, in virtual time.
//!
//! Peers speak real bytes. Every datagram is kept as a line for when a test fails. Knows nothing of proxies: phones call
//! each other by address, as RFC 3261 lets them.

#![allow(clippy::unwrap_used)] // helpers beside the tests
#![allow(dead_code, unreachable_pub)] // each test file uses its own part

pub mod router;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Certificate, FlowId, Instant, NetworkId, Redacted, Rng, Secret, Transport, Untrusted};
use bytes::Bytes;
use offhook_phone::{
    Account, AccountId, AccountState, AccountView, CallId, CallIds, CallState, CallView, Command, Config,
    Connection, Event, Fetch, Input, MediaId, MediaNews, MediaOrder, Output, Phone, Refusal, SeenAs, Subject,
    Tone,
};
use sip::message::{Draft, Form, Message, Name};
use sip::order::Order;

/// One way through the wire.
const DELAY: Duration = Duration::from_millis(10);
const LIMIT: usize = 200_000;

pub const MAIN: AccountId = AccountId(1);

/// What a stream was last told.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    pub plan: Option<media::Plan>,
    pub muted: bool,
    pub mixed: bool,
    pub pressed: Vec<media::dtmf::Keys>,
    /// Keys that it was told to play as tones.
    pub sounded: Vec<media::dtmf::Keys>,
    /// What was to be sent that is no media, and to whom.
    pub told: Vec<(SocketAddr, Bytes)>,
    pub closed: bool,
}

pub struct Handset {
    pub phone: Phone,
    ids: CallIds,
    address: SocketAddr,
    pub events: Vec<Event>,
    pub streams: BTreeMap<MediaId, Stream>,
    /// What was to sound, from change to change.
    pub tones: Vec<(Instant, Option<Tone>)>,
    /// How connections to servers are to be made.
    pub servers: Vec<(String, Connection)>,
    /// Certificates that it has asked for.
    pub fetches: Vec<Fetch>,
    /// How often it woke, by reason.
    pub wakes: BTreeMap<&'static str, usize>,
    /// Sockets are given only when the test says so.
    pub slow_media: bool,
    waiting: Vec<MediaId>,
}

/// Somebody who answers as a test has written.
type Script = Box<dyn FnMut(&Message, SocketAddr) -> Vec<Bytes>>;

enum Node {
    Phone(Box<Handset>),
    Peer {
        script: Script,
        heard: Vec<Message>,
    },
    /// Nobody listens.
    Dead,
}

pub struct Town {
    pub now: Instant,
    nodes: BTreeMap<SocketAddr, Node>,
    wire: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Bytes)>,
    sent: u64,
    orders: VecDeque<(SocketAddr, Output)>,
    busy: bool,
    /// Connections by phone and peer.
    streams: BTreeMap<(SocketAddr, SocketAddr), FlowId>,
    flows: u32,
    /// Whether peers take connections.
    pub connectable: bool,
    /// Why none is under TLS, and what the server shows.
    pub untrusted: Option<(Untrusted, Certificate)>,
    /// Whether peers speak STUN beside SIP.
    pub stun: bool,
    /// STUN requests that peers got.
    pub asked: usize,
    /// What phones asked name servers.
    pub resolved: Vec<sip::locate::Question>,
    /// Empty lines that peers got.
    pub pings: usize,
    rng: Rng,
    /// Share of datagrams that never arrive.
    pub loss: f64,
    /// Between phones and peers, if there is one.
    pub router: Option<router::Router>,
    story: VecDeque<String>,
}

pub fn at(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 5060))
}

/// The port that every phone gives to its nth stream.
pub fn port(media: MediaId) -> u16 {
    4000 + 2 * media.0 as u16
}

/// An account that lives at its own address and registers nowhere.
pub fn at_home(name: &str, last: u8) -> Account {
    let mut account = Account::new(format!("sip:{name}@10.0.0.{last}").parse().unwrap(), Secret::default());
    account.register = false;
    account.codecs = vec![media::Codec::Pcmu, media::Codec::Pcma];
    account
}

impl Town {
    pub fn new() -> Self {
        Self {
            now: Instant::from_millis(1000),
            nodes: BTreeMap::new(),
            wire: BTreeMap::new(),
            sent: 0,
            orders: VecDeque::new(),
            busy: false,
            streams: BTreeMap::new(),
            flows: 0,
            connectable: true,
            untrusted: None,
            stun: false,
            asked: 0,
            resolved: Vec::new(),
            pings: 0,
            rng: Rng::from_number(0),
            loss: 0.0,
            router: None,
            story: VecDeque::new(),
        }
    }

    /// A phone at 10.0.0.`last`:5060 with one account.
    pub fn phone(&mut self, last: u8, account: Account) -> SocketAddr {
        self.phone_with(last, account, Config::default())
    }

    pub fn phone_with(&mut self, last: u8, account: Account, config: Config) -> SocketAddr {
        let ids = CallIds::new();
        let phone = Phone::new(config, ids.clone(), Rng::from_number(last.into()));
        let address = at(last);
        let handset = Handset {
            phone,
            ids,
            address,
            events: Vec::new(),
            streams: BTreeMap::new(),
            tones: Vec::new(),
            servers: Vec::new(),
            fetches: Vec::new(),
            wakes: BTreeMap::new(),
            slow_media: false,
            waiting: Vec::new(),
        };
        self.nodes.insert(address, Node::Phone(Box::new(handset)));
        let flow = FlowId(0);
        let (network, transport) = (NetworkId::SYSTEM, Transport::Udp);
        self.tell(address, Input::FlowUp { network, flow, transport, local: address, remote: None });
        self.command(address, Command::AddAccount(MAIN, account));
        address
    }

    /// Somebody at 10.0.0.`last`:5060 who answers by a script.
    pub fn peer(
        &mut self,
        last: u8,
        script: impl FnMut(&Message, SocketAddr) -> Vec<Bytes> + 'static,
    ) -> SocketAddr {
        self.nodes.insert(at(last), Node::Peer { script: Box::new(script), heard: Vec::new() });
        at(last)
    }

    pub fn kill(&mut self, address: SocketAddr) {
        self.nodes.insert(address, Node::Dead);
    }

    pub fn handset(&mut self, address: SocketAddr) -> &mut Handset {
        match self.nodes.get_mut(&address) {
            Some(Node::Phone(handset)) => handset,
            _ => panic!("no phone at {address}"),
        }
    }

    /// How a phone shows itself to a log.
    pub fn debug(&mut self, address: SocketAddr) -> String {
        format!("{:?}", self.handset(address).phone)
    }

    /// What a peer has heard.
    pub fn heard(&self, address: SocketAddr) -> &[Message] {
        match self.nodes.get(&address) {
            Some(Node::Peer { heard, .. }) => heard,
            _ => panic!("no peer at {address}"),
        }
    }

    /// A peer speaks up by itself.
    pub fn say(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        self.send(from, to, bytes);
    }

    pub fn command(&mut self, address: SocketAddr, command: Command) {
        self.tell(address, Input::Command(command));
    }

    /// Calls `to` and gives the call's id.
    pub fn call(&mut self, address: SocketAddr, to: &str) -> CallId {
        let call = self.handset(address).ids.draw();
        let to = Redacted::new(to.to_owned());
        self.command(address, Command::Call { call, account: None, to, seen_as: SeenAs::default() });
        call
    }

    pub fn tell(&mut self, address: SocketAddr, input: Input<'_>) {
        let now = self.now;
        let outputs: Vec<Output> = self.handset(address).phone.handle(input, now).collect();
        self.orders.extend(outputs.into_iter().map(|output| (address, output)));
        // What carrying out an order brings about comes after the orders given before it.
        if !std::mem::replace(&mut self.busy, true) {
            while let Some((address, output)) = self.orders.pop_front() {
                self.carry_out(address, output);
            }
            self.busy = false;
        }
    }

    fn carry_out(&mut self, address: SocketAddr, output: Output) {
        match output {
            Output::Sip(Order::Send { to, bytes, .. }) => self.send(address, to, bytes),
            Output::Sip(Order::OpenFlow { network, transport: Transport::Udp, remote, .. }) => {
                let (transport, remote) = (Transport::Udp, Some(remote));
                let flow = FlowId(0);
                self.tell(address, Input::FlowUp { network, flow, transport, local: address, remote });
            }
            Output::Sip(Order::OpenFlow { network, transport: Transport::Tcp, remote, .. })
                if self.listens(remote) =>
            {
                self.flows += 1;
                let flow = FlowId(self.flows);
                self.streams.insert((address, remote), flow);
                let (transport, remote) = (Transport::Tcp, Some(remote));
                self.tell(address, Input::FlowUp { network, flow, transport, local: address, remote });
            }
            Output::Sip(Order::OpenFlow { network, transport, remote, name }) => {
                if let (Some(name), Some((why, shown))) = (&name, self.untrusted.clone()) {
                    let certificate = Some(&shown);
                    self.tell(address, Input::Untrusted { name, why, certificate });
                }
                self.tell(address, Input::FlowFailed { network, transport, remote });
            }
            Output::Sip(Order::CloseFlow { .. } | Order::SwitchPort { .. }) => {}
            Output::Sip(Order::Resolve { query, question, .. }) => {
                self.resolved.push(question);
                self.tell(address, Input::Resolved { query, answer: sip::locate::Answer::NotFound });
            }
            Output::Media { media, order } => self.media(address, media, order),
            Output::Server { name, connection } => {
                self.handset(address).servers.push((name, connection));
            }
            Output::Fetch(fetch) => self.handset(address).fetches.push(fetch),
            Output::Tone(tone) => {
                let now = self.now;
                self.handset(address).tones.push((now, tone));
            }
            Output::Event(event) => self.handset(address).events.push(event),
        }
    }

    fn listens(&self, address: SocketAddr) -> bool {
        self.connectable && matches!(self.nodes.get(&address), Some(Node::Peer { .. }))
    }

    /// The connection from a phone to a peer breaks.
    pub fn cut(&mut self, phone: SocketAddr, peer: SocketAddr) {
        let flow = self.streams.remove(&(phone, peer)).expect("a connection to cut");
        self.tell(phone, Input::FlowDown { flow });
    }

    fn media(&mut self, address: SocketAddr, media: MediaId, order: MediaOrder) {
        let handset = self.handset(address);
        let stream = handset.streams.entry(media).or_default();
        assert!(!stream.closed, "an order for a closed stream: {order:?}");
        match order {
            MediaOrder::Prepare { .. } if handset.slow_media => handset.waiting.push(media),
            MediaOrder::Prepare { .. } => self.media_ready(address, media),
            MediaOrder::Open(plan) => {
                assert!(stream.plan.replace(plan).is_none(), "opened twice");
            }
            MediaOrder::Change(plan) => {
                assert!(stream.plan.replace(plan).is_some(), "changed before it was opened");
            }
            MediaOrder::Mute(on) => stream.muted = on,
            MediaOrder::Mix(on) => stream.mixed = on,
            MediaOrder::Dtmf(keys) => stream.pressed.push(keys),
            MediaOrder::Tones(keys) => stream.sounded.push(keys),
            MediaOrder::Tell { to, bytes, .. } | MediaOrder::Ship { to, bytes } => {
                stream.told.push((to, bytes));
            }
            MediaOrder::Listen
            | MediaOrder::Disguise(_)
            | MediaOrder::Route(_)
            | MediaOrder::ControlRoute(_)
            | MediaOrder::Connect { .. }
            | MediaOrder::TakeStreams { .. }
            | MediaOrder::Channel { .. }
            | MediaOrder::AddSocket { .. }
            | MediaOrder::GoBy(_)
            | MediaOrder::Dead
            | MediaOrder::CloseLeg(_) => {}
            MediaOrder::Close { .. } => stream.closed = true,
        }
    }

    fn media_ready(&mut self, address: SocketAddr, media: MediaId) {
        let local = SocketAddr::new(address.ip(), port(media));
        self.tell(address, Input::Media { media, news: MediaNews::Ready { local } });
    }

    /// Gives the sockets that a slow phone waits for.
    pub fn give_media(&mut self, address: SocketAddr) {
        for media in std::mem::take(&mut self.handset(address).waiting) {
            self.media_ready(address, media);
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        if let Ok(message) = Message::read(&bytes[..]) {
            let line = format!("{:?} {from} -> {to}: {}", self.now, sip::ladder::line(&message, &[]));
            self.story.push_back(line);
            if self.story.len() > 60 {
                self.story.pop_front();
            }
        }
        self.sent += 1;
        if self.rng.fraction() < self.loss {
            return;
        }
        let mut seen = from;
        if let (Some(router), Some(Node::Phone(_))) = (&mut self.router, self.nodes.get(&from)) {
            let (outside, dead) = router.out(from, to, self.now);
            seen = outside;
            if dead && self.streams.contains_key(&(from, to)) {
                return self.cut(from, to);
            }
        }
        self.wire.insert((self.now + DELAY, self.sent), (seen, to, bytes));
    }

    /// Runs until nothing happens before `end`.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..LIMIT {
            let arrival = self.wire.keys().next().map(|(at, _)| *at);
            let wakes = self.nodes.iter().filter_map(|(address, node)| match node {
                Node::Phone(handset) => handset.phone.next_wake().map(|wake| (wake.at, *address)),
                Node::Peer { .. } | Node::Dead => None,
            });
            let wake = wakes.min();
            match (arrival, wake) {
                (Some(at), wake) if at <= end && wake.is_none_or(|(due, _)| at <= due) => {
                    self.now = self.now.max(at);
                    self.deliver();
                }
                (_, Some((due, address))) if due <= end => {
                    self.now = self.now.max(due);
                    if let Some(wake) = self.handset(address).phone.next_wake() {
                        *self.handset(address).wakes.entry(wake.why).or_default() += 1;
                    }
                    self.tell(address, Input::Due);
                }
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("no end in sight:\n{}", self.story());
    }

    fn deliver(&mut self) {
        let Some((_, (from, mut to, bytes))) = self.wire.pop_first() else { return };
        if let Some(router) = self.router.as_mut().filter(|_| to.ip() == router::PUBLIC) {
            let Some(inside) = router.back(to, from, self.now) else { return };
            to = inside;
        }
        match self.nodes.get_mut(&to) {
            Some(Node::Phone(_)) => {
                let flow = self.streams.get(&(to, from)).copied().unwrap_or(FlowId(0));
                self.tell(to, Input::Bytes { flow, from, bytes: &bytes });
            }
            Some(Node::Peer { script, heard }) => {
                self.pings += usize::from(&bytes[..] == b"\r\n\r\n");
                if let Ok(request) = nat::stun::Message::read(&bytes) {
                    self.asked += 1;
                    let answer = nat::stun::Writer::success(&request);
                    let answer = answer.hidden_address(nat::stun::attribute::XOR_MAPPED_ADDRESS, from);
                    if self.stun {
                        self.send(to, from, answer.unsigned());
                    }
                    return;
                }
                let Ok(message) = Message::read(bytes) else { return };
                let answers = script(&message, from);
                heard.push(message);
                for answer in answers {
                    self.send(to, from, answer);
                }
            }
            Some(Node::Dead) | None => {}
        }
    }

    pub fn story(&self) -> String {
        self.story.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The newest view of a call.
    pub fn view(&mut self, address: SocketAddr, call: CallId) -> CallView {
        let story = self.story();
        let views = self.handset(address).events.iter().rev();
        let view = views.filter_map(|event| match event {
            Event::Call(view) if view.call == call => Some(view.clone()),
            _ => None,
        });
        view.into_iter().next().unwrap_or_else(|| panic!("no view of {call:?} at {address}:\n{story}"))
    }

    pub fn state(&mut self, address: SocketAddr, call: CallId) -> CallState {
        self.view(address, call).state
    }

    /// All states a call went through.
    pub fn states(&mut self, address: SocketAddr, call: CallId) -> Vec<CallState> {
        let mut states: Vec<_> = (self.handset(address).events.iter())
            .filter_map(|event| match event {
                Event::Call(view) if view.call == call => Some(view.state),
                _ => None,
            })
            .collect();
        states.dedup();
        states
    }

    pub fn account(&mut self, address: SocketAddr) -> AccountView {
        let views = self.handset(address).events.iter().rev();
        let mut views = views.filter_map(|event| match event {
            Event::Account(view) => Some(view.clone()),
            _ => None,
        });
        views.next().expect("an account is shown when it is added")
    }

    pub fn account_states(&mut self, address: SocketAddr) -> Vec<AccountState> {
        let mut states: Vec<_> = (self.handset(address).events.iter())
            .filter_map(|event| match event {
                Event::Account(view) => Some(view.state),
                _ => None,
            })
            .collect();
        states.dedup();
        states
    }

    pub fn refusals(&mut self, address: SocketAddr) -> Vec<(Subject, Refusal)> {
        let events = self.handset(address).events.iter();
        events
            .filter_map(|event| match event {
                Event::Refused { subject, reason } => Some((*subject, *reason)),
                _ => None,
            })
            .collect()
    }

    /// Asserts, with the story when it fails.
    #[track_caller]
    pub fn expect<T: PartialEq + Debug>(&self, found: T, wanted: T) {
        assert!(found == wanted, "found {found:?}, wanted {wanted:?}\n{}", self.story());
    }
}

/// The streams of a phone that are open and not closed.
impl Handset {
    pub fn open_streams(&self) -> Vec<&Stream> {
        self.streams.values().filter(|stream| stream.plan.is_some() && !stream.closed).collect()
    }
}

/// A response as the peer would send it, with a To tag.
pub fn response(request: &Message, status: u16) -> Draft {
    let mut draft = Draft::response_to(request, status);
    let to = String::from_utf8_lossy(request.first(Name::To).unwrap()).into_owned();
    if status > 100 && !to.contains("tag=") {
        draft.set(Name::To, format!("{to};tag=peer"));
    }
    draft
}

pub fn bytes(draft: &Draft) -> Bytes {
    draft.write(Form::Full)
}

/// Ann at 10.0.0.1 and Bob at 10.0.0.2.
pub fn pair() -> (Town, SocketAddr, SocketAddr) {
    pair_of(|_| ())
}

fn pair_of(set: impl Fn(&mut Account)) -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    let [ann, bob] = [("ann", 1), ("bob", 2)].map(|(name, last)| {
        let mut account = at_home(name, last);
        set(&mut account);
        town.phone(last, account)
    });
    (town, ann, bob)
}

/// Ann has called Bob, and he has answered.
pub fn in_a_call() -> (Town, SocketAddr, SocketAddr) {
    in_a_call_of(|_| ())
}

/// The same, their accounts set so.
pub fn in_a_call_of(set: impl Fn(&mut Account)) -> (Town, SocketAddr, SocketAddr) {
    let (mut town, ann, bob) = pair_of(set);
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(Duration::from_secs(1));
    town.command(bob, Command::Answer(CallId(1)));
    town.run(Duration::from_secs(1));
    let states = (town.state(ann, CallId(1)), town.state(bob, CallId(1)));
    town.expect(states, (CallState::Active, CallState::Active));
    (town, ann, bob)
}

/// A peer's description.
pub fn description(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    )
}

pub fn directions(town: &mut Town, phone: SocketAddr) -> Vec<media::Direction> {
    town.handset(phone).open_streams().iter().map(|s| s.plan.as_ref().unwrap().direction).collect()
}
