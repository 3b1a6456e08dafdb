//! The four machines through the layer, in virtual time. A log line is a time in ms, `>` for what was sent, `<` for what the
//! user was told.

mod carry;
mod client;
mod invite_client;
mod invite_server;
mod layer;
mod server;

use super::*;
use crate::message::{Draft, Form, Method, Name};
use crate::order::{Order, Orders};
use base::Rng;
use bytes::Bytes;

const US: &str = "192.0.2.1:5060";
const THEM: &str = "198.51.100.2:5060";

struct Bench {
    layer: Transactions,
    transport: Transport,
    now: Instant,
    out: Orders,
    news: Vec<TxNews>,
    log: Vec<String>,
    /// All that was sent, and where to.
    sent: Vec<(SocketAddr, Message)>,
    /// The transactions of received requests.
    got: Vec<(TxId, Message)>,
    cancelled: Option<TxId>,
}

impl Bench {
    fn over(transport: Transport) -> Self {
        Self::with(transport, Config::default())
    }

    fn with(transport: Transport, config: Config) -> Self {
        Self {
            layer: Transactions::with_config(config, Rng::from_number(7)),
            transport,
            now: Instant::ZERO,
            out: Vec::new(),
            news: Vec::new(),
            log: Vec::new(),
            sent: Vec::new(),
            got: Vec::new(),
            cancelled: None,
        }
    }

    fn hop(&self) -> Hop {
        self.source().hop()
    }

    fn source(&self) -> Source {
        Source {
            flow: FlowId(1),
            transport: self.transport,
            remote: THEM.parse().unwrap(),
            local: US.parse().unwrap(),
        }
    }

    fn request(&mut self, method: &Method) -> TxId {
        let tx = self.layer.request(draft(method), self.hop(), self.now, &mut self.out);
        self.note();
        tx
    }

    fn cancel(&mut self, tx: TxId) {
        self.layer.cancel(tx, &[], self.now, &mut self.out);
        self.note();
    }

    /// The peer answers the last request of that method.
    fn answered(&mut self, method: &Method, status: u16) {
        let bytes = self.answer_to(method, status, "peer");
        self.hear(bytes);
    }

    fn answer_to(&self, method: &Method, status: u16, tag: &str) -> Bytes {
        let (_, request) = self.sent.iter().rfind(|(_, m)| m.is_request() && m.method() == *method).unwrap();
        let mut draft = Draft::response_to(request, status);
        draft.set(Name::To, format_args!("<sip:bob@example.com>;tag={tag}"));
        draft.write(Form::Full)
    }

    fn hear(&mut self, bytes: impl Into<Bytes>) {
        self.hear_from(bytes, self.source());
    }

    fn hear_from(&mut self, bytes: impl Into<Bytes>, source: Source) {
        let message = Message::read(bytes.into()).unwrap();
        self.layer.received(message, source, self.now, &mut self.out, &mut self.news);
        self.note();
    }

    /// Answers the newest received request of that method.
    fn respond(&mut self, method: &Method, status: u16) -> bool {
        let (tx, request) = self.got.iter().rfind(|(_, m)| m.method() == *method).unwrap();
        let mut draft = Draft::response_to(request, status);
        draft.set(Name::To, "<sip:bob@example.com>;tag=us");
        let sent = self.layer.respond(*tx, draft, self.now, &mut self.out);
        self.note();
        sent
    }

    /// Lets time pass, waking the layer whenever it wants to be woken.
    fn until(&mut self, ms: u64) {
        let end = Instant::from_millis(ms);
        while let Some(wake) = self.layer.next_wake().filter(|w| w.at <= end) {
            self.now = self.now.max(wake.at);
            let before = (self.log.len(), self.layer.len());
            self.layer.due(self.now, &mut self.out, &mut self.news);
            self.note();
            assert_ne!(
                (self.log.len(), self.layer.len()),
                before,
                "woken for nothing at {:?}: {}",
                wake.at,
                wake.why
            );
        }
        self.now = end;
    }

    fn note(&mut self) {
        let ms = self.now.as_nanos() / 1_000_000;
        for order in self.out.drain(..) {
            let Order::Send { to, bytes, .. } = order else { panic!("only sends: {order:?}") };
            let message = Message::read(bytes).unwrap();
            self.log.push(format!("{ms} > {}", name_of(&message)));
            self.sent.push((to, message));
        }
        for news in self.news.drain(..) {
            let line = match news {
                TxNews::Request { tx, message, .. } => {
                    let line = name_of(&message);
                    self.got.push((tx, message));
                    line
                }
                TxNews::Cancel { tx, invite, message, .. } => {
                    self.cancelled = invite;
                    self.got.push((tx, message));
                    "CANCEL".into()
                }
                TxNews::Ack { .. } => "ACK".into(),
                TxNews::Response { message, .. } => name_of(&message),
                TxNews::StrayResponse { message, .. } => format!("stray {}", name_of(&message)),
                TxNews::TimedOut { .. } => "timed out".into(),
                TxNews::Unreachable { .. } => "unreachable".into(),
                TxNews::Finished { .. } => "finished".into(),
            };
            self.log.push(format!("{ms} < {line}"));
        }
    }

    /// What happened since this was last asked.
    #[track_caller]
    fn saw(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.log), expected);
    }

    fn last_sent(&self) -> &Message {
        &self.sent.last().unwrap().1
    }
}

fn name_of(message: &Message) -> String {
    message.status().map_or_else(|| message.method().as_str().to_owned(), |s| s.to_string())
}

fn draft(method: &Method) -> Draft {
    let mut draft = Draft::request(method, "sip:bob@example.com");
    draft
        .push(Name::Route, "<sip:p1.example.com;lr>")
        .push(Name::Route, "<sip:p2.example.com;lr>")
        .push(Name::MaxForwards, 70)
        .push(Name::From, "<sip:ann@example.com>;tag=a")
        .push(Name::To, "<sip:bob@example.com>")
        .push(Name::CallId, "c1")
        .push(Name::CSeq, format_args!("7 {}", method.as_str()));
    draft
}

/// A request as the peer would send it.
fn theirs(method: &str, via: &str) -> String {
    format!(
        "{method} sip:ann@192.0.2.1 SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=b\r\n\
         To: <sip:ann@example.com>\r\nCall-ID: c2\r\nCSeq: 3 {method}\r\nContent-Length: 0\r\n\r\n"
    )
}

const VIA: &str = "SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKpeer1";

#[test]
fn the_time_until_timer_e_is_at_t2_is_three_and_a_half_seconds() {
    assert_eq!(Timing::default().until_t2(), Duration::from_millis(3500));
}
