//! Which networks are there, and which one an account goes by.
//!
//! Wi-Fi and wires come before a mobile operator's network, the own operator before a foreign one, unmetered before metered;
//! between equals the one in use stays. A better network is moved to once it has been steady for [`STEADY`], the longer the
//! more often it went; a dead one is left at once. A network that cannot be told dead from alive by its platform is
//! suspected by us ([`Networks::suspect`]), or passed over by an account whose registrar it does not reach
//! ([`Networks::pass_over`]: a hotel's Wi-Fi before the log-in page).
//!
//! Knows nothing of registrations, nor of who moves.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use base::{Instant, NetworkId};

use super::{Network, NetworkKind, NetworkNews, NetworkPolicy};
use crate::{AccountId, Why};

/// How long a better network must have been there before one that works is left for it.
const STEADY: Duration = Duration::from_secs(2);
/// The same for one that comes and goes.
const STEADY_AT_MOST: Duration = Duration::from_secs(30);
/// How long a network's going is held against it.
const FLAPPED: Duration = Duration::from_secs(30);
/// How long a suspicion holds when nothing settles it.
const SUSPECTED: Duration = Duration::from_secs(30);
/// How long an account passes over a network by which its registrar was not reached.
const PASSED_OVER: Duration = Duration::from_mins(10);
/// Networks that went, remembered; no device sees more in half a minute.
const MOST_GONE: usize = 16;

/// What is there.
#[derive(Debug)]
pub(crate) struct Networks {
    there: BTreeMap<NetworkId, There>,
    gone: BTreeMap<NetworkId, Gone>,
    passed_over: BTreeMap<(AccountId, NetworkId), Instant>,
    /// Nothing was told yet: the system's routes are believed in.
    untold: bool,
}

#[derive(Debug)]
struct There {
    network: Network,
    /// When it may be taken by those who have none.
    usable: Instant,
    /// When it may be moved to by those who have one that works.
    steady: Instant,
    suspected: Option<Instant>,
}

#[derive(Debug)]
struct Gone {
    at: Instant,
    times: u32,
}

/// What an account is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Go by this one.
    Use(NetworkId),
    /// Wait: there is none for it.
    Wait(Why),
}

impl Networks {
    /// The system's own choice, until something is told.
    pub(crate) fn new() -> Self {
        let mut it = Self {
            there: BTreeMap::new(),
            gone: BTreeMap::new(),
            passed_over: BTreeMap::new(),
            untold: true,
        };
        it.insert(Network::new(NetworkId::SYSTEM, NetworkKind::Other, Vec::new()), Instant::ZERO);
        it
    }

    /// Takes the news. Says which networks' flows are worth nothing any more.
    pub(crate) fn hear(&mut self, news: &NetworkNews, now: Instant) -> Vec<NetworkId> {
        let mut lost = Vec::new();
        if std::mem::take(&mut self.untold)
            && matches!(news, NetworkNews::Appeared(_) | NetworkNews::Changed(_))
        {
            lost.extend(self.there.remove(&NetworkId::SYSTEM).map(|_| NetworkId::SYSTEM));
        }
        match news {
            NetworkNews::Appeared(network) | NetworkNews::Changed(network) => {
                lost.extend(self.told(network.clone(), now));
            }
            NetworkNews::Vanished(id) => lost.extend(self.remove(*id, now)),
            NetworkNews::Suspect(id) => self.suspect(*id, now),
            NetworkNews::Up { addrs } => {
                lost.extend(self.there.keys().copied());
                // It was never said to be gone: no flap.
                self.there.clear();
                self.insert(Network::new(NetworkId::SYSTEM, NetworkKind::Other, addrs.clone()), now);
            }
            NetworkNews::Down => {
                let all: Vec<NetworkId> = self.there.keys().copied().collect();
                lost.extend(all.into_iter().filter_map(|id| self.remove(id, now)));
            }
        }
        for id in &lost {
            self.passed_over.retain(|(_, network), _| network != id);
        }
        lost
    }

    fn told(&mut self, network: Network, now: Instant) -> Option<NetworkId> {
        let id = network.id;
        let Some(known) = self.there.get_mut(&id) else {
            self.insert(network, now);
            return None;
        };
        let kept = |ip: &IpAddr| network.addrs.contains(ip);
        // Those who used an address that it no longer has are cut off.
        let lost = !known.network.addrs.is_empty() && !known.network.addrs.iter().any(kept);
        known.network = network;
        known.suspected = None;
        if lost {
            known.steady = now + STEADY;
        }
        lost.then_some(id)
    }

    fn insert(&mut self, network: Network, now: Instant) {
        self.gone.retain(|_, gone| now.since(gone.at) < FLAPPED);
        let times = self.gone.get(&network.id).map_or(0, |gone| gone.times);
        let damped = STEADY.saturating_mul(1 << times.min(8)).min(STEADY_AT_MOST);
        // Once is an accident.
        let usable = if times < 2 { now } else { now + damped };
        let there = There { usable, steady: now + damped, suspected: None, network };
        self.there.insert(there.network.id, there);
    }

    fn remove(&mut self, id: NetworkId, now: Instant) -> Option<NetworkId> {
        self.there.remove(&id)?;
        if self.gone.len() >= MOST_GONE {
            self.gone.clear();
        }
        let gone = self.gone.entry(id).or_insert(Gone { at: now, times: 0 });
        (gone.at, gone.times) = (now, gone.times + 1);
        Some(id)
    }

    /// It looks dead: whoever has another network takes that.
    fn suspect(&mut self, id: NetworkId, now: Instant) {
        if let Some(there) = self.there.get_mut(&id) {
            there.suspected = Some(now + SUSPECTED);
        }
    }

    /// It was heard by: it lives.
    pub(crate) fn trust(&mut self, id: NetworkId) {
        if let Some(there) = self.there.get_mut(&id) {
            there.suspected = None;
        }
    }

    /// The account's registrar cannot be reached by it, though by another.
    pub(crate) fn pass_over(&mut self, account: AccountId, id: NetworkId, now: Instant) {
        self.passed_over.insert((account, id), now + PASSED_OVER);
    }

    /// Whether it is suspected.
    pub(crate) fn is_suspect(&self, id: NetworkId, now: Instant) -> bool {
        self.there.get(&id).is_some_and(|there| there.suspected.is_some_and(|until| until > now))
    }

    pub(crate) fn get(&self, id: NetworkId) -> Option<&Network> {
        self.there.get(&id).map(|there| &there.network)
    }

    /// Forgets what was held against networks for an account that is no more.
    pub(crate) fn forget(&mut self, account: AccountId) {
        self.passed_over.retain(|(of, _), _| *of != account);
    }

    /// By which network an account should go that goes by `present` now.
    pub(crate) fn choose(
        &self,
        account: AccountId,
        policy: NetworkPolicy,
        roaming_allowed: bool,
        present: Option<NetworkId>,
        now: Instant,
    ) -> Choice {
        let allowed = |network: &Network| match policy {
            NetworkPolicy::Any => true,
            NetworkPolicy::AskRoaming => !network.roaming || roaming_allowed,
            NetworkPolicy::WifiOnly => network.kind != NetworkKind::Cellular,
        };
        let doubtful = |id: NetworkId| {
            let passed = self.passed_over.get(&(account, id)).is_some_and(|until| *until > now);
            passed || self.is_suspect(id, now)
        };
        let mut candidates: Vec<&There> = self.there.values().filter(|it| allowed(&it.network)).collect();
        if candidates.is_empty() {
            return Choice::Wait(match policy {
                _ if self.there.is_empty() => Why::NoNetwork,
                NetworkPolicy::WifiOnly => Why::WifiOnly,
                NetworkPolicy::AskRoaming => Why::RoamingNotAllowed,
                NetworkPolicy::Any => Why::NoNetwork,
            });
        }
        candidates.sort_by_key(|it| (doubtful(it.network.id), rank(&it.network)));
        let present = candidates.iter().find(|it| Some(it.network.id) == present);
        if let Some(present) = present {
            let worth = |it: &There| (doubtful(it.network.id), rank(&it.network));
            let left = doubtful(present.network.id);
            let ready = |it: &There| if left { it.usable <= now } else { it.steady <= now };
            let better = candidates.iter().find(|it| ready(it) && worth(it) < worth(present));
            return Choice::Use(better.unwrap_or(present).network.id);
        }
        let usable = candidates.iter().find(|it| it.usable <= now);
        usable.map_or(Choice::Wait(Why::NoNetwork), |it| Choice::Use(it.network.id))
    }

    /// When another choice may be right, though nothing is told.
    pub(crate) fn next_look(&self, now: Instant) -> Option<Instant> {
        // With one network there is nothing to choose, but whether it may be taken yet.
        let alone = self.there.len() < 2;
        let of_one = self.there.values().flat_map(|it| {
            let steady = (!alone).then_some(it.steady);
            [Some(it.usable), steady, it.suspected.filter(|_| !alone)]
        });
        let passed = self.passed_over.values().copied().map(Some).filter(|_| !alone);
        of_one.chain(passed).flatten().filter(|at| *at > now).min()
    }
}

/// The lower the better.
fn rank(network: &Network) -> (u8, bool, bool) {
    let kind = match network.kind {
        NetworkKind::Ethernet | NetworkKind::Wifi => 0,
        NetworkKind::Other => 1,
        NetworkKind::Cellular => 2,
    };
    (kind, network.roaming, network.metered)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIFI: NetworkId = NetworkId::new(1);
    const MOBILE: NetworkId = NetworkId::new(2);
    const ANN: AccountId = AccountId(1);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn wifi() -> NetworkNews {
        NetworkNews::Appeared(Network::new(WIFI, NetworkKind::Wifi, vec![[10, 0, 0, 1].into()]))
    }

    fn mobile(roaming: bool) -> NetworkNews {
        let network = Network::new(MOBILE, NetworkKind::Cellular, vec![[100, 64, 0, 1].into()]);
        NetworkNews::Appeared(Network { metered: true, roaming, ..network })
    }

    fn choose(networks: &Networks, present: Option<NetworkId>, millis: u64) -> Choice {
        networks.choose(ANN, NetworkPolicy::Any, false, present, at(millis))
    }

    #[test]
    fn until_something_is_told_the_systems_routes_are_believed_in() {
        let mut networks = Networks::new();
        assert_eq!(choose(&networks, None, 0), Choice::Use(NetworkId::SYSTEM));
        assert_eq!(networks.hear(&wifi(), at(10)), [NetworkId::SYSTEM]);
        assert_eq!(choose(&networks, Some(NetworkId::SYSTEM), 10), Choice::Use(WIFI));
    }

    #[test]
    fn wifi_is_moved_to_once_it_is_steady_and_left_at_once() {
        let mut networks = Networks::new();
        networks.hear(&mobile(false), at(0));
        networks.hear(&wifi(), at(10_000));
        assert_eq!(choose(&networks, Some(MOBILE), 11_000), Choice::Use(MOBILE));
        let look = networks.next_look(at(11_000)).expect("it is looked at again");
        assert_eq!(networks.choose(ANN, NetworkPolicy::Any, false, Some(MOBILE), look), Choice::Use(WIFI));
        assert_eq!(networks.hear(&NetworkNews::Vanished(WIFI), at(20_000)), [WIFI]);
        assert_eq!(choose(&networks, Some(WIFI), 20_000), Choice::Use(MOBILE));
    }

    #[test]
    fn a_network_that_comes_and_goes_must_stay_ever_longer() {
        let mut networks = Networks::new();
        networks.hear(&mobile(false), at(0));
        for flap in 0..6 {
            networks.hear(&wifi(), at(flap * 1000));
            networks.hear(&NetworkNews::Vanished(WIFI), at(flap * 1000 + 500));
        }
        networks.hear(&wifi(), at(6000));
        assert_eq!(choose(&networks, Some(MOBILE), 30_000), Choice::Use(MOBILE));
        assert_eq!(choose(&networks, Some(MOBILE), 36_000), Choice::Use(WIFI));
    }

    #[test]
    fn the_only_network_is_taken_at_once_the_first_times_that_it_comes_back() {
        let mut networks = Networks::new();
        networks.hear(&NetworkNews::Down, at(0));
        assert_eq!(choose(&networks, None, 0), Choice::Wait(Why::NoNetwork));
        networks.hear(&NetworkNews::Up { addrs: Vec::new() }, at(1000));
        assert_eq!(choose(&networks, None, 1000), Choice::Use(NetworkId::SYSTEM));
        networks.hear(&NetworkNews::Down, at(2000));
        networks.hear(&NetworkNews::Up { addrs: Vec::new() }, at(2100));
        assert_eq!(choose(&networks, None, 2100), Choice::Wait(Why::NoNetwork));
        assert!(networks.next_look(at(2100)).is_some_and(|look| look <= at(12_000)));
    }

    #[test]
    fn an_account_waits_for_a_network_that_it_may_use_and_says_for_which() {
        let mut networks = Networks::new();
        networks.hear(&mobile(true), at(0));
        let choice = |policy, allowed| networks.choose(ANN, policy, allowed, None, at(5000));
        assert_eq!(choice(NetworkPolicy::WifiOnly, true), Choice::Wait(Why::WifiOnly));
        assert_eq!(choice(NetworkPolicy::AskRoaming, false), Choice::Wait(Why::RoamingNotAllowed));
        assert_eq!(choice(NetworkPolicy::AskRoaming, true), Choice::Use(MOBILE));
        assert_eq!(choice(NetworkPolicy::Any, false), Choice::Use(MOBILE));
    }

    #[test]
    fn a_suspect_network_is_left_for_another_and_kept_where_there_is_none() {
        let mut networks = Networks::new();
        networks.hear(&wifi(), at(0));
        networks.hear(&NetworkNews::Suspect(WIFI), at(5000));
        assert_eq!(choose(&networks, Some(WIFI), 5000), Choice::Use(WIFI));
        networks.hear(&mobile(false), at(5000));
        assert_eq!(choose(&networks, Some(WIFI), 5000), Choice::Use(MOBILE));
        assert_eq!(choose(&networks, Some(MOBILE), 40_000), Choice::Use(WIFI), "it is given another chance");
    }

    #[test]
    fn a_network_that_does_not_reach_the_registrar_is_passed_over_by_that_account_alone() {
        let mut networks = Networks::new();
        networks.hear(&mobile(false), at(0));
        networks.hear(&wifi(), at(0));
        networks.pass_over(ANN, WIFI, at(5000));
        assert_eq!(choose(&networks, Some(MOBILE), 5000), Choice::Use(MOBILE));
        let other = networks.choose(AccountId(2), NetworkPolicy::Any, false, Some(MOBILE), at(5000));
        assert_eq!(other, Choice::Use(WIFI));
    }

    #[test]
    fn an_address_that_is_lost_cuts_off_and_one_that_is_added_does_not() {
        let mut networks = Networks::new();
        let told = |last: &[u8]| {
            let addrs = last.iter().map(|n| [10, 0, 0, *n].into()).collect();
            NetworkNews::Changed(Network::new(WIFI, NetworkKind::Wifi, addrs))
        };
        networks.hear(&told(&[1]), at(0));
        assert_eq!(networks.hear(&told(&[1, 2]), at(1000)), []);
        assert_eq!(networks.hear(&told(&[3]), at(2000)), [WIFI]);
    }
}
