//! A phone and somebody who does not carry RTCP on RTP's port: two components, each with checks and a pair of its own.
//!
//! RFC 8445 section 5.1.1.1, RFC 8839 sections 4.2.1.2 and 5.3, RFC 5761 section 5.1.3. The other side's ICE is written here, as
//! little of it as will do: it answers checks, makes some, and nominates what is answered when it is its to choose.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Rng, Secret};
use bytes::Bytes;
use nat::stun::{Class, Key, Message, Method, TransactionId, Writer, attribute};
use offhook_sim::servers::STUN_PORT;
use offhook_sim::{Heard, Nat, NodeId, World, account, users};
use phone::{CallState, MediaEncryption, Server};

const MS: Duration = Duration::from_millis(1);
/// Not side by side, so that nobody can guess one from the other.
const PORTS: [u16; 2] = [6000, 7777];
const FRAGMENT: &str = "them";
const PASSWORD: &str = "0123456789012345678901";

/// The other side.
struct Peer {
    node: NodeId,
    chooses: bool,
    rng: Rng,
    /// Its ports as S sees them.
    outside: [SocketAddr; 2],
    /// The phone's.
    fragment: String,
    password: String,
    candidates: Vec<(usize, SocketAddr)>,
    /// From where each component was asked, and answered.
    asked_from: [Option<SocketAddr>; 2],
    answered_from: [Option<SocketAddr>; 2],
    /// Packets of media that came to each port.
    rtp: [usize; 2],
    rtcp: [usize; 2],
    /// The phone's source.
    ssrc: [u8; 4],
}

impl Peer {
    fn new(w: &mut World, node: NodeId, chooses: bool, servers: Option<NodeId>) -> Self {
        let outside = PORTS.map(|port| SocketAddr::new(w.ip(node), port));
        let mut it = Self {
            node,
            chooses,
            rng: Rng::from_number(77),
            outside,
            fragment: String::new(),
            password: String::new(),
            candidates: Vec::new(),
            asked_from: [None; 2],
            answered_from: [None; 2],
            rtp: [0; 2],
            rtcp: [0; 2],
            ssrc: [0; 4],
        };
        for port in PORTS {
            w.stranger_takes(node, port);
            if let Some(servers) = servers {
                let to = SocketAddr::new(w.ip(servers), STUN_PORT);
                let question = Writer::request(Method::Binding, TransactionId::draw(&mut it.rng));
                w.stranger_sends(node, port, to, question.unsigned());
            }
        }
        w.run_for(200 * MS);
        for came in w.stranger_took(node) {
            let mapped = Message::read(&came.bytes).ok().and_then(|answer| answer.mapped());
            it.outside[component(came.port)] = mapped.expect("S says what it sees");
        }
        it
    }

    /// Its description; `control`: with a component for RTCP.
    fn sdp(&self, w: &World, control: bool) -> String {
        let [rtp, rtcp] = self.outside;
        let mut text = format!(
            "v=0\no=- 1 1 IN IP4 {ip}\ns=-\nc=IN IP4 {ip}\nt=0 0\nm=audio {port} RTP/AVP 0\na=rtcp:{control}\n\
             a=ice-ufrag:{FRAGMENT}\na=ice-pwd:{PASSWORD}\n",
            ip = rtp.ip(),
            port = rtp.port(),
            control = rtcp.port(),
        );
        for (at, outside) in self.outside.iter().enumerate().take(if control { 2 } else { 1 }) {
            let (n, inside) = (at + 1, SocketAddr::new(w.ip(self.node), PORTS[at]));
            for (kind, address, rank) in [("host", inside, 126_u32 << 24), ("srflx", *outside, 100 << 24)] {
                if kind == "host" || address != inside {
                    let (ip, port) = (address.ip(), address.port());
                    let rank = rank + 256 - n as u32;
                    let _ = writeln!(text, "a=candidate:{kind} {n} UDP {rank} {ip} {port} typ {kind}");
                }
            }
        }
        text
    }

    /// Reads the phone's.
    fn learn(&mut self, sdp: &str) {
        let value = |name: &str| {
            let found =
                sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'));
            found.unwrap_or_default().to_owned()
        };
        (self.fragment, self.password) = (value("ice-ufrag"), value("ice-pwd"));
        self.candidates = candidates(sdp);
    }

    fn key(password: &str) -> Key {
        Key::short_term(Secret::new(password.to_owned()).expose())
    }

    fn check(&mut self, w: &mut World, at: usize, to: SocketAddr) {
        let id = TransactionId::draw(&mut self.rng);
        let mut check = Writer::request(Method::Binding, id)
            .text(attribute::USERNAME, &format!("{}:{FRAGMENT}", self.fragment))
            .number(attribute::PRIORITY, (110 << 24) + 255);
        check = if self.chooses {
            check.long_number(attribute::ICE_CONTROLLING, 7).value(attribute::USE_CANDIDATE, &[])
        } else {
            check.long_number(attribute::ICE_CONTROLLED, 7)
        };
        let bytes = check.signed_with_fingerprint(&Self::key(&self.password));
        w.stranger_sends(self.node, PORTS[at], to, bytes);
    }

    /// Does its part for a while.
    fn run(&mut self, w: &mut World, time: Duration) {
        let until = w.now() + time;
        let mut next_round = w.now();
        while w.now() < until {
            w.run_for(5 * MS);
            for came in w.stranger_took(self.node) {
                self.take(w, component(came.port), came.from, &came.bytes);
            }
            if w.now() >= next_round {
                next_round = w.now() + 100 * MS;
                for (at, to) in self.candidates.clone() {
                    if self.answered_from[at].is_none() {
                        self.check(w, at, to);
                    }
                }
            }
        }
    }

    fn take(&mut self, w: &mut World, at: usize, from: SocketAddr, bytes: &Bytes) {
        match bytes[0] {
            0..=3 => {}
            _ if media::rtp::is_rtcp(bytes) => return self.rtcp[at] += 1,
            _ => {
                self.ssrc.copy_from_slice(&bytes[8..12]);
                return self.rtp[at] += 1;
            }
        }
        let message = Message::read(bytes).expect("STUN");
        match message.class() {
            Class::Request => {
                assert!(message.written_by(&Self::key(PASSWORD)).is_some(), "the phone knows our secret");
                self.asked_from[at] = Some(from);
                let answer = Writer::success(&message).hidden_address(attribute::XOR_MAPPED_ADDRESS, from);
                let bytes = answer.signed_with_fingerprint(&Self::key(PASSWORD));
                w.stranger_sends(self.node, PORTS[at], from, bytes);
            }
            Class::Success => {
                assert!(message.written_by(&Self::key(&self.password)).is_some());
                self.answered_from[at] = Some(from);
            }
            Class::Error | Class::Indication => {}
        }
    }

    /// Reports from RTCP's port that a quarter of the phone's packets is lost.
    fn report(&self, w: &mut World) {
        let to = self.asked_from[1].expect("RTCP's way was checked");
        let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 9];
        report.extend(self.ssrc);
        report.extend([64, 0, 0, 9]);
        report.extend([0; 16]);
        w.stranger_sends(self.node, PORTS[1], to, report.into());
    }
}

fn component(port: u16) -> usize {
    PORTS.iter().position(|known| *known == port).expect("one of its ports")
}

/// Each candidate's component, from 0, and address.
fn candidates(sdp: &str) -> Vec<(usize, SocketAddr)> {
    let lines = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let component: usize = words[1].parse().expect("a number");
            let address = format!("{}:{}", words[4], words[5]).parse().expect("an address");
            (component - 1, address)
        })
        .collect()
}

/// A phone with S, at home behind a router of this kind, whose registrar is `at`.
fn phone_at(w: &mut World, nat: Nat, at: NodeId, servers: NodeId) -> NodeId {
    let home = w.behind(nat);
    w.settle_in(home);
    let mut settings = account("ann", w.ip(at));
    // The other side is written here, and has no keys: what it is about is where packets go.
    settings.media_encryption = MediaEncryption::Off;
    settings.nat = phone::Nat {
        ice: true,
        stun: vec![Server { host: w.ip(servers).to_string(), port: STUN_PORT }],
        ..phone::Nat::default()
    };
    w.phone("ann", Some(settings))
}

#[test]
fn an_offer_without_multiplexing_is_answered_with_two_components_and_reports_go_by_the_second_ones_pair() {
    let mut w = World::seeded("two components", "RFC 8445 section 5.1.1.1", 1).with_sound();
    let exchange = w.exchange("exchange", users(&["ann"]));
    let servers = w.servers("S");
    let ann = phone_at(&mut w, Nat::port_restricted(), exchange, servers);
    w.run_until_registered(&[ann]);
    let home = w.behind(Nat::port_restricted());
    w.settle_in(home);
    let gateway = w.stranger("gateway");
    let mut peer = Peer::new(&mut w, gateway, true, Some(servers));
    let ip = w.ip(gateway);
    let sdp = peer.sdp(&w, true);
    w.opens(
        gateway,
        exchange,
        &format!(
            "INVITE sip:ann@offhook.test SIP/2.0\nVia: SIP/2.0/UDP {ip}:5060;rport;branch=z9hG4bK1\n\
             Max-Forwards: 70\nFrom: <sip:x@elsewhere.test>;tag=a\nTo: <sip:ann@offhook.test>\nCall-ID: c\n\
             CSeq: 1 INVITE\nContact: <sip:{ip}:5060>\nContent-Type: application/sdp"
        ),
        &sdp,
    );
    w.run_until_state(ann, CallState::Ringing);
    w.run_for(500 * MS);
    w.answer(ann);
    let ok = w.hears(gateway, "200");
    let answer = ok.body();
    let theirs = candidates(answer);
    assert_eq!(theirs.iter().map(|(component, _)| *component).collect::<Vec<_>>(), [0, 0, 1, 1], "{answer}");
    // The default of RTCP is what S sees of its port; in some routers that is the next one, and need not be said.
    let [rtp, rtcp] = [theirs[1].1, theirs[3].1];
    assert!(!answer.contains("rtcp-mux"), "{answer}");
    let says = answer.contains(&format!("a=rtcp:{}\r\n", rtcp.port()));
    assert_eq!(says, rtcp.port() != rtp.port() + 1, "{answer}");
    peer.learn(answer);
    let ack = ok.onward("ACK", 1, "", "");
    w.says(gateway, &ok, ack);
    peer.run(&mut w, Duration::from_secs(12));
    assert_eq!(peer.answered_from, [Some(rtp), Some(rtcp)], "through both routers, each at its port");
    assert!(peer.rtp[0] > 400 && peer.rtcp[1] >= 2, "{:?} {:?}", peer.rtp, peer.rtcp);
    assert_eq!((peer.rtp[1], peer.rtcp[0]), (0, 0), "nothing at the other's port");
    peer.report(&mut w);
    w.run_for(100 * MS);
    let stats = w.stats(ann).unwrap();
    assert_eq!((stats.their_loss, stats.strangers), (Some(0.25), 0));
    // Who was never asked whether they know the secret is nobody.
    w.stranger_takes(gateway, 9999);
    w.stranger_sends(gateway, 9999, rtcp, vec![0x80, 201, 0, 1, 0, 0, 0, 9].into());
    w.run_for(100 * MS);
    assert_eq!(w.stats(ann).unwrap().strangers, 0, "the router keeps them out");
}

/// Ann calls a stranger who is her registrar, too, and answers without multiplexing.
fn answered_without_multiplexing(control: bool) -> (World, NodeId, Peer) {
    let mut w = World::seeded("an answer without multiplexing", "RFC 5761 section 5.1.3", 1).with_sound();
    let servers = w.servers("S");
    let gateway = w.stranger("gateway");
    let mut peer = Peer::new(&mut w, gateway, false, None);
    let ann = phone_at(&mut w, Nat::port_restricted(), gateway, servers);
    let register = w.hears(gateway, "REGISTER");
    let contact = format!("Contact: {};expires=600", register.header("Contact"));
    let ok = register.reply("200 OK", "r", &contact, "");
    w.says(gateway, &register, ok);
    w.run_until_registered(&[ann]);
    w.call(ann, "bob");
    let invite: Heard = w.hears(gateway, "INVITE");
    let offer = invite.body();
    assert!(offer.contains("a=rtcp-mux") && candidates(offer).iter().all(|(at, _)| *at == 0), "{offer}");
    peer.learn(offer);
    let contact = format!("Contact: <sip:{}>", w.addr(gateway));
    let sdp = peer.sdp(&w, control);
    let ok = invite.reply("200 OK", "b", &contact, &sdp);
    w.says(gateway, &invite, ok);
    w.hears(gateway, "ACK");
    peer.run(&mut w, Duration::from_secs(12));
    assert_eq!(w.state(ann), Some(CallState::Active));
    (w, ann, peer)
}

#[test]
fn who_answers_without_multiplexing_is_checked_at_the_second_component_and_gets_reports_there() {
    let (mut w, ann, peer) = answered_without_multiplexing(true);
    assert!(peer.answered_from[0].is_some() && peer.asked_from[1].is_some(), "checked from RTCP's socket");
    assert_ne!(peer.asked_from[0], peer.asked_from[1]);
    assert!(peer.rtp[0] > 400 && peer.rtcp[1] >= 2, "{:?} {:?}", peer.rtp, peer.rtcp);
    assert_eq!((peer.rtp[1], peer.rtcp[0]), (0, 0));
    peer.report(&mut w);
    w.run_for(100 * MS);
    assert_eq!(w.stats(ann).unwrap().their_loss, Some(0.25));
}

#[test]
fn who_answers_without_multiplexing_or_a_second_component_gets_reports_where_they_say_unchecked() {
    let (.., peer) = answered_without_multiplexing(false);
    assert_eq!(peer.asked_from[1], None);
    assert!(peer.rtp[0] > 400 && peer.rtcp[1] >= 2, "{:?} {:?}", peer.rtp, peer.rtcp);
    assert_eq!(peer.rtcp[0], 0);
}
