//! Discovery against routers of every kind: a server with two addresses, a router, and two sockets, without delay.

use std::collections::BTreeSet;
use std::net::IpAddr;

use base::{Instant, Rng};

use super::Dependence::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
use super::*;
use crate::stun::{Class, Message, Method, Writer, attribute};

const KINDS: [Dependence; 3] = [EndpointIndependent, AddressDependent, AddressAndPortDependent];

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn locals() -> [SocketAddr; 2] {
    ["10.0.0.2:5000", "10.0.0.2:5001"].map(addr)
}

fn server() -> SocketAddr {
    addr("192.0.2.1:3478")
}

fn other() -> SocketAddr {
    addr("192.0.2.2:3479")
}

fn outside() -> IpAddr {
    "198.51.100.1".parse().unwrap()
}

/// What the server does.
#[derive(Clone, Copy, PartialEq)]
enum Server {
    Away,
    OneAddress,
    TwoAddresses,
    /// Says that it has two, and refuses to answer from the second.
    Unwilling,
    /// Says that its second address is this.
    Liar(SocketAddr),
}

/// A router, or a firewall that translates nothing.
struct Router {
    translates: bool,
    mapping: Dependence,
    filtering: Dependence,
    hairpins: bool,
    keeps_ports: bool,
    mappings: Vec<(SocketAddr, Option<IpAddr>, Option<u16>, SocketAddr)>,
    sent_to: BTreeSet<(SocketAddr, SocketAddr)>,
}

impl Router {
    fn new(mapping: Dependence, filtering: Dependence) -> Self {
        Self {
            translates: true,
            mapping,
            filtering,
            hairpins: false,
            keeps_ports: false,
            mappings: Vec::new(),
            sent_to: BTreeSet::new(),
        }
    }

    fn out(&mut self, local: SocketAddr, to: SocketAddr) -> SocketAddr {
        if !self.translates {
            self.sent_to.insert((local, to));
            return local;
        }
        let ip = (self.mapping != EndpointIndependent).then_some(to.ip());
        let port = (self.mapping == AddressAndPortDependent).then_some(to.port());
        let known = self.mappings.iter().find(|(l, i, p, _)| (*l, *i, *p) == (local, ip, port));
        let mapped = match known {
            Some((.., mapped)) => *mapped,
            None => {
                let fresh = 40_000 + self.mappings.len() as u16;
                let port_outside = if self.keeps_ports { local.port() } else { fresh };
                let mapped = SocketAddr::new(outside(), port_outside);
                self.mappings.push((local, ip, port, mapped));
                mapped
            }
        };
        self.sent_to.insert((mapped, to));
        mapped
    }

    fn lets_in(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let mut sent = self.sent_to.iter().filter(|(mapped, _)| *mapped == to);
        let may = match self.filtering {
            EndpointIndependent => true,
            AddressDependent => sent.any(|(_, remote)| remote.ip() == from.ip()),
            AddressAndPortDependent => sent.any(|(_, remote)| *remote == from),
        };
        let local = if self.translates {
            self.mappings.iter().find(|(_, _, _, mapped)| *mapped == to).map(|(local, ..)| *local)
        } else {
            locals().into_iter().find(|local| *local == to)
        };
        local.filter(|_| may)
    }
}

/// What the server says, and from where.
fn answer(
    server_is: Server,
    to: SocketAddr,
    from: SocketAddr,
    bytes: &[u8],
) -> Option<(SocketAddr, Vec<u8>)> {
    if !matches!(to.ip(), ip if ip == server().ip() || ip == other().ip()) || server_is == Server::Away {
        return None;
    }
    let request = Message::read(bytes).unwrap();
    let change = request.number(attribute::CHANGE_REQUEST).unwrap_or(0);
    if change != 0 && server_is == Server::Unwilling {
        return Some((to, Writer::error(&request, 420, "").unsigned().to_vec()));
    }
    let success = Writer::success(&request).hidden_address(attribute::XOR_MAPPED_ADDRESS, from);
    let success = match server_is {
        Server::Away | Server::OneAddress => success,
        Server::TwoAddresses | Server::Unwilling => success.plain_address(attribute::OTHER_ADDRESS, other()),
        Server::Liar(lie) => success.plain_address(attribute::OTHER_ADDRESS, lie),
    };
    let swap = |here: bool| if here { server() } else { other() };
    let ip = swap((to.ip() == server().ip()) == (change & 4 == 0)).ip();
    let port = swap((to.port() == server().port()) == (change & 2 == 0)).port();
    Some((SocketAddr::new(ip, port), success.unsigned().to_vec()))
}

/// How it ends, when, and all that was sent.
fn discover(router: &mut Router, server_is: Server) -> (Behaviour, Instant, Vec<Datagram>) {
    let local = locals();
    let mut now = Instant::ZERO;
    let mut discovery = Discovery::new(server(), local, Rng::from_number(5780), now);
    let mut sent = Vec::new();
    loop {
        while let Some(datagram) = discovery.poll_send() {
            sent.push(datagram.clone());
            let from = router.out(local[datagram.from as usize], datagram.to);
            let arrives = if datagram.to.ip() == outside() {
                router.hairpins.then(|| (from, datagram.to, datagram.bytes.to_vec()))
            } else {
                answer(server_is, datagram.to, from, &datagram.bytes)
                    .map(|(source, bytes)| (source, from, bytes))
            };
            let Some((source, to, bytes)) = arrives else { continue };
            let Some(inside) = router.lets_in(source, to) else { continue };
            let side = if inside == local[0] { Side::First } else { Side::Second };
            // What is not asked any more is nobody's: a filter's second answer, say.
            discovery.received(side, source, &bytes, now);
        }
        if let Some(result) = discovery.result() {
            assert!(discovery.next_wake().is_none() && sent.len() <= 32);
            return (*result, now, sent);
        }
        now = discovery.next_wake().unwrap().at;
        discovery.due(now);
    }
}

#[test]
fn every_kind_of_router_is_told_from_every_other() {
    for mapping in KINDS {
        for filtering in KINDS {
            for (hairpins, keeps_ports) in [(false, false), (true, false)] {
                let mut router = Router { hairpins, keeps_ports, ..Router::new(mapping, filtering) };
                let (found, end, _) = discover(&mut router, Server::TwoAddresses);
                let kind = format!("{mapping:?} {filtering:?} {hairpins}");
                assert_eq!((found.mapping, found.filtering), (Some(mapping), Some(filtering)), "{kind}");
                assert_eq!((found.translated, found.ports_kept), (Some(true), Some(false)), "{kind}");
                // Behind the other mappings the address that the server saw is not the one for this destination.
                let sent_back =
                    hairpins && (mapping == EndpointIndependent || filtering == EndpointIndependent);
                assert_eq!(found.hairpinning, Some(sent_back), "{kind}");
                assert!(end <= Instant::from_millis(5500), "{kind} took until {end:?}");
            }
        }
    }
}

#[test]
fn a_router_that_keeps_ports_is_known_by_it() {
    let mut router =
        Router { keeps_ports: true, ..Router::new(EndpointIndependent, AddressAndPortDependent) };
    let (found, ..) = discover(&mut router, Server::TwoAddresses);
    assert_eq!((found.translated, found.ports_kept), (Some(true), Some(true)));
    assert_eq!(
        found.to_string(),
        "address-translating router that keeps ports; mapping is the same for all destinations; \
         lets in only hosts and ports that we sent to; does not send calls between its own phones back in"
    );
}

#[test]
fn without_translation_only_the_filter_is_asked_for() {
    let mut firewall = Router { translates: false, ..Router::new(EndpointIndependent, AddressDependent) };
    let (found, ..) = discover(&mut firewall, Server::TwoAddresses);
    assert_eq!((found.translated, found.mapping, found.hairpinning), (Some(false), None, None));
    assert_eq!(found.to_string(), "no address translation; lets in only hosts that we sent to");
}

#[test]
fn a_server_with_one_address_tells_translation_ports_and_hairpinning_and_no_more() {
    let mut router = Router { hairpins: true, ..Router::new(EndpointIndependent, EndpointIndependent) };
    let (found, end, _) = discover(&mut router, Server::OneAddress);
    let expected = Behaviour {
        mapped: found.mapped,
        translated: Some(true),
        ports_kept: Some(false),
        hairpinning: Some(true),
        ..Behaviour::default()
    };
    assert_eq!((found, end), (expected, Instant::ZERO));
    assert_eq!(found.mapped.map(|mapped| mapped.ip()), Some(outside()));
    assert!(found.to_string().starts_with("port-translating router; mapping unknown; filtering unknown; "));
}

#[test]
fn a_server_that_refuses_to_answer_from_elsewhere_tells_mapping_and_not_filtering() {
    let (found, end, _) =
        discover(&mut Router::new(AddressDependent, EndpointIndependent), Server::Unwilling);
    assert_eq!((found.mapping, found.filtering), (Some(AddressDependent), None));
    assert!(end < Instant::from_millis(2500), "silence was waited for until {end:?}");
}

#[test]
fn no_answer_at_all_is_blocked_after_five_and_a_half_seconds() {
    let (found, end, sent) =
        discover(&mut Router::new(EndpointIndependent, EndpointIndependent), Server::Away);
    assert_eq!(found, Behaviour { blocked: true, ..Behaviour::default() });
    assert_eq!((end, sent.len()), (Instant::from_millis(5500), 8));
    assert_eq!(found.to_string(), "UDP is blocked, or the server does not answer");
}

#[test]
fn a_server_that_lies_about_its_second_address_has_nobody_sent_to() {
    for lie in [
        "127.0.0.1:3479",
        "224.0.0.1:3479",
        "0.0.0.0:3479",
        "192.0.2.1:3479",
        "192.0.2.9:3478",
        "[2001:db8::1]:1",
    ] {
        let mut router = Router::new(EndpointIndependent, EndpointIndependent);
        let (found, _, sent) = discover(&mut router, Server::Liar(addr(lie)));
        assert_eq!((found.mapping, found.filtering), (None, None), "{lie}");
        assert!(
            sent.iter().all(|datagram| datagram.to == server() || datagram.to.ip() == outside()),
            "{lie}"
        );
    }
}

#[test]
fn answers_from_elsewhere_of_others_and_at_the_wrong_socket_are_not_ours() {
    let mut discovery = Discovery::new(server(), locals(), Rng::from_number(1), Instant::ZERO);
    let asked = std::iter::from_fn(|| discovery.poll_send()).find(|sent| sent.from == Side::First).unwrap();
    let (from, bytes) = answer(Server::OneAddress, server(), locals()[0], &asked.bytes).unwrap();
    let request = Message::read(&asked.bytes).unwrap();
    assert_eq!(
        (asked.from, request.class(), request.method()),
        (Side::First, Class::Request, Method::Binding)
    );
    assert!(!discovery.received(Side::Second, from, &bytes, Instant::ZERO));
    assert!(!discovery.received(Side::First, other(), &bytes, Instant::ZERO));
    assert!(
        !discovery.received(Side::First, from, &asked.bytes, Instant::ZERO),
        "its own request, from nobody"
    );
    assert!(!discovery.received(Side::First, from, b"RTP", Instant::ZERO));
    assert!(discovery.received(Side::First, from, &bytes, Instant::ZERO));
    assert!(!discovery.received(Side::First, from, &bytes, Instant::ZERO), "twice");
}

#[test]
fn a_lost_datagram_is_sent_again_and_changes_nothing() {
    let mut discovery = Discovery::new(server(), locals(), Rng::from_number(1), Instant::ZERO);
    while discovery.poll_send().is_some() {}
    let again = discovery.next_wake().unwrap();
    assert_eq!((again.at, again.why), (Instant::from_millis(500), "NAT discovery"));
    discovery.due(again.at);
    while let Some(sent) = discovery.poll_send() {
        let local = locals()[sent.from as usize];
        let (from, bytes) = answer(Server::OneAddress, sent.to, local, &sent.bytes).unwrap();
        assert!(discovery.received(sent.from, from, &bytes, again.at));
    }
    let found = *discovery.result().unwrap();
    assert_eq!((found.translated, found.mapped), (Some(false), Some(locals()[0])));
    assert_eq!(found.to_string(), "no address translation; filtering unknown");
}

#[test]
fn what_a_router_means_for_calls_is_one_sentence() {
    let open = Behaviour {
        translated: Some(true),
        mapping: Some(EndpointIndependent),
        filtering: Some(EndpointIndependent),
        ..Behaviour::default()
    };
    let strict = Some(AddressAndPortDependent);
    let firewall = Behaviour { translated: Some(false), mapping: None, filtering: strict, ..open };
    for (behaviour, means) in [
        (open, "connect directly"),
        (Behaviour { filtering: Some(AddressDependent), ..open }, "are punched through, whatever"),
        (Behaviour { filtering: strict, ..open }, "those to people behind a router whose mapping depends"),
        (Behaviour { filtering: None, ..open }, "may need a relay"),
        (firewall, "those to people behind a router whose mapping depends"),
        (Behaviour { filtering: Some(EndpointIndependent), ..firewall }, "connect directly"),
        (Behaviour { mapping: Some(AddressDependent), ..open }, "nearly all others need a relay"),
        (Behaviour { mapping: strict, filtering: strict, ..open }, "nearly all others need a relay"),
        (Behaviour { mapping: None, ..open }, "cannot be told"),
        (Behaviour { blocked: true, ..Behaviour::default() }, "calls go by TCP"),
    ] {
        let meaning = behaviour.meaning();
        assert!(meaning.contains(means) && meaning.ends_with('.'), "{behaviour:?}: {meaning}");
    }
}

/// Whether two hosts behind such routers reach each other: each sends to the address that S saw of the other, answers to where
/// that came from, and one of the answers comes in.
fn meet(one: (Dependence, Dependence), two: (Dependence, Dependence)) -> bool {
    let (local, mut routers) = (locals()[0], [one, two].map(|kind| Router::new(kind.0, kind.1)));
    let seen = [0, 1].map(|side: usize| routers[side].out(local, server()));
    // Twice: the first that is sent opens the filter for the second.
    for _ in 0..2 {
        for side in [0, 1] {
            let came_from = routers[side].out(local, seen[1 - side]);
            if routers[1 - side].lets_in(came_from, seen[1 - side]).is_some() {
                let answered_from = routers[1 - side].out(local, came_from);
                if routers[side].lets_in(answered_from, came_from).is_some() {
                    return true;
                }
            }
        }
    }
    false
}

#[test]
fn who_is_said_to_be_reached_without_a_relay_is() {
    let kinds = || KINDS.into_iter().flat_map(|mapping| KINDS.map(|filtering| (mapping, filtering)));
    for kind in kinds() {
        let (translated, mapping, filtering) = (Some(true), Some(kind.0), Some(kind.1));
        let found = Behaviour { translated, mapping, filtering, ..Behaviour::default() };
        let meaning = found.meaning();
        let is_promised = |other: (Dependence, Dependence)| {
            if meaning.contains("whatever the other side is behind") {
                true
            } else if meaning.contains("those to people behind a router whose mapping depends") {
                other.0 == EndpointIndependent
            } else {
                other == (EndpointIndependent, EndpointIndependent)
            }
        };
        for other in kinds().filter(|other| is_promised(*other)) {
            assert!(meet(kind, other), "{kind:?} does not reach {other:?}: {meaning}");
        }
        let reaches_all = kinds().all(|other| meet(kind, other));
        assert_eq!(reaches_all, meaning.contains("whatever the other side is behind"), "{kind:?}: {meaning}");
    }
}
