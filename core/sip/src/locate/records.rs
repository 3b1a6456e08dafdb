//! What name servers are asked and say. RFC 3403 (NAPTR), RFC 2782 (SRV), RFC 1035 and 3596 (addresses).
//!
//! Knows no DNS packet: the resolver does.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use base::{Rng, Transport};

/// A question to the name servers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Which services a domain has.
    Naptr(String),
    /// Which hosts give a service, `_sip._udp.example.com`.
    Srv(String),
    /// A host's IPv4 addresses.
    A(String),
    /// A host's IPv6 addresses.
    Aaaa(String),
}

/// A domain may name its user: only the kind is shown.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Naptr(_) => "NAPTR",
            Self::Srv(_) => "SRV",
            Self::A(_) => "A",
            Self::Aaaa(_) => "AAAA",
        })
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Records; those of another kind than was asked for are ignored.
    Records(Vec<Record>),
    /// There is no such name, or no such record at it.
    NotFound,
    /// No name server gave an answer.
    Failed,
}

/// One record. Names are without the trailing dot, except the root itself (`.` or empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A service of a domain.
    Naptr {
        /// Lowest first, strictly.
        order: u16,
        /// Lowest first among equal orders.
        preference: u16,
        /// `s`: the replacement names an SRV record; `a`: a host.
        flags: String,
        /// `SIP+D2U`, `SIPS+D2T`, ...
        service: String,
        /// Empty for SIP; a record with one is ignored.
        regexp: String,
        /// The name to ask for next.
        replacement: String,
    },
    /// A host that gives a service.
    Srv {
        /// Lowest first.
        priority: u16,
        /// Share among equal priorities.
        weight: u16,
        /// Its port.
        port: u16,
        /// Its name; the root means that the service is decidedly not offered.
        target: String,
    },
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
}

/// A host named by an SRV record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) host: String,
    pub(super) port: u16,
}

/// SRV records in the order to try them: by priority, and by lot within one. RFC 2782, "Usage rules".
pub(super) fn by_lot(records: Vec<Record>, rng: &mut Rng) -> Vec<Service> {
    let mut all: Vec<(u16, u16, Service)> = records
        .into_iter()
        .filter_map(|r| match r {
            Record::Srv { priority, weight, port, target } => {
                Some((priority, weight, Service { host: without_dot(target), port }))
            }
            Record::Naptr { .. } | Record::A(_) | Record::Aaaa(_) => None,
        })
        .filter(|(_, _, s)| !s.host.is_empty())
        .collect();
    // Weight 0 stands first, so that it is drawn only when the lot is exactly 0.
    all.sort_by_key(|(priority, weight, _)| (*priority, *weight));
    let mut ordered = Vec::with_capacity(all.len());
    while let Some((priority, ..)) = all.first() {
        let equals = all.iter().take_while(|(p, ..)| p == priority).count();
        let sum: u64 = all[..equals].iter().map(|(_, w, _)| u64::from(*w)).sum();
        let mut lot = rng.below(sum + 1);
        let drawn = all[..equals].iter().position(|(_, weight, _)| {
            let hit = u64::from(*weight) >= lot;
            lot = lot.saturating_sub(u64::from(*weight));
            hit
        });
        ordered.push(all.remove(drawn.unwrap_or(0)).2);
    }
    ordered
}

/// What a NAPTR record leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leads {
    ToService(String),
    ToHost(String),
}

/// The usable NAPTR records in order. RFC 3263 section 4.1.
pub(super) fn by_preference(
    records: Vec<Record>,
    usable: impl Fn(Transport) -> bool,
) -> Vec<(Transport, Leads)> {
    let mut all: Vec<(u16, u16, Transport, Leads)> = records
        .into_iter()
        .filter_map(|r| match r {
            Record::Naptr { order, preference, flags, service, regexp, replacement } => {
                let transport = transport_of(&service).filter(|t| usable(*t) && regexp.is_empty())?;
                let name = without_dot(replacement);
                let leads = match flags.as_str() {
                    "s" | "S" => Leads::ToService(name),
                    "a" | "A" => Leads::ToHost(name),
                    _ => return None,
                };
                Some((order, preference, transport, leads))
            }
            Record::Srv { .. } | Record::A(_) | Record::Aaaa(_) => None,
        })
        .collect();
    all.sort_by_key(|(order, preference, ..)| (*order, *preference));
    all.into_iter().map(|(_, _, transport, leads)| (transport, leads)).collect()
}

/// RFC 3263 section 4.1, RFC 7118 section 7.
fn transport_of(service: &str) -> Option<Transport> {
    const SERVICES: [(&str, Transport); 5] = [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
        ("SIP+D2W", Transport::Ws),
        ("SIPS+D2W", Transport::Wss),
    ];
    SERVICES.iter().find(|(word, _)| service.eq_ignore_ascii_case(word)).map(|(_, t)| *t)
}

fn without_dot(mut name: String) -> String {
    if name.ends_with('.') {
        name.pop();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Record {
        Record::Srv { priority, weight, port: 5060, target: target.into() }
    }

    /// RFC 2782: priority is strict, and weight is a share.
    #[test]
    fn a_heavier_host_is_drawn_first_in_proportion_and_a_lower_priority_never() {
        let mut rng = Rng::from_number(1);
        let (mut heavy, mut weightless) = (0, 0);
        for _ in 0..1000 {
            let drawn = by_lot(
                vec![srv(20, 9, "spare"), srv(10, 3, "heavy"), srv(10, 1, "light"), srv(10, 0, "none")],
                &mut rng,
            );
            assert_eq!((drawn.len(), drawn[3].host.as_str()), (4, "spare"));
            heavy += usize::from(drawn[0].host == "heavy");
            weightless += usize::from(drawn[0].host == "none");
        }
        assert!((550..650).contains(&heavy), "3 of 5 lots: {heavy}");
        assert!((150..250).contains(&weightless), "lot 0 of 0..=4: {weightless}");
    }

    #[test]
    fn the_root_as_target_is_no_host() {
        assert_eq!(by_lot(vec![srv(0, 0, ".")], &mut Rng::from_number(1)), []);
    }

    #[test]
    fn services_that_are_not_sip_or_not_usable_are_left_out() {
        let naptr = |order, service: &str, flags: &str| Record::Naptr {
            order,
            preference: 50,
            flags: flags.into(),
            service: service.into(),
            regexp: String::new(),
            replacement: format!("{service}.example.com."),
        };
        let records = vec![
            naptr(100, "SIP+D2U", "s"),
            naptr(90, "sip+d2t", "S"),
            naptr(50, "SIPS+D2T", "s"),
            naptr(10, "E2U+sip", "u"),
            naptr(20, "SIP+D2S", "s"),
        ];
        let led = by_preference(records, |t| t != Transport::Tls);
        assert_eq!(
            led,
            [
                (Transport::Tcp, Leads::ToService("sip+d2t.example.com".into())),
                (Transport::Udp, Leads::ToService("SIP+D2U.example.com".into())),
            ]
        );
    }
}
