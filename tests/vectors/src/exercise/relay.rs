//! Any bytes where a relay's client hears: from strangers, and from a server that knows the password and has lost its mind.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{Instant, Redacted, Rng, Secret};
use nat::stun::{Algorithm, Attribute, Class, Key, Message, Method, TransactionId, Writer, attribute};
use nat::turn::{Account, Client, Config, ConnectionId, Event, Family, MAX_PEERS, Relaying, rest};

/// Both password algorithms, as a server lists them.
const ALGORITHMS: [u8; 8] = [0, 1, 0, 0, 0, 2, 0, 0];

struct Server {
    client: Client,
    now: Instant,
    last: Option<Message>,
    algorithm: Algorithm,
    permitted: BTreeSet<IpAddr>,
    account: bool,
}

/// The first byte is the client's configuration. Then steps: a byte that says what, one that says how long, and that much
/// for it: a message word for word, an answer to the last request (signed or not), a challenge, an indication, time, or a
/// call of the app. Promises:
/// * nobody without the password makes an allocation, and data comes from whom the app has let in;
/// * the client wants to be woken later than now, or is done, and then says and believes nothing more;
/// * what it sends reads, and what waits to be fetched has a bound.
///
/// # Panics
/// It breaks a promise.
pub fn turn_client(bytes: &[u8]) {
    let _ = rest::Grant::read(bytes);
    let Some((pick, mut rest)) = bytes.split_first() else { return };
    let bit = |n: u8| pick >> n & 1 == 1;
    let account = || Account { user: Redacted::new("u".into()), password: Secret::new("p".into()) };
    let config = Config {
        reliable: bit(0) || bit(1),
        relaying: if bit(1) { Relaying::Tcp } else { Relaying::Udp },
        family: [Family::Default, Family::V4, Family::V6, Family::Both][usize::from(pick >> 2 & 3)],
        mobility: bit(4),
        loopback: bit(5),
        redirected: bit(6),
        ..Config::new(SocketAddr::from(([192, 0, 2, 9], 3478)), (!bit(7)).then(account))
    };
    let account = config.account.is_some();
    let client = Client::new(config, None, Rng::from_number(1), Instant::ZERO).expect("it may ask");
    let mut server = Server {
        client,
        now: Instant::ZERO,
        last: None,
        algorithm: Algorithm::Sha1,
        permitted: BTreeSet::new(),
        account,
    };
    server.settle(false);
    while let Some(([what, length], after)) = rest.split_first_chunk::<2>() {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        server.step(what % 16, payload);
    }
}

impl Server {
    fn key(&self) -> Key {
        Key::long_term("u", "r", &Secret::new("p".into()), self.algorithm)
    }

    fn step(&mut self, what: u8, payload: &[u8]) {
        let byte = |at: usize| payload.get(at).copied().unwrap_or(0);
        let peer = SocketAddr::from(([198, 51, byte(0) % 4, byte(1) % 8], 1 + u16::from(byte(2) % 4)));
        let six =
            SocketAddr::new(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(), peer.port());
        let (now, was_done) = (self.now, self.client.is_done());
        let mut knows = false;
        match what {
            0 => {
                let heard = self.client.heard(payload, now);
                assert!(!(heard && was_done), "who is done hears nothing");
            }
            1..=3 => {
                // A success: 1 signed, 2 not, 3 without what must be in it.
                let Some(last) = &self.last else { return };
                let mut answer = Writer::success(last);
                if what != 3 {
                    answer = answer
                        .hidden_address(
                            attribute::XOR_RELAYED_ADDRESS,
                            SocketAddr::from(([192, 0, 2, 9], 50_000)),
                        )
                        .hidden_address(attribute::XOR_RELAYED_ADDRESS, six)
                        .hidden_address(attribute::XOR_MAPPED_ADDRESS, peer)
                        .number(attribute::CONNECTION_ID, 7);
                }
                answer = with(answer, payload);
                knows = what != 2;
                let answer =
                    if knows { answer.signed(&self.key(), self.algorithm) } else { answer.unsigned() };
                self.client.heard(&answer, now);
            }
            4 | 5 => {
                let Some(last) = &self.last else { return };
                let codes = [300, 400, 403, 405, 437, 438, 440, 441, 442, 443, 446, 447, 486, 500, 508, 699];
                let answer = Writer::error(last, codes[usize::from(byte(0) % 16)], "no");
                let answer = with(answer, payload.get(1..).unwrap_or_default());
                let answer =
                    if what == 4 { answer.signed(&self.key(), self.algorithm) } else { answer.unsigned() };
                self.client.heard(&answer, now);
            }
            6 | 7 => {
                // A challenge, 6 with SHA-256.
                let Some(last) = &self.last else { return };
                let mut answer = Writer::error(last, if byte(0) & 1 == 0 { 401 } else { 438 }, "who")
                    .text(attribute::REALM, "r")
                    .value(attribute::NONCE, payload);
                self.algorithm = Algorithm::Sha1;
                if what == 6 {
                    answer = answer.value(attribute::PASSWORD_ALGORITHMS, &ALGORITHMS);
                    self.algorithm = Algorithm::Sha256;
                }
                self.client.heard(&answer.unsigned(), now);
            }
            8 => {
                let method = if byte(3) & 1 == 0 { Method::Data } else { Method::ConnectionAttempt };
                let told = Writer::new(Class::Indication, method, TransactionId([0; 12]))
                    .hidden_address(attribute::XOR_PEER_ADDRESS, peer);
                self.client.heard(&with(told, payload.get(4..).unwrap_or_default()).unsigned(), now);
            }
            9 | 10 => {
                self.now =
                    now + Duration::from_millis(u64::from(byte(0)) * if what == 9 { 100 } else { 10_000 });
                self.client.due(self.now);
            }
            11 => {
                for peer in [peer, six] {
                    let called = if byte(3) & 1 == 0 {
                        self.client.permit(peer, now)
                    } else {
                        self.client.permit_only(peer, now)
                    };
                    if called.is_ok() {
                        self.permitted.insert(peer.ip());
                    }
                }
            }
            12 => {
                let _ = self.client.send(peer, payload);
                let _ = self.client.send(six, payload);
                let _ = self.client.connect(peer, now);
            }
            13 => self.client.forget(peer, now),
            14 => self.client.moved(now),
            _ if byte(0) & 3 == 3 => self.client.close(now),
            _ => {
                let mut data = self.client.bind(ConnectionId(u32::from(byte(0))), now);
                data.heard(payload, now);
                while data.poll_send().is_some() {}
            }
        }
        self.settle(knows);
        assert!(!was_done || self.client.is_done(), "gone is gone");
    }

    /// Fetches all there is, and looks at it.
    fn settle(&mut self, knows: bool) {
        self.client.due(self.now);
        while let Some(bytes) = self.client.poll_send() {
            if nat::channel::read(&bytes).is_none() {
                let message = Message::read(&bytes).expect("what we write reads");
                self.last = (message.class() == Class::Request).then_some(message).or(self.last.take());
            }
        }
        for at in 0.. {
            let Some(event) = self.client.poll_event() else { break };
            assert!(at <= 256 + 4 * MAX_PEERS, "events have a bound");
            match event {
                Event::Allocated { .. } => assert!(knows || !self.account, "whose word was that?"),
                Event::Data { peer, .. }
                | Event::PeerConnects { peer, .. }
                | Event::PeerReady { peer, .. } => {
                    assert!(self.permitted.contains(&peer.ip()), "{peer} was not let in");
                }
                Event::Failed(why) | Event::Lost(why) => {
                    assert!(self.client.is_done() && !why.to_string().is_empty());
                }
                _ => {}
            }
        }
        match self.client.next_wake() {
            Some(wake) => assert!(wake.at > self.now, "{wake:?} at {:?}", self.now),
            None => assert!(self.client.is_done(), "it waits for nothing"),
        }
    }
}

/// With attributes of anybody's choice: two bytes for the type, one for the length.
fn with(mut writer: Writer, mut rest: &[u8]) -> Writer {
    while let Some(([a, b, length], after)) = rest.split_first_chunk::<3>() {
        let (value, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        // Signatures and fingerprints are put there by whoever may.
        let typ = Attribute(u16::from_be_bytes([*a, *b]));
        let own = [attribute::MESSAGE_INTEGRITY, attribute::MESSAGE_INTEGRITY_SHA256, attribute::FINGERPRINT];
        if !own.contains(&typ) {
            writer = writer.value(typ, value);
        }
    }
    writer
}
