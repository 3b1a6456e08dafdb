//! How a registration's way is kept open, and how seldom: each network's own time is searched for and remembered.
//!
//! RFC 5626 sections 3.5, 4.4.1 and 4.4.2 (empty lines, STUN), RFC 4787 section 4.3 and RFC 5382 section 5 (how long a NAT must keep a
//! silent mapping, and that our own packets renew it), RFC 6092 section 3.2.2 (the same of IPv6 firewalls).
//!
//! **What a broken mapping looks like.** An empty line on UDP is not answered, so nothing tells of a mapping that died
//! before it but the next answered request: its response names the port that we were seen under (`rport`), and another
//! one than before means that the silence was too long. While the time is searched for ([`Search`]) the probe at the end
//! of each silence is therefore a REGISTER: it is answered, it shows the port, and when that changed it has mended the
//! binding in the same breath. Once the time is known, empty lines do, and the refresh checks them all.
//! A registrar that speaks STUN on the same port (RFC 5626 section 8) is asked instead, in the search and after it: its answer
//! shows the port as well, and only a changed one costs a REGISTER.
//! On a stream the empty line is answered by the peer's kernel, if by nothing else, and a dead mapping breaks the
//! connection: the search needs nothing more.
//!
//! **What cannot be searched for.** A NAT that keeps ports, and a firewall, show the same port after a mapping's death as
//! before. There silence is kept to [`BLIND`], below the two minutes that RFC 4787 requirement 5 and RFC 6092 section 3.2.2
//! grant and Linux's own tracking keeps. What could tell: a message that comes to the silent port though it was asked for from
//! another one. A STUN server sends that where it knows RESPONSE-PORT (RFC 5780 section 4.6), which none beside a registrar
//! does, and another server's time is another mapping's; a registrar passes on a request to our own address, but those that
//! answer it themselves (exchanges, gateways: most) look like a dead mapping. What could be won is little: who keeps ports is
//! Linux or follows the RFC, and both keep two minutes. To a registrar on the same private network nothing stands between, and nothing is
//! sent.
//!
//! **A mapping that is new is kept for less.** Linux takes a talk for a lasting one, and keeps it for its two minutes, only when
//! both sides have spoken and another packet follows more than two seconds after the first; until then it keeps it for 30 s,
//! which a REGISTER and its answer are. So whatever makes a new mapping is followed by an empty line after [`FRESH`]; without
//! it the phone would be deaf behind such a router for most of every silence, and the search would take 30 s for its time.
//!
//! **What it costs to be told of everything.** A registrar that restarted without its bindings answers no empty line, and
//! sends nothing by itself. An account that must be found again within a minute (`Prompt`) pays for it with a REGISTER
//! every 45 s; one that may be found again at the next refresh (`Thrifty`) sleeps for as long as the network lets it.
//!
//! What of several accounts is due at nearly the same time goes in one wake. Knows no REGISTER: `registration` asks
//! here how long to be silent, and tells what became of the silence.

mod search;

use std::time::Duration;

pub(crate) use search::Search;

/// Silence on a way whose death would not be seen. See the module.
pub(crate) const BLIND: Duration = Duration::from_secs(110);

/// How long after a mapping was made it is used again. See the module.
pub(crate) const FRESH: Duration = Duration::from_secs(3);

/// How an account is kept reachable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keepalive {
    /// A registrar that lost us knows us again within a minute, whatever it granted. For a device on a wire.
    #[default]
    Prompt,
    /// As seldom as the network allows: at most one wake per lifetime of its idle mappings. A registrar that lost us knows
    /// us again at the next refresh. For a device that runs on a battery.
    Thrifty,
}

/// What is known of how long a network keeps an idle mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// The longest silence that it outlived.
    pub held: Duration,
    /// The shortest that it did not.
    pub broke: Option<Duration>,
}

/// What carries the packets of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Udp,
    Stream,
}
