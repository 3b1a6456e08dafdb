//! What is known of networks: how long each keeps idle mappings, by which carrier accounts reach their registrars there, and what
//! its router does to messages.
//!
//! One memory with one key, the hash of a network's identity ([`NetworkKey`]). It leaves as [`Learnt`], one network each, for
//! whoever keeps it, and comes back by [`crate::Command::Remember`]. A network without an identity has its knowledge to itself
//! and is forgotten when it goes: two homes look alike by their addresses, and what spoils one of them is no fault of the other.
//!
//! By what relays were reached is remembered by the phone alone, for as long as it runs: another phone begins with what carries
//! signalling there, which says nearly the same.
//!
//! What a router does may end with its next software: every [`DOUBTED`]th time that a network is met, what is known of its router
//! and of the carriers is found out anew. Lifetimes are doubted by [`Search`] itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use base::NetworkId;
use nat::path::Rung as RelayRung;
use sha2::{Digest as _, Sha256};

use super::Network;
use crate::keepalive::{Carrier, Search};
use crate::{AccountId, Lifetime, Rung, Tampering};

/// The first silence tried on UDP: the shortest mappings in the wild live 30 s.
const FIRST_UDP: Duration = Duration::from_secs(28);
/// On a stream: what breaks costs a connection, and mappings of connections live long.
const FIRST_TCP: Duration = Duration::from_secs(60);
/// Networks remembered; a person has a handful, and a train passes many.
const MOST: usize = 64;
/// Accounts whose carrier is remembered, of each network.
const MOST_ACCOUNTS: usize = 16;
/// How often a network is met until its router is given another chance.
const DOUBTED: u32 = 20;

/// What a network is known by in what is stored: half of the SHA-256 of its [`Network::identity`], so that nobody reads there
/// which Wi-Fi it was. (Not a secret: who guesses the name can check the guess.)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkKey(u128);

impl NetworkKey {
    /// Of an identity.
    pub fn of(identity: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"offhook network\0");
        hash.update(identity.as_bytes());
        let half = hash.finalize().first_chunk().copied().expect("a digest has 32 bytes");
        Self(u128::from_be_bytes(half))
    }

    /// Reads what [`Display`](fmt::Display) writes; `None`: it is something else.
    pub fn read(text: &str) -> Option<Self> {
        let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Tells where a person has been, for who can guess: not for logs.
impl fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkKey(..)")
    }
}

/// What was learnt of a network: keep it, and give it back ([`crate::Command::Remember`]) to the next phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// Which network.
    pub network: NetworkKey,
    /// How long it keeps mappings of datagrams.
    pub udp: Lifetime,
    /// And of connections.
    pub tcp: Lifetime,
    /// By what else than the usual way accounts reached their registrars; at most 16.
    pub carriers: Vec<(AccountId, Rung)>,
    /// What its router does to messages.
    pub router: BTreeSet<Tampering>,
    /// How often it was met since its router was last doubted.
    pub met: u32,
}

impl Learnt {
    /// Nothing yet.
    pub fn nothing(network: NetworkKey) -> Self {
        Self {
            network,
            udp: Lifetime::default(),
            tcp: Lifetime::default(),
            carriers: Vec::new(),
            router: BTreeSet::new(),
            met: 0,
        }
    }

    fn is_nothing(&self) -> bool {
        *self == Self { met: self.met, ..Self::nothing(self.network) }
    }
}

/// A network that is there.
#[derive(Debug)]
struct Here {
    key: Option<NetworkKey>,
    udp: Search,
    tcp: Search,
    carriers: Vec<(AccountId, Rung)>,
    router: BTreeSet<Tampering>,
    met: u32,
    /// By what a relay was reached.
    relay: Option<RelayRung>,
}

impl Here {
    fn new(key: Option<NetworkKey>) -> Self {
        Self {
            key,
            udp: Search::new(FIRST_UDP, Lifetime::default()),
            tcp: Search::new(FIRST_TCP, Lifetime::default()),
            carriers: Vec::new(),
            router: BTreeSet::new(),
            met: 0,
            relay: None,
        }
    }

    /// What was known before stands where nothing newer does.
    fn recall(&mut self, learnt: &Learnt) {
        self.udp.told(learnt.udp);
        self.tcp.told(learnt.tcp);
        for (account, rung) in learnt.carriers.iter().take(MOST_ACCOUNTS) {
            if !self.carriers.iter().any(|(known, _)| known == account) {
                self.carriers.push((*account, *rung));
            }
        }
        self.router.extend(&learnt.router);
        self.met = self.met.max(learnt.met);
    }

    fn learnt(&self) -> Option<Learnt> {
        Some(Learnt {
            network: self.key?,
            udp: self.udp.known(),
            tcp: self.tcp.known(),
            carriers: self.carriers.clone(),
            router: self.router.clone(),
            met: self.met,
        })
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Known {
    here: BTreeMap<NetworkId, Here>,
    /// The one longest not met first; it gives way.
    remembered: VecDeque<Learnt>,
    /// By what relays were reached there, in the same order.
    relays: VecDeque<(NetworkKey, RelayRung)>,
    /// What is to be told.
    news: BTreeSet<NetworkKey>,
}

impl Known {
    /// A network is there, or has other properties.
    pub(crate) fn met(&mut self, network: &Network) {
        let key = network.identity.as_ref().map(|identity| NetworkKey::of(identity.reveal()));
        let mut was_nameless = false;
        let mut here = match self.here.remove(&network.id) {
            Some(here) if here.key == key => {
                self.here.insert(network.id, here);
                return;
            }
            // Its name is told late: what was found out meanwhile is its own.
            Some(here) if here.key.is_none() => {
                was_nameless = true;
                Here { key, ..here }
            }
            Some(_) | None => Here::new(key),
        };
        if let Some(at) = self.remembered.iter().position(|it| Some(it.network) == key)
            && let Some(mut learnt) = self.remembered.remove(at)
        {
            learnt.met += 1;
            if learnt.met >= DOUBTED {
                let doubted = !learnt.carriers.is_empty() || !learnt.router.is_empty();
                learnt = Learnt { carriers: Vec::new(), router: BTreeSet::new(), met: 0, ..learnt };
                self.news.extend(key.filter(|_| doubted));
            }
            here.recall(&learnt);
            self.remembered.push_back(learnt);
        }
        let relay = key.and_then(|key| self.relays.iter().find(|(it, _)| *it == key));
        here.relay = here.relay.or(relay.map(|(_, rung)| *rung));
        let worth_telling = was_nameless && here.learnt().is_some_and(|it| !it.is_nothing());
        self.here.insert(network.id, here);
        if worth_telling {
            self.changed(network.id);
        }
    }

    /// It is gone.
    pub(crate) fn left(&mut self, network: NetworkId) {
        self.here.remove(&network);
    }

    /// Takes back what was learnt before.
    pub(crate) fn remember(&mut self, learnt: Learnt) {
        for here in self.here.values_mut().filter(|it| it.key == Some(learnt.network)) {
            here.recall(&learnt);
        }
        self.keep(learnt);
    }

    fn keep(&mut self, learnt: Learnt) {
        self.remembered.retain(|it| it.network != learnt.network);
        if self.remembered.len() >= MOST {
            self.remembered.pop_front();
        }
        self.remembered.push_back(learnt);
    }

    fn here(&mut self, network: NetworkId) -> &mut Here {
        self.here.entry(network).or_insert_with(|| Here::new(None))
    }

    /// Something of that network is new.
    fn changed(&mut self, network: NetworkId) {
        if let Some(learnt) = self.here.get(&network).and_then(Here::learnt) {
            self.news.insert(learnt.network);
            self.keep(learnt);
        }
    }

    /// What was learnt since this was asked last, one network each time.
    pub(crate) fn poll_news(&mut self) -> Option<Learnt> {
        let key = self.news.pop_first()?;
        self.remembered.iter().find(|it| it.network == key).cloned()
    }

    /// The search for how long a network keeps mappings.
    pub(crate) fn search(&mut self, network: NetworkId, carrier: Carrier) -> &mut Search {
        let here = self.here(network);
        match carrier {
            Carrier::Udp => &mut here.udp,
            Carrier::Stream => &mut here.tcp,
        }
    }

    /// What became of a silence.
    pub(crate) fn outcome(&mut self, network: NetworkId, carrier: Carrier, silence: Duration, held: bool) {
        let search = self.search(network, carrier);
        let news = if held { search.held(silence) } else { search.broke(silence) };
        if news {
            self.changed(network);
        }
    }

    /// By which way that account reached its registrar on a network, when it last did.
    pub(crate) fn carrier(&self, account: AccountId, network: NetworkId) -> Rung {
        let carriers = self.here.get(&network).map(|here| &here.carriers[..]).unwrap_or_default();
        carriers.iter().find(|(of, _)| *of == account).map_or(Rung::Usual, |(_, rung)| *rung)
    }

    /// It did so by this one.
    pub(crate) fn reached(&mut self, account: AccountId, network: NetworkId, rung: Rung) {
        if self.carrier(account, network) == rung {
            return;
        }
        let carriers = &mut self.here(network).carriers;
        carriers.retain(|(of, _)| *of != account);
        if rung != Rung::Usual {
            carriers.truncate(MOST_ACCOUNTS - 1);
            carriers.insert(0, (account, rung));
        }
        self.changed(network);
    }

    /// By what that account's relay is likely to be reached on a network: as one was the last time, or as its registrar is.
    pub(crate) fn relay(&self, account: AccountId, network: NetworkId) -> RelayRung {
        let as_registrar = || match self.carrier(account, network) {
            Rung::Usual | Rung::Port => RelayRung::Datagrams,
            Rung::Tcp => RelayRung::Stream,
            Rung::Tls | Rung::Tls443 => RelayRung::Tls,
        };
        self.here.get(&network).and_then(|here| here.relay).unwrap_or_else(as_registrar)
    }

    /// A relay was reached by this.
    pub(crate) fn relay_reached(&mut self, network: NetworkId, rung: RelayRung) {
        let here = self.here(network);
        here.relay = Some(rung);
        if let Some(key) = here.key {
            self.relays.retain(|(it, _)| *it != key);
            if self.relays.len() >= MOST {
                self.relays.pop_front();
            }
            self.relays.push_back((key, rung));
        }
    }

    /// What a network's router does to messages.
    pub(crate) fn router(&self, network: NetworkId) -> BTreeSet<Tampering> {
        self.here.get(&network).map(|here| here.router.clone()).unwrap_or_default()
    }

    /// It does this.
    pub(crate) fn router_does(&mut self, network: NetworkId, found: &BTreeSet<Tampering>) {
        let nothing = BTreeSet::new();
        if self.here.get(&network).map_or(&nothing, |here| &here.router) != found {
            self.here(network).router.clone_from(found);
            self.changed(network);
        }
    }
}

#[cfg(test)]
mod tests {
    use base::Redacted;

    use super::*;
    use crate::NetworkKind;

    const ANN: AccountId = AccountId(1);

    fn network(id: i64, identity: Option<&str>) -> Network {
        let identity = identity.map(|it| Redacted::new(it.to_owned()));
        Network { identity, ..Network::new(NetworkId::new(id), NetworkKind::Wifi, Vec::new()) }
    }

    fn silence(known: &mut Known, id: i64) -> Duration {
        known.search(NetworkId::new(id), Carrier::Udp).silence(Duration::from_secs(900))
    }

    /// Learns something of each kind.
    fn learn(known: &mut Known, id: i64) {
        known.outcome(NetworkId::new(id), Carrier::Udp, Duration::from_secs(120), true);
        known.reached(ANN, NetworkId::new(id), Rung::Tcp);
        known.router_does(NetworkId::new(id), &BTreeSet::from([Tampering::Duplicates]));
    }

    fn knows(known: &mut Known, id: i64) -> (Duration, Rung, usize) {
        let (carrier, router) = (known.carrier(ANN, NetworkId::new(id)), known.router(NetworkId::new(id)));
        (silence(known, id), carrier, router.len())
    }

    const ALL: (Duration, Rung, usize) = (Duration::from_secs(180), Rung::Tcp, 1);
    const NOTHING: (Duration, Rung, usize) = (FIRST_UDP, Rung::Usual, 0);

    #[test]
    fn a_network_that_comes_again_is_known_by_its_identity_and_a_nameless_one_is_a_stranger() {
        let mut known = Known::default();
        for (identity, wanted) in [(Some("home"), ALL), (None, NOTHING)] {
            known.met(&network(1, identity));
            learn(&mut known, 1);
            assert_eq!(knows(&mut known, 1), ALL, "{identity:?}: while it is up");
            known.met(&network(9, None));
            assert_eq!(knows(&mut known, 9), NOTHING, "{identity:?}: and no other");
            known.left(NetworkId::new(1));
            known.left(NetworkId::new(9));
            known.met(&network(2, identity));
            assert_eq!(knows(&mut known, 2), wanted, "{identity:?}");
            known.left(NetworkId::new(2));
        }
    }

    #[test]
    fn a_name_that_is_told_late_keeps_what_was_found_out_meanwhile() {
        let mut known = Known::default();
        known.met(&network(1, None));
        learn(&mut known, 1);
        assert_eq!(known.poll_news(), None, "of the nameless nothing is told");
        known.met(&network(1, Some("home")));
        assert_eq!(known.poll_news().expect("it is told").carriers, [(ANN, Rung::Tcp)]);
        known.met(&network(1, Some("work")));
        assert_eq!(knows(&mut known, 1), NOTHING);
    }

    #[test]
    fn what_one_phone_learnt_another_begins_with() {
        let mut first = Known::default();
        first.met(&network(1, Some("home")));
        learn(&mut first, 1);
        let learnt = first.poll_news().expect("it is told");
        assert_eq!(first.poll_news(), None, "once");
        let mut next = Known::default();
        next.remember(learnt);
        next.met(&network(7, Some("home")));
        assert_eq!(knows(&mut next, 7), ALL);
        assert_eq!(next.poll_news(), None, "it was told by the app itself");
        first.outcome(NetworkId::new(1), Carrier::Udp, Duration::from_secs(50), true);
        first.reached(ANN, NetworkId::new(1), Rung::Tcp);
        assert_eq!(first.poll_news(), None, "no news");
    }

    #[test]
    fn by_what_a_relay_was_reached_is_known_when_the_network_comes_again() {
        let mut known = Known::default();
        known.met(&network(1, Some("office")));
        let relay = |known: &Known, id| known.relay(ANN, NetworkId::new(id));
        assert_eq!(relay(&known, 1), RelayRung::Datagrams);
        known.reached(ANN, NetworkId::new(1), Rung::Tls443);
        assert_eq!(relay(&known, 1), RelayRung::Tls, "as signalling got through");
        known.relay_reached(NetworkId::new(1), RelayRung::Stream);
        known.left(NetworkId::new(1));
        for (id, identity, wanted) in [
            (2, Some("office"), RelayRung::Stream),
            (3, Some("home"), RelayRung::Datagrams),
            (4, None, RelayRung::Datagrams),
        ] {
            known.met(&network(id, identity));
            assert_eq!(relay(&known, id), wanted, "{identity:?}");
        }
    }

    #[test]
    fn a_thousand_networks_and_accounts_do_not_pile_up() {
        let mut known = Known::default();
        for id in 0..1000 {
            known.met(&network(id, Some(&id.to_string())));
            learn(&mut known, id);
            known.relay_reached(NetworkId::new(id), RelayRung::Stream);
            known.left(NetworkId::new(id));
            while known.poll_news().is_some() {}
        }
        assert_eq!((known.remembered.len(), known.here.len(), known.news.len()), (MOST, 0, 0));
        assert_eq!(known.relays.len(), MOST);
        known.met(&network(1, Some("999")));
        for account in 0..1000 {
            known.reached(AccountId(account), NetworkId::new(1), Rung::Tls443);
        }
        assert_eq!(known.here[&NetworkId::new(1)].carriers.len(), MOST_ACCOUNTS);
        known.reached(AccountId(999), NetworkId::new(1), Rung::Usual);
        assert_eq!(known.carrier(AccountId(999), NetworkId::new(1)), Rung::Usual);
    }

    #[test]
    fn a_router_is_given_another_chance_after_many_meetings_and_its_lifetimes_stay_known() {
        let mut known = Known::default();
        known.met(&network(1, Some("home")));
        learn(&mut known, 1);
        let mut meetings = 0;
        while known.carrier(ANN, NetworkId::new(1)) == Rung::Tcp {
            known.left(NetworkId::new(1));
            known.met(&network(1, Some("home")));
            meetings += 1;
        }
        assert_eq!((meetings, knows(&mut known, 1)), (DOUBTED, (ALL.0, Rung::Usual, 0)));
    }

    #[test]
    fn what_is_told_and_shown_does_not_say_which_network_it_was() {
        let mut known = Known::default();
        known.met(&network(1, Some("Ann's Wi-Fi")));
        learn(&mut known, 1);
        let learnt = known.poll_news().expect("it is told");
        assert!(!format!("{known:?} {learnt:?}").contains("Ann"));
        let text = learnt.network.to_string();
        assert_eq!((text.len(), NetworkKey::read(&text)), (32, Some(learnt.network)));
        assert_eq!(NetworkKey::read("+1234567890123456789012345678901"), None);
        assert_ne!(NetworkKey::of("a"), NetworkKey::of("b"));
    }
}
