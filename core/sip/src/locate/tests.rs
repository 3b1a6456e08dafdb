//! Whole lookups against a small zone. RFC 3263 sections 4.1 to 4.3.

use super::*;
use std::collections::BTreeMap;

use crate::message::Uri;

/// A zone of `name -> records`; `asked` keeps the questions in order.
#[derive(Default)]
struct Zone {
    records: BTreeMap<Question, Vec<Record>>,
    silent: bool,
    asked: Vec<String>,
}

impl Zone {
    fn naptr(mut self, domain: &str, order: u16, service: &str, replacement: &str) -> Self {
        self.records.entry(Question::Naptr(domain.into())).or_default().push(Record::Naptr {
            order,
            preference: 50,
            flags: "s".into(),
            service: service.into(),
            regexp: String::new(),
            replacement: replacement.into(),
        });
        self
    }

    fn srv(mut self, name: &str, priority: u16, port: u16, target: &str) -> Self {
        let record = Record::Srv { priority, weight: 1, port, target: target.into() };
        self.records.entry(Question::Srv(name.into())).or_default().push(record);
        self
    }

    fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        for address in addresses {
            match address.parse().unwrap() {
                std::net::IpAddr::V4(ip) => {
                    self.records.entry(Question::A(name.into())).or_default().push(Record::A(ip));
                }
                std::net::IpAddr::V6(ip) => {
                    self.records.entry(Question::Aaaa(name.into())).or_default().push(Record::Aaaa(ip));
                }
            }
        }
        self
    }

    /// Answers what was asked; the last question first, for answers may come in any order.
    fn answer(&mut self, locator: &mut Locator, out: &mut Orders) {
        let mut orders = std::mem::take(out);
        for order in &orders {
            if let Order::Resolve { question, .. } = order {
                self.asked.push(match question {
                    Question::Naptr(n) => format!("NAPTR {n}"),
                    Question::Srv(n) => format!("SRV {n}"),
                    Question::A(n) => format!("A {n}"),
                    Question::Aaaa(n) => format!("AAAA {n}"),
                });
            }
        }
        orders.reverse();
        for order in orders {
            let Order::Resolve { query, question, .. } = order else { panic!("{order:?}") };
            let answer = match self.records.get(&question) {
                _ if self.silent => Answer::Failed,
                Some(records) => Answer::Records(records.clone()),
                None => Answer::NotFound,
            };
            locator.answered(query, answer);
        }
    }

    fn next(&mut self, locator: &mut Locator, id: LookupId, now: Instant) -> Result<String, Exhausted> {
        let mut out = Orders::new();
        loop {
            match locator.next(id, now, &mut out) {
                Next::Target(t) => return Ok(format!("{} {}", t.transport, t.addr)),
                Next::Wait => self.answer(locator, &mut out),
                Next::Exhausted(why) => return Err(why),
            }
        }
    }

    /// All targets in order, and why there are no more.
    fn all(&mut self, uri: &str, policy: &Policy) -> (Vec<String>, Exhausted) {
        let mut locator = Locator::new(Rng::from_number(1));
        let uri: Uri = uri.parse().unwrap();
        let id = locator.start(&uri.view(), policy);
        let mut targets = Vec::new();
        loop {
            match self.next(&mut locator, id, Instant::ZERO) {
                Ok(target) => targets.push(target),
                Err(why) => return (targets, why),
            }
        }
    }
}

fn policy(transports: &[Transport]) -> Policy {
    Policy { transports: transports.to_vec(), ..Policy::default() }
}

#[track_caller]
fn leads_to(zone: &mut Zone, uri: &str, policy: &Policy, targets: &[&str]) {
    assert_eq!(
        zone.all(uri, policy),
        (targets.iter().map(|t| (*t).to_owned()).collect(), Exhausted::AllTried)
    );
}

use Transport::{Tcp, Tls, Udp, Wss};

#[test]
fn a_numeric_host_is_tried_without_asking_by_udp_unless_named_or_secure() {
    let zone = &mut Zone::default();
    let all = policy(&[Tcp, Udp, Tls]);
    leads_to(zone, "sip:bob@192.0.2.1", &all, &["udp 192.0.2.1:5060"]);
    leads_to(zone, "sip:192.0.2.1:5070;transport=tcp", &all, &["tcp 192.0.2.1:5070"]);
    leads_to(zone, "sips:[2001:db8::1]", &all, &["tls [2001:db8::1]:5061"]);
    leads_to(zone, "sips:192.0.2.1;transport=tcp", &all, &["tls 192.0.2.1:5061"]);
    leads_to(zone, "sip:192.0.2.1", &policy(&[Tcp]), &["tcp 192.0.2.1:5060"]);
    assert_eq!(zone.asked, Vec::<String>::new());
}

#[test]
fn maddr_takes_the_hosts_place() {
    let zone = &mut Zone::default();
    leads_to(zone, "sip:bob@example.com;maddr=192.0.2.9", &Policy::default(), &["udp 192.0.2.9:5060"]);
}

#[test]
fn an_explicit_port_skips_srv_and_both_families_are_looked_up() {
    let mut zone = Zone::default().host("a.example.com", &["192.0.2.1", "2001:db8::1", "192.0.2.2"]);
    let targets = ["udp [2001:db8::1]:5060", "udp 192.0.2.1:5060", "udp 192.0.2.2:5060"];
    leads_to(&mut zone, "sip:A.example.com.:5060", &Policy::default(), &targets);
    assert_eq!(zone.asked, ["AAAA a.example.com", "A a.example.com"]);
    let only_v4 = Policy { ipv6: false, ..Policy::default() };
    leads_to(&mut zone, "sip:a.example.com:5060", &only_v4, &targets[1..]);
}

/// The example of section 4.1.
#[test]
fn the_domains_naptr_order_rules_among_the_transports_we_have() {
    let mut zone = Zone::default()
        .naptr("example.com", 50, "SIPS+D2T", "_sips._tcp.example.com.")
        .naptr("example.com", 90, "SIP+D2T", "_sip._tcp.example.com")
        .naptr("example.com", 100, "SIP+D2U", "_sip._udp.example.com.")
        .srv("_sip._tcp.example.com", 0, 5060, "s1.example.com")
        .srv("_sip._tcp.example.com", 1, 5062, "s2.example.com.")
        .srv("_sip._udp.example.com", 0, 5060, "s1.example.com")
        .host("s1.example.com", &["192.0.2.1"])
        .host("s2.example.com", &["192.0.2.2"]);
    leads_to(
        &mut zone,
        "sip:example.com",
        &policy(&[Udp, Tcp]),
        &["tcp 192.0.2.1:5060", "tcp 192.0.2.2:5062", "udp 192.0.2.1:5060"],
    );
}

#[test]
fn a_sips_uri_follows_only_sips_services() {
    let mut zone = Zone::default()
        .naptr("example.com", 10, "SIP+D2T", "_sip._tcp.example.com")
        .naptr("example.com", 50, "SIPS+D2T", "_sips._tcp.example.com")
        .srv("_sips._tcp.example.com", 0, 5061, "s1.example.com")
        .host("s1.example.com", &["192.0.2.1"]);
    leads_to(&mut zone, "sips:example.com", &policy(&[Udp, Tcp, Tls]), &["tls 192.0.2.1:5061"]);
}

#[test]
fn without_naptr_each_transports_srv_is_asked_at_once_and_our_liking_orders_them() {
    let mut zone = Zone::default()
        .srv("_sip._udp.example.com", 0, 5060, "s1.example.com")
        .srv("_sip._tcp.example.com", 0, 5060, "s1.example.com")
        .host("s1.example.com", &["192.0.2.1"]);
    leads_to(
        &mut zone,
        "sip:example.com",
        &policy(&[Tcp, Udp]),
        &["tcp 192.0.2.1:5060", "udp 192.0.2.1:5060"],
    );
    assert_eq!(
        zone.asked[..3],
        ["NAPTR example.com", "SRV _sip._tcp.example.com", "SRV _sip._udp.example.com"]
    );
}

#[test]
fn without_any_srv_the_bare_host_is_tried_at_the_default_port() {
    let mut zone = Zone::default().host("example.com", &["192.0.2.1"]);
    leads_to(&mut zone, "sip:example.com", &policy(&[Tcp, Udp]), &["udp 192.0.2.1:5060"]);
    leads_to(&mut zone, "sip:example.com;transport=tcp", &Policy::default(), &["tcp 192.0.2.1:5060"]);
    leads_to(&mut zone, "sips:example.com", &policy(&[Udp, Tls]), &["tls 192.0.2.1:5061"]);
    leads_to(&mut zone, "sip:example.com;transport=wss", &policy(&[Wss]), &["wss 192.0.2.1:443"]);
}

/// RFC 2782: the root as target forbids the bare host too.
#[test]
fn a_service_that_is_decidedly_not_offered_is_not_sought_at_the_bare_host() {
    let mut zone =
        Zone::default().srv("_sip._tcp.example.com", 0, 0, ".").host("example.com", &["192.0.2.1"]);
    let (targets, why) = zone.all("sip:example.com;transport=tcp", &Policy::default());
    assert_eq!((targets, why), (vec![], Exhausted::NotFound));
}

#[test]
fn addresses_of_later_hosts_are_asked_for_only_when_needed() {
    let mut zone = Zone::default()
        .srv("_sip._udp.example.com", 0, 5060, "s1.example.com")
        .srv("_sip._udp.example.com", 1, 5060, "s2.example.com")
        .host("s1.example.com", &["192.0.2.1"])
        .host("s2.example.com", &["192.0.2.2"]);
    let mut locator = Locator::new(Rng::from_number(1));
    let uri: Uri = "sip:example.com;transport=udp".parse().unwrap();
    let id = locator.start(&uri.view(), &Policy::default());
    assert_eq!(zone.next(&mut locator, id, Instant::ZERO).unwrap(), "udp 192.0.2.1:5060");
    assert!(!zone.asked.iter().any(|q| q.contains("s2")));
    assert_eq!(zone.next(&mut locator, id, Instant::ZERO).unwrap(), "udp 192.0.2.2:5060");
}

#[test]
fn why_nothing_was_found_is_told_apart() {
    assert_eq!(Zone::default().all("sip:example.com", &Policy::default()), (vec![], Exhausted::NotFound));
    let mut silent = Zone { silent: true, ..Zone::default() };
    assert_eq!(silent.all("sip:example.com", &Policy::default()), (vec![], Exhausted::NameServersFailed));
    for uri in
        ["tel:+4930123456", "sip:192.0.2.1;transport=sctp", "sips:192.0.2.1;transport=udp", "sips:192.0.2.1"]
    {
        assert_eq!(Zone::default().all(uri, &Policy::default()), (vec![], Exhausted::Unusable), "{uri}");
    }
    let only_v4 = Policy { ipv6: false, ..Policy::default() };
    assert_eq!(Zone::default().all("sip:[2001:db8::1]", &only_v4), (vec![], Exhausted::Unusable));
}

/// RFC 3261 section 18.1.1.
#[test]
fn a_large_request_tries_tcp_before_udp_at_the_same_place() {
    let large = Policy { large: true, ..Policy::default() };
    let both = ["tcp 192.0.2.1:5070", "udp 192.0.2.1:5070"];
    leads_to(&mut Zone::default(), "sip:192.0.2.1:5070", &large, &both);
    let mut zone = Zone::default().host("example.com", &["192.0.2.1"]);
    leads_to(&mut zone, "sip:example.com:5070", &large, &both);
    leads_to(&mut zone, "sip:example.com:5070;transport=tcp", &large, &both[..1]);
}

#[test]
fn a_target_that_failed_a_moment_ago_comes_last_but_comes() {
    let mut zone = Zone::default().host("example.com", &["192.0.2.1", "192.0.2.2"]);
    let mut locator = Locator::new(Rng::from_number(1));
    let bad = Target { transport: Udp, addr: "192.0.2.1:5070".parse().unwrap() };
    let uri: Uri = "sip:example.com:5070".parse().unwrap();
    let mut order = |locator: &mut Locator, now| {
        let id = locator.start(&uri.view(), &Policy::default());
        let targets: Vec<_> = std::iter::from_fn(|| zone.next(locator, id, now).ok()).collect();
        locator.finish(id);
        targets
    };
    let usual = ["udp 192.0.2.1:5070", "udp 192.0.2.2:5070"];
    assert_eq!(order(&mut locator, Instant::ZERO), usual);
    locator.failed(bad, None, Instant::ZERO);
    assert_eq!(order(&mut locator, Instant::ZERO), [usual[1], usual[0]]);
    assert_eq!(order(&mut locator, Instant::from_millis(32_000)), usual, "forgiven in time");
    locator.failed(bad, Some(Duration::from_mins(5)), Instant::ZERO);
    assert_eq!(
        order(&mut locator, Instant::from_millis(299_000)),
        [usual[1], usual[0]],
        "as Retry-After said"
    );
    locator.worked(bad);
    assert_eq!(order(&mut locator, Instant::from_millis(299_000)), usual, "forgiven by an answer");
}

#[test]
fn what_is_remembered_of_failures_and_taken_from_a_zone_is_bounded() {
    let mut locator = Locator::new(Rng::from_number(1));
    for port in 1..=1000 {
        let target = Target { transport: Udp, addr: SocketAddr::from(([192, 0, 2, 1], port)) };
        locator.failed(target, None, Instant::from_millis(u64::from(port)));
    }
    assert_eq!(locator.failed.len(), FAILED_KEPT);
    let addresses: Vec<String> = (0..500).map(|n| format!("192.0.{}.{}", n / 250, n % 250)).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut zone = Zone::default().host("example.com", &addresses);
    assert_eq!(zone.all("sip:example.com:5060", &Policy::default()).0.len(), 64);
}

#[test]
fn a_finished_lookup_ignores_its_late_answer() {
    let mut locator = Locator::new(Rng::from_number(1));
    let uri: Uri = "sip:example.com".parse().unwrap();
    let id = locator.start(&uri.view(), &Policy::default());
    let mut out = Orders::new();
    assert_eq!(locator.next(id, Instant::ZERO, &mut out), Next::Wait);
    locator.finish(id);
    let Some(Order::Resolve { query, .. }) = out.pop() else { panic!("asked nothing") };
    assert_eq!(locator.answered(query, Answer::NotFound), None);
    assert!(locator.queries.is_empty() && locator.lookups.is_empty());
}

/// On a network without IPv4. RFC 8305 section 7.
fn without_ipv4(nat64: Translator) -> Policy {
    Policy { ipv4: false, nat64, ..Policy::default() }
}

fn translator() -> Zone {
    Zone::default().host("ipv4only.arpa", &["2001:db8:64::c000:aa", "2001:db8:64::c000:ab"])
}

#[test]
fn an_ipv4_literal_is_reached_through_the_translator_whose_prefix_is_asked_for_once_needed() {
    let targets = ["udp [2001:db8:64::c000:207]:5070"];
    let mut zone = translator();
    leads_to(&mut zone, "sip:192.0.2.7:5070", &without_ipv4(Translator::Unknown), &targets);
    assert_eq!(zone.asked, ["AAAA ipv4only.arpa"]);
    let prefix = Prefix64::new("2001:db8:64::".parse().unwrap(), 96).unwrap();
    let mut zone = translator();
    leads_to(&mut zone, "sip:192.0.2.7:5070", &without_ipv4(Translator::Prefix(prefix)), &targets);
    assert!(zone.asked.is_empty(), "it is known");
    for (policy, why) in [
        (without_ipv4(Translator::None), Exhausted::Unusable),
        (without_ipv4(Translator::Unknown), Exhausted::Unusable),
    ] {
        assert_eq!(Zone::default().all("sip:192.0.2.7", &policy), (vec![], why));
    }
}

#[test]
fn a_name_with_ipv4_alone_is_translated_and_one_with_ipv6_is_not() {
    let policy = without_ipv4(Translator::Unknown);
    let mut zone = translator().host("pbx.test", &["192.0.2.7", "192.0.2.8"]);
    let both = ["udp [2001:db8:64::c000:207]:5070", "udp [2001:db8:64::c000:208]:5070"];
    leads_to(&mut zone, "sip:pbx.test:5070", &policy, &both);
    let mut zone = translator().host("pbx.test", &["192.0.2.7", "2001:db8::7"]);
    leads_to(&mut zone, "sip:pbx.test:5070", &policy, &["udp [2001:db8::7]:5070"]);
}

#[test]
fn families_take_turns_and_the_one_that_is_liked_comes_first() {
    let addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3"];
    let mut zone = Zone::default().host("pbx.test", &addresses);
    let turns = [
        "udp [2001:db8::1]:5070",
        "udp 192.0.2.1:5070",
        "udp [2001:db8::2]:5070",
        "udp 192.0.2.2:5070",
        "udp [2001:db8::3]:5070",
    ];
    leads_to(&mut zone, "sip:pbx.test:5070", &Policy::default(), &turns);
    let mut locator = Locator::new(Rng::from_number(1));
    let uri: Uri = "sip:pbx.test:5070".parse().unwrap();
    let mut first = |locator: &mut Locator| {
        let id = locator.start(&uri.view(), &Policy::default());
        zone.next(locator, id, Instant::ZERO).unwrap()
    };
    locator.prefer(Family::V4);
    assert_eq!(first(&mut locator), "udp 192.0.2.1:5070");
    locator.forgive_all();
    assert_eq!(first(&mut locator), "udp [2001:db8::1]:5070", "another network");
}
