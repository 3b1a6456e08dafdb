//! Where accounts' servers beside SIP's are: their names looked up when an account comes and when the network changes, so
//! that a call need not wait for a name server.
//!
//! RFC 8489 section 8 asks for SRV records; a server with a port needs none, and ours always have one. Knows nothing of what
//! the servers do.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use base::{NetworkId, QueryId};
use sip::locate::{Answer, Question, Record};
use sip::order::{Order, Orders};

use crate::Server;

/// Questions of ours have this bit; those of the locator below count up from 1.
const OURS: u32 = 1 << 31;
/// Names that are kept; nobody has so many accounts.
const MOST: usize = 64;

/// What is known.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    addresses: BTreeMap<String, Vec<IpAddr>>,
    asked: BTreeMap<QueryId, String>,
    last: u32,
}

impl Servers {
    /// Whether a question was ours.
    pub(crate) const fn asked(query: QueryId) -> bool {
        query.0 & OURS != 0
    }

    /// Looks these up by a network, again if they were before.
    pub(crate) fn look_up<'a>(
        &mut self,
        network: NetworkId,
        servers: impl IntoIterator<Item = &'a Server>,
        out: &mut Orders,
    ) {
        for server in servers {
            if ip(server).is_some() || self.asked.len() >= MOST {
                continue;
            }
            for question in [Question::A(server.host.clone()), Question::Aaaa(server.host.clone())] {
                self.last = (self.last + 1) & !OURS;
                let query = QueryId(self.last | OURS);
                self.asked.insert(query, server.host.clone());
                out.push(Order::Resolve { network, query, question });
            }
        }
    }

    /// The name servers answered. A name that is not found any more keeps what it had.
    pub(crate) fn found(&mut self, query: QueryId, answer: &Answer) {
        let Some(host) = self.asked.remove(&query) else { return };
        let Answer::Records(records) = answer else { return };
        let found = records.iter().filter_map(|record| match record {
            Record::A(ip) => Some(IpAddr::V4(*ip)),
            Record::Aaaa(ip) => Some(IpAddr::V6(*ip)),
            Record::Srv { .. } | Record::Naptr { .. } => None,
        });
        let found: Vec<IpAddr> = found.take(4).collect();
        let Some(first) = found.first() else { return };
        if self.addresses.len() < MOST || self.addresses.contains_key(&host) {
            let known = self.addresses.entry(host).or_default();
            known.retain(|ip| ip.is_ipv4() != first.is_ipv4());
            known.extend(found);
        }
    }

    /// The addresses of one, as far as they are known.
    pub(crate) fn of(&self, server: &Server) -> Vec<SocketAddr> {
        let known = || self.addresses.get(&server.host).cloned().unwrap_or_default();
        let ips = ip(server).map_or_else(known, |ip| vec![ip]);
        ips.into_iter().map(|ip| SocketAddr::new(ip, server.port)).collect()
    }
}

fn ip(server: &Server) -> Option<IpAddr> {
    server.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(host: &str) -> Server {
        Server { host: host.into(), port: 3478 }
    }

    #[test]
    fn an_address_needs_no_question_and_a_name_two() {
        let (mut servers, mut out) = (Servers::default(), Orders::new());
        servers.look_up(NetworkId::SYSTEM, [&server("192.0.2.1"), &server("[2001:db8::1]")], &mut out);
        assert!(out.is_empty());
        assert_eq!(servers.of(&server("[2001:db8::1]")), ["[2001:db8::1]:3478".parse().unwrap()]);
        servers.look_up(NetworkId::SYSTEM, [&server("stun.example.com")], &mut out);
        assert_eq!(out.len(), 2);
        assert!(servers.of(&server("stun.example.com")).is_empty());
        for order in out {
            let Order::Resolve { query, question, .. } = order else { panic!("a question") };
            assert!(Servers::asked(query));
            let answer = match question {
                Question::A(_) => Answer::Records(vec![Record::A([192, 0, 2, 9].into())]),
                _ => Answer::NotFound,
            };
            servers.found(query, &answer);
        }
        assert_eq!(servers.of(&server("stun.example.com")), ["192.0.2.9:3478".parse().unwrap()]);
    }
}
