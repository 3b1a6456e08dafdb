//! Random histories of client and server transactions over a lossy, repeating, reordering wire or a stream, each step judged
//! by the models.

#![allow(
    clippy::unwrap_used,
    reason = "a test: what is unwrapped was written by the machines under judgement"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use base::{FlowId, Instant, Rng, Transport};
use bytes::Bytes;
use offhook_model::transaction::{ClientModel, Due, Ms, ServerModel, Told};
use offhook_model::wire::Wire;
use proptest::prelude::*;
use sip::message::{Draft, Message, Method, Name};
use sip::order::{Order, Orders};
use sip::transaction::{Hop, Source, Transactions, TxId, TxNews};

/// One step of a history. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Ask { invite: bool },
    Say { which: usize, status: u16 },
    Cancel { which: usize },
    ToServer { which: usize },
    ToClient { which: usize },
    Lose { which: usize, to_server: bool },
    Repeat { which: usize, to_server: bool },
    Wait { ms: Ms },
    Break,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..64_usize;
    let status = prop::sample::select(vec![100_u16, 180, 183, 200, 202, 302, 408, 486, 503]);
    let ms = prop_oneof![1..600_u64, Just(500), Just(3500), 1000..9000_u64, Just(32_000), Just(33_000)];
    prop_oneof![
        4 => any::<bool>().prop_map(|invite| Step::Ask { invite }),
        8 => (which.clone(), status).prop_map(|(which, status)| Step::Say { which, status }),
        1 => which.clone().prop_map(|which| Step::Cancel { which }),
        10 => which.clone().prop_map(|which| Step::ToServer { which }),
        10 => which.clone().prop_map(|which| Step::ToClient { which }),
        3 => (which.clone(), any::<bool>()).prop_map(|(which, to_server)| Step::Lose { which, to_server }),
        3 => (which, any::<bool>()).prop_map(|(which, to_server)| Step::Repeat { which, to_server }),
        6 => ms.prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Break),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_over_datagrams_breaks_a_rule(steps in prop::collection::vec(step(), 1..120)) {
        World::new(Transport::Udp).live(&steps)?;
    }

    #[test]
    fn no_history_over_a_stream_breaks_a_rule(steps in prop::collection::vec(step(), 1..120)) {
        World::new(Transport::Tcp).live(&steps)?;
    }
}

type Judged = Result<(), TestCaseError>;

/// Which client or server transaction a message on the wire belongs to: its branch, and CANCEL apart from the rest.
type Key = (String, bool);

struct World {
    transport: Transport,
    now: Ms,
    flow: u32,
    client: Transactions,
    server: Transactions,
    to_server: Wire,
    to_client: Wire,
    asked: u32,
    clients: BTreeMap<TxId, ClientModel>,
    by_branch: BTreeMap<Key, TxId>,
    /// Whether a provisional has reached the client.
    rings: BTreeMap<TxId, bool>,
    servers: BTreeMap<Key, ServerModel>,
    received: BTreeMap<TxId, (Key, Message)>,
}

/// What one step brought forth.
struct Seen {
    sent: Vec<Message>,
    news: Vec<TxNews>,
}

impl World {
    fn new(transport: Transport) -> Self {
        let reliable = transport.is_reliable();
        Self {
            transport,
            now: 0,
            flow: 1,
            client: Transactions::new(Rng::from_number(1)),
            server: Transactions::new(Rng::from_number(2)),
            to_server: Wire::new(reliable),
            to_client: Wire::new(reliable),
            asked: 0,
            clients: BTreeMap::new(),
            by_branch: BTreeMap::new(),
            rings: BTreeMap::new(),
            servers: BTreeMap::new(),
            received: BTreeMap::new(),
        }
    }

    fn live(mut self, steps: &[Step]) -> Judged {
        for step in steps {
            self.take(step)?;
        }
        self.end()
    }

    fn take(&mut self, step: &Step) -> Judged {
        match *step {
            Step::Ask { invite } => self.ask(invite),
            Step::Say { which, status } => self.say(which, status),
            Step::Cancel { which } => self.cancel(which),
            Step::ToServer { which } => self.deliver_to_server(which),
            Step::ToClient { which } => self.deliver_to_client(which),
            Step::Lose { which, to_server } => {
                self.wire(to_server).lose(which);
                Ok(())
            }
            Step::Repeat { which, to_server } => {
                self.wire(to_server).repeat(which);
                Ok(())
            }
            Step::Wait { ms } => self.wait(ms),
            Step::Break => self.cut(),
        }
    }

    /// Every transaction ends by its timer, once the user has said what only the user can.
    fn end(&mut self) -> Judged {
        self.wait(200_000)?;
        for (tx, model) in &self.clients {
            prop_assert!(model.is_gone() || model.waits_for_user(), "{tx:?} lives on: {model:?}");
        }
        for model in self.servers.values() {
            prop_assert!(model.waits_for_user(), "a server transaction lives on: {model:?}");
        }
        for which in 0..self.received.len() {
            self.say(which, 500)?;
        }
        for which in 0..self.clients.len() {
            self.cancel(which)?;
        }
        self.wait(200_000)?;
        prop_assert!(self.clients.values().all(ClientModel::is_gone), "{:?}", self.clients);
        prop_assert_eq!((self.client.len(), self.server.len()), (0, 0));
        prop_assert!(self.client.next_wake().is_none() && self.server.next_wake().is_none());
        Ok(())
    }

    fn ask(&mut self, invite: bool) -> Judged {
        self.asked += 1;
        let method = if invite { Method::Invite } else { Method::Options };
        let mut draft = Draft::request(&method, "sip:bob@example.com");
        draft
            .push(Name::MaxForwards, 70)
            .push(Name::From, "<sip:ann@example.com>;tag=a")
            .push(Name::To, "<sip:bob@example.com>")
            .push(Name::CallId, format_args!("call-{}", self.asked))
            .push(Name::CSeq, format_args!("1 {}", method.as_str()));
        let mut out = Orders::new();
        let tx = self.client.request(draft, self.hop(), self.at(), &mut out);
        prop_assert!(!self.clients.contains_key(&tx), "a name used twice");
        self.clients.insert(tx, ClientModel::new(invite, self.transport.is_reliable(), self.now));
        self.rings.insert(tx, false);
        let Order::Send { bytes, .. } = &out[0] else { panic!("{out:?}") };
        let (branch, _) = key(&Message::read(bytes.clone()).unwrap());
        self.by_branch.insert((branch, false), tx);
        self.judge_client(out, Vec::new(), 0)
    }

    fn say(&mut self, which: usize, status: u16) -> Judged {
        let Some((tx, (key, request))) = nth(&self.received, which) else { return Ok(()) };
        let (tx, key) = (*tx, key.clone());
        let mut draft = Draft::response_to(request, status);
        draft.set(Name::To, "<sip:bob@example.com>;tag=b");
        let mut out = Orders::new();
        let now = self.at();
        let expected = self.servers.get(&key).is_some_and(|m| m.may_say(status, self.now));
        let sent = self.server.respond(tx, draft, now, &mut out);
        prop_assert_eq!(sent, expected, "saying {} to {:?}", status, self.servers.get(&key));
        prop_assert_eq!(out.len(), usize::from(sent));
        self.judge_server(out, Vec::new(), true).map(drop)
    }

    fn cancel(&mut self, which: usize) -> Judged {
        let Some((&tx, _)) = nth(&self.clients, which) else { return Ok(()) };
        self.clients.get_mut(&tx).expect("just seen").want_cancel();
        let mut out = Orders::new();
        self.client.cancel(tx, &[], self.at(), &mut out);
        self.judge_client(out, Vec::new(), 0)
    }

    fn deliver_to_server(&mut self, which: usize) -> Judged {
        let Some(bytes) = self.to_server.deliver(which) else { return Ok(()) };
        let message = Message::read(bytes).unwrap();
        let (key, method) = (key(&message), message.method());
        let due = match self.servers.get_mut(&key) {
            Some(model) if method == Method::Ack => model.ack(self.now),
            Some(model) => model.repeated(),
            // New, or forgotten: then its user hears of it.
            None if method == Method::Ack => Due::AckTold,
            None => {
                let model =
                    ServerModel::new(method == Method::Invite, self.transport.is_reliable(), self.now);
                self.servers.insert(key.clone(), model);
                let (out, news) = self.feed_server(message);
                prop_assert!(
                    matches!(news[..], [TxNews::Request { .. } | TxNews::Cancel { .. }]),
                    "{news:?}"
                );
                return self.judge_server(out, news, false).map(drop);
            }
        };
        let (out, news) = self.feed_server(message);
        let seen = self.judge_server(out, news, false)?;
        let sent: Vec<Bytes> = seen.sent.iter().map(Message::share).collect();
        let told: Vec<_> = seen.news.iter().filter(|n| !matches!(n, TxNews::Finished { .. })).collect();
        let statuses: Vec<_> = seen.sent.iter().map(Message::status).collect();
        let as_due = match due {
            Due::Nothing => sent.is_empty() && told.is_empty(),
            Due::Again(bytes) => sent == [bytes] && told.is_empty(),
            Due::Trying => statuses == [Some(100)] && told.is_empty(),
            Due::AckTold => sent.is_empty() && matches!(told[..], [TxNews::Ack { .. }]),
        };
        prop_assert!(as_due, "{method} brought forth {statuses:?} and {told:?}");
        Ok(())
    }

    fn deliver_to_client(&mut self, which: usize) -> Judged {
        let Some(bytes) = self.to_client.deliver(which) else { return Ok(()) };
        let message = Message::read(bytes).unwrap();
        let status = message.status().expect("servers only answer");
        let (branch, cancel) = key(&message);
        let mut acks = 0;
        if let Some(tx) = self.by_branch.get(&(branch, false)).filter(|_| !cancel) {
            acks = self.clients[tx].acks_for(status);
            if status < 200 {
                self.rings.insert(*tx, true);
            }
        }
        let (mut out, mut news) = (Orders::new(), Vec::new());
        self.client.received(message, self.source(), self.at(), &mut out, &mut news);
        self.judge_client(out, news, acks)
    }

    fn wait(&mut self, ms: Ms) -> Judged {
        let end = self.now + ms;
        loop {
            let wake = base::Wake::earlier(self.client.next_wake(), self.server.next_wake());
            let Some(wake) = wake.filter(|w| w.at <= Instant::from_millis(end)) else { break };
            self.now = self.now.max(wake.at.as_nanos() / 1_000_000);
            let before = (self.client.len(), self.server.len());
            let (mut out, mut news) = (Orders::new(), Vec::new());
            self.client.due(self.at(), &mut out, &mut news);
            let mut idle = out.is_empty() && news.is_empty();
            self.judge_client(out, news, 0)?;
            let (mut out, mut news) = (Orders::new(), Vec::new());
            self.server.due(self.at(), &mut out, &mut news);
            idle &= out.is_empty() && news.is_empty() && before == (self.client.len(), self.server.len());
            prop_assert!(!idle, "woken for nothing at {}: {}", self.now, wake.why);
            self.judge_server(out, news, false)?;
        }
        self.now = end;
        Ok(())
    }

    fn cut(&mut self) -> Judged {
        let (mut client_news, mut server_news) = (Vec::new(), Vec::new());
        self.client.flow_down(FlowId(self.flow), &mut client_news);
        self.server.flow_down(FlowId(self.flow), &mut server_news);
        self.flow += 1;
        if self.transport.is_reliable() {
            self.to_server.cut();
            self.to_client.cut();
        }
        self.judge_client(Orders::new(), client_news, 0)?;
        self.judge_server(Orders::new(), server_news, false).map(drop)
    }

    /// Holds what the client end did against the models, then puts it on the wire.
    fn judge_client(&mut self, out: Orders, news: Vec<TxNews>, acks: usize) -> Judged {
        let now = self.now;
        let mut acked = 0;
        for message in sends(out) {
            let (branch, cancel) = key(&message);
            let tx = self.by_branch[&(branch, false)];
            let model = self.clients.get_mut(&tx).expect("sent before");
            let judged = if message.method() == Method::Ack {
                acked += 1;
                Ok(())
            } else if !cancel {
                model.sent(now)
            } else if self.by_branch.insert(key(&message), tx).is_none() {
                model.cancel_sent(self.rings[&tx])
            } else if self.transport.is_reliable() {
                Err("CANCEL again on a stream".into())
            } else {
                Ok(())
            };
            judged.map_err(TestCaseError::fail)?;
            self.to_server.send(message.share());
        }
        prop_assert_eq!(acked, acks, "ACKs");
        for news in news {
            let (tx, told) = match news {
                TxNews::Response { tx, message, .. } => (tx, Told::Response(message.status().unwrap())),
                TxNews::TimedOut { tx } => (tx, Told::TimedOut),
                TxNews::Unreachable { tx } => (tx, Told::Unreachable),
                TxNews::Finished { tx } => (tx, Told::Finished),
                TxNews::StrayResponse { message, .. } => {
                    let (branch, cancel) = key(&message);
                    let tx = self.by_branch[&(branch, false)];
                    prop_assert!(!cancel && self.clients[&tx].is_gone(), "stray though it lives");
                    continue;
                }
                other => panic!("a client told {other:?}"),
            };
            let model = self.clients.get_mut(&tx).expect("a name we know");
            model.told(told, now).map_err(TestCaseError::fail)?;
        }
        Ok(())
    }

    fn judge_server(&mut self, out: Orders, news: Vec<TxNews>, by_user: bool) -> Result<Seen, TestCaseError> {
        let sent = sends(out);
        for message in &sent {
            let status = message.status().expect("servers only answer");
            let model = self.servers.get_mut(&key(message)).expect("an answer to what came");
            model.said(status, message.share(), by_user, self.now).map_err(TestCaseError::fail)?;
            self.to_client.send(message.share());
        }
        for news in &news {
            match news {
                TxNews::Request { tx, message, .. } | TxNews::Cancel { tx, message, .. } => {
                    prop_assert!(self.received.insert(*tx, (key(message), message.clone())).is_none());
                }
                TxNews::Finished { tx } => {
                    let (key, _) = self.received.remove(tx).expect("finished once, after it began");
                    let model = self.servers.remove(&key).expect("it lived");
                    prop_assert!(model.may_finish(self.now), "gone too early at {}: {model:?}", self.now);
                }
                TxNews::Ack { .. } => {}
                other => panic!("a server told {other:?}"),
            }
        }
        Ok(Seen { sent, news })
    }

    fn feed_server(&mut self, message: Message) -> (Orders, Vec<TxNews>) {
        let (mut out, mut news) = (Orders::new(), Vec::new());
        let source = Source { remote: self.hop().local, local: self.hop().remote, ..self.source() };
        self.server.received(message, source, self.at(), &mut out, &mut news);
        (out, news)
    }

    fn wire(&mut self, to_server: bool) -> &mut Wire {
        if to_server { &mut self.to_server } else { &mut self.to_client }
    }

    fn at(&self) -> Instant {
        Instant::ZERO + Duration::from_millis(self.now)
    }

    fn hop(&self) -> Hop {
        let address = |last| SocketAddr::from(([192, 0, 2, last], 5060));
        Hop { flow: FlowId(self.flow), transport: self.transport, remote: address(2), local: address(1) }
    }

    fn source(&self) -> Source {
        let Hop { flow, transport, remote, local } = self.hop();
        Source { flow, transport, remote, local }
    }
}

fn sends(out: Orders) -> Vec<Message> {
    let bytes = out.into_iter().map(|order| match order {
        Order::Send { bytes, .. } => bytes,
        other => panic!("a transaction only sends: {other:?}"),
    });
    bytes.map(|bytes| Message::read(bytes).unwrap()).collect()
}

fn key(message: &Message) -> Key {
    let branch = message.top_via().unwrap().branch.unwrap().to_owned();
    (branch, message.method() == Method::Cancel)
}

fn nth<K, V>(map: &BTreeMap<K, V>, which: usize) -> Option<(&K, &V)> {
    map.iter().nth(which % map.len().max(1))
}
