//! A candidate: an address that one side may be reached at, and its line in a description.
//!
//! RFC 8445 section 5.1, RFC 8839 section 5.1 (the grammar), RFC 6544 section 4.5 (`tcptype`). Knows no description: the line is
//! what stands behind `a=candidate:`. Names instead of addresses are not looked up: a `.local` one (mDNS) says nothing
//! outside its own network, and any other would tell name servers whom we call.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// The longest line read.
const MAX_LINE: usize = 512;

/// How an address was found. RFC 8445 section 5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Of an interface of the host's own.
    Host,
    /// As a STUN server sees it.
    ServerReflexive,
    /// As the other side sees it.
    PeerReflexive,
    /// At a TURN server.
    Relayed,
}

impl Kind {
    /// The word behind `typ`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }
}

/// Who opens a stream. RFC 6544 section 4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TcpType {
    /// We connect; the port says nothing (9).
    Active,
    /// We listen.
    Passive,
    /// Both at once, from one port.
    SimultaneousOpen,
}

impl TcpType {
    const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        }
    }
}

/// What carries the media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// Datagrams.
    Udp,
    /// A stream, framed by RFC 4571.
    Tcp(TcpType),
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Alike for candidates that stand or fall together: 1 to 32 letters, digits, `+` or `/`.
    pub foundation: String,
    /// 1: RTP, 2: RTCP.
    pub component: u16,
    /// What carries it.
    pub carrier: Carrier,
    /// The higher, the sooner tried.
    pub priority: u32,
    /// Where.
    pub address: SocketAddr,
    /// How it was found.
    pub kind: Kind,
    /// What it was derived from; for diagnostics alone, and not told: it is the inside of a house, and long.
    pub related: Option<SocketAddr>,
}

/// Priority of its kind, 0..=126. RFC 8445 section 5.1.2.2; those of streams stand below all datagrams but the relayed, so that
/// nothing is relayed that can be punched (RFC 6544 section 4.2).
const fn preference(kind: Kind, carrier: Carrier) -> u32 {
    match (carrier, kind) {
        (Carrier::Udp, Kind::Host) => 126,
        (Carrier::Udp, Kind::PeerReflexive) => 110,
        (Carrier::Udp, Kind::ServerReflexive) => 100,
        (Carrier::Tcp(_), Kind::Host) => 90,
        (Carrier::Tcp(_), Kind::PeerReflexive) => 80,
        (Carrier::Tcp(_), Kind::ServerReflexive) => 70,
        (Carrier::Udp, Kind::Relayed) => 10,
        (Carrier::Tcp(_), Kind::Relayed) => 0,
    }
}

impl Candidate {
    /// One of ours. `local`: 0..=8191, the higher the better among its kind (a network that is liked more, IPv6 first).
    pub fn ours(
        kind: Kind,
        carrier: Carrier,
        component: u16,
        address: SocketAddr,
        base: SocketAddr,
        local: u16,
    ) -> Self {
        // RFC 6544 section 4.2: the direction counts before all else.
        let direction = match (carrier, kind) {
            (Carrier::Udp, _) => 7,
            (Carrier::Tcp(TcpType::Active), Kind::Host | Kind::Relayed) => 6,
            (Carrier::Tcp(TcpType::Passive), Kind::Host | Kind::Relayed) => 4,
            (Carrier::Tcp(TcpType::SimultaneousOpen), Kind::Host | Kind::Relayed) => 2,
            (Carrier::Tcp(TcpType::SimultaneousOpen), _) => 6,
            (Carrier::Tcp(TcpType::Active), _) => 4,
            (Carrier::Tcp(TcpType::Passive), _) => 2,
        };
        let local = direction << 13 | u32::from(local.min(8191));
        let priority = preference(kind, carrier) << 24 | local << 8 | (256 - u32::from(component.min(256)));
        Self {
            foundation: foundation(kind, carrier, base.ip()),
            component,
            carrier,
            priority,
            address,
            kind,
            related: (kind != Kind::Host).then_some(base),
        }
    }

    /// The priority that a check from its base tells of a candidate that the other side learns by it. RFC 8445 section 7.1.1.
    pub fn reflexive_priority(&self) -> u32 {
        preference(Kind::PeerReflexive, self.carrier) << 24 | self.priority & 0x00ff_ffff
    }
}

/// The same for the same kind, carrier and base address. RFC 8445 section 5.1.1.3.
fn foundation(kind: Kind, carrier: Carrier, base: IpAddr) -> String {
    let octets = match base {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let kind = [kind as u8, u8::from(carrier != Carrier::Udp)];
    // FNV-1a: it must only differ where they do, in few letters.
    let hash = kind
        .iter()
        .chain(&octets)
        .fold(0x811c_9dc5_u32, |hash, octet| (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193));
    format!("{:x}", hash >> 20)
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, carrier, priority, address, kind, related } = self;
        let word = if *carrier == Carrier::Udp { "UDP" } else { "TCP" };
        let (ip, port, kind) = (address.ip(), address.port(), kind.word());
        write!(f, "{foundation} {component} {word} {priority} {ip} {port} typ {kind}")?;
        // RFC 8839 section 5.1: so written where it is not to be known.
        match related {
            Some(SocketAddr::V4(_)) => f.write_str(" raddr 0.0.0.0 rport 9")?,
            Some(SocketAddr::V6(_)) => f.write_str(" raddr :: rport 9")?,
            None => {}
        }
        if let Carrier::Tcp(tcptype) = carrier {
            write!(f, " tcptype {}", tcptype.word())?;
        }
        Ok(())
    }
}

/// Why a line is no candidate of use: count it and go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCandidate {
    /// It does not follow the grammar.
    #[error("malformed candidate")]
    Malformed,
    /// A name in the place of an address.
    #[error("a name in the place of an address")]
    Named,
    /// Neither UDP nor TCP, or a kind that nobody knows.
    #[error("a candidate of an unknown kind")]
    Unknown,
}

impl FromStr for Candidate {
    type Err = BadCandidate;

    fn from_str(line: &str) -> Result<Self, BadCandidate> {
        let line = line.strip_prefix("candidate:").unwrap_or(line);
        if line.len() > MAX_LINE {
            return Err(BadCandidate::Malformed);
        }
        let mut words = line.split_ascii_whitespace();
        let mut next = || words.next().ok_or(BadCandidate::Malformed);
        let foundation = next()?;
        let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
        if foundation.len() > 32 || !foundation.bytes().all(fits) {
            return Err(BadCandidate::Malformed);
        }
        let component = number(next()?)?;
        let carrier = next()?;
        let priority = number(next()?)?;
        let host = next()?;
        let port = number(next()?)?;
        if !(1..=256).contains(&component) || priority == 0 || !next()?.eq_ignore_ascii_case("typ") {
            return Err(BadCandidate::Malformed);
        }
        let kind = next()?;
        let (mut related, mut tcptype) = ((None, None), None);
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            match name {
                "raddr" => related.0 = value.parse::<IpAddr>().ok(),
                "rport" => related.1 = value.parse::<u16>().ok(),
                "tcptype" => tcptype = Some(value),
                _ => {}
            }
        }
        let ip = match host.parse::<IpAddr>() {
            Ok(ip) => canonical(ip),
            // It looks like a name, or like an address with a zone, which means nothing here.
            Err(_) if host.contains('.') || host.contains('%') => return Err(BadCandidate::Named),
            Err(_) => return Err(BadCandidate::Malformed),
        };
        let carrier = match (carrier, tcptype) {
            (word, _) if word.eq_ignore_ascii_case("udp") => Carrier::Udp,
            (word, Some("active")) if word.eq_ignore_ascii_case("tcp") => Carrier::Tcp(TcpType::Active),
            (word, Some("passive")) if word.eq_ignore_ascii_case("tcp") => Carrier::Tcp(TcpType::Passive),
            (word, Some("so")) if word.eq_ignore_ascii_case("tcp") => Carrier::Tcp(TcpType::SimultaneousOpen),
            _ => return Err(BadCandidate::Unknown),
        };
        let kinds = [Kind::Host, Kind::ServerReflexive, Kind::PeerReflexive, Kind::Relayed];
        let kind = kinds.into_iter().find(|known| known.word() == kind).ok_or(BadCandidate::Unknown)?;
        Ok(Self {
            foundation: foundation.to_owned(),
            component,
            carrier,
            priority,
            address: SocketAddr::new(ip, port),
            kind,
            related: related.0.zip(related.1).map(|(ip, port)| SocketAddr::new(ip, port)),
        })
    }
}

fn number<N: FromStr>(word: &str) -> Result<N, BadCandidate> {
    word.parse().map_err(|_| BadCandidate::Malformed)
}

/// An IPv4 address that wears IPv6's clothes is an IPv4 address.
fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let base = at("192.168.1.2:4000");
        for candidate in [
            Candidate::ours(Kind::Host, Carrier::Udp, 1, base, base, 0),
            Candidate::ours(Kind::ServerReflexive, Carrier::Udp, 2, at("203.0.113.5:61000"), base, 8191),
            Candidate::ours(Kind::Relayed, Carrier::Udp, 1, at("[2001:db8::9]:50000"), base, 1),
            Candidate::ours(Kind::Host, Carrier::Tcp(TcpType::SimultaneousOpen), 1, base, base, 3),
        ] {
            let mut read: Candidate = candidate.to_string().parse().unwrap();
            assert_eq!(read.related.is_some(), candidate.related.is_some());
            read.related = candidate.related;
            assert_eq!(read, candidate);
        }
    }

    #[test]
    fn others_write_them_in_their_own_ways() {
        // As browsers, Asterisk and coturn's tools do.
        let line = "candidate:842163049 1 udp 1677729535 198.51.100.7 47362 typ srflx raddr 0.0.0.0 rport 0 \
                    generation 0 ufrag EsAw network-cost 999";
        let read: Candidate = line.parse().unwrap();
        assert_eq!((read.kind, read.address), (Kind::ServerReflexive, at("198.51.100.7:47362")));
        let read: Candidate =
            "Hc0a80164 1 UDP 2130706431 ::ffff:192.168.1.100 10018 typ host".parse().unwrap();
        assert_eq!(read.address, at("192.168.1.100:10018"));
    }

    #[test]
    fn what_is_no_candidate_says_why() {
        let bad = |line: &str| line.parse::<Candidate>().unwrap_err();
        let mdns = "1 1 udp 2122260223 5a1b0e7c-2f6d-4b3a-9c1d-0a2b3c4d5e6f.local 51234 typ host";
        assert_eq!(bad(mdns), BadCandidate::Named);
        assert_eq!(bad("1 1 udp 1 fe80::1%eth0 5000 typ host"), BadCandidate::Named);
        assert_eq!(bad("1 1 sctp 1 192.0.2.1 5000 typ host"), BadCandidate::Unknown);
        assert_eq!(bad("1 1 tcp 1 192.0.2.1 5000 typ host"), BadCandidate::Unknown);
        assert_eq!(bad("1 1 udp 1 192.0.2.1 5000 typ magic"), BadCandidate::Unknown);
        for line in
            ["", "1", "1 1 udp 1 192.0.2.1 70000 typ host", "1 0 udp 1 192.0.2.1 1 typ host", "\u{e9} 1 udp"]
        {
            assert_eq!(bad(line), BadCandidate::Malformed, "{line}");
        }
    }

    #[test]
    fn the_straightest_way_has_the_highest_priority_and_a_relay_the_lowest() {
        let base = at("192.168.1.2:4000");
        let priority = |kind, carrier| Candidate::ours(kind, carrier, 1, base, base, 100).priority;
        let so = Carrier::Tcp(TcpType::SimultaneousOpen);
        let order = [
            priority(Kind::Host, Carrier::Udp),
            priority(Kind::ServerReflexive, Carrier::Udp),
            priority(Kind::Host, so),
            priority(Kind::ServerReflexive, so),
            priority(Kind::Relayed, Carrier::Udp),
        ];
        assert!(order.is_sorted_by(|a, b| a > b), "{order:?}");
        // RFC 8445 section 5.1.2.1: the usual figure of a lone host candidate.
        assert_eq!(Candidate::ours(Kind::Host, Carrier::Udp, 1, base, base, 8191).priority, 2_130_706_431);
    }
}
