//! A client and a server that says what the test says.

mod keeping;

use base::{Redacted, Secret};

use super::super::{Account, Bound, MAX_PEERS};
use super::*;
use crate::stun::{Algorithm, Key};

const SERVER: &str = "192.0.2.9:3478";
const RELAYED: &str = "192.0.2.9:50000";
const MAPPED: &str = "198.51.100.7:4242";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn peer(n: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 5], n))
}

fn config() -> Config {
    let account = Account { user: Redacted::new("ann".into()), password: Secret::new("secret".into()) };
    Config::new(address(SERVER), Some(account))
}

struct Rig {
    client: Client,
    now: Instant,
    nonce: u32,
    wakes: usize,
}

/// A request that the client sent.
type Asked = Message;

impl Rig {
    fn new(config: Config) -> Self {
        let client = Client::new(config, None, Rng::from_number(1), Instant::ZERO).unwrap();
        Self { client, now: Instant::ZERO, nonce: 0, wakes: 0 }
    }

    /// With an allocation of so many seconds.
    fn allocated(config: Config, lifetime: u32) -> Self {
        let mut rig = Self::new(config);
        rig.challenge();
        rig.allocate(lifetime);
        assert!(matches!(rig.event(), Event::Allocated { .. }));
        rig
    }

    fn key() -> Key {
        Key::long_term("ann", "offhook.test", &Secret::new("secret".into()), Algorithm::Sha1)
    }

    /// The next request; there must be one, of this kind.
    fn asked(&mut self, method: Method) -> Asked {
        let bytes = self.client.poll_send().unwrap_or_else(|| panic!("{method:?} was not sent"));
        let message = Message::read(&bytes).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Request, method));
        message
    }

    fn quiet(&mut self) {
        assert_eq!(self.client.poll_send(), None);
        assert_eq!(self.client.poll_event(), None);
    }

    fn event(&mut self) -> Event {
        self.client.poll_event().expect("something happened")
    }

    fn hears(&mut self, bytes: &[u8]) {
        assert!(self.client.heard(bytes, self.now));
    }

    fn signed(&mut self, writer: Writer) {
        self.hears(&writer.signed(&Self::key(), Algorithm::Sha1));
    }

    fn refuses(&mut self, asked: &Asked, code: u16) {
        self.signed(Writer::error(asked, code, "no"));
    }

    fn nonce(&mut self, asked: &Asked, code: u16) {
        self.nonce += 1;
        let answer = Writer::error(asked, code, "again")
            .text(attribute::REALM, "offhook.test")
            .text(attribute::NONCE, &format!("n{}", self.nonce));
        self.hears(&answer.unsigned());
    }

    fn challenge(&mut self) {
        let asked = self.asked(Method::Allocate);
        assert!(!asked.has(attribute::MESSAGE_INTEGRITY));
        self.nonce(&asked, 401);
    }

    fn allocate(&mut self, lifetime: u32) {
        let asked = self.asked(Method::Allocate);
        assert_eq!(asked.written_by(&Self::key()), Some(Algorithm::Sha1));
        let answer = Writer::success(&asked)
            .hidden_address(attribute::XOR_RELAYED_ADDRESS, address(RELAYED))
            .hidden_address(attribute::XOR_MAPPED_ADDRESS, address(MAPPED))
            .number(attribute::LIFETIME, lifetime);
        let ticket = asked.has(attribute::MOBILITY_TICKET);
        self.signed(if ticket { answer.text(attribute::MOBILITY_TICKET, "ticket 1") } else { answer });
    }

    /// A peer with a channel.
    fn ready(&mut self, who: SocketAddr) -> u16 {
        self.client.permit(who, self.now).unwrap();
        let asked = self.asked(Method::ChannelBind);
        self.signed(Writer::success(&asked));
        match self.event() {
            Event::PeerReady { peer, channel: Some(channel) } if peer == who => channel,
            event => panic!("{event:?}"),
        }
    }

    /// Time passes, a wake at a time; everything that is asked is granted. Says what was asked, and when.
    fn idle(&mut self, seconds: u64, lifetime: u32) -> Vec<(u64, Method)> {
        let end = self.now + Duration::from_secs(seconds);
        let mut asked = Vec::new();
        while let Some(wake) = self.client.next_wake().filter(|wake| wake.at <= end) {
            self.now = wake.at;
            self.wakes += 1;
            assert!(self.wakes < 1000, "it wakes for nothing: {asked:?}");
            self.client.due(self.now);
            while let Some(bytes) = self.client.poll_send() {
                let message = Message::read(&bytes).unwrap();
                asked.push((self.now.as_nanos() / 1_000_000_000, message.method()));
                self.signed(Writer::success(&message).number(attribute::LIFETIME, lifetime));
            }
        }
        self.now = end;
        asked
    }

    /// Nobody answers any more, until the client has something to say.
    fn silence(&mut self) -> Event {
        loop {
            if let Some(event) = self.client.poll_event() {
                return event;
            }
            self.now = self.client.next_wake().expect("it does not wait for ever").at;
            self.client.due(self.now);
            while self.client.poll_send().is_some() {}
        }
    }
}

#[test]
fn an_allocation_takes_a_challenge_and_a_signed_request() {
    let mut rig = Rig::new(config());
    rig.challenge();
    rig.allocate(600);
    let expected = Event::Allocated {
        relayed: address(RELAYED),
        relayed6: None,
        mapped: address(MAPPED),
        lifetime: Duration::from_secs(600),
    };
    assert_eq!(rig.event(), expected);
    assert_eq!(rig.client.relayed().collect::<Vec<_>>(), [address(RELAYED)]);
    rig.quiet();
}

#[test]
fn a_challenge_that_is_known_from_before_spares_a_round_trip() {
    let rig = Rig::allocated(config(), 600);
    let challenge = rig.client.challenge();
    let client = Client::new(config(), challenge, Rng::from_number(2), Instant::ZERO).unwrap();
    let mut rig = Rig { client, now: Instant::ZERO, nonce: 7, wakes: 0 };
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { .. }));
}

#[test]
fn a_challenge_that_is_no_longer_good_costs_what_it_cost_before() {
    for code in [401, 438] {
        let challenge = Rig::allocated(config(), 600).client.challenge();
        let client = Client::new(config(), challenge, Rng::from_number(2), Instant::ZERO).unwrap();
        let mut rig = Rig { client, now: Instant::ZERO, nonce: 7, wakes: 0 };
        let asked = rig.asked(Method::Allocate);
        rig.nonce(&asked, code);
        rig.allocate(600);
        assert!(matches!(rig.event(), Event::Allocated { .. }), "{code}");
    }
}

#[test]
fn a_second_401_is_a_wrong_password_and_nothing_more_is_sent() {
    let mut rig = Rig::new(config());
    rig.challenge();
    let asked = rig.asked(Method::Allocate);
    rig.nonce(&asked, 401);
    assert_eq!(rig.event(), Event::Failed(Why::WrongPassword));
    rig.quiet();
    assert!(rig.client.is_done() && rig.client.next_wake().is_none());
}

#[test]
fn a_relay_that_asks_where_there_is_no_account_fails_with_a_sentence() {
    let mut rig = Rig::new(Config { account: None, ..config() });
    let asked = rig.asked(Method::Allocate);
    rig.nonce(&asked, 401);
    let Event::Failed(why) = rig.event() else { panic!() };
    assert_eq!(why.to_string(), "the relay asks for a user name and a password");
}

#[test]
fn each_refusal_of_an_allocation_has_its_reason() {
    let reasons = [
        (400, Why::NotUnderstood),
        (403, Why::Forbidden),
        (420, Why::NotUnderstood),
        (437, Why::AddressTaken),
        (440, Why::Family),
        (441, Why::WrongPassword),
        (442, Why::Transport),
        (486, Why::Quota),
        (500, Why::Broken(500)),
        (508, Why::Full),
    ];
    for (code, why) in reasons {
        let mut rig = Rig::new(config());
        rig.challenge();
        let asked = rig.asked(Method::Allocate);
        rig.refuses(&asked, code);
        assert_eq!(rig.event(), Event::Failed(why), "{code}");
        rig.quiet();
    }
    assert_eq!(Why::Quota.try_again_after(), Some(Duration::from_secs(60)));
    assert_eq!(Why::WrongPassword.try_again_after(), None);
}

#[test]
fn a_stale_nonce_is_answered_with_the_new_one_and_a_server_that_has_no_other_is_left() {
    let mut rig = Rig::allocated(config(), 600);
    rig.client.permit(peer(1), rig.now).unwrap();
    for stale in 0..3 {
        let asked = rig.asked(Method::ChannelBind);
        assert_eq!(asked.text(attribute::NONCE), Some(&*format!("n{}", stale + 1)));
        rig.nonce(&asked, 438);
    }
    let asked = rig.asked(Method::ChannelBind);
    rig.nonce(&asked, 438);
    assert_eq!(rig.event(), Event::PeerRefused { peer: peer(1), why: Why::Broken(438) });
}

#[test]
fn the_same_nonce_again_is_not_tried_again() {
    let mut rig = Rig::allocated(config(), 600);
    rig.client.permit(peer(1), rig.now).unwrap();
    let asked = rig.asked(Method::ChannelBind);
    rig.nonce = 0;
    rig.nonce(&asked, 438);
    assert_eq!(rig.event(), Event::PeerRefused { peer: peer(1), why: Why::Broken(438) });
}

#[test]
fn what_the_server_did_not_sign_is_dropped_and_told_when_nothing_better_comes() {
    let mut rig = Rig::new(config());
    rig.challenge();
    let asked = rig.asked(Method::Allocate);
    let wrong = Key::long_term("ann", "offhook.test", &Secret::new("guess".into()), Algorithm::Sha1);
    let forged = |asked: &Message| {
        Writer::success(asked)
            .hidden_address(attribute::XOR_RELAYED_ADDRESS, address("203.0.113.66:1"))
            .hidden_address(attribute::XOR_MAPPED_ADDRESS, address(MAPPED))
    };
    rig.hears(&forged(&asked).unsigned());
    rig.hears(&forged(&asked).signed(&wrong, Algorithm::Sha1));
    rig.hears(&Writer::error(&asked, 486, "").unsigned());
    rig.quiet();
    assert_eq!(rig.client.dropped().forged, 3);
    assert_eq!(rig.silence(), Event::Failed(Why::Forged));
}

#[test]
fn a_success_to_an_unsigned_request_is_not_believed_by_who_has_a_password() {
    let mut rig = Rig::new(config());
    let asked = rig.asked(Method::Allocate);
    let answer = Writer::success(&asked)
        .hidden_address(attribute::XOR_RELAYED_ADDRESS, address("203.0.113.66:1"))
        .hidden_address(attribute::XOR_MAPPED_ADDRESS, address(MAPPED));
    rig.hears(&answer.unsigned());
    rig.quiet();
    rig.nonce(&asked, 401);
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { relayed, .. } if relayed == address(RELAYED)));
}

#[test]
fn on_a_stream_a_forged_answer_ends_it_at_once() {
    let mut rig = Rig::new(Config { reliable: true, ..config() });
    rig.challenge();
    let asked = rig.asked(Method::Allocate);
    rig.hears(&Writer::error(&asked, 486, "").unsigned());
    assert_eq!(rig.event(), Event::Failed(Why::Forged));
}

#[test]
fn a_relay_that_does_not_answer_is_asked_seven_times() {
    let mut rig = Rig::new(config());
    let mut sent = 0;
    let event = loop {
        while rig.client.poll_send().is_some() {
            sent += 1;
        }
        match rig.client.poll_event() {
            Some(event) => break event,
            None => {
                rig.now = rig.client.next_wake().unwrap().at;
                rig.client.due(rig.now);
            }
        }
    };
    assert_eq!((event, sent), (Event::Failed(Why::Silent), 7));
    assert_eq!(rig.now, Instant::from_millis(39_500));
}

#[test]
fn a_redirect_is_followed_once_and_not_to_a_hostile_place() {
    let to = |config: Config, place: &str| {
        let mut rig = Rig::new(config);
        let asked = rig.asked(Method::Allocate);
        let answer =
            Writer::error(&asked, 300, "").plain_address(attribute::ALTERNATE_SERVER, address(place));
        rig.hears(&answer.unsigned());
        rig.event()
    };
    let other = "192.0.2.10:3478";
    assert_eq!(to(config(), other), Event::Elsewhere(address(other)));
    assert_eq!(to(config().elsewhere(address(other)), SERVER), Event::Failed(Why::Redirects));
    for hostile in [SERVER, "0.0.0.0:3478", "127.0.0.1:3478", "224.0.0.1:3478", "[2001:db8::1]:3478"] {
        assert_eq!(to(config(), hostile), Event::Failed(Why::Redirects), "{hostile}");
    }
}

#[test]
fn tickets_forbidden_means_no_ticket_and_not_no_allocation() {
    let mut rig = Rig::new(config());
    rig.challenge();
    let asked = rig.asked(Method::Allocate);
    assert_eq!(asked.value(attribute::MOBILITY_TICKET), Some(&[][..]));
    rig.refuses(&asked, 405);
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { .. }));
}

#[test]
fn data_goes_and_comes_by_the_channel() {
    let mut rig = Rig::allocated(config(), 600);
    let channel = rig.ready(peer(1));
    rig.client.send(peer(1), b"voice").unwrap();
    let sent = rig.client.poll_send().unwrap();
    assert_eq!(channel::read(&sent), Some((channel, &b"voice"[..])));
    rig.hears(&sent);
    assert_eq!(rig.event(), Event::Data { peer: peer(1), bytes: Bytes::from_static(b"voice") });
    assert_eq!(rig.client.send(peer(2), b"voice"), Err(Misuse::NotReady));
    assert_eq!(rig.client.send(peer(1), &[0; MAX_DATA + 1]), Err(Misuse::TooLong));
}

#[test]
fn data_goes_and_comes_by_indications_where_there_is_no_channel() {
    let mut rig = Rig::allocated(config(), 600);
    rig.client.permit_only(peer(1), rig.now).unwrap();
    let asked = rig.asked(Method::CreatePermission);
    rig.signed(Writer::success(&asked));
    assert_eq!(rig.event(), Event::PeerReady { peer: peer(1), channel: None });
    rig.client.send(peer(1), b"voice").unwrap();
    let sent = Message::read(&rig.client.poll_send().unwrap()).unwrap();
    assert_eq!((sent.class(), sent.method()), (Class::Indication, Method::Send));
    assert_eq!(sent.hidden_address(attribute::XOR_PEER_ADDRESS), Some(peer(1)));
    let data = |from| {
        Writer::new(Class::Indication, Method::Data, TransactionId([3; 12]))
            .hidden_address(attribute::XOR_PEER_ADDRESS, from)
            .value(attribute::DATA, b"back")
            .unsigned()
    };
    // From another port of the same address: ICE learns of it so.
    rig.hears(&data(peer(9)));
    assert_eq!(rig.event(), Event::Data { peer: peer(9), bytes: Bytes::from_static(b"back") });
    rig.hears(&data(address("203.0.113.99:1")));
    rig.quiet();
    assert_eq!(rig.client.dropped().strangers, 1);
    // A channel may follow.
    rig.ready(peer(1));
}

#[test]
fn a_peer_waits_for_the_allocation_and_is_refused_for_itself() {
    let mut rig = Rig::new(config());
    rig.client.permit(peer(1), rig.now).unwrap();
    rig.client.permit(address("[2001:db8::5]:1"), rig.now).unwrap();
    rig.challenge();
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { .. }));
    let six = Event::PeerRefused { peer: address("[2001:db8::5]:1"), why: Why::Family };
    assert_eq!(rig.event(), six);
    let asked = rig.asked(Method::ChannelBind);
    rig.refuses(&asked, 403);
    assert_eq!(rig.event(), Event::PeerRefused { peer: peer(1), why: Why::Forbidden });
    rig.quiet();
}

#[test]
fn peers_are_bounded_and_nobody_is_none() {
    let mut rig = Rig::allocated(config(), 600);
    assert_eq!(rig.client.permit(address("127.0.0.1:9"), rig.now), Err(Misuse::BadPeer));
    assert_eq!(rig.client.permit(address(SERVER), rig.now), Err(Misuse::BadPeer));
    for n in 0..MAX_PEERS as u16 {
        rig.client.permit(peer(n + 1), rig.now).unwrap();
    }
    assert_eq!(rig.client.permit(peer(99), rig.now), Err(Misuse::TooManyPeers));
    rig.client.permit(peer(1), rig.now).unwrap();
    for _ in 0..1000 {
        rig.client.forget(peer(1), rig.now);
        rig.client.permit(peer(1), rig.now).unwrap();
    }
}

#[test]
fn both_families_are_asked_for_and_told() {
    let mut rig = Rig::new(Config { family: Family::Both, ..config() });
    rig.challenge();
    let asked = rig.asked(Method::Allocate);
    assert_eq!(asked.value(attribute::ADDITIONAL_ADDRESS_FAMILY), Some(&[2, 0, 0, 0][..]));
    let six = address("[2001:db8::9]:50001");
    let answer = Writer::success(&asked)
        .hidden_address(attribute::XOR_RELAYED_ADDRESS, six)
        .hidden_address(attribute::XOR_RELAYED_ADDRESS, address(RELAYED))
        .hidden_address(attribute::XOR_MAPPED_ADDRESS, address(MAPPED));
    rig.signed(answer);
    let Event::Allocated { relayed, relayed6, .. } = rig.event() else { panic!() };
    assert_eq!((relayed, relayed6), (address(RELAYED), Some(six)));
}

#[test]
fn an_answer_without_a_relayed_address_is_given_back() {
    let mut rig = Rig::new(config());
    rig.challenge();
    let asked = rig.asked(Method::Allocate);
    rig.signed(Writer::success(&asked));
    assert_eq!(rig.asked(Method::Refresh).number(attribute::LIFETIME), Some(0));
    assert_eq!(rig.event(), Event::Failed(Why::NotUnderstood));
    assert!(rig.client.is_done());
}

#[test]
fn streams_to_and_from_peers_are_bound_by_a_second_stream() {
    let tcp = Config { reliable: true, relaying: Relaying::Tcp, ..config() };
    assert!(matches!(
        Client::new(Config { reliable: false, ..tcp.clone() }, None, Rng::from_number(1), Instant::ZERO),
        Err(Misuse::NeedsStream)
    ));
    let mut rig = Rig::allocated(tcp, 600);
    rig.client.connect(peer(1), rig.now).unwrap();
    assert_eq!(rig.client.connect(peer(1), rig.now), Err(Misuse::TooManyPeers));
    let asked = rig.asked(Method::Connect);
    rig.signed(Writer::success(&asked).number(attribute::CONNECTION_ID, 77));
    assert_eq!(rig.event(), Event::Connected { peer: peer(1), connection: ConnectionId(77) });

    let mut data = rig.client.bind(ConnectionId(77), rig.now);
    let asked = Message::read(&data.poll_send().unwrap()).unwrap();
    assert_eq!((asked.method(), asked.number(attribute::CONNECTION_ID)), (Method::ConnectionBind, Some(77)));
    let answer = Writer::success(&asked).signed(&Rig::key(), Algorithm::Sha1);
    assert_eq!((data.bound(), data.heard(&answer, rig.now)), (Bound::NotYet, Bound::Yes));

    rig.client.connect(peer(2), rig.now).unwrap();
    let asked = rig.asked(Method::Connect);
    rig.refuses(&asked, 447);
    assert_eq!(rig.event(), Event::ConnectFailed { peer: peer(2), why: Why::CannotConnect });

    let attempt = Writer::new(Class::Indication, Method::ConnectionAttempt, TransactionId([4; 12]))
        .hidden_address(attribute::XOR_PEER_ADDRESS, peer(3))
        .number(attribute::CONNECTION_ID, 78)
        .unsigned();
    rig.hears(&attempt);
    rig.quiet();
    rig.client.permit(peer(3), rig.now).unwrap();
    let asked = rig.asked(Method::CreatePermission);
    rig.signed(Writer::success(&asked));
    assert_eq!(rig.event(), Event::PeerReady { peer: peer(3), channel: None });
    rig.hears(&attempt);
    assert_eq!(rig.event(), Event::PeerConnects { peer: peer(3), connection: ConnectionId(78) });
}

#[test]
fn data_that_nobody_fetches_is_bounded() {
    let mut rig = Rig::allocated(config(), 600);
    let channel = rig.ready(peer(1));
    let mut data = Vec::new();
    channel::write(channel, b"x", &mut data).unwrap();
    for _ in 0..MAX_WAITING + 5 {
        rig.hears(&data);
    }
    assert_eq!(rig.client.dropped().overrun, 5);
}

#[test]
fn what_is_no_business_of_a_relay_is_left_to_others() {
    let mut rig = Rig::allocated(config(), 600);
    let request = Writer::request(Method::Binding, TransactionId([5; 12])).unsigned();
    let stray = Writer::success(&Message::read(&request).unwrap()).unsigned();
    for bytes in [&request[..], &stray, b"\x80voice of somebody", b""] {
        assert!(!rig.client.heard(bytes, rig.now));
    }
    rig.quiet();
}
