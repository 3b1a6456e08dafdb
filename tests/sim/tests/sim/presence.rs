//! Who is free: seen by others through calls, bad links, restarts and moves, and what it costs to look.

use std::time::Duration;

use base::{NetworkId, Redacted};
use offhook_sim::{Link, NodeId, World, account, users};
use phone::{
    Account, CallState, Command, Event, Keepalive, Network, NetworkKind, OwnPresence, PresenceState, WatchBy,
};

use crate::{connect, seeds};

const SECOND: Duration = Duration::from_secs(1);

struct Town {
    w: World,
    exchange: NodeId,
    ann: NodeId,
    bob: NodeId,
    cem: NodeId,
}

/// ann watches bob, who publishes; the exchange asks everybody who they are.
fn watching(seed: u64, title: &str, transport: &str, link: Link) -> Town {
    let mut w = World::seeded(title, &format!("seed {seed}"), seed);
    let exchange = w.exchange("exchange", users(&["ann", "bob", "cem"]));
    let proxy = format!("sip:{};transport={transport};lr", w.ip(exchange));
    let ip = w.ip(exchange);
    let mut phone = |name: &str| {
        let proxy = Some(proxy.parse().expect("a URI"));
        let publish_presence = name == "bob";
        w.phone(name, Some(Account { proxy, publish_presence, ..account(name, ip) }))
    };
    let (ann, bob, cem) = (phone("ann"), phone("bob"), phone("cem"));
    w.set_links(link);
    w.run_until_registered(&[ann, bob, cem]);
    let who = Redacted::new("bob".to_owned());
    w.command(ann, Command::Watch { account: None, who, by: WatchBy::Presence });
    let mut town = Town { w, exchange, ann, bob, cem };
    town.until(PresenceState::Free);
    town
}

impl Town {
    /// How ann sees bob now.
    fn seen(&self) -> Option<PresenceState> {
        seen(&self.w, self.ann)
    }

    /// Waits until ann sees bob so, for as long as the world's patience is.
    fn until(&mut self, state: PresenceState) {
        let ann = self.ann;
        self.w.run_until(&format!("{state:?}"), |w| seen(w, ann) == Some(state));
    }
}

fn seen(w: &World, phone: NodeId) -> Option<PresenceState> {
    let one = |event: &Event| match event {
        Event::Presence { presence, .. } => Some(presence.state),
        _ => None,
    };
    w.at(phone).events().iter().rev().find_map(|(_, event)| one(event))
}

#[test]
fn a_person_in_a_call_is_seen_busy_and_free_again_on_good_links_and_on_bad_ones() {
    for seed in seeds(3) {
        for transport in ["udp", "tcp"] {
            let link = if seed == 1 { Link::default() } else { Link::wild() };
            let mut town = watching(seed, "busy", transport, link);
            let (bob, cem) = (town.bob, town.cem);
            for _ in 0..3 {
                connect(&mut town.w, cem, bob, "bob");
                town.until(PresenceState::Busy);
                town.w.hang_up(cem);
                town.until(PresenceState::Free);
                town.w.run_for(SECOND);
            }
            town.w.command(bob, Command::DoNotDisturb(true));
            town.until(PresenceState::Busy);
            town.w.command(bob, Command::DoNotDisturb(false));
            town.until(PresenceState::Free);
            town.w.offline(bob);
            town.until_gone();
        }
    }
}

impl Town {
    /// A phone without a network is gone when its registration is.
    fn until_gone(&mut self) {
        self.w.run_for(Duration::from_secs(310));
        assert_eq!(self.seen(), Some(PresenceState::Offline));
    }
}

/// A presence server that begins anew knows neither of who watches nor of what was published.
#[test]
fn an_exchange_that_restarts_is_told_and_asked_again_in_time() {
    let mut town = watching(2, "restarts", "tcp", Link::default());
    let (exchange, bob) = (town.exchange, town.bob);
    town.w.run_for(60 * SECOND);
    town.w.kill(exchange);
    town.w.run_for(5 * SECOND);
    town.w.start(exchange);
    let phones = [town.ann, bob, town.cem];
    town.w.run_until_registered(&phones);
    town.w.run_for(10 * SECOND);
    town.w.command(bob, Command::SetPresence { own: OwnPresence::Away, note: None });
    town.w.run_for(10 * SECOND);
    assert_eq!(town.seen(), Some(PresenceState::Away), "{}", town.w.ladder());
}

#[test]
fn a_watcher_that_moves_to_another_network_takes_what_it_watches_along() {
    for transport in ["udp", "tcp"] {
        let mut town = watching(3, "moves", transport, Link::default());
        let (ann, bob) = (town.ann, town.bob);
        let addr = "10.0.1.1".parse().expect("an address");
        town.w.appear(ann, Network::new(NetworkId::new(1), NetworkKind::Wifi, vec![addr]));
        town.w.run_for(10 * SECOND);
        town.w.vanish(ann, NetworkId::SYSTEM);
        town.w.run_for(5 * SECOND);
        let before = town.w.said(ann, "SUBSCRIBE");
        town.w.command(bob, Command::SetPresence { own: OwnPresence::Away, note: None });
        town.until(PresenceState::Away);
        assert_eq!(town.w.said(ann, "SUBSCRIBE"), before, "the old one serves");
        // Without any network for a while, and back.
        town.w.vanish(ann, NetworkId::new(1));
        town.w.run_for(SECOND);
        assert_eq!(town.seen(), Some(PresenceState::Unknown));
        town.w.run_for(60 * SECOND);
        let addr = "10.0.1.2".parse().expect("an address");
        town.w.appear(ann, Network::new(NetworkId::new(2), NetworkKind::Wifi, vec![addr]));
        town.until(PresenceState::Away);
    }
}

/// Whatever stands in a NOTIFY, the phone counts it and goes on.
#[test]
fn documents_that_are_none_do_no_harm() {
    let mut w = World::seeded("nonsense", "seed 4", 4);
    let ann = w.phone("ann", Some(Account { register: false, ..account("ann", [10, 0, 0, 2].into()) }));
    let server = w.stranger("server");
    let who = Redacted::new("bob".to_owned());
    w.command(ann, Command::Watch { account: None, who, by: WatchBy::Presence });
    let asked = w.hears(server, "SUBSCRIBE");
    w.says(server, &asked, asked.reply("200 OK", "s", "Contact: <sip:bob@10.0.0.2>\nExpires: 3600", ""));
    let bomb = "<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><presence>&b;</presence>";
    let deep = "<a>".repeat(300);
    let extra = "Contact: <sip:bob@10.0.0.2>\nEvent: presence\nSubscription-State: active\n\
                 Content-Type: application/pidf+xml";
    for (n, body) in ["<presence", bomb, &deep, "]]>", "<html/>"].into_iter().enumerate() {
        w.says(server, &asked, asked.back("NOTIFY", n as u32 + 1, "s", extra, body));
        w.hears(server, "200");
    }
    assert_eq!((seen(&w, ann), w.at(ann).phone().unread()), (None, 5));
    let good = "<presence><tuple id=\"a\"><status><basic>open</basic></status></tuple></presence>";
    w.says(server, &asked, asked.back("NOTIFY", 9, "s", extra, good));
    w.run_until("free", |w| seen(w, ann) == Some(PresenceState::Free));
}

/// A day of a thrifty phone that watches two and publishes itself: as many wakes as without, but for a handful.
#[test]
fn watching_and_publishing_all_day_wake_a_thrifty_phone_no_more_than_its_registration_does() {
    let day = |on: bool| {
        let mut w = World::seeded("battery", "seed 5", 5).without_ladder();
        let exchange = w.exchange("exchange", users(&["ann", "bob", "cem"]));
        let ip = w.ip(exchange);
        let thrifty = Account { keepalive: Keepalive::Thrifty, publish_presence: on, ..account("ann", ip) };
        let ann = w.phone("ann", Some(thrifty));
        let others = ["bob", "cem"].map(|name| w.phone(name, Some(account(name, ip))));
        w.run_until_registered(&[ann, others[0], others[1]]);
        for (who, by) in [("bob", WatchBy::Presence), ("cem", WatchBy::Lamp)].into_iter().filter(|_| on) {
            w.command(ann, Command::Watch { account: None, who: Redacted::new(who.into()), by });
        }
        w.run_for(Duration::from_secs(24 * 3600));
        assert!(!on || seen(&w, ann) == Some(PresenceState::Free));
        assert!(w.at(ann).is_registered() && w.state(ann) != Some(CallState::Active));
        let wakes = w.wakes(ann).clone();
        let of = |why: &str| wakes.get(why).copied().unwrap_or_default();
        (of("register") + of("keepalive") + of("subscription refresh") + of("presence"), wakes)
    };
    let (without, with) = (day(false), day(true));
    // The exchange grants 300 s.
    assert!(with.0 <= without.0 + 4, "{with:?}, without {without:?}");
}
