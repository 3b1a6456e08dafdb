//! What is known of every network that the device is on, and of those that it comes back to.
//!
//! Knows a network by its id while it is there, and by its identity when it comes again; one without an identity is
//! a stranger each time.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{NetworkId, Redacted};

use super::{Learnt, Lifetime, Search};
use crate::Network;

/// The first silence tried on UDP: the shortest mappings in the wild live 30 s.
const FIRST_UDP: Duration = Duration::from_secs(28);
/// On a stream: what breaks costs a connection, and mappings of connections live long.
const FIRST_TCP: Duration = Duration::from_secs(60);
/// Networks remembered; a person has a handful, and a train passes many.
const MOST: usize = 64;

/// What carries the packets of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Udp,
    Stream,
}

#[derive(Debug)]
struct Here {
    identity: Option<Redacted<String>>,
    udp: Search,
    tcp: Search,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lifetimes {
    here: BTreeMap<NetworkId, Here>,
    /// By identity; the one longest not met gives way.
    remembered: Vec<Learnt>,
}

impl Lifetimes {
    /// A network is there.
    pub(crate) fn met(&mut self, network: &Network) {
        let known = self.here.get(&network.id);
        if known.is_some_and(|here| same(here.identity.as_ref(), network.identity.as_ref())) {
            return;
        }
        let at = self.remembered.iter().position(|it| same(Some(&it.identity), network.identity.as_ref()));
        let known = at.map(|at| self.remembered.remove(at));
        let lifetime = |of: fn(&Learnt) -> Lifetime| known.as_ref().map(of).unwrap_or_default();
        let here = Here {
            identity: network.identity.clone(),
            udp: Search::new(FIRST_UDP, lifetime(|it| it.udp)),
            tcp: Search::new(FIRST_TCP, lifetime(|it| it.tcp)),
        };
        self.here.insert(network.id, here);
        self.remembered.extend(known);
    }

    /// It is gone.
    pub(crate) fn left(&mut self, network: NetworkId) {
        self.here.remove(&network);
    }

    /// Takes back what was learnt before.
    pub(crate) fn remember(&mut self, learnt: Learnt) {
        for here in self.here.values_mut().filter(|it| same(it.identity.as_ref(), Some(&learnt.identity))) {
            for (search, lifetime) in [(&mut here.udp, learnt.udp), (&mut here.tcp, learnt.tcp)] {
                search.told(lifetime);
            }
        }
        self.remembered.retain(|it| !same(Some(&it.identity), Some(&learnt.identity)));
        if self.remembered.len() >= MOST {
            self.remembered.remove(0);
        }
        self.remembered.push(learnt);
    }

    /// The search on a network.
    pub(crate) fn search(&mut self, network: NetworkId, carrier: Carrier) -> &mut Search {
        let here = self.here.entry(network).or_insert_with(|| Here {
            identity: None,
            udp: Search::new(FIRST_UDP, Lifetime::default()),
            tcp: Search::new(FIRST_TCP, Lifetime::default()),
        });
        match carrier {
            Carrier::Udp => &mut here.udp,
            Carrier::Stream => &mut here.tcp,
        }
    }

    /// What became of a silence; what is to be told of it.
    pub(crate) fn outcome(
        &mut self,
        network: NetworkId,
        carrier: Carrier,
        silence: Duration,
        held: bool,
    ) -> Option<Learnt> {
        let search = self.search(network, carrier);
        let news = if held { search.held(silence) } else { search.broke(silence) };
        let here = self.here.get(&network).filter(|_| news)?;
        let (udp, tcp) = (here.udp.known(), here.tcp.known());
        let learnt = Learnt { identity: here.identity.clone()?, udp, tcp };
        self.remember(learnt.clone());
        Some(learnt)
    }
}

fn same(one: Option<&Redacted<String>>, other: Option<&Redacted<String>>) -> bool {
    one.map(Redacted::reveal) == other.map(Redacted::reveal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NetworkKind;

    fn network(id: i64, identity: Option<&str>) -> Network {
        let identity = identity.map(|it| Redacted::new(it.to_owned()));
        Network { identity, ..Network::new(NetworkId::new(id), NetworkKind::Wifi, Vec::new()) }
    }

    fn silence(lifetimes: &mut Lifetimes, id: i64) -> Duration {
        lifetimes.search(NetworkId::new(id), Carrier::Udp).silence(Duration::from_secs(900))
    }

    #[test]
    fn a_network_that_comes_again_is_known_by_its_identity_and_a_nameless_one_is_a_stranger() {
        let mut lifetimes = Lifetimes::default();
        for identity in [Some("home"), None] {
            lifetimes.met(&network(1, identity));
            lifetimes.outcome(NetworkId::new(1), Carrier::Udp, Duration::from_secs(120), true);
            lifetimes.left(NetworkId::new(1));
            lifetimes.met(&network(2, identity));
            let wanted = if identity.is_some() { 180 } else { 28 };
            assert_eq!(silence(&mut lifetimes, 2), Duration::from_secs(wanted), "{identity:?}");
            lifetimes.left(NetworkId::new(2));
        }
    }

    #[test]
    fn what_one_phone_learnt_another_begins_with() {
        let mut first = Lifetimes::default();
        first.met(&network(1, Some("home")));
        let learnt = first.outcome(NetworkId::new(1), Carrier::Udp, Duration::from_secs(60), true);
        let mut next = Lifetimes::default();
        next.remember(learnt.expect("it is told"));
        next.met(&network(7, Some("home")));
        assert_eq!(silence(&mut next, 7), Duration::from_secs(90));
        assert_eq!(
            first.outcome(NetworkId::new(1), Carrier::Udp, Duration::from_secs(50), true),
            None,
            "no news"
        );
    }

    #[test]
    fn a_thousand_networks_do_not_pile_up() {
        let mut lifetimes = Lifetimes::default();
        for id in 0..1000 {
            lifetimes.met(&network(id, Some(&id.to_string())));
            lifetimes.outcome(NetworkId::new(id), Carrier::Stream, Duration::from_secs(60), true);
            lifetimes.left(NetworkId::new(id));
        }
        assert_eq!((lifetimes.remembered.len(), lifetimes.here.len()), (MOST, 0));
    }
}
