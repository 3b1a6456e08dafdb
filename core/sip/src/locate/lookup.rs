//! One lookup: a list of things still to be expanded or tried, first things first. RFC 3263 sections 4.1 and 4.2.
//!
//! ```text
//!   URI --numeric--------------------------------------------> Try
//!    |--port named-------------------------> Host --A, AAAA--> Try
//!    |--transport named----------> Service ---SRV--> Host
//!    `--neither--> Domain --NAPTR--> Service
//!                     `--none found--> Service for each transport, all asked at once
//!   no SRV anywhere: Host at the default port
//!   IPv4 without having any: Translated --AAAA of ipv4only.arpa, unless the prefix is known--> Try
//! ```
//! Knows nothing of which targets have failed.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use base::nat64::{self, Prefix64};
use base::{NetworkId, QueryId, Rng, Transport};

use super::records::{Leads, by_lot, by_preference};
use super::{Answer, Exhausted, Family, Policy, Question, Record, Target, Translator};
use crate::message::{Host, Scheme, UriRef};

/// Bound of the list: what a hostile zone can make us try.
const STEPS_KEPT: usize = 64;

/// What the lookup wants next.
pub(super) enum Step {
    Try(Target),
    Ask(Vec<Question>),
    Wait,
    End(Exhausted),
}

#[derive(Debug)]
pub(super) struct Lookup {
    steps: VecDeque<Todo>,
    /// Where to go when not one SRV record is found. RFC 3263 section 4.2, last paragraph.
    fallback: Option<Todo>,
    /// What has been asked, in the order of the answers' worth.
    asked: Vec<Asked>,
    /// Targets that failed for others a moment ago: after all others.
    put_off: VecDeque<Target>,
    policy: Policy,
    secure: bool,
    /// The second round has begun: what was put off is tried now.
    last_resort: bool,
    /// Why there is nothing to try, as far as is known.
    why: Exhausted,
}

#[derive(Debug, Clone)]
enum Todo {
    Domain(String),
    Services(Vec<(String, Transport)>),
    Host {
        name: String,
        port: u16,
        transport: Transport,
    },
    /// IPv4 addresses, to be reached by IPv6.
    Translated {
        ips: Vec<Ipv4Addr>,
        port: u16,
        transport: Transport,
    },
    Ready(Target),
}

#[derive(Debug)]
struct Asked {
    query: Option<QueryId>,
    about: About,
    answer: Option<Answer>,
}

#[derive(Debug, Clone)]
enum About {
    Domain(String),
    Service(Transport),
    Addresses {
        port: u16,
        transport: Transport,
    },
    /// By which prefix these are reached.
    Prefix {
        ips: Vec<Ipv4Addr>,
        port: u16,
        transport: Transport,
    },
}

impl Lookup {
    pub(super) fn of(uri: &UriRef<'_>, policy: &Policy) -> Self {
        let secure = match uri.scheme {
            Scheme::Sips => true,
            Scheme::Sip | Scheme::Tel | Scheme::Other => false,
        };
        let mut lookup = Self {
            steps: VecDeque::new(),
            fallback: None,
            asked: Vec::new(),
            put_off: VecDeque::new(),
            policy: policy.clone(),
            secure,
            last_resort: false,
            why: Exhausted::NotFound,
        };
        let started = match uri.scheme {
            Scheme::Sip | Scheme::Sips => lookup.first_step(uri),
            Scheme::Tel | Scheme::Other => None,
        };
        if started.is_none() {
            lookup.why = Exhausted::Unusable;
        }
        lookup
    }

    /// The network whose name servers are asked.
    pub(super) fn network(&self) -> NetworkId {
        self.policy.network
    }

    /// `None`: we lack the transport.
    fn first_step(&mut self, uri: &UriRef<'_>) -> Option<()> {
        let named = match uri.param("transport") {
            Some(word) => Some(self.secured(Transport::from_word(word.as_bytes())?)?),
            None => None,
        };
        let host = match uri.param("maddr") {
            Some(text) => match text.trim_matches(['[', ']']).parse() {
                Ok(IpAddr::V4(ip)) => Host::V4(ip),
                Ok(IpAddr::V6(ip)) => Host::V6(ip),
                Err(_) => Host::Name(text),
            },
            None => uri.host,
        };
        let name = match host {
            Host::V4(ip) => return self.numeric(IpAddr::V4(ip), uri.port, named),
            Host::V6(ip) => return self.numeric(IpAddr::V6(ip), uri.port, named),
            Host::Name(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        };
        let step = match (uri.port, named) {
            (Some(port), named) => {
                Todo::Host { name, port, transport: named.or_else(|| self.default_transport())? }
            }
            (None, Some(transport)) => self.service_of(name, transport),
            (None, None) => Todo::Domain(name),
        };
        self.steps.push_back(step);
        Some(())
    }

    fn numeric(&mut self, ip: IpAddr, port: Option<u16>, named: Option<Transport>) -> Option<()> {
        let transport = named.or_else(|| self.default_transport())?;
        let port = port.unwrap_or(transport.default_port());
        if let (IpAddr::V4(ip), true) = (ip, self.translates()) {
            self.steps.push_back(Todo::Translated { ips: vec![ip], port, transport });
            return Some(());
        }
        let usable = if ip.is_ipv4() { self.policy.ipv4 } else { self.policy.ipv6 };
        let addr = SocketAddr::new(ip, port);
        usable
            .then(|| self.ready(Target { transport, addr }).into_iter().for_each(|t| self.steps.push_back(t)))
    }

    /// Whether IPv4 is only to be had through a translator.
    fn translates(&self) -> bool {
        self.policy.ipv6 && !self.policy.ipv4 && self.policy.nat64 != Translator::None
    }

    /// What a named transport means under `sips`: TLS over it. `None` when we cannot do it.
    fn secured(&self, named: Transport) -> Option<Transport> {
        let transport = match (self.secure, named) {
            (true, Transport::Udp) => return None,
            (true, Transport::Tcp | Transport::Tls) => Transport::Tls,
            (true, Transport::Ws | Transport::Wss) => Transport::Wss,
            // Who has only the secure one means it: there is one word for both. RFC 7118 section 5.2.
            (false, Transport::Ws) if !self.policy.transports.contains(&Transport::Ws) => Transport::Wss,
            (false, named) => named,
        };
        self.policy.transports.contains(&transport).then_some(transport)
    }

    /// UDP for sip and TLS over TCP for sips when nothing says otherwise (RFC 3263 section 4.1), or what we have.
    fn default_transport(&self) -> Option<Transport> {
        let usual = if self.secure { Transport::Tls } else { Transport::Udp };
        let mut usable = self.usable();
        usable.clone().find(|t| *t == usual).or_else(|| usable.next())
    }

    fn usable(&self) -> impl Iterator<Item = Transport> + Clone + '_ {
        self.policy.transports.iter().copied().filter(|t| t.is_secure() || !self.secure)
    }

    /// The SRV question of a transport, with the bare host as fallback. WebSocket has no SRV name of its own.
    fn service_of(&mut self, domain: String, transport: Transport) -> Todo {
        let host = Todo::Host { name: domain.clone(), port: transport.default_port(), transport };
        match srv_name(&domain, transport) {
            Some(name) => {
                self.fallback = Some(host);
                Todo::Services(vec![(name, transport)])
            }
            None => host,
        }
    }

    /// What to do next. `Ask` must be followed by [`Lookup::asked`] for each of its questions, in order.
    pub(super) fn step(&mut self) -> Step {
        if !self.asked.is_empty() {
            return Step::Wait;
        }
        match self.steps.pop_front() {
            Some(Todo::Ready(target)) => {
                self.why = Exhausted::AllTried;
                Step::Try(target)
            }
            Some(Todo::Domain(name)) => {
                self.expect(About::Domain(name.clone()));
                Step::Ask(vec![Question::Naptr(name)])
            }
            Some(Todo::Services(services)) => {
                for (_, transport) in &services {
                    self.expect(About::Service(*transport));
                }
                Step::Ask(services.into_iter().map(|(name, _)| Question::Srv(name)).collect())
            }
            Some(Todo::Host { name, port, transport }) => {
                let mut questions = Vec::with_capacity(2);
                if self.policy.ipv6 {
                    questions.push(Question::Aaaa(name.clone()));
                }
                if self.policy.ipv4 || self.translates() {
                    questions.push(Question::A(name));
                }
                for _ in &questions {
                    self.expect(About::Addresses { port, transport });
                }
                Step::Ask(questions)
            }
            Some(Todo::Translated { ips, port, transport }) => match self.policy.nat64 {
                Translator::Prefix(prefix) => {
                    self.translate(&ips, port, transport, &[prefix]);
                    self.step()
                }
                Translator::None | Translator::Unknown => {
                    self.expect(About::Prefix { ips, port, transport });
                    Step::Ask(vec![Question::Aaaa(nat64::NAME.into())])
                }
            },
            None => {
                if let Some(host) = self.fallback.take() {
                    self.steps.push_back(host);
                    return self.step();
                }
                self.last_resort = true;
                self.put_off.pop_front().map_or(Step::End(self.why), Step::Try)
            }
        }
    }

    /// Puts what a translator reaches first of all.
    fn translate(&mut self, ips: &[Ipv4Addr], port: u16, transport: Transport, prefixes: &[Prefix64]) {
        let reached = ips.iter().flat_map(|ip| prefixes.iter().filter_map(|prefix| prefix.embed(*ip)));
        let targets = reached.map(|ip| Target { transport, addr: SocketAddr::new(ip.into(), port) });
        let ready: Vec<Todo> = targets.flat_map(|target| self.ready(target)).collect();
        ready.into_iter().rev().for_each(|todo| self.steps.push_front(todo));
        self.steps.truncate(STEPS_KEPT);
    }

    /// Whether a target of the other family is still to come by the same transport.
    pub(super) fn has_other_family(&self, than: Target) -> bool {
        let is_other =
            |target: &Target| target.transport == than.transport && target.family() != than.family();
        let ready = |todo: &Todo| matches!(todo, Todo::Ready(target) if is_other(target));
        self.steps.iter().any(ready) || self.put_off.iter().any(is_other)
    }

    /// Says that a question was put; in the order of the questions.
    pub(super) fn asked(&mut self, query: QueryId) {
        if let Some(asked) = self.asked.iter_mut().find(|a| a.query.is_none()) {
            asked.query = Some(query);
        }
    }

    /// Keeps a target for last; `false` when last has come.
    pub(super) fn put_off(&mut self, target: Target) -> bool {
        if !self.last_resort {
            self.put_off.push_back(target);
        }
        !self.last_resort
    }

    /// Whether that was the last answer waited for.
    pub(super) fn answered(
        &mut self,
        query: QueryId,
        answer: Answer,
        liked: Option<Family>,
        rng: &mut Rng,
    ) -> bool {
        if let Some(asked) = self.asked.iter_mut().find(|a| a.query == Some(query)) {
            asked.answer = Some(answer);
        }
        if self.asked.iter().any(|a| a.answer.is_none()) {
            return false;
        }
        let mut next = VecDeque::new();
        let mut hosts: Vec<(u16, Transport, IpAddr)> = Vec::new();
        for Asked { about, answer, .. } in std::mem::take(&mut self.asked) {
            let records = match answer {
                Some(Answer::Records(records)) => records,
                Some(Answer::NotFound) | None => Vec::new(),
                Some(Answer::Failed) => {
                    if self.why == Exhausted::NotFound {
                        self.why = Exhausted::NameServersFailed;
                    }
                    Vec::new()
                }
            };
            match about {
                About::Domain(name) => self.on_naptr(name, records, &mut next),
                About::Service(transport) => {
                    // One record is enough to forbid the bare host, be it the root: "decidedly not here".
                    if records.iter().any(|r| matches!(r, Record::Srv { .. })) {
                        self.fallback = None;
                    }
                    next.extend(by_lot(records, rng).into_iter().map(|s| Todo::Host {
                        name: s.host,
                        port: s.port,
                        transport,
                    }));
                }
                About::Addresses { port, transport } => {
                    hosts.extend(records.iter().filter_map(address).map(|ip| (port, transport, ip)));
                }
                About::Prefix { ips, port, transport } => {
                    let told = records.iter().filter_map(|record| match record {
                        Record::Aaaa(ip) => Some(*ip),
                        Record::A(_) | Record::Srv { .. } | Record::Naptr { .. } => None,
                    });
                    let prefixes = nat64::prefixes(told);
                    if prefixes.is_empty() && self.why == Exhausted::NotFound {
                        self.why = Exhausted::Unusable;
                    }
                    self.translate(&ips, port, transport, &prefixes);
                }
            }
        }
        self.on_hosts(hosts, liked, &mut next);
        next.append(&mut self.steps);
        next.truncate(STEPS_KEPT);
        self.steps = next;
        true
    }

    /// The addresses of one host, the families in turn: one that leads nowhere costs one attempt. RFC 8305 section 4.
    fn on_hosts(
        &self,
        hosts: Vec<(u16, Transport, IpAddr)>,
        liked: Option<Family>,
        next: &mut VecDeque<Todo>,
    ) {
        let Some(&(port, transport, _)) = hosts.first() else { return };
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) =
            hosts.into_iter().map(|(_, _, ip)| ip).partition(IpAddr::is_ipv4);
        if self.translates() && v6.is_empty() {
            let v4 = v4.into_iter().filter_map(|ip| if let IpAddr::V4(ip) = ip { Some(ip) } else { None });
            next.push_back(Todo::Translated { ips: v4.collect(), port, transport });
            return;
        }
        // RFC 6147 section 5.1.1: where there is IPv6, nothing is translated.
        let v4 = if self.translates() { Vec::new() } else { v4 };
        let (first, second) = if liked == Some(Family::V4) { (v4, v6) } else { (v6, v4) };
        let turns = first.len().max(second.len());
        for ip in (0..turns).flat_map(|n| [first.get(n), second.get(n)]).flatten() {
            next.extend(self.ready(Target { transport, addr: SocketAddr::new(*ip, port) }));
        }
    }

    fn on_naptr(&mut self, domain: String, records: Vec<Record>, next: &mut VecDeque<Todo>) {
        let led = by_preference(records, |t| self.usable().any(|u| u == t));
        if let Some(transport) = self.default_transport() {
            let name = domain.clone();
            self.fallback = Some(Todo::Host { name, port: transport.default_port(), transport });
        }
        if led.is_empty() {
            let services = self.usable().filter_map(|t| Some((srv_name(&domain, t)?, t))).collect();
            next.push_back(Todo::Services(services));
        }
        for (transport, leads) in led {
            next.push_back(match leads {
                Leads::ToService(name) => Todo::Services(vec![(name, transport)]),
                Leads::ToHost(name) => Todo::Host { name, port: transport.default_port(), transport },
            });
        }
    }

    /// A target, preceded by TCP when the request is too large for a datagram. RFC 3261 section 18.1.1.
    fn ready(&self, target: Target) -> Vec<Todo> {
        let by_stream = self.policy.large
            && target.transport == Transport::Udp
            && self.policy.transports.contains(&Transport::Tcp);
        let stream = by_stream.then_some(Target { transport: Transport::Tcp, ..target });
        stream.into_iter().chain([target]).map(Todo::Ready).collect()
    }

    /// The questions still open.
    pub(super) fn open_queries(&self) -> impl Iterator<Item = QueryId> + '_ {
        self.asked.iter().filter(|a| a.answer.is_none()).filter_map(|a| a.query)
    }

    fn expect(&mut self, about: About) {
        self.asked.push(Asked { query: None, about, answer: None });
    }
}

/// The SRV name of a transport. RFC 3263 section 4.2; WebSocket has none.
fn srv_name(domain: &str, transport: Transport) -> Option<String> {
    match transport {
        Transport::Udp => Some(format!("_sip._udp.{domain}")),
        Transport::Tcp => Some(format!("_sip._tcp.{domain}")),
        Transport::Tls => Some(format!("_sips._tcp.{domain}")),
        Transport::Ws | Transport::Wss => None,
    }
}

fn address(record: &Record) -> Option<IpAddr> {
    match record {
        Record::A(ip) => Some(IpAddr::V4(*ip)),
        Record::Aaaa(ip) => Some(IpAddr::V6(*ip)),
        Record::Naptr { .. } | Record::Srv { .. } => None,
    }
}
