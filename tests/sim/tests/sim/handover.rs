//! Calls that move between Wi-Fi and a mobile network: what is heard meanwhile.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use base::NetworkId;
use base::nat64::Prefix64;
use offhook_sim::servers::STUN_PORT;
use offhook_sim::{Link, Nat, NodeId, World, account, users};
use phone::{CallState, Network, NetworkKind, Server};

pub(super) const WIFI: NetworkId = NetworkId::new(1);
pub(super) const MOBILE: NetworkId = NetworkId::new(2);
const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

pub(super) struct Town {
    pub(super) w: World,
    pub(super) ann: NodeId,
    pub(super) bob: NodeId,
    pub(super) home: offhook_sim::NetworkId,
    cell: offhook_sim::NetworkId,
}

pub(super) fn wifi() -> Network {
    Network::new(WIFI, NetworkKind::Wifi, vec![IpAddr::V4(Ipv4Addr::new(192, 168, 1, 77))])
}

fn mobile() -> Network {
    let addr = IpAddr::V4(Ipv4Addr::new(100, 64, 0, 77));
    Network { metered: true, ..Network::new(MOBILE, NetworkKind::Cellular, vec![addr]) }
}

/// Ann on a mobile network behind its operator's routers, Bob at home behind his own; 50 ms round trip between them.
fn town(seed: u64, ice: bool) -> Town {
    town_of(seed, ice, |_| ())
}

/// The same, their accounts set so.
pub(super) fn town_of(seed: u64, ice: bool, set: impl Fn(&mut phone::Account)) -> Town {
    let mut w = World::seeded("handover", &format!("seed {seed}"), seed).with_sound();
    w.wire().set_default(Link { delay: Duration::from_micros(11_500), ..Link::default() });
    let exchange = w.exchange("exchange", users(&["ann", "bob"]));
    let servers = w.servers("S");
    let home = w.behind(Nat::port_restricted());
    let cell = w.behind(Nat { inside: Ipv4Addr::new(100, 64, 0, 0), ..Nat::port_restricted() });
    let bobs = w.behind(Nat::port_restricted());
    let stun = vec![Server { host: w.ip(servers).to_string(), port: STUN_PORT }];
    let mut phones = Vec::new();
    for (name, place) in [("ann", cell), ("bob", bobs)] {
        w.settle_in(place);
        let mut settings = account(name, w.ip(exchange));
        settings.nat = phone::Nat { ice, stun: stun.clone(), ..phone::Nat::default() };
        set(&mut settings);
        phones.push(w.phone(name, Some(settings)));
    }
    let (ann, bob) = (phones[0], phones[1]);
    w.appear_in(ann, cell, mobile());
    w.vanish(ann, NetworkId::SYSTEM);
    w.run_for(3 * SECOND);
    w.run_until_registered(&phones);
    Town { w, ann, bob, home, cell }
}

impl Town {
    pub(super) fn call(&mut self) {
        let w = &mut self.w;
        w.call(self.bob, "ann");
        w.run_until_state(self.ann, CallState::Ringing);
        w.answer(self.ann);
        w.run_for(5 * SECOND);
        assert!(w.hears_tone(self.ann, self.bob) && w.hears_tone(self.bob, self.ann));
    }

    fn network(&self) -> Option<NetworkId> {
        self.w.at(self.ann).phone().network_of(offhook_sim::ACCOUNT)
    }

    /// Sound that was made up on either side, so far.
    fn concealed(&self) -> [Duration; 2] {
        [self.ann, self.bob].map(|phone| self.w.concealed(phone))
    }

    /// From now on, for how long either side does not hear the other.
    fn back_after(&mut self, most: Duration) -> [Duration; 2] {
        let from = self.w.now();
        let mut last = [Duration::ZERO; 2];
        while self.w.now().since(from) < most {
            self.w.run_for(20 * MS);
            let ends = [(self.ann, self.bob), (self.bob, self.ann)];
            for (at, (listener, talker)) in last.iter_mut().zip(ends) {
                if !self.w.hears_tone(listener, talker) {
                    *at = self.w.now().since(from);
                }
            }
        }
        last
    }
}

fn print(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[test]
pub(super) fn a_call_that_finds_wifi_moves_there_and_hardly_anything_is_missed() {
    for ice in [true, false] {
        let mut town = town(1, ice);
        town.call();
        let before = town.concealed();
        let home = town.home;
        town.w.appear_in(town.ann, home, wifi());
        town.w.run_for(8 * SECOND);
        assert_eq!(town.network(), Some(WIFI));
        town.w.vanish(town.ann, MOBILE);
        town.w.run_for(3 * SECOND);
        assert!(town.w.hears_tone(town.ann, town.bob) && town.w.hears_tone(town.bob, town.ann));
        let missed: Vec<Duration> =
            town.concealed().iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect();
        print(&format!("both networks up, ICE {ice}: {missed:?} concealed (60 ms)\n"));
        assert!(missed.iter().all(|missed| *missed <= 60 * MS), "{missed:?}");
    }
}

#[test]
fn a_call_that_finds_a_wifi_with_ipv6_alone_is_heard_there_through_its_translator() {
    let prefix = (Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, 0, 0), 96);
    let translator = Prefix64::new(prefix.0, prefix.1).expect("a prefix");
    let mut town = town(8, true);
    let hotel = town.w.behind(Nat::port_restricted().translating(translator));
    town.call();
    let before = town.concealed();
    let ours = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x77));
    let network = Network { nat64: Some(prefix), ..Network::new(WIFI, NetworkKind::Wifi, vec![ours]) };
    town.w.appear_in(town.ann, hotel, network);
    town.w.run_for(8 * SECOND);
    assert_eq!(town.network(), Some(WIFI));
    town.w.vanish(town.ann, MOBILE);
    town.w.run_for(3 * SECOND);
    // Both routers have to be opened: hers only S can tell of, which has an IPv4 address.
    assert!(town.w.hears_tone(town.ann, town.bob) && town.w.hears_tone(town.bob, town.ann));
    let missed = town.concealed().iter().zip(before).map(|(now, before)| now.saturating_sub(before)).max();
    print(&format!("to IPv6 alone: {missed:?} concealed (60 ms)\n"));
    assert!(missed.is_some_and(|missed| missed <= 60 * MS), "{missed:?}");
}

#[test]
fn a_call_whose_wifi_vanishes_goes_on_by_the_mobile_network() {
    for ice in [true, false] {
        let mut town = town(2, ice);
        let home = town.home;
        town.w.appear_in(town.ann, home, wifi());
        town.w.run_for(5 * SECOND);
        assert_eq!(town.network(), Some(WIFI));
        town.call();
        town.w.vanish(town.ann, WIFI);
        let back = town.back_after(8 * SECOND);
        print(&format!("Wi-Fi vanishes, ICE {ice}: back after {back:?}\n"));
        assert_eq!(town.network(), Some(MOBILE));
        assert!(back.iter().all(|back| *back <= 2500 * MS), "{back:?}");
    }
}

#[test]
pub(super) fn a_call_whose_wifi_just_dies_goes_on_by_the_mobile_network() {
    for ice in [true, false] {
        let mut town = town(3, ice);
        let home = town.home;
        town.w.appear_in(town.ann, home, wifi());
        town.w.run_for(5 * SECOND);
        assert_eq!(town.network(), Some(WIFI));
        town.call();
        // Nobody says a word: the access point is there, and nothing gets through.
        town.w.set_access(town.ann, home, Link { cut: true, ..Link::default() });
        let back = town.back_after(10 * SECOND);
        print(&format!("Wi-Fi dies, ICE {ice}: back after {back:?} (2.5 s)\n"));
        assert_eq!(town.network(), Some(MOBILE));
        assert!(back.iter().all(|back| *back <= 2500 * MS), "{back:?}");
        let _ = town.cell;
    }
}

impl Town {
    /// On Wi-Fi, with the mobile network beside it.
    fn on_wifi(&mut self) {
        self.w.appear_in(self.ann, self.home, wifi());
        self.w.run_for(5 * SECOND);
        assert_eq!(self.network(), Some(WIFI));
    }

    /// Somebody's call has been ringing for a moment.
    fn rings(&mut self, caller: NodeId) {
        let (callee, whom) = if caller == self.ann { (self.bob, "bob") } else { (self.ann, "ann") };
        self.w.call(caller, whom);
        self.w.run_until_state(callee, CallState::Ringing);
        self.w.run_until_state(caller, CallState::Ringing);
        self.w.run_for(SECOND);
    }

    /// It is answered, and both hear each other.
    fn is_answered(&mut self, callee: NodeId, what: &str) {
        self.w.answer(callee);
        for phone in [self.ann, self.bob] {
            self.w.run_until_state(phone, CallState::Active);
        }
        self.w.run_for(3 * SECOND);
        let hears = [(self.ann, self.bob), (self.bob, self.ann)].map(|(a, b)| self.w.hears_tone(a, b));
        assert_eq!(hears, [true; 2], "{what}\n{}", self.w.ladder());
    }
}

#[test]
fn a_call_of_ours_that_rings_when_wifi_vanishes_is_heard_by_the_mobile_network_once_answered() {
    for ice in [true, false] {
        let mut town = town(4, ice);
        town.on_wifi();
        town.rings(town.ann);
        town.w.vanish(town.ann, WIFI);
        town.w.run_for(2 * SECOND);
        assert_eq!(town.w.state(town.bob), Some(CallState::Ringing));
        town.is_answered(town.bob, &format!("ICE {ice}"));
    }
}

#[test]
fn a_call_to_us_that_rings_when_wifi_vanishes_is_heard_by_the_mobile_network_once_answered() {
    for ice in [true, false] {
        for wait in [50 * MS, 3 * SECOND] {
            let mut town = town(5, ice);
            town.on_wifi();
            town.rings(town.bob);
            town.w.vanish(town.ann, WIFI);
            town.w.run_for(wait);
            town.is_answered(town.ann, &format!("ICE {ice}, answered after {wait:?}"));
        }
    }
}

#[test]
fn a_call_that_rings_while_wifi_is_found_is_heard_there_once_answered_and_when_the_old_network_goes() {
    for ice in [true, false] {
        for calls in [true, false] {
            let mut town = town(6, ice);
            let (caller, callee) = if calls { (town.ann, town.bob) } else { (town.bob, town.ann) };
            town.rings(caller);
            town.on_wifi();
            town.is_answered(callee, &format!("ICE {ice}, calls {calls}"));
            town.w.vanish(town.ann, MOBILE);
            town.w.run_for(3 * SECOND);
            let (w, ann, bob) = (&town.w, town.ann, town.bob);
            assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann), "ICE {ice}, calls {calls}");
        }
    }
}

#[test]
pub(super) fn what_is_heard_before_the_answer_is_heard_by_wifi_as_well() {
    for ice in [true, false] {
        for calls in [true, false] {
            let mut town = town(7, ice);
            let (caller, callee) = if calls { (town.ann, town.bob) } else { (town.bob, town.ann) };
            town.rings(caller);
            let call = town.w.live(callee);
            town.w.command(callee, phone::Command::Progress(call));
            town.w.run_until_state(caller, CallState::Early);
            town.on_wifi();
            town.is_answered(callee, &format!("ICE {ice}, calls {calls}"));
            town.w.vanish(town.ann, MOBILE);
            town.w.run_for(3 * SECOND);
            let (w, ann, bob) = (&town.w, town.ann, town.bob);
            assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann), "ICE {ice}, calls {calls}");
        }
    }
}
