//! What a router is like: the behaviours that RFC 4787, RFC 5382 and RFC 5128 tell apart, and the routers one meets.
//!
//! Knows nothing of packets.

use std::net::Ipv4Addr;
use std::time::Duration;

use base::nat64::Prefix64;

/// How old a mapping must be for its talk to be taken for a lasting one: netfilter's `stream_ts`.
pub(super) const SETTLED: Duration = Duration::from_secs(2);

/// On how much of the other end something depends. RFC 4787 sections 4.1 and 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// On nothing: "endpoint-independent".
    Independent,
    /// On its address: "address-dependent".
    Address,
    /// On its address and port: "address and port-dependent".
    AddressAndPort,
}

/// Which outside port an inside one gets. RFC 4787 section 4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// The same, unless another has it.
    Preserved,
    /// Any, drawn for each mapping.
    Random,
    /// The same, even if another has it, as long as they talk to different endpoints: netfilter's way. Only with mapping
    /// and filtering that depend on address and port.
    Shared,
}

/// Which outside address of several. RFC 4787 section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// One inside address keeps one outside address.
    Paired,
    /// Drawn for each mapping.
    Arbitrary,
}

/// What becomes of a packet from inside to an outside address of the router itself. RFC 4787 section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hairpin {
    /// It is dropped.
    None,
    /// It arrives, with the sender's inside address: whoever answers does so from where nobody asked.
    InsideSource,
    /// It arrives, with the sender's outside address.
    OutsideSource,
}

/// What an unsolicited SYN from outside is answered. RFC 5382 section 4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsolicited {
    /// Nothing.
    Drop,
    /// RST, at once.
    Reset,
    /// ICMP port unreachable, after this long (REQ-4: 6 s), unless a SYN to the same endpoint went out meanwhile.
    Unreachable(Duration),
}

/// What may pass at all, out and in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allows {
    /// Everything.
    Everything,
    /// No UDP.
    NoUdp,
    /// TCP with port 443 outside, and nothing else.
    OnlyTcp443,
}

/// What it does to SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tampering {
    /// Puts its outside addresses into Via, Contact and SDP, lets the media in, and undoes it inbound: as its maker meant it.
    Rewrites,
    /// Cuts each message after so many bytes.
    Truncates(usize),
    /// Sends each datagram twice.
    Duplicates,
    /// Puts its outside address into `o=` and `c=` lines, and forgets the ports and the Content-Length.
    SdpAddresses,
}

/// By whose port 5060 a gateway knows SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// The server's, outside.
    AtServers,
    /// The phone's, inside.
    AtPhones,
}

/// An application-level gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alg {
    /// What it takes for SIP.
    pub looks: Looks,
    /// What it does.
    pub tampering: Tampering,
    /// Whether it also looks into TCP.
    pub tcp: bool,
}

/// A kind of router. Begin with a named one and change what is to be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nat {
    /// When an inside endpoint gets another outside one.
    pub mapping: Dependence,
    /// Who may send to an outside endpoint: anybody, or only whom the inside has sent to.
    pub filtering: Dependence,
    /// Which outside port.
    pub ports: Ports,
    /// How many outside addresses, at least 1.
    pub pool: u8,
    /// Which of them.
    pub pooling: Pooling,
    /// Each inside address has an outside one to itself, with all ports ("static NAT", "DMZ"). The pool must suffice:
    /// whoever comes later gets nothing through.
    pub one_to_one: bool,
    /// From inside to inside by outside addresses.
    pub hairpin: Hairpin,
    /// How long a mapping, and each permission of the filter, outlives the last datagram.
    pub udp_timeout: Duration,
    /// How long until both sides have spoken and the inside has done so again two seconds later, if that is another time:
    /// netfilter's way.
    pub udp_new_timeout: Option<Duration>,
    /// Whether datagrams from outside count as well: RFC 4787 REQ-6 allows it.
    pub inbound_refreshes: bool,
    /// How long an open connection is kept while nothing passes. RFC 5382 REQ-5.
    pub tcp_timeout: Duration,
    /// How long one that opens or closes is kept.
    pub tcp_transitory: Duration,
    /// What an unsolicited SYN is answered.
    pub unsolicited: Unsolicited,
    /// Whether a SYN may come in where a SYN went out. RFC 5382 REQ-2a.
    pub crossing_syns: bool,
    /// The router takes what nobody inside wanted for its own conversation, and for so long that endpoint finds the
    /// outside port taken: netfilter without a rule for INPUT. Only with shared ports.
    pub remembers_strangers: Option<Duration>,
    /// What may pass.
    pub allows: Allows,
    /// What it does to SIP.
    pub alg: Option<Alg>,
    /// It translates between families (NAT64, RFC 6146): the inside has IPv6 alone, and reaches IPv4 under this prefix.
    pub nat64: Option<Prefix64>,
    /// The inside network, of which it uses the last byte.
    pub inside: Ipv4Addr,
}

impl Nat {
    /// Endpoint-independent mapping and filtering: once open, open to all.
    pub const fn full_cone() -> Self {
        Self {
            mapping: Dependence::Independent,
            filtering: Dependence::Independent,
            ports: Ports::Preserved,
            pool: 1,
            pooling: Pooling::Paired,
            one_to_one: false,
            hairpin: Hairpin::OutsideSource,
            udp_timeout: Duration::from_secs(120),
            udp_new_timeout: None,
            inbound_refreshes: false,
            tcp_timeout: Duration::from_secs(7440),
            tcp_transitory: Duration::from_secs(240),
            unsolicited: Unsolicited::Drop,
            crossing_syns: true,
            remembers_strangers: None,
            allows: Allows::Everything,
            alg: None,
            nat64: None,
            inside: Ipv4Addr::new(192, 168, 1, 0),
        }
    }

    /// Endpoint-independent mapping, address-dependent filtering.
    pub const fn restricted() -> Self {
        Self { filtering: Dependence::Address, ..Self::full_cone() }
    }

    /// Endpoint-independent mapping, address and port-dependent filtering: what punching is made for.
    pub const fn port_restricted() -> Self {
        Self { filtering: Dependence::AddressAndPort, ..Self::full_cone() }
    }

    /// Another outside port, drawn, for each endpoint; only that endpoint may answer.
    pub const fn symmetric() -> Self {
        Self {
            mapping: Dependence::AddressAndPort,
            ports: Ports::Random,
            hairpin: Hairpin::None,
            ..Self::port_restricted()
        }
    }

    /// A carrier's: a pool of four, ports drawn, inside 100.64.0.0. RFC 6888 asks for endpoint-independent mapping;
    /// filtering is as strict as carriers like it.
    pub const fn cgn() -> Self {
        Self {
            ports: Ports::Random,
            pool: 4,
            inside: Ipv4Addr::new(100, 64, 0, 0),
            ..Self::port_restricted()
        }
    }

    /// An outside address for each of up to four inside ones; the rest of the world may call.
    pub const fn static_one_to_one() -> Self {
        Self { one_to_one: true, pool: 4, ..Self::full_cone() }
    }

    /// Linux with `masquerade` and a firewall that drops: the port is kept wherever it can be, so that it looks independent
    /// until two inside hosts want the same port to the same endpoint.
    pub const fn linux_masquerade() -> Self {
        let udp_new_timeout = Some(Duration::from_secs(30));
        Self { ports: Ports::Shared, udp_new_timeout, ..Self::symmetric() }
    }

    /// The same without a firewall: it answers RST, and whoever knocks before the inside has spoken takes the port away.
    pub const fn linux_open() -> Self {
        Self {
            unsolicited: Unsolicited::Reset,
            remembers_strangers: Some(Duration::from_secs(30)),
            ..Self::linux_masquerade()
        }
    }

    /// Linux with `masquerade random,fully-random`.
    pub const fn linux_fully_random() -> Self {
        Self::symmetric()
    }

    /// Unsolicited SYNs are answered RST.
    #[must_use]
    pub const fn resetting(self) -> Self {
        Self { unsolicited: Unsolicited::Reset, ..self }
    }

    /// What may pass.
    #[must_use]
    pub const fn allowing(self, allows: Allows) -> Self {
        Self { allows, ..self }
    }

    /// What from inside is sent to its own outside.
    #[must_use]
    pub const fn hairpinning(self, hairpin: Hairpin) -> Self {
        Self { hairpin, ..self }
    }

    /// The inside has IPv6 alone, and IPv4 under this prefix.
    #[must_use]
    pub const fn translating(self, prefix: Prefix64) -> Self {
        Self { nat64: Some(prefix), ..self }
    }

    /// With a gateway that does this to SIP over UDP, which it knows by the server's port.
    #[must_use]
    pub const fn tampering(self, tampering: Tampering) -> Self {
        Self { alg: Some(Alg { looks: Looks::AtServers, tampering, tcp: false }), ..self }
    }

    /// The same, which it knows by the phone's port.
    #[must_use]
    pub const fn tampering_with_5060(self, tampering: Tampering) -> Self {
        Self { alg: Some(Alg { looks: Looks::AtPhones, tampering, tcp: false }), ..self }
    }
}
