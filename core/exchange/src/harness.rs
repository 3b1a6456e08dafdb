//! For tests: an exchange in a world of text, addresses and virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use base::{FlowId, Instant, Rng, Secret, Transport};
use sip::digest::{Attempt, Authorizer, Credentials};
use sip::message::{Draft, Form, Message, Name};
use sip::order::{Order, Orders};

use crate::bindings::InMemory;
use crate::{Config, Exchange};

/// The wall clock at virtual time zero.
pub(crate) const WALL: u64 = 1_800_000_000;
pub(crate) const UDP: FlowId = FlowId(1);
/// The exchange's address.
pub(crate) const HERE: &str = "192.0.2.1:5060";
pub(crate) const ANN: &str = "192.0.2.11:5060";
pub(crate) const BOB: &str = "192.0.2.12:5060";
pub(crate) const CEM: &str = "192.0.2.13:5060";

/// One message that the exchange sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) to: String,
    pub(crate) flow: FlowId,
    pub(crate) message: Message,
}

impl Sent {
    pub(crate) fn line(&self) -> String {
        let what = match self.message.status() {
            Some(status) => status.to_string(),
            None => format!("{} {}", self.message.method(), self.message.request_uri().unwrap().as_str()),
        };
        format!("{what} -> {}", self.to)
    }

    pub(crate) fn value(&self, name: Name) -> &str {
        self.message.text(name).unwrap_or("")
    }

    pub(crate) fn values(&self, name: Name) -> Vec<String> {
        self.message.list(name).map(|v| String::from_utf8(v.to_vec()).unwrap()).collect()
    }
}

pub(crate) struct House {
    pub(crate) exchange: Exchange<InMemory>,
    pub(crate) now: Instant,
    pub(crate) out: Orders,
    serial: u32,
}

pub(crate) fn config() -> Config {
    let users = (1001..1010).map(|n| (n.to_string(), Secret::new(format!("secret-{n}")))).collect();
    Config { users, key: Some(Secret::new([7; 16])), challenge: false, ..Config::default() }
}

/// An exchange listening at 192.0.2.1:5060, UDP and TCP.
pub(crate) fn house(config: Config) -> House {
    let now = Instant::ZERO;
    let mut exchange = Exchange::new(config, InMemory::default(), Rng::from_number(1), now, WALL);
    let mut out = Orders::new();
    exchange.flow_up(UDP, Transport::Udp, addr(HERE), None, now, &mut out);
    exchange.listening(Transport::Tcp, addr(HERE));
    House { exchange, now, out, serial: 0 }
}

pub(crate) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl House {
    /// A datagram comes; what the exchange sends for it.
    pub(crate) fn datagram(&mut self, from: &str, text: &str) -> Vec<Sent> {
        self.bytes(UDP, from, text)
    }

    pub(crate) fn bytes(&mut self, flow: FlowId, from: &str, text: &str) -> Vec<Sent> {
        self.exchange.received(flow, addr(from), text.as_bytes(), self.now, &mut self.out);
        self.sent()
    }

    /// What has been sent; other orders stay in `out`.
    pub(crate) fn sent(&mut self) -> Vec<Sent> {
        let (mut sent, mut rest) = (Vec::new(), Vec::new());
        for order in self.out.drain(..) {
            match order {
                Order::Send { flow, to, bytes } => {
                    sent.push(Sent { to: to.to_string(), flow, message: Message::read(bytes).unwrap() });
                }
                other => rest.push(other),
            }
        }
        self.out = rest;
        sent
    }

    pub(crate) fn lines(sent: &[Sent]) -> Vec<String> {
        sent.iter().map(Sent::line).collect()
    }

    /// Time passes, timer by timer; what is sent meanwhile.
    pub(crate) fn wait(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now + time;
        while let Some(wake) = self.exchange.next_wake().filter(|w| w.at <= end) {
            self.now = self.now.max(wake.at);
            self.exchange.due(self.now, &mut self.out);
        }
        self.now = end;
        self.exchange.due(self.now, &mut self.out);
        self.sent()
    }

    /// A fresh number for branches, tags and Call-IDs.
    pub(crate) fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// A request as `user` at `from` would write it; `extra` header lines end in CRLF each.
    pub(crate) fn request(&mut self, line: &str, user: &str, from: &str, extra: &str) -> String {
        let n = self.serial();
        let method = line.split(' ').next().unwrap();
        let to = line.split(' ').nth(1).unwrap();
        format!(
            "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{user}{n};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@offhook.test>;tag=f{n}\r\nTo: <{to}>\r\nCall-ID: {n}@{from}\r\nCSeq: {n} {method}\r\n\
             {extra}Content-Length: 0\r\n\r\n"
        )
    }

    /// A REGISTER of `contact` (none when empty), challenge answered; the final response.
    pub(crate) fn register(&mut self, user: &str, from: &str, contact: &str, extra: &str) -> Sent {
        let contact = if contact.is_empty() { String::new() } else { format!("Contact: {contact}\r\n") };
        let extra = contact + extra;
        let text = self.request("REGISTER sip:offhook.test", user, from, &extra);
        let text = text.replace("To: <sip:", &format!("To: <sip:{user}@"));
        self.authorized(UDP, from, user, &format!("secret-{user}"), &text)
    }

    /// Sends a request, answers its challenge, and gives what came of that last.
    pub(crate) fn authorized(
        &mut self,
        flow: FlowId,
        from: &str,
        user: &str,
        password: &str,
        text: &str,
    ) -> Sent {
        let again = self.answer_challenge(flow, from, user, password, text);
        let mut sent = self.bytes(flow, from, &again);
        assert!(!sent.is_empty(), "no response");
        sent.remove(0)
    }

    /// Sends a request and writes its repetition with credentials, under the next CSeq.
    pub(crate) fn answer_challenge(
        &mut self,
        flow: FlowId,
        from: &str,
        user: &str,
        password: &str,
        text: &str,
    ) -> String {
        let challenge = self.bytes(flow, from, text).remove(0);
        assert!(matches!(challenge.message.status(), Some(401 | 407)), "{}", challenge.line());
        let message = Message::read(text.as_bytes()).unwrap();
        let mut draft = Draft::from_message(&message);
        let n = self.serial();
        let cseq = message.cseq().unwrap();
        draft.set(Name::CSeq, format_args!("{} {}", cseq.number + 1, cseq.method));
        draft.set(Name::Via, format_args!("SIP/2.0/UDP {from};branch=z9hG4bKauth{n};rport"));
        let credentials =
            Credentials { user: user.into(), password: Secret::new(password.into()), realm: None };
        Authorizer::default()
            .authorize(
                &mut draft,
                &challenge.message,
                &[credentials],
                &mut Attempt::default(),
                &mut Rng::from_number(u64::from(n)),
            )
            .unwrap();
        String::from_utf8(draft.write(Form::Full).to_vec()).unwrap()
    }
}

/// A response to what was received, as its receiver would write it.
pub(crate) fn reply(to: &Sent, status: u16, tag: &str, extra: &str) -> String {
    let mut draft = Draft::response_to(&to.message, status);
    if to.message.to().unwrap().tag().is_none() && status > 100 {
        draft.set(Name::To, format_args!("{};tag={tag}", to.message.text(Name::To).unwrap()));
    }
    draft.copy(&to.message, Name::RecordRoute);
    let text = String::from_utf8(draft.write(Form::Full).to_vec()).unwrap();
    text.replacen("Content-Length", &format!("{extra}Content-Length"), 1)
}
