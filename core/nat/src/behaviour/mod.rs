//! What kind of router is in the way: for diagnostics, never to decide how a call connects.
//!
//! RFC 5780, in the words of RFC 4787. Asking is [`Discovery`]'s; here is what came of it, and how a person is told. How long a
//! router remembers is not asked here: that takes minutes, and belongs to who keeps flows alive.

mod discovery;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;

pub use discovery::{Datagram, Discovery, Side};

/// What of a destination matters to a router. RFC 4787 sections 4.1 and 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    /// Nothing.
    EndpointIndependent,
    /// Its host address.
    AddressDependent,
    /// Its host address and port.
    AddressAndPortDependent,
}

impl Dependence {
    /// The console's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address-and-port-dependent",
        }
    }
}

/// What was found out. `None` is what could not be: the server has one address only, or answers got lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// No answer came: UDP is blocked, or the server is away.
    pub blocked: bool,
    /// Our address as the server sees it.
    pub mapped: Option<SocketAddr>,
    /// Whether that is another address than ours.
    pub translated: Option<bool>,
    /// Whether both of our ports are the same outside.
    pub ports_kept: Option<bool>,
    /// On what the outside address depends that a flow gets. Only asked when it is translated.
    pub mapping: Option<Dependence>,
    /// On what it depends who may send to it.
    pub filtering: Option<Dependence>,
    /// Whether hosts behind the router reach each other by their outside addresses. Only asked when it is translated.
    pub hairpinning: Option<bool>,
}

impl Behaviour {
    /// What it means for calls, in a sentence. A firewall that translates nothing is like a router with one mapping for all.
    ///
    /// Two sides that both send open both filters, where each knows which address the other sends from. That of a mapping that
    /// depends on destination is seen only when it arrives, which a filter by ports prevents.
    pub const fn meaning(&self) -> &'static str {
        use Dependence::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
        let mapping = match self.translated {
            Some(false) => Some(EndpointIndependent),
            Some(true) | None => self.mapping,
        };
        match (mapping, self.filtering) {
            _ if self.blocked => {
                "Unless it is the server that is away, calls go by TCP: punched through, or by a relay."
            }
            (Some(EndpointIndependent), Some(EndpointIndependent)) => {
                "Calls connect directly, whatever the other side is behind."
            }
            (Some(EndpointIndependent), Some(AddressDependent)) => {
                "Calls are punched through, whatever the other side is behind."
            }
            (Some(EndpointIndependent), Some(AddressAndPortDependent) | None) => {
                "Calls are punched through; those to people behind a router whose mapping depends on destination may \
                 need a relay."
            }
            (Some(AddressDependent | AddressAndPortDependent), _) => {
                "Calls are punched through to people behind an open router or none; nearly all others need a relay."
            }
            (None, _) => {
                "How calls will go cannot be told: the server has one address only, or answers got lost."
            }
        }
    }
}

/// Plain words, the most important ones first, such as
/// "port-translating router; mapping depends on destination; lets in only whom we sent to".
impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.blocked {
            return f.write_str("UDP is blocked, or the server does not answer");
        }
        f.write_str(match (self.translated, self.ports_kept) {
            (Some(true), Some(true)) => "address-translating router that keeps ports",
            (Some(true), Some(false)) => "port-translating router",
            (Some(true), None) => "translating router",
            (Some(false), _) => "no address translation",
            (None, _) => "translation unknown",
        })?;
        if self.translated != Some(false) {
            f.write_str(match self.mapping {
                Some(Dependence::EndpointIndependent) => "; mapping is the same for all destinations",
                Some(Dependence::AddressDependent) => "; mapping depends on destination",
                Some(Dependence::AddressAndPortDependent) => "; mapping depends on destination and port",
                None => "; mapping unknown",
            })?;
        }
        f.write_str(match self.filtering {
            Some(Dependence::EndpointIndependent) => "; lets in anybody",
            Some(Dependence::AddressDependent) => "; lets in only hosts that we sent to",
            Some(Dependence::AddressAndPortDependent) => "; lets in only hosts and ports that we sent to",
            None => "; filtering unknown",
        })?;
        match self.hairpinning {
            Some(true) => f.write_str("; sends calls between its own phones back in"),
            Some(false) => f.write_str("; does not send calls between its own phones back in"),
            None => Ok(()),
        }
    }
}
