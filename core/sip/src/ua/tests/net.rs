//! The world of the tests: nodes `10.0.0.N:5060`, datagrams and streams, a log of what was said.

#![allow(clippy::option_option)] // outer: is it this news; inner: what it carries

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use base::{FlowId, Instant, NetworkId, Rng, Transport};
use bytes::Bytes;

use crate::message::{Draft, Form, Message, Method, Name, Uri};
use crate::order::Order;
use crate::ua::*;

pub(super) type NodeId = usize;

/// The first (UDP) flow of every node.
const UDP: FlowId = FlowId(1);

/// The profile that every node has.
pub(super) const ME: ProfileId = ProfileId(1);

struct Node {
    /// `None`: what it says is the test's matter.
    agent: Option<Agent>,
    addr: SocketAddr,
    news: VecDeque<News>,
    /// What came to a scripted node, and from where.
    inbox: VecDeque<(Message, SocketAddr)>,
    streams: BTreeMap<FlowId, (NodeId, FlowId, SocketAddr)>,
    last_flow: u32,
    listens: bool,
}

type Loss = Box<dyn FnMut(u64, &str) -> bool>;

struct Packet {
    to: NodeId,
    flow: FlowId,
    from: SocketAddr,
    bytes: Bytes,
}

/// See the module.
pub(super) struct Net {
    pub(super) now: Instant,
    nodes: Vec<Node>,
    flying: BTreeMap<(Instant, u64), Packet>,
    sent: u64,
    /// Says which packet of those sent so far is lost: its number and its text.
    pub(super) lose: Loss,
    pub(super) log: String,
    pub(super) delay: Duration,
    pub(super) dns: BTreeMap<String, Vec<std::net::Ipv4Addr>>,
}

impl Net {
    pub(super) fn new() -> Self {
        Self {
            now: Instant::ZERO,
            nodes: Vec::new(),
            flying: BTreeMap::new(),
            sent: 0,
            lose: Box::new(|_, _| false),
            log: String::new(),
            delay: Duration::from_millis(10),
            dns: BTreeMap::new(),
        }
    }

    /// Ann at node 0 and Bob at node 1.
    pub(super) fn pair() -> Self {
        Self::pair_with(|_, _| ())
    }

    /// The same, with other manners.
    pub(super) fn pair_with(mut manners: impl FnMut(NodeId, &mut Profile)) -> Self {
        let mut net = Self::new();
        for name in ["ann", "bob"] {
            net.add(name, |node, profile| manners(node, profile));
        }
        net
    }

    pub(super) fn add(&mut self, name: &str, manners: impl FnOnce(NodeId, &mut Profile)) -> NodeId {
        let id = self.nodes.len();
        let addr = addr_of(id);
        let mut agent = Agent::new(AgentConfig::default(), Rng::from_number(id as u64 + 1));
        let mut profile = Profile::new(uri(&format!("sip:{name}@{}", addr.ip())), name);
        manners(id, &mut profile);
        agent.set_profile(ME, profile);
        let mut out = Vec::new();
        agent.flow_up(UDP, Transport::Udp, addr, None, self.now, &mut out);
        assert!(out.is_empty());
        while agent.poll_news().is_some() {}
        self.push(Some(agent), addr)
    }

    /// A node that says only what the test says.
    pub(super) fn add_scripted(&mut self) -> NodeId {
        let addr = addr_of(self.nodes.len());
        self.push(None, addr)
    }

    fn push(&mut self, agent: Option<Agent>, addr: SocketAddr) -> NodeId {
        let (news, inbox, streams) = (VecDeque::new(), VecDeque::new(), BTreeMap::new());
        self.nodes.push(Node { agent, addr, news, inbox, streams, last_flow: 1, listens: true });
        self.nodes.len() - 1
    }

    /// Refuses TCP connections to it from now on.
    pub(super) fn refuse_tcp(&mut self, node: NodeId) {
        self.nodes[node].listens = false;
    }

    pub(super) fn agent(&mut self, node: NodeId) -> &mut Agent {
        self.nodes[node].agent.as_mut().expect("an agent's node")
    }

    /// Does something to an agent and carries out what it orders.
    pub(super) fn with<R>(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut Agent, Instant, &mut Vec<Order>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let now = self.now;
        let agent = self.agent(node);
        let result = act(agent, now, &mut out);
        self.drain(node);
        self.execute(node, out);
        result
    }

    fn drain(&mut self, node: NodeId) {
        let node = &mut self.nodes[node];
        let Some(agent) = &mut node.agent else { return };
        while let Some(news) = agent.poll_news() {
            if !matches!(news, News::FlowUp { .. } | News::FlowDown { .. }) {
                node.news.push_back(news);
            }
        }
    }

    fn execute(&mut self, node: NodeId, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Send { flow, to, bytes } => self.carry(node, flow, to, bytes),
                Order::OpenFlow { transport: Transport::Udp, remote, .. } => {
                    let local = self.nodes[node].addr;
                    self.with(node, |a, now, out| {
                        a.flow_up(UDP, Transport::Udp, local, Some(remote), now, out);
                    });
                }
                Order::OpenFlow { transport, remote, .. } => self.connect(node, transport, remote),
                Order::CloseFlow { flow } => self.cut(node, flow),
                Order::SwitchPort { .. } => {}
                Order::Resolve { query, question, .. } => {
                    let answer = self.resolve(&question);
                    self.with(node, |a, now, out| a.resolved(query, answer, now, out));
                }
            }
        }
    }

    fn resolve(&self, question: &crate::locate::Question) -> crate::locate::Answer {
        use crate::locate::{Answer, Question, Record};
        let (Question::A(name) | Question::Aaaa(name) | Question::Srv(name) | Question::Naptr(name)) =
            question;
        let found: Vec<Record> = match question {
            Question::A(_) => self.dns.get(name).into_iter().flatten().map(|ip| Record::A(*ip)).collect(),
            Question::Aaaa(_) | Question::Srv(_) | Question::Naptr(_) => Vec::new(),
        };
        if found.is_empty() { Answer::NotFound } else { Answer::Records(found) }
    }

    fn connect(&mut self, node: NodeId, transport: Transport, remote: SocketAddr) {
        let peer = self.nodes.iter().position(|peer| peer.addr == remote && peer.listens);
        let Some(peer) = peer else {
            return self
                .with(node, |a, now, out| a.flow_failed(NetworkId::SYSTEM, transport, remote, now, out));
        };
        let fresh = |node: &mut Node| {
            node.last_flow += 1;
            FlowId(node.last_flow)
        };
        let (ours, theirs) = (fresh(&mut self.nodes[node]), fresh(&mut self.nodes[peer]));
        let local = SocketAddr::new(self.nodes[node].addr.ip(), 40_000 + ours.0 as u16);
        self.nodes[node].streams.insert(ours, (peer, theirs, local));
        self.nodes[peer].streams.insert(theirs, (node, ours, remote));
        if self.nodes[peer].agent.is_some() {
            self.with(peer, |a, now, out| a.flow_up(theirs, transport, remote, Some(local), now, out));
        }
        self.with(node, |a, now, out| a.flow_up(ours, transport, local, Some(remote), now, out));
    }

    /// A connection breaks, at both ends.
    pub(super) fn cut(&mut self, node: NodeId, flow: FlowId) {
        let Some((peer, theirs, _)) = self.nodes[node].streams.remove(&flow) else { return };
        self.nodes[peer].streams.remove(&theirs);
        for (node, flow) in [(node, flow), (peer, theirs)] {
            if self.nodes[node].agent.is_some() {
                self.with(node, |a, now, out| a.flow_down(flow, now, out));
            }
        }
    }

    /// Whatever is on its way gets nowhere.
    pub(super) fn lose_what_flies(&mut self) {
        self.flying.clear();
    }

    pub(super) fn first_stream(&self, node: NodeId) -> Option<FlowId> {
        self.nodes[node].streams.keys().next().copied()
    }

    fn carry(&mut self, node: NodeId, flow: FlowId, to: SocketAddr, bytes: Bytes) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let first = text.lines().next().unwrap_or_default().to_owned();
        self.sent += 1;
        let stream = self.nodes[node].streams.get(&flow).copied();
        let lost = stream.is_none() && (self.lose)(self.sent, &text);
        let sign = if lost { "lost" } else { "" };
        let _ = writeln!(self.log, "{:?} {node} -> {to} {sign} {first}", self.now);
        if lost {
            return;
        }
        let (peer, at, from) = match stream {
            Some((peer, theirs, local)) => (Some(peer), theirs, local),
            None => (self.nodes.iter().position(|peer| peer.addr == to), UDP, self.nodes[node].addr),
        };
        if let Some(peer) = peer {
            let packet = Packet { to: peer, flow: at, from, bytes };
            self.flying.insert((self.now + self.delay, self.sent), packet);
        }
    }

    /// Lets time pass, with everything that happens in it.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let packet = self.flying.keys().next().map(|(at, _)| *at);
            let wake = self.nodes.iter().filter_map(|n| n.agent.as_ref()?.next_wake()).map(|w| w.at).min();
            let next = match (packet, wake) {
                (Some(a), Some(b)) => a.min(b),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => break,
            };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if packet == Some(next) {
                let Some((_, packet)) = self.flying.pop_first() else { break };
                self.deliver(packet);
            } else {
                for node in 0..self.nodes.len() {
                    if self.nodes[node]
                        .agent
                        .as_ref()
                        .is_some_and(|a| a.next_wake().is_some_and(|w| w.at <= next))
                    {
                        self.with(node, Agent::due);
                    }
                }
            }
        }
        self.now = end;
    }

    /// A short while: a few round trips, no timer of consequence.
    pub(super) fn soon(&mut self) {
        self.run(Duration::from_millis(190));
    }

    fn deliver(&mut self, packet: Packet) {
        let Packet { to, flow, from, bytes } = packet;
        if self.nodes[to].agent.is_some() {
            self.with(to, |a, now, out| a.received(flow, from, &bytes, now, out));
        } else {
            let message = Message::read(bytes).expect("agents write what can be read");
            self.nodes[to].inbox.push_back((message, from));
        }
    }

    // ---- what the test sees

    /// The first piece of news that `wanted` takes; those before it are dropped.
    pub(super) fn expect<R>(&mut self, node: NodeId, wanted: impl Fn(&News) -> Option<R>) -> R {
        let seen = format!("{:?}", self.nodes[node].news);
        while let Some(news) = self.nodes[node].news.pop_front() {
            if let Some(found) = wanted(&news) {
                return found;
            }
        }
        panic!("not among the news of node {node}: {seen}\n{}", self.log);
    }

    /// All news not yet looked at.
    pub(super) fn news(&mut self, node: NodeId) -> Vec<News> {
        self.nodes[node].news.drain(..).collect()
    }

    /// How many messages so far began like this.
    pub(super) fn said(&self, start: &str) -> usize {
        self.log
            .lines()
            .filter(|line| line.splitn(6, ' ').nth(5).is_some_and(|said| said.starts_with(start)))
            .count()
    }

    pub(super) fn addr(&self, node: NodeId) -> SocketAddr {
        self.nodes[node].addr
    }

    // ---- scripted nodes

    /// The oldest request of that method that has come to a scripted node.
    pub(super) fn heard(&mut self, node: NodeId, method: &Method) -> Message {
        self.pick(node, |message| message.is_request() && message.method() == *method)
    }

    /// The oldest response with that status.
    pub(super) fn heard_status(&mut self, node: NodeId, status: u16) -> Message {
        self.pick(node, |message| message.status() == Some(status))
    }

    fn pick(&mut self, node: NodeId, wanted: impl Fn(&Message) -> bool) -> Message {
        let inbox = &mut self.nodes[node].inbox;
        match inbox.iter().position(|(message, _)| wanted(message)) {
            Some(at) => inbox.remove(at).expect("found there").0,
            None => panic!("node {node} has heard no such thing\n{}", self.log),
        }
    }

    /// Puts back what has been looked at.
    pub(super) fn give_back(&mut self, node: NodeId, message: Message) {
        let addr = self.nodes[node].addr;
        self.nodes[node].inbox.push_front((message, addr));
    }

    pub(super) fn has_heard(&self, node: NodeId, method: &Method) -> bool {
        self.nodes[node].inbox.iter().any(|(message, _)| message.is_request() && message.method() == *method)
    }

    /// A scripted node says something.
    pub(super) fn say(&mut self, node: NodeId, to: NodeId, draft: &Draft) {
        let to = self.nodes[to].addr;
        self.carry(node, UDP, to, draft.write(Form::Full));
    }

    /// A scripted node answers a request, with that To tag and its Contact.
    pub(super) fn reply(
        &mut self,
        node: NodeId,
        request: &Message,
        status: u16,
        tag: &str,
        more: impl FnOnce(&mut Draft),
    ) {
        let mut draft = Draft::response_to(request, status);
        let to = request.text(Name::To).expect("a To").to_owned();
        if !tag.is_empty() && !to.contains("tag=") {
            draft.set(Name::To, format_args!("{to};tag={tag}"));
        }
        draft.push(Name::Contact, format_args!("<sip:{tag}@{}>", self.nodes[node].addr));
        more(&mut draft);
        let via = request.top_via().expect("a Via");
        let port = via.sent_by.port.unwrap_or(5060);
        let to = SocketAddr::new(via.sent_by.host.ip().expect("an address"), port);
        self.carry(node, UDP, to, draft.write(Form::Full));
    }

    /// A request by a scripted node inside the dialog that `heard` (a request from the other side) is of.
    pub(super) fn in_dialog(
        &self,
        node: NodeId,
        method: &Method,
        seq: u32,
        heard: &Message,
        tag: &str,
    ) -> Draft {
        let target = heard.contact().expect("a Contact").uri().to_uri();
        let mut draft = Draft::request(method, target.as_str());
        let text = |name| heard.text(name).expect("a field").to_owned();
        let addr = self.nodes[node].addr;
        draft.push(
            Name::Via,
            format_args!("SIP/2.0/UDP {addr};rport;branch=z9hG4bKs{}{seq}{method}", self.sent),
        );
        draft.push(Name::MaxForwards, 70);
        let to = text(Name::To);
        let from = if to.contains("tag=") { to } else { format!("{to};tag={tag}") };
        draft.push(Name::From, from).push(Name::To, text(Name::From)).push(Name::CallId, text(Name::CallId));
        draft.push(Name::CSeq, format_args!("{seq} {method}"));
        draft.push(Name::Contact, format_args!("<sip:{tag}@{addr}>"));
        draft
    }

    /// A request by a scripted node outside any dialog.
    pub(super) fn outside(&self, node: NodeId, to: NodeId, method: &Method, call: &str) -> Draft {
        let (addr, target) = (self.nodes[node].addr, self.nodes[to].addr);
        let user = if to == 0 { "ann" } else { "bob" };
        let mut draft = Draft::request(method, &format!("sip:{user}@{target}"));
        draft.push(Name::Via, format_args!("SIP/2.0/UDP {addr};rport;branch=z9hG4bKo{call}{method}"));
        draft.push(Name::MaxForwards, 70);
        draft
            .push(Name::From, "<sip:script@test>;tag=script")
            .push(Name::To, format_args!("<sip:{user}@{target}>"));
        draft.push(Name::CallId, call).push(Name::CSeq, format_args!("1 {method}"));
        draft.push(Name::Contact, format_args!("<sip:script@{addr}>"));
        draft
    }

    // ---- calls

    /// Node 0 calls node 1.
    pub(super) fn call(&mut self) -> SessionId {
        self.call_with(|_| ())
    }

    pub(super) fn call_with(&mut self, more: impl FnOnce(&mut Invite)) -> SessionId {
        let to = uri(&format!("sip:bob@{}", self.nodes[1].addr));
        let mut invite = Invite::new(to, Some(sdp("offer")));
        more(&mut invite);
        self.with(0, |a, now, out| a.invite(ME, invite, now, out))
    }

    /// Node 0 calls node 1, which answers: both sessions.
    pub(super) fn established(&mut self) -> (SessionId, SessionId) {
        let ours = self.call();
        self.soon();
        let theirs = self.expect(1, invited);
        self.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
        self.soon();
        self.news(0);
        self.news(1);
        (ours, theirs)
    }

    /// Everything forgotten at both ends after the longest timer.
    pub(super) fn assert_quiet(&mut self) {
        self.run(Duration::from_secs(400));
        for node in 0..self.nodes.len() {
            if let Some(agent) = &self.nodes[node].agent {
                assert!(agent.is_quiet(), "node {node} is not idle\n{}", self.log);
                assert!(
                    agent.next_wake().is_none(),
                    "node {node} waits for {:?}\n{}",
                    agent.next_wake(),
                    self.log
                );
            }
        }
    }
}

fn addr_of(node: NodeId) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, node as u8 + 1], 5060))
}

pub(super) fn uri(text: &str) -> Uri {
    text.parse().expect("a URI")
}

/// A description that says who wrote it.
pub(super) fn sdp(name: &str) -> Bytes {
    Bytes::from(format!("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns={name}\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"))
}

// ---- what to expect

pub(super) fn invited(news: &News) -> Option<SessionId> {
    match news {
        News::Invited { session, .. } => Some(*session),
        _ => None,
    }
}

pub(super) fn ended(news: &News) -> Option<(Party, Cause)> {
    match news {
        News::Ended { by, cause, .. } => Some((*by, cause.clone())),
        _ => None,
    }
}

pub(super) fn failed(news: &News) -> Option<Failure> {
    match news {
        News::Failed { failure, .. } => Some(failure.clone()),
        _ => None,
    }
}

pub(super) fn answered(news: &News) -> Option<Option<Sdp>> {
    match news {
        News::Answered { sdp, .. } => Some(sdp.clone()),
        _ => None,
    }
}

pub(super) fn proceeding(news: &News) -> Option<(u16, u32, Option<Sdp>)> {
    match news {
        News::Proceeding { status, early, sdp, .. } => Some((*status, *early, sdp.clone())),
        _ => None,
    }
}

pub(super) fn confirmed(news: &News) -> Option<Option<Bytes>> {
    match news {
        News::Confirmed { sdp, .. } => Some(sdp.clone()),
        _ => None,
    }
}

pub(super) fn reoffered(news: &News) -> Option<Option<Bytes>> {
    match news {
        News::Reoffered { offer, .. } => Some(offer.clone()),
        _ => None,
    }
}

pub(super) fn reanswered(news: &News) -> Option<Option<Bytes>> {
    match news {
        News::Reanswered { sdp, .. } => Some(sdp.clone()),
        _ => None,
    }
}
