//! Calls whose keys are agreed on where the sound goes (DTLS-SRTP): by every kind of way, through loss and handovers.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use base::{NetworkId, Redacted, Secret};
use nat::path::Reached;
use offhook_sim::servers::{RELAY_PORT, RELAY_USER, STUN_PORT};
use offhook_sim::{Link, Nat, NodeId, World, account, users};
use phone::{
    CallState, Encrypted, KeysBy, MediaEncryption, Network, NetworkKind, Relay, RelayWay, Server, Tcp,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

struct Town {
    w: World,
    ann: NodeId,
    bob: NodeId,
}

/// Ann and Bob, each behind a router of this kind, or on the internet itself.
fn town(seed: u64, nat: Option<Nat>, ice: bool, policy: [MediaEncryption; 2]) -> Town {
    town_of(seed, nat, policy, |settings| settings.ice = ice)
}

fn town_of(seed: u64, nat: Option<Nat>, policy: [MediaEncryption; 2], set: impl Fn(&mut phone::Nat)) -> Town {
    let mut w = World::seeded("dtls", &format!("seed {seed}"), seed).with_sound();
    let exchange = w.exchange("exchange", users(&["ann", "bob"]));
    let servers = w.servers("S");
    let stun = vec![Server { host: w.ip(servers).to_string(), port: STUN_PORT }];
    let mut phones = Vec::new();
    for (name, policy) in ["ann", "bob"].into_iter().zip(policy) {
        if let Some(nat) = nat {
            let place = w.behind(nat);
            w.settle_in(place);
        }
        let mut settings = account(name, w.ip(exchange));
        let relay = Relay {
            server: Server { host: w.ip(servers).to_string(), port: RELAY_PORT },
            ways: vec![RelayWay::Udp],
            user: Redacted::new(RELAY_USER.0.into()),
            password: Secret::new(RELAY_USER.1.into()),
        };
        settings.nat =
            phone::Nat { ice: true, stun: stun.clone(), turn: vec![relay], ..phone::Nat::default() };
        set(&mut settings.nat);
        settings.media_encryption = policy;
        settings.media_encryption_by = KeysBy::Dtls;
        phones.push(w.phone(name, Some(settings)));
    }
    w.run_until_registered(&phones);
    Town { w, ann: phones[0], bob: phones[1] }
}

const REQUIRED: [MediaEncryption; 2] = [MediaEncryption::Required; 2];

impl Town {
    fn ring_and_answer(&mut self) {
        self.w.call(self.ann, "bob");
        self.w.run_until_state(self.bob, CallState::Ringing);
        self.w.run_for(SECOND);
        self.w.answer(self.bob);
    }

    fn encrypted(&self) -> [Option<Encrypted>; 2] {
        [self.ann, self.bob].map(|phone| self.w.at(phone).live().map(|view| view.encrypted))
    }

    fn both_hear(&self) -> bool {
        self.w.hears_tone(self.ann, self.bob) && self.w.hears_tone(self.bob, self.ann)
    }

    /// For how long the wait was until both had keys, at most 15 s.
    fn keys_after(&mut self) -> Duration {
        let from = self.w.now();
        while self.encrypted() != [Some(Encrypted::Dtls); 2] {
            assert!(self.w.now().since(from) < 15 * SECOND, "no keys: {:?}", self.encrypted());
            self.w.run_for(20 * MS);
        }
        self.w.now().since(from)
    }
}

#[test]
fn both_hear_each_other_under_agreed_keys_by_checked_ways_and_by_plain_ones() {
    let routers = [Some(Nat::port_restricted()), Some(Nat::full_cone()), None];
    let plain = [(None, false), (Some(Nat::port_restricted()), false)];
    for (seed, (nat, ice)) in (1..).zip(routers.map(|nat| (nat, true)).into_iter().chain(plain)) {
        let mut town = town(seed, nat, ice, REQUIRED);
        town.ring_and_answer();
        let after = town.keys_after();
        assert!(after < SECOND, "{nat:?}, ice {ice}: keys after {after:?}");
        town.w.run_for(3 * SECOND);
        assert!(town.both_hear(), "{nat:?}, ice {ice}");
    }
}

#[test]
fn keys_go_by_a_relay_and_by_a_punched_stream_as_well() {
    let works = |mut town: Town, wanted: Reached| {
        town.ring_and_answer();
        town.keys_after();
        town.w.run_for(3 * SECOND);
        let reached = town.w.at(town.ann).live().and_then(|view| view.path);
        assert_eq!(reached, Some(wanted));
        assert!(town.both_hear(), "{wanted:?}");
    };
    let all = town_of(5, Some(Nat::symmetric()), REQUIRED, |_| ());
    works(all, Reached::Relayed);
    let streams = town_of(6, Some(Nat::port_restricted()), REQUIRED, |nat| {
        (nat.udp, nat.tcp_punch) = (false, Tcp::Always);
        nat.turn.clear();
    });
    works(streams, Reached::TcpPunched);
}

#[test]
fn an_invite_with_a_certificate_still_fits_a_datagram() {
    let mut town = town(7, Some(Nat::port_restricted()), true, [MediaEncryption::Optional; 2]);
    town.ring_and_answer();
    town.keys_after();
    assert!(town.w.longest_invite() <= 1200, "{}", town.w.longest_invite());
}

#[test]
fn a_clear_phone_is_called_by_who_encrypts_where_he_can() {
    for policy in
        [[MediaEncryption::Optional, MediaEncryption::Off], [MediaEncryption::Off, MediaEncryption::Optional]]
    {
        let mut town = town(1, None, false, policy);
        town.ring_and_answer();
        town.w.run_for(3 * SECOND);
        assert_eq!(town.encrypted(), [Some(Encrypted::None); 2]);
        assert!(town.both_hear());
    }
}

#[test]
fn hold_and_resume_keep_the_association() {
    let mut town = town(1, Some(Nat::port_restricted()), true, [MediaEncryption::Optional; 2]);
    town.ring_and_answer();
    town.keys_after();
    for hold in [true, false] {
        let call = town.w.live(town.bob);
        let command = if hold { phone::Command::Hold(call) } else { phone::Command::Resume(call) };
        town.w.command(town.bob, command);
        town.w.run_for(2 * SECOND);
        assert_eq!(town.encrypted(), [Some(Encrypted::Dtls); 2], "hold {hold}");
    }
    town.w.run_for(2 * SECOND);
    assert!(town.both_hear());
}

#[test]
fn a_third_of_all_packets_lost_delays_the_keys_and_no_more() {
    let mut took = Vec::new();
    for seed in 1..=10 {
        let mut town = town(seed, None, false, REQUIRED);
        town.ring_and_answer();
        town.w.run_until_state(town.ann, CallState::Active);
        let lossy = Link { loss: 0.3, delay: 25 * MS, ..Link::default() };
        town.w.set_link(town.ann, town.bob, lossy);
        town.w.set_link(town.bob, town.ann, lossy);
        took.push(town.keys_after());
    }
    took.sort();
    assert!(took[8] < 5 * SECOND, "{took:?}");
}

#[test]
fn keys_outlive_a_handover_to_another_network() {
    const MOBILE: NetworkId = NetworkId::new(2);
    let mut town = town(3, Some(Nat::port_restricted()), true, REQUIRED);
    let cell = town.w.behind(Nat { inside: Ipv4Addr::new(100, 64, 0, 0), ..Nat::port_restricted() });
    town.ring_and_answer();
    town.keys_after();
    let addr = IpAddr::V4(Ipv4Addr::new(100, 64, 0, 77));
    town.w.appear_in(town.ann, cell, Network::new(MOBILE, NetworkKind::Ethernet, vec![addr]));
    town.w.run_for(SECOND);
    town.w.vanish(town.ann, NetworkId::SYSTEM);
    for _ in 0..50 {
        town.w.run_for(200 * MS);
        assert_eq!(town.encrypted(), [Some(Encrypted::Dtls); 2]);
    }
    assert!(town.both_hear());
}

/// The router of who asks no server keeps out what nobody has asked for, and its outside address stands nowhere.
#[test]
fn who_does_not_know_their_outside_address_agrees_on_keys_whoever_calls() {
    for (stun, who_calls) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let mut w = World::seeded("dtls", &format!("STUN {stun}, calls {who_calls}"), 1).with_sound();
        let exchange = w.exchange("exchange", users(&["ann", "bob"]));
        let ip = w.ip(exchange);
        let of = |name| {
            let mut settings = account(name, ip);
            settings.media_encryption = MediaEncryption::Required;
            settings.media_encryption_by = KeysBy::Dtls;
            settings
        };
        let bob = w.phone("bob", Some(of("bob")));
        let place = w.behind(Nat::port_restricted());
        w.settle_in(place);
        let mut settings = of("ann");
        settings.nat.stun.extend(stun.then(|| Server { host: ip.to_string(), port: 3478 }));
        let ann = w.phone("ann", Some(settings));
        w.run_until_registered(&[ann, bob]);
        let mut town = Town { w, ann, bob };
        if who_calls == 1 {
            (town.ann, town.bob) = (bob, ann);
        }
        town.w.call(town.ann, ["bob", "ann"][who_calls]);
        town.w.run_until_state(town.bob, CallState::Ringing);
        town.w.answer(town.bob);
        let after = town.keys_after();
        town.w.run_for(3 * SECOND);
        assert!(after < SECOND && town.both_hear(), "STUN {stun}, calls {who_calls}: {after:?}");
    }
}

/// Two phones answer at once; the loser says hello before it hears that it has lost.
#[test]
fn a_fork_that_lost_does_not_disturb_the_handshake_of_the_one_that_got_the_call() {
    for (seed, who) in (1..=12).zip(["desk", "pocket"].into_iter().cycle()) {
        let mut w = World::seeded("forks", &format!("seed {seed}"), seed).with_sound();
        let exchange = w.exchange("exchange", users(&["ann", "bob"]));
        let ip = w.ip(exchange);
        let phones = [("ann", "ann"), ("desk", "bob"), ("pocket", "bob")].map(|(name, user)| {
            if seed > 6 && user == "bob" {
                // Where packets come from is then what no description says.
                let place = w.behind(Nat::full_cone());
                w.settle_in(place);
            }
            let mut settings = account(user, ip);
            settings.media_encryption = MediaEncryption::Required;
            settings.media_encryption_by = KeysBy::Dtls;
            w.phone(name, Some(settings))
        });
        let [ann, desk, pocket] = phones;
        w.run_until_registered(&phones);
        // Who loses is heard by Ann at once, and late by the exchange; whoever wins is heard late by her.
        let (winner, loser) = if who == "desk" { (desk, pocket) } else { (pocket, desk) };
        w.set_link(winner, ann, Link { delay: 120 * MS, ..Link::default() });
        w.set_link(loser, exchange, Link { delay: 120 * MS, ..Link::default() });
        w.set_link(exchange, loser, Link { delay: 120 * MS, ..Link::default() });
        w.call(ann, "bob");
        w.run_until_state(desk, CallState::Ringing);
        w.run_until_state(pocket, CallState::Ringing);
        for fork in [winner, loser] {
            w.answer(fork);
        }
        w.run_for(8 * SECOND);
        let up = |phone| w.at(phone).live().map(|view| (view.state, view.encrypted));
        assert_eq!(up(ann), Some((CallState::Active, Encrypted::Dtls)), "seed {seed}: {}", w.ladder());
        let callees = [desk, pocket].map(up);
        assert_eq!(callees.iter().flatten().count(), 1, "seed {seed}");
        assert!([desk, pocket].iter().any(|fork| w.hears_tone(ann, *fork) && w.hears_tone(*fork, ann)));
    }
}

/// Hold, resume, and ways that begin anew by another network: what is least worth saying is left out.
#[test]
fn an_offer_in_a_call_is_no_longer_than_the_first_may_be() {
    const MOBILE: NetworkId = NetworkId::new(2);
    let mut town = town(9, Some(Nat::port_restricted()), true, [MediaEncryption::Off; 2]);
    let cell = town.w.behind(Nat { inside: Ipv4Addr::new(100, 64, 0, 0), ..Nat::port_restricted() });
    town.ring_and_answer();
    town.w.run_for(2 * SECOND);
    for phone in [town.ann, town.bob, town.ann, town.bob] {
        let call = town.w.live(phone);
        let held = matches!(town.w.state(phone), Some(CallState::Held));
        let command = if held { phone::Command::Resume(call) } else { phone::Command::Hold(call) };
        town.w.command(phone, command);
        town.w.run_for(2 * SECOND);
    }
    let addr = IpAddr::V4(Ipv4Addr::new(100, 64, 0, 77));
    town.w.appear_in(town.ann, cell, Network::new(MOBILE, NetworkKind::Ethernet, vec![addr]));
    town.w.run_for(3 * SECOND);
    let (longest, offers) =
        (town.w.longest_invite(), [town.ann, town.bob].map(|it| town.w.said(it, "INVITE")));
    assert!(town.both_hear() && offers[0] > 3 && offers[1] >= 2 && longest <= 1200, "{longest} {offers:?}");
}

/// RFC 3261 section 18.1.1 has the limit. Two routes, the digest and a fingerprint leave no room for less, with one candidate
/// and the fewest words: by TCP where there is such a way.
#[test]
fn nor_is_one_with_a_certificate_longer_than_a_datagram_may_be() {
    let mut town = town(9, Some(Nat::port_restricted()), true, REQUIRED);
    town.ring_and_answer();
    town.keys_after();
    for phone in [town.ann, town.bob] {
        let call = town.w.live(phone);
        town.w.command(phone, phone::Command::Hold(call));
        town.w.run_for(2 * SECOND);
    }
    let longest = town.w.longest_invite();
    assert!(town.w.said(town.bob, "INVITE") > 0 && longest <= 1300, "{longest}");
}
