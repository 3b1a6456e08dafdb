//! Which IP families each network gives us, and how IPv4 is reached by those that give none.
//!
//! RFC 7050 section 3 (the prefix is asked for when the network comes, and again now and then), RFC 6052 (addresses under it),
//! RFC 6877 and RFC 7335 (464XLAT: an IPv4 address that our own device makes of IPv6). A network whose only IPv4 address is
//! such a one counts as one without IPv4 as soon as its prefix is known: what goes by IPv6 at once is not translated twice,
//! and nobody is told an address that means nothing to him.
//!
//! Addresses are translated at three doors, and nowhere else: a server's by the locator, which is told how
//! ([`Reach::direct`]); a helper's (STUN, TURN) and the other side's media when they are handed to a stream. Knows nothing of
//! accounts or calls.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::nat64::{self, Prefix64};
use base::{Instant, NetworkId, QueryId};
use media::Plan;
use nat::Candidate;
use nat::path::Description;
use sip::locate::{Answer, Question, Record, Translator};
use sip::order::{Order, Orders};

/// Questions of ours have all of these bits; those of other askers never get so far.
const OURS: u32 = 0xffff_ff00;
/// How old a prefix may be before it is asked for again, by whoever is awake anyway.
const OLD: Duration = Duration::from_secs(3600);

/// What is known of all networks.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    told: BTreeMap<NetworkId, Reach>,
    questions: u32,
}

impl Addresses {
    /// A network gives us these addresses; `told`: the prefix, where the platform has it from a router (RFC 8781).
    pub(crate) fn network(
        &mut self,
        network: NetworkId,
        addrs: &[IpAddr],
        told: Option<Prefix64>,
        now: Instant,
        out: &mut Orders,
    ) {
        if self.told.get(&network).is_some_and(|known| known.given == addrs && known.told == told) {
            return;
        }
        let reach = Reach::of(addrs, told);
        let asks = !reach.ipv4 && told.is_none();
        self.told.insert(network, reach);
        if asks {
            self.ask(network, now, out);
        }
    }

    /// A network is no more.
    pub(crate) fn gone(&mut self, network: NetworkId) {
        self.told.remove(&network);
    }

    /// Asks again, where an answer is old.
    pub(crate) fn refresh(&mut self, now: Instant, out: &mut Orders) {
        let old = |it: &Reach| it.asked.is_none() && it.at.is_some_and(|at| now.since(at) >= OLD);
        let due: Vec<NetworkId> = self.told.iter().filter(|(_, it)| old(it)).map(|(id, _)| *id).collect();
        for network in due {
            self.ask(network, now, out);
        }
    }

    fn ask(&mut self, network: NetworkId, now: Instant, out: &mut Orders) {
        let Some(reach) = self.told.get_mut(&network) else { return };
        self.questions = self.questions.wrapping_add(1);
        let query = QueryId(OURS | self.questions & !OURS);
        (reach.asked, reach.at) = (Some(query), Some(now));
        out.push(Order::Resolve { network, query, question: Question::Aaaa(nat64::NAME.into()) });
    }

    /// Whether a question was ours.
    pub(crate) const fn asked(query: QueryId) -> bool {
        query.0 & OURS == OURS
    }

    /// The name servers answered: of which network more is known now. Silence changes nothing that was known.
    pub(crate) fn found(&mut self, query: QueryId, answer: &Answer) -> Option<NetworkId> {
        let (network, reach) = self.told.iter_mut().find(|(_, it)| it.asked == Some(query))?;
        reach.found(answer).then_some(*network)
    }

    /// How a network reaches others; of one that was not told of, nothing is known and both families are tried.
    pub(crate) fn on(&self, network: NetworkId) -> &Reach {
        self.told.get(&network).unwrap_or(&UNKNOWN)
    }
}

/// What is known of one network.
#[derive(Debug)]
pub(crate) struct Reach {
    /// It gave us an IPv4 address of its own.
    ipv4: bool,
    /// Our device makes IPv4 of IPv6 by itself.
    clat: bool,
    prefix: Option<Prefix64>,
    asked: Option<QueryId>,
    /// When the prefix was asked for; `None`: it was not, for it is not needed or was told.
    at: Option<Instant>,
    /// What we were told of it.
    given: Vec<IpAddr>,
    told: Option<Prefix64>,
}

static UNKNOWN: Reach =
    Reach { ipv4: true, clat: false, prefix: None, asked: None, at: None, given: Vec::new(), told: None };

impl Reach {
    fn of(addrs: &[IpAddr], told: Option<Prefix64>) -> Self {
        let counts = |ip: &&IpAddr| match ip {
            IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_unspecified(),
            IpAddr::V6(ip) => !ip.is_unicast_link_local() && !ip.is_unspecified() && !ip.is_loopback(),
        };
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addrs.iter().filter(counts).partition(|ip| ip.is_ipv4());
        Self {
            // Without an IPv6 address there is nothing to translate with, whatever else was told.
            ipv4: v6.is_empty() || v4.iter().any(|ip| !nat64::is_clat(*ip)),
            clat: v4.iter().any(|ip| nat64::is_clat(*ip)),
            prefix: told,
            asked: None,
            at: None,
            given: addrs.to_vec(),
            told,
        }
    }

    /// Whether the answer changes anything.
    fn found(&mut self, answer: &Answer) -> bool {
        let before = self.direct();
        self.asked = None;
        let records = match answer {
            Answer::Records(records) => &records[..],
            Answer::NotFound => &[],
            Answer::Failed if self.prefix.is_some() => return false,
            Answer::Failed => &[],
        };
        let told = records.iter().filter_map(|record| match record {
            Record::Aaaa(ip) => Some(*ip),
            Record::A(_) | Record::Srv { .. } | Record::Naptr { .. } => None,
        });
        self.prefix = nat64::prefixes(told).first().copied();
        before != self.direct()
    }

    /// Whether IPv4 is reached directly, and how else: for the locator.
    pub(crate) fn direct(&self) -> (bool, Translator) {
        let translator = match self.prefix {
            _ if self.ipv4 => Translator::None,
            Some(prefix) => Translator::Prefix(prefix),
            None => Translator::Unknown,
        };
        // An IPv4 of our own making is better than none.
        let own = self.clat && self.prefix.is_none() && self.asked.is_none();
        if own { (true, Translator::None) } else { (self.ipv4, translator) }
    }

    fn translates(&self) -> Option<Prefix64> {
        self.prefix.filter(|_| !self.ipv4)
    }

    /// Whether there is an address of ours of that one's family; of a network that says nothing of itself, both are tried.
    pub(crate) fn has_family_of(&self, ip: IpAddr) -> bool {
        self.given.is_empty() || self.given.iter().any(|own| own.is_ipv4() == ip.is_ipv4())
    }

    /// Where to send in order to reach that address from here.
    pub(crate) fn toward(&self, ip: IpAddr) -> IpAddr {
        self.translates().and_then(|prefix| prefix.toward(ip)).unwrap_or(ip)
    }

    /// The same with a port.
    pub(crate) fn endpoint(&self, address: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.toward(address.ip()), address.port())
    }

    /// A plan whose addresses are reached from `local`: a description names IPv4 literals, and nobody looks those up.
    pub(crate) fn plan(&self, local: Option<SocketAddr>, plan: Plan) -> Plan {
        if local.is_some_and(|local| local.is_ipv4()) {
            return plan;
        }
        let translated = |address: SocketAddr| self.endpoint(address);
        Plan { remote: plan.remote.map(translated), remote_rtcp: plan.remote_rtcp.map(translated), ..plan }
    }

    /// Candidates of theirs, and again as they are reached from `local`: a relay of ours still needs those of IPv4 as they are.
    pub(crate) fn theirs(&self, local: Option<SocketAddr>, theirs: &Description) -> Description {
        let mut theirs = theirs.clone();
        if local.is_some_and(|local| local.is_ipv6()) {
            let reached = theirs.candidates.iter().filter_map(|candidate| {
                let address = self.endpoint(candidate.address);
                (address != candidate.address).then(|| Candidate { address, ..candidate.clone() })
            });
            // First, for so many are taken and no more.
            theirs.candidates = reached.chain(theirs.candidates.clone()).collect();
        }
        theirs
    }
}

/// Our candidates without those of a CLAT, unless there are no others: they mean nothing to anybody else. RFC 7335 section 2.
pub(crate) fn tellable(mut ours: Description) -> Description {
    if ours.candidates.iter().any(|candidate| !nat64::is_clat(candidate.address.ip())) {
        ours.candidates.retain(|candidate| !nat64::is_clat(candidate.address.ip()));
        // Nor does what they were found by.
        for candidate in &mut ours.candidates {
            candidate.related = candidate.related.filter(|related| !nat64::is_clat(related.ip()));
        }
    }
    ours
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use nat::ice::Credentials;
    use nat::{Carrier, Kind};

    use super::*;

    const HERE: NetworkId = NetworkId::SYSTEM;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn on(addrs: &[&str], out: &mut Orders) -> Addresses {
        let mut it = Addresses::default();
        it.network(HERE, &ips(addrs), None, Instant::ZERO, out);
        it
    }

    /// The answer to the only question in `out`.
    fn answer(it: &mut Addresses, out: &mut Orders, records: &[&str]) -> bool {
        let Some(Order::Resolve { query, question, .. }) = out.pop() else { panic!("a question") };
        assert!(question == Question::Aaaa("ipv4only.arpa".into()) && Addresses::asked(query));
        let records = records.iter().map(|text| Record::Aaaa(text.parse().unwrap())).collect();
        it.found(query, &Answer::Records(records)).is_some()
    }

    #[test]
    fn only_a_network_without_ipv4_of_its_own_is_asked_for_its_prefix() {
        for (addrs, asked) in [
            (&["192.0.2.5"][..], false),
            (&["192.0.2.5", "2001:db8::5"], false),
            (&[], false),
            (&["fe80::1"], false),
            (&["2001:db8::5"], true),
            (&["2001:db8::5", "169.254.3.4"], true),
            (&["2001:db8::5", "192.0.0.4"], true),
        ] {
            let mut out = Orders::new();
            let it = on(addrs, &mut out);
            assert_eq!(out.len(), usize::from(asked), "{addrs:?}");
            assert_eq!(it.on(HERE).direct() == (true, Translator::None), !asked, "{addrs:?}");
        }
    }

    #[test]
    fn what_is_ipv4_is_reached_under_the_prefix_and_what_is_ipv6_as_it_is() {
        let mut out = Orders::new();
        let mut it = on(&["2001:db8::5"], &mut out);
        assert_eq!(it.on(HERE).endpoint(at("192.0.2.7:9")), at("192.0.2.7:9"), "nothing is known yet");
        assert!(answer(&mut it, &mut out, &["2001:db8:64::c000:aa"]));
        assert_eq!(it.on(HERE).endpoint(at("192.0.2.7:9")), at("[2001:db8:64::c000:207]:9"));
        assert_eq!(it.on(HERE).endpoint(at("[2001:db8::7]:9")), at("[2001:db8::7]:9"));
        let mut plan = Plan::of(0, media::Codec::Pcmu);
        (plan.remote, plan.remote_rtcp) = (Some(at("192.0.2.7:4000")), Some(at("192.0.2.7:4001")));
        let theirs = it.on(HERE).plan(Some(at("[2001:db8::5]:4000")), plan.clone());
        assert_eq!(theirs.remote, Some(at("[2001:db8:64::c000:207]:4000")));
        assert_eq!(theirs.remote_rtcp, Some(at("[2001:db8:64::c000:207]:4001")));
        assert_eq!(it.on(HERE).plan(Some(at("192.0.0.4:4000")), plan.clone()), plan, "the socket is IPv4");
    }

    #[test]
    fn a_clat_is_used_where_there_is_no_prefix_and_passed_over_where_there_is() {
        let mut out = Orders::new();
        let mut it = on(&["2001:db8::5", "192.0.0.4"], &mut out);
        assert_eq!(it.on(HERE).direct(), (false, Translator::Unknown), "until the answer is here");
        assert!(answer(&mut it, &mut out, &[]));
        assert_eq!(it.on(HERE).direct(), (true, Translator::None));
        assert_eq!(it.on(HERE).toward([192, 0, 2, 7].into()), IpAddr::from([192, 0, 2, 7]));
        let mut it = on(&["2001:db8::5", "192.0.0.4"], &mut out);
        answer(&mut it, &mut out, &["64:ff9b::c000:aa"]);
        assert_eq!(it.on(HERE).direct(), (false, Translator::Prefix(Prefix64::WELL_KNOWN)));
    }

    #[test]
    fn the_prefix_is_asked_for_again_after_an_hour_and_outlives_a_silent_name_server() {
        let mut out = Orders::new();
        let mut it = on(&["2001:db8::5"], &mut out);
        answer(&mut it, &mut out, &["2001:db8:64::c000:aa"]);
        it.refresh(Instant::ZERO + Duration::from_secs(3599), &mut out);
        assert!(out.is_empty());
        it.refresh(Instant::ZERO + OLD, &mut out);
        let Some(Order::Resolve { query, .. }) = out.pop() else { panic!("a question") };
        assert_eq!(it.found(query, &Answer::Failed), None);
        assert_ne!(it.on(HERE).translates(), None);
        it.refresh(Instant::ZERO + OLD * 2, &mut out);
        assert!(answer(&mut it, &mut out, &["2001:db8:65::c000:aa"]), "another one");
        // What the platform has been told needs no question.
        it.network(HERE, &ips(&["2001:db8::5"]), Some(Prefix64::WELL_KNOWN), Instant::ZERO, &mut out);
        assert!(out.is_empty() && it.on(HERE).translates() == Some(Prefix64::WELL_KNOWN));
    }

    #[test]
    fn candidates_of_theirs_are_translated_and_a_clats_of_ours_not_told() {
        let candidate = |kind, address: &str, base: &str| {
            Candidate::ours(kind, Carrier::Udp, 1, at(address), at(base), 100)
        };
        let description = |candidates| Description {
            credentials: Credentials::draw(&mut Rng::from_number(1)),
            candidates,
            lite: false,
            trickle: false,
        };
        let mut out = Orders::new();
        let mut it = on(&["2001:db8::5"], &mut out);
        answer(&mut it, &mut out, &["2001:db8:64::c000:aa"]);
        let host = candidate(Kind::Host, "192.0.2.7:4000", "192.0.2.7:4000");
        let theirs = it.on(HERE).theirs(Some(at("[2001:db8::5]:4000")), &description(vec![host]));
        let addresses: Vec<_> = theirs.candidates.iter().map(|it| it.address).collect();
        assert_eq!(
            addresses,
            [at("[2001:db8:64::c000:207]:4000"), at("192.0.2.7:4000")],
            "a relay's peer, too"
        );
        let clat = candidate(Kind::Host, "192.0.0.4:4000", "192.0.0.4:4000");
        let outside = candidate(Kind::ServerReflexive, "198.51.100.9:61000", "192.0.0.4:4000");
        let told = tellable(description(vec![clat.clone(), outside]));
        assert_eq!(told.candidates.len(), 1);
        assert_eq!((told.candidates[0].kind, told.candidates[0].related), (Kind::ServerReflexive, None));
        assert_eq!(tellable(description(vec![clat.clone()])).candidates, [clat], "better than none");
    }
}
