//! Both IP families to one server, one of which leads nowhere. RFC 8305 section 5, RFC 7984 section 4.2.

use std::net::SocketAddr;
use std::time::Duration;

use base::nat64::Prefix64;
use base::{FlowId, Instant, NetworkId, Rng, Transport};

use crate::locate::{Answer, Question, Record, Translator};
use crate::message::{Draft, Method};
use crate::order::{Order, Orders};
use crate::ua::*;

const ME: ProfileId = ProfileId(1);
const MS: Duration = Duration::from_millis(1);
const V4: &str = "192.0.2.1:5070";
const V6: &str = "[2001:db8::1]:5070";

/// One agent with a socket of each family, and a server of which both addresses are known.
struct Bench {
    agent: Agent,
    now: Instant,
    out: Orders,
    last_flow: u32,
}

impl Bench {
    fn new(transport: Transport) -> Self {
        let mut agent = Agent::new(AgentConfig::default(), Rng::from_number(1));
        let mut profile = Profile::new("sip:ann@pbx.test:5070".parse().unwrap(), "ann");
        profile.transport = TransportPolicy::Only(transport);
        agent.set_profile(ME, profile);
        Self { agent, now: Instant::ZERO, out: Orders::new(), last_flow: 9 }
    }

    fn ask(&mut self, method: &Method) {
        self.agent.request(ME, Draft::request(method, "sip:pbx.test:5070"), self.now, &mut self.out);
    }

    /// Lets time pass, and the name server and UDP sockets answer at once. What is left: whom it connects to, whom it writes to
    /// with which first word, and what it closes.
    fn pass(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        self.agent.due(self.now, &mut self.out);
        let mut told = Vec::new();
        while !self.out.is_empty() {
            for order in std::mem::take(&mut self.out) {
                match order {
                    Order::Resolve { query, question, .. } => {
                        let answer = match question {
                            Question::A(_) => Answer::Records(vec![Record::A([192, 0, 2, 1].into())]),
                            Question::Aaaa(_) => {
                                Answer::Records(vec![Record::Aaaa("2001:db8::1".parse().unwrap())])
                            }
                            Question::Srv(_) | Question::Naptr(_) => Answer::NotFound,
                        };
                        self.agent.resolved(query, answer, self.now, &mut self.out);
                    }
                    Order::OpenFlow { transport: Transport::Udp, remote, .. } => {
                        let (flow, local) = match remote {
                            SocketAddr::V4(_) => (FlowId(4), "192.0.2.9:5060"),
                            SocketAddr::V6(_) => (FlowId(6), "[2001:db8::9]:5060"),
                        };
                        let local = local.parse().unwrap();
                        let (now, out) = (self.now, &mut self.out);
                        self.agent.flow_up(flow, Transport::Udp, local, Some(remote), now, out);
                    }
                    Order::OpenFlow { remote, .. } => told.push(format!("connect {remote}")),
                    Order::Send { to, bytes, .. } => {
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        told.push(format!("{} {to}", text.split(' ').next().unwrap()));
                    }
                    Order::SwitchPort { further, .. } => told.push(format!("further port: {further}")),
                    Order::CloseFlow { .. } => told.push("close".into()),
                }
            }
        }
        told
    }

    fn connected(&mut self, remote: &str) -> Vec<String> {
        self.last_flow += 1;
        let (flow, remote) = (FlowId(self.last_flow), remote.parse().unwrap());
        let local =
            if matches!(remote, SocketAddr::V4(_)) { "192.0.2.9:40000" } else { "[2001:db8::9]:40000" };
        let local = local.parse().unwrap();
        self.agent.flow_up(flow, Transport::Tcp, local, Some(remote), self.now, &mut self.out);
        self.pass(Duration::ZERO)
    }

    fn refused(&mut self, remote: &str) -> Vec<String> {
        self.agent.flow_failed(
            NetworkId::SYSTEM,
            Transport::Tcp,
            remote.parse().unwrap(),
            self.now,
            &mut self.out,
        );
        self.pass(Duration::ZERO)
    }
}

#[test]
fn a_connection_that_does_not_open_gets_a_rival_and_the_loser_is_closed_when_it_comes() {
    let mut b = Bench::new(Transport::Tcp);
    b.ask(&Method::Options);
    assert_eq!(b.pass(Duration::ZERO), [format!("connect {V6}")]);
    assert_eq!(b.pass(249 * MS), [""; 0]);
    assert_eq!(b.pass(MS), [format!("connect {V4}")]);
    assert_eq!(b.connected(V4), [format!("OPTIONS {V4}")]);
    assert_eq!(b.connected(V6), ["close"]);
    b.ask(&Method::Options);
    assert_eq!(b.pass(Duration::ZERO), [format!("OPTIONS {V4}")], "the winner is remembered");
}

#[test]
fn the_first_may_still_win_and_is_written_to_once() {
    let mut b = Bench::new(Transport::Tcp);
    b.ask(&Method::Invite);
    b.pass(Duration::ZERO);
    b.pass(250 * MS);
    assert_eq!(b.connected(V6), [format!("INVITE {V6}")]);
    assert_eq!(b.connected(V4), ["close"]);
}

#[test]
fn a_refusal_starts_the_rival_at_once_and_two_are_a_failure() {
    let mut b = Bench::new(Transport::Tcp);
    b.ask(&Method::Options);
    b.pass(Duration::ZERO);
    assert_eq!(b.refused(V6), [format!("connect {V4}")]);
    b.refused(V4);
    let mut news = std::iter::from_fn(|| b.agent.poll_news());
    assert!(news.any(|news| matches!(news, News::Done { outcome: Outcome::Unreachable, .. })));
    // One refused while the other is awaited.
    let mut b = Bench::new(Transport::Tcp);
    b.ask(&Method::Options);
    b.pass(Duration::ZERO);
    b.pass(250 * MS);
    assert_eq!(b.refused(V4), [""; 0]);
    assert_eq!(b.connected(V6), [format!("OPTIONS {V6}")]);
}

#[test]
fn a_server_that_was_never_heard_is_left_after_a_second_for_the_other_family() {
    let mut b = Bench::new(Transport::Udp);
    b.ask(&Method::Register);
    assert_eq!(b.pass(Duration::ZERO), [format!("REGISTER {V6}")]);
    assert_eq!(b.pass(500 * MS), [format!("REGISTER {V6}")]);
    assert_eq!(b.pass(500 * MS), [format!("REGISTER {V4}")]);
}

#[test]
fn a_call_is_not_sent_twice_and_a_server_that_was_heard_is_waited_for() {
    let mut b = Bench::new(Transport::Udp);
    b.ask(&Method::Message);
    assert_eq!(b.pass(Duration::ZERO), [format!("MESSAGE {V6}")]);
    assert!(b.pass(1100 * MS).iter().all(|told| told.ends_with(V6)));
}

#[test]
fn an_account_on_a_network_without_ipv4_writes_through_the_translator() {
    let mut b = Bench::new(Transport::Udp);
    let prefix = Prefix64::new("2001:db8:64::".parse().unwrap(), 96).unwrap();
    b.agent.set_reach(NetworkId::SYSTEM, false, Translator::Prefix(prefix));
    b.agent.request(ME, Draft::request(&Method::Options, "sip:192.0.2.7"), b.now, &mut b.out);
    // The next hop of a request outside a dialog is its target.
    assert_eq!(b.pass(Duration::ZERO), ["OPTIONS [2001:db8:64::c000:207]:5060"]);
}
